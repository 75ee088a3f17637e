//! The payload header of JPEG XS in RTP (RFC 9134 §4.3).

use wire::Fault;
use wire::cursor::be32;

/// Octets of the header.
pub const HEADER_BYTES: usize = 4;

/// The slice number that means the header segment.
pub const HEADER_SEGMENT: u16 = 0x7ff;

/// How a frame is scanned, and which part of it this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// A progressive frame.
    Progressive,
    /// The value that is kept for later.
    Reserved,
    /// The first field.
    First,
    /// The second field.
    Second,
}

/// One payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Whether packets come in order (T).
    pub sequential: bool,
    /// Whether packets end with slices (K).
    pub slices: bool,
    /// Whether this is the last packet of its unit (L).
    pub last: bool,
    /// Which part of the frame (I).
    pub part: Part,
    /// The frame counter, of 5 bits (F).
    pub frame: u8,
    /// The slice, or the upper half of the packet counter; of 11 bits (SEP).
    pub slice: u16,
    /// The packet counter, of 11 bits (P).
    pub packet: u16,
    /// What follows.
    pub data: &'a [u8],
}

impl Payload<'_> {
    /// The number of the packet in its frame or field, in codestream mode.
    pub fn index(&self) -> u32 {
        u32::from(self.slice) << 11 | u32::from(self.packet)
    }

    /// Whether a frame or field begins with this packet.
    pub fn begins(&self) -> bool {
        self.packet == 0 && self.slice == if self.slices { HEADER_SEGMENT } else { 0 }
    }
}

/// The payload of one RTP packet.
pub fn parse(payload: &[u8]) -> Result<Payload<'_>, Fault> {
    let fault = Fault {
        layer: "RFC 9134",
        at: payload.len(),
        what: "the payload ends in its header (RFC 9134 §4.3)",
    };
    let word = be32(payload, 0).ok_or(fault)?;
    let bits = |shift: u32, mask: u16| u16::try_from(word >> shift & u32::from(mask)).unwrap_or(0);
    Ok(Payload {
        sequential: word >> 31 != 0,
        slices: word >> 30 & 1 != 0,
        last: word >> 29 & 1 != 0,
        part: match word >> 27 & 3 {
            0 => Part::Progressive,
            1 => Part::Reserved,
            2 => Part::First,
            _ => Part::Second,
        },
        frame: u8::try_from(bits(22, 0x1f)).unwrap_or(0),
        slice: bits(11, 0x7ff),
        packet: bits(0, 0x7ff),
        data: payload.get(HEADER_BYTES..).ok_or(fault)?,
    })
}

impl Payload<'_> {
    /// The header's four octets.
    pub fn header(&self) -> [u8; HEADER_BYTES] {
        let part = match self.part {
            Part::Progressive => 0,
            Part::Reserved => 1,
            Part::First => 2,
            Part::Second => 3_u32,
        };
        let flags =
            u32::from(self.sequential) << 31 | u32::from(self.slices) << 30 | u32::from(self.last) << 29;
        let counters = u32::from(self.frame & 0x1f) << 22
            | u32::from(self.slice & 0x7ff) << 11
            | u32::from(self.packet & 0x7ff);
        (flags | part << 27 | counters).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_and_written() {
        // T, L, second field, frame 11, slice 3, packet 216.
        let payload = parse(&[0xba, 0xc0, 0x18, 0xd8, 1, 2]).unwrap();
        assert_eq!((payload.sequential, payload.slices, payload.last), (true, false, true));
        assert_eq!((payload.part, payload.frame, payload.slice, payload.packet), (Part::Second, 11, 3, 216));
        assert_eq!((payload.index(), payload.data), (3 * 2048 + 216, &[1, 2][..]));
        for word in (0..u32::MAX).step_by(65_521) {
            assert_eq!(parse(&word.to_be_bytes()).unwrap().header(), word.to_be_bytes());
        }
        for end in 0..4 {
            assert_eq!(parse(&[0; 4][..end]).unwrap_err().at, end);
        }
    }
}
