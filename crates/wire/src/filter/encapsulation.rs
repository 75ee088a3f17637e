//! What is in the frame: ether types and their like on each link, protocols of IP, VLAN tags and MPLS labels.

use alloc::format;

use super::assemble::{Label, Load};
use super::compile::{Compiler, IP, IP6, Tags};
use super::expression::Family;
use super::fault::FilterError;
use super::link::{IP_FAMILY, IP6_FAMILIES, Link, ppp_number};
use super::program::{VLAN_TAG, code};

/// A fragment header of IPv6 (RFC 8200 §4.5).
const FRAGMENT: u8 = 44;
/// Ether types of VLAN tags: IEEE 802.1Q, 802.1ad, and one that was in use before.
const VLAN_TYPES: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Below this a type field is the length of an 802.3 frame.
const LONGEST_802_3: u32 = 1500;

impl Compiler {
    pub(super) fn require_ethertype(&mut self, number: u16, no: Label) -> Result<(), FilterError> {
        let next = self.assembler.label();
        self.ethertype(number, next, no)?;
        self.assembler.place(next);
        Ok(())
    }

    /// Goes to `yes` where the link header says this ether type, or what the link has instead.
    pub(super) fn ethertype(&mut self, number: u16, yes: Label, no: Label) -> Result<(), FilterError> {
        let at = self.offsets.ethertype;
        let kind = Load::Bytes(2, at);
        if self.offsets.labels > 0 {
            let nibble = match number {
                IP => 0x40,
                IP6 => 0x60,
                _ => {
                    let what = format!("nothing says whether ether type {number:#06x} follows an MPLS label");
                    return self.error(what, "only IPv4 and IPv6 can be asked for behind 'mpls'");
                }
            };
            // Only the last label is followed by something else (RFC 3032 §2.1).
            let next = self.assembler.label();
            let label = self.offsets.network().saturating_sub(4);
            self.masked(Load::Bytes(1, label.saturating_add(2)), 1, 1, next, no);
            self.assembler.place(next);
            self.masked(self.network(1, 0), 0xf0, nibble, yes, no);
            return Ok(());
        }
        match (self.offsets.link, number) {
            (Link::Ethernet | Link::Sll, 0x42 | 0xe0 | 0xf0 | 0xfe | 0x809b | 0x80f3 | 0..=1500) => {
                self.logical_link(number, yes, no);
            }
            (Link::Ethernet | Link::Sll | Link::Sll2, _) => self.equal(kind, u32::from(number), yes, no),
            (Link::Ppp | Link::PppSerial | Link::PppEther, _) => {
                self.equal(kind, u32::from(ppp_number(number)), yes, no);
            }
            (Link::Raw, IP | IP6) => {
                let nibble = if number == IP { 0x40 } else { 0x60 };
                self.masked(Load::Bytes(1, self.offsets.payload), 0xf0, nibble, yes, no);
            }
            (Link::Ip, IP) | (Link::Ip6, IP6) => self.assembler.go(yes),
            (Link::Null | Link::Loop, IP | IP6) => {
                let families = if number == IP { &[IP_FAMILY][..] } else { &IP6_FAMILIES[..] };
                for family in families {
                    // Nothing says in which order the family was written, but no family is another one turned round.
                    let turned = (self.offsets.link == Link::Null).then(|| family.swap_bytes());
                    for family in [Some(*family), turned].into_iter().flatten() {
                        let next = self.assembler.label();
                        self.equal(Load::Bytes(4, at), family, yes, next);
                        self.assembler.place(next);
                    }
                }
                self.assembler.go(no);
            }
            (Link::Null | Link::Loop | Link::Raw | Link::Ip | Link::Ip6, _) => self.assembler.go(no),
        }
        Ok(())
    }

    /// Protocols of IEEE 802.2 and of its SNAP extension, and numbers below 1501, which are service access points.
    fn logical_link(&mut self, number: u16, yes: Label, no: Label) {
        let kind = Load::Bytes(2, self.offsets.ethertype);
        let at = |bytes, more: u32| Load::Bytes(bytes, self.offsets.payload.saturating_add(more));
        let (service, both_services, snap) = (at(1, 0), at(2, 0), (at(4, 0), at(4, 4)));
        let ethertype = match number {
            0xe0 => Some(0x8137),
            0x809b | 0x80f3 => Some(u32::from(number)),
            _ => None,
        };
        if let Some(ethertype) = ethertype {
            let next = self.assembler.label();
            self.equal(kind, ethertype, yes, next);
            self.assembler.place(next);
        }
        if self.offsets.link == Link::Sll {
            if number == 0xe0 {
                // 1 is 802.3 without 802.2, as only IPX has it.
                let next = self.assembler.label();
                self.equal(kind, 1, yes, next);
                self.assembler.place(next);
            }
            self.require(kind, 4, no);
        } else {
            let next = self.assembler.label();
            self.assembler.load(kind);
            self.assembler.branch(code::JGT, LONGEST_802_3, no, next);
            self.assembler.place(next);
        }
        if let Some(ethertype) = ethertype {
            let organisation = if number == 0x809b { 0x08_0007 } else { 0 };
            let next = self.assembler.label();
            let no_snap = if number == 0xe0 { next } else { no };
            self.require(snap.1, (organisation << 16) | ethertype, no_snap);
            self.equal(snap.0, 0xaaaa_0300 | (organisation >> 16), yes, no_snap);
            self.assembler.place(next);
        }
        match number {
            0xe0 if self.offsets.link == Link::Sll => self.equal(service, 0xe0, yes, no),
            0xe0 => {
                let next = self.assembler.label();
                self.equal(service, 0xe0, yes, next);
                self.assembler.place(next);
                self.equal(both_services, 0xffff, yes, no);
            }
            0xf0 | 0xfe => self.equal(both_services, u32::from(number) * 0x101, yes, no),
            0..=1500 => self.equal(service, u32::from(number), yes, no),
            _ => {}
        }
    }

    /// The protocol field of IP; of IPv6 also that of a fragment header right behind it.
    pub(super) fn protocol(
        &mut self,
        family: Family,
        number: u8,
        yes: Label,
        no: Label,
    ) -> Result<(), FilterError> {
        let wanted = u32::from(number);
        if family != Family::Ip6 {
            let other = self.assembler.label();
            self.require_ethertype(IP, if family == Family::Any { other } else { no })?;
            self.equal(self.network(1, 9), wanted, yes, no);
            self.assembler.place(other);
        }
        if family != Family::Ip {
            self.require_ethertype(IP6, no)?;
            let next = self.network(1, 6);
            if number == FRAGMENT {
                self.equal(next, wanted, yes, no);
            } else {
                let other = self.assembler.label();
                self.equal(next, wanted, yes, other);
                self.assembler.place(other);
                self.require(next, u32::from(FRAGMENT), no);
                self.equal(self.network(1, 40), wanted, yes, no);
            }
        }
        Ok(())
    }

    pub(super) fn vlan(&mut self, tag: Option<u16>, yes: Label, no: Label) -> Result<(), FilterError> {
        if self.offsets.labels > 0 {
            return self.error("no VLAN tag follows an MPLS label".into(), "write 'vlan' before 'mpls'");
        }
        self.only_ethernet("a VLAN tag")?;
        let number = match self.tags {
            Tags::Taken => {
                self.tags = Tags::InFrame;
                tag.inspect(|_| self.assembler.change(code::LD_W, VLAN_TAG))
            }
            Tags::InFrame => {
                let found = self.assembler.label();
                for number in VLAN_TYPES {
                    let next = self.assembler.label();
                    self.equal(Load::Bytes(2, self.offsets.ethertype), u32::from(number), found, next);
                    self.assembler.place(next);
                }
                self.assembler.go(no);
                self.assembler.place(found);
                let load = Load::Bytes(2, self.offsets.payload);
                self.offsets.pass_vlan();
                tag.inspect(|_| self.assembler.load(load))
            }
        };
        match number {
            Some(tag) => {
                self.assembler.change(code::ALU | code::AND, 0xfff);
                self.assembler.branch(code::JEQ, u32::from(tag), yes, no);
            }
            None => self.assembler.go(yes),
        }
        Ok(())
    }

    pub(super) fn mpls(&mut self, label: Option<u32>, yes: Label, no: Label) -> Result<(), FilterError> {
        let next = self.assembler.label();
        match self.offsets.link {
            _ if self.offsets.labels > 0 => {
                // The label before must not be the last one.
                let before = self.offsets.network().saturating_sub(4);
                self.masked(Load::Bytes(1, before.saturating_add(2)), 1, 0, next, no);
            }
            Link::Ethernet => self.ethertype(0x8847, next, no)?,
            // The number of MPLS in PPP (RFC 3032 §4.3).
            Link::Ppp => self.equal(Load::Bytes(2, self.offsets.ethertype), 0x0281, next, no),
            _ => {
                let what = format!("an MPLS label cannot be asked of {}", self.offsets.name());
                return self.error(what, "take this test out for this capture");
            }
        }
        self.assembler.place(next);
        match label {
            Some(label) => self.masked(self.network(4, 0), 0xffff_f000, label << 12, yes, no),
            None => self.assembler.go(yes),
        }
        self.offsets.labels = self.offsets.labels.saturating_add(1);
        Ok(())
    }
}
