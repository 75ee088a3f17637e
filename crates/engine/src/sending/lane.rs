//! One stream on its way out, and the thread that lets the packets of all of them leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Duration;

use host::transmit::{Pacer, TransmitRequest, Transmitter, Urgency};
use model::media::{Lateness, SentLeg, SentStream};
use model::{Tai, Timestamp};

use super::{Gate, Period, Watch};

/// How late a period may begin; what begins later is left out, or nothing would ever be in time again.
const PATIENCE_NS: i64 = 20_000_000;
/// How long to wait for makers when there is nothing to do.
const NAP: Duration = Duration::from_millis(1);
/// How long those who have something wait while others have nothing yet.
const LOOK_NS: i64 = 1_000_000;
/// For how long the thread that sends may have one processor for itself: well below a second, see [`Urgency::move_on`].
const STAY_NS: i64 = 200_000_000;
/// What it takes to move to another one, and to be awake there.
const MOVE_NS: i64 = 400_000;

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

/// One stream on its way out.
pub(super) struct Lane {
    name: String,
    ssrc: u32,
    legs: Vec<Transmitter>,
    requests: Vec<TransmitRequest>,
    lead_ns: i64,
    gate: Option<Gate>,
    full: Receiver<Period>,
    empty: SyncSender<Period>,
    period: Option<Period>,
    next: usize,
    over: bool,
    periods: u64,
    left_out: u64,
    lateness: Lateness,
    sent: Arc<Sent>,
}

impl Lane {
    pub(super) fn new(
        name: String,
        ssrc: u32,
        legs: Vec<Transmitter>,
        gate: Option<Gate>,
        full: Receiver<Period>,
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
            period: None,
            next: 0,
            over: false,
            periods: 0,
            left_out: 0,
            lateness: Lateness::default(),
            sent: Arc::default(),
        }
    }

    pub(super) fn sent(&self) -> Arc<Sent> {
        Arc::clone(&self.sent)
    }

    /// When the next packets leave; `None` where none are made yet, or none will be.
    fn due(&mut self, now: impl Fn() -> Timestamp<Tai>) -> Option<Timestamp<Tai>> {
        while !self.over && self.period.is_none() {
            match self.full.try_recv() {
                Ok(period) => self.take(period, now()),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => self.over = true,
            }
        }
        let due = self.period.as_ref()?.opens(self.next, self.gate)?;
        Some(Timestamp::from_ns(due.as_ns().saturating_sub(self.lead_ns)))
    }

    fn take(&mut self, period: Period, now: Timestamp<Tai>) {
        self.next = 0;
        let late = period.due.first().is_some_and(|first| now.since_ns(*first) > PATIENCE_NS);
        if late || period.due.is_empty() {
            self.left_out += u64::from(late);
            self.periods += u64::from(!late);
            // Its maker may have gone.
            _ = self.empty.try_send(period);
        } else {
            self.period = Some(period);
        }
    }

    /// Lets packets leave: those that are due together, and where we are late also those that should have left meanwhile.
    fn leave(&mut self, now: Timestamp<Tai>, pacer: &Pacer, watch: &Watch) {
        let Some(period) = &self.period else { return };
        let at = period.due.get(self.next).copied().unwrap_or(now);
        let reached = Timestamp::from_ns(now.as_ns().saturating_add(self.lead_ns));
        let count = period.ready(self.next, reached, self.gate);
        let places = period.places.get(self.next..self.next + count).unwrap_or_default();
        for leg in &mut self.legs {
            leg.send(period.batch.bytes(), places, at);
        }
        if let Some(gate) = &mut self.gate {
            // They may have left as late as this: whoever follows must not come too close to that.
            let gone = Timestamp::from_ns(pacer.now().as_ns().saturating_add(self.lead_ns));
            gate.pass(u64::try_from(count).unwrap_or(0), gone);
        }
        let late_ns = u64::try_from(reached.since_ns(at)).unwrap_or(0);
        self.lateness.note(late_ns);
        watch.latest_ns.fetch_max(late_ns, Ordering::Relaxed);
        let packets = u64::try_from(count).unwrap_or(0);
        let bytes: usize = places.iter().map(|place| place.len().saturating_sub(HEADER_BYTES)).sum();
        watch.packets.fetch_add(packets, Ordering::Relaxed);
        self.sent.packets.fetch_add(packets, Ordering::Relaxed);
        self.sent.payload_bytes.fetch_add(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
        self.next += count.max(1);
        if self.next >= period.due.len() {
            self.periods += 1;
            if let Some(period) = self.period.take() {
                _ = self.empty.try_send(period);
            }
        }
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
            faults: Vec::new(),
            legs: legs.collect(),
            lateness: self.lateness,
        }
    }
}

/// Lets the packets of all streams leave, each at its time, until there are no more or somebody says stop.
pub(super) fn run(lanes: &mut [Lane], pacer: &mut Pacer, granted: &mut Urgency, watch: &Watch) {
    let mut moved = pacer.now();
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
        // Between two frames nothing is late because of it.
        if now.since_ns(moved) > STAY_NS && due.since_ns(now) > MOVE_NS {
            granted.move_on();
            moved = now;
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
