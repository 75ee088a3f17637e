//! NMOS documents: IS-04 resources and grains, IS-05 parameters, and the sessions they speak of (IS-04 v1.3, IS-05 v1.1).
//!
//! What is readable is kept, whichever of the versions 1.0 to 1.3 it is of; the rest is a list of [`Fault`]s.

use std::fmt;

mod client;
mod connection;
mod essence;
mod grain;
mod paging;
mod reading;
mod registry;
mod resource;
mod sessions;
#[cfg(test)]
mod tests;
mod url;

pub use client::{Answer, Ask, Client, Mode, Request, Ticket, Trouble};
pub use connection::{Active, Leg, TransportFile};
pub use essence::PAYLOAD_TYPE_NOT_SAID;
pub use grain::{Change, Grain, Subscription};
pub use paging::Paging;
pub use registry::Registry;
pub use resource::{
    Clock, ClockReference, Component, Control, Core, Device, Flow, Interface, Node, Receiver, Resource,
    Sender, Source,
};
pub use url::Url;

use model::{Tai, Timestamp};

/// Faults that are kept of one document; the rest is counted.
const MOST_FAULTS: usize = 64;

/// A place in a document that is not what its specification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901): `/3/interface_bindings`; empty for the whole document.
    pub at: String,
    /// What is wrong.
    pub what: &'static str,
}

/// Of a list that does not come to its end.
pub(crate) const BREAKS_OFF: &str = "not a list in JSON, or one that breaks off";

impl Fault {
    /// Whether what follows could not be read, so that nobody knows what is there.
    pub(crate) fn breaks_off(&self) -> bool {
        self.what == BREAKS_OFF
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.what, self.at)
    }
}

/// The faults of one document, as many as are worth telling.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Notes that a list breaks off, whether there is room or not.
    pub(crate) fn break_off(&mut self) {
        self.0.push(Fault { at: String::new(), what: BREAKS_OFF });
    }

    /// Notes one; `at` is asked only where there is room.
    pub(crate) fn note(&mut self, what: &'static str, at: impl FnOnce() -> String) {
        if self.0.len() < MOST_FAULTS {
            self.0.push(Fault { at: at(), what });
        }
    }

    /// All that were kept.
    pub(crate) fn list(self) -> Vec<Fault> {
        self.0
    }
}

/// The number of a resource: a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id(u128);

impl Id {
    /// From `3350d113-1593-4271-a7f5-f4974415bb8e`, in either case.
    pub fn parse(text: &str) -> Option<Id> {
        let groups = [8, 4, 4, 4, 12];
        let mut parts = text.split('-');
        let mut number = 0_u128;
        for length in groups {
            let part = parts.next().filter(|part| part.len() == length)?;
            for digit in part.chars() {
                number = number << 4 | u128::from(digit.to_digit(16)?);
            }
        }
        parts.next().is_none().then_some(Id(number))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] =
            [self.0 >> 96, self.0 >> 80 & 0xffff, self.0 >> 64 & 0xffff, self.0 >> 48 & 0xffff];
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", self.0 & 0xffff_ffff_ffff)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A time as NMOS writes it, `seconds:nanoseconds` of TAI.
pub fn parse_time(text: &str) -> Option<Timestamp<Tai>> {
    let (seconds, ns) = text.split_once(':')?;
    let plain =
        |part: &str| (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())).then_some(());
    plain(seconds)?;
    plain(ns)?;
    let ns: i64 = ns.parse().ok().filter(|ns| *ns < 1_000_000_000)?;
    let whole = seconds.parse::<i64>().ok()?.checked_mul(1_000_000_000)?;
    whole.checked_add(ns).map(Timestamp::from_ns)
}

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A machine.
    Node,
    /// A part of a machine.
    Device,
    /// Where essence comes from.
    Source,
    /// A form of a source's essence.
    Flow,
    /// What puts a flow on the network.
    Sender,
    /// What takes one from it.
    Receiver,
}

impl Kind {
    /// Every one, in the order in which they refer to each other.
    pub const ALL: [Kind; 6] =
        [Kind::Node, Kind::Device, Kind::Source, Kind::Flow, Kind::Sender, Kind::Receiver];

    /// As paths and topics write it: `senders`.
    pub const fn path(self) -> &'static str {
        match self {
            Kind::Node => "nodes",
            Kind::Device => "devices",
            Kind::Source => "sources",
            Kind::Flow => "flows",
            Kind::Sender => "senders",
            Kind::Receiver => "receivers",
        }
    }

    /// From a path or a topic, with slashes or without.
    pub fn from_path(path: &str) -> Option<Kind> {
        let plain = path.trim_matches('/');
        Kind::ALL.into_iter().find(|kind| kind.path() == plain)
    }
}

/// Which end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// It sends.
    Sender,
    /// It receives.
    Receiver,
}

impl Side {
    /// As paths of IS-05 write it: `senders`.
    pub const fn path(self) -> &'static str {
        match self {
            Side::Sender => "senders",
            Side::Receiver => "receivers",
        }
    }
}

/// What holds for any bytes; the fuzzer's target, and a test's. The first byte chooses the kind of document.
pub fn check(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let now = Timestamp::from_ns(0);
    let mut registry = Registry::new("fuzz");
    let kind = Kind::ALL.into_iter().nth(usize::from(first % 8)).unwrap_or(Kind::Sender);
    let side = if first & 0x40 == 0 { Side::Sender } else { Side::Receiver };
    let id = Id(u128::from(*first));
    let (resources, faults) = resource::parse_page(kind, body);
    assert!(faults.len() <= MOST_FAULTS);
    // A resource takes at least two bytes: nothing comes of a length that is merely claimed.
    assert!(resources.len() <= body.len() / 2 + 1);
    assert!(resources.iter().all(|resource| resource.kind() == kind));
    registry.handle_page(kind, body, now);
    assert!(registry.count(kind) <= resources.len());
    registry.handle_grain(body, now);
    let (active, _) = connection::parse_active(side, body);
    registry.handle_active(side, id, active, now);
    registry.handle_transport_file(id, body);
    for session in registry.sessions() {
        assert!(!session.identity.is_empty());
        assert!(session.legs.len() <= connection::MOST_LEGS && session.formats.len() <= 128);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        if let Some(id) = Id::parse(text) {
            assert_eq!(id.to_string(), text.to_ascii_lowercase());
        }
        if let Some(url) = Url::parse(text) {
            assert_eq!(Url::parse(&url.to_string()).as_ref(), Some(&url));
        }
        let paging = Paging::parse(&[("link".to_owned(), text.to_owned())]);
        assert!(paging.next.is_none_or(|next| next.len() <= text.len()));
    }
    client::check(bytes);
}
