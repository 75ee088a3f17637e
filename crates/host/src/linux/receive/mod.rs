//! Datagrams received in batches, each with the kernel's time of arrival (recvmmsg(2), socket(7), timestamping).

mod messages;

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use model::media::Effort;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, Socket, Type};

use self::messages::Rooms;
use super::datagram;
use super::transmit::enough;
use crate::receive::{ReceiveCounts, ReceiveRequest, Received};
use crate::transmit::{Refused, SocketError};

/// Which of the nine numbers that the kernel tells of a socket's memory counts what it dropped (`SK_MEMINFO_DROPS`).
const DROPS: usize = 8;
/// Who says when a packet came: the interface's raw clock and the kernel, of packets received.
const STAMPS: u32 = libc::SOF_TIMESTAMPING_RX_HARDWARE
    | libc::SOF_TIMESTAMPING_RAW_HARDWARE
    | libc::SOF_TIMESTAMPING_RX_SOFTWARE
    | libc::SOF_TIMESTAMPING_SOFTWARE;

/// A socket that receives.
#[derive(Debug)]
pub struct Receiver {
    socket: Socket,
    local: SocketAddr,
    rooms: Rooms,
    received: u64,
    dropped: u64,
    last_drops: u32,
    efforts: Vec<Effort>,
}

impl Receiver {
    /// Opens it, and joins the group where the destination is one.
    pub fn open(request: &ReceiveRequest) -> Result<Receiver, SocketError> {
        let destination = request.destination;
        let group = destination.ip().is_multicast();
        let socket = Socket::new(Domain::for_address(destination), Type::DGRAM, Some(Protocol::UDP))
            .refused("open a socket")?;
        let interface = datagram::interface(request.interface.as_deref())?;
        if group {
            socket.set_reuse_address(true).refused("share the port")?;
            // Otherwise what others have joined comes here, too.
            if destination.is_ipv4() {
                socket.set_multicast_all_v4(false).refused("receive our groups only")?;
            } else {
                socket.set_multicast_all_v6(false).refused("receive our groups only")?;
            }
        }
        let room =
            datagram::buffer(socket.as_fd(), request.buffer_bytes, true).refused("make room for packets")?;
        let mut efforts = vec![Effort {
            what: "room for packets that wait".to_owned(),
            outcome: enough(room, request.buffer_bytes),
        }];
        let stamps = datagram::set(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPING, &STAMPS)
            .map(|()| "by the kernel; by the interface where it does".to_owned())
            .map_err(|error| error.to_string());
        efforts.push(Effort { what: "times of arrival".to_owned(), outcome: stamps });
        socket.bind(&destination.into()).refused("receive at this address")?;
        if group {
            let ip = destination.ip();
            if request.sources.is_empty() {
                datagram::join(socket.as_fd(), ip, None, interface).refused("join the group")?;
            }
            for source in &request.sources {
                datagram::join(socket.as_fd(), ip, Some(*source), interface)
                    .refused("join the group for this source")?;
            }
        }
        socket.set_nonblocking(true).refused("read without waiting")?;
        let local = socket.local_addr().refused("tell its address")?.as_socket().unwrap_or(destination);
        Ok(Receiver { socket, local, rooms: Rooms::new(), received: 0, dropped: 0, last_drops: 0, efforts })
    }

    /// Where it receives.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// What was tried, and what was had.
    pub fn efforts(&self) -> &[Effort] {
        &self.efforts
    }

    /// Hands out what has come, and waits for some where nothing has; gives how many. None may come before the time is over.
    pub fn receive(&mut self, timeout: Duration, each: &mut dyn FnMut(Received<'_>)) -> io::Result<usize> {
        let ready = self.hand_out(each)?;
        if ready > 0 {
            return Ok(ready);
        }
        let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
        let mut polled = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut polled, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(0),
            Ok(_) => self.hand_out(each),
            Err(error) => Err(error.into()),
        }
    }

    fn hand_out(&mut self, each: &mut dyn FnMut(Received<'_>)) -> io::Result<usize> {
        match self.rooms.receive(self.socket.as_fd(), each) {
            Ok(count) => {
                self.received += u64::try_from(count).unwrap_or(0);
                Ok(count)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// What became of the datagrams so far. What is counted as dropped is exact as long as this is asked at least once in
    /// every four thousand million.
    pub fn counts(&mut self) -> ReceiveCounts {
        let mut numbers = [0_u32; 9];
        if datagram::read(self.socket.as_fd(), libc::SOL_SOCKET, libc::SO_MEMINFO, &mut numbers).is_ok() {
            let now = numbers.get(DROPS).copied().unwrap_or(0);
            self.dropped += u64::from(now.wrapping_sub(self.last_drops));
            self.last_drops = now;
        }
        ReceiveCounts { received: self.received, dropped: self.dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receive::StampSource;
    use std::net::UdpSocket;

    #[test]
    fn what_comes_has_its_source_and_time() {
        let mut receiver = Receiver::open(&ReceiveRequest::at("127.0.0.1:0".parse().unwrap())).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let before = crate::now();
        for payload in [&b"one"[..], b"", b"three"] {
            sender.send_to(payload, receiver.local()).unwrap();
        }
        let mut heard = Vec::new();
        while heard.len() < 3 {
            receiver
                .receive(Duration::from_secs(1), &mut |one| {
                    assert_eq!((one.from, one.truncated), (sender.local_addr().unwrap(), false));
                    // The kernel begins to stamp a moment after it was asked, if nobody else had asked.
                    assert_ne!(one.stamp, StampSource::Interface);
                    heard.push((one.bytes.to_vec(), one.time));
                })
                .unwrap();
        }
        let after = crate::now();
        assert_eq!(
            heard.iter().map(|(bytes, _)| &bytes[..]).collect::<Vec<_>>(),
            [&b"one"[..], b"", b"three"]
        );
        assert!(heard.is_sorted_by_key(|(_, time)| *time));
        assert!(heard.iter().all(|(_, time)| before <= *time && *time <= after));
        assert_eq!(receiver.receive(Duration::ZERO, &mut |_| {}).unwrap(), 0);
        assert_eq!(receiver.counts(), ReceiveCounts { received: 3, dropped: 0 });
    }

    #[test]
    fn what_is_dropped_is_counted() {
        let request =
            ReceiveRequest { buffer_bytes: 4096, ..ReceiveRequest::at("127.0.0.1:0".parse().unwrap()) };
        let mut receiver = Receiver::open(&request).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..500 {
            sender.send_to(&[0; 1000], receiver.local()).unwrap();
        }
        while receiver.receive(Duration::ZERO, &mut |_| {}).unwrap() > 0 {}
        let counts = receiver.counts();
        assert!(counts.dropped > 0);
        assert_eq!(counts.received + counts.dropped, 500);
        assert_eq!(receiver.counts(), counts);
    }
}
