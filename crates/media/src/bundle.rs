//! Datagrams that hold several packets of RTP, as kernels carry them: cut only by the interface that sends them
//! (`UDP_SEGMENT`, udp(7)), or joined by the one that received them. Captures that tcpdump takes there show them so.

use wire::rtp;

/// What fits into one frame of Ethernet behind the headers of IPv4 and UDP: what is no longer was not joined by kernels.
pub(crate) const MOST_ALONE_BYTES: usize = 1472;
/// As many datagrams as a kernel carries together (`UDP_MAX_SEGMENTS`).
const MOST_PARTS: i64 = 128;

/// How many packets so many octets can hold.
pub(crate) fn most_parts(bytes: i64) -> i64 {
    // Each has a header, and something behind it.
    (bytes / 13).min(MOST_PARTS)
}

/// How long each packet but the last is, where the payload of a datagram holds several; `None` where it is one.
///
/// A packet of jumbo frames is one: in it the header that must follow would have to stand by chance, at each distance.
#[inline]
pub fn part_bytes(payload: &[u8]) -> Option<usize> {
    if payload.len() <= MOST_ALONE_BYTES {
        return None;
    }
    search(payload)
}

#[cold]
fn search(payload: &[u8]) -> Option<usize> {
    let first = Head::of(payload)?;
    let most = MOST_ALONE_BYTES.min(payload.len());
    (rtp::HEADER_BYTES..=most).find(|part| {
        let mut rest = payload.chunks(*part);
        let second = rest.nth(1).and_then(Head::of);
        second == Some(first.after(1))
            && (2..).zip(rest).all(|(place, bytes)| Head::of(bytes).is_none_or(|it| it == first.after(place)))
    })
}

/// What packets of one stream have in common, and the number that counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    begin: u8,
    payload_type: u8,
    sequence: u16,
    ssrc: [u8; 4],
}

impl Head {
    #[inline]
    fn of(bytes: &[u8]) -> Option<Head> {
        let [begin, kind, high, low, _, _, _, _, ssrc @ ..] = bytes.first_chunk::<{ rtp::HEADER_BYTES }>()?;
        let sequence = u16::from_be_bytes([*high, *low]);
        Some(Head { begin: *begin, payload_type: kind & 0x7f, sequence, ssrc: *ssrc })
    }

    fn after(self, count: u16) -> Head {
        Head { sequence: self.sequence.wrapping_add(count), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of one stream, the last of them shorter, one after the other.
    fn joined(count: u16, bytes: usize, last: usize) -> Vec<u8> {
        let mut all = Vec::new();
        for place in 0..count {
            let begin = all.len();
            let sequence = 65_534_u16.wrapping_add(place);
            all.extend([0x80, 96 | u8::from(place + 1 == count) << 7]);
            all.extend(sequence.to_be_bytes());
            all.extend([0, 0, 0, 7, 1, 2, 3, 4]);
            all.resize(begin + if place + 1 == count { last } else { bytes }, 0x55);
        }
        all
    }

    #[test]
    fn what_kernels_join_is_known() {
        for (count, bytes, last) in [(2, 1472, 13), (8, 820, 820), (3, 1000, 5), (40, 60, 60)] {
            assert_eq!(part_bytes(&joined(count, bytes, last)), Some(bytes), "{count} of {bytes}");
        }
        // Cut by a snap length, it is known by what is left.
        let whole = joined(8, 820, 820);
        for end in 1473..whole.len() {
            assert_eq!(part_bytes(whole.get(..end).unwrap()), Some(820), "{end}");
        }
    }

    #[test]
    fn one_packet_is_one() {
        assert_eq!(part_bytes(&joined(1, 8940, 8940)), None);
        assert_eq!(part_bytes(&joined(2, 700, 700)), None, "it fits into one frame");
        let damaged = |at: usize| {
            let mut bytes = joined(8, 820, 820);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 2);
            bytes
        };
        // Version, payload type, number and source of a packet that follows must be right.
        for at in [820, 821, 823, 1640, 1643, 4928, 4931] {
            assert_eq!(part_bytes(&damaged(at)), None, "{at}");
        }
        for length in 0..2000 {
            assert_eq!(part_bytes(&vec![0x80; length]), None);
        }
    }
}
