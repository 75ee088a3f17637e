//! What was announced, is still, and was withdrawn or fell silent (RFC 2974 §3, §4, §5).

use std::collections::HashMap;
use std::net::IpAddr;

use model::media::{Format, Leg, Session, SessionSource, Sources};
use model::{Timestamp, Utc};

use super::{Announcement, Payload, SDP, hash, parse};
use crate::sdp;

/// Announcements that are remembered, ended ones with them.
pub const MAX_ANNOUNCEMENTS: usize = 4_096;
/// Octets that are remembered: descriptions, and what was made of them.
pub const MAX_BYTES: usize = 64 << 20;
/// Sessions of one announcement: a description is of one, seldom of a few.
pub const MAX_SESSIONS: usize = 64;
/// Seconds from 1900, where times of descriptions begin, to 1970 (RFC 8866 §5.9).
const SINCE_1900_S: i64 = 2_208_988_800;
/// Silence is no end before this: ten periods, or an hour (RFC 2974 §4).
const HOUR_NS: i64 = 3_600_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;

/// What came, and what was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Packets.
    pub packets: u64,
    /// Packets that are no announcement.
    pub faults: u64,
    /// Announcements that only their receivers can read.
    pub encrypted: u64,
    /// Announcements of something else than a session description.
    pub other_kinds: u64,
    /// Withdrawals and changes from another host than the one that announced: not believed.
    pub not_believed: u64,
    /// Withdrawals of what was never announced.
    pub unknown_deletions: u64,
    /// Announcements that had no room.
    pub left_out: u64,
}

/// What tells an announcement from others: who sent the packet, and what its header says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    sender: IpAddr,
    origin: IpAddr,
    /// The header's; of a header that has none, the payload's.
    hash: u16,
}

#[derive(Debug)]
struct Entry {
    /// The session's own identity, whatever its version: the `o=` line.
    identity: Option<String>,
    sessions: Vec<Session>,
    /// Of the payload: some change it and forget to change the header's hash.
    payload_hash: u64,
    size_bytes: usize,
    heard: u64,
    first: Timestamp<Utc>,
    last: Timestamp<Utc>,
    /// When the description itself says that it is over (RFC 2974 §4).
    stops: Option<Timestamp<Utc>>,
    ended: Option<Timestamp<Utc>>,
}

impl Entry {
    /// Its sessions, as they are now.
    fn sessions(&self) -> impl Iterator<Item = Session> + '_ {
        self.sessions.iter().map(|session| Session {
            first: Some(self.first),
            last: Some(self.last),
            ended: self.ended,
            ..session.clone()
        })
    }

    /// How long it may be silent: ten times its period, and never less than an hour.
    fn patience_ns(&self) -> i64 {
        let gaps = i64::try_from(self.heard.saturating_sub(1)).unwrap_or(i64::MAX);
        let period = self.last.since_ns(self.first).checked_div(gaps).unwrap_or(0);
        period.saturating_mul(10).max(HOUR_NS)
    }
}

/// Hears announcements. It has no clock: time is that of the packets.
#[derive(Debug, Default)]
pub struct Listener {
    entries: HashMap<Key, Entry>,
    size_bytes: usize,
    counts: Counts,
    /// When it was last looked for what is over.
    passed: Option<Timestamp<Utc>>,
}

impl Listener {
    /// Takes one packet from a host. Gives the sessions that it is about, as they are now: those that it changed, those
    /// that were announced again, and those that are over by it.
    pub fn handle(&mut self, bytes: &[u8], sender: IpAddr, now: Timestamp<Utc>) -> Vec<Session> {
        self.counts.packets += 1;
        let Ok(announcement) = parse(bytes) else {
            self.counts.faults += 1;
            return Vec::new();
        };
        let Announcement { origin, hash: named, deletion, payload, .. } = announcement;
        let (kind, body) = match payload {
            // What is encrypted can still be withdrawn, by its hash.
            Payload::Encrypted(_) if !deletion => {
                self.counts.encrypted += 1;
                return Vec::new();
            }
            Payload::Encrypted(_) => (SDP.into(), std::borrow::Cow::default()),
            Payload::Plain { kind, bytes } => (kind, bytes),
        };
        // Parameters of a media type, and its letters, mean nothing here.
        let base = kind.split(';').next().unwrap_or_default().trim();
        if !base.eq_ignore_ascii_case(SDP) {
            self.counts.other_kinds += 1;
            return Vec::new();
        }
        let key = Key { sender, origin, hash: if named == 0 { hash(&body) } else { named } };
        if deletion { self.delete(&key, &body, now) } else { self.announce(key, &body, now) }
    }

    fn announce(&mut self, key: Key, body: &[u8], now: Timestamp<Utc>) -> Vec<Session> {
        let payload_hash = long_hash(body);
        if let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.payload_hash == payload_hash) {
            entry.last = entry.last.max(now);
            entry.heard += 1;
            // Silence was taken for its end, or it was announced again; what it says itself to be over stays so.
            if entry.stops.is_none_or(|stops| stops >= now) {
                entry.ended = None;
            }
            return entry.sessions().collect();
        }
        let (document, _) = sdp::parse(body);
        let identity = identity(&document);
        let mut first = now;
        let mut heard = 1;
        // What the old versions agreed and this one does not is over.
        let mut over: Vec<Session> = Vec::new();
        let mut replace = |entry: &Entry| over.extend(entry.sessions().filter(|it| it.ended.is_none()));
        if let Some(entry) = self.forget(&key) {
            (first, heard) = (entry.first, entry.heard + 1);
            replace(&entry);
        }
        if let Some(identity) = &identity {
            // Of the same session another version: it takes the old one's place, if it comes from the same host
            // (RFC 2974 §5). From another it is a session beside it.
            let same = |entry: &Entry| entry.identity.as_ref() == Some(identity) && entry.ended.is_none();
            if self.entries.iter().any(|(other, entry)| same(entry) && other.sender != key.sender) {
                self.counts.not_believed += 1;
            }
            let old = self.entries.iter().find(|(other, entry)| same(entry) && other.sender == key.sender);
            if let Some(old) = old.map(|(other, _)| other.clone())
                && let Some(entry) = self.forget(&old)
            {
                (first, heard) = (entry.first, entry.heard + 1);
                replace(&entry);
            }
        }
        let (mut sessions, _) = sdp::sessions(&document, &SessionSource::Sap(key.sender));
        sessions.truncate(MAX_SESSIONS);
        let size_bytes = body.len() + sessions.iter().map(size_of_session).sum::<usize>();
        let has_room = self.make_room(size_bytes);
        if has_room {
            over.retain(|old| sessions.iter().all(|session| session.identity != old.identity));
        }
        over.iter_mut().for_each(|session| session.ended = Some(now));
        if !has_room {
            self.counts.left_out += 1;
            return over;
        }
        self.size_bytes += size_bytes;
        let stops = stops(&document);
        let last = now;
        let entry =
            Entry { identity, sessions, payload_hash, size_bytes, heard, first, last, stops, ended: None };
        over.extend(entry.sessions());
        self.entries.insert(key, entry);
        over
    }

    fn forget(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.size_bytes = self.size_bytes.saturating_sub(entry.size_bytes);
        Some(entry)
    }

    /// Makes room for so many octets: what ended longest ago goes first, and nothing goes that still holds.
    fn make_room(&mut self, size_bytes: usize) -> bool {
        let full = |listener: &Listener| {
            listener.entries.len() >= MAX_ANNOUNCEMENTS || listener.size_bytes + size_bytes > MAX_BYTES
        };
        if full(self) {
            let mut ended: Vec<_> = self
                .entries
                .iter()
                .filter_map(|(key, entry)| entry.ended.map(|ended| (ended, key.clone())))
                .collect();
            ended.sort_by_key(|(ended, _)| *ended);
            for (_, key) in ended {
                if !full(self) {
                    break;
                }
                self.forget(&key);
            }
        }
        !full(self)
    }

    /// Only the host that announced can withdraw (RFC 2974 §4): nobody signs, so where it comes from has to do.
    fn delete(&mut self, key: &Key, body: &[u8], now: Timestamp<Utc>) -> Vec<Session> {
        let (document, _) = sdp::parse(body);
        let identity = identity(&document);
        let meant = |other: &Key, entry: &Entry| {
            let by_name = identity.is_some() && entry.identity == identity;
            entry.ended.is_none() && (by_name || (other.origin == key.origin && other.hash == key.hash))
        };
        let (mut own, mut foreign) = (false, false);
        let mut over = Vec::new();
        for (other, entry) in self.entries.iter_mut().filter(|(other, entry)| meant(other, entry)) {
            if other.sender == key.sender {
                entry.ended = Some(now);
                over.extend(entry.sessions());
                own = true;
            } else {
                foreign = true;
            }
        }
        match (own, foreign) {
            (true, _) => {}
            (false, true) => self.counts.not_believed += 1,
            (false, false) => self.counts.unknown_deletions += 1,
        }
        over
    }

    /// Time passes: what was silent for too long has ended. Gives what ended by that; asked more often than once a
    /// second it does not look.
    pub fn pass(&mut self, now: Timestamp<Utc>) -> Vec<Session> {
        let mut over = Vec::new();
        if self.passed.is_some_and(|passed| (0..SECOND_NS).contains(&now.since_ns(passed))) {
            return over;
        }
        self.passed = Some(now);
        for entry in self.entries.values_mut().filter(|entry| entry.ended.is_none()) {
            if let Some(stops) = entry.stops.filter(|stops| *stops < now) {
                entry.ended = Some(stops.max(entry.first));
            } else if now.since_ns(entry.last) > entry.patience_ns() {
                entry.ended = Some(now);
            }
            if entry.ended.is_some() {
                over.extend(entry.sessions());
            }
        }
        over
    }

    /// Every session that was announced, ended ones with them, the earliest first.
    pub fn snapshot(&self) -> Vec<Session> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(key, entry)| (entry.first, key.sender, key.origin, key.hash));
        entries.into_iter().flat_map(|(_, entry)| entry.sessions()).collect()
    }

    /// Announcements that hold.
    pub fn holding(&self) -> usize {
        self.entries.values().filter(|entry| entry.ended.is_none()).count()
    }

    /// What came, and what was not believed.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

/// What a session takes in memory.
fn size_of_session(session: &Session) -> usize {
    let formats = session.formats.len() * size_of::<Format>();
    let source = |leg: &Leg| match &leg.sources {
        Sources::Any => 0,
        Sources::Only(list) | Sources::AllBut(list) => list.len() * size_of::<IpAddr>(),
    };
    let legs: usize = session.legs.iter().map(|leg| size_of::<Leg>() + source(leg)).sum();
    size_of::<Session>() + session.name.len() + session.identity.len() + formats + legs
}

/// The last time of a description, where all of its times have an end.
fn stops(document: &sdp::Document) -> Option<Timestamp<Utc>> {
    let mut latest = None;
    for line in document.session.all('t') {
        let stop: i64 = sdp::fields::number(line.value.split_whitespace().nth(1)?)?;
        if stop == 0 {
            return None;
        }
        latest = latest.max(Some(stop));
    }
    let seconds = latest?.checked_sub(SINCE_1900_S)?;
    Some(Timestamp::from_ns(seconds.checked_mul(1_000_000_000)?))
}

/// FNV-1a of 64 bits. Who makes two texts that collide has only announced one of them.
fn long_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn identity(document: &sdp::Document) -> Option<String> {
    let line = document.session.first('o')?;
    sdp::Origin::parse(line.value.trim()).map(|origin| origin.identity())
}
