//! The numbers of the protocols that IP carries (RFC 790, RFC 8200 §4; the registry is IANA's).

/// What follows a header of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(pub u8);

impl Protocol {
    /// IPv6 Hop-by-Hop options.
    pub const HOP_BY_HOP: Protocol = Protocol(0);
    /// ICMP for IPv4.
    pub const ICMP: Protocol = Protocol(1);
    /// IGMP.
    pub const IGMP: Protocol = Protocol(2);
    /// IPv4 in IP.
    pub const IPV4: Protocol = Protocol(4);
    /// TCP.
    pub const TCP: Protocol = Protocol(6);
    /// UDP.
    pub const UDP: Protocol = Protocol(17);
    /// DCCP.
    pub const DCCP: Protocol = Protocol(33);
    /// IPv6 in IP.
    pub const IPV6: Protocol = Protocol(41);
    /// IPv6 Routing header.
    pub const ROUTING: Protocol = Protocol(43);
    /// IPv6 Fragment header.
    pub const FRAGMENT: Protocol = Protocol(44);
    /// GRE.
    pub const GRE: Protocol = Protocol(47);
    /// Encapsulating Security Payload.
    pub const ESP: Protocol = Protocol(50);
    /// Authentication Header.
    pub const AH: Protocol = Protocol(51);
    /// ICMP for IPv6.
    pub const ICMPV6: Protocol = Protocol(58);
    /// Nothing follows (RFC 8200 §4.7).
    pub const NOTHING: Protocol = Protocol(59);
    /// IPv6 Destination options.
    pub const DESTINATION_OPTIONS: Protocol = Protocol(60);
    /// EtherIP (RFC 3378).
    pub const ETHER_IP: Protocol = Protocol(97);
    /// L2TP version 3 (RFC 3931 §4.1.1).
    pub const L2TP: Protocol = Protocol(115);
    /// SCTP.
    pub const SCTP: Protocol = Protocol(132);
    /// IPv6 Mobility header.
    pub const MOBILITY: Protocol = Protocol(135);
    /// UDP-Lite.
    pub const UDP_LITE: Protocol = Protocol(136);
    /// MPLS in IP (RFC 4023 §3).
    pub const MPLS: Protocol = Protocol(137);
    /// Ethernet in IP (RFC 8986 §4.9).
    pub const ETHERNET: Protocol = Protocol(143);

    /// Whether it is an IPv6 extension header with the usual shape (RFC 6564 §4).
    #[inline]
    pub const fn is_extension(self) -> bool {
        matches!(
            self,
            Protocol::HOP_BY_HOP
                | Protocol::ROUTING
                | Protocol::FRAGMENT
                | Protocol::DESTINATION_OPTIONS
                | Protocol::MOBILITY
                | Protocol(139 | 140)
        )
    }

    /// Its name, where a person might meet it.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Protocol::ICMP => "ICMP",
            Protocol::IGMP => "IGMP",
            Protocol::IPV4 => "IPv4 in IP",
            Protocol::TCP => "TCP",
            Protocol(8) => "EGP",
            Protocol::UDP => "UDP",
            Protocol::DCCP => "DCCP",
            Protocol::IPV6 => "IPv6 in IP",
            Protocol(46) => "RSVP",
            Protocol::GRE => "GRE",
            Protocol::ESP => "ESP",
            Protocol::AH => "AH",
            Protocol::ICMPV6 => "ICMPv6",
            Protocol::NOTHING => "nothing",
            Protocol(88) => "EIGRP",
            Protocol(89) => "OSPF",
            Protocol::ETHER_IP => "EtherIP",
            Protocol(103) => "PIM",
            Protocol(108) => "IPComp",
            Protocol(112) => "VRRP",
            Protocol::L2TP => "L2TP",
            Protocol::SCTP => "SCTP",
            Protocol::MOBILITY => "Mobility header",
            Protocol::UDP_LITE => "UDP-Lite",
            Protocol::MPLS => "MPLS in IP",
            Protocol::ETHERNET => "Ethernet in IP",
            _ => return None,
        })
    }
}
