//! A simulated world with a virtual clock: what hosts do, and what the observer says of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is how it fails")]
#![expect(clippy::indexing_slicing, reason = "in a test a panic is how it fails")]

mod agreed;
mod bounds;
mod directions;
mod made;
mod recorded;
mod scans;
mod shards;
mod windows;

use std::net::SocketAddr;

use made::Tape;
use model::{Service, Traffic};
use portreeve_traffic::{Config, Observer};

pub(crate) fn end(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

pub(crate) fn config() -> Config {
    Config { memory_bytes: 64 << 20, seed: 42, ..Config::default() }
}

pub(crate) fn watch(tape: &Tape, config: Config) -> Observer {
    let mut observer = Observer::new(config);
    for (index, frame) in tape.frames().enumerate() {
        observer.handle(&frame, index as u64 + 1);
    }
    observer
}

pub(crate) fn facts(tape: &Tape) -> Traffic {
    watch(tape, config()).finish()
}

/// The only service at this endpoint.
pub(crate) fn service<'a>(traffic: &'a Traffic, server: &str) -> &'a Service {
    let mut found = traffic.services.iter().filter(|service| service.server == end(server));
    let service = found.next().unwrap_or_else(|| panic!("nothing at {server}: {:?}", traffic.services));
    assert!(found.next().is_none(), "several at {server}: {:?}", traffic.services);
    service
}

pub(crate) fn protocol(service: &Service) -> Option<&'static str> {
    service.recognised.protocol.map(|protocol| protocol.name)
}

/// Every packet is at a flow, or counted by what it is.
pub(crate) fn conserved(traffic: &Traffic, frames: usize) {
    let volume = &traffic.volume;
    let unread: u64 = traffic.unread_links.iter().map(|(_, frames)| frames).sum();
    assert_eq!(volume.frames, frames as u64);
    assert!(volume.not_ip + volume.portless + volume.damaged + volume.fragments + unread <= volume.frames);
}
