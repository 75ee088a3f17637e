//! A stream received: each leg read by a thread of its own, merged packet by packet (ST 2022-7), and given to whoever
//! makes something of it.

mod file;
mod pcapng;
mod raw_video;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver as Inbox, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use host::receive::{ReceiveCounts, ReceiveRequest, Receiver, StampSource};
use host::transmit::SocketError;
use media::Packet;
use media::hitless::{Hitless, MergePlan, Merger};
use model::media::{Effort, ReceivedLeg, ReceivingFacts, Session, SessionSource};
use model::{Timestamp, Utc};
use wire::rtp;

pub use self::file::{Ancillary, Codestreams, Pictures, Sound, Still};
pub use self::pcapng::Recording;
pub use self::raw_video::format_of;

/// How many batches of datagrams wait for us, beside what the kernel keeps.
const BATCHES: usize = 512;
/// How long a leg waits for datagrams before it looks whether to stop.
const WAIT: Duration = Duration::from_millis(50);
/// How long a hole is waited for: class B (ST 2022-7:2019 §7).
const HOLD_NS: i64 = 50_000_000;
/// Packets that may wait behind a hole: as many as come in that time at 10 Gb/s.
const HELD: usize = 1 << 16;

/// What to receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiving {
    /// Where: once, or twice.
    pub legs: Vec<ReceiveRequest>,
    /// Which payload type; any where this is `None`.
    pub payload_type: Option<u8>,
    /// How long; without it, until it is stopped.
    pub duration: Option<Duration>,
}

/// What others see of it while it runs, and how they stop it.
#[derive(Debug, Default)]
pub struct ReceivingWatch {
    /// Set to stop.
    pub stop: AtomicBool,
    /// Packets that were used.
    pub packets: AtomicU64,
}

/// Who makes something of what came.
pub trait Sink {
    /// Sees a datagram as it came on a leg, merged or not.
    fn see(&mut self, leg: &LegDatagram<'_>) -> io::Result<()> {
        let _ = leg;
        Ok(())
    }

    /// Takes a packet: each once, in order. Gives whether more are wanted.
    fn take(&mut self, packet: &Packet<'_>) -> io::Result<bool>;

    /// Writes what is left; tells what was written, by name.
    fn end(&mut self) -> io::Result<Vec<(String, u64)>>;
}

/// A datagram as it came.
#[derive(Debug, Clone, Copy)]
pub struct LegDatagram<'a> {
    /// Which leg, from 0.
    pub leg: usize,
    /// Who sent it.
    pub from: SocketAddr,
    /// Where it was sent to.
    pub to: SocketAddr,
    /// When it came.
    pub time: Timestamp<Utc>,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// Datagrams that were read together.
#[derive(Debug, Default)]
struct Bundle {
    leg: usize,
    bytes: Vec<u8>,
    /// Where each ends, when it came, and from whom.
    places: Vec<(usize, Timestamp<Utc>, SocketAddr)>,
}

/// Why nothing more is received.
#[derive(Debug)]
pub enum ReceivingError {
    /// A socket cannot be had.
    Socket(SocketError),
    /// Reading or writing failed.
    Io(io::Error),
}

impl std::fmt::Display for ReceivingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReceivingError::Socket(error) => error.fmt(f),
            ReceivingError::Io(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for ReceivingError {
    fn from(error: io::Error) -> ReceivingError {
        ReceivingError::Io(error)
    }
}

/// The streams that a session description describes, and what of it could not be read.
pub fn sessions(description: &[u8], name: &str) -> (Vec<Session>, Vec<wire::Fault>) {
    let (document, mut faults) = media::sdp::parse(description);
    let (sessions, more) = media::sdp::sessions(&document, &SessionSource::File(name.to_owned()));
    faults.extend(more);
    (sessions, faults)
}

/// Receives until the time is over, the sink has enough, or somebody says stop; and tells what became of it.
pub fn receive(
    receiving: &Receiving,
    sink: &mut dyn Sink,
    watch: &ReceivingWatch,
) -> Result<ReceivingFacts, ReceivingError> {
    let sockets: Result<Vec<Receiver>, SocketError> = receiving.legs.iter().map(Receiver::open).collect();
    let sockets = sockets.map_err(ReceivingError::Socket)?;
    let destinations: Vec<SocketAddr> = receiving.legs.iter().map(|leg| leg.destination).collect();
    let (to_us, inbox) = mpsc::sync_channel(BATCHES);
    let (back, empties) = mpsc::channel();
    let begun = Instant::now();
    let (read, merged) = thread::scope(|scope| {
        let mut readers = Vec::new();
        let empties = std::sync::Arc::new(std::sync::Mutex::new(empties));
        for (leg, socket) in sockets.into_iter().enumerate() {
            let (to_us, empties) = (to_us.clone(), std::sync::Arc::clone(&empties));
            readers.push(scope.spawn(move || {
                let spare = || empties.lock().ok().and_then(|inbox| inbox.try_recv().ok());
                read(leg, socket, &to_us, spare, &watch.stop)
            }));
        }
        drop(to_us);
        let mut joining = Joining::new(receiving, destinations);
        let end = receiving.duration.map(|duration| begun + duration);
        let result = joining.run(&inbox, &back, sink, watch, end);
        watch.stop.store(true, Ordering::Relaxed);
        // Nobody is to wait for room that we do not make any more.
        drop(inbox);
        let read: Vec<_> = readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect();
        (read, result.map(|()| joining))
    });
    let mut joining = merged?;
    joining.rest(sink)?;
    let mut legs = Vec::new();
    for ((leg, read), request) in joining.legs.iter().zip(read).zip(&receiving.legs) {
        let (counts, efforts, stamp) = read?;
        legs.push(ReceivedLeg {
            destination: request.destination,
            source: leg.source,
            packets: counts.received,
            dropped: counts.dropped,
            others: leg.others,
            stamp: stamp.map_or("", StampSource::word),
            efforts,
        });
    }
    let counts = joining.merger.counts();
    Ok(ReceivingFacts {
        duration_ns: u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX),
        legs,
        hitless: joining.hitless.as_ref().map(Hitless::facts),
        used: counts.delivered,
        missing: counts.missing,
        late: counts.late,
        written: sink.end()?,
    })
}

/// What a reader tells at its end.
type Read = io::Result<(ReceiveCounts, Vec<Effort>, Option<StampSource>)>;

/// Reads one leg until it is to stop.
fn read(
    leg: usize,
    mut socket: Receiver,
    to: &SyncSender<Bundle>,
    spare: impl Fn() -> Option<Bundle>,
    stop: &AtomicBool,
) -> Read {
    let mut stamp = None;
    while !stop.load(Ordering::Relaxed) {
        let mut bundle = spare().unwrap_or_default();
        bundle.leg = leg;
        bundle.bytes.clear();
        bundle.places.clear();
        socket.receive(WAIT, &mut |one| {
            bundle.bytes.extend_from_slice(one.bytes);
            bundle.places.push((bundle.bytes.len(), one.time, one.from));
            stamp = Some(one.stamp);
        })?;
        if !bundle.places.is_empty() && to.send(bundle).is_err() {
            break;
        }
    }
    Ok((socket.counts(), socket.efforts().to_vec(), stamp))
}

/// What is known of a leg.
#[derive(Debug, Default)]
struct Leg {
    source: Option<SocketAddr>,
    others: u64,
}

/// Legs joined.
struct Joining {
    payload_type: Option<u8>,
    destinations: Vec<SocketAddr>,
    legs: Vec<Leg>,
    merger: Merger,
    hitless: Option<Hitless>,
    seen: u64,
    over: bool,
}

impl Joining {
    fn new(receiving: &Receiving, destinations: Vec<SocketAddr>) -> Joining {
        let several = destinations.len() > 1;
        Joining {
            payload_type: receiving.payload_type,
            legs: destinations.iter().map(|_| Leg::default()).collect(),
            merger: Merger::new(MergePlan { hold_ns: HOLD_NS, most_packets: HELD }),
            hitless: several.then(|| Hitless::new(destinations.len())),
            destinations,
            seen: 0,
            over: false,
        }
    }

    fn run(
        &mut self,
        inbox: &Inbox<Bundle>,
        back: &mpsc::Sender<Bundle>,
        sink: &mut dyn Sink,
        watch: &ReceivingWatch,
        end: Option<Instant>,
    ) -> io::Result<()> {
        loop {
            let over = end.is_some_and(|end| Instant::now() >= end);
            if over || self.over || watch.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            match inbox.recv_timeout(WAIT) {
                Ok(bundle) => {
                    self.handle(&bundle, sink)?;
                    watch.packets.store(self.merger.counts().delivered, Ordering::Relaxed);
                    _ = back.send(bundle);
                }
                Err(RecvTimeoutError::Timeout) => self.deliver(host::now(), sink)?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn handle(&mut self, bundle: &Bundle, sink: &mut dyn Sink) -> io::Result<()> {
        let mut begin = 0;
        let to = self.destinations.get(bundle.leg).copied();
        for (end, time, from) in &bundle.places {
            let bytes = bundle.bytes.get(begin..*end).unwrap_or_default();
            begin = *end;
            let (Some(leg), Some(to)) = (self.legs.get_mut(bundle.leg), to) else { continue };
            self.seen += 1;
            leg.source.get_or_insert(*from);
            sink.see(&LegDatagram { leg: bundle.leg, from: *from, to, time: *time, bytes })?;
            let Some(packet) = packet(bytes, *time, self.seen) else {
                leg.others += 1;
                continue;
            };
            if self.payload_type.is_some_and(|wanted| wanted != packet.rtp.payload_type) {
                leg.others += 1;
                continue;
            }
            if let Some(hitless) = &mut self.hitless {
                hitless.handle(bundle.leg, &packet);
            }
            self.merger.push(*time, bytes);
            self.deliver(*time, sink)?;
        }
        Ok(())
    }

    /// Gives out the packets whose turn it is.
    fn deliver(&mut self, now: Timestamp<Utc>, sink: &mut dyn Sink) -> io::Result<()> {
        while !self.over {
            let Some(bytes) = self.merger.poll(now) else { break };
            if let Some(packet) = packet(bytes, now, self.seen) {
                self.over = !sink.take(&packet)?;
            }
        }
        Ok(())
    }

    /// Gives out all that waits.
    fn rest(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        self.deliver(Timestamp::from_ns(i64::MAX), sink)
    }
}

fn packet(bytes: &[u8], time: Timestamp<Utc>, number: u64) -> Option<Packet<'_>> {
    let rtp = rtp::parse(bytes).ok()?;
    let udp_bytes = u16::try_from(bytes.len() + wire::udp::HEADER_BYTES).unwrap_or(u16::MAX);
    Some(Packet { time: Some(time), frame: number, udp_bytes, rtp })
}
