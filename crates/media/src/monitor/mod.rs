//! Datagrams in, media out: which of them are streams, of which session, and how well they came.

mod book;
mod path;
mod trial;

use std::net::SocketAddr;

use model::media::{Media, Session, SessionSource};
use model::{Timestamp, Utc};
use wire::address::Address;
use wire::packet::Packet as IpPacket;

pub use book::Book;

/// What of a datagram matters here.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// When it was captured.
    pub time: Option<Timestamp<Utc>>,
    /// The number of its frame in the capture, from 1.
    pub frame: u64,
    /// From whom.
    pub source: (Address, u16),
    /// To whom.
    pub destination: (Address, u16),
    /// The outermost VLAN.
    pub vlan: Option<u16>,
    /// Hops that are left.
    pub ttl: u8,
    /// Differentiated services code point (RFC 2474).
    pub dscp: u8,
    /// Octets by its UDP header.
    pub udp_bytes: u16,
    /// What it carries, as far as it was captured.
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// From a decoded packet of UDP.
    pub fn of(packet: &IpPacket<'a>, time: Option<Timestamp<Utc>>, frame: u64) -> Datagram<'a> {
        Datagram {
            time,
            frame,
            source: (packet.source, packet.source_port),
            destination: (packet.destination, packet.destination_port),
            vlan: packet.vlans.outer,
            ttl: packet.ttl,
            dscp: packet.traffic_class >> 2,
            udp_bytes: u16::try_from(packet.payload_wire_bytes.saturating_add(UDP_HEADER_BYTES))
                .unwrap_or(u16::MAX),
            payload: packet.payload,
        }
    }

    fn source(&self) -> SocketAddr {
        SocketAddr::new(self.source.0.to_ip(), self.source.1)
    }

    fn destination(&self) -> SocketAddr {
        SocketAddr::new(self.destination.0.to_ip(), self.destination.1)
    }
}

/// RFC 768.
const UDP_HEADER_BYTES: u32 = 8;
