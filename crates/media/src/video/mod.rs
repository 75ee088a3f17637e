//! Uncompressed video in RTP (RFC 4175, ST 2110-20).

mod assemble;
pub mod check;
pub mod coverage;
mod detect;
mod detect_raster;
#[cfg(test)]
mod detect_tests;
pub mod header;
mod measure;
#[cfg(test)]
mod measure_tests;
pub mod pack;
pub mod pgroup;
mod rate;
pub mod rules;
pub mod timeline;
mod unit;
pub mod unpack;
mod waiting;

pub use assemble::Assembler;
pub use detect::{Detection, Detector};
pub use header::{Payload, Segment, parse};
pub use measure::{BLOCK_BYTES, Measure, STANDARD_UDP_BYTES};
pub use pgroup::{Order, Pgroup, rows_of_field};
