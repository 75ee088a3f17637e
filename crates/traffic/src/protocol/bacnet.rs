//! BACnet/IP: the virtual link's length, and a network unit of version 1 (ASHRAE 135 Annex J, clause 6.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How BACnet is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "bacnet",
        title: "BACnet/IP",
        reference: "ASHRAE 135",
        services: &["bacnet"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[Is(0x81), In(0, 12), In(0, 5), Any])],
    look,
};

struct Unit {
    name: &'static str,
    bits: u8,
}

fn unit(mut reader: Reader<'_>) -> Part<Unit> {
    let whole = reader.left();
    let [kind, function] = reader.array()?;
    must(kind == 0x81 && usize::from(reader.be16()?) == whole)?;
    match function {
        // A result, and what broadcast tables are managed with.
        0 => {
            let code = reader.be16()?;
            return must(reader.left() == 0 && code & 0x0f == 0 && code <= 0x60)
                .map(|()| Unit { name: "result", bits: 40 });
        }
        1 | 3 => {
            must(reader.left().is_multiple_of(10))?;
            return Ok(Unit { name: "broadcast table", bits: 30 });
        }
        2 | 6 => return must(reader.left() == 0).map(|()| Unit { name: "broadcast table", bits: 32 }),
        5 => return must(reader.left() == 2).map(|()| Unit { name: "register device", bits: 32 }),
        4 => {
            reader.take(6)?;
        }
        9..=11 => {}
        _ => return Err(Not::Other),
    }
    // Version, and control without reserved bits (6.2.2).
    must(reader.u8()? == 1)?;
    let control = reader.u8()?;
    must(control & 0x50 == 0)?;
    for bit in [0x20, 0x08] {
        if control & bit != 0 {
            reader.be16()?;
            let length = reader.u8()?;
            must(length <= 18)?;
            reader.take(usize::from(length))?;
        }
    }
    if control & 0x20 != 0 {
        reader.u8()?;
    }
    if control & 0x80 != 0 {
        return must(reader.u8()? <= 0x13).map(|()| Unit { name: "network message", bits: 44 });
    }
    let first = reader.u8()?;
    let name = match (first >> 4, first & 0x0f) {
        (0, flags) if flags & 1 == 0 => "confirmed request",
        (1, 0) => match reader.u8()? {
            0 => "I-Am",
            8 => "Who-Is",
            kind if kind <= 13 => "unconfirmed request",
            _ => return Err(Not::Other),
        },
        (2, 0) => "simple acknowledgement",
        (3, flags) if flags & 3 == 0 => "complex acknowledgement",
        (4, flags) if flags & 0x0c == 0 => "segment acknowledgement",
        (5, 0) => "error",
        (6, 0) => "reject",
        (7, flags) if flags & 0x0e == 0 => "abort",
        _ => return Err(Not::Other),
    };
    Ok(Unit { name, bits: 44 })
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, unit);
    let server = hear(talk, &talk.server, unit);
    let (unit, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) => (asked, talk.claim(By::Both, asked.bits + said.bits, "units of both sides")),
        (Ok(asked), Err(Not::Silent)) => {
            // What is broadcast is answered by broadcast or not at all.
            let told = matches!(asked.name, "I-Am" | "unconfirmed request");
            (
                asked,
                talk.claim(
                    if told { By::Sender } else { By::Client },
                    asked.bits,
                    "a unit whose length fits",
                ),
            )
        }
        (Err(Not::Silent), Ok(said)) => {
            (said, talk.claim(By::Server, said.bits, "server's unit whose length fits"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(claim.with("message", unit.name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    #[test]
    fn questions_and_answers() {
        let who = b"\x81\x0b\0\x0c\x01\x20\xff\xff\0\xff\x10\x08";
        assert_eq!(attempt("bacnet", &udp(&[who], &[]).talk()).detail("message"), Some("Who-Is"));
        let am = b"\x81\x0b\0\x14\x01\0\x10\0\xc4\x02\0\0\x01\x22\x01\xe0\x91\x03\x21\x09";
        confirmed("bacnet", &udp(&[am], &[]).talk());
        let read = b"\x81\x0a\0\x11\x01\x04\0\x05\x01\x0c\x0c\x02\0\0\x01\x19\x4d";
        let value = b"\x81\x0a\0\x0c\x01\0\x30\x01\x0c\x0c\x02\0";
        confirmed("bacnet", &udp(&[read], &[value]).talk());
        for (place, value) in [(1, 12), (3, 11), (4, 2), (5, 0x60), (10, 0x80), (11, 14)] {
            let mut broken = who.to_vec();
            broken[place] = value;
            nothing(&udp(&[&broken], &[]).talk());
        }
        nothing(&udp(&[read], &[b"hello"]).talk());
    }
}
