//! Linux: netlink, BPF iterators, /proc, cgroups, package databases.

pub mod bpf;
mod looker;
pub mod netlink;
pub mod process;

pub use looker::Looker;
