//! The census: the registry against use on this machine, so that one sees which chairs are taken, by whom, and which
//! are empty.
//!
//! Pure computing: paper and attendance in, counts and lists out. Whoever knows of more use than one look shows (the
//! history) adds it to the [`Attendance`].

mod attendance;
mod chair;
mod roll;

pub use attendance::{Attendance, Fit, Remembered, Use};
pub use chair::{Chair, Seat};
pub use roll::{Candidate, Census, Range, Roll, Tally, WELL_KNOWN};

#[cfg(test)]
mod tests;
