//! What a filter expression says, and how it is written back so that it reads as the same.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::words::{Name, word_of, word_of_layer};

/// A filter expression that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// `None` is the empty text, which every frame passes.
    pub(super) root: Option<Node>,
}

/// Where a test stands in the text, counted from 1. It is no part of what the test means, and so all are equal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column(pub(super) usize);

impl PartialEq for Column {
    fn eq(&self, _: &Column) -> bool {
        true
    }
}

impl Eq for Column {}

/// One knot of the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Joined from left to right: `and` does not bind stronger than `or`. Flat, so that a long list is not deep.
    Chain(Box<Node>, Vec<(Joint, Node)>),
    Not(Box<Node>),
    Test(Test, Column),
}

/// How two knots are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    And,
    Or,
}

/// Which end of the packet a test looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Source,
    Destination,
    Either,
    Both,
}

/// Which version of IP a test looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    Ip,
    Ip6,
}

/// Which header an IPv4 address stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// IPv4, ARP and RARP.
    Any,
    Ip,
    Arp,
    Rarp,
}

/// What has ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP (RFC 9293).
    Tcp,
    /// UDP (RFC 768).
    Udp,
    /// SCTP (RFC 9260).
    Sctp,
}

impl Transport {
    pub(super) const ALL: [Transport; 3] = [Transport::Tcp, Transport::Udp, Transport::Sctp];

    pub(super) fn number(self) -> u8 {
        match self {
            Transport::Tcp => 6,
            Transport::Udp => 17,
            Transport::Sctp => 132,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Sctp => "sctp",
        }
    }
}

/// An address under a mask; no bit is set outside of the mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Net<T> {
    pub(super) address: T,
    pub(super) mask: T,
}

/// One question to a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Ethertype(u16),
    Protocol(Family, u8),
    /// True where one of the nets holds the address.
    Nets(Scope, Direction, Vec<Net<u32>>),
    Nets6(Direction, Vec<Net<u128>>),
    Hardware(Direction, [u8; 6]),
    /// True where one of the ranges holds the port; `None` is TCP, UDP and SCTP.
    Ports(Option<Transport>, Direction, Vec<(u16, u16)>),
    Relation(Value, Comparison, Value),
    Broadcast,
    Multicast,
    IpMulticast,
    Ip6Multicast,
    Vlan(Option<u16>),
    Mpls(Option<u32>),
    Pppoe(Option<u16>),
    /// True for what the capturing machine sent.
    Outbound,
}

/// How two values are compared; both are unsigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Comparison {
    pub(super) fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Comparison::Less => left < right,
            Comparison::Greater => left > right,
            Comparison::LessOrEqual => left <= right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::Greater => ">",
            Comparison::LessOrEqual => "<=",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Equal => "=",
            Comparison::NotEqual => "!=",
        }
    }
}

/// Which header the offset of an access counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Link,
    /// What follows the link header where it says this ether type.
    Network(u16),
    /// What follows the IPv4 header, of an unfragmented packet or a first fragment; 58 (ICMPv6) follows that of IPv6.
    Transport(u8),
}

/// What arithmetic is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
    Xor,
    Left,
    Right,
}

impl Operator {
    /// The result in 32 bits without a sign; `None` where something is divided by zero.
    pub(super) fn apply(self, left: u32, right: u32) -> Option<u32> {
        match self {
            Operator::Add => Some(left.wrapping_add(right)),
            Operator::Subtract => Some(left.wrapping_sub(right)),
            Operator::Multiply => Some(left.wrapping_mul(right)),
            Operator::Divide => left.checked_div(right),
            Operator::Remainder => left.checked_rem(right),
            Operator::And => Some(left & right),
            Operator::Or => Some(left | right),
            Operator::Xor => Some(left ^ right),
            Operator::Left => Some(left.checked_shl(right).unwrap_or(0)),
            Operator::Right => Some(left.checked_shr(right).unwrap_or(0)),
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
            Operator::And => "&",
            Operator::Or => "|",
            Operator::Xor => "^",
            Operator::Left => "<<",
            Operator::Right => ">>",
        }
    }
}

/// A number out of the frame, or a constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Number(u32),
    /// The length of the frame on the wire.
    Length,
    /// One, two or four bytes.
    Access(Layer, Box<Value>, u8),
    Binary(Operator, Box<Value>, Box<Value>),
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Some(node) => node.fmt(f),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Chain(first, rest) => {
                first.grouped(f)?;
                for (joint, node) in rest {
                    f.write_str(match joint {
                        Joint::And => " and ",
                        Joint::Or => " or ",
                    })?;
                    node.grouped(f)?;
                }
                Ok(())
            }
            Node::Not(inner) => {
                f.write_str("not ")?;
                inner.grouped(f)
            }
            Node::Test(test, _) => test.fmt(f),
        }
    }
}

impl Node {
    /// In parentheses where it is joined of several.
    fn grouped(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self, Node::Chain(..)) { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

/// Writes `what` for each item, joined by `or`, in parentheses where there are several.
fn alternatives<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    what: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    let several = items.len() > 1;
    f.write_str(if several { "(" } else { "" })?;
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index > 0 { " or " } else { "" })?;
        what(f, item)?;
    }
    f.write_str(if several { ")" } else { "" })
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Source => "src ",
            Direction::Destination => "dst ",
            Direction::Either => "",
            Direction::Both => "src and dst ",
        })
    }
}

fn optional<T: fmt::Display>(f: &mut fmt::Formatter<'_>, word: &str, number: Option<T>) -> fmt::Result {
    match number {
        Some(number) => write!(f, "{word} {number}"),
        None => f.write_str(word),
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Ethertype(number) => match word_of(Name::Ethertype(*number)) {
                Some(word) => f.write_str(word),
                None => write!(f, "ether proto {number:#06x}"),
            },
            Test::Protocol(family, number) => match (word_of(Name::Protocol(*family, *number)), family) {
                (Some(word), _) => f.write_str(word),
                (None, Family::Any) => write!(f, "proto {number}"),
                (None, Family::Ip) => write!(f, "ip proto {number}"),
                (None, Family::Ip6) => write!(f, "ip6 proto {number}"),
            },
            Test::Nets(scope, direction, nets) => alternatives(f, nets, |f, net| {
                f.write_str(match scope {
                    Scope::Any => "",
                    Scope::Ip => "ip ",
                    Scope::Arp => "arp ",
                    Scope::Rarp => "rarp ",
                })?;
                let (address, mask) = (Ipv4Addr::from(net.address), Ipv4Addr::from(net.mask));
                match (net.mask.leading_ones(), net.mask.count_ones()) {
                    (32, _) => write!(f, "{direction}host {address}"),
                    (length, ones) if length == ones => write!(f, "{direction}net {address}/{length}"),
                    _ => write!(f, "{direction}net {address} mask {mask}"),
                }
            }),
            Test::Nets6(direction, nets) => alternatives(f, nets, |f, net| {
                let address = Ipv6Addr::from(net.address);
                match net.mask.leading_ones() {
                    128 => write!(f, "{direction}host {address}"),
                    length => write!(f, "{direction}net {address}/{length}"),
                }
            }),
            Test::Hardware(direction, [a, b, c, d, e, g]) => {
                write!(f, "ether {direction}host {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
            }
            Test::Ports(transport, direction, ranges) => alternatives(f, ranges, |f, (first, last)| {
                if let Some(transport) = transport {
                    write!(f, "{} ", transport.word())?;
                }
                if first == last {
                    write!(f, "{direction}port {first}")
                } else {
                    write!(f, "{direction}portrange {first}-{last}")
                }
            }),
            Test::Relation(left, comparison, right) => write!(f, "{left} {} {right}", comparison.sign()),
            Test::Broadcast => f.write_str("ether broadcast"),
            Test::Multicast => f.write_str("ether multicast"),
            Test::IpMulticast => f.write_str("ip multicast"),
            Test::Ip6Multicast => f.write_str("ip6 multicast"),
            Test::Vlan(tag) => optional(f, "vlan", *tag),
            Test::Mpls(label) => optional(f, "mpls", *label),
            Test::Pppoe(session) => optional(f, "pppoes", *session),
            Test::Outbound => f.write_str("outbound"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => number.fmt(f),
            Value::Length => f.write_str("len"),
            Value::Access(layer, index, 1) => write!(f, "{}[{index}]", word_of_layer(*layer)),
            Value::Access(layer, index, bytes) => write!(f, "{}[{index} : {bytes}]", word_of_layer(*layer)),
            Value::Binary(operator, left, right) => write!(f, "({left} {} {right})", operator.sign()),
        }
    }
}
