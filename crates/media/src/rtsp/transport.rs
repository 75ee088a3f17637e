//! The `Transport` header: where media go (RFC 2326 §12.39, RFC 7826 §18.54).

use std::net::{IpAddr, SocketAddr};

/// How media are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lower {
    /// In datagrams.
    #[default]
    Udp,
    /// On a TCP connection: this one, where channels are said.
    Tcp,
}

/// One way that is offered or agreed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transport {
    /// How media are carried.
    pub lower: Lower,
    /// Whether they go to a group.
    pub multicast: bool,
    /// Where they go, where it is said.
    pub destination: Option<IpAddr>,
    /// From where, where it is said.
    pub source: Option<IpAddr>,
    /// The receiver's ports of RTP and RTCP.
    pub client_port: Option<(u16, Option<u16>)>,
    /// The sender's ports.
    pub server_port: Option<(u16, Option<u16>)>,
    /// A group's ports.
    pub port: Option<(u16, Option<u16>)>,
    /// Channels on this connection.
    pub interleaved: Option<(u8, Option<u8>)>,
    /// Time to live of multicast.
    pub ttl: Option<u8>,
    /// The synchronisation source.
    pub ssrc: Option<u32>,
}

impl Transport {
    /// Reads a header: several ways, the preferred first. What is no way is left out.
    pub fn parse(value: &str) -> impl Iterator<Item = Transport> {
        split(value, ',').take(16).filter_map(one)
    }
}

/// Splits where the separator does not stand in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |letter| {
        quoted ^= letter == '"';
        letter == separator && !quoted
    })
    .map(str::trim)
}

fn one(text: &str) -> Option<Transport> {
    let mut parameters = split(text, ';');
    let profile = parameters.next().filter(|profile| profile.starts_with("RTP/"))?;
    let lower = if profile.ends_with("/TCP") { Lower::Tcp } else { Lower::Udp };
    let mut transport = Transport { lower, ..Transport::default() };
    for parameter in parameters {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "multicast" => transport.multicast = true,
            "destination" => transport.destination = value.trim_matches(['[', ']']).parse().ok(),
            "source" => transport.source = value.trim_matches(['[', ']']).parse().ok(),
            "client_port" => transport.client_port = pair(value),
            "server_port" => transport.server_port = pair(value),
            "port" => transport.port = pair(value),
            "interleaved" => transport.interleaved = pair(value),
            "ttl" => transport.ttl = value.parse().ok(),
            "ssrc" => transport.ssrc = u32::from_str_radix(value, 16).ok(),
            // RFC 7826 §18.54: `"192.0.2.5:3456"/"192.0.2.5:3457"`, or `":3456"`.
            "dest_addr" => {
                let (address, ports) = addresses(value);
                transport.destination = address.or(transport.destination);
                transport.client_port = ports;
            }
            "src_addr" => {
                let (address, ports) = addresses(value);
                transport.source = address.or(transport.source);
                transport.server_port = ports;
            }
            _ => {}
        }
    }
    Some(transport)
}

/// `5004-5005` or `5004`.
fn pair<T: core::str::FromStr>(value: &str) -> Option<(T, Option<T>)> {
    let (first, second) =
        value.split_once('-').map_or((value, None), |(first, second)| (first, Some(second)));
    Some((first.trim().parse().ok()?, second.and_then(|second| second.trim().parse().ok())))
}

type Ports = Option<(u16, Option<u16>)>;

fn addresses(value: &str) -> (Option<IpAddr>, Ports) {
    let mut all = value.split('/').map(|part| {
        let part = part.trim().trim_matches('"');
        match part.parse::<SocketAddr>() {
            Ok(address) => (Some(address.ip()), Some(address.port())),
            Err(_) => (None, part.rsplit_once(':').and_then(|(_, port)| port.parse().ok())),
        }
    });
    let (address, first) = all.next().unwrap_or((None, None));
    let second = all.next().and_then(|(_, port)| port);
    (address, first.map(|first| (first, second)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_editions_are_read() {
        let all: Vec<_> = Transport::parse(
            "RTP/AVP;unicast;client_port=3456-3457;server_port=5000-5001;source=192.0.2.9;ssrc=2A3F93ED,\
             RTP/AVP/TCP;unicast;interleaved=0-1, RAW/RAW/UDP;x=1,RTP/AVP;multicast;\
             destination=239.1.2.3;port=5004-5005;ttl=16",
        )
        .collect();
        assert_eq!(all.len(), 3);
        assert_eq!(
            (all[0].client_port, all[0].server_port),
            (Some((3456, Some(3457))), Some((5000, Some(5001))))
        );
        assert_eq!((all[0].ssrc, all[0].source), (Some(0x2a3f_93ed), Some([192, 0, 2, 9].into())));
        assert_eq!((all[1].lower, all[1].interleaved), (Lower::Tcp, Some((0, Some(1)))));
        assert_eq!((all[2].multicast, all[2].ttl, all[2].port), (true, Some(16), Some((5004, Some(5005)))));
        let new: Vec<_> = Transport::parse(
            "RTP/AVP/UDP;unicast;dest_addr=\"192.0.2.5:3456\"/\"192.0.2.5:3457\";src_addr=\":6256\"/\":6257\"",
        )
        .collect();
        let [new] = &new[..] else { panic!() };
        assert_eq!(
            (new.destination, new.client_port),
            (Some([192, 0, 2, 5].into()), Some((3456, Some(3457))))
        );
        assert_eq!((new.source, new.server_port), (None, Some((6256, Some(6257)))));
    }
}
