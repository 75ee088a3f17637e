//! JPEG XS in RTP (RFC 9134, ST 2110-22).

pub mod check;
pub mod codestream;
mod depacketise;
pub mod header;
pub mod measure;
#[cfg(test)]
mod tests;

pub use depacketise::{Codestream, Depacketiser};
pub use header::{Part, Payload, parse};
pub use measure::Measure;
