//! Bytes to types, one file per format: packets, captures, netlink, text of the system. Nothing here makes a call,
//! and nothing here panics.
//!
//! A binary parser is `pub fn parse(&[u8]) -> Result<T<'_>, Fault>`; a text format gives `(T, Vec<Fault>)`: what is
//! readable is kept, the rest is reported.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod address;
pub mod apk;
pub mod ber;
pub mod btf;
pub mod capture;
pub mod cgroup;
pub mod checksum;
pub mod coalesced;
pub mod cursor;
pub mod darwin_args;
pub mod darwin_socket;
pub mod dccp;
pub mod dns;
pub mod dpkg;
pub mod elf;
pub mod event_record;
pub mod fault;
pub mod few;
pub mod filter;
pub mod fragments;
pub mod frame;
pub mod holder_record;
pub mod hpack;
pub mod http;
pub mod http2;
pub mod icmp;
pub mod igmp;
pub mod intervals;
pub mod ipsec;
pub mod iptables;
pub mod ipv4;
pub mod ipv6;
pub mod joined_record;
pub mod knock_record;
pub mod link;
#[cfg(test)]
mod made;
pub mod memberships;
pub mod mld;
pub mod mountinfo;
pub mod netlink;
pub mod nftables;
pub mod onc_rpc;
pub mod owner_record;
pub mod packet;
pub mod passwd;
pub mod port_list;
pub mod proc_net;
pub mod proc_stat;
pub mod proc_status;
pub mod protocol;
pub mod published;
pub mod quic;
pub mod rest;
pub mod rpm_header;
pub mod rtcp;
pub mod rtnetlink;
pub mod rtp;
pub mod sctp;
pub mod sock_diag;
pub mod sqlite;
pub mod tcp;
pub mod tls;
pub mod travelling;
pub mod tunnel;
pub mod udp;
pub mod unit_file;
pub mod windows_table;
pub mod xtables;

pub use fault::Fault;
pub use frame::{Frame, LinkType};
