//! The kernel's socket dump over netlink (`include/uapi/linux/inet_diag.h`, `packet_diag.h`).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Fault;
use crate::cursor::{array, be16, ne16, ne32, ne64};
use crate::netlink::{self, Request, attributes};

/// Netlink message kind of requests and answers (`SOCK_DIAG_BY_FAMILY`).
pub const BY_FAMILY: u16 = 20;

/// Address families, as the kernel numbers them.
pub mod family {
    /// IPv4.
    pub const INET: u8 = 2;
    /// IPv6.
    pub const INET6: u8 = 10;
    /// Link layer.
    pub const PACKET: u8 = 17;
}

/// TCP states, which the kernel uses for every protocol (`include/net/tcp_states.h`).
pub mod state {
    /// Connected.
    pub const ESTABLISHED: u8 = 1;
    /// Opening, we began.
    pub const SYN_SENT: u8 = 2;
    /// Opening, the peer began.
    pub const SYN_RECV: u8 = 3;
    /// Not connected; for datagram sockets, ready for anybody.
    pub const CLOSE: u8 = 7;
    /// Waiting for peers.
    pub const LISTEN: u8 = 10;
    /// Opening, not yet a socket of its own.
    pub const NEW_SYN_RECV: u8 = 12;
    /// Bound to a port and nothing else; told only from Linux 6.8 on.
    pub const BOUND_INACTIVE: u8 = 13;
    /// All states, as a mask for a request.
    pub const ALL: u32 = u32::MAX;
}

/// A request for every socket of one family and protocol in the given states.
///
/// `protocol` may be above 255 (MPTCP is 262): it then travels in an attribute.
pub fn inet_request(family: u8, protocol: u16, states: u32) -> Request {
    const REQ_PROTOCOL: u16 = 3;
    let [low, high] = protocol.to_le_bytes();
    let request = Request::new(BY_FAMILY, netlink::DUMP)
        .body(&[family, low, 0, 0])
        .body(&states.to_ne_bytes())
        // `struct inet_diag_sockid`: all zeros, any socket.
        .body(&[0; 48]);
    if high == 0 { request } else { request.attribute(REQ_PROTOCOL, &u32::from(protocol).to_ne_bytes()) }
}

/// A request for every packet socket.
pub fn packet_request() -> Request {
    const SHOW_INFO: u32 = 1;
    Request::new(BY_FAMILY, netlink::DUMP)
        .body(&[family::PACKET, 0, 0, 0, 0, 0, 0, 0])
        .body(&SHOW_INFO.to_ne_bytes())
        // Cookie: any socket.
        .body(&[0; 8])
}

/// One socket of an IP family (`struct inet_diag_msg`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inet {
    /// Address family.
    pub family: u8,
    /// State, see [`state`].
    pub state: u8,
    /// Local address.
    pub local: IpAddr,
    /// Local port; raw sockets have the IP protocol here.
    pub local_port: u16,
    /// Peer's address; unspecified without a peer.
    pub peer: IpAddr,
    /// Peer's port; 0 without a peer.
    pub peer_port: u16,
    /// Interface it is bound to; 0 for none.
    pub interface: u32,
    /// The kernel's cookie.
    pub cookie: u64,
    /// Bytes to be read; for listeners, connections to be accepted.
    pub receive_queue: u32,
    /// Bytes to be sent; for listeners, how many connections may wait.
    pub send_queue: u32,
    /// Who made it.
    pub uid: u32,
    /// Its inode; 0 where it has none any more.
    pub inode: u32,
    /// Whether an IPv6 socket refuses IPv4; only told for unconnected sockets.
    pub v6_only: Option<bool>,
}

/// Parses one answer about an IP socket.
pub fn parse_inet(bytes: &[u8]) -> Result<Inet, Fault> {
    parse_inet_fields(bytes).ok_or(Fault {
        layer: "sock_diag",
        at: bytes.len(),
        what: "an answer is cut short",
    })
}

fn parse_inet_fields(bytes: &[u8]) -> Option<Inet> {
    const ATTRIBUTES_AT: usize = 72;
    const SKV6ONLY: u16 = 11;
    let family = *bytes.first()?;
    let address = |at| {
        Some(if family == family::INET6 {
            IpAddr::V6(Ipv6Addr::from(array::<16>(bytes, at)?))
        } else {
            IpAddr::V4(Ipv4Addr::from(array::<4>(bytes, at)?))
        })
    };
    let v6_only = if family == family::INET6 {
        attributes(bytes.get(ATTRIBUTES_AT..)?)
            .map_while(Result::ok)
            .find(|attribute| attribute.kind == SKV6ONLY)
            .and_then(|attribute| attribute.payload.first().map(|flag| *flag != 0))
    } else {
        None
    };
    Some(Inet {
        family,
        state: *bytes.get(1)?,
        local_port: be16(bytes, 4)?,
        peer_port: be16(bytes, 6)?,
        local: address(8)?,
        peer: address(24)?,
        interface: ne32(bytes, 40)?,
        cookie: ne64(bytes, 44)?,
        receive_queue: ne32(bytes, 56)?,
        send_queue: ne32(bytes, 60)?,
        uid: ne32(bytes, 64)?,
        inode: ne32(bytes, 68)?,
        v6_only,
    })
}

/// One packet socket (`struct packet_diag_msg`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Socket type (`SOCK_RAW` or `SOCK_DGRAM`).
    pub kind: u8,
    /// EtherType it takes, in host order; 0 takes nothing, 3 takes everything.
    pub ether_type: u16,
    /// Its inode.
    pub inode: u32,
    /// The kernel's cookie.
    pub cookie: u64,
    /// The interface it is bound to; 0 for all.
    pub interface: u32,
}

/// Parses one answer about a packet socket.
pub fn parse_packet(bytes: &[u8]) -> Result<Packet, Fault> {
    parse_packet_fields(bytes).ok_or(Fault {
        layer: "packet_diag",
        at: bytes.len(),
        what: "an answer is cut short",
    })
}

fn parse_packet_fields(bytes: &[u8]) -> Option<Packet> {
    const INFO: u16 = 0;
    let interface = attributes(bytes.get(16..)?)
        .map_while(Result::ok)
        .find(|attribute| attribute.kind == INFO)
        .and_then(|info| ne32(info.payload, 0));
    Some(Packet {
        kind: *bytes.get(1)?,
        ether_type: ne16(bytes, 2)?,
        inode: ne32(bytes, 4)?,
        cookie: ne64(bytes, 8)?,
        interface: interface.unwrap_or(0),
    })
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let inet = parse_inet(bytes);
    // The fixed part decides: attributes can be damaged without losing the socket.
    assert_eq!(inet.is_ok(), bytes.len() >= 72);
    if let Ok(inet) = inet {
        assert_eq!(inet.local.is_ipv6(), inet.family == family::INET6);
        assert_eq!(
            inet.local_port,
            u16::from_be_bytes([bytes.get(4).copied().unwrap_or(0), bytes.get(5).copied().unwrap_or(0)])
        );
        assert!(inet.v6_only.is_none() || inet.family == family::INET6);
    }
    assert_eq!(parse_packet(bytes).is_ok(), bytes.len() >= 16);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// `[::]:9443`, listening, not v6-only, as Linux 6.18 answers on x86-64 (attributes: shutdown, v6only).
    fn listener() -> Vec<u8> {
        let mut bytes = Vec::from([10, 10, 0, 0, 0x24, 0xe3, 0, 0]);
        bytes.resize(40, 0);
        bytes.extend_from_slice(&2_u32.to_ne_bytes());
        bytes.extend_from_slice(&0x1_0000_0007_u64.to_ne_bytes());
        for word in [0_u32, 3, 128, 1000, 77_777] {
            bytes.extend_from_slice(&word.to_ne_bytes());
        }
        for (kind, value) in [(8_u16, 0_u8), (11, 0)] {
            bytes.extend_from_slice(&5_u16.to_ne_bytes());
            bytes.extend_from_slice(&kind.to_ne_bytes());
            bytes.extend_from_slice(&[value, 0, 0, 0]);
        }
        bytes
    }

    #[test]
    fn a_listener_is_read_whole() {
        let inet = parse_inet(&listener()).unwrap();
        assert_eq!((inet.local_port, inet.interface, inet.cookie), (9443, 2, 0x1_0000_0007));
        assert_eq!((inet.receive_queue, inet.send_queue, inet.uid, inet.inode), (3, 128, 1000, 77_777));
        assert_eq!((inet.local.is_unspecified(), inet.v6_only), (true, Some(false)));
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let whole = listener();
        for end in 0..=whole.len() {
            check(&whole[..end]);
        }
        let mut seed = 3_u64;
        for _ in 0..20_000 {
            let mut copy = whole.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[2];
            }
            check(&copy);
        }
    }

    #[test]
    fn mptcp_travels_in_an_attribute() {
        assert_eq!(inet_request(family::INET, 6, 1).as_bytes().len(), 16 + 56);
        let request = inet_request(family::INET, 262, 1);
        let bytes = request.as_bytes();
        assert_eq!((bytes.len(), bytes[17], ne32(bytes, 76)), (16 + 64, 6, Some(262)));
    }
}
