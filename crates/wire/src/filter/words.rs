//! The words of the language: protocols, named numbers, and the word that a mistyped one was meant to be.

use alloc::vec::Vec;

use super::expression::{Family, Layer};

/// A word that names a protocol, and what it means on its own, before `[`, and after `proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// The link layer itself.
    Link,
    /// What an ether type says.
    Ethertype(u16),
    /// What the protocol field of IP says.
    Protocol(Family, u8),
}

const ANY: Family = Family::Any;
const IP: Family = Family::Ip;
const IP6: Family = Family::Ip6;

/// Words that name a protocol.
const NAMES: [(&str, Name); 33] = [
    ("ether", Name::Link),
    ("link", Name::Link),
    ("ppp", Name::Link),
    ("slip", Name::Link),
    ("fddi", Name::Link),
    ("tr", Name::Link),
    ("wlan", Name::Link),
    ("ip", Name::Ethertype(0x0800)),
    ("ip6", Name::Ethertype(0x86dd)),
    ("arp", Name::Ethertype(0x0806)),
    ("rarp", Name::Ethertype(0x8035)),
    ("atalk", Name::Ethertype(0x809b)),
    ("aarp", Name::Ethertype(0x80f3)),
    ("decnet", Name::Ethertype(0x6003)),
    ("lat", Name::Ethertype(0x6004)),
    ("sca", Name::Ethertype(0x6007)),
    ("mopdl", Name::Ethertype(0x6001)),
    ("moprc", Name::Ethertype(0x6002)),
    ("iso", Name::Ethertype(0xfe)),
    ("stp", Name::Ethertype(0x42)),
    ("ipx", Name::Ethertype(0xe0)),
    ("netbeui", Name::Ethertype(0xf0)),
    ("tcp", Name::Protocol(ANY, 6)),
    ("udp", Name::Protocol(ANY, 17)),
    ("sctp", Name::Protocol(ANY, 132)),
    ("esp", Name::Protocol(ANY, 50)),
    ("ah", Name::Protocol(ANY, 51)),
    ("pim", Name::Protocol(ANY, 103)),
    ("icmp", Name::Protocol(IP, 1)),
    ("igmp", Name::Protocol(IP, 2)),
    ("igrp", Name::Protocol(IP, 9)),
    ("vrrp", Name::Protocol(IP, 112)),
    ("icmp6", Name::Protocol(IP6, 58)),
];

/// Names of protocols after `ip proto`, as IANA registered them, where they are not words of the language.
const PROTOCOLS: [(&str, u8); 33] = [
    ("ip", 0),
    ("hopopt", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ggp", 3),
    ("ipencap", 4),
    ("st", 5),
    ("tcp", 6),
    ("egp", 8),
    ("igp", 9),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("ipv6-route", 43),
    ("ipv6-frag", 44),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("eigrp", 88),
    ("ospf", 89),
    ("etherip", 97),
    ("encap", 98),
    ("pim", 103),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
    ("isis", 124),
    ("sctp", 132),
    ("udplite", 136),
];

/// Names after `ether proto` that are not words of the language.
const ETHERTYPES: [(&str, u16); 2] = [("loopback", 0x9000), ("loop", 0x0060)];

/// Named offsets and values (RFC 792, RFC 9293 §3.1, RFC 4443 and the registry of ICMPv6 types).
const NUMBERS: [(&str, u32); 57] = [
    ("icmptype", 0),
    ("icmpcode", 1),
    ("icmp6type", 0),
    ("icmp6code", 1),
    ("icmp-echoreply", 0),
    ("icmp-unreach", 3),
    ("icmp-sourcequench", 4),
    ("icmp-redirect", 5),
    ("icmp-echo", 8),
    ("icmp-routeradvert", 9),
    ("icmp-routersolicit", 10),
    ("icmp-timxceed", 11),
    ("icmp-paramprob", 12),
    ("icmp-tstamp", 13),
    ("icmp-tstampreply", 14),
    ("icmp-ireq", 15),
    ("icmp-ireqreply", 16),
    ("icmp-maskreq", 17),
    ("icmp-maskreply", 18),
    ("icmp6-destinationunreach", 1),
    ("icmp6-packettoobig", 2),
    ("icmp6-timeexceeded", 3),
    ("icmp6-parameterproblem", 4),
    ("icmp6-echo", 128),
    ("icmp6-echoreply", 129),
    ("icmp6-multicastlistenerquery", 130),
    ("icmp6-multicastlistenerreportv1", 131),
    ("icmp6-multicastlistenerdone", 132),
    ("icmp6-routersolicit", 133),
    ("icmp6-routeradvert", 134),
    ("icmp6-neighborsolicit", 135),
    ("icmp6-neighboradvert", 136),
    ("icmp6-redirect", 137),
    ("icmp6-routerrenum", 138),
    ("icmp6-nodeinformationquery", 139),
    ("icmp6-nodeinformationresponse", 140),
    ("icmp6-ineighbordiscoverysolicit", 141),
    ("icmp6-ineighbordiscoveryadvert", 142),
    ("icmp6-multicastlistenerreportv2", 143),
    ("icmp6-homeagentdiscoveryrequest", 144),
    ("icmp6-homeagentdiscoveryreply", 145),
    ("icmp6-mobileprefixsolicit", 146),
    ("icmp6-mobileprefixadvert", 147),
    ("icmp6-certpathsolicit", 148),
    ("icmp6-certpathadvert", 149),
    ("icmp6-multicastrouteradvert", 151),
    ("icmp6-multicastroutersolicit", 152),
    ("icmp6-multicastrouterterm", 153),
    ("tcpflags", 13),
    ("tcp-fin", 0x01),
    ("tcp-syn", 0x02),
    ("tcp-rst", 0x04),
    ("tcp-push", 0x08),
    ("tcp-ack", 0x10),
    ("tcp-urg", 0x20),
    ("tcp-ece", 0x40),
    ("tcp-cwr", 0x80),
];

/// Words of the language that are no protocol and no number.
const OTHERS: [&str; 26] = [
    "host",
    "net",
    "port",
    "portrange",
    "proto",
    "src",
    "dst",
    "and",
    "or",
    "not",
    "broadcast",
    "multicast",
    "less",
    "greater",
    "len",
    "length",
    "vlan",
    "mpls",
    "pppoes",
    "pppoed",
    "inbound",
    "outbound",
    "mask",
    "ether",
    "ip",
    "ip6",
];

/// Words that tcpdump knows and we refuse, each with what to do instead.
const REFUSED: [(&[&str], &str); 7] = [
    (&["protochain"], "a filter in the kernel cannot loop over headers; test one header with 'ip6 proto'"),
    (&["gateway"], "write 'ether host MAC and not host ADDRESS'"),
    (&["geneve", "vxlan", "llc", "ifindex", "byte"], "compare bytes instead, as in 'udp[4:2] > 100'"),
    (
        &["type", "subtype", "dir", "direction", "addr1", "addr2", "addr3", "addr4", "ra", "ta", "radio"],
        "fields of 802.11 cannot be filtered; filter what is inside",
    ),
    (
        &["ifname", "on", "rset", "ruleset", "rnr", "rulenum", "srnr", "subrulenum", "reason", "action"],
        "fields of the firewall pf cannot be filtered",
    ),
    (
        &[
            "vpi",
            "vci",
            "lane",
            "oamf4s",
            "oamf4e",
            "oamf4",
            "oam",
            "metac",
            "bcc",
            "sc",
            "ilmic",
            "connectmsg",
            "metaconnect",
            "fisu",
            "lssu",
            "lsu",
            "msu",
            "hfisu",
            "hlssu",
            "hmsu",
            "sio",
            "opc",
            "dpc",
            "sls",
            "hsio",
            "hopc",
            "hdpc",
            "hsls",
        ],
        "fields of ATM and SS7 cannot be filtered",
    ),
    (
        &["clnp", "esis", "es-is", "isis", "is-is", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp"],
        "write 'iso' and compare bytes of it, as in 'ether[17] = 0x83'",
    ),
];

fn find<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, meaning)| *meaning)
}

/// What a word means as the name of a protocol.
pub(super) fn protocol_word(word: &str) -> Option<Name> {
    if word == "carp" { Some(Name::Protocol(IP, 112)) } else { find(&NAMES, word) }
}

/// The word of the language for a protocol, where there is one.
pub(super) fn word_of(name: Name) -> Option<&'static str> {
    NAMES.iter().find(|(_, known)| *known == name).map(|(word, _)| *word)
}

/// The word that stands before `[` for a layer.
pub(super) fn word_of_layer(layer: Layer) -> &'static str {
    let name = match layer {
        Layer::Link => Name::Link,
        Layer::Network(ethertype) => Name::Ethertype(ethertype),
        Layer::Transport(58) => Name::Protocol(IP6, 58),
        Layer::Transport(number) => [ANY, IP]
            .into_iter()
            .map(|family| Name::Protocol(family, number))
            .find(|name| word_of(*name).is_some())
            .unwrap_or(Name::Link),
    };
    word_of(name).unwrap_or("link")
}

/// A number after `ip proto` that was written as a name.
pub(super) fn protocol_number(word: &str) -> Option<u8> {
    find(&PROTOCOLS, word).or_else(|| match find(&NAMES, word) {
        Some(Name::Protocol(_, number)) => Some(number),
        _ => None,
    })
}

/// A number after `ether proto` that was written as a name.
pub(super) fn ethertype_number(word: &str) -> Option<u16> {
    find(&ETHERTYPES, word).or_else(|| match find(&NAMES, word) {
        Some(Name::Ethertype(number)) => Some(number),
        _ => None,
    })
}

/// A named offset or value.
pub(super) fn named_number(word: &str) -> Option<u32> {
    find(&NUMBERS, word)
}

/// Why a word that tcpdump knows is refused.
pub(super) fn refused(word: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(words, _)| words.contains(&word)).map(|(_, why)| *why)
}

/// True for every word that means something to us.
pub(super) fn is_known(word: &str) -> bool {
    OTHERS.contains(&word) || protocol_word(word).is_some() || named_number(word).is_some()
}

/// How many letters must change, come or go, or be swapped with their neighbour, up to 3.
fn distance(one: &[u8], other: &[u8]) -> usize {
    if one.len().abs_diff(other.len()) > 2 {
        return 3;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = Vec::with_capacity(other.len().saturating_add(1));
        next.push(row.saturating_add(1));
        for (column, against) in other.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(3);
            let change = at(&last, column).saturating_add(usize::from(letter != against));
            let gap = at(&last, column.saturating_add(1)).min(at(&next, column)).saturating_add(1);
            let swapped = column.checked_sub(1).zip(row.checked_sub(1)).and_then(|(c, r)| {
                (one.get(r) == Some(against) && other.get(c) == Some(letter)).then(|| at(&before, c))
            });
            next.push(change.min(gap).min(swapped.map_or(usize::MAX, |cost| cost.saturating_add(1))));
        }
        before = core::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(3).min(3)
}

/// The word of the language that is nearest to a mistyped one.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    let small = word.to_ascii_lowercase();
    let allowed = match small.len() {
        0 | 1 => return None,
        2..5 => 1,
        _ => 2,
    };
    let words = OTHERS.into_iter().chain(NAMES.map(|(name, _)| name)).chain(NUMBERS.map(|(name, _)| name));
    words
        .map(|known| (distance(small.as_bytes(), known.as_bytes()), known))
        .filter(|(steps, _)| *steps <= allowed)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_finds_the_one_that_was_meant() {
        for (typed, meant) in [
            ("hots", "host"),
            ("prot", "port"),
            ("TCP", "tcp"),
            ("tpc", "tcp"),
            ("portrnage", "portrange"),
            ("brodcast", "broadcast"),
            ("ip4", "ip"),
            ("srcc", "src"),
            ("tcp-sym", "tcp-syn"),
        ] {
            assert_eq!(nearest(typed), Some(meant), "{typed}");
        }
        for typed in ["example", "http", "a", ""] {
            assert_eq!(nearest(typed), None, "{typed}");
        }
    }
}
