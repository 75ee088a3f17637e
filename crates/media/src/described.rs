//! What session descriptions say that came by another protocol: formats, legs and controls of each medium.

use model::media::{Format, Leg, MediaClock, ReferenceClock, Session, SessionSource};

use crate::sdp::{self, Document, MediaLine, Section};

/// Media that are kept of a description that RTSP gave.
const MOST_MEDIA: usize = 64;

/// Letters of an address that are kept.
const MOST_LETTERS: usize = 1024;

/// The first session of a transport file: of several media in one, the others are its copies or of no concern.
pub(crate) fn transport_file(text: &[u8], source: &SessionSource) -> Option<Session> {
    let (document, _) = sdp::parse(text);
    let (sessions, _) = sdp::sessions(&document, source);
    sessions.into_iter().next()
}

/// One medium of a description that RTSP gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Medium {
    /// `video`.
    pub(crate) kind: String,
    /// Its formats, the preferred first.
    pub(crate) formats: Vec<Format>,
    /// Where it goes, where that is settled before anybody sets it up.
    pub(crate) legs: Vec<Leg>,
    /// What it is set up by (RFC 2326 §C.1.1).
    pub(crate) control: Option<String>,
    /// What the clock follows.
    pub(crate) reference: Option<ReferenceClock>,
    /// How the RTP clock hangs on it.
    pub(crate) media_clock: Option<MediaClock>,
}

/// A description that RTSP gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Described {
    /// Its name; empty where it has none.
    pub(crate) name: String,
    /// Its media.
    pub(crate) media: Vec<Medium>,
}

/// Reads a description.
pub(crate) fn described(text: &[u8], source: &SessionSource) -> Described {
    let (document, _) = sdp::parse(text);
    let name = document.session.first('s').map_or("", |line| line.value.trim());
    let media = document.media.iter().take(MOST_MEDIA).map(|section| medium(&document, section, source));
    Described { name: if name == "-" { String::new() } else { name.to_owned() }, media: media.collect() }
}

fn medium(document: &Document, section: &Section, source: &SessionSource) -> Medium {
    let line = section.first('m').and_then(|line| MediaLine::parse(&line.value));
    let types = line.iter().flat_map(MediaLine::payload_types);
    // A port of zero says here that it is not settled, and the formats hold all the same (RFC 2326 §C.1.2).
    let explained = sdp::format::Explained::of(section);
    let formats = types.filter_map(|payload_type| explained.format(payload_type)).take(128).collect();
    let alone = Document { session: document.session.clone(), media: vec![section.clone()] };
    let (sessions, _) = sdp::sessions(&alone, source);
    let control = section.attribute("control").map(|control| control.chars().take(MOST_LETTERS).collect());
    Medium {
        kind: line.map(|line| line.kind).unwrap_or_default(),
        formats,
        legs: sessions.into_iter().next().map(|session| session.legs).unwrap_or_default(),
        control,
        reference: document.attribute(section, "ts-refclk").map(sdp::clocks::reference),
        media_clock: document.attribute(section, "mediaclk").and_then(sdp::clocks::media),
    }
}
