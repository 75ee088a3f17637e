//! What is made at a time, and who makes it.

use std::ops::Range;

use media::make::Batch;
use model::{Tai, Timestamp};

/// The packets of one period (a frame, a field, some milliseconds of audio), and when each leaves.
#[derive(Debug, Default)]
pub struct Period {
    /// Which it is, since the epoch.
    pub number: i64,
    /// Its packets, as they were made.
    pub batch: Batch,
    /// Where those that leave lie in the batch, in the order in which they leave: a fault may leave one out, send it twice,
    /// or after its follower.
    pub places: Vec<Range<usize>>,
    /// When each leaves. Those of one instant go to the system together.
    pub due: Vec<Timestamp<Tai>>,
}

impl Period {
    /// Empties it for the next, and keeps the memory.
    pub fn clear(&mut self, number: i64) {
        self.number = number;
        self.batch.clear();
        self.places.clear();
        self.due.clear();
    }

    /// Has a packet of the batch leave then.
    pub fn leave(&mut self, packet: usize, due: Timestamp<Tai>) {
        if let Some(place) = self.batch.range(packet) {
            self.places.push(place);
            self.due.push(due);
        }
    }

    /// How many packets leave together from this one on.
    pub(super) fn together(&self, from: usize) -> usize {
        let rest = self.due.get(from..).unwrap_or_default();
        let Some(first) = rest.first() else { return 0 };
        rest.iter().take_while(|due| *due == first).count()
    }
}

/// Who makes a stream.
pub trait Source: Send {
    /// The first period of which all packets leave at this instant or later.
    fn first(&self, from: Timestamp<Tai>) -> i64;

    /// Makes the packets of a period, and says when each leaves. Numbers rise from call to call; some may be left out.
    fn make(&mut self, number: i64, period: &mut Period);

    /// Faults that were made because somebody wished for them, by name.
    fn faults(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}
