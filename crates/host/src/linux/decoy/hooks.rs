//! The programs of `bpf/decoy.bpf.c` in the kernel: what keeps the table, and what chooses. They go with this value.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use model::{Area, Gap, Reason};

use crate::linux::bpf::loader::{self, Hook};
use crate::linux::bpf::{LoadError, sys};
use crate::linux::datagram;

/// Compiled from `bpf/decoy.bpf.c` by `cargo xtask bpf`.
const OBJECT: &[u8] = include_bytes!("../../../../../bpf/decoy.bpf.o");

// `enum bpf_prog_type` and `enum bpf_attach_type` (include/uapi/linux/bpf.h).
const CGROUP_SOCK: u32 = 9;
const SK_LOOKUP: u32 = 30;
const AT_POST_BIND4: u32 = 12;
const AT_POST_BIND6: u32 = 13;
const AT_RELEASE: u32 = 34;
const AT_SK_LOOKUP: u32 = 36;

const CHOOSING: Hook = Hook { name: "choose", kind: SK_LOOKUP, at: AT_SK_LOOKUP };
const KEEPING: [Hook; 3] = [
    Hook { name: "bound4", kind: CGROUP_SOCK, at: AT_POST_BIND4 },
    Hook { name: "bound6", kind: CGROUP_SOCK, at: AT_POST_BIND6 },
    Hook { name: "released", kind: CGROUP_SOCK, at: AT_RELEASE },
];
/// The inode number of the first control group namespace (`PROC_CGROUP_INIT_INO`).
const FIRST_CGROUP_NAMESPACE: u64 = 0xefff_fffb;
const SO_NETNS_COOKIE: i32 = 71;

/// The programs, loaded and, once attached, at work.
#[derive(Debug)]
pub struct Hooks {
    programs: HashMap<&'static str, OwnedFd>,
    maps: HashMap<String, OwnedFd>,
    /// Nothing but these keeps the programs at work: the kernel takes them back when we end, however we do.
    links: Vec<OwnedFd>,
    /// Whether every process of the machine is heard of.
    pub whole: bool,
}

impl Hooks {
    /// Loads the programs.
    pub fn load() -> Result<Hooks, LoadError> {
        let all: Vec<Hook> = KEEPING.into_iter().chain([CHOOSING]).collect();
        let (maps, programs) = loader::load_hooks(OBJECT, &all)?;
        Ok(Hooks { programs, maps, links: Vec::new(), whole: false })
    }

    /// A map by its name.
    pub fn map(&self, name: &str) -> Result<&OwnedFd, LoadError> {
        self.maps.get(name).ok_or(LoadError::NotSupported(format!("map {name}")))
    }

    /// The map of which socket has which place.
    pub fn held_map(&self) -> io::Result<&OwnedFd> {
        self.maps.get("held").ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// What is in it.
    pub fn held(&self) -> io::Result<Vec<(u64, u32)>> {
        /// As many as the map has room for.
        const MOST: usize = 131_072;
        let map = self.held_map()?;
        let (mut all, mut before) = (Vec::new(), None);
        for _ in 0..MOST {
            let mut key = [0; 8];
            if !sys::next_key(map, before.as_ref().map(<[u8; 8]>::as_slice), &mut key)? {
                break;
            }
            let mut place = [0; 4];
            if sys::read(map, &key, &mut place).is_ok() {
                all.push((u64::from_ne_bytes(key), u32::from_ne_bytes(place)));
            }
            before = Some(key);
        }
        Ok(all)
    }

    /// Begins to keep the table.
    pub fn attach_keeping(&mut self, gaps: &mut Vec<Gap>) -> Result<(), LoadError> {
        let root = cgroup_root()?;
        for hook in KEEPING {
            self.attach(hook, root.as_fd())?;
        }
        let namespace = std::fs::metadata("/proc/self/ns/cgroup").map(|it| it.ino());
        self.whole = namespace.is_ok_and(|inode| inode == FIRST_CGROUP_NAMESPACE);
        if !self.whole {
            gaps.push(Gap {
                area: Area::Sockets,
                reason: Reason::NotSupported,
                what: "binds of programs outside of this container, as they happen: they are looked for each second".into(),
                count: None,
            });
        }
        Ok(())
    }

    /// Begins to choose for the namespace of the calling thread.
    pub fn attach_choosing(&mut self) -> Result<(), LoadError> {
        let netns = File::open("/proc/thread-self/ns/net")
            .map_err(|error| LoadError::Refused("let us open our namespace", error))?;
        self.attach(CHOOSING, netns.as_fd())
    }

    fn attach(&mut self, hook: Hook, target: std::os::fd::BorrowedFd<'_>) -> Result<(), LoadError> {
        let program =
            self.programs.get(hook.name).ok_or(LoadError::NotSupported(format!("program {}", hook.name)))?;
        let link = sys::attach(program, target, hook.at)
            .map_err(|error| LoadError::Refused("start a program", error))?;
        self.links.push(link);
        Ok(())
    }
}

/// The root of the hierarchy of control groups, wherever it is mounted.
fn cgroup_root() -> Result<File, LoadError> {
    let refused = |error| LoadError::Refused("let us open the root of control groups", error);
    let table = std::fs::read_to_string("/proc/thread-self/mountinfo").map_err(refused)?;
    // proc(5): fields 4 and 5 are the root in that file system and where it is mounted; the type is behind the dash.
    let mounted = table.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        (root == "/" && after.split(' ').next() == Some("cgroup2")).then_some(at)
    });
    let at = mounted.ok_or_else(|| LoadError::NotSupported("mount of control groups, version 2".into()))?;
    File::open(at).map_err(refused)
}

/// The kernel's cookie for the network namespace of the calling thread.
pub fn netns_cookie() -> io::Result<u64> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    let mut cookie = 0_u64;
    datagram::read(socket.as_fd(), libc::SOL_SOCKET, SO_NETNS_COOKIE, &mut cookie)?;
    Ok(cookie)
}
