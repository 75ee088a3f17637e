//! Linux: netlink, BPF iterators, /proc, cgroups, package databases.

pub mod bind_probe;
pub mod bpf;
pub mod capture;
pub(crate) mod confine;
mod container;
pub(crate) mod datagram;
pub mod decoy;
pub mod events;
pub mod forwards;
mod hidden;
mod holders;
pub mod interfaces;
mod join;
mod looker;
pub(crate) mod means;
pub mod memberships;
pub mod namespaces;
pub mod need;
pub mod netlink;
pub mod ourselves;
mod owners;
mod package;
pub mod peer;
pub mod port_rules;
pub mod privilege;
pub mod proc_fd;
pub mod proc_net;
pub mod process;
pub mod receive;
#[cfg(test)]
mod sandbox;
mod socket_option;
pub mod sockets;
pub mod transmit;
mod unit;

pub use looker::Looker;
