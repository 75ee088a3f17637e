//! TFTP: requests, and blocks with their acknowledgements, which come from a new port (RFC 1350 §4, RFC 2347).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How TFTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "tftp",
        title: "TFTP",
        reference: "RFC 1350",
        services: &["tftp"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[Is(0), In(1, 6)])],
    look,
};

/// The longest block that may be agreed (RFC 2348 §2).
const MOST_BLOCK: usize = 65_464;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message<'a> {
    Request { writes: bool, file: &'a [u8], mode: &'a [u8] },
    Data { block: u16, bytes: usize },
    Acknowledge { block: u16 },
    Error { text: &'a [u8] },
    Options,
}

/// Names and values, each closed by a zero, up to the end.
fn options(mut reader: Reader<'_>) -> Part<usize> {
    let mut count = 0;
    while reader.left() > 0 {
        must(printable(reader.c_string(64)?) && printable(reader.c_string(64)?))?;
        count += 1;
    }
    Ok(count)
}

fn message(mut reader: Reader<'_>) -> Part<Message<'_>> {
    match reader.be16()? {
        code @ (1 | 2) => {
            let (file, mode) = (reader.c_string(512)?, reader.c_string(16)?);
            let modes: [&[u8]; 3] = [b"octet", b"netascii", b"mail"];
            must(!file.is_empty() && file.iter().all(|byte| *byte >= 0x20))?;
            must(modes.iter().any(|known| mode.eq_ignore_ascii_case(known)))?;
            options(reader)?;
            Ok(Message::Request { writes: code == 2, file, mode })
        }
        3 => {
            let block = reader.be16()?;
            must(reader.left() <= MOST_BLOCK).map(|()| Message::Data { block, bytes: reader.left() })
        }
        4 => {
            let block = reader.be16()?;
            must(reader.left() == 0).map(|()| Message::Acknowledge { block })
        }
        5 => {
            must(reader.be16()? <= 8)?;
            let text = reader.c_string(512)?;
            must(reader.left() == 0 && (text.is_empty() || printable(text))).map(|()| Message::Error { text })
        }
        6 => must(options(reader)? > 0).map(|()| Message::Options),
        _ => Err(Not::Other),
    }
}

/// Blocks of one side, numbered from 1, all but the last of one size, and their acknowledgements by the other.
fn transfer(sender: &crate::talk::Said<'_>, receiver: &crate::talk::Said<'_>) -> u8 {
    let mut blocks = Vec::new();
    let mut size = None;
    for piece in sender.pieces().take(16) {
        match message(Reader::new(piece)) {
            Ok(Message::Data { block, bytes }) => {
                let expected = u16::try_from(blocks.len()).unwrap_or(0) + 1;
                // A block that is sent again has the number before.
                let again = block > 0 && block == expected - 1;
                if !(block == expected || again) || size.is_some_and(|size| bytes > size) {
                    return 0;
                }
                size = size.or(Some(bytes));
                if !again {
                    blocks.push(block);
                }
            }
            Ok(Message::Options | Message::Error { .. }) => {}
            _ => return 0,
        }
    }
    let mut acknowledged = 0_u8;
    for piece in receiver.pieces().take(16) {
        match message(Reader::new(piece)) {
            Ok(Message::Acknowledge { block }) if block == 0 || blocks.contains(&block) => {
                acknowledged += u8::from(block > 0);
            }
            Ok(Message::Error { .. } | Message::Request { .. }) => {}
            _ => return 0,
        }
    }
    // Code and number of a block, code and number of its acknowledgement.
    acknowledged.min(3) * 56
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, message);
    let server = hear(talk, &talk.server, message);
    let asked = match &client {
        Ok(Message::Request { writes, file, mode }) => Some((*writes, *file, *mode)),
        _ => None,
    };
    let claim = match (&client, &server) {
        (Ok(Message::Request { writes, .. }), Ok(said)) => {
            let fits = match said {
                Message::Data { block: 1, .. } => !writes,
                Message::Acknowledge { block: 0 } => *writes,
                Message::Options | Message::Error { .. } => true,
                _ => false,
            };
            if !fits {
                return Look::No;
            }
            talk.claim(By::Both, 96, "request and its answer")
        }
        (Ok(Message::Request { .. }), Err(_)) => talk.claim(By::Client, 64, "client begins with a request"),
        (Ok(_), Ok(_)) => {
            // The options of a server, and the word that they are taken.
            let agreed = match (&client, &server) {
                (Ok(Message::Options), Ok(Message::Acknowledge { block: 0 }))
                | (Ok(Message::Acknowledge { block: 0 }), Ok(Message::Options)) => 48,
                _ => 0,
            };
            let bits =
                transfer(&talk.client, &talk.server).max(transfer(&talk.server, &talk.client)).max(agreed);
            if bits == 0 {
                return Look::No;
            }
            talk.claim(By::Both, bits, "numbered blocks and their acknowledgements")
        }
        (Ok(Message::Error { text }), Err(Not::Silent)) if text.len() >= 4 => {
            talk.claim(By::Sender, 40, "an error of the server, from a new port").with("error", text)
        }
        // The first block, or the options that were agreed, and no acknowledgement yet.
        (Ok(Message::Data { block: 1, bytes: 512 } | Message::Options), Err(Not::Silent)) => {
            talk.claim(By::Sender, 14, "first block of a server, from a new port").and_more()
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match asked {
        Some((writes, file, mode)) => claim
            .with("operation", if writes { b"write" } else { b"read" })
            .with("file", file)
            .with("mode", mode),
        None => claim,
    })
}

/// Whether a client asks with this: the answer comes from a new port (RFC 1350 §4).
pub(crate) fn asks(datagram: &[u8]) -> bool {
    matches!(message(Reader::new(datagram)), Ok(Message::Request { .. }))
}

/// Whether a server answers with this.
pub(crate) fn answers(datagram: &[u8]) -> bool {
    matches!(
        message(Reader::new(datagram)),
        Ok(Message::Data { block: 1, .. }
            | Message::Acknowledge { block: 0 }
            | Message::Error { .. }
            | Message::Options)
    )
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, udp};

    #[test]
    fn requests() {
        let ask = b"\0\x01pxelinux.0\0octet\0blksize\x001428\0";
        let said = attempt("tftp", &udp(&[ask], &[]).talk());
        assert_eq!((said.detail("file"), said.detail("operation")), (Some("pxelinux.0"), Some("read")));
        confirmed("tftp", &udp(&[ask], &[b"\0\x06blksize\x001428\0"]).talk());
        confirmed("tftp", &udp(&[b"\0\x02a\0netascii\0"], &[b"\0\x04\0\0"]).talk());
        nothing(&udp(&[b"\0\x02a\0netascii\0"], &[b"\0\x03\0\x01abc"]).talk());
        nothing(&udp(&[b"\0\x01a\0ascii\0"], &[]).talk());
        nothing(&udp(&[b"\0\x01a\0octet"], &[]).talk());
    }

    #[test]
    fn options_are_taken_before_the_first_block() {
        let (options, taken) = (b"\0\x06tsize\x001092\0blksize\x00512\0", b"\0\x04\0\0");
        confirmed("tftp", &udp(&[options], &[taken]).talk());
        confirmed("tftp", &udp(&[taken], &[options]).talk());
        nothing(&udp(&[options], &[b"\0\x04\0\x09"]).talk());
    }

    #[test]
    fn answers_from_a_new_port() {
        let block = |number: u8, size: usize| [&[0, 3, 0, number][..], &vec![0x99; size]].concat();
        let (one, two) = (block(1, 512), block(2, 100));
        confirmed("tftp", &udp(&[&one, &two], &[b"\0\x04\0\x01", b"\0\x04\0\x02"]).talk());
        confirmed("tftp", &udp(&[b"\0\x04\0\x01"], &[&one]).talk());
        confirmed("tftp", &udp(&[b"\0\x05\0\x01File not found\0"], &[]).talk());
        partial("tftp", &udp(&[&one], &[]).talk());
        nothing(&udp(&[&two], &[b"\0\x04\0\x02"]).talk());
        nothing(&udp(&[&one], &[b"\0\x04\0\x02"]).talk());
        nothing(&udp(&[&block(1, 100), &block(2, 512)], &[b"\0\x04\0\x01"]).talk());
    }
}
