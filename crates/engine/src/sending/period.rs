//! What is made at a time, and who makes it.

use std::ops::Range;

use media::make::Batch;
use model::{Tai, Timestamp};

use super::Gate;

/// The system takes so many at once (one datagram is cut into no more).
const MOST: usize = 64;

/// The packets of one period (a frame, a field, some milliseconds of audio), and when each leaves.
#[derive(Debug, Default)]
pub struct Period {
    /// Which it is, since the epoch.
    pub number: i64,
    /// Which it is of those that were made.
    pub(super) turn: u64,
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

    /// When this packet leaves, with those that are due together with it; a gate may hold it back.
    pub(super) fn opens(&self, from: usize, gate: Option<Gate>) -> Option<Timestamp<Tai>> {
        let due = *self.due.get(from)?;
        let opens = gate.map(|gate| gate.opens(u64::try_from(self.together(from)).unwrap_or(1)));
        Some(opens.map_or(due, |opens| opens.max(due)))
    }

    /// How many leave from this one on when an instant is reached: those that are due together, and where we are late also
    /// those that should have left meanwhile, as far as the gate has room for them.
    pub(super) fn ready(&self, from: usize, reached: Timestamp<Tai>, gate: Option<Gate>) -> usize {
        let mut count = self.together(from).min(MOST);
        let room = gate.map_or(count, |gate| usize::try_from(gate.room(reached)).unwrap_or(MOST)).min(MOST);
        while count < room {
            let more = self.together(from + count);
            let due = self.due.get(from + count);
            if more == 0 || count + more > room || due.is_none_or(|due| *due > reached) {
                break;
            }
            count += more;
        }
        count
    }

    /// How many packets leave together from this one on.
    fn together(&self, from: usize) -> usize {
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
    ///
    /// Where that takes longer than some microseconds it calls `meanwhile` again and again: the thread may have something
    /// that cannot wait.
    fn make(&mut self, number: i64, period: &mut Period, meanwhile: &mut dyn FnMut());

    /// Faults that were made because somebody wished for them, by name.
    fn faults(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}
