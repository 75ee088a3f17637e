//! IP addresses of both versions in two machine words, so that comparing and hashing one costs two instructions.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 or IPv6 address: its 16 bytes as two big-endian numbers, IPv4 as v4-mapped (RFC 4291 §2.5.5.2).
///
/// The order is that of the bytes on the wire. Which version it is stands beside it ([`crate::packet::Version`]),
/// because an IPv6 packet with v4-mapped addresses is not an IPv4 packet; a key of a flow holds both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Address {
    /// The first eight bytes.
    pub high: u64,
    /// The last eight bytes.
    pub low: u64,
}

/// What precedes the four bytes of an IPv4 address.
const MAPPED: u64 = 0xffff << 32;

impl Address {
    /// From the four bytes of an IPv4 address.
    #[inline]
    pub const fn from_v4(bytes: [u8; 4]) -> Address {
        Address { high: 0, low: MAPPED | u32::from_be_bytes(bytes) as u64 }
    }

    /// From the sixteen bytes of an IPv6 address.
    #[inline]
    pub const fn from_v6(bytes: [u8; 16]) -> Address {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
        Address {
            high: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            low: u64::from_be_bytes([i, j, k, l, m, n, o, p]),
        }
    }

    /// Its sixteen bytes as on the wire.
    pub const fn octets(self) -> [u8; 16] {
        (((self.high as u128) << 64) | self.low as u128).to_be_bytes()
    }

    /// As an address of IPv6, whatever its bytes say.
    pub const fn to_v6(self) -> Ipv6Addr {
        Ipv6Addr::from_octets(self.octets())
    }

    /// As an address of IPv4 where it is v4-mapped, else of IPv6.
    pub fn to_ip(self) -> IpAddr {
        self.to_v6().to_canonical()
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Address {
        match address {
            IpAddr::V4(v4) => Address::from_v4(v4.octets()),
            IpAddr::V6(v6) => Address::from_v6(v6.octets()),
        }
    }
}

impl From<Ipv4Addr> for Address {
    fn from(address: Ipv4Addr) -> Address {
        Address::from_v4(address.octets())
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn addresses_of_both_versions_come_back() {
        for text in ["192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "fe80::1:2:3:4"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Address::from(address).to_ip(), address);
        }
    }

    #[test]
    fn the_order_is_that_of_the_bytes() {
        let mut addresses: std::vec::Vec<Address> = ["ff02::1", "10.0.0.2", "2001:db8::1", "10.0.0.1"]
            .map(|text| text.parse::<IpAddr>().unwrap().into())
            .into();
        addresses.sort();
        assert!(addresses.windows(2).all(|pair| pair[0].octets() < pair[1].octets()));
        assert_eq!(addresses[0].to_ip().to_string(), "10.0.0.1");
    }
}
