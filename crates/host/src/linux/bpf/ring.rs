//! A ring of records that programs fill and we empty (Linux `Documentation/bpf/ringbuf.rst`).

#![expect(unsafe_code, reason = "the memory is shared with the kernel")]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::sys::{Map, Shared};

/// In a record's length: it is being written, or was given up.
const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
/// A record's head: its length, and where it lies.
const HEAD_BYTES: usize = 8;

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

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

impl Ring {
    /// The ring that is this map.
    pub(crate) fn of(map: &Map) -> io::Result<Ring> {
        let page = rustix::param::page_size();
        let bytes = map.shape().entries as usize;
        let reader = Shared::map(map, 0, page, true)?;
        let writer = Shared::map(map, page, page + 2 * bytes, false)?;
        Ok(Ring { fd: map.as_fd().try_clone_to_owned()?, reader, writer, page, bytes })
    }

    /// Hands out the records that are there, in order; gives how many bytes they took.
    pub(crate) fn read(&mut self, each: &mut dyn FnMut(&[u8])) -> usize {
        // SAFETY: both positions are aligned, inside their pages, and changed by the kernel only as atomics.
        let (own, theirs) = unsafe {
            (
                self.reader.start().cast::<AtomicU64>().as_ref(),
                self.writer.start().cast::<AtomicU64>().as_ref(),
            )
        };
        let mut position = own.load(Ordering::Relaxed);
        let began = position;
        // What is written while we read is for the next time: writers that never rest must not keep us.
        let end = theirs.load(Ordering::Acquire);
        while position < end {
            let at = self.page + (usize::try_from(position).unwrap_or(0) & (self.bytes - 1));
            // SAFETY: a record begins at a multiple of 8 inside the data, which lies behind the first page.
            let head = unsafe { self.writer.start().byte_add(at).cast::<AtomicU32>().as_ref() };
            let head = head.load(Ordering::Acquire);
            if head & BUSY != 0 {
                break;
            }
            let length = (head & !DISCARDED) as usize;
            if head & DISCARDED == 0 && at + HEAD_BYTES + length <= self.page + 2 * self.bytes {
                // SAFETY: inside the mapping, as just checked; the kernel leaves a finished record alone until our
                // position has passed it, and it is borrowed no longer than the call.
                each(unsafe {
                    std::slice::from_raw_parts(self.writer.start().as_ptr().byte_add(at + HEAD_BYTES), length)
                });
            }
            position += (length + HEAD_BYTES).next_multiple_of(8) as u64;
            own.store(position, Ordering::Release);
        }
        usize::try_from(position - began).unwrap_or(usize::MAX)
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
