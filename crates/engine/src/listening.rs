//! One frame for two who listen: the observer of flows, and the monitor of media.

use std::collections::HashMap;

use media::monitor::Monitor;
use model::Traffic;
use model::media::{Basis, Media, SessionSource, Stream};
use traffic::{Observer, Shown};
use wire::Frame;

/// Shows a frame to both; it is decoded once.
#[inline]
pub(crate) fn observe(observer: &mut Observer, monitor: &mut Monitor, frame: &Frame<'_>, number: u64) {
    observer.handle_and(frame, number, &mut |shown| match shown {
        Shown::Packet(packet) => monitor.handle(frame, packet, number),
        Shown::Other(other) => monitor.handle_other(frame, other, number),
    });
}

/// Adds what was heard of media. What could not be heard is a gap like any other.
pub(crate) fn add_media(traffic: &mut Traffic, mut media: Media) {
    traffic.gaps.append(&mut media.gaps);
    traffic.media = media;
}

/// What several heard, each of other flows. A session that more than one of them knows is told once.
pub(crate) fn together(heard: impl Iterator<Item = Media>) -> Media {
    let mut whole = Media::default();
    let mut known: HashMap<(SessionSource, String), usize> = HashMap::new();
    for media in heard {
        let mut places = Vec::with_capacity(media.sessions.len());
        for session in media.sessions {
            let next = whole.sessions.len();
            let name = (session.source.clone(), session.identity.clone());
            let at = *known.entry(name).or_insert(next);
            if at == next {
                whole.sessions.push(session);
            }
            places.push(at);
        }
        let moved = |mut stream: Stream| {
            stream.session = stream.session.and_then(|at| places.get(at).copied());
            if let Some((_, Basis::Session(at))) = &mut stream.format {
                *at = places.get(*at).copied().unwrap_or(*at);
            }
            stream
        };
        whole.streams.extend(media.streams.into_iter().map(moved));
        whole.gaps.extend(media.gaps);
        // Packets for many at once come to one worker: who heard most heard all.
        if media.ptp.messages + media.ptp.version1_messages > whole.ptp.messages + whole.ptp.version1_messages
        {
            whole.ptp = media.ptp;
        }
        if media.memberships.messages > whole.memberships.messages {
            whole.memberships = media.memberships;
        }
    }
    // A session that one of them heard of may be that of a stream which another one heard.
    for stream in whole.streams.iter_mut().filter(|stream| stream.session.is_none()) {
        stream.session = stream.legs.first().and_then(|leg| {
            whole.sessions.iter().position(|session| {
                let place = session.leg_to(leg.destination).and_then(|at| session.legs.get(at));
                place.is_some_and(|place| place.sources.allows(leg.source.ip()))
            })
        });
    }
    whole.streams.sort_by_key(|stream| stream.frame);
    whole
}
