//! On a live Linux machine: what hides from one way of looking, and what nobody holds.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "in a test a panic is how it fails, and what it skips is said on standard error"
)]

mod capture;
mod events;
mod hidden;
mod places;
mod stage;
mod unheld;
mod wires;
