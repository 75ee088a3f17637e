//! Professional media without I/O: what was agreed, what came, how well, and how it is made.
//!
//! Documents ([`sdp`], [`sap`], [`rtsp`], [`nmos`]) become [`model::media::Session`]s; packets become measured
//! [`model::media::Stream`]s. Time is always the packet's time.

pub mod am824;
pub mod ancillary;
pub mod audio;
pub mod bundle;
pub mod clock;
mod described;
pub mod hitless;
pub mod jpeg_xs;
pub mod make;
pub mod membership;
pub mod metadata;
pub mod monitor;
pub mod nmos;
pub mod packet;
#[cfg(test)]
mod pcap_tests;
pub mod picture;
pub mod plot;
pub mod ptp;
pub mod reception;
#[cfg(test)]
mod recordings_tests;
pub mod rtsp;
pub mod sap;
pub mod sdp;
pub mod shaping;
pub mod sound;
pub mod tally;
pub mod timed_text;
pub mod video;

pub use packet::Packet;
pub use tally::Tally;
