//! DCE/RPC, which is also MS-RPC: a bind to an interface, and its acknowledgement; without connections a call, and answers of its activity (C706 §12, MS-RPCE 2.2.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, hear_pair, must, otherwise};
use crate::recognise::{By, Claim, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How DCE/RPC is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "dce-rpc",
        title: "DCE/RPC (MS-RPC)",
        reference: "C706",
        services: &["epmap", "profinet-cm"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[Is(5), In(0, 1), In(0, 19), In(0, 0x8f), In(0, 0x11), Is(0), Is(0), Is(0)],
        ),
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[Is(4), In(0, 10), In(0, 0x7e), In(0, 3), In(0, 0x11), In(0, 3), Is(0)],
        ),
    ],
    look,
};

const BIND: u8 = 11;
const BIND_ACK: u8 = 12;
const BIND_NAK: u8 = 13;

struct Message {
    kind: u8,
    call: u32,
    interface: Option<String>,
}

/// Interfaces that are met often.
const INTERFACES: &[(&str, &str)] = &[
    ("e1af8308-5d1f-11c9-91a4-08002b14a0fa", "endpoint mapper"),
    ("12345778-1234-abcd-ef00-0123456789ab", "lsarpc"),
    ("12345778-1234-abcd-ef00-0123456789ac", "samr"),
    ("12345678-1234-abcd-ef00-01234567cffb", "netlogon"),
    ("367abb81-9844-35f1-ad32-98f038001003", "svcctl"),
    ("4b324fc8-1670-01d3-1278-5a47bf6ee188", "srvsvc"),
    ("99fcfec4-5260-101b-bbcb-00aa0021347a", "IObjectExporter"),
    ("000001a0-0000-0000-c000-000000000046", "IRemoteSCMActivator"),
    ("e3514235-4b06-11d1-ab04-00c04fc2dcd2", "drsuapi"),
];

/// An interface's identifier as people write it.
fn identifier(bytes: [u8; 16], little: bool) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let (first, second, third) = if little {
        (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]))
    } else {
        (u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f]), u16::from_be_bytes([g, h]))
    };
    let [i, j, node @ ..] = rest;
    let node = node.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{first:08x}-{second:04x}-{third:04x}-{i:02x}{j:02x}-{node}")
}

fn message(mut reader: Reader<'_>) -> Part<Message> {
    let [version, minor, kind, flags] = reader.array()?;
    must(version == 5 && minor <= 1 && kind <= 19 && flags & 3 != 0)?;
    // Whole numbers little-endian or not, ASCII or EBCDIC, IEEE or older (C706 §14.1).
    let [order, float, zero, last] = reader.array()?;
    must(matches!(order, 0 | 1 | 0x10 | 0x11) && float <= 3 && [zero, last] == [0, 0])?;
    let little = order & 0x10 != 0;
    let word = |reader: &mut Reader<'_>| if little { reader.le16() } else { reader.be16() };
    let (length, authentication) = (word(&mut reader)?, word(&mut reader)?);
    let call = if little { reader.le32()? } else { reader.be32()? };
    must((18..=0x2000).contains(&length) && authentication < length && call < 1 << 24)?;
    let mut interface = None;
    if kind == BIND {
        let (send, receive) = (word(&mut reader)?, word(&mut reader)?);
        reader.take(4)?;
        let [contexts, ..] = reader.array::<4>()?;
        must(send >= 1024 && receive >= 1024 && contexts > 0)?;
        reader.take(4)?;
        interface = Some(identifier(reader.array()?, little));
    }
    Ok(Message { kind, call, interface })
}

/// A datagram of the protocol without connections (C706 §12.5).
struct Call {
    kind: u8,
    activity: [u8; 16],
    interface: String,
}

const REQUEST: u8 = 0;
/// What the header takes.
const HEADER_BYTES: usize = 80;

fn call(mut reader: Reader<'_>) -> Part<Call> {
    let all = reader.left();
    let [version, kind, flags, more] = reader.array()?;
    // Of the flags one bit at each end is kept back, and of the second ones all but one.
    must(version == 4 && kind <= 10 && flags & 0x81 == 0 && more & !2 == 0)?;
    let [order, float, zero] = reader.array()?;
    must(matches!(order, 0 | 1 | 0x10 | 0x11) && float <= 3 && zero == 0)?;
    let little = order & 0x10 != 0;
    let word = |reader: &mut Reader<'_>| if little { reader.le16() } else { reader.be16() };
    let long = |reader: &mut Reader<'_>| if little { reader.le32() } else { reader.be32() };
    // Serial number, object.
    reader.take(1 + 16)?;
    let interface: [u8; 16] = reader.array()?;
    let activity: [u8; 16] = reader.array()?;
    // Boot time, version of the interface, sequence.
    reader.take(4)?;
    let interface_version = long(&mut reader)?;
    reader.take(4)?;
    let operation = word(&mut reader)?;
    let (interface_hint, activity_hint) = (word(&mut reader)?, word(&mut reader)?);
    let length = usize::from(word(&mut reader)?);
    reader.take(2)?;
    let [authentication, _] = reader.array()?;
    must(interface_version & 0xffff <= 16 && interface_version >> 16 <= 16 && operation < 512)?;
    must([interface_hint, activity_hint].iter().all(|hint| *hint == u16::MAX || *hint < 1024))?;
    must(activity != [0; 16] && interface != [0; 16])?;
    // What it says of its length is what it has; a verifier comes behind.
    let body = all.saturating_sub(HEADER_BYTES);
    must(if authentication == 0 { length == body } else { authentication <= 16 && length <= body })?;
    Ok(Call { kind, activity, interface: identifier(interface, little) })
}

/// A call and what is said of its activity. A call alone fits one of 2^100 at random, with its answer one of 2^220.
fn connectionless(talk: &Talk<'_>) -> Look {
    let fits = |asked: &Call, said: &Call| asked.activity == said.activity;
    let (client, server) = hear_pair(talk, call, call, fits);
    let claim = match (&client, &server) {
        (Ok(asked), Ok(said)) if fits(asked, said) => {
            talk.claim(By::Both, 220, "call, and an answer to its activity")
        }
        (Ok(asked), Err(Not::Silent)) if asked.kind == REQUEST => {
            talk.claim(By::Client, 100, "client begins with a call")
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match client {
        Ok(asked) => with_interface(claim, &asked.interface),
        Err(_) => claim,
    })
}

fn with_interface(claim: Claim, interface: &str) -> Claim {
    let known = INTERFACES.iter().find(|(known, _)| *known == interface);
    claim.with("interface", known.map_or(interface, |(_, name)| name).as_bytes())
}

fn look(talk: &Talk<'_>) -> Look {
    if talk.is_datagrams() {
        return connectionless(talk);
    }
    let client = hear(talk, &talk.client, message);
    let server = hear(talk, &talk.server, message);
    let claim = match (&client, &server) {
        (Ok(asked), Ok(said))
            if asked.call == said.call && matches!((asked.kind, said.kind), (BIND, BIND_ACK | BIND_NAK)) =>
        {
            talk.claim(By::Both, 104, "bind, and an answer to its call")
        }
        (Ok(asked), Err(Not::Silent | Not::Short)) if asked.kind == BIND => {
            talk.claim(By::Client, 72, "client begins with a bind")
        }
        (Err(Not::Silent), Ok(said)) if said.kind == BIND_ACK => {
            talk.claim(By::Server, 56, "server's answer to a bind")
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match client.ok().and_then(|asked| asked.interface) {
        Some(interface) => with_interface(claim, &interface),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, not, nothing, tcp, udp};

    /// A datagram: kind, activity, and a body.
    fn datagram(kind: u8, activity: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![4, kind, 0x20, 0, 0x10, 0, 0, 0];
        bytes.extend_from_slice(&[0; 16]);
        bytes.extend_from_slice(b"\x08\x83\xaf\xe1\x1f\x5d\xc9\x11\x91\xa4\x08\0\x2b\x14\xa0\xfa");
        bytes.extend_from_slice(&[activity; 16]);
        bytes.extend_from_slice(&[0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0xff, 0xff, 0xff, 0xff]);
        bytes.extend_from_slice(&u16::try_from(body.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 0]);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn calls_without_a_connection() {
        let ask = datagram(0, 7, b"who is there");
        let said = confirmed("dce-rpc", &udp(&[&ask], &[&datagram(2, 7, b"me")]).talk());
        assert_eq!(said.detail("interface"), Some("endpoint mapper"));
        assert_eq!(said.rule, "call, and an answer to its activity");
        attempt("dce-rpc", &udp(&[&ask], &[]).talk());
        // The first question may go unanswered.
        let again = datagram(0, 8, b"again");
        confirmed("dce-rpc", &udp(&[&ask, &again], &[&datagram(2, 8, b"me")]).talk());
        nothing(&udp(&[&ask], &[&datagram(2, 9, b"me")]).talk());
        nothing(&udp(&[&datagram(2, 7, b"me")], &[]).talk());
        for place in [0, 1, 2, 3, 4, 5, 6, 62, 69, 72, 74, 78] {
            let mut broken = ask.clone();
            broken[place] ^= 0x85;
            nothing(&udp(&[&broken], &[]).talk());
        }
        for length in 0..ask.len() {
            nothing(&udp(&[&ask[..length]], &[]).talk());
        }
    }

    #[test]
    fn binds() {
        let mut ask =
            b"\x05\0\x0b\x03\x10\0\0\0\x48\0\0\0\x02\0\0\0\xd0\x16\xd0\x16\0\0\0\0\x01\0\0\0\0\0\x01\0"
                .to_vec();
        ask.extend_from_slice(b"\x08\x83\xaf\xe1\x1f\x5d\xc9\x11\x91\xa4\x08\0\x2b\x14\xa0\xfa\x03\0\0\0");
        let say = b"\x05\0\x0c\x03\x10\0\0\0\x3c\0\0\0\x02\0\0\0\xd0\x16\xd0\x16";
        assert_eq!(confirmed("dce-rpc", &tcp(&ask, say)).detail("interface"), Some("endpoint mapper"));
        attempt("dce-rpc", &tcp(&ask, b""));
        nothing(&tcp(&ask, b"\x05\0\x0c\x03\x10\0\0\0\x3c\0\0\0\x03\0\0\0\xd0\x16\xd0\x16"));
        // SOCKS begins with the same byte.
        not("dce-rpc", &tcp(b"\x05\x01\0\x05\x01\0\x01\x7f\0\0\x01\0\x50", b"\x05\0"));
    }
}
