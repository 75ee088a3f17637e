//! Processes that hold sockets, and what is known of their executable, unit, container and package.

use alloc::{string::String, vec::Vec};

use crate::gap::Reason;
use crate::seen::Seen;
use crate::time::{Timestamp, Utc};

/// A process. All text is as the process gave it: sanitise before a terminal or page sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number in our PID namespace.
    pub pid: u32,
    /// The kernel's short name (`comm`): any process can set it.
    pub comm: String,
    /// When it started. With `pid` it names the process for good.
    pub started: Seen<Timestamp<Utc>>,
    /// The file it runs.
    pub exe: Seen<Exe>,
    /// Its arguments; the first is what it calls itself.
    pub cmdline: Seen<Vec<String>>,
    /// Its working directory.
    pub cwd: Seen<String>,
    /// Its effective user.
    pub user: Seen<User>,
    /// What it may do.
    pub capabilities: Seen<Capabilities>,
    /// Its parents, nearest first, up to PID 1 or to where we may not look.
    pub parents: Vec<Parent>,
    /// The systemd unit it runs in.
    pub unit: Seen<Unit>,
    /// The container it runs in.
    pub container: Seen<Container>,
    /// The package that owns the executable.
    pub package: Seen<Package>,
    /// Whether the file /proc is hidden from ordinary tools although the kernel runs it.
    pub hidden_from_proc: bool,
    /// Libraries that LD_PRELOAD or /etc/ld.so.preload puts into it; empty if none.
    pub preload: Seen<Vec<String>>,
}

impl Process {
    /// The name of the program: the file name of the executable, else `comm`.
    pub fn program(&self) -> &str {
        match &self.exe {
            Seen::Value(exe) => exe.file_name(),
            Seen::Absent | Seen::Hidden(_) => &self.comm,
        }
    }
}

/// The file a process runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exe {
    /// Its path as the kernel gives it, without " (deleted)".
    pub path: String,
    /// Whether it is still the file at that path.
    pub state: ExeState,
    /// Whether the file or its folder can be written by everybody.
    pub world_writable: bool,
    /// Whether it lies in a place for temporary files (/tmp, /var/tmp, /dev/shm, /run/user).
    pub temporary: bool,
    /// SHA-256 of the running file, where it was asked for.
    pub sha256: Option<[u8; 32]>,
}

impl Exe {
    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        let cut = |c| self.path.rsplit(c).next().unwrap_or(&self.path);
        if self.path.contains('\\') { cut('\\') } else { cut('/') }
    }
}

/// Whether the running file is still the file at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExeState {
    /// The same file is still there.
    Present,
    /// Nothing is at that path any more.
    Deleted,
    /// Another file is at that path now, as after an upgrade.
    Replaced,
    /// It never was a file: it runs from memory (memfd_create).
    Memfd,
}

impl ExeState {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            ExeState::Present => "present",
            ExeState::Deleted => "deleted",
            ExeState::Replaced => "replaced",
            ExeState::Memfd => "memfd",
        }
    }
}

/// A user of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User {
    /// Effective user number.
    pub uid: u32,
    /// Account name, where /etc/passwd has one.
    pub name: Option<String>,
}

/// Linux capability sets, as bit masks (capabilities(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Capabilities {
    /// What it may do now.
    pub effective: u64,
    /// What it may give itself.
    pub permitted: u64,
    /// What it and its children may ever have.
    pub bounding: u64,
}

impl Capabilities {
    /// Bit of CAP_NET_BIND_SERVICE.
    pub const NET_BIND_SERVICE: u64 = 1 << 10;
    /// Bit of CAP_NET_RAW.
    pub const NET_RAW: u64 = 1 << 13;
    /// Bit of CAP_SYS_ADMIN.
    pub const SYS_ADMIN: u64 = 1 << 21;

    /// Whether every capability in `bits` is effective.
    pub fn has(self, bits: u64) -> bool {
        self.effective & bits == bits
    }
}

/// A forefather of a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parent {
    /// Its number.
    pub pid: u32,
    /// Its short name.
    pub comm: String,
}

/// A systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unit {
    /// Its name, unescaped as systemctl shows it: `ssh.service`.
    pub name: String,
    /// Whose manager runs it.
    pub scope: UnitScope,
}

/// Whose manager runs a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnitScope {
    /// The system's.
    System,
    /// A user's own.
    User(u32),
}

/// A listening socket that systemd holds for a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Activation {
    /// The socket unit: `ssh.socket`.
    pub socket_unit: String,
    /// The service that it starts: `ssh.service`, `ssh@.service`.
    pub service: String,
    /// The program that service runs, where its unit file says.
    pub program: Option<String>,
}

/// What runs a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Runtime {
    /// Docker Engine.
    Docker,
    /// Podman (libpod).
    Podman,
    /// containerd without Kubernetes.
    Containerd,
    /// CRI-O.
    CriO,
    /// LXC, Incus or LXD.
    Lxc,
    /// systemd-nspawn.
    Nspawn,
    /// A Kubernetes pod whose runtime the cgroup does not name.
    Kubernetes,
}

impl Runtime {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Runtime::Docker => "docker",
            Runtime::Podman => "podman",
            Runtime::Containerd => "containerd",
            Runtime::CriO => "cri-o",
            Runtime::Lxc => "lxc",
            Runtime::Nspawn => "nspawn",
            Runtime::Kubernetes => "kubernetes",
        }
    }
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Container {
    /// What runs it.
    pub runtime: Runtime,
    /// Its full identifier; LXC and nspawn: its name.
    pub id: String,
    /// The name people gave it.
    pub name: Seen<String>,
    /// The image it was made from.
    pub image: Seen<String>,
    /// The pod's identifier, in Kubernetes.
    pub pod: Option<String>,
}

/// Which package database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Manager {
    /// Debian and its kin.
    Dpkg,
    /// Red Hat, SUSE and their kin.
    Rpm,
    /// Alpine.
    Apk,
}

impl Manager {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Manager::Dpkg => "dpkg",
            Manager::Rpm => "rpm",
            Manager::Apk => "apk",
        }
    }
}

/// The package that owns an executable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Package {
    /// Which database says so.
    pub manager: Manager,
    /// Package name.
    pub name: String,
    /// Package version.
    pub version: String,
    /// Whether the file is as the package delivered it.
    pub integrity: Integrity,
}

/// Whether a file is as its package delivered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Integrity {
    /// The digest is the one recorded.
    Intact,
    /// The digest is another.
    Modified,
    /// The database records no digest for it.
    NotRecorded,
    /// Not compared, for this reason.
    NotCompared(Reason),
}

impl Integrity {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Integrity::Intact => "intact",
            Integrity::Modified => "modified",
            Integrity::NotRecorded => "not_recorded",
            Integrity::NotCompared(_) => "not_compared",
        }
    }
}
