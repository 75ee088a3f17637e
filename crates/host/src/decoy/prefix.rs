//! Addresses by their first bits, as people write them: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7` (RFC 4632 §3.1).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// All addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    address: IpAddr,
    bits: u8,
}

impl Prefix {
    /// Whether the address is one of them. An address of IPv4 in the form of IPv6 is one of IPv4 (RFC 4291 §2.5.5.2).
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && (number(address) ^ number(self.address)).leading_zeros() >= self.wide_bits()
    }

    /// Its address as sixteen bytes, IPv4 in the form of IPv6, and how many bits of them count.
    pub fn wide(&self) -> ([u8; 16], u32) {
        (number(self.address).to_be_bytes(), self.wide_bits())
    }

    fn wide_bits(&self) -> u32 {
        u32::from(self.bits) + if self.address.is_ipv4() { 96 } else { 0 }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Prefix, String> {
        let wrong = || format!("{text:?} is no address and no prefix, as in 10.0.0.0/8 or 2001:db8::/32");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let digits = |bits: &&str| !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            None => most,
            Some(bits) => Some(bits).filter(digits).and_then(|bits| bits.parse().ok()).ok_or_else(wrong)?,
        };
        if bits > most {
            return Err(format!("{text:?}: an address has {most} bits"));
        }
        let prefix = Prefix { address, bits };
        let host_bits = number(address) & u128::MAX.checked_shr(prefix.wide_bits()).unwrap_or(0);
        if host_bits != 0 {
            return Err(format!("{text:?} has bits beyond its first {bits}: give the network's own address"));
        }
        Ok(prefix)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_what_begins_like_it() {
        let has =
            |prefix: &str, address: &str| prefix.parse::<Prefix>().unwrap().has(address.parse().unwrap());
        assert!(has("10.0.0.0/8", "10.255.1.2") && !has("10.0.0.0/8", "11.0.0.0"));
        assert!(has("192.0.2.7", "192.0.2.7") && !has("192.0.2.7", "192.0.2.6"));
        assert!(has("0.0.0.0/0", "203.0.113.1") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("::/0", "2001:db8::1") && !has("::/0", "203.0.113.1"));
        assert!(has("2001:db8::/32", "2001:db8:ffff::1") && !has("2001:db8::/32", "2001:db9::"));
        assert!(has("10.0.0.0/8", "::ffff:10.1.2.3"));
    }

    #[test]
    fn what_is_none_is_refused_with_a_word() {
        for wrong in
            ["", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.1/8", "ten/8", "10.0.0.0/+8", "::1/64"]
        {
            assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
        }
        for right in ["10.0.0.0/8", "::1/128", "0.0.0.0/0", "2001:db8::/32"] {
            assert_eq!(right.parse::<Prefix>().unwrap().to_string(), right);
        }
    }
}
