//! Alerts that leave this program, with receivers that are not ours.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test a panic is how it fails"
)]

mod failing;
mod records;
mod stage;
mod web;
