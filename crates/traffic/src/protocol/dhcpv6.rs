//! DHCP for IPv6: a message type, a number, and options that fill the datagram (RFC 8415 §8, §9, §21).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How DHCPv6 is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "dhcpv6",
        title: "DHCPv6",
        reference: "RFC 8415",
        services: &["dhcpv6-client", "dhcpv6-server"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[In(1, 11), Any, Any, Any, Is(0), In(1, 0x8f), In(0, 5), Any],
        ),
        Sign::classes(Side::Either, Over::Datagram, &[In(12, 13), In(0, 32), Any, Any, Any, Any, Any, Any]),
    ],
    look,
};

#[derive(Debug, Clone, Copy)]
struct Message {
    kind: u8,
    number: [u8; 3],
    bits: u8,
}

fn message(mut reader: Reader<'_>) -> Part<Message> {
    let kind = reader.u8()?;
    let mut number = [0; 3];
    match kind {
        1..=11 => number = reader.array()?,
        // A relay adds hops, link and peer.
        12 | 13 => {
            must(reader.u8()? <= 32)?;
            reader.take(32)?;
        }
        _ => return Err(Not::Other),
    }
    let (mut client, mut relayed, mut options) = (false, false, 0_u8);
    while reader.left() > 0 {
        let (option, length) = (reader.be16()?, reader.be16()?);
        let value = reader.take(usize::from(length))?;
        must((1..=150).contains(&option) && option != 10)?;
        match option {
            // How a client or server names itself: four kinds of identifier (§11).
            1 | 2 => {
                must(matches!(value, [0, 1..=4, ..]) && (4..=130).contains(&length))?;
                client |= option == 1;
            }
            3 | 25 => must(length >= 12)?,
            8 => must(length == 2)?,
            9 => relayed = true,
            _ => {}
        }
        options = options.saturating_add(1);
    }
    must(if kind >= 12 { relayed } else { client || kind == 11 && options > 0 })?;
    Ok(Message { kind, number, bits: 24 + options.min(4) * 16 })
}

fn look(talk: &Talk<'_>) -> Look {
    let pairs = |asked: &Message, said: &Message| match said.kind {
        2 | 7 | 10 => asked.number == said.number && !matches!(asked.kind, 2 | 7 | 10 | 12 | 13),
        13 => asked.kind == 12,
        _ => false,
    };
    let (client, server) = hear_pair(talk, message, message, pairs);
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => (
            asked,
            talk.claim(By::Both, said.bits.saturating_add(24), "request, and an answer to its number"),
        ),
        (Ok(said), Err(Not::Silent)) if matches!(said.kind, 2 | 7 | 10 | 13) => {
            (said, talk.claim(By::Sender, said.bits, "a server's message"))
        }
        (Ok(asked), Err(Not::Silent)) => {
            (asked, talk.claim(By::Client, asked.bits, "client begins with a message"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    let name: &[u8] = match message.kind {
        1 => b"solicit",
        2 => b"advertise",
        3 => b"request",
        4 => b"confirm",
        5 => b"renew",
        6 => b"rebind",
        7 => b"reply",
        8 => b"release",
        9 => b"decline",
        10 => b"reconfigure",
        11 => b"information request",
        12 => b"relay forward",
        _ => b"relay reply",
    };
    Look::Yes(claim.with("message", name))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    const ASK: &[u8] =
        b"\x01\x11\x22\x33\0\x01\0\x0a\0\x03\0\x01\x02\0\0\0\0\x01\0\x06\0\x02\0\x17\0\x08\0\x02\0\0";
    const SAY: &[u8] =
        b"\x02\x11\x22\x33\0\x01\0\x0a\0\x03\0\x01\x02\0\0\0\0\x01\0\x02\0\x0a\0\x03\0\x01\x02\0\0\0\0\x02";

    #[test]
    fn exchanges() {
        assert_eq!(confirmed("dhcpv6", &udp(&[ASK], &[SAY]).talk()).detail("message"), Some("solicit"));
        attempt("dhcpv6", &udp(&[ASK], &[]).talk());
        confirmed("dhcpv6", &udp(&[SAY], &[]).talk());
        for (place, value) in [(0, 14), (5, 200), (7, 9), (9, 7), (29, 3)] {
            let mut broken = ASK.to_vec();
            broken[place] = value;
            if place == 29 {
                broken.push(0);
            }
            nothing(&udp(&[&broken], &[]).talk());
        }
        nothing(&udp(&[ASK], &[&[b"\x02\x11\x22\x34", &SAY[4..]].concat()]).talk());
    }
}
