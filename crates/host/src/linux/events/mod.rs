//! What the kernel tells of sockets as it happens, by `bpf/events.bpf.c`.
//!
//! Records lie in a ring until they are read. The reader looks there each 20 ms while something happens, and sleeps when
//! nothing does: the first record after that wakes it.

mod pending;
mod processes;

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use model::{Family, Happened, Kind, Reason, Seen, SocketEvent, Timestamp, Witness};
use rustix::time::ClockId;
use wire::event_record::{self, Record, SocketRecord, What};

use super::bpf::kernel_types::KernelTypes;
use super::bpf::loader::{Calls, Opened};
use super::bpf::maps::Maps;
use super::bpf::ring::Ring;
use super::bpf::sys::Shared;
use super::bpf::{LoadError, control_group};
use super::process::clock_ns;
use crate::events::table::{Moment, Table, Told};
use crate::events::{EventRequest, EventSource, rest};
use pending::Pending;
use processes::{Described, Processes};

/// Compiled from `bpf/events.bpf.c` by `cargo xtask bpf`.
const OBJECT: &[u8] = include_bytes!("../../../../../bpf/events.bpf.o");

/// How long records may gather while something happens all the time.
const PACE: Duration = Duration::from_millis(20);
/// After this long without a record, nobody looks until there is one.
const QUIET: Duration = Duration::from_millis(500);
/// The least and most memory for records.
const RING_BYTES: (usize, usize) = (1 << 18, 1 << 30);

/// A program of the object: its function, where it runs, what it shows, and whether the rest is a part without it.
struct Source {
    program: &'static str,
    name: &'static str,
    shows: &'static str,
    essential: bool,
}

const SOURCES: [Source; 8] = [
    Source {
        program: "state_changes",
        name: "tp_btf/inet_sock_set_state",
        shows: "listen(2) and its end, of every kind of stream socket",
        essential: true,
    },
    Source {
        program: "ends",
        name: "cgroup/sock_release",
        shows: "the end of datagram sockets, and of stream sockets that were bound",
        essential: true,
    },
    Source {
        program: "binds4",
        name: "cgroup/post_bind4",
        shows: "bind(2) to an IPv4 address",
        essential: true,
    },
    Source {
        program: "binds6",
        name: "cgroup/post_bind6",
        shows: "bind(2) to an IPv6 address",
        essential: true,
    },
    Source {
        program: "sends4",
        name: "cgroup/sendmsg4",
        shows: "datagram sockets that the kernel gives a port, at their first datagram to IPv4",
        essential: false,
    },
    Source {
        program: "sends6",
        name: "cgroup/sendmsg6",
        shows: "datagram sockets that the kernel gives a port, at their first datagram to IPv6",
        essential: false,
    },
    Source {
        program: "connects4",
        name: "cgroup/connect4",
        shows: "datagram sockets that the kernel gives a port, at connect(2) to IPv4",
        essential: false,
    },
    Source {
        program: "connects6",
        name: "cgroup/connect6",
        shows: "datagram sockets that the kernel gives a port, at connect(2) to IPv6",
        essential: false,
    },
];

/// The kernel's events.
#[derive(Debug)]
pub struct Kernel {
    ring: Ring,
    maps: Maps,
    /// The programs' variables, and the word that says whether we sleep: shared, so that reading and setting them takes no
    /// right that may be gone by then.
    variables: Shared,
    asleep: Shared,
    /// The programs run while these are open.
    _ties: Vec<OwnedFd>,
    processes: Processes,
    pending: Pending,
    last_read: Instant,
    last_record: Instant,
    /// Records that were not what we wrote the program for.
    damaged: u64,
}

/// What was read from the ring, in order.
#[derive(Debug, Default)]
struct Batch {
    described: Vec<Described>,
    sockets: Vec<SocketRecord>,
}

impl Kernel {
    /// Asks the kernel; tells what works, and whether that is everything that looks would show.
    pub(crate) fn open(request: &EventRequest) -> (Vec<EventSource>, Option<Kernel>, bool) {
        if !request.kernel {
            return (Vec::new(), None, false);
        }
        let mut sources: Vec<EventSource> = SOURCES
            .iter()
            .map(|source| EventSource { name: source.name, shows: source.shows, fault: None })
            .collect();
        match load(request, &mut sources, None) {
            Ok(kernel) => {
                let tied = SOURCES.iter().zip(&sources);
                let complete = tied.clone().all(|(source, told)| !source.essential || told.fault.is_none());
                let any = sources.iter().any(|source| source.fault.is_none());
                (sources, any.then_some(kernel), complete)
            }
            Err(error) => {
                for source in &mut sources {
                    source.fault = Some(error.to_string());
                }
                (sources, None, false)
            }
        }
    }

    /// Tells what has gathered; gives how many events that were.
    pub(crate) fn read(&mut self, table: &mut Table, take: &mut dyn FnMut(SocketEvent)) -> io::Result<usize> {
        let told_before = table.told;
        rest(PACE.saturating_sub(self.last_read.elapsed()));
        let batch = self.gather();
        let now = Instant::now();
        self.last_read = now;
        if !batch.sockets.is_empty() || !batch.described.is_empty() {
            self.last_record = now;
        }
        let forgotten = self.processes.learn(batch.described);
        if let Some(described) = self.maps.get("described") {
            for pid in forgotten {
                // Whoever acts again is described again. Numbers of another PID namespace find nothing.
                let _: io::Result<bool> = described.delete(&pid.to_ne_bytes());
            }
        }
        // Fresh for each batch: the system clock may have been set meanwhile.
        let boot_ns = clock_ns(ClockId::Realtime).saturating_sub(since_boot_ns());
        for record in &batch.sockets {
            let Some(kind) = kind_of(record.protocol) else { continue };
            let told = self.told(kind, record);
            let moment = Moment {
                at: Timestamp::from_ns(
                    boot_ns.saturating_add(i64::try_from(record.since_boot_ns).unwrap_or(i64::MAX)),
                ),
                steady_ns: record.since_boot_ns,
            };
            if let Some((happened, moment, told)) = self.pending.settle(told.cookie, told.local.port()) {
                tell(table, take, happened, moment, told);
            }
            // A stream socket that listened and was shut down first ends a second time when it is closed.
            let stream = !matches!(kind, Kind::Udp | Kind::UdpLite);
            if record.what == What::Closed && stream && !record.listened && !table.knows(&told.name()) {
                continue;
            }
            let happened = match record.what {
                What::Bound => Happened::Bound,
                What::AutoBound => Happened::AutoBound,
                What::Listening => Happened::Listening,
                What::Closed => Happened::Closed,
            };
            if happened != Happened::Closed && told.local.port() == 0 {
                self.pending.hold(happened, moment, told, now);
                continue;
            }
            tell(table, take, happened, moment, told);
        }
        for (happened, moment, told) in self.pending.resolve(now) {
            tell(table, take, happened, moment, told);
        }
        Ok(usize::try_from(table.told.saturating_sub(told_before)).unwrap_or(usize::MAX))
    }

    fn gather(&mut self) -> Batch {
        let mut batch = Batch::default();
        let mut damaged = 0;
        self.ring.read(&mut |bytes| match event_record::parse(bytes) {
            Ok(Record::Socket(socket)) => batch.sockets.push(socket),
            Ok(Record::Process(process)) => batch.described.push(Described::of(&process)),
            Err(_) => damaged += 1,
        });
        self.damaged += damaged;
        batch
    }

    fn told(&mut self, kind: Kind, record: &SocketRecord) -> Told {
        let (holder, cgroup) = if record.run.pid == 0 {
            (Seen::Hidden(Reason::OtherPidNamespace), None)
        } else {
            let (process, cgroup) = self.processes.of(record);
            (Seen::Value(process), cgroup)
        };
        Told {
            kind,
            family: match record.address {
                ip if record.v6 && ip.to_canonical().is_ipv4() => Family::Dual,
                ip if record.v6 && ip.is_unspecified() && !record.only_v6 => Family::Dual,
                _ if record.v6 => Family::V6,
                _ => Family::V4,
            },
            local: SocketAddr::new(record.address, record.port),
            interface: (record.interface != 0).then_some(record.interface),
            netns: record.netns,
            cookie: record.cookie,
            uid: Some(record.uid),
            holder,
            tid: (record.run.pid != 0).then_some(record.tid),
            cgroup,
        }
    }

    /// Waits for the next time to read.
    pub(crate) fn pause(&mut self, most: Duration) -> io::Result<()> {
        if self.last_record.elapsed() < QUIET {
            rest(most.min(PACE));
            return Ok(());
        }
        if let Some(asleep) = self.asleep.atomic32(0) {
            asleep.store(1, Ordering::SeqCst);
        }
        self.ring.wait(self.pending.due().map_or(most, |due| most.min(due)))
    }

    /// How many records there was no room for.
    pub(crate) fn lost(&self) -> u64 {
        let lost = self.variables.atomic64(0).map_or(0, |lost| lost.load(Ordering::Relaxed));
        lost.saturating_add(self.damaged)
    }
}

fn tell(
    table: &mut Table,
    take: &mut dyn FnMut(SocketEvent),
    happened: Happened,
    moment: Moment,
    told: Told,
) {
    let event = match happened {
        Happened::Closed => {
            let name = told.name();
            table.end(&name, Witness::Kernel, moment, (told.local.port() != 0).then_some(told))
        }
        other => table.begin(other, Witness::Kernel, moment, told),
    };
    event.into_iter().for_each(take);
}

fn kind_of(protocol: u16) -> Option<Kind> {
    Some(match protocol {
        6 => Kind::Tcp,
        262 => Kind::Mptcp,
        17 => Kind::Udp,
        136 => Kind::UdpLite,
        132 => Kind::Sctp,
        33 => Kind::Dccp,
        _ => return None,
    })
}

/// Loads every program that the kernel takes. `calls` is what they may call; `None` for the most that works.
fn load(
    request: &EventRequest,
    sources: &mut [EventSource],
    calls: Option<Calls>,
) -> Result<Kernel, LoadError> {
    let types = KernelTypes::open()?;
    let ring_bytes = request.ring_bytes.clamp(RING_BYTES.0, RING_BYTES.1).next_power_of_two();
    let entries = [("ring", u32::try_from(ring_bytes).unwrap_or(1 << 23))];
    let opened = Opened::of(OBJECT, &types, &entries)?;
    let refused = |what| move |error: io::Error| LoadError::Refused(what, error);
    let missing = || LoadError::NotSupported("program variables".into());
    let variables = opened.maps().get(".bss").ok_or_else(missing)?;
    variables
        .set_only_entry(&event_record::control(own_pid_namespace()))
        .map_err(refused("set a program's variables"))?;
    let ring = Ring::of(opened.maps().get("ring").ok_or_else(missing)?).map_err(refused("share memory"))?;
    let page = rustix::param::page_size();
    let share = |map, writable| Shared::map(map, 0, page, writable).map_err(refused("share memory"));
    let variables = share(variables, false)?;
    let asleep = share(opened.maps().get("asleep").ok_or_else(missing)?, true)?;
    let root = control_group::root();
    let mut ties = Vec::new();
    for (source, told) in SOURCES.iter().zip(sources) {
        let program = match calls {
            Some(calls) => opened.load_with(source.program, calls),
            None => opened.load(source.program),
        };
        let tied = program.and_then(|program| match &root {
            _ if !source.name.starts_with("cgroup/") => program.tie_here(),
            Ok(root) => program.tie_to(root.as_fd()),
            Err(error) => Err(LoadError::NotSupported(format!("open control group: {error}"))),
        });
        match tied {
            Ok(tie) => ties.push(tie),
            Err(error) => told.fault = Some(error.to_string()),
        }
    }
    let now = Instant::now();
    Ok(Kernel {
        ring,
        variables,
        asleep,
        maps: opened.into_maps(),
        _ties: ties,
        processes: Processes::new(),
        pending: Pending::new(),
        last_read: now,
        last_record: now,
        damaged: 0,
    })
}

/// Nanoseconds since boot.
pub(crate) fn since_boot_ns() -> i64 {
    clock_ns(ClockId::Boottime)
}

/// The inode number of our PID namespace; 0 for the first.
fn own_pid_namespace() -> u32 {
    // `PROC_PID_INIT_INO` in include/linux/proc_ns.h: the first PID namespace, which sees every process.
    const FIRST: u64 = 0xEFFF_FFFC;
    let inode = std::fs::metadata("/proc/self/ns/pid").map_or(FIRST, |metadata| metadata.ino());
    if inode == FIRST { 0 } else { u32::try_from(inode).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    /// What is told of our own sockets: kind, address, what happened.
    fn told(calls: Calls) -> Option<Vec<(Kind, SocketAddr, Vec<Happened>)>> {
        let mut sources: Vec<EventSource> = SOURCES
            .iter()
            .map(|source| EventSource { name: source.name, shows: source.shows, fault: None })
            .collect();
        let mut kernel = match load(&EventRequest::default(), &mut sources, Some(calls)) {
            Ok(kernel) => kernel,
            Err(error) => {
                eprintln!("SKIPPED: {error}");
                return None;
            }
        };
        assert!(sources.iter().all(|source| source.fault.is_none()), "{sources:?}");
        let mut ours: Vec<(Kind, SocketAddr, Vec<Happened>)> = Vec::new();
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let (tcp, udp) = (TcpListener::bind(address).unwrap(), UdpSocket::bind(address).unwrap());
            ours.push((Kind::Tcp, tcp.local_addr().unwrap(), Vec::new()));
            ours.push((Kind::Udp, udp.local_addr().unwrap(), Vec::new()));
        }
        let (mut table, mut count) = (Table::default(), 0);
        for _ in 0..300 {
            if count == 15 {
                break;
            }
            kernel.pause(Duration::from_millis(100)).unwrap();
            let mut take = |event: SocketEvent| {
                let own = event.holder.value().is_some_and(|process| process.pid == std::process::id());
                let known =
                    ours.iter_mut().find(|(kind, local, _)| (*kind, *local) == (event.kind, event.local));
                if let Some((_, _, happened)) = known.filter(|_| own) {
                    happened.push(event.happened);
                    count += 1;
                }
            };
            kernel.read(&mut table, &mut take).unwrap();
        }
        Some(ours)
    }

    #[test]
    fn an_older_kernel_tells_the_same() {
        for calls in [Calls::Functions, Calls::HelpersOnly] {
            for (kind, local, happened) in told(calls).into_iter().flatten() {
                let expected: &[Happened] = match kind {
                    Kind::Tcp => &[Happened::Bound, Happened::Listening, Happened::Closed],
                    _ => &[Happened::Bound, Happened::Closed],
                };
                assert_eq!(happened, expected, "{calls:?} {} {local}", kind.name());
            }
        }
    }
}
