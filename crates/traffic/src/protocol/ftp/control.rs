//! What a control connection of FTP agrees for its data connections: who waits, and where (RFC 959 §3.2, RFC 2428).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use model::{Protocol, Secrecy, Wandering};
use wire::tcp::Progress;

use crate::lines;

/// A data connection. Its bytes are those of a file: only the control connection tells what it is.
pub(crate) static DATA: Protocol = Protocol {
    name: "ftp-data",
    title: "FTP data",
    reference: "RFC 959",
    services: &["ftp-data"],
    wandering: Wandering::Often,
    secrecy: Secrecy::Cleartext,
};

/// A line that agrees something is no longer than this; longer ones are passed over.
const MOST_LINE: usize = 256;

/// Where a data connection is to go, as one side names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    /// `None` is the address that the side has on the control connection (RFC 2428 §3).
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}

/// What was agreed of one data connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) named: Named,
    /// Whether the client waits and the server connects.
    pub(crate) by_client: bool,
    /// Whether the server took it.
    pub(crate) granted: bool,
    pub(crate) rule: &'static str,
}

/// One side of the connection.
#[derive(Debug, Clone, Default)]
struct Side {
    progress: Progress,
    /// The beginning of a line whose end is still to come.
    begun: Vec<u8>,
    /// The line is too long; what follows up to its end is passed over.
    passing: bool,
}

impl Side {
    /// Shows every line that is whole now.
    fn lines(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some((line, more)) = memchr::memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end))
        {
            rest = more.get(1..).unwrap_or_default();
            if !self.passing {
                let whole = if self.begun.is_empty() {
                    line
                } else {
                    self.begun.extend_from_slice(line);
                    &self.begun
                };
                if whole.len() <= MOST_LINE {
                    each(whole.strip_suffix(b"\r").unwrap_or(whole));
                }
            }
            self.begun.clear();
            self.passing = false;
        }
        if self.passing || self.begun.len() + rest.len() > MOST_LINE {
            self.begun = Vec::new();
            self.passing = true;
        } else {
            self.begun.extend_from_slice(rest);
        }
    }
}

/// A control connection that is overheard.
#[derive(Debug, Clone, Default)]
pub(crate) struct Control {
    client: Side,
    server: Side,
    /// What the client named, and the server has not answered yet.
    asked: Option<(Named, &'static str)>,
    /// What follows is encrypted (RFC 4217 §4).
    hidden: bool,
}

impl Control {
    /// Takes the payload of a segment; gives what is agreed or refused with it.
    pub(crate) fn hear(
        &mut self,
        from_client: bool,
        sequence: u32,
        payload: &[u8],
        wire_bytes: u32,
    ) -> Vec<Agreed> {
        let mut found = Vec::new();
        if self.hidden {
            return found;
        }
        let side = if from_client { &mut self.client } else { &mut self.server };
        let fresh = side.progress.hear(sequence, payload, wire_bytes);
        if fresh.after_hole {
            side.begun.clear();
            side.passing = false;
        }
        let (asked, hidden) = (&mut self.asked, &mut self.hidden);
        side.lines(fresh.bytes, &mut |line| {
            if from_client {
                if let Some(named) = asks(line) {
                    *asked = Some(named);
                }
                return;
            }
            let Some((code, false, text)) = lines::reply(line) else { return };
            let answer = |named: Option<Named>, rule| {
                named.map(|named| Agreed { named, by_client: false, granted: true, rule })
            };
            found.extend(match code {
                227 => answer(passive(text), "port that a 227 reply of FTP named"),
                229 => answer(extended_passive(text), "port that a 229 reply of FTP named"),
                234 => {
                    *hidden = true;
                    None
                }
                // The first reply that is no word in between is the answer (RFC 959 §5.4).
                200 | 400..=599 => asked.take().map(|(named, rule)| Agreed {
                    named,
                    by_client: true,
                    granted: code == 200,
                    rule,
                }),
                _ => None,
            });
        });
        found
    }
}

/// What a client names in a line.
fn asks(line: &[u8]) -> Option<(Named, &'static str)> {
    let (verb, rest) = lines::verb(line);
    if verb.eq_ignore_ascii_case(b"PORT") {
        host_port(rest).map(|named| (named, "port that a client of FTP named with PORT"))
    } else if verb.eq_ignore_ascii_case(b"EPRT") {
        extended_port(rest).map(|named| (named, "port that a client of FTP named with EPRT"))
    } else {
        None
    }
}

/// A decimal number in front, and what follows it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at_checked(end).filter(|(digits, _)| (1..=5).contains(&digits.len()))?;
    Some((digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')), rest))
}

/// `h1,h2,h3,h4,p1,p2` (RFC 959 §4.1.2).
fn host_port(bytes: &[u8]) -> Option<Named> {
    let mut parts = [0_u8; 6];
    let mut rest = bytes;
    for (at, part) in parts.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b",")?;
        }
        let (value, more) = number(rest)?;
        *part = u8::try_from(value).ok()?;
        rest = more;
    }
    let [a, b, c, d, high, low] = parts;
    // A seventh number would be of something else.
    let port = u16::from_be_bytes([high, low]);
    (port > 0 && !rest.starts_with(b","))
        .then(|| Named { address: Some(Ipv4Addr::new(a, b, c, d).into()), port })
}

/// The text of a 227 reply: the first digit begins the numbers, with or without parentheses (RFC 1123 §4.1.2.6).
pub(super) fn passive(text: &[u8]) -> Option<Named> {
    let start = text.iter().position(u8::is_ascii_digit)?;
    host_port(text.get(start..)?)
}

/// Three parts between four signs of one kind, and what follows: `|1|132.235.1.2|6275|` (RFC 2428 §2).
fn between(bytes: &[u8]) -> Option<[&[u8]; 3]> {
    let (sign, rest) = bytes.split_first()?;
    if !(33..=126).contains(sign) || sign.is_ascii_digit() {
        return None;
    }
    let mut parts = rest.split(|byte| byte == sign);
    let found = [parts.next()?, parts.next()?, parts.next()?];
    // The last sign must be there.
    parts.next().map(|_| found)
}

fn port_number(bytes: &[u8]) -> Option<u16> {
    number(bytes)
        .filter(|(port, rest)| *port > 0 && rest.is_empty())
        .and_then(|(port, _)| u16::try_from(port).ok())
}

fn extended_port(bytes: &[u8]) -> Option<Named> {
    fn address<A: FromStr + Into<IpAddr>>(bytes: &[u8]) -> Option<IpAddr> {
        std::str::from_utf8(bytes).ok()?.parse::<A>().ok().map(Into::into)
    }
    let [family, host, port] = between(bytes)?;
    let address = match family {
        b"1" => address::<Ipv4Addr>(host)?,
        b"2" => address::<Ipv6Addr>(host)?,
        _ => return None,
    };
    Some(Named { address: Some(address), port: port_number(port)? })
}

/// The text of a 229 reply: `Entering Extended Passive Mode (|||6446|)` (RFC 2428 §3).
pub(super) fn extended_passive(text: &[u8]) -> Option<Named> {
    let start = memchr::memchr(b'(', text)? + 1;
    match between(text.get(start..)?)? {
        [b"", b"", port] => Some(Named { address: None, port: port_number(port)? }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(port: u16) -> Option<Named> {
        Some(Named { address: Some([10, 0, 0, 9].into()), port })
    }

    #[test]
    fn places_are_read_in_all_four_forms() {
        assert_eq!(host_port(b"10,0,0,9,4,1"), v4(1025));
        assert_eq!(passive(b"Entering Passive Mode (10,0,0,9,4,1)."), v4(1025));
        assert_eq!(passive(b"Entering Passive Mode 10,0,0,9,255,255"), v4(65_535));
        assert_eq!(extended_port(b"|1|10.0.0.9|1025|"), v4(1025));
        let six = Some(Named { address: Some("2001:db8::9".parse().unwrap()), port: 1025 });
        assert_eq!(extended_port(b"!2!2001:db8::9!1025!"), six);
        let own = |port| Some(Named { address: None, port });
        assert_eq!(extended_passive(b"Entering Extended Passive Mode (|||6446|)"), own(6446));
        assert_eq!(extended_passive(b"ok (###7#)"), own(7));
    }

    #[test]
    fn what_is_no_place_is_none() {
        for bytes in [
            &b""[..],
            b"10,0,0,9,4",
            b"10,0,0,9,4,",
            b"10,0,0,256,4,1",
            b"10,0,0,9,0,0",
            b"10,0,0,9,4,1,1",
            b"10.0.0.9,4,1",
            b"1000000,0,0,9,4,1",
            b"10,0,0,9,256,1",
            b" 10,0,0,9,4,1",
        ] {
            assert_eq!(host_port(bytes), None, "{bytes:?}");
        }
        for bytes in [
            &b""[..],
            b"|1|10.0.0.9|1025",
            b"|2|10.0.0.9|1025|",
            b"|1|2001:db8::9|1025|",
            b"|3|10.0.0.9|1025|",
            b"|1|10.0.0.9|0|",
            b"|1|10.0.0.9|65536|",
            b"|1|10.0.0.9||",
            b"11110.0.0.91102511",
            b" 1 a 1 ",
            b"|1|10.0.0.9|10x|",
        ] {
            assert_eq!(extended_port(bytes), None, "{bytes:?}");
        }
        for bytes in [&b"(|||6446)"[..], b"|||6446|", b"(|1|10.0.0.9|6446|)", b"(|||0|)", b"(", b"()"] {
            assert_eq!(extended_passive(bytes), None, "{bytes:?}");
        }
    }

    /// What is agreed where both sides say these segments, `<` of the client and `>` of the server.
    fn overheard(said: &[(&str, &[u8])]) -> Vec<(u16, bool, bool)> {
        let mut control = Control::default();
        let mut next = [1000_u32, 90_000];
        let mut found = Vec::new();
        for (from, bytes) in said {
            let from_client = *from == "<";
            let at = &mut next[usize::from(from_client)];
            let length = u32::try_from(bytes.len()).unwrap();
            let agreed = control.hear(from_client, *at, bytes, length);
            *at = at.wrapping_add(length);
            found.extend(agreed.iter().map(|it| (it.named.port, it.by_client, it.granted)));
        }
        found
    }

    #[test]
    fn a_client_names_a_port_and_the_server_takes_it_or_not() {
        let port = &b"PORT 10,0,0,9,4,1\r\n"[..];
        assert_eq!(overheard(&[("<", port)]), []);
        assert_eq!(overheard(&[("<", port), (">", b"200 ok\r\n")]), [(1025, true, true)]);
        assert_eq!(overheard(&[("<", port), (">", b"500 Illegal PORT\r\n")]), [(1025, true, false)]);
        assert_eq!(
            overheard(&[("<", port), (">", b"150 wait\r\n200-one\r\n"), (">", b"200 ok\r\n200 ok\r\n")]),
            [(1025, true, true)]
        );
        // Who says what matters.
        assert_eq!(overheard(&[(">", port), (">", b"200 ok\r\n")]), []);
        assert_eq!(overheard(&[("<", b"227 (10,0,0,9,4,1)\r\n"), ("<", b"229 (|||7|)\r\n")]), []);
        assert_eq!(overheard(&[(">", b"227 (10,0,0,9,4,1)\r\n")]), [(1025, false, true)]);
        assert_eq!(overheard(&[(">", b"227-(10,0,0,9,4,1)\r\n"), (">", b"226 (10,0,0,9,4,1)\r\n")]), []);
    }

    #[test]
    fn lines_come_in_pieces_and_long_ones_are_passed_over() {
        assert_eq!(
            overheard(&[("<", b"eprt |1|10.0."), ("<", b"0.9|1025|\r"), ("<", b"\n"), (">", b"200\r\n")]),
            [(1025, true, true)]
        );
        let long = [b'x'; 300];
        assert_eq!(overheard(&[(">", &long), (">", b"\n229 (|||7|)\r\n")]), [(7, false, true)]);
        assert_eq!(overheard(&[(">", &long), (">", b"229 (|||7|)\r\n229 (|||8|)\r\n")]), [(8, false, true)]);
        // Once it is encrypted, nothing is read any more.
        assert_eq!(overheard(&[("<", b"AUTH TLS\r\n"), (">", b"234 go\r\n"), (">", b"229 (|||7|)\r\n")]), []);
    }

    #[test]
    fn noise_agrees_nothing_and_memory_is_bounded() {
        let mut state = 0x1357_9bdf_u64;
        let mut control = Control::default();
        let mut at = 0_u32;
        for round in 0..20_000_u32 {
            let mut bytes = Vec::new();
            for _ in 0..8 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                bytes.extend_from_slice(&state.to_le_bytes());
            }
            let length = u32::try_from(bytes.len()).unwrap();
            assert_eq!(control.hear(round % 2 == 0, at, &bytes, length), []);
            at = at.wrapping_add(length);
            assert!(control.client.begun.len().max(control.server.begun.len()) <= MOST_LINE);
        }
    }
}
