//! Sessions and streams, in the words of evidence.

use model::media::{Basis, Media, Session, Stream, StreamLeg};

use crate::rules::wire::words::{count, frame, when};

/// What a stream is, who sends it, and how much of it came.
pub(super) fn stream(media: &Media, stream: &Stream) -> Vec<(String, String)> {
    let what = match &stream.format {
        Some((format, Basis::Session(_))) => format!("{}, as its session says", format.essence),
        Some((format, Basis::Payload)) => format!("{}, as its payload tells", format.essence),
        Some((format, Basis::StaticType)) => format!("{}, by its static payload type", format.essence),
        None => "not told by its payload".to_owned(),
    };
    let name = stream.session.and_then(|at| media.sessions.get(at)).map(|it| format!(" of '{}'", it.name));
    let mut facts = vec![(
        format!(
            "RTP stream{} with SSRC 0x{:08x}, payload type {}: {what}.",
            name.unwrap_or_default(),
            stream.ssrc,
            stream.payload_type
        ),
        first_frame(stream),
    )];
    facts.extend(stream.legs.iter().map(|it| (leg(it), first_frame(stream))));
    facts
}

/// One leg: from where to where, how much, when.
pub(super) fn leg(leg: &StreamLeg) -> String {
    let reception = &leg.reception;
    format!(
        "{} to {}: {}, {} of payload{}.",
        leg.source,
        leg.destination,
        count(reception.packets, "packet"),
        count(reception.payload_bytes, "byte"),
        when(reception.first, reception.last),
    )
}

/// Where a stream is seen first.
pub(super) fn first_frame(stream: &Stream) -> String {
    frame(stream.frame)
}

/// Where a session is from, as a source.
pub(super) fn source(session: &Session) -> String {
    session.source.to_string()
}
