//! A second, slow reading of an expression, frame by frame and without a program: what the compiler is measured by.

use super::expression::{
    Direction, Expression, Family, Joint, Layer, Net, Node, Scope, Test, Transport, Value,
};
use super::link::{IP_FAMILY, IP6_FAMILIES, Link, Offsets, ppp_number};

/// A byte is missing, or something is divided by 0: the frame does not pass, whatever else is asked.
#[derive(Debug)]
struct Cut;

type Answer = Result<bool, Cut>;

/// A frame, and where we are in it.
struct Reader<'a> {
    bytes: &'a [u8],
    wire_bytes: u32,
    offsets: Offsets,
}

/// True where the frame passes. The expression must have been compiled for the link type before.
pub(super) fn passes(expression: &Expression, offsets: Offsets, bytes: &[u8], wire_bytes: u32) -> bool {
    let mut reader = Reader { bytes, wire_bytes, offsets };
    expression.root.as_ref().is_none_or(|node| reader.node(node, true).unwrap_or(false))
}

impl Reader<'_> {
    /// What is not asked is still read, for its words move the offsets of what follows.
    fn node(&mut self, node: &Node, asked: bool) -> Answer {
        match node {
            Node::Not(inner) => self.node(inner, asked).map(|answer| !answer),
            Node::Test(test, _) => {
                let answer = if asked { self.test(test) } else { Ok(false) };
                match test {
                    Test::Vlan(_) => self.offsets.pass_vlan(),
                    Test::Mpls(_) => self.offsets.labels += 1,
                    Test::Pppoe(_) => self.offsets.pass_pppoe(),
                    _ => {}
                }
                answer
            }
            Node::Chain(first, rest) => {
                let mut answer = self.node(first, asked)?;
                for (joint, node) in rest {
                    let open = answer == (*joint == Joint::And);
                    let next = self.node(node, asked && open)?;
                    if open {
                        answer = next;
                    }
                }
                Ok(answer)
            }
        }
    }

    fn number(&self, at: u32, bytes: u8) -> Result<u32, Cut> {
        let begin = usize::try_from(at).map_err(|_| Cut)?;
        let end = begin.checked_add(usize::from(bytes)).ok_or(Cut)?;
        let bytes = self.bytes.get(begin..end).ok_or(Cut)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn network(&self, at: u32, bytes: u8) -> Result<u32, Cut> {
        self.number(self.offsets.network() + at, bytes)
    }

    fn is(&self, ethertype: u16) -> Answer {
        let Offsets { link, ethertype: at, payload, labels, .. } = self.offsets;
        if labels > 0 {
            let last = self.number(self.offsets.network() - 2, 1)? & 1 == 1;
            return Ok(last && self.network(0, 1)? >> 4 == if ethertype == 0x0800 { 4 } else { 6 });
        }
        let wanted = u32::from(ethertype);
        match link {
            Link::Ethernet | Link::Sll if ethertype <= 1500 || matches!(ethertype, 0x809b | 0x80f3) => {
                let kind = self.number(at, 2)?;
                let number = if ethertype == 0xe0 { 0x8137 } else { wanted };
                if kind == number && number > 1500 {
                    return Ok(true);
                }
                let is_sll = link == Link::Sll;
                if is_sll && ethertype == 0xe0 && kind == 1 {
                    return Ok(true);
                }
                if if is_sll { kind != 4 } else { kind > 1500 } {
                    return Ok(false);
                }
                if number > 1500 {
                    let (upper, lower) = if number == 0x809b { (8, 7) } else { (0, 0) };
                    let is_snap = self.number(payload + 4, 4)? == lower << 16 | number
                        && self.number(payload, 4)? == 0xaaaa_0300 | upper;
                    if is_snap || ethertype != 0xe0 {
                        return Ok(is_snap);
                    }
                }
                match ethertype {
                    0xf0 | 0xfe => Ok(self.number(payload, 2)? == (wanted << 8 | wanted)),
                    0xe0 => {
                        Ok(self.number(payload, 1)? == 0xe0
                            || (!is_sll && self.number(payload, 2)? == 0xffff))
                    }
                    _ => Ok(self.number(payload, 1)? == wanted),
                }
            }
            Link::Ethernet | Link::Sll | Link::Sll2 => Ok(self.number(at, 2)? == wanted),
            Link::Ppp | Link::PppSerial | Link::PppEther => {
                Ok(self.number(at, 2)? == u32::from(ppp_number(ethertype)))
            }
            Link::Null | Link::Loop => {
                let families = match ethertype {
                    0x0800 => &[IP_FAMILY][..],
                    0x86dd => &IP6_FAMILIES[..],
                    _ => return Ok(false),
                };
                let family = self.number(at, 4)?;
                Ok(families.contains(&family)
                    || (link == Link::Null && families.contains(&family.swap_bytes())))
            }
            Link::Raw => match ethertype {
                0x0800 => Ok(self.number(payload, 1)? >> 4 == 4),
                0x86dd => Ok(self.number(payload, 1)? >> 4 == 6),
                _ => Ok(false),
            },
            Link::Ip => Ok(ethertype == 0x0800),
            Link::Ip6 => Ok(ethertype == 0x86dd),
        }
    }

    /// Asks the source, the destination, or both, of what `holds` says of one of them.
    fn ends(&self, direction: Direction, mut holds: impl FnMut(usize) -> Answer) -> Answer {
        match direction {
            Direction::Source => holds(0),
            Direction::Destination => holds(1),
            Direction::Either => Ok(holds(0)? || holds(1)?),
            Direction::Both => Ok(holds(0)? && holds(1)?),
        }
    }

    /// Asks for any item of a list; `src and dst` wants one item at both ends.
    fn any<T>(
        &self,
        direction: Direction,
        items: &[T],
        holds: impl Fn(&Self, &T, usize) -> Answer,
    ) -> Answer {
        let one_of = |items: &[T], end: usize| {
            for item in items {
                if holds(self, item, end)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if direction != Direction::Both {
            return self.ends(direction, |end| one_of(items, end));
        }
        for item in items {
            if self.ends(direction, |end| holds(self, item, end))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn any_net(&self, direction: Direction, nets: &[Net<u32>], at: [u32; 2]) -> Answer {
        let [source, destination] = at;
        self.any(direction, nets, |reader, net, end| {
            // Where no bit counts, none is read.
            Ok(net.mask == 0
                || reader.network(if end == 0 { source } else { destination }, 4)? & net.mask == net.address)
        })
    }

    fn test(&mut self, test: &Test) -> Answer {
        match test {
            Test::Ethertype(number) => self.is(*number),
            Test::Protocol(family, number) => {
                let number = u32::from(*number);
                if *family != Family::Ip6 && self.is(0x0800)? {
                    return Ok(self.network(9, 1)? == number);
                }
                if *family == Family::Ip || !self.is(0x86dd)? {
                    return Ok(false);
                }
                let next = self.network(6, 1)?;
                Ok(next == number || (next == 44 && self.network(40, 1)? == number))
            }
            Test::Nets(scope, direction, nets) => {
                let in_ip = matches!(scope, Scope::Any | Scope::Ip) && self.is(0x0800)?;
                if in_ip {
                    return self.any_net(*direction, nets, [12, 16]);
                }
                let asks_arp = match scope {
                    Scope::Ip => false,
                    Scope::Any if self.offsets.labels > 0 => false,
                    Scope::Any => self.is(0x0806)? || self.is(0x8035)?,
                    Scope::Arp => self.is(0x0806)?,
                    Scope::Rarp => self.is(0x8035)?,
                };
                if asks_arp { self.any_net(*direction, nets, [14, 24]) } else { Ok(false) }
            }
            Test::Nets6(direction, nets) => {
                if !self.is(0x86dd)? {
                    return Ok(false);
                }
                self.any(*direction, nets, |reader, net, end| {
                    for word in 0..4 {
                        let part = |number: u128| {
                            number.to_be_bytes().chunks(4).nth(word).map_or(0, |chunk| {
                                chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
                            })
                        };
                        let at = if end == 0 { 8 } else { 24 };
                        let at = u32::try_from(word).unwrap_or(0) * 4 + at;
                        let mask = part(net.mask);
                        if mask != 0 && reader.network(at, 4)? & mask != part(net.address) {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                })
            }
            Test::Hardware(direction, [a, b, rest @ ..]) => self.ends(*direction, |end| {
                let at = self.offsets.header + if end == 0 { 6 } else { 0 };
                Ok(self.number(at + 2, 4)? == u32::from_be_bytes(*rest)
                    && self.number(at, 2)? == u32::from(*a) << 8 | u32::from(*b))
            }),
            Test::Ports(transport, direction, ranges) => {
                let has_ports = |number: u32| {
                    Transport::ALL.into_iter().any(|one| {
                        u32::from(one.number()) == number && transport.is_none_or(|only| only == one)
                    })
                };
                let at = if self.is(0x0800)? {
                    if !has_ports(self.network(9, 1)?) || self.network(6, 2)? & 0x1fff != 0 {
                        return Ok(false);
                    }
                    (self.network(0, 1)? & 0xf) * 4
                } else if self.is(0x86dd)? && has_ports(self.network(6, 1)?) {
                    40
                } else {
                    return Ok(false);
                };
                self.any(*direction, ranges, |reader, (first, last), end| {
                    let port = reader.network(at + if end == 0 { 0 } else { 2 }, 2)?;
                    Ok((u32::from(*first)..=u32::from(*last)).contains(&port))
                })
            }
            Test::Relation(left, comparison, right) => {
                if !self.has_layers(left)? || !self.has_layers(right)? {
                    return Ok(false);
                }
                Ok(comparison.holds(self.value(left)?, self.value(right)?))
            }
            Test::Broadcast => Ok(self.number(self.offsets.header + 2, 4)? == u32::MAX
                && self.number(self.offsets.header, 2)? == 0xffff),
            Test::Multicast => Ok(self.number(self.offsets.header, 1)? & 1 == 1),
            Test::IpMulticast => Ok(self.is(0x0800)? && self.network(16, 1)? >= 224),
            Test::Ip6Multicast => Ok(self.is(0x86dd)? && self.network(24, 1)? == 255),
            Test::Vlan(tag) => {
                let kind = self.number(self.offsets.ethertype, 2)?;
                if !matches!(kind, 0x8100 | 0x88a8 | 0x9100) {
                    return Ok(false);
                }
                match tag {
                    Some(tag) => Ok(self.number(self.offsets.payload, 2)? & 0xfff == u32::from(*tag)),
                    None => Ok(true),
                }
            }
            Test::Mpls(label) => {
                let Offsets { link, ethertype, labels, .. } = self.offsets;
                let is_there = if labels > 0 {
                    self.number(self.offsets.network() - 2, 1)? & 1 == 0
                } else if link == Link::Ethernet {
                    self.is(0x8847)?
                } else {
                    self.number(ethertype, 2)? == 0x0281
                };
                match label {
                    Some(label) if is_there => Ok(self.network(0, 4)? >> 12 == *label),
                    _ => Ok(is_there),
                }
            }
            Test::Pppoe(session) => {
                let is_there = self.is(0x8864)?;
                match session {
                    Some(session) if is_there => Ok(self.network(2, 2)? == u32::from(*session)),
                    _ => Ok(is_there),
                }
            }
            Test::Outbound => match self.offsets.link {
                Link::Sll => Ok(self.number(0, 2)? == 4),
                _ => Ok(self.number(10, 1)? == 4),
            },
        }
    }

    /// All headers that the value reads of must be there, before any of it is computed.
    fn has_layers(&self, value: &Value) -> Answer {
        match value {
            Value::Number(_) | Value::Length => Ok(true),
            Value::Binary(_, left, right) => Ok(self.has_layers(left)? && self.has_layers(right)?),
            Value::Access(layer, index, _) => Ok(self.has_layers(index)?
                && match layer {
                    Layer::Link => true,
                    Layer::Network(number) => self.is(*number)?,
                    Layer::Transport(58) => self.is(0x86dd)? && self.network(6, 1)? == 58,
                    Layer::Transport(number) => {
                        self.is(0x0800)?
                            && self.network(9, 1)? == u32::from(*number)
                            && self.network(6, 2)? & 0x1fff == 0
                    }
                }),
        }
    }

    fn value(&self, value: &Value) -> Result<u32, Cut> {
        match value {
            Value::Number(number) => Ok(*number),
            Value::Length => Ok(self.wire_bytes),
            Value::Binary(operator, left, right) => {
                operator.apply(self.value(left)?, self.value(right)?).ok_or(Cut)
            }
            Value::Access(layer, index, bytes) => {
                let base = match layer {
                    Layer::Link => self.offsets.header,
                    Layer::Network(_) => self.offsets.network(),
                    Layer::Transport(58) => self.offsets.network() + 40,
                    Layer::Transport(_) => self.offsets.network() + (self.network(0, 1)? & 0xf) * 4,
                };
                self.number(base.checked_add(self.value(index)?).ok_or(Cut)?, *bytes)
            }
        }
    }
}
