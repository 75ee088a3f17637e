//! Datagrams sent in batches, cut by the kernel where it can, and at their time where the interface's queue knows how.

mod frames;
mod messages;
mod pace;
mod queue;
mod urgent;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::os::fd::AsFd;

use model::media::Effort;
use model::{Tai, Timestamp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, Socket, Type};

use self::frames::Frames;
use self::messages::{MOST_MESSAGES, Message};
pub use self::pace::Pacer;
pub use self::urgent::{StandBy, Urgency, assist, stand_by, urgency};
use super::datagram;
use crate::transmit::{Refused, SocketError, TransmitCounts, TransmitRequest};

/// How long the kernel may take to make room, until packets are given up: they would be of no use later.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };
/// The kernel cuts one datagram into so many at most (`UDP_MAX_SEGMENTS`).
const MOST_SEGMENTS: usize = 64;
/// What one datagram may hold before it is cut, with room for its headers.
const MOST_BYTES: usize = 65_000;
/// How long before their time packets are handed to a queue that sends them then: what it needs to be in time itself.
const LAUNCH_LEAD_NS: i64 = 500_000;

/// A socket that sends to one destination.
#[derive(Debug)]
pub struct Transmitter {
    socket: Socket,
    local: SocketAddr,
    segments: bool,
    launch: Option<queue::Launch>,
    frames: Option<Frames>,
    plan: Vec<Message>,
    counts: TransmitCounts,
    efforts: Vec<Effort>,
}

impl Transmitter {
    /// Opens it.
    pub fn open(request: &TransmitRequest) -> Result<Transmitter, SocketError> {
        let destination = request.destination;
        let group = destination.ip().is_multicast();
        let socket = Socket::new(Domain::for_address(destination), Type::DGRAM, Some(Protocol::UDP))
            .refused("open a socket")?;
        let interface = datagram::interface(request.interface.as_deref())?;
        let source = match (request.source, destination) {
            (Some(source), _) if source.is_ipv4() != destination.is_ipv4() => {
                return Err(SocketError::Contradiction("source and destination are not of the same family"));
            }
            (Some(source), _) => source,
            (None, _) => SocketAddr::new(own(interface, destination), 0),
        };
        if source.port() != 0 {
            // RTP and RTCP of several streams may leave from the same port.
            socket.set_reuse_address(true).refused("share the source port")?;
        }
        socket.bind(&source.into()).refused("send from this address")?;
        if interface != 0 {
            match (group, destination) {
                (true, SocketAddr::V4(_)) => datagram::leave_from(socket.as_fd(), interface),
                (true, SocketAddr::V6(_)) => socket.set_multicast_if_v6(interface),
                (false, _) => socket.bind_device(request.interface.as_deref().map(str::as_bytes)),
            }
            .refused("send from this interface")?;
        } else if let (true, SocketAddr::V4(source)) = (group, source)
            && !source.ip().is_unspecified()
        {
            socket.set_multicast_if_v4(source.ip()).refused("send from this address")?;
        }
        set_header(&socket, request, group)?;
        let mut efforts = Vec::new();
        let room =
            datagram::buffer(socket.as_fd(), request.buffer_bytes, false).refused("make room for packets")?;
        efforts.push(Effort {
            what: "room for packets that wait".to_owned(),
            outcome: enough(room, request.buffer_bytes),
        });
        socket.connect(&destination.into()).refused("send to this address")?;
        socket.set_nonblocking(true).refused("send without waiting")?;
        let local = socket.local_addr().refused("tell its address")?.as_socket().unwrap_or(source);
        let mut made = Transmitter {
            socket,
            local,
            segments: false,
            launch: None,
            frames: None,
            plan: Vec::new(),
            counts: TransmitCounts::default(),
            efforts,
        };
        if request.segments {
            let outcome = made.begin_segments();
            made.segments = outcome.is_ok();
            made.efforts.push(Effort { what: "several packets as one".to_owned(), outcome });
        }
        if request.launch_times {
            let outcome = queue::begin(made.socket.as_fd(), local.ip(), interface).map(|launch| {
                made.launch = Some(launch);
                format!("the interface's queue ({}) sends each at its time", launch.kind())
            });
            made.efforts.push(Effort { what: "launch times".to_owned(), outcome });
        }
        // A queue that knows times is better than none.
        if request.own_frames && made.launch.is_none() {
            let outcome = made.begin_frames(request, interface);
            made.efforts.push(Effort { what: "frames of our own".to_owned(), outcome });
        }
        Ok(made)
    }

    /// The same socket for another thread, which counts for itself.
    pub fn again(&self) -> Result<Transmitter, SocketError> {
        let share = "share a socket";
        Ok(Transmitter {
            socket: self.socket.try_clone().refused(share)?,
            local: self.local,
            segments: self.segments,
            launch: self.launch,
            frames: self.frames.as_ref().map(Frames::again).transpose().refused(share)?,
            plan: Vec::new(),
            counts: TransmitCounts::default(),
            efforts: Vec::new(),
        })
    }

    fn begin_segments(&self) -> Result<String, String> {
        // None by default: each call says it for itself.
        match datagram::set(self.socket.as_fd(), libc::SOL_UDP, libc::UDP_SEGMENT, &0) {
            Ok(()) => Ok("the kernel cuts them (UDP_SEGMENT)".to_owned()),
            Err(error) => Err(format!("the kernel does not cut them: {error}")),
        }
    }

    fn begin_frames(&mut self, request: &TransmitRequest, interface: u32) -> Result<String, String> {
        let (SocketAddr::V4(from), SocketAddr::V4(to)) = (self.local, request.destination) else {
            return Err("only for IPv4".to_owned());
        };
        let interface = match interface {
            0 => queue::owner(self.local.ip()).ok_or("which interface packets leave from is not known")?,
            number => number,
        };
        self.frames = Some(Frames::open(interface, from, to, request)?);
        Ok("past protocols, queue and firewall; programs of this machine do not hear them".to_owned())
    }

    /// Counts what another thread has sent with the same socket.
    pub fn add(&mut self, mut other: Transmitter) {
        self.counts.add(other.counts().clone());
    }

    /// Where the packets come from.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// What was tried, and what was had.
    pub fn efforts(&self) -> &[Effort] {
        &self.efforts
    }

    /// How long before its time a packet should be handed over; 0 where it leaves at once.
    pub fn lead_ns(&self) -> i64 {
        if self.launch.is_some() { LAUNCH_LEAD_NS } else { 0 }
    }

    /// Sends packets, which lie in `bytes` at these places; where the queue can, at this time, otherwise at once.
    ///
    /// Waits 2 ms at most where the kernel has no room, and counts what it does not take. Gives how many it took.
    pub fn send(&mut self, bytes: &[u8], packets: &[Range<usize>], at: Timestamp<Tai>) -> usize {
        let before = self.counts.packets;
        self.plan(bytes.len(), packets);
        let mut next = 0;
        let mut waited = false;
        while let Some(left) = self.plan.get(next..).filter(|left| !left.is_empty()) {
            let some = left.get(..MOST_MESSAGES).unwrap_or(left);
            let launch = self.launch.map(|launch| launch.on_clock(at));
            let sent = match &self.frames {
                Some(frames) => frames.send(bytes, some),
                None => messages::send(self.socket.as_fd(), bytes, some, launch),
            };
            match sent {
                Ok(count) => {
                    for message in some.iter().take(count) {
                        self.counts.packets += message.packets;
                        self.counts.bytes += u64::try_from(message.bytes.len()).unwrap_or(0);
                    }
                    // A kernel that takes none and gives no reason would have us here for ever.
                    next += count.max(1);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !waited => {
                    waited = true;
                    let mut polled = [PollFd::new(&self.socket, PollFlags::OUT)];
                    // Whatever comes of it, the next attempt says.
                    let _: Result<usize, _> = poll(&mut polled, Some(&PATIENCE));
                }
                Err(error) => {
                    let refused = some.first().map_or(0, |message| message.packets);
                    if refused > 1 && cannot_cut(&error) {
                        self.end_segments(&error);
                        let left: Vec<Message> = self.plan.drain(next..).collect();
                        self.plan.extend(left.iter().flat_map(Message::apart));
                        continue;
                    }
                    self.counts.refuse(&error, refused);
                    next += 1;
                }
            }
        }
        usize::try_from(self.counts.packets - before).unwrap_or(usize::MAX)
    }

    fn end_segments(&mut self, error: &io::Error) {
        self.segments = false;
        if let Some(effort) = self.efforts.iter_mut().find(|effort| effort.what == "several packets as one") {
            effort.outcome = Err(format!("the kernel does not cut them on this way: {error}"));
        }
    }

    /// Packs what lies behind one another and is of one length into one message.
    fn plan(&mut self, bytes: usize, packets: &[Range<usize>]) {
        self.plan.clear();
        for packet in packets.iter().filter(|packet| packet.start < packet.end && packet.end <= bytes) {
            let together = self.segments && self.frames.is_none();
            let joined = together && self.plan.last_mut().is_some_and(|last| last.join(packet));
            if !joined {
                self.plan.push(Message::alone(packet.clone()));
            }
        }
    }

    /// What became of the packets so far.
    pub fn counts(&mut self) -> &TransmitCounts {
        if self.launch.is_some() {
            self.counts.missed += messages::missed(self.socket.as_fd());
        }
        &self.counts
    }
}

/// The address of an interface that packets to there come from; any where it has none. The kernel would take another one
/// for a group, if the routing table knows a better way to it.
fn own(interface: u32, destination: SocketAddr) -> IpAddr {
    let unspecified: IpAddr =
        if destination.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // Of IPv6 there are several, and the kernel chooses well.
    if interface == 0 || destination.is_ipv6() {
        return unspecified;
    }
    let all = crate::interfaces().unwrap_or_default();
    let mut own = all.iter().filter(|each| each.index == interface).flat_map(|each| &each.addresses);
    own.find(|(address, _)| address.is_ipv4()).map_or(unspecified, |(address, _)| *address)
}

/// What stands in the headers of the packets.
fn set_header(socket: &Socket, request: &TransmitRequest, group: bool) -> Result<(), SocketError> {
    let v4 = request.destination.is_ipv4();
    if let Some(hops) = request.hops {
        let hops = u32::from(hops);
        match (v4, group) {
            (true, true) => socket.set_multicast_ttl_v4(hops),
            (true, false) => socket.set_ttl_v4(hops),
            (false, true) => socket.set_multicast_hops_v6(hops),
            (false, false) => socket.set_unicast_hops_v6(hops),
        }
        .refused("set the time to live")?;
    }
    if let Some(dscp) = request.dscp {
        // The class takes the upper six bits of the octet (RFC 2474 §3).
        let octet = u32::from(dscp & 0x3f) << 2;
        if v4 { socket.set_tos_v4(octet) } else { socket.set_tclass_v6(octet) }
            .refused("set the class of service")?;
    }
    // Media is never fragmented (ST 2110-10:2022 §6.3): what is too large is refused.
    let (level, name) = if v4 {
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER)
    } else {
        (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER)
    };
    datagram::set(socket.as_fd(), level, name, &libc::IP_PMTUDISC_DO).refused("send without fragments")
}

/// Whether it is the cutting that the kernel refuses.
fn cannot_cut(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL | libc::EOPNOTSUPP | libc::EMSGSIZE))
}

/// Whether the room is what was asked for.
pub(super) fn enough(room: usize, wanted: usize) -> Result<String, String> {
    if room >= wanted.min(1 << 30) {
        Ok(format!("{room} bytes"))
    } else {
        Err(format!(
            "{room} bytes of {wanted}: more needs CAP_NET_ADMIN, or larger net.core.rmem_max and wmem_max"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::receive::Receiver;
    use crate::receive::ReceiveRequest;
    use std::time::Duration;

    fn pair(segments: bool) -> (Transmitter, Receiver) {
        let receiver = Receiver::open(&ReceiveRequest::at("127.0.0.1:0".parse().unwrap())).unwrap();
        let request = TransmitRequest { segments, ..TransmitRequest::to(receiver.local()) };
        (Transmitter::open(&request).unwrap(), receiver)
    }

    fn all(receiver: &mut Receiver, count: usize) -> Vec<Vec<u8>> {
        let mut heard = Vec::new();
        for _ in 0..100 {
            if heard.len() >= count {
                break;
            }
            receiver.receive(Duration::from_millis(100), &mut |one| heard.push(one.bytes.to_vec())).unwrap();
        }
        heard
    }

    #[test]
    fn what_is_sent_arrives_cut_or_not() {
        // Lengths that join, that end a join, and that stand apart; 200 of them go beyond one call and one message.
        let lengths: Vec<usize> = (0..200_usize).map(|at| if at % 70 == 69 { 17 } else { 1200 }).collect();
        let mut bytes = Vec::new();
        let mut packets = Vec::new();
        for (at, length) in lengths.iter().enumerate() {
            let start = bytes.len();
            bytes.resize(start + length, u8::try_from(at % 251).unwrap());
            packets.push(start..bytes.len());
        }
        for segments in [false, true] {
            let (mut transmitter, mut receiver) = pair(segments);
            assert_eq!(transmitter.send(&bytes, &packets, Timestamp::from_ns(0)), 200);
            let heard = all(&mut receiver, 200);
            let sent: Vec<&[u8]> = packets.iter().map(|packet| &bytes[packet.clone()]).collect();
            assert!(heard.iter().eq(&sent), "{segments}: {} of 200", heard.len());
            assert_eq!(transmitter.counts().packets, 200);
            assert!(transmitter.counts().refused.is_empty());
            assert_eq!(receiver.counts().dropped, 0);
        }
    }

    #[test]
    fn the_order_and_the_places_are_the_callers() {
        let (mut transmitter, mut receiver) = pair(true);
        let bytes = b"berthquaydock";
        // Backwards, twice, empty, and beyond the end.
        let packets = [9..13, 5..9, 5..9, 3..3, 0..5, 12..14];
        assert_eq!(transmitter.send(bytes, &packets, Timestamp::from_ns(0)), 4);
        assert_eq!(all(&mut receiver, 4), [&b"dock"[..], b"quay", b"quay", b"berth"]);
    }

    #[test]
    fn what_the_kernel_refuses_is_counted_and_the_rest_goes_on() {
        let (mut transmitter, mut receiver) = pair(true);
        let bytes = vec![7; 70_000];
        assert_eq!(transmitter.send(&bytes, &[0..70_000, 0..100], Timestamp::from_ns(0)), 1);
        assert_eq!(all(&mut receiver, 1), [vec![7; 100]]);
        let refused = &transmitter.counts().refused;
        assert_eq!(refused.iter().map(|each| each.packets).sum::<u64>(), 1, "{refused:?}");
    }

    #[test]
    fn what_cannot_be_is_said() {
        let to = |request: TransmitRequest| Transmitter::open(&request).unwrap_err().to_string();
        let destination = "127.0.0.1:9".parse().unwrap();
        let other = TransmitRequest { interface: Some("no0".to_owned()), ..TransmitRequest::to(destination) };
        assert!(to(other).contains("lo"));
        let family = TransmitRequest { source: "[::1]:0".parse().ok(), ..TransmitRequest::to(destination) };
        assert!(to(family).contains("family"));
    }

    #[test]
    fn launch_times_are_not_used_where_the_queue_does_not_know_them() {
        let (transmitter, _) = pair(false);
        let effort = transmitter.efforts().iter().find(|effort| effort.what == "launch times").unwrap();
        // The loopback interface has no queue.
        assert!(effort.outcome.is_err());
        assert_eq!(transmitter.lead_ns(), 0);
    }
}
