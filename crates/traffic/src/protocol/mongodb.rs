//! MongoDB: OP_MSG, OP_QUERY and OP_REPLY, paired by their numbers (MongoDB wire protocol).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How MongoDB is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "mongodb",
        title: "MongoDB",
        reference: "MongoDB wire protocol",
        services: &["mongodb"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    // The codes lie behind the eighth byte: a first message is shorter than 64 KiB, and that is all the sign there is.
    signs: &[Sign::classes(
        Side::Client,
        Over::Stream,
        &[Class::Any, Class::Any, Class::Is(0), Class::Is(0)],
    )],
    look,
};

const REPLY: u32 = 1;
const QUERY: u32 = 2004;
const COMPRESSED: u32 = 2012;
const MESSAGE: u32 = 2013;

struct Message {
    number: u32,
    answers: u32,
    code: u32,
}

/// The first document: a length that fits, and a first element with a printable name.
fn document(mut reader: Reader<'_>, most: u32) -> Part<()> {
    let length = reader.le32()?;
    must((5..=most).contains(&length))?;
    if length == 5 {
        return reader.is(&[0]);
    }
    let kind = reader.u8()?;
    must((1..=0x13).contains(&kind))?;
    must(printable(reader.c_string(128)?))
}

fn message(mut reader: Reader<'_>) -> Part<Message> {
    let length = reader.le32()?;
    must((26..48 << 20).contains(&length))?;
    let message = Message { number: reader.le32()?, answers: reader.le32()?, code: reader.le32()? };
    match message.code {
        MESSAGE => {
            let flags = reader.le32()?;
            // The lower 16 bits must be known to the reader, and three are defined.
            must(flags & 0xfffc == 0)?;
            reader.is(&[0])?;
            document(reader, length - 21)?;
        }
        QUERY => {
            must(reader.le32()? < 0x100)?;
            let name = reader.c_string(128)?;
            must(printable(name) && name.contains(&b'.'))?;
            reader.take(8)?;
            document(reader, length)?;
        }
        REPLY => {
            must(reader.le32()? < 0x10 && length >= 36)?;
            reader.take(12)?;
            must(reader.le32()? < 1 << 24)?;
        }
        COMPRESSED => {
            let original = reader.le32()?;
            must(matches!(original, QUERY | MESSAGE))?;
            reader.le32()?;
            must(reader.u8()? <= 3)?;
        }
        _ => return Err(Not::Other),
    }
    Ok(message)
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, |reader| {
        let message = message(reader)?;
        must(message.answers == 0 && message.code != REPLY)?;
        Ok(message)
    });
    let server = hear(talk, &talk.server, |reader| {
        let message = message(reader)?;
        must(message.code != QUERY)?;
        Ok(message)
    });
    match (&client, &server) {
        (Ok(asked), Ok(said)) if said.answers == asked.number => {
            Look::Yes(talk.claim(By::Both, 112, "message, and an answer to its number"))
        }
        (Ok(_), Err(Not::Silent | Not::Short)) => {
            Look::Yes(talk.claim(By::Client, 64, "client begins with a message"))
        }
        _ => otherwise(talk, &client, &server),
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    fn message(number: u8, answers: u8, code: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(16 + body.len()).unwrap().to_le_bytes().to_vec();
        bytes.extend_from_slice(&[number, 0, 0, 0, answers, 0, 0, 0]);
        bytes.extend_from_slice(&u32::from(code).to_le_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn numbers_pair_both_generations() {
        let body = b"\0\0\0\0\0\x0f\0\0\0\x10ping\0\x01\0\0\0\0";
        let ask = message(7, 0, 2013, body);
        confirmed("mongodb", &tcp(&ask, &message(9, 7, 2013, body)));
        nothing(&tcp(&ask, &message(9, 8, 2013, body)));
        attempt("mongodb", &tcp(&ask, b""));
        let query = b"\0\0\0\0admin.$cmd\0\0\0\0\0\xff\xff\xff\xff\x13\0\0\0\x10isMaster\0\x01\0\0\0\0";
        let reply =
            [&[8, 0, 0, 0][..], &[0; 12], &[1, 0, 0, 0], b"\x0f\0\0\0\x10ping\0\x01\0\0\0\0"].concat();
        confirmed("mongodb", &tcp(&message(1, 0, 2004, query), &message(2, 1, 1, &reply)));
        nothing(&tcp(&message(1, 0, 2003, query), b""));
        nothing(&tcp(&message(1, 0, 2013, b"\xff\xff\0\0\0\x0f\0\0\0\x10ping\0\x01\0\0\0\0"), b""));
    }
}
