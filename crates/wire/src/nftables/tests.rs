//! The kernel's answers for rules of our own, whole, cut short, and damaged.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::netlink::{Message, Request, messages};

const NATIVE: &[u8] = include_bytes!("../../../../corpus/netfilter/nftables.bin");
const COMPAT: &[u8] = include_bytes!("../../../../corpus/netfilter/iptables-nft.bin");

fn ruleset(bytes: &[u8]) -> Ruleset {
    let mut ruleset = Ruleset::default();
    messages(bytes).for_each(|message| ruleset.take(&message.unwrap()));
    ruleset
}

fn lines(ruleset: &Ruleset) -> Vec<String> {
    let text =
        |addr: Option<core::net::IpAddr>| addr.map_or_else(|| "*".to_string(), |addr| addr.to_string());
    forwards(ruleset, 0)
        .list
        .iter()
        .map(|row| {
            let port = row.to_port.map_or_else(|| "same".to_string(), |port| port.to_string());
            let (name, addr, to) = (row.transport.name(), text(row.addr), text(row.to_addr));
            alloc::format!("{name} {addr} {}-{} > {to} {port} | {}", row.first, row.last, row.rule)
        })
        .collect()
}

#[test]
fn rules_maps_and_jumps() {
    if cfg!(target_endian = "big") {
        return;
    }
    let rules = ruleset(NATIVE);
    assert_eq!((rules.left_out(), rules.changed(), rules.is_empty()), ((0, 0), false, false));
    assert_eq!(rules.tables(), [(1, b"t".to_vec())]);
    assert!(rules.wanted_sets().is_empty());
    assert_eq!(
        lines(&rules),
        [
            "tcp 10.7.7.7 7-7 > * 77 | nftables inet t seven",
            "tcp 192.0.2.1 443-443 > 10.0.0.6 8443 | nftables inet t pre",
            "tcp * 1000-1010 > fd00::2 22 | nftables inet t more",
            "tcp * 3000-3009 > 10.0.0.8 same | nftables inet t pre",
            "tcp * 3010-3019 > 10.0.0.9 same | nftables inet t pre",
            "tcp * 65000-65535 > fd00::2 22 | nftables inet t more",
            "udp * 5000-5010 > 10.0.0.3 6000 | nftables inet t pre (for 198.51.100.0-198.51.103.255, on eth*)",
        ]
    );
}

#[test]
fn rules_that_iptables_wrote() {
    if cfg!(target_endian = "big") {
        return;
    }
    assert_eq!(
        lines(&ruleset(COMPAT)),
        [
            "tcp * 8080-8080 > 172.17.0.2 80 | nftables ip nat DOCKER",
            "udp 192.0.2.7 53-53 > * 5353 | nftables ip nat DOCKER (on eth*)",
            "udp 192.0.2.7 100-102 > * 5353 | nftables ip nat DOCKER (on eth*)",
        ]
    );
}

#[test]
fn sets_that_rules_look_into_are_wanted_until_they_are_there() {
    let mut rules = Ruleset::default();
    for message in messages(NATIVE).flatten().filter(|message| message.kind & 0xff != 12) {
        rules.take(&message);
    }
    let wanted: Vec<_> = rules.wanted_sets().into_iter().map(|(_, _, set)| set).collect();
    assert_eq!(wanted, [&b"__map0"[..], b"keyed", b"ports", b"spans"]);
    // A set without elements holds nothing.
    assert_eq!(lines(&rules).len(), 1);
}

#[test]
fn a_change_between_two_messages_is_seen() {
    let all: Vec<Message<'_>> = messages(NATIVE).flatten().collect();
    let mut rules = Ruleset::default();
    rules.take(&all[0]);
    let mut later = all[1].payload.to_vec();
    later[3] ^= 1;
    rules.take(&Message { payload: &later, ..all[1] });
    assert!(rules.changed());
}

#[test]
fn a_set_that_came_to_another_order_meanwhile_is_seen() {
    let has_elements =
        |message: &Message<'_>| find(&message.payload[BODY_BYTES..], 3).is_some_and(|it| !it.is_empty());
    let mut sets: Vec<Message<'_>> = messages(NATIVE).flatten().filter(|it| it.kind & 0xff == 12).collect();
    sets.retain(has_elements);
    assert!(sets.len() >= 3);
    for message in sets {
        let mut rules = ruleset(NATIVE);
        assert!(!rules.changed());
        rules.take(&message);
        assert!(rules.changed(), "its elements are there twice");
    }
}

/// An attribute as bytes.
fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    Request::new(0, 0).attribute(kind, payload).as_bytes()[16..].to_vec()
}

#[test]
fn chains_that_jump_to_each_other_end() {
    // table t: chain a (base) and chain b, each with two jumps to the other
    let jump = |to: &[u8]| {
        let verdict = [attribute(1, &(-3_i32).to_be_bytes()), attribute(2, &[to, &[0]].concat())].concat();
        let data = [attribute(1, &0_u32.to_be_bytes()), attribute(2, &attribute(2, &verdict))].concat();
        attribute(1, &[attribute(1, b"immediate\0"), attribute(2, &data)].concat())
    };
    let mut rules = Ruleset::default();
    let mut take = |kind: u16, parts: &[Vec<u8>]| {
        let request = Request::new(SUBSYSTEM | kind, 0).body(&[2, 0, 0, 0]).body(&parts.concat());
        messages(request.as_bytes()).for_each(|message| rules.take(&message.unwrap()));
    };
    let hook = [attribute(1, &0_u32.to_be_bytes()), attribute(2, &0_u32.to_be_bytes())].concat();
    take(3, &[attribute(1, b"t\0"), attribute(3, b"a\0"), attribute(4, &hook), attribute(7, b"nat\0")]);
    take(3, &[attribute(1, b"t\0"), attribute(3, b"b\0")]);
    for (chain, to) in [(b"a\0", b"b"), (b"a\0", b"b"), (b"b\0", b"a"), (b"b\0", b"a")] {
        take(6, &[attribute(1, b"t\0"), attribute(2, chain), attribute(4, &jump(to))]);
    }
    assert_eq!(rules.bases().count(), 1);
    let found = forwards(&rules, 0);
    assert!(found.list.is_empty() && found.dropped > 0);
}

#[test]
fn every_prefix_and_many_damaged_copies_are_survived() {
    let mut seed = 17_u64;
    for bytes in [NATIVE, COMPAT] {
        for end in 0..bytes.len() {
            check(&bytes[..end]);
        }
        let mut copy = bytes.to_vec();
        for _ in 0..1500 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % copy.len();
            let old = copy[at];
            copy[at] = seed.to_le_bytes()[2];
            check(&copy);
            copy[at] = old;
        }
    }
}
