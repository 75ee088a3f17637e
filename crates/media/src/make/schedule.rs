//! When each packet of a period leaves, exactly (ST 2110-21:2022 §6, ST 2110-30:2017 §6.2).

use model::media::{Profile, Ratio, Scan, SenderType};
use model::{Tai, Timestamp};

use crate::clock::Alignment;
use crate::shaping::{Raster, ReadModel, Reads};

/// When packets of uncompressed video leave: as many packets before their read as half of the receiver's buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoSchedule {
    model: ReadModel,
    sender_type: SenderType,
    burst: u32,
}

impl VideoSchedule {
    /// `None` for a frame rate that no picture has, and for narrow where the raster has no gap.
    pub fn new(raster: Raster, sender_type: SenderType) -> Option<VideoSchedule> {
        let model = ReadModel::new(raster, Profile::Standard)?;
        let possible = model.gapped() || sender_type != SenderType::Narrow;
        possible.then_some(VideoSchedule { model, sender_type, burst: 1 })
    }

    /// The same, but packets leave in bursts of so many, each when its first is due: what one call of the system sends.
    #[must_use]
    pub fn in_bursts_of(self, packets: u32) -> VideoSchedule {
        VideoSchedule { burst: packets.max(1), ..self }
    }

    /// The formulas it goes by.
    pub fn model(&self) -> &ReadModel {
        &self.model
    }

    /// When the packets of a unit leave: of frame `frame` since the epoch, its second field or segment, so many packets.
    pub fn departures(&self, frame: i64, second: bool, packets: u32) -> Departures {
        let linear = self.sender_type != SenderType::Narrow;
        let reads = self.model.reads(frame, second, packets, linear);
        let frame_packets = u64::from(packets) * self.model.parts();
        let ahead = self.model.buffer_limit(self.sender_type, frame_packets) / 2;
        let mut then = reads;
        for _ in 0..ahead {
            then.advance();
        }
        let lead_ns = then.floor_ns().saturating_sub(reads.floor_ns());
        // Not before the instant that the timestamp names (ST 2110-10:2022 §7.7): half the read offset stays.
        // And not so early that it may be taken for the frame before.
        let quarter_ns = Alignment::new(self.model.frame_rate()).period_ns() / 4;
        let lead_ns = lead_ns.min(self.model.read_offset_ns() / 2).min(quarter_ns);
        Departures { reads, lead_ns, burst: self.burst, left: packets, in_burst: 0, at_ns: 0 }
    }
}

/// Instants at which the packets of a unit leave.
#[derive(Debug, Clone)]
pub struct Departures {
    reads: Reads,
    lead_ns: i64,
    burst: u32,
    left: u32,
    in_burst: u32,
    at_ns: i64,
}

impl Iterator for Departures {
    type Item = Timestamp<Tai>;

    fn next(&mut self) -> Option<Timestamp<Tai>> {
        self.left = self.left.checked_sub(1)?;
        if self.in_burst == 0 {
            self.at_ns = self.reads.floor_ns().saturating_sub(self.lead_ns);
            self.in_burst = self.burst;
        }
        self.in_burst -= 1;
        self.reads.advance();
        Some(Timestamp::from_ns(self.at_ns))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Departures {}

/// When packets of audio leave: once their last sample has been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioSchedule {
    packets: Alignment,
    samples: u32,
}

impl AudioSchedule {
    /// So many samples of each channel a packet; `None` where one of both is zero.
    pub fn new(sample_rate: u32, samples: u32) -> Option<AudioSchedule> {
        Some(AudioSchedule { packets: Alignment::new(Ratio::new(sample_rate, samples)?), samples })
    }

    /// Which packet holds the sample of an instant.
    pub fn number(&self, at: Timestamp<Tai>) -> i64 {
        self.packets.number(at)
    }

    /// The timestamp of a packet: the number of its first sample since the epoch.
    pub fn timestamp(&self, number: i64) -> u32 {
        let first = i128::from(number) * i128::from(self.samples);
        u32::try_from(first.rem_euclid(1 << 32)).unwrap_or(0)
    }

    /// When a packet leaves.
    pub fn departure(&self, number: i64) -> Timestamp<Tai> {
        // The point is rounded down: one nanosecond later no sample is still to come.
        Timestamp::from_ns(self.packets.point(number.saturating_add(1)).as_ns().saturating_add(1))
    }

    /// Nanoseconds between two packets, rounded down.
    pub fn packet_time_ns(&self) -> i64 {
        self.packets.period_ns()
    }
}

/// When packets of ancillary data leave: in the first tenth of a millisecond of their frame, field or segment, evenly.
///
/// That is within the window of the low-latency model too, up to 60 frames a second: 8 lines of 1125 last 118 µs there
/// (ST 2110-40:2023 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AncillarySchedule {
    frames: Alignment,
    two_parts: bool,
}

impl AncillarySchedule {
    /// For pictures of this rate and scan.
    pub const fn new(frame_rate: Ratio, scan: Scan) -> AncillarySchedule {
        AncillarySchedule {
            frames: Alignment::new(frame_rate),
            two_parts: !matches!(scan, Scan::Progressive),
        }
    }

    /// When one of `packets` leaves.
    pub fn departure(&self, frame: i64, second: bool, index: u32, packets: u32) -> Timestamp<Tai> {
        let half = if second && self.two_parts { self.frames.period_ns() / 2 } else { 0 };
        let share = 100_000 * i64::from(index) / i64::from(packets.max(1));
        Timestamp::from_ns(self.frames.point(frame).as_ns().saturating_add(half).saturating_add(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(frame_rate: Ratio, scan: Scan, width: u16, height: u16) -> Raster {
        Raster {
            frame_rate,
            scan,
            width: Some(width),
            height: Some(height),
            offset_us: None,
            max_udp_bytes: 1460,
        }
    }

    #[test]
    fn narrow_leaves_four_packets_before_its_read() {
        let raster = raster(Ratio::new(50, 1).unwrap(), Scan::Progressive, 1920, 1080);
        let schedule = VideoSchedule::new(raster, SenderType::Narrow).unwrap();
        let all: Vec<_> = schedule.departures(3, false, 4320).map(Timestamp::as_ns).collect();
        assert_eq!((all.len(), all[0]), (4320, 60_000_000 + 764_444 - 17_778));
        // 19.2 ms are active.
        assert_eq!(all[4319] - all[0], 19_200_000 - 4444);
        let bursts = schedule.in_bursts_of(4).departures(3, false, 4320).map(Timestamp::as_ns);
        let distinct: std::collections::BTreeSet<_> = bursts.collect();
        assert!(distinct.len() == 1080 && distinct.iter().all(|at| all.contains(at)));
    }

    #[test]
    fn nothing_leaves_before_its_timestamp() {
        for sender_type in SenderType::ALL {
            let raster = raster(Ratio::new(60_000, 1001).unwrap(), Scan::Progressive, 1920, 1080);
            let schedule = VideoSchedule::new(raster, *sender_type).unwrap();
            let frames = Alignment::new(Ratio::new(60_000, 1001).unwrap());
            let first = schedule.departures(106_000_000_000, false, 4320).next().unwrap();
            assert!(first > frames.point(106_000_000_000));
        }
        let odd = raster(Ratio::new(25, 1).unwrap(), Scan::Progressive, 640, 480);
        assert_eq!(VideoSchedule::new(odd, SenderType::Narrow), None);
        assert!(VideoSchedule::new(odd, SenderType::NarrowLinear).is_some());
    }

    #[test]
    fn audio_leaves_when_it_is_whole() {
        let audio = AudioSchedule::new(48_000, 6).unwrap();
        let now = Timestamp::from_ns(1_800_000_000_000_000_000);
        let number = audio.number(now);
        assert_eq!((number, audio.packet_time_ns()), (14_400_000_000_000, 125_000));
        assert_eq!(audio.departure(number).as_ns() - now.as_ns(), 125_001);
        assert_eq!(audio.timestamp(number), crate::clock::rtp(now, 48_000));
        let odd = AudioSchedule::new(44_100, 48).unwrap();
        let late = crate::clock::lateness_ns(odd.departure(77), odd.timestamp(77), 44_100);
        assert!((1_088_435..1_088_438).contains(&late), "{late}");
        assert_eq!(AudioSchedule::new(48_000, 0), None);
    }

    #[test]
    fn ancillary_data_leaves_early_in_its_field() {
        let schedule = AncillarySchedule::new(Ratio::new(25, 1).unwrap(), Scan::Interlaced);
        let times = [(false, 0, 2), (false, 1, 2), (true, 0, 2)];
        let times = times.map(|(second, index, of)| schedule.departure(2, second, index, of).as_ns());
        assert_eq!(times, [80_000_000, 80_050_000, 100_000_000]);
    }
}
