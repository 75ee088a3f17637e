//! One RTP packet as it came.

use model::media::Occurrence;
use model::{Timestamp, Utc};
use wire::rtp;

use crate::bundle;

/// RFC 768.
const UDP_HEADER_BYTES: usize = 8;
/// RFC 3550 §5.3.1.
const EXTENSION_HEAD_BYTES: usize = 4;

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

    /// Whether the capture cut it short: what it carries is not all there, and nobody's fault.
    pub fn is_cut(&self) -> bool {
        self.cut_bytes() > 0
    }

    /// Whether it may be the first of several that a kernel carried together, of which the capture kept no more: it was cut,
    /// and is longer than a frame of Ethernet.
    pub fn may_be_joined(&self) -> bool {
        usize::from(self.udp_bytes) > bundle::MOST_ALONE_BYTES + UDP_HEADER_BYTES && self.is_cut()
    }

    /// How many octets the capture left out at its end.
    pub fn cut_bytes(&self) -> usize {
        let rtp = &self.rtp;
        let extension = rtp.extension.map_or(0, |(_, bytes)| bytes.len() + EXTENSION_HEAD_BYTES);
        let there = UDP_HEADER_BYTES
            + rtp::HEADER_BYTES
            + usize::from(rtp.sources) * 4
            + extension
            + rtp.payload.len()
            + usize::from(rtp.padding_bytes);
        usize::from(self.udp_bytes).saturating_sub(there)
    }
}
