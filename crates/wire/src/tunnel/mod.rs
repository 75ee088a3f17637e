//! Protocols that carry packets of others, one file each; those over UDP are told from their bytes, never by port.

pub mod erspan;
pub mod geneve;
pub mod gre;
pub mod gtp;
pub mod vxlan;
