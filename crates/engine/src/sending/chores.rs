//! What is sent beside a stream now and then, and at its end: sender reports, announcements.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use host::transmit::{Pacer, SocketError, TransmitRequest, Transmitter};
use model::{Tai, Timestamp};

use super::lane::Sent;

/// What is known when something is due.
#[derive(Debug)]
pub struct Due<'a> {
    /// The time.
    pub now: Timestamp<Tai>,
    /// What was sent of the stream.
    pub sent: &'a Sent,
    /// It is the last time: the stream ends.
    pub last: bool,
}

/// What is sent now and then.
pub struct Chore {
    /// Where to.
    pub leg: TransmitRequest,
    /// How often.
    pub every: Duration,
    /// What; nothing where it is empty.
    pub make: Box<dyn FnMut(Due<'_>) -> Vec<u8> + Send>,
}

/// One that runs.
pub(super) struct Running {
    transmitter: Transmitter,
    every_ns: i64,
    make: Box<dyn FnMut(Due<'_>) -> Vec<u8> + Send>,
    sent: Arc<Sent>,
    next: Timestamp<Tai>,
}

impl Running {
    pub(super) fn open(chore: Chore, sent: Arc<Sent>, begin: Timestamp<Tai>) -> Result<Running, SocketError> {
        let every_ns = i64::try_from(chore.every.as_nanos()).unwrap_or(i64::MAX).max(1_000_000);
        Ok(Running {
            transmitter: Transmitter::open(&chore.leg)?,
            every_ns,
            make: chore.make,
            sent,
            next: begin,
        })
    }

    fn tell(&mut self, now: Timestamp<Tai>, last: bool) {
        let bytes = (self.make)(Due { now, sent: &self.sent, last });
        if !bytes.is_empty() {
            self.transmitter.send(&bytes, std::slice::from_ref(&(0..bytes.len())), now);
        }
    }
}

/// Does them when they are due, and once more at the end.
pub(super) fn run(mut all: Vec<Running>, pacer: &Pacer, end: Option<Timestamp<Tai>>, stop: &AtomicBool) {
    let mut pacer = pacer.clone();
    pacer.stay_asleep();
    while let Some(next) = all.iter_mut().min_by_key(|chore| chore.next) {
        let due = end.map_or(next.next, |end| next.next.min(end));
        let now = pacer.wait(due, stop);
        if now < due || end.is_some_and(|end| now >= end) {
            break;
        }
        next.tell(now, false);
        next.next = Timestamp::from_ns(next.next.as_ns().saturating_add(next.every_ns));
    }
    let now = pacer.now();
    all.iter_mut().for_each(|chore| chore.tell(now, true));
}
