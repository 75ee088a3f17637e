//! The sessions that are known, and which of them a packet belongs to.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use model::media::{Session, SessionSource};
use model::{Timestamp, Utc};

/// So many sessions are kept; what is beyond is counted.
const MOST_SESSIONS: usize = 1 << 16;

/// The sessions that are known.
#[derive(Debug, Clone, Default)]
pub struct Book {
    sessions: Vec<Session>,
    /// Where each of them is, by who told of it and what he calls it.
    known: HashMap<SessionSource, HashMap<String, usize>>,
    /// Which sessions have a leg to a destination: of each, and the leg.
    places: HashMap<SocketAddr, Vec<(usize, usize)>>,
    left_out: u64,
}

impl Book {
    /// Writes a session in, or over the one that the same source gave under the same identity. Says whether packets may
    /// belong to another session now.
    pub fn agree(&mut self, session: Session) -> bool {
        let Some(at) = self.place(&session.source, &session.identity) else {
            if self.sessions.len() >= MOST_SESSIONS {
                self.left_out += 1;
                return false;
            }
            self.sessions.push(session);
            self.note(self.sessions.len() - 1);
            return true;
        };
        let moved = self.sessions.get(at).is_some_and(|known| known.legs != session.legs);
        if moved {
            self.forget_places(at);
        }
        let Some(known) = self.sessions.get_mut(at) else { return false };
        // To where it moved it is agreed since then only.
        let first = if moved { session.last.or(session.first) } else { known.first.or(session.first) };
        let changed = moved
            || known.formats != session.formats
            || known.media_clock != session.media_clock
            || known.ended.is_some() != session.ended.is_some();
        *known = Session { first, ..session };
        if moved {
            self.note_places(at);
        }
        changed
    }

    /// Notes that a session was withdrawn. It stays in the book: its packets may still come. Says whether packets may
    /// belong to another session now.
    pub fn withdraw(&mut self, source: &SessionSource, identity: &str, when: Option<Timestamp<Utc>>) -> bool {
        let at = self.place(source, identity);
        let Some(session) = at.and_then(|at| self.sessions.get_mut(at)) else { return false };
        let changed = session.ended.is_some() != when.is_some();
        // It ended when that was first said.
        session.ended = when.map(|when| session.ended.unwrap_or(when));
        changed
    }

    /// Forgets sessions that ended before then. Where some were, gives the new place of each that was there.
    pub fn forget(&mut self, before: Timestamp<Utc>) -> Option<Vec<Option<usize>>> {
        let stays = |session: &Session| session.ended.is_none_or(|ended| ended >= before);
        if self.sessions.iter().all(stays) {
            return None;
        }
        let mut kept = 0;
        let place = |session: &Session| {
            let here = stays(session);
            kept += usize::from(here);
            here.then(|| kept - 1)
        };
        let places = self.sessions.iter().map(place).collect();
        self.sessions.retain(stays);
        (self.known, self.places) = Default::default();
        (0..self.sessions.len()).for_each(|at| self.note(at));
        Some(places)
    }

    fn place(&self, source: &SessionSource, identity: &str) -> Option<usize> {
        self.known.get(source)?.get(identity).copied()
    }

    /// All of them, in the order in which they became known.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Sessions for which there was no room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether some session has a leg to this destination.
    pub fn knows(&self, destination: SocketAddr) -> bool {
        self.places.contains_key(&destination)
    }

    /// The session, and its leg, that a packet belongs to: one that allows its source and payload type before one that
    /// allows less; a current one before one that has ended.
    pub fn find(&self, source: IpAddr, destination: SocketAddr, payload_type: u8) -> Option<(usize, usize)> {
        self.places.get(&destination)?.iter().copied().max_by_key(|(session, leg)| {
            let Some(session) = self.sessions.get(*session) else { return (false, false, false) };
            let allowed = session.legs.get(*leg).is_some_and(|leg| leg.sources.allows(source));
            (allowed, session.format(payload_type).is_some(), session.ended.is_none())
        })
    }

    fn note(&mut self, at: usize) {
        if let Some(session) = self.sessions.get(at) {
            self.known.entry(session.source.clone()).or_default().insert(session.identity.clone(), at);
        }
        self.note_places(at);
    }

    fn note_places(&mut self, at: usize) {
        let Some(session) = self.sessions.get(at) else { return };
        for (leg, place) in session.legs.iter().enumerate() {
            self.places.entry(place.destination).or_default().push((at, leg));
        }
    }

    fn forget_places(&mut self, at: usize) {
        for leg in self.sessions.get(at).map_or(&[][..], |session| session.legs.as_slice()) {
            if let Some(list) = self.places.get_mut(&leg.destination) {
                list.retain(|(session, _)| *session != at);
                if list.is_empty() {
                    self.places.remove(&leg.destination);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::media::{Leg, Sources};

    use super::*;

    fn session(identity: &str, destination: &str, sources: Sources) -> Session {
        Session {
            name: identity.into(),
            identity: identity.into(),
            source: SessionSource::File("a.sdp".into()),
            formats: Vec::new(),
            legs: vec![Leg { destination: destination.parse().unwrap(), sources, rtcp: None, ttl: None }],
            reference: None,
            media_clock: None,
            first: None,
            last: None,
            ended: None,
        }
    }

    #[test]
    fn a_source_that_is_allowed_decides_between_two() {
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let other: IpAddr = "192.0.2.2".parse().unwrap();
        let group = "239.1.1.1:5004".parse().unwrap();
        let mut book = Book::default();
        book.agree(session("a", "239.1.1.1:5004", Sources::Only(vec![one])));
        book.agree(session("b", "239.1.1.1:5004", Sources::Only(vec![other])));
        assert_eq!(book.find(one, group, 96), Some((0, 0)));
        assert_eq!(book.find(other, group, 96), Some((1, 0)));
        assert_eq!(book.find(one, "239.1.1.1:5006".parse().unwrap(), 96), None);
    }

    #[test]
    fn a_session_that_moves_is_found_at_its_new_place_only() {
        let (old, new) = ("239.1.1.1:5004".parse().unwrap(), "239.1.1.2:5004".parse().unwrap());
        let mut book = Book::default();
        book.agree(session("a", "239.1.1.1:5004", Sources::Any));
        book.agree(session("a", "239.1.1.2:5004", Sources::Any));
        assert!(!book.knows(old) && book.knows(new));
        assert_eq!(book.sessions().len(), 1);
        book.withdraw(&SessionSource::File("a.sdp".into()), "a", Some(Timestamp::from_ns(1)));
        assert!(book.sessions()[0].ended.is_some());
    }

    #[test]
    fn what_is_long_over_makes_room_and_the_others_are_found_where_they_are_now() {
        let mut book = Book::default();
        for (identity, destination) in [
            ("a", "239.1.1.1:5004"),
            ("b", "239.1.1.2:5004"),
            ("c", "239.1.1.3:5004"),
            ("d", "239.1.1.2:5004"),
        ] {
            book.agree(session(identity, destination, Sources::Any));
        }
        let file = SessionSource::File("a.sdp".into());
        book.withdraw(&file, "a", Some(Timestamp::from_ns(10)));
        book.withdraw(&file, "b", Some(Timestamp::from_ns(20)));
        assert_eq!(book.forget(Timestamp::from_ns(10)), None);
        assert_eq!(book.forget(Timestamp::from_ns(20)), Some(vec![None, Some(0), Some(1), Some(2)]));
        let one = "192.0.2.1".parse().unwrap();
        assert_eq!(book.find(one, "239.1.1.2:5004".parse().unwrap(), 96), Some((2, 0)));
        assert!(!book.knows("239.1.1.1:5004".parse().unwrap()));
        // What comes again is written over what is there.
        book.agree(session("c", "239.1.1.9:5004", Sources::Any));
        assert_eq!(book.find(one, "239.1.1.9:5004".parse().unwrap(), 96), Some((1, 0)));
        assert_eq!(book.sessions().len(), 3);
    }
}
