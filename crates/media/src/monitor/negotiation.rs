//! RTSP overheard: connections that begin with it, wherever they go, and the sessions that are set up on them.

use std::net::SocketAddr;

use model::media::Session;
use model::{Timestamp, Utc};
use wire::address::Address;
use wire::packet::Packet as IpPacket;
use wire::tcp::{Flags, Progress};

use crate::rtsp::{From, Overheard};

/// So many connections are followed at a time; where there are more, the one that was silent for longest is let go.
const MOST_CONNECTIONS: usize = 256;
/// What a client begins with (RFC 2326 §10, RFC 7826 §13).
const METHODS: [&[u8]; 4] = [b"OPTIONS ", b"DESCRIBE ", b"SETUP ", b"ANNOUNCE "];

/// One end of a connection.
type End = (Address, u16);

/// One connection, and how far each of its sides was heard.
#[derive(Debug)]
struct Connection {
    client: End,
    server: End,
    overheard: Overheard,
    from_client: Progress,
    from_server: Progress,
    /// The packet that was its last, as packets of all connections are counted.
    last: u64,
}

impl Connection {
    /// Who sent a packet, where it is one of this connection.
    fn sender(&self, packet: &IpPacket<'_>) -> Option<From> {
        let source = (packet.source, packet.source_port);
        let destination = (packet.destination, packet.destination_port);
        if (source, destination) == (self.client, self.server) {
            Some(From::Client)
        } else if (destination, source) == (self.client, self.server) {
            Some(From::Server)
        } else {
            None
        }
    }
}

/// All connections that are followed.
#[derive(Debug, Default)]
pub(super) struct Negotiations {
    connections: Vec<Connection>,
    /// Of each of them, at the same place, the number of its ends.
    numbers: Vec<u64>,
    /// A bit for each of them, at a place that follows from its number: where there is none, nothing need be looked up.
    marks: Vec<u64>,
    /// Packets of connections that are followed.
    packets: u64,
    let_go: u64,
}

/// Words of marks: with all connections in use, one packet of 64 finds the mark of another.
const MARK_WORDS: usize = 256;

/// The number of the ends of a connection, the same for both directions. Others may have the same.
#[inline]
fn number(packet: &IpPacket<'_>) -> u64 {
    let end = |address: Address, port: u16| address.high ^ address.low ^ u64::from(port) << 40;
    end(packet.source, packet.source_port)
        .wrapping_add(end(packet.destination, packet.destination_port))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The word and the bit of a number.
#[inline]
fn mark(number: u64) -> (usize, u64) {
    (usize::try_from(number >> 56).unwrap_or(0), 1 << (number >> 50 & 63))
}

fn set(marks: &mut [u64], number: u64) {
    let (word, bit) = mark(number);
    if let Some(marks) = marks.get_mut(word) {
        *marks |= bit;
    }
}

/// Whether a client's bytes begin RTSP.
#[inline]
fn begins(payload: &[u8]) -> bool {
    // Their first letters tell most others apart.
    matches!(payload.first(), Some(b'O' | b'D' | b'S' | b'A'))
        && METHODS.iter().any(|method| payload.starts_with(method))
        && payload
            .split(|byte| *byte == b'\r')
            .next()
            .is_some_and(|line| line.ends_with(b" RTSP/1.0") || line.ends_with(b" RTSP/2.0"))
}

impl Negotiations {
    /// Takes a packet of TCP. Gives what is agreed on its connection, where that may have changed.
    #[inline]
    pub(super) fn handle(
        &mut self,
        packet: &IpPacket<'_>,
        time: Option<Timestamp<Utc>>,
    ) -> Option<Vec<Session>> {
        // Most connections are something else, and end here.
        let number = number(packet);
        let (word, bit) = mark(number);
        let marked = self.marks.get(word).is_some_and(|marks| marks & bit != 0);
        if !marked && !begins(packet.payload) {
            return None;
        }
        self.follow(packet, number, time)
    }

    #[cold]
    fn follow(
        &mut self,
        packet: &IpPacket<'_>,
        number: u64,
        time: Option<Timestamp<Utc>>,
    ) -> Option<Vec<Session>> {
        let tcp = packet.tcp()?;
        let (at, from) = match self.find(packet, number) {
            Some(found) => found,
            None if begins(packet.payload) => (self.begin(packet, number), From::Client),
            None => return None,
        };
        self.packets += 1;
        let connection = self.connections.get_mut(at)?;
        connection.last = self.packets;
        // Its ends are used again: what was agreed between them before is over (RFC 9293 §3.5).
        let anew = tcp.flags.has(Flags::SYN) && !tcp.flags.has(Flags::ACK);
        let ended = anew || tcp.flags.has(Flags::FIN) || tcp.flags.has(Flags::RST);
        let side = match from {
            From::Client => &mut connection.from_client,
            From::Server => &mut connection.from_server,
        };
        let fresh = side.hear(tcp.sequence, packet.payload, packet.payload_wire_bytes).bytes;
        if !fresh.is_empty() {
            connection.overheard.feed(from, fresh, time);
        }
        if ended {
            connection.overheard.close(time);
        } else if fresh.is_empty() {
            return None;
        }
        let sessions = connection.overheard.sessions();
        if ended {
            self.leave(at);
        }
        Some(sessions)
    }

    /// The connection of a packet, and who sent it.
    fn find(&self, packet: &IpPacket<'_>, number: u64) -> Option<(usize, From)> {
        let same =
            self.numbers.iter().zip(&self.connections).enumerate().filter(|(_, (it, _))| **it == number);
        same.filter_map(|(at, (_, connection))| Some((at, connection.sender(packet)?))).next()
    }

    /// Follows a connection from the first words of its client; gives its place.
    fn begin(&mut self, packet: &IpPacket<'_>, number: u64) -> usize {
        if self.connections.len() >= MOST_CONNECTIONS
            && let Some((silent, _)) = self.connections.iter().enumerate().min_by_key(|(_, it)| it.last)
        {
            // What was agreed on it stays agreed; that it is over will not be heard.
            self.leave(silent);
            self.let_go += 1;
        }
        let client = (packet.source, packet.source_port);
        let server = (packet.destination, packet.destination_port);
        let [from, to] = [client, server].map(|(address, port)| SocketAddr::new(address.to_ip(), port));
        self.connections.push(Connection {
            client,
            server,
            overheard: Overheard::new(from, to),
            from_client: Progress::default(),
            from_server: Progress::default(),
            last: self.packets,
        });
        self.numbers.push(number);
        self.marks.resize(MARK_WORDS, 0);
        set(&mut self.marks, number);
        self.connections.len() - 1
    }

    fn leave(&mut self, at: usize) {
        self.connections.swap_remove(at);
        self.numbers.swap_remove(at);
        // Others may have the same mark.
        self.marks.fill(0);
        for number in &self.numbers {
            set(&mut self.marks, *number);
        }
    }

    /// Connections that were let go before their end.
    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_first_line_of_rtsp_begins_one() {
        assert!(begins(b"OPTIONS rtsp://cam/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n"));
        assert!(begins(b"DESCRIBE * RTSP/2.0\r\n"));
        assert!(!begins(b"OPTIONS / HTTP/1.1\r\nHost: RTSP/1.0\r\n"));
        assert!(!begins(b"OPTIONS rtsp://cam/1"));
    }

    fn packet<'a>(
        from: (u8, u16),
        to: (u8, u16),
        (flags, sequence): (u8, u32),
        payload: &'a [u8],
        bytes: &'a mut Vec<u8>,
    ) -> IpPacket<'a> {
        let length = u16::try_from(40 + payload.len()).unwrap();
        *bytes = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, from.0, 10, 0, 0, to.0]);
        bytes.extend_from_slice(&from.1.to_be_bytes());
        bytes.extend_from_slice(&to.1.to_be_bytes());
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(payload);
        let frame = wire::Frame {
            time: None,
            link: wire::LinkType::ETHERNET,
            interface: 0,
            wire_bytes: u32::try_from(bytes.len()).unwrap(),
            bytes,
        };
        match wire::packet::decode(&frame).unwrap() {
            wire::packet::Decoded::Packet(packet) => packet,
            other => unreachable!("{other:?}"),
        }
    }

    const CLIENT: u8 = 7;
    const SERVER: u8 = 1;
    const ACK: u8 = 0x10;
    const FIN: u8 = 0x11;
    const SYN: u8 = 0x02;

    const SETUP: &[u8] = b"SETUP rtsp://10.0.0.1/video RTSP/1.0\r\nCSeq: 1\r\n\
        Transport: RTP/AVP;unicast;client_port=6000-6001\r\n\r\n";
    const GRANTED: &[u8] = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 9\r\n\
        Transport: RTP/AVP;unicast;client_port=6000-6001;server_port=7000-7001\r\n\r\n";

    impl Negotiations {
        /// A segment of the client with this port; with `back`, one of the server.
        fn said(
            &mut self,
            port: u16,
            back: bool,
            control: (u8, u32),
            payload: &[u8],
        ) -> Option<Vec<Session>> {
            let (client, server) = ((CLIENT, port), (SERVER, 554));
            let (from, to) = if back { (server, client) } else { (client, server) };
            let mut bytes = Vec::new();
            self.handle(&packet(from, to, control, payload, &mut bytes), None)
        }

        fn set_up(&mut self, port: u16) -> Vec<Session> {
            self.said(port, false, (ACK, 100), SETUP);
            self.said(port, true, (ACK, 900), GRANTED).unwrap()
        }
    }

    #[test]
    fn a_connection_that_ends_makes_room_and_its_sessions_are_over() {
        let mut all = Negotiations::default();
        let agreed = all.set_up(4000);
        assert_eq!((agreed.len(), all.connections.len()), (1, 1));
        let end = 100 + u32::try_from(SETUP.len()).unwrap();
        assert!(all.said(4000, false, (ACK, end), b"").is_none());
        all.said(4000, false, (FIN, end), b"").unwrap();
        assert!(all.connections.is_empty() && all.marks.iter().all(|marks| *marks == 0));
        // The same ends again, without an end that was seen.
        assert_eq!(all.set_up(4000).len(), 1);
        assert!(all.said(4000, false, (SYN, 5), b"").is_some());
        assert!(all.connections.is_empty());
        assert_eq!((all.set_up(4000).len(), all.let_go()), (1, 0));
    }

    #[test]
    fn of_too_many_the_one_that_was_silent_for_longest_is_let_go() {
        let mut all = Negotiations::default();
        for port in 1000..1256 {
            assert_eq!(all.set_up(port).len(), 1);
        }
        // The first speaks again, so that the second is the one.
        let more = 100 + u32::try_from(SETUP.len()).unwrap();
        all.said(1000, false, (ACK, more), b"OPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n").unwrap();
        assert_eq!(all.let_go(), 0);
        for port in 2000..2010 {
            assert_eq!(all.set_up(port).len(), 1, "there is always room for what is new");
        }
        assert_eq!((all.connections.len(), all.let_go()), (MOST_CONNECTIONS, 10));
        let follows = |all: &Negotiations, port: u16| {
            let client = (Address::from_v4([10, 0, 0, CLIENT]), port);
            all.connections.iter().any(|it| it.client == client && it.server.1 == 554)
        };
        assert!(follows(&all, 1000) && !follows(&all, 1001) && !follows(&all, 1010) && follows(&all, 1011));
        // Nothing that was let go leaves a mark behind.
        let marked: u32 = all.marks.iter().map(|marks| marks.count_ones()).sum();
        assert!(marked <= 256);
    }

    #[test]
    fn a_thousand_connections_one_after_the_other_are_all_followed() {
        let mut all = Negotiations::default();
        for port in 1000..2000 {
            assert_eq!(all.set_up(port).len(), 1);
            all.said(port, true, (FIN, 900 + u32::try_from(GRANTED.len()).unwrap()), b"").unwrap();
        }
        assert_eq!((all.connections.len(), all.let_go()), (0, 0));
    }
}
