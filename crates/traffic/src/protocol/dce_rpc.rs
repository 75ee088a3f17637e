//! DCE/RPC, which is also MS-RPC: a bind to an interface, and its acknowledgement (C706 §12.6, MS-RPCE 2.2.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
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
        services: &["epmap"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[Sign::classes(
        Side::Either,
        Over::Stream,
        &[Is(5), In(0, 1), In(0, 19), In(0, 0x8f), In(0, 0x11), Is(0), Is(0), Is(0)],
    )],
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

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, message);
    let server = hear(talk, &talk.server, message);
    let claim = match (&client, &server) {
        (Ok(asked), Ok(said))
            if asked.call == said.call && matches!((asked.kind, said.kind), (BIND, BIND_ACK | BIND_NAK)) =>
        {
            Claim::new(By::Both, 104, "bind, and an answer to its call")
        }
        (Ok(asked), Err(Not::Silent | Not::Short)) if asked.kind == BIND => {
            Claim::new(By::Client, 72, "client begins with a bind")
        }
        (Err(Not::Silent), Ok(said)) if said.kind == BIND_ACK => {
            Claim::new(By::Server, 56, "server's answer to a bind")
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match client.ok().and_then(|asked| asked.interface) {
        Some(interface) => {
            let known = INTERFACES.iter().find(|(known, _)| *known == interface);
            claim.with("interface", known.map_or(interface.as_str(), |(_, name)| name).as_bytes())
        }
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, not, nothing, tcp};

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
