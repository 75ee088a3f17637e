//! What came to a port where nobody is, and what a decoy did with it.

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::assignment::Transport;
use crate::protocol::{Protocol, Recognised};
use crate::time::{Timestamp, Utc};

/// How a decoy behaves towards whoever comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecoyLevel {
    /// Nothing is answered: the machine behaves as without a decoy.
    Observe,
    /// Connections are accepted, and their first bytes are kept. Datagrams are kept and never answered.
    Accept,
    /// As accepted, and greeted as a server of this protocol would.
    Greet(&'static Protocol),
}

impl DecoyLevel {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            DecoyLevel::Observe => "observe",
            DecoyLevel::Accept => "accept",
            DecoyLevel::Greet(_) => "greet",
        }
    }
}

/// Somebody came to a decoy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoyTouch {
    /// When it began.
    pub at: Timestamp<Utc>,
    /// Over what.
    pub transport: Transport,
    /// Who came.
    pub peer: SocketAddr,
    /// To where.
    pub local: SocketAddr,
    /// The inode number of the network namespace.
    pub netns: u32,
    /// How the decoy behaved.
    pub level: DecoyLevel,
    /// Whether a connection came about: not so where only a SYN was seen, nor for datagrams.
    pub connected: bool,
    /// How many bytes came.
    pub received_bytes: u64,
    /// How many bytes were sent back.
    pub sent_bytes: u64,
    /// The first bytes that came, as far as they are kept.
    pub first_bytes: Vec<u8>,
    /// What those bytes say.
    pub recognised: Option<Recognised>,
    /// How long it lasted, in nanoseconds.
    pub lasted_ns: u64,
}
