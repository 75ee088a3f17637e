//! Memcached: its text, its binary protocol, and the frame that both have over UDP (memcached protocol.txt).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How Memcached is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "memcached",
        title: "Memcached",
        reference: "memcached protocol.txt",
        services: &["memcache"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Client, Over::Stream, b"get "),
        Sign::text(Side::Client, Over::Stream, b"gets "),
        Sign::text(Side::Client, Over::Stream, b"set "),
        Sign::text(Side::Client, Over::Stream, b"add "),
        Sign::text(Side::Client, Over::Stream, b"incr "),
        Sign::text(Side::Client, Over::Stream, b"delete "),
        Sign::text(Side::Client, Over::Stream, b"stats"),
        Sign::text(Side::Client, Over::Stream, b"version\r"),
        Sign::text(Side::Client, Over::Stream, b"mg "),
        Sign::text(Side::Server, Over::Stream, b"STAT "),
        Sign::text(Side::Server, Over::Stream, b"VALUE "),
        Sign::text(Side::Server, Over::Stream, b"VERSION "),
        Sign::text(Side::Server, Over::Stream, b"STORED\r\n"),
        Sign::text(Side::Server, Over::Stream, b"NOT_STOR"),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[
                Class::Is(0x81),
                Class::In(0, 0x4a),
                Class::Is(0),
                Class::In(0, 250),
                Class::In(0, 32),
                Class::Is(0),
                Class::Is(0),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Datagram,
            &[
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Is(0),
                Class::Is(0),
            ],
        ),
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[Class::Is(0x80), Class::In(0, 0x4a), Class::Any, Class::Any, Class::Any, Class::Is(0)],
        ),
        Sign::classes(
            Side::Client,
            Over::Datagram,
            &[
                Class::Any,
                Class::Any,
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
                Class::Is(1),
                Class::Is(0),
                Class::Is(0),
            ],
        ),
    ],
    look,
};

/// What one side said, and the number that the other must repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'a> {
    Text { line: &'a [u8], number: u32 },
    Binary { opcode: u8, opaque: u32 },
}

fn binary(mut reader: Reader<'_>, magic: u8) -> Part<Word<'_>> {
    reader.is(&[magic])?;
    let opcode = reader.u8()?;
    let key = reader.be16()?;
    let extras = reader.u8()?;
    reader.is(&[0])?;
    let status = reader.be16()?;
    let body = reader.be32()?;
    let opaque = reader.be32()?;
    must(opcode <= 0x4a && extras <= 32 && key <= 250 && body < 2 << 20)?;
    must(u32::from(key) + u32::from(extras) <= body && status <= 0x86)?;
    must(matches!(extras, 0 | 4 | 8 | 16 | 20 | 24 | 28 | 32))?;
    reader.be64()?;
    Ok(Word::Binary { opcode, opaque })
}

fn request<'a>(talk: &Talk<'_>, mut reader: Reader<'a>) -> Part<Word<'a>> {
    let mut number = 0;
    if talk.is_datagrams() {
        number = u32::from(reader.be16()?);
        reader.is(&[0, 0, 0, 1, 0, 0])?;
    }
    if reader.rest().first() == Some(&0x80) {
        return binary(reader, 0x80);
    }
    let line = reader.line(2048)?;
    let mut words = line.split(|byte| *byte == b' ');
    let name = words.next().unwrap_or_default();
    let more = words.count();
    let fits = match name {
        b"get" | b"gets" | b"delete" | b"mg" => more >= 1,
        b"set" | b"add" => more == 4 || more == 5,
        b"incr" => more == 2 || more == 3,
        b"stats" => more <= 1,
        b"version" => more == 0,
        _ => false,
    };
    must(fits)?;
    Ok(Word::Text { line, number })
}

fn answer<'a>(talk: &Talk<'_>, mut reader: Reader<'a>) -> Part<Word<'a>> {
    let mut number = 0;
    if talk.is_datagrams() {
        number = u32::from(reader.be16()?);
        let (index, total, reserved) = (reader.be16()?, reader.be16()?, reader.be16()?);
        must(index < total && reserved == 0)?;
    }
    if reader.rest().first() == Some(&0x81) {
        return binary(reader, 0x81);
    }
    Ok(Word::Text { line: reader.line(2048)?, number })
}

/// Whether a line answers a command as Memcached does.
fn answers(command: &[u8], line: &[u8]) -> bool {
    let starts = |words: &[&[u8]]| words.iter().any(|word| line.starts_with(word));
    match command.split(|byte| *byte == b' ').next().unwrap_or_default() {
        b"get" | b"gets" => line == b"END" || starts(&[b"VALUE "]),
        b"set" | b"add" => {
            line == b"STORED" || line == b"NOT_STORED" || starts(&[b"SERVER_ERROR ", b"CLIENT_ERROR "])
        }
        b"delete" => line == b"DELETED" || line == b"NOT_FOUND",
        b"incr" => line == b"NOT_FOUND" || (!line.is_empty() && line.iter().all(u8::is_ascii_digit)),
        b"stats" => line == b"RESET" || line == b"END" || starts(&[b"STAT "]),
        b"version" => starts(&[b"VERSION "]),
        b"mg" => line == b"EN" || line == b"HD" || starts(&[b"VA "]),
        _ => false,
    }
}

/// Answers whose commands were not heard, up to where the bytes end: lines that only this server says, values as long
/// as they say, and messages of the binary protocol one behind the other. Gives the bits that they rest on.
fn answers_alone(talk: &Talk<'_>) -> Part<u8> {
    let mut reader = Reader::new(talk.server.bytes());
    if talk.is_datagrams() {
        reader.be16()?;
        let (index, total, reserved) = (reader.be16()?, reader.be16()?, reader.be16()?);
        must(index < total && reserved == 0)?;
    }
    let mut bits = 0_u8;
    for _ in 0..MOST_ANSWERS {
        match reader.rest().first() {
            None => break,
            Some(0x81) => {
                let unit = reader.rest();
                let length = 24 + Reader::new(unit.get(8..).unwrap_or_default()).be32()?;
                let next = binary(reader, 0x81).and_then(|_| {
                    let taken = reader.take(usize::try_from(length).map_err(|_| Not::Other)?);
                    taken.map(|_| bits = bits.saturating_add(44))
                });
                match next {
                    Err(Not::Short) if bits > 0 => break,
                    next => next?,
                }
            }
            Some(_) => match answer_line(&mut reader) {
                Ok(worth) => bits = bits.saturating_add(worth),
                Err(Not::Short) if bits > 0 => break,
                Err(not) => return Err(not),
            },
        }
    }
    Ok(bits)
}

/// Answers that are looked at.
const MOST_ANSWERS: usize = 16;

/// A line of an answer, and the value behind it; how many bits it is worth (protocol.txt, "Retrieval command" and others).
fn answer_line(reader: &mut Reader<'_>) -> Part<u8> {
    must(reader.rest().first().is_some_and(|first| first.is_ascii_uppercase() || first.is_ascii_digit()))?;
    let line = reader.line(2048)?;
    let mut words = line.split(|byte| *byte == b' ');
    let number = |word: &[u8]| std::str::from_utf8(word).ok().and_then(|word| word.parse::<u32>().ok());
    let (name, rest): (_, Vec<&[u8]>) = (words.next().unwrap_or_default(), words.collect());
    match (name, &rest[..]) {
        (b"VALUE", [key, flags, length, cas @ ..]) => {
            must(!key.is_empty() && key.len() <= 250 && number(flags).is_some() && cas.len() <= 1)?;
            let length = number(length).filter(|length| *length < 2 << 20).ok_or(Not::Other)?;
            let value = reader.up_to(usize::try_from(length).map_err(|_| Not::Other)?);
            if u32::try_from(value.len()) == Ok(length) && reader.left() > 0 {
                reader.is(b"\r\n")?;
            }
            Ok(56)
        }
        (b"STAT", [name, value, ..]) => {
            let plain = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic());
            must(plain && !value.is_empty()).map(|()| 24)
        }
        (b"VERSION", [version]) => {
            let dotted = version.first().is_some_and(u8::is_ascii_digit) && version.contains(&b'.');
            must(dotted && version.len() <= 40 && version.iter().all(u8::is_ascii_graphic)).map(|()| 40)
        }
        (b"STORED" | b"NOT_STORED", []) => Ok(40),
        // What others say, too.
        (b"END" | b"DELETED" | b"NOT_FOUND" | b"EXISTS" | b"TOUCHED" | b"OK" | b"RESET" | b"ERROR", []) => {
            Ok(0)
        }
        (b"SERVER_ERROR" | b"CLIENT_ERROR", _) => Ok(24),
        (digits, []) if number(digits).is_some() => Ok(0),
        _ => Err(Not::Other),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    if talk.client.is_empty() {
        return match answers_alone(talk) {
            Ok(bits @ 40..) => {
                let claim = talk.claim(
                    By::Server,
                    bits.min(72),
                    "server's answers, line by line or in the binary form",
                );
                let version = talk.server.bytes().strip_prefix(b"VERSION ").map(<[u8]>::trim_ascii_end);
                Look::Yes(match version.filter(|version| version.len() <= 40) {
                    Some(version) => claim.with("version", version),
                    None => claim,
                })
            }
            Ok(_) | Err(Not::Short) if !talk.ended && !talk.is_datagrams() => Look::More,
            _ => Look::No,
        };
    }
    let client = hear(talk, &talk.client, |reader| request(talk, reader));
    let server = hear(talk, &talk.server, |reader| answer(talk, reader));
    let claim = match (&client, &server) {
        (Ok(Word::Text { line, number }), Ok(Word::Text { line: said, number: repeated }))
            if number == repeated && answers(line, said) =>
        {
            talk.claim(By::Both, 56, "text command and its answer")
        }
        (Ok(asked @ Word::Binary { .. }), Ok(said @ Word::Binary { .. })) if asked == said => {
            talk.claim(By::Both, 96, "binary command, and an answer with its number")
        }
        (_, Ok(Word::Text { line, .. })) if line.starts_with(b"STAT pid ") => {
            talk.claim(By::Server, 72, "server begins with STAT pid")
        }
        (Ok(Word::Binary { .. }), Err(Not::Silent)) => {
            talk.claim(By::Client, 40, "client begins with a binary command")
        }
        (Ok(Word::Text { line, .. }), Err(Not::Silent)) => {
            // Over UDP this is what an amplifier is asked.
            let bits = if talk.is_datagrams() {
                72
            } else if line == b"stats" || line == b"version" {
                40
            } else {
                12
            };
            talk.claim(By::Client, bits, "client begins with a text command")
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match server {
        Ok(Word::Text { line, .. }) => match line.strip_prefix(b"VERSION ") {
            Some(version) => claim.with("version", version),
            None => claim,
        },
        _ => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp, udp};

    #[test]
    fn text() {
        let said = confirmed("memcached", &tcp(b"version\r\n", b"VERSION 1.6.18\r\n"));
        assert_eq!(said.detail("version"), Some("1.6.18"));
        confirmed("memcached", &tcp(b"get a b\r\n", b"END\r\n"));
        confirmed("memcached", &tcp(b"set a 0 0 1\r\nx\r\n", b"STORED\r\n"));
        confirmed("memcached", &tcp(b"", b"STAT pid 12\r\nSTAT uptime 3\r\nEND\r\n"));
        attempt("memcached", &tcp(b"stats\r\n", b""));
        partial("memcached", &tcp(b"get a\r\n", b""));
        nothing(&tcp(b"get a\r\n", b"what?\r\n"));
        nothing(&tcp(b"set a\r\n", b""));
    }

    #[test]
    fn a_server_whose_client_was_not_heard() {
        let said = confirmed("memcached", &tcp(b"", b"VERSION 1.6.18\r\n"));
        assert_eq!(said.detail("version"), Some("1.6.18"));
        confirmed("memcached", &tcp(b"", b"STORED\r\nVALUE key 0 5\r\nhello\r\nEND\r\n"));
        confirmed("memcached", &tcp(b"", b"VALUE key 0 3 77\r\na\nb\r\nEND\r\n"));
        confirmed("memcached", &udp(&[], &[b"\x01\x02\0\0\0\x05\0\0STAT pid 1\r\nSTAT up 2\r\n"]).talk());
        let say = b"\x81\x0b\0\0\0\0\0\0\0\0\0\x06\xde\xad\0\x01\0\0\0\0\0\0\0\x001.6.18";
        confirmed("memcached", &tcp(b"", say));
        confirmed("memcached", &tcp(b"", &[&say[..], say].concat()));
        nothing(&tcp(b"", &[&say[..], b"\x82more"].concat()));
        nothing(&tcp(b"", b"VALUE key 0 5\r\nhello world\r\nEND\r\n"));
        nothing(&tcp(b"", b"VERSION one\r\n"));
        nothing(&tcp(b"", b"END\r\nNOT_FOUND\r\n"));
        nothing(&tcp(b"", b"STORED\r\nand more\r\n"));
    }

    #[test]
    fn binary_and_datagrams() {
        let ask = b"\x80\x0b\0\0\0\0\0\0\0\0\0\0\xde\xad\0\x01\0\0\0\0\0\0\0\0";
        let say = b"\x81\x0b\0\0\0\0\0\0\0\0\0\x06\xde\xad\0\x01\0\0\0\0\0\0\0\x001.6.18";
        confirmed("memcached", &tcp(ask, say));
        attempt("memcached", &tcp(ask, b""));
        nothing(&tcp(ask, b"\x81\x0b\0\0\0\0\0\0\0\0\0\x06\xde\xad\0\x02\0\0\0\0\0\0\0\x001.6.18"));
        let stats = b"\x01\x02\0\0\0\x01\0\0stats\r\n";
        confirmed("memcached", &udp(&[stats], &[b"\x01\x02\0\0\0\x05\0\0STAT pid 1\r\n"]).talk());
        attempt("memcached", &udp(&[stats], &[]).talk());
        nothing(&udp(&[stats], &[b"\x01\x03\0\0\0\x05\0\0STAT cmd 1\r\n"]).talk());
    }
}
