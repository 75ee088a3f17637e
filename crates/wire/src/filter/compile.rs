//! From a tree to a program, for one link type.

use alloc::format;
use alloc::vec::Vec;

use super::assemble::{Assembler, Label, Load};
use super::expression::{Column, Direction, Expression, Family, Joint, Net, Node, Scope, Test, Transport};
use super::fault::FilterError;
use super::link::{IP_FAMILY, IP6_FAMILIES, Link, Offsets, ppp_number};
use super::program::{
    CELLS, MOST_INSTRUCTIONS, PACKET_TYPE, Program, VLAN_TAG, VLAN_TAG_PRESENT, WHOLE_FRAME, code,
};
use crate::LinkType;

pub(super) const IP: u16 = 0x0800;
pub(super) const IP6: u16 = 0x86dd;
pub(super) const ARP: u16 = 0x0806;
pub(super) const RARP: u16 = 0x8035;
/// A fragment header of IPv6 (RFC 8200 §4.5).
const FRAGMENT: u8 = 44;
/// Ether types of VLAN tags: IEEE 802.1Q, 802.1ad, and one that was in use before.
const VLAN_TYPES: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Below this a type field is the length of an 802.3 frame.
const LONGEST_802_3: u32 = 1500;

/// Makes a program for frames of a file.
pub fn compile(expression: &Expression, link: LinkType) -> Result<Program, FilterError> {
    let mut compiler = Compiler::new(Offsets::of(link)?);
    compiler.all(expression, Tags::InFrame)?;
    compiler.finish()
}

/// Makes a program for `SO_ATTACH_FILTER` on a packet socket of an Ethernet interface: there the kernel has taken the
/// outer VLAN tag out of most frames and says it apart, and so `vlan` asks for both.
pub fn compile_for_socket(expression: &Expression) -> Result<Program, FilterError> {
    let mut compiler = Compiler::new(Offsets::of(LinkType::ETHERNET)?);
    compiler.live = true;
    if expression.root.as_ref().is_some_and(asks_for_vlan) {
        let (taken, inside) = (compiler.assembler.label(), compiler.assembler.label());
        compiler.assembler.change(code::LD_W, VLAN_TAG_PRESENT);
        compiler.assembler.branch(code::JEQ, 0, inside, taken);
        compiler.assembler.place(taken);
        compiler.all(expression, Tags::Taken)?;
        compiler.assembler.place(inside);
        compiler.offsets = Offsets::of(LinkType::ETHERNET)?;
    }
    compiler.all(expression, Tags::InFrame)?;
    compiler.finish()
}

fn asks_for_vlan(node: &Node) -> bool {
    match node {
        Node::Chain(first, rest) => asks_for_vlan(first) || rest.iter().any(|(_, node)| asks_for_vlan(node)),
        Node::Not(inner) => asks_for_vlan(inner),
        Node::Test(test, _) => matches!(test, Test::Vlan(_)),
    }
}

/// Where the outer VLAN tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tags {
    InFrame,
    /// The kernel took it out.
    Taken,
}

/// The program as far as it is made, and what is known of the frame by the words before.
pub(super) struct Compiler {
    pub(super) assembler: Assembler,
    pub(super) offsets: Offsets,
    pub(super) reject: Label,
    pub(super) column: usize,
    accept: Label,
    tags: Tags,
    live: bool,
}

impl Compiler {
    fn new(offsets: Offsets) -> Self {
        let mut assembler = Assembler::new();
        let (accept, reject) = (assembler.label(), assembler.label());
        Compiler { assembler, offsets, reject, column: 1, accept, tags: Tags::InFrame, live: false }
    }

    fn all(&mut self, expression: &Expression, tags: Tags) -> Result<(), FilterError> {
        self.tags = tags;
        match &expression.root {
            Some(node) => self.node(node, self.accept, self.reject),
            None => {
                self.assembler.go(self.accept);
                Ok(())
            }
        }
    }

    fn finish(mut self) -> Result<Program, FilterError> {
        self.assembler.place(self.accept);
        self.assembler.give(WHOLE_FRAME);
        self.assembler.place(self.reject);
        self.assembler.give(0);
        let instructions = self.assembler.finish();
        if instructions.len() > MOST_INSTRUCTIONS {
            return Err(too_long());
        }
        Program::check(instructions)
            .map_err(|fault| FilterError::new(1, format!("{fault}"), "write another expression"))
    }

    /// Writes what goes to `yes` where `node` holds, else to `no`.
    fn node(&mut self, node: &Node, yes: Label, no: Label) -> Result<(), FilterError> {
        match node {
            Node::Not(inner) => self.node(inner, no, yes),
            Node::Test(test, Column(column)) => {
                self.column = *column;
                if self.assembler.lines() > MOST_INSTRUCTIONS.saturating_mul(2) {
                    return Err(too_long());
                }
                self.test(test, yes, no)
            }
            Node::Chain(first, rest) => {
                // From the end: where the rest is already decided, one leaves; else the next one is asked.
                let mut exits = Vec::with_capacity(rest.len().saturating_add(1));
                let (mut yes, mut no) = (yes, no);
                for (joint, node) in rest.iter().rev() {
                    let begin = self.assembler.label();
                    exits.push((node, begin, yes, no));
                    match joint {
                        Joint::And => yes = begin,
                        Joint::Or => no = begin,
                    }
                }
                self.node(first, yes, no)?;
                for (node, begin, yes, no) in exits.into_iter().rev() {
                    self.assembler.place(begin);
                    self.node(node, yes, no)?;
                }
                Ok(())
            }
        }
    }

    fn error<T>(&self, what: alloc::string::String, hint: &str) -> Result<T, FilterError> {
        Err(FilterError::new(self.column, what, hint))
    }

    fn only_ethernet(&self, what: &str) -> Result<(), FilterError> {
        if self.offsets.link == Link::Ethernet {
            return Ok(());
        }
        let what = format!("{what} cannot be asked of {}", self.offsets.name());
        self.error(what, "take this test out for this capture")
    }

    /// Goes on below where A equals `k`, else to `no`.
    pub(super) fn require(&mut self, load: Load, k: u32, no: Label) {
        let next = self.assembler.label();
        self.equal(load, k, next, no);
        self.assembler.place(next);
    }

    fn equal(&mut self, load: Load, k: u32, yes: Label, no: Label) {
        self.assembler.load(load);
        self.assembler.branch(code::JEQ, k, yes, no);
    }

    /// The same under a mask.
    fn masked(&mut self, load: Load, mask: u32, k: u32, yes: Label, no: Label) {
        match mask {
            u32::MAX => self.equal(load, k, yes, no),
            0 => self.assembler.go(yes),
            mask => {
                self.assembler.load(load);
                self.assembler.change(code::ALU | code::AND, mask);
                self.assembler.branch(code::JEQ, k, yes, no);
            }
        }
    }

    /// Bytes at an offset of the network header.
    pub(super) fn network(&self, bytes: u8, at: u32) -> Load {
        Load::Bytes(bytes, self.offsets.network().saturating_add(at))
    }

    fn test(&mut self, test: &Test, yes: Label, no: Label) -> Result<(), FilterError> {
        match test {
            Test::Ethertype(number) => self.ethertype(*number, yes, no)?,
            Test::Protocol(family, number) => self.protocol(*family, *number, yes, no)?,
            Test::Nets(scope, direction, nets) => self.nets(*scope, *direction, nets, yes, no)?,
            Test::Nets6(direction, nets) => self.nets6(*direction, nets, yes, no)?,
            Test::Hardware(direction, address) => {
                self.only_ethernet("a hardware address")?;
                self.ends(*direction, yes, no, |compiler, is_source, yes, no| {
                    let at = compiler.offsets.header.saturating_add(if is_source { 6 } else { 0 });
                    let [a, b, c, d, e, f] = *address;
                    compiler.require(
                        Load::Bytes(4, at.saturating_add(2)),
                        u32::from_be_bytes([c, d, e, f]),
                        no,
                    );
                    compiler.equal(Load::Bytes(2, at), u32::from(u16::from_be_bytes([a, b])), yes, no);
                });
            }
            Test::Ports(transport, direction, ranges) => {
                self.ports(*transport, *direction, ranges, yes, no)?
            }
            Test::Relation(left, comparison, right) => self.relation(left, *comparison, right, yes, no)?,
            Test::Broadcast => {
                self.only_ethernet("a broadcast")?;
                let at = self.offsets.header;
                self.require(Load::Bytes(4, at.saturating_add(2)), u32::MAX, no);
                self.equal(Load::Bytes(2, at), 0xffff, yes, no);
            }
            Test::Multicast => {
                self.only_ethernet("a multicast of the link")?;
                self.assembler.load(Load::Bytes(1, self.offsets.header));
                self.assembler.branch(code::JSET, 1, yes, no);
            }
            Test::IpMulticast => {
                self.require_ethertype(IP, no)?;
                self.assembler.load(self.network(1, 16));
                self.assembler.branch(code::JGE, 0xe0, yes, no);
            }
            Test::Ip6Multicast => {
                self.require_ethertype(IP6, no)?;
                self.equal(self.network(1, 24), 0xff, yes, no);
            }
            Test::Vlan(tag) => self.vlan(*tag, yes, no)?,
            Test::Mpls(label) => self.mpls(*label, yes, no)?,
            Test::Pppoe(session) => {
                self.require_ethertype(0x8864, no)?;
                match session {
                    Some(session) => self.equal(self.network(2, 2), u32::from(*session), yes, no),
                    None => self.assembler.go(yes),
                }
                self.offsets.pass_pppoe();
            }
            Test::Outbound => match (self.offsets.link, self.live) {
                (Link::Ethernet, true) => {
                    self.assembler.change(code::LD_B, PACKET_TYPE);
                    self.assembler.branch(code::JEQ, 4, yes, no);
                }
                (Link::Sll, _) => self.equal(Load::Bytes(2, 0), 4, yes, no),
                (Link::Sll2, _) => self.equal(Load::Bytes(1, 10), 4, yes, no),
                _ => {
                    let what = format!("a capture of {} does not say the direction", self.offsets.name());
                    return self.error(what, "write 'ether src' and the address of the machine");
                }
            },
        }
        Ok(())
    }

    /// Asks one end or both.
    fn ends(
        &mut self,
        direction: Direction,
        yes: Label,
        no: Label,
        mut ask: impl FnMut(&mut Self, bool, Label, Label),
    ) {
        match direction {
            Direction::Source => ask(self, true, yes, no),
            Direction::Destination => ask(self, false, yes, no),
            Direction::Either | Direction::Both => {
                let other = self.assembler.label();
                match direction {
                    Direction::Either => ask(self, true, yes, other),
                    _ => ask(self, true, other, no),
                }
                self.assembler.place(other);
                ask(self, false, yes, no);
            }
        }
    }

    pub(super) fn require_ethertype(&mut self, number: u16, no: Label) -> Result<(), FilterError> {
        let next = self.assembler.label();
        self.ethertype(number, next, no)?;
        self.assembler.place(next);
        Ok(())
    }

    /// Goes to `yes` where the link header says this ether type, or what the link has instead.
    fn ethertype(&mut self, number: u16, yes: Label, no: Label) -> Result<(), FilterError> {
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
    fn protocol(&mut self, family: Family, number: u8, yes: Label, no: Label) -> Result<(), FilterError> {
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

    /// Asks a list of nets of the ends that are looked at: first all of the source, then all of the destination.
    fn any_net(&mut self, direction: Direction, nets: &[Net<u32>], at: [u32; 2], yes: Label, no: Label) {
        let [source, destination] = at;
        let one = |compiler: &mut Self, nets: &[Net<u32>], is_source: bool, yes, no| {
            for net in nets {
                let next = compiler.assembler.label();
                let load = compiler.network(4, if is_source { source } else { destination });
                compiler.masked(load, net.mask, net.address, yes, next);
                compiler.assembler.place(next);
            }
            compiler.assembler.go(no);
        };
        self.each(direction, nets, yes, no, one);
    }

    /// Asks a list of items: for `src and dst` one item at both ends, else any item at any end.
    fn each<T>(
        &mut self,
        direction: Direction,
        items: &[T],
        yes: Label,
        no: Label,
        mut ask: impl FnMut(&mut Self, &[T], bool, Label, Label),
    ) {
        if direction != Direction::Both {
            return self.ends(direction, yes, no, |compiler, is_source, yes, no| {
                ask(compiler, items, is_source, yes, no);
            });
        }
        for item in items {
            let next = self.assembler.label();
            self.ends(direction, yes, next, |compiler, is_source, yes, no| {
                ask(compiler, core::slice::from_ref(item), is_source, yes, no);
            });
            self.assembler.place(next);
        }
        self.assembler.go(no);
    }

    fn nets(
        &mut self,
        scope: Scope,
        direction: Direction,
        nets: &[Net<u32>],
        yes: Label,
        no: Label,
    ) -> Result<(), FilterError> {
        const IN_IP: [u32; 2] = [12, 16];
        const IN_ARP: [u32; 2] = [14, 24];
        match scope {
            Scope::Ip => self.require_ethertype(IP, no)?,
            Scope::Arp => self.require_ethertype(ARP, no)?,
            Scope::Rarp => self.require_ethertype(RARP, no)?,
            Scope::Any => {
                // Behind MPLS there is no ARP.
                let only_ip = self.offsets.labels > 0;
                let (other, arp) = (self.assembler.label(), self.assembler.label());
                self.require_ethertype(IP, if only_ip { no } else { other })?;
                self.any_net(direction, nets, IN_IP, yes, no);
                self.assembler.place(other);
                if !only_ip {
                    let rarp = self.assembler.label();
                    self.ethertype(ARP, arp, rarp)?;
                    self.assembler.place(rarp);
                    self.ethertype(RARP, arp, no)?;
                    self.assembler.place(arp);
                    self.any_net(direction, nets, IN_ARP, yes, no);
                }
                return Ok(());
            }
        }
        self.any_net(direction, nets, if scope == Scope::Ip { IN_IP } else { IN_ARP }, yes, no);
        Ok(())
    }

    fn nets6(
        &mut self,
        direction: Direction,
        nets: &[Net<u128>],
        yes: Label,
        no: Label,
    ) -> Result<(), FilterError> {
        self.require_ethertype(IP6, no)?;
        self.each(direction, nets, yes, no, |compiler, nets, is_source, yes, no| {
            for net in nets {
                let other = compiler.assembler.label();
                for (word, at) in (0_u32..4).zip([0_u32, 4, 8, 12]) {
                    // The upper words first, of 32 bits each.
                    let shift = 96_u32.saturating_sub(word.saturating_mul(32));
                    let part = |number: u128| u32::try_from((number >> shift) & 0xffff_ffff).unwrap_or(0);
                    let load = compiler.network(4, at.saturating_add(if is_source { 8 } else { 24 }));
                    let next = compiler.assembler.label();
                    compiler.masked(load, part(net.mask), part(net.address), next, other);
                    compiler.assembler.place(next);
                }
                compiler.assembler.go(yes);
                compiler.assembler.place(other);
            }
            compiler.assembler.go(no);
        });
        Ok(())
    }

    fn ports(
        &mut self,
        transport: Option<Transport>,
        direction: Direction,
        ranges: &[(u16, u16)],
        yes: Label,
        no: Label,
    ) -> Result<(), FilterError> {
        let other = self.assembler.label();
        self.require_ethertype(IP, other)?;
        self.transport(transport, self.network(1, 9), no);
        // Only the first fragment has ports (RFC 791 §3.1).
        let first = self.assembler.label();
        self.assembler.load(self.network(2, 6));
        self.assembler.branch(code::JSET, 0x1fff, no, first);
        self.assembler.place(first);
        let header = self.offsets.network();
        let behind = |at| Load::Behind { bytes: 2, header, at };
        self.any_port(direction, ranges, [behind(0), behind(2)], yes, no);

        self.assembler.place(other);
        self.require_ethertype(IP6, no)?;
        self.transport(transport, self.network(1, 6), no);
        self.any_port(direction, ranges, [self.network(2, 40), self.network(2, 42)], yes, no);
        Ok(())
    }

    fn transport(&mut self, transport: Option<Transport>, load: Load, no: Label) {
        let found = self.assembler.label();
        for candidate in
            Transport::ALL.into_iter().filter(|one| transport.is_none_or(|wanted| wanted == *one))
        {
            let next = self.assembler.label();
            self.equal(load, u32::from(candidate.number()), found, next);
            self.assembler.place(next);
        }
        self.assembler.go(no);
        self.assembler.place(found);
    }

    fn any_port(
        &mut self,
        direction: Direction,
        ranges: &[(u16, u16)],
        at: [Load; 2],
        yes: Label,
        no: Label,
    ) {
        let [source, destination] = at;
        self.each(direction, ranges, yes, no, |compiler, ranges, is_source, yes, no| {
            for (first, last) in ranges {
                let next = compiler.assembler.label();
                compiler.assembler.load(if is_source { source } else { destination });
                if first == last {
                    compiler.assembler.branch(code::JEQ, u32::from(*first), yes, next);
                } else {
                    let above = compiler.assembler.label();
                    compiler.assembler.branch(code::JGE, u32::from(*first), above, next);
                    compiler.assembler.place(above);
                    compiler.assembler.branch(code::JGT, u32::from(*last), next, yes);
                }
                compiler.assembler.place(next);
            }
            compiler.assembler.go(no);
        });
    }

    fn vlan(&mut self, tag: Option<u16>, yes: Label, no: Label) -> Result<(), FilterError> {
        if self.offsets.labels > 0 {
            return self.error("no VLAN tag follows an MPLS label".into(), "write 'vlan' before 'mpls'");
        }
        self.only_ethernet("a VLAN tag")?;
        let number = match self.tags {
            Tags::Taken => {
                self.tags = Tags::InFrame;
                tag.map(|tag| {
                    self.assembler.change(code::LD_W, VLAN_TAG);
                    tag
                })
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
                tag.map(|tag| {
                    self.assembler.load(load);
                    tag
                })
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

    fn mpls(&mut self, label: Option<u32>, yes: Label, no: Label) -> Result<(), FilterError> {
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

    /// A cell of the scratch memory for the value at this depth.
    pub(super) fn cell(&self, depth: u32) -> Result<u32, FilterError> {
        if usize::try_from(depth).is_ok_and(|depth| depth < CELLS) {
            return Ok(depth);
        }
        self.error("the comparison needs more than 16 numbers at once".into(), "write several comparisons")
    }
}

fn too_long() -> FilterError {
    let what =
        format!("the program has more than {MOST_INSTRUCTIONS} instructions, and the kernel takes no more");
    FilterError::new(1, what, "write nets and ranges instead of single addresses and ports")
}
