//! SOCKS 4, 4a and 5: a short request, an answer that fits it (RFC 1928 §3).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How SOCKS is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "socks",
        title: "SOCKS",
        reference: "RFC 1928",
        services: &["socks"],
        wandering: Wandering::Often,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::classes(Side::Client, Over::Stream, &[Class::Is(5), Class::In(1, 16)]),
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::Is(4),
                Class::In(1, 2),
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Any,
            ],
        ),
        // A method that is taken, and then the answer to a request; a password may stand between.
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::Is(5), Class::Is(0), Class::Is(5), Class::In(0, 8), Class::Is(0)],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[
                Class::Is(5),
                Class::Is(2),
                Class::Is(1),
                Class::Any,
                Class::Is(5),
                Class::In(0, 8),
                Class::Is(0),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[
                Class::Is(0),
                Class::In(0x5a, 0x5d),
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
            ],
        ),
    ],
    look,
};

/// What a client of version 5 says.
struct Five<'a> {
    methods: &'a [u8],
    /// What follows the greeting.
    rest: &'a [u8],
}

fn five(bytes: &[u8]) -> Option<Five<'_>> {
    let [5, count, rest @ ..] = bytes else { return None };
    let (methods, rest) = rest.split_at_checked(usize::from(*count))?;
    // None, GSSAPI, a password, and what is registered up to 9 (RFC 1928 §3).
    let known = methods.iter().all(|method| matches!(method, 0..=9 | 0x80..=0xfe));
    let mut distinct = methods.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    (known && !methods.is_empty() && distinct.len() == methods.len()).then_some(Five { methods, rest })
}

/// Where a connection is to lead.
enum Host<'a> {
    Four(Ipv4Addr),
    Six(Ipv6Addr),
    Name(&'a [u8]),
}

/// The same with its port.
struct Address<'a> {
    host: Host<'a>,
    port: u16,
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Four(address) => write!(to, "{address}:{}", self.port),
            Host::Six(address) => write!(to, "[{address}]:{}", self.port),
            Host::Name(name) => write!(to, "{}:{}", String::from_utf8_lossy(name), self.port),
        }
    }
}

/// A request or its answer: a code, nothing, and an address (RFC 1928 §4): its address, and what follows.
fn address(bytes: &[u8], most_code: u8) -> Option<(Address<'_>, &[u8])> {
    let [5, code, 0, kind, rest @ ..] = bytes else { return None };
    let (host, rest) = match kind {
        1 => {
            let (four, rest) = rest.split_first_chunk::<4>()?;
            (Host::Four(Ipv4Addr::from(*four)), rest)
        }
        4 => {
            let (sixteen, rest) = rest.split_first_chunk::<16>()?;
            (Host::Six(Ipv6Addr::from(*sixteen)), rest)
        }
        3 => {
            let (length, rest) = rest.split_first()?;
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            let plain = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
            (plain.then_some(Host::Name(name))?, rest)
        }
        _ => return None,
    };
    let (port, rest) = rest.split_first_chunk::<2>()?;
    (*code <= most_code).then_some((Address { host, port: u16::from_be_bytes(*port) }, rest))
}

/// Behind the greeting: a name and a password (RFC 1929 §2), then the request.
fn request(rest: &[u8]) -> Option<Address<'_>> {
    let behind = match rest {
        [1, length, more @ ..] => {
            let more = more.get(usize::from(*length)..)?;
            let (length, more) = more.split_first()?;
            more.get(usize::from(*length)..)?
        }
        _ => rest,
    };
    address(behind, 3).map(|(address, _)| address)
}

fn look_five(talk: &Talk<'_>, five: &Five<'_>) -> Look {
    let claim = |by, bits, rule| {
        let claim = talk.claim(by, bits, rule).with("version", b"5");
        match request(five.rest) {
            Some(address) => claim.showing("connect", address),
            None => claim,
        }
    };
    match talk.server.bytes() {
        [5, method, rest @ ..] if five.methods.contains(method) || *method == 0xff => {
            let follows = match (method, rest) {
                (_, []) => true,
                (2, [1, status, rest @ ..]) => {
                    *status <= 2 && (rest.is_empty() || address(rest, 8).is_some())
                }
                (0, rest) => address(rest, 8).is_some(),
                (_, _) => *method != 2,
            };
            if !follows {
                return if talk.ended { Look::No } else { Look::More };
            }
            Look::Yes(claim(By::Both, 40, "methods are offered, and one is taken"))
        }
        [5] if !talk.ended => Look::More,
        [] if five.rest.is_empty() => Look::Yes(claim(By::Client, 16, "client offers methods of SOCKS 5")),
        [] if request(five.rest).is_some() => {
            Look::Yes(claim(By::Client, 48, "methods of SOCKS 5, and a request"))
        }
        _ => Look::No,
    }
}

/// Command, port, address, a name, a zero; with an address that is none, a domain follows (SOCKS 4a).
fn four(bytes: &[u8]) -> Option<(Address<'_>, &[u8])> {
    let ([4, 1 | 2, p1, p2, address @ ..], rest) = bytes.split_first_chunk::<8>()? else { return None };
    let text = |bytes: &'_ [u8]| bytes.len() < 256 && bytes.iter().all(u8::is_ascii_graphic);
    let end = memchr::memchr(0, rest)?;
    let (user, rest) = rest.split_at_checked(end)?;
    let rest = rest.get(1..)?;
    let port = u16::from_be_bytes([*p1, *p2]);
    if !text(user) || port == 0 {
        return None;
    }
    match address {
        [0, 0, 0, 1..=255] => {
            let end = memchr::memchr(0, rest)?;
            let (name, rest) = rest.split_at_checked(end)?;
            let name = Some(name).filter(|name| text(name) && !name.is_empty())?;
            Some((Address { host: Host::Name(name), port }, rest.get(1..)?))
        }
        [1..=223, ..] => Some((Address { host: Host::Four(Ipv4Addr::from(*address)), port }, rest)),
        _ => None,
    }
}

/// A server whose client was not heard: a method, and an answer with an address; of version 4 an answer whose fields that
/// mean nothing are zero, and which nothing follows where it refuses.
fn look_server(talk: &Talk<'_>, server: &[u8]) -> Look {
    let answer = match server {
        [5, 0, rest @ ..] | [5, 2, 1, 0..=2, rest @ ..] => rest,
        [0, 0x5a, 0, 0, 0, 0, 0, 0, ..] | [0, 0x5b..=0x5d, 0, 0, 0, 0, 0, 0] => {
            return Look::Yes(talk.claim(By::Server, 40, "server's answer of SOCKS 4").with("version", b"4"));
        }
        _ => return Look::No,
    };
    match address(answer, 8) {
        Some(_) => {
            let rule = "server takes a method, and answers a request";
            Look::Yes(talk.claim(By::Server, 40, rule).with("version", b"5"))
        }
        None if answer.len() < 270 && !talk.ended => Look::More,
        None => Look::No,
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (talk.client.bytes(), talk.server.bytes());
    if client.is_empty() {
        return look_server(talk, server);
    }
    if let Some(five) = five(client) {
        return look_five(talk, &five);
    }
    let Some((address, rest)) = four(client) else {
        let open =
            client.len() < 300 && (client.first() == Some(&4) || client.len() < 18) && server.is_empty();
        return if open && !talk.ended { Look::More } else { Look::No };
    };
    let (by, bits, rule) = match server {
        [0, 0x5a, _, _, _, _, _, _, ..] | [0, 0x5b..=0x5d, _, _, _, _, _, _] => {
            (By::Both, 40, "a request of SOCKS 4, and its answer")
        }
        // A server of version 5 has no method for it.
        [5, 0xff] => (By::Both, 32, "a request of SOCKS 4, and a refusal of SOCKS 5"),
        [] if rest.is_empty() => (By::Client, 20, "a request of SOCKS 4"),
        _ => return Look::No,
    };
    Look::Yes(talk.claim(by, bits, rule).with("version", b"4").showing("connect", address))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn version_five() {
        let client = b"\x05\x02\x00\x02\x05\x01\x00\x03\x09a.example\x01\xbbdata";
        let server = b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00data";
        assert_eq!(confirmed("socks", &tcp(client, server)).detail("connect"), Some("a.example:443"));
        let secret = b"\x05\x01\x02\x01\x02me\x06secret\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50";
        let said = confirmed("socks", &tcp(secret, b"\x05\x02\x01\x00"));
        assert_eq!(said.detail("connect"), Some("192.0.2.1:80"));
        assert!(said.details.iter().all(|detail| !detail.value.contains("secret")));
        attempt("socks", &tcp(b"\x05\x01\x00", b""));
        confirmed("socks", &tcp(b"\x05\x01\x00", b"\x05\xff"));
        nothing(&tcp(b"\x05\x01\x00", b"\x05\x01"));
        nothing(&tcp(b"\x05\x01\x0b", b""));
        nothing(&tcp(b"\x05\x01\x00more", b""));
    }

    #[test]
    fn a_server_whose_client_was_not_heard() {
        confirmed("socks", &tcp(b"", b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00data"));
        confirmed("socks", &tcp(b"", b"\x05\x02\x01\x00\x05\x00\x00\x03\x01a\x00\x50"));
        confirmed("socks", &tcp(b"", b"\x00\x5a\x00\x00\x00\x00\x00\x00HTTP/1.1 200 OK\r\n"));
        nothing(&tcp(b"", b"\x05\x00"));
        nothing(&tcp(b"", b"\x05\x00\x05\x09\x00\x01\x00\x00\x00\x00\x00\x00"));
        nothing(&tcp(b"", b"\x00\x5b\x00\x00\x00\x00\x00\x00more"));
    }

    #[test]
    fn version_four() {
        let client = b"\x04\x01\x00\x50\x00\x00\x00\x01me\x00a.example\x00";
        let said = confirmed("socks", &tcp(client, b"\x00\x5a\x00\x50\x00\x00\x00\x00"));
        assert_eq!(said.detail("connect"), Some("a.example:80"));
        confirmed("socks", &tcp(b"\x04\x01\x00\x50\xc0\x00\x02\x01\x00", b"\x05\xff"));
        attempt("socks", &tcp(b"\x04\x01\x00\x50\xc0\x00\x02\x01\x00", b""));
        nothing(&tcp(b"\x04\x01\x00\x50\xc0\x00\x02\x01\x00", b"\x00\x00hello"));
        nothing(&tcp(b"\x04\x01\x00\x50\xc0\x00\x02\x01\x01\x00", b""));
    }
}
