//! Captures that are named on the command line: opened, once or twice, and read with a bar.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use engine::capture_file::{self, CaptureFile};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Stop;

/// The captures that were named, which can be opened more than once.
pub(in crate::command) struct Captures(Vec<Source>);

struct Source {
    path: PathBuf,
    /// Standard input and pipes, where they have to be read twice.
    spool: Option<File>,
}

impl Captures {
    pub(in crate::command) fn of(paths: &[PathBuf], twice: bool) -> Result<Captures, Stop> {
        if paths.iter().filter(|path| is_standard_input(path)).count() > 1 {
            return Err(Stop::Usage(String::from("standard input (-) can be read once only")));
        }
        let spool = |path: &PathBuf| {
            let is_file = || path.metadata().is_ok_and(|about| about.is_file() || about.is_dir());
            let spool = if twice && !is_file() { Some(spooled(path)?) } else { None };
            Ok(Source { path: path.clone(), spool })
        };
        paths.iter().map(spool).collect::<Result<_, _>>().map(Captures)
    }

    pub(in crate::command) fn open(&self) -> Result<Vec<CaptureFile>, Stop> {
        self.0.iter().map(Source::open).collect()
    }
}

impl Source {
    fn open(&self) -> Result<CaptureFile, Stop> {
        let opened = match (&self.spool, is_standard_input(&self.path)) {
            (Some(spool), is_standard_input) => spool.try_clone().and_then(|mut file| {
                io::Seek::rewind(&mut file)?;
                let stored = file.metadata()?.len();
                let name = if is_standard_input {
                    String::from("standard input")
                } else {
                    self.path.display().to_string()
                };
                CaptureFile::of(name, Some(stored), file)
            }),
            (None, true) => capture_file::standard_input(),
            (None, false) => capture_file::open(&self.path),
        };
        opened.map_err(|error| cannot_read(&self.path, &error))
    }
}

/// What can be read once only, kept in a file without a name.
fn spooled(path: &Path) -> Result<File, Stop> {
    let mut from: Box<dyn io::Read> = if is_standard_input(path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| cannot_read(path, &error))?)
    };
    let failed = |error| {
        Stop::Failed(format!("cannot keep {} in a temporary file to read it twice: {error}", path.display()))
    };
    let mut file = tempfile::tempfile().map_err(failed)?;
    io::copy(&mut from, &mut file).map_err(failed)?;
    Ok(file)
}

fn cannot_read(path: &Path, error: &io::Error) -> Stop {
    Stop::Failed(format!("cannot read {}: {error}", path.display()))
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How far we are, for a person at a terminal.
pub(in crate::command) struct Bar(ProgressBar);

impl Bar {
    pub(in crate::command) fn begin(quiet: bool, files: &[CaptureFile]) -> Bar {
        let size: Option<u64> = files.iter().map(|file| file.stored_bytes).sum();
        let bar = match size {
            // What is read in a moment needs no bar.
            _ if quiet => ProgressBar::hidden(),
            Some(size) if size < 32 << 20 => ProgressBar::hidden(),
            Some(size) => ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr_with_hz(5)),
            None => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5)),
        };
        let known = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} ETA {eta}";
        let unknown = "{spinner} {bytes} {bytes_per_sec} {msg}";
        if let Ok(style) = ProgressStyle::with_template(if size.is_some() { known } else { unknown }) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    pub(in crate::command) fn tell(&self, at: &engine::Progress) {
        if !self.0.is_hidden() {
            self.0.set_position(at.read_bytes);
            self.0.set_message(format!("{} frames", at.frames));
        }
    }

    pub(in crate::command) fn end(self) {
        self.0.finish_and_clear();
    }
}
