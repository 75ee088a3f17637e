//! Frames of HTTP/2 behind the client's preface (RFC 9113 §4.1).

use alloc::borrow::Cow;
#[cfg(test)]
use alloc::vec::Vec;

use crate::Fault;
use crate::cursor::{array, be16};

/// What a client begins with (RFC 9113 §3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames (RFC 9113 §6).
pub mod kind {
    /// What is carried.
    pub const DATA: u8 = 0;
    /// Fields, and the beginning of a stream.
    pub const HEADERS: u8 = 1;
    /// What a side can and wants.
    pub const SETTINGS: u8 = 4;
    /// How much more may be sent.
    pub const WINDOW_UPDATE: u8 = 8;
    /// More of the fields.
    pub const CONTINUATION: u8 = 9;
}

const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;
const END_HEADERS: u8 = 0x04;

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// One of [`kind`], or a newer one.
    pub kind: u8,
    /// Their meaning depends on the kind.
    pub flags: u8,
    /// The stream; zero for the whole connection.
    pub stream: u32,
    /// The length it claims.
    pub length: usize,
    /// What is there of it.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.payload.len() == self.length
    }
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "http2", at, what }
}

/// Reads a frame's header, and as much of its payload as is there; what its kind demands of it must hold.
pub fn parse(bytes: &[u8]) -> Result<Frame<'_>, Fault> {
    let (header, rest) =
        bytes.split_first_chunk::<9>().ok_or(fault(bytes.len(), "shorter than a frame's header"))?;
    let [long, high, low, kind, flags, stream @ ..] = *header;
    let length = usize::from(long) << 16 | usize::from(u16::from_be_bytes([high, low]));
    let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
    let right = match kind {
        kind::DATA | kind::HEADERS | kind::CONTINUATION => stream != 0,
        2 => stream != 0 && length == 5,
        3 => stream != 0 && length == 4,
        kind::SETTINGS => {
            stream == 0 && length.is_multiple_of(6) && (flags & 1 == 0 || length == 0) && flags <= 1
        }
        5 => stream != 0 && length >= 4,
        6 => stream == 0 && length == 8,
        7 => stream == 0 && length >= 8,
        kind::WINDOW_UPDATE => length == 4,
        _ => true,
    };
    if !right {
        return Err(fault(0, "a length or stream that this kind of frame does not have (RFC 9113 §6)"));
    }
    Ok(Frame { kind, flags, stream, length, payload: rest.get(..length.min(rest.len())).unwrap_or_default() })
}

/// The frames of a side, the last one perhaps not whole; ends at what is none.
pub fn frames(bytes: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let frame = parse(rest).ok()?;
        rest = rest.get(9 + frame.payload.len()..).unwrap_or_default();
        Some(frame)
    })
}

/// Whether settings keep their limits (RFC 9113 §6.5.2); newer ones may be anything.
pub fn are_settings(payload: &[u8]) -> bool {
    payload.chunks_exact(6).all(|setting| {
        let value = array(setting, 2).map_or(0, u32::from_be_bytes);
        match be16(setting, 0) {
            Some(2 | 8) => value <= 1,
            Some(4) => value <= 0x7fff_ffff,
            Some(5) => (16_384..=16_777_215).contains(&value),
            Some(1..) => true,
            _ => false,
        }
    })
}

/// The first block of fields, put together from its frames without padding and priority.
pub fn first_fields<'a>(frames: impl Iterator<Item = Frame<'a>>) -> Option<Cow<'a, [u8]>> {
    let mut block: Option<(u32, Cow<'a, [u8]>)> = None;
    for frame in frames {
        match (&mut block, frame.kind) {
            (None, kind::HEADERS) => {
                let mut payload = frame.payload;
                let mut padding = 0;
                if frame.flags & PADDED != 0 {
                    let (length, rest) = payload.split_first()?;
                    (padding, payload) = (usize::from(*length), rest);
                }
                if frame.flags & PRIORITY != 0 {
                    payload = payload.get(5..)?;
                }
                let missing = frame.length - frame.payload.len();
                let end = (payload.len() + missing).checked_sub(padding)?.min(payload.len());
                block = Some((frame.stream, Cow::Borrowed(payload.get(..end)?)));
            }
            (Some((stream, block)), kind::CONTINUATION) if *stream == frame.stream => {
                block.to_mut().extend_from_slice(frame.payload);
            }
            (Some(_), _) => break,
            (None, _) => continue,
        }
        if frame.flags & END_HEADERS != 0 {
            break;
        }
    }
    block.map(|(_, block)| block)
}

/// What must hold of any bytes; used by the fuzz target.
#[doc(hidden)]
pub fn check(bytes: &[u8]) {
    let total: usize = frames(bytes).map(|frame| 9 + frame.payload.len()).sum();
    assert!(total <= bytes.len());
    for frame in frames(bytes) {
        assert!(frame.payload.len() <= frame.length && frame.stream < 1 << 31);
        assert!(frame.kind != kind::SETTINGS || frame.length.is_multiple_of(6) && frame.stream == 0);
    }
    assert!(first_fields(frames(bytes)).is_none_or(|block| block.len() + 9 <= bytes.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
    }

    #[test]
    fn frames_follow_each_other_and_fields_are_put_together() {
        let bytes = [
            frame(kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
            frame(kind::HEADERS, PADDED | PRIORITY, 1, &[2, 0, 0, 0, 0, 9, 0x82, 0, 0]),
            frame(kind::CONTINUATION, END_HEADERS, 1, &[0x86]),
            frame(kind::DATA, 1, 1, b"x"),
        ]
        .concat();
        assert_eq!(frames(&bytes).count(), 4);
        assert_eq!(*first_fields(frames(&bytes)).unwrap(), [0x82, 0x86]);
        for length in 0..bytes.len() {
            check(&bytes[..length]);
        }
    }

    #[test]
    fn what_a_kind_does_not_have_is_a_fault() {
        for bad in [
            frame(kind::SETTINGS, 0, 1, &[]),
            frame(kind::SETTINGS, 1, 0, &[0; 6]),
            frame(kind::SETTINGS, 0, 0, &[0; 5]),
            frame(kind::HEADERS, 0, 0, &[0x82]),
            frame(kind::WINDOW_UPDATE, 0, 0, &[0; 5]),
            frame(6, 0, 0, &[0; 7]),
            frame(3, 0, 0, &[0; 4]),
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
        assert!(parse(&[0; 8]).is_err());
        assert!(are_settings(&[0, 4, 0, 0, 0xff, 0xff]) && !are_settings(&[0, 4, 0x80, 0, 0, 0]));
        assert!(
            !are_settings(&[0, 2, 0, 0, 0, 2])
                && !are_settings(&[0, 5, 0, 0, 0, 9])
                && !are_settings(&[0; 6])
        );
    }

    #[test]
    fn random_bytes_keep_the_rules() {
        let mut state = 0x5151_6161_7171_8181_u64;
        for _ in 0..20_000 {
            let mut bytes = Vec::new();
            for _ in 0..12 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                bytes.extend_from_slice(&(state & 0x0309_0f29_0901_0700).to_le_bytes());
            }
            check(&bytes);
        }
    }
}
