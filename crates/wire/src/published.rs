//! The packets that an address-translation rule takes, as far as ports and addresses go, and the forwards they make.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Forward, Transport};

use crate::intervals::Intervals;

/// More forwards than this are not kept: one machine has as many ports.
pub const MAX_FORWARDS: usize = 65_536;

/// A set of packets, by what their headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packets {
    /// IP protocol numbers.
    pub protocol: Intervals,
    /// Destination ports.
    pub port: Intervals,
    /// Destination addresses in IPv4; empty for packets that are not IPv4.
    pub v4: Intervals,
    /// Destination addresses in IPv6; empty for packets that are not IPv6.
    pub v6: Intervals,
    /// The interface they come in on, where the rule wants one.
    pub interface: Option<String>,
    /// Whether there are more conditions, which say nothing about ports.
    pub partial: bool,
    /// Whether only packets that this machine sends itself come here.
    pub own: bool,
}

impl Packets {
    /// Every packet of these families.
    pub fn all(v4: bool, v6: bool) -> Packets {
        let family = |there, bits| if there { Intervals::full(bits) } else { Intervals::empty(bits) };
        Packets {
            protocol: Intervals::full(8),
            port: Intervals::full(16),
            v4: family(v4, 32),
            v6: family(v6, 128),
            interface: None,
            partial: false,
            own: false,
        }
    }

    /// Keeps only packets of these families.
    pub fn keep_families(&mut self, v4: bool, v6: bool) {
        if !v4 {
            self.v4 = Intervals::empty(32);
        }
        if !v6 {
            self.v6 = Intervals::empty(128);
        }
    }

    /// How much work it is to narrow them: a rule set of strangers must not cost more than its size.
    pub fn weight(&self) -> u32 {
        let parts = [&self.protocol, &self.port, &self.v4, &self.v6].map(|set| set.parts().len());
        u32::try_from(1 + parts.iter().sum::<usize>() / 8).unwrap_or(u32::MAX)
    }

    /// Whether no packet is left.
    pub fn is_empty(&self) -> bool {
        self.protocol.is_empty() || self.port.is_empty() || (self.v4.is_empty() && self.v6.is_empty())
    }
}

/// Where packets go instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Target {
    /// The address; `None` keeps the address, or makes it this machine's.
    pub addr: Option<IpAddr>,
    /// The port; `None` keeps the port.
    pub port: Option<u16>,
    /// Whether these are only the first of several, or are worked out per packet.
    pub varies: bool,
}

/// The forwards found so far.
#[derive(Debug, Clone, Default)]
pub struct Collector {
    /// Each with whether only this machine's own packets take it.
    found: Vec<(Forward, bool)>,
    dropped: u64,
    damaged: u64,
}

/// The forwards of one rule set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// They, in order, each once.
    pub list: Vec<Forward>,
    /// How many rules were left out, in part or all, because a bound was reached.
    pub dropped: u64,
    /// How many rules should translate and could not be read.
    pub damaged: u64,
}

/// IP protocol numbers of the transports.
const TRANSPORTS: [(u128, Transport); 4] =
    [(6, Transport::Tcp), (17, Transport::Udp), (132, Transport::Sctp), (33, Transport::Dccp)];

impl Collector {
    /// Adds what `packets` make when the rule of this name sends them to `target`.
    pub fn add(&mut self, packets: &Packets, target: Target, rule: &str, netns: u32) {
        if packets.is_empty() {
            return;
        }
        // A rule for every protocol publishes all of them; two rows say it.
        let wanted = if packets.protocol.is_most() { 2 } else { TRANSPORTS.len() };
        // No packet is for port 0.
        let ports = packets.port.and(&Intervals::of(16, [(1, 65_535)]));
        let addresses = addresses(packets);
        for (number, transport) in TRANSPORTS.iter().take(wanted) {
            if !packets.protocol.contains(*number) {
                continue;
            }
            for (addr, note) in &addresses {
                let rule = describe(rule, packets, target, note.as_deref());
                for (first, last) in ports.parts() {
                    let (Ok(first), Ok(last)) = (u16::try_from(*first), u16::try_from(*last)) else {
                        continue;
                    };
                    let forward = Forward {
                        transport: *transport,
                        addr: *addr,
                        first,
                        last,
                        to_addr: target.addr,
                        to_port: target.port,
                        netns,
                        rule: rule.clone(),
                        container: None,
                    };
                    if self.found.len() >= MAX_FORWARDS {
                        return self.drop_one();
                    }
                    self.found.push((forward, packets.own));
                }
            }
        }
    }

    /// Counts something that a bound left out.
    pub fn drop_one(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    /// Counts a rule that could not be read.
    pub fn damage_one(&mut self) {
        self.damaged = self.damaged.saturating_add(1);
    }

    /// Ends the collection. A forward that arriving packets take as well as our own is one row.
    pub fn finish(mut self) -> Published {
        let key = |forward: &Forward| {
            let Forward { transport, first, last, addr, to_addr, to_port, .. } = forward;
            (*transport, *first, *last, *addr, *to_addr, *to_port)
        };
        self.found.sort_by(|(a, a_own), (b, b_own)| {
            key(a).cmp(&key(b)).then_with(|| a.rule.cmp(&b.rule)).then(a_own.cmp(b_own))
        });
        self.found.dedup_by(|(again, _), (first, _)| again == first);
        let name = |(forward, own): (Forward, bool)| {
            if !own {
                return forward;
            }
            let rule = match forward.rule.strip_suffix(')') {
                Some(open) => format!("{open}, own packets only)"),
                None => format!("{} (own packets only)", forward.rule),
            };
            Forward { rule, ..forward }
        };
        let list = self.found.into_iter().map(name).collect();
        Published { list, dropped: self.dropped, damaged: self.damaged }
    }
}

/// The published addresses: one by one where they are single, else none with a note.
fn addresses(packets: &Packets) -> Vec<(Option<IpAddr>, Option<String>)> {
    if packets.v4.is_full() || packets.v6.is_full() {
        return Vec::from([(None, None)]);
    }
    let mut found = Vec::new();
    let families = [(&packets.v4, false), (&packets.v6, true)];
    for (set, v6) in families {
        if set.is_empty() {
            continue;
        }
        if set.is_most() {
            return Vec::from([(None, None)]);
        }
        for (first, last) in set.parts() {
            match (address(*first, v6), address(*last, v6)) {
                (Some(first), Some(last)) if first == last => found.push((Some(first), None)),
                (Some(first), Some(last)) => found.push((None, Some(format!("for {first}-{last}")))),
                _ => {}
            }
        }
    }
    found
}

fn address(number: u128, v6: bool) -> Option<IpAddr> {
    if v6 {
        return Some(IpAddr::V6(Ipv6Addr::from_bits(number)));
    }
    u32::try_from(number).ok().map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
}

fn describe(rule: &str, packets: &Packets, target: Target, note: Option<&str>) -> String {
    let mut notes = Vec::new();
    notes.extend(note.map(String::from));
    notes.extend(packets.interface.as_deref().map(|name| format!("on {name}")));
    if target.varies {
        notes.push(String::from("one target of several"));
    }
    if notes.is_empty() { String::from(rule) } else { format!("{rule} ({})", notes.join(", ")) }
}

/// The address in a field of 4 or 16 bytes.
pub fn addr_of(bytes: &[u8], v6: bool) -> Option<IpAddr> {
    if v6 {
        bytes.first_chunk::<16>().map(|octets| IpAddr::from(*octets))
    } else {
        bytes.first_chunk::<4>().map(|octets| IpAddr::from(*octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(packets: &Packets, times: usize) -> Published {
        let mut collector = Collector::default();
        (0..times)
            .for_each(|_| collector.add(packets, Target { port: Some(7), ..Target::default() }, "r", 3));
        collector.finish()
    }

    #[test]
    fn each_address_and_transport_is_a_row() {
        let mut packets = Packets::all(true, false);
        packets.protocol = Intervals::of(8, [(17, 17), (132, 132)]);
        packets.port = Intervals::of(16, [(0, 9), (80, 80)]);
        packets.v4 = Intervals::of(32, [(0x0a00_0001, 0x0a00_0001), (0x0b00_0000, 0x0b00_00ff)]);
        packets.interface = Some(String::from("eth0"));
        let list = add(&packets, 2).list;
        assert_eq!(list.len(), 8);
        let row = &list[0];
        assert_eq!((row.transport, row.first, row.last, row.addr), (Transport::Udp, 1, 9, None));
        assert_eq!(row.rule, "r (for 11.0.0.0-11.0.0.255, on eth0)");
        assert_eq!(list[1].addr, Some(IpAddr::from([10, 0, 0, 1])));
        assert!(list.iter().all(|row| row.to_port == Some(7) && row.netns == 3));
    }

    #[test]
    fn what_our_own_packets_take_is_said_only_where_others_do_not() {
        let all = Packets::all(true, false);
        let own = Packets { own: true, ..all.clone() };
        assert_eq!(add(&own, 2).list[0].rule, "r (own packets only)");
        let mut collector = Collector::default();
        for packets in [&own, &all] {
            collector.add(packets, Target::default(), "r", 0);
        }
        let rules: Vec<String> = collector.finish().list.into_iter().map(|row| row.rule).collect();
        assert_eq!(rules, ["r", "r"]);
    }

    #[test]
    fn a_rule_for_everything_is_two_rows_and_one_for_nothing_is_none() {
        let list = add(&Packets::all(true, true), 1).list;
        assert_eq!(list.len(), 2);
        assert_eq!((list[0].first, list[0].last), (1, 65_535));
        let mut none = Packets::all(true, true);
        none.port = Intervals::empty(16);
        assert!(add(&none, 1).list.is_empty());
        assert!(add(&Packets::all(false, false), 1).list.is_empty());
    }

    #[test]
    fn more_than_the_bound_is_counted() {
        let mut packets = Packets::all(true, false);
        packets.protocol = Intervals::of(8, [(6, 6)]);
        packets.port = Intervals::of(16, (1..30_000).map(|n| (2 * n, 2 * n)));
        let found = add(&packets, 3);
        // Two times and a part; the repeats are one row each in the end.
        assert_eq!((found.list.len(), found.dropped), (29_999, 1));
    }
}
