//! Linux: netlink, BPF iterators, /proc, cgroups, package databases.

pub mod bind_probe;
pub mod bpf;
pub mod forwards;
mod looker;
pub mod netlink;
pub mod port_rules;
pub mod proc_net;
pub mod process;
#[cfg(test)]
mod sandbox;

pub use looker::Looker;
