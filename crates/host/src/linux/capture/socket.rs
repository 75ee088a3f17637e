//! A packet socket and its options (packet(7)), behind safe functions.

#![expect(unsafe_code, reason = "rustix has no packet sockets")]

use std::ffi::c_int;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use libc::{packet_mreq, sock_filter, sock_fprog, sockaddr_ll, socklen_t, tpacket_req3, tpacket_stats_v3};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, sockopt};

/// Which of several sockets gets a frame: by a hash that is the same for both directions of a flow.
const FANOUT_HASH: u32 = libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_UNIQUEID;
/// The third layout of the ring.
const TPACKET_V3: c_int = 2;

/// A packet socket that gets whole frames.
#[derive(Debug)]
pub struct PacketSocket {
    fd: OwnedFd,
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl PacketSocket {
    /// Opens one, which gets nothing until it is bound.
    pub fn open() -> Result<PacketSocket, Errno> {
        let fd = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        Ok(PacketSocket { fd })
    }

    fn set<T: Copy>(&self, level: c_int, name: c_int, value: &T) -> io::Result<()> {
        let length = socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
        // SAFETY: the kernel reads `length` bytes, which is the size of `value`; the descriptor is open.
        let answer =
            unsafe { libc::setsockopt(self.fd.as_raw_fd(), level, name, (&raw const *value).cast(), length) };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Replaces the program that decides which frames are for this socket.
    pub fn filter(&self, program: &[sock_filter]) -> io::Result<()> {
        let length = u16::try_from(program.len()).map_err(io::Error::other)?;
        // The kernel only reads, though the type says otherwise; it copies the program before the call returns.
        let program = sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
    }

    /// Has the kernel say before each frame how it is to be cut (`struct virtio_net_hdr`); only before there is a ring.
    pub fn say_what_is_coalesced(&self) -> io::Result<()> {
        self.set(libc::SOL_PACKET, libc::PACKET_VNET_HDR, &1_i32)
    }

    /// Makes the memory that frames are put into.
    pub fn ring(&self, shape: &tpacket_req3) -> io::Result<()> {
        self.set(libc::SOL_PACKET, libc::PACKET_VERSION, &TPACKET_V3)?;
        self.set(libc::SOL_PACKET, libc::PACKET_RX_RING, shape)
    }

    /// Begins to receive, from one interface or from all.
    pub fn bind(&self, interface: Option<u32>) -> io::Result<()> {
        let interface = c_int::try_from(interface.unwrap_or(0)).map_err(io::Error::other)?;
        let address = sockaddr_ll {
            sll_family: u16::try_from(libc::AF_PACKET).map_err(io::Error::other)?,
            sll_protocol: u16::try_from(libc::ETH_P_ALL).map_err(io::Error::other)?.to_be(),
            sll_ifindex: interface,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let length = socklen_t::try_from(size_of::<sockaddr_ll>()).map_err(io::Error::other)?;
        // SAFETY: the kernel reads `length` bytes, which is the size of `address`; the descriptor is open.
        let answer = unsafe { libc::bind(self.fd.as_raw_fd(), (&raw const address).cast(), length) };
        if answer == 0 { self.fault() } else { Err(io::Error::last_os_error()) }
    }

    /// Has an interface take in what is not for it, as long as this socket is open.
    pub fn promiscuous(&self, interface: u32) -> io::Result<()> {
        let request = packet_mreq {
            mr_ifindex: c_int::try_from(interface).map_err(io::Error::other)?,
            mr_type: u16::try_from(libc::PACKET_MR_PROMISC).map_err(io::Error::other)?,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
    }

    /// Begins a group of sockets that share frames; gives its number.
    pub fn found_group(&self) -> io::Result<u32> {
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &(FANOUT_HASH << 16))?;
        // Number below, kind above.
        let mut group = 0_u32;
        self.read(libc::PACKET_FANOUT, &mut group)?;
        Ok(group & 0xffff)
    }

    /// Joins such a group.
    pub fn join_group(&self, group: u32) -> io::Result<()> {
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &(libc::PACKET_FANOUT_HASH << 16 | group))
    }

    /// What the kernel counted since it was asked last.
    pub fn counts(&self) -> io::Result<tpacket_stats_v3> {
        let mut counts = tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        self.read(libc::PACKET_STATISTICS, &mut counts)?;
        Ok(counts)
    }

    /// Reads an option; `T` must be plain numbers, for which any bytes are a value.
    fn read<T: Plain>(&self, name: c_int, value: &mut T) -> io::Result<()> {
        let mut length = socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
        // SAFETY: the kernel writes at most `length` bytes, which is the size of `value`, and any bytes are a `T`.
        let answer = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_PACKET,
                name,
                (&raw mut *value).cast(),
                &raw mut length,
            )
        };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// What befell the socket since it was asked last: its interface went down or away.
    pub fn fault(&self) -> io::Result<()> {
        sockopt::socket_error(&self.fd)?.map_err(io::Error::from)
    }
}

/// What any bytes are a value of.
trait Plain: Copy {}
impl Plain for u32 {}
impl Plain for tpacket_stats_v3 {}
