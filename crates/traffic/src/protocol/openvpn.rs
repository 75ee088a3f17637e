//! OpenVPN: the resets that open a session, with or without an HMAC, over UDP and TCP (OpenVPN protocol, draft-openvpn).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How OpenVPN is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "openvpn",
        title: "OpenVPN",
        reference: "OpenVPN protocol",
        services: &["openvpn"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Encrypted,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Is(0x38)]),
        Sign::classes(Side::Either, Over::Datagram, &[Is(0x40)]),
        Sign::classes(Side::Either, Over::Datagram, &[Is(0x50)]),
        Sign::classes(Side::Either, Over::Stream, &[In(0, 4), Any, Is(0x38)]),
        Sign::classes(Side::Either, Over::Stream, &[In(0, 4), Any, Is(0x40)]),
        Sign::classes(Side::Either, Over::Stream, &[In(0, 4), Any, Is(0x50)]),
    ],
    look,
};

/// Opcodes, in the upper five bits; a new session has the key 0 (the lower three).
const CLIENT: u8 = 7 << 3;
const SERVER: u8 = 8 << 3;
const CLIENT_WITH_KEY: u8 = 10 << 3;

/// How control packets are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// Not at all.
    Plain,
    /// `tls-auth`: an HMAC of so many bytes.
    Signed(usize),
    /// `tls-crypt`: encrypted behind an HMAC of 32 bytes.
    Encrypted,
}

#[derive(Debug, Clone, Copy)]
struct Reset {
    session: [u8; 8],
    protection: Protection,
    /// The other side's session, where an acknowledgement repeats it.
    repeats: Option<[u8; 8]>,
}

/// The packet numbers that are acknowledged, whose session they belong to, and the number of this one: 0.
fn reliable(mut reader: Reader<'_>) -> Part<Option<[u8; 8]>> {
    let count = reader.u8()?;
    must(count <= 4)?;
    for _ in 0..count {
        must(reader.be32()? == 0)?;
    }
    let repeats = if count > 0 { Some(reader.array()?) } else { None };
    must(reader.be32()? == 0 && reader.left() == 0)?;
    Ok(repeats)
}

/// The number and time that guard against replay: a first packet, in this century's first half.
fn replay(reader: &mut Reader<'_>) -> Part<()> {
    let (number, time) = (reader.be32()?, reader.be32()?);
    // A client that can be sent a cookie says so in the upper byte (OpenVPN 2.6).
    must(matches!(number & !0x0f00_0000, 1..=16) && (0x4000_0000..0x9800_0000).contains(&time))
}

fn reset(talk: &Talk<'_>, mut reader: Reader<'_>, opcodes: [u8; 2]) -> Part<Reset> {
    if !talk.is_datagrams() {
        let length = usize::from(reader.be16()?);
        must((14..=1100).contains(&length))?;
        // The opcode is told before the rest is there.
        must(reader.rest().first().is_none_or(|first| opcodes.contains(first)))?;
        reader = Reader::new(reader.take(length)?);
    }
    // Inside the packet nothing more will come.
    let mut parse = || -> Part<Reset> {
        let opcode = reader.u8()?;
        must(opcodes.contains(&opcode))?;
        let session: [u8; 8] = reader.array()?;
        must(session.iter().filter(|byte| **byte == 0).count() < 4)?;
        let reset = |protection, repeats| Reset { session, protection, repeats };
        if opcode != CLIENT_WITH_KEY
            && let Ok(repeats) = reliable(reader)
        {
            return Ok(reset(Protection::Plain, repeats));
        }
        if opcode != CLIENT_WITH_KEY {
            for length in [16, 20, 28, 32, 48, 64] {
                let mut signed = reader;
                let signed =
                    signed.take(length).and_then(|_| replay(&mut signed)).and_then(|()| reliable(signed));
                if let Ok(repeats) = signed {
                    return Ok(reset(Protection::Signed(length), repeats));
                }
            }
        }
        replay(&mut reader)?;
        reader.take(32)?;
        // Acknowledgements and a number, and the client's own key behind them in version 2.
        must(if opcode == CLIENT_WITH_KEY {
            reader.left() > 256
        } else {
            matches!(reader.left(), 5 | 17 | 21)
        })?;
        Ok(reset(Protection::Encrypted, None))
    };
    parse().map_err(|_| Not::Other)
}

fn look(talk: &Talk<'_>) -> Look {
    let pairs = |asked: &Reset, said: &Reset| {
        asked.protection == said.protection && said.repeats.is_none_or(|repeats| repeats == asked.session)
    };
    let (client, server) = hear_pair(
        talk,
        |reader| reset(talk, reader, [CLIENT, CLIENT_WITH_KEY]),
        |reader| reset(talk, reader, [SERVER, SERVER]),
        pairs,
    );
    let (reset, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            let bits = if said.repeats.is_some() { 120 } else { 72 };
            (asked, talk.claim(By::Both, bits, "resets of both sides"))
        }
        (Ok(asked), Err(Not::Silent | Not::Short)) => {
            (asked, talk.claim(By::Client, 44, "client begins with a reset"))
        }
        (Err(Not::Silent), Ok(said)) => (said, talk.claim(By::Server, 44, "server's reset")),
        _ => return otherwise(talk, &client, &server),
    };
    let protection = match reset.protection {
        Protection::Plain => "none".to_owned(),
        Protection::Signed(length) => format!("tls-auth, {} bits", length * 8),
        Protection::Encrypted => "tls-crypt".to_owned(),
    };
    Look::Yes(claim.with("control_protection", protection.as_bytes()))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    const ASK: &[u8] = b"\x38abcdefgh\0\0\0\0\0";
    const SAY: &[u8] = b"\x40ABCDEFGH\x01\0\0\0\0abcdefgh\0\0\0\0";

    #[test]
    fn resets_in_three_dresses() {
        let said = confirmed("openvpn", &udp(&[ASK], &[SAY]).talk());
        assert_eq!(said.detail("control_protection"), Some("none"));
        let framed = |bytes: &[u8]| [&[0, u8::try_from(bytes.len()).unwrap()], bytes].concat();
        confirmed("openvpn", &tcp(&framed(ASK), &framed(SAY)));
        let signed = [&ASK[..9], &[0x99; 20], b"\0\0\0\x01\x65\0\0\0\0\0\0\0\0"].concat();
        let said = attempt("openvpn", &udp(&[&signed], &[]).talk());
        assert_eq!(said.detail("control_protection"), Some("tls-auth, 160 bits"));
        let crypt = [&ASK[..9], b"\0\0\0\x01\x65\0\0\0", &[0x99; 37]].concat();
        let answer = [&SAY[..9], b"\0\0\0\x01\x65\0\0\0", &[0x98; 49]].concat();
        let said = confirmed("openvpn", &udp(&[&crypt], &[&answer]).talk());
        assert_eq!(said.detail("control_protection"), Some("tls-crypt"));
    }

    #[test]
    fn what_only_resembles_it() {
        nothing(&udp(&[b"\x38abcdefgh\0\0\0\0\x01"], &[]).talk());
        nothing(&udp(&[b"\x39abcdefgh\0\0\0\0\0"], &[]).talk());
        nothing(&udp(&[&[ASK, b"x"].concat()], &[]).talk());
        let mut other = SAY.to_vec();
        other[15] = b'x';
        nothing(&udp(&[ASK], &[&other]).talk());
    }
}
