//! The payload header of uncompressed video, and the pieces of rows that follow it (RFC 4175 §4.2, ST 2110-20:2022 §6.1).

use wire::Fault;
use wire::cursor::be16;

/// Most pieces of rows that a packet of ST 2110-20 may carry (ST 2110-20:2022 §6.1).
pub const MOST_SEGMENTS: usize = 3;

/// Octets of a piece's header.
const SEGMENT_HEADER_BYTES: usize = 6;

/// One payload: its header, and what of its rows it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The upper half of the packet's 32-bit sequence number.
    pub extended_sequence: u16,
    headers: &'a [u8],
    data: &'a [u8],
    /// Octets that were sent behind these, and not captured.
    cut_bytes: usize,
}

/// A piece of a row: a *sample row data segment*, as ST 2110-20 names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Whether it belongs to the second field or segment.
    pub second_field: bool,
    /// The row within its field or frame.
    pub row: u16,
    /// The first pixel, from the left.
    pub offset: u16,
    /// How many octets it claims.
    pub claimed_bytes: u16,
    /// How many of them were sent.
    pub sent_bytes: usize,
    /// What there is of them: less than was sent where the capture cut the packet short.
    pub bytes: &'a [u8],
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "RFC 4175", at, what }
}

/// The payload of one RTP packet.
pub fn parse(payload: &[u8]) -> Result<Payload<'_>, Fault> {
    let ends = fault(payload.len(), "the payload ends in its header (RFC 4175 §4.2)");
    let extended_sequence = be16(payload, 0).ok_or(ends)?;
    let rest = payload.get(2..).ok_or(ends)?;
    let mut end = 0;
    loop {
        // The continuation bit is the highest of the offset.
        let more = rest.get(end + 4).ok_or(ends)? & 0x80 != 0;
        end += SEGMENT_HEADER_BYTES;
        if !more {
            break;
        }
    }
    let (headers, data) = rest.split_at_checked(end).ok_or(ends)?;
    Ok(Payload { extended_sequence, headers, data, cut_bytes: 0 })
}

/// The same of a packet of which the capture left out so many octets at its end.
pub fn parse_cut(payload: &[u8], cut_bytes: usize) -> Result<Payload<'_>, Fault> {
    Ok(Payload { cut_bytes, ..parse(payload)? })
}

impl<'a> Payload<'a> {
    /// How many pieces it announces.
    pub fn count(&self) -> usize {
        self.headers.len() / SEGMENT_HEADER_BYTES
    }

    /// Octets that were sent behind the headers.
    pub fn data_bytes(&self) -> usize {
        self.data.len() + self.cut_bytes
    }

    /// Its pieces in order; those for which the octets do not suffice have fewer than they claim.
    pub fn segments(&self) -> Segments<'a> {
        Segments { headers: self.headers, data: self.data, cut_bytes: self.cut_bytes }
    }
}

/// The pieces of a payload.
#[derive(Debug, Clone)]
pub struct Segments<'a> {
    headers: &'a [u8],
    data: &'a [u8],
    cut_bytes: usize,
}

impl<'a> Segments<'a> {
    /// What follows the pieces that were taken, as far as it is there.
    pub fn rest(&self) -> &'a [u8] {
        self.data
    }

    /// How many octets were sent behind the pieces that were taken.
    pub fn rest_bytes(&self) -> usize {
        self.data.len() + self.cut_bytes
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    #[inline]
    fn next(&mut self) -> Option<Segment<'a>> {
        let ([l0, l1, r0, r1, o0, o1], headers) = self.headers.split_first_chunk::<SEGMENT_HEADER_BYTES>()?;
        self.headers = headers;
        let claimed_bytes = u16::from_be_bytes([*l0, *l1]);
        let (bytes, data) =
            self.data.split_at_checked(usize::from(claimed_bytes)).unwrap_or((self.data, &[]));
        self.data = data;
        let beyond_bytes = usize::from(claimed_bytes).saturating_sub(bytes.len()).min(self.cut_bytes);
        self.cut_bytes -= beyond_bytes;
        Some(Segment {
            second_field: r0 & 0x80 != 0,
            row: u16::from_be_bytes([r0 & 0x7f, *r1]),
            offset: u16::from_be_bytes([o0 & 0x7f, *o1]),
            claimed_bytes,
            sent_bytes: bytes.len() + beyond_bytes,
            bytes,
        })
    }
}

/// Writes a payload header; the data follow.
///
/// Each piece is `(octets, second field, row, offset)`.
pub fn write(extended_sequence: u16, segments: &[(u16, bool, u16, u16)], to: &mut Vec<u8>) {
    to.extend_from_slice(&extended_sequence.to_be_bytes());
    for (index, (bytes, second, row, offset)) in segments.iter().enumerate() {
        let more = index + 1 < segments.len();
        to.extend_from_slice(&bytes.to_be_bytes());
        to.extend_from_slice(&(row & 0x7fff | u16::from(*second) << 15).to_be_bytes());
        to.extend_from_slice(&(offset & 0x7fff | u16::from(more) << 15).to_be_bytes());
    }
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    match parse(bytes) {
        Ok(payload) => {
            let mut segments = payload.segments();
            let taken: Vec<_> = segments.by_ref().collect();
            assert_eq!(taken.len(), payload.count());
            let data: usize = taken.iter().map(|it| it.bytes.len()).sum();
            assert_eq!(2 + taken.len() * SEGMENT_HEADER_BYTES + data + segments.rest().len(), bytes.len());
            let headers: Vec<_> =
                taken.iter().map(|it| (it.claimed_bytes, it.second_field, it.row, it.offset)).collect();
            let mut again = Vec::new();
            write(payload.extended_sequence, &headers, &mut again);
            taken.iter().for_each(|it| again.extend_from_slice(it.bytes));
            again.extend_from_slice(segments.rest());
            assert_eq!(again, bytes, "written as read");
            cut_octets_add_up(bytes, payload.data_bytes());
        }
        Err(fault) => assert!(fault.at <= bytes.len()),
    }
}

/// Of packets that were cut short all octets are in pieces or behind them.
fn cut_octets_add_up(bytes: &[u8], there: usize) {
    for cut_bytes in [0, 1, 700, 65_535] {
        let Ok(payload) = parse_cut(bytes, cut_bytes) else { continue };
        let mut segments = payload.segments();
        let sent: usize = segments
            .by_ref()
            .map(|it| {
                assert!(it.bytes.len() <= it.sent_bytes && it.sent_bytes <= usize::from(it.claimed_bytes));
                it.sent_bytes
            })
            .sum();
        assert_eq!(sent + segments.rest_bytes(), there + cut_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Extended sequence 7; 5 octets of row 3 at 100 and 10 of row 4 of the second field at 0.
    const SAMPLE: &[u8] = b"\0\x07\0\x05\0\x03\x80\x64\0\x0a\x80\x04\0\0abcdeABCDEFGHIJ";

    #[test]
    fn every_field_is_read() {
        let payload = parse(SAMPLE).unwrap();
        assert_eq!((payload.extended_sequence, payload.count(), payload.data_bytes()), (7, 2, 15));
        let [first, second] = payload.segments().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(
            (first.second_field, first.row, first.offset, first.bytes),
            (false, 3, 100, &b"abcde"[..])
        );
        assert_eq!((second.second_field, second.row, second.offset), (true, 4, 0));
        assert_eq!((second.claimed_bytes, second.bytes), (10, &b"ABCDEFGHIJ"[..]));
    }

    #[test]
    fn what_is_claimed_and_not_there_is_seen() {
        let short = parse(&SAMPLE[..SAMPLE.len() - 4]).unwrap();
        let last = short.segments().last().unwrap();
        assert_eq!((last.claimed_bytes, last.bytes.len()), (10, 6));
        assert_eq!(parse(&SAMPLE[..13]).unwrap_err().at, 13);
        assert!(parse(b"").is_err());
        // A continuation bit in every header never ends.
        assert!(parse(&[0xff; 200]).is_err());
    }

    #[test]
    fn what_a_capture_cut_off_was_sent() {
        for end in 14..=SAMPLE.len() {
            let payload = parse_cut(&SAMPLE[..end], SAMPLE.len() - end).unwrap();
            assert_eq!((payload.count(), payload.data_bytes()), (2, 15));
            let mut segments = payload.segments();
            let sent: Vec<_> = segments.by_ref().map(|it| (it.claimed_bytes, it.sent_bytes)).collect();
            assert_eq!((sent, segments.rest_bytes()), (vec![(5, 5), (10, 10)], 0), "{end}");
        }
        // Less was sent than is claimed, or more.
        let sent = |cut_bytes| {
            let payload = parse_cut(&SAMPLE[..16], cut_bytes).unwrap();
            let mut segments = payload.segments();
            (segments.by_ref().map(|it| it.sent_bytes).collect::<Vec<_>>(), segments.rest_bytes())
        };
        assert_eq!(sent(0), (vec![2, 0], 0));
        assert_eq!(sent(9), (vec![5, 6], 0));
        assert_eq!(sent(20), (vec![5, 10], 7));
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        for end in 0..SAMPLE.len() {
            check(&SAMPLE[..end]);
        }
        let mut seed = 6_u64;
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
