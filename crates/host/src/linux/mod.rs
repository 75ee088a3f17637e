//! Linux: netlink, BPF iterators, /proc, cgroups, package databases.

mod looker;
pub mod process;

pub use looker::Looker;
