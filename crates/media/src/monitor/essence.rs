//! What a stream carries, while it is measured: one measurement for each kind.

use model::media::{self, Format, MediaClock, Profile, Session, Stream};

use crate::{Packet, ancillary, audio, jpeg_xs, metadata, timed_text, video};

/// The measurement of a payload.
#[derive(Debug)]
pub(super) enum Essence {
    Video(Box<video::Measure>),
    Audio(Box<audio::Measure>),
    Ancillary(Box<ancillary::Measure>),
    Compressed(Box<jpeg_xs::Measure>),
    Metadata(Box<metadata::Measure>),
    Text(Box<timed_text::Measure>),
    /// Nothing of it is measured but how it came.
    Unmeasured,
}

impl Essence {
    /// For a format; `assumed` says what was taken for granted of it.
    pub(super) fn of(
        format: &Format,
        session: Option<&Session>,
        assumed: Vec<String>,
        profile: Profile,
    ) -> Essence {
        match &format.essence {
            media::Essence::Video(format) => Essence::Video(Box::new(video::Measure::new(format))),
            media::Essence::Audio(format) => {
                let measure = audio::Measure::new(format).with_profile(profile).with_offset(offset(session));
                Essence::Audio(Box::new(assumed.into_iter().fold(measure, audio::Measure::assuming)))
            }
            media::Essence::Ancillary(format) => {
                let measure = ancillary::Measure::new(Some(format)).with_offset(offset(session));
                Essence::Ancillary(Box::new(measure))
            }
            media::Essence::Compressed(format) => {
                Essence::Compressed(Box::new(jpeg_xs::Measure::new(format)))
            }
            media::Essence::FastMetadata(announced) => {
                Essence::Metadata(Box::new(metadata::Measure::new(announced)))
            }
            media::Essence::TimedText => Essence::Text(Box::default()),
            _ => Essence::Unmeasured,
        }
    }

    /// Takes a packet; `tai_ns` is its time where the capture's clock is known to follow TAI.
    pub(super) fn handle(&mut self, packet: &Packet<'_>, tai_ns: Option<i64>) {
        match self {
            Essence::Video(measure) => measure.handle(packet),
            Essence::Audio(measure) => measure.handle(packet, tai_ns),
            Essence::Ancillary(measure) => measure.handle(packet, tai_ns),
            Essence::Compressed(measure) => measure.handle(packet),
            Essence::Metadata(measure) => measure.handle(packet),
            Essence::Text(measure) => measure.handle(packet),
            Essence::Unmeasured => {}
        }
    }

    /// Whether packets can be measured whose end was not captured.
    pub(super) fn is_read_by_headers(&self) -> bool {
        matches!(self, Essence::Video(_))
    }

    /// Another leg may bring what the first lost.
    pub(super) fn expect_legs(&mut self) {
        if let Essence::Video(measure) = self {
            measure.expect_legs();
        }
    }

    /// Writes what was measured, and what was broken.
    pub(super) fn write(&self, stream: &mut Stream) {
        match self {
            Essence::Video(measure) => {
                stream.video = Some(measure.facts());
                stream.faults.extend_from_slice(measure.tally().faults());
            }
            Essence::Audio(measure) => {
                stream.audio = Some(measure.facts());
                stream.faults.extend_from_slice(measure.tally().faults());
            }
            Essence::Ancillary(measure) => {
                stream.ancillary = Some(measure.facts());
                stream.faults.extend_from_slice(measure.faults());
            }
            Essence::Compressed(measure) => {
                stream.compressed = Some(measure.facts());
                stream.faults.extend_from_slice(measure.tally().faults());
            }
            Essence::Metadata(measure) => {
                stream.metadata = Some(measure.facts());
                stream.faults.extend_from_slice(measure.faults());
            }
            Essence::Text(measure) => {
                stream.text = Some(measure.facts());
                stream.faults.extend_from_slice(measure.faults());
            }
            Essence::Unmeasured => {}
        }
    }
}

/// Ticks that the session adds to the clock (RFC 7273 §5.2).
pub(super) fn offset(session: Option<&Session>) -> u64 {
    match session.and_then(|session| session.media_clock) {
        Some(MediaClock::Direct { offset, .. }) => offset,
        _ => 0,
    }
}
