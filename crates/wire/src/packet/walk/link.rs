//! The steps of the walk below IP.

use super::{Next, Turn, Walk};
use crate::link::{EtherType, ethernet, ieee80211, llc, loopback, mpls, ppp, radiotap, sll};
use crate::packet::{Decoded, OtherKind, TunnelKind, Vlans};
use crate::rest::Rest;
use crate::{Fault, LinkType};

/// SLL's numbers for 802.3 without a type: with and without LLC (`ETH_P_802_2`, `ETH_P_802_3`).
const COOKED_LLC: EtherType = EtherType(4);

/// Cisco's HDLC (`LINKTYPE_C_HDLC`).
const CISCO_HDLC: LinkType = LinkType(104);

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
            LinkType::IEEE802_11 => self.wireless(rest, false),
            LinkType::IEEE802_11_RADIOTAP => {
                let header = radiotap::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let mut frame = rest.after(header.header_bytes);
                if header.has_checksum {
                    frame = frame.claimed(frame.wire_bytes.saturating_sub(4));
                }
                self.wireless(frame, header.is_padded)
            }
            other => {
                self.decoded = Decoded::Unsupported(other);
                Ok(Turn::Done)
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
