//! Linux: netlink, BPF iterators, /proc, cgroups, package databases.
