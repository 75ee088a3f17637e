//! The header of TCP and its options (RFC 9293 §3.1, §3.2).

use crate::Fault;
use crate::cursor::{be16, be32};

/// Bytes of a header without options.
pub const HEADER_BYTES: usize = 20;

/// The control bits of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The sender has nothing more to send.
    pub const FIN: Flags = Flags(1);
    /// Sequence numbers begin here.
    pub const SYN: Flags = Flags(1 << 1);
    /// The connection is over at once.
    pub const RST: Flags = Flags(1 << 2);
    /// Deliver what there is.
    pub const PSH: Flags = Flags(1 << 3);
    /// The acknowledgement number counts.
    pub const ACK: Flags = Flags(1 << 4);
    /// The urgent pointer counts.
    pub const URG: Flags = Flags(1 << 5);
    /// Congestion was echoed (RFC 3168 §6.1).
    pub const ECE: Flags = Flags(1 << 6);
    /// The congestion window was reduced (RFC 3168 §6.1).
    pub const CWR: Flags = Flags(1 << 7);

    /// Whether every bit of `other` is set.
    #[inline]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A segment's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcp<'a> {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// The number of the first byte of the payload.
    pub sequence: u32,
    /// The number of the next byte that the sender waits for, with [`Flags::ACK`].
    pub acknowledgement: u32,
    /// The control bits.
    pub flags: Flags,
    /// How much the sender would take, not scaled.
    pub window: u16,
    /// Where urgent data end, with [`Flags::URG`].
    pub urgent: u16,
    /// Its options, unread; see [`Tcp::options`].
    pub option_bytes: &'a [u8],
}

/// The options that say how a connection works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// The longest segment that the sender takes (RFC 9293 §3.7.1).
    pub most_segment_bytes: Option<u16>,
    /// The shift of its window, at most 14 (RFC 7323 §2.3).
    pub window_scale: Option<u8>,
    /// Whether it takes selective acknowledgements (RFC 2018 §2).
    pub selective: bool,
    /// The time stamp and its echo (RFC 7323 §3.2).
    pub timestamps: Option<(u32, u32)>,
    /// Whether this is Multipath TCP (RFC 8684 §3).
    pub multipath: bool,
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "TCP", at, what }
}

impl<'a> Tcp<'a> {
    /// Bytes of the header with its options.
    #[inline]
    pub fn header_bytes(&self) -> usize {
        HEADER_BYTES + self.option_bytes.len()
    }

    /// Its options, up to the first that is not what it claims.
    pub fn options(&self) -> Options {
        let mut found = Options::default();
        let mut rest = self.option_bytes;
        while let [kind, more @ ..] = rest {
            match kind {
                0 => break,
                1 => {
                    rest = more;
                    continue;
                }
                _ => {}
            }
            let length = more.first().map_or(0, |length| usize::from(*length));
            // The length counts kind and length too (RFC 9293 §3.1).
            let (Some(value), Some(next)) = (rest.get(2..length), rest.get(length..)) else { break };
            match (kind, value) {
                (2, [high, low]) => found.most_segment_bytes = Some(u16::from_be_bytes([*high, *low])),
                (3, [shift]) => found.window_scale = Some((*shift).min(14)),
                (4, []) => found.selective = true,
                (8, value) if value.len() == 8 => found.timestamps = be32(value, 0).zip(be32(value, 4)),
                (30, _) => found.multipath = true,
                _ => {}
            }
            rest = next;
        }
        found
    }
}

/// Reads the header of a segment.
#[expect(clippy::inline_always, reason = "each packet's is taken apart at once")]
#[inline(always)]
pub fn parse(bytes: &[u8]) -> Result<Tcp<'_>, Fault> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(fault(0, "shorter than a header (RFC 9293 §3.1)"));
    };
    let [.., offset, _, _, _, _, _, _, _] = *header;
    let Some(options) = (usize::from(offset >> 4) * 4).checked_sub(HEADER_BYTES) else {
        return Err(fault(12, "the header claims fewer than 20 bytes (RFC 9293 §3.1)"));
    };
    let Some(option_bytes) = rest.get(..options) else {
        return Err(fault(12, "the header is longer than the segment (RFC 9293 §3.1)"));
    };
    Ok(fields(header, option_bytes))
}

/// Reads the header of a segment of which whoever captured it cut away the rest: its options go as far as they were
/// captured. Gives the bytes that the header has on the wire, too.
pub fn parse_cut(bytes: &[u8]) -> Option<(Tcp<'_>, usize)> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [.., offset, _, _, _, _, _, _, _] = *header;
    let header_bytes = usize::from(offset >> 4) * 4;
    let options = header_bytes.checked_sub(HEADER_BYTES)?;
    Some((fields(header, rest.get(..options).unwrap_or(rest)), header_bytes))
}

#[inline]
fn fields<'a>(header: &[u8; HEADER_BYTES], option_bytes: &'a [u8]) -> Tcp<'a> {
    let [_, _, _, _, s0, s1, s2, s3, a0, a1, a2, a3, _, flags, w0, w1, ..] = *header;
    Tcp {
        source_port: be16(header, 0).unwrap_or(0),
        destination_port: be16(header, 2).unwrap_or(0),
        sequence: u32::from_be_bytes([s0, s1, s2, s3]),
        acknowledgement: u32::from_be_bytes([a0, a1, a2, a3]),
        flags: Flags(flags),
        window: u16::from_be_bytes([w0, w1]),
        urgent: be16(header, 18).unwrap_or(0),
        option_bytes,
    }
}

/// How far one side of a connection was heard, so that each of its bytes is taken once (RFC 9293 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    next: Option<u32>,
    /// The capture cut the last payload short.
    cut: bool,
}

/// What a segment adds to what was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fresh<'a> {
    /// The bytes that were not heard before.
    pub bytes: &'a [u8],
    /// Whether bytes before them were missed.
    pub after_hole: bool,
}

impl Progress {
    /// What of a payload is new. What came before the first payload is taken for granted, and what comes again is
    /// passed over; `wire_bytes` is how long the payload was before a capture cut it short.
    pub fn hear<'a>(&mut self, sequence: u32, payload: &'a [u8], wire_bytes: u32) -> Fresh<'a> {
        let passed = self.next.map_or(0, |next| next.wrapping_sub(sequence));
        let gap = passed >= 1 << 31;
        let skip = if gap { 0 } else { usize::try_from(passed).unwrap_or(usize::MAX) };
        let after_hole = gap || self.cut;
        if gap || passed < wire_bytes || self.next.is_none() {
            self.next = Some(sequence.wrapping_add(wire_bytes));
            self.cut = payload.len() < usize::try_from(wire_bytes).unwrap_or(usize::MAX);
        }
        Fresh { bytes: payload.get(skip..).unwrap_or_default(), after_hole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_heard_once() {
        // Close to the wrap of sequence numbers.
        let start = u32::MAX - 2;
        let mut side = Progress::default();
        let mut heard = |at: u32, payload: &'static [u8]| {
            let length = u32::try_from(payload.len()).unwrap();
            let fresh = side.hear(start.wrapping_add(at), payload, length);
            (fresh.bytes, fresh.after_hole)
        };
        assert_eq!(heard(0, b"hello "), (&b"hello "[..], false));
        assert_eq!(heard(0, b"hello "), (&b""[..], false));
        assert_eq!(heard(0, b""), (&b""[..], false));
        assert_eq!(heard(3, b"lo world"), (&b"world"[..], false));
        assert_eq!(heard(20, b"again"), (&b"again"[..], true));
        assert_eq!(heard(11, b"late"), (&b""[..], false), "what fills a hole comes too late");
        assert_eq!(heard(25, b"!"), (&b"!"[..], false));
    }

    #[test]
    fn what_a_capture_cut_off_is_a_hole_for_what_follows() {
        let mut side = Progress::default();
        assert_eq!(side.hear(0, b"abc", 10), Fresh { bytes: b"abc", after_hole: false });
        assert_eq!(side.hear(5, b"fghij", 5), Fresh { bytes: b"", after_hole: true });
        assert_eq!(side.hear(10, b"k", 1), Fresh { bytes: b"k", after_hole: true });
        assert_eq!(side.hear(11, b"l", 1), Fresh { bytes: b"l", after_hole: false });
    }
}
