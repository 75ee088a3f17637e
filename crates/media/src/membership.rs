//! Seeing who listens to which group, from IGMP and MLD on the wire (RFC 3376, RFC 9777).

use core::net::IpAddr;

use model::media::membership::{Membership, MembershipFacts, Querier};
use model::media::{Occurrence, StreamRule};
use model::{Timestamp, Utc};
use wire::address::Address;
use wire::igmp::{Message, Query, Record, RecordKind};
use wire::packet::{Detail, Packet, Version};
use wire::{Frame, checksum, igmp, mld};

use crate::Tally;

/// Routers that are followed.
const MOST_QUERIERS: usize = 16;
/// Memberships that are followed.
const MOST_MEMBERSHIPS: usize = 4096;
/// Sources of a membership that are listed.
const MOST_SOURCES: usize = 16;

/// A message is not what it claims.
pub static MALFORMED: StreamRule = StreamRule {
    name: "membership-malformed",
    clause: "RFC 3376 §4",
    text: "A message is not what it claims.",
};
/// A checksum is wrong, so that routers pass the message over.
pub static CHECKSUM: StreamRule = StreamRule {
    name: "membership-checksum",
    clause: "RFC 3376 §4.1.2",
    text: "A checksum is wrong, so that routers pass the message over.",
};
/// A host joins with an older version than the third, which cannot name sources.
pub static OLD_VERSION: StreamRule = StreamRule {
    name: "membership-old-version",
    clause: "ST 2110-10:2022 §6.5",
    text: "A host joins with an older version than the third, which cannot name sources.",
};
/// A message could come from another network: its TTL is not 1.
pub static TTL: StreamRule = StreamRule {
    name: "membership-ttl",
    clause: "RFC 3376 §4",
    text: "A message could come from another network: its TTL is not 1.",
};
/// Two routers ask at the same time, where one should be quiet.
pub static TWO_QUERIERS: StreamRule = StreamRule {
    name: "membership-two-queriers",
    clause: "RFC 3376 §6.6.2",
    text: "Two routers ask at the same time, where one should be quiet.",
};

#[derive(Debug, Clone)]
struct FollowedQuerier {
    facts: Querier,
    last: Option<Timestamp<Utc>>,
}

/// Follows all memberships that it is given words of.
#[derive(Debug, Clone, Default)]
pub struct Memberships {
    facts: MembershipFacts,
    queriers: Vec<FollowedQuerier>,
    tally: Tally,
}

/// Who said something, and when.
#[derive(Debug, Clone, Copy)]
struct Word {
    source: IpAddr,
    time: Option<Timestamp<Utc>>,
    at: Occurrence,
}

impl Memberships {
    /// Takes a packet, where it is one of IGMP or MLD; `number` is that of its frame, from 1.
    pub fn handle(&mut self, frame: &Frame<'_>, packet: &Packet<'_>, number: u64) {
        let listens = match packet.detail {
            Detail::Igmp { .. } => true,
            Detail::Icmp(header) => header.is_listener_discovery(),
            _ => false,
        };
        // Eight octets of the message were read as its header.
        let start = usize::try_from(packet.payload_at).ok().and_then(|at| at.checked_sub(8));
        let message = start.and_then(|start| frame.bytes.get(start..start + 8 + packet.payload.len()));
        if let Some(message) = message.filter(|_| listens) {
            let (source, version) = (packet.source.to_ip(), packet.version);
            self.handle_message(message, source, version, packet.ttl, frame.time, number);
        }
    }

    /// Takes a message: what follows the header of IP.
    pub fn handle_message(
        &mut self,
        bytes: &[u8],
        source: IpAddr,
        version: Version,
        ttl: u8,
        time: Option<Timestamp<Utc>>,
        number: u64,
    ) {
        let at = Occurrence { frame: number, sequence: 0, timestamp: 0 };
        self.facts.messages += 1;
        if version == Version::V4 && checksum::internet(&[bytes]) != 0 {
            self.facts.checksum_errors += 1;
            self.tally.note(&CHECKSUM, at, || source.to_string());
            return;
        }
        if ttl != 1 {
            self.tally.note(&TTL, at, || format!("{ttl} from {source}"));
        }
        let message = match version {
            Version::V4 => igmp::parse(bytes),
            Version::V6 => mld::parse(bytes),
        };
        let word = Word { source, time, at };
        match message {
            Ok(Message::Query(query)) => self.query(&query, word),
            Ok(Message::Join { group, version: said }) => {
                let old = Record { kind: RecordKind::IsExclude, group, sources: igmp::Sources::NONE };
                self.record(&old, said, word);
                if version == Version::V4 && !is_local(group) {
                    self.tally
                        .note(&OLD_VERSION, at, || format!("{source} joins {} with {said}", group.to_ip()));
                }
            }
            Ok(Message::Leave { group }) => {
                let old = Record { kind: RecordKind::ToInclude, group, sources: igmp::Sources::NONE };
                self.record(&old, if version == Version::V4 { 2 } else { 1 }, word);
            }
            Ok(Message::Report(records)) => {
                let said = if version == Version::V4 { 3 } else { 2 };
                records.for_each(|record| self.record(&record, said, word));
            }
            Ok(Message::Other(_)) => {}
            Err(fault) => {
                self.facts.malformed += 1;
                self.tally.note(&MALFORMED, at, || fault.to_string());
            }
        }
    }

    fn query(&mut self, query: &Query<'_>, word: Word) {
        let known = self.queriers.iter().position(|it| it.facts.address == word.source);
        if known.is_none() && self.queriers.len() >= MOST_QUERIERS {
            self.facts.left_out += 1;
            return;
        }
        let index = known.unwrap_or_else(|| {
            let facts = Querier {
                address: word.source,
                version: query.version,
                general_queries: 0,
                group_queries: 0,
                interval_ns: Default::default(),
                stated_interval_s: 0,
                robustness: 0,
                max_response_ms: 0,
            };
            self.queriers.push(FollowedQuerier { facts, last: None });
            self.queriers.len() - 1
        });
        // A router that hears a lower address stays quiet; the second word of both says that it does not.
        let other = self.queriers.iter().find(|it| {
            let recent = |(now, then): (Timestamp<Utc>, Timestamp<Utc>)| now.since_ns(then) < 255_000_000_000;
            it.facts.address != word.source
                && it.facts.address.is_ipv4() == word.source.is_ipv4()
                && it.facts.general_queries > 1
                && word.time.zip(it.last).is_some_and(recent)
        });
        let other = other.map(|it| it.facts.address);
        let Some(querier) = self.queriers.get_mut(index) else { return };
        let facts = &mut querier.facts;
        facts.version = query.version;
        facts.max_response_ms = query.max_response_ms;
        facts.stated_interval_s = query.interval_s;
        facts.robustness = query.robustness;
        if query.group.is_some() {
            facts.group_queries += 1;
            return;
        }
        facts.general_queries += 1;
        if let Some((now, before)) = word.time.zip(querier.last) {
            facts.interval_ns.add(now.since_ns(before));
        }
        querier.last = word.time.or(querier.last);
        if let Some(other) = other.filter(|_| facts.general_queries > 1) {
            self.tally.note(&TWO_QUERIERS, word.at, || format!("{} and {other}", word.source));
        }
    }

    fn record(&mut self, record: &Record<'_>, version: u8, word: Word) {
        if let RecordKind::Other(_) = record.kind {
            return;
        }
        let (group, member) = (record.group.to_ip(), word.source);
        let memberships = &mut self.facts.memberships;
        let known = memberships.iter().position(|it| (it.group, it.member) == (group, member));
        if known.is_none() && memberships.len() >= MOST_MEMBERSHIPS {
            self.facts.left_out += 1;
            return;
        }
        let index = known.unwrap_or_else(|| {
            memberships.push(Membership {
                group,
                member,
                version,
                excludes: false,
                sources: Vec::new(),
                more_sources: false,
                left: true,
                joins: 0,
                leaves: 0,
                reports: 0,
                first: word.time,
                last: None,
            });
            memberships.len() - 1
        });
        let Some(membership) = memberships.get_mut(index) else { return };
        membership.version = version;
        membership.reports += 1;
        membership.last = word.time.or(membership.last);
        apply(membership, record);
    }

    /// What was seen so far.
    pub fn facts(&self) -> MembershipFacts {
        MembershipFacts {
            queriers: self.queriers.iter().map(|it| it.facts.clone()).collect(),
            faults: self.tally.faults().to_vec(),
            ..self.facts.clone()
        }
    }
}

/// Whether a group never leaves the link: hosts join 224.0.0.0/24 without a word that matters.
fn is_local(group: Address) -> bool {
    matches!(group.to_ip(), IpAddr::V4(v4) if v4.octets().first_chunk() == Some(&[224, 0, 0]))
}

/// Changes what a host listens to as its record says (RFC 3376 §4.2.12).
fn apply(membership: &mut Membership, record: &Record<'_>) {
    let listened = !membership.left;
    let add = |membership: &mut Membership| {
        for source in record.sources.iter().map(Address::to_ip) {
            if membership.sources.contains(&source) {
                continue;
            }
            if membership.sources.len() >= MOST_SOURCES {
                membership.more_sources = true;
                break;
            }
            membership.sources.push(source);
        }
    };
    let remove = |membership: &mut Membership| {
        membership.sources.retain(|known| !record.sources.iter().any(|source| source.to_ip() == *known));
    };
    match record.kind {
        RecordKind::IsInclude | RecordKind::ToInclude | RecordKind::IsExclude | RecordKind::ToExclude => {
            membership.excludes = matches!(record.kind, RecordKind::IsExclude | RecordKind::ToExclude);
            membership.sources.clear();
            membership.more_sources = false;
            add(membership);
        }
        RecordKind::Allow if membership.excludes => remove(membership),
        RecordKind::Allow => add(membership),
        RecordKind::Block if membership.excludes => add(membership),
        RecordKind::Block => remove(membership),
        RecordKind::Other(_) => {}
    }
    // To listen to no source is to have left.
    membership.left = !membership.excludes && membership.sources.is_empty() && !membership.more_sources;
    membership.joins += u64::from(!listened && !membership.left);
    membership.leaves += u64::from(listened && membership.left);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pcap_tests::{corpus, frames};
    use wire::packet::{Decoded, decode};

    /// A message of IGMP with its checksum.
    fn message(bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let sum = checksum::internet(&[&bytes]);
        bytes[2..4].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    fn say(memberships: &mut Memberships, source: u8, second: i64, bytes: &[u8]) {
        let time = Some(Timestamp::from_ns(second * 1_000_000_000));
        memberships.handle_message(&message(bytes), [10, 0, 0, source].into(), Version::V4, 1, time, 1);
    }

    fn rung(memberships: &Memberships) -> Vec<&'static str> {
        memberships.tally.faults().iter().map(|it| it.rule.name).collect()
    }

    #[test]
    fn source_lists_grow_and_shrink() {
        let mut seen = Memberships::default();
        say(&mut seen, 9, 1, b"\x22\0\0\0\0\0\0\x01\x05\0\0\x02\xef\x01\x01\x01\x0a\0\0\x01\x0a\0\0\x02");
        say(&mut seen, 9, 2, b"\x22\0\0\0\0\0\0\x01\x06\0\0\x01\xef\x01\x01\x01\x0a\0\0\x01");
        let membership = seen.facts().memberships[0].clone();
        assert_eq!(membership.accepts([10, 0, 0, 2].into()), Some(true));
        assert_eq!(membership.accepts([10, 0, 0, 1].into()), Some(false));
        say(&mut seen, 9, 3, b"\x22\0\0\0\0\0\0\x01\x06\0\0\x01\xef\x01\x01\x01\x0a\0\0\x02");
        let membership = seen.facts().memberships[0].clone();
        assert_eq!(
            (membership.left, membership.joins, membership.leaves, membership.reports),
            (true, 1, 1, 3)
        );
        say(&mut seen, 9, 4, b"\x22\0\0\0\0\0\0\x01\x04\0\0\x01\xef\x01\x01\x01\x0a\0\0\x07");
        let membership = seen.facts().memberships[0].clone();
        assert_eq!((membership.excludes, membership.joins), (true, 2));
        assert_eq!(membership.accepts([10, 0, 0, 7].into()), Some(false));
        assert_eq!(membership.accepts([10, 0, 0, 8].into()), Some(true));
        assert_eq!(rung(&seen), [""; 0]);
    }

    #[test]
    fn each_rule_rings() {
        let mut seen = Memberships::default();
        say(&mut seen, 9, 1, b"\x16\0\0\0\xef\x01\x01\x01");
        say(&mut seen, 9, 1, b"\x16\0\0\0\xe0\0\0\xfb");
        assert_eq!(rung(&seen), ["membership-old-version"]);
        assert_eq!(seen.tally.count(&OLD_VERSION), 1);
        say(&mut seen, 9, 2, b"\x17\0\0\0\xef\x01\x01\x01");
        assert!(seen.facts().memberships[0].left && !seen.facts().memberships[1].left);
        for second in [10, 135, 260] {
            for router in [1, 2] {
                say(&mut seen, router, second, b"\x11\x64\0\0\0\0\0\0\x02\x7d\0\0");
            }
        }
        assert_eq!(seen.facts().queriers[0].interval_ns.mean().unwrap_or(0), 125_000_000_000);
        say(&mut seen, 9, 3, b"\x22\0\0\0\0\0\0\x02");
        let (bytes, source) = (message(b"\x16\0\0\0\xef\x01\x01\x01"), IpAddr::from([10, 0, 0, 9]));
        seen.handle_message(&bytes, source, Version::V4, 64, None, 1);
        seen.handle_message(b"\x16\0\0\0\xef\x01\x01\x01", source, Version::V4, 1, None, 1);
        let expected = ["old-version", "two-queriers", "malformed", "ttl", "checksum"];
        assert_eq!(rung(&seen), expected.map(|it| format!("membership-{it}")));
    }

    #[test]
    fn a_capture_of_queries() {
        let Some(path) = corpus("ptp/tcpdump-igmpv3-queries.pcap") else { return };
        let mut seen = Memberships::default();
        frames(&std::fs::read(path).unwrap(), |number, frame| {
            if let Ok(Decoded::Packet(packet)) = decode(frame) {
                seen.handle(frame, &packet, number);
            }
        });
        let facts = seen.facts();
        assert_eq!((facts.messages, facts.malformed), (6, 0), "{facts:#?}");
        assert_eq!((facts.queriers.len(), facts.queriers[0].version), (1, 3));
        assert_eq!(facts.queriers[0].general_queries + facts.checksum_errors, 6);
    }

    #[test]
    fn tables_are_bounded() {
        let mut seen = Memberships::default();
        for group in 0..5000_u16 {
            let [high, low] = group.to_be_bytes();
            say(&mut seen, 9, 1, &[0x16, 0, 0, 0, 239, 1, high, low]);
        }
        assert_eq!((seen.facts().memberships.len(), seen.facts().left_out), (4096, 904));
    }
}
