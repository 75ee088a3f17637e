//! PTP: its messages, and what is seen of clocks that speak it (IEEE 1588, ST 2059-2).
//!
//! The texts of IEEE and SMPTE were not read; the places of the fields are those on which public notes, linuxptp and
//! tshark agree.

pub mod management;
pub mod message;
pub mod rules;
pub mod tlv;
pub mod version1;

mod best;
mod check;
mod domain;
mod observer;
mod peer;
mod port;
mod profile;
#[cfg(test)]
mod tests;

pub use check::check;
pub use message::{Announce, Body, Header, Kind, Message, parse};
pub use observer::{Arrival, Observer};

/// The port of messages that are time-stamped.
pub const EVENT_PORT: u16 = 319;
/// The port of all other messages.
pub const GENERAL_PORT: u16 = 320;
/// The EtherType of PTP.
pub const ETHER_TYPE: u16 = 0x88f7;
