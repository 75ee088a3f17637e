//! How bytes leave the machine, or this program: syslog, the journal, files, and other programs. What they say is not known here.
//!
//! Each way is used from one thread, and none of its calls takes longer than its limits say.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

mod append;
mod journal;
mod process;
mod syslog;

pub use append::Append;
pub use journal::Journal;
pub use process::{Ended, Run, run};
pub use syslog::{Route, Syslog};

use crate::client::Error;

/// Whether it is of use to try the same once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Later; not before this time is over, where the other side said so.
    Later(Option<Duration>),
    /// The same would fail again.
    Never,
}

/// Why something did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In words, with what helps.
    pub why: String,
    /// Whether to try again.
    pub again: Again,
}

impl Failure {
    /// It may work later.
    pub fn later(why: impl Into<String>) -> Failure {
        Failure { why: why.into(), again: Again::Later(None) }
    }

    /// It will not work.
    pub fn never(why: impl Into<String>) -> Failure {
        Failure { why: why.into(), again: Again::Never }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::NotSupported(_) | Error::Address(_) => Failure::never(error.to_string()),
            error => Failure::later(error.to_string()),
        }
    }
}

/// A secret is short.
const MOST_SECRET: u64 = 4096;

/// What stands in a file of secrets, without the end of its line. The file must be closed to others.
pub fn secret(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let file = append::open_to_read(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let about = file.metadata().map_err(|error| format!("cannot read {shown}: {error}"))?;
    if !about.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    if let Some(why) = append::too_open(&about) {
        return Err(format!("{shown} {why}; chmod 600 {shown}"));
    }
    let mut bytes = Vec::new();
    file.take(MOST_SECRET + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read {shown}: {error}"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MOST_SECRET {
        return Err(format!("{shown} is longer than a secret ({MOST_SECRET} bytes)"));
    }
    while bytes.last().is_some_and(|last| b"\r\n".contains(last)) {
        bytes.pop();
    }
    if bytes.is_empty() { Err(format!("{shown} is empty")) } else { Ok(bytes) }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
