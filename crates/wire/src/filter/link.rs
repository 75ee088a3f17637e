//! Where things stand in a frame of each link type, and what its type field says.

use alloc::format;

use super::fault::FilterError;
use crate::LinkType;

/// How a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Ethernet,
    /// PPP behind the two bytes of HDLC framing (RFC 1662 §3.1), or behind a PPPoE header.
    Ppp,
    /// PPP on a serial line, which libpcap knows no MPLS in.
    PppSerial,
    PppEther,
    /// Linux "cooked", version 1.
    Sll,
    Sll2,
    /// BSD loopback: the family in the order of the capturing machine, which nothing tells.
    Null,
    /// OpenBSD loopback: the family in network order.
    Loop,
    /// IP of either version.
    Raw,
    Ip,
    Ip6,
}

/// Where the headers begin, as far as the words read so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offsets {
    pub(super) link: Link,
    pub(super) header: u32,
    pub(super) ethertype: u32,
    /// What follows the link header.
    pub(super) payload: u32,
    /// How many MPLS labels were asked for; they follow the link header.
    pub(super) labels: u32,
}

/// The numbers of PPP for what has an ether type, or the number of an 802.2 service (RFC 1661 §2, IANA).
const PPP_NUMBERS: [(u16, u16); 8] = [
    (0x0800, 0x0021),
    (0x86dd, 0x0057),
    (0x6003, 0x0027),
    (0x809b, 0x0029),
    (0x0600, 0x0025),
    (0x00fe, 0x0023),
    (0x0042, 0x0031),
    (0x00e0, 0x002b),
];

impl Offsets {
    /// The offsets of a frame before anything was read.
    pub(super) fn of(link: LinkType) -> Result<Offsets, FilterError> {
        let (link, ethertype, payload) = match link {
            LinkType::ETHERNET => (Link::Ethernet, 12, 14),
            LinkType::PPP => (Link::Ppp, 2, 4),
            LinkType::PPP_HDLC => (Link::PppSerial, 2, 4),
            LinkType::PPP_ETHER => (Link::PppEther, 6, 8),
            LinkType::LINUX_SLL => (Link::Sll, 14, 16),
            LinkType::LINUX_SLL2 => (Link::Sll2, 0, 20),
            LinkType::NULL => (Link::Null, 0, 4),
            LinkType::LOOP => (Link::Loop, 0, 4),
            // 12 and 14 are what some systems call raw IP by.
            LinkType::RAW | LinkType(12 | 14) => (Link::Raw, 0, 0),
            LinkType::IPV4 => (Link::Ip, 0, 0),
            LinkType::IPV6 => (Link::Ip6, 0, 0),
            LinkType(number) => {
                let what = format!("frames of link type {number} cannot be filtered");
                let hint = "possible are Ethernet, Linux cooked, raw IP, loopback and PPP";
                return Err(FilterError::new(1, what, hint));
            }
        };
        Ok(Offsets { link, header: 0, ethertype, payload, labels: 0 })
    }

    /// Where the network header begins.
    pub(super) fn network(&self) -> u32 {
        self.payload.saturating_add(self.labels.saturating_mul(4))
    }

    /// What a VLAN tag moves (IEEE 802.1Q).
    pub(super) fn pass_vlan(&mut self) {
        self.ethertype = self.ethertype.saturating_add(4);
        self.payload = self.payload.saturating_add(4);
    }

    /// What begins behind a PPPoE header (RFC 2516 §4).
    pub(super) fn pass_pppoe(&mut self) {
        self.header = self.network().saturating_add(6);
        self.ethertype = self.header;
        self.payload = self.header.saturating_add(2);
        self.link = Link::Ppp;
        self.labels = 0;
    }

    /// The link type in words.
    pub(super) fn name(&self) -> &'static str {
        match self.link {
            Link::Ethernet => "Ethernet",
            Link::Ppp | Link::PppSerial | Link::PppEther => "PPP",
            Link::Sll | Link::Sll2 => "Linux cooked capture",
            Link::Null | Link::Loop => "loopback",
            Link::Raw | Link::Ip | Link::Ip6 => "raw IP",
        }
    }
}

/// What PPP calls an ether type.
pub(super) fn ppp_number(ethertype: u16) -> u16 {
    PPP_NUMBERS.iter().find(|(number, _)| *number == ethertype).map_or(ethertype, |(_, number)| *number)
}

/// The families of IPv6 on loopback; each BSD has its own.
pub(super) const IP6_FAMILIES: [u32; 3] = [30, 24, 28];
/// The family of IPv4 on loopback.
pub(super) const IP_FAMILY: u32 = 2;
