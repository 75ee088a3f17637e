//! What tells one thing from another, as a key: short, the same on every machine and in every version.

use std::net::IpAddr;

use model::media::StreamLeg;
use model::{Code, Family, Kind, Process, Seen, Transport};
use sha2::{Digest, Sha256};

use crate::row::HolderRow;

/// So many hexadecimal digits of a finding's key are shown.
pub(crate) const SHOWN_DIGITS: usize = 10;
/// So many bytes of a text from strangers are kept.
pub(crate) const MOST_TEXT: usize = 400;
/// And so many of a namespace's name, which stands in keys.
const MOST_NAME: usize = 40;

/// The beginning of a text, cut between characters.
pub(crate) fn beginning(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at_checked(end).map_or_else(String::new, |(start, _)| format!("{start}…"))
}

fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        // The length before the part: two parts never read as two others.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Sixteen bytes that stand for the parts.
pub(crate) fn key<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 16] {
    let digest = digest(parts);
    digest.first_chunk::<16>().copied().unwrap_or_default()
}

/// Four bytes that stand for an address.
pub(crate) fn of_client(address: IpAddr) -> u32 {
    let text = address.to_canonical().to_string();
    digest([text.as_bytes()]).first_chunk::<4>().copied().map_or(0, u32::from_be_bytes)
}

/// The key of a finding.
pub(crate) fn of_finding(code: Code, about: &str) -> [u8; 16] {
    key([b"finding".as_slice(), code.name().as_bytes(), about.as_bytes()])
}

/// The id of a finding, as people type it: the same wherever it is seen again.
pub fn finding_id(code: Code, about: &str) -> String {
    shown(&of_finding(code, about))
}

/// The id of a leg of a stream: the same for as long as the same sender sends the same there, whoever watches.
pub fn leg_id(leg: &StreamLeg, ssrc: u32) -> String {
    let ends = format!("{} {}", leg.source, leg.destination);
    let vlan = leg.vlan.map(u16::to_be_bytes);
    let vlan = vlan.as_ref().map_or(&[][..], |vlan| vlan.as_slice());
    shown(&key([b"leg".as_slice(), ends.as_bytes(), vlan, &ssrc.to_be_bytes()]))
}

/// A key as people type it.
pub(crate) fn shown(key: &[u8]) -> String {
    hex(key).chars().take(SHOWN_DIGITS).collect()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// A kind as a number that stays.
pub(crate) fn of_kind(kind: Kind) -> u8 {
    match kind {
        Kind::Tcp => 0,
        Kind::Mptcp => 1,
        Kind::Udp => 2,
        Kind::UdpLite => 3,
        Kind::Sctp => 4,
        Kind::Dccp => 5,
        Kind::Raw => 6,
        Kind::Packet => 7,
    }
}

/// The kind with this number.
pub(crate) fn kind(number: u8) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| of_kind(*kind) == number)
}

/// A transport as a number that stays.
pub(crate) fn of_transport(transport: Transport) -> u8 {
    match transport {
        Transport::Tcp => 0,
        Transport::Udp => 1,
        Transport::Sctp => 2,
        Transport::Dccp => 3,
    }
}

/// The transport with this number.
pub(crate) fn transport(number: u8) -> Option<Transport> {
    Transport::ALL.into_iter().find(|transport| of_transport(*transport) == number)
}

/// The key of a port number.
pub(crate) fn of_port(transport: Transport, port: u16) -> [u8; 3] {
    let [high, low] = port.to_be_bytes();
    [of_transport(transport), high, low]
}

/// The key of a server: address, transport, port.
pub(crate) fn of_server(address: IpAddr, transport: Transport, port: u16) -> Vec<u8> {
    let mut key = match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    key.extend(of_port(transport, port));
    key
}

/// Reads a server's key.
pub(crate) fn server(key: &[u8]) -> Option<(IpAddr, Transport, u16)> {
    let (address, [number, port @ ..]) = key.split_last_chunk::<3>()?;
    let address = match *address {
        [a, b, c, d] => IpAddr::from([a, b, c, d]),
        _ => IpAddr::from(*address.first_chunk::<16>()?),
    };
    Some((address, transport(*number)?, u16::from_be_bytes(*port)))
}

/// The key of a record in the index by port.
pub(crate) fn of_record(port: [u8; 3], number: u64) -> [u8; 11] {
    let mut key = [0; 11];
    let (start, end) = key.split_at_mut(3);
    start.copy_from_slice(&port);
    end.copy_from_slice(&number.to_be_bytes());
    key
}

/// The key of a door: kind, port, namespace, address. What stands before the address has its length before it.
pub(crate) fn of_door(kind: Kind, port: u16, netns: &str, address: IpAddr, family: Family) -> Vec<u8> {
    let netns = beginning(netns, MOST_NAME);
    let mut key = vec![of_kind(kind)];
    key.extend(port.to_be_bytes());
    key.push(u8::try_from(netns.len()).unwrap_or(u8::MAX));
    key.extend(netns.as_bytes());
    match address {
        IpAddr::V4(address) => {
            key.push(4);
            key.extend(address.octets());
        }
        IpAddr::V6(address) => {
            key.push(if family == Family::Dual { 46 } else { 6 });
            key.extend(address.octets());
        }
    }
    key
}

/// A door's key, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoorKey {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    pub(crate) netns: String,
    pub(crate) address: IpAddr,
    pub(crate) family: Family,
}

/// Reads a door's key, and what follows it: a holder's.
pub(crate) fn door(key: &[u8]) -> Option<(DoorKey, &[u8])> {
    let (number, rest) = key.split_first()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first()?;
    let (netns, rest) = rest.split_at_checked(usize::from(*length))?;
    let (family, rest) = rest.split_first()?;
    let (address, family, rest): (IpAddr, Family, &[u8]) = match *family {
        4 => rest.split_first_chunk::<4>().map(|(octets, rest)| ((*octets).into(), Family::V4, rest))?,
        6 => rest.split_first_chunk::<16>().map(|(octets, rest)| ((*octets).into(), Family::V6, rest))?,
        46 => rest.split_first_chunk::<16>().map(|(octets, rest)| ((*octets).into(), Family::Dual, rest))?,
        _ => return None,
    };
    let door = DoorKey {
        kind: kind(*number)?,
        port: u16::from_be_bytes(*port),
        netns: String::from_utf8(netns.to_vec()).ok()?,
        address,
        family,
    };
    Some((door, rest))
}

/// Who a process is, without what changes at each start: its key, and the row to keep of it.
pub(crate) fn of_holder(process: &Process, span: crate::row::SpanRow) -> ([u8; 8], HolderRow) {
    let exe = process.exe.value();
    let words = process.cmdline.value().map(|words| words.join(" ")).unwrap_or_default();
    let user = process.user.value();
    let unit = process.unit.value().map(|unit| unit.name.clone());
    let container = process.container.value().map(|container| match &container.name {
        Seen::Value(name) => format!("{} {name}", container.runtime.name()),
        Seen::Absent | Seen::Hidden(_) => format!("{} {}", container.runtime.name(), container.id),
    });
    let image = process.container.value().and_then(|container| container.image.value().cloned());
    let package = process.package.value().map(|package| package.name.clone());
    let state = exe.map_or(0, |exe| match exe.state {
        model::ExeState::Present => 0,
        model::ExeState::Deleted => 1,
        model::ExeState::Replaced => 2,
        model::ExeState::Memfd => 3,
    });
    let path = exe.map(|exe| exe.path.as_str());
    let uid = user.map(|user| user.uid);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let digest = digest([
        b"holder".as_slice(),
        path.unwrap_or(&process.comm).as_bytes(),
        words.as_bytes(),
        uid.map_or(String::new(), |uid| uid.to_string()).as_bytes(),
        text(&unit).as_bytes(),
        text(&container).as_bytes(),
        text(&package).as_bytes(),
    ]);
    let row = HolderRow {
        span,
        program: beginning(process.program(), MOST_TEXT),
        exe: path.map(|path| beginning(path, MOST_TEXT)),
        exe_state: state,
        command_line: beginning(&words, MOST_TEXT),
        uid,
        user: user.and_then(|user| user.name.as_deref().map(|name| beginning(name, MOST_TEXT))),
        unit: unit.map(|unit| beginning(&unit, MOST_TEXT)),
        container: container.map(|container| beginning(&container, MOST_TEXT)),
        image: image.map(|image| beginning(&image, MOST_TEXT)),
        package: package.map(|package| beginning(&package, MOST_TEXT)),
    };
    (digest.first_chunk::<8>().copied().unwrap_or_default(), row)
}

/// The port that a finding is about, as its subject begins: `tcp 0.0.0.0:420 …`, `udp 420`.
pub(crate) fn port_of(about: &str) -> Option<(Transport, u16)> {
    let mut words = about.split_whitespace();
    let transport = Transport::from_name(words.next()?)?;
    let place = words.next()?;
    let port = place.rsplit_once(':').map_or(place, |(_, port)| port);
    Some((transport, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_read_as_it_was_written() {
        for (kind, port, netns, address, family) in [
            (Kind::Tcp, 420, "", "0.0.0.0", Family::V4),
            (Kind::Udp, 65535, "blue", "::", Family::Dual),
            (
                Kind::Packet,
                0,
                "a name that is far longer than what may stand in a key ä",
                "fe80::1",
                Family::V6,
            ),
        ] {
            let address: IpAddr = address.parse().unwrap();
            let mut key = of_door(kind, port, netns, address, family);
            let whole = key.len();
            key.extend([7; 8]);
            let (door, rest) = door(&key).unwrap();
            assert_eq!((door.kind, door.port, door.address, door.family), (kind, port, address, family));
            assert!(door.netns == netns || door.netns.len() <= MOST_NAME + 3);
            assert_eq!(rest, [7; 8]);
            for end in 0..whole {
                assert_eq!(super::door(&key[..end]), None);
            }
        }
    }

    #[test]
    fn ids_are_short_stable_and_their_parts_do_not_run_together() {
        assert_eq!(finding_id(Code::ExeMemfd, "tcp 0.0.0.0:420").len(), SHOWN_DIGITS);
        assert_ne!(finding_id(Code::ExeMemfd, "a"), finding_id(Code::ExeMemfd, "b"));
        assert_ne!(finding_id(Code::ExeMemfd, "a"), finding_id(Code::ExeDeleted, "a"));
        assert_ne!(key([b"ab".as_slice(), b"c"]), key([b"a".as_slice(), b"bc"]));
        let leg = |destination: &str, vlan| model::media::StreamLeg {
            source: "192.0.2.9:5004".parse().unwrap(),
            destination: destination.parse().unwrap(),
            vlan,
            ttl: 1,
            dscp: 0,
            reception: Default::default(),
            shaping: None,
            timing: None,
        };
        let one = leg_id(&leg("239.1.1.1:5004", None), 7);
        for other in [
            leg_id(&leg("239.1.1.2:5004", None), 7),
            leg_id(&leg("239.1.1.1:5004", Some(0)), 7),
            leg_id(&leg("239.1.1.1:5004", None), 8),
        ] {
            assert!(other != one && other.len() == SHOWN_DIGITS);
        }
        // People write ids down: they must never change.
        assert_eq!(finding_id(Code::SilentPortInUse, "tcp 0.0.0.0:420 /usr/bin/nc"), "d1ab1ed20a");
    }

    #[test]
    fn the_port_of_a_finding_is_read_from_its_subject() {
        for (about, expected) in [
            ("tcp 0.0.0.0:420 /usr/bin/nc", Some((Transport::Tcp, 420))),
            ("udp [::]:5353", Some((Transport::Udp, 5353))),
            ("tcp 420", Some((Transport::Tcp, 420))),
            ("tcp", None),
            ("policy.toml:12", None),
            ("tcp 0.0.0.0:99999", None),
        ] {
            assert_eq!(port_of(about), expected, "{about}");
        }
    }
}
