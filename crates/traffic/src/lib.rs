//! Frames to facts: flows, reassembly, recognised protocols, scans, beacons. No clock, no file, no socket, no thread.
//!
//! Time is always the packet's time, so a file and a live interface give the same facts.

mod beacon;
mod certificate;
mod community;
mod config;
mod entry;
mod expected;
mod fields;
mod fingerprint;
mod hash;
mod heard;
mod hearing;
mod hello;
mod initial;
mod key;
mod knock;
mod lines;
mod names;
mod number;
mod observer;
mod part;
pub mod protocol;
pub mod recognise;
mod service;
mod shard;
mod sign;
mod table;
pub mod talk;
mod when;

pub use community::community_id;
pub use config::{Config, TimeOuts};
#[doc(hidden)]
pub use observer::check::check as check_frames;
pub use observer::{Observer, Shown};
pub use part::{Part, merge};
pub use recognise::{Opinion, recognise};
pub use shard::{is_of, shard_of};
pub use talk::{Said, Talk};
