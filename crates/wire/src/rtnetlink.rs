//! Network interfaces and their addresses over netlink (Linux `include/uapi/linux/if_link.h`, `if_addr.h`).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Fault;
use crate::cursor::{array, ne16, ne32};
use crate::netlink::{self, Attribute, Request, attributes};

/// Message kind: one interface (`RTM_NEWLINK`).
pub const LINK: u16 = 16;
/// Message kind: one address (`RTM_NEWADDR`).
pub const ADDRESS: u16 = 20;

/// Flag of an interface: switched on (`IFF_UP`).
pub const UP: u32 = 1;

/// Bytes of `struct ifinfomsg`.
const LINK_BYTES: usize = 16;
/// Bytes of `struct ifaddrmsg`.
const ADDRESS_BYTES: usize = 8;

/// A request for every interface.
pub fn link_request() -> Request {
    const ASK_LINK: u16 = 18;
    Request::new(ASK_LINK, netlink::DUMP).body(&[0; LINK_BYTES])
}

/// A request for every address of every interface.
pub fn address_request() -> Request {
    const ASK_ADDRESS: u16 = 22;
    Request::new(ASK_ADDRESS, netlink::DUMP).body(&[0; ADDRESS_BYTES])
}

/// One interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// Its number.
    pub index: u32,
    /// What it is made for (`ARPHRD_*`).
    pub hardware: u16,
    /// `IFF_*`.
    pub flags: u32,
    /// Its name; the kernel allows any bytes but `/`, white space and NUL.
    pub name: &'a [u8],
}

/// One address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The interface's number.
    pub index: u32,
    /// The address; of a point-to-point link, our end.
    pub address: IpAddr,
    /// How many leading bits its network has.
    pub prefix_bits: u8,
}

fn fault(bytes: &[u8], what: &'static str) -> Fault {
    Fault { layer: "rtnetlink", at: bytes.len(), what }
}

/// Parses the payload of a [`LINK`] message.
pub fn parse_link(bytes: &[u8]) -> Result<Link<'_>, Fault> {
    const NAME: u16 = 3;
    let cut = || fault(bytes, "an interface is cut short (ifinfomsg)");
    let name = named(bytes.get(LINK_BYTES..).ok_or_else(cut)?, NAME).map(|name| name.payload);
    Ok(Link {
        index: ne32(bytes, 4).ok_or_else(cut)?,
        hardware: ne16(bytes, 2).ok_or_else(cut)?,
        flags: ne32(bytes, 8).ok_or_else(cut)?,
        name: name.map(|name| name.strip_suffix(b"\0").unwrap_or(name)).unwrap_or_default(),
    })
}

/// Parses the payload of an [`ADDRESS`] message; `None` for a family other than IP.
pub fn parse_address(bytes: &[u8]) -> Result<Option<Address>, Fault> {
    const V4: u8 = 2;
    const V6: u8 = 10;
    const PEER: u16 = 1;
    const LOCAL: u16 = 2;
    let cut = || fault(bytes, "an address is cut short (ifaddrmsg)");
    let [family, prefix_bits] = array::<2>(bytes, 0).ok_or_else(cut)?;
    let index = ne32(bytes, 4).ok_or_else(cut)?;
    let rest = bytes.get(ADDRESS_BYTES..).ok_or_else(cut)?;
    // IPv4 tells both, and on a point-to-point link only the local one is ours; IPv6 tells that only there.
    let found = named(rest, LOCAL).or_else(|| named(rest, PEER));
    let payload = found.map(|found| found.payload).unwrap_or_default();
    let address = match family {
        V4 => array::<4>(payload, 0).map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
        V6 => array::<16>(payload, 0).map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
        _ => return Ok(None),
    };
    let address = address.ok_or_else(|| fault(bytes, "an address of the wrong length (IFA_ADDRESS)"))?;
    Ok(Some(Address { index, address, prefix_bits }))
}

fn named(block: &[u8], kind: u16) -> Option<Attribute<'_>> {
    attributes(block).map_while(Result::ok).find(|found| found.kind == kind)
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    // The fixed part decides: attributes can be damaged without losing the interface.
    let link = parse_link(bytes);
    assert_eq!(link.is_ok(), bytes.len() >= LINK_BYTES);
    if let Ok(link) = link {
        assert!(link.name.len() + LINK_BYTES <= bytes.len());
        assert_eq!(Some(link.index), ne32(bytes, 4));
    }
    match parse_address(bytes) {
        Ok(Some(found)) => {
            assert!(bytes.len() >= ADDRESS_BYTES + netlink::ATTRIBUTE_BYTES + 4);
            assert_eq!(bytes.first().copied(), Some(if found.address.is_ipv4() { 2 } else { 10 }));
        }
        Ok(None) => assert!(!matches!(bytes.first(), Some(2 | 10) | None)),
        Err(fault) => assert_eq!(fault.at, bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn body(request: &Request) -> Vec<u8> {
        request.as_bytes()[netlink::HEADER_BYTES..].to_vec()
    }

    /// `veth7`, Ethernet, number 9, up, with an attribute before its name.
    fn link() -> Vec<u8> {
        let mut fixed = [0; LINK_BYTES];
        fixed[2..4].copy_from_slice(&1_u16.to_ne_bytes());
        fixed[4..8].copy_from_slice(&9_u32.to_ne_bytes());
        fixed[8..12].copy_from_slice(&0x1043_u32.to_ne_bytes());
        body(&Request::new(LINK, 0).body(&fixed).attribute(13, &[0; 4]).attribute(3, b"veth7\0"))
    }

    fn address(family: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let fixed = [family, 24, 0x80, 0, 9, 0, 0, 0];
        let request = Request::new(ADDRESS, 0).body(&fixed);
        body(&attributes.iter().fold(request, |request, (kind, value)| request.attribute(*kind, value)))
    }

    #[test]
    fn an_interface_is_read_whole() {
        let bytes = link();
        let link = parse_link(&bytes).unwrap();
        assert_eq!(link, Link { index: 9, hardware: 1, flags: 0x1043, name: b"veth7" });
        assert_eq!(link.flags & UP, UP);
    }

    #[test]
    fn our_end_of_a_link_is_the_address() {
        let both = address(2, &[(1, &[192, 0, 2, 2]), (2, &[192, 0, 2, 1])]);
        let found = parse_address(&both).unwrap().unwrap();
        assert_eq!((found.index, found.prefix_bits), (9, 24));
        assert_eq!(found.address, IpAddr::from([192, 0, 2, 1]));
        let only = address(10, &[(1, &[0xfe; 16])]);
        assert_eq!(parse_address(&only).unwrap().unwrap().address, IpAddr::from([0xfe; 16]));
        assert_eq!(parse_address(&address(28, &[])), Ok(None));
        assert!(parse_address(&address(2, &[])).is_err());
        assert!(parse_address(&address(10, &[(1, &[0xfe; 15])])).is_err());
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        for whole in [link(), address(2, &[(1, &[192, 0, 2, 2]), (2, &[192, 0, 2, 1])])] {
            for end in 0..=whole.len() {
                check(&whole[..end]);
            }
            let mut seed = 3_u64;
            for _ in 0..20_000 {
                let mut copy = whole.clone();
                for _ in 0..3 {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let at = (seed >> 33) as usize % copy.len();
                    copy[at] = seed.to_le_bytes()[2];
                }
                check(&copy);
            }
        }
    }
}
