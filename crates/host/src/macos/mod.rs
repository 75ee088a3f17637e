//! macOS: every process's descriptors, asked one by one (libproc), joined into sockets with all their holders.

mod sys;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use model::{
    Area, Exe, ExeState, Gap, Machine, Parent, PortRules, Process, Reason, Scope, Seen, Snapshot, Socket,
    Timestamp, User, Views,
};
use wire::darwin_args::{self, Started};
use wire::darwin_socket::{self, Record};

use crate::{Look, elsewhere};

/// The most parents that are followed.
const MOST_PARENTS: usize = 32;
/// The sticky bit: in such a folder everybody may write, but not over the files of others.
const STICKY: u32 = 0o1000;
const WRITABLE_BY_ALL: u32 = 0o002;

/// Looks at the machine.
#[derive(Debug, Default)]
pub struct Looker {}

impl Looker {
    /// A looker that has not looked yet.
    pub fn new() -> Looker {
        Looker {}
    }

    /// Whether another look is worth its cost. Here only a whole look can tell.
    pub fn changed(&mut self, _look: &Look) -> bool {
        true
    }

    /// Looks once.
    pub fn snapshot(&mut self, look: &Look) -> Snapshot {
        let mut gaps = Vec::new();
        let mut sockets: BTreeMap<u64, Socket> = BTreeMap::new();
        let mut processes = BTreeMap::new();
        let mut refused: BTreeMap<Reason, u64> = BTreeMap::new();
        let mut damaged = None;
        let pids = sys::processes().unwrap_or_else(|error| {
            let what = format!("the list of processes: {error}");
            gaps.push(Gap { area: Area::Holders, reason: sys::reason(&error), what, count: None });
            Vec::new()
        });
        for pid in pids {
            let descriptors = match sys::socket_descriptors(pid) {
                Ok(descriptors) => descriptors,
                Err(error) => {
                    *refused.entry(sys::reason(&error)).or_default() += 1;
                    continue;
                }
            };
            let mut holds = false;
            for fd in descriptors {
                // A descriptor may be closed between the two calls; that is no gap.
                let Ok(bytes) = sys::socket(pid, fd) else { continue };
                match darwin_socket::parse(&bytes) {
                    Ok(Some(record)) if elsewhere::wanted(record.state, look) => {
                        holds = true;
                        let entry = sockets.entry(record.handle).or_insert_with(|| socket(&record));
                        entry.holders.push(elsewhere::holder(pid, Some(fd)));
                    }
                    Ok(_) => {}
                    Err(fault) => damaged = Some(fault),
                }
            }
            if holds {
                processes.insert(pid, process(pid, look));
            }
        }
        // Other users' sockets are seen only through their processes: without those, rows are missing.
        refused.remove(&Reason::Exited);
        let hidden = refused.keys().next().copied();
        for (reason, count) in refused {
            let what =
                format!("{count} processes whose descriptors could not be listed, and the sockets they hold");
            gaps.push(Gap { area: Area::Sockets, reason, what, count: Some(count) });
        }
        if let Some(fault) = damaged {
            gaps.push(Gap {
                area: Area::Sockets,
                reason: Reason::Damaged,
                what: fault.to_string(),
                count: None,
            });
        }
        let mut sockets: Vec<Socket> = sockets.into_values().collect();
        for socket in &mut sockets {
            socket.holders_missing = hidden;
        }
        let machine = Machine {
            hostname: sys::text(c"kern.hostname"),
            os: "macos",
            kernel: sys::text(c"kern.osrelease"),
            privileged: sys::is_root(),
        };
        elsewhere::snapshot(look, machine, rules(), sockets, processes, gaps)
    }
}

fn socket(record: &Record) -> Socket {
    Socket {
        kind: record.kind,
        family: record.family,
        local: record.local,
        peer: record.peer,
        state: record.state,
        scope: Scope::of(record.local.ip(), false, false),
        interface: None,
        netns: 0,
        inode: 0,
        cookie: record.handle,
        uid: None,
        queued: Some(record.queued),
        backlog: record.backlog,
        holders: Vec::new(),
        holders_missing: None,
        activation: None,
        seen_by: Views::SYSTEM_TABLE,
        hidden_from: Views::default(),
    }
}

/// The system's own rules for port numbers.
fn rules() -> Seen<PortRules> {
    let number = |name| sys::number(name).and_then(|value| u16::try_from(value).ok());
    let range = number(c"net.inet.ip.portrange.first").zip(number(c"net.inet.ip.portrange.last"));
    match range {
        // Ports below 1024 need root where the bind names one address (in_pcbbind).
        Some((first, last)) => {
            Seen::Value(PortRules { unprivileged_start: 1024, ephemeral: first..=last, reserved: Vec::new() })
        }
        None => Seen::Hidden(Reason::NotSupported),
    }
}

fn process(pid: u32, look: &Look) -> Process {
    let mut process = elsewhere::process(pid, String::new());
    let basics = sys::basics(pid);
    let started = sys::arguments(pid)
        .map_err(|error| sys::reason(&error))
        .and_then(|bytes| darwin_args::parse(&bytes).map_err(|_| Reason::Damaged));
    match &basics {
        Ok(basics) => {
            process.comm.clone_from(&basics.comm);
            process.started = Seen::Value(Timestamp::from_ns(basics.started_ns));
            process.user = Seen::Value(User { uid: basics.uid, name: sys::user_name(basics.uid) });
        }
        Err(error) => {
            process.started = Seen::Hidden(sys::reason(error));
            process.user = Seen::Hidden(sys::reason(error));
        }
    }
    process.exe = exe(pid, started.as_ref().ok(), look);
    process.cmdline = match started {
        Ok(started) => Seen::Value(started.arguments),
        Err(reason) => Seen::Hidden(reason),
    };
    process.cwd = match sys::working_directory(pid) {
        Ok(path) => Seen::Value(path),
        Err(error) => Seen::Hidden(sys::reason(&error)),
    };
    let mut parent = basics.map(|basics| basics.parent).unwrap_or(0);
    while parent != 0 && process.parents.len() < MOST_PARENTS {
        let Ok(basics) = sys::basics(parent) else { break };
        process.parents.push(Parent { pid: parent, comm: basics.comm });
        parent = basics.parent;
    }
    process
}

fn exe(pid: u32, started: Option<&Started>, look: &Look) -> Seen<Exe> {
    let (path, state) = match sys::executable(pid) {
        Ok(path) => (path, ExeState::Present),
        // The kernel has no path for a file that was unlinked; the process's own record of its start has.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match started {
            Some(started) => (started.path.clone(), ExeState::Deleted),
            None => return Seen::Hidden(Reason::Unknown),
        },
        Err(error) => return Seen::Hidden(sys::reason(&error)),
    };
    let open_to_all =
        |path: &Path| fs::metadata(path).ok().map(|about| about.mode() & (WRITABLE_BY_ALL | STICKY));
    let file = Path::new(&path);
    let file_open = open_to_all(file).is_some_and(|mode| mode & WRITABLE_BY_ALL != 0);
    let folder_open = file.parent().and_then(open_to_all) == Some(WRITABLE_BY_ALL);
    let temporary = ["/tmp/", "/private/tmp/", "/var/tmp/", "/private/var/tmp/", "/private/var/folders/"];
    Seen::Value(Exe {
        state,
        world_writable: file_open || folder_open,
        temporary: temporary.iter().any(|place| path.starts_with(place)),
        sha256: look.sha256.then(|| elsewhere::sha256(&path)).flatten(),
        path,
    })
}
