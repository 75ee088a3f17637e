//! Group membership of IPv4: queries, joins, leaves, source lists (RFC 1112, RFC 2236, RFC 3376).

use crate::Fault;
use crate::address::Address;
use crate::cursor::{array, be16};

/// Octets of the shortest message.
pub const HEADER_BYTES: usize = 8;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "IGMP", at, what }
}

/// One message, of IGMP or of MLD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// A router asks who listens.
    Query(Query<'a>),
    /// A host joins, or says that it still listens: to every source.
    Join {
        /// Which group.
        group: Address,
        /// Which version of the protocol says so.
        version: u8,
    },
    /// A host leaves.
    Leave {
        /// Which group.
        group: Address,
    },
    /// A host says what it listens to, with sources.
    Report(Records<'a>),
    /// Another type: routing, traces.
    Other(u8),
}

/// A query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// Which version of the protocol it is of.
    pub version: u8,
    /// About which group; `None` about all.
    pub group: Option<Address>,
    /// Within which time hosts are to answer, in milliseconds.
    pub max_response_ms: u32,
    /// Whether other routers are to leave their timers alone.
    pub suppress: bool,
    /// How often messages are said for safety; 0 where it is not said.
    pub robustness: u8,
    /// How often the querier asks, in seconds; 0 where it is not said.
    pub interval_s: u32,
    /// About which sources of the group; none for all.
    pub sources: Sources<'a>,
}

/// Addresses one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sources<'a> {
    pub(crate) bytes: &'a [u8],
    /// Octets of an address.
    pub(crate) width: usize,
}

impl<'a> Sources<'a> {
    /// None.
    pub const NONE: Sources<'static> = Sources { bytes: &[], width: 4 };

    /// How many.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.width
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Address> + use<'a> {
        self.bytes.chunks_exact(self.width).filter_map(address)
    }
}

/// An address of four or sixteen octets.
fn address(bytes: &[u8]) -> Option<Address> {
    match bytes.len() {
        4 => array(bytes, 0).map(Address::from_v4),
        _ => array(bytes, 0).map(Address::from_v6),
    }
}

/// What a record of a report says (RFC 3376 §4.2.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// Listens to these sources.
    IsInclude,
    /// Listens to all but these.
    IsExclude,
    /// Listens to these from now on; none is a leave.
    ToInclude,
    /// Listens to all but these from now on.
    ToExclude,
    /// Listens to these, too.
    Allow,
    /// Listens to these no more.
    Block,
    /// Another type, which is ignored.
    Other(u8),
}

impl RecordKind {
    /// From its octet.
    pub const fn from_octet(octet: u8) -> RecordKind {
        match octet {
            1 => RecordKind::IsInclude,
            2 => RecordKind::IsExclude,
            3 => RecordKind::ToInclude,
            4 => RecordKind::ToExclude,
            5 => RecordKind::Allow,
            6 => RecordKind::Block,
            other => RecordKind::Other(other),
        }
    }
}

/// One record of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it says.
    pub kind: RecordKind,
    /// About which group.
    pub group: Address,
    /// About which sources.
    pub sources: Sources<'a>,
}

/// The records of a report, which lie wholly in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Records<'a> {
    bytes: &'a [u8],
    left: u16,
    width: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (record, rest) = split(self.bytes, self.width)?;
        self.bytes = rest;
        Some(record)
    }
}

/// The first record, and what follows it.
fn split(bytes: &[u8], width: usize) -> Option<(Record<'_>, &[u8])> {
    let [kind, auxiliary_words] = array(bytes, 0)?;
    let count = usize::from(be16(bytes, 2)?);
    let (group, rest) = bytes.get(4..)?.split_at_checked(width)?;
    let (sources, rest) = rest.split_at_checked(count * width)?;
    let rest = rest.get(usize::from(auxiliary_words) * 4..)?;
    let sources = Sources { bytes: sources, width };
    Some((Record { kind: RecordKind::from_octet(kind), group: address(group)?, sources }, rest))
}

/// The records of a report behind its header of eight octets; addresses of `width` octets.
pub(crate) fn records<'a>(bytes: &'a [u8], width: usize, layer: &'static str) -> Result<Records<'a>, Fault> {
    let ends = Fault { layer, at: bytes.len(), what: "the report ends in its header (RFC 3376 §4.2)" };
    let count = be16(bytes, 6).ok_or(ends)?;
    let body = bytes.get(8..).ok_or(ends)?;
    let mut rest = body;
    for _ in 0..count {
        let at = bytes.len() - rest.len();
        let what = "a record is longer than the report (RFC 3376 §4.2.4)";
        (_, rest) = split(rest, width).ok_or(Fault { layer, at, what })?;
    }
    Ok(Records { bytes: body, left: count, width })
}

/// What stands behind the group of a query with sources (RFC 3376 §4.1); `at` is where it begins.
pub(crate) fn query_tail<'a>(
    bytes: &'a [u8],
    at: usize,
    width: usize,
    layer: &'static str,
) -> Result<(bool, u8, u32, Sources<'a>), Fault> {
    let ends =
        Fault { layer, at: bytes.len(), what: "the query ends before its sources do (RFC 3376 §4.1)" };
    let [flags, code] = array(bytes, at).ok_or(ends)?;
    let count = usize::from(be16(bytes, at + 2).ok_or(ends)?);
    let sources = bytes.get(at + 4..at + 4 + count * width).ok_or(ends)?;
    Ok((flags & 8 != 0, flags & 7, short_float(code), Sources { bytes: sources, width }))
}

/// A number of eight bits: as it is below 128, else with mantissa and exponent (RFC 3376 §4.1.1).
pub(crate) fn short_float(code: u8) -> u32 {
    if code < 128 {
        return u32::from(code);
    }
    (u32::from(code & 0xf) | 0x10) << (((code >> 4) & 7) + 3)
}

/// Reads a message: what follows the header of IP.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let ends = fault(bytes.len(), "shorter than the shortest message (RFC 2236 §2)");
    let [kind, code] = array(bytes, 0).ok_or(ends)?;
    let group = array(bytes, 4).map(Address::from_v4).ok_or(ends)?;
    Ok(match kind {
        0x11 => {
            // Which version is told by length and code (RFC 3376 §7.1).
            let version = match (bytes.len(), code) {
                (HEADER_BYTES, 0) => 1,
                (HEADER_BYTES, _) => 2,
                (12.., _) => 3,
                _ => {
                    return Err(fault(
                        bytes.len(),
                        "a query of a length that does not exist (RFC 3376 §7.1)",
                    ));
                }
            };
            let mut query = Query {
                version,
                group: (group != Address::from_v4([0; 4])).then_some(group),
                // Version 1 has no such field; its hosts answer within ten seconds (RFC 2236 §4).
                max_response_ms: match version {
                    1 => 10_000,
                    2 => u32::from(code) * 100,
                    _ => short_float(code) * 100,
                },
                suppress: false,
                robustness: 0,
                interval_s: 0,
                sources: Sources::NONE,
            };
            if version == 3 {
                (query.suppress, query.robustness, query.interval_s, query.sources) =
                    query_tail(bytes, 8, 4, "IGMP")?;
            }
            Message::Query(query)
        }
        0x12 => Message::Join { group, version: 1 },
        0x16 => Message::Join { group, version: 2 },
        0x17 => Message::Leave { group },
        0x22 => Message::Report(records(bytes, 4, "IGMP")?),
        other => Message::Other(other),
    })
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    for (message, least) in
        [(parse(bytes), HEADER_BYTES), (crate::mld::parse(bytes), crate::mld::HEADER_BYTES)]
    {
        match message {
            Ok(Message::Report(mut records)) => {
                let count = usize::from(be16(bytes, 6).unwrap_or(0));
                assert_eq!(records.count(), count);
                let octets: usize = records.map(|it| 4 + it.sources.width * (it.sources.len() + 1)).sum();
                assert!(octets + 8 <= bytes.len());
                assert!(records.all(|it| it.sources.iter().count() == it.sources.len()));
            }
            Ok(Message::Query(query)) => {
                assert!(bytes.len() >= least && query.sources.len() * query.sources.width < bytes.len());
                assert!(query.robustness < 8 && (1..=3).contains(&query.version));
                assert!(query.interval_s <= 31_744);
            }
            Ok(_) => {}
            Err(fault) => assert!(fault.at <= bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Joins 239.1.1.1 from 10.0.0.1 and 10.0.0.2, leaves 239.1.1.2.
    const REPORT: &[u8] =
        b"\x22\0\0\0\0\0\0\x02\x05\0\0\x02\xef\x01\x01\x01\x0a\0\0\x01\x0a\0\0\x02\x03\0\0\0\xef\x01\x01\x02";
    /// A general query of version 3, every 125 s.
    const QUERY: &[u8] = b"\x11\x64\0\0\0\0\0\0\x02\x7d\0\0";

    #[test]
    fn records_are_read() {
        let Message::Report(records) = parse(REPORT).unwrap() else { panic!() };
        let read: Vec<_> =
            records.map(|it| (it.kind, it.group, it.sources.iter().collect::<Vec<_>>())).collect();
        let v4 = Address::from_v4;
        assert_eq!(
            read[0],
            (RecordKind::Allow, v4([239, 1, 1, 1]), [v4([10, 0, 0, 1]), v4([10, 0, 0, 2])].into())
        );
        assert_eq!(read[1], (RecordKind::ToInclude, v4([239, 1, 1, 2]), Vec::new()));
    }

    #[test]
    fn versions_of_queries_are_told_apart() {
        let Message::Query(query) = parse(QUERY).unwrap() else { panic!() };
        assert_eq!((query.version, query.group, query.max_response_ms), (3, None, 10_000));
        assert_eq!((query.robustness, query.interval_s, query.sources.len()), (2, 125, 0));
        let Message::Query(query) = parse(&QUERY[..8]).unwrap() else { panic!() };
        assert_eq!(query.version, 2);
        let Message::Query(query) = parse(b"\x11\0\0\0\0\0\0\0").unwrap() else { panic!() };
        assert_eq!((query.version, query.max_response_ms), (1, 10_000));
        assert_eq!(parse(&QUERY[..10]).unwrap_err().at, 10);
        let group = Address::from_v4([239, 1, 1, 1]);
        assert_eq!(parse(b"\x16\0\0\0\xef\x01\x01\x01").unwrap(), Message::Join { group, version: 2 });
        assert_eq!(parse(b"\x17\0\0\0\xef\x01\x01\x01").unwrap(), Message::Leave { group });
        assert_eq!((short_float(127), short_float(128), short_float(255)), (127, 128, 31_744));
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let mut seed = 5_u64;
        for sample in [REPORT, QUERY] {
            for end in 0..sample.len() {
                check(&sample[..end]);
                assert!(parse(&sample[..end]).is_err() || end == 8);
            }
            for _ in 0..20_000 {
                let mut copy = sample.to_vec();
                for _ in 0..3 {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let at = (seed >> 33) as usize % copy.len();
                    copy[at] = seed.to_le_bytes()[5];
                }
                check(&copy);
            }
        }
    }
}
