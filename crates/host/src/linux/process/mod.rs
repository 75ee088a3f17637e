//! Everything known about a process that holds a socket.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Activation, Container, Gap, Kind, Process};

/// How deep to look into executables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// SHA-256 of each running file.
    pub sha256: bool,
    /// Which package owns each executable, and whether its digest is the recorded one.
    pub integrity: bool,
}

/// Reads processes, and keeps between looks what stays true.
#[derive(Debug)]
pub struct Reader {
    proc_root: PathBuf,
    system_root: PathBuf,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

impl Reader {
    /// A reader of this machine.
    pub fn new() -> Reader {
        Reader::with_roots(Path::new("/proc"), Path::new("/"))
    }

    /// A reader of another tree that looks like /proc, beside another file system.
    pub fn with_roots(proc_root: &Path, system_root: &Path) -> Reader {
        Reader { proc_root: proc_root.to_path_buf(), system_root: system_root.to_path_buf() }
    }

    /// The processes with these numbers, in order of PID; one that ended keeps its row.
    pub fn read(&mut self, _pids: &[u32], _depth: &Depth) -> Vec<Arc<Process>> {
        let _ = (&self.proc_root, &self.system_root);
        Vec::new()
    }

    /// Where the last [`Reader::read`] could not look, counted.
    pub fn gaps(&mut self) -> Vec<Gap> {
        Vec::new()
    }

    /// The service behind a socket that systemd holds.
    pub fn activation(&mut self, _holder: &Process, _kind: Kind, _local: SocketAddr) -> Option<Activation> {
        None
    }

    /// The container that has this address on a network of its runtime.
    pub fn container_by_ip(&mut self, _ip: IpAddr) -> Option<Container> {
        None
    }
}
