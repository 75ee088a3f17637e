//! Whole frames of our own to a group of IPv4: past the kernel's protocols and queues, a packet costs a third less (packet(7)).

#![expect(unsafe_code, reason = "neither rustix nor socket2 has addresses of links")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::SocketAddrV4;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};

use libc::{iovec, mmsghdr, sockaddr_ll, socklen_t};
use socket2::{Domain, Socket, Type};
use wire::checksum;

use super::messages::Message;
use crate::linux::datagram;
use crate::transmit::TransmitRequest;

/// How many frames one call takes: who sends like this sends few at a time.
const MOST_FRAMES: usize = 8;
/// Ethernet, IPv4 without options, UDP.
const ETHERNET_BYTES: usize = 14;
const IPV4_BYTES: usize = 20;
const UDP_BYTES: usize = 8;
const HEAD_BYTES: usize = ETHERNET_BYTES + IPV4_BYTES + UDP_BYTES;
/// `SOL_PACKET` and `PACKET_QDISC_BYPASS`.
const PACKETS: i32 = 263;
const PAST_QUEUE: i32 = 20;

/// A socket that sends frames, and what stands before every packet.
#[derive(Debug)]
pub struct Frames {
    socket: Socket,
    head: [u8; HEAD_BYTES],
}

impl Frames {
    /// On an interface of Ethernet; says why not.
    pub fn open(
        interface: u32,
        from: SocketAddrV4,
        to: SocketAddrV4,
        request: &TransmitRequest,
    ) -> Result<Frames, String> {
        if !to.ip().is_multicast() {
            return Err("only a group has an address that is known without asking".to_owned());
        }
        let said = |error: io::Error| error.to_string();
        let socket = Socket::new(Domain::PACKET, Type::RAW, None).map_err(said)?;
        let address = bind(&socket, interface).map_err(said)?;
        if i32::from(address.sll_hatype) != i32::from(libc::ARPHRD_ETHER) {
            return Err("the interface is not of Ethernet".to_owned());
        }
        datagram::set(socket.as_fd(), PACKETS, PAST_QUEUE, &1).map_err(said)?;
        datagram::buffer(socket.as_fd(), request.buffer_bytes, false).map_err(said)?;
        socket.set_nonblocking(true).map_err(said)?;
        let [a, b, c, d, e, f, ..] = address.sll_addr;
        Ok(Frames { socket, head: head([a, b, c, d, e, f], from, to, request) })
    }

    /// The same socket for another thread.
    pub fn again(&self) -> io::Result<Frames> {
        Ok(Frames { socket: self.socket.try_clone()?, head: self.head })
    }

    /// Sends as many of the packets as the kernel takes; their places must lie in `bytes`.
    pub fn send(&self, bytes: &[u8], packets: &[Message]) -> io::Result<usize> {
        let mut heads = [self.head; MOST_FRAMES];
        // SAFETY: these are plain structures of numbers and pointers, for which zeros are a value.
        let (mut vectors, mut headers): ([[iovec; 2]; MOST_FRAMES], [mmsghdr; MOST_FRAMES]) =
            unsafe { zeroed() };
        let mut count: u32 = 0;
        let rooms = vectors.iter_mut().zip(headers.iter_mut()).zip(heads.iter_mut());
        for (((vector, header), head), packet) in rooms.zip(packets) {
            let Some(part) = part(bytes, &packet.bytes) else { break };
            tell_length(head, part.len());
            // The kernel only reads, though the type says otherwise.
            let one = |part: &[u8]| iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() };
            *vector = [one(head), one(part)];
            header.msg_hdr.msg_iov = vector.as_mut_ptr();
            header.msg_hdr.msg_iovlen = 2;
            count += 1;
        }
        if count == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the first `count` headers point to vectors that live until the call returns, and those to heads and bytes
        // that do as well; the kernel writes only the length of each message into its header.
        let sent = unsafe { libc::sendmmsg(self.socket.as_raw_fd(), headers.as_mut_ptr(), count, 0) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

/// A packet that its length fields can tell of.
fn part<'a>(bytes: &'a [u8], place: &Range<usize>) -> Option<&'a [u8]> {
    let longest = usize::from(u16::MAX) - IPV4_BYTES - UDP_BYTES;
    bytes.get(place.clone()).filter(|part| part.len() <= longest)
}

/// Takes the interface, no packets of which are wanted; gives its address.
fn bind(socket: &Socket, interface: u32) -> io::Result<sockaddr_ll> {
    // SAFETY: a plain structure of numbers, for which zeros are a value.
    let mut address: sockaddr_ll = unsafe { zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).map_err(io::Error::other)?;
    address.sll_ifindex = i32::try_from(interface).map_err(io::Error::other)?;
    let mut length = socklen_t::try_from(size_of::<sockaddr_ll>()).map_err(io::Error::other)?;
    // SAFETY: the kernel reads `length` bytes, which is the size of `address`; the descriptor is open.
    let answer = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel writes at most `length` bytes, which is the size of `address`; any bytes are a value of it.
    let answer = unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &raw mut length) };
    if answer == 0 { Ok(address) } else { Err(io::Error::last_os_error()) }
}

/// What stands before every packet, but for its length.
fn head(own: [u8; 6], from: SocketAddrV4, to: SocketAddrV4, request: &TransmitRequest) -> [u8; HEAD_BYTES] {
    // The last 23 bits of the group (RFC 1112 §6.4).
    let [_, b, c, d] = to.ip().octets();
    let link = [0x01, 0x00, 0x5e, b & 0x7f, c, d].into_iter().chain(own).chain([0x08, 0x00]);
    let class = request.dscp.unwrap_or(0) << 2;
    // A packet that is never cut needs no number (RFC 6864 §4.1). A group is heard no farther than the next router, unless
    // somebody says so.
    let network = [0x45, class, 0, 0, 0, 0, 0x40, 0, request.hops.unwrap_or(1), 17, 0, 0].into_iter();
    let network = network.chain(from.ip().octets()).chain(to.ip().octets());
    // Length, and no checksum: over IPv4 there need not be one (RFC 768).
    let ports = from.port().to_be_bytes().into_iter().chain(to.port().to_be_bytes()).chain([0; 4]);
    let mut head = [0; HEAD_BYTES];
    for (to, from) in head.iter_mut().zip(link.chain(network).chain(ports)) {
        *to = from;
    }
    head
}

/// Writes the lengths of a packet, and the checksum that is over one of them.
fn tell_length(head: &mut [u8; HEAD_BYTES], payload: usize) {
    let mut put = |at: usize, value: u16| {
        if let Some(place) = head.get_mut(at..at + 2) {
            place.copy_from_slice(&value.to_be_bytes());
        }
    };
    let of = |bytes: usize| u16::try_from(bytes).unwrap_or(u16::MAX);
    put(ETHERNET_BYTES + 2, of(IPV4_BYTES + UDP_BYTES + payload));
    put(ETHERNET_BYTES + IPV4_BYTES + 4, of(UDP_BYTES + payload));
    let network = head.get(ETHERNET_BYTES..ETHERNET_BYTES + IPV4_BYTES).unwrap_or_default();
    let sum = checksum::internet(&[network]);
    if let Some(place) = head.get_mut(ETHERNET_BYTES + 10..ETHERNET_BYTES + 12) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_what_the_standards_say() {
        let to: SocketAddrV4 = "239.129.2.3:5004".parse().unwrap();
        let request = TransmitRequest { hops: Some(8), dscp: Some(34), ..TransmitRequest::to(to.into()) };
        let mut head = head([2, 0, 0, 0, 0, 1], "192.0.2.1:5002".parse().unwrap(), to, &request);
        tell_length(&mut head, 1220);
        assert_eq!(head[..14], [1, 0, 0x5e, 1, 2, 3, 2, 0, 0, 0, 0, 1, 8, 0]);
        assert!(checksum::ipv4_header(&head[14..34]));
        assert_eq!(head[14..24], [0x45, 0x88, 0x04, 0xe0, 0, 0, 0x40, 0, 8, 17]);
        assert_eq!(head[26..], [192, 0, 2, 1, 239, 129, 2, 3, 0x13, 0x8a, 0x13, 0x8c, 0x04, 0xcc, 0, 0]);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let open = |to: &str| {
            let to: SocketAddrV4 = to.parse().unwrap();
            Frames::open(1, "127.0.0.1:5002".parse().unwrap(), to, &TransmitRequest::to(to.into()))
                .unwrap_err()
        };
        assert!(open("192.0.2.9:5004").contains("group"));
        // The loopback interface is none of Ethernet, and without the right to it nothing is.
        assert!(!open("239.1.1.1:5004").is_empty());
    }
}
