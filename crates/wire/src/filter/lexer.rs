//! The text of an expression cut into words, numbers, addresses and signs.

use alloc::format;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use super::fault::FilterError;

/// One piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    /// A word behind a backslash: a name, though the language has the same word.
    Escaped(&'a str),
    Number(u32),
    /// Two to four decimal numbers with dots between them, and how many there are.
    Dotted([u8; 4], u8),
    Address6(u128),
    Hardware([u8; 6]),
    /// One of the signs below.
    Sign(&'static str),
}

/// A piece and where it begins, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) token: Token<'a>,
    pub(super) column: usize,
    /// Its bytes in the text.
    pub(super) text: &'a str,
}

/// The longer ones first.
const SIGNS: [&str; 26] = [
    "&&", "||", "<<", ">>", "<=", ">=", "==", "!=", "(", ")", "[", "]", ":", "/", "+", "-", "*", "%", "&",
    "|", "^", "<", ">", "=", "!", ",",
];

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The beginning of `text` whose bytes all pass.
fn run(text: &str, pass: impl Fn(u8) -> bool) -> &str {
    let end = text.bytes().position(|byte| !pass(byte)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Six bytes in groups of one or two hexadecimal digits.
fn hardware_groups(text: &str, between: char) -> Option<[u8; 6]> {
    let mut address = [0; 6];
    let mut groups = text.split(between);
    for place in &mut address {
        let group = groups.next().filter(|group| matches!(group.len(), 1 | 2) && is_hexadecimal(group))?;
        *place = u8::from_str_radix(group, 16).ok()?;
    }
    groups.next().is_none().then_some(address)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn hardware(text: &str) -> Option<[u8; 6]> {
    let solid = |digits: &str| {
        let number = u64::from_str_radix(digits, 16).ok()?.to_be_bytes();
        number.last_chunk::<6>().copied()
    };
    if text.len() == 12 && is_hexadecimal(text) {
        return solid(text);
    }
    let groups: Vec<&str> = text.split('.').collect();
    if groups.len() == 3 && groups.iter().all(|group| group.len() == 4 && is_hexadecimal(group)) {
        return solid(&groups.concat());
    }
    [':', '-', '.'].into_iter().find_map(|between| hardware_groups(text, between))
}

fn number(text: &str, column: usize) -> Result<u32, FilterError> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    if radix == 8 && digits.contains(['8', '9']) {
        let what = format!("'{text}' begins with 0 and so is octal, but has a digit above 7");
        return Err(FilterError::new(column, what, "write it without the 0 before it"));
    }
    u32::from_str_radix(digits, radix).map_err(|_| {
        FilterError::new(column, format!("the number {text} is too large"), "write at most 4294967295")
    })
}

fn dotted(text: &str, column: usize) -> Option<Result<Token<'_>, FilterError>> {
    let parts: Vec<&str> = text.split('.').collect();
    let decimal = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !(2..=4).contains(&parts.len()) || !parts.iter().all(decimal) {
        return None;
    }
    let mut bytes = [0; 4];
    for (place, part) in bytes.iter_mut().zip(&parts) {
        let Ok(byte) = part.parse() else {
            let what = format!("'{text}' is no IPv4 address");
            return Some(Err(FilterError::new(column, what, "each of its numbers is at most 255")));
        };
        *place = byte;
    }
    let count = u8::try_from(parts.len()).unwrap_or(4);
    Some(Ok(Token::Dotted(bytes, count)))
}

fn word(text: &str, column: usize) -> Result<Token<'_>, FilterError> {
    if let Some(address) = hardware(text) {
        return Ok(Token::Hardware(address));
    }
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let is_number = digits.is_some_and(|digits| !digits.is_empty() && is_hexadecimal(digits))
        || text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return number(text, column).map(Token::Number);
    }
    dotted(text, column).unwrap_or(Ok(Token::Word(text)))
}

/// Cuts the text.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, FilterError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let column = at.saturating_add(1);
        if rest.starts_with([' ', '\t', '\n', '\r']) {
            at = column;
            continue;
        }
        let with_colons = run(rest, |byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
        let mut end = with_colons.len();
        let token = if with_colons.bytes().filter(|byte| *byte == b':').count() > 1 {
            let address = with_colons.parse::<Ipv6Addr>().map(|address| Token::Address6(address.into()));
            hardware(with_colons).map(Token::Hardware).ok_or(()).or(address).map_err(|_| {
                let what = format!("'{with_colons}' is neither an IPv6 nor a hardware address");
                FilterError::new(column, what, "write it as in 2001:db8::1 or 00:00:5e:00:53:01")
            })?
        } else if let Some(name) = rest.strip_prefix('\\') {
            let name = run(name, is_word);
            end = name.len().saturating_add(1);
            match word(name, column)? {
                _ if name.is_empty() => {
                    return Err(FilterError::new(
                        column,
                        "a backslash without a name",
                        "write a name after it",
                    ));
                }
                Token::Word(name) => Token::Escaped(name),
                plain => plain,
            }
        } else if rest.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_') {
            let run = run(rest, is_word).trim_end_matches('-');
            end = run.len();
            word(run, column)?
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            end = sign.len();
            Token::Sign(sign)
        } else {
            let letter = rest.chars().next().unwrap_or_default();
            let what = format!("the sign '{}' means nothing here", letter.escape_debug());
            return Err(FilterError::new(column, what, "take it out"));
        };
        pieces.push(Piece { token, column, text: rest.get(..end).unwrap_or_default() });
        at = at.saturating_add(end.max(1));
    }
    Ok(pieces)
}
