//! Several datagrams in one call, and what the kernel tells with each (recvmmsg(2), cmsg(3)).

#![expect(unsafe_code, reason = "rustix has no recvmmsg")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{cmsghdr, iovec, mmsghdr, sockaddr_storage, timespec};
use model::Timestamp;
use wire::cursor::{array, be16, ne32};

use crate::receive::{Received, StampSource};

/// How many messages one call takes.
const MOST_MESSAGES: usize = 64;
/// Room for one datagram: beyond the extended limit of ST 2110-10 (8,960 octets).
const ROOM_BYTES: usize = 9216;
/// Room for what is told with it: a header and three times (64 bytes), and then some.
const CONTROL_BYTES: usize = 128;
const NAME_BYTES: usize = size_of::<sockaddr_storage>();

/// Memory for one batch.
#[derive(Debug)]
pub struct Rooms {
    bytes: Vec<u8>,
    /// Words, so that they are aligned as the kernel wants it.
    controls: Vec<[u64; CONTROL_BYTES / 8]>,
    names: Vec<[u64; NAME_BYTES / 8]>,
}

impl Rooms {
    /// Empty.
    pub fn new() -> Rooms {
        Rooms {
            bytes: vec![0; MOST_MESSAGES * ROOM_BYTES],
            controls: vec![[0; CONTROL_BYTES / 8]; MOST_MESSAGES],
            names: vec![[0; NAME_BYTES / 8]; MOST_MESSAGES],
        }
    }

    /// Takes what is there, and hands it out.
    #[expect(clippy::useless_conversion, reason = "C libraries differ in the types of lengths")]
    pub fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        each: &mut dyn FnMut(Received<'_>),
    ) -> io::Result<usize> {
        // SAFETY: these are plain structures of numbers and pointers, for which zeros are a value.
        let (mut vectors, mut headers): ([iovec; MOST_MESSAGES], [mmsghdr; MOST_MESSAGES]) =
            unsafe { zeroed() };
        let rooms = self.bytes.chunks_exact_mut(ROOM_BYTES).zip(&mut self.controls).zip(&mut self.names);
        for ((vector, header), ((room, control), name)) in vectors.iter_mut().zip(&mut headers).zip(rooms) {
            *vector = iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            let whole = &mut header.msg_hdr;
            whole.msg_iov = vector;
            whole.msg_iovlen = 1;
            whole.msg_name = name.as_mut_ptr().cast();
            whole.msg_namelen = NAME_BYTES.try_into().map_err(io::Error::other)?;
            whole.msg_control = control.as_mut_ptr().cast();
            whole.msg_controllen = CONTROL_BYTES.try_into().map_err(|_| io::ErrorKind::InvalidInput)?;
        }
        let most = u32::try_from(MOST_MESSAGES).map_err(io::Error::other)?;
        // SAFETY: every header points to a vector, a name and a control of the lengths it says, each its own, which live
        // until the call returns; the vectors point to rooms that do not overlap. The socket does not block.
        let count = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), most, 0, std::ptr::null_mut())
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        // Asked at most once for a batch, where the kernel did not say.
        let mut read_at = None;
        let rooms = self.bytes.chunks_exact(ROOM_BYTES).zip(&self.controls).zip(&self.names);
        for (header, ((room, control), name)) in headers.iter().zip(rooms).take(count) {
            let length = usize::try_from(header.msg_len).unwrap_or(ROOM_BYTES).min(ROOM_BYTES);
            let told: [u8; CONTROL_BYTES] = flat(control);
            let told_bytes = usize::try_from(header.msg_hdr.msg_controllen).unwrap_or(0);
            let times = times(told.get(..told_bytes).unwrap_or_default());
            let (time, stamp) = match times.map(|times| times.kernel_ns) {
                Some(ns) if ns > 0 => (Timestamp::from_ns(ns), StampSource::Kernel),
                _ => (*read_at.get_or_insert_with(crate::now), StampSource::Program),
            };
            each(Received {
                bytes: room.get(..length).unwrap_or_default(),
                from: address(&flat::<{ NAME_BYTES / 8 }, NAME_BYTES>(name)),
                time,
                stamp,
                interface_ns: times.map(|times| times.interface_ns).filter(|ns| *ns > 0),
                truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            });
        }
        Ok(count)
    }
}

/// The bytes of words, as they lie in memory.
fn flat<const WORDS: usize, const BYTES: usize>(words: &[u64; WORDS]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// When a packet came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    kernel_ns: i64,
    interface_ns: i64,
}

/// Finds the times among the items that the kernel tells.
fn times(mut told: &[u8]) -> Option<Times> {
    let header = size_of::<cmsghdr>();
    loop {
        let length = usize::from_ne_bytes(array(told, 0)?);
        let level = ne32(told, size_of::<usize>())?;
        let kind = ne32(told, size_of::<usize>() + 4)?;
        let wanted = (u32::try_from(libc::SOL_SOCKET).ok()?, u32::try_from(libc::SCM_TIMESTAMPING).ok()?);
        if (level, kind) == wanted {
            // Three times: the kernel's, one that is no longer used, the interface's.
            let step = size_of::<timespec>();
            return Some(Times {
                kernel_ns: time(told, header)?,
                interface_ns: time(told, header + 2 * step)?,
            });
        }
        if length < header {
            return None;
        }
        told = told.get(length.next_multiple_of(size_of::<usize>())..)?;
    }
}

/// A time of two words.
fn time(bytes: &[u8], at: usize) -> Option<i64> {
    let word = |at| Some(i64::try_from(isize::from_ne_bytes(array(bytes, at)?)).unwrap_or(0));
    Some(word(at)?.saturating_mul(1_000_000_000).saturating_add(word(at + size_of::<isize>())?))
}

/// The address that the kernel wrote (`struct sockaddr_in`, `struct sockaddr_in6`).
fn address(name: &[u8]) -> SocketAddr {
    let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
    let Some(port) = be16(name, 2) else { return nobody };
    let family = array::<2>(name, 0).map(u16::from_ne_bytes).map(i32::from);
    match family {
        Some(libc::AF_INET) => array::<4>(name, 4).map_or(nobody, |ip| SocketAddr::from((ip, port))),
        Some(libc::AF_INET6) => array::<16>(name, 8).map_or(nobody, |ip| SocketAddr::from((ip, port))),
        _ => nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_that_are_not_whole_are_no_times() {
        let mut told = Vec::new();
        told.extend_from_slice(&20_usize.to_ne_bytes());
        told.extend_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
        told.extend_from_slice(&40_i32.to_ne_bytes());
        told.extend_from_slice(&[0; 8]);
        told.extend_from_slice(&64_usize.to_ne_bytes());
        told.extend_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
        told.extend_from_slice(&libc::SCM_TIMESTAMPING.to_ne_bytes());
        for word in [1_i64, 5, 0, 0, 2, 7] {
            told.extend_from_slice(&word.to_ne_bytes());
        }
        let whole = Times { kernel_ns: 1_000_000_005, interface_ns: 2_000_000_007 };
        assert_eq!(times(&told), Some(whole));
        for end in 0..told.len() {
            assert_eq!(times(&told[..end]), None);
        }
        assert_eq!(times(&[0; 64]), None, "a length of nothing does not go on for ever");
    }

    #[test]
    fn addresses_are_read() {
        let mut name = vec![0; NAME_BYTES];
        name[..2].copy_from_slice(&2_u16.to_ne_bytes());
        name[2..8].copy_from_slice(&[0x13, 0x8c, 192, 0, 2, 1]);
        assert_eq!(address(&name), "192.0.2.1:5004".parse().unwrap());
        name[..2].copy_from_slice(&10_u16.to_ne_bytes());
        name[8..24].copy_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(address(&name), "[2001:db8::1]:5004".parse().unwrap());
        assert_eq!(address(&[]), "0.0.0.0:0".parse().unwrap());
    }
}
