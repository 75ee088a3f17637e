//! The machine: its namespaces, its own rules for ports, and ports that it redirects.

use alloc::{string::String, vec::Vec};
use core::net::IpAddr;
use core::ops::RangeInclusive;

use crate::assignment::Transport;
use crate::seen::Seen;

/// The machine that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// Its host name.
    pub hostname: String,
    /// `linux`, `macos` or `windows`.
    pub os: &'static str,
    /// The kernel's release.
    pub kernel: String,
    /// Whether we ran with every privilege that helps.
    pub privileged: bool,
}

/// A network namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its inode number, as in `net:[4026531840]`; 0 where the system has none.
    pub inode: u32,
    /// What people call it: `host`, the name `ip netns` gives, a container, else `pid N`.
    pub name: String,
    /// Whether it is the one we run in.
    pub own: bool,
    /// A process in it, if any.
    pub pid: Option<u32>,
    /// Whether its sockets were listed from inside.
    pub entered: bool,
    /// Its own rules for ports.
    pub rules: Seen<PortRules>,
}

/// A namespace's own rules for port numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRules {
    /// Ports below this need CAP_NET_BIND_SERVICE (`ip_unprivileged_port_start`).
    pub unprivileged_start: u16,
    /// Ports that the kernel gives to those who ask for none (`ip_local_port_range`).
    pub ephemeral: RangeInclusive<u16>,
    /// Ports that it then leaves out (`ip_local_reserved_ports`).
    pub reserved: Vec<RangeInclusive<u16>>,
}

impl PortRules {
    /// Whether the kernel gives this port to those who ask for none.
    pub fn gives_out(&self, port: u16) -> bool {
        self.ephemeral.contains(&port) && !self.reserved.iter().any(|range| range.contains(&port))
    }
}

/// A port that the machine redirects elsewhere (DNAT), which needs no socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Transport of the published port.
    pub transport: Transport,
    /// The published address; `None` for every address.
    pub addr: Option<IpAddr>,
    /// First published port.
    pub first: u16,
    /// Last published port.
    pub last: u16,
    /// Where packets go instead; `None` keeps the address (a redirect to this machine).
    pub to_addr: Option<IpAddr>,
    /// The port they go to; `None` keeps the port.
    pub to_port: Option<u16>,
    /// The namespace that redirects.
    pub netns: u32,
    /// Who wrote the rule, as far as the table or chain tells: `nftables ip nat DOCKER`.
    pub rule: String,
    /// The container behind the target address, where known.
    pub container: Option<crate::process::Container>,
}
