//! What macOS and Windows have in common: one namespace, one way of looking, and a list of what they have no means for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use model::{
    Area, Gap, Holder, How, Machine, Namespace, PortRules, Process, Reason, Seen, Snapshot, Socket, State,
    Views,
};
use sha2::{Digest, Sha256};

use crate::capture::{CaptureCounts, CaptureError, CaptureInterface, CaptureRequest, Captured};
use crate::privilege::{Account, GivenUp, PrivilegeError};
use crate::{Look, now};

/// The most bytes of an executable that are hashed.
const HASH_LIMIT_BYTES: u64 = 1 << 30;

/// A process about which only its number and name are known.
pub fn process(pid: u32, comm: String) -> Process {
    let nothing = Reason::NotSupported;
    Process {
        pid,
        comm,
        started: Seen::Hidden(nothing),
        exe: Seen::Hidden(nothing),
        cmdline: Seen::Hidden(nothing),
        cwd: Seen::Hidden(nothing),
        user: Seen::Hidden(nothing),
        capabilities: Seen::Hidden(nothing),
        parents: Vec::new(),
        // systemd does not run here: that is known.
        unit: Seen::Absent,
        container: Seen::Hidden(nothing),
        package: Seen::Hidden(nothing),
        hidden_from_proc: false,
        preload: Seen::Hidden(nothing),
    }
}

/// A holder that the system's own table names.
pub fn holder(pid: u32, fd: Option<u32>) -> Holder {
    Holder { pid, tid: None, fd, how: How::SystemTable }
}

/// Whether a socket in this state is asked for.
pub fn wanted(state: State, look: &Look) -> bool {
    look.connected || matches!(state, State::Listening | State::Bound)
}

/// SHA-256 of a file; `None` where it cannot be read.
pub fn sha256(path: &str) -> Option<[u8; 32]> {
    let mut file = File::open(path).ok()?.take(HASH_LIMIT_BYTES);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer).ok()?;
        if count == 0 {
            // A file at the limit was not read to its end.
            return (file.limit() > 0).then(|| hash.finalize().into());
        }
        hash.update(buffer.get(..count)?);
    }
}

/// Joins what was seen into a snapshot, in the order that every snapshot has.
pub fn snapshot(
    look: &Look,
    machine: Machine,
    rules: Seen<PortRules>,
    mut sockets: Vec<Socket>,
    processes: BTreeMap<u32, Process>,
    mut gaps: Vec<Gap>,
) -> Snapshot {
    sockets.sort_by_key(|socket| {
        (socket.kind, socket.local.port(), socket.local.ip(), socket.peer, socket.cookie)
    });
    for socket in &mut sockets {
        socket.holders.sort_by_key(|holder| (holder.pid, holder.fd));
    }
    gaps.extend(without_means(look));
    let host = Namespace { inode: 0, name: "host".to_owned(), own: true, pid: None, entered: true, rules };
    Snapshot {
        taken: now(),
        machine,
        namespaces: vec![host],
        sockets,
        processes: processes.into_values().map(Arc::new).collect(),
        forwards: Vec::new(),
        views: Views::SYSTEM_TABLE,
        gaps,
    }
}

/// What was asked for and cannot be looked at here.
fn without_means(look: &Look) -> impl Iterator<Item = Gap> {
    let asked = [
        (true, Area::Sockets, "raw, packet and SCTP sockets where the system's table leaves them out"),
        (look.forwards, Area::Forwards, "ports that address translation publishes without a socket"),
        (look.integrity, Area::Packages, "which package owns each executable"),
        (look.probe.is_some(), Area::Sockets, "ports that nobody lists, by trying to bind them"),
    ];
    asked.into_iter().filter(|(asked, _, _)| *asked).map(|(_, area, what)| Gap {
        area,
        reason: Reason::NotSupported,
        what: what.to_owned(),
        count: None,
    })
}

/// The number of a group; not looked for on this system.
pub fn group(_: &str) -> Option<u32> {
    None
}

/// The account of this name; none is looked for, because none can be become.
pub fn account(_: &str) -> Option<Account> {
    None
}

/// Says that there is nothing to give up.
pub fn give_up(_: u64, _: Option<&Account>) -> Result<GivenUp, PrivilegeError> {
    Err(PrivilegeError::NotSupported)
}

/// There is no live capture here, so there is none of these.
#[derive(Debug)]
pub enum Capture {}

impl Capture {
    /// Says what to do instead.
    pub fn open(_: &CaptureRequest) -> Result<Capture, CaptureError> {
        Err(CaptureError::NotSupported)
    }

    /// One capture for each worker of the request.
    pub fn split(self) -> Vec<Capture> {
        match self {}
    }

    /// The interfaces so far.
    pub fn interfaces(&self) -> Vec<CaptureInterface> {
        match *self {}
    }

    /// Hands out the frames that are ready, and waits for some where none is.
    pub fn wait(&mut self, _: Duration, _: &mut dyn FnMut(Captured<'_>)) -> io::Result<usize> {
        match *self {}
    }

    /// What became of the frames so far.
    pub fn counts(&mut self) -> io::Result<CaptureCounts> {
        match *self {}
    }

    /// Hands out all that is left.
    pub fn finish(&mut self, _: &mut dyn FnMut(Captured<'_>)) -> io::Result<CaptureCounts> {
        match *self {}
    }
}
