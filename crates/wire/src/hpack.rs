//! Fields of HTTP/2 as they are compressed: indexed, literal, in the code of HPACK (RFC 7541 §6).

mod fixed;
mod huffman;

use alloc::{borrow::Cow, collections::VecDeque, vec::Vec};

use crate::Fault;

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name, in lower case; what begins with a colon is part of the request line.
    pub name: Cow<'a, [u8]>,
    /// Its value.
    pub value: Cow<'a, [u8]>,
}

impl Field<'_> {
    /// The same without the block that it was read from.
    pub fn into_owned(self) -> Field<'static> {
        let [name, value] = [self.name, self.value].map(|text| Cow::Owned(text.into_owned()));
        Field { name, value }
    }
}

/// The size of the table until it is changed (RFC 9113 §6.5.2).
const TABLE: usize = 4096;
/// The size that a change may bring.
const MOST_TABLE: usize = 65_536;
/// What an entry costs beside its bytes (RFC 7541 §4.1).
const ENTRY: usize = 32;
/// No string is longer.
const MOST_STRING: usize = 16_384;
/// A few bytes can name the same long field again and again: here it ends.
const MOST_BYTES: usize = 65_536;

/// Reads one block of fields, the first of its side: the table begins empty.
///
/// What was read before a fault is given, so a block that is cut off says what it can.
pub fn parse(block: &[u8]) -> (Vec<Field<'_>>, Option<Fault>) {
    parse_some(block, usize::MAX)
}

/// Reads the first fields of a block, as [`parse`] does: so many at most.
pub fn parse_some(block: &[u8], most: usize) -> (Vec<Field<'_>>, Option<Fault>) {
    let fields = Vec::with_capacity(most.min(12));
    let mut reader = Reader { block, at: 0, fields, table: VecDeque::new(), size: 0, most: TABLE };
    let mut total = 0;
    while reader.at < block.len() && reader.fields.len() < most {
        match reader.next() {
            Ok(Some((field, is_new))) => {
                total += field.name.len() + field.value.len() + ENTRY;
                if total > MOST_BYTES {
                    let fault = reader.fault("more fields than anybody needs");
                    return (reader.fields, Some(fault));
                }
                reader.push(field, is_new);
            }
            Ok(None) => {}
            Err(fault) => return (reader.fields, Some(fault)),
        }
    }
    (reader.fields, None)
}

/// What an entry of the table costs (RFC 7541 §4.1).
fn size(field: &Field<'_>) -> usize {
    field.name.len() + field.value.len() + ENTRY
}

struct Reader<'a> {
    block: &'a [u8],
    at: usize,
    fields: Vec<Field<'a>>,
    /// Where in `fields` each entry stands, the newest first.
    table: VecDeque<usize>,
    size: usize,
    most: usize,
}

impl<'a> Reader<'a> {
    fn fault(&self, what: &'static str) -> Fault {
        Fault { layer: "hpack", at: self.at, what }
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = self.block.get(self.at).copied().ok_or(self.fault("the block ends early"))?;
        self.at += 1;
        Ok(byte)
    }

    /// A number whose first bits share their byte with something else (RFC 7541 §5.1).
    fn number(&mut self, first: u8, bits: u8) -> Result<usize, Fault> {
        let full = usize::from(u8::MAX >> (8 - bits));
        let mut number = usize::from(first) & full;
        if number < full {
            return Ok(number);
        }
        for shift in [0, 7, 14] {
            let byte = self.byte()?;
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.fault("a number that nobody needs"))
    }

    fn string(&mut self) -> Result<Cow<'a, [u8]>, Fault> {
        let first = self.byte()?;
        let length = self.number(first, 7)?;
        let bytes = self.block.get(self.at..self.at + length).ok_or(self.fault("the string ends early"))?;
        let text = match first & 0x80 {
            0 if length <= MOST_STRING => Some(Cow::Borrowed(bytes)),
            0 => None,
            _ => huffman::decode(bytes, MOST_STRING).map(Cow::Owned),
        };
        let text = text.ok_or(self.fault("no string (RFC 7541 §5.2)"))?;
        self.at += length;
        Ok(text)
    }

    fn indexed(&self, number: usize) -> Result<Field<'a>, Fault> {
        let place = number.checked_sub(1).ok_or(self.fault("number 0 names nothing (RFC 7541 §6.1)"))?;
        match fixed::FIELDS.get(place) {
            Some((name, value)) => {
                Ok(Field { name: Cow::Borrowed(name.as_bytes()), value: Cow::Borrowed(value.as_bytes()) })
            }
            None => {
                let entry = self.table.get(place - fixed::FIELDS.len()).and_then(|at| self.fields.get(*at));
                entry.cloned().ok_or(self.fault("a number that names nothing (RFC 7541 §2.3.3)"))
            }
        }
    }

    fn literal(&mut self, number: usize) -> Result<Field<'a>, Fault> {
        let name = match number {
            0 => self.string()?,
            number => self.indexed(number)?.name,
        };
        Ok(Field { name, value: self.string()? })
    }

    /// Adds a field to those that were read, and to the table where it `is_new` there.
    fn push(&mut self, field: Field<'a>, is_new: bool) {
        if is_new {
            self.size += size(&field);
            self.table.push_front(self.fields.len());
        }
        self.fields.push(field);
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.most {
            let Some(last) = self.table.pop_back().and_then(|at| self.fields.get(at)) else { return };
            self.size -= size(last);
        }
    }

    /// The next field, and whether the table gets it; `None` where the size of the table changes.
    fn next(&mut self) -> Result<Option<(Field<'a>, bool)>, Fault> {
        let first = self.byte()?;
        match first {
            0x80.. => {
                let number = self.number(first, 7)?;
                self.indexed(number).map(|field| Some((field, false)))
            }
            0x40.. => {
                let number = self.number(first, 6)?;
                self.literal(number).map(|field| Some((field, true)))
            }
            0x20.. => {
                self.most = self.number(first, 5)?;
                if self.most > MOST_TABLE {
                    return Err(self.fault("a table of a size that nobody needs"));
                }
                self.evict();
                Ok(None)
            }
            _ => {
                let number = self.number(first, 4)?;
                self.literal(number).map(|field| Some((field, false)))
            }
        }
    }
}

/// What must hold of any bytes; used by the fuzz target.
#[doc(hidden)]
pub fn check(bytes: &[u8]) {
    let (fields, fault) = parse(bytes);
    let total: usize = fields.iter().map(|field| field.name.len() + field.value.len() + ENTRY).sum();
    assert!(total <= MOST_BYTES && fields.len() <= bytes.len());
    assert!(fault.is_none_or(|fault| fault.at <= bytes.len()));
    // A shorter block says the beginning of the same.
    let (shorter, _) = parse(bytes.get(..bytes.len() / 2).unwrap_or_default());
    assert!(fields.starts_with(&shorter));
    let (first, _) = parse_some(bytes, 1);
    assert_eq!(first, fields.get(..1).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request of gRPC as a Python encoder writes it: indexed, literal, coded.
    const REQUEST: &[u8] = &[
        0x83, 0x86, 0x44, 0x95, 0x62, 0x72, 0xd1, 0x41, 0xfc, 0x1e, 0xca, 0x24, 0x5f, 0x15, 0x85, 0x2a, 0x4b,
        0x63, 0x1b, 0x87, 0xeb, 0x19, 0x68, 0xa0, 0xff, 0x41, 0x8b, 0x1a, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xb7,
        0x1b, 0x00, 0x1b, 0x0f, 0x5f, 0x8b, 0x1d, 0x75, 0xd0, 0x62, 0x0d, 0x26, 0x3d, 0x4c, 0x4d, 0x65, 0x64,
        0x7a, 0x8a, 0x9a, 0xca, 0xc8, 0xb4, 0xc7, 0x60, 0x2b, 0xb8, 0x05, 0xc3, 0x40, 0x82, 0x49, 0x7f, 0x86,
        0x4d, 0x83, 0x35, 0x05, 0xb1, 0x1f,
    ];

    fn value<'a>(fields: &'a [Field<'_>], name: &str) -> &'a [u8] {
        &fields.iter().find(|field| field.name == name.as_bytes()).unwrap().value
    }

    #[test]
    fn a_request_is_read_whole() {
        let (fields, fault) = parse(REQUEST);
        assert_eq!((fields.len(), fault), (7, None));
        assert_eq!(value(&fields, ":path"), b"/helloworld.Greeter/SayHello");
        assert_eq!(value(&fields, ":authority"), b"a.example:50051");
        assert_eq!(value(&fields, "content-type"), b"application/grpc");
        assert_eq!(value(&fields, "te"), b"trailers");
        for length in 0..REQUEST.len() {
            check(&REQUEST[..length]);
        }
    }

    #[test]
    fn what_was_said_has_a_number_until_the_table_is_emptied() {
        // custom: value, then the same by number 62; then the table is made empty.
        let mut block = Vec::from(b"\x40\x06custom\x05value\xbe".as_slice());
        let (fields, fault) = parse(&block);
        assert_eq!((fields.len(), fault), (2, None));
        assert_eq!(fields[0], fields[1]);
        block.extend_from_slice(&[0x20, 0xbe]);
        assert!(parse(&block).1.is_some());
    }

    #[test]
    fn forbidden_numbers_and_strings_are_faults() {
        for bad in [
            &[0x80][..],
            &[0xbe],
            &[0xff, 0xff, 0xff, 0xff, 0x7f],
            &[0x40, 5, b'a'],
            &[0x40],
            &[0x40, 0x81, 0],
        ] {
            assert!(parse(bad).1.is_some(), "{bad:?}");
        }
    }

    #[test]
    fn few_bytes_do_not_become_many() {
        let mut block = Vec::from([0x40, 1, b'n', 0x7f, 0xa1, 0x1e]);
        block.resize(block.len() + 4000, b'v');
        block.resize(block.len() + 4000, 0xbe);
        let (fields, fault) = parse(&block);
        assert!(fault.is_some() && fields.len() < 20);
        check(&block);
    }

    #[test]
    fn random_blocks_keep_the_rules() {
        let mut state = 0x0dd0_f00d_1234_4321_u64;
        for _ in 0..20_000 {
            let mut bytes = Vec::from(REQUEST);
            for _ in 0..4 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let [place, value, ..] = state.to_le_bytes();
                let place = usize::from(place) % bytes.len();
                bytes[place] = value;
            }
            check(&bytes);
        }
    }
}
