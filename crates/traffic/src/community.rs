//! Community ID, version 1: a name for a flow that other tools give to the same flow (corelight's specification).

use std::net::IpAddr;

use model::{Flow, Transport};
use sha1::{Digest, Sha1};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4 {
            let letter = ALPHABET.get(((bits >> (18 - 6 * place)) & 63) as usize);
            text.push(if place > chunk.len() {
                '='
            } else {
                letter.map_or('=', |letter| char::from(*letter))
            });
        }
    }
    text
}

/// The Community ID of a flow, with seed 0; which end is which does not matter.
pub fn community_id(flow: &Flow) -> String {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let mut ends = [flow.client, flow.server].map(|end| (octets(end.ip()), end.port().to_be_bytes()));
    ends.sort();
    let [(low, low_port), (high, high_port)] = ends;
    let protocol = match flow.transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
        Transport::Sctp => 132,
        Transport::Dccp => 33,
    };
    let mut digest = Sha1::new();
    digest.update([0, 0]);
    digest.update(low);
    digest.update(high);
    digest.update([protocol, 0]);
    digest.update(low_port);
    digest.update(high_port);
    format!("1:{}", base64(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Appearance, Direction, FlowState, Recognised, Tally};

    #[test]
    fn the_values_are_those_of_the_reference_implementation() {
        // Computed with the `communityid` package for Python.
        for (transport, client, server, expected) in [
            (Transport::Tcp, "192.168.1.10:49152", "10.0.0.2:443", "1:lLggnn7G6XmKs7/W5bpIRHJed/I="),
            (Transport::Udp, "[2001:db8::2]:5353", "[2001:db8::1]:53", "1:tajKKCYPX5Fr60+44RSdKtpFb4s="),
            (Transport::Sctp, "10.0.0.1:5000", "10.0.0.2:2905", "1:JFxCuBPnPjL/SiEjDzO1jas2BW4="),
            (Transport::Tcp, "10.0.0.1:9", "10.0.0.1:7", "1:yAMmDgGqTzZkcHlvcebDnAjHIEI="),
        ] {
            let flow = |client: &str, server: &str| Flow {
                transport,
                client: client.parse().unwrap(),
                server: server.parse().unwrap(),
                direction: Direction::Opened,
                state: FlowState::Open,
                tally: Tally::default(),
                first: None,
                last: None,
                frame: 1,
                recognised: Recognised::nothing(Appearance::Empty),
                vlan: None,
                tunnel: String::new(),
                ttl: 64,
                dscp: 0,
                icmp_errors: 0,
                retransmissions: 0,
                missing_bytes: 0,
                community_id: String::new(),
            };
            assert_eq!(community_id(&flow(client, server)), expected);
            assert_eq!(community_id(&flow(server, client)), expected);
        }
    }
}
