//! EtherTypes, and the names of those that a person meets (IEEE 802.3 §3.2.6).

/// What a frame carries, as Ethernet numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: EtherType = EtherType(0x0800);
    /// Address resolution (RFC 826).
    pub const ARP: EtherType = EtherType(0x0806);
    /// A frame of Ethernet in a tunnel (RFC 1701, RFC 7637).
    pub const BRIDGED: EtherType = EtherType(0x6558);
    /// A VLAN tag (IEEE 802.1Q).
    pub const VLAN: EtherType = EtherType(0x8100);
    /// IPv6.
    pub const IPV6: EtherType = EtherType(0x86dd);
    /// PPP in a tunnel (RFC 2637).
    pub const PPP: EtherType = EtherType(0x880b);
    /// MPLS, unicast (RFC 3032 §5).
    pub const MPLS: EtherType = EtherType(0x8847);
    /// MPLS, multicast (RFC 5332 §2).
    pub const MPLS_MULTICAST: EtherType = EtherType(0x8848);
    /// PPPoE discovery (RFC 2516 §5).
    pub const PPPOE_DISCOVERY: EtherType = EtherType(0x8863);
    /// PPPoE session (RFC 2516 §6).
    pub const PPPOE_SESSION: EtherType = EtherType(0x8864);
    /// Authentication to a port (IEEE 802.1X).
    pub const EAPOL: EtherType = EtherType(0x888e);
    /// A VLAN tag of a provider (IEEE 802.1ad).
    pub const PROVIDER_VLAN: EtherType = EtherType(0x88a8);
    /// Link layer discovery (IEEE 802.1AB).
    pub const LLDP: EtherType = EtherType(0x88cc);
    /// PTP without IP (IEEE 1588-2019 §E).
    pub const PTP: EtherType = EtherType(0x88f7);
    /// Encapsulated mirror of another switch, type II.
    pub const ERSPAN: EtherType = EtherType(0x88be);
    /// Encapsulated mirror of another switch, type III.
    pub const ERSPAN_3: EtherType = EtherType(0x22eb);
    /// A frame of a customer behind the tag of its service (IEEE 802.1Q §9.7).
    pub const SERVICE: EtherType = EtherType(0x88e7);
    /// What is signed, and mostly hidden (IEEE 802.1AE §9).
    pub const MACSEC: EtherType = EtherType(0x88e5);
    /// The header of a chain of services (RFC 8300 §2).
    pub const SERVICES: EtherType = EtherType(0x894f);
    /// What a router hands to a cache, of either version (WCCP).
    pub const CACHED: EtherType = EtherType(0x883e);
    /// The tag of a ring in which each frame goes both ways round (IEC 62439-3 §5.7).
    pub const RING: EtherType = EtherType(0x892f);
    /// The tag of a stream that goes several ways (IEEE 802.1CB §7.8).
    pub const REDUNDANCY: EtherType = EtherType(0xf1c1);
    /// The tag between a switch and its extenders (IEEE 802.1BR).
    pub const EXTENDER: EtherType = EtherType(0x8926);
    /// A VLAN tag of a provider, before there was a standard.
    pub const OLD_PROVIDER_VLAN: EtherType = EtherType(0x9100);

    /// Its name, where a person might meet it.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            EtherType::IPV4 => "IPv4",
            EtherType::ARP => "ARP",
            EtherType::BRIDGED => "bridged Ethernet",
            EtherType::VLAN | EtherType::PROVIDER_VLAN | EtherType::OLD_PROVIDER_VLAN => "VLAN",
            EtherType::IPV6 => "IPv6",
            EtherType::PPP => "PPP",
            EtherType::MPLS | EtherType::MPLS_MULTICAST => "MPLS",
            EtherType::PPPOE_DISCOVERY => "PPPoE discovery",
            EtherType::PPPOE_SESSION => "PPPoE",
            EtherType::EAPOL => "802.1X",
            EtherType::LLDP => "LLDP",
            EtherType::PTP => "PTP",
            EtherType::ERSPAN | EtherType::ERSPAN_3 => "ERSPAN",
            EtherType(0x0842) => "Wake-on-LAN",
            EtherType(0x22f0) => "AVTP",
            EtherType(0x22ea) => "SRP",
            EtherType(0x8035) => "RARP",
            EtherType(0x8137) => "IPX",
            EtherType(0x8809) => "LACP or another slow protocol",
            EtherType(0x8892) => "PROFINET",
            EtherType(0x88a4) => "EtherCAT",
            EtherType(0x88b8) => "GOOSE",
            EtherType(0x88ba) => "Sampled Values",
            EtherType(0x88e1) => "HomePlug",
            EtherType::MACSEC => "MACsec",
            EtherType::SERVICE => "802.1ah",
            EtherType::SERVICES => "NSH",
            EtherType::CACHED => "WCCP",
            EtherType::RING => "HSR",
            EtherType::REDUNDANCY => "802.1CB",
            EtherType::EXTENDER => "VN-Tag",
            EtherType(0x8902) => "Ethernet CFM",
            EtherType(0x8906) => "Fibre Channel over Ethernet",
            EtherType(0x9000) => "Ethernet loopback test",
            _ => return None,
        })
    }
}
