//! The memory that the kernel puts frames into, block by block, and whose each block is.

#![expect(unsafe_code, reason = "memory shared with the kernel has no safe interface")]

use std::ffi::c_void;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{TP_STATUS_KERNEL, TP_STATUS_USER, tpacket_req3};

use super::socket::PacketSocket;

/// Where a block says whose it is (`struct tpacket_hdr_v1`, block_status).
const STATUS_AT: usize = 8;
/// How long the kernel keeps a block that is not full, in milliseconds.
const PATIENCE_MS: u32 = 50;
/// The kernel wants a size that frames would have if all were the same; the third layout does without.
const FRAME_BYTES: u32 = 2048;
/// A block holds the longest frame, and that is at least this much.
const LEAST_BLOCK: u32 = 128 << 10;
const MOST_BLOCK: u32 = 1 << 20;
/// With fewer, the kernel has nowhere to write while we read.
const LEAST_BLOCKS: u32 = 2;

/// How a ring is cut into blocks: as near to `ring_bytes` as can be, and at least two.
pub fn shape(ring_bytes: usize, snap_bytes: u32) -> Option<tpacket_req3> {
    let wanted = u32::try_from(ring_bytes).ok()?;
    // Sixteen blocks are enough to read some while others fill; headers need their room beside the longest frame.
    let longest = snap_bytes.saturating_add(4096).min(MOST_BLOCK);
    let block = (wanted / 16).max(longest).clamp(LEAST_BLOCK, MOST_BLOCK);
    // A power of two, so that it is a multiple of any page.
    let block = block.checked_next_power_of_two().filter(|block| *block <= MOST_BLOCK).unwrap_or(MOST_BLOCK);
    let blocks = (wanted / block).max(LEAST_BLOCKS);
    Some(tpacket_req3 {
        tp_block_size: block,
        tp_block_nr: blocks,
        tp_frame_size: FRAME_BYTES,
        tp_frame_nr: (block / FRAME_BYTES).checked_mul(blocks)?,
        tp_retire_blk_tov: PATIENCE_MS,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    })
}

/// A socket's ring, mapped; and which block is next.
#[derive(Debug)]
pub struct Ring {
    start: NonNull<c_void>,
    block_bytes: usize,
    blocks: usize,
    next: usize,
}

// SAFETY: the mapping belongs to this value alone; what the kernel writes is told by each block's status.
unsafe impl Send for Ring {}

impl Ring {
    /// Maps the ring of a socket that has been given one of this shape.
    pub fn map(socket: &PacketSocket, shape: &tpacket_req3) -> io::Result<Ring> {
        let size = |number: u32| usize::try_from(number).map_err(io::Error::other);
        let (block_bytes, blocks) = (size(shape.tp_block_size)?, size(shape.tp_block_nr)?);
        let bytes = block_bytes
            .checked_mul(blocks)
            .filter(|bytes| block_bytes > STATUS_AT + 4 && isize::try_from(*bytes).is_ok())
            .ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_fd().as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start).ok_or_else(io::Error::last_os_error)?;
        Ok(Ring { start, block_bytes, blocks, next: 0 })
    }

    /// How many blocks there are.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// The next block, if the kernel is done with it. It is given back when the value ends.
    pub fn ready(&mut self) -> Option<Ready<'_>> {
        let ours = self.status().load(Ordering::Acquire) & TP_STATUS_USER != 0;
        // Made only then: a value that ends gives the block back.
        ours.then(|| Ready { ring: self })
    }

    fn block(&self) -> NonNull<u8> {
        // SAFETY: `next` is below `blocks`, so the block lies inside the mapping, whose length fits an isize.
        unsafe { self.start.cast::<u8>().add(self.next * self.block_bytes) }
    }

    fn status(&self) -> &AtomicU32 {
        // SAFETY: a block is longer than where its status ends.
        let status = unsafe { self.block().add(STATUS_AT) };
        // SAFETY: blocks begin at pages, so the word is aligned; it lives as long as the mapping, which `self` keeps; the
        // only other access of ours is through `Ready`, which borrows the ring mutably, and the kernel's is atomic.
        unsafe { AtomicU32::from_ptr(status.cast::<u32>().as_ptr()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `map` made, and nothing borrows it.
        unsafe { libc::munmap(self.start.as_ptr(), self.block_bytes * self.blocks) };
    }
}

/// A block that is ours.
#[derive(Debug)]
pub struct Ready<'r> {
    ring: &'r mut Ring,
}

impl Deref for Ready<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the block is inside the mapping; its status says that the kernel does not write to it until we give it
        // back, which is when this value ends.
        unsafe { std::slice::from_raw_parts(self.ring.block().as_ptr(), self.ring.block_bytes) }
    }
}

impl DerefMut for Ready<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`, and this value is borrowed mutably, so that there is no other slice of the block.
        unsafe { std::slice::from_raw_parts_mut(self.ring.block().as_ptr(), self.ring.block_bytes) }
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        self.ring.status().store(TP_STATUS_KERNEL, Ordering::Release);
        self.ring.next = (self.ring.next + 1) % self.ring.blocks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_cut_into_blocks_that_hold_the_longest_frame() {
        for ring_bytes in [0, 1 << 10, 1 << 18, 3 << 20, 32 << 20, 1 << 30, 0xffff_ffff] {
            for snap_bytes in [64, 1500, 65_535, 262_144, u32::MAX] {
                let shape = shape(ring_bytes, snap_bytes).unwrap();
                let (block, blocks) = (shape.tp_block_size, shape.tp_block_nr);
                assert!(
                    block.is_power_of_two() && blocks >= 2,
                    "{ring_bytes} {snap_bytes}: {blocks} of {block}"
                );
                assert!(block > snap_bytes || block == MOST_BLOCK);
                assert_eq!(shape.tp_frame_nr, block / FRAME_BYTES * blocks);
                let whole = block as usize * blocks as usize;
                assert!(whole <= ring_bytes.max(2 * block as usize));
            }
        }
        assert!(shape(1 << 33, 64).is_none());
        assert_eq!(shape(32 << 20, 262_144).unwrap().tp_block_nr, 32);
    }
}
