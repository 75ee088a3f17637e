//! How fast packets and bytes come: differences of tallies between two times.

use std::collections::HashMap;
use std::net::SocketAddr;

use engine::TrafficView;
use model::{Service, Tally, Timestamp, Transport, Utc};

/// Two tallies that are nearer to each other than this say nothing of a rate.
const LEAST_NS: u64 = 900_000_000;

/// A service by its server, transport and protocol.
type Key = (SocketAddr, Transport, &'static str);

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rate {
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

impl Rate {
    fn add(&mut self, other: Rate) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// The rates of the last second, by service.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    taken: Option<Timestamp<Utc>>,
    tallies: HashMap<Key, Tally>,
    frames: (u64, u64),
    rates: HashMap<Key, Rate>,
    /// Of the whole wire.
    pub(super) whole: Rate,
}

fn key(service: &Service) -> Key {
    (service.server, service.transport, service.recognised.protocol.map_or("", |it| it.name))
}

impl Rates {
    /// What the tallies of now say beside those of a while ago; `None` where it is too early to tell.
    pub(super) fn next(&self, view: Option<&TrafficView>, now: Timestamp<Utc>) -> Option<Rates> {
        let passed = self.taken.map(|taken| now.as_ns().saturating_sub(taken.as_ns()));
        let passed = passed.map(|ns| u64::try_from(ns).unwrap_or(0));
        if passed.is_some_and(|ns| ns < LEAST_NS) {
            return None;
        }
        let per_second = |more: u64| {
            let ns = passed.unwrap_or(0);
            let scaled = (u128::from(more) * 1_000_000_000).checked_div(u128::from(ns)).unwrap_or(0);
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        let mut next = Rates { taken: Some(now), ..Rates::default() };
        let Some(traffic) = view.map(|view| &view.traffic) else { return Some(next) };
        for service in &traffic.services {
            next.tallies.entry(key(service)).or_default().add(&service.tally);
        }
        next.frames = (traffic.volume.frames, traffic.volume.wire_bytes);
        if passed.is_some() {
            for (key, tally) in &next.tallies {
                let before = self.tallies.get(key).copied().unwrap_or_default();
                let rate = Rate {
                    packets: per_second(tally.packets().saturating_sub(before.packets())),
                    bytes: per_second(tally.bytes().saturating_sub(before.bytes())),
                };
                if rate != Rate::default() {
                    next.rates.insert(*key, rate);
                }
            }
            next.whole = Rate {
                packets: per_second(next.frames.0.saturating_sub(self.frames.0)),
                bytes: per_second(next.frames.1.saturating_sub(self.frames.1)),
            };
        }
        Some(next)
    }

    /// Of one service.
    pub(super) fn of(&self, service: &Service) -> Rate {
        self.rates.get(&key(service)).copied().unwrap_or_default()
    }

    /// Of several together.
    pub(super) fn of_all<'s>(&self, services: impl Iterator<Item = &'s Service>) -> Rate {
        let mut sum = Rate::default();
        services.for_each(|service| sum.add(self.of(service)));
        sum
    }

    /// Whether nothing moves.
    pub(super) fn is_still(&self) -> bool {
        self.whole == Rate::default() && self.rates.is_empty()
    }
}
