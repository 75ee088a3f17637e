//! Where a protocol is at home: what a port is for, held against what the bytes are.

use std::collections::HashMap;
use std::net::IpAddr;

use model::{Protocol, Transport};
use registry::program::{self, Class};
use registry::{Standing, Usage, carried_over};

use crate::traffic::Berthed;

/// Whether a protocol is at home on a port, worked out once for each.
#[derive(Default)]
pub(crate) struct Homes {
    known: HashMap<(Transport, u16, &'static str), bool>,
}

impl Homes {
    /// Whether nothing is odd about this protocol on the port.
    pub(crate) fn at_home(&mut self, protocol: &'static Protocol, berthed: &Berthed<'_>) -> bool {
        let key = (berthed.transport, berthed.port, protocol.name);
        *self
            .known
            .entry(key)
            .or_insert_with(|| is_at_home(protocol, &berthed.standing, berthed.transport, berthed.port))
    }

    /// Whether the protocol was found to be at home on the port before.
    pub(crate) fn is_known_home(&self, protocol: &'static Protocol, transport: Transport, port: u16) -> bool {
        self.known.get(&(transport, port, protocol.name)).copied().unwrap_or(false)
    }
}

/// Whether the port is for what travels in this protocol: by its registered names, what is commonly seen, or what known
/// programs serve there.
pub fn is_at_home(protocol: &Protocol, standing: &Standing<'_>, transport: Transport, port: u16) -> bool {
    services(standing, transport, port).any(|name| serves(protocol, name))
        || takes_any_reserved_port(protocol, port)
}

/// Everything that the port may be for: its registered names, what is commonly seen, what known programs serve there.
pub(crate) fn services<'a>(
    standing: &Standing<'a>,
    transport: Transport,
    port: u16,
) -> impl Iterator<Item = &'a str> {
    let registered = standing.assignment.into_iter().chain(standing.more()).map(|row| row.name);
    let programs = program::on_port(transport, port).filter(|program| program.class != Class::Multiplexer);
    let common = program::commonly_named(transport, port);
    let served = programs.flat_map(|program| program.services.iter().copied());
    registered.filter(|name| !name.is_empty()).chain(common.chain(served).map(|name| -> &'a str { name }))
}

/// Whether the protocol is how the service with this name travels.
fn serves(protocol: &Protocol, service: &str) -> bool {
    let first = service.split(' ').next().unwrap_or_default();
    service == protocol.name
        || first == protocol.name
        || protocol.services.contains(&service)
        || carried_over(service).contains(&protocol.name)
}

/// RPC servers take any free port from 512 to 1023 (bindresvport(3)).
fn takes_any_reserved_port(protocol: &Protocol, port: u16) -> bool {
    let rpc = ["sunrpc", "nfs", "mountd"].iter().any(|name| protocol.services.contains(name));
    rpc && (512..1024).contains(&port)
}

/// Whether somebody ordinarily uses the port.
pub(crate) fn is_ordinary(standing: &Standing<'_>, transport: Transport, port: u16) -> bool {
    matches!(standing.usage, Usage::Ordinary(_)) || program::commonly_seen(transport, port).is_some()
}

/// Whether packets to the address go to many at once.
pub(crate) fn is_group(addr: IpAddr) -> bool {
    match addr.to_canonical() {
        // A directed broadcast cannot be told without the netmask; the last address of a /24 nearly always is one.
        IpAddr::V4(addr) => addr.is_multicast() || addr.is_broadcast() || addr.octets().last() == Some(&255),
        IpAddr::V6(addr) => addr.is_multicast(),
    }
}

/// Whether the address is of a network of one's own: private, shared, link-local or unique local.
pub(crate) fn is_private(addr: IpAddr) -> bool {
    match addr.to_canonical() {
        IpAddr::V4(addr) => {
            let [a, b, ..] = addr.octets();
            // RFC 6598 §7: the shared space between customers and carrier-grade translation.
            addr.is_private() || addr.is_link_local() || addr.is_loopback() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(addr) => addr.is_unique_local() || addr.is_unicast_link_local() || addr.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_private_or_not() {
        let private = |text: &str| is_private(text.parse().unwrap());
        for addr in ["10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "fd00::1", "fe80::1"]
        {
            assert!(private(addr), "{addr}");
        }
        for addr in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!private(addr), "{addr}");
        }
        assert!(private("::ffff:10.0.0.1"));
    }

    #[test]
    fn groups_are_told_from_hosts() {
        let group = |text: &str| is_group(text.parse().unwrap());
        assert!(
            group("224.0.0.251") && group("ff02::fb") && group("255.255.255.255") && group("192.0.2.255")
        );
        assert!(!group("192.0.2.1") && !group("2001:db8::1"));
    }
}
