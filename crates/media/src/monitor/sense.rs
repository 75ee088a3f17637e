//! What an RTP stream carries that no session names, as far as its payload tells.

use model::media::{AncillaryFormat, Essence, Format};

use crate::ancillary::{self, Field};
use crate::{Packet, audio, video};

/// After so many packets that told nothing, nobody listens any more: a few pictures of 7,680 by 4,320 pixels.
const MOST_PACKETS: u32 = 300_000;
/// So many payloads in a row must read as ancillary data, and one of them must hold some that is sound.
const ENOUGH_ANCILLARY: u32 = 4;

/// Listens to the payloads of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Sense {
    packets: u32,
    audio: audio::detect::Detector,
    video: video::Detector,
    ancillary: u32,
    sound_ancillary: bool,
    not_ancillary: bool,
}

/// What was found, and what was taken for granted.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) format: Format,
    pub(super) assumed: Vec<String>,
}

impl Sense {
    /// Whether listening on will bring nothing.
    pub(super) fn is_over(&self) -> bool {
        self.packets >= MOST_PACKETS
    }

    /// Hears a packet; `clock_rate` is not known from the packet.
    pub(super) fn hear(&mut self, packet: &Packet<'_>) -> Option<Found> {
        self.packets += 1;
        let payload_type = packet.rtp.payload_type;
        if self.hear_ancillary(packet) {
            let essence = Essence::Ancillary(AncillaryFormat {
                frame_rate: None,
                kinds: Vec::new(),
                low_latency: false,
                vpid_code: None,
            });
            return Some(Found {
                format: Format { payload_type, clock_rate: 90_000, essence },
                assumed: vec![String::from("An RTP clock of 90 kHz is assumed, as for all ancillary data.")],
            });
        }
        if !self.audio.is_done() {
            self.audio.handle(packet);
            if self.audio.is_done()
                && let Some(found) = self.sound(payload_type)
            {
                return Some(found);
            }
        }
        self.video.handle(packet);
        if packet.rtp.marker { self.picture(payload_type) } else { None }
    }

    /// What can be said of a stream that ended before everything was heard.
    pub(super) fn conclude(&self, payload_type: u8) -> Option<Found> {
        self.picture(payload_type).or_else(|| self.sound(payload_type))
    }

    fn sound(&self, payload_type: u8) -> Option<Found> {
        let found = self.audio.detect()?;
        let assumed = found.assumptions();
        let clock_rate = found.format.sample_rate;
        Some(Found {
            format: Format { payload_type, clock_rate, essence: Essence::Audio(found.format) },
            assumed,
        })
    }

    fn picture(&self, payload_type: u8) -> Option<Found> {
        let found = self.video.found()?;
        Some(Found {
            format: Format { payload_type, clock_rate: 90_000, essence: found.essence },
            assumed: vec![found.certainty.assumed],
        })
    }

    fn hear_ancillary(&mut self, packet: &Packet<'_>) -> bool {
        if self.not_ancillary {
            return false;
        }
        let sound = ancillary::parse(packet.rtp.payload).ok().filter(|payload| {
            payload.reserved == 0
                && payload.field != Field::Invalid
                && usize::from(payload.length_bytes) <= payload.body.len()
        });
        let Some(payload) = sound else {
            self.not_ancillary = true;
            return false;
        };
        let mut held = 0_u32;
        for found in payload.packets() {
            match found {
                Ok(found) => {
                    held += 1;
                    self.sound_ancillary |= found.parity_holds() && found.checksum_holds();
                }
                Err(_) => {
                    self.not_ancillary = true;
                    return false;
                }
            }
        }
        // Its header counts what follows.
        if held != u32::from(payload.count) {
            self.not_ancillary = true;
            return false;
        }
        self.ancillary += 1;
        self.sound_ancillary && self.ancillary >= ENOUGH_ANCILLARY
    }
}
