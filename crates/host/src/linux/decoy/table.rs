//! The table of ports that the kernel program and we both write (`struct place`, `struct counts` in `bpf/decoy.bpf.c`).

use std::io;
use std::sync::atomic::Ordering;

use model::Transport;

use crate::decoy::PortSet;
use crate::linux::bpf::sys::Map;
use crate::linux::bpf::words::Words;

/// Ports of one transport.
const PORTS: u32 = 1 << 16;
/// 32-bit words of one place.
const PLACE_WORDS: usize = 2;

/// What is done with who comes to an empty port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It is none of ours.
    None = 0,
    /// It is told.
    Report = 1,
    /// It is told, and led to our socket.
    Answer = 2,
}

/// The table.
#[derive(Debug)]
pub struct Table {
    places: Words,
    counts: Words,
}

/// The number of a port's place.
pub fn place(transport: Transport, port: u16) -> u32 {
    u32::from(port) + if transport == Transport::Udp { PORTS } else { 0 }
}

/// What the program counted, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    pub reported: u64,
    pub unreported: u64,
    pub answered: u64,
    pub unanswered: u64,
    pub passed: u64,
    pub excluded: u64,
    pub untold: u64,
}

impl Table {
    /// Maps it.
    pub fn of(places: &Map, counts: &Map) -> io::Result<Table> {
        Ok(Table { places: Words::of(places)?, counts: Words::of(counts)? })
    }

    /// Notes which namespace's sockets count, by the kernel's cookie for it.
    pub fn set_netns(&self, cookie: u64) {
        let [a, b, c, d, e, f, g, h] = cookie.to_ne_bytes();
        for (at, word) in [[a, b, c, d], [e, f, g, h]].into_iter().enumerate() {
            if let Some(place) = self.counts.word(at) {
                place.store(u32::from_ne_bytes(word), Ordering::Release);
            }
        }
    }

    /// Adds to, or takes from, the number of sockets that have a place.
    pub fn hold(&self, place: u32, one_more: bool) {
        if let Some(holders) = self.places.word(place as usize * PLACE_WORDS) {
            if one_more {
                holders.fetch_add(1, Ordering::AcqRel);
            } else {
                holders.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    /// The ports of a transport that sockets have.
    pub fn held(&self, transport: Transport) -> PortSet {
        (1..=u16::MAX)
            .filter(|port| {
                let holders = self.places.word(place(transport, *port) as usize * PLACE_WORDS);
                holders.is_some_and(|holders| holders.load(Ordering::Acquire) != 0)
            })
            .collect()
    }

    /// Says which ports of a transport are covered, and how.
    pub fn cover(&self, transport: Transport, ports: &PortSet, level: Level) {
        for port in 1..=u16::MAX {
            if let Some(word) = self.places.word(place(transport, port) as usize * PLACE_WORDS + 1) {
                let wanted = if ports.has(port) { level } else { Level::None };
                word.store(wanted as u32, Ordering::Release);
            }
        }
    }

    /// What the program counted.
    pub fn counted(&self) -> Counted {
        let number = |at: usize| {
            let half = |at| self.counts.word(at).map_or(0, |word| word.load(Ordering::Acquire)).to_ne_bytes();
            let ([a, b, c, d], [e, f, g, h]) = (half(2 * at), half(2 * at + 1));
            u64::from_ne_bytes([a, b, c, d, e, f, g, h])
        };
        Counted {
            reported: number(1),
            unreported: number(2),
            answered: number(3),
            unanswered: number(4),
            passed: number(5),
            excluded: number(6),
            untold: number(7),
        }
    }
}
