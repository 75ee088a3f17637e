//! Frames to facts: flows, reassembly, recognised protocols, scans, beacons. No clock, no file, no socket, no thread.
//!
//! Time is always the packet's time, so a file and a live interface give the same facts.

mod fields;
pub mod protocol;
pub mod recognise;
mod sign;
pub mod talk;

pub use recognise::{Opinion, recognise};
pub use talk::{Said, Talk};
