//! ASN.1 in its basic encoding rules, as LDAP, Kerberos and SNMP use it (X.690 §8): definite lengths only.

use crate::Fault;

/// Where a tag is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The same everywhere: INTEGER, OCTET STRING, SEQUENCE.
    Universal,
    /// One protocol's messages.
    Application,
    /// A place inside one structure.
    Context,
    /// Agreed between two parties.
    Private,
}

/// Tag of BOOLEAN.
pub const BOOLEAN: u32 = 1;
/// Tag of INTEGER.
pub const INTEGER: u32 = 2;
/// Tag of OCTET STRING.
pub const OCTET_STRING: u32 = 4;
/// Tag of OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u32 = 6;
/// Tag of ENUMERATED.
pub const ENUMERATED: u32 = 10;
/// Tag of SEQUENCE.
pub const SEQUENCE: u32 = 16;
/// Tag of GeneralString.
pub const GENERAL_STRING: u32 = 27;

/// The beginning of an element: what it is, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Where its tag is defined.
    pub class: Class,
    /// Whether it is made of elements.
    pub constructed: bool,
    /// Which it is.
    pub tag: u32,
    /// Bytes of tag and length.
    pub header_bytes: usize,
    /// Bytes of the value, as it claims.
    pub body_bytes: usize,
}

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// Where its tag is defined.
    pub class: Class,
    /// Whether it is made of elements.
    pub constructed: bool,
    /// Which it is.
    pub tag: u32,
    /// Its value.
    pub body: &'a [u8],
    /// What lies behind it.
    pub rest: &'a [u8],
}

/// No protocol here has longer elements.
const MOST_BYTES: usize = 1 << 30;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "BER", at, what }
}

/// The beginning of the first element. A fault at the end of the bytes means that more are needed.
pub fn header(bytes: &[u8]) -> Result<Header, Fault> {
    let ends = fault(bytes.len(), "the element ends inside its tag or length");
    let first = *bytes.first().ok_or(ends)?;
    let class = match first >> 6 {
        0 => Class::Universal,
        1 => Class::Application,
        2 => Class::Context,
        _ => Class::Private,
    };
    let mut at = 1;
    let mut tag = u32::from(first & 0x1f);
    if tag == 0x1f {
        tag = 0;
        // Seven bits each, the last without the highest bit (§8.1.2.4).
        loop {
            let byte = *bytes.get(at).ok_or(ends)?;
            if at > 3 || (at == 1 && byte & 0x7f == 0) {
                return Err(fault(at, "a tag of more than 21 bits, or with a leading zero (X.690 §8.1.2.4)"));
            }
            at += 1;
            tag = tag << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    let length = *bytes.get(at).ok_or(ends)?;
    at += 1;
    let mut body_bytes = usize::from(length);
    if length >= 0x80 {
        let count = usize::from(length & 0x7f);
        if count == 0 || count > 4 {
            return Err(fault(at - 1, "an indefinite length, or one of more than four bytes (X.690 §8.1.3)"));
        }
        body_bytes = 0;
        for _ in 0..count {
            body_bytes = body_bytes << 8 | usize::from(*bytes.get(at).ok_or(ends)?);
            at += 1;
        }
        // So that a length and its header can be added up on every machine.
        if body_bytes > MOST_BYTES {
            return Err(fault(at - count, "an element of more than a gibibyte"));
        }
    }
    Ok(Header { class, constructed: first & 0x20 != 0, tag, header_bytes: at, body_bytes })
}

/// The first element. A fault at the end of the bytes means that more are needed.
pub fn parse(bytes: &[u8]) -> Result<Element<'_>, Fault> {
    let header = header(bytes)?;
    let (body, rest) = bytes
        .get(header.header_bytes..)
        .and_then(|rest| rest.split_at_checked(header.body_bytes))
        .ok_or(fault(bytes.len(), "the element is longer than its bytes"))?;
    Ok(Element { class: header.class, constructed: header.constructed, tag: header.tag, body, rest })
}

/// Iterates over the elements that lie one behind the other; ends after the first fault.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

/// The elements of a constructed one's value.
pub fn elements(bytes: &[u8]) -> Elements<'_> {
    Elements { rest: bytes }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let element = parse(self.rest);
        self.rest = element.map_or(&[], |element| element.rest);
        Some(element)
    }
}

impl<'a> Element<'a> {
    /// Whether it is this one of the universal class.
    pub fn is(&self, tag: u32) -> bool {
        self.class == Class::Universal && self.tag == tag
    }

    /// Whether it is this one of a structure.
    pub fn is_context(&self, tag: u32) -> bool {
        self.class == Class::Context && self.tag == tag
    }

    /// Its value as a number of at most 64 bits, where it is an INTEGER or ENUMERATED.
    pub fn integer(&self) -> Option<i64> {
        if !(self.is(INTEGER) || self.is(ENUMERATED)) || self.body.is_empty() || self.body.len() > 8 {
            return None;
        }
        let negative = self.body.first().is_some_and(|byte| byte & 0x80 != 0);
        let start: i64 = if negative { -1 } else { 0 };
        Some(self.body.iter().fold(start, |value, byte| value << 8 | i64::from(*byte)))
    }

    /// Its value where it is an OCTET STRING.
    pub fn octets(&self) -> Option<&'a [u8]> {
        (self.is(OCTET_STRING) && !self.constructed).then_some(self.body)
    }

    /// The elements that it is made of.
    pub fn elements(&self) -> Elements<'a> {
        elements(if self.constructed { self.body } else { &[] })
    }

    /// The element inside the context tag `tag` that stands somewhere in this one: explicit tags, as Kerberos has them.
    pub fn field(&self, tag: u32) -> Option<Element<'a>> {
        let field = self.elements().map_while(Result::ok).find(|element| element.is_context(tag))?;
        field.elements().next()?.ok()
    }
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let mut left = bytes.len();
    for element in elements(bytes) {
        let Ok(element) = element else { break };
        assert!(
            element.body.len() + element.rest.len() + 2 <= left,
            "an element has at least two bytes of its own"
        );
        left = element.rest.len();
        for inner in element.elements().map_while(Result::ok) {
            assert!(inner.body.len() + 2 <= element.body.len());
        }
        assert!(element.integer().is_none() || (1..=8).contains(&element.body.len()));
        let field = element.field(1);
        assert!(field.is_none_or(|field| field.body.len() + 4 <= element.body.len()));
    }
    match (header(bytes), parse(bytes)) {
        (Ok(header), Ok(element)) => {
            assert_eq!(bytes.len(), header.header_bytes + header.body_bytes + element.rest.len());
        }
        (Ok(_), Err(fault)) => assert_eq!(fault.at, bytes.len(), "only more bytes are lacking"),
        (Err(fault), again) => {
            assert_eq!(again, Err(fault));
            assert!(fault.at <= bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const SAMPLE: &[u8] = b"\x30\x0c\x02\x01\x05\x04\x02hi\xa1\x03\x02\x01\xfftail";

    #[test]
    fn elements_and_their_values() {
        let element = parse(SAMPLE).unwrap();
        assert!(element.is(SEQUENCE) && element.constructed);
        assert_eq!(element.rest, b"tail");
        let inner: Vec<_> = element.elements().map(Result::unwrap).collect();
        assert_eq!((inner[0].integer(), inner[1].octets()), (Some(5), Some(&b"hi"[..])));
        assert_eq!(element.field(1).and_then(|field| field.integer()), Some(-1));
        assert_eq!(element.field(2), None);
        assert_eq!(parse(b"\x7f\x81\x01\x00").unwrap().tag, 129);
        assert_eq!(header(b"\x04\x82\x01\x00").unwrap().body_bytes, 256);
    }

    #[test]
    fn forbidden_beginnings() {
        for (bytes, at) in [
            (&b"\x30\x80\x00\x00"[..], 1),
            (b"\x30\x85\x01\x01\x01\x01\x01", 1),
            (b"\x30\x84\x80\x00\x00\x00", 2),
            (b"\x1f\x80\x01\x00", 1),
            (b"\x1f\xff\xff\xff\x01\x00", 4),
            (b"\x30\x05abc", 5),
            (b"\x30", 1),
            (b"", 0),
        ] {
            assert_eq!(parse(bytes).unwrap_err().at, at, "{bytes:02x?}");
        }
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        for end in 0..SAMPLE.len() {
            check(&SAMPLE[..end]);
        }
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let mut copy = SAMPLE.to_vec();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[5];
            }
            check(&copy);
        }
    }
}
