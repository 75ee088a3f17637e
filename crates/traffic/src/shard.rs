//! Which of several observers gets a frame: cheap, and the same for all packets that belong together.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::cursor::{array, be16, be32};
use wire::{Frame, LinkType};

/// The observer, of `shards`, that a frame is for.
///
/// It depends on the two addresses of the outermost IP header alone, in either order:
///
/// - both directions of a flow, and every fragment of a packet, go to the same one, because ports are not looked at;
/// - all that one tunnel carries goes to the same one, because what is inside is not looked at;
/// - an ICMP error goes where the packet that it quotes went, because then the quoted addresses count;
/// - all flows between the same two machines go to the same one: that is the price;
/// - what goes to a multicast group goes to the first, so that legs, announcements and clocks meet.
///
/// What is not IP, and frames of links whose header has no fixed shape (802.11), go to the first.
#[inline]
pub fn shard_of(frame: &Frame<'_>, shards: usize) -> usize {
    if shards <= 1 {
        return 0;
    }
    let hash = ip(frame).and_then(addresses).map_or(0, |addresses| {
        // One multiplication mixes enough for an even split; tables have their own, keyed hash.
        addresses.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
    });
    usize::try_from(hash).unwrap_or(0) % shards
}

/// Whether a frame is from or to one of these addresses; an ICMP error is where the packet that it quotes is.
pub fn is_of(frame: &Frame<'_>, addresses: &HashSet<IpAddr>) -> bool {
    let pair = |bytes: &[u8]| match bytes.first()? >> 4 {
        4 => {
            let ends = [array::<4>(bytes, 12)?, array::<4>(bytes, 16)?];
            Some(ends.map(|it| IpAddr::V4(Ipv4Addr::from(it))))
        }
        6 => {
            let ends = [array::<16>(bytes, 8)?, array::<16>(bytes, 24)?];
            Some(ends.map(|it| IpAddr::V6(Ipv6Addr::from(it))))
        }
        _ => None,
    };
    ip(frame)
        .and_then(|bytes| quoted(bytes).and_then(pair).or_else(|| pair(bytes)))
        .is_some_and(|ends| ends.iter().any(|end| addresses.contains(end)))
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// The bytes from the outermost IP header on.
fn ip<'a>(frame: &Frame<'a>) -> Option<&'a [u8]> {
    let bytes = frame.bytes;
    match frame.link {
        LinkType::ETHERNET => ether_type(bytes, 12),
        LinkType::LINUX_SLL => ether_type(bytes, 14),
        LinkType::LINUX_SLL2 => behind(bytes, be16(bytes, 0)?, 20),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 | LinkType(12 | 14) => Some(bytes),
        LinkType::NULL | LinkType::LOOP => bytes.get(4..),
        LinkType::PPP => ppp(bytes),
        LinkType::PPP_HDLC => ppp(bytes.get(2..)?),
        LinkType::PPP_ETHER => ppp(bytes.get(6..)?),
        _ => None,
    }
}

fn ether_type(bytes: &[u8], at: usize) -> Option<&[u8]> {
    behind(bytes, be16(bytes, at)?, at + 2)
}

/// What follows an EtherType, behind tags, labels and sessions.
fn behind(bytes: &[u8], mut ether_type: u16, mut at: usize) -> Option<&[u8]> {
    // As many layers as any real frame has.
    for _ in 0..8 {
        match ether_type {
            IPV4 | IPV6 => return bytes.get(at..),
            // IEEE 802.1Q §9.6: tags of customers and of providers.
            0x8100 | 0x88a8 | 0x9100 => {
                ether_type = be16(bytes, at + 2)?;
                at += 4;
            }
            // RFC 3032 §2.1: the bottom of the stack has a bit of its own.
            0x8847 | 0x8848 => {
                let label = be32(bytes, at)?;
                at += 4;
                if label & 0x100 != 0 {
                    return bytes.get(at..);
                }
            }
            // A length stands here, and SNAP gives the type (RFC 1042).
            ..0x0600 if array(bytes, at)? == [0xaa, 0xaa, 3, 0, 0, 0] => {
                ether_type = be16(bytes, at + 6)?;
                at += 8;
            }
            // RFC 2516 §4
            0x8864 => return ppp(bytes.get(at + 6..)?),
            _ => return None,
        }
    }
    None
}

/// What PPP carries, where it is IP (RFC 1661 §2).
fn ppp(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(&[0xff, 0x03]).unwrap_or(bytes);
    match be16(bytes, 0)? {
        0x0021 | 0x0057 => bytes.get(2..),
        _ => None,
    }
}

/// Both addresses of a header of IP, folded into one number that does not depend on their order.
fn addresses(bytes: &[u8]) -> Option<u64> {
    let pair = |bytes: &[u8]| match bytes.first()? >> 4 {
        // What goes to a group is for one: legs, announcements and clocks only mean something together.
        4 if bytes.get(16)? >> 4 == 0xe => None,
        6 if bytes.get(24) == Some(&0xff) => None,
        4 => Some(u64::from(be32(bytes, 12)?.wrapping_add(be32(bytes, 16)?))),
        6 => {
            let [source, destination] =
                [array::<16>(bytes, 8)?, array::<16>(bytes, 24)?].map(u128::from_be_bytes);
            let sum = source.wrapping_add(destination);
            Some(u64::try_from((sum ^ (sum >> 64)) & u128::from(u64::MAX)).unwrap_or(0))
        }
        _ => None,
    };
    quoted(bytes).and_then(pair).or_else(|| pair(bytes))
}

/// The packet that an ICMP error quotes, if this is one.
fn quoted(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.first()? >> 4 {
        4 if bytes.get(9) == Some(&1) && be16(bytes, 6)? & 0x1fff == 0 => {
            let header = usize::from(bytes.first()? & 15) * 4;
            // RFC 792
            matches!(bytes.get(header)?, 3 | 4 | 5 | 11 | 12).then(|| bytes.get(header + 8..)).flatten()
        }
        // RFC 4443 §3: kinds below 128 are errors.
        6 if bytes.get(6) == Some(&58) => (1..=4).contains(bytes.get(40)?).then(|| bytes.get(48..)).flatten(),
        _ => None,
    }
}
