//! From a tree to a program, for one link type.

use alloc::format;
use alloc::vec::Vec;

use super::assemble::{Assembler, Label, Load};
use super::expression::{Column, Expression, Joint, Node, Test};
use super::fault::FilterError;
use super::link::{Link, Offsets};
use super::program::{CELLS, MOST_INSTRUCTIONS, PACKET_TYPE, Program, VLAN_TAG_PRESENT, WHOLE_FRAME, code};
use crate::LinkType;

pub(super) const IP: u16 = 0x0800;
pub(super) const IP6: u16 = 0x86dd;
pub(super) const ARP: u16 = 0x0806;
pub(super) const RARP: u16 = 0x8035;

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
pub(super) enum Tags {
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
    pub(super) tags: Tags,
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
        let instructions = self.assembler.finish(MOST_INSTRUCTIONS).ok_or_else(too_long)?;
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

    pub(super) fn error<T>(&self, what: alloc::string::String, hint: &str) -> Result<T, FilterError> {
        Err(FilterError::new(self.column, what, hint))
    }

    pub(super) fn only_ethernet(&self, what: &str) -> Result<(), FilterError> {
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

    pub(super) fn equal(&mut self, load: Load, k: u32, yes: Label, no: Label) {
        self.assembler.load(load);
        self.assembler.branch(code::JEQ, k, yes, no);
    }

    /// The same under a mask.
    pub(super) fn masked(&mut self, load: Load, mask: u32, k: u32, yes: Label, no: Label) {
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
