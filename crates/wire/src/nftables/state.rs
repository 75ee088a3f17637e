//! Where a rule stands while it is read: the packets that are left, and what its registers hold.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{find, number};
use crate::cursor::be16;
use crate::intervals::Intervals;
use crate::published::{Packets, Target, addr_of};

/// Registers of four bytes (`NFT_REG32_00` to `NFT_REG32_15`).
const SLOTS: usize = 16;

/// The part of a packet that a register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// IP protocol number.
    Protocol,
    /// `NFPROTO_*`.
    Family,
    /// EtherType.
    EtherType,
    /// Destination port.
    Port,
    /// Destination address in IPv4.
    V4,
    /// Destination address in IPv6.
    V6,
    /// Number of the interface that the packet came in on, in the machine's own order.
    InterfaceIndex,
    /// Name of the interface that the packet came in on.
    InterfaceName,
    /// Neighbouring fields in one, with the port or the IPv4 address at this offset.
    Merged(MergedWith, usize),
    /// Nothing that says anything about ports.
    Other,
}

/// What of interest lies in a merged load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MergedWith {
    Port,
    V4,
}

impl Field {
    /// Bits of the whole field; what a register holds may be only its beginning.
    fn bits(self) -> u32 {
        match self {
            Field::Protocol | Field::Family => 8,
            Field::EtherType | Field::Port => 16,
            Field::V4 | Field::InterfaceIndex => 32,
            Field::V6 | Field::InterfaceName | Field::Merged(..) | Field::Other => 128,
        }
    }
}

/// A field in registers: how many bytes of it, and with which mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) field: Field,
    pub(super) bytes: usize,
    mask: Option<u128>,
}

impl Load {
    pub(super) fn new(field: Field, bytes: usize) -> Load {
        Load { field, bytes, mask: None }
    }
}

/// What four bytes of registers hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// Nothing we know.
    Unknown,
    /// The beginning of a field.
    Begins(Load),
    /// These bytes.
    Bytes([u8; 4]),
}

/// A rule while it is read.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) packets: Packets,
    slots: [Slot; SLOTS],
}

/// The first slot of a register: 1 to 4 are of 16 bytes, 8 to 23 of four.
fn slot_of(register: Option<u32>) -> Option<usize> {
    match register? {
        wide @ 1..=4 => usize::try_from((wide - 1) * 4).ok(),
        narrow @ 8..=23 => usize::try_from(narrow - 8).ok(),
        _ => None,
    }
}

/// Up to 16 bytes as a number; `None` if there are more.
pub(super) fn whole(bytes: &[u8]) -> Option<u128> {
    (bytes.len() <= 16).then(|| bytes.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte)))
}

/// All ones in so many bits.
fn ones(bits: u32) -> u128 {
    u128::MAX.checked_shr(128_u32.saturating_sub(bits)).unwrap_or(0)
}

fn bits_of(bytes: usize) -> u32 {
    u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX).min(128)
}

impl State {
    pub(super) fn new(packets: Packets) -> State {
        State { packets, slots: [Slot::Unknown; SLOTS] }
    }

    /// Puts a field into registers.
    pub(super) fn load(&mut self, register: Option<u32>, load: Load) {
        let Some(at) = slot_of(register) else { return };
        let width = load.bytes.div_ceil(4).max(1);
        for (index, slot) in self.slots.iter_mut().skip(at).take(width).enumerate() {
            *slot = if index == 0 { Slot::Begins(load) } else { Slot::Unknown };
        }
    }

    /// Puts bytes into registers, filled up with zeros.
    pub(super) fn store(&mut self, register: Option<u32>, bytes: &[u8]) {
        let Some(at) = slot_of(register) else { return };
        for (slot, part) in self.slots.iter_mut().skip(at).zip(bytes.chunks(4)) {
            let mut four = [0; 4];
            four.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            *slot = Slot::Bytes(four);
        }
    }

    fn loaded(&self, register: Option<u32>) -> Option<Load> {
        match self.slots.get(slot_of(register)?) {
            Some(Slot::Begins(load)) => Some(*load),
            _ => None,
        }
    }

    /// Sixteen bytes from a register on, or fewer: as many as are known.
    fn bytes(&self, register: Option<u32>) -> Option<Vec<u8>> {
        let at = slot_of(register)?;
        let mut bytes = Vec::with_capacity(16);
        for slot in self.slots.iter().skip(at).take(4) {
            let Slot::Bytes(four) = slot else { break };
            bytes.extend_from_slice(four);
        }
        Some(bytes)
    }

    /// The fields that a key of so many bytes is made of, each with its offset in the key.
    pub(super) fn key(&self, register: Option<u32>, key_bytes: usize) -> Vec<(usize, Load)> {
        let mut fields = Vec::new();
        let Some(mut at) = slot_of(register) else { return fields };
        let mut offset = 0;
        while offset < key_bytes {
            let Some(slot) = self.slots.get(at) else { break };
            let load = match slot {
                Slot::Begins(load) => *load,
                _ => Load::new(Field::Other, 4),
            };
            fields.push((offset, load));
            let width = load.bytes.div_ceil(4).max(1);
            at = at.saturating_add(width);
            offset = offset.saturating_add(width.saturating_mul(4));
        }
        fields
    }

    /// `bitwise`: a mask stays with its field; anything else is beyond us.
    pub(super) fn bitwise(&mut self, data: &[u8]) {
        let load = self.loaded(number(data, 1));
        let value = |kind| find(data, kind).and_then(|value| find(value, 1)).unwrap_or_default();
        let (mask, flips) = (value(4), value(5));
        let plain = number(data, 6).unwrap_or(0) == 0 && flips.iter().all(|byte| *byte == 0);
        let masked = load.filter(|load| plain && load.mask.is_none() && load.bytes == mask.len());
        let result = match masked {
            Some(load) => Load { mask: whole(mask), ..load },
            None => {
                Load::new(Field::Other, usize::try_from(number(data, 3).unwrap_or(4)).unwrap_or(4).min(16))
            }
        };
        self.load(number(data, 2), result);
    }

    /// `cmp`: equal, unequal, less, at most, more, at least.
    pub(super) fn compare(&mut self, data: &[u8]) {
        let value = find(data, 3).and_then(|value| find(value, 1)).unwrap_or_default();
        let (Some(load), Some(number_of)) = (self.loaded(number(data, 1)), whole(value)) else {
            self.packets.partial = true;
            return;
        };
        // A shorter value is compared with the beginning: an interface by the start of its name.
        let load = Load { bytes: load.bytes.min(value.len()), ..load };
        let max = ones(bits_of(load.bytes));
        let (parts, negated) = match number(data, 2) {
            Some(0) => (Some((number_of, number_of)), false),
            Some(1) => (Some((number_of, number_of)), true),
            Some(2) => (number_of.checked_sub(1).map(|last| (0, last)), false),
            Some(3) => (Some((0, number_of)), false),
            Some(4) => (number_of.checked_add(1).map(|first| (first, max)), false),
            Some(5) => (Some((number_of, max)), false),
            _ => {
                self.packets.partial = true;
                return;
            }
        };
        self.narrow(load, parts.as_slice(), negated);
    }

    /// `range`: inside or outside two values.
    pub(super) fn range(&mut self, data: &[u8]) {
        let value = |kind| find(data, kind).and_then(|value| find(value, 1)).and_then(whole);
        match (self.loaded(number(data, 1)), value(3), value(4)) {
            (Some(load), Some(first), Some(last)) => {
                self.narrow(load, &[(first, last)], number(data, 2) == Some(1));
            }
            _ => self.packets.partial = true,
        }
    }

    /// Keeps the packets whose field, as loaded, has one of these values; or those whose field has none.
    pub(super) fn narrow(&mut self, load: Load, parts: &[(u128, u128)], negated: bool) {
        let bits = bits_of(load.bytes);
        let filler = match load.mask {
            None => 0,
            // Only a mask that keeps the beginning leaves values that lie side by side.
            Some(mask) if (mask | ones(bits.saturating_sub(mask.count_ones()))) == ones(bits) => {
                !mask & ones(bits)
            }
            Some(_) => {
                self.packets.partial = true;
                return;
            }
        };
        let packets = &mut self.packets;
        let shift = load.field.bits().saturating_sub(bits);
        let widen = |(first, last): &(u128, u128)| {
            let low = ones(shift);
            (first.checked_shl(shift).unwrap_or(0), (last | filler).checked_shl(shift).unwrap_or(0) | low)
        };
        let set = Intervals::of(load.field.bits(), parts.iter().map(widen));
        let set = if negated { set.not() } else { set };
        match load.field {
            Field::Protocol => packets.protocol = packets.protocol.and(&set),
            Field::Port => packets.port = packets.port.and(&set),
            Field::V4 => packets.v4 = packets.v4.and(&set),
            Field::V6 => packets.v6 = packets.v6.and(&set),
            Field::Family => packets.keep_families(set.contains(2), set.contains(10)),
            Field::EtherType => packets.keep_families(set.contains(0x0800), set.contains(0x86dd)),
            Field::InterfaceName if !negated => {
                packets.partial = true;
                packets.interface = interface_names(load.bytes, parts);
            }
            Field::Merged(with, offset) if !negated && load.mask.is_none() => {
                packets.partial = true;
                match with {
                    MergedWith::Port => {
                        let parts = parts.iter().filter_map(|part| inside(*part, load.bytes, offset, 2));
                        packets.port = packets.port.and(&Intervals::of(16, parts));
                    }
                    MergedWith::V4 => {
                        let parts = parts.iter().filter_map(|part| inside(*part, load.bytes, offset, 4));
                        packets.v4 = packets.v4.and(&Intervals::of(32, parts));
                    }
                }
            }
            Field::InterfaceIndex if !negated && load.bytes == 4 => {
                packets.partial = true;
                packets.interface = interface_numbers(parts);
            }
            Field::InterfaceIndex | Field::InterfaceName | Field::Merged(..) | Field::Other => {
                packets.partial = true
            }
        }
    }

    /// Where `nat` sends packets.
    pub(super) fn nat(&self, data: &[u8]) -> Target {
        // NFPROTO_IPV6
        let v6 = number(data, 2) == Some(10);
        let addr = |kind| self.bytes(number(data, kind)).map(|bytes| addr_of(&bytes, v6));
        // NF_NAT_RANGE_NETMAP
        let mapped = number(data, 7).unwrap_or(0) & 0x40 != 0;
        let target = self.ports(data, 5, 6);
        let (first, last) = (addr(3), addr(4));
        Target {
            addr: first.flatten(),
            varies: target.varies || mapped || first == Some(None) || (last.is_some() && last != first),
            ..target
        }
    }

    /// Where `redir` sends packets.
    pub(super) fn redirect(&self, data: &[u8]) -> Target {
        self.ports(data, 1, 2)
    }

    fn ports(&self, data: &[u8], first: u16, last: u16) -> Target {
        let port = |kind| self.bytes(number(data, kind)).map(|bytes| be16(&bytes, 0));
        let (first, last) = (port(first), port(last));
        let varies = first == Some(None) || (last.is_some() && last != first);
        Target { addr: None, port: first.flatten(), varies }
    }
}

/// The part of merged fields that is of interest; only where all of it is fixed.
fn inside(part: (u128, u128), bytes: usize, offset: usize, wanted: usize) -> Option<(u128, u128)> {
    let behind = bits_of(bytes.checked_sub(offset.checked_add(wanted)?)?);
    let cut = |value: u128| value.checked_shr(behind).unwrap_or(0) & ones(bits_of(wanted));
    (part.0 == part.1).then(|| (cut(part.0), cut(part.1)))
}

/// The interfaces that a comparison has by number.
fn interface_numbers(parts: &[(u128, u128)]) -> Option<String> {
    let number = |(value, _): &(u128, u128)| {
        u32::try_from(*value).map(|value| u32::from_ne_bytes(value.to_be_bytes()))
    };
    let numbers: Vec<String> =
        parts.iter().take(8).flat_map(number).map(|number| format!("{number}")).collect();
    (!numbers.is_empty()).then(|| format!("interface {}", numbers.join(" ")))
}

/// The interfaces that a comparison names; a name without its end stands for all that begin with it.
fn interface_names(bytes: usize, parts: &[(u128, u128)]) -> Option<String> {
    let mut names = Vec::new();
    for (value, last) in parts.iter().take(8) {
        let raw = value.checked_shl(128_u32.saturating_sub(bits_of(bytes)))?.to_be_bytes();
        let name = raw.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut text = String::from_utf8_lossy(name).into_owned();
        if bytes <= name.len() || value != last {
            text.push('*');
        }
        names.push(text);
    }
    (!names.is_empty()).then(|| names.join(" "))
}
