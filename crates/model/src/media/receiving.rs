//! What became of a stream that we received into files.

use alloc::{string::String, vec::Vec};
use core::net::SocketAddr;

use super::reception::HitlessFacts;
use super::sending::Effort;

/// One leg, as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedLeg {
    /// Where.
    pub destination: SocketAddr,
    /// From whom the first packet was.
    pub source: Option<SocketAddr>,
    /// Datagrams.
    pub packets: u64,
    /// Datagrams that the system dropped because we did not read them in time.
    pub dropped: u64,
    /// Datagrams that are no RTP, or of another payload type.
    pub others: u64,
    /// Who says when they arrived: `kernel`.
    pub stamp: &'static str,
    /// What was tried.
    pub efforts: Vec<Effort>,
}

/// What was received, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceivingFacts {
    /// How long it ran, in nanoseconds.
    pub duration_ns: u64,
    /// The legs.
    pub legs: Vec<ReceivedLeg>,
    /// What two legs together had, where there are two (ST 2022-7).
    pub hitless: Option<HitlessFacts>,
    /// Packets that were used, each once and in order.
    pub used: u64,
    /// Packets that no leg had.
    pub missing: u64,
    /// Packets that came when their turn was over.
    pub late: u64,
    /// What was written, as name and count: `frames`, `frames with gaps`, `samples of each channel`.
    pub written: Vec<(String, u64)>,
}
