//! What must hold of any pieces in any order; used by the fuzz target and the seeded test.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use model::Timestamp;

use super::{Limits, Reassembler};
use crate::address::Address;
use crate::packet::{Detail, Fragment, Packet, Tunnels, Version, Vlans};
use crate::protocol::Protocol;

/// A piece as IP would give it.
pub(super) fn piece(version: Version, id: u32, offset: u16, more: bool, bytes: &[u8]) -> Packet<'_> {
    let wire_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    Packet {
        source: Address::from_v4([192, 0, 2, 1]),
        destination: Address::from_v4([198, 51, 100, 2]),
        source_port: 0,
        destination_port: 0,
        protocol: Protocol::UDP,
        version,
        ttl: 64,
        traffic_class: 0,
        exceeds_frame: false,
        ip_bytes: wire_bytes + 20,
        payload_wire_bytes: wire_bytes,
        payload_at: 34,
        payload: bytes,
        detail: Detail::Nothing,
        fragment: Some(Fragment { id, offset, more, protocol: Protocol::UDP, bytes, wire_bytes }),
        vlans: Vlans::default(),
        tunnels: Tunnels::default(),
    }
}

/// The same, done the plain way: one place per byte, and what came first stays.
#[derive(Default)]
struct Plain {
    bytes: BTreeMap<usize, u8>,
    total: Option<usize>,
}

impl Plain {
    fn take(&mut self, offset: usize, more: bool, bytes: &[u8]) -> Option<Vec<u8>> {
        let end = offset + bytes.len();
        let held_end = self.bytes.last_key_value().map_or(0, |(at, _)| at + 1);
        match (self.total, more) {
            (Some(total), true) if end > total => return None,
            (Some(total), false) if end != total => return None,
            (None, false) if held_end > end => return None,
            _ => {}
        }
        if !more {
            self.total = Some(end);
        }
        for (at, byte) in (offset..).zip(bytes) {
            self.bytes.entry(at).or_insert(*byte);
        }
        (self.total == Some(self.bytes.len())).then(|| self.bytes.values().copied().collect())
    }
}

/// What must hold of any input: four bytes say a piece, and its payload are the bytes behind them.
pub fn check(bytes: &[u8]) {
    let roomy = Limits { most_packets: 1000, most_bytes: 1 << 30, timeout_ns: i64::MAX };
    let tight = Limits { most_packets: 3, most_bytes: 2000, timeout_ns: 20 };
    let (mut all, mut few) = (Reassembler::new(roomy), Reassembler::new(tight));
    let mut plain: BTreeMap<(u8, u8), Plain> = BTreeMap::new();
    let mut rest = bytes;
    let mut now = 0;
    while let [how, place, length, more @ ..] = rest {
        let (data, next) = more.split_at_checked(usize::from(*length)).unwrap_or((more, &[]));
        rest = next;
        now += 1;
        let (id, version) = (how >> 5, if how & 16 == 0 { Version::V4 } else { Version::V6 });
        let offset = u16::from(*place) * 8;
        let packet = piece(version, u32::from(id), offset, how & 1 != 0, data);
        let time = Timestamp::from_ns(now);
        if let Some(whole) = few.handle(&packet, time) {
            assert!(whole.payload.len() <= bytes.len());
        }
        assert!(few.waiting() <= tight.most_packets && few.used_bytes() <= tight.most_bytes);

        let whole = all.handle(&packet, time);
        assert!(all.used_bytes() <= bytes.len() * 130);
        let is_malformed = data.is_empty() || (how & 1 != 0 && !data.len().is_multiple_of(8));
        if is_malformed {
            assert_eq!(whole, None);
            continue;
        }
        let expected = plain.entry((id, how & 16)).or_default().take(usize::from(offset), how & 1 != 0, data);
        let found = whole.map(|whole| whole.payload);
        if found.is_some() || version == Version::V4 {
            assert_eq!(found, expected);
        } else {
            assert!(expected.is_none() || all.counts().overlaps > 0);
        }
        if found.is_some() {
            plain.remove(&(id, how & 16));
        }
    }
    let counts = all.counts();
    assert_eq!((counts.evicted, counts.timed_out, counts.snapped), (0, 0, 0));
    // Once everything is old, nothing is held.
    few.expire(Timestamp::from_ns(now + 100));
    assert_eq!((few.waiting(), few.used_bytes()), (0, 0));
}
