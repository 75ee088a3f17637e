//! Alerts that leave this program, with receivers that are not ours.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test stops where something is wrong, and says what it skips"
)]

mod failing;
mod records;
mod stage;
mod web;
