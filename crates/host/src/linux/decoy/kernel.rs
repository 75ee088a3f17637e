//! One kernel program for all ports (`bpf/decoy.bpf.c`), the sockets that answer for them, and the table of who has which.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use model::{Area, Gap, Reason, Timestamp, Transport, Utc};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use wire::knock_record;
use wire::protocol::Protocol;

use super::answering::Answering;
use super::hooks::{self, Hooks};
use super::looks::Looks;
use super::range::Range;
use super::table::{Level, Table};
use crate::decoy::{Coverage, DecoyError, DecoyRequest, Knock, KnockCounts, PortSet, Prefix, Visitor, Way};
use crate::linux::bpf::LoadError;
use crate::linux::bpf::ring::Ring;
use crate::linux::namespaces;

/// How often the kernel's dump is compared with the table: where hooks tell everything, and where they may not.
const MEND_EVERY: Duration = Duration::from_secs(10);
const MEND_OFTEN: Duration = Duration::from_secs(1);
/// How often the range is read from which the kernel gives ports.
const RANGE_EVERY: Duration = Duration::from_secs(1);
/// So often in a row a socket is missing from dumps before its port is thought empty: a dump may miss one.
const MISSES: u8 = 3;
/// Kernels from this on tell in a dump which sockets are bound and nothing else.
const TELLS_BOUND: (u32, u32) = (6, 8);

/// The program at work.
#[derive(Debug)]
pub struct KernelDecoy {
    hooks: Hooks,
    table: Table,
    ring: Ring,
    answering: Option<Answering>,
    looks: Looks,
    range: Range,
    asked: DecoyRequest,
    /// What is covered now.
    tcp: PortSet,
    udp: PortSet,
    /// Sockets that the last dumps did not have, and how many in a row.
    missing: HashMap<u64, u8>,
    tells_bound: bool,
    mended: Instant,
    ranged: Instant,
    netns: u32,
    gaps: Vec<Gap>,
}

/// Why it cannot be opened.
#[derive(Debug)]
pub enum Unopened {
    /// The kernel does not take the program; another way may do.
    Kernel(LoadError),
    /// No other way would do either.
    Never(DecoyError),
}

impl From<LoadError> for Unopened {
    fn from(error: LoadError) -> Unopened {
        Unopened::Kernel(error)
    }
}

impl KernelDecoy {
    /// Opens it in the network namespace of the calling thread.
    pub fn open(request: &DecoyRequest) -> Result<KernelDecoy, Unopened> {
        let refused = |what| move |error: io::Error| Unopened::Kernel(LoadError::Refused(what, error));
        let range = Range::open().map_err(refused("tell which ports it gives to anybody"))?;
        let (tcp, udp) = covered(request, &range);
        if tcp.is_empty() && udp.is_empty() {
            return Err(Unopened::Never(DecoyError::NoPort(format!(
                "the kernel may give {} to anybody at any time; keep some from it by net.ipv4.ip_local_reserved_ports",
                crate::decoy::words(&range.ephemeral().ranges())
            ))));
        }
        let mut gaps = Vec::new();
        let answering = request.answer.then(|| Answering::open(request, &mut gaps)).transpose();
        let answering = answering.map_err(refused("open a socket"))?;
        let mut hooks = Hooks::load()?;
        let table = Table::of(hooks.map("places")?, hooks.map("counts")?)
            .map_err(refused("share memory with a program"))?;
        let ring = Ring::of(hooks.map("knocks")?).map_err(refused("share memory with a program"))?;
        table.set_netns(hooks::netns_cookie().map_err(refused("tell the namespace's cookie"))?);
        exclude(&hooks, request).map_err(refused("fill a map"))?;
        if let Some(answering) = &answering {
            for (index, fd) in answering.sockets() {
                let value = fd.as_raw_fd().to_ne_bytes();
                let taken = hooks.map("answering")?.update(&index.to_ne_bytes(), &value);
                taken.map_err(refused("take our socket"))?;
            }
        }
        // First we hear of every change, then we look, and only then anything is led to us: no moment is left out.
        hooks.attach_keeping(&mut gaps)?;
        let mut looks = Looks::open().map_err(no_dump)?;
        let (sockets, _) = looks.take().map_err(no_dump)?;
        for (cookie, place) in sockets {
            hold(&hooks, &table, cookie, place).map_err(refused("fill a map"))?;
        }
        let mut decoy = KernelDecoy {
            hooks,
            table,
            ring,
            answering,
            looks,
            range,
            asked: request.clone(),
            tcp,
            udp,
            missing: HashMap::new(),
            tells_bound: release() >= TELLS_BOUND,
            mended: Instant::now(),
            ranged: Instant::now(),
            netns: namespaces::own().unwrap_or(0),
            gaps,
        };
        decoy.cover();
        decoy.hooks.attach_choosing()?;
        Ok(decoy)
    }

    /// Hands out who came, and waits for somebody where nobody is there, or for one of those who are here to speak.
    pub fn wait(
        &mut self,
        timeout: Duration,
        here: &mut dyn Iterator<Item = &Visitor>,
        each: &mut dyn FnMut(Knock<'_>),
    ) -> io::Result<usize> {
        self.mend();
        let seen = self.hand_out(each)?;
        if seen > 0 || timeout.is_zero() {
            return Ok(seen);
        }
        let left = RANGE_EVERY.saturating_sub(self.ranged.elapsed()).max(Duration::from_millis(1));
        let timeout = Timespec::try_from(timeout.min(left)).map_err(io::Error::other)?;
        let mut fds = vec![PollFd::new(&self.ring, PollFlags::IN)];
        let own = self.answering.iter().flat_map(Answering::sockets);
        fds.extend(own.map(|(_, fd)| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        fds.extend(here.map(|visitor| PollFd::from_borrowed_fd(visitor.descriptor(), PollFlags::IN)));
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        self.hand_out(each)
    }

    fn hand_out(&mut self, each: &mut dyn FnMut(Knock<'_>)) -> io::Result<usize> {
        let mut seen = 0;
        // Taken first and told last: the kernel told of the knock before it let the connection be had.
        let visitors = self.answering.as_mut().map(Answering::accept).unwrap_or_default();
        let clock = Clock::now();
        self.ring.read(&mut |bytes| {
            if let Some(record) = knock_record::parse(bytes) {
                seen += 1;
                each(Knock::Packet {
                    at: clock.utc(record.at_ns),
                    transport: match record.protocol {
                        Protocol::UDP => Transport::Udp,
                        _ => Transport::Tcp,
                    },
                    peer: record.remote,
                    local: record.local,
                    answered: record.answered,
                });
            }
        });
        for visitor in visitors {
            seen += 1;
            each(Knock::Connection(visitor));
        }
        if let Some(answering) = &mut self.answering {
            seen += answering.receive(each);
        }
        Ok(seen)
    }

    /// What is covered.
    pub fn coverage(&self) -> Coverage {
        let ephemeral = self.range.ephemeral();
        Coverage {
            way: Way::Kernel,
            netns: self.netns,
            tcp: self.tcp.clone(),
            udp: self.udp.clone(),
            held_tcp: self.table.held(Transport::Tcp).and(&self.tcp),
            held_udp: self.table.held(Transport::Udp).and(&self.udp),
            ephemeral: self.asked.tcp.or(&self.asked.udp).and(&ephemeral),
            gaps: self.gaps.clone(),
        }
    }

    /// What became of packets so far.
    pub fn counts(&self) -> KnockCounts {
        let counted = self.table.counted();
        let dropped = self.answering.as_ref().map_or(0, Answering::dropped);
        KnockCounts {
            seen: counted.reported + self.answering.as_ref().map_or(0, Answering::received),
            lost: counted.unreported + dropped,
            passed: counted.passed,
            excluded: counted.excluded,
        }
    }

    fn cover(&mut self) {
        let level = if self.answering.is_some() { Level::Answer } else { Level::Report };
        self.table.cover(Transport::Tcp, &self.tcp, level);
        self.table.cover(Transport::Udp, &self.udp, level);
    }

    /// Compares what we believe with what is.
    fn mend(&mut self) {
        if self.ranged.elapsed() >= RANGE_EVERY {
            self.ranged = Instant::now();
            if self.range.changed() {
                (self.tcp, self.udp) = covered(&self.asked, &self.range);
                self.cover();
            }
        }
        let every = if self.hooks.whole { MEND_EVERY } else { MEND_OFTEN };
        if self.mended.elapsed() >= every {
            self.mended = Instant::now();
            if let Err(error) = self.compare() {
                self.note_once(format!("comparing the table with the kernel's sockets: {error}"));
            }
        }
    }

    fn compare(&mut self) -> io::Result<()> {
        // Those that we believe in come first: whatever is younger than that is not judged.
        let believed = self.hooks.held()?;
        let (sockets, whole) = self.looks.take().map_err(|error| io::Error::other(format!("{error:?}")))?;
        for (cookie, place) in &sockets {
            hold(&self.hooks, &self.table, *cookie, *place)?;
        }
        if !whole || !self.tells_bound {
            return Ok(());
        }
        let mut missing = HashMap::new();
        for (cookie, place) in believed {
            if sockets.contains_key(&cookie) {
                continue;
            }
            let misses = self.missing.get(&cookie).map_or(1, |before| before + 1);
            if misses < MISSES {
                missing.insert(cookie, misses);
            } else if self.hooks.held_map()?.delete(&cookie.to_ne_bytes())? {
                // Whoever takes it out of the table counts it off.
                self.table.hold(place, false);
            }
        }
        self.missing = missing;
        Ok(())
    }

    fn note_once(&mut self, what: String) {
        if self.gaps.iter().all(|gap| gap.what != what) && self.gaps.len() < 16 {
            self.gaps.push(Gap { area: Area::Sockets, reason: Reason::NoPermission, what, count: None });
        }
    }
}

/// Notes that a socket has a place, unless that is known.
fn hold(hooks: &Hooks, table: &Table, cookie: u64, place: u32) -> io::Result<()> {
    if hooks.held_map()?.insert(&cookie.to_ne_bytes(), &place.to_ne_bytes())? {
        table.hold(place, true);
    }
    Ok(())
}

fn no_dump(error: crate::linux::netlink::Error) -> Unopened {
    Unopened::Kernel(LoadError::Refused("tell its sockets", io::Error::other(format!("{error:?}"))))
}

/// What is asked for and no port of the range from which the kernel chooses.
fn covered(request: &DecoyRequest, range: &Range) -> (PortSet, PortSet) {
    let ephemeral = range.ephemeral();
    (request.tcp.without(&ephemeral), request.udp.without(&ephemeral))
}

/// Puts sources into the program's map that are to find the machine as it is.
fn exclude(hooks: &Hooks, request: &DecoyRequest) -> io::Result<()> {
    let map = hooks.map("excluded").map_err(|error| io::Error::other(error.to_string()))?;
    let put = |(address, bits): ([u8; 16], u32), excluded: u32| {
        let mut key = [0; 20];
        let (length, rest) = key.split_at_mut(4);
        length.copy_from_slice(&bits.to_ne_bytes());
        rest.copy_from_slice(&address);
        map.update(&key, &excluded.to_ne_bytes())
    };
    let v4 = ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], 96);
    if !request.v6 {
        put(([0; 16], 0), 1)?;
    }
    put(v4, u32::from(!request.v4))?;
    request.excluded.iter().map(Prefix::wide).try_for_each(|prefix| put(prefix, 1))
}

/// The kernel's version, as far as it is asked for.
fn release() -> (u32, u32) {
    let name = rustix::system::uname();
    let text = name.release().to_string_lossy().into_owned();
    let mut numbers =
        text.split(|letter: char| !letter.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Both clocks at one moment.
struct Clock {
    utc_ns: i64,
    forward_ns: i64,
}

impl Clock {
    fn now() -> Clock {
        let time = clock_gettime(ClockId::Monotonic);
        Clock {
            utc_ns: crate::now().as_ns(),
            forward_ns: time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec),
        }
    }

    /// The time of day at a moment of the clock that only goes forward.
    fn utc(&self, forward_ns: u64) -> Timestamp<Utc> {
        let ago = self.forward_ns.saturating_sub(i64::try_from(forward_ns).unwrap_or(i64::MAX)).max(0);
        Timestamp::from_ns(self.utc_ns.saturating_sub(ago))
    }
}
