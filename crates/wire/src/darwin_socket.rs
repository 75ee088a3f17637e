//! What macOS says of one socket descriptor: `struct socket_fdinfo` of sys/proc_info.h, as `proc_pidfdinfo` fills it.
//!
//! Read by offset, so that the reader can be tested on any system.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use model::{Family, Kind, State};

use crate::Fault;
use crate::cursor::{array, ne16, ne32, ne64};

/// The size of the structure; the kernel fills all of it or nothing.
pub const BYTES: usize = 792;

/// The descriptor's file comes first; `struct socket_info` follows.
const SOCKET: usize = 24;
const HANDLE: usize = SOCKET + 136;
const TYPE: usize = SOCKET + 152;
const PROTOCOL: usize = SOCKET + 156;
const FAMILY: usize = SOCKET + 160;
const QUEUE: usize = SOCKET + 170;
const QUEUE_LIMIT: usize = SOCKET + 174;
const RECEIVED: usize = SOCKET + 184;
const PROTOCOL_KIND: usize = SOCKET + 232;
/// `struct in_sockinfo`, alone or at the start of `struct tcp_sockinfo`.
const INTERNET: usize = SOCKET + 240;
const GENERATION: usize = INTERNET + 8;
const VERSIONS: usize = INTERNET + 24;
const PEER: usize = INTERNET + 32;
const LOCAL: usize = INTERNET + 48;
const TCP_STATE: usize = INTERNET + 80;

const KIND_INTERNET: u32 = 1;
const KIND_TCP: u32 = 2;
const TYPE_RAW: u32 = 3;
const PROTOCOL_UDP: u32 = 17;
const FAMILY_V4: u32 = 2;
const FAMILY_V6: u32 = 30;
const VERSION_V4: u8 = 1;
const VERSION_V6: u8 = 2;

/// One internet socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// TCP, UDP or raw.
    pub kind: Kind,
    /// Its family; dual where an IPv6 socket takes IPv4 as well.
    pub family: Family,
    /// Local address and port; raw: the IP protocol number.
    pub local: SocketAddr,
    /// The peer, where connected.
    pub peer: Option<SocketAddr>,
    /// What it does.
    pub state: State,
    /// The kernel's name for the socket: the same in every holder.
    pub handle: u64,
    /// Connections that wait to be accepted, or bytes that wait to be read.
    pub queued: u32,
    /// The most connections that may wait; listening TCP only.
    pub backlog: Option<u32>,
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "socket_fdinfo", at, what }
}

/// Parses one structure; `None` is a socket that is not an internet socket.
pub fn parse(bytes: &[u8]) -> Result<Option<Record>, Fault> {
    if bytes.len() != BYTES {
        return Err(fault(bytes.len(), "the size is not that of socket_fdinfo (sys/proc_info.h)"));
    }
    let cut = |at| move || fault(at, "the structure ends here");
    let word = |at| ne32(bytes, at).ok_or_else(cut(at));
    let half = |at| ne16(bytes, at).ok_or_else(cut(at));

    let (protocol_kind, protocol, kind_word) = (word(PROTOCOL_KIND)?, word(PROTOCOL)?, word(TYPE)?);
    let kind = match (protocol_kind, protocol, kind_word) {
        (KIND_TCP, _, _) => Kind::Tcp,
        (KIND_INTERNET, _, TYPE_RAW) => Kind::Raw,
        (KIND_INTERNET, PROTOCOL_UDP, _) => Kind::Udp,
        _ => return Ok(None),
    };
    let versions = array::<1>(bytes, VERSIONS).ok_or_else(cut(VERSIONS))?[0];
    let family = match word(FAMILY)? {
        FAMILY_V4 => Family::V4,
        FAMILY_V6 if versions & VERSION_V4 != 0 && versions & VERSION_V6 != 0 => Family::Dual,
        FAMILY_V6 if versions & VERSION_V4 != 0 => Family::Dual,
        FAMILY_V6 => Family::V6,
        _ => return Err(fault(FAMILY, "an internet socket whose family is neither AF_INET nor AF_INET6")),
    };
    let endpoint = |addr: usize, port: usize| -> Result<SocketAddr, Fault> {
        let raw = array::<16>(bytes, addr).ok_or_else(cut(addr))?;
        // Ports stand in network order in the low half of an int.
        let [high, low] = half(port)?.to_ne_bytes();
        let v4_only = family == Family::V4 || versions & (VERSION_V4 | VERSION_V6) == VERSION_V4;
        let ip = if v4_only {
            // An IPv4 address stands in the last of four words.
            let v4 = Ipv4Addr::from(array::<4>(bytes, addr + 12).ok_or_else(cut(addr))?);
            if family == Family::V4 { IpAddr::V4(v4) } else { IpAddr::V6(v4.to_ipv6_mapped()) }
        } else {
            IpAddr::V6(Ipv6Addr::from(raw))
        };
        Ok(SocketAddr::new(ip, u16::from_be_bytes([high, low])))
    };
    let mut local = endpoint(LOCAL, INTERNET + 4)?;
    let peer = Some(endpoint(PEER, INTERNET)?).filter(|peer| peer.port() != 0);
    let state = match kind {
        Kind::Tcp => match word(TCP_STATE)? {
            0 if local.port() == 0 => State::Unbound,
            0 => State::Bound,
            1 => State::Listening,
            2 | 3 => State::Opening,
            4 => State::Established,
            5..=10 => State::Closing,
            _ => return Err(fault(TCP_STATE, "no such state (netinet/tcp_fsm.h)")),
        },
        Kind::Raw => {
            local.set_port(u16::try_from(protocol).unwrap_or(0));
            State::Listening
        }
        _ if peer.is_some() => State::Established,
        _ if local.port() == 0 => State::Unbound,
        _ => State::Listening,
    };
    // Without root the kernel shows no address of its own; the generation then tells sockets apart.
    let handle = match ne64(bytes, HANDLE).ok_or_else(cut(HANDLE))? {
        0 => ne64(bytes, GENERATION).ok_or_else(cut(GENERATION))?,
        handle => handle,
    };
    let listening = kind == Kind::Tcp && state == State::Listening;
    let queued = if listening { u32::from(half(QUEUE)?) } else { word(RECEIVED)? };
    let backlog = if listening { Some(u32::from(half(QUEUE_LIMIT)?)) } else { None };
    Ok(Some(Record {
        kind,
        family,
        local,
        peer: if kind == Kind::Raw { None } else { peer },
        state,
        handle,
        queued,
        backlog,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// A listening TCP socket on 127.0.0.1:420.
    fn listening_v4() -> Vec<u8> {
        let mut bytes = vec![0; BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(HANDLE, &0xfeed_0001_u64.to_ne_bytes());
        put(TYPE, &1_u32.to_ne_bytes());
        put(PROTOCOL, &6_u32.to_ne_bytes());
        put(FAMILY, &FAMILY_V4.to_ne_bytes());
        put(QUEUE, &3_u16.to_ne_bytes());
        put(QUEUE_LIMIT, &128_u16.to_ne_bytes());
        put(PROTOCOL_KIND, &KIND_TCP.to_ne_bytes());
        put(INTERNET + 4, &420_u16.to_be_bytes());
        put(VERSIONS, &[VERSION_V4]);
        put(LOCAL + 12, &[127, 0, 0, 1]);
        put(TCP_STATE, &1_u32.to_ne_bytes());
        bytes
    }

    fn set(bytes: &mut [u8], at: usize, value: u32) {
        bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }

    #[test]
    fn a_listener_is_read() {
        let record = parse(&listening_v4()).unwrap().unwrap();
        assert_eq!(
            record,
            Record {
                kind: Kind::Tcp,
                family: Family::V4,
                local: "127.0.0.1:420".parse().unwrap(),
                peer: None,
                state: State::Listening,
                handle: 0xfeed_0001,
                queued: 3,
                backlog: Some(128),
            }
        );
    }

    #[test]
    fn udp_on_every_address_of_both_families_is_dual() {
        let mut bytes = listening_v4();
        set(&mut bytes, PROTOCOL_KIND, KIND_INTERNET);
        set(&mut bytes, PROTOCOL, PROTOCOL_UDP);
        set(&mut bytes, FAMILY, FAMILY_V6);
        set(&mut bytes, LOCAL + 12, 0);
        bytes[VERSIONS] = VERSION_V4 | VERSION_V6;
        let record = parse(&bytes).unwrap().unwrap();
        assert_eq!((record.kind, record.family, record.state), (Kind::Udp, Family::Dual, State::Listening));
        assert_eq!(record.local, "[::]:420".parse().unwrap());
    }

    #[test]
    fn a_v4_connection_of_a_v6_socket_is_mapped_and_has_its_peer() {
        let mut bytes = listening_v4();
        set(&mut bytes, FAMILY, FAMILY_V6);
        set(&mut bytes, TCP_STATE, 4);
        bytes[INTERNET..INTERNET + 2].copy_from_slice(&50_000_u16.to_be_bytes());
        bytes[PEER + 12..PEER + 16].copy_from_slice(&[192, 0, 2, 7]);
        let record = parse(&bytes).unwrap().unwrap();
        assert_eq!((record.family, record.state, record.backlog), (Family::Dual, State::Established, None));
        assert_eq!(record.peer, Some("[::ffff:192.0.2.7]:50000".parse().unwrap()));
    }

    #[test]
    fn raw_shows_its_protocol_and_other_families_are_left_out() {
        let mut bytes = listening_v4();
        set(&mut bytes, PROTOCOL_KIND, KIND_INTERNET);
        set(&mut bytes, PROTOCOL, 1);
        set(&mut bytes, TYPE, TYPE_RAW);
        assert_eq!(parse(&bytes).unwrap().unwrap().local.port(), 1);
        for other in [0, 3, 4, 5, 6, 7, u32::MAX] {
            set(&mut bytes, PROTOCOL_KIND, other);
            assert_eq!(parse(&bytes), Ok(None));
        }
    }

    #[test]
    fn every_other_size_and_every_forbidden_value_is_refused() {
        let whole = listening_v4();
        for end in 0..BYTES {
            assert!(parse(&whole[..end]).is_err());
        }
        let mut bytes = whole.clone();
        set(&mut bytes, TCP_STATE, 11);
        assert_eq!(parse(&bytes).unwrap_err().at, TCP_STATE);
        bytes = whole;
        set(&mut bytes, FAMILY, 1);
        assert_eq!(parse(&bytes).unwrap_err().at, FAMILY);
    }

    #[test]
    fn a_seeded_random_run_keeps_what_records_promise() {
        let mut state = 0x420_u64;
        for _ in 0..20_000 {
            let mut bytes = listening_v4();
            for _ in 0..8 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = SOCKET + usize::try_from(state >> 33).unwrap() % 340;
                bytes[at] = state.to_le_bytes()[1];
            }
            if let Ok(Some(record)) = parse(&bytes) {
                assert_eq!(record.local.is_ipv4(), record.family == Family::V4);
                assert_eq!(
                    record.backlog.is_some(),
                    record.kind == Kind::Tcp && record.state == State::Listening
                );
            }
        }
    }
}
