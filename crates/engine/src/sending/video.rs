//! Video on its way: when each packet of a frame leaves, so that the receiver's model never runs dry and never overflows.

use media::clock::Alignment;
use media::make::video::{Signal, VideoMaker};
use media::shaping::{Raster, ReadModel};
use model::media::{Profile, Scan, SenderType, VideoFormat};
use model::{Tai, Timestamp};

use super::{Gate, Period, Source};

/// Nothing leaves sooner than this after the instant that its timestamp names.
const AFTER_POINT_NS: i64 = 5_000;
/// A packet that leaves with its clock's precision has not left before its time.
const PRECISION_NS: i64 = 200;
/// A wide sender gets ahead of the reads by one packet in so many, to have time when the system takes some.
const HURRY: i64 = 12;
/// With so many packets a second, each is sent by itself: what leaves together cannot be as early as what leaves alone.
const SINGLE_RATE: u64 = 300_000;

/// How packets of video follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    model: ReadModel,
    sender_type: SenderType,
    /// Packets of a frame.
    packets: u64,
    burst: u32,
    burst_limit: u64,
    buffer_limit: u64,
}

impl Pace {
    /// For a format whose frames have so many packets, in bursts of as many packets as were asked for, or as are best.
    pub fn new(format: &VideoFormat, packets: u64, asked: Option<u32>) -> Result<Pace, &'static str> {
        let raster = Raster {
            frame_rate: format.frame_rate,
            scan: format.scan,
            width: Some(format.width),
            height: Some(format.height),
            offset_us: format.offset_us,
            max_udp_bytes: format.max_udp_bytes,
        };
        let model = ReadModel::new(raster, Profile::Standard).ok_or("no picture has such a frame rate")?;
        let sender_type = format.sender_type.unwrap_or(SenderType::Wide);
        if sender_type == SenderType::Narrow && !model.gapped() {
            return Err("only the rasters of television can be sent as narrow: use narrow-linear or wide");
        }
        let burst_limit = model
            .burst_limit(sender_type, packets)
            .ok_or("wide is not defined from 900,000 packets a second on: use narrow or narrow-linear")?;
        let buffer_limit = model.buffer_limit(sender_type, packets);
        let rate = format.frame_rate;
        let a_second = packets * u64::from(rate.numerator()) / u64::from(rate.denominator());
        let most = (burst_limit - 1).min(buffer_limit * 3 / 8).max(1);
        let best = match sender_type {
            SenderType::Wide => burst_limit / 4,
            _ => a_second.div_ceil(SINGLE_RATE),
        };
        let burst = u32::try_from(best.min(most)).unwrap_or(1);
        // What was asked for may break the limits: then that is what was asked for.
        let burst = asked.unwrap_or(burst).max(1);
        Ok(Pace { model, sender_type, packets, burst, burst_limit, buffer_limit })
    }

    /// How many packets go to the system together.
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// The formulas it goes by.
    pub fn model(&self) -> &ReadModel {
        &self.model
    }

    /// The gate that keeps to the network's model.
    pub fn gate(&self) -> Gate {
        let rate = self.model.frame_rate();
        let frame_ps = u128::from(rate.denominator()) * 1_000_000_000_000 / u128::from(rate.numerator());
        let drain_ps = frame_ps * 10 / (11 * u128::from(self.packets.max(1)));
        Gate::new(
            u64::try_from(drain_ps).unwrap_or(u64::MAX),
            self.burst_limit.max(u64::from(self.burst) + 1),
        )
    }

    /// Calls `each` with the instant at which each packet of a frame or field leaves, in order.
    ///
    /// Narrow leaves as early as the receiver has room for it, because only what is early may be late. Wide begins with
    /// its frame, and gets ahead.
    pub fn departures(&self, frame: i64, second: bool, packets: u32, mut each: impl FnMut(Timestamp<Tai>)) {
        let linear = self.sender_type != SenderType::Narrow;
        let mut reads = self.model.reads(frame, second, packets, linear);
        let frame_ns = Alignment::new(self.model.frame_rate()).period_ns();
        let rate = i64::try_from(self.packets.max(1)).unwrap_or(i64::MAX);
        let step_ps = frame_ns.saturating_mul(1000) / rate;
        let room = i64::try_from(self.buffer_limit).unwrap_or(i64::MAX);
        let burst = i64::from(self.burst);
        // With three quarters a wide receiver is far from both ends; narrow has all that there is.
        let most = match self.sender_type {
            SenderType::Wide => room * 3 / 4 - burst,
            _ => room + 1 - burst,
        };
        // As many reads as that, not as many packets of an even frame: a gapped schedule reads faster.
        let mut last = reads;
        (0..most).for_each(|_| last.advance());
        let most_ns = (last.floor_ns() - reads.floor_ns() - PRECISION_NS).max(0);
        let quarter_ns = frame_ns / 4;
        let begin_ns = most_ns.min(self.model.read_offset_ns() - AFTER_POINT_NS).min(quarter_ns).max(0);
        let gain_ps = if self.sender_type == SenderType::Wide { step_ps / HURRY } else { 0 };
        let mut at = Timestamp::from_ns(0);
        for packet in 0..i64::from(packets) {
            if packet % burst == 0 {
                let lead_ns = (begin_ns + packet * gain_ps / 1000).min(most_ns.max(begin_ns));
                at = Timestamp::from_ns(reads.floor_ns() - lead_ns);
            }
            each(at);
            reads.advance();
        }
    }
}

/// A test picture, frame after frame.
pub struct VideoSource {
    maker: VideoMaker,
    pace: Pace,
    frames: Alignment,
    fields: Option<Alignment>,
}

impl VideoSource {
    /// Of a maker, at a pace.
    pub fn new(maker: VideoMaker, pace: Pace) -> VideoSource {
        let format = maker.format();
        let frames = Alignment::new(format.frame_rate);
        let fields = match format.scan {
            Scan::Interlaced => Alignment::fields(format.frame_rate),
            // Both segments have the timestamp of their frame (ST 2110-10:2022 §7.6).
            Scan::Progressive | Scan::Segmented => None,
        };
        VideoSource { maker, pace, frames, fields }
    }
}

/// Ticks a second of the RTP clock of video.
const CLOCK_RATE: u32 = 90_000;

impl Source for VideoSource {
    fn first(&self, from: Timestamp<Tai>) -> i64 {
        self.frames.number(from) + 1
    }

    fn make(&mut self, number: i64, period: &mut Period, meanwhile: &mut dyn FnMut()) {
        let whole = self.frames.rtp(number, CLOCK_RATE);
        let timestamps = match self.fields {
            Some(fields) => [2 * number, 2 * number + 1].map(|field| fields.rtp(field, CLOCK_RATE)),
            None => [whole; 2],
        };
        let frame = u64::try_from(number).unwrap_or(0);
        self.maker.frame_meanwhile(frame, timestamps, &mut period.batch, meanwhile);
        let mut packet = 0;
        for (second, packets) in [false, true].into_iter().zip(self.maker.packets()) {
            let packets = u32::try_from(packets).unwrap_or(0);
            self.pace.departures(number, second, packets, |due| {
                period.leave(packet, due);
                packet += 1;
                meanwhile();
            });
        }
    }
}

/// What the picture shows, by the word that people type.
pub fn signal(word: &str) -> Option<Signal> {
    match word {
        "bars" => Some(Signal::Bars),
        "zone-plate" => Some(Signal::ZonePlate),
        "ramp" => Some(Signal::Ramp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::media::{Colorimetry, Depth, Packing, Range, Ratio, Sampling, Transfer};

    fn format(height: u16, rate: (u32, u32), scan: Scan, sender_type: SenderType) -> VideoFormat {
        VideoFormat {
            sampling: Sampling::YCbCr422,
            depth: Depth::Ten,
            width: if height == 2160 { 3840 } else { 1920 },
            height,
            frame_rate: Ratio::new(rate.0, rate.1).unwrap(),
            scan,
            colorimetry: Colorimetry::Bt709,
            transfer: Transfer::Sdr,
            range: Range::Narrow,
            packing: Packing::General,
            max_udp_bytes: 1460,
            sender_type: Some(sender_type),
            offset_us: None,
            burst_packets: None,
            pixel_aspect: Ratio::new(1, 1).unwrap(),
        }
    }

    #[test]
    fn a_sender_that_is_in_time_keeps_to_the_receivers_model() {
        for sender_type in [SenderType::Narrow, SenderType::NarrowLinear, SenderType::Wide] {
            for (height, rate, scan, packets) in [
                (1080, (50, 1), Scan::Progressive, 4320),
                (1080, (60_000, 1001), Scan::Progressive, 4320),
                (1080, (25, 1), Scan::Interlaced, 4320),
                (2160, (50, 1), Scan::Progressive, 17_280),
            ] {
                let format = format(height, rate, scan, sender_type);
                let pace = Pace::new(&format, packets, None).unwrap();
                let parts: u32 = if scan == Scan::Progressive { 1 } else { 2 };
                let of_part = u32::try_from(packets).unwrap() / parts;
                let frame = 89_000_000_000;
                let point = Alignment::new(format.frame_rate).point(frame);
                let mut waiting = 0_u64;
                for second in [false, true].into_iter().take(usize::try_from(parts).unwrap()) {
                    let linear = sender_type != SenderType::Narrow;
                    let mut reads = pace.model.reads(frame, second, of_part, linear);
                    let mut next_read = pace.model.reads(frame, second, of_part, linear);
                    let (mut read, mut sent, mut last) = (0_u32, 0_u32, Timestamp::from_ns(0));
                    pace.departures(frame, second, of_part, |at| {
                        assert!(at > point && at >= last);
                        last = at;
                        // Each is there before it is read.
                        assert!(at.as_ns() < reads.floor_ns());
                        reads.advance();
                        sent += 1;
                        while read < sent && next_read.floor_ns() <= at.as_ns() {
                            next_read.advance();
                            read += 1;
                        }
                        waiting = waiting.max(u64::from(sent - read));
                    });
                    assert_eq!(sent, of_part);
                }
                assert!(waiting <= pace.buffer_limit, "{format:?}: {waiting}");
                // What cannot be early cannot be late either: a good part of what there is room for is used.
                let part = if sender_type == SenderType::Wide { 4 } else { 2 };
                assert!(waiting * part >= pace.buffer_limit, "{format:?}: {waiting}");
            }
        }
    }

    #[test]
    fn what_cannot_be_paced_is_refused() {
        let odd = VideoFormat { width: 640, ..format(480, (25, 1), Scan::Progressive, SenderType::Narrow) };
        assert!(Pace::new(&odd, 960, None).is_err());
        let fast = format(2160, (60_000, 1001), Scan::Progressive, SenderType::Wide);
        assert!(Pace::new(&fast, 17_280, None).is_err());
    }
}
