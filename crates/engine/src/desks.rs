//! Where frames go: to one observer here, or to several, each with a thread of its own.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::mpsc;
use std::thread;

use media::monitor::Monitor;
use model::media::{Media, Session};
use model::{Area, Flow, Gap, Reason, Timestamp, Traffic, Utc};
use traffic::{Observer, Part};
use wire::{Frame, LinkType};

use crate::listening::{add_media, observe, together};
use crate::reading::Reading;

/// Where frames go: to one observer here, or to several elsewhere.
pub(crate) enum Hall<'f> {
    Here { observer: Box<Observer>, monitor: Box<Monitor>, on_flow: Option<&'f mut dyn FnMut(Flow)> },
    Elsewhere { desks: Vec<Desk>, meeting: HashSet<IpAddr> },
}

/// The machines that streams of two legs go to one by one: as those of groups, their packets go to the first worker, so
/// that the legs meet.
fn meeting(sessions: &[Session]) -> HashSet<IpAddr> {
    let twice = sessions.iter().filter(|session| session.legs.len() > 1);
    let addresses = twice.flat_map(|session| &session.legs).map(|leg| leg.destination.ip());
    addresses.filter(|address| !address.is_multicast()).collect()
}

/// One worker: what is being written for it, and how to hand it over.
pub(crate) struct Desk {
    batch: Batch,
    to: mpsc::SyncSender<Batch>,
    /// Batches that are done with, to be filled again.
    back: mpsc::Receiver<Batch>,
    worker: thread::JoinHandle<(Part, Media)>,
}

/// Frames with their bytes.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    frames: Vec<Bound>,
}

/// One frame of a batch.
struct Bound {
    number: u64,
    time: Option<Timestamp<Utc>>,
    link: LinkType,
    interface: u32,
    wire_bytes: u32,
    end: usize,
}

/// Bytes of one batch, and how many may wait for a worker.
const BATCH_BYTES: usize = 512 * 1024;
const BATCHES_WAITING: usize = 4;

impl<'f> Hall<'f> {
    pub(crate) fn new(reading: &Reading, on_flow: Option<&'f mut dyn FnMut(Flow)>) -> Hall<'f> {
        let workers = if on_flow.is_some() { 1 } else { reading.workers.max(1) };
        let config = reading.config(workers, on_flow.is_some());
        if workers == 1 {
            let monitor = Box::new(reading.monitor());
            return Hall::Here { observer: Box::new(Observer::new(config)), monitor, on_flow };
        }
        let desks = (0..workers).map(|_| Desk::new(Observer::new(config), reading.monitor())).collect();
        Hall::Elsewhere { desks, meeting: meeting(&reading.media.sessions) }
    }

    #[inline]
    pub(crate) fn take(&mut self, frame: &Frame<'_>, number: u64) {
        match self {
            Hall::Here { observer, monitor, on_flow } => {
                observe(observer, monitor, frame, number);
                if let Some(on_flow) = on_flow {
                    while let Some(flow) = observer.poll() {
                        on_flow(flow);
                    }
                }
            }
            Hall::Elsewhere { desks, meeting } => {
                let meets = !meeting.is_empty() && traffic::is_of(frame, meeting);
                let at = if meets { 0 } else { traffic::shard_of(frame, desks.len()) };
                if let Some(desk) = desks.get_mut(at) {
                    desk.take(frame, number);
                }
            }
        }
    }

    pub(crate) fn close(self) -> Traffic {
        match self {
            Hall::Here { mut observer, mut monitor, on_flow } => {
                observer.end();
                if let Some(on_flow) = on_flow {
                    while let Some(flow) = observer.poll() {
                        on_flow(flow);
                    }
                }
                let mut traffic = observer.finish();
                if let Some(last) = traffic.last {
                    monitor.pass(last);
                }
                add_media(&mut traffic, monitor.media());
                traffic
            }
            Hall::Elsewhere { desks, .. } => {
                let mut parts = Vec::new();
                let mut heard = Vec::new();
                let mut lost = 0;
                // All are told before any is waited for.
                let workers: Vec<_> = desks.into_iter().map(Desk::close).collect();
                for worker in workers {
                    match worker.join() {
                        Ok((part, media)) => {
                            parts.push(part);
                            heard.push(media);
                        }
                        Err(_) => lost += 1,
                    }
                }
                let mut traffic = traffic::merge(parts);
                add_media(&mut traffic, together(heard.into_iter()));
                if lost > 0 {
                    traffic.gaps.push(Gap {
                        area: Area::Capture,
                        reason: Reason::Damaged,
                        what: String::from("the flows of a worker that ended before its time"),
                        count: Some(lost),
                    });
                }
                traffic
            }
        }
    }
}

impl Desk {
    fn new(mut observer: Observer, mut monitor: Monitor) -> Desk {
        let (to, batches) = mpsc::sync_channel::<Batch>(BATCHES_WAITING);
        let (done, back) = mpsc::sync_channel::<Batch>(BATCHES_WAITING + 2);
        let worker = thread::spawn(move || {
            for mut batch in batches {
                let mut start = 0;
                for bound in batch.frames.drain(..) {
                    let frame = Frame {
                        time: bound.time,
                        link: bound.link,
                        interface: bound.interface,
                        wire_bytes: bound.wire_bytes,
                        bytes: batch.bytes.get(start..bound.end).unwrap_or_default(),
                    };
                    observe(&mut observer, &mut monitor, &frame, bound.number);
                    start = bound.end;
                }
                batch.bytes.clear();
                // Who reads may have ended already.
                let _ = done.try_send(batch);
            }
            let part = observer.part();
            if let Some(last) = part.last() {
                monitor.pass(last);
            }
            (part, monitor.media())
        });
        Desk { batch: Batch::default(), to, back, worker }
    }

    fn take(&mut self, frame: &Frame<'_>, number: u64) {
        self.batch.bytes.extend_from_slice(frame.bytes);
        self.batch.frames.push(Bound {
            number,
            time: frame.time,
            link: frame.link,
            interface: frame.interface,
            wire_bytes: frame.wire_bytes,
            end: self.batch.bytes.len(),
        });
        if self.batch.bytes.len() >= BATCH_BYTES {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let fresh = self.back.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.batch, fresh);
        // A worker that ended before its time is told of when it is joined.
        let _ = self.to.send(full);
    }

    fn close(mut self) -> thread::JoinHandle<(Part, Media)> {
        self.hand_over();
        self.worker
    }
}
