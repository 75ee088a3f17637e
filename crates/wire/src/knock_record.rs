//! The records that our kernel program `bpf/decoy.bpf.c` writes: one per packet to a port that nobody has.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::cursor::{array, be16, ne16, ne64};
use crate::protocol::Protocol;

/// Bytes of one record (`struct knock`).
pub const BYTES: usize = 48;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// When, in nanoseconds of the kernel's clock that only goes forward.
    pub at_ns: u64,
    /// Over what: TCP or UDP.
    pub protocol: Protocol,
    /// Whether the packet was led to a socket of ours.
    pub answered: bool,
    /// Who sent it.
    pub remote: SocketAddr,
    /// To where.
    pub local: SocketAddr,
}

/// Reads one record; `None` for one that is cut short or of another protocol.
pub fn parse(bytes: &[u8]) -> Option<Record> {
    let protocol = Protocol(*bytes.get(8)?);
    if protocol != Protocol::TCP && protocol != Protocol::UDP {
        return None;
    }
    let address = |at| array::<16>(bytes, at).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)).to_canonical());
    Some(Record {
        at_ns: ne64(bytes, 0)?,
        protocol,
        answered: *bytes.get(9)? != 0,
        remote: SocketAddr::new(address(16)?, be16(bytes, 12)?),
        local: SocketAddr::new(address(32)?, ne16(bytes, 10)?),
    })
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn record(protocol: u8, remote: [u8; 16], local: [u8; 16]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&77_u64.to_ne_bytes());
        bytes.extend_from_slice(&[protocol, 1]);
        bytes.extend_from_slice(&420_u16.to_ne_bytes());
        bytes.extend_from_slice(&40_000_u16.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&remote);
        bytes.extend_from_slice(&local);
        bytes
    }

    #[test]
    fn a_record_is_read_in_both_families_and_no_prefix_of_it_is_one() {
        let mapped = |last| [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last];
        let bytes = record(6, mapped(1), mapped(2));
        assert_eq!(bytes.len(), BYTES);
        let expected = Record {
            at_ns: 77,
            protocol: Protocol::TCP,
            answered: true,
            remote: "192.0.2.1:40000".parse().unwrap(),
            local: "192.0.2.2:420".parse().unwrap(),
        };
        assert_eq!(parse(&bytes), Some(expected));
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), None, "{end}");
        }
        let six = |last| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
        let parsed = parse(&record(17, six(1), six(2))).unwrap();
        assert_eq!((parsed.protocol, parsed.remote), (Protocol::UDP, "[2001:db8::1]:40000".parse().unwrap()));
        assert_eq!(parse(&record(132, six(1), six(2))), None);
        assert_eq!(parse(&[0; BYTES]), None, "a record that was never written");
    }
}
