//! The old iptables tables as `getsockopt` gives them (Linux `include/uapi/linux/netfilter_ipv4/ip_tables.h`,
//! `netfilter_ipv6/ip6_tables.h`, `netfilter/x_tables.h`): one block of entries, jumps by offset.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::Fault;
use crate::cursor::{array, ne16, ne32};
use crate::intervals::Intervals;
use crate::published::{Collector, Packets, Published};
use crate::xtables::{self, Action};

/// Bytes of `struct ipt_getinfo`.
pub const INFO_BYTES: usize = 84;
/// Bytes before the entries in `struct ipt_get_entries`: name, size, and what alignment adds.
pub const ENTRIES_AT: usize = 40;

/// Entries looked at, over all jumps.
const MAX_STEPS: u32 = 300_000;
/// Jumps within jumps; iptables itself refuses loops.
const MAX_DEPTH: u32 = 64;

/// Where the chains of a table begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Which hooks the table has, as bits.
    hooks: u32,
    /// Where each hook's chain begins.
    entries: [u32; 5],
    /// Where its policy is.
    policies: [u32; 5],
    /// Bytes of all entries.
    pub size: u32,
}

/// Parses `struct ipt_getinfo`, the same for IPv4 and IPv6.
pub fn parse_info(bytes: &[u8]) -> Result<Info, Fault> {
    let word =
        |at| ne32(bytes, at).ok_or(Fault { layer: "iptables", at, what: "the table's head is cut short" });
    let five = |at| Ok([word(at)?, word(at + 4)?, word(at + 8)?, word(at + 12)?, word(at + 16)?]);
    Ok(Info { hooks: word(32)?, entries: five(36)?, policies: five(56)?, size: word(80)? })
}

/// One entry.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    /// The address conditions.
    head: &'a [u8],
    matches: &'a [u8],
    target: &'a [u8],
    next: usize,
}

/// Where the parts of an entry lie; IPv6 has longer addresses.
struct Layout {
    v6: bool,
    addr_bytes: usize,
    protocol: usize,
    flags: usize,
    inverted: usize,
    target_offset: usize,
    matches: usize,
}

const V4: Layout = Layout {
    v6: false,
    addr_bytes: 4,
    protocol: 80,
    flags: 82,
    inverted: 83,
    target_offset: 88,
    matches: 112,
};
const V6: Layout = Layout {
    v6: true,
    addr_bytes: 16,
    protocol: 128,
    flags: 131,
    inverted: 132,
    target_offset: 140,
    matches: 168,
};

/// Bytes of `struct xt_entry_match` and `struct xt_entry_target` before their blocks.
const BLOCK_HEAD: usize = 32;

fn entry<'a>(table: &'a [u8], at: usize, layout: &Layout) -> Option<Entry<'a>> {
    let rest = table.get(at..)?;
    let target = usize::from(ne16(rest, layout.target_offset)?);
    let next = usize::from(ne16(rest, layout.target_offset + 2)?);
    Some(Entry {
        head: rest.get(..layout.matches)?,
        matches: rest.get(layout.matches..target)?,
        target: rest.get(target..next).filter(|block| block.len() >= BLOCK_HEAD)?,
        next: at.checked_add(next)?,
    })
}

/// Name, revision and contents of a match or target, and how long it is in all.
fn block(bytes: &[u8]) -> Option<(&[u8], u32, &[u8], usize)> {
    let size = usize::from(ne16(bytes, 0)?);
    let name = bytes.get(2..31)?.split(|byte| *byte == 0).next()?;
    Some((name, u32::from(*bytes.get(31)?), bytes.get(BLOCK_HEAD..size)?, size))
}

struct Walk<'a> {
    table: &'a [u8],
    layout: Layout,
    netns: u32,
    steps: u32,
    found: Collector,
}

/// The forwards of a `nat` table, given its entries.
pub fn forwards(info: &Info, table: &[u8], v6: bool, netns: u32) -> Published {
    let layout = if v6 { V6 } else { V4 };
    let mut walk = Walk { table, layout, netns, steps: MAX_STEPS, found: Collector::default() };
    // NF_INET_PRE_ROUTING, NF_INET_LOCAL_OUT
    for (hook, name, own) in [(0_usize, "PREROUTING", false), (3, "OUTPUT", true)] {
        let (Some(from), Some(to)) = (info.entries.get(hook), info.policies.get(hook)) else { continue };
        if info.hooks >> hook & 1 == 1 {
            let packets = Packets { own, ..Packets::all(!v6, v6) };
            walk.chain(*from as usize, Some(*to as usize), name, &packets, 0);
        }
    }
    walk.found.finish()
}

impl Walk<'_> {
    /// Walks from an offset to a policy, or to the end of a chain of the user's.
    fn chain(&mut self, from: usize, to: Option<usize>, name: &str, packets: &Packets, depth: u32) {
        if depth > MAX_DEPTH {
            self.found.drop_one();
            return;
        }
        // What led here is no condition of the rules here.
        let packets = &Packets { partial: false, ..packets.clone() };
        let mut at = from;
        while Some(at) != to {
            let Some(left) = self.steps.checked_sub(packets.weight()) else { return self.found.drop_one() };
            self.steps = left;
            let Some(entry) = entry(self.table, at, &self.layout) else {
                // The end of the table is no damage; an entry that lies outside is.
                if at < self.table.len() {
                    self.found.damage_one();
                }
                return;
            };
            at = entry.next;
            let Some(taken) = self.narrow(&entry, packets) else {
                self.found.damage_one();
                continue;
            };
            let Some((target, revision, block, _)) = block(entry.target) else {
                self.found.damage_one();
                continue;
            };
            // The head of the next chain, or the end of the table.
            if target == b"ERROR" {
                return;
            }
            let unconditional = taken == *packets;
            if target.is_empty() {
                let Some(verdict) = ne32(block, 0).map(u32::cast_signed) else { continue };
                if let Ok(offset) = usize::try_from(verdict) {
                    // A verdict that is not negative is a jump; one to the next entry is a rule that only counts.
                    if offset != at && !taken.is_empty() {
                        let there = self.name_before(offset).unwrap_or_else(|| String::from(name));
                        self.chain(offset, None, &there, &taken, depth.saturating_add(1));
                    }
                } else if unconditional {
                    return;
                }
                continue;
            }
            match xtables::action(target, revision, block, self.layout.v6) {
                Some(Action::Translate(target)) => {
                    let tool = if self.layout.v6 { "ip6tables" } else { "iptables" };
                    self.found.add(&taken, target, &format!("{tool} nat {name}"), self.netns);
                    if unconditional {
                        return;
                    }
                }
                Some(Action::Other) => {}
                None => self.found.damage_one(),
            }
        }
    }

    /// The packets that an entry takes of those that come; `None` if it is damaged.
    fn narrow(&self, entry: &Entry<'_>, packets: &Packets) -> Option<Packets> {
        let (layout, head) = (&self.layout, entry.head);
        let mut taken = packets.clone();
        let (flags, inverted) = (*head.get(layout.flags)?, *head.get(layout.inverted)?);
        let field = |index: usize| head.get(index * layout.addr_bytes..)?.get(..layout.addr_bytes);
        let (source_mask, target, target_mask) = (field(2)?, field(1)?, field(3)?);
        taken.partial |= source_mask.iter().any(|byte| *byte != 0);
        let set = covered(target, target_mask);
        match set {
            // IPT_INV_DSTIP
            Some(set) => {
                let set = if inverted & 0x10 != 0 { set.not() } else { set };
                let mine = if layout.v6 { &mut taken.v6 } else { &mut taken.v4 };
                *mine = mine.and(&set);
            }
            None => taken.partial = true,
        }
        let names = layout.addr_bytes * 4;
        let (interface, mask) = (head.get(names..names + 16)?, head.get(names + 32..names + 48)?);
        let out_mask = head.get(names + 48..names + 64)?;
        taken.partial |= out_mask.iter().any(|byte| *byte != 0);
        if mask.iter().any(|byte| *byte != 0) {
            taken.partial = true;
            // IPT_INV_VIA_IN
            if inverted & 1 == 0 {
                // The mask covers a whole name with its NUL; of `eth+` it covers `eth`.
                let covered = mask.iter().take_while(|byte| **byte != 0).count();
                let mut parts = interface.get(..covered)?.splitn(2, |byte| *byte == 0);
                let name = String::from_utf8_lossy(parts.next()?);
                let end = if parts.next().is_some() { "" } else { "+" };
                taken.interface = Some(format!("{name}{end}"));
            }
        }
        let protocol = u128::from(ne16(head, layout.protocol)?);
        // In IPv6 IP6T_F_PROTO says that there is a protocol; IPT_INV_PROTO turns it round in both.
        if protocol != 0 && (!layout.v6 || flags & 1 != 0) {
            let set = Intervals::of(8, [(protocol, protocol)]);
            let set = if inverted & 0x40 != 0 { set.not() } else { set };
            taken.protocol = taken.protocol.and(&set);
        }
        // Fragments, type of service, and inverted sources.
        taken.partial |= inverted & !0x51 != 0 || flags & 4 != 0;
        let mut rest = entry.matches;
        while !rest.is_empty() {
            let (name, revision, info, size) = block(rest)?;
            xtables::narrow(&mut taken, name, revision, info);
            rest = rest.get(size..)?;
        }
        Some(taken)
    }

    /// The name of the chain that begins at an offset: it stands in the entry before.
    fn name_before(&self, offset: usize) -> Option<String> {
        // An ERROR entry has no matches: its head, and a target with a name of 30 bytes, aligned to eight.
        let bytes = self.layout.matches + BLOCK_HEAD + 32;
        let head = entry(self.table, offset.checked_sub(bytes)?, &self.layout)?;
        let (target, _, block, _) = block(head.target)?;
        let name = block.get(..30)?.split(|byte| *byte == 0).next()?;
        (target == b"ERROR" && head.next == offset).then(|| String::from_utf8_lossy(name).into_owned())
    }
}

/// The addresses that an address and its mask stand for; `None` where they do not lie side by side.
fn covered(addr: &[u8], mask: &[u8]) -> Option<Intervals> {
    let bits = u32::try_from(addr.len() * 8).ok()?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    let (addr, mask) = (number(addr), number(mask));
    let max = u128::MAX.checked_shr(128 - bits)?;
    let rest = max.checked_shr(mask.count_ones()).unwrap_or(0);
    (mask | rest == max).then(|| Intervals::of(bits, [(addr & mask, (addr & mask) | rest)]))
}

/// Reads the names in `ip_tables_names` and `ip6_tables_names`.
pub fn has_nat(names: &[u8]) -> bool {
    names.split(|byte| *byte == b'\n').any(|name| name == b"nat")
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let mut packets = Packets::all(true, true);
    let before = packets.clone();
    for (name, revision) in [(&b"tcp"[..], 0), (b"udp", 0), (b"sctp", 0), (b"dccp", 0), (b"multiport", 1)] {
        xtables::narrow(&mut packets, name, revision, bytes);
        // A match only takes away.
        assert_eq!(packets.port.and(&before.port), packets.port);
        assert_eq!(packets.protocol.and(&before.protocol), packets.protocol);
    }
    let Ok(info) = parse_info(bytes) else { return };
    let table = array::<INFO_BYTES>(bytes, 0).and_then(|_| bytes.get(INFO_BYTES..)).unwrap_or_default();
    let names: Vec<bool> = [false, true]
        .into_iter()
        .flat_map(|v6| {
            let found = forwards(&info, table, v6, 1);
            assert!(found.list.is_sorted_by_key(|forward| (forward.transport, forward.first)));
            assert!(found.list.iter().all(|forward| forward.first >= 1 && forward.first <= forward.last));
            assert_eq!(forwards(&info, table, v6, 1), found);
            found.list.into_iter().map(move |row| row.to_addr.is_none_or(|addr| addr.is_ipv6() == v6))
        })
        .collect();
    assert!(names.iter().all(|agrees| *agrees));
}

#[cfg(test)]
mod tests;
