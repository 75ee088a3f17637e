//! Facts joined into one read model, the [`View`], that every face reads: text, JSON, pages, fleets.
//!
//! The view is plain data. It is made once per look and never changes.

pub mod capture_file;
mod outcome;
pub mod owners;
mod view;

pub use outcome::{Outcome, Threshold};
pub use view::{Counts, Door, Row, Verdict, View};
