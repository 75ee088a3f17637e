//! The network interfaces of this machine, and which addresses are its own.

use std::net::IpAddr;

/// One network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The number that the system gives it.
    pub index: u32,
    /// Whether it is switched on.
    pub up: bool,
    /// What the first byte of its frames begins.
    pub link: wire::LinkType,
    /// Its addresses, each with the number of leading bits that its network has.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// Every interface of the network namespace that the calling thread is in, by number.
pub fn interfaces() -> Result<Vec<Interface>, model::Reason> {
    #[cfg(target_os = "linux")]
    return crate::linux::interfaces::list().map_err(|_| model::Reason::Unknown);
    #[cfg(not(target_os = "linux"))]
    Err(model::Reason::NotSupported)
}
