//! The checksum of IP, TCP, UDP and ICMP (RFC 1071), for who wants to verify; reading does not.

use crate::packet::{Packet, Version};
use crate::protocol::Protocol;

/// The ones' complement of the ones' complement sum of all parts one after another; each but the last is even in length.
///
/// Over bytes that hold their own checksum it is 0 (RFC 1071 §1).
pub fn internet(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        let mut words = part.chunks_exact(2);
        for word in words.by_ref() {
            sum += u64::from(word.first_chunk().copied().map_or(0, u16::from_be_bytes));
        }
        if let [last] = words.remainder() {
            sum += u64::from(*last) << 8;
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// Whether the header of IPv4 is as it was sent (RFC 791 §3.1); `header` holds its options.
pub fn ipv4_header(header: &[u8]) -> bool {
    internet(&[header]) == 0
}

/// Whether what IP carries is as it was sent: `segment` from the first byte of the transport's header to the last.
///
/// `None` where there is nothing to verify: no checksum, another protocol, a piece, or bytes that were not captured.
pub fn transport(packet: &Packet<'_>, segment: &[u8]) -> Option<bool> {
    let payload_bytes = packet.payload_wire_bytes as usize;
    if packet.fragment.is_some() || packet.is_snapped() || segment.len() < payload_bytes {
        return None;
    }
    match packet.protocol {
        // Zero says that there is none (RFC 768).
        Protocol::UDP if segment.get(6..8) == Some(&[0, 0]) => return None,
        Protocol::TCP | Protocol::UDP | Protocol::ICMPV6 => {}
        Protocol::ICMP => return Some(internet(&[segment]) == 0),
        _ => return None,
    }
    let length = u32::try_from(segment.len()).ok()?.to_be_bytes();
    let (source, destination) = (packet.source.octets(), packet.destination.octets());
    // The pseudo header sums to the same for both versions, once leading zeros are left out (RFC 9293 §3.1, RFC 8200 §8.1).
    let (source, destination) = match packet.version {
        Version::V4 => (source.get(12..)?, destination.get(12..)?),
        Version::V6 => (source.get(..)?, destination.get(..)?),
    };
    Some(internet(&[source, destination, &length, &[0, packet.protocol.0], segment]) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_the_example_is_right() {
        // The numbers of RFC 1071 §3: their sum is ddf2.
        assert_eq!(internet(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(internet(&[&[0x00, 0x01], &[0xf2, 0x03, 0xf4, 0xf5], &[0xf6, 0xf7]]), !0xddf2);
        assert_eq!(internet(&[]), 0xffff);
        assert_eq!(internet(&[&[0xab]]), !0xab00);
    }

    #[test]
    fn a_changed_bit_is_seen() {
        let mut header = crate::made::ipv4(6, &[]);
        assert!(ipv4_header(&header));
        header[8] ^= 1;
        assert!(!ipv4_header(&header));
    }
}
