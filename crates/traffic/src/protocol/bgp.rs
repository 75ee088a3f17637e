//! BGP: a marker of ones, and an OPEN whose length and version fit (RFC 4271 §4.1, §4.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::Is;
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How BGP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "bgp",
        title: "BGP",
        reference: "RFC 4271",
        services: &["bgp"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Stream, &[Is(0xff); 8])],
    look,
};

struct Message {
    system: Option<u32>,
    identifier: [u8; 4],
}

fn message(mut reader: Reader<'_>) -> Part<Message> {
    reader.is(&[0xff; 16])?;
    let length = reader.be16()?;
    let kind = reader.u8()?;
    must((19..=4096).contains(&length))?;
    match kind {
        1 => {
            must(reader.u8()? == 4)?;
            let (system, hold) = (reader.be16()?, reader.be16()?);
            let identifier = reader.array()?;
            let options = reader.u8()?;
            must(hold == 0 || hold >= 3)?;
            must(u16::from(options) + 29 == length || options == 255)?;
            let mut system = u32::from(system);
            // A number of four bytes stands in a capability: code 65, length 4 (RFC 6793 §3).
            let list = reader.up_to(usize::from(options));
            if let Some(at) = list.windows(2).position(|pair| pair == [65, 4]) {
                system = Reader::new(list.get(at + 2..).unwrap_or_default()).be32().unwrap_or(system);
            }
            Ok(Message { system: Some(system), identifier })
        }
        // Who is joined in the middle sends updates, refusals, and that it is alive.
        2 => must(length >= 23).map(|()| Message { system: None, identifier: [0; 4] }),
        3 => must(length >= 21 && (1..=8).contains(&reader.u8()?))
            .map(|()| Message { system: None, identifier: [0; 4] }),
        4 => must(length == 19).map(|()| Message { system: None, identifier: [0; 4] }),
        5 => must(length >= 23).map(|()| Message { system: None, identifier: [0; 4] }),
        _ => Err(Not::Other),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, message);
    let server = hear(talk, &talk.server, message);
    let (message, claim) = match (&client, &server) {
        (Ok(_), Ok(said)) => (said, talk.claim(By::Both, 240, "both sides begin with a message")),
        (_, Ok(said)) => (said, talk.claim(By::Server, 144, "server begins with a message")),
        (Ok(asked), _) => (asked, talk.claim(By::Client, 144, "client begins with a message")),
        _ => return otherwise(talk, &client, &server),
    };
    let [a, b, c, d] = message.identifier;
    Look::Yes(match message.system {
        Some(system) => claim.showing("as", system).showing("router", format_args!("{a}.{b}.{c}.{d}")),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn open_messages() {
        let open =
            [&[0xff; 16][..], b"\0\x25\x01\x04\x5b\xa0\0\xb4\xc0\0\x02\x01\x08\x02\x06\x41\x04\0\x03\0\x01"]
                .concat();
        let said = confirmed("bgp", &tcp(&open, &open));
        assert_eq!((said.detail("as"), said.detail("router")), (Some("196609"), Some("192.0.2.1")));
        attempt("bgp", &tcp(&open, b""));
        for (place, value) in [(15, 0xfe), (17, 0x26), (18, 6), (19, 3), (23, 2)] {
            let mut broken = open.clone();
            broken[place] = value;
            nothing(&tcp(&broken, b""));
        }
    }
}
