//! Several datagrams in one call, and what the kernel is told with each (sendmmsg(2), udp(7), tc-etf(8)).

#![expect(unsafe_code, reason = "rustix has no sendmmsg with segments and launch times")]

use std::io;
use std::mem::{size_of, zeroed};
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{cmsghdr, iovec, mmsghdr, msghdr};

use super::{MOST_BYTES, MOST_SEGMENTS};

/// How many messages one call takes.
pub const MOST_MESSAGES: usize = 32;
/// Bytes of what is told with a message: two items, each a header and at most eight bytes, aligned.
const CONTROL_BYTES: usize = 48;

/// What goes to the kernel as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it lies.
    pub bytes: Range<usize>,
    /// How long each packet of it is, but the last, which may be shorter.
    pub segment: usize,
    /// How many packets it is.
    pub packets: u64,
}

impl Message {
    /// One packet.
    pub fn alone(bytes: Range<usize>) -> Message {
        Message { segment: bytes.len(), bytes, packets: 1 }
    }

    /// Takes a packet in, if it lies behind and fits.
    pub fn join(&mut self, packet: &Range<usize>) -> bool {
        let packets = usize::try_from(self.packets).unwrap_or(usize::MAX);
        let full = self.bytes.len() == self.segment.saturating_mul(packets);
        let fits = packet.start == self.bytes.end
            && packet.len() <= self.segment
            && full
            && packets < MOST_SEGMENTS
            && packet.end - self.bytes.start <= MOST_BYTES;
        if fits {
            self.bytes.end = packet.end;
            self.packets += 1;
        }
        fits
    }

    /// Its packets, each by itself.
    pub fn apart(&self) -> impl Iterator<Item = Message> + use<> {
        let (bytes, step) = (self.bytes.clone(), self.segment.max(1));
        bytes.clone().step_by(step).map(move |start| Message::alone(start..(start + step).min(bytes.end)))
    }
}

/// Memory for what is told with one message, aligned as the kernel wants it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_BYTES]);

impl Control {
    /// Writes an item at `at`; gives where the next one begins.
    fn put(&mut self, at: usize, level: i32, kind: i32, value: &[u8]) -> usize {
        let header = size_of::<cmsghdr>();
        let length = header + value.len();
        // Built by hand as the macros do (cmsg(3)): the length in a word, then level, kind, value.
        let item = length.to_ne_bytes().into_iter().chain(level.to_ne_bytes()).chain(kind.to_ne_bytes());
        let room = self.0.get_mut(at..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(item.chain(value.iter().copied())) {
            *to = from;
        }
        at + length.next_multiple_of(size_of::<usize>())
    }
}

/// Sends as many of the messages as the kernel takes; their places must lie in `bytes`. `launch` is a time on the clock that
/// the socket was set to.
#[expect(clippy::useless_conversion, reason = "C libraries differ in the types of lengths")]
pub fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    messages: &[Message],
    launch: Option<u64>,
) -> io::Result<usize> {
    // SAFETY: these are plain structures of numbers and pointers, for which zeros are a value.
    let (mut vectors, mut headers): ([iovec; MOST_MESSAGES], [mmsghdr; MOST_MESSAGES]) = unsafe { zeroed() };
    let mut controls = [Control([0; CONTROL_BYTES]); MOST_MESSAGES];
    let mut count: u32 = 0;
    let rooms = vectors.iter_mut().zip(headers.iter_mut()).zip(controls.iter_mut());
    for (((vector, header), control), message) in rooms.zip(messages) {
        let Some(part) = bytes.get(message.bytes.clone()) else { break };
        // The kernel only reads, though the type says otherwise.
        *vector = iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() };
        let mut told = 0;
        if message.packets > 1 {
            let segment = u16::try_from(message.segment).unwrap_or(u16::MAX);
            told = control.put(told, libc::SOL_UDP, libc::UDP_SEGMENT, &segment.to_ne_bytes());
        }
        if let Some(launch) = launch {
            told = control.put(told, libc::SOL_SOCKET, libc::SCM_TXTIME, &launch.to_ne_bytes());
        }
        let whole: &mut msghdr = &mut header.msg_hdr;
        whole.msg_iov = vector;
        whole.msg_iovlen = 1;
        if told > 0 {
            whole.msg_control = control.0.as_mut_ptr().cast();
            // A C library gives it another type than the next one.
            whole.msg_controllen = told.try_into().map_err(|_| io::ErrorKind::InvalidInput)?;
        }
        count += 1;
    }
    // SAFETY: the first `count` headers point to vectors and controls that live until the call returns, and those to bytes
    // that `bytes` keeps; the kernel writes only the length of each message into its header.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, 0) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// How many packets the interface's queue dropped because their time had passed; reads what it said, to the end.
#[expect(clippy::useless_conversion, reason = "C libraries differ in the types of lengths")]
pub fn missed(socket: BorrowedFd<'_>) -> u64 {
    let mut count = 0;
    // No more than a socket can hold, so that this ends whatever the kernel says.
    for _ in 0..4096 {
        let mut room = [0_u8; 256];
        // SAFETY: a plain structure of numbers and pointers, for which zeros are a value.
        let mut header: msghdr = unsafe { zeroed() };
        header.msg_control = room.as_mut_ptr().cast();
        header.msg_controllen = room.len().try_into().unwrap_or_default();
        // SAFETY: the kernel writes at most the given length into `room`, which lives until the call returns.
        let answer = unsafe {
            libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT)
        };
        if answer < 0 {
            break;
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_join_until_a_shorter_one_or_the_limit() {
        let mut message = Message::alone(0..100);
        assert!(!message.join(&(200..300)), "not behind");
        assert!(!message.join(&(100..201)), "longer");
        assert!(message.join(&(100..200)) && message.join(&(200..250)));
        assert!(!message.join(&(250..300)), "behind a shorter one");
        let apart: Vec<_> = message.apart().map(|one| one.bytes).collect();
        assert_eq!(apart, [0..100, 100..200, 200..250]);
        let mut many = Message::alone(0..10);
        let joined = (1..100).take_while(|at| many.join(&(at * 10..at * 10 + 10))).count();
        assert_eq!((joined, many.packets), (63, 64));
        let mut large = Message::alone(0..8000);
        assert_eq!((1..100).take_while(|at| large.join(&(at * 8000..at * 8000 + 8000))).count(), 7);
    }

    #[test]
    fn an_item_is_laid_out_as_the_kernel_reads_it() {
        let mut control = Control([0xee; CONTROL_BYTES]);
        let next = control.put(0, 17, 103, &1200_u16.to_ne_bytes());
        let end = control.put(next, 1, 61, &7_u64.to_ne_bytes());
        assert_eq!((next, end), (24, 48));
        assert_eq!(control.0[..8], 18_usize.to_ne_bytes());
        assert_eq!(control.0[8..12], 17_i32.to_ne_bytes());
        assert_eq!(control.0[16..18], 1200_u16.to_ne_bytes());
        assert_eq!(control.0[24..32], 24_usize.to_ne_bytes());
        assert_eq!(control.0[40..48], 7_u64.to_ne_bytes());
    }
}
