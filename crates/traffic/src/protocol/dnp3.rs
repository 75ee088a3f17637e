//! DNP3: its start bytes, and a header whose checksum is right (IEEE 1815 clause 9).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How DNP3 is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "dnp3",
        title: "DNP3",
        reference: "IEEE 1815",
        services: &["dnp", "dnp-sec"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Any, &[Is(0x05), Is(0x64), In(5, 0xff)])],
    look,
};

/// The checksum of a block: polynomial 0x3d65, reflected, inverted.
fn checksum(block: &[u8]) -> u16 {
    let mut sum = 0_u16;
    for byte in block {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xa6bc } else { sum >> 1 };
        }
    }
    !sum
}

/// Source and destination of a frame.
fn frame(mut reader: Reader<'_>) -> Part<(u16, u16)> {
    reader.is(&[0x05, 0x64])?;
    let header = Reader::new(reader.rest());
    let length = reader.u8()?;
    let _control = reader.u8()?;
    let (destination, source) = (reader.le16()?, reader.le16()?);
    let mut header = header;
    let block = [&[0x05, 0x64], header.take(6)?].concat();
    must(length >= 5 && reader.le16()? == checksum(&block))?;
    Ok((source, destination))
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, frame);
    let server = hear(talk, &talk.server, frame);
    let ((source, destination), claim) = match (&client, &server) {
        (Ok(asked), Ok(_)) => (asked, talk.claim(By::Both, 80, "frames of both sides with right checksums")),
        (_, Ok(said)) => (said, talk.claim(By::Server, 40, "server's frame with a right checksum")),
        (Ok(asked), Err(Not::Silent | Not::Short)) => {
            (asked, talk.claim(By::Client, 40, "client's frame with a right checksum"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    let claim = claim.showing("source", source);
    Look::Yes(claim.showing("destination", destination))
}

#[cfg(test)]
mod tests {
    use super::checksum;
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    #[test]
    fn frames() {
        // Worked example of the standard: reset of the link from 1 to 1024.
        assert_eq!(checksum(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04]), 0x21e9);
        let frame = b"\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x21";
        let said = attempt("dnp3", &tcp(frame, b""));
        assert_eq!((said.detail("source"), said.detail("destination")), (Some("1024"), Some("1")));
        confirmed("dnp3", &tcp(frame, frame));
        confirmed("dnp3", &udp(&[frame], &[frame]).talk());
        nothing(&tcp(b"\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x22", b""));
        nothing(&tcp(frame, b"hello"));
    }
}
