//! LDP: hellos over UDP, initialisation over TCP (RFC 5036 §3.1, §3.5.2, §3.5.3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How LDP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ldp",
        title: "LDP",
        reference: "RFC 5036",
        services: &["ldp"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Any, &[Is(0), Is(1), In(0, 0x10), Any])],
    look,
};

/// The router of a PDU whose first message and parameter have lengths that fit.
fn router(talk: &Talk<'_>, mut reader: Reader<'_>) -> Part<[u8; 4]> {
    must(reader.be16()? == 1)?;
    let length = reader.be16()?;
    // Only a datagram is here as a whole.
    must((14..=4096).contains(&length) && (!talk.is_datagrams() || usize::from(length) == reader.left()))?;
    let router: [u8; 4] = reader.array()?;
    must(router != [0; 4])?;
    let _space = reader.be16()?;
    let kind = reader.be16()? & 0x7fff;
    let message = reader.be16()?;
    reader.be32()?;
    must(message >= 4 && message <= length - 10)?;
    // Common parameters come first: those of a hello, of a session, a status; a keepalive has none.
    let first = match (kind, talk.is_datagrams()) {
        (0x0100, true) => 0x0400,
        (0x0200, false) => 0x0500,
        (0x0001, false) => 0x0300,
        (0x0201, false) => return must(message == 4).map(|()| router),
        _ => return Err(Not::Other),
    };
    let (parameter, size) = (reader.be16()? & 0x3fff, reader.be16()?);
    must(parameter == first && size >= 4 && size <= message.saturating_sub(8))?;
    Ok(router)
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, |reader| router(talk, reader));
    let server = hear(talk, &talk.server, |reader| router(talk, reader));
    let (router, claim) = match (&client, &server) {
        (Ok(_), Ok(router)) => (router, talk.claim(By::Both, 128, "both sides send a message")),
        // Hellos go to a group.
        (Ok(router), Err(Not::Silent)) if talk.is_datagrams() => {
            (router, talk.claim(By::Sender, 64, "hello"))
        }
        (_, Ok(router)) => (router, talk.claim(By::Server, 64, "server sends a message")),
        (Ok(router), Err(Not::Silent | Not::Short)) => {
            (router, talk.claim(By::Client, 64, "client begins with a message"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    let [a, b, c, d] = *router;
    Look::Yes(claim.showing("router", format_args!("{a}.{b}.{c}.{d}")))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    #[test]
    fn hellos_and_sessions() {
        let hello = b"\0\x01\0\x16\xc0\0\x02\x01\0\0\x01\0\0\x0c\0\0\0\x01\x04\0\0\x04\0\x0f\0\0";
        assert_eq!(confirmed("ldp", &udp(&[hello], &[]).talk()).detail("router"), Some("192.0.2.1"));
        let start = b"\0\x01\0\x20\xc0\0\x02\x01\0\0\x02\0\0\x16\0\0\0\x01\x05\0\0\x0e\0\x01\0\xb4\0\0\0\0\xc0\0\x02\x02\0\0";
        confirmed("ldp", &tcp(start, start));
        attempt("ldp", &tcp(start, b""));
        nothing(&udp(&[start, b"x"], &[]).talk());
        for (place, value) in [(1, 2), (3, 0x17), (10, 9), (13, 13), (18, 5), (21, 9)] {
            let mut broken = hello.to_vec();
            broken[place] = value;
            nothing(&udp(&[&broken], &[]).talk());
        }
        // A size that no sum has room for.
        let mut broken = hello.to_vec();
        broken[20..24].copy_from_slice(&[0xff; 4]);
        nothing(&udp(&[&broken], &[]).talk());
        nothing(&udp(&[&[&hello[..12], &[0xff; 90]].concat()], &[]).talk());
    }
}
