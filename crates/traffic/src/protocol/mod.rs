//! One file per protocol, all in the same shape: a `RECOGNISER`, what it looks for, tests.
//!
//! A new protocol is one file and one line in the list below.

use model::Protocol;

use crate::recognise::Look;
use crate::sign::Sign;
use crate::talk::Talk;

/// How one protocol is recognised.
pub struct Recogniser {
    /// What it is called, and what is known of it.
    pub protocol: Protocol,
    /// What the first bytes of a side must look like for `look` to be asked. Any one is enough.
    pub signs: &'static [Sign],
    /// What the bytes of both sides say. Must be cheap, and quick to say [`Look::No`].
    pub look: fn(&Talk<'_>) -> Look,
}

/// Declares the module of each protocol and the list of their recognisers.
macro_rules! protocols {
    ($($name:ident)+) => {
        $(mod $name;)+

        /// Every recogniser.
        pub static ALL: &[&Recogniser] = &[$(&$name::RECOGNISER,)+];
    };
}

protocols! {
    amqp
    bacnet
    bgp
    bittorrent
    bittorrent_dht
    bittorrent_tracker
    bittorrent_utp
    cassandra
    coap
    dce_rpc
    dhcp
    dhcpv6
    diameter
    dnp3
    dns
    dtls
    elasticsearch
    enip
    esp_udp
    ftp
    git
    grpc
    gtp
    http
    http2
    icy
    iec104
    ike
    imap
    irc
    iscsi
    kafka
    kerberos
    ldap
    ldp
    llmnr
    mdns
    memcached
    modbus
    mongodb
    mqtt
    mssql
    mysql
    nats
    netbios_dgm
    netbios_ns
    netbios_ssn
    nntp
    ntp
    onc_rpc
    opcua
    openvpn
    oracle
    pop3
    postgresql
    ptp
    quic
    radius
    rdp
    redis
    rist
    rsync
    rtcp
    rtp
    rtsp
    s7
    sap
    sdp
    sip
    smb
    smtp
    snmp
    socks
    srt
    ssdp
    ssh
    ssrp
    stomp
    stun
    svn
    syslog
    telnet
    tftp
    tls
    vnc
    vxlan
    websocket
    wireguard
    ws_discovery
    x11
    xmpp
    zabbix
    zookeeper
}

// What some of them agree for flows that are still to come.
pub(crate) use ftp::control as ftp_control;
pub(crate) use tftp::{answers as tftp_answers, asks as tftp_asks};

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod foreign_tests;
#[cfg(test)]
mod noise_tests;

/// Every protocol that can be recognised.
pub fn all() -> impl Iterator<Item = &'static Protocol> {
    ALL.iter().map(|recogniser| &recogniser.protocol)
}

/// The protocol with this name.
pub fn by_name(name: &str) -> Option<&'static Protocol> {
    all().find(|protocol| protocol.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_plain() {
        let mut names: Vec<&str> = ALL.iter().map(|recogniser| recogniser.protocol.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for recogniser in ALL {
            let protocol = &recogniser.protocol;
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(protocol.name.bytes().all(plain), "{}", protocol.name);
            assert!(!protocol.title.is_empty() && !protocol.reference.is_empty(), "{}", protocol.name);
        }
    }
}

/// What the tests of the protocols share.
#[cfg(test)]
pub(crate) mod testing {
    use model::{Certainty, Recognised, Transport};

    use crate::recognise::{By, recognise};
    use crate::talk::{Said, Talk};

    /// A whole TCP conversation.
    pub(crate) fn tcp<'a>(client: &'a [u8], server: &'a [u8]) -> Talk<'a> {
        Talk {
            transport: Transport::Tcp,
            client: Said::stream(client, true),
            server: Said::stream(server, true),
            ended: true,
            particulars: true,
        }
    }

    /// Datagrams of both sides, each side's laid one behind the other.
    pub(crate) struct Datagrams {
        client: Laid,
        server: Laid,
    }

    /// Bytes, where each datagram ends in them, and how many it had beyond them.
    type Laid = (Vec<u8>, Vec<u32>, Vec<u32>);

    impl Datagrams {
        pub(crate) fn talk(&self) -> Talk<'_> {
            Talk {
                transport: Transport::Udp,
                client: Said::datagrams(&self.client.0, &self.client.1).cut(&self.client.2),
                server: Said::datagrams(&self.server.0, &self.server.1).cut(&self.server.2),
                ended: true,
                particulars: true,
            }
        }
    }

    /// A whole UDP conversation.
    pub(crate) fn udp(client: &[&[u8]], server: &[&[u8]]) -> Datagrams {
        snapped(usize::MAX, client, server)
    }

    /// The same, of which only the first `kept` bytes of each datagram were captured.
    pub(crate) fn snapped(kept: usize, client: &[&[u8]], server: &[&[u8]]) -> Datagrams {
        let lay = |pieces: &[&[u8]]| {
            let (mut bytes, mut ends, mut missing) = Laid::default();
            for piece in pieces {
                let captured = &piece[..piece.len().min(kept)];
                bytes.extend_from_slice(captured);
                ends.push(u32::try_from(bytes.len()).unwrap());
                missing.push(u32::try_from(piece.len() - captured.len()).unwrap());
            }
            (bytes, ends, missing)
        };
        Datagrams { client: lay(client), server: lay(server) }
    }

    fn is(name: &str, certainty: Certainty, talk: &Talk<'_>) -> Recognised {
        prefixes(talk);
        let said = recognise(talk).settle(talk);
        let found = said.protocol.map(|protocol| protocol.name);
        assert_eq!((found, said.certainty), (Some(name), certainty), "{said:?}");
        said
    }

    /// Recognised by the server's bytes; gives what was said.
    pub(crate) fn confirmed(name: &str, talk: &Talk<'_>) -> Recognised {
        is(name, Certainty::Confirmed, talk)
    }

    /// Recognised by the client's bytes alone.
    pub(crate) fn attempt(name: &str, talk: &Talk<'_>) -> Recognised {
        is(name, Certainty::Attempt, talk)
    }

    /// Recognised by a part, or by a weak rule.
    pub(crate) fn partial(name: &str, talk: &Talk<'_>) -> Recognised {
        is(name, Certainty::Partial, talk)
    }

    /// Recognised as something else or not at all.
    pub(crate) fn not(name: &str, talk: &Talk<'_>) {
        prefixes(talk);
        let said = recognise(talk).settle(talk);
        assert_ne!(said.protocol.map(|protocol| protocol.name), Some(name), "{said:?}");
    }

    /// Not recognised at all.
    pub(crate) fn nothing(talk: &Talk<'_>) {
        prefixes(talk);
        let said = recognise(talk).settle(talk);
        assert_eq!(said.protocol.map(|protocol| protocol.name), None, "{said:?}");
    }

    /// Every prefix of either side can be looked at, and none is called confirmed without a word of the server.
    fn prefixes(talk: &Talk<'_>) {
        for ended in [false, true] {
            let most = talk.client.bytes().len().max(talk.server.bytes().len()).min(2048);
            for length in (0..=most).filter(|length| *length < 200 || length % 17 == 0) {
                let cut = |said: &Said<'_>, length: usize| {
                    said.bytes().get(..length).unwrap_or(said.bytes()).to_vec()
                };
                for (client, server) in [
                    (cut(&talk.client, length), cut(&talk.server, usize::MAX)),
                    (cut(&talk.client, usize::MAX), cut(&talk.server, length)),
                ] {
                    let short = Talk {
                        client: Said::stream(&client, true),
                        server: Said::stream(&server, true),
                        ended,
                        ..*talk
                    };
                    let opinion = recognise(&short);
                    assert!(!(ended && opinion.more));
                    let one_way = opinion.found.as_ref().is_some_and(|(_, claim)| claim.by == By::Sender);
                    let settled = opinion.settle(&short);
                    let heard = one_way || !server.is_empty();
                    assert!(settled.certainty != Certainty::Confirmed || heard, "{settled:?}");
                }
            }
        }
    }
}
