//! The header of IPv6 and the extension headers behind it (RFC 8200 §3, §4).

use crate::Fault;
use crate::address::Address;
use crate::cursor::{be16, be32};
use crate::protocol::Protocol;

/// Bytes of the fixed header.
pub const HEADER_BYTES: usize = 40;
/// More extension headers than this are a fault: no real packet has them, and each costs time.
const MOST_EXTENSIONS: usize = 8;

/// The fixed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv6 {
    /// From whom.
    pub source: Address,
    /// To whom.
    pub destination: Address,
    /// What follows, perhaps an extension header.
    pub next: Protocol,
    /// Hops that are left.
    pub hop_limit: u8,
    /// DSCP and ECN (RFC 2474 §3, RFC 3168 §5).
    pub traffic_class: u8,
    /// The flow label (RFC 6437).
    pub flow_label: u32,
    /// Bytes behind the fixed header, as claimed; 0 for a jumbogram, or where a network card was to cut it up.
    pub payload_bytes: u16,
}

/// Extension headers, walked up to what they carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extensions {
    /// What follows them.
    pub protocol: Protocol,
    /// Bytes of them all.
    pub header_bytes: usize,
    /// What the Fragment header says, where it makes this a piece.
    pub fragment: Option<Fragment>,
    /// Where the bytes behind the Fragment header begin, with a piece.
    pub fragment_at: usize,
    /// Bytes behind the fixed header, by the Jumbo Payload option (RFC 2675 §2).
    pub jumbo_bytes: Option<u32>,
}

/// What a Fragment header says (RFC 8200 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// Identifies the pieces of one packet.
    pub id: u32,
    /// Where this piece stands in the fragmentable part, in bytes.
    pub offset: u16,
    /// Whether pieces follow.
    pub more: bool,
    /// What the whole begins with.
    pub next: Protocol,
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "IPv6", at, what }
}

/// Reads the fixed header. What follows may be shorter than it claims.
#[inline]
pub fn parse(bytes: &[u8]) -> Result<Ipv6, Fault> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
        return Err(fault(0, "shorter than a header (RFC 8200 §3)"));
    };
    let [v0, v1, v2, v3, l0, l1, next, hop_limit, addresses @ ..] = *header;
    if v0 >> 4 != 6 {
        return Err(fault(0, "the version is not 6 (RFC 8200 §3)"));
    }
    let Some((source, destination)) = addresses.split_first_chunk::<16>() else {
        return Err(fault(8, "shorter than its addresses (RFC 8200 §3)"));
    };
    Ok(Ipv6 {
        source: Address::from_v6(*source),
        destination: Address::from_v6(destination.first_chunk().copied().unwrap_or_default()),
        next: Protocol(next),
        hop_limit,
        traffic_class: (v0 << 4) | (v1 >> 4),
        flow_label: u32::from_be_bytes([0, v1 & 15, v2, v3]),
        payload_bytes: u16::from_be_bytes([l0, l1]),
    })
}

/// Walks the extension headers that `bytes` begin with, up to a protocol or to a piece that is not the first.
///
/// The Authentication Header is left to what comes next: IPv4 has it too.
#[inline]
pub fn extensions(first: Protocol, bytes: &[u8]) -> Result<Extensions, Fault> {
    let mut found =
        Extensions { protocol: first, header_bytes: 0, fragment: None, fragment_at: 0, jumbo_bytes: None };
    if !first.is_extension() { Ok(found) } else { walk(&mut found, bytes).map(|()| found) }
}

fn walk(found: &mut Extensions, bytes: &[u8]) -> Result<(), Fault> {
    for index in 0.. {
        let at = found.header_bytes;
        // A piece that is not the first holds no headers (RFC 8200 §4.5).
        if !found.protocol.is_extension() || found.fragment.is_some_and(|fragment| fragment.offset != 0) {
            break;
        }
        if index == MOST_EXTENSIONS {
            return Err(fault(at, "more than eight extension headers"));
        }
        let Some([next, length]) = crate::cursor::array(bytes, at) else {
            return Err(fault(at, "the packet ends within its extension headers (RFC 8200 §4)"));
        };
        let header_bytes =
            if found.protocol == Protocol::FRAGMENT { 8 } else { (usize::from(length) + 1) * 8 };
        let Some(header) = bytes.get(at..at + header_bytes) else {
            return Err(fault(at, "an extension header is longer than what there is (RFC 8200 §4)"));
        };
        match found.protocol {
            Protocol::FRAGMENT => {
                let word = be16(header, 2).unwrap_or(0);
                let (offset, more) = (word & !7, word & 1 != 0);
                // One piece that is the whole is no piece (RFC 6946 §4).
                if offset != 0 || more {
                    if found.fragment.is_some() {
                        return Err(fault(at, "two Fragment headers (RFC 8200 §4.1)"));
                    }
                    let id = be32(header, 4).unwrap_or(0);
                    found.fragment_at = at + header_bytes;
                    found.fragment = Some(Fragment { id, offset, more, next: Protocol(next) });
                }
            }
            // Hop-by-hop options stand first or nowhere (RFC 8200 §4.1).
            Protocol::HOP_BY_HOP if index > 0 => {
                return Err(fault(at, "Hop-by-Hop options behind another header (RFC 8200 §4.1)"));
            }
            Protocol::HOP_BY_HOP => found.jumbo_bytes = jumbo(header),
            _ => {}
        }
        found.protocol = Protocol(next);
        found.header_bytes = at + header_bytes;
    }
    Ok(())
}

/// The Jumbo Payload option, which is 194 with four bytes (RFC 2675 §2).
fn jumbo(header: &[u8]) -> Option<u32> {
    let mut at = 2;
    while let Some(kind) = header.get(at) {
        if *kind == 0 {
            at += 1;
            continue;
        }
        let length = usize::from(*header.get(at + 1)?);
        if (*kind, length) == (194, 4) {
            return be32(header, at + 2);
        }
        at += 2 + length;
    }
    None
}
