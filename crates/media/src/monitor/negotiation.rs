//! RTSP overheard: connections that begin with it, wherever they go, and the sessions that are set up on them.

use std::collections::HashMap;
use std::net::SocketAddr;

use model::{Timestamp, Utc};
use wire::address::Address;
use wire::packet::Packet as IpPacket;
use wire::tcp::Flags;

use crate::rtsp::{From, Overheard};

/// So many connections are followed at a time.
const MOST_CONNECTIONS: usize = 256;
/// What a client begins with (RFC 2326 §10, RFC 7826 §13).
const METHODS: [&[u8]; 4] = [b"OPTIONS ", b"DESCRIBE ", b"SETUP ", b"ANNOUNCE "];

/// One connection, and which byte of each side comes next.
#[derive(Debug)]
struct Connection {
    overheard: Overheard,
    client: SocketAddr,
    next: [Option<u32>; 2],
}

/// All connections that are followed.
#[derive(Debug, Default)]
pub(super) struct Negotiations {
    list: Vec<Connection>,
    places: HashMap<(SocketAddr, SocketAddr), usize>,
    /// A bit for each of them, at a place that follows from its ends: where there is none, nothing need be looked up.
    marks: Vec<u64>,
    left_out: u64,
}

/// Words of marks: with all connections in use, one packet of 64 finds the mark of another.
const MARK_WORDS: usize = 256;

/// The word and the bit of a connection, the same for both directions.
#[inline]
fn mark(packet: &IpPacket<'_>) -> (usize, u64) {
    let end = |address: Address, port: u16| address.high ^ address.low ^ u64::from(port) << 40;
    let ends = end(packet.source, packet.source_port)
        .wrapping_add(end(packet.destination, packet.destination_port))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (usize::try_from(ends >> 56).unwrap_or(0), 1 << (ends >> 50 & 63))
}

/// Whether a client's bytes begin RTSP.
fn begins(payload: &[u8]) -> bool {
    METHODS.iter().any(|method| payload.starts_with(method))
        && payload
            .split(|byte| *byte == b'\r')
            .next()
            .is_some_and(|line| line.ends_with(b" RTSP/1.0") || line.ends_with(b" RTSP/2.0"))
}

impl Negotiations {
    /// Takes a packet of TCP. Gives the connection on which something may have been negotiated.
    #[inline]
    pub(super) fn handle(
        &mut self,
        packet: &IpPacket<'_>,
        time: Option<Timestamp<Utc>>,
    ) -> Option<&Overheard> {
        // Most connections are something else, and end here.
        let (word, bit) = mark(packet);
        let marked = self.marks.get(word).is_some_and(|marks| marks & bit != 0);
        if !marked && !begins(packet.payload) {
            return None;
        }
        self.follow(packet, time)
    }

    #[cold]
    fn follow(&mut self, packet: &IpPacket<'_>, time: Option<Timestamp<Utc>>) -> Option<&Overheard> {
        let tcp = packet.tcp()?;
        let source = SocketAddr::new(packet.source.to_ip(), packet.source_port);
        let destination = SocketAddr::new(packet.destination.to_ip(), packet.destination_port);
        let known = self.places.get(&(source, destination)).or(self.places.get(&(destination, source)));
        let at = match known.copied() {
            Some(at) => at,
            None if !begins(packet.payload) => return None,
            None if self.list.len() >= MOST_CONNECTIONS => {
                self.left_out += 1;
                return None;
            }
            None => {
                let overheard = Overheard::new(source, destination);
                self.list.push(Connection { overheard, client: source, next: [None; 2] });
                self.places.insert((source, destination), self.list.len() - 1);
                self.marks.resize(MARK_WORDS, 0);
                let (word, bit) = mark(packet);
                if let Some(marks) = self.marks.get_mut(word) {
                    *marks |= bit;
                }
                self.list.len() - 1
            }
        };
        let connection = self.list.get_mut(at)?;
        let from_client = source == connection.client;
        let [of_client, of_server] = &mut connection.next;
        let next = if from_client { of_client } else { of_server };
        // What came before is taken for granted; what comes again is passed over.
        let passed = next.map_or(0, |next| next.wrapping_sub(tcp.sequence));
        let fresh = match usize::try_from(passed) {
            Ok(passed) if passed <= packet.payload.len() => packet.payload.get(passed..).unwrap_or_default(),
            _ if next.is_some() && passed < 1 << 31 => &[],
            // Bytes were lost: nothing more can be told of this side.
            _ => packet.payload,
        };
        if !fresh.is_empty() {
            let length = u32::try_from(packet.payload.len()).unwrap_or(0);
            *next = Some(tcp.sequence.wrapping_add(length));
            connection.overheard.feed(if from_client { From::Client } else { From::Server }, fresh, time);
        }
        if tcp.flags.has(Flags::FIN) || tcp.flags.has(Flags::RST) {
            connection.overheard.close(time);
        } else if fresh.is_empty() {
            return None;
        }
        Some(&connection.overheard)
    }

    /// Connections for which there was no room.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
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
}
