//! Where a service has no socket with a path: nothing can be opened, so nothing can be done with it.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::{Access, LocalError, Peer};

/// There is none of these.
#[derive(Debug)]
pub enum LocalListener {}

impl LocalListener {
    /// Says that there is no such thing here.
    pub fn begin(_: &Path, _: Access) -> Result<LocalListener, LocalError> {
        Err(LocalError::NotSupported)
    }

    /// The next that connects.
    pub fn accept(&self) -> io::Result<Option<LocalStream>> {
        match *self {}
    }

    /// Ends the waiting.
    pub fn end(&self) {
        match *self {}
    }
}

/// There is none of these.
#[derive(Debug)]
pub enum LocalStream {}

impl LocalStream {
    /// Says that there is no such thing here.
    pub fn connect(_: &Path, _: Duration) -> Result<LocalStream, LocalError> {
        Err(LocalError::NotSupported)
    }

    /// Who is at the other end.
    pub fn peer(&self) -> io::Result<Peer> {
        match *self {}
    }

    /// How long one reading or writing may last.
    pub fn wait_at_most(&self, _: Duration) -> io::Result<()> {
        match *self {}
    }

    /// The same connection once more.
    pub fn again(&self) -> io::Result<LocalStream> {
        match *self {}
    }

    /// Ends the connection for whoever has it.
    pub fn shut(&self) {
        match *self {}
    }
}

impl Read for LocalStream {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl Write for LocalStream {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}
