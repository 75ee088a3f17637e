//! Datagrams where the system offers no batches, launch times or stamps: one call each, and the program's own clock.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::media::{Effort, Lateness};
use model::{Tai, Timestamp};
use socket2::{Domain, Protocol, Socket, Type};

use crate::receive::{ReceiveCounts, ReceiveRequest, Received, StampSource};
use crate::transmit::{Refused, SocketError, TransmitCounts, TransmitRequest, UrgencyRequest};

/// How long a sleep is at most, so that a wish to stop is heard.
const NAP: Duration = Duration::from_millis(100);
/// How long the system may take to make room.
const PATIENCE: Duration = Duration::from_millis(2);
/// Room for one datagram.
const ROOM_BYTES: usize = 9216;

fn any(beside: SocketAddr) -> SocketAddr {
    if beside.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() }
}

fn no_interface(name: Option<&str>) -> Result<(), SocketError> {
    match name {
        None => Ok(()),
        Some(name) => Err(SocketError::NoInterface(
            name.to_owned(),
            vec!["none by name on this system: give a source address instead".to_owned()],
        )),
    }
}

/// A socket that sends to one destination.
#[derive(Debug)]
pub struct Transmitter {
    socket: Socket,
    local: SocketAddr,
    counts: TransmitCounts,
    efforts: Vec<Effort>,
}

impl Transmitter {
    /// Opens it.
    pub fn open(request: &TransmitRequest) -> Result<Transmitter, SocketError> {
        no_interface(request.interface.as_deref())?;
        let destination = request.destination;
        let source = request.source.unwrap_or(any(destination));
        let group = destination.ip().is_multicast();
        let socket = Socket::new(Domain::for_address(destination), Type::DGRAM, Some(Protocol::UDP))
            .refused("open a socket")?;
        socket.bind(&source.into()).refused("send from this address")?;
        if let (true, IpAddr::V4(ip)) = (group, source.ip())
            && !ip.is_unspecified()
        {
            socket.set_multicast_if_v4(&ip).refused("send from this address")?;
        }
        if let Some(hops) = request.hops.map(u32::from) {
            match (destination.is_ipv4(), group) {
                (true, true) => socket.set_multicast_ttl_v4(hops),
                (true, false) => socket.set_ttl_v4(hops),
                (false, true) => socket.set_multicast_hops_v6(hops),
                (false, false) => socket.set_unicast_hops_v6(hops),
            }
            .refused("set the time to live")?;
        }
        let mut efforts = Vec::new();
        let mut note = |what: &str, result: io::Result<()>| {
            let outcome = result.map(|()| "had".to_owned()).map_err(|error| error.to_string());
            efforts.push(Effort { what: what.to_owned(), outcome });
        };
        if let Some(dscp) = request.dscp {
            let octet = u32::from(dscp & 0x3f) << 2;
            let result = if destination.is_ipv4() {
                socket.set_tos_v4(octet)
            } else {
                Err(io::ErrorKind::Unsupported.into())
            };
            note("a class of service", result);
        }
        note("room for packets that wait", socket.set_send_buffer_size(request.buffer_bytes));
        socket.set_write_timeout(Some(PATIENCE)).refused("send without waiting")?;
        socket.connect(&destination.into()).refused("send to this address")?;
        let local = socket.local_addr().refused("tell its address")?.as_socket().unwrap_or(source);
        Ok(Transmitter { socket, local, counts: TransmitCounts::default(), efforts })
    }

    /// The same socket for another thread, which counts for itself.
    pub fn again(&self) -> Result<Transmitter, SocketError> {
        let socket = self.socket.try_clone().refused("share a socket")?;
        Ok(Transmitter { socket, local: self.local, counts: TransmitCounts::default(), efforts: Vec::new() })
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

    /// How long before its time a packet should be handed over: they leave at once.
    pub fn lead_ns(&self) -> i64 {
        0
    }

    /// Sends packets, which lie in `bytes` at these places; gives how many the system took.
    pub fn send(&mut self, bytes: &[u8], packets: &[Range<usize>], _: Timestamp<Tai>) -> usize {
        let before = self.counts.packets;
        for packet in packets.iter().filter_map(|place| bytes.get(place.clone())) {
            match crate::uninterrupted(PATIENCE, || self.socket.send(packet)) {
                Ok(_) => {
                    self.counts.packets += 1;
                    self.counts.bytes += u64::try_from(packet.len()).unwrap_or(0);
                }
                Err(error) => self.counts.refuse(&error, 1),
            }
        }
        usize::try_from(self.counts.packets - before).unwrap_or(usize::MAX)
    }

    /// What became of the packets so far.
    pub fn counts(&mut self) -> &TransmitCounts {
        &self.counts
    }
}

/// A clock to wait on, and how late waiting ended.
#[derive(Debug, Clone)]
pub struct Pacer {
    ahead_ns: i64,
    spin_ns: i64,
    lateness: Lateness,
}

impl Pacer {
    /// On the system's clock, which TAI is `ahead_ns` ahead of. It stays awake for the last `spin` before something is due.
    pub fn new(ahead_ns: i64, spin: Duration) -> Pacer {
        let spin_ns = i64::try_from(spin.as_nanos()).unwrap_or(i64::MAX);
        Pacer { ahead_ns, spin_ns, lateness: Lateness::default() }
    }

    /// From now on it sleeps until something is due: for what need not be precise.
    pub fn stay_asleep(&mut self) {
        self.spin_ns = 0;
    }

    /// Which clock it is.
    pub fn clock(&self) -> String {
        format!("the system's clock and {} s", self.ahead_ns / 1_000_000_000)
    }

    /// The time.
    pub fn now(&self) -> Timestamp<Tai> {
        Timestamp::from_ns(crate::now().as_ns().saturating_add(self.ahead_ns))
    }

    /// Waits until then, or until `stop` is set; gives the time, which is earlier only where it stopped.
    pub fn wait(&mut self, until: Timestamp<Tai>, stop: &AtomicBool) -> Timestamp<Tai> {
        loop {
            let now = self.now();
            let left = until.since_ns(now);
            if left <= 0 {
                self.lateness.note(left.unsigned_abs());
                return now;
            }
            if stop.load(Ordering::Relaxed) {
                return now;
            }
            if let Ok(nap) = u64::try_from(left - self.spin_ns) {
                std::thread::park_timeout(Duration::from_nanos(nap).min(NAP));
            }
        }
    }

    /// Sleeps for so long, or a little longer.
    pub fn sleep(&self, time: Duration) {
        std::thread::park_timeout(time);
    }

    /// How late waiting ended so far.
    pub fn lateness(&self) -> &Lateness {
        &self.lateness
    }
}

/// What was granted.
#[derive(Debug)]
pub struct Urgency {
    /// What was tried, and what was had.
    pub efforts: Vec<Effort>,
}

/// Says that there is nothing to grant.
pub fn urgency(request: &UrgencyRequest) -> Urgency {
    let wishes = [
        (request.cpu.is_some(), "a processor of its own"),
        (request.real_time, "real-time scheduling"),
        (request.steady, "memory that stays"),
    ];
    let no = |what: &str| Effort { what: what.to_owned(), outcome: Err("not on this system".to_owned()) };
    Urgency { efforts: wishes.iter().filter(|(wished, _)| *wished).map(|(_, what)| no(what)).collect() }
}

/// Changes nothing: all threads are alike.
pub fn assist(_: &UrgencyRequest) {}

/// A thread that does what an urgent one does not come to.
#[derive(Debug)]
pub struct StandBy(());

/// Not to be had here.
pub fn stand_by() -> io::Result<StandBy> {
    Err(io::ErrorKind::Unsupported.into())
}

impl StandBy {
    /// Whether others want to run.
    pub fn others_wait(&self) -> bool {
        true
    }
}

/// A socket that receives.
#[derive(Debug)]
pub struct Receiver {
    socket: UdpSocket,
    local: SocketAddr,
    room: Vec<u8>,
    received: u64,
    efforts: Vec<Effort>,
}

impl Receiver {
    /// Opens it, and joins the group where the destination is one.
    pub fn open(request: &ReceiveRequest) -> Result<Receiver, SocketError> {
        no_interface(request.interface.as_deref())?;
        let destination = request.destination;
        let socket = Socket::new(Domain::for_address(destination), Type::DGRAM, Some(Protocol::UDP))
            .refused("open a socket")?;
        let mut local = destination;
        if destination.ip().is_multicast() {
            socket.set_reuse_address(true).refused("share the port")?;
            // Not every system binds to a group.
            local = SocketAddr::new(any(destination).ip(), destination.port());
        }
        socket.bind(&local.into()).refused("receive at this address")?;
        match destination.ip() {
            IpAddr::V4(group) if group.is_multicast() => {
                if request.sources.is_empty() {
                    socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED).refused("join the group")?;
                }
                for source in &request.sources {
                    let IpAddr::V4(source) = source else {
                        return Err(SocketError::Contradiction(
                            "group and source are not of the same family",
                        ));
                    };
                    socket
                        .join_ssm_v4(source, &group, &Ipv4Addr::UNSPECIFIED)
                        .refused("join the group for this source")?;
                }
            }
            IpAddr::V6(group) if group.is_multicast() => {
                socket.join_multicast_v6(&group, 0).refused("join the group")?;
            }
            _ => {}
        }
        let outcome = socket.set_recv_buffer_size(request.buffer_bytes);
        let efforts = vec![Effort {
            what: "room for packets that wait".to_owned(),
            outcome: outcome.map(|()| "had".to_owned()).map_err(|error| error.to_string()),
        }];
        let local = socket.local_addr().refused("tell its address")?.as_socket().unwrap_or(local);
        Ok(Receiver { socket: socket.into(), local, room: vec![0; ROOM_BYTES], received: 0, efforts })
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
        // No time at all means for ever to some systems.
        self.socket.set_read_timeout(Some(timeout.max(Duration::from_millis(1))))?;
        match self.socket.recv_from(&mut self.room) {
            Ok((length, from)) => {
                self.received += 1;
                each(Received {
                    bytes: self.room.get(..length).unwrap_or_default(),
                    from,
                    time: crate::now(),
                    stamp: StampSource::Program,
                    interface_ns: None,
                    truncated: length == ROOM_BYTES,
                });
                Ok(1)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// What became of the datagrams so far. What the system dropped it does not tell.
    pub fn counts(&mut self) -> ReceiveCounts {
        ReceiveCounts { received: self.received, dropped: 0 }
    }
}
