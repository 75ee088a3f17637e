//! Data on its way: ancillary data and fast metadata, each at the begin of its frame, field or segment.

use media::clock::Alignment;
use media::make::ancillary::AncillaryMaker;
use media::make::metadata::MetadataMaker;
use media::make::schedule::AncillarySchedule;
use model::media::{Ratio, Scan};
use model::{Tai, Timestamp};

use super::{Period, Source};

/// Ticks a second of the RTP clock of data.
pub const CLOCK_RATE: u32 = 90_000;

/// Who makes the packets of a frame.
#[derive(Debug)]
pub enum DataMaker {
    /// Ancillary data (ST 2110-40).
    Ancillary(Box<AncillaryMaker>),
    /// Fast metadata (ST 2110-41).
    Metadata(MetadataMaker),
}

/// Data, frame after frame.
#[derive(Debug)]
pub struct DataSource {
    maker: DataMaker,
    frames: Alignment,
    fields: Option<Alignment>,
    two_parts: bool,
    schedule: AncillarySchedule,
}

impl DataSource {
    /// Of a maker, for pictures of this rate and scan.
    pub fn new(maker: DataMaker, frame_rate: Ratio, scan: Scan) -> DataSource {
        DataSource {
            maker,
            frames: Alignment::new(frame_rate),
            fields: if scan == Scan::Interlaced { Alignment::fields(frame_rate) } else { None },
            two_parts: scan != Scan::Progressive,
            schedule: AncillarySchedule::new(frame_rate, scan),
        }
    }
}

impl Source for DataSource {
    fn first(&self, from: Timestamp<Tai>) -> i64 {
        self.frames.number(from) + 1
    }

    fn make(&mut self, number: i64, period: &mut Period, _: &mut dyn FnMut()) {
        for second in [false, true].into_iter().take(if self.two_parts { 2 } else { 1 }) {
            let timestamp = match self.fields {
                Some(fields) => fields.rtp(2 * number + i64::from(second), CLOCK_RATE),
                None => self.frames.rtp(number, CLOCK_RATE),
            };
            let before = period.batch.len();
            match &mut self.maker {
                DataMaker::Ancillary(maker) => maker.frame(number, second, timestamp, &mut period.batch),
                DataMaker::Metadata(maker) => maker.frame(number, second, timestamp, &mut period.batch),
            }
            let made = u32::try_from(period.batch.len() - before).unwrap_or(u32::MAX);
            for (place, index) in (before..period.batch.len()).zip(0..) {
                period.leave(place, self.schedule.departure(number, second, index, made));
            }
        }
    }
}
