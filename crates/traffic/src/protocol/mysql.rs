//! MySQL and MariaDB: the server's greeting, or the error in its place (MySQL internals, "Connection Phase").

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How MySQL is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "mysql",
        title: "MySQL",
        reference: "MySQL internals",
        services: &["mysql"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[Class::Any, Class::In(0, 3), Class::Is(0), Class::Is(1), Class::Any, Class::Mask(2, 2)],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::Any, Class::Is(0), Class::Is(0), Class::Is(0), Class::Is(10), Class::In(b'0', b'9')],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[
                Class::Any,
                Class::In(0, 1),
                Class::Is(0),
                Class::Is(0),
                Class::Is(0xff),
                Class::Any,
                Class::In(4, 0x0f),
            ],
        ),
    ],
    look,
};

enum Greeting<'a> {
    Version(&'a [u8]),
    Error(u16),
}

fn greeting(mut reader: Reader<'_>, ended: bool) -> Part<Greeting<'_>> {
    let [a, b, c, sequence] = reader.array()?;
    let length = u32::from_le_bytes([a, b, c, 0]) as usize;
    must(sequence == 0 && (8..1024).contains(&length))?;
    let kind = reader.u8()?;
    if kind == 0xff {
        let code = reader.le16()?;
        let text = reader.take(length - 3)?;
        // With the SQL state `#HY000` or without.
        must((1000..5000).contains(&code) && (printable(text) || text.iter().all(|byte| *byte >= 0x20)))?;
        must(text.len() >= 16 && reader.left() == 0)?;
        return Ok(Greeting::Error(code));
    }
    must(kind == 10)?;
    if ended && reader.left() < length && memchr::memchr(0, reader.rest()).is_none() {
        // Cut within its version, which has a dot in it.
        let version = reader.rest();
        must(
            version.first().is_some_and(u8::is_ascii_digit) && version.contains(&b'.') && version.len() >= 5,
        )?;
        return must(printable(version)).map(|()| Greeting::Version(version));
    }
    let version = reader.c_string(128)?;
    must(printable(version) && version.contains(&b'.'))?;
    reader.le32()?;
    let salt = reader.take(8)?;
    must(salt.iter().all(|byte| *byte != 0))?;
    reader.is(&[0])?;
    must(version.len() + 16 <= length)?;
    Ok(Greeting::Version(version))
}

/// The client's answer is its second packet: number 1, and long enough for its flags.
fn response(mut reader: Reader<'_>) -> Part<()> {
    let [a, b, c, sequence] = reader.array()?;
    must(sequence == 1 && (32..1 << 16).contains(&u32::from_le_bytes([a, b, c, 0])))
}

/// The same packet whole, with what nothing else has: 19 bytes of zero, and who logs in where that is not to be encrypted.
fn login(mut reader: Reader<'_>) -> Part<()> {
    let [a, b, c, sequence] = reader.array()?;
    let length = u32::from_le_bytes([a, b, c, 0]);
    must(sequence == 1 && (32..1024).contains(&length))?;
    let (flags, largest, _character_set) = (reader.le32()?, reader.le32()?, reader.u8()?);
    // The protocol of version 4.1, and packets of at most a gigabyte.
    must(flags & 0x200 != 0 && largest <= 1 << 30)?;
    reader.is(&[0; 19])?;
    reader.take(4)?;
    // Only flags, where TLS follows.
    if length == 32 {
        return must(flags & 0x800 != 0);
    }
    let user = reader.c_string(256)?;
    must(user.is_empty() || printable(user))
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, response);
    let server = hear(talk, &talk.server, |reader| greeting(reader, talk.ended));
    let claim = match (&client, &server) {
        (Ok(()), Ok(Greeting::Version(_))) => {
            talk.claim(By::Both, 88, "greeting of version 10 and its answer")
        }
        (_, Ok(Greeting::Version(_))) => talk.claim(By::Server, 72, "server's greeting of version 10"),
        (_, Ok(Greeting::Error(code))) => {
            let claim = talk.claim(By::Server, 48, "server's error in place of a greeting");
            return Look::Yes(claim.showing("error", code));
        }
        (Ok(()), Err(Not::Silent)) => {
            return match hear(talk, &talk.client, login) {
                Ok(()) => Look::Yes(talk.claim(By::Client, 120, "client logs in")),
                Err(Not::Short) if !talk.ended => Look::More,
                Err(_) => Look::No,
            };
        }
        _ => return otherwise(talk, &client, &server),
    };
    let Ok(Greeting::Version(version)) = server else { return Look::No };
    // MariaDB puts a version in front that old replicas understand.
    let (software, version) = match version.windows(7).any(|window| window == b"MariaDB") {
        true => (&b"MariaDB"[..], version.strip_prefix(b"5.5.5-").unwrap_or(version)),
        false => (&b"MySQL"[..], version),
    };
    Look::Yes(claim.with("software", software).with("version", version))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    fn greeting(version: &[u8]) -> Vec<u8> {
        let mut body = vec![10];
        body.extend_from_slice(version);
        body.extend_from_slice(b"\x00\x09\x00\x00\x00abcdefgh\x00\xff\xf7\x08\x02\x00\xff\x81\x15");
        body.extend_from_slice(&[0; 10]);
        body.extend_from_slice(b"abcdefghijkl\x00mysql_native_password\x00");
        [&[u8::try_from(body.len()).unwrap(), 0, 0, 0], &body[..]].concat()
    }

    #[test]
    fn greetings_and_errors() {
        let said = confirmed("mysql", &tcp(b"", &greeting(b"8.0.35")));
        assert_eq!((said.detail("software"), said.detail("version")), (Some("MySQL"), Some("8.0.35")));
        let answer = [&b"\x40\x00\x00\x01\x85\xa6\xff\x01"[..], &[0; 60]].concat();
        let said = confirmed("mysql", &tcp(&answer, &greeting(b"5.5.5-10.11.6-MariaDB-0+deb12u1")));
        assert_eq!(said.detail("version"), Some("10.11.6-MariaDB-0+deb12u1"));
        let text = b"Host '10.0.0.1' is not allowed to connect to this MariaDB server";
        let error = [&[u8::try_from(text.len() + 3).unwrap(), 0, 0, 0, 0xff, 0x6a, 4], &text[..]].concat();
        assert_eq!(confirmed("mysql", &tcp(b"", &error)).detail("error"), Some("1130"));
        // Cut within its version.
        confirmed("mysql", &tcp(b"", &greeting(b"5.5.5-10.11.6-MariaDB-0+deb12u1")[..20]));
        nothing(&tcp(b"", &greeting(b"5.5.5-10.11.6-MariaDB-0+deb12u1")[..9]));
        nothing(&tcp(b"", &greeting(b"version5.5.5-10.11.6-MariaDB-0+deb12u1")[..20]));
    }

    #[test]
    fn a_client_alone() {
        let head = b"\x85\xa6\xff\x01\0\0\0\x01\x2d";
        let login = [&b"\x28\x00\x00\x01"[..], head, &[0; 23], b"corpus\0\0"].concat();
        attempt("mysql", &tcp(&login, b""));
        let encrypted = [&b"\x20\x00\x00\x01\x85\xae"[..], &head[2..], &[0; 23]].concat();
        attempt("mysql", &tcp(&encrypted, b""));
        for (place, byte) in [(3, 0), (5, 0xa4), (11, 0x80), (20, 1), (36, 9)] {
            let mut broken = login.clone();
            broken[place] = byte;
            nothing(&tcp(&broken, b""));
        }
    }

    #[test]
    fn what_only_resembles_it() {
        let mut broken = greeting(b"8.0.35");
        broken[24] = 1;
        nothing(&tcp(b"", &broken));
        nothing(&tcp(b"", &greeting(b"8")));
        nothing(&tcp(b"", b"\x08\x00\x00\x00\xff\x6a\x04short"));
    }
}
