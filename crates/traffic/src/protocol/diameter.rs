//! Diameter: capabilities are exchanged first, and an answer repeats both numbers of its request (RFC 6733 §3, §5.3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How Diameter is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "diameter",
        title: "Diameter",
        reference: "RFC 6733",
        services: &["diameter", "diameters"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Optional,
    },
    signs: &[Sign::classes(
        Side::Either,
        Over::Stream,
        &[Is(1), Is(0), Any, Mask(3, 0), Mask(0x0f, 0), Is(0), In(1, 33), Any],
    )],
    look,
};

#[derive(Debug, Clone, Copy)]
struct Message<'a> {
    asks: bool,
    command: u32,
    numbers: (u32, u32),
    host: Option<&'a [u8]>,
    product: Option<&'a [u8]>,
}

fn message(mut reader: Reader<'_>) -> Part<Message<'_>> {
    reader.is(&[1])?;
    let length = reader.be24()?;
    let flags = reader.u8()?;
    let command = reader.be24()?;
    let _application = reader.be32()?;
    let numbers = (reader.be32()?, reader.be32()?);
    must(length.is_multiple_of(4) && (28..1 << 16).contains(&length) && flags & 0x0f == 0)?;
    must((257..=8_388_733).contains(&command))?;
    let mut message = Message { asks: flags & 0x80 != 0, command, numbers, host: None, product: None };
    let mut left = length as usize - 20;
    // Each has a code, flags and a length, and is padded to four bytes (§4.1).
    for _ in 0..64 {
        if left == 0 {
            break;
        }
        let code = reader.be32()?;
        let flags = reader.u8()?;
        let length = reader.be24()? as usize;
        let head = if flags & 0x80 != 0 { 12 } else { 8 };
        let padded = length.next_multiple_of(4);
        must(flags & 0x1f == 0 && length >= head && padded <= left)?;
        reader.take(head - 8)?;
        let value = reader.take(length - head)?;
        reader.take(padded - length)?;
        left -= padded;
        match code {
            264 if printable(value) => message.host = Some(value),
            269 => message.product = Some(value),
            _ => {}
        }
    }
    must(message.host.is_some())?;
    Ok(message)
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, message);
    let server = hear(talk, &talk.server, message);
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said))
            if asked.asks && !said.asks && asked.command == said.command && asked.numbers == said.numbers =>
        {
            (said, talk.claim(By::Both, 120, "request, and an answer with both of its numbers"))
        }
        (Ok(asked), Err(Not::Silent | Not::Short)) if asked.asks => {
            (asked, talk.claim(By::Client, 72, "client begins with a request that names its origin"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    let details = [("host", message.host), ("product", message.product)];
    Look::Yes(details.into_iter().fold(claim, |claim, (name, value)| match value {
        Some(value) => claim.with(name, value),
        None => claim,
    }))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    fn message(flags: u8, number: u8, host: &[u8]) -> Vec<u8> {
        let padded = host.len().next_multiple_of(4);
        let length = u8::try_from(20 + 8 + padded).unwrap();
        let mut bytes = vec![1, 0, 0, length, flags, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, number, 0, 0, 0, 9];
        bytes.extend_from_slice(&[0, 0, 1, 8, 0x40, 0, 0, u8::try_from(8 + host.len()).unwrap()]);
        bytes.extend_from_slice(host);
        bytes.resize(usize::from(length), 0);
        bytes
    }

    #[test]
    fn capabilities() {
        let (ask, say) = (message(0x80, 3, b"mme.example"), message(0, 3, b"hss.example"));
        assert_eq!(confirmed("diameter", &tcp(&ask, &say)).detail("host"), Some("hss.example"));
        attempt("diameter", &tcp(&ask, b""));
        nothing(&tcp(&ask, &message(0, 4, b"hss.example")));
        nothing(&tcp(&message(0x88, 3, b"mme.example"), b""));
        nothing(&tcp(&message(0x80, 3, b"\0\0"), b""));
    }
}
