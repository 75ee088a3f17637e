//! AMQP: the protocol header of 0-8 to 1.0, Connection.Start, and in the middle whole frames with their ends (AMQP 0-9-1 §4.2.2, AMQP 1.0 §2.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How AMQP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "amqp",
        title: "AMQP",
        reference: "AMQP 0-9-1, ISO/IEC 19464",
        services: &["amqp", "amqps"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::text(Side::Either, Over::Stream, b"AMQP"),
        Sign::classes(Side::Server, Over::Stream, &[Class::Is(1), Class::Is(0), Class::Is(0), Class::Is(0)]),
        // In the middle: a method or a content's header on a low channel, in a frame of less than 64 KiB.
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[
                Class::In(1, 2),
                Class::In(0, 7),
                Class::Any,
                Class::Is(0),
                Class::Is(0),
                Class::Any,
                Class::Any,
                Class::Is(0),
            ],
        ),
        // A content's body, in a frame of at most the 128 KiB that are agreed where nobody wants otherwise.
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[Class::Is(3), Class::In(0, 7), Class::Any, Class::Is(0), Class::In(0, 1)],
        ),
        Sign::text(Side::Either, Over::Stream, HEARTBEAT),
    ],
    look,
};

/// A frame that only says that somebody is there (AMQP 0-9-1 §4.2.7).
const HEARTBEAT: &[u8] = b"\x08\0\0\0\0\0\0\xce";
/// What ends every frame (AMQP 0-9-1 §4.2.3).
const FRAME_END: u8 = 0xce;

/// Whose methods they are, by class and number (AMQP 0-9-1 §1.4, and the confirmations and nacks of brokers).
const OF_SERVERS: &[(u16, &[u16])] = &[
    (10, &[20, 30, 41, 60, 61]),
    (20, &[11]),
    (40, &[11, 21, 31, 51]),
    (50, &[11, 21, 31, 41, 51]),
    (60, &[11, 21, 50, 60, 71, 72, 111]),
    (85, &[11]),
    (90, &[11, 21, 31]),
];
const OF_CLIENTS: &[(u16, &[u16])] = &[
    (10, &[11, 21, 31, 40]),
    (20, &[10]),
    (40, &[10, 20, 30, 40]),
    (50, &[10, 20, 30, 40, 50]),
    (60, &[10, 20, 40, 70, 90, 100, 110]),
    (85, &[10]),
    (90, &[10, 20, 30]),
];
const OF_BOTH: &[(u16, &[u16])] = &[(10, &[50, 51]), (20, &[20, 21, 40, 41]), (60, &[30, 31, 80, 120])];

/// The version that a protocol header names.
fn header(mut reader: Reader<'_>) -> Part<&'static str> {
    reader.is(b"AMQP")?;
    match reader.array::<4>()? {
        [0, 0, 9, 1] => Ok("0-9-1"),
        [1, 1, 0, 9] => Ok("0-9"),
        [1, 1, 8, 0] | [1, 1, 0, 8] => Ok("0-8"),
        [1, 1, 0, 10] => Ok("0-10"),
        [0 | 2 | 3, 1, 0, 0] => Ok("1.0"),
        _ => Err(crate::fields::Not::Other),
    }
}

/// What a server says: the version, and the frame's body where it is Connection.Start.
fn answer(mut reader: Reader<'_>) -> Part<(&'static str, &[u8])> {
    if reader.rest().first() != Some(&1) {
        return header(reader).map(|version| (version, &[][..]));
    }
    // A method frame on channel 0 (§2.3.5): class 10, method 10, version 0-8 or 0-9.
    reader.is(&[1, 0, 0])?;
    let length = reader.be32()?;
    must((12..0x2_0000).contains(&length))?;
    reader.is(&[0, 10, 0, 10, 0])?;
    let minor = reader.u8()?;
    must(minor == 8 || minor == 9)?;
    let table = reader.be32()?;
    must(table < length)?;
    Ok(("0-9-1", reader.up_to(table as usize)))
}

/// A text of the server's properties: a short name with its length, `S`, and a long text.
fn property<'a>(table: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = table.windows(name.len()).position(|window| window == name)?;
    let mut reader = Reader::new(table.get(at + name.len()..)?);
    let length = reader.be32().ok()?;
    reader.take(length as usize).ok().filter(|text| printable(text))
}

/// Whether a server, a client or either says the method, the content's header or the heartbeat that stands here.
fn frame(reader: &mut Reader<'_>) -> Part<By> {
    let kind = match reader.rest().first() {
        Some(8) => return reader.is(HEARTBEAT).map(|()| By::Both),
        Some(kind @ 1..=2) => *kind,
        Some(_) => return Err(Not::Other),
        None => return Err(Not::Short),
    };
    reader.take(1)?;
    let (channel, length) = (reader.be16()?, reader.be32()?);
    // Arguments are numbers, short names and a table; what is long is in bodies.
    must(channel < 2048 && (4..4096).contains(&length))?;
    let (class, second) = (reader.be16()?, reader.be16()?);
    // The connection's own methods have the first channel, the others another one (§4.2.3).
    must((class == 10) == (channel == 0))?;
    let by = if kind == 2 {
        // Only messages have content; its weight is 0, and its size is no more than anybody sends (§4.2.6.1).
        must(class == 60 && second == 0 && length >= 14)?;
        reader.is(&[0, 0, 0])?;
        By::Both
    } else {
        let of = |methods: &[(u16, &[u16])]| {
            methods.iter().any(|(known, numbers)| *known == class && numbers.contains(&second))
        };
        match (of(OF_SERVERS), of(OF_CLIENTS), of(OF_BOTH)) {
            (true, ..) => By::Server,
            (_, true, _) => By::Client,
            (_, _, true) => By::Both,
            _ => return Err(Not::Other),
        }
    };
    reader.take(length as usize - if kind == 2 { 7 } else { 4 })?;
    reader.is(&[FRAME_END]).map(|()| by)
}

/// The first frame that says what it is, behind the bodies that a side begins with: of those, only the ends are known.
fn first_frame(mut reader: Reader<'_>) -> Part<By> {
    while reader.rest().first() == Some(&3) {
        reader.take(1)?;
        let (channel, length) = (reader.be16()?, reader.be32()?);
        must((1..2048).contains(&channel) && length < 0x2_0000)?;
        reader.take(length as usize)?;
        reader.is(&[FRAME_END])?;
    }
    frame(&mut reader)
}

/// The same of a side that begins within a frame, whose rest may be anything.
fn frame_behind_a_rest(said: &Said<'_>) -> Option<By> {
    let bytes = said.bytes();
    memchr::memchr_iter(FRAME_END, bytes).find_map(|end| first_frame(Reader::new(bytes.get(end + 1..)?)).ok())
}

/// Frames where the beginning was not seen: by chance one of 2^60 fits, by kind, channel, method and end.
fn in_the_middle(talk: &Talk<'_>) -> Look {
    let met = |said: &Said<'_>, never: By| {
        let found = if said.from_start { Err(Not::Other) } else { hear(talk, said, first_frame) };
        found.and_then(|by| must(by != never))
    };
    let (mut client, mut server) = (met(&talk.client, By::Server), met(&talk.server, By::Client));
    if client.is_err() && server.is_err() {
        return otherwise(talk, &client, &server);
    }
    // Where one side says it, the other may have been in the midst of a frame; else it is something else.
    for (part, said, never) in
        [(&mut client, &talk.client, By::Server), (&mut server, &talk.server, By::Client)]
    {
        if matches!(part, Err(Not::Other)) {
            match frame_behind_a_rest(said).filter(|_| !said.from_start) {
                Some(by) if by != never => *part = Ok(()),
                None if !talk.ended && !said.from_start => return Look::More,
                _ => return Look::No,
            }
        }
    }
    let Some(by) = By::of(client.is_ok(), server.is_ok()) else { return Look::No };
    Look::Yes(
        talk.claim(by, if by == By::Both { 120 } else { 60 }, "frames of methods with their ends")
            .with("version", b"0-9-1"),
    )
}

fn look(talk: &Talk<'_>) -> Look {
    let middle = in_the_middle(talk);
    if middle != Look::No {
        return middle;
    }
    let client = hear(talk, &talk.client, header);
    let server = hear(talk, &talk.server, answer);
    let claim = match (&client, &server) {
        (Ok(_), Ok((version, table))) => {
            let claim = talk
                .claim(By::Both, 96, "protocol header and its answer")
                .with("version", version.as_bytes());
            let details = [("software", &b"\x07productS"[..]), ("software_version", b"\x07versionS")];
            details.into_iter().fold(claim, |claim, (name, key)| match property(table, key) {
                Some(value) => claim.with(name, value),
                None => claim,
            })
        }
        (_, Ok((version, _))) => {
            talk.claim(By::Server, 64, "server's header").with("version", version.as_bytes())
        }
        (Ok(version), _) => {
            talk.claim(By::Client, 64, "client begins with the header").with("version", version.as_bytes())
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use model::Transport;

    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};
    use crate::talk::{Said, Talk};

    /// A connection that was joined in its middle.
    fn joined<'a>(client: &'a [u8], server: &'a [u8]) -> Talk<'a> {
        let (client, server) = (Said::stream(client, false), Said::stream(server, false));
        Talk { transport: Transport::Tcp, client, server, ended: true, particulars: true }
    }

    const PUBLISH: &[u8] = b"\x01\0\x01\0\0\0\x0d\0\x3c\0\x28\0\0\x04logs\0\0\xce\x02\0\x01\0\0";
    const DELIVER: &[u8] =
        b"\x01\0\x01\0\0\0\x16\0\x3c\0\x3c\x02c1\0\0\0\0\0\0\0\x09\0\x04logs\0\xce\x02\0\x01";
    const ACK: &[u8] = b"\x01\0\x01\0\0\0\x0d\0\x3c\0\x50\0\0\0\0\0\0\0\x09\0\xce";

    #[test]
    fn frames_where_the_beginning_was_not_seen() {
        let said = partial("amqp", &joined(ACK, DELIVER));
        assert_eq!((said.rule, said.detail("version")), ("frames of methods with their ends", Some("0-9-1")));
        partial("amqp", &joined(PUBLISH, b""));
        partial("amqp", &joined(PUBLISH, ACK));
        partial("amqp", &joined(b"", DELIVER));
        // The connection is opened, and then a channel of it.
        partial(
            "amqp",
            &joined(b"\x01\0\x01\0\0\0\x05\0\x14\0\x0a\0\xce", b"\x01\0\0\0\0\0\x05\0\x0a\0\x29\0\xce"),
        );
        partial("amqp", &joined(super::HEARTBEAT, super::HEARTBEAT));
        // Where the beginning was seen, nobody begins like this.
        nothing(&tcp(ACK, DELIVER));
        nothing(&tcp(super::HEARTBEAT, super::HEARTBEAT));
        // Whose method it is, which channel it has, where it ends, and what the other side says.
        nothing(&joined(DELIVER, PUBLISH));
        nothing(&joined(ACK, b"something else"));
        nothing(&joined(ACK, b"something else\xce"));
        for (place, byte) in [(1, 8), (2, 0), (3, 1), (6, 0x0c), (8, 0x3d), (10, 0x29), (20, 0)] {
            let mut broken = PUBLISH.to_vec();
            broken[place] = byte;
            nothing(&joined(&broken, b""));
        }
    }

    const HEADER: &[u8] = b"\x02\0\x01\0\0\0\x0f\0\x3c\0\0\0\0\0\0\0\0\0\x05\x10\0\x02\xce";
    const BODY: &[u8] = b"\x03\0\x01\0\0\0\x05\xcehey\xce\xce";

    #[test]
    fn bodies_and_rests_of_frames_where_the_beginning_was_not_seen() {
        partial("amqp", &joined(HEADER, b""));
        partial("amqp", &joined(b"", &[HEADER, BODY].concat()));
        // What follows a body says what it is.
        partial("amqp", &joined(&[BODY, PUBLISH].concat(), b""));
        partial("amqp", &joined(b"", &[BODY, BODY, HEADER].concat()));
        nothing(&joined(BODY, b""));
        nothing(&joined(BODY, &[BODY, BODY].concat()));
        nothing(&joined(&[BODY, b"\x01\x02\x03"].concat(), b""));
        nothing(&joined(&[BODY, DELIVER].concat(), b""));
        // Or the other side does, and this one goes on within a frame.
        partial("amqp", &joined(ACK, BODY));
        partial("amqp", &joined(ACK, &[b"the rest of a text\xce\xce", DELIVER].concat()));
        partial("amqp", &joined(&[&BODY[9..], PUBLISH].concat(), super::HEARTBEAT));
        nothing(&joined(ACK, &[b"the rest of a text\xce", PUBLISH].concat()));
        nothing(&joined(b"a rest\xce", &[b"another\xce", DELIVER].concat()));
        let mut open = joined(ACK, b"the rest of a long text");
        open.ended = false;
        assert!(crate::recognise::recognise(&open).more);
        for (place, byte) in [(1, 8), (2, 0), (3, 1), (6, 0x0d), (8, 0x32), (10, 1), (11, 1), (22, 0)] {
            let mut broken = HEADER.to_vec();
            broken[place] = byte;
            nothing(&joined(&broken, b""));
        }
    }

    #[test]
    fn both_generations() {
        let table = b"\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.10.8\x08platformS";
        let mut start = b"\x01\x00\x00\x00\x00\x00\x60\x00\x0a\x00\x0a\x00\x09\x00\x00\x00".to_vec();
        start.push(u8::try_from(table.len()).unwrap());
        start.extend_from_slice(table);
        let said = confirmed("amqp", &tcp(b"AMQP\x00\x00\x09\x01", &start));
        assert_eq!((said.detail("software"), said.detail("version")), (Some("RabbitMQ"), Some("0-9-1")));
        assert_eq!(said.detail("software_version"), Some("3.10.8"));
        let said = confirmed("amqp", &tcp(b"AMQP\x03\x01\x00\x00", b"AMQP\x03\x01\x00\x00"));
        assert_eq!(said.detail("version"), Some("1.0"));
        attempt("amqp", &tcp(b"AMQP\x00\x00\x09\x01", b""));
        nothing(&tcp(b"AMQPLAIN", b""));
        nothing(&tcp(b"", b"\x01\x00\x00\x00\x00\x00\x60\x00\x0a\x00\x0b\x00\x09\x00\x00\x00\x00"));
    }
}
