//! What a packet is, as plain data that is cheap to copy.

use core::net::IpAddr;

use crate::address::Address;
use crate::icmp::Icmp;
use crate::protocol::Protocol;
use crate::tcp::Tcp;

/// The version of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The facts of one packet, of its innermost IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// From whom.
    pub source: Address,
    /// To whom.
    pub destination: Address,
    /// The sender's port; 0 where the protocol has none or the piece does not hold it.
    pub source_port: u16,
    /// The receiver's port; 0 where the protocol has none or the piece does not hold it.
    pub destination_port: u16,
    /// What IP carries, behind extension headers.
    pub protocol: Protocol,
    /// Which version of IP.
    pub version: Version,
    /// Hops that are left.
    pub ttl: u8,
    /// DSCP (the upper six bits) and ECN (the lower two).
    pub traffic_class: u8,
    /// Whether its IP header claims more than was on the wire; a receiver throws such a packet away (Linux
    /// `ip_rcv`).
    pub exceeds_frame: bool,
    /// Its length with the IP header, by that header; without the padding of the link.
    pub ip_bytes: u32,
    /// The length of its payload by the headers; more than `payload` holds where the frame was snapped, or where
    /// [`Packet::exceeds_frame`].
    pub payload_wire_bytes: u32,
    /// Offset of the payload from the start of the frame.
    pub payload_at: u32,
    /// What the innermost header carries, as far as it was captured.
    pub payload: &'a [u8],
    /// What the header of the transport says beside ports.
    pub detail: Detail<'a>,
    /// Where this is a piece of a packet: which.
    pub fragment: Option<Fragment<'a>>,
    /// The VLAN tags met on the way.
    pub vlans: Vlans,
    /// What was unwrapped on the way.
    pub tunnels: Tunnels,
}

/// What the header of a transport says beside ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail<'a> {
    /// Nothing more: UDP, a protocol that is not read further, or a header that was cut.
    Nothing,
    /// TCP.
    Tcp(Tcp<'a>),
    /// ICMP of either version.
    Icmp(Icmp),
    /// IGMP, by its kind (RFC 9776 §4).
    Igmp {
        /// Its `type`.
        kind: u8,
    },
    /// SCTP (RFC 9260 §3.1).
    Sctp {
        /// The tag that the receiver chose.
        verification_tag: u32,
    },
    /// DCCP (RFC 4340 §5.1).
    Dccp {
        /// Its `Type`: 0 is a request, 1 a response.
        kind: u8,
    },
    /// ESP (RFC 4303 §2).
    Esp {
        /// Which association it belongs to.
        security_parameters: u32,
        /// Its number in the association.
        sequence: u32,
    },
}

/// A piece of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Identifies the pieces of one packet, together with addresses and (IPv4) protocol.
    pub id: u32,
    /// Where it stands in the whole, in bytes.
    pub offset: u16,
    /// Whether pieces follow.
    pub more: bool,
    /// What the whole begins with.
    pub protocol: Protocol,
    /// Its bytes, as far as they were captured.
    pub bytes: &'a [u8],
    /// Its length by the IP header.
    pub wire_bytes: u32,
}

/// The identifiers of VLAN tags met on the way, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Vlans {
    /// Of the first tag.
    pub outer: Option<u16>,
    /// Of the last, where there are several.
    pub inner: Option<u16>,
}

impl Vlans {
    /// These, and then those of a frame further inside.
    #[must_use]
    pub fn then(self, inside: Vlans) -> Vlans {
        match self.outer {
            None => inside,
            Some(_) => Vlans { outer: self.outer, inner: inside.inner.or(inside.outer).or(self.inner) },
        }
    }
}

/// What something was wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TunnelKind {
    /// MPLS; the number is the last label.
    Mpls,
    /// PPPoE; the number is the session.
    Pppoe,
    /// IPv4 or IPv6 directly in IP (RFC 2003, RFC 4213, RFC 2473).
    Ip,
    /// GRE; the number is the key, or 0.
    Gre,
    /// ERSPAN; the number is the session.
    Erspan,
    /// VXLAN; the number is the network identifier.
    Vxlan,
    /// GENEVE; the number is the network identifier.
    Geneve,
    /// GTP-U; the number is the tunnel endpoint.
    Gtp,
    /// Ethernet directly in IP.
    Ethernet,
    /// IP over UDP, behind a short header or none.
    Gue,
    /// IPv6 over UDP through translators (RFC 4380).
    Teredo,
    /// L2TP; the number is the session, of version 2 behind the tunnel in its upper half.
    L2tp,
    /// CAPWAP; the number is the radio.
    Capwap,
    /// 802.1ah; the number is the service.
    Service,
    /// NSH; the number is the path.
    Services,
    /// MACsec that only signs; the number is the association.
    Macsec,
    /// AH, which signs and does not hide; the number is the security parameters index.
    Authentication,
}

impl TunnelKind {
    /// Whether IP carries it, so that there is a packet around.
    pub fn is_in_ip(self) -> bool {
        !matches!(
            self,
            TunnelKind::Mpls
                | TunnelKind::Pppoe
                | TunnelKind::Service
                | TunnelKind::Services
                | TunnelKind::Macsec
        )
    }

    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            TunnelKind::Mpls => "mpls",
            TunnelKind::Pppoe => "pppoe",
            TunnelKind::Ip => "ip",
            TunnelKind::Gre => "gre",
            TunnelKind::Erspan => "erspan",
            TunnelKind::Vxlan => "vxlan",
            TunnelKind::Geneve => "geneve",
            TunnelKind::Gtp => "gtp",
            TunnelKind::Ethernet => "ethernet",
            TunnelKind::Gue => "gue",
            TunnelKind::Teredo => "teredo",
            TunnelKind::L2tp => "l2tp",
            TunnelKind::Capwap => "capwap",
            TunnelKind::Service => "802.1ah",
            TunnelKind::Services => "nsh",
            TunnelKind::Macsec => "macsec",
            TunnelKind::Authentication => "ah",
        }
    }
}

/// One thing that was unwrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// What kind.
    pub kind: TunnelKind,
    /// Its number, as the kind says.
    pub id: u32,
    /// Where its IP header begins in the frame, for [`super::decode_outer`]; of MPLS and PPPoE, its own header.
    pub at: u32,
}

/// More layers of tunnels than this are a fault.
pub const MOST_TUNNELS: usize = 6;

/// What was unwrapped, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tunnels {
    entries: [Option<Tunnel>; MOST_TUNNELS],
}

impl Tunnels {
    /// One more; `false` where there is no room.
    pub(super) fn push(&mut self, tunnel: Tunnel) -> bool {
        let free = self.entries.iter_mut().find(|entry| entry.is_none());
        free.map(|entry| *entry = Some(tunnel)).is_some()
    }

    /// The outermost `count`.
    pub(super) fn first(mut self, count: usize) -> Tunnels {
        for entry in self.entries.iter_mut().skip(count) {
            *entry = None;
        }
        self
    }

    /// From outside to inside.
    pub fn iter(&self) -> impl Iterator<Item = Tunnel> {
        self.entries.iter().map_while(|entry| *entry)
    }

    /// Whether nothing was unwrapped.
    #[inline]
    pub fn is_empty(&self) -> bool {
        matches!(self.entries, [None, ..])
    }
}

impl<'a> Packet<'a> {
    /// What the header of TCP says, where it was captured whole.
    #[inline]
    pub fn tcp(&self) -> Option<&Tcp<'a>> {
        if let Detail::Tcp(tcp) = &self.detail { Some(tcp) } else { None }
    }

    /// What the header of ICMP says.
    #[inline]
    pub fn icmp(&self) -> Option<Icmp> {
        if let Detail::Icmp(icmp) = self.detail { Some(icmp) } else { None }
    }

    /// From whom, as the standard library has it.
    pub fn source_ip(&self) -> IpAddr {
        ip(self.version, self.source)
    }

    /// To whom, as the standard library has it.
    pub fn destination_ip(&self) -> IpAddr {
        ip(self.version, self.destination)
    }

    /// Whether fewer bytes of the payload were captured than there were.
    #[inline]
    pub fn is_snapped(&self) -> bool {
        self.payload.len() < self.payload_wire_bytes as usize
    }
}

fn ip(version: Version, address: Address) -> IpAddr {
    match version {
        Version::V4 => address.to_ip(),
        Version::V6 => IpAddr::V6(address.to_v6()),
    }
}
