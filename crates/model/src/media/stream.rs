//! Streams: RTP media as it came, measured.

use alloc::{string::String, vec::Vec};
use core::net::SocketAddr;

use super::ancillary::{AncillaryFacts, MetadataFacts, TextFacts};
use super::audio::AudioFacts;
use super::format::Format;
use super::reception::{HitlessFacts, ReceptionFacts, TimingFacts};
use super::shaping::ShapingFacts;
use super::video::{CompressedFacts, VideoFacts};

/// A rule that streams are held to: closed sets of these stand beside the code that enforces them.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct StreamRule {
    /// Its stable name, in kebab case: `srd-length`.
    pub name: &'static str,
    /// The clause: `ST 2110-20:2022 §6.2.1`.
    pub clause: &'static str,
    /// What was seen, in one sentence without particulars.
    pub text: &'static str,
}

/// Where in a stream something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Occurrence {
    /// The number of the frame in the capture, from 1.
    pub frame: u64,
    /// The RTP sequence number.
    pub sequence: u16,
    /// The RTP timestamp.
    pub timestamp: u32,
}

/// A rule that a stream broke.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamFault {
    /// Which.
    pub rule: &'static StreamRule,
    /// How often.
    pub count: u64,
    /// Where first.
    pub first: Occurrence,
    /// Particulars of the first: `row 1080 of a height of 1080`; empty where there are none.
    pub detail: String,
}

/// How we know what a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// A session says so: its index among the sessions.
    Session(usize),
    /// The payloads say so.
    Payload,
    /// The payload type has a fixed meaning (RFC 3551 §6).
    StaticType,
}

/// One leg as it came: packets of one source to one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamLeg {
    /// Who sent.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
    /// Outermost VLAN.
    pub vlan: Option<u16>,
    /// Hops that were left of the first packet.
    pub ttl: u8,
    /// Differentiated services code point of the first packet (RFC 2474).
    pub dscp: u8,
    /// What was received, lost, late, and how evenly.
    pub reception: ReceptionFacts,
    /// How the sender's pacing compares with ST 2110-21; where it is video or ancillary data.
    pub shaping: Option<ShapingFacts>,
    /// RTP clock against TAI.
    pub timing: Option<TimingFacts>,
}

/// One RTP stream, measured: all its legs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The synchronisation source.
    pub ssrc: u32,
    /// The payload type that it began with.
    pub payload_type: u8,
    /// The number of its first frame in the capture, from 1.
    pub frame: u64,
    /// What it carries, as far as known, and how we know.
    pub format: Option<(Format, Basis)>,
    /// What was taken for granted of the format, in sentences.
    pub assumed: Vec<String>,
    /// Its session: the index among the sessions.
    pub session: Option<usize>,
    /// Its legs; the first is the one that came first.
    pub legs: Vec<StreamLeg>,
    /// What two legs together have, where there are two (ST 2022-7).
    pub hitless: Option<HitlessFacts>,
    /// Uncompressed video.
    pub video: Option<VideoFacts>,
    /// JPEG XS.
    pub compressed: Option<CompressedFacts>,
    /// Audio.
    pub audio: Option<AudioFacts>,
    /// Ancillary data.
    pub ancillary: Option<AncillaryFacts>,
    /// Fast metadata.
    pub metadata: Option<MetadataFacts>,
    /// Timed text.
    pub text: Option<TextFacts>,
    /// What it broke, in the order of first occurrence.
    pub faults: Vec<StreamFault>,
}
