//! The rules of media, by what they look at. Each file says which codes it raises.

mod agreed;
mod clock;
mod kept;
mod legs;
mod words;

pub(super) use agreed::is_of_the_network;
use model::{Subject, Transport};

use crate::docket::Docket;
use crate::traffic::{Consent, Watch};

/// Judges sessions and streams: what was agreed against what came, and what came against its standard.
pub(crate) fn judge<'a>(watch: &Watch<'a>, consent: &mut Consent<'_>, docket: &mut Docket<'a>) {
    let media = &watch.traffic.media;
    for (index, stream) in media.streams.iter().enumerate() {
        let Some(leg) = stream.legs.first() else { continue };
        let port = leg.destination.port();
        let subject = Subject::Stream(index);
        let addresses = [leg.destination.ip(), leg.source.ip()];
        consent.consider(
            Some((Transport::Udp, port..=port)),
            &addresses,
            (subject.clone(), Some(port)),
            docket,
        );
        agreed::judge_stream(watch, index, stream, docket);
        legs::judge(watch, index, stream, docket);
        kept::judge(index, stream, docket);
    }
    let came = agreed::destinations(watch);
    for (index, session) in media.sessions.iter().enumerate() {
        let place = session.legs.first().map(|leg| leg.destination);
        let addresses: Vec<_> = place.iter().map(|place| place.ip()).collect();
        let ports = place.map(|place| (Transport::Udp, place.port()..=place.port()));
        consent.consider(ports, &addresses, (Subject::Session(index), None), docket);
        agreed::judge_session(watch, &came, index, session, docket);
    }
    agreed::judge_groups(watch, consent, docket);
    consent.consider(None, &[], (Subject::Capture, None), docket);
    clock::judge(watch, docket);
}
