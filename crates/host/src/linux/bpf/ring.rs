//! A ring of records that programs fill and we empty (Linux `Documentation/bpf/ringbuf.rst`).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::sys::{Map, Shared};

/// In a record's length: it is being written, or was given up.
const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
/// A record's head: its length, and where it lies.
const HEAD_BYTES: usize = 8;

/// The reader's side of a ring.
#[derive(Debug)]
pub(crate) struct Ring {
    fd: OwnedFd,
    /// One page with our position, which we write.
    reader: Shared,
    /// One page with the writers' position, and the data, twice in a row: no record is cut at the end.
    writer: Shared,
    page: usize,
    bytes: usize,
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Ring {
    /// The ring that is this map.
    pub(crate) fn of(map: &Map) -> io::Result<Ring> {
        let page = rustix::param::page_size();
        let bytes = map.shape().entries as usize;
        let reader = Shared::map(map, 0, page, true)?;
        let writer = Shared::map(map, page, page + 2 * bytes, false)?;
        Ok(Ring { fd: map.as_fd().try_clone_to_owned()?, reader, writer, page, bytes })
    }

    /// Hands out the records that are there, in order, and says how many.
    pub(crate) fn read(&mut self, each: &mut dyn FnMut(&[u8])) -> usize {
        let (Some(own), Some(theirs)) = (self.reader.atomic64(0), self.writer.atomic64(0)) else { return 0 };
        let mut count = 0;
        let mut position = own.load(Ordering::Relaxed);
        // What is written while we read is for the next time: writers that never rest must not keep us.
        let end = theirs.load(Ordering::Acquire);
        while position < end {
            let within = usize::try_from(position).unwrap_or(0) & (self.bytes - 1);
            let at = self.page + within;
            let Some(head) = self.writer.atomic32(at) else { break };
            let head = head.load(Ordering::Acquire);
            if head & BUSY != 0 {
                break;
            }
            let length = (head & !DISCARDED) as usize;
            #[expect(unsafe_code, reason = "the memory is shared with the kernel")]
            // SAFETY: the kernel leaves a finished record alone until our position has passed it.
            let record = unsafe { self.writer.bytes(at + HEAD_BYTES, length) };
            if let Some(record) = record.filter(|_| head & DISCARDED == 0) {
                each(record);
                count += 1;
            }
            position += (length + HEAD_BYTES).next_multiple_of(8) as u64;
            own.store(position, Ordering::Release);
        }
        count
    }

    /// Waits until a program wakes us, or there is something already, or `timeout` has passed.
    pub(crate) fn wait(&self, timeout: Duration) -> io::Result<()> {
        let timeout = rustix::event::Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        let mut descriptors = [PollFd::new(&self.fd, PollFlags::IN)];
        match rustix::event::poll(&mut descriptors, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}
