//! Streams in JSON.

use std::net::IpAddr;

use model::media::Basis;
use serde::Serialize;

use super::facts::ancillary::{AncillaryFacts, MetadataFacts, TextFacts};
use super::facts::audio::AudioFacts;
use super::facts::reception::{HitlessFacts, ReceptionFacts, TimingFacts};
use super::facts::shaping::ShapingFacts;
use super::facts::video::{CompressedFacts, VideoFacts};
use super::facts::{Show, StreamFault};
use super::session::Format;

/// One RTP stream, measured.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Stream<'a> {
    /// Synchronisation source.
    ssrc: u32,
    /// The payload type that it began with.
    payload_type: u8,
    /// The number of its first frame in the capture, from 1.
    frame: u64,
    /// What it carries; null where neither a session nor the payload tells.
    format: Option<Format>,
    /// How that is known: `session`, `payload` or `static_type`.
    format_known_by: Option<&'static str>,
    /// What was taken for granted of the format, in sentences.
    assumed: &'a [String],
    /// Its session, as an index into `sessions`; null where none agrees to it.
    session: Option<usize>,
    /// Its legs; the first is the one that came first.
    legs: Vec<Leg>,
    /// What two legs together have (ST 2022-7); null for one.
    hitless: Option<HitlessFacts>,
    /// Uncompressed video; null for other streams, as the next ones.
    video: Option<VideoFacts>,
    /// JPEG XS.
    compressed: Option<CompressedFacts>,
    /// Audio.
    audio: Option<AudioFacts>,
    /// Ancillary data.
    ancillary: Option<AncillaryFacts>,
    /// Fast metadata.
    metadata: Option<MetadataFacts>,
    /// Timed text.
    timed_text: Option<TextFacts>,
    /// Which rules it broke.
    faults: Vec<StreamFault>,
}

/// One leg as it came.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Leg {
    /// Who sent.
    source: IpAddr,
    /// From which port.
    source_port: u16,
    /// Where to.
    destination: IpAddr,
    /// To which port.
    destination_port: u16,
    /// Outermost VLAN.
    vlan: Option<u16>,
    /// Hops that were left of the first packet.
    ttl: u8,
    /// Differentiated services code point of the first packet.
    dscp: u8,
    /// What was received, lost, late, and how evenly.
    reception: ReceptionFacts,
    /// How the pacing compares with ST 2110-21; null where that is not measured.
    shaping: Option<ShapingFacts>,
    /// RTP clock against TAI; null where its rate is not known.
    timing: Option<TimingFacts>,
}

impl<'a> Stream<'a> {
    pub(crate) fn of(stream: &'a model::media::Stream) -> Stream<'a> {
        Stream {
            ssrc: stream.ssrc,
            payload_type: stream.payload_type,
            frame: stream.frame,
            format: stream.format.as_ref().map(|(format, _)| Format::of(format)),
            format_known_by: stream.format.as_ref().map(|(_, basis)| match basis {
                Basis::Session(_) => "session",
                Basis::Payload => "payload",
                Basis::StaticType => "static_type",
            }),
            assumed: &stream.assumed,
            session: stream.session,
            legs: stream
                .legs
                .iter()
                .map(|leg| Leg {
                    source: leg.source.ip(),
                    source_port: leg.source.port(),
                    destination: leg.destination.ip(),
                    destination_port: leg.destination.port(),
                    vlan: leg.vlan,
                    ttl: leg.ttl,
                    dscp: leg.dscp,
                    reception: leg.reception.show(),
                    shaping: leg.shaping.show(),
                    timing: leg.timing.show(),
                })
                .collect(),
            hitless: stream.hitless.show(),
            video: stream.video.show(),
            compressed: stream.compressed.show(),
            audio: stream.audio.show(),
            ancillary: stream.ancillary.show(),
            metadata: stream.metadata.show(),
            timed_text: stream.text.show(),
            faults: stream.faults.show(),
        }
    }
}
