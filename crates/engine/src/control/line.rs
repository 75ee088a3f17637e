//! Lines of JSON over a connection: none longer than its limit, none slower than its end.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use host::local::LocalStream;

/// What is read at once.
const CHUNK: usize = 16 << 10;

/// Why there is no line.
#[derive(Debug)]
pub(super) enum NoLine {
    /// The other side has ended, between two lines.
    End,
    /// It is longer than it may be.
    Long,
    /// It was not whole in time.
    Late,
    /// The connection broke, or ended within a line.
    Broken(io::Error),
}

/// A connection, and what of it is read and not yet used.
pub(super) struct Lines {
    stream: LocalStream,
    rest: Vec<u8>,
}

impl Lines {
    pub(super) fn new(stream: LocalStream) -> Lines {
        Lines { stream, rest: Vec::new() }
    }

    /// The next line, without its end: of at most `limit` bytes, and whole within `patience`, however slowly it comes.
    pub(super) fn next(&mut self, limit: usize, patience: Duration) -> Result<Vec<u8>, NoLine> {
        let end = Instant::now() + patience;
        let mut searched = 0;
        loop {
            let found = self.rest.get(searched..).and_then(|new| new.iter().position(|byte| *byte == b'\n'));
            if let Some(at) = found.map(|at| searched + at) {
                if at > limit {
                    return Err(NoLine::Long);
                }
                let mut line = self.rest.split_off(at);
                std::mem::swap(&mut line, &mut self.rest);
                // What follows the line begins with its end.
                self.rest.drain(..1);
                return Ok(line);
            }
            searched = self.rest.len();
            if searched > limit {
                return Err(NoLine::Long);
            }
            self.more(end)?;
        }
    }

    fn more(&mut self, end: Instant) -> Result<(), NoLine> {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NoLine::Late);
        }
        self.stream.wait_at_most(left).map_err(NoLine::Broken)?;
        let mut chunk = [0; CHUNK];
        match self.stream.read(&mut chunk) {
            Ok(0) if self.rest.is_empty() => Err(NoLine::End),
            Ok(0) => Err(NoLine::Broken(ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                self.rest.extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(NoLine::Late)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset && self.rest.is_empty() => {
                Err(NoLine::End)
            }
            Err(error) => Err(NoLine::Broken(error)),
        }
    }

    /// Writes a line whole, within `patience`, however slowly it is taken.
    pub(super) fn put(&mut self, mut line: Vec<u8>, patience: Duration) -> io::Result<()> {
        line.push(b'\n');
        let end = Instant::now() + patience;
        let mut left = line.as_slice();
        while !left.is_empty() {
            let time = end.saturating_duration_since(Instant::now());
            if time.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.wait_at_most(time)?;
            match self.stream.write(left) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => left = left.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
