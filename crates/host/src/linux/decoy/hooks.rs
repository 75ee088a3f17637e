//! The programs of `bpf/decoy.bpf.c` in the kernel: what keeps the table, and what chooses. They go with this value.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use model::{Area, Gap, Reason};

use crate::linux::bpf::kernel_types::KernelTypes;
use crate::linux::bpf::loader::{Opened, Program};
use crate::linux::bpf::maps::Maps;
use crate::linux::bpf::sys::Map;
use crate::linux::bpf::{LoadError, control_group};
use crate::linux::datagram;

/// Compiled from `bpf/decoy.bpf.c` by `cargo xtask bpf`.
const OBJECT: &[u8] = include_bytes!("../../../../../bpf/decoy.bpf.o");

/// What chooses, and what keeps the table.
const CHOOSING: &str = "choose";
const KEEPING: [&str; 3] = ["bound4", "bound6", "released"];
/// The inode number of the first control group namespace (`PROC_CGROUP_INIT_INO`).
const FIRST_CGROUP_NAMESPACE: u64 = 0xefff_fffb;
const SO_NETNS_COOKIE: i32 = 71;

/// The programs, loaded and, once tied, at work.
#[derive(Debug)]
pub struct Hooks {
    choosing: Program,
    keeping: Vec<Program>,
    maps: Maps,
    /// Nothing but these keeps the programs at work: the kernel takes them back when we end, however we do.
    ties: Vec<OwnedFd>,
    /// Whether every process of the machine is heard of.
    pub whole: bool,
}

impl Hooks {
    /// Loads the programs.
    pub fn load() -> Result<Hooks, LoadError> {
        let types = KernelTypes::open()?;
        let opened = Opened::of(OBJECT, &types, &[])?;
        let choosing = opened.load(CHOOSING)?;
        let keeping = KEEPING.iter().map(|name| opened.load(name)).collect::<Result<_, _>>()?;
        Ok(Hooks { choosing, keeping, maps: opened.into_maps(), ties: Vec::new(), whole: false })
    }

    /// A map by its name.
    pub fn map(&self, name: &str) -> Result<&Map, LoadError> {
        self.maps.get(name).ok_or(LoadError::NotSupported(format!("map {name}")))
    }

    /// The map of which socket has which place.
    pub fn held_map(&self) -> io::Result<&Map> {
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
            if !map.next_key(before.as_ref().map(<[u8; 8]>::as_slice), &mut key)? {
                break;
            }
            let mut place = [0; 4];
            if map.lookup(&key, &mut place)? {
                all.push((u64::from_ne_bytes(key), u32::from_ne_bytes(place)));
            }
            before = Some(key);
        }
        Ok(all)
    }

    /// Begins to keep the table.
    pub fn attach_keeping(&mut self, gaps: &mut Vec<Gap>) -> Result<(), LoadError> {
        let root = control_group::root()
            .map_err(|error| LoadError::Refused("let us open the root of control groups", error))?;
        for program in &self.keeping {
            self.ties.push(program.tie_to(root.as_fd())?);
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
        self.ties.push(self.choosing.tie_to(netns.as_fd())?);
        Ok(())
    }
}

/// The kernel's cookie for the network namespace of the calling thread.
pub fn netns_cookie() -> io::Result<u64> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    let mut cookie = 0_u64;
    datagram::read(socket.as_fd(), libc::SOL_SOCKET, SO_NETNS_COOKIE, &mut cookie)?;
    Ok(cookie)
}
