//! X11: the client's connection set-up in either byte order, and the server's answer (X protocol §8).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How X11 is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "x11",
        title: "X11",
        reference: "X Window System Protocol",
        services: &["x11"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::classes(Side::Client, Over::Stream, &[Is(b'l'), Any, Is(11), Is(0), Is(0), Is(0)]),
        Sign::classes(Side::Client, Over::Stream, &[Is(b'B'), Any, Is(0), Is(11), Is(0), Is(0)]),
        Sign::classes(Side::Server, Over::Stream, &[Is(1), Any, Is(11), Is(0), Is(0), Is(0)]),
        Sign::classes(Side::Server, Over::Stream, &[Is(1), Any, Is(0), Is(11), Is(0), Is(0)]),
    ],
    look,
};

/// A number of 16 bits in the client's byte order.
fn word(reader: &mut Reader<'_>, little: bool) -> Part<u16> {
    if little { reader.le16() } else { reader.be16() }
}

struct Setup<'a> {
    little: bool,
    /// How it authenticates; the secret itself is not read.
    method: &'a [u8],
}

fn setup(mut reader: Reader<'_>) -> Part<Setup<'_>> {
    let little = reader.u8()? == b'l';
    reader.u8()?;
    let (major, minor) = (word(&mut reader, little)?, word(&mut reader, little)?);
    let (name, secret) = (word(&mut reader, little)?, word(&mut reader, little)?);
    reader.be16()?;
    must(major == 11 && minor == 0 && name <= 64 && secret <= 1024)?;
    let method = reader.take(usize::from(name))?;
    must(name == 0 || printable(method))?;
    Ok(Setup { little, method })
}

/// The answer: success with the vendor's name, or a refusal.
fn answer(mut reader: Reader<'_>, little: bool) -> Part<Option<&[u8]>> {
    let [outcome, reason] = reader.array()?;
    let (major, minor) = (word(&mut reader, little)?, word(&mut reader, little)?);
    let words = usize::from(word(&mut reader, little)?);
    match outcome {
        0 => must(major == 11 && minor == 0 && words * 4 >= usize::from(reason) && words < 65).map(|()| None),
        2 => must(words < 65).map(|()| None),
        1 => {
            must(major == 11 && minor == 0 && words >= 8)?;
            reader.take(16)?;
            let length = word(&mut reader, little)?;
            reader.take(14)?;
            let vendor = reader.take(usize::from(length))?;
            must(printable(vendor)).map(|()| Some(vendor))
        }
        _ => Err(Not::Other),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, setup);
    if matches!(client, Err(Not::Silent)) {
        // The server's word alone, in either byte order: a version, lengths, and who made it.
        let little = talk.server.bytes().get(2) == Some(&11);
        return match hear(talk, &talk.server, |reader| answer(reader, little)) {
            Ok(Some(vendor)) => Look::Yes(
                talk.claim(By::Server, 72, "server accepts a set-up, and names its vendor")
                    .with("vendor", vendor),
            ),
            server => otherwise::<(), _>(talk, &Err(Not::Silent), &server),
        };
    }
    let Ok(setup) = &client else { return otherwise::<_, ()>(talk, &client, &Err(Not::Silent)) };
    let server = hear(talk, &talk.server, |reader| answer(reader, setup.little));
    let claim = match &server {
        Ok(Some(vendor)) => {
            talk.claim(By::Both, 112, "set-up, and an answer in its byte order").with("vendor", vendor)
        }
        Ok(None) => talk.claim(By::Both, 96, "set-up, and a refusal in its byte order"),
        Err(Not::Silent | Not::Short) => talk.claim(By::Client, 48, "client begins with a set-up"),
        Err(Not::Cut | Not::Other) => return Look::No,
    };
    Look::Yes(if setup.method.is_empty() { claim } else { claim.with("authentication", setup.method) })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn a_server_whose_client_was_not_heard() {
        let mut say = vec![1, 0, 11, 0, 0, 0, 20, 0];
        say.extend_from_slice(&[0; 16]);
        say.extend_from_slice(&[4, 0]);
        say.extend_from_slice(&[0; 14]);
        say.extend_from_slice(b"Xorg");
        assert_eq!(confirmed("x11", &tcp(b"", &say)).detail("vendor"), Some("Xorg"));
        let mut other = say.clone();
        other[40] = 1;
        nothing(&tcp(b"", &other));
        other[40] = b'X';
        other[6] = 1;
        nothing(&tcp(b"", &other));
    }

    #[test]
    fn both_byte_orders_and_no_cookie() {
        let ask = b"l\0\x0b\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1\0\0hidden-sixteen-b";
        let mut say = b"\x01\0\x0b\0\0\0\x0b\0".to_vec();
        say.extend_from_slice(&[0; 16]);
        say.extend_from_slice(&[8, 0]);
        say.extend_from_slice(&[0; 14]);
        say.extend_from_slice(b"The X.Or");
        let said = confirmed("x11", &tcp(ask, &say));
        assert_eq!(
            (said.detail("vendor"), said.detail("authentication")),
            (Some("The X.Or"), Some("MIT-MAGIC-COOKIE-1"))
        );
        assert!(!format!("{said:?}").contains("hidden"));
        let big = b"B\0\0\x0b\0\0\0\0\0\0\0\0";
        confirmed("x11", &tcp(big, b"\0\x08\0\x0b\0\0\0\x02No entry"));
        attempt("x11", &tcp(big, b""));
        nothing(&tcp(big, b"\0\x08\x0b\0\0\0\x02\0No entry"));
        nothing(&tcp(b"l\0\x0b\0\0\0\xff\0\x10\0\0\0", b""));
    }
}
