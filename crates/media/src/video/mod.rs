//! Uncompressed video in RTP (RFC 4175, ST 2110-20).

pub mod header;
pub mod pack;
pub mod pgroup;
pub mod unpack;

pub use header::{Payload, Segment, parse};
pub use pgroup::{Order, Pgroup, rows_of_field};
