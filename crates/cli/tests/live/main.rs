//! The whole of it on a live machine: sockets planted in namespaces of the test's own, strangers asked about the same
//! sockets, and the binary without privileges.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test stops where something is wrong, and says what it left out"
)]

mod agreed;
mod apart;
mod census;
mod churn;
mod decoy;
mod document;
mod drift;
mod events;
mod groups;
mod odd;
#[path = "../support/other_hand.rs"]
mod other_hand;
mod outputs;
mod pacing;
mod scene;
mod serve;
#[expect(dead_code, reason = "what these tests do not need, those of the pages do")]
mod stage;
mod strangers;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod tmux;
mod told;
mod top;
mod unprivileged;
mod wire;
