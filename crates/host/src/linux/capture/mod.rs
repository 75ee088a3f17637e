//! Live capture: packet sockets whose frames lie in memory that the kernel shares with us (packet(7)).
//!
//! One socket for each worker, bound to the one interface that is asked for or to all. It is bound while its filter lets
//! nothing pass, so that nothing comes that was not asked for, and no frame to two workers.

mod block;
pub mod device;
mod filter;
mod names;
mod near;
mod ring;
mod socket;

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use libc::sock_filter;
use model::Reason;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, netdevice::name_to_index, socket};
use wire::Frame;

use self::block::Walk;
use self::names::Interfaces;
use self::ring::Ring;
use self::socket::PacketSocket;
use super::namespaces;
use crate::capture::{CaptureCounts, CaptureError, CaptureInterface, CaptureRequest, Captured};
use crate::interfaces::Interface;

/// How long the kernel may take to hand over what is left at the end; a block takes 50 ms.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Frames of live interfaces.
#[derive(Debug)]
pub struct Capture {
    workers: Vec<Worker>,
    interfaces: Interfaces,
    snap_bytes: u32,
}

/// One socket, its memory, and what is known of its frames.
#[derive(Debug)]
struct Worker {
    socket: PacketSocket,
    ring: Ring,
    counts: CaptureCounts,
    /// Whether the kernel says how frames are to be cut, and where they are cut.
    knows_coalesced: bool,
    room: Vec<u8>,
}

/// What comes of opening the sockets, which happens in the network namespace that is asked for.
struct Opened {
    workers: Vec<Worker>,
    interfaces: Vec<CaptureInterface>,
}

impl Capture {
    /// Opens it. From here on the kernel keeps frames, and no privilege is needed any more.
    pub fn open(request: &CaptureRequest) -> Result<Capture, CaptureError> {
        let opened = match &request.netns {
            None => open(request),
            Some(name) => namespaces::entrance(name)
                .and_then(|entrance| namespaces::inside(&entrance, || open(request)))
                .map_err(|reason| not_entered(name, reason))?,
        }?;
        Ok(Capture {
            workers: opened.workers,
            interfaces: Interfaces::new(opened.interfaces),
            snap_bytes: request.snap_bytes,
        })
    }

    /// One capture for each worker of the request, to be read by threads of their own.
    ///
    /// Both directions of a flow come to the same one. Fragments of a datagram come to one as well, which may be another
    /// than that of the flow's whole datagrams.
    pub fn split(self) -> Vec<Capture> {
        let Capture { workers, interfaces, snap_bytes } = self;
        let alone = |worker| Capture { workers: vec![worker], interfaces: interfaces.clone(), snap_bytes };
        workers.into_iter().map(alone).collect()
    }

    /// The interfaces so far, in the order of the numbers that frames have. More come when they are first seen.
    pub fn interfaces(&self) -> Vec<CaptureInterface> {
        self.interfaces.list()
    }

    /// Hands out the frames that are ready, and waits for some where none is; gives how many there were.
    ///
    /// None may come before the time is over, when a signal comes. An error of kind [`io::ErrorKind::NetworkDown`] says
    /// that the only interface went down or away; it may come up again.
    pub fn wait(&mut self, timeout: Duration, each: &mut dyn FnMut(Captured<'_>)) -> io::Result<usize> {
        let ready = self.hand_out(each)?;
        if ready > 0 {
            return Ok(ready);
        }
        let failed = self.sleep(timeout)?;
        let ready = self.hand_out(each)?;
        if failed && ready == 0 {
            for worker in &self.workers {
                worker.socket.fault()?;
            }
        }
        Ok(ready)
    }

    /// What became of the frames so far.
    pub fn counts(&mut self) -> io::Result<CaptureCounts> {
        let mut sum = CaptureCounts::default();
        for worker in &mut self.workers {
            worker.count()?;
            sum.seen += worker.counts.seen;
            sum.received += worker.counts.received;
            sum.dropped += worker.counts.dropped;
            sum.freezes += worker.counts.freezes;
            sum.truncated += worker.counts.truncated;
        }
        Ok(sum)
    }

    /// Lets nothing more come, hands out all that is left, and gives counts that add up.
    pub fn finish(&mut self, each: &mut dyn FnMut(Captured<'_>)) -> io::Result<CaptureCounts> {
        for worker in &self.workers {
            worker.socket.filter(&filter::nothing())?;
        }
        let mut end = Instant::now() + LAST_WAIT;
        loop {
            // Counted after reading: what was read has been counted.
            let counts = self.counts()?;
            if counts.seen >= counts.received {
                return Ok(counts);
            }
            if self.hand_out(each)? > 0 {
                end = Instant::now() + LAST_WAIT;
            } else {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(counts);
                }
                if self.sleep(left)? {
                    // Whatever befell the interface, what it brought is still there. Asked for, it is said no more.
                    let _: Vec<_> = self.workers.iter().map(|worker| worker.socket.fault()).collect();
                }
            }
        }
    }

    /// Hands out what is ready: of each worker, no more than its memory holds, so that others get their turn.
    fn hand_out(&mut self, each: &mut dyn FnMut(Captured<'_>)) -> io::Result<usize> {
        let mut seen = 0;
        for worker in &mut self.workers {
            seen += worker.hand_out(&mut self.interfaces, self.snap_bytes, each)?;
        }
        Ok(seen)
    }

    /// Waits until a block is ready; tells whether a socket has something to say about its interface.
    fn sleep(&self, timeout: Duration) -> io::Result<bool> {
        let mut sockets: Vec<PollFd<'_>> =
            self.workers.iter().map(|worker| PollFd::new(&worker.socket, PollFlags::IN)).collect();
        let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
        match poll(&mut sockets, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(sockets.iter().any(|socket| socket.revents().contains(PollFlags::ERR)))
    }
}

impl Worker {
    fn hand_out(
        &mut self,
        interfaces: &mut Interfaces,
        snap_bytes: u32,
        each: &mut dyn FnMut(Captured<'_>),
    ) -> io::Result<usize> {
        let mut seen = 0;
        for _ in 0..self.ring.blocks() {
            let Some(mut block) = self.ring.ready() else { break };
            let mut walk = Walk::begin(&block).ok_or(io::ErrorKind::InvalidData)?;
            while let Some(place) = walk.next(&block) {
                let interface = interfaces.place(place.interface, place.link(), self.socket.as_fd());
                let coalesced = place.coalesced(&block).filter(|_| self.knows_coalesced);
                let frame =
                    place.frame(&mut block, snap_bytes, interface).ok_or(io::ErrorKind::InvalidData)?;
                seen += 1;
                self.counts.seen += 1;
                self.counts.truncated += u64::from(frame.bytes.len() < frame.wire_bytes as usize);
                let (direction, checksum_pending) = (place.direction(), place.checksum_pending());
                let mut tell = |frame: Frame<'_>| each(Captured { frame, direction, checksum_pending });
                // A sender may hand over many datagrams as one frame (UDP_SEGMENT, udp(7)), which no wire has ever seen.
                if coalesced.and_then(|it| it.cut(&frame, &mut self.room, &mut tell)).is_none() {
                    tell(frame);
                }
            }
            if walk.left() > 0 {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(seen)
    }

    /// Adds what the kernel counted since it was asked last.
    fn count(&mut self) -> io::Result<()> {
        let since = self.socket.counts()?;
        // The kernel's number of packets is that of all, dropped ones too.
        self.counts.received += u64::from(since.tp_packets.saturating_sub(since.tp_drops));
        self.counts.dropped += u64::from(since.tp_drops);
        self.counts.freezes += u64::from(since.tp_freeze_q_cnt);
        Ok(())
    }
}

/// Why a network namespace was not entered.
fn not_entered(name: &str, reason: Reason) -> CaptureError {
    match reason {
        Reason::NoPermission => CaptureError::NoPermission {
            what: "enter a network namespace",
            capability: "CAP_SYS_ADMIN and, for one that only processes are in, CAP_SYS_PTRACE",
        },
        Reason::Exited => {
            CaptureError::NoNamespace { name: name.to_owned(), near: near::near(name, namespaces::names()) }
        }
        reason => CaptureError::Kernel("enter the namespace", io::Error::other(reason.words())),
    }
}

/// Opens the sockets in the network namespace of the calling thread.
fn open(request: &CaptureRequest) -> Result<Opened, CaptureError> {
    let all = super::interfaces::list()
        .map_err(|error| CaptureError::Kernel("list interfaces", io::Error::other(format!("{error:?}"))))?;
    let wanted = wanted(request, &all)?;
    let numbers: Vec<u32> = wanted.iter().map(|interface| interface.index).collect();
    let (bound, chosen) = match numbers.as_slice() {
        [only] => (Some(*only), &[][..]),
        several => (None, several),
    };
    let program = filter::program(chosen, &request.filters, request.snap_bytes)?;
    let workers = usize::from(request.workers.max(1));
    let mut opened = Vec::with_capacity(workers);
    let mut group = None;
    for _ in 0..workers {
        let worker = worker(request, workers, bound)?;
        if workers > 1 {
            let joined = match group {
                None => worker.socket.found_group().map(|number| group = Some(number)),
                Some(group) => worker.socket.join_group(group),
            };
            joined.map_err(|error| CaptureError::Kernel("share frames between sockets", error))?;
        }
        opened.push(worker);
    }
    for worker in &opened {
        for index in numbers.iter().filter(|_| request.promiscuous) {
            let done = worker.socket.promiscuous(*index);
            done.map_err(|error| CaptureError::Kernel("take in what is for others", error))?;
        }
    }
    for worker in &opened {
        start(worker, &program, request)?;
    }
    let told = if wanted.is_empty() { all.iter().collect() } else { wanted };
    let interface =
        |of: &Interface| CaptureInterface { name: of.name.clone(), index: of.index, link: of.link };
    Ok(Opened { workers: opened, interfaces: told.into_iter().map(interface).collect() })
}

/// The interfaces that are asked for by name.
fn wanted<'a>(request: &CaptureRequest, all: &'a [Interface]) -> Result<Vec<&'a Interface>, CaptureError> {
    let mut wanted: Vec<&Interface> = Vec::new();
    for name in &request.interfaces {
        let named = |interface: &&Interface| interface.name == *name;
        let found = all.iter().find(named).or_else(|| {
            // Interfaces may have further names, which the kernel knows.
            let asking = socket(AddressFamily::UNIX, SocketType::DGRAM, None).ok()?;
            let index = name_to_index(asking, name).ok()?;
            all.iter().find(|interface| interface.index == index)
        });
        let Some(found) = found else {
            let near = near::near(name, all.iter().map(|interface| interface.name.clone()));
            return Err(CaptureError::NoInterface { name: name.clone(), near });
        };
        if !found.up {
            return Err(CaptureError::InterfaceDown(name.clone()));
        }
        if wanted.iter().all(|known| known.index != found.index) {
            wanted.push(found);
        }
    }
    Ok(wanted)
}

/// One socket with its ring, bound, through which nothing passes yet.
fn worker(request: &CaptureRequest, workers: usize, bound: Option<u32>) -> Result<Worker, CaptureError> {
    let socket = PacketSocket::open().map_err(|errno| match errno {
        Errno::PERM | Errno::ACCESS => {
            CaptureError::NoPermission { what: "open a packet socket", capability: "CAP_NET_RAW" }
        }
        Errno::AFNOSUPPORT => CaptureError::NotSupported,
        errno => CaptureError::Kernel("open a packet socket", errno.into()),
    })?;
    let too_large = || CaptureError::RingTooLarge(request.ring_bytes);
    let shape = ring::shape(request.ring_bytes / workers, request.snap_bytes).ok_or_else(too_large)?;
    let no_memory = |what| {
        move |error: io::Error| match error.kind() {
            io::ErrorKind::OutOfMemory => CaptureError::RingTooLarge(request.ring_bytes),
            _ => CaptureError::Kernel(what, error),
        }
    };
    let knows_coalesced = socket.say_what_is_coalesced().is_ok();
    socket.ring(&shape).map_err(no_memory("make memory for frames"))?;
    let ring = Ring::map(&socket, &shape).map_err(no_memory("share memory for frames"))?;
    socket.filter(&filter::nothing()).map_err(|error| CaptureError::Kernel("filter frames", error))?;
    socket.bind(bound).map_err(|error| CaptureError::Kernel("receive frames", error))?;
    Ok(Worker { socket, ring, counts: CaptureCounts::default(), knows_coalesced, room: Vec::new() })
}

/// Lets through what is asked for.
fn start(worker: &Worker, program: &[sock_filter], request: &CaptureRequest) -> Result<(), CaptureError> {
    worker.socket.filter(program).map_err(|error| match (error.kind(), request.filters.first()) {
        (io::ErrorKind::InvalidInput, Some(filter)) => {
            CaptureError::FilterRefused(filter.link, "the kernel finds an instruction that it does not know")
        }
        (io::ErrorKind::OutOfMemory, Some(filter)) => CaptureError::FilterRefused(
            filter.link,
            "it is longer than the kernel takes (net.core.optmem_max)",
        ),
        _ => CaptureError::Kernel("filter frames", error),
    })
}
