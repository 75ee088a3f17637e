//! What a JPEG XS codestream and the boxes before it say of themselves (ISO/IEC 21122-1, ISO/IEC 21122-3, RFC 9134 §4.4).

use model::media::video::CodestreamFacts;
use wire::Fault;
use wire::cursor::{be16, be32};

/// Start of codestream.
pub const START: [u8; 2] = [0xff, 0x10];
/// End of codestream.
pub const END: [u8; 2] = [0xff, 0x11];

const PICTURE: u16 = 0xff12;
const COMPONENTS: u16 = 0xff13;
const SLICE: u16 = 0xff20;

/// More boxes than this stand before no codestream.
const MOST_BOXES: usize = 16;
/// More marker segments than this stand in no header.
const MOST_SEGMENTS: usize = 64;

/// The begin of a frame or field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// Octets of boxes before the codestream.
    pub boxes_bytes: usize,
    /// Whether a video support box (`jpvs`) is among them.
    pub has_support_box: bool,
    /// Whether a colour specification box (`colr`) is among them.
    pub has_colour_box: bool,
    /// What the codestream's header says, as far as these octets reach.
    pub facts: CodestreamFacts,
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "JPEG XS", at, what }
}

/// The first octets of a frame or field.
pub fn parse(bytes: &[u8]) -> Result<Begin, Fault> {
    let mut begin = Begin {
        boxes_bytes: 0,
        has_support_box: false,
        has_colour_box: false,
        facts: CodestreamFacts::default(),
    };
    let mut at = 0;
    for _ in 0..MOST_BOXES {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(&START) {
            begin.boxes_bytes = at;
            markers(bytes, at + 2, &mut begin.facts)?;
            return Ok(begin);
        }
        let length = be32(bytes, at).ok_or(fault(at, "neither a box nor the start of a codestream"))?;
        let kind = rest.get(4..8).ok_or(fault(at, "the octets end in a box"))?;
        begin.has_support_box |= kind == b"jpvs";
        begin.has_colour_box |= kind == b"colr";
        let length = usize::try_from(length).ok().filter(|length| *length >= 8);
        let end = length.and_then(|length| at.checked_add(length)).filter(|end| *end <= bytes.len());
        at = end.ok_or(fault(at, "a box that is longer than the first packet, or shorter than its head"))?;
    }
    Err(fault(at, "too many boxes before the codestream"))
}

/// Marker segments up to the first slice, or as far as the octets reach.
fn markers(bytes: &[u8], mut at: usize, facts: &mut CodestreamFacts) -> Result<(), Fault> {
    for _ in 0..MOST_SEGMENTS {
        let (Some(marker), Some(length)) = (be16(bytes, at), be16(bytes, at + 2)) else { return Ok(()) };
        if marker == SLICE {
            return Ok(());
        }
        if marker & 0xff00 != 0xff00 || length < 2 {
            return Err(fault(at, "no marker where one must be"));
        }
        let body = at + 4;
        match marker {
            PICTURE => {
                facts.bytes = be32(bytes, body).unwrap_or(0);
                facts.profile = be16(bytes, body + 4).unwrap_or(0);
                facts.level = be16(bytes, body + 6).unwrap_or(0);
                facts.width = be16(bytes, body + 8).unwrap_or(0);
                facts.height = be16(bytes, body + 10).unwrap_or(0);
                facts.slice_height = be16(bytes, body + 14).unwrap_or(0);
            }
            COMPONENTS => {
                let table = bytes.get(body..at + 2 + usize::from(length)).unwrap_or_default();
                facts.components = table
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .take(8)
                    .map(|[bits, sampling]| (*bits, sampling >> 4, sampling & 0x0f))
                    .collect();
            }
            _ => {}
        }
        at += 2 + usize::from(length);
    }
    Err(fault(at, "too many marker segments before the first slice"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Boxes and a codestream of 1920 by 540, 4:2:2 in 10 bits, as RFC 9134 wants them; no real picture.
    pub fn frame(data_bytes: usize) -> Vec<u8> {
        let mut bytes = b"\0\0\0\x2ajpvs\0\0\0\x16jpvi\0\0\0\x7d\x02\0\0\x3c\x80\x70\0\0\0\0\0\0\0\x0cjpxl\x3a\x40\x24\x08\0\0\0\x12colr\x05\0\0\0\x09\0\x01\0\x09\0".to_vec();
        let head = b"\xff\x10\xff\x50\0\x02\xff\x12\0\x1a\0\0\0\0\0\0\0\0\x07\x80\x02\x1c\0\0\0\x04\x03\x04\x08\x14\x84\0\x52\x14\xff\x13\0\x08\x0a\x11\x0a\x21\x0a\x21\xff\x20\0\x04\0\0";
        let start = bytes.len();
        bytes.extend_from_slice(head);
        bytes.extend((0..data_bytes).map(|at| u8::try_from(at % 200).unwrap()));
        bytes.extend_from_slice(&END);
        let length = u32::try_from(bytes.len() - start).unwrap();
        bytes[start + 10..start + 14].copy_from_slice(&length.to_be_bytes());
        bytes
    }

    #[test]
    fn the_begin_of_a_frame_is_read() {
        let bytes = frame(100);
        let begin = parse(&bytes).unwrap();
        assert_eq!((begin.boxes_bytes, begin.has_support_box, begin.has_colour_box), (60, true, true));
        let facts = begin.facts;
        assert_eq!((facts.width, facts.height, facts.slice_height), (1920, 540, 4));
        assert_eq!(facts.bytes as usize, bytes.len() - 60);
        assert_eq!(facts.components, [(10, 1, 1), (10, 2, 1), (10, 2, 1)]);
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let bytes = frame(10);
        for end in 0..bytes.len() {
            let _ = parse(&bytes[..end]);
        }
        assert!(parse(&bytes[..62]).is_ok() && parse(&bytes[..61]).is_err());
        let mut seed = 8_u64;
        for _ in 0..20_000 {
            let mut copy = bytes.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[5];
            }
            match parse(&copy) {
                Ok(begin) => assert!(copy[begin.boxes_bytes..].starts_with(&START)),
                Err(fault) => assert!(fault.at <= copy.len()),
            }
        }
        assert!(parse(&[0; 64]).is_err());
    }
}
