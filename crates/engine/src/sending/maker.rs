//! Who makes the packets of one stream, period after period, and sends them where the thread that sends is late.

use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::time::Duration;

use host::transmit::{Pacer, SocketError, StandBy, stand_by};
use model::media::Effort;
use model::{Tai, Timestamp};

use super::lane::{self, Lane};
use super::{AHEAD, Period, Source, Watch};

/// One source, and how its periods go to and fro.
pub(super) struct Maker {
    source: Box<dyn Source>,
    full: SyncSender<Arc<Period>>,
    empty: Receiver<Period>,
    clock: Pacer,
    /// The stream as this thread sends it, and how it hears of what it has made itself.
    own: Option<(SyncSender<Arc<Period>>, Lane)>,
    beside: Option<StandBy>,
}

/// What became of a maker.
pub(super) struct Made {
    /// Periods that were not made, because they could not have left in time.
    pub(super) left_out: u64,
    /// The faults that were made because somebody wished for them.
    pub(super) faults: Vec<(String, u64)>,
    /// Whether it stood in, and what it sent.
    pub(super) stood_in: Option<(Effort, Option<Lane>)>,
}

impl Maker {
    /// Of a source, for a thread that sends.
    pub(super) fn new(
        source: Box<dyn Source>,
        full: SyncSender<Arc<Period>>,
        empty: Receiver<Period>,
        clock: Pacer,
    ) -> Maker {
        Maker { source, full, empty, clock, own: None, beside: None }
    }

    /// Has it stand in for the thread that sends this one, where that is late by so much.
    pub(super) fn stands_in(&mut self, lane: &Lane, behind: Duration) -> Result<(), SocketError> {
        let (to_itself, made) = mpsc::sync_channel(AHEAD);
        self.own = Some((to_itself, lane.again(made, behind)?));
        Ok(())
    }

    /// Makes all periods, and has them sent.
    pub(super) fn run(mut self, begin: Timestamp<Tai>, end: Option<Timestamp<Tai>>, watch: &Watch) -> Made {
        let effort = self.own.is_some().then(|| self.stand_by());
        let mut number = self.source.first(begin);
        let last = end.map(|end| self.source.first(end));
        let (mut left_out, mut turn) = (0, 0);
        while last.is_none_or(|last| number < last) && !watch.stop.load(Ordering::Relaxed) {
            let Some(mut period) = self.empty(watch) else { break };
            // What could not leave in time any more is not made.
            let soonest = self.source.first(self.clock.now());
            let soonest = last.map_or(soonest, |last| soonest.min(last));
            if let Ok(late @ 1..) = u64::try_from(soonest.saturating_sub(number)) {
                left_out += late;
                number = soonest;
                if Some(number) == last {
                    break;
                }
            }
            period.clear(number);
            let (clock, own) = (&self.clock, &mut self.own);
            self.source.make(number, &mut period, &mut || {
                if let Some((_, lane)) = own {
                    lane.stand_in(clock, None, watch);
                }
            });
            number += 1;
            period.turn = turn;
            turn += 1;
            if !self.hand_over(period) {
                break;
            }
        }
        let faults = self.source.faults();
        // There is nothing to come for either of them.
        drop(self.full);
        let lane = self.own.map(|(to_itself, mut lane)| {
            drop(to_itself);
            lane::run(slice::from_mut(&mut lane), &mut self.clock, watch);
            lane
        });
        Made { left_out, faults, stood_in: effort.map(|effort| (effort, lane)) }
    }

    /// An ordinary thread would be stopped with packets in its hands: it only makes them.
    fn stand_by(&mut self) -> Effort {
        let outcome = match stand_by() {
            Ok(beside) => {
                self.beside = Some(beside);
                Ok("SCHED_FIFO, who makes the stream sends what is late".to_owned())
            }
            Err(error) => {
                self.own = None;
                Err(error.to_string())
            }
        };
        Effort { what: "a second thread".to_owned(), outcome }
    }

    /// A period to make. Who stands in does so until there is one.
    fn empty(&mut self, watch: &Watch) -> Option<Period> {
        let Some((_, lane)) = &mut self.own else { return self.empty.recv().ok() };
        loop {
            match self.empty.try_recv() {
                Ok(period) => return Some(period),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if watch.stop.load(Ordering::Relaxed) => return None,
                Err(TryRecvError::Empty) => lane.stand_in(&self.clock, self.beside.as_ref(), watch),
            }
        }
    }

    /// Says whether somebody is there to send it. The maker keeps nothing, so that a sender is the last to have it.
    fn hand_over(&self, period: Period) -> bool {
        let period = Arc::new(period);
        if let Some((to_itself, _)) = &self.own {
            // There is room for all that there are.
            _ = to_itself.try_send(Arc::clone(&period));
        }
        self.full.send(period).is_ok()
    }
}
