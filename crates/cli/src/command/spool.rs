//! What a live capture keeps of itself until it ends, so that the packets behind its findings can be written.

use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;

use engine::capture_file::CaptureFile;
use engine::evidence::EvidenceFile;
use engine::{FrameKeeper, TrafficView};

use super::Stop;
use super::evidence::Place;
use crate::output;

/// No more than this is kept; findings later than that have no packets.
const MOST_BYTES: u64 = 2 << 30;

/// Frames in a temporary file that has no name.
pub(super) struct Spool {
    place: Place,
    file: EvidenceFile<File>,
    bytes: u64,
    left_out: u64,
    failed: Option<io::Error>,
}

impl Spool {
    pub(super) fn begin(path: &Path) -> Result<Spool, Stop> {
        let place = Place::find(path, &[])?;
        let file = tempfile::tempfile()
            .map_err(|error| Stop::Failed(format!("cannot keep packets in a temporary file: {error}")))?;
        Ok(Spool { place, file: EvidenceFile::new(file), bytes: 0, left_out: 0, failed: None })
    }

    pub(super) fn end(self, view: &TrafficView) -> Result<(), Stop> {
        let failed =
            |error: io::Error| Stop::Failed(format!("cannot keep packets in a temporary file: {error}"));
        if let Some(error) = self.failed {
            return Err(failed(error));
        }
        let mut file = self.file.finish().map_err(failed)?;
        file.rewind().map_err(failed)?;
        let spooled = CaptureFile::of(String::from("what was captured"), None, file).map_err(failed)?;
        // What did not pass the filter was not kept.
        self.place.fill(view, vec![spooled], None)?;
        if self.left_out > 0 {
            output::complain(&format!("{} packets came later than what could be kept", self.left_out));
        }
        Ok(())
    }
}

impl FrameKeeper for Spool {
    fn keep(&mut self, frame: &wire::Frame<'_>) {
        if self.failed.is_some() || self.bytes >= MOST_BYTES {
            self.left_out += 1;
            return;
        }
        self.bytes += frame.bytes.len() as u64 + 32;
        if let Err(error) = self.file.write(frame, None) {
            self.failed = Some(error);
        }
    }
}
