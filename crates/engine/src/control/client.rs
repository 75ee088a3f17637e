//! Asking the service.

use std::path::{Path, PathBuf};
use std::time::Duration;

use host::local::LocalStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::line::{Lines, NoLine};
use super::{Answered, Asked, ControlError, FORM, Refusal, places};

/// How long to wait for the connection, and for a reply.
const CONNECT: Duration = Duration::from_secs(2);
const REPLY: Duration = Duration::from_secs(30);
/// The longest reply that is taken: the history of a busy port is long, and a service that never ends a line is broken.
const LONGEST: usize = 64 << 20;

/// A connection to the service.
pub struct Client {
    lines: Lines,
    path: PathBuf,
    patience: Duration,
}

impl Client {
    /// Connects to the service that has this socket.
    pub fn connect(path: &Path) -> Result<Client, ControlError> {
        let stream = LocalStream::connect(path, CONNECT)?;
        Ok(Client { lines: Lines::new(stream), path: path.to_owned(), patience: REPLY })
    }

    /// Connects to the first service that runs, where one may be ([`places`]). Where none runs, the error names the last
    /// place; where one runs and we may not ask it, that is the error.
    pub fn find() -> Result<Client, ControlError> {
        let mut last = None;
        for place in places() {
            match Client::connect(&place) {
                Err(error @ ControlError::NotRunning(_)) => last = Some(error),
                other => return other,
            }
        }
        Err(last.unwrap_or_else(|| ControlError::NotRunning(super::own_place())))
    }

    /// Waits this long for each reply.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Client {
        self.patience = patience;
        self
    }

    /// The socket that it is connected to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Asks, and waits for the reply.
    pub fn ask<Request: Serialize, Reply: DeserializeOwned>(
        &mut self,
        request: &Request,
    ) -> Result<Reply, ControlError> {
        let broken = |why: String| ControlError::Broken(why);
        let asked =
            serde_json::to_vec(&Asked { form: FORM, ask: request }).map_err(|e| broken(e.to_string()))?;
        let put = self.lines.put(asked, self.patience);
        // Where the service refused and closed, its word is still there to be read.
        let line = self.lines.next(LONGEST, self.patience).map_err(|none| match (none, &put) {
            (NoLine::Late, _) => ControlError::NoAnswer(self.path.clone()),
            (NoLine::Long, _) => broken(format!("a reply of more than {} MiB", LONGEST >> 20)),
            (NoLine::End, Ok(())) => broken("it closed the connection without a reply".into()),
            (NoLine::Broken(error), Ok(())) => broken(error.to_string()),
            (_, Err(error)) => broken(error.to_string()),
        })?;
        match serde_json::from_slice(&line) {
            Ok(Answered::Reply(reply)) => Ok(reply),
            Ok(Answered::Refused(refusal)) => Err(refusal.into()),
            // A reply of a later release may have more than we know; a refusal is the same in all.
            Err(error) => match serde_json::from_slice::<Answered<serde::de::IgnoredAny>>(&line) {
                Ok(Answered::Refused(refusal)) => Err(Refusal::into(refusal)),
                _ => Err(broken(format!("its reply is not understood: {error}"))),
            },
        }
    }
}
