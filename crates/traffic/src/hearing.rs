//! What is kept of a flow while its protocol is not decided, and the one place where recognisers are asked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use model::{Recognised, Transport};

use crate::heard::{Heard, LEAST_STREAM};
use crate::key::{End, Ends};
use crate::recognise::{By, Opinion, recognise};
use crate::sign::PLACES;
use crate::talk::{Said, Talk};

/// So often a flow is looked at before it is left alone.
const MOST_LOOKS: u8 = 32;

/// The first bytes of both sides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hearing {
    pub(crate) sides: Ends<Heard>,
    looks: u8,
    /// Both sides have spoken, and what they speak is known: more bytes only add particulars.
    known: bool,
    /// So many bytes must be there before the next look is worth it.
    enough: usize,
}

/// How a flow is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) transport: Transport,
    pub(crate) client: End,
    /// Whether the bytes may say that who was taken for the client serves.
    pub(crate) turnable: bool,
    pub(crate) particulars: bool,
}

impl Manner {
    pub(crate) fn talk<'a>(self, client: Said<'a>, server: Said<'a>, ended: bool) -> Talk<'a> {
        let talk = Talk { transport: self.transport, client, server, ended, particulars: true };
        // Where both ways round are compared, what they say is compared with its particulars.
        Talk { particulars: self.particulars || self.turnable && !talk.is_datagrams(), ..talk }
    }
}

/// What a look at a flow gives.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// More bytes may tell it, or tell more.
    Open {
        /// Whether a recogniser asked for more.
        wanted: bool,
        /// Whether the server's bytes have said what it is, and only particulars are still to come.
        known: bool,
    },
    /// It is decided.
    Settled(Settled),
    /// A recogniser stopped: a fault of ours that costs this flow.
    Broken,
}

/// A decision.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) recognised: Recognised,
    /// Whether who was taken for the client is the server.
    pub(crate) turned: bool,
    /// Whether the bytes say which side serves.
    pub(crate) spoken: bool,
}

/// Whether the server's bytes say so; not where one side speaks that needs no answer.
fn is_servers(opinion: &Opinion) -> bool {
    opinion.found.as_ref().is_some_and(|(_, claim)| matches!(claim.by, By::Server | By::Both))
}

/// Whether no more than a client's word speaks against the other way round.
fn is_open(opinion: &Opinion) -> bool {
    opinion.found.as_ref().is_none_or(|(_, claim)| claim.by == By::Client)
}

/// Asks the recognisers. `turnable` says that who opened the flow was not seen, so that the bytes may say who serves.
pub(crate) fn look(talk: &Talk<'_>, turnable: bool) -> Outcome {
    // Invariant: bytes from outside stop nothing. This is the place where a panic ends.
    catch_unwind(AssertUnwindSafe(|| ask(talk, turnable))).unwrap_or(Outcome::Broken)
}

fn ask(talk: &Talk<'_>, turnable: bool) -> Outcome {
    let opinion = recognise(talk);
    let serves = is_servers(&opinion);
    let mut spoken = false;
    // Who serves is worth a second look where nobody knows the bytes this way round, or, in a stream that was joined
    // in the middle, once no more is asked for. A datagram that is known as a client's is one.
    let unknown = opinion.found.is_none() || !talk.is_datagrams();
    let mut wanted = opinion.more;
    if turnable && unknown && !(serves && opinion.more) {
        let back = talk.reversed();
        let other = recognise(&back);
        let same = match (&opinion.found, &other.found) {
            (Some((ours, _)), Some((theirs, _))) => ours == theirs,
            _ => false,
        };
        // Where both ways say the same, the protocol is alike on both sides and tells nothing.
        if is_servers(&other) && is_open(&opinion) && !same {
            if other.more {
                return Outcome::Open { wanted: true, known: true };
            }
            return Outcome::Settled(Settled { recognised: other.settle(&back), turned: true, spoken: true });
        }
        spoken = serves && !(same && is_servers(&other));
        // A server that is heard alone may need several of its messages to be known.
        wanted |= other.more && other.found.is_none();
    }
    let sides = [talk.client, talk.server].map(|side| side.pieces().map(<[u8]>::len).sum::<usize>());
    // With the first bytes of both sides of a stream known, no sign can show any more.
    let hopeless = !talk.is_datagrams() && sides.into_iter().all(|bytes| bytes >= PLACES);
    let decided = opinion.found.is_some() || hopeless || talk.ended;
    if opinion.more || !decided {
        return Outcome::Open { wanted, known: serves };
    }
    Outcome::Settled(Settled { recognised: opinion.settle(talk), turned: false, spoken })
}

impl Hearing {
    pub(crate) fn clear(&mut self) {
        self.sides.low.clear();
        self.sides.high.clear();
        self.looks = 0;
        self.known = false;
        self.enough = 0;
    }

    /// Whether a stream was heard with it, whose buffers have grown to what most streams need.
    pub(crate) fn is_of_stream(&self) -> bool {
        self.sides.low.has_begun() || self.sides.high.has_begun()
    }

    pub(crate) fn shrink(&mut self) {
        self.sides.low.shrink();
        self.sides.high.shrink();
    }

    /// Memory that it holds.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Hearing>() + self.sides.low.capacity() + self.sides.high.capacity()
    }

    pub(crate) fn talk(&self, manner: Manner, ended: bool) -> Talk<'_> {
        // Messages of SCTP are kept apart like datagrams, and say what a stream says.
        let datagrams = manner.transport != Transport::Tcp;
        let said = |end| -> Said<'_> { self.sides.at(end).said(datagrams) };
        manner.talk(said(manner.client), said(manner.client.other()), ended)
    }

    /// Looks once more, after `end` said something.
    pub(crate) fn look(&mut self, manner: Manner, end: End) -> Outcome {
        let full = self.sides.low.is_full() && self.sides.high.is_full();
        let bytes = self.sides.low.len() + self.sides.high.len();
        if self.known && bytes < self.enough && !full {
            return Outcome::Open { wanted: true, known: true };
        }
        let ended = self.looks >= MOST_LOOKS || full;
        let outcome = look(&self.talk(manner, ended), manner.turnable);
        self.looked(&outcome, manner.transport, end);
        outcome
    }

    /// Looks at the first bytes of a side where they lie: if they settle it, they need not be kept. If not, they are to
    /// be added, and then [`Hearing::looked`] is to be told.
    pub(crate) fn glance(&self, manner: Manner, end: End, said: Said<'_>) -> Outcome {
        let mut talk = self.talk(manner, false);
        *(if end == manner.client { &mut talk.client } else { &mut talk.server }) = said;
        look(&talk, manner.turnable)
    }

    /// Notes what a look gave, for the next one, and what need not be kept.
    pub(crate) fn looked(&mut self, outcome: &Outcome, transport: Transport, end: End) {
        self.looks = self.looks.saturating_add(1);
        self.known = matches!(outcome, Outcome::Open { known: true, .. });
        // Half as much again: a certificate may take many segments.
        let bytes = self.sides.low.len() + self.sides.high.len();
        self.enough = bytes + bytes / 2;
        if let Outcome::Open { wanted: false, .. } = outcome {
            let heard = self.sides.at_mut(end);
            if transport == Transport::Udp || transport == Transport::Dccp {
                heard.forget_datagram();
            } else if heard.len() >= LEAST_STREAM {
                heard.fill();
            }
        }
    }
}
