//! A source that is harmed on purpose: its packets are lost, late or wrong as somebody wished.

use media::make::faults::{Departure, Faults};
use model::{Tai, Timestamp};

use super::{Period, Source};

/// A source, and what is done to its packets.
pub struct Harmed {
    source: Box<dyn Source>,
    faults: Faults,
    departures: Vec<Departure>,
    made: Period,
}

impl Harmed {
    /// Harms a source.
    pub fn new(source: Box<dyn Source>, faults: Faults) -> Harmed {
        Harmed { source, faults, departures: Vec::new(), made: Period::default() }
    }
}

impl Source for Harmed {
    fn first(&self, from: Timestamp<Tai>) -> i64 {
        self.source.first(from)
    }

    fn make(&mut self, number: i64, period: &mut Period, meanwhile: &mut dyn FnMut()) {
        self.made.clear(number);
        self.source.make(number, &mut self.made, meanwhile);
        self.departures.clear();
        // What a source makes leaves in the order of its batch.
        let due = self.made.due.iter().enumerate();
        self.departures.extend(due.map(|(packet, at)| Departure { at: *at, packet }));
        self.faults.apply(&mut self.made.batch, &mut self.departures);
        std::mem::swap(&mut period.batch, &mut self.made.batch);
        for departure in &self.departures {
            period.leave(departure.packet, departure.at);
        }
    }

    fn faults(&self) -> Vec<(String, u64)> {
        let done = self.faults.injected();
        let all = [
            ("packets lost", done.lost),
            ("packets out of order", done.reordered),
            ("packets twice", done.duplicated),
            ("packets late by chance", done.jittered),
            ("packets at another rate", done.paced),
            ("markers turned round", done.markers),
            ("field bits turned round", done.fields),
            ("periods late", done.late),
            ("jumps of the sequence", done.jumps),
            ("packets of another source", done.sources),
            ("packets of another payload type", done.payload_types),
            ("packets too long", done.oversize),
        ];
        let made = all.into_iter().filter(|(_, count)| *count > 0);
        made.map(|(name, count)| (name.to_owned(), count)).chain(self.source.faults()).collect()
    }
}
