//! One RTP packet as it came.

use model::media::Occurrence;
use model::{Timestamp, Utc};
use wire::rtp;

/// One RTP packet as it came.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// When; `None` where the capture has no times.
    pub time: Option<Timestamp<Utc>>,
    /// The number of its frame in the capture, from 1.
    pub frame: u64,
    /// Octets of its datagram, UDP header included (ST 2110-10:2022 §6.3 counts so).
    pub udp_bytes: u16,
    /// Its header and payload.
    pub rtp: rtp::Packet<'a>,
}

impl Packet<'_> {
    /// Where in the stream this is.
    pub fn occurrence(&self) -> Occurrence {
        Occurrence { frame: self.frame, sequence: self.rtp.sequence, timestamp: self.rtp.timestamp }
    }
}
