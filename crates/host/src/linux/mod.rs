//! Linux: netlink, BPF iterators, /proc, cgroups, package databases.

mod looker;

pub use looker::Looker;
