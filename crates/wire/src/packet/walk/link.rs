//! The steps of the walk below IP.

use super::{Next, Turn, Walk};
use crate::cursor::{be16, be24};
use crate::link::{
    EtherType, ethernet, ieee80211, llc, loopback, macsec, mpls, nflog, pktap, ppi, ppp, prism, radiotap,
    rarer, sll,
};
use crate::packet::{Decoded, OtherKind, TunnelKind, Vlans};
use crate::rest::Rest;
use crate::tunnel::nsh;
use crate::{Fault, LinkType};

/// SLL's numbers for 802.3 without a type: with and without LLC (`ETH_P_802_2`, `ETH_P_802_3`).
const COOKED_LLC: EtherType = EtherType(4);

/// Cisco's HDLC (`LINKTYPE_C_HDLC`).
const CISCO_HDLC: LinkType = LinkType(104);

/// PPP and Cisco's HDLC behind a byte of direction (`LINKTYPE_PPP_WITH_DIR`, `LINKTYPE_C_HDLC_WITH_DIR`).
const PPP_DIRECTION: LinkType = LinkType(204);
const HDLC_DIRECTION: LinkType = LinkType(205);

impl<'a> Walk<'a> {
    /// What the first byte of a frame begins; `None` for a link type that we cannot read.
    #[inline]
    pub(super) fn first(link: LinkType) -> Option<Next> {
        Some(match link {
            LinkType::ETHERNET => Next::Ethernet,
            // 12 and 14 are what systems of BSD call raw IP, and some files have it.
            LinkType::RAW | LinkType(12 | 14) => Next::Ip,
            LinkType::IPV4 => Next::EtherType(EtherType::IPV4),
            LinkType::IPV6 => Next::EtherType(EtherType::IPV6),
            LinkType::NULL
            | LinkType::LOOP
            | LinkType::LINUX_SLL
            | LinkType::LINUX_SLL2
            | LinkType::PPP
            | LinkType::PPP_HDLC
            | LinkType::PPP_ETHER
            | LinkType::IEEE802_11
            | LinkType::IEEE802_11_RADIOTAP
            | LinkType::IEEE802_11_PRISM
            | LinkType::IEEE802_11_AVS
            | LinkType::PPI
            | LinkType::NFLOG
            | LinkType::PKTAP
            | PPP_DIRECTION
            | HDLC_DIRECTION
            | rarer::TOKEN_RING
            | rarer::FDDI
            | rarer::ATM_LLC
            | rarer::FRAME_RELAY
            | rarer::ENCAPSULATED
            | rarer::FIREWALL_LOG
            | rarer::FIREWIRE
            | CISCO_HDLC => Next::Link(link),
            _ => return None,
        })
    }

    /// A link layer other than Ethernet.
    #[cold]
    pub(super) fn link(&mut self, link: LinkType, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        match link {
            LinkType::LINUX_SLL | LinkType::LINUX_SLL2 => {
                let parse = if link == LinkType::LINUX_SLL { sll::parse } else { sll::parse_2 };
                let header = parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let payload = rest.behind(header.payload);
                match header.ether_type {
                    COOKED_LLC => Ok(Turn::Go(Next::Llc, payload)),
                    // Below the least type these are numbers of Linux, not lengths.
                    EtherType(..ethernet::LEAST_TYPE) => {
                        Ok(self.other(OtherKind::EtherType(header.ether_type), payload))
                    }
                    ether_type => Ok(Turn::Go(Next::EtherType(ether_type), payload)),
                }
            }
            LinkType::NULL | LinkType::LOOP => {
                let header = loopback::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let payload = rest.behind(header.payload);
                match header.ether_type() {
                    Some(ether_type) => Ok(Turn::Go(Next::EtherType(ether_type), payload)),
                    None => Ok(self.other(OtherKind::Family(header.family), payload)),
                }
            }
            LinkType::PPP_ETHER => self.pppoe(rest),
            LinkType::PPP | LinkType::PPP_HDLC | CISCO_HDLC => match ppp::parse_cisco(rest.bytes) {
                // Small numbers are of OSI, not lengths.
                Some(frame) if frame.ether_type.0 < ethernet::LEAST_TYPE => {
                    Ok(self.other(OtherKind::EtherType(frame.ether_type), rest.behind(frame.payload)))
                }
                Some(frame) => Ok(Turn::Go(Next::EtherType(frame.ether_type), rest.behind(frame.payload))),
                None => Ok(Turn::Go(Next::Ppp, rest)),
            },
            PPP_DIRECTION | HDLC_DIRECTION => Ok(Turn::Go(Next::Link(CISCO_HDLC), rest.after(1))),
            LinkType::IEEE802_11 => self.wireless(rest, false),
            LinkType::IEEE802_11_PRISM | LinkType::IEEE802_11_AVS => {
                let header_bytes = prism::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                self.wireless(rest.after(header_bytes), false)
            }
            LinkType::PPI => {
                let header = ppi::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let mut frame = rest.after(header.header_bytes);
                if header.has_checksum {
                    frame = frame.claimed(frame.wire_bytes.saturating_sub(4));
                }
                Ok(self.wrapped(header.link, frame))
            }
            LinkType::PKTAP => {
                let header = pktap::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let frame = rest.after(header.header_bytes);
                Ok(self.wrapped(header.link.unwrap_or(LinkType::PKTAP), frame))
            }
            LinkType::NFLOG => {
                let logged = nflog::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let payload = rest.after(logged.header_bytes);
                let payload = payload.claimed(logged.claimed_bytes.min(payload.wire_bytes));
                match logged.ether_type {
                    Some(ether_type) => Ok(Turn::Go(Next::EtherType(ether_type), payload)),
                    None => Ok(self.other(OtherKind::Family(u32::from(logged.family)), payload)),
                }
            }
            LinkType::IEEE802_11_RADIOTAP => {
                let header = radiotap::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let mut frame = rest.after(header.header_bytes);
                if header.has_checksum {
                    frame = frame.claimed(frame.wire_bytes.saturating_sub(4));
                }
                self.wireless(frame, header.is_padded)
            }
            other => self.rarer_link(other, rest),
        }
    }

    fn rarer_link(&mut self, link: LinkType, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let (header_bytes, follows) = rarer::parse(link, rest.bytes).map_err(|fault| rest.locate(fault))?;
        let payload = rest.after(header_bytes);
        Ok(match follows {
            rarer::Follows::Llc => Turn::Go(Next::Llc, payload),
            // Below the least type these are no lengths.
            rarer::Follows::EtherType(ether_type @ EtherType(ethernet::LEAST_TYPE..)) => {
                Turn::Go(Next::EtherType(ether_type), payload)
            }
            rarer::Follows::EtherType(ether_type) => self.other(OtherKind::EtherType(ether_type), payload),
            rarer::Follows::Other(family) => self.other(OtherKind::Family(family), payload),
        })
    }

    /// A frame whose link type stands in a header before it.
    fn wrapped(&mut self, link: LinkType, frame: Rest<'a>) -> Turn<'a> {
        match Walk::first(link) {
            Some(next) if link != LinkType::PKTAP => Turn::Go(next, frame),
            _ => {
                self.decoded = Decoded::Unsupported(link);
                Turn::Done
            }
        }
    }

    fn wireless(&mut self, rest: Rest<'a>, is_padded: bool) -> Result<Turn<'a>, Fault> {
        match ieee80211::parse(rest.bytes, is_padded).map_err(|fault| rest.locate(fault))? {
            ieee80211::Ieee80211::Data { payload, claimed_bytes } => {
                let payload = rest.behind(payload);
                let claimed = claimed_bytes.map_or(payload.wire_bytes, |bytes| bytes.min(payload.wire_bytes));
                Ok(Turn::Go(Next::Llc, payload.claimed(claimed)))
            }
            ieee80211::Ieee80211::Other(why) => Ok(self.other(OtherKind::Wireless(why), rest)),
        }
    }

    #[inline]
    pub(super) fn ethernet(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = ethernet::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        if header.vlan.is_some() {
            self.vlans = self.vlans.then(Vlans { outer: header.vlan, inner: header.inner_vlan });
        }
        let payload = rest.behind(header.payload);
        match header.ether_type {
            EtherType::IPV4 => self.ipv4(payload),
            EtherType::IPV6 => self.ipv6(payload),
            other => Ok(Turn::Go(Next::EtherType(other), payload)),
        }
    }

    /// What an EtherType announces, other than IP.
    #[cold]
    pub(super) fn ether_type(&mut self, ether_type: EtherType, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        match ether_type {
            EtherType(length @ ..ethernet::LEAST_TYPE) => {
                // What lies behind the length is padding (IEEE 802.3 §3.2.6).
                Ok(Turn::Go(Next::Llc, rest.claimed(usize::from(length).min(rest.wire_bytes))))
            }
            EtherType::VLAN | EtherType::PROVIDER_VLAN | EtherType::OLD_PROVIDER_VLAN => {
                let tags = ethernet::tags(ether_type, rest.bytes).map_err(|fault| rest.locate(fault))?;
                self.vlans = self.vlans.then(Vlans { outer: tags.outer, inner: tags.inner });
                Ok(Turn::Go(Next::EtherType(tags.ether_type), rest.behind(tags.payload)))
            }
            EtherType::MPLS | EtherType::MPLS_MULTICAST => self.mpls(rest),
            EtherType::PPPOE_SESSION => self.pppoe(rest),
            EtherType::BRIDGED => Ok(Turn::Go(Next::Ethernet, rest)),
            EtherType::PPP => Ok(Turn::Go(Next::Ppp, rest)),
            EtherType::RING | EtherType::REDUNDANCY | EtherType::EXTENDER => match be16(rest.bytes, 4) {
                Some(next) => Ok(Turn::Go(Next::EtherType(EtherType(next)), rest.after(6))),
                None => Ok(self.other(OtherKind::EtherType(ether_type), rest)),
            },
            EtherType::SERVICE => match be24(rest.bytes, 1) {
                Some(service) => {
                    self.enter(TunnelKind::Service, service, rest)?;
                    Ok(Turn::Go(Next::Ethernet, rest.after(4)))
                }
                None => Ok(self.other(OtherKind::EtherType(ether_type), rest)),
            },
            EtherType::CACHED => {
                // Version 2 puts four bytes before the packet, which begin with anything but its version.
                let is_first = rest.bytes.first().is_some_and(|first| first >> 4 == 4);
                Ok(Turn::Go(Next::EtherType(EtherType::IPV4), rest.after(if is_first { 0 } else { 4 })))
            }
            EtherType::SERVICES => self.services(rest),
            EtherType::MACSEC => self.macsec(rest),
            other => Ok(self.other(OtherKind::EtherType(other), rest)),
        }
    }

    #[cold]
    pub(super) fn llc(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = llc::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let payload = rest.behind(header.payload);
        match header.ether_type {
            // A length cannot stand here again.
            Some(ether_type @ EtherType(ethernet::LEAST_TYPE..)) => {
                Ok(Turn::Go(Next::EtherType(ether_type), payload))
            }
            _ => {
                let kind = OtherKind::Llc { destination: header.destination, source: header.source };
                Ok(self.other(kind, payload))
            }
        }
    }

    #[cold]
    pub(super) fn ppp(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = ppp::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let payload = rest.behind(header.payload);
        match header.ether_type() {
            Some(ether_type) => Ok(Turn::Go(Next::EtherType(ether_type), payload)),
            None => Ok(self.other(OtherKind::Ppp(header.protocol), payload)),
        }
    }

    fn pppoe(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = ppp::parse_pppoe(rest.bytes).map_err(|fault| rest.locate(fault))?;
        self.enter(TunnelKind::Pppoe, u32::from(header.session), rest)?;
        let payload = rest.after(ppp::PPPOE_HEADER_BYTES);
        Ok(Turn::Go(Next::Ppp, payload.claimed(usize::from(header.length).min(payload.wire_bytes))))
    }

    fn services(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = nsh::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let payload = rest.after(header.header_bytes);
        let Some(follows) = header.follows else {
            return Ok(self.other(OtherKind::EtherType(EtherType::SERVICES), payload));
        };
        self.enter(TunnelKind::Services, header.path, rest)?;
        Ok(Turn::Go(Next::following(follows), payload))
    }

    fn macsec(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let tag = macsec::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let signed = rest.after(tag.header_bytes);
        let Some(inside) = tag.inside else {
            return Ok(self.other(OtherKind::EtherType(EtherType::MACSEC), signed));
        };
        self.enter(TunnelKind::Macsec, u32::from(tag.association), rest)?;
        let signed = signed.claimed(signed.wire_bytes.saturating_sub(macsec::SIGNATURE_BYTES));
        Ok(Turn::Go(Next::EtherType(inside), signed.after(2)))
    }

    pub(super) fn mpls(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let stack = mpls::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let payload = rest.behind(stack.payload);
        let next = match stack.inside() {
            mpls::Inside::Ip => Turn::Go(Next::Ip, payload),
            mpls::Inside::Ethernet { control_bytes } => {
                Turn::Go(Next::Ethernet, payload.after(control_bytes))
            }
            mpls::Inside::Unknown => return Ok(self.other(OtherKind::Mpls, payload)),
        };
        self.enter(TunnelKind::Mpls, stack.label, rest)?;
        Ok(next)
    }
}
