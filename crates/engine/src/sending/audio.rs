//! Audio on its way: each packet leaves when its last sample has been.

use media::make::audio::AudioMaker;
use model::{Tai, Timestamp};

use super::{Period, Source};

/// Packets are made for about so long at a time, so that a maker that is kept waiting is still in time.
const PERIOD_NS: u64 = 10_000_000;

/// Audio, some milliseconds after the other.
pub struct AudioSource {
    maker: AudioMaker,
    packets: u64,
}

fn instant(ns: u64) -> Timestamp<Tai> {
    Timestamp::from_ns(i64::try_from(ns).unwrap_or(i64::MAX))
}

impl AudioSource {
    /// Of a maker.
    pub fn new(maker: AudioMaker) -> AudioSource {
        let packet_ns = maker.ready_ns(1).saturating_sub(maker.ready_ns(0)).max(1);
        AudioSource { maker, packets: (PERIOD_NS / packet_ns).max(1) }
    }
}

impl Source for AudioSource {
    fn first(&self, from: Timestamp<Tai>) -> i64 {
        // The packet that holds the instant leaves after it; the period after its own holds only later ones.
        let packet = self.maker.packet_at(u64::try_from(from.as_ns()).unwrap_or(0));
        i64::try_from(packet / self.packets + 1).unwrap_or(i64::MAX)
    }

    fn make(&mut self, number: i64, period: &mut Period, _: &mut dyn FnMut()) {
        let first = u64::try_from(number).unwrap_or(0) * self.packets;
        for (place, packet) in (first..first + self.packets).enumerate() {
            self.maker.packet(packet, &mut period.batch);
            period.leave(place, instant(self.maker.ready_ns(packet)));
        }
    }
}
