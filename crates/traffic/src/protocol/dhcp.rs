//! DHCP for IPv4: the fixed fields of BOOTP, the magic cookie, and the options behind it (RFC 2131 §2, RFC 2132).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, as_captured, hear_pair, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How DHCP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "dhcp",
        title: "DHCP",
        reference: "RFC 2131",
        services: &["bootps", "bootpc"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[In(1, 2), In(1, 37), In(0, 16), Mask(0xe0, 0)])],
    look,
};

#[derive(Debug, Clone, Copy)]
struct Message<'a> {
    asks: bool,
    number: u32,
    /// Which message; `None` for plain BOOTP.
    kind: Option<u8>,
    host: Option<&'a [u8]>,
    vendor: Option<&'a [u8]>,
}

fn message(mut reader: Reader<'_>) -> Part<Message<'_>> {
    let [operation, hardware, length, hops] = reader.array()?;
    must(matches!(operation, 1 | 2) && length <= 16 && hops <= 16)?;
    let number = reader.be32()?;
    reader.be16()?;
    must(reader.be16()? & 0x7fff == 0)?;
    reader.take(16)?;
    let address = reader.take(16)?;
    must(address.iter().skip(usize::from(length)).all(|byte| *byte == 0) || length == 0)?;
    let mut message = Message { asks: operation == 1, number, kind: None, host: None, vendor: None };
    if reader.is_cut() && reader.rest().len() < 196 {
        // The names that no server fills any more were cut, and what is behind them: then what is there must be as it
        // mostly is, on a link of Ethernet.
        let names = reader.rest().iter().all(|byte| *byte == 0);
        return must(
            hardware == 1 && length == 6 && hops <= 4 && number != 0 && names && reader.left() >= 196,
        )
        .map(|()| message);
    }
    reader.take(192)?;
    reader.is(&[0x63, 0x82, 0x53, 0x63])?;
    as_captured(options(&mut reader, &mut message)).map(|()| message)
}

/// The options behind the cookie.
fn options<'a>(reader: &mut Reader<'a>, message: &mut Message<'a>) -> Part<()> {
    while reader.left() > 0 {
        match reader.u8()? {
            0 => {}
            255 => break,
            option => {
                let length = usize::from(reader.u8()?);
                let value = reader.take(length)?;
                match (option, value) {
                    (53, [kind @ 1..=18]) => message.kind = Some(*kind),
                    (53, _) => return Err(Not::Other),
                    (12, name) if printable(name) => message.host = Some(name),
                    (60, name) if printable(name) => message.vendor = Some(name),
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

fn name(kind: Option<u8>) -> &'static str {
    match kind {
        None => "bootp",
        Some(1) => "discover",
        Some(2) => "offer",
        Some(3) => "request",
        Some(4) => "decline",
        Some(5) => "ack",
        Some(6) => "nak",
        Some(7) => "release",
        Some(8) => "inform",
        Some(9) => "forcerenew",
        Some(10..=13) => "lease query",
        Some(_) => "other",
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let pairs =
        |asked: &Message<'_>, said: &Message<'_>| asked.asks && !said.asks && asked.number == said.number;
    let (client, server) = hear_pair(talk, message, message, pairs);
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            (asked, talk.claim(By::Both, 140, "request, and an answer to its number"))
        }
        // A server broadcasts its answers, too.
        (Ok(said), Err(Not::Silent)) if !said.asks => {
            (said, talk.claim(By::Sender, 80, "a server's message"))
        }
        (Ok(asked), Err(Not::Silent)) => (asked, talk.claim(By::Client, 80, "client begins with a message")),
        _ => return otherwise(talk, &client, &server),
    };
    let claim = claim.with("message", name(message.kind).as_bytes());
    let details = [("host", message.host), ("vendor", message.vendor)];
    Look::Yes(details.into_iter().fold(claim, |claim, (name, value)| match value {
        Some(value) => claim.with(name, value),
        None => claim,
    }))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, snapped, udp};

    fn message(operation: u8, number: u8, kind: u8) -> Vec<u8> {
        let mut bytes = vec![operation, 1, 6, 0, 0, 0, 0, number];
        bytes.resize(28, 0);
        bytes.extend_from_slice(&[2, 0, 0, 0, 0, 1]);
        bytes.resize(236, 0);
        bytes.extend_from_slice(&[0x63, 0x82, 0x53, 0x63, 53, 1, kind, 12, 3, b'p', b'c', b'1', 255, 0, 0]);
        bytes
    }

    #[test]
    fn exchanges() {
        let said = confirmed("dhcp", &udp(&[&message(1, 7, 1)], &[&message(2, 7, 2)]).talk());
        assert_eq!((said.detail("message"), said.detail("host")), (Some("discover"), Some("pc1")));
        attempt("dhcp", &udp(&[&message(1, 7, 3)], &[]).talk());
        confirmed("dhcp", &udp(&[&message(2, 7, 5)], &[]).talk());
        nothing(&udp(&[&message(1, 7, 1)], &[&message(2, 8, 2)]).talk());
        // What a snap length of 96 left of it.
        attempt("dhcp", &snapped(54, &[&message(1, 7, 3)], &[]).talk());
        confirmed("dhcp", &snapped(54, &[&message(2, 7, 5)], &[]).talk());
        nothing(&snapped(20, &[&message(1, 7, 3)], &[]).talk());
        for (place, value) in [(0, 3), (1, 6), (3, 9), (10, 1), (35, 1), (45, 1)] {
            let mut broken = message(1, 7, 1);
            broken[place] = value;
            nothing(&snapped(54, &[&broken], &[]).talk());
        }
        for (place, value) in [(0, 3), (2, 17), (10, 1), (35, 1), (237, 0), (242, 19), (241, 2), (244, 9)] {
            let mut broken = message(1, 7, 1);
            broken[place] = value;
            nothing(&udp(&[&broken], &[]).talk());
        }
    }
}
