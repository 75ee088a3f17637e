//! Facts joined into one read model, the [`View`], that every face reads: text, JSON, pages, fleets.
//!
//! The view is plain data. It is made once per look and never changes.

pub mod about;
pub mod alerting;
pub mod board;
pub mod capture_file;
pub mod census;
pub mod control;
pub mod decoys;
mod desks;
pub mod evidence;
pub mod exhibit;
pub mod glob;
mod grounds;
mod intake;
mod listening;
pub mod live;
pub mod nmos;
mod outcome;
pub mod owners;
pub mod plots;
mod reading;
pub mod receiving;
pub mod recording;
pub mod rtsp;
pub mod sanitise;
pub mod sending;
pub mod serving;
pub mod settings;
pub mod showcase;
mod traffic_view;
mod view;
mod watching;

pub use grounds::{Grounds, today};
pub use live::nothing_seen;
pub use outcome::{Outcome, Threshold};
pub use reading::{MediaSettings, Progress, Reading, read};
pub use traffic_view::{OwnedFlow, TrafficGrounds, TrafficView};
pub use view::{Counts, Door, Row, Verdict, View};
pub use watching::{FrameKeeper, Roll, Watching};

// What the faces need of the crates below, and which they may not ask themselves.
pub use host::{need, now, own_user, peer_user, tls};
pub use registry::{self, Paper};
pub use store::{self, Sighting};
pub use verdict::{self, Accepted, Policy};
