//! Sessions in JSON.

use std::net::{IpAddr, SocketAddr};

use model::media::{Essence, MediaClock, ReferenceClock, Sources};
use serde::Serialize;

use crate::document::traffic::moment;

/// A use of ports that was agreed beforehand.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Session<'a> {
    /// Its name. Strangers choose it.
    name: &'a str,
    /// What tells it from others of the same source.
    identity: &'a str,
    /// How we know: `sdp`, `sap`, `rtsp`, `nmos` or `policy`.
    known_by: &'static str,
    /// Where from: a file, an address, an API.
    source: String,
    /// The formats that are allowed, the preferred one first.
    formats: Vec<Format>,
    /// Where its packets go.
    legs: Vec<Leg<'a>>,
    /// What the sender's clock follows (RFC 7273), as a description writes it; null where not said.
    reference_clock: Option<String>,
    /// How the RTP clock hangs on it, as a description writes it; null where not said.
    media_clock: Option<String>,
    /// When it was first heard of; null for a document without a time.
    first: Option<String>,
    /// When it was last heard of.
    last: Option<String>,
    /// When it was withdrawn or timed out.
    ended: Option<String>,
}

/// What a stream carries.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Format {
    /// RTP payload type.
    payload_type: u8,
    /// Ticks a second of the RTP clock.
    clock_rate: u32,
    /// `video`, `jpeg-xs`, `audio`, `ancillary`, `fast-metadata`, `timed-text`, `sdi`, `mpeg-ts` or `other`.
    essence: &'static str,
    /// It in words: `1920x1080p50 YCbCr-4:2:2 10-bit BT709`.
    text: String,
    /// Video: pixels of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u16>,
    /// Video: rows of a frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u16>,
    /// Frames a second: `50`, `60000/1001`.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_rate: Option<String>,
    /// Video: `p`, `i` or `psf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    scan: Option<&'static str>,
    /// Video: `YCbCr-4:2:2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sampling: Option<&'static str>,
    /// Video: `10`.
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<&'static str>,
    /// Video: `BT709`.
    #[serde(skip_serializing_if = "Option::is_none")]
    colorimetry: Option<&'static str>,
    /// Video: `2110TPN`, `2110TPNL` or `2110TPW`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_type: Option<&'static str>,
    /// Audio: samples a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_rate: Option<u32>,
    /// Audio: channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<u16>,
    /// Audio: bits of a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u8>,
    /// Audio: nanoseconds of a packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    packet_time_ns: Option<u64>,
}

impl Format {
    pub(super) fn of(format: &model::media::Format) -> Format {
        let mut shown = Format {
            payload_type: format.payload_type,
            clock_rate: format.clock_rate,
            essence: format.essence.word(),
            text: format.essence.to_string(),
            width: None,
            height: None,
            frame_rate: None,
            scan: None,
            sampling: None,
            depth: None,
            colorimetry: None,
            sender_type: None,
            sample_rate: None,
            channels: None,
            bits: None,
            packet_time_ns: None,
        };
        match &format.essence {
            Essence::Video(video) => {
                shown.width = Some(video.width);
                shown.height = Some(video.height);
                shown.frame_rate = Some(video.frame_rate.to_string());
                shown.scan = Some(video.scan.letter());
                shown.sampling = Some(video.sampling.token());
                shown.depth = Some(video.depth.token());
                shown.colorimetry = Some(video.colorimetry.token());
                shown.sender_type = video.sender_type.map(model::media::SenderType::token);
            }
            Essence::Compressed(video) => {
                shown.width = video.width;
                shown.height = video.height;
                shown.frame_rate = video.frame_rate.map(|rate| rate.to_string());
                shown.scan = Some(video.scan.letter());
                shown.sampling = video.sampling.map(model::media::Sampling::token);
                shown.depth = video.depth.map(model::media::Depth::token);
                shown.sender_type = video.sender_type.map(model::media::SenderType::token);
            }
            Essence::Audio(audio) => {
                shown.sample_rate = Some(audio.sample_rate);
                shown.channels = Some(audio.channels);
                shown.bits = Some(audio.bits);
                shown.packet_time_ns = audio.packet_time_ns;
            }
            Essence::Ancillary(ancillary) => {
                shown.frame_rate = ancillary.frame_rate.map(|rate| rate.to_string());
            }
            _ => {}
        }
        shown
    }
}

/// One way on which the packets of a session come.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Leg<'a> {
    /// Where the packets go.
    address: IpAddr,
    /// UDP port.
    port: u16,
    /// Who may send: `any`, `only` or `all_but` those in `sources`.
    allowed: &'static str,
    /// The sources that `allowed` speaks of.
    sources: &'a [IpAddr],
    /// Where RTCP goes.
    rtcp: Option<SocketAddr>,
    /// Time to live of multicast, where said.
    ttl: Option<u8>,
}

impl<'a> Session<'a> {
    pub(crate) fn of(session: &'a model::media::Session) -> Session<'a> {
        Session {
            name: &session.name,
            identity: &session.identity,
            known_by: session.source.word(),
            source: session.source.to_string(),
            formats: session.formats.iter().map(Format::of).collect(),
            legs: session
                .legs
                .iter()
                .map(|leg| {
                    let (allowed, sources) = match &leg.sources {
                        Sources::Any => ("any", &[][..]),
                        Sources::Only(list) => ("only", list.as_slice()),
                        Sources::AllBut(list) => ("all_but", list.as_slice()),
                    };
                    Leg {
                        address: leg.destination.ip(),
                        port: leg.destination.port(),
                        allowed,
                        sources,
                        rtcp: leg.rtcp,
                        ttl: leg.ttl,
                    }
                })
                .collect(),
            reference_clock: session.reference.as_ref().map(reference),
            media_clock: session.media_clock.as_ref().map(media_clock),
            first: moment(session.first),
            last: moment(session.last),
            ended: moment(session.ended),
        }
    }
}

/// The reference clock as a description writes it.
pub(crate) fn reference(clock: &ReferenceClock) -> String {
    match clock {
        ReferenceClock::Ptp { version, grandmaster: None, .. } => format!("ptp={version}:traceable"),
        ReferenceClock::Ptp { version, grandmaster: Some(identity), domain } => {
            let domain = domain.map(|domain| format!(":{domain}")).unwrap_or_default();
            format!("ptp={version}:{}{domain}", pairs(identity))
        }
        ReferenceClock::LocalMac(address) => format!("localmac={}", pairs(address)),
        ReferenceClock::Other(text) => text.clone(),
    }
}

fn pairs(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join("-")
}

/// The media clock as a description writes it.
pub(crate) fn media_clock(clock: &MediaClock) -> String {
    match clock {
        MediaClock::Sender => String::from("sender"),
        MediaClock::Direct { offset, rate: None } => format!("direct={offset}"),
        MediaClock::Direct { offset, rate: Some(rate) } => {
            format!("direct={offset} rate={}/{}", rate.numerator(), rate.denominator())
        }
    }
}
