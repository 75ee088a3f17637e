//! Syslog: a priority in angle brackets, then what RFC 5424 or RFC 3164 wants (RFC 5424 §6, RFC 3164 §4, RFC 6587 §3.4.1).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How Syslog is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "syslog",
        title: "Syslog",
        reference: "RFC 5424",
        services: &["syslog", "syslog-conn", "syslog-tls"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Client, Over::Any, &[Is(b'<'), In(b'0', b'9')]),
        // Behind a count of bytes.
        Sign::classes(Side::Client, Over::Stream, &[In(b'1', b'9'), In(b'0', b'9'), Is(b' '), Is(b'<')]),
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[In(b'1', b'9'), In(b'0', b'9'), In(b'0', b'9'), Is(b' '), Is(b'<')],
        ),
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[In(b'1', b'9'), In(b'0', b'9'), In(b'0', b'9'), In(b'0', b'9'), Is(b' '), Is(b'<')],
        ),
    ],
    look,
};

struct Message<'a> {
    format: &'static str,
    host: Option<&'a [u8]>,
    bits: u8,
}

/// Digits up to `end`, without leading zeros.
fn number(reader: &mut Reader<'_>, end: u8, most: u32) -> Part<u32> {
    let digits = reader.until(end, 6)?;
    must(
        !digits.is_empty()
            && digits.iter().all(u8::is_ascii_digit)
            && (digits.len() == 1 || !digits.starts_with(b"0")),
    )?;
    let value = digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    must(value <= most).map(|()| value)
}

/// `Jan  2 03:04:05`.
fn is_old_time(time: &[u8]) -> bool {
    let months: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    months.iter().any(|month| time.starts_with(month))
        && time.len() == 15
        && time.iter().skip(6).zip(b" dd:dd:dd").all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            form => byte == form,
        })
}

/// Whether a tag stands where the text should begin.
fn is_markup(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    text.first() == Some(&b'<') || (text.contains(&b'>') && !text.iter().take(24).any(|byte| *byte == b':'))
}

/// `2026-01-02T03:04:05`, and what may follow.
fn is_new_time(time: &[u8]) -> bool {
    time == b"-"
        || time.len() >= 19
            && time.iter().zip(b"dddd-dd-ddTdd:dd:dd").all(|(byte, form)| match form {
                b'd' => byte.is_ascii_digit(),
                form => byte == form,
            })
}

/// `30: *Sep 22 13:34:49.195: %SYS-5-CONFIG_I: …`: what routers number, with their name or without, and a mnemonic with
/// the severity once more.
fn is_numbered(text: &[u8], severity: u32) -> bool {
    let Some(at) = text.iter().position(|byte| *byte == b':') else { return false };
    let (number, rest) = text.split_at_checked(at).unwrap_or_default();
    if number.is_empty() || number.len() > 10 || !number.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let (facility, rest) = match rest.iter().position(|byte| *byte == b'%') {
        Some(at) if at < 256 => {
            let rest = rest.get(at + 1..).unwrap_or_default();
            rest.split_at_checked(rest.iter().position(|byte| *byte == b'-').unwrap_or(0)).unwrap_or_default()
        }
        _ => return false,
    };
    let word = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    !facility.is_empty()
        && facility.iter().all(word)
        && matches!(rest, [b'-', digit, b'-', first, ..]
            if u32::from(digit.wrapping_sub(b'0')) == severity && first.is_ascii_uppercase())
}

fn message<'a>(talk: &Talk<'_>, mut reader: Reader<'a>) -> Part<Message<'a>> {
    if !talk.is_datagrams() && reader.rest().first().is_some_and(u8::is_ascii_digit) {
        number(&mut reader, b' ', 65_535)?;
    }
    reader.is(b"<")?;
    let priority = number(&mut reader, b'>', 191)?;
    if reader.rest().starts_with(b"1 ") {
        reader.take(2)?;
        let time = reader.until(b' ', 40)?;
        let (host, program, process, kind) = (
            reader.until(b' ', 256)?,
            reader.until(b' ', 49)?,
            reader.until(b' ', 129)?,
            reader.until(b' ', 33)?,
        );
        must(is_new_time(time) && [host, program, process, kind].into_iter().all(printable))?;
        // Structured data, or none.
        must(matches!(reader.rest().first(), None | Some(b'-' | b'[')))?;
        return Ok(Message { format: "RFC 5424", host: (host != b"-").then_some(host), bits: 80 });
    }
    let time = reader.rest();
    if time.get(..15).is_some_and(is_old_time) {
        reader.take(15)?;
        reader.is(b" ")?;
        let host = reader.until(b' ', 256).ok().filter(|host| printable(host) && !host.ends_with(b":"));
        return Ok(Message { format: "RFC 3164", host, bits: 80 });
    }
    if is_numbered(time, priority % 8) {
        return Ok(Message { format: "numbered, with a mnemonic", host: None, bits: 64 });
    }
    // Some devices leave the time out. Text it must be.
    let text = reader.rest();
    must(text.len() >= 8)?;
    must(text.iter().all(|byte| *byte >= 0x20 || b"\t\r\n\0".contains(byte)) && !is_markup(text))?;
    Ok(Message { format: "priority and text", host: None, bits: 14 })
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, |reader| message(talk, reader));
    // A log is told and not answered.
    let server: Part<()> = if talk.server.is_empty() { Err(Not::Silent) } else { Err(Not::Other) };
    let (Ok(message), Err(Not::Silent)) = (&client, &server) else {
        return otherwise(talk, &client, &server);
    };
    let claim = talk.claim(By::Sender, message.bits, "priority in angle brackets, time, host");
    let claim = claim.with("format", message.format.as_bytes());
    Look::Yes(match message.host {
        Some(host) => claim.with("host", host),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{confirmed, nothing, partial, tcp, udp};

    #[test]
    fn both_formats_and_none() {
        let old = b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed";
        let said = confirmed("syslog", &udp(&[old], &[]).talk());
        assert_eq!((said.detail("format"), said.detail("host")), (Some("RFC 3164"), Some("mymachine")));
        let new = b"<165>1 2026-01-02T03:04:05.003Z host.example app 7 ID47 [a b=\"c\"] text";
        assert_eq!(confirmed("syslog", &udp(&[new], &[]).talk()).detail("host"), Some("host.example"));
        confirmed("syslog", &tcp(&[b"70 ", &new[..]].concat(), b""));
        confirmed("syslog", &tcp(&[&old[..], b"\n"].concat(), b""));
        partial("syslog", &udp(&[b"<13>link down on port 4"], &[]).talk());
    }

    #[test]
    fn routers_number_what_they_say() {
        let named = b"<189>7: edge1: *Mar  3 10:11:12.345: %LINK-5-CHANGED: Interface Gi0/3, changed state";
        let said = confirmed("syslog", &udp(&[named], &[]).talk());
        assert_eq!(said.detail("format"), Some("numbered, with a mnemonic"));
        confirmed("syslog", &udp(&[b"<190>31: *Mar  3 10:11:12: %SYS-6-LOGGINGHOST: on"], &[]).talk());
        // The severity is said twice, and is the same.
        partial("syslog", &udp(&[b"<189>7: *Mar  3 10:11:12: %LINK-4-CHANGED: Interface"], &[]).talk());
        partial("syslog", &udp(&[b"<189>94: <log-msg><facility>SYS</facility></log-msg>"], &[]).talk());
    }

    #[test]
    fn markup_and_wrong_priorities() {
        nothing(&udp(&[b"<192>Oct 11 22:14:15 mymachine su: x"], &[]).talk());
        nothing(&udp(&[b"<034>Oct 11 22:14:15 mymachine su: x"], &[]).talk());
        nothing(&tcp(b"<1><a>text of a page</a>", b""));
        nothing(&udp(&[b"<13>\x01\x02\x03\x04\x05\x06\x07\x08\x09"], &[]).talk());
        nothing(&tcp(b"<13>link down on port 4", b"what?"));
    }
}
