//! PTP: messages of version 1 and 2 by kind, length and domain (IEEE 1588-2019 §13.3, IEEE 1588-2002).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How PTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ptp",
        title: "PTP",
        reference: "IEEE 1588-2019",
        services: &["ptp-event", "ptp-general"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Any, Mask(0x0f, 2), In(0, 5), Any]),
        Sign::classes(Side::Either, Over::Datagram, &[Is(0), Is(1), Is(0), Is(1), In(b'_', b'_')]),
    ],
    look,
};

struct Message {
    version: &'static str,
    kind: &'static str,
    domain: String,
    bits: u8,
}

fn second(mut reader: Reader<'_>) -> Part<Message> {
    let whole = reader.left();
    let [first, version] = reader.array()?;
    let length = usize::from(reader.be16()?);
    let (domain, minor_sdo) = (reader.u8()?, reader.u8()?);
    let flags = reader.be16()?;
    let correction = reader.be64()?.cast_signed();
    let specific = reader.be32()?;
    let clock: [u8; 8] = reader.array()?;
    let port = reader.be16()?;
    reader.be16()?;
    let (control, interval) = (reader.u8()?, reader.u8()?);
    let minor = version >> 4;
    must(version & 0x0f == 2 && minor <= 1)?;
    let (kind, least, old_control) = match first & 0x0f {
        0 => ("Sync", 44, 0),
        1 => ("Delay_Req", 44, 1),
        2 => ("Pdelay_Req", 54, 5),
        3 => ("Pdelay_Resp", 54, 5),
        8 => ("Follow_Up", 44, 2),
        9 => ("Delay_Resp", 54, 3),
        10 => ("Pdelay_Resp_Follow_Up", 54, 5),
        11 => ("Announce", 64, 5),
        12 => ("Signaling", 44, 5),
        13 => ("Management", 48, 4),
        _ => return Err(Not::Other),
    };
    // Short frames are padded up to what Ethernet wants.
    must(length >= least && length <= whole && whole - length <= 20)?;
    must(control == old_control || (minor == 1 && control == 0) || control == 5)?;
    // Within an hour; a clock has an identity; ports count from 1, all ones means all (§7.5.2.3).
    must(correction.unsigned_abs() >> 16 < 3_600_000_000_000 || correction == i64::MAX)?;
    must(clock != [0; 8] && port != 0)?;
    must((minor == 1 || (specific == 0 && first >> 4 <= 1)) && minor_sdo < 8 || first >> 4 > 0)?;
    // Reserved flags (§13.3.2.8), and intervals from 2^-10 to 2^22 seconds.
    must(flags & 0x1880 == 0 && (interval == 0x7f || interval.wrapping_add(10) <= 32))?;
    Ok(Message {
        version: if minor == 1 { "2.1" } else { "2" },
        kind,
        domain: domain.to_string(),
        bits: if length == whole { 48 } else { 40 },
    })
}

fn first(mut reader: Reader<'_>) -> Part<Message> {
    reader.is(&[0, 1, 0, 1])?;
    let domain: [u8; 16] = reader.array()?;
    let medium = reader.u8()?;
    reader.u8()?;
    reader.take(10)?;
    let control = reader.u8()?;
    let name = domain.split(|byte| *byte == 0).next().unwrap_or_default();
    must(name.len() >= 5 && name.starts_with(b"_") && name.iter().all(u8::is_ascii_graphic))?;
    must(matches!(medium, 1 | 2) && reader.left() >= 20)?;
    let kind = match control {
        0 => "Sync",
        1 => "Delay_Req",
        2 => "Follow_Up",
        3 => "Delay_Resp",
        4 => "Management",
        _ => return Err(Not::Other),
    };
    Ok(Message { version: "1", kind, domain: String::from_utf8_lossy(name).into_owned(), bits: 88 })
}

fn message(reader: Reader<'_>) -> Part<Message> {
    if reader.rest().starts_with(&[0, 1]) { first(reader) } else { second(reader) }
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, message);
    let server = hear(talk, &talk.server, message);
    let (message, by) = match (&client, &server) {
        (Ok(_), Ok(said)) => (said, By::Both),
        (Ok(sent), Err(Not::Silent)) | (Err(Not::Silent), Ok(sent)) => (sent, By::Sender),
        _ => return otherwise(talk, &client, &server),
    };
    let claim = talk.claim(by, message.bits, "message whose kind, length and clock fit");
    Look::Yes(
        claim
            .with("version", message.version.as_bytes())
            .with("domain", message.domain.as_bytes())
            .with("message", message.kind.as_bytes()),
    )
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{confirmed, nothing, udp};

    fn sync() -> Vec<u8> {
        let mut bytes = vec![0x10, 0x12, 0, 44, 127, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&[0, 0x1b, 0x21, 0xff, 0xfe, 1, 2, 3, 0, 1, 0, 9, 0, 0xfd]);
        bytes.extend_from_slice(&[0; 10]);
        bytes
    }

    #[test]
    fn both_versions() {
        let said = confirmed("ptp", &udp(&[&sync()], &[]).talk());
        assert_eq!((said.detail("version"), said.detail("domain")), (Some("2.1"), Some("127")));
        assert_eq!(said.detail("message"), Some("Sync"));
        let mut old = vec![0, 1, 0, 1];
        old.extend_from_slice(
            b"_DFLT\0\0\0\0\0\0\0\0\0\0\0\x01\x01\x00\x11\x22\x33\x44\x55\x00\x01\x00\x01\x00",
        );
        old.resize(124, 0);
        assert_eq!(confirmed("ptp", &udp(&[&old], &[]).talk()).detail("domain"), Some("_DFLT"));
    }

    #[test]
    fn forbidden_values() {
        for (place, value) in [
            (0, 0x14),
            (0, 0x1e),
            (1, 0x13),
            (1, 0x32),
            (3, 45),
            (3, 43),
            (6, 0x10),
            (8, 0x40),
            (28, 0),
            (32, 7),
            (33, 0x40),
        ] {
            let mut broken = sync();
            broken[place] = value;
            if place == 28 {
                broken[29] = 0;
            }
            nothing(&udp(&[&broken], &[]).talk());
        }
        nothing(&udp(&[&sync()], &[b"hello"]).talk());
    }
}
