//! IEC 60870-5-104: STARTDT and its confirmation, then units with types and causes (IEC 60870-5-104 §5).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How IEC 104 is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "iec104",
        title: "IEC 60870-5-104",
        reference: "IEC 60870-5-104",
        services: &["iec-104", "iec-104-sec"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Stream, &[Is(0x68), In(4, 253)])],
    look,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Start, stop, test: the function's bits.
    Function(u8),
    /// Only a confirmation of numbers.
    Numbers,
    /// Information: the common address.
    Information(u16),
}

fn unit(mut reader: Reader<'_>) -> Part<Unit> {
    reader.is(&[0x68])?;
    let length = usize::from(reader.u8()?);
    must((4..=253).contains(&length))?;
    let mut unit = Reader::new(reader.take(length)?);
    // What follows is the next unit.
    must(reader.rest().first().is_none_or(|next| *next == 0x68))?;
    let reader = &mut unit;
    let [first, second, third, fourth] = reader.array()?;
    match first & 3 {
        3 => {
            // One function at a time.
            let known = matches!(first, 0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83);
            must(known && length == 4 && [second, third, fourth] == [0; 3]).map(|()| Unit::Function(first))
        }
        1 => must(length == 4 && [first, second] == [1, 0] && third & 1 == 0).map(|()| Unit::Numbers),
        _ => {
            // It is the first of its side, and few came from the other before.
            must([first, second] == [0, 0] && third & 1 == 0 && fourth == 0 && length >= 10)?;
            let [kind, count, cause, _originator] = reader.array()?;
            let common = reader.le16()?;
            // Types in and out, system, parameters, files; causes up to 47 (IEC 60870-5-101 §7.2).
            let known =
                matches!(kind, 1..=21 | 30..=40 | 45..=51 | 58..=64 | 70 | 100..=107 | 110..=113 | 120..=127);
            must(known && count & 0x7f > 0 && matches!(cause & 0x3f, 1..=13 | 20..=41 | 44..=47))?;
            must(common != 0).map(|()| Unit::Information(common))
        }
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, unit);
    let server = hear(talk, &talk.server, unit);
    let claim = match (&client, &server) {
        (Ok(Unit::Function(asked)), Ok(Unit::Function(said))) if *said == ((asked & !3) << 1 | 3) => {
            talk.claim(By::Both, 96, "start, and its confirmation")
        }
        (Ok(_), Ok(_)) => talk.claim(By::Both, 56, "units of both sides"),
        (Ok(Unit::Function(0x07 | 0x43)), Err(Not::Silent)) => {
            talk.claim(By::Client, 48, "client begins with a start")
        }
        (Err(Not::Silent), Ok(Unit::Function(_))) => talk.claim(By::Server, 44, "server's function unit"),
        (Err(Not::Silent), Ok(Unit::Information(_))) => talk.claim(By::Server, 28, "server's information"),
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match server {
        Ok(Unit::Information(common)) => claim.showing("address", common),
        _ => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn starts_and_information() {
        confirmed("iec104", &tcp(b"\x68\x04\x07\0\0\0", b"\x68\x04\x0b\0\0\0"));
        attempt("iec104", &tcp(b"\x68\x04\x07\0\0\0", b""));
        let point = b"\x68\x0e\0\0\0\0\x01\x01\x03\0\x05\0\x01\0\0\x01";
        assert_eq!(confirmed("iec104", &tcp(b"\x68\x04\x01\0\x02\0", point)).detail("address"), Some("5"));
        nothing(&tcp(b"\x68\x04\x0f\0\0\0", b""));
        nothing(&tcp(b"\x68\x04\x07\0\x01\0", b""));
        nothing(&tcp(b"\x68\x04\x07\0\0\0", b"hello"));
        nothing(&tcp(b"", b"\x68\x0e\0\0\0\0\x16\x01\x03\0\x05\0\x01\0\0\x01"));
        nothing(&tcp(b"hello world, this is text", b""));
    }
}
