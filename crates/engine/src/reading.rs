//! Captures to facts: one loop that reads, and as many observers as there are workers.
//!
//! A frame goes to the worker that its flow belongs to, so that no worker needs to know of the others; what they saw
//! is joined at the end.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread;

use model::{Area, Flow, Gap, Reason, Timestamp, Traffic, Utc, WireFault};
use traffic::Observer;
use wire::capture::{Reader, Step};
use wire::filter::{Expression, FilterError, Program};
use wire::{Fault, Frame, LinkType};

use crate::capture_file::CaptureFile;

/// How to read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Which frames count; all where there is none.
    pub filter: Option<Expression>,
    /// What the observers together may keep, in bytes.
    pub memory_bytes: usize,
    /// How many workers share the flows.
    pub workers: usize,
    /// What the tables are keyed with, so that nobody can prepare collisions.
    pub seed: u64,
}

/// How far a reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Frames read.
    pub frames: u64,
    /// Bytes read, as they are stored.
    pub read_bytes: u64,
    /// Bytes that there are, where that is known.
    pub stored_bytes: Option<u64>,
}

/// The frames that count: one program per link type, made when the first frame of it comes.
pub struct FrameFilter {
    expression: Option<Expression>,
    programs: HashMap<LinkType, Option<Program>>,
    /// The link type of the frame before, and its program: captures seldom mix them.
    last: Option<(LinkType, Option<Program>)>,
    /// Why the expression says nothing of some link type.
    refused: Option<FilterError>,
}

impl FrameFilter {
    /// From an expression; every frame counts where there is none.
    pub fn new(expression: Option<Expression>) -> FrameFilter {
        FrameFilter { expression, programs: HashMap::new(), last: None, refused: None }
    }

    /// Whether a frame counts.
    pub fn passes(&mut self, frame: &Frame<'_>) -> bool {
        let Some(expression) = &self.expression else { return true };
        if self.last.as_ref().is_none_or(|(link, _)| *link != frame.link) {
            let refused = &mut self.refused;
            let program = self.programs.entry(frame.link).or_insert_with(|| {
                wire::filter::compile(expression, frame.link).map_err(|error| *refused = Some(error)).ok()
            });
            self.last = Some((frame.link, program.clone()));
        }
        match &self.last {
            Some((_, Some(program))) => program.matches(frame.bytes, frame.wire_bytes),
            _ => false,
        }
    }
}

/// Reads captures one after the other.
///
/// `on_flow` gets every flow when it ends, one by one and in order; there is then only one worker.
pub fn read(
    files: Vec<CaptureFile>,
    reading: &Reading,
    on_progress: &mut dyn FnMut(Progress),
    on_flow: Option<&mut dyn FnMut(Flow)>,
) -> Traffic {
    let mut hall = Hall::new(reading, on_flow);
    let mut source = Source::new(reading.filter.clone());
    let stored_bytes = files.iter().map(|file| file.stored_bytes).sum::<Option<u64>>();
    let mut read_before = 0;
    for mut file in files {
        let read = Arc::clone(&file.read_bytes);
        source.name = std::mem::take(&mut file.name);
        let mut tell = |frames| {
            on_progress(Progress {
                frames,
                read_bytes: read_before + read.load(Ordering::Relaxed),
                stored_bytes,
            });
        };
        source.read(&mut *file.bytes, &mut hall, &mut tell);
        read_before += read.load(Ordering::Relaxed);
        source.names.push(std::mem::take(&mut source.name));
    }
    source.close(hall.close())
}

/// Bytes that are read at a time: what fits into a second-level cache is copied once and not fetched again.
const BLOCK_BYTES: usize = 256 * 1024;

/// What is read of one capture after the other.
struct Source {
    name: String,
    names: Vec<String>,
    filter: FrameFilter,
    /// Frames read so far, of all captures.
    frames: u64,
    filtered: u64,
    dropped: u64,
    first: Option<Timestamp<Utc>>,
    last: Option<Timestamp<Utc>>,
    faults: Vec<WireFault>,
    gaps: Vec<Gap>,
}

impl Source {
    fn new(filter: Option<Expression>) -> Source {
        Source {
            name: String::new(),
            names: Vec::new(),
            filter: FrameFilter::new(filter),
            frames: 0,
            filtered: 0,
            dropped: 0,
            first: None,
            last: None,
            faults: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn read(&mut self, from: &mut dyn Read, hall: &mut Hall<'_>, tell: &mut dyn FnMut(u64)) {
        let mut reader = Reader::new();
        let mut block = vec![0; BLOCK_BYTES];
        let (mut start, mut end, mut at_end) = (0, 0, false);
        loop {
            let given = block.get(start..end).unwrap_or_default();
            match reader.read(given, at_end) {
                Ok(Step::Frame { frame, consumed }) => {
                    start += consumed;
                    self.frames += 1;
                    if self.filter.passes(&frame) {
                        hall.take(&frame, self.frames);
                    } else {
                        self.filtered += 1;
                    }
                    if frame.time.is_some() {
                        self.first = self.first.or(frame.time);
                        self.last = self.last.max(frame.time);
                    }
                }
                Ok(Step::Skipped { consumed }) => start += consumed,
                Ok(Step::Damaged { fault, consumed }) => {
                    start += consumed;
                    self.fault(&fault);
                }
                Ok(Step::NeedMore { at_least }) => {
                    block.copy_within(start..end, 0);
                    end -= start;
                    start = 0;
                    if block.len() < at_least {
                        block.resize(at_least.next_multiple_of(BLOCK_BYTES), 0);
                    }
                    match fill(from, &mut block, &mut end) {
                        Ok(0) => at_end = true,
                        Ok(_) => {}
                        Err(error) => {
                            self.broken(&error);
                            break;
                        }
                    }
                    tell(self.frames);
                }
                Ok(Step::End) => break,
                Err(fault) => {
                    self.fault(&fault);
                    self.gap(format!("{}: what follows byte {}: {}", self.name, fault.at, fault.what));
                    break;
                }
            }
        }
        self.dropped += reader.counts().dropped_frames;
    }

    /// Bytes that are not what they claim: in the file, not in a frame.
    fn fault(&mut self, fault: &Fault) {
        let known = self.faults.iter_mut().find(|known| known.layer == fault.layer && known.what == fault.what);
        match known {
            Some(known) => known.count += 1,
            None => self.faults.push(WireFault {
                layer: fault.layer,
                what: fault.what,
                count: 1,
                frame: 0,
                at: fault.at as u64,
            }),
        }
    }

    fn broken(&mut self, error: &io::Error) {
        self.gap(format!("{}: it could not be read to its end: {error}", self.name));
    }

    fn gap(&mut self, what: String) {
        self.gaps.push(Gap { area: Area::Capture, reason: Reason::Damaged, what, count: None });
    }

    fn close(self, mut traffic: Traffic) -> Traffic {
        traffic.sources = self.names;
        traffic.volume.filtered = self.filtered;
        traffic.volume.dropped += self.dropped;
        traffic.first = self.first;
        traffic.last = self.last;
        traffic.faults.splice(0..0, self.faults);
        traffic.gaps.extend(self.gaps);
        if let Some(error) = self.filter.refused {
            traffic.gaps.push(Gap {
                area: Area::Capture,
                reason: Reason::NotSupported,
                what: format!("frames that the filter cannot judge: {error}"),
                count: None,
            });
        }
        traffic
    }
}

/// Reads once into what is free of the block; 0 is the end.
fn fill(from: &mut dyn Read, block: &mut [u8], end: &mut usize) -> io::Result<usize> {
    loop {
        match from.read(block.get_mut(*end..).unwrap_or_default()) {
            Ok(count) => {
                *end += count;
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Where frames go: to one observer here, or to several elsewhere.
enum Hall<'f> {
    Here { observer: Box<Observer>, on_flow: Option<&'f mut dyn FnMut(Flow)> },
    Elsewhere { desks: Vec<Desk> },
}

/// One worker: what is being written for it, and how to hand it over.
struct Desk {
    batch: Batch,
    to: mpsc::SyncSender<Batch>,
    /// Batches that are done with, to be filled again.
    back: mpsc::Receiver<Batch>,
    worker: thread::JoinHandle<Observer>,
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
    fn new(reading: &Reading, on_flow: Option<&'f mut dyn FnMut(Flow)>) -> Hall<'f> {
        let workers = if on_flow.is_some() { 1 } else { reading.workers.max(1) };
        let config = traffic::Config::new(reading.memory_bytes / workers, reading.seed);
        if workers == 1 {
            let config = config.with_flows(on_flow.is_some());
            return Hall::Here { observer: Box::new(Observer::new(config)), on_flow };
        }
        let desks = (0..workers).map(|_| Desk::new(Observer::new(config.clone()))).collect();
        Hall::Elsewhere { desks }
    }

    fn take(&mut self, frame: &Frame<'_>, number: u64) {
        match self {
            Hall::Here { observer, on_flow } => {
                observer.handle(frame, number);
                if let Some(on_flow) = on_flow {
                    while let Some(flow) = observer.poll() {
                        on_flow(flow);
                    }
                }
            }
            Hall::Elsewhere { desks } => {
                let at = traffic::shard_of(frame, desks.len());
                if let Some(desk) = desks.get_mut(at) {
                    desk.take(frame, number);
                }
            }
        }
    }

    fn close(self) -> Traffic {
        match self {
            Hall::Here { mut observer, on_flow } => {
                observer.end();
                if let Some(on_flow) = on_flow {
                    while let Some(flow) = observer.poll() {
                        on_flow(flow);
                    }
                }
                traffic::merge(vec![*observer])
            }
            Hall::Elsewhere { desks } => {
                let mut observers = Vec::new();
                let mut lost = 0;
                // All are told before any is waited for.
                let workers: Vec<_> = desks.into_iter().map(Desk::close).collect();
                for worker in workers {
                    match worker.join() {
                        Ok(mut observer) => {
                            observer.end();
                            observers.push(observer);
                        }
                        Err(_) => lost += 1,
                    }
                }
                let mut traffic = traffic::merge(observers);
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
    fn new(mut observer: Observer) -> Desk {
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
                    observer.handle(&frame, bound.number);
                    start = bound.end;
                }
                batch.bytes.clear();
                // Who reads may have ended already.
                let _ = done.try_send(batch);
            }
            observer
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

    fn close(mut self) -> thread::JoinHandle<Observer> {
        self.hand_over();
        self.worker
    }
}
