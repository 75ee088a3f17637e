//! Messages of RTSP, and the frames of media between them (RFC 2326 §4 and §10.12, RFC 7826 §5 and §14).

use wire::Fault;
use wire::cursor::be16;

/// A head longer than this is none.
const MOST_HEAD: usize = 16 << 10;

/// A body longer than this is none that is read here.
const MOST_BODY: usize = 128 << 10;

/// Lines of a head.
const MOST_HEADERS: usize = 128;

/// How a message begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request.
    Request {
        /// `DESCRIBE`.
        method: &'a str,
        /// For what.
        uri: &'a str,
    },
    /// An answer.
    Response {
        /// Its status.
        status: u16,
    },
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// How it begins.
    pub start: Start<'a>,
    /// Its headers, in their order.
    pub headers: Vec<(&'a str, &'a str)>,
    /// Its body.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// The first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// Every header of this name.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'a str> + 'b {
        self.headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// What stands next on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    /// A message.
    Message(Message<'a>),
    /// The head of a frame of media: so many bytes follow, which are not read here.
    Frame {
        /// Its channel.
        channel: u8,
        /// How many bytes follow the four of the head.
        length: u16,
    },
}

/// Reads what stands next, and how many bytes it takes; `None` where more bytes are needed to tell.
pub fn parse(bytes: &[u8]) -> Result<Option<(Item<'_>, usize)>, Fault> {
    let fault = |at, what| Fault { layer: "rtsp", at, what };
    // Empty lines before a message are ignored (RFC 7826 §5.1).
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let rest = bytes.get(blank..).unwrap_or_default();
    if rest.first() == Some(&b'$') {
        let (Some(channel), Some(length)) = (rest.get(1), be16(rest, 2)) else { return Ok(None) };
        return Ok(Some((Item::Frame { channel: *channel, length }, blank + 4)));
    }
    let Some(head) = head_bytes(rest) else {
        // What is no text at all never becomes a message.
        if rest.len() > MOST_HEAD + 2 || !plausible(rest) {
            return Err(fault(blank, "not a message"));
        }
        return Ok(None);
    };
    let text = rest.get(..head).and_then(|head| core::str::from_utf8(head).ok());
    let text =
        text.filter(|text| text.len() <= MOST_HEAD + 2).ok_or_else(|| fault(blank, "not a head of text"))?;
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let start =
        start(lines.next().unwrap_or_default()).ok_or_else(|| fault(blank, "not a request or an answer"))?;
    let mut headers: Vec<(&str, &str)> = Vec::with_capacity(8);
    for line in lines.filter(|line| !line.is_empty()).take(MOST_HEADERS) {
        // A line that goes on is rare, old, and never one that is needed (RFC 2326 §4.2).
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim(), value.trim()));
        }
    }
    let mut message = Message { start, headers, body: &[] };
    let length = match message.header("Content-Length").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(length)) if length <= MOST_BODY => length,
        Some(_) => return Err(fault(blank, "a body of no length, or of too great a one")),
    };
    let whole = head + length;
    let Some(body) = rest.get(head..whole) else { return Ok(None) };
    message.body = body;
    Ok(Some((Item::Message(message), blank + whole)))
}

/// Up to and with the empty line.
fn head_bytes(bytes: &[u8]) -> Option<usize> {
    let ends = bytes.iter().take(MOST_HEAD).enumerate().filter(|(_, byte)| **byte == b'\n');
    for (at, _) in ends {
        let after = bytes.get(at + 1..).unwrap_or_default();
        let empty = after.strip_prefix(b"\r").unwrap_or(after);
        if empty.first() == Some(&b'\n') {
            return Some(bytes.len() - empty.len() + 1);
        }
    }
    None
}

/// Whether it may be the beginning of a message: letters, as methods have them, or the protocol's name.
fn plausible(bytes: &[u8]) -> bool {
    let word = bytes.iter().take(20).take_while(|byte| !matches!(byte, b' ' | b'/'));
    word.clone().all(|byte| byte.is_ascii_uppercase() || *byte == b'_') && word.count() < 20
}

fn start(line: &str) -> Option<Start<'_>> {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let first = words.next()?;
    if first.starts_with("RTSP/") {
        let status = words.next().filter(|status| status.len() == 3)?.parse().ok()?;
        return Some(Start::Response { status });
    }
    let uri = words.next()?;
    words.next().filter(|version| version.starts_with("RTSP/"))?;
    let method = plausible(first.as_bytes()).then_some(first)?;
    Some(Start::Request { method, uri })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIBE: &[u8] = b"\r\nDESCRIBE rtsp://h/x RTSP/1.0\r\nCSeq: 2\r\naccept: application/sdp\r\n\r\n";
    const ANSWER: &[u8] = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\nv=0\nREST";

    #[test]
    fn messages_and_frames_are_told_apart() {
        let (item, used) = parse(DESCRIBE).unwrap().unwrap();
        let Item::Message(message) = item else { panic!() };
        assert_eq!(used, DESCRIBE.len());
        assert_eq!(message.start, Start::Request { method: "DESCRIBE", uri: "rtsp://h/x" });
        assert_eq!(message.header("Accept"), Some("application/sdp"));
        let (item, used) = parse(ANSWER).unwrap().unwrap();
        let Item::Message(message) = item else { panic!() };
        assert_eq!(
            (message.start, message.body, used),
            (Start::Response { status: 200 }, &b"v=0\n"[..], ANSWER.len() - 4)
        );
        assert_eq!(parse(b"$\x01\x00\x05abcde"), Ok(Some((Item::Frame { channel: 1, length: 5 }, 4))));
        for bytes in [DESCRIBE, ANSWER, b"$\x01\x00\x05"] {
            let whole = parse(bytes).unwrap().unwrap().1;
            for end in 0..whole {
                assert_eq!(parse(&bytes[..end]), Ok(None), "{end}");
            }
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [
            &b"\x16\x03\x01\x00\x05hello"[..],
            b"GET / HTTP/1.1\r\n\r\n",
            b"RTSP/1.0 2000 OK\r\n\r\n",
            b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"RTSP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"PLAY \xff RTSP/1.0\r\n\r\n",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse(&[b'A'; MOST_HEAD + 3]).is_err());
    }
}
