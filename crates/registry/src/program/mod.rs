//! The programs that ordinarily serve a service, and the ports they are commonly seen on.
//!
//! The map itself is [`map`]: one line per program. What is said of a port without regard to a program is in
//! [`ports`].

mod index;
mod map;
mod ports;

use model::Transport;

pub(crate) use index::{first_on, first_serving, reason};
pub use ports::{Sensitive, SensitiveKind, commonly_named, commonly_seen, sensitive};

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
    /// Whether it ordinarily needs root to do its work, beyond opening a privileged port.
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

/// Every program of the map.
pub fn all() -> impl Iterator<Item = &'static Program> {
    map::MAP.iter().map(|entry| &entry.program)
}

/// The program with this executable file name. Case, `.exe` and a version in the name do not matter.
pub fn by_executable(file_name: &str) -> Option<&'static Program> {
    index::by_executable(file_name)
}

/// The program that this systemd unit runs. Instance, suffix and a version in the name do not matter.
pub fn by_unit(unit: &str) -> Option<&'static Program> {
    index::by_unit(unit)
}

/// The programs commonly seen on a port beyond those registered for it.
pub fn on_port(transport: Transport, port: u16) -> impl Iterator<Item = &'static Program> {
    let first = first_on(transport, port).map_or(usize::MAX, usize::from);
    all().skip(first).filter(move |program| program.ports.contains(&(transport, port)))
}

/// The programs that serve the service with this registry name.
pub fn serving(service: &str) -> impl Iterator<Item = &'static Program> {
    all().filter(move |program| program.services.contains(&service))
}

/// Whether the map lists this port, or its registered service, for this program.
///
/// Runtimes and multiplexers can serve anything besides: that is for the caller to weigh by [`Class`].
pub fn serves(program: &Program, transport: Transport, port: u16, registered_name: Option<&str>) -> bool {
    program.ports.contains(&(transport, port))
        || registered_name.is_some_and(|name| program.services.contains(&name))
}

/// The name by which people know a running service: of a file with several names in the map, the one it runs under.
///
/// Debian's `redis-server` is a link to `redis-check-rdb`, and the kernel names the file. A process chooses `running_as`
/// itself, so it counts only between two names of one service.
pub fn called<'n>(file_name: &'n str, running_as: &'n str) -> &'n str {
    if file_name == running_as {
        return file_name;
    }
    match (by_executable(file_name), by_executable(running_as)) {
        (Some(file), Some(run)) if core::ptr::eq(file, run) && file.class == Class::Service => running_as,
        _ => file_name,
    }
}

#[cfg(test)]
mod tests;
