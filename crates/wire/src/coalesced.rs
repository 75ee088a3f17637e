//! Datagrams that the kernel carries as one frame until an interface cuts them (virtio 1.2 §5.1.6), cut here.

use alloc::vec::Vec;

use crate::checksum;
use crate::frame::Frame;
use crate::protocol::Protocol;

const UDP_BYTES: usize = 8;
const IPV6_BYTES: usize = 40;

/// Where in a frame its headers are, and how it is to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coalesced {
    /// Where the header of IP begins.
    pub network_at: usize,
    /// Where the header of UDP begins.
    pub udp_at: usize,
    /// Bytes of payload of each datagram but the last.
    pub payload_bytes: usize,
}

impl Coalesced {
    /// Hands out each datagram in a frame of its own, as an interface would send it but for the checksum of UDP, which is
    /// still to come; `room` is where they are made. `None`, and nothing handed out, where the frame is not what is said.
    pub fn cut(&self, frame: &Frame<'_>, room: &mut Vec<u8>, each: &mut dyn FnMut(Frame<'_>)) -> Option<()> {
        let headers_bytes = self.udp_at.checked_add(UDP_BYTES)?;
        let (headers, payload) = frame.bytes.split_at_checked(headers_bytes)?;
        let whole = usize::try_from(frame.wire_bytes).ok()?.checked_sub(headers_bytes)?;
        let network = headers.get(self.network_at..self.udp_at)?;
        let version = network.first()? >> 4;
        let (next, is_whole) = match version {
            4 => (*network.get(9)?, network.len() == usize::from(network.first()? & 15) * 4),
            6 => (*network.get(6)?, network.len() == IPV6_BYTES),
            _ => return None,
        };
        if next != Protocol::UDP.0 || !is_whole || self.payload_bytes == 0 || whole <= self.payload_bytes {
            return None;
        }
        let mut from = 0;
        let mut number = 0_u16;
        while from < whole {
            let bytes = self.payload_bytes.min(whole - from);
            let rest = payload.get(from..).unwrap_or_default();
            room.clear();
            room.extend_from_slice(headers);
            room.extend_from_slice(rest.get(..bytes).unwrap_or(rest));
            self.write_lengths(room, version == 4, bytes, number)?;
            let wire_bytes = u32::try_from(headers_bytes + bytes).ok()?;
            each(Frame { wire_bytes, bytes: room, ..*frame });
            from += bytes;
            number = number.wrapping_add(1);
        }
        Some(())
    }

    fn write_lengths(&self, frame: &mut [u8], is_v4: bool, payload_bytes: usize, number: u16) -> Option<()> {
        let udp_bytes = u16::try_from(UDP_BYTES + payload_bytes).ok()?;
        write(frame, self.udp_at + 4, udp_bytes)?;
        if !is_v4 {
            return write(frame, self.network_at + 4, udp_bytes);
        }
        let header_bytes = u16::try_from(self.udp_at - self.network_at).ok()?;
        write(frame, self.network_at + 2, header_bytes.checked_add(udp_bytes)?)?;
        let first = crate::cursor::be16(frame, self.network_at + 4)?;
        write(frame, self.network_at + 4, first.wrapping_add(number))?;
        write(frame, self.network_at + 10, 0)?;
        let sum = checksum::internet(&[frame.get(self.network_at..self.udp_at)?]);
        write(frame, self.network_at + 10, sum)
    }
}

fn write(bytes: &mut [u8], at: usize, number: u16) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = number.to_be_bytes();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::be16;
    use crate::frame::LinkType;
    use alloc::vec;

    /// A frame of IPv4 or IPv6 with this payload, its lengths as the kernel leaves them.
    fn frame(is_v4: bool, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xee; 14];
        let udp_bytes = u16::try_from(8 + payload.len()).unwrap();
        if is_v4 {
            bytes.extend([0x45, 0]);
            bytes.extend((20 + udp_bytes).to_be_bytes());
            bytes.extend([0xff, 0xff, 0x40, 0, 64, 17, 0, 0, 10, 9, 0, 1, 239, 1, 1, 1]);
        } else {
            bytes.extend([0x60, 0, 0, 0]);
            bytes.extend(udp_bytes.to_be_bytes());
            bytes.extend([17, 64]);
            bytes.extend([0xfd; 32]);
        }
        bytes.extend([0x13, 0x8c, 0x13, 0x8c]);
        bytes.extend(udp_bytes.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(payload);
        bytes
    }

    fn cut(bytes: &[u8], wire_bytes: usize, coalesced: Coalesced) -> Option<Vec<(u32, Vec<u8>)>> {
        let wire_bytes = u32::try_from(wire_bytes).unwrap();
        let frame = Frame { time: None, link: LinkType::ETHERNET, interface: 3, wire_bytes, bytes };
        let mut all = Vec::new();
        let done = coalesced.cut(&frame, &mut Vec::new(), &mut |one| {
            assert_eq!((one.link, one.interface), (LinkType::ETHERNET, 3));
            all.push((one.wire_bytes, one.bytes.to_vec()));
        });
        assert!(done.is_some() || all.is_empty());
        done.map(|()| all)
    }

    const V4: Coalesced = Coalesced { network_at: 14, udp_at: 34, payload_bytes: 100 };
    const V6: Coalesced = Coalesced { network_at: 14, udp_at: 54, payload_bytes: 100 };

    #[test]
    fn each_datagram_is_as_it_would_be_sent() {
        let payload: Vec<u8> = (0..250).collect();
        for (is_v4, place) in [(true, V4), (false, V6)] {
            let bytes = frame(is_v4, &payload);
            let all = cut(&bytes, bytes.len(), place).unwrap();
            assert_eq!(all.len(), 3);
            for (number, (wire_bytes, one)) in all.iter().enumerate() {
                let part = payload.chunks(100).nth(number).unwrap();
                let mut alone = frame(is_v4, part);
                if is_v4 {
                    let id = 0xffff_u16.wrapping_add(u16::try_from(number).unwrap());
                    alone[18..20].copy_from_slice(&id.to_be_bytes());
                    assert!(checksum::ipv4_header(&one[14..34]));
                    assert_eq!(usize::from(be16(&one[14..], 2).unwrap()), 28 + part.len());
                    alone[24..26].copy_from_slice(&one[24..26]);
                }
                assert_eq!((one, *wire_bytes as usize), (&alone, alone.len()));
            }
        }
    }

    #[test]
    fn what_was_cut_short_keeps_its_lengths() {
        let bytes = frame(true, &[7; 250]);
        for end in 0..bytes.len() {
            let Some(all) = cut(&bytes[..end], bytes.len(), V4) else {
                assert!(end < 42);
                continue;
            };
            let lengths: Vec<u32> = all.iter().map(|(wire_bytes, _)| *wire_bytes).collect();
            assert_eq!(lengths, [142, 142, 92]);
            assert_eq!(all.iter().map(|(_, one)| one.len() - 42).sum::<usize>(), end - 42);
        }
    }

    #[test]
    fn what_is_not_as_it_is_said_to_be_is_left_whole() {
        let (four, six) = (frame(true, &[7; 250]), frame(false, &[7; 250]));
        assert!(cut(&four, four.len(), V6).is_none() && cut(&six, six.len(), V4).is_none());
        for payload_bytes in [0, 250, 251, usize::MAX] {
            assert!(cut(&four, four.len(), Coalesced { payload_bytes, ..V4 }).is_none());
        }
        for (network_at, udp_at) in [(14, 33), (14, usize::MAX), (35, 34), (0, 20)] {
            assert!(cut(&four, four.len(), Coalesced { network_at, udp_at, payload_bytes: 100 }).is_none());
        }
        let mut other = four.clone();
        other[23] = Protocol::TCP.0;
        assert!(cut(&other, other.len(), V4).is_none());
        assert!(cut(&four, 30, V4).is_none(), "a frame that says it is shorter than its headers");
    }
}
