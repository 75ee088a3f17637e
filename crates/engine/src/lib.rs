//! Facts joined into one read model, the [`View`], that every face reads: text, JSON, pages, fleets.
//!
//! The view is plain data. It is made once per look and never changes.

pub mod about;
pub mod board;
pub mod alerting;
pub mod capture_file;
pub mod control;
pub mod decoys;
pub mod census;
mod desks;
pub mod evidence;
pub mod exhibit;
mod grounds;
pub mod glob;
mod intake;
mod listening;
pub mod live;
pub mod nmos;
mod outcome;
pub mod owners;
mod reading;
pub mod receiving;
pub mod recording;
pub mod rtsp;
pub mod sanitise;
pub mod sending;
pub mod settings;
mod traffic_view;
mod view;
mod watching;

pub use grounds::{Grounds, today};
pub use outcome::{Outcome, Threshold};
pub use reading::{MediaSettings, Progress, Reading, read};
pub use traffic_view::{OwnedFlow, TrafficGrounds, TrafficView};
pub use view::{Counts, Door, Row, Verdict, View};
pub use watching::Watching;
