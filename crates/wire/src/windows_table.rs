//! The socket tables of Windows with their owners: `MIB_TCPTABLE_OWNER_PID` and its kin (tcpmib.h, udpmib.h), as
//! `GetExtendedTcpTable` and `GetExtendedUdpTable` fill them: a count, then rows of one size.
//!
//! Read by offset, so that the reader can be tested on any system.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use model::State;

use crate::Fault;
use crate::cursor::{array, be16, le32};

/// Which table the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `MIB_TCPTABLE_OWNER_PID`.
    Tcp4,
    /// `MIB_TCP6TABLE_OWNER_PID`.
    Tcp6,
    /// `MIB_UDPTABLE_OWNER_PID`.
    Udp4,
    /// `MIB_UDP6TABLE_OWNER_PID`.
    Udp6,
}

impl Table {
    /// Every table.
    pub const ALL: [Table; 4] = [Table::Tcp4, Table::Tcp6, Table::Udp4, Table::Udp6];

    /// Whether its rows are TCP sockets.
    pub fn is_tcp(self) -> bool {
        matches!(self, Table::Tcp4 | Table::Tcp6)
    }

    fn row_bytes(self) -> usize {
        match self {
            Table::Tcp4 => 24,
            Table::Tcp6 => 56,
            Table::Udp4 => 12,
            Table::Udp6 => 28,
        }
    }
}

/// One socket and its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Local address and port.
    pub local: SocketAddr,
    /// The peer, where connected.
    pub peer: Option<SocketAddr>,
    /// What it does.
    pub state: State,
    /// The process that owns it; 0 where the system names none.
    pub pid: u32,
}

/// Parses one table.
pub fn parse(table: Table, bytes: &[u8]) -> Result<Vec<Row>, Fault> {
    let fault = |at, what| Fault { layer: "windows socket table", at, what };
    let count = le32(bytes, 0).ok_or(fault(0, "no room for the count"))?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let rows = bytes.get(4..).unwrap_or_default();
    // The system may give a longer buffer than it filled, never a shorter one.
    let whole = rows.len() / table.row_bytes();
    if whole < count {
        return Err(fault(4 + whole * table.row_bytes(), "fewer rows than the count says"));
    }
    let mut found = Vec::with_capacity(count);
    for (index, row) in rows.chunks_exact(table.row_bytes()).take(count).enumerate() {
        let at = 4 + index * table.row_bytes();
        found.push(parse_row(table, row).ok_or(fault(at, "no such state (tcpmib.h, MIB_TCP_STATE)"))?);
    }
    Ok(found)
}

fn parse_row(table: Table, row: &[u8]) -> Option<Row> {
    // A port stands in network order in the low half of a number.
    let v4 = |at: usize| -> Option<SocketAddr> {
        Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(array::<4>(row, at)?)), be16(row, at + 4)?))
    };
    let v6 = |at: usize| -> Option<SocketAddr> {
        let (ip, zone, port) =
            (Ipv6Addr::from(array::<16>(row, at)?), le32(row, at + 16)?, be16(row, at + 20)?);
        // Only a link-local address needs its zone (RFC 4007 §6); some systems number that of others, too.
        let zone = if ip.is_unicast_link_local() { zone } else { 0 };
        Some(SocketAddr::V6(SocketAddrV6::new(ip, port, 0, zone)))
    };
    let (local, peer, state, pid) = match table {
        Table::Tcp4 => (v4(4)?, Some(v4(12)?), state(le32(row, 0)?)?, le32(row, 20)?),
        Table::Tcp6 => (v6(0)?, Some(v6(24)?), state(le32(row, 48)?)?, le32(row, 52)?),
        Table::Udp4 => (v4(0)?, None, State::Listening, le32(row, 8)?),
        Table::Udp6 => (v6(0)?, None, State::Listening, le32(row, 24)?),
    };
    // A listener's row has a peer too, and what stands there means nothing.
    let peer = peer.filter(|peer| state != State::Listening && peer.port() != 0);
    Some(Row { local, peer, state, pid })
}

/// `MIB_TCP_STATE`; 100 and above are states of Windows' own for sockets that are bound only.
fn state(number: u32) -> Option<State> {
    match number {
        1 | 100 => Some(State::Bound),
        2 => Some(State::Listening),
        3 | 4 => Some(State::Opening),
        5 => Some(State::Established),
        6..=12 => Some(State::Closing),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp4(rows: &[(u32, [u8; 4], u16, u16, u32)]) -> Vec<u8> {
        let mut bytes = u32::try_from(rows.len()).unwrap().to_le_bytes().to_vec();
        for (state, addr, port, peer, pid) in rows {
            bytes.extend(state.to_le_bytes());
            bytes.extend(addr);
            bytes.extend(port.to_be_bytes());
            // The upper half of a port is not cleared by the system.
            bytes.extend([0xaa, 0xbb]);
            bytes.extend([192, 0, 2, 1]);
            bytes.extend(peer.to_be_bytes());
            bytes.extend([0, 0]);
            bytes.extend(pid.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn tcp_rows_are_read() {
        let rows = parse(Table::Tcp4, &tcp4(&[(2, [0; 4], 420, 77, 812), (5, [127, 0, 0, 1], 5000, 443, 9)]))
            .unwrap();
        let listener =
            Row { local: "0.0.0.0:420".parse().unwrap(), peer: None, state: State::Listening, pid: 812 };
        let connected = Row {
            local: "127.0.0.1:5000".parse().unwrap(),
            peer: Some("192.0.2.1:443".parse().unwrap()),
            state: State::Established,
            pid: 9,
        };
        assert_eq!(rows, [listener, connected]);
    }

    #[test]
    fn v6_rows_keep_their_zone() {
        let mut bytes = 1_u32.to_le_bytes().to_vec();
        bytes.extend("fe80::1".parse::<Ipv6Addr>().unwrap().octets());
        bytes.extend(7_u32.to_le_bytes());
        bytes.extend([0x01, 0xa4, 0, 0]);
        bytes.extend(812_u32.to_le_bytes());
        let rows = parse(Table::Udp6, &bytes).unwrap();
        assert_eq!(rows[0].local, SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 420, 0, 7)));
        assert_eq!((rows[0].pid, rows[0].state), (812, State::Listening));
        let mut udp4 = 1_u32.to_le_bytes().to_vec();
        udp4.extend([127, 0, 0, 1, 0x01, 0xa4, 0, 0, 1, 0, 0, 0]);
        assert_eq!(parse(Table::Udp4, &udp4).unwrap()[0].local, "127.0.0.1:420".parse().unwrap());
        let mut tcp6 = 1_u32.to_le_bytes().to_vec();
        tcp6.extend([0; 20]);
        tcp6.extend([0x24, 0xe3, 0, 0]);
        tcp6.extend([0; 24]);
        tcp6.extend(2_u32.to_le_bytes());
        tcp6.extend(0_u32.to_le_bytes());
        assert_eq!(parse(Table::Tcp6, &tcp6).unwrap()[0].local, "[::]:9443".parse().unwrap());
    }

    #[test]
    fn every_prefix_is_refused_and_every_state_is_known_or_refused() {
        let whole = tcp4(&[(2, [0; 4], 420, 0, 1), (2, [0; 4], 421, 0, 1)]);
        for end in 0..whole.len() {
            assert!(parse(Table::Tcp4, &whole[..end]).is_err(), "{end}");
        }
        let mut longer = whole.clone();
        longer.extend([0; 100]);
        assert_eq!(parse(Table::Tcp4, &longer).unwrap().len(), 2);
        for forbidden in [0, 13, 99, 101, u32::MAX] {
            assert_eq!(parse(Table::Tcp4, &tcp4(&[(forbidden, [0; 4], 1, 0, 1)])).unwrap_err().at, 4);
        }
    }

    #[test]
    fn a_count_that_lies_takes_no_memory() {
        for table in Table::ALL {
            assert!(parse(table, &u32::MAX.to_le_bytes()).is_err());
        }
    }

    #[test]
    fn a_seeded_random_run_gives_as_many_rows_as_counted() {
        let mut seed = 0x420_u64;
        for _ in 0..5_000 {
            let mut bytes = Vec::new();
            for _ in 0..64 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                bytes.push(seed.to_le_bytes()[5]);
            }
            bytes[1..4].fill(0);
            bytes[0] &= 3;
            for table in Table::ALL {
                if let Ok(rows) = parse(table, &bytes) {
                    assert_eq!(rows.len(), usize::from(bytes[0]));
                    assert!(
                        rows.iter()
                            .all(|row| row.local.is_ipv6() == matches!(table, Table::Tcp6 | Table::Udp6))
                    );
                }
            }
        }
    }
}
