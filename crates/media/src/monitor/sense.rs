//! What an RTP stream carries that no session names, as far as its payload tells.

use model::media::{AncillaryFormat, Essence, Format};

use crate::ancillary::{self, Field};
use crate::{Packet, audio, metadata, timed_text, video};

/// After so many packets that told nothing, nobody listens any more: a few pictures of 7,680 by 4,320 pixels.
const MOST_PACKETS: u32 = 300_000;
/// So many payloads in a row must read as ancillary data, and one of them must hold some that is sound.
const ENOUGH_ANCILLARY: u32 = 4;
/// The same where none holds any.
const ENOUGH_KEEP_ALIVES: u32 = 8;
/// So many payloads in a row must be data items and nothing else.
const ENOUGH_ITEMS: u32 = 32;

/// Listens to the payloads of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Sense {
    packets: u32,
    audio: audio::detect::Detector,
    video: video::Detector,
    ancillary: u32,
    sound_ancillary: bool,
    not_ancillary: bool,
    /// Whether some of it is no empty packet with a marker.
    holds_ancillary: bool,
    items: u32,
    not_items: bool,
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
        // Of what a capture cut short only the headers of rows tell something.
        if packet.is_cut() {
            self.video.handle(packet);
            return if packet.rtp.marker { self.picture(payload_type) } else { None };
        }
        if self.hear_ancillary(packet) {
            let essence = Essence::Ancillary(AncillaryFormat {
                frame_rate: None,
                kinds: Vec::new(),
                low_latency: false,
                vpid_code: None,
            });
            let mut assumed =
                vec![String::from("An RTP clock of 90 kHz is assumed, as for all ancillary data.")];
            if !self.sound_ancillary {
                assumed.push(String::from(
                    "Ancillary data is assumed: only packets came that are as those which hold none.",
                ));
            }
            return Some(Found { format: Format { payload_type, clock_rate: 90_000, essence }, assumed });
        }
        if timed_text::begins(packet.rtp.payload) {
            let format = Format { payload_type, clock_rate: 90_000, essence: Essence::TimedText };
            let assumed = vec![String::from("An RTP clock of 90 kHz is assumed, as for all timed text.")];
            return Some(Found { format, assumed });
        }
        self.hear_items(packet);
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
        self.picture(payload_type).or_else(|| self.sound(payload_type)).or_else(|| self.data(payload_type))
    }

    /// Fast metadata has no sign of its own: it is said last, and of many packets.
    fn data(&self, payload_type: u8) -> Option<Found> {
        if self.items < ENOUGH_ITEMS {
            return None;
        }
        let essence = Essence::FastMetadata(Vec::new());
        Some(Found {
            format: Format { payload_type, clock_rate: 90_000, essence },
            assumed: vec![String::from(
                "Fast metadata is assumed, for every payload is data items and nothing else; and an RTP clock of 90 kHz.",
            )],
        })
    }

    fn hear_items(&mut self, packet: &Packet<'_>) {
        if self.not_items {
            return;
        }
        let is_data = |item: metadata::Item<'_>| {
            !item.contents.is_empty() && metadata::range(item.kind) != "reserved" && item.kind != 0
        };
        let payload = packet.rtp.payload;
        if packet.rtp.marker
            || payload.is_empty()
            || !metadata::parse(payload).is_ok_and(|mut it| it.all(is_data))
        {
            (self.items, self.not_items) = (0, true);
        } else {
            self.items += 1;
        }
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
        self.holds_ancillary |= held > 0 || !packet.rtp.marker || !payload.body.is_empty();
        self.sound_ancillary && self.ancillary >= ENOUGH_ANCILLARY
            || !self.holds_ancillary && self.ancillary >= ENOUGH_KEEP_ALIVES
    }
}
