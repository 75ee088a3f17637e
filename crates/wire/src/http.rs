//! The head of an HTTP/1 message, and of RTSP, SIP and SSDP, which share its grammar (RFC 9112 §2.1).

use crate::Fault;

/// The line a message begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// A client asks (RFC 9112 §3).
    Request {
        /// What to do: a token, not only one of those known.
        method: &'a [u8],
        /// With what: a path, a URI, an authority, or `*`.
        target: &'a [u8],
    },
    /// A server answers (RFC 9112 §4).
    Response {
        /// Three digits.
        status: u16,
        /// Words for people; may be empty.
        reason: &'a [u8],
    },
}

/// The first line and the fields behind it, as far as they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The first line.
    pub start: Start<'a>,
    /// Protocol and version: `HTTP/1.1`, `RTSP/1.0`, `SIP/2.0`.
    pub version: &'a [u8],
    /// What follows the head; empty where the head does not end.
    pub body: &'a [u8],
    /// Whether the empty line that ends the head was seen.
    pub complete: bool,
    fields: &'a [u8],
}

impl<'a> Head<'a> {
    /// Name and value of each field whose line has ended. Lines that are no field are passed over.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.fields;
        core::iter::from_fn(move || {
            loop {
                let (line, after) = line(rest)?;
                rest = after;
                let Some(colon) = memchr::memchr(b':', line) else { continue };
                let (name, value) = line.split_at_checked(colon)?;
                // SIP allows white space before the colon (RFC 3261 §7.3.1).
                let name = name.trim_ascii_end();
                if is_token(name) {
                    return Some((name, value.get(1..).unwrap_or_default().trim_ascii()));
                }
            }
        })
    }

    /// The value of the first field with this name, in any case.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        let mut rest = self.fields;
        loop {
            let (line, after) = line(rest)?;
            rest = after;
            if let Some((found, behind)) = line.split_at_checked(name.len())
                && found.eq_ignore_ascii_case(name.as_bytes())
                && let Some(value) = behind.trim_ascii_start().strip_prefix(b":")
            {
                return Some(value.trim_ascii());
            }
        }
    }
}

/// Whether the first line, if it has ended, may name this protocol, of which `version` is the beginning: quicker to
/// say than what the line means.
pub fn may_name(bytes: &[u8], version: &[u8]) -> bool {
    let Some((line, _)) = line(bytes) else { return true };
    let last = memchr::memrchr(b' ', line).and_then(|space| line.get(space + 1..)).unwrap_or_default();
    line.starts_with(version) || last.starts_with(version)
}

/// A byte of a token (RFC 9110 §5.6.2).
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// One or more bytes of a token.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

/// A line without its end, and what follows; a line feed alone ends one, too (RFC 9112 §2.2).
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default()))
}

/// `NAME/digit.digit`; ICY, which has no version, is none.
fn is_version(bytes: &[u8]) -> bool {
    let Some((name, [b'/', major, b'.', minor])) = bytes.split_last_chunk::<4>() else { return false };
    (3..=8).contains(&name.len())
        && name.iter().all(u8::is_ascii_uppercase)
        && major.is_ascii_digit()
        && minor.is_ascii_digit()
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "http", at, what }
}

fn is_control(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f
}

/// A request whose first line has not ended: its method, and as much of its target as there is.
pub fn unfinished_request(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().position(|byte| !is_token_byte(*byte))?;
    let (method, rest) = bytes.split_at_checked(space)?;
    let target = rest.strip_prefix(b" ")?;
    (!method.is_empty() && !target.iter().any(|byte| is_control(*byte))).then_some((method, target))
}

fn start(line: &[u8]) -> Result<(Start<'_>, &[u8]), Fault> {
    if let Some(at) = line.iter().position(|byte| is_control(*byte) && *byte != b'\t') {
        return Err(fault(at, "a control character in the first line"));
    }
    let space = memchr::memchr(b' ', line).ok_or(fault(0, "the first line is one word"))?;
    let (first, rest) = line.split_at_checked(space).unwrap_or((line, &[]));
    let rest = rest.get(1..).unwrap_or_default();
    if is_version(first) {
        let status = match rest.split_first_chunk::<3>() {
            Some((digits, after)) if digits.iter().all(u8::is_ascii_digit) => {
                let number = digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
                (number, after)
            }
            _ => return Err(fault(space, "a status of three digits (RFC 9112 §4)")),
        };
        let (status, after) = status;
        if !(100..=999).contains(&status) || after.first().is_some_and(|byte| *byte != b' ') {
            return Err(fault(space, "a status from 100 on, then a space (RFC 9112 §4)"));
        }
        return Ok((Start::Response { status, reason: after.trim_ascii() }, first));
    }
    if !is_token(first) {
        return Err(fault(0, "the method is not a token (RFC 9110 §9.1)"));
    }
    // Clients send targets with spaces in them: the last space is the one that counts.
    let split = memchr::memrchr(b' ', rest).ok_or(fault(space, "no version behind the target"))?;
    let (target, version) = rest.split_at_checked(split).unwrap_or((rest, &[]));
    let version = version.get(1..).unwrap_or_default();
    if !is_version(version) || target.trim_ascii().is_empty() {
        return Err(fault(space, "method, target and version (RFC 9112 §3)"));
    }
    Ok((Start::Request { method: first, target }, version))
}

/// Reads the head of a message; `None` where its first line has not ended.
pub fn parse(bytes: &[u8]) -> Result<Option<Head<'_>>, Fault> {
    let Some((first, rest)) = line(bytes) else {
        return match bytes.iter().position(|byte| is_control(*byte) && !b"\r\t".contains(byte)) {
            Some(at) => Err(fault(at, "a control character in the first line")),
            None => Ok(None),
        };
    };
    let (start, version) = start(first)?;
    let mut body = rest;
    let mut complete = false;
    while let Some((line, after)) = line(body) {
        body = after;
        if line.is_empty() {
            complete = true;
            break;
        }
    }
    let fields = rest.get(..rest.len() - body.len()).unwrap_or_default();
    Ok(Some(Head { start, version, body: if complete { body } else { &[] }, complete, fields }))
}

/// What must hold of any bytes; used by the fuzz target.
#[doc(hidden)]
pub fn check(bytes: &[u8]) {
    let Ok(Some(head)) = parse(bytes) else { return };
    assert!(head.version.len() >= 7 && head.body.len() < bytes.len());
    assert!(head.complete || head.body.is_empty());
    assert!(may_name(bytes, head.version));
    match head.start {
        Start::Request { method, target } => assert!(is_token(method) && !target.is_empty()),
        Start::Response { status, .. } => assert!((100..=999).contains(&status)),
    }
    for (name, value) in head.fields() {
        assert!(is_token(name) && !value.contains(&b'\n'));
        // Of several with one name the first is given.
        let first = head.fields().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        assert!(core::str::from_utf8(name).is_ok_and(|name| head.field(name) == first));
    }
    // What comes behind the head changes nothing in it.
    if head.complete {
        let alone = bytes.get(..bytes.len() - head.body.len()).map(parse);
        assert_eq!(alone, Some(Ok(Some(Head { body: &[], ..head }))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const GET: &[u8] =
        b"GET /index.html?q=a HTTP/1.1\r\nHost: a.example\r\nUser-Agent: curl/8.5.0\r\n\r\nrest";

    #[test]
    fn a_request_and_a_response_are_read_whole() {
        let head = parse(GET).unwrap().unwrap();
        assert_eq!(head.start, Start::Request { method: b"GET", target: b"/index.html?q=a" });
        assert_eq!((head.version, head.body, head.complete), (&b"HTTP/1.1"[..], &b"rest"[..], true));
        assert_eq!(head.field("host"), Some(&b"a.example"[..]));
        assert_eq!(head.field("accept"), None);
        let head = parse(b"SIP/2.0 200 OK\r\nVia: x\r\nTo : b").unwrap().unwrap();
        assert_eq!(head.start, Start::Response { status: 200, reason: b"OK" });
        assert_eq!(head.fields().count(), 1);
        assert!(!head.complete);
    }

    #[test]
    fn every_prefix_and_what_is_forbidden() {
        for length in 0..GET.len() {
            let read = parse(&GET[..length]).unwrap();
            assert_eq!(read.is_some(), length >= 30, "{length}");
            check(&GET[..length]);
        }
        for bad in [
            &b"\n"[..],
            b"GET\r\n",
            b"GET /\r\n",
            b"GET  HTTP/1.1\r\n",
            b"GET / HTTP/11\r\n",
            b"GET / HTTP/1.x\r\n",
            b"G(T / HTTP/1.1\r\n",
            b"GET /\x01 HTTP/1.1\r\n",
            b"HTTP/1.1 20 OK\r\n",
            b"HTTP/1.1 2000 OK\r\n",
            b"HTTP/1.1 099 OK\r\n",
            b"HTTP/1.1 20x OK\r\n",
            b"\x16\x03\x01",
        ] {
            assert!(parse(bad).is_err(), "{}", bad.escape_ascii());
        }
        assert!(parse(b"HTTP/1.1 200\r\n").unwrap().is_some());
        assert!(parse(b"GET /a b c HTTP/1.0\n").unwrap().is_some());
    }

    #[test]
    fn an_unfinished_request_shows_what_it_asks_for() {
        assert_eq!(unfinished_request(b"QUERY /abc"), Some((&b"QUERY"[..], &b"/abc"[..])));
        assert_eq!(unfinished_request(b"GET"), None);
        assert_eq!(unfinished_request(b" GET"), None);
        assert_eq!(unfinished_request(b"GET /\x00"), None);
    }

    #[test]
    fn damaged_heads_keep_the_rules() {
        let mut state = 0x1234_5678_9abc_def1_u64;
        for _ in 0..20_000 {
            let mut bytes = Vec::from(GET);
            for _ in 0..3 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let [place, value, kind, ..] = state.to_le_bytes();
                let place = usize::from(place) % bytes.len();
                match kind % 3 {
                    0 => bytes[place] = value,
                    1 => bytes.truncate(place.max(1)),
                    _ => bytes.insert(place, b"\r\n: /"[usize::from(value) % 5]),
                }
            }
            check(&bytes);
        }
    }
}
