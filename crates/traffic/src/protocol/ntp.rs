//! NTP: client and server by the time that is repeated, control and private modes (RFC 5905 §7.3, RFC 9327).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Mask};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

const fn mode(mode: u8) -> [Class; 2] {
    [Mask(0x07, mode), In(0, 0xff)]
}

/// How NTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ntp",
        title: "NTP",
        reference: "RFC 5905",
        services: &["ntp"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0x27, 0x23), In(0, 16)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0x3f, 0x1b), In(0, 16)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0x3f, 0x13), In(0, 16)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0x3f, 0x0b), In(0, 16)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0x07, 4), In(0, 16)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0x07, 5), In(1, 16)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0x07, 1), In(0, 16)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0x07, 2), In(0, 16)]),
        Sign::classes(Side::Either, Over::Datagram, &mode(6)),
        Sign::classes(Side::Either, Over::Datagram, &mode(7)),
    ],
    look,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    /// The exchange of time; `times` are originate, receive, transmit.
    Time { mode: u8, version: u8, stratum: u8, reference: [u8; 4], times: [u64; 3] },
    /// Control (mode 6): the operation and its number.
    Control { version: u8, answers: bool, operation: u8, number: u16 },
    /// Private to one implementation (mode 7).
    Private { version: u8, answers: bool, implementation: u8, request: u8, items: usize },
}

fn message(mut reader: Reader<'_>) -> Part<Message> {
    let whole = reader.left();
    let first = reader.u8()?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    must((1..=4).contains(&version))?;
    match mode {
        6 => return control(version, first, reader),
        7 => return private(first, reader),
        1..=5 => {}
        _ => return Err(Not::Other),
    }
    // A header, extensions of four bytes' multiple, and perhaps a key and digest of 20 or 24 bytes (RFC 5905 §7.3).
    must(whole >= 48 && whole.is_multiple_of(4) && whole <= 1024)?;
    let [stratum, poll, precision] = reader.array()?;
    let (delay, dispersion) = (reader.be32()?, reader.be32()?);
    let reference = reader.array()?;
    let updated = reader.be64()?;
    let times = [reader.be64()?, reader.be64()?, reader.be64()?];
    must(stratum <= 16 && poll <= 17)?;
    // Seconds as a power of two: from 2^-32 to 1; chrony's questions say 2^32 and so tell nothing.
    must(precision == 0 || precision >= 0xe0 || (mode == 3 && precision == 0x20))?;
    must(delay.wrapping_add(0x10_0000) < 0x20_0000 && dispersion < 0x20_0000)?;
    match mode {
        // A question may leave everything out.
        3 => {}
        _ => {
            let [_, received, transmitted] = times;
            let seconds = |time: u64| time >> 32;
            must(transmitted != 0)?;
            // An answer leaves soon after its question came, and the clock was set before that, in the same decade.
            must(mode != 4 || seconds(transmitted).wrapping_sub(seconds(received)) < 4)?;
            let age = seconds(transmitted).wrapping_sub(seconds(updated));
            must(updated == 0 || age < 0x1000_0000)?;
            must(
                stratum != 1
                    || mode != 4
                    || printable(reference.split(|byte| *byte == 0).next().unwrap_or_default()),
            )?;
        }
    }
    Ok(Message::Time { mode, version, stratum, reference, times })
}

/// Mode 6: a count of the data that follows (RFC 9327 §2).
fn control(version: u8, first: u8, mut reader: Reader<'_>) -> Part<Message> {
    must(first >> 6 == 0 && version >= 2)?;
    let second = reader.u8()?;
    let number = reader.be16()?;
    let (_status, _association, offset) = (reader.be16()?, reader.be16()?, reader.be16()?);
    let count = usize::from(reader.be16()?);
    let operation = second & 0x1f;
    must(operation <= 12 || operation == 31)?;
    must(count <= 468 && reader.left() >= count && reader.left() <= count.next_multiple_of(8) + 24)?;
    let answers = second & 0x80 != 0;
    must(answers || (second & 0x60 == 0 && offset == 0))?;
    Ok(Message::Control { version, answers, operation, number })
}

/// Mode 7, as ntpd's monitor list is asked for.
fn private(first: u8, mut reader: Reader<'_>) -> Part<Message> {
    let [sequence, implementation, request] = reader.array()?;
    let (count, size) = (reader.be16()?, reader.be16()?);
    let answers = first & 0x80 != 0;
    must(
        first >> 3 & 7 >= 2 && sequence & 0x7f < 64 && matches!(implementation, 0 | 2 | 3) && request <= 45,
    )?;
    must(size >> 12 == 0)?;
    let (error, items, size) = (count >> 12, usize::from(count & 0x0fff), usize::from(size & 0x0fff));
    must(if answers {
        error <= 7 && items * size == reader.left()
    } else {
        error == 0 && items * size <= 32
    })?;
    // A question is padded with zeros, and may be signed at its end.
    must(
        answers
            || reader
                .rest()
                .get(..reader.left().min(32))
                .is_some_and(|pad| pad.iter().all(|byte| *byte == 0)),
    )?;
    Ok(Message::Private { version: first >> 3 & 7, answers, implementation, request, items })
}

fn pairs(asked: &Message, said: &Message) -> bool {
    match (asked, said) {
        (
            Message::Time { mode: 3, times: [.., sent], .. },
            Message::Time { mode: 4, times: [origin, ..], .. },
        ) => sent == origin,
        (Message::Time { mode: 1, .. }, Message::Time { mode: 1 | 2, .. }) => true,
        (
            Message::Control { answers: false, operation, number, .. },
            Message::Control { answers: true, operation: same, number: repeated, .. },
        ) => operation == same && number == repeated,
        (
            Message::Private { answers: false, implementation, request, .. },
            Message::Private { answers: true, implementation: same, request: repeated, .. },
        ) => implementation == same && request == repeated,
        _ => false,
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = hear_pair(talk, message, message, pairs);
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            let rule = match said {
                Message::Time { .. } => "question, and an answer that repeats its time",
                Message::Control { .. } => "control request, and an answer to its number",
                Message::Private { .. } => "private request and its answer",
            };
            (said, talk.claim(By::Both, 96, rule))
        }
        (Ok(asked @ Message::Time { mode: 3, version: 2.., times, .. }), Err(Not::Silent)) => {
            // Most fields of a first question are zero; one that repeats an answer has times that lie close.
            let near = |one: u64, other: u64| (one >> 32).abs_diff(other >> 32) < 0x1_0000;
            let bits = match *times {
                [0, 0, 0] => 24,
                [0, 0, _] => 40,
                [origin, received, sent] if near(origin, received) && near(received, sent) => 40,
                _ => 12,
            };
            (asked, talk.claim(By::Client, bits, "client begins with a question"))
        }
        (
            Ok(asked @ (Message::Control { answers: false, .. } | Message::Private { answers: false, .. })),
            Err(Not::Silent),
        ) => (asked, talk.claim(By::Client, 32, "client begins with a control or private request")),
        (Ok(sent @ Message::Time { mode: 5 | 1, version: 3.., stratum: 1..=15, .. }), Err(Not::Silent)) => {
            (sent, talk.claim(By::Sender, 32, "broadcast of time"))
        }
        (Err(Not::Silent), Ok(said @ Message::Time { mode: 4, version: 2.., .. })) => {
            (said, talk.claim(By::Server, 40, "server's answer with its times"))
        }
        // What comes to those whose address somebody asked with: the list of clients, as long as it says.
        (
            Err(Not::Silent),
            Ok(said @ Message::Private { answers: true, implementation: 2 | 3, items: 1.., .. }),
        ) => (said, talk.claim(By::Server, 36, "server's answer to a private request, which its items fill")),
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match *message {
        Message::Time { version, stratum, mode, reference, .. } => {
            let claim = claim.showing("version", version);
            let claim = if mode == 3 { claim } else { claim.showing("stratum", stratum) };
            let [a, b, c, d] = reference;
            match stratum {
                0 | 1 if mode == 4 => {
                    claim.with("reference", reference.split(|byte| *byte == 0).next().unwrap_or_default())
                }
                2..=15 if mode != 3 => claim.showing("reference", format_args!("{a}.{b}.{c}.{d}")),
                _ => claim,
            }
        }
        Message::Control { version, .. } => claim.showing("version", version).with("mode", b"control"),
        Message::Private { version, request, .. } => {
            claim.showing("version", version).with("mode", b"private").showing("request", request)
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    const SENT: [u8; 8] = [0xe9, 0x4c, 1, 2, 3, 4, 5, 6];

    fn question() -> Vec<u8> {
        let mut bytes = vec![0x23, 0, 6, 0xe9];
        bytes.resize(40, 0);
        bytes.extend_from_slice(&SENT);
        bytes
    }

    fn answer(origin: [u8; 8]) -> Vec<u8> {
        let mut bytes = vec![0x24, 2, 6, 0xe8, 0, 0, 1, 0, 0, 0, 2, 0, 192, 0, 2, 1];
        for time in [[0xe9, 0x4c, 0, 0, 0, 0, 0, 0], origin, SENT, SENT] {
            bytes.extend_from_slice(&time);
        }
        bytes
    }

    #[test]
    fn questions_answers_and_other_modes() {
        let said = confirmed("ntp", &udp(&[&question()], &[&answer(SENT)]).talk());
        assert_eq!((said.detail("stratum"), said.detail("reference")), (Some("2"), Some("192.0.2.1")));
        attempt("ntp", &udp(&[&question()], &[]).talk());
        confirmed("ntp", &udp(&[], &[&answer(SENT)]).talk());
        // Small devices leave everything out.
        let bare = [&[0x1b][..], &[0; 47]].concat();
        confirmed("ntp", &udp(&[&bare], &[&answer([0; 8])]).talk());
        attempt("ntp", &udp(&[&bare], &[]).talk());
        let control = b"\x16\x02\x00\x01\0\0\0\0\0\0\0\0";
        let variables = b"\x16\x82\x00\x01\x06\x18\0\0\0\0\0\x04a=1\n";
        confirmed("ntp", &udp(&[control], &[variables]).talk());
        let monitor = [&b"\x17\0\x03\x2a"[..], &[0; 4]].concat();
        let list = [&b"\x97\0\x03\x2a\x00\x02\x00\x48"[..], &[3; 144]].concat();
        assert_eq!(confirmed("ntp", &udp(&[&monitor], &[&list]).talk()).detail("request"), Some("42"));
    }

    #[test]
    fn lists_of_clients_that_nobody_asked_for() {
        let list = |items: u8| {
            let mut bytes = vec![0xd7, 0, 3, 42, 0, items, 0, 72];
            bytes.resize(8 + usize::from(items) * 72, 7);
            bytes
        };
        assert_eq!(confirmed("ntp", &udp(&[], &[&list(6)]).talk()).detail("request"), Some("42"));
        nothing(&udp(&[], &[&list(0)]).talk());
        nothing(&udp(&[], &[&list(6)[..300]]).talk());
        nothing(&udp(&[&list(6)], &[]).talk());
    }

    #[test]
    fn what_only_resembles_it() {
        nothing(&udp(&[&question()], &[&answer([1; 8])]).talk());
        for (place, value) in [(0, 0x03), (0, 0x2b), (1, 17), (2, 99), (3, 0x40), (4, 0x40), (8, 0x40)] {
            let mut broken = question();
            broken[place] = value;
            nothing(&udp(&[&broken], &[]).talk());
        }
        let mut late = answer(SENT);
        late[32] = 0xe0;
        nothing(&udp(&[], &[&late]).talk());
        nothing(&udp(&[b"\x16\x02\x00\x01\0\0\0\0\0\0\x01\0"], &[]).talk());
        nothing(&udp(&[&[&b"\x17\0\x03\x2a\0\0\0\0"[..], &[7; 40]].concat()], &[]).talk());
    }
}
