//! Link layers, one file per protocol: from the first byte of a frame to what it carries.

pub mod ethernet;
pub mod ieee80211;
pub mod llc;
pub mod loopback;
pub mod mpls;
pub mod ppp;
pub mod radiotap;
pub mod sll;

mod check;
mod ether_type;

pub use check::check;
pub use ether_type::EtherType;
