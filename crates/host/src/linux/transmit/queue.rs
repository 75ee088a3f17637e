//! Whether an interface's queue sends each packet at its time, and on which clock (tc-etf(8), tc-fq(8)).

use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use libc::sock_txtime;
use model::{Tai, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use wire::cursor::ne32;
use wire::netlink::{self, Request};

use super::pace::told_ahead_ns;
use crate::linux::datagram;
use crate::linux::netlink::Socket;

/// `RTM_NEWQDISC` and `RTM_GETQDISC`.
const QUEUE: u16 = 36;
const ASK_QUEUE: u16 = 38;
/// `struct tcmsg`: the interface's number stands behind the family and its filling.
const HEADER_BYTES: usize = 20;
const INTERFACE_AT: usize = 4;
/// `TCA_KIND`.
const KIND: u16 = 1;

/// A queue that knows times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launch {
    /// Earliest transmission first, on TAI.
    Etf,
    /// Fair queueing, on the monotonic clock.
    Fq,
}

impl Launch {
    /// As `tc` names it.
    pub fn kind(self) -> &'static str {
        match self {
            Launch::Etf => "etf",
            Launch::Fq => "fq",
        }
    }

    /// A time on the clock of the queue.
    pub fn on_clock(self, at: Timestamp<Tai>) -> u64 {
        let ns = match self {
            Launch::Etf => at.as_ns(),
            Launch::Fq => {
                let (utc, monotonic) = (read(ClockId::Realtime), read(ClockId::Monotonic));
                at.as_ns() - told_ahead_ns().unwrap_or(0) - utc + monotonic
            }
        };
        u64::try_from(ns).unwrap_or(0)
    }
}

fn read(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}

/// Has the socket send at times, if the interface's queue can; says why not.
pub fn begin(socket: BorrowedFd<'_>, local: IpAddr, interface: u32) -> Result<Launch, String> {
    let number = match interface {
        0 => owner(local).ok_or("which interface packets leave from is not known")?,
        number => number,
    };
    let kinds = kinds(number)?;
    let launch = if kinds.iter().any(|kind| kind == "etf") {
        Launch::Etf
    } else if kinds.iter().any(|kind| kind == "fq") {
        Launch::Fq
    } else {
        let lacks = if kinds.is_empty() {
            "the interface has no queue".to_owned()
        } else {
            format!("the interface's queue ({}) does not know times", kinds.join(", "))
        };
        return Err(format!("{lacks}: {}", remedy(number)));
    };
    if told_ahead_ns().is_none() {
        return Err("the kernel was not told TAI, so that its times would not be ours".to_owned());
    }
    // Report what missed its time (SOF_TXTIME_REPORT_ERRORS).
    let clockid = match launch {
        Launch::Etf => libc::CLOCK_TAI,
        Launch::Fq => libc::CLOCK_MONOTONIC,
    };
    let wish = sock_txtime { clockid, flags: 2 };
    match datagram::set(socket, libc::SOL_SOCKET, libc::SO_TXTIME, &wish) {
        Ok(()) => Ok(launch),
        Err(error) => Err(format!("the kernel does not take times: {error}")),
    }
}

/// How the administrator gives an interface a queue that knows times; it is not ours to change.
fn remedy(interface: u32) -> String {
    let all = crate::interfaces().unwrap_or_default();
    let name = all.iter().find(|each| each.index == interface).map_or("IFACE", |each| &each.name);
    format!("tc qdisc replace dev {name} root fq gives it one that does, where the kernel has fq")
}

/// The interface that has this address.
pub(super) fn owner(local: IpAddr) -> Option<u32> {
    let all = crate::interfaces().ok()?;
    let has = |each: &&crate::Interface| each.addresses.iter().any(|(address, _)| *address == local);
    all.iter().find(has).map(|each| each.index)
}

/// The kinds of queue of an interface.
fn kinds(interface: u32) -> Result<Vec<String>, String> {
    let ask = || -> Result<Vec<String>, crate::linux::netlink::Error> {
        let mut socket = Socket::open(None)?;
        let mut header = [0; HEADER_BYTES];
        if let Some(place) = header.get_mut(INTERFACE_AT..INTERFACE_AT + 4) {
            place.copy_from_slice(&interface.to_ne_bytes());
        }
        let mut request = Request::new(ASK_QUEUE, netlink::DUMP).body(&header);
        let mut kinds = Vec::new();
        socket.dump(&mut request, &mut kinds, Vec::clear, |kinds, message| {
            // An old kernel tells of all interfaces, whatever it is asked.
            if message.kind == QUEUE && ne32(message.payload, INTERFACE_AT) == Some(interface) {
                let told = message.payload.get(HEADER_BYTES..).unwrap_or_default();
                let kind = netlink::attributes(told).flatten().find(|each| each.kind == KIND);
                kinds.extend(
                    kind.map(|kind| String::from_utf8_lossy(kind.payload).trim_end_matches('\0').to_owned()),
                );
            }
        })?;
        Ok(kinds)
    };
    let mut kinds = ask().map_err(|_| "the kernel does not tell which queue the interface has".to_owned())?;
    kinds.retain(|kind| kind != "noqueue");
    kinds.dedup();
    Ok(kinds)
}
