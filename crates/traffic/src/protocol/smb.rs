//! SMB 1, 2 and 3, in NetBIOS sessions or directly over TCP (MS-SMB 2.2, MS-SMB2 2.2.1).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How SMB is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "smb",
        title: "SMB",
        reference: "MS-SMB2",
        services: &["microsoft-ds", "netbios-ssn"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[Is(0), In(0, 1), Any, Any, In(0xfc, 0xff), Is(b'S'), Is(b'M'), Is(b'B')],
        ),
        // A NetBIOS session is asked for first.
        Sign::classes(Side::Client, Over::Stream, &[Is(0x81), Is(0), Is(0), In(0x40, 0x60), Is(0x20)]),
    ],
    look,
};

#[derive(Debug, Clone)]
struct Message {
    generation: u8,
    answers: bool,
    dialects: Option<String>,
}

fn message(mut reader: Reader<'_>) -> Part<Message> {
    // What a NetBIOS session begins with (RFC 1002 §4.3.2, §4.3.3).
    if matches!(reader.rest().first(), Some(0x81 | 0x82)) {
        reader.take(3)?;
        let length = reader.u8()?;
        reader.take(usize::from(length))?;
    }
    reader.is(&[0])?;
    let length = reader.be24()? as usize;
    must((32..1 << 17).contains(&length))?;
    let generation = reader.u8()?;
    reader.is(b"SMB")?;
    match generation {
        0xff => first(reader, length),
        0xfe => second(reader),
        // Encrypted: signature, nonce, size, a reserved zero, and a flag (MS-SMB2 2.2.41).
        0xfd => {
            reader.take(32)?;
            let size = reader.le32()? as usize;
            must(reader.le16()? == 0 && reader.le16()? == 1 && size <= length)?;
            Ok(Message { generation: 3, answers: true, dialects: None })
        }
        // Compressed: the original size, the algorithm, and whether it is chained (MS-SMB2 2.2.42).
        0xfc => {
            let _size = reader.le32()?;
            must(reader.le16()? <= 5 && reader.le16()? <= 1)?;
            Ok(Message { generation: 3, answers: true, dialects: None })
        }
        _ => Err(Not::Other),
    }
}

fn first(mut reader: Reader<'_>, length: usize) -> Part<Message> {
    let command = reader.u8()?;
    reader.be32()?;
    let flags = reader.u8()?;
    reader.take(22)?;
    // Negotiation, sessions, trees, files, transactions, echo (MS-CIFS 2.2.2.1).
    must(matches!(command, 0x00..=0x12 | 0x24..=0x35 | 0x70..=0x75 | 0x80..=0x84 | 0xa0..=0xa5))?;
    // Words, then bytes, and both fit (MS-CIFS 2.2.3).
    let words = usize::from(reader.u8()?);
    let parameters = reader.take(words * 2)?;
    let bytes = usize::from(Reader::new(reader.rest()).le16()?);
    must(35 + words * 2 + bytes <= length)?;
    let answers = flags & 0x80 != 0;
    let mut dialects = None;
    if command == 0x72 {
        if answers {
            must(matches!(words, 1 | 13 | 17))?;
            let chosen = parameters.first_chunk().copied().map(u16::from_le_bytes);
            dialects = (words == 17 && chosen != Some(0xffff)).then(|| "NT LM 0.12".to_owned());
        } else {
            let count = usize::from(reader.le16()?);
            let mut list = Reader::new(reader.up_to(count));
            let mut names = Vec::new();
            while list.left() > 0 && names.len() < 16 {
                must(list.u8()? == 2)?;
                names.push(list.c_string(64)?);
            }
            must(words == 0 && !names.is_empty() && names.iter().all(|name| printable(name)))?;
            dialects = Some(String::from_utf8_lossy(&names.join(&b", "[..])).into_owned());
        }
    }
    Ok(Message { generation: 1, answers, dialects })
}

fn dialect(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0202 => "2.0.2",
        0x0210 => "2.1",
        0x02ff => "2.x",
        0x0300 => "3.0",
        0x0302 => "3.0.2",
        0x0311 => "3.1.1",
        _ => return None,
    })
}

fn second(mut reader: Reader<'_>) -> Part<Message> {
    must(reader.le16()? == 64)?;
    reader.take(6)?;
    let command = reader.le16()?;
    reader.le16()?;
    let flags = reader.le32()?;
    must(command <= 0x13 && flags & !0x3000_007f == 0)?;
    let answers = flags & 1 != 0;
    reader.take(44)?;
    let mut dialects = None;
    if command == 0 {
        let size = reader.le16()?;
        if answers {
            // An error has the size 9 and no dialect.
            if size == 65 {
                reader.le16()?;
                dialects = Some(dialect(reader.le16()?).ok_or(Not::Other)?.to_owned());
            }
        } else {
            let count = reader.le16()?;
            must(size == 36 && (1..=16).contains(&count))?;
            reader.take(32)?;
            let mut names = Vec::new();
            for _ in 0..count {
                names.push(dialect(reader.le16()?).ok_or(Not::Other)?);
            }
            dialects = Some(names.join(", "));
        }
    }
    Ok(Message { generation: 2, answers, dialects })
}

/// As much of a message as a capture of 96 bytes of each frame has: its length, its name, what it is and whose.
fn front(mut reader: Reader<'_>) -> Part<Message> {
    reader.is(&[0])?;
    must((32..1 << 17).contains(&reader.be24()?))?;
    let generation = reader.u8()?;
    reader.is(b"SMB")?;
    let (generation, answers) = if generation == 0xff {
        let (command, status, flags) = (reader.u8()?, reader.le32()?, reader.u8()?);
        must(matches!(command, 0x00..=0x12 | 0x24..=0x35 | 0x70..=0x75 | 0xa0..=0xa5))?;
        // Well, a warning or an error (MS-ERREF 2.3), of no other facility.
        must(matches!(status, 0 | 0x8000_0000..=0x8000_ffff | 0xc000_0000..=0xc000_ffff))?;
        (1, flags & 0x80 != 0)
    } else {
        must(generation == 0xfe && reader.le16()? == 64)?;
        reader.take(6)?;
        let (command, _credits, flags) = (reader.le16()?, reader.le16()?, reader.le32()?);
        must(command <= 0x13 && flags & !0x3000_007f == 0)?;
        (2, flags & 1 != 0)
    };
    Ok(Message { generation, answers, dialects: None })
}

fn look(talk: &Talk<'_>) -> Look {
    let read = |reader: Reader<'_>| match message(reader) {
        Err(Not::Short) if talk.ended => front(reader),
        part => part,
    };
    let client = hear(talk, &talk.client, read);
    let server = hear(talk, &talk.server, read);
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if said.answers && (!asked.answers || asked.generation == 3) => {
            (said, talk.claim(By::Both, 88, "request and answer of SMB"))
        }
        (_, Ok(said)) if said.answers => (said, talk.claim(By::Server, 56, "server's answer of SMB")),
        (Ok(asked), Err(_)) => (asked, talk.claim(By::Client, 56, "client begins with SMB")),
        _ => return otherwise(talk, &client, &server),
    };
    let generation = message.generation.to_string();
    let claim = claim.with("generation", generation.as_bytes());
    let dialect = server.as_ref().ok().and_then(|said| said.dialects.as_deref());
    let offered = client.as_ref().ok().and_then(|asked| asked.dialects.as_deref());
    Look::Yes(match (dialect, offered) {
        (Some(dialect), _) => claim.with("dialect", dialect.as_bytes()),
        (None, Some(offered)) => claim.with("offered", offered.as_bytes()),
        (None, None) => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};
    use crate::recognise::Look;
    use crate::talk::Talk;

    fn framed(body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
    }

    fn old(answers: bool) -> Vec<u8> {
        let mut body = b"\xffSMB\x72\0\0\0\0".to_vec();
        body.push(if answers { 0x88 } else { 0x08 });
        body.extend_from_slice(&[0; 22]);
        match answers {
            true => body.extend_from_slice(&[&[17, 0][..], &[0; 35]].concat()),
            false => body.extend_from_slice(b"\0\x19\0\x02NT LM 0.12\0\x02SMB 2.002\0\0"),
        }
        framed(&body)
    }

    fn new(answers: bool) -> Vec<u8> {
        let mut body = b"\xfeSMB\x40\0\0\0\0\0\0\0\0\0\x01\0".to_vec();
        body.extend_from_slice(&[u8::from(answers), 0, 0, 0]);
        body.resize(64, 0);
        if answers {
            body.extend_from_slice(&[65, 0, 1, 0, 0x11, 3, 0, 0]);
        } else {
            body.extend_from_slice(&[36, 0, 2, 0]);
            body.resize(100, 0);
            body.extend_from_slice(&[2, 2, 0x11, 3]);
        }
        framed(&body)
    }

    #[test]
    fn three_generations() {
        let said = confirmed("smb", &tcp(&new(false), &new(true)));
        assert_eq!(said.detail("dialect"), Some("3.1.1"));
        assert_eq!(attempt("smb", &tcp(&new(false), b"")).detail("offered"), Some("2.0.2, 3.1.1"));
        let said = confirmed("smb", &tcp(&old(false), &new(true)));
        assert_eq!(said.detail("generation"), Some("2"));
        assert_eq!(confirmed("smb", &tcp(&old(false), &old(true))).detail("dialect"), Some("NT LM 0.12"));
        let session = [&b"\x81\0\0\x44\x20"[..], &[b'C'; 67], &old(false)].concat();
        confirmed("smb", &tcp(&session, &[&b"\x82\0\0\0"[..], &old(true)].concat()));
    }

    #[test]
    fn messages_that_a_capture_has_cut() {
        for make in [old, new] {
            confirmed("smb", &tcp(&make(false)[..30], &make(true)[..30]));
            attempt("smb", &tcp(&make(false)[..30], b""));
            nothing(&tcp(&make(false)[..12], b""));
            let cut = &make(false)[..30];
            let open = Talk { ended: false, ..tcp(cut, b"") };
            assert_eq!(super::look(&open), Look::More);
        }
    }

    #[test]
    fn unknown_dialects_and_sizes_are_something_else() {
        for (place, value) in [(4, 0xfb), (8, 65), (16, 0x14), (104, 9), (68, 35)] {
            let mut broken = new(false);
            broken[place] = value;
            nothing(&tcp(&broken, b""));
        }
        nothing(&tcp(&new(true), &new(false)));
    }
}
