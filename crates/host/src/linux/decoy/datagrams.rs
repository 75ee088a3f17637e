//! Datagrams that were meant for any of many ports, with the address they were sent to (ip(7), IP_RECVORIGDSTADDR).

#![expect(unsafe_code, reason = "rustix does not read this item of recvmsg(2)")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{cmsghdr, iovec, msghdr, sockaddr_storage};
use wire::cursor::{array, be16, ne32};

/// What is kept of a datagram.
const ROOM_BYTES: usize = 4096;
const CONTROL_WORDS: usize = 32;
const NAME_BYTES: usize = size_of::<sockaddr_storage>();
/// `IPV6_ORIGDSTADDR`.
const ORIGINAL_V6: i32 = 74;

/// One datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    pub peer: SocketAddr,
    pub local: SocketAddr,
    pub bytes: &'a [u8],
    pub whole_bytes: usize,
}

/// Memory for one datagram.
#[derive(Debug)]
pub struct Room {
    bytes: Box<[u8]>,
    /// Words, so that they are aligned as the kernel wants it.
    control: [u64; CONTROL_WORDS],
    name: [u64; NAME_BYTES / 8],
}

impl Room {
    /// Empty.
    pub fn new() -> Room {
        Room {
            bytes: vec![0; ROOM_BYTES].into_boxed_slice(),
            control: [0; CONTROL_WORDS],
            name: [0; NAME_BYTES / 8],
        }
    }

    /// Takes the next datagram; the socket must not block, and must be asked to tell where datagrams were sent to.
    #[expect(clippy::useless_conversion, reason = "C libraries differ in the types of lengths")]
    pub fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<Datagram<'_>> {
        let mut vector = iovec { iov_base: self.bytes.as_mut_ptr().cast(), iov_len: self.bytes.len() };
        // SAFETY: a plain structure of numbers and pointers, for which zeros are a value.
        let mut message: msghdr = unsafe { zeroed() };
        message.msg_name = self.name.as_mut_ptr().cast();
        message.msg_namelen = NAME_BYTES.try_into().map_err(io::Error::other)?;
        message.msg_iov = &raw mut vector;
        message.msg_iovlen = 1;
        message.msg_control = self.control.as_mut_ptr().cast();
        message.msg_controllen = (CONTROL_WORDS * 8).try_into().map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: name, vector and control are ours, as long as the header says, and live until the call returns.
        let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_TRUNC) };
        let whole_bytes = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        let told_bytes = usize::try_from(message.msg_controllen).unwrap_or(0);
        let told: Vec<u8> = self.control.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let name: Vec<u8> = self.name.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let (peer, local) = address(&name)
            .zip(original(told.get(..told_bytes).unwrap_or_default()))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a datagram without addresses"))?;
        let bytes = self.bytes.get(..whole_bytes.min(ROOM_BYTES)).unwrap_or_default();
        Ok(Datagram { peer, local, bytes, whole_bytes })
    }
}

/// Finds where the datagram was sent to among the items that the kernel tells.
fn original(mut told: &[u8]) -> Option<SocketAddr> {
    let header = size_of::<cmsghdr>();
    loop {
        let length = usize::from_ne_bytes(array(told, 0)?);
        let level = ne32(told, size_of::<usize>())?;
        let kind = ne32(told, size_of::<usize>() + 4)?;
        let is = |wanted: (i32, i32)| (level, kind) == (wanted.0.cast_unsigned(), wanted.1.cast_unsigned());
        if is((libc::IPPROTO_IP, libc::IP_ORIGDSTADDR)) || is((libc::IPPROTO_IPV6, ORIGINAL_V6)) {
            return address(told.get(header..length)?);
        }
        if length < header {
            return None;
        }
        told = told.get(length.next_multiple_of(size_of::<usize>())..)?;
    }
}

/// The address that the kernel wrote (`struct sockaddr_in`, `struct sockaddr_in6`).
fn address(name: &[u8]) -> Option<SocketAddr> {
    let port = be16(name, 2)?;
    match array::<2>(name, 0).map(u16::from_ne_bytes).map(i32::from)? {
        libc::AF_INET => array::<4>(name, 4).map(|ip| SocketAddr::from((ip, port))),
        libc::AF_INET6 => array::<16>(name, 8).map(|ip| SocketAddr::from((ip, port))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::*;
    use crate::linux::datagram;

    #[test]
    fn where_a_datagram_was_sent_to_is_told() {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        datagram::set(socket.as_fd(), libc::IPPROTO_IP, libc::IP_RECVORIGDSTADDR, &1).unwrap();
        let port = socket.local_addr().unwrap().port();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for (bytes, to) in [(&b"short"[..], "127.0.0.1"), (&[7; 6000], "127.0.0.2"), (b"", "127.0.0.3")] {
            sender.send_to(bytes, (to, port)).unwrap();
            let mut room = Room::new();
            let datagram = room.receive(socket.as_fd()).unwrap();
            assert_eq!(datagram.local, format!("{to}:{port}").parse().unwrap());
            assert_eq!((datagram.peer, datagram.whole_bytes), (sender.local_addr().unwrap(), bytes.len()));
            assert_eq!(datagram.bytes, bytes.get(..ROOM_BYTES).unwrap_or(bytes));
        }
    }

    #[test]
    fn items_that_are_not_whole_are_no_address() {
        let mut told = Vec::new();
        told.extend_from_slice(&32_usize.to_ne_bytes());
        told.extend_from_slice(&libc::IPPROTO_IP.to_ne_bytes());
        told.extend_from_slice(&libc::IP_ORIGDSTADDR.to_ne_bytes());
        told.extend_from_slice(&2_u16.to_ne_bytes());
        told.extend_from_slice(&[1, 0xa4, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(original(&told), Some("192.0.2.1:420".parse().unwrap()));
        for end in 0..told.len() {
            assert_eq!(original(&told[..end]), None);
        }
        assert_eq!(original(&[0; 64]), None, "a length of nothing does not go on for ever");
    }
}
