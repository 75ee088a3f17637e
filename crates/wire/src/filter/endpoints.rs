//! Who the frame is from and for: addresses and ports, as lists of what may be there.

use super::assemble::{Label, Load};
use super::compile::{ARP, Compiler, IP, IP6, RARP};
use super::expression::{Direction, Net, Scope, Transport};
use super::fault::FilterError;
use super::program::code;

impl Compiler {
    /// Asks one end or both.
    pub(super) fn ends(
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

    pub(super) fn nets(
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

    pub(super) fn nets6(
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

    pub(super) fn ports(
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
}
