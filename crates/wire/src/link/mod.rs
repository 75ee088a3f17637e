//! Link layers, one file per protocol: from the first byte of a frame to what it carries.

pub mod ethernet;
pub mod sll;

mod ether_type;

pub use ether_type::EtherType;
