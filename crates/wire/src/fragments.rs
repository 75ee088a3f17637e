//! Puts packets together again that came in pieces, within bounds (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722 §4).
//!
//! Where pieces of IPv4 overlap, what came first stays; where pieces of IPv6 do, the packet is given up, pieces still to
//! come included (RFC 5722 §4). Both are counted. A piece that comes twice is no overlap.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use model::{Timestamp, Utc};

use crate::address::Address;
use crate::packet::{Fragment, Packet, TunnelKind, Version, Vlans};
use crate::protocol::Protocol;

mod check;
#[cfg(test)]
mod tests;

pub use check::check;

/// What a piece costs beside its bytes.
const PIECE_BYTES: usize = 64;
/// What a packet that waits costs beside its pieces.
const PACKET_BYTES: usize = 256;
/// No packet is longer (RFC 791 §3.1).
const MOST_PAYLOAD_BYTES: usize = 65_535;

/// How much may wait, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Packets that wait for pieces; of more, the oldest are given up.
    pub most_packets: usize,
    /// Bytes held, what each piece and packet costs included; of more, the oldest are given up.
    pub most_bytes: usize,
    /// How long a packet waits after its first piece, by the time of the packets.
    pub timeout_ns: i64,
}

impl Default for Limits {
    fn default() -> Limits {
        // A minute is what IPv6 waits (RFC 8200 §4.5).
        Limits { most_packets: 4096, most_bytes: 8 << 20, timeout_ns: 60_000_000_000 }
    }
}

/// What became of pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Pieces given.
    pub pieces: u64,
    /// Packets put together.
    pub whole: u64,
    /// Pieces that overlapped others with other bytes or bounds.
    pub overlaps: u64,
    /// Pieces that came again.
    pub duplicates: u64,
    /// Pieces of packets that were given up because of an overlap.
    pub discarded: u64,
    /// Pieces that no packet can have: not a multiple of eight bytes, or beyond the longest packet.
    pub malformed: u64,
    /// Pieces that were not captured whole.
    pub snapped: u64,
    /// Packets given up because they waited too long.
    pub timed_out: u64,
    /// Packets given up to make room.
    pub evicted: u64,
}

/// A packet's payload, put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// What it begins with, by its first piece.
    pub protocol: Protocol,
    /// Its bytes, for [`crate::packet::decode_whole`].
    pub payload: Vec<u8>,
}

/// Which packet a piece belongs to (RFC 791 §3.2; of IPv6 without the protocol, RFC 8200 §4.5). Two networks apart by
/// VLAN or tunnel may use the same addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: Address,
    destination: Address,
    id: u32,
    version: Version,
    protocol: Option<Protocol>,
    vlans: Vlans,
    tunnel: Option<(TunnelKind, u32)>,
}

#[derive(Debug, Clone)]
struct Piece {
    offset: usize,
    bytes: Box<[u8]>,
}

impl Piece {
    fn end(&self) -> usize {
        self.offset + self.bytes.len()
    }
}

#[derive(Debug, Clone)]
struct Waiting {
    /// When its first piece came, and as which of all packets.
    since: Timestamp<Utc>,
    number: u64,
    /// In order, without overlap.
    pieces: Vec<Piece>,
    held_bytes: usize,
    /// Its length, once the last piece came.
    total_bytes: Option<usize>,
    protocol: Protocol,
    given_up: bool,
}

/// Holds pieces until a packet is whole.
#[derive(Debug, Clone)]
pub struct Reassembler {
    limits: Limits,
    waiting: BTreeMap<Key, Waiting>,
    /// Packets in the order in which their first pieces came.
    order: BTreeMap<u64, Key>,
    next_number: u64,
    used_bytes: usize,
    counts: Counts,
}

impl Reassembler {
    /// One that holds nothing yet.
    pub fn new(limits: Limits) -> Reassembler {
        Reassembler {
            limits,
            waiting: BTreeMap::new(),
            order: BTreeMap::new(),
            next_number: 0,
            used_bytes: 0,
            counts: Counts::default(),
        }
    }

    /// Takes a piece, and gives the payload once it is whole; `now` is the time of the piece.
    pub fn handle(&mut self, packet: &Packet<'_>, now: Timestamp<Utc>) -> Option<Whole> {
        let fragment = packet.fragment?;
        self.counts.pieces += 1;
        self.expire(now);
        let (offset, length) = (usize::from(fragment.offset), fragment.bytes.len());
        if length < fragment.wire_bytes as usize {
            self.counts.snapped += 1;
            return None;
        }
        // All but the last are multiples of eight (RFC 791 §3.2, RFC 8200 §4.5); none is empty.
        let is_odd = fragment.more && !length.is_multiple_of(8);
        if is_odd || length == 0 || offset + length > MOST_PAYLOAD_BYTES {
            self.counts.malformed += 1;
            return None;
        }
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            id: fragment.id,
            version: packet.version,
            protocol: (packet.version == Version::V4).then_some(fragment.protocol),
            vlans: packet.vlans,
            tunnel: packet.tunnels.iter().last().map(|tunnel| (tunnel.kind, tunnel.id)),
        };
        let packets = usize::from(!self.waiting.contains_key(&key));
        self.make_room(packets, length + PIECE_BYTES + packets * PACKET_BYTES);
        let number = self.next_number;
        let waiting = self.waiting.entry(key).or_insert_with(|| {
            self.order.insert(number, key);
            self.next_number += 1;
            self.used_bytes += PACKET_BYTES;
            Waiting {
                since: now,
                number,
                pieces: Vec::new(),
                held_bytes: 0,
                total_bytes: None,
                protocol: fragment.protocol,
                given_up: false,
            }
        });
        let before = waiting.cost();
        waiting.take(&fragment, packet.version, &mut self.counts);
        self.used_bytes = self.used_bytes - before + waiting.cost();
        if waiting.total_bytes != Some(waiting.held_bytes) {
            // A piece that fills many gaps became many.
            self.make_room(0, 0);
            return None;
        }
        let whole = self.remove(&key)?;
        self.counts.whole += 1;
        let mut payload = Vec::with_capacity(whole.held_bytes);
        for piece in &whole.pieces {
            payload.extend_from_slice(&piece.bytes);
        }
        Some(Whole { protocol: whole.protocol, payload })
    }

    /// Gives up what waited too long.
    pub fn expire(&mut self, now: Timestamp<Utc>) {
        while let Some((_, key)) = self.order.first_key_value()
            && let Some(oldest) = self.waiting.get(key)
            && now.since_ns(oldest.since) > self.limits.timeout_ns
        {
            let key = *key;
            self.counts.timed_out += u64::from(!oldest.given_up);
            self.remove(&key);
        }
    }

    /// Gives up the oldest packets until so many more packets and bytes fit.
    fn make_room(&mut self, packets: usize, bytes: usize) {
        while let Some((_, oldest)) = self.order.first_key_value()
            && (self.used_bytes + bytes > self.limits.most_bytes
                || self.waiting.len() + packets > self.limits.most_packets)
        {
            let oldest = *oldest;
            self.counts.evicted += 1;
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Waiting> {
        let removed = self.waiting.remove(key)?;
        self.order.remove(&removed.number);
        self.used_bytes -= PACKET_BYTES + removed.cost();
        Some(removed)
    }

    /// What became of pieces so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many packets wait for pieces.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes held, as the limits count them.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }
}

impl Waiting {
    fn cost(&self) -> usize {
        self.held_bytes + self.pieces.len() * PIECE_BYTES
    }

    fn give_up(&mut self) {
        self.pieces = Vec::new();
        (self.held_bytes, self.total_bytes, self.given_up) = (0, None, true);
    }

    fn take(&mut self, fragment: &Fragment<'_>, version: Version, counts: &mut Counts) {
        if self.given_up {
            counts.discarded += 1;
            return;
        }
        let start = usize::from(fragment.offset);
        let end = start + fragment.bytes.len();
        if fragment.offset == 0 {
            self.protocol = fragment.protocol;
        }
        let first = self.pieces.partition_point(|piece| piece.end() <= start);
        let touched = self.pieces.get(first..).unwrap_or_default();
        let touched = touched.iter().take_while(|piece| piece.offset < end).count();
        if touched == 1
            && let Some(held) = self.pieces.get(first)
            && held.offset == start
            && *held.bytes == *fragment.bytes
            && fragment.more == (self.total_bytes != Some(end))
        {
            counts.duplicates += 1;
            return;
        }
        // The end is where the first "last" piece put it, and no piece may already reach beyond.
        let held_end = self.pieces.last().map_or(0, Piece::end);
        let contradicts = match (self.total_bytes, fragment.more) {
            (Some(total), true) => end > total,
            (Some(total), false) => end != total,
            (None, true) => false,
            (None, false) => held_end > end,
        };
        if touched > 0 || contradicts {
            counts.overlaps += 1;
            if version == Version::V6 {
                self.give_up();
                return;
            }
        }
        if contradicts {
            return;
        }
        if !fragment.more {
            self.total_bytes = Some(end);
        }
        // What came first stays: only the gaps are filled.
        let mut gaps = Vec::new();
        let mut at = start;
        for held in self.pieces.iter().skip(first).take(touched) {
            gaps.push(at..held.offset.max(at));
            at = at.max(held.end());
        }
        gaps.push(at..end.max(at));
        for (index, gap) in gaps.into_iter().enumerate().rev() {
            let range = gap.start - start..gap.end - start;
            if let Some(bytes) = fragment.bytes.get(range).filter(|bytes| !bytes.is_empty()) {
                self.held_bytes += bytes.len();
                self.pieces.insert(first + index, Piece { offset: gap.start, bytes: bytes.into() });
            }
        }
    }
}
