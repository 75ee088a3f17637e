//! The nouns of the product: assignments, sockets, holders, gaps, findings.
//!
//! Plain data without behaviour towards the outside: nothing here reads a clock, a file or a socket, and nothing
//! here serialises. What is stored and what is sent to strangers have types of their own.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod assignment;
pub mod decoy;
pub mod event;
pub mod finding;
pub mod gap;
pub mod machine;
pub mod media;
pub mod process;
pub mod protocol;
pub mod seen;
pub mod snapshot;
pub mod socket;
pub mod time;
pub mod traffic;

pub use assignment::{Assignment, Status, Transport};
pub use decoy::{DecoyLevel, DecoyTouch, PortTally, Spoken, Visit};
pub use event::{EventCounts, Happened, SocketEvent, Witness};
pub use finding::{Code, Confidence, Evidence, Finding, Severity, Subject};
pub use gap::{Area, Gap, Reason};
pub use machine::{Forward, Machine, Namespace, PortRules};
pub use process::{
    Activation, Capabilities, Container, Exe, ExeState, Integrity, Manager, Package, Parent, Process,
    Runtime, Unit, UnitScope, User,
};
pub use protocol::{Appearance, Certainty, Certificate, Detail, Protocol, Recognised, Secrecy, Wandering};
pub use seen::Seen;
pub use snapshot::Snapshot;
pub use socket::{Family, Holder, How, Interface, Kind, Scope, Socket, State, Views};
pub use time::{Tai, Timestamp, Utc};
pub use traffic::{
    Beacon, Comment, CommentPlace, Direction, Flow, FlowState, MatchQuality, Scan, ScanKind, Service, Tally,
    Touch, Traffic, Volume, WireFault,
};
