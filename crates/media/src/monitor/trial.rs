//! Whether datagrams between two endpoints are RTP: said by several packets together, never by a port or a payload type.

use model::{Timestamp, Utc};
use wire::rtp;

use crate::Packet;

/// So many packets in sequence are an RTP stream (RFC 3550 §A.1 asks for two; other protocols count, too).
const ENOUGH: usize = 4;
/// So many packets that are not, and the trial is over.
const MOST_MISSES: u8 = 8;
/// A packet may be ahead by so much: some may be lost while we listen.
const MOST_AHEAD: u16 = 16;

/// A packet that is kept until it is known what it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) time: Option<Timestamp<Utc>>,
    pub(super) frame: u64,
    pub(super) udp_bytes: u16,
    pub(super) bytes: Vec<u8>,
}

impl Kept {
    pub(super) fn packet(&self) -> Option<Packet<'_>> {
        let rtp = rtp::parse(&self.bytes).ok()?;
        Some(Packet { time: self.time, frame: self.frame, udp_bytes: self.udp_bytes, rtp })
    }
}

/// What is known so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Trial {
    kept: Vec<Kept>,
    misses: u8,
    last: Option<(u32, u8, u16, u32)>,
}

/// What a packet decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sentence {
    /// Nothing yet.
    Open,
    /// It is RTP: all packets that were kept are of one stream, this one included.
    Rtp,
    /// It is something else.
    Other,
}

impl Trial {
    /// Hears a packet that can be read as RTP, or not.
    pub(super) fn hear(&mut self, packet: Option<&rtp::Packet<'_>>, kept: impl FnOnce() -> Kept) -> Sentence {
        let Some(packet) = packet.filter(|packet| may_be_media(packet.payload_type)) else {
            return self.miss();
        };
        let (ssrc, kind) = (packet.ssrc, packet.payload_type);
        let follows = self.last.is_some_and(|(known, known_kind, sequence, timestamp)| {
            let ahead = packet.sequence.wrapping_sub(sequence);
            // The clock may stand still within a frame, and it never goes far back.
            let step = packet.timestamp.wrapping_sub(timestamp);
            known == ssrc && known_kind == kind && (1..=MOST_AHEAD).contains(&ahead) && step < 1 << 31
        });
        if !follows {
            let first = self.last.is_none();
            self.kept.clear();
            if !first && self.miss() == Sentence::Other {
                return Sentence::Other;
            }
        }
        self.last = Some((ssrc, kind, packet.sequence, packet.timestamp));
        self.kept.push(kept());
        if self.kept.len() >= ENOUGH { Sentence::Rtp } else { Sentence::Open }
    }

    /// The packets of the stream that was found.
    pub(super) fn into_kept(self) -> Vec<Kept> {
        self.kept
    }

    fn miss(&mut self) -> Sentence {
        self.misses += 1;
        if self.misses >= MOST_MISSES { Sentence::Other } else { Sentence::Open }
    }
}

/// Whether the number can stand for media: assigned statically, or given by a session (RFC 3551 §6, RFC 5761 §4).
pub(super) fn may_be_media(payload_type: u8) -> bool {
    matches!(payload_type, 0..=34 | 96..=127)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(packets: &[(u8, u16, u32, u32)]) -> Sentence {
        let mut trial = Trial::default();
        let mut last = Sentence::Open;
        for (kind, sequence, timestamp, ssrc) in packets {
            let mut bytes = vec![0x80, *kind];
            bytes.extend_from_slice(&sequence.to_be_bytes());
            bytes.extend_from_slice(&timestamp.to_be_bytes());
            bytes.extend_from_slice(&ssrc.to_be_bytes());
            let packet = rtp::parse(&bytes).ok();
            last = trial.hear(packet.as_ref(), || Kept {
                time: None,
                frame: 1,
                udp_bytes: 20,
                bytes: bytes.clone(),
            });
        }
        last
    }

    #[test]
    fn a_stream_is_known_by_its_fourth_packet_also_across_a_wrap_and_a_loss() {
        let run = [(96, 65534, 7, 9), (96, 65535, 7, 9), (96, 0, 7, 9), (96, 2, 1507, 9)];
        assert_eq!(heard(&run[..3]), Sentence::Open);
        assert_eq!(heard(&run), Sentence::Rtp);
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        // A counter that stands still, a source that changes, a clock that goes back, a number of RTCP.
        for other in [
            (0..9).map(|_| (96, 5, 7, 9)).collect::<Vec<_>>(),
            (0..9).map(|at| (96, at, 7, u32::from(at))).collect(),
            (0..9).map(|at| (96, at, 0x9000_0000 - u32::from(at), 9)).collect(),
            (0..9).map(|at| (72, at, 7, 9)).collect(),
        ] {
            assert_eq!(heard(&other), Sentence::Other);
        }
    }
}
