//! `--write`: where the packets behind the findings go.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use engine::TrafficView;
use engine::capture_file::CaptureFile;

use super::Stop;
use crate::output;

/// A place that was found to be writable. Nothing stands there before everything is written.
pub(super) struct Place {
    /// As it was typed.
    named: PathBuf,
    /// With links followed.
    path: PathBuf,
    /// A device or a pipe is written to; a file is replaced by a new one.
    is_special: bool,
}

impl Place {
    /// Tries the place, so that nobody waits for a long reading that cannot be written.
    pub(super) fn find(named: &Path, inputs: &[PathBuf]) -> Result<Place, Stop> {
        if named.as_os_str() == "-" {
            return Err(Stop::Usage(String::from(
                "--write needs a file: standard output has the result (/dev/fd/3 is a file, too)",
            )));
        }
        let failed = |error| failed(named, &error);
        let path = fs::canonicalize(named).unwrap_or_else(|_| named.to_path_buf());
        if inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == path)) {
            let named = named.display();
            return Err(Stop::Usage(format!("--write would replace {named}, which is read")));
        }
        let standing = fs::metadata(&path).ok();
        if standing.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(Stop::Failed(format!("cannot write {}: it is a folder", named.display())));
        }
        let is_special = standing.is_some_and(|about| !about.is_file());
        if !is_special {
            // It has no name, and is gone at once.
            tempfile::tempfile_in(folder(&path)).map_err(failed)?;
        }
        Ok(Place { named: named.to_path_buf(), path, is_special })
    }

    /// Writes the packets behind the findings, and says how many there are.
    pub(super) fn fill(&self, view: &TrafficView, captures: Vec<CaptureFile>) -> Result<(), Stop> {
        let packets =
            if self.is_special { self.fill_special(view, captures) } else { self.fill_file(view, captures) };
        let packets = packets.map_err(|error| failed(&self.named, &error))?;
        let word = if packets == 1 { "packet" } else { "packets" };
        output::complain(&format!("{packets} {word} written to {}", self.named.display()));
        Ok(())
    }

    fn fill_special(&self, view: &TrafficView, captures: Vec<CaptureFile>) -> io::Result<u64> {
        let mut out = io::BufWriter::new(File::options().write(true).open(&self.path)?);
        let packets = engine::evidence::write(view, captures, &mut out)?;
        out.flush()?;
        Ok(packets)
    }

    fn fill_file(&self, view: &TrafficView, captures: Vec<CaptureFile>) -> io::Result<u64> {
        let mut file = tempfile::NamedTempFile::new_in(folder(&self.path))?;
        let mut out = io::BufWriter::new(file.as_file_mut());
        let packets = engine::evidence::write(view, captures, &mut out)?;
        out.flush()?;
        drop(out);
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(packets)
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(named: &Path, error: &io::Error) -> Stop {
    // What is around the system's own words names a file that nobody asked for.
    let inner = error.get_ref().and_then(|error| error.source()).map(ToString::to_string);
    Stop::Failed(format!("cannot write {}: {}", named.display(), inner.unwrap_or_else(|| error.to_string())))
}
