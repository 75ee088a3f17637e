//! Datagrams sent to one destination, on time: what to ask for, what was had, and what became of them.
//!
//! A [`Transmitter`] sends what it is given at once; a [`Pacer`] waits until something is due, and knows how late it was;
//! [`urgency`] asks the system to let the calling thread run when it wants to.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use model::media::Refusal;

#[cfg(target_os = "linux")]
pub use crate::linux::transmit::{Pacer, StandBy, Transmitter, Urgency, assist, stand_by, urgency};
#[cfg(not(target_os = "linux"))]
pub use crate::plain::{Pacer, StandBy, Transmitter, Urgency, assist, stand_by, urgency};

/// How to send. [`TransmitRequest::to`] is what most want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransmitRequest {
    /// Where to.
    pub destination: SocketAddr,
    /// Which address and port to send from; the system chooses where this is `None`, or the port 0.
    pub source: Option<SocketAddr>,
    /// Which interface to send from, by name; the routing table chooses where this is `None`.
    pub interface: Option<String>,
    /// Time to live, or hop limit.
    pub hops: Option<u8>,
    /// The class of service (RFC 2474 §3).
    pub dscp: Option<u8>,
    /// How many bytes the system may keep before they leave.
    pub buffer_bytes: usize,
    /// Hand over several packets as one where the system can cut them (UDP segmentation offload).
    pub segments: bool,
    /// Have the interface's queue send each packet at its time, where it can.
    pub launch_times: bool,
    /// Send whole frames past the system's protocols, where nothing else has to be known for that: a packet costs less.
    /// Programs of this machine do not hear them.
    pub own_frames: bool,
}

impl TransmitRequest {
    /// From wherever the system likes, without segmentation.
    pub fn to(destination: SocketAddr) -> TransmitRequest {
        TransmitRequest {
            destination,
            source: None,
            interface: None,
            hops: None,
            dscp: None,
            buffer_bytes: 4 << 20,
            segments: false,
            launch_times: true,
            own_frames: false,
        }
    }
}

/// What became of packets since the socket was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransmitCounts {
    /// Packets that the system took.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets that it did not take, by reason.
    pub refused: Vec<Refusal>,
    /// Packets that the interface's queue dropped because their time had passed.
    pub missed: u64,
}

impl TransmitCounts {
    pub(crate) fn refuse(&mut self, error: &io::Error, packets: u64) {
        self.refuse_for(error.to_string(), packets);
    }

    /// Counts what another one has counted.
    pub(crate) fn add(&mut self, other: TransmitCounts) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.missed += other.missed;
        other.refused.into_iter().for_each(|refusal| self.refuse_for(refusal.reason, refusal.packets));
    }

    fn refuse_for(&mut self, reason: String, packets: u64) {
        match self.refused.iter_mut().find(|known| known.reason == reason) {
            Some(known) => known.packets += packets,
            // A system has so many reasons.
            None => self.refused.push(Refusal { reason, packets }),
        }
    }
}

/// What the thread that sends should be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UrgencyRequest {
    /// Run on this processor only.
    pub cpu: Option<usize>,
    /// Run before all ordinary threads, and until it waits.
    pub real_time: bool,
    /// Keep the program's memory in place, and the processor awake.
    pub steady: bool,
}

/// Why a socket cannot be had as it is asked for.
#[derive(Debug)]
pub enum SocketError {
    /// No interface has this name; these have.
    NoInterface(String, Vec<String>),
    /// The addresses do not go together.
    Contradiction(&'static str),
    /// The system refused.
    Kernel(&'static str, io::Error),
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SocketError::NoInterface(name, all) => {
                write!(f, "no interface is named {name:?}; there are {}", all.join(", "))
            }
            SocketError::Contradiction(what) => f.write_str(what),
            SocketError::Kernel(what, error) => write!(f, "the system refused to {what}: {error}"),
        }
    }
}

impl std::error::Error for SocketError {}

/// Names what was refused.
pub(crate) trait Refused<T> {
    /// Says what we wanted to do.
    fn refused(self, what: &'static str) -> Result<T, SocketError>;
}

impl<T> Refused<T> for io::Result<T> {
    fn refused(self, what: &'static str) -> Result<T, SocketError> {
        self.map_err(|error| SocketError::Kernel(what, error))
    }
}
