//! Options of datagram sockets that no library offers, behind safe functions (ip(7), udp(7), socket(7)).

#![expect(unsafe_code, reason = "neither rustix nor socket2 has these options")]

use std::ffi::c_int;
use std::io;
use std::mem::size_of;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{sockaddr_storage, socklen_t};
use rustix::net::netdevice::name_to_index;
use socket2::SockAddr;

use crate::transmit::{Refused, SocketError};

/// What any bytes are a value of, and what has no bytes that are not its own.
pub trait Plain: Copy {}
impl Plain for c_int {}
impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for [u32; 9] {}
impl Plain for libc::sock_txtime {}
impl Plain for libc::ucred {}

/// Sets an option.
pub fn set<T: Plain>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    set_any(socket, level, name, value)
}

fn set_any<T: Copy>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let length = socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: the kernel reads `length` bytes, which is the size of `value`; the descriptor is open.
    let answer =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const *value).cast(), length) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads an option.
pub fn read<T: Plain>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &mut T) -> io::Result<()> {
    let mut length = socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: the kernel writes at most `length` bytes, which is the size of `value`, and any bytes are a `T`.
    let answer = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut *value).cast(), &raw mut length)
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `struct group_req` (RFC 3678 §5.1).
#[repr(C)]
#[derive(Clone, Copy)]
struct GroupRequest {
    interface: u32,
    group: sockaddr_storage,
}

/// `struct group_source_req` (RFC 3678 §5.1).
#[repr(C)]
#[derive(Clone, Copy)]
struct SourceRequest {
    interface: u32,
    group: sockaddr_storage,
    source: sockaddr_storage,
}

const MCAST_JOIN_GROUP: c_int = 42;
const MCAST_JOIN_SOURCE_GROUP: c_int = 46;

/// Joins a group on an interface (0 for the routing table's choice), for everybody or for one source only.
pub fn join(socket: BorrowedFd<'_>, group: IpAddr, source: Option<IpAddr>, interface: u32) -> io::Result<()> {
    let storage = |address: IpAddr| SockAddr::from(std::net::SocketAddr::new(address, 0)).as_storage();
    let level = if group.is_ipv4() { libc::IPPROTO_IP } else { libc::IPPROTO_IPV6 };
    let group = convert(storage(group));
    match source {
        None => set_any(socket, level, MCAST_JOIN_GROUP, &GroupRequest { interface, group }),
        Some(source) => {
            let request = SourceRequest { interface, group, source: convert(storage(source)) };
            set_any(socket, level, MCAST_JOIN_SOURCE_GROUP, &request)
        }
    }
}

fn convert(mut storage: socket2::SockAddrStorage) -> sockaddr_storage {
    // SAFETY: it is this structure of the system under another name.
    *unsafe { storage.view_as::<sockaddr_storage>() }
}

/// From which interface packets to groups leave (IPv4).
pub fn leave_from(socket: BorrowedFd<'_>, interface: u32) -> io::Result<()> {
    let any = libc::in_addr { s_addr: 0 };
    let number = c_int::try_from(interface).map_err(io::Error::other)?;
    let request = libc::ip_mreqn { imr_multiaddr: any, imr_address: any, imr_ifindex: number };
    set_any(socket, libc::IPPROTO_IP, libc::IP_MULTICAST_IF, &request)
}

/// Makes room for what waits: as much as is asked for where we may, else as much as the system gives. Gives how much.
pub fn buffer(socket: BorrowedFd<'_>, bytes: usize, receive: bool) -> io::Result<usize> {
    let (force, ask) = if receive {
        (libc::SO_RCVBUFFORCE, libc::SO_RCVBUF)
    } else {
        (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)
    };
    // The kernel takes half of an int, and doubles it for what it needs beside the bytes.
    let wanted = c_int::try_from(bytes.min(1 << 30)).map_err(io::Error::other)?;
    if set(socket, libc::SOL_SOCKET, force, &wanted).is_err() {
        set(socket, libc::SOL_SOCKET, ask, &wanted)?;
    }
    let mut had: c_int = 0;
    read(socket, libc::SOL_SOCKET, ask, &mut had)?;
    usize::try_from(had / 2).map_err(io::Error::other)
}

/// The number of an interface, or which there are.
pub fn interface(name: Option<&str>) -> Result<u32, SocketError> {
    let Some(name) = name else { return Ok(0) };
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).refused("open a socket")?;
    name_to_index(&socket, name).map_err(|_| {
        let all = crate::interfaces().unwrap_or_default();
        SocketError::NoInterface(name.to_owned(), all.into_iter().map(|each| each.name).collect())
    })
}
