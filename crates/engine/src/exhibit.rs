//! What people want to see and hear of streams: the last whole picture, and how loud the sound is.
//!
//! A capture is read once more for it: what streams carry is known only after the first reading.

use std::collections::HashMap;
use std::net::SocketAddr;

use media::bundle;
use media::picture::Picture;
use media::sound::{Levels, Planar, Sequence};
use media::video::Assembler;
use model::media::sound::SoundFacts;
use model::media::{Essence, Format, Media};
use wire::Frame;
use wire::packet::{self, Decoded};
use wire::protocol::Protocol;
use wire::rtp;

use crate::capture_file::CaptureFile;
use crate::reading::each_frame;

/// Of so many streams something is kept to be shown.
const MOST_STREAMS: usize = 64;

/// What is shown of one stream.
#[derive(Debug, Clone, Default)]
pub struct Exhibit {
    /// The last picture that came whole; else the last one.
    pub picture: Option<Picture>,
    /// How loud it is.
    pub sound: Option<SoundFacts>,
}

enum Maker {
    Pictures(Box<Assembler>, Option<Picture>),
    Sound(Box<Sequence>, Box<Levels>, Planar),
}

/// What can be shown of each stream, by its index; read from the captures in which the streams were found.
pub fn exhibits(files: Vec<CaptureFile>, media: &Media) -> HashMap<usize, Exhibit> {
    let mut makers: HashMap<StreamKey, (usize, Maker)> = HashMap::new();
    for (index, stream) in media.streams.iter().enumerate() {
        let (Some((format, _)), Some(leg)) = (&stream.format, stream.legs.first()) else { continue };
        let maker = Maker::of(format);
        if let Some(maker) = maker.filter(|_| makers.len() < MOST_STREAMS) {
            makers.insert((leg.source, leg.destination, stream.ssrc), (index, maker));
        }
    }
    if makers.is_empty() {
        return HashMap::new();
    }
    let mut number = 0;
    for mut file in files {
        each_frame(&mut *file.bytes, &mut |frame| {
            number += 1;
            each_rtp(frame, number, &mut |key, packet| {
                if let Some((_, maker)) = makers.get_mut(&key) {
                    maker.take(packet);
                }
            });
        });
    }
    makers.into_values().map(|(index, maker)| (index, maker.finish())).collect()
}

/// What tells a leg of a stream from all others: who sends, where to, and as which source.
pub(crate) type StreamKey = (SocketAddr, SocketAddr, u32);

/// Shows the RTP packet in a frame, where there is one.
pub(crate) fn each_rtp(frame: &Frame<'_>, number: u64, show: &mut dyn FnMut(StreamKey, &media::Packet<'_>)) {
    let Ok(Decoded::Packet(packet)) = packet::decode(frame) else { return };
    if packet.protocol != Protocol::UDP || packet.fragment.is_some() {
        return;
    }
    let source = SocketAddr::new(packet.source.to_ip(), packet.source_port);
    let destination = SocketAddr::new(packet.destination.to_ip(), packet.destination_port);
    let part = bundle::part_bytes(packet.payload);
    let mut left = packet.payload_wire_bytes;
    for payload in packet.payload.chunks(part.unwrap_or(usize::MAX)) {
        let bytes = part.and_then(|part| u32::try_from(part).ok()).map_or(left, |part| part.min(left));
        left -= bytes;
        let Ok(rtp) = rtp::parse(payload) else { continue };
        let udp_bytes = u16::try_from(bytes.saturating_add(8)).unwrap_or(u16::MAX);
        let key = (source, destination, rtp.ssrc);
        show(key, &media::Packet { time: frame.time, frame: number, udp_bytes, rtp });
    }
}

impl Maker {
    fn of(format: &Format) -> Option<Maker> {
        match &format.essence {
            Essence::Video(format) => {
                Assembler::new(format).map(|assembler| Maker::Pictures(Box::new(assembler), None))
            }
            Essence::Audio(format) => Some(Maker::Sound(
                Box::new(Sequence::new(format)),
                Box::new(Levels::new(format)),
                Planar::new(format.channels),
            )),
            _ => None,
        }
    }

    fn take(&mut self, packet: &media::Packet<'_>) {
        match self {
            Maker::Pictures(assembler, last) => {
                if let Some(picture) = assembler.handle(packet) {
                    keep(last, picture);
                }
            }
            Maker::Sound(sequence, levels, planar) => {
                let before = sequence.filled();
                planar.clear();
                sequence.handle(packet, planar);
                levels.handle(planar, sequence.filled() - before);
            }
        }
    }

    fn finish(self) -> Exhibit {
        match self {
            Maker::Pictures(mut assembler, mut last) => {
                while let Some(picture) = assembler.poll() {
                    keep(&mut last, picture);
                }
                Exhibit { picture: last, sound: None }
            }
            Maker::Sound(_, levels, _) => Exhibit { picture: None, sound: Some(levels.facts()) },
        }
    }
}

/// A whole picture stays until another whole one comes.
pub(crate) fn keep(last: &mut Option<Picture>, picture: Picture) {
    if last.as_ref().is_none_or(|last| picture.missing_pixels <= last.missing_pixels) {
        *last = Some(picture);
    }
}
