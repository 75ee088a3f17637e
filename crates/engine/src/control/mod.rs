//! How commands ask the service that runs: one request and one reply, each a line of JSON, over a socket with a path.
//!
//! What may be asked is the service's; here is how: bounded lines, bounded connections, and for every refusal its cause.

mod client;
mod line;
mod server;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use host::local::LocalError;
use serde::{Deserialize, Serialize};

pub use client::Client;
pub use host::local::{Access, Peer};
pub use server::{ControlCounts, Server};

/// The form of the lines. A service and a command of different releases meet when one was replaced and the other runs on.
const FORM: u32 = 1;
/// The name of the socket in its folder.
const NAME: &str = "control.sock";

/// Where a service that we start has its socket.
pub fn own_place() -> PathBuf {
    host::local::runtime_folder().join(NAME)
}

/// Where the sockets of running services may be, the likeliest first.
pub fn places() -> Vec<PathBuf> {
    host::local::runtime_folders().into_iter().map(|folder| folder.join(NAME)).collect()
}

/// Why the service does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", content = "says", rename_all = "snake_case")]
pub enum Refusal {
    /// Whoever asks may not have this, and who may.
    NotAllowed(String),
    /// It could not be done, and why.
    Failed(String),
    /// It was not understood: no JSON, no known request, or too long a line.
    NotUnderstood(String),
    /// Too many ask at once.
    Busy,
    /// The service speaks another form of this than the command.
    Form(u32),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotAllowed(why) => write!(f, "not allowed: {why}"),
            Refusal::Failed(why) => f.write_str(why),
            Refusal::NotUnderstood(why) => write!(f, "the service did not understand: {why}"),
            Refusal::Busy => f.write_str("the service has too many questions at once; ask again"),
            Refusal::Form(form) => write!(
                f,
                "the service speaks form {form} and this command form {FORM}: restart the service after an upgrade"
            ),
        }
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub enum ControlError {
    /// No service runs.
    NotRunning(PathBuf),
    /// We may not ask it, or may not have what we asked for.
    NotAllowed(String),
    /// It is there and does not answer in time.
    NoAnswer(PathBuf),
    /// It answered that it will not.
    Refused(Refusal),
    /// Something else went wrong on the way.
    Broken(String),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::NotRunning(path) => {
                write!(
                    f,
                    "no service runs: nobody listens at {} (portreeve serve starts one)",
                    path.display()
                )
            }
            ControlError::NotAllowed(why) => f.write_str(why),
            ControlError::NoAnswer(path) => write!(f, "the service at {} does not answer", path.display()),
            ControlError::Refused(refusal) => refusal.fmt(f),
            ControlError::Broken(why) => write!(f, "the service cannot be asked: {why}"),
        }
    }
}

impl std::error::Error for ControlError {}

impl From<LocalError> for ControlError {
    fn from(error: LocalError) -> ControlError {
        match error {
            LocalError::NotRunning(path) => ControlError::NotRunning(path),
            LocalError::NotAllowed(_) => ControlError::NotAllowed(error.to_string()),
            LocalError::NoAnswer(path) => ControlError::NoAnswer(path),
            other => ControlError::Broken(other.to_string()),
        }
    }
}

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> ControlError {
        match refusal {
            Refusal::NotAllowed(_) => ControlError::NotAllowed(refusal.to_string()),
            other => ControlError::Refused(other),
        }
    }
}

/// What is asked, on the wire. The version of the form stands first, so that a stranger's can be told.
#[derive(Serialize, Deserialize)]
struct Asked<T> {
    form: u32,
    ask: T,
}

/// What is answered.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answered<T> {
    Reply(T),
    Refused(Refusal),
}
