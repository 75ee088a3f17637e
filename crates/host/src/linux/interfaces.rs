//! The interfaces of the network namespace that the calling thread is in, over netlink.

use wire::netlink::Message;
use wire::rtnetlink::{self, UP};

use super::capture::device::Device;
use super::netlink::{Error, Socket};
use crate::interfaces::Interface;

/// Every interface with its addresses, by number.
pub fn list() -> Result<Vec<Interface>, Error> {
    let mut socket = Socket::open(None)?;
    let mut all = Vec::new();
    // A table that changes meanwhile is told as it was or as it became: both are true.
    socket.dump(&mut rtnetlink::link_request(), &mut all, Vec::clear, |all, message| {
        all.extend(interface(message));
    })?;
    all.sort_by_key(|interface| interface.index);
    all.dedup_by_key(|interface| interface.index);
    let mut addresses = Vec::new();
    socket.dump(&mut rtnetlink::address_request(), &mut addresses, Vec::clear, |addresses, message| {
        if message.kind == rtnetlink::ADDRESS {
            addresses.extend(rtnetlink::parse_address(message.payload).ok().flatten());
        }
    })?;
    for found in addresses {
        if let Ok(place) = all.binary_search_by_key(&found.index, |interface| interface.index)
            && let Some(interface) = all.get_mut(place)
        {
            interface.addresses.push((found.address, found.prefix_bits));
        }
    }
    Ok(all)
}

fn interface(message: &Message<'_>) -> Option<Interface> {
    let link = rtnetlink::parse_link(message.payload).ok().filter(|_| message.kind == rtnetlink::LINK)?;
    Some(Interface {
        name: String::from_utf8_lossy(link.name).into_owned(),
        index: link.index,
        up: link.flags & UP != 0,
        link: Device::of(link.hardware).link(),
        addresses: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::sandbox;
    use std::process::Command;
    use wire::LinkType;

    fn ip(words: &str) -> Result<(), String> {
        let output = Command::new("ip").args(words.split(' ')).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    #[test]
    fn a_new_namespace_has_loopback_and_what_is_made_in_it() {
        sandbox::run("interfaces of a namespace", || {
            let all = list().unwrap();
            let lo = all.iter().find(|interface| interface.name == "lo").unwrap();
            assert_eq!((lo.up, lo.link, lo.addresses.len()), (false, LinkType::ETHERNET, 0));
            for words in [
                "link set lo up",
                "link add name quay0 type veth peer name quay1",
                "tuntap add dev pipe0 mode tun",
                "addr add 192.0.2.1/24 dev quay0",
                "addr add 198.51.100.1 peer 198.51.100.2/32 dev pipe0",
                "addr add 2001:db8::420/64 dev quay0 nodad",
            ] {
                if let Err(why) = ip(words) {
                    return eprintln!("SKIPPED: interfaces of a namespace: ip {words}: {why}");
                }
            }
            let all = list().unwrap();
            let found = |name: &str| all.iter().find(|interface| interface.name == name).unwrap();
            assert!(found("lo").up && found("lo").addresses.contains(&([127, 0, 0, 1].into(), 8)));
            let quay = found("quay0");
            assert_eq!((quay.up, quay.link), (false, LinkType::ETHERNET));
            let v6: std::net::IpAddr = "2001:db8::420".parse().unwrap();
            assert_eq!(quay.addresses, [([192, 0, 2, 1].into(), 24), (v6, 64)]);
            let pipe = found("pipe0");
            assert_eq!(
                (pipe.link, &pipe.addresses[..]),
                (LinkType::RAW, &[([198, 51, 100, 1].into(), 32)][..])
            );
            assert!(all.windows(2).all(|pair| pair[0].index < pair[1].index));
        });
    }
}
