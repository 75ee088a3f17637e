//! One stream on its way out, and the thread that lets the packets of all of them leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Duration;

use host::transmit::{Pacer, SocketError, StandBy, TransmitRequest, Transmitter};
use model::media::{Lateness, SentLeg, SentStream};
use model::{Tai, Timestamp};

use super::turns::Turns;
use super::{Gate, Period, Watch};

/// How late a period may begin; what begins later is left out, or nothing would ever be in time again.
const PATIENCE_NS: i64 = 20_000_000;
/// How long to wait for makers when there is nothing to do.
const NAP: Duration = Duration::from_millis(1);
/// How long those who have something wait while others have nothing yet.
const LOOK_NS: i64 = 1_000_000;
/// How long the thread that sends stays awake at a stretch, and until when at most where it has no pause: the kernel's own
/// threads wait for its processor.
const AWAKE_NS: i64 = 200_000_000;
const AT_MOST_NS: i64 = 1_000_000_000;
/// How long a sleep is, and what it takes to be awake again.
pub(super) const SLEEP: Duration = Duration::from_micros(100);
const WAKING_NS: i64 = 400_000;
/// How often who stands in sleeps as long, where the others are in time: all that runs on its processor runs meanwhile.
const STANDING_NS: i64 = 1_000_000;

/// What was sent of a stream so far, for those who report on it.
#[derive(Debug, Default)]
pub struct Sent {
    /// Packets.
    pub packets: AtomicU64,
    /// Octets of their payloads: without the RTP header (RFC 3550 §6.4.1).
    pub payload_bytes: AtomicU64,
}

/// Bytes of an RTP header without sources and extensions.
const HEADER_BYTES: usize = wire::rtp::HEADER_BYTES;

/// One stream on its way out, as one thread sends it.
pub(super) struct Lane {
    name: String,
    ssrc: u32,
    legs: Vec<Transmitter>,
    requests: Vec<TransmitRequest>,
    lead_ns: i64,
    gate: Option<Gate>,
    full: Receiver<Arc<Period>>,
    empty: SyncSender<Period>,
    /// What it shares with the other threads that send the same stream.
    turns: Arc<Turns>,
    /// How much later than others this thread takes what is due.
    behind_ns: i64,
    /// Until when there is nothing for who stands in, and since when it has not slept.
    look: Timestamp<Tai>,
    awake: Timestamp<Tai>,
    period: Option<Arc<Period>>,
    over: bool,
    periods: u64,
    left_out: u64,
    overtaken: u64,
    lateness: Lateness,
    sent: Arc<Sent>,
}

impl Lane {
    pub(super) fn new(
        name: String,
        ssrc: u32,
        legs: Vec<Transmitter>,
        gate: Option<Gate>,
        full: Receiver<Arc<Period>>,
        empty: SyncSender<Period>,
        requests: Vec<TransmitRequest>,
    ) -> Lane {
        let lead_ns = legs.iter().map(Transmitter::lead_ns).max().unwrap_or(0);
        Lane {
            name,
            ssrc,
            legs,
            requests,
            lead_ns,
            gate,
            full,
            empty,
            turns: Arc::default(),
            behind_ns: 0,
            look: Timestamp::from_ns(0),
            awake: Timestamp::from_ns(0),
            period: None,
            over: false,
            periods: 0,
            left_out: 0,
            overtaken: 0,
            lateness: Lateness::default(),
            sent: Arc::default(),
        }
    }

    /// The same stream for another thread, which takes what this one does not come to; it hears of the same periods.
    pub(super) fn again(&self, full: Receiver<Arc<Period>>, behind: Duration) -> Result<Lane, SocketError> {
        let legs: Result<Vec<_>, _> = self.legs.iter().map(Transmitter::again).collect();
        let (requests, empty) = (self.requests.clone(), self.empty.clone());
        let lane = Lane::new(self.name.clone(), self.ssrc, legs?, self.gate, full, empty, requests);
        let (turns, sent) = (Arc::clone(&self.turns), Arc::clone(&self.sent));
        Ok(Lane { turns, sent, behind_ns: i64::try_from(behind.as_nanos()).unwrap_or(i64::MAX), ..lane })
    }

    pub(super) fn sent(&self) -> Arc<Sent> {
        Arc::clone(&self.sent)
    }

    /// When the next packets leave; `None` where none are made yet, or none will be.
    fn due(&mut self, now: impl Fn() -> Timestamp<Tai>) -> Option<Timestamp<Tai>> {
        loop {
            if let Some(period) = &self.period {
                if let Some(due) = self.turns.opens(period, self.gate, self.behind_ns) {
                    return Some(Timestamp::from_ns(due.as_ns().saturating_sub(self.lead_ns)));
                }
                // Another thread has sent the rest.
                self.give_back();
            }
            if self.over {
                return None;
            }
            match self.full.try_recv() {
                Ok(period) => self.take(period, now()),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => self.over = true,
            }
        }
    }

    fn take(&mut self, period: Arc<Period>, now: Timestamp<Tai>) {
        let late = period.due.first().is_some_and(|first| now.since_ns(*first) > PATIENCE_NS);
        let given_up = (late || period.due.is_empty()) && self.turns.leave_out(&period);
        self.left_out += u64::from(given_up && late);
        self.periods += u64::from(given_up && !late);
        self.period = Some(period);
    }

    /// Whoever is the last to need it gives it back.
    fn give_back(&mut self) {
        if let Some(period) = self.period.take().and_then(Arc::into_inner) {
            // Its maker may have gone.
            _ = self.empty.try_send(period);
        }
    }

    /// Takes no part any more, and has its maker know it.
    pub(super) fn let_go(&mut self) {
        self.empty = mpsc::sync_channel(0).0;
    }

    /// Lets packets leave: those that are due together, and where we are late also those that should have left meanwhile.
    fn leave(&mut self, now: Timestamp<Tai>, pacer: &Pacer, watch: &Watch) {
        let Some(period) = &self.period else { return };
        let reached = Timestamp::from_ns(now.as_ns().saturating_add(self.lead_ns));
        let Some(share) = self.turns.look(period, self.gate, reached, self.behind_ns) else { return };
        let at = period.due.get(share.from).copied().unwrap_or(now);
        let places = period.places.get(share.from..share.from + share.count).unwrap_or_default();
        if !self.turns.take(share, self.gate, reached) {
            return;
        }
        for leg in &mut self.legs {
            leg.send(period.batch.bytes(), places, at);
        }
        // They may have left as late as this.
        let gone = Timestamp::from_ns(pacer.now().as_ns().saturating_add(self.lead_ns));
        self.turns.left(share, self.gate, gone);
        let packets = u64::try_from(share.count).unwrap_or(0);
        self.overtaken += if self.turns.overtook(share) { packets } else { 0 };
        let late_ns = u64::try_from(reached.since_ns(at)).unwrap_or(0);
        self.lateness.note(late_ns);
        watch.latest_ns.fetch_max(late_ns, Ordering::Relaxed);
        let bytes: usize = places.iter().map(|place| place.len().saturating_sub(HEADER_BYTES)).sum();
        watch.packets.fetch_add(packets, Ordering::Relaxed);
        self.sent.packets.fetch_add(packets, Ordering::Relaxed);
        self.sent.payload_bytes.fetch_add(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
        if share.from + share.count >= period.due.len() {
            self.periods += 1;
            self.give_back();
        }
    }

    /// Lets leave what the thread that sends has not come to in time, if there is something; sleeps now and then. Who has nothing
    /// else to do does so for as long as others want to run, or, where there is time for it, until it looks again.
    pub(super) fn stand_in(&mut self, pacer: &Pacer, idle: Option<&StandBy>, watch: &Watch) {
        let now = pacer.now();
        // What is due only becomes later, and to look more often would take the place from the other's cache each time.
        if now >= self.look
            && let Some(due) = self.due(|| now)
        {
            self.look = due;
            if now >= due {
                return self.leave(now, pacer, watch);
            }
        }
        let in_time = u128::try_from(self.behind_ns).is_ok_and(|ns| ns >= SLEEP.as_nanos());
        let may_sleep = idle.is_some() && in_time;
        if may_sleep || now.since_ns(self.awake) > STANDING_NS {
            pacer.sleep(SLEEP);
            // They need not wait for a millisecond.
            let others_wait = idle.is_some_and(StandBy::others_wait);
            self.awake = if others_wait { Timestamp::from_ns(0) } else { pacer.now() };
        }
    }

    /// Counts what another thread has sent of the same stream.
    pub(super) fn add(&mut self, other: Lane) {
        self.periods += other.periods;
        self.left_out += other.left_out;
        self.overtaken += other.overtaken;
        self.lateness.add(&other.lateness);
        self.legs.iter_mut().zip(other.legs).for_each(|(leg, other)| leg.add(other));
    }

    /// What became of it.
    pub(super) fn finish(self) -> SentStream {
        let legs = self.legs.into_iter().zip(self.requests).map(|(mut leg, request)| {
            let mut counts = leg.counts().clone();
            if counts.missed > 0 {
                let reason = "their time had passed in the interface's queue".to_owned();
                counts.refused.push(model::media::Refusal { reason, packets: counts.missed });
            }
            SentLeg {
                source: leg.local(),
                destination: request.destination,
                packets: counts.packets,
                bytes: counts.bytes,
                refused: counts.refused,
                efforts: leg.efforts().to_vec(),
            }
        });
        SentStream {
            name: self.name,
            ssrc: self.ssrc,
            periods: self.periods,
            periods_left_out: self.left_out,
            overtaken: self.overtaken,
            faults: Vec::new(),
            legs: legs.collect(),
            lateness: self.lateness,
        }
    }
}

/// Lets the packets of all streams leave, each at its time, until there are no more or somebody says stop.
pub(super) fn run(lanes: &mut [Lane], pacer: &mut Pacer, watch: &Watch) {
    let mut awake = pacer.now();
    while !watch.stop.load(Ordering::Relaxed) {
        let soonest =
            lanes.iter_mut().enumerate().filter_map(|(at, lane)| Some((lane.due(|| pacer.now())?, at))).min();
        let Some((due, at)) = soonest else {
            if lanes.iter().all(|lane| lane.over) {
                return;
            }
            rest(lanes, pacer);
            continue;
        };
        let now = pacer.now();
        let (since, left) = (now.since_ns(awake), due.since_ns(now));
        // Between two frames nothing is late because of it.
        if since > AWAKE_NS && left > WAKING_NS || since > AT_MOST_NS {
            pacer.sleep(SLEEP);
            awake = pacer.now();
        }
        // Who has nothing yet may have something sooner.
        let look = Timestamp::from_ns(now.as_ns().saturating_add(LOOK_NS));
        let starving = lanes.iter().any(|lane| !lane.over && lane.period.is_none());
        let until = if starving { due.min(look) } else { due };
        let now = pacer.wait(until, &watch.stop);
        if now >= due
            && let Some(lane) = lanes.get_mut(at)
        {
            lane.leave(now, pacer, watch);
        }
    }
}

/// Waits for a maker.
fn rest(lanes: &mut [Lane], pacer: &Pacer) {
    let Some(lane) = lanes.iter_mut().find(|lane| !lane.over) else { return };
    match lane.full.recv_timeout(NAP) {
        Ok(period) => lane.take(period, pacer.now()),
        Err(RecvTimeoutError::Timeout) => {}
        Err(RecvTimeoutError::Disconnected) => lane.over = true,
    }
}
