//! Bytes to types, one file per format. Nothing here makes a call, and nothing here panics.
//!
//! A binary parser is `pub fn parse(&[u8]) -> Result<T<'_>, Fault>`; a text format gives `(T, Vec<Fault>)`: what is
//! readable is kept, the rest is reported.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod apk;
pub mod btf;
pub mod cgroup;
pub mod cursor;
pub mod darwin_args;
pub mod darwin_socket;
pub mod dns;
pub mod dpkg;
pub mod elf;
pub mod fault;
pub mod frame;
pub mod holder_record;
pub mod hpack;
pub mod http;
pub mod http2;
pub mod intervals;
pub mod iptables;
pub mod mountinfo;
pub mod netlink;
pub mod nftables;
pub mod owner_record;
pub mod passwd;
pub mod port_list;
pub mod proc_net;
pub mod proc_stat;
pub mod proc_status;
pub mod published;
pub mod quic;
pub mod rpm_header;
pub mod sock_diag;
pub mod sqlite;
pub mod tls;
pub mod travelling;
pub mod unit_file;
pub mod windows_table;
pub mod xtables;

pub use fault::Fault;
pub use frame::{Frame, LinkType};
