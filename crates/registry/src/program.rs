//! The programs that ordinarily serve a service, and the ports they are commonly seen on.

use model::Transport;

/// A program that people run on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// File names of its executables.
    pub names: &'static [&'static str],
    /// Names of its systemd units, without instance and suffix.
    pub units: &'static [&'static str],
    /// Registry names of the services it serves.
    pub services: &'static [&'static str],
    /// Ports it is commonly seen on, beyond those registered for its services.
    pub ports: &'static [(Transport, u16)],
    /// Whether it ordinarily needs root to do its work.
    pub needs_root: bool,
    /// What kind of program.
    pub class: Class,
}

/// What kind of program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Serves its services and nothing else.
    Service,
    /// Runs other people's programs and can serve anything: python, node, java.
    Runtime,
    /// Ordinarily serves many ports for others: nginx, haproxy, docker-proxy, systemd.
    Multiplexer,
    /// Ordinarily has raw or packet sockets: tcpdump, dhclient, lldpd.
    Sniffer,
}

/// A port that ought not to face the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensitive {
    /// What kind of door it is.
    pub kind: SensitiveKind,
    /// What is ordinarily there.
    pub what: &'static str,
    /// Why it ought not to be reachable from everywhere.
    pub why: &'static str,
}

/// What kind of door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SensitiveKind {
    /// A database, cache or message store.
    Database,
    /// A debugger or profiler: whoever reaches it runs code.
    Debugger,
    /// Administration of a machine, cluster or service.
    Admin,
}

impl SensitiveKind {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            SensitiveKind::Database => "database",
            SensitiveKind::Debugger => "debugger",
            SensitiveKind::Admin => "admin",
        }
    }
}

/// The program with this executable file name; a version at the end of the name does not matter.
pub fn by_executable(_file_name: &str) -> Option<&'static Program> {
    None
}

/// The program that this systemd unit runs; instance names do not matter.
pub fn by_unit(_unit: &str) -> Option<&'static Program> {
    None
}

/// The programs commonly seen on a port.
pub fn on_port(_transport: Transport, _port: u16) -> impl Iterator<Item = &'static Program> {
    core::iter::empty()
}

/// The service commonly seen on a port, whatever the registry says.
pub fn commonly_seen(_transport: Transport, _port: u16) -> Option<&'static str> {
    None
}

/// Whether this program ordinarily serves this port, whose registered service name is given.
pub fn serves(_program: &Program, _transport: Transport, _port: u16, _registered: Option<&str>) -> bool {
    false
}

/// What is ordinarily on this port and ought not to face the network.
pub fn sensitive(_transport: Transport, _port: u16) -> Option<Sensitive> {
    None
}
