//! Captures that people hand in: one is read at a time, with limits on everything, and the last few reports are kept.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use engine::capture_file::CaptureFile;
use engine::{MediaSettings, Reading, TrafficView};
use model::{Timestamp, Utc};
use tokio::sync::Semaphore;

use crate::access;
use crate::document::CaptureReport;
use crate::keeper::Keeper;
use crate::settings::ApiSettings;

/// Reports that are kept.
const MOST_KEPT: usize = 8;
/// What is compressed may become so many times larger: what grows more is made to fill a machine.
const MOST_GROWTH: u64 = 32;

/// How far a capture is.
#[derive(Clone)]
pub(crate) enum State {
    Reading,
    Done(Arc<TrafficView>),
    Failed(String),
}

/// A capture that was handed in.
pub(crate) struct Handed {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) at: Timestamp<Utc>,
    pub(crate) bytes: u64,
    state: Mutex<State>,
}

impl Handed {
    pub(crate) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn become_state(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// What is told of it; with `whole` also what is in it.
    pub(crate) fn report(&self, whole: bool) -> CaptureReport {
        let state = self.state();
        let mut report = CaptureReport {
            id: self.id.clone(),
            name: self.name.clone(),
            at: crate::document::moment(self.at),
            state: match state {
                State::Reading => "reading",
                State::Done(_) => "done",
                State::Failed(_) => "failed",
            },
            bytes: self.bytes,
            frames: 0,
            services: Vec::new(),
            streams: Vec::new(),
            findings: Vec::new(),
        };
        if let State::Done(view) = &state {
            if whole {
                report.fill(view);
            }
            report.frames = view.traffic.volume.frames;
        }
        report
    }
}

/// The captures that were handed in.
pub(crate) struct Captures {
    kept: Mutex<VecDeque<Arc<Handed>>>,
    /// One is taken in and read at a time.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) most_bytes: u64,
    memory_bytes: usize,
}

const MIB: u32 = 1024 * 1024;

impl Captures {
    pub(crate) fn new(settings: &ApiSettings) -> Captures {
        let memory = u64::from(settings.capture_memory_mib) * u64::from(MIB);
        Captures {
            kept: Mutex::default(),
            room: Arc::new(Semaphore::new(1)),
            most_bytes: u64::from(settings.capture_mib) * u64::from(MIB),
            memory_bytes: usize::try_from(memory).unwrap_or(usize::MAX),
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<Handed>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    pub(crate) fn of(&self, id: &str) -> Option<Arc<Handed>> {
        self.all().into_iter().find(|handed| handed.id == id)
    }

    /// Notes a capture that is about to be read.
    pub(crate) fn begin(&self, name: &str, bytes: u64) -> std::io::Result<Arc<Handed>> {
        let id = access::hex(&access::random::<8>()?);
        let name: String = name.chars().take(200).collect();
        let handed =
            Arc::new(Handed { id, name, at: engine::now(), bytes, state: Mutex::new(State::Reading) });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(&handed));
        Ok(handed)
    }

    /// Reads a capture to its end; this takes long.
    pub(crate) fn read(&self, handed: &Handed, file: File, keeper: &dyn Keeper) {
        let reading = std::panic::AssertUnwindSafe(|| self.view(handed, file, keeper));
        // A panic in analysis costs this capture, and nothing else.
        let state = match std::panic::catch_unwind(reading) {
            Ok(Ok(view)) => State::Done(Arc::new(view)),
            Ok(Err(error)) => State::Failed(error.to_string()),
            Err(_) => State::Failed(String::from("reading it failed by a fault of ours; please report it")),
        };
        handed.become_state(state);
    }

    fn view(&self, handed: &Handed, mut file: File, keeper: &dyn Keeper) -> std::io::Result<TrafficView> {
        file.seek(SeekFrom::Start(0))?;
        let mut capture = CaptureFile::of(handed.name.clone(), Some(handed.bytes), file)?;
        capture.bytes = Box::new(capture.bytes.take(self.most_bytes.saturating_mul(MOST_GROWTH)));
        let reading = Reading {
            filter: None,
            memory_bytes: self.memory_bytes,
            workers: 1,
            seed: u64::from_ne_bytes(access::random::<8>()?),
            media: MediaSettings::default(),
        };
        let traffic = engine::read(vec![capture], &reading, &mut |_| {}, None);
        if traffic.volume.frames == 0 && !traffic.gaps.is_empty() {
            let why = traffic.gaps.first().map(|gap| gap.what.clone()).unwrap_or_default();
            return Err(std::io::Error::other(format!("no frame could be read: {why}")));
        }
        Ok(keeper.grounds().judge_traffic(traffic, None, false))
    }
}
