//! Fast metadata: data items in RTP packets, and measuring their streams (ST 2110-41).
//!
//! The text of SMPTE was not read; the places of the bits are those of public notes that cite it.

use model::media::ancillary::{MetadataFacts, MetadataKind};
use model::media::{Occurrence, StreamFault, StreamRule};
use model::{Timestamp, Utc};
use wire::Fault;
use wire::cursor::be32;

use crate::{Packet, Tally};

/// The most words of a data item.
pub const MOST_WORDS: usize = 0x1ff;
/// Types of a stream that are listed.
const MOST_KINDS: usize = 64;
/// The longest time without a packet.
const MOST_GAP_NS: i64 = 500_000_000;

/// One data item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its type, of 22 bits.
    pub kind: u32,
    /// The `K` bit.
    pub flagged: bool,
    /// Its contents: whole words of 32 bits.
    pub contents: &'a [u8],
}

/// The data items of a payload, which lie wholly in it.
#[derive(Debug, Clone)]
pub struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let (item, rest) = split(self.rest)?;
        self.rest = rest;
        Some(item)
    }
}

/// The first data item, and what follows it.
fn split(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let head = be32(bytes, 0)?;
    let words = usize::try_from(head & 0x1ff).ok()?;
    let (contents, rest) = bytes.get(4..)?.split_at_checked(words * 4)?;
    Some((Item { kind: head >> 10, flagged: head & 0x200 != 0, contents }, rest))
}

/// Reads a payload; an empty one has no items.
pub fn parse(bytes: &[u8]) -> Result<Items<'_>, Fault> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let what = "a data item is longer than the packet (ST 2110-41:2024 §5)";
        (_, rest) = split(rest).ok_or(Fault { layer: "fast metadata", at, what })?;
    }
    Ok(Items { rest: bytes })
}

/// Writes a data item; what is no whole word is filled up with zeros.
pub fn write_item(kind: u32, flagged: bool, contents: &[u8], to: &mut Vec<u8>) {
    let contents = contents.get(..contents.len().min(MOST_WORDS * 4)).unwrap_or_default();
    let words = u32::try_from(contents.len().div_ceil(4)).unwrap_or(0);
    to.extend_from_slice(&((kind << 10) | (u32::from(flagged) << 9) | words).to_be_bytes());
    to.extend_from_slice(contents);
    to.resize(to.len() + contents.len().next_multiple_of(4) - contents.len(), 0);
}

/// What a type is called.
pub const fn name(kind: u32) -> Option<&'static str> {
    match kind {
        0x00_0100 => Some("audio metadata (ST 2127-2)"),
        0x10_0100 => Some("HDMI InfoFrame (IPMX)"),
        _ => None,
    }
}

/// Who may define a type.
pub const fn range(kind: u32) -> &'static str {
    match kind {
        0..=0x0f_ffff => "SMPTE",
        0x10_0000..=0x1f_ffff => "organisations",
        0x20_0000..=0x2f_ffff => "private",
        0x3f_f000..=0x3f_ffff => "experimental",
        _ => "reserved",
    }
}

/// A data item does not lie wholly in its packet.
pub static SHORT: StreamRule = StreamRule {
    name: "metadata-short",
    clause: "ST 2110-41:2024 §5",
    text: "A data item does not lie wholly in its packet.",
};
/// The marker is set.
pub static MARKER: StreamRule =
    StreamRule { name: "metadata-marker", clause: "ST 2110-41:2024 §5", text: "The marker is set." };
/// For more than 500 ms, no packet came.
pub static GAP: StreamRule = StreamRule {
    name: "metadata-gap",
    clause: "ST 2110-41:2024 §6",
    text: "For more than 500 ms, no packet came.",
};
/// A data item has a type that is reserved.
pub static RESERVED: StreamRule = StreamRule {
    name: "metadata-reserved",
    clause: "ST 2110-41:2024 §5",
    text: "A data item has a type that is reserved.",
};
/// A data item has a type that the session does not announce.
pub static UNANNOUNCED: StreamRule = StreamRule {
    name: "metadata-unannounced",
    clause: "ST 2110-41:2024 §7",
    text: "A data item has a type that the session does not announce.",
};

/// Measures one stream.
#[derive(Debug, Clone)]
pub struct Measure {
    announced: Vec<u32>,
    facts: MetadataFacts,
    tally: Tally,
    last: Option<Timestamp<Utc>>,
}

impl Measure {
    /// A measurement against the types that were announced; none announces any.
    pub fn new(announced: &[u32]) -> Measure {
        let announced = announced.iter().copied().take(MOST_KINDS).collect();
        Measure { announced, facts: MetadataFacts::default(), tally: Tally::default(), last: None }
    }

    /// Takes a packet.
    pub fn handle(&mut self, packet: &Packet<'_>) {
        let at = packet.occurrence();
        self.facts.packets += 1;
        if packet.rtp.marker {
            self.tally.note(&MARKER, at, String::new);
        }
        if let Some((now, before)) = packet.time.zip(self.last) {
            let gap = now.since_ns(before);
            let longest = self.facts.longest_gap_ns.unwrap_or(0);
            self.facts.longest_gap_ns = Some(longest.max(u64::try_from(gap).unwrap_or(0)));
            if gap > MOST_GAP_NS {
                self.tally.note(&GAP, at, || format!("{gap} ns"));
            }
        }
        self.last = packet.time.or(self.last);
        match parse(packet.rtp.payload) {
            Ok(items) => {
                self.facts.empty += u64::from(packet.rtp.payload.is_empty());
                items.for_each(|item| self.item(&item, at));
            }
            Err(fault) => {
                self.facts.malformed += 1;
                self.tally.note(&SHORT, at, || fault.to_string());
            }
        }
    }

    fn item(&mut self, item: &Item<'_>, at: Occurrence) {
        let announced = (!self.announced.is_empty()).then(|| self.announced.contains(&item.kind));
        if announced == Some(false) {
            self.tally.note(&UNANNOUNCED, at, || format!("{:06X}", item.kind));
        }
        if range(item.kind) == "reserved" {
            self.tally.note(&RESERVED, at, || format!("{:06X}", item.kind));
        }
        let kinds = &mut self.facts.kinds;
        let known = kinds.iter().position(|it| it.kind == item.kind);
        if known.is_none() && kinds.len() >= MOST_KINDS {
            self.facts.other_kinds += 1;
            return;
        }
        let index = known.unwrap_or_else(|| {
            kinds.push(MetadataKind {
                kind: item.kind,
                name: name(item.kind),
                range: range(item.kind),
                announced,
                items: 0,
                flagged: 0,
                bytes: Default::default(),
                first: at,
            });
            kinds.len() - 1
        });
        let Some(kind) = kinds.get_mut(index) else { return };
        kind.items += 1;
        kind.flagged += u64::from(item.flagged);
        kind.bytes.add(i64::try_from(item.contents.len()).unwrap_or(i64::MAX));
    }

    /// What was measured so far.
    pub fn facts(&self) -> MetadataFacts {
        let came = |kind: &u32| self.facts.kinds.iter().any(|it| it.kind == *kind);
        let announced_unseen = self.announced.iter().copied().filter(|kind| !came(kind)).collect();
        MetadataFacts { announced_unseen, ..self.facts.clone() }
    }

    /// Which rules were broken.
    pub fn faults(&self) -> &[StreamFault] {
        self.tally.faults()
    }
}

/// What must hold of any input: items make up the payload, and are written as they were.
pub fn check(bytes: &[u8]) {
    let Ok(items) = parse(bytes) else {
        assert!(!bytes.is_empty());
        return;
    };
    let mut again = Vec::new();
    for item in items {
        assert!(item.kind < 1 << 22 && item.contents.len().is_multiple_of(4));
        write_item(item.kind, item.flagged, item.contents, &mut again);
    }
    assert_eq!(again, bytes);
    let mut measure = Measure::new(&[0x00_0100]);
    measure.handle(&Packet {
        time: None,
        frame: 1,
        udp_bytes: 100,
        rtp: wire::rtp::Packet {
            marker: false,
            payload_type: 100,
            sequence: 0,
            timestamp: 0,
            ssrc: 0,
            sources: 0,
            extension: None,
            payload: bytes,
            padding_bytes: 0,
        },
    });
    let facts = measure.facts();
    let listed: u64 = facts.kinds.iter().map(|it| it.items).sum();
    let items = parse(bytes).map_or(0, Iterator::count);
    assert_eq!(usize::try_from(listed + facts.other_kinds), Ok(items));
    assert_eq!(facts.malformed, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut bytes = Vec::new();
        write_item(0x00_0100, true, b"loudness", &mut bytes);
        write_item(0x3f_f001, false, b"", &mut bytes);
        write_item(0x10_0100, false, b"frame", &mut bytes);
        bytes
    }

    #[test]
    fn items_are_read_as_they_are_written() {
        let bytes = sample();
        assert_eq!(bytes.len(), 12 + 4 + 12);
        assert_eq!(&bytes[..4], &[0x00, 0x04, 0x02, 0x02]);
        let items: Vec<_> = parse(&bytes).unwrap().map(|it| (it.kind, it.flagged, it.contents)).collect();
        assert_eq!(
            items,
            [(0x100, true, &b"loudness"[..]), (0x3f_f001, false, b""), (0x10_0100, false, b"frame\0\0\0")]
        );
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]).is_ok(), [0, 12, 16].contains(&end), "{end}");
        }
    }

    #[test]
    fn each_rule_rings() {
        let mut measure = Measure::new(&[0x00_0100, 7]);
        let mut reserved = sample();
        write_item(0x30_0000, false, b"", &mut reserved);
        for (index, payload) in [&sample()[..], b"", &reserved, b"abc"].into_iter().enumerate() {
            let index = u16::try_from(index).unwrap();
            measure.handle(&Packet {
                time: Some(Timestamp::from_ns(i64::from(index) * i64::from(index) * 200_000_000)),
                frame: 1,
                udp_bytes: if index == 2 { 1461 } else { 100 },
                rtp: wire::rtp::Packet {
                    marker: index == 1,
                    payload_type: 100,
                    sequence: index,
                    timestamp: 0,
                    ssrc: 0,
                    sources: 0,
                    extension: None,
                    payload,
                    padding_bytes: 0,
                },
            });
        }
        let rung: Vec<_> = measure.faults().iter().map(|it| (it.rule.name, it.count)).collect();
        assert_eq!(
            rung,
            [
                ("metadata-unannounced", 5),
                ("metadata-marker", 1),
                ("metadata-gap", 2),
                ("metadata-reserved", 1),
                ("metadata-short", 1)
            ]
        );
        let facts = measure.facts();
        assert_eq!(
            (facts.packets, facts.empty, facts.malformed, facts.longest_gap_ns),
            (4, 1, 1, Some(1_000_000_000))
        );
        assert_eq!((facts.announced_unseen, facts.kinds[0].items, facts.kinds[0].flagged), (vec![7], 2, 2));
    }

    #[test]
    fn any_octets_are_survived() {
        let sample = sample();
        (0..=sample.len()).for_each(|end| check(&sample[..end]));
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let mut copy = sample.clone();
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % copy.len();
            copy[at] = seed.to_le_bytes()[5];
            check(&copy);
        }
    }
}
