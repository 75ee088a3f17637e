//! Link layers, one file per protocol: from the first byte of a frame to what it carries.

pub mod ethernet;
pub mod ieee80211;
pub mod llc;
pub mod loopback;
pub mod macsec;
pub mod mpls;
pub mod nflog;
pub mod pktap;
pub mod ppi;
pub mod ppp;
pub mod prism;
pub mod radiotap;
pub mod rarer;
pub mod sll;

mod check;
mod ether_type;

pub use check::check;
pub use ether_type::EtherType;
