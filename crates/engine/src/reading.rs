//! Captures to facts: one loop that reads, and as many observers as there are workers.
//!
//! A frame goes to the worker that its flow belongs to, so that no worker needs to know of the others; what they saw
//! is joined at the end.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use media::monitor::Monitor;
use model::media::Session;
use model::{Area, Comment, CommentPlace, Flow, Gap, Reason, Traffic, WireFault};
use wire::capture::{Comments, Place, Reader, Step};
use wire::filter::Expression;
use wire::{Fault, Frame};

use crate::capture_file::CaptureFile;
use crate::desks::Hall;
use crate::intake::Intake;

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
    /// How media is looked at.
    pub media: MediaSettings,
}

/// How media is looked at.
#[derive(Debug, Clone, Default)]
pub struct MediaSettings {
    /// What was agreed, as far as it is known beforehand.
    pub sessions: Vec<Session>,
    /// How streams are measured.
    pub monitor: media::monitor::Config,
    /// What should have told of agreements, and did not tell all.
    pub gaps: Vec<Gap>,
}

impl Reading {
    /// How one of several observers works; `flows` says that each flow is wanted when it ends.
    pub(crate) fn config(&self, observers: usize, flows: bool) -> traffic::Config {
        traffic::Config {
            memory_bytes: self.memory_bytes / observers.max(1),
            seed: self.seed,
            flows,
            ..traffic::Config::default()
        }
    }

    /// What listens for media, with what was agreed.
    pub(crate) fn monitor(&self) -> Monitor {
        let mut monitor = Monitor::new(self.media.monitor.clone());
        for session in &self.media.sessions {
            monitor.agree(session.clone());
        }
        monitor
    }
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
    let mut intake = Intake::new(reading.filter.clone());
    let mut ledger = Ledger::default();
    let stored_bytes = files.iter().map(|file| file.stored_bytes).sum::<Option<u64>>();
    let mut read_before = 0;
    for mut file in files {
        let read = Arc::clone(&file.read_bytes);
        let mut blocks = Blocks::new();
        let mut first_damaged = None;
        let outcome = blocks.read(&mut *file.bytes, &mut |event| match event {
            Event::Frame(frame) => {
                if intake.admit(frame) {
                    hall.take(frame, intake.frames);
                }
            }
            Event::Damaged(fault) => {
                first_damaged.get_or_insert(fault.at);
                ledger.fault(&fault);
            }
            Event::Filled => on_progress(Progress {
                frames: intake.frames,
                read_bytes: read_before + read.load(Ordering::Relaxed),
                stored_bytes,
            }),
        });
        if let Err(broken) = outcome {
            ledger.broken(&file.name, blocks.reader.position(), &broken);
        }
        if let Some(at) = first_damaged {
            ledger.passed_over(&file.name, blocks.reader.counts().damaged_blocks, at);
        }
        ledger.dropped += blocks.reader.counts().dropped_frames;
        ledger.comments(&file.name, blocks.reader.comments());
        read_before += read.load(Ordering::Relaxed);
        ledger.names.push(file.name);
    }
    let mut traffic = hall.close();
    intake.sum_up(&mut traffic);
    ledger.sum_up(&mut traffic);
    traffic.gaps.extend(reading.media.gaps.iter().cloned());
    traffic
}

/// Every frame of a capture, in order, as far as it can be read.
pub(crate) fn each_frame(from: &mut dyn Read, each: &mut dyn FnMut(&Frame<'_>)) {
    let _ = Blocks::new().read(from, &mut |event| {
        if let Event::Frame(frame) = event {
            each(frame);
        }
    });
}

/// Bytes that are read at a time: what fits into a second-level cache is copied once and not fetched again.
const BLOCK_BYTES: usize = 256 * 1024;

/// What the loop over a capture meets.
enum Event<'e, 'a> {
    Frame(&'e Frame<'a>),
    /// A block that is not what it claims, and was passed over.
    Damaged(Fault),
    /// More was read from the file.
    Filled,
}

/// Why a capture could not be read to its end.
enum Broken {
    Fault(Fault),
    Unreadable(io::Error),
}

/// The loop over one capture.
struct Blocks {
    reader: Reader,
    block: Vec<u8>,
}

impl Blocks {
    fn new() -> Blocks {
        Blocks { reader: Reader::new(), block: vec![0; BLOCK_BYTES] }
    }

    #[inline]
    fn read(&mut self, from: &mut dyn Read, each: &mut impl FnMut(Event<'_, '_>)) -> Result<(), Broken> {
        let (mut start, mut end, mut at_end) = (0, 0, false);
        loop {
            let given = self.block.get(start..end).unwrap_or_default();
            match self.reader.read(given, at_end) {
                // By reference: a frame that moves waits for its own words to be written.
                Ok(Step::Frame { ref frame, consumed }) => {
                    start += consumed;
                    each(Event::Frame(frame));
                }
                Ok(Step::Skipped { consumed }) => start += consumed,
                Ok(Step::Damaged { fault, consumed }) => {
                    start += consumed;
                    each(Event::Damaged(fault));
                }
                Ok(Step::NeedMore { at_least }) => {
                    self.block.copy_within(start..end, 0);
                    end -= start;
                    start = 0;
                    if self.block.len() < at_least {
                        self.block.resize(at_least.next_multiple_of(BLOCK_BYTES), 0);
                    }
                    at_end = fill(from, &mut self.block, &mut end).map_err(Broken::Unreadable)? == 0;
                    each(Event::Filled);
                }
                Ok(Step::End) => return Ok(()),
                Err(fault) => return Err(Broken::Fault(fault)),
            }
        }
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

/// Frames that a capture had to drop are counted, and their absence is told.
pub(crate) fn add_dropped(traffic: &mut Traffic, dropped: u64) {
    traffic.volume.dropped += dropped;
    if dropped > 0 {
        traffic.gaps.push(Gap {
            area: Area::Capture,
            reason: Reason::LimitReached,
            what: format!("{dropped} frames that were dropped while capturing"),
            count: Some(dropped),
        });
    }
}

/// What captures say of themselves, beside their frames.
#[derive(Default)]
struct Ledger {
    names: Vec<String>,
    dropped: u64,
    faults: Vec<WireFault>,
    comments: Vec<Comment>,
    comments_left_out: u64,
    gaps: Vec<Gap>,
}

/// Comments of all captures together that are kept.
const MOST_COMMENTS: usize = 1024;

impl Ledger {
    fn comments(&mut self, source: &str, comments: &Comments) {
        let room = MOST_COMMENTS.saturating_sub(self.comments.len());
        let kept = comments.kept();
        self.comments.extend(kept.iter().take(room).map(|comment| Comment {
            source: source.to_owned(),
            place: match comment.place {
                Place::Section => CommentPlace::Section,
                Place::Interface(number) => CommentPlace::Interface(number),
                Place::Frame(number) => CommentPlace::Packet(number),
            },
            text: comment.text.to_string(),
        }));
        let beyond = u64::try_from(kept.len().saturating_sub(room)).unwrap_or(u64::MAX);
        self.comments_left_out = self.comments_left_out.saturating_add(comments.left_out() + beyond);
    }

    fn fault(&mut self, fault: &Fault) {
        let known =
            self.faults.iter_mut().find(|known| known.layer == fault.layer && known.what == fault.what);
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

    fn broken(&mut self, name: &str, position: u64, broken: &Broken) {
        let what = match broken {
            Broken::Fault(fault) => {
                self.fault(fault);
                format!("{name}: what follows byte {}: {}", fault.at, fault.what)
            }
            Broken::Unreadable(error) => format!(
                "{name}: what follows byte {position} of the capture: it could not be read to its end: {error}"
            ),
        };
        self.gaps.push(Gap { area: Area::Capture, reason: Reason::Damaged, what, count: None });
    }

    /// What a damaged block held was not looked at.
    fn passed_over(&mut self, name: &str, blocks: u64, at: usize) {
        let what = match blocks {
            1 => format!("{name}: a block that is not what it claims, and was passed over, at byte {at}"),
            _ => format!(
                "{name}: {blocks} blocks that are not what they claim, and were passed over; the first at byte {at}"
            ),
        };
        let (area, reason) = (Area::Capture, Reason::Damaged);
        self.gaps.push(Gap { area, reason, what, count: Some(blocks) });
    }

    fn sum_up(self, traffic: &mut Traffic) {
        traffic.sources = self.names;
        add_dropped(traffic, self.dropped);
        traffic.faults.splice(0..0, self.faults);
        (traffic.comments, traffic.comments_left_out) = (self.comments, self.comments_left_out);
        traffic.gaps.extend(self.gaps);
    }
}
