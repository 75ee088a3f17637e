//! TLS and SSL: hellos, certificates and alerts in records (RFC 8446, RFC 5246, RFC 6101).

use model::{Protocol, Secrecy, Wandering};
use wire::tls::{self, ClientHello, ServerHello, content, handshake};

use super::Recogniser;
use crate::fingerprint::Carrier;
use crate::recognise::{By, Claim, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};
use crate::{certificate, hello};

/// How TLS is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "tls",
        title: "TLS",
        reference: "RFC 8446",
        services: &[
            "https",
            "submissions",
            "nntps",
            "ldaps",
            "domain-s",
            "ftps",
            "ftps-data",
            "telnets",
            "imaps",
            "pop3s",
            "amqps",
            "secure-mqtt",
            "sips",
            "rtsps",
            "ircs-u",
            "syslog-tls",
            "netconf-tls",
            "netconf-ch-tls",
            "restconf-ch-tls",
            "rpki-rtr-tls",
            "stuns",
            "turns",
            "stun-behaviors",
            "radsec",
            "diameters",
            "ipfixs",
            "opcua-tls",
            "dicom-tls",
            "coaps",
            "wsmans",
            "wsdapi-s",
            "ipps",
            "pt-tls",
            "ethernet-ip-s",
            "docker-s",
            "wbem-https",
            "pcsync-https",
            "appserv-https",
            "msft-gc-ssl",
            "nsiiops",
            "tungsten-https",
        ],
        wandering: Wandering::Often,
        secrecy: Secrecy::Encrypted,
    },
    signs: &[
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[Class::In(20, 24), Class::Is(3), Class::In(0, 4), Class::In(0, 0x48)],
        ),
        // A hello of SSL 2.0: two bytes of length, its kind, a version.
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[Class::Mask(0x80, 0x80), Class::Any, Class::Is(1), Class::In(0, 3), Class::In(0, 3)],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::Mask(0x80, 0x80), Class::Any, Class::Is(4), Class::In(0, 1), Class::In(0, 1)],
        ),
    ],
    look,
};

/// What one side says.
#[derive(PartialEq, Eq)]
enum Speech {
    /// No TLS.
    Other,
    /// It may be, there is too little of it.
    Open,
    /// It begins with a hello of this side.
    Hello,
    /// Nothing but an alert.
    Alert(u8),
    /// Records that are encrypted: it began before we looked.
    Records,
}

/// Whether the handshake bytes begin with a message of this kind that has a version in it and is of a likely length.
fn begins_hello(joined: &[u8], kind: u8) -> Option<bool> {
    let place = |at: usize, right: &dyn Fn(u8) -> bool| joined.get(at).map(|byte| right(*byte));
    let mut whole = true;
    for test in [
        place(0, &|byte| byte == kind),
        place(1, &|byte| byte <= 1),
        place(4, &|byte| byte == 3 || (byte == 0x7f && kind == handshake::SERVER_HELLO)),
        place(5, &|byte| byte <= 4 || joined.get(4) == Some(&0x7f)),
    ] {
        match test {
            Some(false) => return Some(false),
            Some(true) => {}
            None => whole = false,
        }
    }
    whole.then_some(true)
}

fn speech(said: &Said<'_>, joined: &[u8], kind: u8) -> Speech {
    let bytes = said.bytes();
    let Ok(first) = tls::record(bytes) else {
        let open = !bytes.is_empty() && bytes.len() < 5 && matches!(bytes.first(), Some(20..=24));
        return if open && bytes.get(1).is_none_or(|major| *major == 3) {
            Speech::Open
        } else {
            Speech::Other
        };
    };
    match (first.kind, first.fragment) {
        (content::HANDSHAKE, _) => match begins_hello(joined, kind) {
            Some(true) => Speech::Hello,
            Some(false) => records(bytes),
            None => Speech::Open,
        },
        (content::ALERT, [level @ 1..=2, description]) if first.length == 2 => {
            match (tls::alert_name(*description), level) {
                (Some(_), _) => Speech::Alert(*description),
                (None, _) => Speech::Other,
            }
        }
        (content::ALERT, part) if first.length == 2 && part.len() < 2 => Speech::Open,
        _ => records(bytes),
    }
}

/// Two records behind each other without anything between.
fn records(bytes: &[u8]) -> Speech {
    let mut records = tls::records(bytes);
    match (records.next(), records.next()) {
        (Some(one), Some(two)) if one.is_whole() && one.version == two.version && one.length > 16 => {
            Speech::Records
        }
        _ => Speech::Other,
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (from_client, from_server) =
        (tls::clear_handshake(talk.client.bytes()), tls::clear_handshake(talk.server.bytes()));
    let client = speech(&talk.client, &from_client, handshake::CLIENT_HELLO);
    let server = speech(&talk.server, &from_server, handshake::SERVER_HELLO);
    let v2 = tls::parse_v2_client(talk.client.bytes());
    if server == Speech::Open && !talk.ended {
        return Look::More;
    }
    let greets = client == Speech::Hello || v2.is_ok();
    let (by, bits, rule) = match (greets, &server) {
        (true, Speech::Hello) => (By::Both, 120, "ClientHello and ServerHello"),
        (false, Speech::Hello) => (By::Server, 60, "server begins with a ServerHello"),
        (true, Speech::Alert(_)) => (By::Both, 100, "ClientHello, and an alert as the answer"),
        (false, Speech::Alert(_)) => (By::Server, 48, "server answers with a TLS alert"),
        (true, _) if client == Speech::Hello => (By::Client, 60, "client begins with a ClientHello"),
        (true, _) => return old(talk, v2.map(|hello| hello.version)),
        (false, Speech::Records) => (By::Server, 14, "records of TLS, without their beginning"),
        (false, _) if client == Speech::Records => {
            (By::Client, 14, "records of TLS, without their beginning")
        }
        _ if client == Speech::Open && !talk.ended => return Look::More,
        _ => return Look::No,
    };
    let mut messages = tls::messages(&from_client);
    let offer = messages.find(|message| message.kind == handshake::CLIENT_HELLO);
    // A session that is taken up again has no certificate in it.
    let encrypted = |record: tls::Record<'_>| !matches!(record.kind, content::HANDSHAKE | content::ALERT);
    let open = is_open(&from_server) && !tls::records(talk.server.bytes()).any(encrypted);
    let mut claim = talk.claim(by, bits, rule);
    claim.more = (open || offer.is_some_and(|message| !message.is_whole())) && !talk.ended;
    if claim.is_enough(talk) {
        return Look::Yes(claim);
    }
    if let Some(message) = offer.filter(|message| message.is_whole())
        && let Ok(offer) = ClientHello::parse(message.body, false)
    {
        claim = hello::offered(claim, &offer, Carrier::Stream);
    }
    claim = answered(claim, &from_server);
    Look::Yes(match server {
        Speech::Alert(description) => {
            claim.with("alert", tls::alert_name(description).unwrap_or_default().as_bytes())
        }
        _ => claim,
    })
}

/// Whether one of the server's messages in the clear has not ended, or another must follow.
fn is_open(handshakes: &[u8]) -> bool {
    let (mut open, mut chosen) = (false, false);
    for message in tls::messages(handshakes) {
        match message.kind {
            handshake::SERVER_HELLO => match ServerHello::parse(message.body) {
                // Before TLS 1.3 the certificate follows in the clear.
                Ok(choice) if message.is_whole() && !chosen => {
                    (open, chosen) = (choice.chosen_version() <= 0x0303, true);
                }
                _ => open = !message.is_whole(),
            },
            handshake::CERTIFICATE => open = !message.is_whole(),
            // ServerHelloDone and what comes before it.
            _ => open = open && message.kind != 14,
        }
    }
    open
}

/// What the server's messages in the clear say.
fn answered(mut claim: Claim, handshakes: &[u8]) -> Claim {
    let mut chosen = false;
    for message in tls::messages(handshakes) {
        match message.kind {
            handshake::SERVER_HELLO if message.is_whole() && !chosen => {
                if let Ok(choice) = ServerHello::parse(message.body) {
                    claim = hello::chosen(claim, &choice, Carrier::Stream);
                    chosen = true;
                }
            }
            handshake::CERTIFICATE => {
                let own = tls::certificates(message.body).next();
                claim.certificate = own.and_then(certificate::read).map(Box::new);
            }
            _ => {}
        }
    }
    claim
}

/// A hello of SSL 2.0, answered in kind or not at all.
fn old(talk: &Talk<'_>, version: Result<u16, wire::Fault>) -> Look {
    let version = version.ok().and_then(tls::version_name).unwrap_or_default();
    let claim = match tls::parse_v2_server(talk.server.bytes()) {
        Ok(der) => {
            let mut claim = talk.claim(By::Both, 110, "hellos of SSL 2.0 from both sides");
            claim.certificate = certificate::read(der).map(Box::new);
            claim.with("version", b"SSL 2.0")
        }
        Err(_) => talk.claim(By::Client, 60, "client begins with a hello of SSL 2.0"),
    };
    Look::Yes(claim.with("versions_offered", version.as_bytes()))
}

#[cfg(test)]
mod tests {
    use crate::certificate::tests::made;
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
        [&[kind, 3, 1][..], &length, fragment].concat()
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let [_, long, high, low] = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind, long, high, low][..], body].concat()
    }

    fn client_hello() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(&[0, 0, 4, 0x13, 0x01, 0xc0, 0x2f, 1, 0, 0, 18]);
        body.extend_from_slice(&[0, 0, 0, 14, 0, 12, 0, 0, 9]);
        body.extend_from_slice(b"a.example");
        message(1, &body)
    }

    fn server_hello() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[9; 32]);
        body.extend_from_slice(&[0, 0xc0, 0x2f, 0]);
        message(2, &body)
    }

    fn chain() -> Vec<u8> {
        let der = made("a.example", "a.example");
        let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
        message(11, &[length(der.len() + 3), length(der.len()), der].concat())
    }

    #[test]
    fn hellos_and_a_certificate() {
        let server = [record(22, &server_hello()), record(22, &chain())].concat();
        let said = confirmed("tls", &tcp(&record(22, &client_hello()), &server));
        assert_eq!(said.detail("sni"), Some("a.example"));
        assert_eq!((said.detail("version"), said.detail("cipher")), (Some("TLS 1.2"), Some("0xc02f")));
        assert!(
            said.detail("ja3").is_some() && said.detail("ja3s").is_some() && said.detail("ja4").is_some()
        );
        let certificate = said.certificate.unwrap();
        assert!(certificate.self_signed && certificate.names.contains(&"a.example".to_owned()));
        attempt("tls", &tcp(&record(22, &client_hello()), b""));
        confirmed("tls", &tcp(b"", &server));
    }

    #[test]
    fn records_and_messages_may_be_split_anywhere() {
        let hello = client_hello();
        for at in [1, 3, 4, 5, 40, hello.len() - 1] {
            let split = [record(22, &hello[..at]), record(22, &hello[at..])].concat();
            assert_eq!(attempt("tls", &tcp(&split, b"")).detail("sni"), Some("a.example"));
        }
        let joined = record(22, &[server_hello(), chain()].concat());
        assert!(confirmed("tls", &tcp(&record(22, &hello), &joined)).certificate.is_some());
    }

    #[test]
    fn alerts_old_hellos_and_records_without_a_beginning() {
        let said = confirmed("tls", &tcp(b"GET / HTTP/1.1\r\n\r\n", &[21, 3, 3, 0, 2, 2, 70]));
        assert_eq!(said.detail("alert"), Some("protocol_version"));
        assert_eq!(said.attempt.map(|protocol| protocol.name), Some("http"));
        let old = [&[0x80, 0x1f, 1, 3, 1, 0, 6, 0, 0, 0, 16, 1, 0, 0x80, 7, 0, 0xc0][..], &[5; 16]].concat();
        attempt("tls", &tcp(&old, b""));
        confirmed("tls", &tcp(&old, &record(22, &server_hello())));
        let encrypted = [record(23, &[1; 40]), record(23, &[2; 40])].concat();
        partial("tls", &tcp(b"", &encrypted));
    }

    #[test]
    fn more_is_awaited_only_until_the_certificate() {
        let (client, hello) = (record(22, &client_hello()), record(22, &server_hello()));
        let awaits = |server: &[u8]| {
            let talk = crate::Talk { ended: false, ..tcp(&client, server) };
            crate::recognise(&talk).more
        };
        assert!(awaits(b"") && awaits(&hello[..20]) && awaits(&hello));
        assert!(!awaits(&[hello.clone(), record(22, &chain())].concat()));
        assert!(!awaits(&[hello, record(20, &[1])].concat()));
    }

    #[test]
    fn neighbours_are_not_tls() {
        for bytes in [
            &[21, 3, 3, 0, 2, 3, 70][..],
            &[21, 3, 3, 0, 2, 2, 7],
            &[22, 3, 1, 0, 40, 1, 9, 0, 0, 3, 3, 1, 1],
            &[22, 3, 1, 0, 40, 1, 0, 0, 9, 8, 3, 1, 1],
            &[22, 3, 9, 0, 40, 1, 0, 0, 36, 3, 3],
            &[23, 3, 3, 0, 3, 1, 1, 1],
            &[0x80, 0x1f, 1, 3, 1, 0, 7, 0, 0, 0, 16],
        ] {
            nothing(&tcp(bytes, b""));
            nothing(&tcp(b"", bytes));
        }
    }
}
