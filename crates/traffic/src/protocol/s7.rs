//! S7: the controllers' protocol behind ISO transport on TCP, old and new kind (RFC 1006, S7comm, S7comm-plus).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How S7 is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "s7",
        title: "Siemens S7",
        reference: "RFC 1006",
        services: &["iso-tsap"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[Is(3), Is(0), Is(0), Any, In(0x0e, 0x20), In(0xd0, 0xe0)],
        ),
        Sign::classes(Side::Either, Over::Stream, &[Is(3), Is(0), Any, Any, Is(2), Is(0xf0), Any, Is(0x32)]),
        Sign::classes(Side::Either, Over::Stream, &[Is(3), Is(0), Any, Any, Is(2), Is(0xf0), Any, Is(0x72)]),
    ],
    look,
};

/// What is in the frames of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Only a connection with the selectors of a controller: resource, rack and slot.
    Selectors { rack: u8, slot: u8 },
    /// A connection with selectors, as MMS has them too.
    Connection,
    /// A job, an acknowledgement, data, user data.
    Old(u8),
    /// The newer kind: version 1 to 3, or 254.
    New(u8),
}

/// The body of a frame, whose transport header is told by its first bytes.
fn frame<'a>(reader: &mut Reader<'a>) -> Part<&'a [u8]> {
    reader.is(&[3, 0])?;
    let length = usize::from(reader.be16()?);
    must((7..=8192).contains(&length))?;
    reader.take(length - 4)
}

fn connection(body: &[u8]) -> Part<Inside> {
    let mut reader = Reader::new(body);
    let indicator = usize::from(reader.u8()?);
    must(indicator + 1 == body.len() && matches!(reader.u8()?, 0xe0 | 0xd0))?;
    reader.take(4)?;
    must(reader.u8()? == 0)?;
    let (mut selectors, mut target) = (0, None);
    while reader.left() > 0 {
        let [kind, length] = reader.array()?;
        let value = reader.take(usize::from(length))?;
        match (kind, value) {
            (0xc0, [7..=13]) => {}
            (0xc1 | 0xc2, value) => {
                selectors += 1;
                // Kind of connection 1 to 3 or the newer one's text; then rack and slot.
                if let (0xc2, [1..=3, place]) = (kind, value) {
                    target = Some((place >> 5, place & 0x1f));
                }
            }
            _ => return Err(Not::Other),
        }
    }
    must(selectors == 2)?;
    Ok(target.map_or(Inside::Connection, |(rack, slot)| Inside::Selectors { rack, slot }))
}

fn data(body: &[u8]) -> Part<Inside> {
    let mut reader = Reader::new(body);
    // Two bytes follow, data, and mostly the end of a unit.
    must(reader.array()? == [2, 0xf0] && reader.u8()? & 0x7f == 0)?;
    match reader.u8()? {
        0x32 => {
            let kind = reader.u8()?;
            let (redundancy, _number) = (reader.be16()?, reader.be16()?);
            let (parameters, data) = (usize::from(reader.be16()?), usize::from(reader.be16()?));
            must(matches!(kind, 1 | 2 | 3 | 7) && redundancy == 0)?;
            if matches!(kind, 2 | 3) {
                reader.be16()?;
            }
            must(reader.left() == parameters + data)?;
            Ok(Inside::Old(kind))
        }
        0x72 => {
            let version = reader.u8()?;
            let length = usize::from(reader.be16()?);
            // A trailer of four bytes repeats the beginning, where there is one.
            must(
                matches!(version, 1..=3 | 254) && (length <= reader.left()) && reader.left() - length <= 36,
            )?;
            Ok(Inside::New(version))
        }
        _ => Err(Not::Other),
    }
}

/// The first frame of a side, and the second where the first only connects.
fn inside(talk: &Talk<'_>, mut reader: Reader<'_>) -> Part<Inside> {
    let body = frame(&mut reader)?;
    let complete = |part: Part<Inside>| part.map_err(|_| Not::Other);
    if body.get(1) == Some(&0xf0) {
        return complete(data(body));
    }
    let connection = complete(connection(body))?;
    match frame(&mut reader) {
        Ok(body) => complete(data(body)),
        Err(Not::Short) if talk.ended => Ok(connection),
        Err(not) => Err(not),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, |reader| inside(talk, reader));
    let server = hear(talk, &talk.server, |reader| inside(talk, reader));
    let is_data = |inside: &Inside| matches!(inside, Inside::Old(_) | Inside::New(_));
    let (inside, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if is_data(asked) && is_data(said) => {
            (said, talk.claim(By::Both, 96, "S7 inside the transport of both sides"))
        }
        (Ok(_) | Err(Not::Silent), Ok(said)) if is_data(said) => {
            (said, talk.claim(By::Server, 48, "S7 inside the server's transport"))
        }
        (Ok(asked), Ok(_) | Err(Not::Silent | Not::Short)) if is_data(asked) => {
            (asked, talk.claim(By::Client, 48, "S7 inside the client's transport"))
        }
        // A connection to rack and slot that was not used, or not yet.
        (Ok(asked @ Inside::Selectors { .. }), Ok(_)) => {
            (asked, talk.claim(By::Both, 14, "connection to the selectors of a controller").and_more())
        }
        (Ok(asked @ Inside::Selectors { .. }), Err(Not::Silent | Not::Short)) => {
            (asked, talk.claim(By::Client, 14, "connection to the selectors of a controller"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match inside {
        Inside::Selectors { rack, slot } => claim.showing("rack", rack).showing("slot", slot),
        Inside::New(_) => claim.with("generation", b"plus"),
        _ => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    const ASK: &[u8] = b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02";
    const SAY: &[u8] = b"\x03\0\0\x16\x11\xd0\0\x01\0\x02\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02";
    const SETUP: &[u8] = b"\x03\0\0\x19\x02\xf0\x80\x32\x01\0\0\0\x01\0\x08\0\0\xf0\0\0\x01\0\x01\x01\xe0";
    const DONE: &[u8] = b"\x03\0\0\x1b\x02\xf0\x80\x32\x03\0\0\0\x01\0\x08\0\0\0\0\xf0\0\0\x01\0\x01\0\xf0";

    #[test]
    fn connections_and_jobs() {
        confirmed("s7", &tcp(&[ASK, SETUP].concat(), &[SAY, DONE].concat()));
        confirmed("s7", &tcp(b"", DONE));
        attempt("s7", &tcp(SETUP, b""));
        let said = partial("s7", &tcp(ASK, SAY));
        assert_eq!((said.detail("rack"), said.detail("slot")), (Some("0"), Some("2")));
        let plus = b"\x03\0\0\x0f\x02\xf0\x80\x72\x01\0\x00\x72\x01\0\0";
        assert_eq!(confirmed("s7", &tcp(plus, plus)).detail("generation"), Some("plus"));
    }

    #[test]
    fn others_in_the_same_frame() {
        // MMS, whose selectors are other numbers; RDP, which negotiates; H.323 without transport.
        nothing(&tcp(b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\0\x01\xc2\x02\0\x01", b""));
        nothing(&tcp(b"\x03\0\0\x0c\x08\x02\0\x01\x05\x04\x03\x80", b""));
        // The presentation layer of MMS.
        nothing(&tcp(&[ASK, b"\x03\0\0\x0b\x02\xf0\x80\x0d\x02\x05\x06"].concat(), b""));
        let mut broken = SETUP.to_vec();
        broken[14] = 9;
        nothing(&tcp(&broken, b""));
    }
}
