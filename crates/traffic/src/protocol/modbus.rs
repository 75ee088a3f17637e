//! Modbus over TCP: a protocol number of zero, lengths that fit the function, answers by transaction (Modbus/TCP §3.1.3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How Modbus is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "modbus",
        title: "Modbus/TCP",
        reference: "Modbus/TCP V1.0b",
        services: &["mbap", "mbap-s"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(
        Side::Either,
        Over::Any,
        &[Any, Any, Is(0), Is(0), Is(0), In(2, 254), Any, In(1, 0xab)],
    )],
    look,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unit {
    transaction: u16,
    unit: u8,
    function: u8,
}

/// Transaction, unit, function, and the function's bytes.
fn unit(mut reader: Reader<'_>) -> Part<(Unit, &[u8])> {
    let transaction = reader.be16()?;
    reader.is(&[0, 0])?;
    let length = usize::from(reader.be16()?);
    must((2..=254).contains(&length))?;
    let [unit, function] = reader.array()?;
    let body = reader.take(length - 2)?;
    // What follows is the next unit.
    must(reader.left() == 0 || reader.rest().get(2..5).is_some_and(|next| next == [0; 3]))?;
    Ok((Unit { transaction, unit, function }, body))
}

/// Two numbers of 16 bits.
fn pair(body: &[u8]) -> Option<(u16, u16)> {
    let mut reader = Reader::new(body);
    Some((reader.be16().ok()?, reader.be16().ok()?))
}

fn request(reader: Reader<'_>) -> Part<Unit> {
    let (unit, body) = unit(reader)?;
    let length = body.len();
    let fits = match (unit.function, pair(body)) {
        // How many bits or registers may be read at once (Modbus V1.1b3 §6).
        (1 | 2, Some((_, count))) => length == 4 && (1..=2000).contains(&count),
        (3 | 4, Some((_, count))) => length == 4 && (1..=125).contains(&count),
        (5, Some((_, value))) => length == 4 && matches!(value, 0 | 0xff00),
        (6, Some(_)) => length == 4,
        (8, Some((diagnostic, _))) => length == 4 && diagnostic <= 21,
        (7 | 11 | 12 | 17, _) => length == 0,
        (15, Some((_, count))) => {
            let bytes = usize::from(count).div_ceil(8);
            length == 5 + bytes && body.get(4).copied().map(usize::from) == Some(bytes)
        }
        (16, Some((_, count))) => {
            let bytes = usize::from(count) * 2;
            length == 5 + bytes && body.get(4).copied().map(usize::from) == Some(bytes)
        }
        (20 | 21, _) => {
            body.first().copied().map(usize::from) == Some(length.saturating_sub(1)) && length > 7
        }
        (22, _) => length == 6,
        (23, _) => length > 9 && body.get(8).copied().map(usize::from) == Some(length - 9),
        (24, _) => length == 2,
        // Device identification.
        (43, _) => matches!(body, [14, 1..=4, _]) || body.first() == Some(&13),
        _ => false,
    };
    must(fits).map(|()| unit)
}

fn answer(reader: Reader<'_>) -> Part<Unit> {
    let (unit, body) = unit(reader)?;
    let length = body.len();
    let counted = body.first().copied().map(usize::from) == Some(length.saturating_sub(1)) && length > 1;
    let fits = match unit.function {
        // Why not: eleven codes (Modbus V1.1b3 §7).
        0x81..=0xab => matches!(body, [1..=11]),
        1 | 2 => counted,
        3 | 4 | 23 => counted && length % 2 == 1,
        5 | 6 | 15 | 16 | 11 => length == 4,
        7 => length == 1,
        8 => length == 4,
        12 | 17 | 20 | 21 => counted,
        22 => length == 6,
        24 => length >= 4,
        43 => length >= 6 && matches!(body.first(), Some(13 | 14)),
        _ => false,
    };
    must(fits).map(|()| unit)
}

/// Answers in a row whose client was not heard: of one device, each with the next number of a transaction, and nothing
/// between. One of them alone may be somebody else's.
fn answers(talk: &Talk<'_>) -> Option<Unit> {
    let mut last: Option<Unit> = None;
    let mut count = 0_u8;
    let mut next = |bytes| {
        let said = answer(Reader::new(bytes)).ok()?;
        if let Some(last) = last {
            let step = said.transaction.wrapping_sub(last.transaction);
            must((1..=2).contains(&step) && said.unit == last.unit).ok()?;
        }
        last = Some(said);
        count = count.saturating_add(1);
        Some(())
    };
    if talk.is_datagrams() {
        for piece in talk.server.pieces() {
            next(piece)?;
        }
    } else {
        let mut rest = talk.server.bytes();
        while let Some([_, _, _, _, high, low]) = rest.first_chunk::<6>() {
            let end = 6 + usize::from(u16::from_be_bytes([*high, *low]));
            // The last may have been cut.
            let Some((unit, after)) = rest.split_at_checked(end) else { break };
            next(unit)?;
            rest = after;
        }
    }
    last.filter(|_| count >= LEAST_ANSWERS)
}

/// So many answers in a row are no accident: each has 24 bits of zero, a number that counts, and lengths that agree.
const LEAST_ANSWERS: u8 = 3;

fn look(talk: &Talk<'_>) -> Look {
    if talk.client.is_empty() {
        return match answers(talk) {
            Some(unit) => Look::Yes(
                talk.claim(By::Server, 56, "server's answers, transaction by transaction")
                    .with("unit", unit.unit.to_string().as_bytes()),
            ),
            None if !talk.ended
                && (talk.is_datagrams() || answer(Reader::new(talk.server.bytes())) != Err(Not::Other)) =>
            {
                Look::More
            }
            None => Look::No,
        };
    }
    let client = hear(talk, &talk.client, request);
    let server = hear(talk, &talk.server, answer);
    let (unit, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if *asked == Unit { function: said.function & 0x7f, ..*said } => {
            (asked, talk.claim(By::Both, 72, "request, and an answer to its transaction"))
        }
        (Ok(asked), Err(Not::Silent)) if !talk.is_datagrams() => {
            // Some functions have no numbers that could be wrong.
            let bits = if matches!(asked.function, 7 | 8 | 11 | 12 | 17) { 12 } else { 36 };
            (asked, talk.claim(By::Client, bits, "client begins with a request"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    let claim = claim.showing("unit", unit.unit);
    Look::Yes(claim.showing("function", unit.function))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    const ASK: &[u8] = b"\x12\x34\0\0\0\x06\x11\x03\0\x6b\0\x03";

    #[test]
    fn requests_and_answers() {
        let said = confirmed("modbus", &tcp(ASK, b"\x12\x34\0\0\0\x09\x11\x03\x06\x02\x2b\0\0\0\x64"));
        assert_eq!((said.detail("unit"), said.detail("function")), (Some("17"), Some("3")));
        confirmed("modbus", &tcp(ASK, b"\x12\x34\0\0\0\x03\x11\x83\x02"));
        attempt("modbus", &tcp(ASK, b""));
        attempt("modbus", &tcp(b"\0\x01\0\0\0\x0b\x01\x10\0\x01\0\x02\x04\0\x0a\x01\x02", b""));
        attempt("modbus", &tcp(b"\0\x01\0\0\0\x05\x01\x2b\x0e\x01\0", b""));
    }

    #[test]
    fn a_server_whose_client_was_not_heard() {
        let say = |number: u8, unit: u8| [0, number, 0, 0, 0, 5, unit, 3, 2, 0, 7];
        let three = [say(1, 9), say(2, 9), say(3, 9)];
        assert_eq!(confirmed("modbus", &tcp(b"", &three.concat())).detail("unit"), Some("9"));
        confirmed("modbus", &udp(&[], &[&three[0], &three[1], &three[2]]).talk());
        nothing(&tcp(b"", &three[..2].concat()));
        nothing(&tcp(b"", &[say(1, 9), say(2, 9), say(2, 9)].concat()));
        nothing(&tcp(b"", &[say(1, 9), say(2, 9), say(3, 8)].concat()));
        let mut other = three.concat();
        other[30] = 4;
        nothing(&tcp(b"", &other));
    }

    #[test]
    fn numbers_and_lengths_must_fit() {
        nothing(&tcp(ASK, b"\x12\x35\0\0\0\x03\x11\x83\x02"));
        nothing(&tcp(ASK, b"\x12\x34\0\0\0\x03\x12\x83\x02"));
        nothing(&tcp(ASK, b"\x12\x34\0\0\0\x03\x11\x84\x02"));
        nothing(&tcp(ASK, b"\x12\x34\0\0\0\x03\x11\x83\x0c"));
        for (place, value) in [(2, 1), (5, 7), (7, 9), (10, 1), (11, 0)] {
            let mut broken = ASK.to_vec();
            broken[place] = value;
            nothing(&tcp(&broken, b""));
        }
    }
}
