//! Memberships of this machine: which groups its interfaces and sockets have joined.

use alloc::{string::String, vec::Vec};
use core::net::IpAddr;

use super::session::Sources;
use crate::gap::Gap;

/// A socket that joined a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JoinedSocket {
    /// Its inode number: the same as of the socket in a look at the machine.
    pub inode: u64,
    /// The kernel's cookie; `None` until somebody asked for it.
    pub cookie: Option<u64>,
    /// Its local port; `None` for one that is not bound, and only keeps the membership.
    pub port: Option<u16>,
}

/// A group that is joined on an interface.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Joined {
    /// The group.
    pub group: IpAddr,
    /// Whose packets are wanted.
    pub sources: Sources,
    /// The interface's number.
    pub interface: u32,
    /// The interface's name, where it has one.
    pub interface_name: Option<String>,
    /// The network namespace, by its inode number.
    pub netns: u32,
    /// The socket; `None` where only the interface is known, or the kernel itself joined.
    pub socket: Option<JoinedSocket>,
    /// Without a socket: how many memberships this stands for.
    pub users: u32,
}

/// The memberships of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memberships {
    /// All that were seen: by socket where that is known, and those of the interfaces that no known socket explains.
    pub joined: Vec<Joined>,
    /// Where we could not look.
    pub gaps: Vec<Gap>,
}
