//! The text tables of sockets in /proc/net (Linux `Documentation/networking/proc_net_tcp.rst`; `net/ipv4/tcp_ipv4.c`,
//! `net/ipv4/udp.c`, `net/packet/af_packet.c`, `net/sctp/proc.c`).

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::Fault;

/// Faults that are reported of one table; the rest is as likely the same fault again.
const MAX_FAULTS: usize = 16;

/// How a table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `tcp`, `udp`, `udplite`, `raw`, and the same with a 6.
    Inet,
    /// `packet`.
    Packet,
    /// `sctp/eps`: what waits for peers, or is bound.
    SctpEndpoints,
    /// `sctp/assocs`: connections.
    SctpAssociations,
}

/// One socket. What the table does not have is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Local address and port. Raw: the protocol number. Packet: the EtherType.
    pub local: SocketAddr,
    /// The peer; unspecified with port 0 where there is none.
    pub peer: SocketAddr,
    /// The kernel's number for the state; the one of TCP in every table (`include/net/tcp_states.h`).
    pub state: u8,
    /// Connections waiting to be accepted, or bytes waiting to be read.
    pub queued: u32,
    /// Who made it.
    pub uid: u32,
    /// Its inode; 0 where the kernel has none any more.
    pub inode: u64,
    /// The interface it is bound to; packet sockets only.
    pub interface: u32,
}

const CLOSE: u8 = 7;

/// Parses a table with its heading; lines that are none are reported by number, from 1.
pub fn parse(table: Table, text: &[u8]) -> (Vec<Row>, Vec<Fault>) {
    let mut rows = Vec::with_capacity(text.len() / 150);
    let mut faults = Vec::new();
    for (line, number) in text.split(|byte| *byte == b'\n').zip(1_usize..) {
        // The heading names the columns.
        if number == 1 || line.trim_ascii().is_empty() {
            continue;
        }
        match row(table, line) {
            Some(row) => rows.push(row),
            None if faults.len() < MAX_FAULTS => {
                faults.push(Fault {
                    layer: "proc net",
                    at: number,
                    what: "a line without the columns of its heading",
                });
            }
            None => {}
        }
    }
    (rows, faults)
}

fn row(table: Table, line: &[u8]) -> Option<Row> {
    let mut words = Words(line);
    match table {
        Table::Inet => inet(&mut words),
        Table::Packet => packet(&mut words),
        Table::SctpEndpoints => endpoint(&mut words),
        Table::SctpAssociations => association(&mut words),
    }
}

/// Words between spaces and tabs.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    fn word(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.trim_ascii_start();
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at_checked(end)?;
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        (0..count).try_for_each(|_| self.word().map(|_| ()))
    }

    fn decimal(&mut self) -> Option<u64> {
        decimal(self.word()?)
    }
}

fn decimal(word: &[u8]) -> Option<u64> {
    word.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(*byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

fn hex(word: &[u8]) -> Option<u32> {
    if word.is_empty() || word.len() > 8 {
        return None;
    }
    word.iter().try_fold(0_u32, |sum, byte| Some(sum << 4 | char::from(*byte).to_digit(16)?))
}

/// The word before and after a separator.
fn halves(word: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = word.iter().position(|byte| *byte == separator)?;
    Some((word.get(..at)?, word.get(at.checked_add(1)?..)?))
}

/// An address in hexadecimal: words of 32 bits in the machine's own order, as they lie in memory.
fn endpoint_of(word: &[u8]) -> Option<SocketAddr> {
    let (addr, port) = halves(word, b':')?;
    let port = (port.len() == 4).then(|| hex(port)).flatten().and_then(|port| u16::try_from(port).ok())?;
    let ip = match addr.len() {
        8 => IpAddr::from(hex(addr)?.to_ne_bytes()),
        32 => {
            let mut octets = [0; 16];
            for (to, from) in octets.chunks_mut(4).zip(addr.chunks(8)) {
                to.copy_from_slice(&hex(from)?.to_ne_bytes());
            }
            IpAddr::from(octets)
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn inet(words: &mut Words<'_>) -> Option<Row> {
    // A slot number with a colon; it has as many digits as it needs.
    words.word()?.strip_suffix(b":").and_then(decimal)?;
    let (local, peer) = (endpoint_of(words.word()?)?, endpoint_of(words.word()?)?);
    if local.is_ipv4() != peer.is_ipv4() {
        return None;
    }
    let state = u8::try_from(hex(words.word()?)?).ok()?;
    let (_, received) = halves(words.word()?, b':')?;
    let queued = hex(received)?;
    words.skip(2)?;
    let uid = u32::try_from(words.decimal()?).ok()?;
    words.skip(1)?;
    Some(Row { local, peer, state, queued, uid, inode: words.decimal()?, interface: 0 })
}

fn packet(words: &mut Words<'_>) -> Option<Row> {
    words.skip(3)?;
    let ether_type = u16::try_from(hex(words.word()?)?).ok()?;
    let interface = u32::try_from(words.decimal()?).ok()?;
    words.skip(1)?;
    let queued = u32::try_from(words.decimal()?).unwrap_or(u32::MAX);
    let uid = u32::try_from(words.decimal()?).ok()?;
    let local = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), ether_type);
    let peer = nobody(local);
    Some(Row { local, peer, state: CLOSE, queued, uid, inode: words.decimal()?, interface })
}

/// No peer, in the family of this address.
fn nobody(local: SocketAddr) -> SocketAddr {
    SocketAddr::new(model::socket::unspecified(local.is_ipv6()), 0)
}

/// An address in its usual form; the primary one has a star.
fn ip(word: &[u8]) -> Option<IpAddr> {
    let bare = word.strip_prefix(b"*").unwrap_or(word);
    core::str::from_utf8(bare).ok()?.parse().ok()
}

/// `ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS`; of several local addresses the first is kept.
fn endpoint(words: &mut Words<'_>) -> Option<Row> {
    words.skip(3)?;
    let state = u8::try_from(words.decimal()?).ok()?;
    words.skip(1)?;
    let port = u16::try_from(words.decimal()?).ok()?;
    let uid = u32::try_from(words.decimal()?).ok()?;
    let inode = words.decimal()?;
    let local = SocketAddr::new(ip(words.word()?)?, port);
    Some(Row { local, peer: nobody(local), state, queued: 0, uid, inode, interface: 0 })
}

/// `ASSOC SOCK STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS …`; of several
/// addresses the first is kept.
fn association(words: &mut Words<'_>) -> Option<Row> {
    words.skip(4)?;
    // SCTP_STATE_CLOSED, COOKIE_WAIT, COOKIE_ECHOED, ESTABLISHED, and four kinds of shutting down
    let state = match words.decimal()? {
        0 => CLOSE,
        1 | 2 => 2,
        3 => 1,
        4..=7 => 4,
        _ => return None,
    };
    words.skip(3)?;
    let queued = u32::try_from(words.decimal()?).unwrap_or(u32::MAX);
    let uid = u32::try_from(words.decimal()?).ok()?;
    let inode = words.decimal()?;
    let local_port = u16::try_from(words.decimal()?).ok()?;
    let peer_port = u16::try_from(words.decimal()?).ok()?;
    let local = SocketAddr::new(ip(words.word()?)?, local_port);
    while words.word()? != b"<->" {}
    let peer = SocketAddr::new(ip(words.word()?)?, peer_port);
    Some(Row { local, peer, state, queued, uid, inode, interface: 0 })
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(text: &[u8]) {
    for table in [Table::Inet, Table::Packet, Table::SctpEndpoints, Table::SctpAssociations] {
        let (rows, faults) = parse(table, text);
        let lines = text.split(|byte| *byte == b'\n').count();
        assert!(rows.len() + faults.len() < lines.max(2));
        assert!(faults.is_sorted_by_key(|fault| fault.at) && faults.iter().all(|fault| fault.at <= lines));
        // A line is read alone or among others the same way.
        let mut apart = Vec::new();
        for line in text.split(|byte| *byte == b'\n').skip(1) {
            apart.extend(parse(table, &[b"\n", line].concat()).0);
        }
        assert_eq!(apart, rows);
        if table == Table::Inet {
            for row in &rows {
                let again = written(row);
                assert_eq!(parse(table, &again), (Vec::from([*row]), Vec::new()));
            }
        }
    }
}

/// A row as the kernel would write it, heading included.
fn written(row: &Row) -> Vec<u8> {
    let address = |address: SocketAddr| {
        let words: alloc::string::String = match address.ip() {
            IpAddr::V4(ip) => alloc::format!("{:08X}", u32::from_ne_bytes(ip.octets())),
            IpAddr::V6(ip) => {
                let octets = ip.octets();
                let (words, _) = octets.as_chunks::<4>();
                words.iter().map(|word| alloc::format!("{:08X}", u32::from_ne_bytes(*word))).collect()
            }
        };
        alloc::format!("{words}:{:04X}", address.port())
    };
    let (local, peer) = (address(row.local), address(row.peer));
    let Row { state, queued, uid, inode, .. } = row;
    alloc::format!(
        "heading\n   0: {local} {peer} {state:02X} 00000000:{queued:08X} 00:00000000 00000000 {uid:5}        0 {inode} 2\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:01A4 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000        0 770208 1 00000000ba617c8e 100 0 0 10 0                    
12345: 0100007F:01A4 0200007F:C001 01 00000010:00000007 02:000005DC 00000000     0        0 752096 2 0000000000000000 20 4 30 10 -1
   2: 0100007F:01A4 0200007F:C002 06 00000000:00000000 03:000005DC 00000000     0        0 0 3 0000000000000000
";
    const UDP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  420: B80D0120000000000000000001000000:14E9 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 31 2 0000000000000000 0
";
    const PACKET: &str = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode
000000001f2e3d4c 3      3    0003   2     1 4608   0      99887 
";
    const EPS: &str = " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS
00000000 00000000 2   10  26   3868     0 41234 0.0.0.0 
00000000 00000000 0   7   26   3869  1000 41235 2001:0db8:0000:0000:0000:0000:0000:0001 10.0.0.1 
";
    const ASSOCS: &str = " ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS HBINT INS OUTS MAXRT T1X T2X RTXC wmema wmemq sndbuf rcvbuf
00000000 00000000 2   1   3  0       1        0        5       0 41236 3868  40000  10.0.0.1 10.0.1.1 <-> *10.0.0.2 10.0.1.2 \t    7500    10    10   10    0    0        0        1        0   212992   212992
";

    fn only(table: Table, text: &str) -> Vec<Row> {
        let (rows, faults) = parse(table, text.as_bytes());
        assert_eq!(faults, []);
        rows
    }

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn inet_tables() {
        // The samples are of a little-endian machine.
        if cfg!(target_endian = "big") {
            return;
        }
        let rows = only(Table::Inet, TCP);
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[0].local, rows[0].peer), (at("127.0.0.1:420"), at("0.0.0.0:0")));
        let first = &rows[0];
        assert_eq!((first.state, first.queued, first.uid, first.inode), (10, 3, 1000, 770_208));
        assert_eq!((rows[1].peer, rows[1].state, rows[1].queued), (at("127.0.0.2:49153"), 1, 7));
        assert_eq!((rows[2].state, rows[2].inode), (6, 0));
        let rows = only(Table::Inet, UDP6);
        assert_eq!((rows[0].local, rows[0].uid), (at("[2001:db8::1]:5353"), 101));
    }

    #[test]
    fn other_tables() {
        let rows = only(Table::Packet, PACKET);
        assert_eq!((rows[0].local.port(), rows[0].interface, rows[0].inode), (3, 2, 99_887));
        let rows = only(Table::SctpEndpoints, EPS);
        assert_eq!((rows[0].local, rows[0].state), (at("0.0.0.0:3868"), 10));
        assert_eq!((rows[1].local, rows[1].uid, rows[1].inode), (at("[2001:db8::1]:3869"), 1000, 41_235));
        let rows = only(Table::SctpAssociations, ASSOCS);
        assert_eq!((rows[0].local, rows[0].peer), (at("10.0.0.1:3868"), at("10.0.0.2:40000")));
        assert_eq!((rows[0].state, rows[0].queued, rows[0].inode), (1, 5, 41_236));
    }

    #[test]
    fn lines_that_are_none_are_reported_and_the_rest_kept() {
        let good = TCP.lines().nth(1).unwrap();
        for (from, to) in [
            ("0:", "0"),
            ("0:", "x:"),
            ("0100007F", "0100007"),
            ("0100007F", "0100007G"),
            ("01A4", "101A4"),
            ("0A ", "10A "),
            ("00000000:00000003", "0000000000000003"),
            ("00000003 00", "100000003 00"),
            (" 1000 ", " 4294967296 "),
            (" 1000 ", " -1 "),
            ("770208", "99999999999999999999"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            let (rows, faults) = parse(Table::Inet, std::format!("heading\n{bad}\n{good}\n").as_bytes());
            assert_eq!((rows.len(), faults.len()), (1, 1), "{bad}");
            assert_eq!(faults[0].at, 2);
        }
        let many: String = core::iter::repeat_n("no row\n", 1000).collect();
        assert_eq!(parse(Table::Packet, many.as_bytes()).1.len(), MAX_FAULTS);
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let mut seed = 13_u64;
        for text in [TCP, UDP6, PACKET, EPS, ASSOCS] {
            for end in 0..text.len() {
                check(&text.as_bytes()[..end]);
            }
            let mut copy = text.as_bytes().to_vec();
            for _ in 0..4000 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let place = (seed >> 33) as usize % copy.len();
                let old = copy[place];
                copy[place] = b"0 :\nF9*-"[seed.to_le_bytes()[2] as usize % 8];
                check(&copy);
                copy[place] = old;
            }
        }
    }
}
