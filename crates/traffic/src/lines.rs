//! Lines of text protocols: what was said in whole lines, replies with numbers, verbs.

/// A line longer than this is no line of a protocol that talks in lines.
const MOST_LINE: usize = 8192;

/// Each whole line without its end. Stops at a line that is too long or holds what is no text.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest.get(..rest.len().min(MOST_LINE))?)?;
        let (line, after) = rest.split_at_checked(end)?;
        rest = after.get(1..).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        is_text(line).then_some(line)
    })
}

/// Whether a side may still be in its first line.
pub(crate) fn in_first_line(bytes: &[u8]) -> bool {
    bytes.len() < MOST_LINE && is_text(bytes.strip_suffix(b"\r").unwrap_or(bytes))
}

/// Printable bytes, tabs, and anything beyond ASCII.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    // Whole pieces, so that many bytes are looked at at once.
    let is_plain = |byte: &u8| *byte >= b' ' && *byte != 0x7f || *byte == b'\t';
    bytes.chunks(64).all(|piece| piece.iter().fold(true, |plain, byte| plain & is_plain(byte)))
}

/// A reply `250 text`, `250-text` or `250` (RFC 5321 §4.2.1): its number, whether more lines follow, its text.
pub(crate) fn reply(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        None => Some((number, false, rest)),
        Some((b' ', text)) => Some((number, false, text)),
        Some((b'-', text)) => Some((number, true, text)),
        Some(_) => None,
    }
}

/// The first word of a line, and what follows the space behind it.
pub(crate) fn verb(line: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b' ', line).unwrap_or(line.len());
    let (verb, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    (verb, rest.get(1..).unwrap_or_default())
}

/// The first word of a text.
pub(crate) fn word(text: &[u8]) -> &[u8] {
    verb(text).0
}

/// Whether the word is one of these, in any case.
pub(crate) fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether the text has this lower-case word in it, in any case.
pub(crate) fn mentions(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_and_binary_ends_them() {
        let found: Vec<&[u8]> = lines(b"one\r\ntwo\n\x00bad\nfour\n").collect();
        assert_eq!(found, [&b"one"[..], b"two"]);
        assert_eq!(lines(b"no end").count(), 0);
        assert_eq!(lines(&[b'a'; 9000]).count(), 0);
        assert!(in_first_line(b"220 a\r") && !in_first_line(b"\x01") && !in_first_line(&[b'a'; 9000]));
    }

    #[test]
    fn replies_and_verbs() {
        assert_eq!(reply(b"220-hello"), Some((220, true, &b"hello"[..])));
        assert_eq!(reply(b"250"), Some((250, false, &b""[..])));
        assert_eq!((reply(b"25"), reply(b"250x"), reply(b"2x0 ")), (None, None, None));
        assert_eq!(verb(b"USER me"), (&b"USER"[..], &b"me"[..]));
        assert_eq!(verb(b"QUIT"), (&b"QUIT"[..], &b""[..]));
        assert!(is_one_of(b"quit", &["QUIT"]) && mentions(b"220 ProFTPD", "ftp"));
    }
}
