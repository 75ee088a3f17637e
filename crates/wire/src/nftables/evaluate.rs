//! Walks the chains that translate addresses, and keeps for each rule the packets that can reach it.
//!
//! Walked are the `nat` chains at prerouting and output of tables that are not dormant, and every chain they jump or
//! go to. A rule that ends the chain for *some* packets does not take them away from the rules behind it: a forward
//! that an earlier `accept` or `return` shadows in part is still named. One that ends it for all packets does.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::ruleset::{Ruleset, Set, SetKey, verdict_of};
use super::state::{Field, Load, MergedWith, State, whole};
use super::{find, name, number, readable};
use crate::published::{Collector, Packets, Published, Target};
use crate::xtables::{self, Action};

/// Jumps within jumps (the kernel allows 16, `NFT_JUMP_STACK_SIZE`) and lookups within lookups of one rule.
const MAX_DEPTH: u32 = 32;
/// Expressions looked at; more is a rule set beyond reason.
const MAX_STEPS: u32 = 1_000_000;

const CONTINUE: i32 = -1;
const BREAK: i32 = -2;
const JUMP: i32 = -3;
const GOTO: i32 = -4;

/// What a rule does with the packets that come to its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Some of them go on to the next rule.
    Next,
    /// The chain ends for all of them.
    Ends,
}

/// One chain while it is walked.
#[derive(Clone, Copy)]
struct Place<'a> {
    key: &'a SetKey,
    /// The packets that came to it.
    arrived: &'a Packets,
    depth: u32,
}

struct Walk<'a> {
    ruleset: &'a Ruleset,
    netns: u32,
    steps: u32,
    found: Collector,
}

/// The forwards of a rule set.
pub fn forwards(ruleset: &Ruleset, netns: u32) -> Published {
    let mut walk = Walk { ruleset, netns, steps: MAX_STEPS, found: Collector::default() };
    for (key, own) in ruleset.bases() {
        // NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6; the others translate nothing.
        let packets = match key.0 {
            1 => Packets::all(true, true),
            2 => Packets::all(true, false),
            10 => Packets::all(false, true),
            _ => continue,
        };
        walk.chain(key, &Packets { own, ..packets }, 0);
    }
    walk.found.finish()
}

/// The chain ends for all packets that came, if the rule has no condition.
fn ends(packets: &Packets, arrived: &Packets) -> Outcome {
    if packets == arrived { Outcome::Ends } else { Outcome::Next }
}

impl Walk<'_> {
    fn chain(&mut self, key: &SetKey, packets: &Packets, depth: u32) {
        let ruleset = self.ruleset;
        let Some(rules) = ruleset.rules.get(key) else { return };
        if depth > MAX_DEPTH {
            return self.found.drop_one();
        }
        let arrived = Packets { partial: false, ..packets.clone() };
        let place = Place { key, arrived: &arrived, depth };
        for rule in rules {
            let expressions: Vec<&[u8]> = readable(rule).map(|found| found.payload).collect();
            if self.rule(place, &expressions, State::new(arrived.clone())) == Outcome::Ends {
                return;
            }
        }
    }

    /// Reads a rule from one of its expressions on.
    fn rule(&mut self, place: Place<'_>, expressions: &[&[u8]], mut state: State) -> Outcome {
        let mut rest = expressions;
        while let Some((expression, behind)) = rest.split_first() {
            rest = behind;
            if !self.afford(&state.packets) {
                return Outcome::Ends;
            }
            if state.packets.is_empty() {
                return Outcome::Next;
            }
            let data = find(expression, 2).unwrap_or_default();
            match name(expression, 1).unwrap_or_default() {
                b"meta" => state.load(number(data, 1), meta(data)),
                b"payload" => state.load(number(data, 1), payload(data)),
                b"bitwise" => state.bitwise(data),
                b"cmp" => state.compare(data),
                b"range" => state.range(data),
                b"counter" | b"log" | b"last" => {}
                b"immediate" => {
                    let value = find(data, 2).unwrap_or_default();
                    if let Some((code, chain)) = find(value, 2).and_then(verdict_of) {
                        return self.verdict(place, code, chain, &state.packets);
                    }
                    state.store(number(data, 1), find(value, 1).unwrap_or_default());
                }
                b"lookup" => {
                    if let Some(outcome) = self.lookup(place, data, rest, &mut state) {
                        return outcome;
                    }
                }
                b"nat" => {
                    // NFT_NAT_DNAT
                    if number(data, 1) == Some(1) {
                        self.publish(place.key, &state.packets, state.nat(data));
                    }
                    return ends(&state.packets, place.arrived);
                }
                b"redir" => {
                    self.publish(place.key, &state.packets, state.redirect(data));
                    return ends(&state.packets, place.arrived);
                }
                b"match" => {
                    let (info, revision) = (find(data, 3).unwrap_or_default(), number(data, 2).unwrap_or(0));
                    xtables::narrow(&mut state.packets, name(data, 1).unwrap_or_default(), revision, info);
                }
                b"target" => {
                    let (info, revision) = (find(data, 3).unwrap_or_default(), number(data, 2).unwrap_or(0));
                    let target = name(data, 1).unwrap_or_default();
                    match xtables::action(target, revision, info, place.key.0 == 10) {
                        Some(Action::Translate(target)) => {
                            self.publish(place.key, &state.packets, target);
                            return ends(&state.packets, place.arrived);
                        }
                        Some(Action::Other) => {}
                        None => self.found.damage_one(),
                    }
                }
                // These name their source first, the register of their result second.
                b"byteorder" | b"hash" | b"socket" | b"tunnel" => {
                    state.packets.partial = true;
                    state.load(number(data, 2), Load::new(Field::Other, 4));
                }
                // Another source of values, or a condition like a limit: nothing about ports.
                _ => {
                    state.packets.partial = true;
                    state.load(number(data, 1), Load::new(Field::Other, 4));
                }
            }
        }
        Outcome::Next
    }

    /// Whether there are steps left for one more look at these packets.
    fn afford(&mut self, packets: &Packets) -> bool {
        let left = self.steps.checked_sub(packets.weight());
        self.steps = left.unwrap_or(0);
        if left.is_none() {
            self.found.drop_one();
        }
        left.is_some()
    }

    fn publish(&mut self, key: &SetKey, packets: &Packets, target: Target) {
        let family = match key.0 {
            1 => "inet",
            2 => "ip",
            _ => "ip6",
        };
        let (table, chain) = (String::from_utf8_lossy(&key.1), String::from_utf8_lossy(&key.2));
        self.found.add(packets, target, &format!("nftables {family} {table} {chain}"), self.netns);
    }

    fn verdict(&mut self, place: Place<'_>, code: i32, chain: Vec<u8>, packets: &Packets) -> Outcome {
        if code == CONTINUE || code == BREAK {
            return Outcome::Next;
        }
        if code == JUMP || code == GOTO {
            let there = (place.key.0, place.key.1.clone(), chain);
            self.chain(&there, packets, place.depth.saturating_add(1));
        }
        // After a jump some packets may come back; with any other verdict none do.
        if code == JUMP { Outcome::Next } else { ends(packets, place.arrived) }
    }

    /// A lookup: narrows the state; or reads the rest of the rule once for each element, and gives the outcome.
    fn lookup(
        &mut self,
        place: Place<'_>,
        data: &[u8],
        rest: &[&[u8]],
        state: &mut State,
    ) -> Option<Outcome> {
        let named = (place.key.0, place.key.1.clone(), name(data, 1).unwrap_or_default().to_vec());
        // NFT_LOOKUP_F_INV
        let inverted = number(data, 5).unwrap_or(0) & 1 != 0;
        let result = number(data, 3);
        let ruleset = self.ruleset;
        let Some(set) = ruleset.sets.get(&named) else {
            state.packets.partial = true;
            state.load(result, Load::new(Field::Other, 4));
            return None;
        };
        let spans = spans(set);
        let key_bytes = spans.iter().map(|span| span.first.len()).max().unwrap_or(0);
        let fields = state.key(number(data, 2), key_bytes);
        if result.is_none() {
            if inverted && spans.is_empty() {
                return None;
            }
            if let [(0, load)] = fields.as_slice() {
                if spans.iter().any(|span| span.is_all) {
                    return inverted.then_some(Outcome::Next);
                }
                let parts: Vec<_> = spans.iter().filter_map(|span| span.part(0, load.bytes)).collect();
                state.narrow(*load, &parts, inverted);
                return None;
            }
            if inverted {
                state.packets.partial = true;
                return None;
            }
        }
        let place = Place { depth: place.depth.saturating_add(1), ..place };
        if place.depth > MAX_DEPTH {
            self.found.drop_one();
            return Some(Outcome::Next);
        }
        for span in &spans {
            if !self.afford(&state.packets) {
                return Some(Outcome::Ends);
            }
            let mut each = state.clone();
            for (offset, load) in fields.iter().filter(|_| !span.is_all) {
                match span.part(*offset, load.bytes) {
                    Some(part) => each.narrow(*load, &[part], false),
                    None => each.packets.partial = true,
                }
            }
            if each.packets.is_empty() {
                continue;
            }
            if let Some((code, chain)) = span.verdict {
                self.verdict(place, *code, chain.clone(), &each.packets);
                continue;
            }
            if let Some(data) = span.data {
                each.store(result, data);
            }
            self.rule(place, rest, each);
        }
        Some(Outcome::Next)
    }
}

/// The field that `meta` loads.
fn meta(data: &[u8]) -> Load {
    match number(data, 2) {
        // NFT_META_PROTOCOL, NFT_META_IIF, NFT_META_IIFNAME, NFT_META_NFPROTO, NFT_META_L4PROTO
        Some(1) => Load::new(Field::EtherType, 2),
        Some(4) => Load::new(Field::InterfaceIndex, 4),
        Some(6) => Load::new(Field::InterfaceName, 16),
        Some(15) => Load::new(Field::Family, 1),
        Some(16) => Load::new(Field::Protocol, 1),
        _ => Load::new(Field::Other, 4),
    }
}

/// The field that `payload` loads: base, offset and length in bytes.
fn payload(data: &[u8]) -> Load {
    let part = |kind| number(data, kind).and_then(|value| usize::try_from(value).ok()).unwrap_or(0);
    let (base, offset, bytes) = (part(2), part(3), part(4).min(64));
    let end = offset.saturating_add(bytes);
    let field = match (base, offset, bytes) {
        // NFT_PAYLOAD_NETWORK_HEADER: RFC 791 §3.1, RFC 8200 §3
        (1, 9, 1) | (1, 6, 1) => Field::Protocol,
        (1, 16, 1..=4) => Field::V4,
        (1, 24, 1..=16) => Field::V6,
        (1, 12..=15, _) if end >= 20 => Field::Merged(MergedWith::V4, 16 - offset),
        // NFT_PAYLOAD_TRANSPORT_HEADER: every transport has its ports at the same place
        (2, 2, 1 | 2) => Field::Port,
        (2, 0..=2, _) if end >= 4 => Field::Merged(MergedWith::Port, 2 - offset),
        _ => Field::Other,
    };
    Load::new(field, bytes)
}

/// One element, or one interval of a set.
struct Span<'a> {
    first: &'a [u8],
    /// In place of `last`, the key behind the last one; `None` for no end.
    behind: Option<Option<&'a [u8]>>,
    last: &'a [u8],
    /// The element that stands for all others.
    is_all: bool,
    data: Option<&'a [u8]>,
    verdict: Option<&'a (i32, Vec<u8>)>,
}

impl Span<'_> {
    /// The values of one field of the key.
    fn part(&self, offset: usize, bytes: usize) -> Option<(u128, u128)> {
        let cut = |key: &[u8]| whole(key.get(offset..offset.checked_add(bytes)?)?);
        let first = cut(self.first)?;
        let last = match self.behind {
            Some(Some(key)) => cut(key)?.checked_sub(1)?,
            Some(None) => u128::MAX,
            None => cut(self.last)?,
        };
        Some((first, last))
    }
}

/// The elements of a set, with the intervals put together from their ends.
fn spans(set: &Set) -> Vec<Span<'_>> {
    let mut elements: Vec<_> = set.elements.iter().collect();
    // An end stands before what begins at the same key.
    elements.sort_by(|a, b| a.key.cmp(&b.key).then(b.is_end.cmp(&a.is_end)));
    let mut spans = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        if element.is_end {
            continue;
        }
        let first = element.key.as_deref().unwrap_or_default();
        let next = elements.get(index.saturating_add(1)).and_then(|next| next.key.as_deref());
        spans.push(Span {
            first,
            behind: (set.interval && element.last.is_none()).then_some(next),
            last: element.last.as_deref().unwrap_or(first),
            is_all: element.key.is_none(),
            data: element.data.as_deref(),
            verdict: element.verdict.as_ref(),
        });
    }
    spans
}
