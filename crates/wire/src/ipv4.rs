//! The header of IPv4 (RFC 791 §3.1).

use crate::Fault;
use crate::address::Address;
use crate::protocol::Protocol;

/// Bytes of a header without options.
pub const HEADER_BYTES: usize = 20;

/// A header, and what it says of the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4<'a> {
    /// From whom.
    pub source: Address,
    /// To whom.
    pub destination: Address,
    /// What follows.
    pub protocol: Protocol,
    /// Hops that are left.
    pub ttl: u8,
    /// DSCP and ECN (RFC 2474 §3, RFC 3168 §5).
    pub traffic_class: u8,
    /// Identifies the pieces of one packet.
    pub id: u16,
    /// Where this piece stands in the payload, in bytes.
    pub fragment_offset: u16,
    /// Whether pieces follow.
    pub more_fragments: bool,
    /// Its length with the header, as claimed; 0 where a network card was to cut it up.
    pub total_bytes: u16,
    /// Bytes of this header with its options.
    pub header_bytes: usize,
    /// Its options.
    pub options: &'a [u8],
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "IPv4", at, what }
}

/// Reads a header. What follows may be shorter than it claims.
#[inline]
pub fn parse(bytes: &[u8]) -> Result<Ipv4<'_>, Fault> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(fault(0, "shorter than a header (RFC 791 §3.1)"));
    };
    let [first, traffic_class, l0, l1, i0, i1, f0, f1, ttl, protocol, _, _, addresses @ ..] = *header;
    if first >> 4 != 4 {
        return Err(fault(0, "the version is not 4 (RFC 791 §3.1)"));
    }
    let header_bytes = usize::from(first & 15) * 4;
    let Some(options_bytes) = header_bytes.checked_sub(HEADER_BYTES) else {
        return Err(fault(0, "the header claims fewer than 20 bytes (RFC 791 §3.1)"));
    };
    let Some(options) = rest.get(..options_bytes) else {
        return Err(fault(0, "the header is longer than what there is (RFC 791 §3.1)"));
    };
    let total_bytes = u16::from_be_bytes([l0, l1]);
    if total_bytes != 0 && usize::from(total_bytes) < header_bytes {
        return Err(fault(2, "the packet claims to be shorter than its header (RFC 791 §3.1)"));
    }
    let fragment = u16::from_be_bytes([f0, f1]);
    let [s0, s1, s2, s3, d0, d1, d2, d3] = addresses;
    Ok(Ipv4 {
        source: Address::from_v4([s0, s1, s2, s3]),
        destination: Address::from_v4([d0, d1, d2, d3]),
        protocol: Protocol(protocol),
        ttl,
        traffic_class,
        id: u16::from_be_bytes([i0, i1]),
        fragment_offset: (fragment & 0x1fff) << 3,
        more_fragments: fragment & 0x2000 != 0,
        total_bytes,
        header_bytes,
        options,
    })
}
