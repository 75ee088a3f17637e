//! RTP packets: the fixed header, sources, extension and padding (RFC 3550 §5.1).

use crate::Fault;
use crate::cursor::{array, be16};

/// One RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Whether the marker is set: the end of a picture, the begin of a talk.
    pub marker: bool,
    /// Which payload format, by number; from 96 on, a session says what it means.
    pub payload_type: u8,
    /// Counts packets.
    pub sequence: u16,
    /// The media clock.
    pub timestamp: u32,
    /// The stream.
    pub ssrc: u32,
    /// How many sources were mixed into it.
    pub sources: u8,
    /// The header extension's profile and bytes.
    pub extension: Option<(u16, &'a [u8])>,
    /// The payload, padding left out.
    pub payload: &'a [u8],
    /// Bytes of padding at the end.
    pub padding_bytes: u8,
}

/// Bytes of the fixed header.
pub const HEADER_BYTES: usize = 12;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "RTP", at, what }
}

/// One datagram.
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, Fault> {
    let ends = fault(bytes.len(), "the packet ends in its header (RFC 3550 §5.1)");
    let [first, second] = array(bytes, 0).ok_or(ends)?;
    if first >> 6 != 2 {
        return Err(fault(0, "another version than 2 (RFC 3550 §5.1)"));
    }
    let sources = first & 0x0f;
    let mut at = HEADER_BYTES + usize::from(sources) * 4;
    let mut extension = None;
    if first & 0x10 != 0 {
        let profile = be16(bytes, at).ok_or(ends)?;
        let length = usize::from(be16(bytes, at + 2).ok_or(ends)?) * 4;
        let body = bytes.get(at + 4..at + 4 + length);
        extension = Some((
            profile,
            body.ok_or(fault(at + 2, "the extension is longer than the packet (RFC 3550 §5.3.1)"))?,
        ));
        at += 4 + length;
    }
    let mut payload = bytes.get(at..).ok_or(ends)?;
    let mut padding_bytes = 0;
    if first & 0x20 != 0 {
        padding_bytes = payload.last().copied().unwrap_or(0);
        let kept = payload.len().checked_sub(usize::from(padding_bytes)).filter(|_| padding_bytes > 0);
        let kept = kept
            .ok_or(fault(bytes.len().saturating_sub(1), "padding of nothing, or longer than the payload"))?;
        payload = payload.get(..kept).unwrap_or_default();
    }
    Ok(Packet {
        marker: second & 0x80 != 0,
        payload_type: second & 0x7f,
        sequence: be16(bytes, 2).ok_or(ends)?,
        timestamp: array(bytes, 4).map(u32::from_be_bytes).ok_or(ends)?,
        ssrc: array(bytes, 8).map(u32::from_be_bytes).ok_or(ends)?,
        sources,
        extension,
        payload,
        padding_bytes,
    })
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    match parse(bytes) {
        Ok(packet) => {
            let extension = packet.extension.map_or(0, |(_, body)| body.len() + 4);
            let head = HEADER_BYTES + usize::from(packet.sources) * 4 + extension;
            assert_eq!(head + packet.payload.len() + usize::from(packet.padding_bytes), bytes.len());
            assert!(packet.payload_type < 128 && packet.sources < 16);
        }
        Err(fault) => assert!(fault.at <= bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One source, an extension of one word, three bytes of padding.
    const SAMPLE: &[u8] =
        b"\xb1\xe0\x12\x34\0\0\0\x07\xde\xad\xbe\xef\0\0\0\x01\xbe\xde\0\x01abcdpayload\0\0\x03";

    #[test]
    fn every_field_is_read() {
        let packet = parse(SAMPLE).unwrap();
        assert_eq!((packet.marker, packet.payload_type, packet.sequence), (true, 96, 0x1234));
        assert_eq!((packet.timestamp, packet.ssrc, packet.sources), (7, 0xdead_beef, 1));
        assert_eq!(packet.extension, Some((0xbede, &b"abcd"[..])));
        assert_eq!((packet.payload, packet.padding_bytes), (&b"payload"[..], 3));
        assert_eq!(parse(&[0x80; 12]).unwrap().payload, b"");
    }

    #[test]
    fn forbidden_values() {
        assert_eq!(parse(&[0x40; 12]).unwrap_err().at, 0);
        assert_eq!(parse(&[0x80; 11]).unwrap_err().at, 11);
        assert_eq!(parse(b"\xa0\0\0\0\0\0\0\0\0\0\0\0ab\0").unwrap_err().at, 14);
        assert_eq!(parse(b"\xa0\0\0\0\0\0\0\0\0\0\0\0ab\x04").unwrap_err().at, 14);
        assert_eq!(parse(b"\x90\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff").unwrap_err().at, 14);
        assert!(parse(b"\x81\0\0\0\0\0\0\0\0\0\0\0").is_err());
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        for end in 0..SAMPLE.len() {
            check(&SAMPLE[..end]);
        }
        let mut seed = 5_u64;
        for _ in 0..20_000 {
            let mut copy = SAMPLE.to_vec();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[5];
            }
            check(&copy);
        }
    }
}
