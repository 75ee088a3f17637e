//! What the kernel tells of sockets as it happens.

use std::io;
use std::time::Duration;

use model::SocketEvent;

use crate::events::table::Table;
use crate::events::{EventRequest, EventSource};

/// The kernel's events.
#[derive(Debug)]
pub enum Kernel {}

impl Kernel {
    /// Asks the kernel; tells what works, and whether that is everything.
    pub(crate) fn open(_: &EventRequest) -> (Vec<EventSource>, Option<Kernel>, bool) {
        (Vec::new(), None, false)
    }

    pub(crate) fn read(&mut self, _: &mut Table, _: &mut dyn FnMut(SocketEvent)) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn pause(&mut self, _: Duration) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn lost(&self) -> u64 {
        match *self {}
    }
}
