//! Whether an unknown RTP stream is uncompressed video or JPEG XS, and which formats fit (ST 2110-20, RFC 9134).
//!
//! A session is worth more than anything found here; what is proved and what is assumed are kept apart.

use model::media::video::Certainty;
use model::media::{CompressedFormat, Depth, Essence, Sampling};

use super::detect_raster::Raster;
use crate::Packet;
use crate::jpeg_xs::{self, Part, codestream};
use model::media::video::CodestreamFacts;

use super::rate::{self, Units, remember};

/// What an unknown stream was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// What it carries. Fields that are assumed are named in [`Detection::certainty`].
    pub essence: Essence,
    /// What is proved and what is assumed.
    pub certainty: Certainty,
    /// Every sampling and depth that the packets allow; for JPEG XS what the codestream says.
    pub fits: Vec<(Sampling, Depth)>,
}

/// Watches an unknown RTP stream.
#[derive(Debug, Clone, Default)]
pub struct Detector {
    raster: Raster,
    xs: Xs,
    sequence: Option<u16>,
}

impl Detector {
    /// Takes the next packet.
    pub fn handle(&mut self, packet: &Packet<'_>) {
        let sequence = packet.rtp.sequence;
        let follows = self.sequence.is_some_and(|last| sequence.wrapping_sub(last) == 1);
        self.sequence = Some(sequence);
        self.raster.handle(packet, follows);
        self.xs.handle(packet, follows);
    }

    /// What it is; `None` while or because it cannot be told.
    pub fn found(&self) -> Option<Detection> {
        self.xs.found().or_else(|| self.raster.found())
    }
}

/// What is known of a stream that may be JPEG XS.
#[derive(Debug, Clone, Default)]
struct Xs {
    next: Option<u32>,
    modes: Option<(bool, bool)>,
    begin: Option<(CodestreamFacts, bool)>,
    part: Option<Part>,
    /// Whether the end of the codestream came since the last marker.
    ended: bool,
    units: Units,
}

impl Xs {
    fn handle(&mut self, packet: &Packet<'_>, follows: bool) {
        let Ok(payload) = jpeg_xs::parse(packet.rtp.payload) else { return self.contradicted() };
        let modes = (payload.sequential, payload.slices);
        let ends_rightly = if payload.slices {
            payload.last || !packet.rtp.marker
        } else {
            payload.last == packet.rtp.marker
        };
        let is_wrong = payload.part == Part::Reserved
            || (!payload.sequential && !payload.slices)
            || !ends_rightly
            || self.modes.is_some_and(|known| known != modes);
        if is_wrong {
            return self.contradicted();
        }
        self.ended = payload.data.ends_with(&codestream::END) || self.ended && !payload.sequential;
        if payload.begins() {
            let Ok(begin) = codestream::parse(payload.data) else { return self.contradicted() };
            if begin.facts.width == 0 {
                return self.contradicted();
            }
            self.modes = Some(modes);
            self.begin = Some((begin.facts, begin.has_support_box));
            self.part = Some(payload.part);
        } else if !follows {
            // Loss: what is open will not be whole.
            self.next = None;
            return;
        } else if self.next.is_some_and(|next| !payload.slices && next != payload.index()) {
            return self.contradicted();
        } else if self.next.is_none() {
            return;
        }
        self.next = Some(payload.index() + 1);
        if packet.rtp.marker {
            // Where packets have no order, another may come before the header.
            self.next = (!payload.sequential).then_some(0);
            if core::mem::take(&mut self.ended) {
                remember(&mut self.units, (packet.rtp.timestamp, payload.part == Part::Second));
            } else {
                self.contradicted();
            }
        }
    }

    fn contradicted(&mut self) {
        *self = Xs::default();
    }

    fn found(&self) -> Option<Detection> {
        let (facts, has_support_box) = self.begin.as_ref()?;
        let (sequential, slices) = self.modes?;
        let interlaced = self.units.iter().any(|(_, second)| *second);
        let rate::Found { scan, rate: frame_rate, words: rate_words, assumed: rate_assumed } =
            rate::of(&self.units)?;
        let sampling = sampling_of(&facts.components);
        let depth = facts.components.first().and_then(|(bits, _, _)| match bits {
            8 => Some(Depth::Eight),
            10 => Some(Depth::Ten),
            12 => Some(Depth::Twelve),
            16 => Some(Depth::Sixteen),
            _ => None,
        });
        let height = if interlaced { facts.height.saturating_mul(2) } else { facts.height };
        let boxes = if *has_support_box { "a video support box and " } else { "" };
        let certain = format!(
            "JPEG XS: each frame or field begins with {boxes}a codestream of {}x{}, and ends with its end marker; {rate_words}",
            facts.width, facts.height
        );
        let assumed = match sampling {
            Some(_) => {
                "Y'CbCr rather than RGB, where there are three components; colorimetry is not looked for"
            }
            None => "nothing is assumed of sampling",
        };
        let assumed = rate_assumed.map_or_else(|| assumed.into(), |rate| format!("{rate}; {assumed}"));
        Some(Detection {
            essence: Essence::Compressed(CompressedFormat {
                width: Some(facts.width),
                height: Some(height),
                frame_rate: Some(frame_rate),
                scan,
                slices,
                sequential,
                sampling,
                depth,
                sender_type: None,
                burst_packets: None,
                bandwidth_kbps: None,
                ..CompressedFormat::default()
            }),
            certainty: Certainty { certain, assumed },
            fits: sampling.zip(depth).into_iter().collect(),
        })
    }
}

/// From how many columns and rows a sample of each component stands for.
fn sampling_of(components: &[(u8, u8, u8)]) -> Option<Sampling> {
    let shape: Vec<_> = components.iter().map(|(_, across, down)| (*across, *down)).collect();
    match shape.as_slice() {
        [(1, 1), (2, 1), (2, 1)] => Some(Sampling::YCbCr422),
        [(1, 1), (2, 2), (2, 2)] => Some(Sampling::YCbCr420),
        [(1, 1), (1, 1), (1, 1)] => Some(Sampling::YCbCr444),
        [(1, 1)] => Some(Sampling::Key),
        _ => None,
    }
}
