//! What makes packets one flow: two endpoints, a transport, and the VLAN or tunnel they were met in.

use std::net::IpAddr;

use model::Transport;
use wire::address::Address;
use wire::packet::{Packet, TunnelKind, Version};

use crate::hash::Seed;
use crate::number::low32;

/// One of the two ends of a flow: the one that sorts lower, or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Low,
    High,
}

impl End {
    pub(crate) fn other(self) -> End {
        match self {
            End::Low => End::High,
            End::High => End::Low,
        }
    }
}

/// Something of each end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ends<T> {
    pub(crate) low: T,
    pub(crate) high: T,
}

impl<T> Ends<T> {
    #[inline]
    pub(crate) fn at(&self, end: End) -> &T {
        match end {
            End::Low => &self.low,
            End::High => &self.high,
        }
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, end: End) -> &mut T {
        match end {
            End::Low => &mut self.low,
            End::High => &mut self.high,
        }
    }
}

/// The key of a flow, the same for both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) addresses: Ends<Address>,
    pub(crate) ports: Ends<u16>,
    /// 0 outside VLANs and tunnels, else a hash of them: the same addresses may mean other machines there.
    pub(crate) realm: u32,
    pub(crate) transport: Transport,
    pub(crate) version: Version,
}

impl Key {
    /// The key, and which end is the first of the two.
    #[inline]
    pub(crate) fn of(
        version: Version,
        transport: Transport,
        realm: u32,
        from: (Address, u16),
        to: (Address, u16),
    ) -> (Key, End) {
        let (low, high, end) = if from <= to { (from, to, End::Low) } else { (to, from, End::High) };
        let key = Key {
            addresses: Ends { low: low.0, high: high.0 },
            ports: Ends { low: low.1, high: high.1 },
            realm,
            transport,
            version,
        };
        (key, end)
    }

    #[inline]
    pub(crate) fn hash(&self, seed: Seed) -> u32 {
        let ports = (u64::from(self.ports.low) << 16) | u64::from(self.ports.high);
        let kind = ((self.transport as u64) << 1) | self.version as u64;
        let [low, high] = [self.addresses.low, self.addresses.high];
        let last = (ports << 32) | (u64::from(self.realm) ^ kind);
        low32(match self.version {
            // Two addresses of IPv4 are one word.
            Version::V4 => seed.of_words([low.low << 32 | high.low & 0xffff_ffff, last]),
            Version::V6 => seed.of_words([low.high, low.low, high.high, high.low, last]),
        })
    }

    /// A number that is made in a sixth of the time of [`Key::hash`], for places where others with the same number only
    /// cost time: whoever sends packets may choose it.
    #[inline]
    pub(crate) fn near(&self) -> u32 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let end = |address: Address, port: u16| address.high ^ address.low ^ u64::from(port) << 40;
        let low = end(self.addresses.low, self.ports.low) ^ u64::from(self.realm) ^ self.transport as u64;
        let ends = low.wrapping_mul(ODD).wrapping_add(end(self.addresses.high, self.ports.high));
        low32(ends.wrapping_mul(ODD) >> 32)
    }

    pub(crate) fn ip(&self, end: End) -> IpAddr {
        ip(self.version, *self.addresses.at(end))
    }
}

/// An address with the version that it is of.
pub(crate) fn ip(version: Version, address: Address) -> IpAddr {
    match version {
        Version::V4 => address.to_ip(),
        Version::V6 => IpAddr::V6(address.to_v6()),
    }
}

/// Whether an address is for many: then nobody in particular is asked, and nobody need answer.
pub(crate) fn is_for_many(version: Version, address: Address) -> bool {
    match version {
        // RFC 1112 §4, and the limited broadcast of RFC 919 §7.
        Version::V4 => (address.low >> 28) & 0xf == 0xe || address.low & 0xffff_ffff == 0xffff_ffff,
        // RFC 4291 §2.7
        Version::V6 => address.high >> 56 == 0xff,
    }
}

/// The hash of where a packet was met.
#[inline]
pub(crate) fn realm(packet: &Packet<'_>, seed: Seed) -> u32 {
    if packet.tunnels.is_empty() && packet.vlans.outer.is_none() {
        return 0;
    }
    let vlan = |tag: Option<u16>| tag.map_or(0, |tag| u64::from(tag) + 1);
    let tunnel = packet.tunnels.iter().last().map_or(0, |tunnel| {
        // The numbers of other kinds differ by direction, and would tear a flow in two.
        let both_ways = matches!(tunnel.kind, TunnelKind::Vxlan | TunnelKind::Geneve | TunnelKind::Pppoe);
        ((tunnel.kind as u64 + 1) << 32) | if both_ways { u64::from(tunnel.id) } else { 0 }
    });
    let vlans = (vlan(packet.vlans.outer) << 32) | vlan(packet.vlans.inner);
    low32(seed.of_words([vlans, tunnel])).max(1)
}
