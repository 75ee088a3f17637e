//! Reading what a side said, field by field: it is, it is not, or it is too short to tell.

use wire::{Fault, ber};

use crate::recognise::Look;
use crate::talk::{Said, Talk};

/// Why bytes are not (yet) what was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Not {
    /// The side said nothing.
    Silent,
    /// As far as it goes it fits, and it does not go far enough.
    Short,
    /// As far as it was captured it fits, and whoever captured it cut the rest away.
    Cut,
    /// It is something else.
    Other,
}

/// What was looked for, or why it is not there.
pub(crate) type Part<T> = Result<T, Not>;

/// Goes on only where it holds.
pub(crate) fn must(holds: bool) -> Part<()> {
    if holds { Ok(()) } else { Err(Not::Other) }
}

/// Takes what was cut away as read.
pub(crate) fn as_captured(part: Part<()>) -> Part<()> {
    if part == Err(Not::Cut) { Ok(()) } else { part }
}

/// Reads a side with `parse`. A datagram that is too short will not become longer, so it is something else.
pub(crate) fn hear<'a, T>(
    talk: &Talk<'_>,
    said: &Said<'a>,
    parse: impl FnOnce(Reader<'a>) -> Part<T>,
) -> Part<T> {
    if said.is_empty() {
        return Err(Not::Silent);
    }
    match parse(Reader::of(said.bytes(), said.missing())) {
        Err(Not::Short | Not::Cut) if talk.is_datagrams() => Err(Not::Other),
        part => part,
    }
}

/// Reads both sides. Of datagrams the first two are taken that belong together, for a first question may go unanswered.
pub(crate) fn hear_pair<'a, C, S>(
    talk: &Talk<'a>,
    request: impl Fn(Reader<'a>) -> Part<C>,
    answer: impl Fn(Reader<'a>) -> Part<S>,
    fits: impl Fn(&C, &S) -> bool,
) -> (Part<C>, Part<S>) {
    let client = hear(talk, &talk.client, &request);
    let server = hear(talk, &talk.server, &answer);
    let (Ok(asked), Ok(said)) = (&client, &server) else { return (client, server) };
    if !talk.is_datagrams() || fits(asked, said) {
        return (client, server);
    }
    let readers = |said: &Said<'a>| {
        said.cut_pieces().take(MOST_PIECES).map(|(piece, missing)| Reader::of(piece, missing))
    };
    for said in readers(&talk.server).filter_map(|piece| answer(piece).ok()) {
        let asked = readers(&talk.client).filter_map(|piece| request(piece).ok());
        if let Some(asked) = asked.into_iter().find(|asked| fits(asked, &said)) {
            return (Ok(asked), Ok(said));
        }
    }
    (client, server)
}

/// Datagrams of each side that are compared with each other.
const MOST_PIECES: usize = 8;

/// What to say where nothing is claimed: wait if one of the sides was only too short.
pub(crate) fn otherwise<C, S>(talk: &Talk<'_>, client: &Part<C>, server: &Part<S>) -> Look {
    let short = matches!(client, Err(Not::Short)) || matches!(server, Err(Not::Short));
    if short && !talk.ended { Look::More } else { Look::No }
}

/// What a parser's fault means for a side that may go on: a fault where the bytes end is only a lack of bytes.
pub(crate) fn not(fault: Fault, bytes: &[u8]) -> Not {
    if fault.at >= bytes.len() { Not::Short } else { Not::Other }
}

/// Fields from front to back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// How many bytes follow that whoever captured them cut away.
    missing: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the front.
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes, missing: 0 }
    }

    /// Begins at the front of what is left of something that was `missing` bytes longer.
    pub(crate) fn of(bytes: &'a [u8], missing: usize) -> Reader<'a> {
        Reader { rest: bytes, missing }
    }

    /// Why there are no more bytes.
    fn ended(&self) -> Not {
        if self.missing > 0 { Not::Cut } else { Not::Short }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How much was not read yet, with what was cut away.
    pub(crate) fn left(&self) -> usize {
        self.rest.len().saturating_add(self.missing)
    }

    /// Whether something was cut away.
    pub(crate) fn is_cut(&self) -> bool {
        self.missing > 0
    }

    /// The next bytes.
    pub(crate) fn take(&mut self, count: usize) -> Part<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(if count <= self.left() { self.ended() } else { Not::Short });
        };
        self.rest = rest;
        Ok(taken)
    }

    /// The next bytes, or as many of them as are there.
    pub(crate) fn up_to(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        self.missing = self.missing.saturating_sub(count - taken.len());
        taken
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Part<[u8; N]> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(if N <= self.left() { self.ended() } else { Not::Short });
        };
        self.rest = rest;
        Ok(*taken)
    }

    /// Goes on only behind exactly these bytes; a wrong byte is told as early as it is seen.
    pub(crate) fn is(&mut self, bytes: &[u8]) -> Part<()> {
        let there = self.rest.get(..self.rest.len().min(bytes.len())).unwrap_or_default();
        must(bytes.starts_with(there))?;
        self.take(bytes.len()).map(|_| ())
    }

    /// One byte.
    pub(crate) fn u8(&mut self) -> Part<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// 16 bits, big-endian.
    pub(crate) fn be16(&mut self) -> Part<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// 24 bits, big-endian.
    pub(crate) fn be24(&mut self) -> Part<u32> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// 32 bits, big-endian.
    pub(crate) fn be32(&mut self) -> Part<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// 64 bits, big-endian.
    pub(crate) fn be64(&mut self) -> Part<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// 16 bits, little-endian.
    pub(crate) fn le16(&mut self) -> Part<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// 32 bits, little-endian.
    pub(crate) fn le32(&mut self) -> Part<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// 64 bits, little-endian.
    pub(crate) fn le64(&mut self) -> Part<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A text behind its length of 16 bits, big-endian.
    pub(crate) fn text16(&mut self) -> Part<&'a [u8]> {
        let length = self.be16()?;
        self.take(usize::from(length))
    }

    /// The next element in BER, whole.
    pub(crate) fn element(&mut self) -> Part<ber::Element<'a>> {
        let element = ber::parse(self.rest).map_err(|fault| self.not(fault))?;
        self.rest = element.rest;
        Ok(element)
    }

    /// The next element in BER: what it is, and its inside as far as it is there.
    pub(crate) fn opened(&mut self) -> Part<(ber::Header, Reader<'a>)> {
        let header = ber::header(self.rest).map_err(|fault| self.not(fault))?;
        self.take(header.header_bytes)?;
        let missing = self.missing;
        let inside = self.up_to(header.body_bytes);
        Ok((header, Reader::of(inside, missing - self.missing)))
    }

    /// What a fault means here.
    fn not(&self, fault: Fault) -> Not {
        match not(fault, self.rest) {
            Not::Short => self.ended(),
            other => other,
        }
    }

    /// The bytes before the next NUL, which must come within `most` bytes.
    pub(crate) fn c_string(&mut self, most: usize) -> Part<&'a [u8]> {
        self.until(0, most)
    }

    /// The bytes before the next `end`, which must come within `most` bytes; the reader goes on behind it.
    pub(crate) fn until(&mut self, end: u8, most: usize) -> Part<&'a [u8]> {
        let within = self.rest.get(..self.rest.len().min(most)).unwrap_or_default();
        match memchr::memchr(end, within) {
            Some(at) => {
                let found = self.take(at)?;
                self.take(1)?;
                Ok(found)
            }
            None if self.rest.len() < most => Err(self.ended()),
            None => Err(Not::Other),
        }
    }

    /// A line without its end (LF or CR LF), at most `most` bytes long with it.
    pub(crate) fn line(&mut self, most: usize) -> Part<&'a [u8]> {
        let line = self.until(b'\n', most)?;
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// Whether these are printable ASCII characters, and there are some.
pub(crate) fn printable(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| (0x20..=0x7e).contains(byte))
}

/// The text of a string member of JSON that stands on one line: `"key":"text"`. Escapes are left as they are.
pub(crate) fn json_text<'a>(json: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let quoted = [b"\"", key.as_bytes(), b"\""].concat();
    let at = memchr::memmem::find(json, &quoted)?;
    let rest = json.get(at + quoted.len()..)?.trim_ascii_start().strip_prefix(b":")?;
    let text = rest.trim_ascii_start().strip_prefix(b"\"")?;
    text.get(..text.iter().position(|byte| *byte == b'"')?)
}

/// What stands between `before` and the next byte of `ends`; `None` where either is missing.
pub(crate) fn between<'a>(bytes: &'a [u8], before: &[u8], ends: &[u8]) -> Option<&'a [u8]> {
    let at = memchr::memmem::find(bytes, before)?;
    let rest = bytes.get(at + before.len()..)?;
    rest.get(..rest.iter().position(|byte| ends.contains(byte))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_short_and_wrong_are_told_apart() {
        let mut reader = Reader::new(b"\x01\x00\x02ab\x00tail\r\nx");
        assert_eq!((reader.u8(), reader.text16()), (Ok(1), Ok(&b"ab"[..])));
        assert_eq!(reader.be16(), Ok(0x74));
        assert_eq!(reader.line(9), Ok(&b"ail"[..]));
        assert_eq!(reader.line(9), Err(Not::Short));
        assert_eq!(reader.line(1), Err(Not::Other));
        assert_eq!(Reader::new(b"AM").is(b"AMQP"), Err(Not::Short));
        assert_eq!(Reader::new(b"AN").is(b"AMQP"), Err(Not::Other));
        assert_eq!(Reader::new(b"abc").take(usize::MAX), Err(Not::Short));
    }

    #[test]
    fn members_of_json_are_found() {
        let json = br#"{"a":1,"version": "2.9.1","x":"y"}"#;
        assert_eq!(json_text(json, "version"), Some(&b"2.9.1"[..]));
        assert_eq!(json_text(json, "a"), None);
        assert_eq!(between(b"(SID=orcl)", b"SID=", b")"), Some(&b"orcl"[..]));
    }
}
