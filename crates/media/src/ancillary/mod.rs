//! Ancillary data: reading it, and measuring its streams (RFC 8331, ST 291-1, ST 2110-40).

pub mod digital;
pub mod distribution;
pub mod format_description;
pub mod kind;
pub mod line21;
pub mod payload_identifier;
pub mod rules;
pub mod splicing;
pub mod teletext;
pub mod time_code;
pub mod window;
pub mod word;

mod check;
mod content;
mod measure;
mod payload;
mod screen;
#[cfg(test)]
mod tests;
mod timing;

pub use check::check;
pub use measure::Measure;
pub use payload::{
    AncillaryPacket, Field, HEADER_BYTES, Line, Offset, Packets, Payload, Place, parse, write_header,
    write_packet,
};
