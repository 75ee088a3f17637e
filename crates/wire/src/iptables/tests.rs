//! The kernel's answers for rules of our own, whole, cut short, and damaged.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;

const V4_TABLE: &[u8] = include_bytes!("../../../../corpus/netfilter/ip_tables.bin");
const V6_TABLE: &[u8] = include_bytes!("../../../../corpus/netfilter/ip6_tables.bin");

fn read(bytes: &[u8], v6: bool) -> Published {
    let info = parse_info(bytes).unwrap();
    assert_eq!(info.size as usize, bytes.len() - INFO_BYTES);
    forwards(&info, &bytes[INFO_BYTES..], v6, 0)
}

fn lines(published: &Published) -> Vec<String> {
    let text =
        |addr: Option<core::net::IpAddr>| addr.map_or_else(|| "*".to_string(), |addr| addr.to_string());
    assert_eq!((published.dropped, published.damaged), (0, 0));
    published
        .list
        .iter()
        .map(|row| {
            let (name, addr, to) = (row.transport.name(), text(row.addr), text(row.to_addr));
            format!("{name} {addr} {}-{} > {to} {:?} | {}", row.first, row.last, row.to_port, row.rule)
        })
        .collect()
}

#[test]
fn tables_of_both_families() {
    if cfg!(target_endian = "big") {
        return;
    }
    assert_eq!(
        lines(&read(V4_TABLE, false)),
        [
            "tcp * 8080-8080 > 172.17.0.2 Some(80) | iptables nat DOCKER",
            "udp 192.0.2.7 53-53 > * Some(5353) | iptables nat DOCKER (on eth+)",
            "udp 192.0.2.7 100-102 > * Some(5353) | iptables nat DOCKER (on eth+)",
        ]
    );
    assert_eq!(
        lines(&read(V6_TABLE, true)),
        [
            "tcp * 80-81 > fd00::2 Some(8080) | ip6tables nat PREROUTING (for 2001:db8::-2001:db8::ffff:ffff:ffff:ffff)"
        ]
    );
}

#[test]
fn a_damaged_rule_is_counted_and_a_loop_ends() {
    if cfg!(target_endian = "big") {
        return;
    }
    let info = parse_info(V4_TABLE).unwrap();
    let table = &V4_TABLE[INFO_BYTES..];
    let place = |name: &[u8]| table.windows(name.len()).position(|window| window == name).unwrap();
    // The size of the block of the DNAT target: cut to its head.
    let mut copy = table.to_vec();
    let target = place(b"DNAT\0") - 2;
    copy[target..target + 2].copy_from_slice(&32_u16.to_ne_bytes());
    let found = forwards(&info, &copy, false, 0);
    assert_eq!((found.list.len(), found.damaged), (2, 2));
    // The next entry is this entry: the walk stands still until its steps are used up.
    let mut copy = table.to_vec();
    let first = info.entries[0] as usize;
    copy[first + 90..first + 92].copy_from_slice(&0_u16.to_ne_bytes());
    assert!(forwards(&info, &copy, false, 0).damaged > 0);
    // An address mask with holes is a condition, not a range.
    assert!(covered(&[10, 0, 0, 0], &[255, 0, 255, 0]).is_none());
    assert_eq!(covered(&[10, 9, 9, 9], &[255, 0, 0, 0]).unwrap().parts(), [(0x0a00_0000, 0x0aff_ffff)]);
}

#[test]
fn names_of_tables() {
    assert!(has_nat(b"filter\nnat\n") && !has_nat(b"filter\nnat2\n") && !has_nat(b""));
}

#[test]
fn every_prefix_and_many_damaged_copies_are_survived() {
    let mut seed = 19_u64;
    for bytes in [V4_TABLE, V6_TABLE] {
        for end in 0..bytes.len() {
            check(&bytes[..end]);
        }
        let mut copy = bytes.to_vec();
        for _ in 0..6000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % copy.len();
            let old = copy[at];
            copy[at] = seed.to_le_bytes()[2];
            check(&copy);
            copy[at] = old;
        }
    }
}
