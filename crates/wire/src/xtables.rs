//! The blocks of iptables (Linux `include/uapi/linux/netfilter/xt_*.h`, `nf_nat.h`): what matches and targets hold,
//! in the old tables and inside nftables rules that iptables wrote.

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::cursor::{array, be16, ne16, ne32};
use crate::intervals::Intervals;
use crate::published::{Packets, Target, addr_of};

/// `NF_NAT_RANGE_MAP_IPS`: there is an address.
const MAP_IPS: u32 = 1;
/// `NF_NAT_RANGE_PROTO_SPECIFIED`: there is a port.
const PROTO_SPECIFIED: u32 = 2;

/// Two ports in the machine's order, both included.
fn range(info: &[u8], at: usize) -> Option<(u128, u128)> {
    Some((u128::from(ne16(info, at)?), u128::from(ne16(info, at.checked_add(2)?)?)))
}

/// Keeps of `packets` what a match with this name, revision and block takes.
///
/// A match about anything but destination ports leaves the ports as they are and is noted as one more condition.
/// A block that is cut short is none we can judge: as if it were about something else.
pub fn narrow(packets: &mut Packets, name: &[u8], revision: u32, info: &[u8]) {
    let narrowed = match name {
        b"tcp" => flat(packets, 6, info, 4, 11, 2),
        b"udp" => flat(packets, 17, info, 4, 8, 2),
        b"sctp" => chunked(packets, info),
        b"dccp" => dccp(packets, info),
        b"multiport" => multiport(packets, revision, info),
        b"comment" => Some(()),
        _ => None,
    };
    if narrowed.is_none() {
        packets.partial = true;
    }
}

fn take(packets: &mut Packets, parts: impl IntoIterator<Item = (u128, u128)>, inverted: bool) {
    let set = Intervals::of(16, parts);
    let set = if inverted { set.not() } else { set };
    packets.port = packets.port.and(&set);
}

/// `struct xt_tcp` and `struct xt_udp`: destination ports at 4, one byte of inversions with `bit` for them.
fn flat(
    packets: &mut Packets,
    protocol: u128,
    info: &[u8],
    ports: usize,
    inverted: usize,
    bit: u8,
) -> Option<()> {
    let (parts, inverted) = (range(info, ports)?, *info.get(inverted)?);
    packets.protocol = packets.protocol.and(&Intervals::of(8, [(protocol, protocol)]));
    take(packets, [parts], inverted & bit != 0);
    if range(info, 0)? != (0, 65_535) || inverted & 1 != 0 {
        packets.partial = true;
    }
    Some(())
}

/// `struct xt_sctp_info`: destination ports first; behind 276 bytes about chunks, flags and inversions.
fn chunked(packets: &mut Packets, info: &[u8]) -> Option<()> {
    let (parts, flags, inverted) = (range(info, 0)?, ne32(info, 284)?, ne32(info, 288)?);
    packets.protocol = packets.protocol.and(&Intervals::of(8, [(132, 132)]));
    if flags & 2 != 0 {
        take(packets, [parts], inverted & 2 != 0);
    }
    packets.partial |= flags & !2 != 0;
    Some(())
}

/// `struct xt_dccp_info`: destination ports first, then source ports, flags and inversions.
fn dccp(packets: &mut Packets, info: &[u8]) -> Option<()> {
    let (parts, flags, inverted) = (range(info, 0)?, ne16(info, 8)?, ne16(info, 10)?);
    packets.protocol = packets.protocol.and(&Intervals::of(8, [(33, 33)]));
    if flags & 2 != 0 {
        take(packets, [parts], inverted & 2 != 0);
    }
    packets.partial |= flags & !2 != 0;
    Some(())
}

/// `struct xt_multiport` (revision 0) and `struct xt_multiport_v1`.
fn multiport(packets: &mut Packets, revision: u32, info: &[u8]) -> Option<()> {
    let (which, count) = (*info.first()?, usize::from(*info.get(1)?));
    if which != 1 || count > 15 || revision > 1 {
        // Source ports, or either: nothing certain about the destination.
        return None;
    }
    let mut parts = Vec::with_capacity(count);
    let mut index = 0;
    while index < count {
        let first = ne16(info, 2 + 2 * index)?;
        let is_range = revision == 1 && *info.get(32 + index)? != 0;
        index += usize::from(is_range);
        let last = if is_range && index < count { ne16(info, 2 + 2 * index)? } else { first };
        parts.push((u128::from(first), u128::from(last)));
        index += 1;
    }
    let inverted = revision == 1 && *info.get(47)? != 0;
    take(packets, parts, inverted);
    Some(())
}

/// What a target does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It sends packets elsewhere.
    Translate(Target),
    /// It does something that ends the chain or not; nothing for us.
    Other,
}

/// Reads a target with this name, revision and block; `None` if it should translate and the block is cut short.
pub fn action(name: &[u8], revision: u32, info: &[u8], v6: bool) -> Option<Action> {
    let target = match (name, revision) {
        // Only IPv4 has the oldest block (`struct nf_nat_ipv4_multi_range_compat`).
        (b"DNAT" | b"REDIRECT" | b"NETMAP", 0) if !v6 => compat_range(info)?,
        (b"DNAT" | b"REDIRECT" | b"NETMAP", _) => nat_range(info, v6)?,
        _ => return Some(Action::Other),
    };
    // A redirect goes to this machine, whatever the block says about addresses.
    let redirect = name == b"REDIRECT";
    Some(Action::Translate(Target {
        addr: target.addr.filter(|_| !redirect),
        varies: target.varies || name == b"NETMAP",
        ..target
    }))
}

fn compat_range(info: &[u8]) -> Option<Target> {
    let (flags, first, last) = (ne32(info, 4)?, array::<4>(info, 8)?, array::<4>(info, 12)?);
    Some(between(flags, (first.into(), last.into()), (be16(info, 16)?, be16(info, 18)?)))
}

/// `struct nf_nat_range`, which `struct nf_nat_range2` begins with.
fn nat_range(info: &[u8], v6: bool) -> Option<Target> {
    let (first, last) = (addr_of(info.get(4..20)?, v6)?, addr_of(info.get(20..36)?, v6)?);
    Some(between(ne32(info, 0)?, (first, last), (be16(info, 36)?, be16(info, 38)?)))
}

fn between(flags: u32, addrs: (IpAddr, IpAddr), ports: (u16, u16)) -> Target {
    let (has_addr, has_port) = (flags & MAP_IPS != 0, flags & PROTO_SPECIFIED != 0);
    Target {
        addr: has_addr.then_some(addrs.0),
        port: has_port.then_some(ports.0),
        varies: (has_addr && addrs.0 != addrs.1) || (has_port && ports.0 != ports.1),
    }
}
