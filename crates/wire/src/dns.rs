//! Messages of the domain name system, and of mDNS, LLMNR and NetBIOS names, which have its form (RFC 1035 §4).

use alloc::string::String;
use core::fmt::{self, Write};

use crate::Fault;
use crate::cursor::{array, be16};
use crate::few::Few;

/// Types of records that are read here.
pub mod kind {
    /// An address.
    pub const A: u16 = 1;
    /// Also NetBIOS `NBSTAT`.
    pub const SRV: u16 = 33;
    /// NetBIOS `NB`.
    pub const NB: u16 = 32;
    /// The options of EDNS (RFC 6891).
    pub const OPT: u16 = 41;
}

/// A name where it stands in a message: it was read to its end, and is not copied.
///
/// It is shown as labels with dots; bytes that are no plain letters are escaped, and `.` is the root.
#[derive(Clone, Copy)]
pub struct Name<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Name<'a> {
    /// Its labels, as they stand there.
    pub fn labels(self) -> impl Iterator<Item = &'a [u8]> {
        let mut here = self.at;
        core::iter::from_fn(move || {
            loop {
                let size = *self.message.get(here)?;
                match size {
                    0 => return None,
                    1..=63 => {
                        let label = self.message.get(here + 1..here + 1 + usize::from(size));
                        here += 1 + usize::from(size);
                        return label;
                    }
                    // Pointers go backwards, and labels end: both were seen when the name was read.
                    _ => here = usize::from(be16(self.message, here)? & 0x3fff),
                }
            }
        })
    }

    /// Whether it is the root, which has no label.
    pub fn is_root(self) -> bool {
        self.labels().next().is_none()
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Name<'_>) -> bool {
        self.labels().eq(other.labels())
    }
}

impl Eq for Name<'_> {}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{self}")
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return to.write_char('.');
        }
        for (place, label) in self.labels().enumerate() {
            if place > 0 {
                to.write_char('.')?;
            }
            for byte in label {
                match byte {
                    b'.' | b'\\' => write!(to, "\\{}", char::from(*byte))?,
                    0x21..=0x7e => to.write_char(char::from(*byte))?,
                    _ => write!(to, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question<'a> {
    /// For which name.
    pub name: Name<'a>,
    /// Which type of record.
    pub kind: u16,
    /// Which class; the first bit of it has a meaning of its own in mDNS (RFC 6762 §5.4).
    pub class: u16,
}

/// A resource record without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Of which name.
    pub name: Name<'a>,
    /// Its type.
    pub kind: u16,
    /// Its class, or the size of a datagram in EDNS.
    pub class: u16,
    /// How long it may be kept, in seconds, or flags of EDNS.
    pub ttl: u32,
    /// What it says.
    pub data: &'a [u8],
}

/// A message that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Joins question and answer.
    pub id: u16,
    /// The bits behind it.
    pub flags: u16,
    /// The questions.
    pub questions: Few<Question<'a>>,
    /// Answers, authorities and additional records, in this order; of very many only the first are kept.
    pub records: Few<Record<'a>>,
    /// How many of the records are answers, authorities and additional.
    pub counts: [u16; 3],
    /// Bytes behind the last record.
    pub rest: &'a [u8],
}

impl Message<'_> {
    /// Whether it answers.
    pub fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// What kind of request it is: 0 a query, 4 a notice, 5 an update.
    pub fn operation(&self) -> u8 {
        u8::try_from(self.flags >> 11 & 0x0f).unwrap_or_default()
    }

    /// How the answer went: 0 well, 3 no such name.
    pub fn outcome(&self) -> u8 {
        u8::try_from(self.flags & 0x0f).unwrap_or_default()
    }

    /// The options of EDNS.
    pub fn options(&self) -> Option<&Record<'_>> {
        self.records.iter().find(|record| record.kind == kind::OPT && record.name.is_root())
    }
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "dns", at, what }
}

/// A name may be this long on the wire (RFC 1035 §2.3.4).
const MOST_NAME: usize = 255;
/// The shortest question and record are this long: no count can claim more than the bytes allow.
const LEAST_QUESTION: usize = 5;
/// So many records are kept: short ones can point to the same long name again and again.
const MOST_RECORDS: usize = 256;

/// Reads a name that begins at `at`; gives it with the place behind it.
pub fn name(message: &[u8], at: usize) -> Result<(Name<'_>, usize), Fault> {
    let mut here = at;
    let mut end = None;
    let mut length = 1;
    loop {
        let size = *message.get(here).ok_or(fault(here, "a name that does not end"))?;
        match size {
            0 => break,
            1..=63 => {
                let label = message
                    .get(here + 1..here + 1 + usize::from(size))
                    .ok_or(fault(here, "a label that does not end"))?;
                length += label.len() + 1;
                if length > MOST_NAME {
                    return Err(fault(here, "a name of more than 255 bytes (RFC 1035 §2.3.4)"));
                }
                here += 1 + label.len();
            }
            192..=255 => {
                let place = be16(message, here).ok_or(fault(here, "a pointer that does not end"))? & 0x3fff;
                end = end.or(Some(here + 2));
                // Only backwards: so it ends.
                if usize::from(place) >= here || usize::from(place) < 12 {
                    return Err(fault(here, "a pointer to what is not before it (RFC 1035 §4.1.4)"));
                }
                here = usize::from(place);
                // Each jump costs something of the length, else labels could be read again for ever.
                length += 1;
                if length > MOST_NAME {
                    return Err(fault(here, "a name of too many pointers"));
                }
            }
            _ => return Err(fault(here, "a label of a kind that does not exist (RFC 6891 §5)")),
        }
    }
    Ok((Name { message, at }, end.unwrap_or(here + 1)))
}

/// The questions behind the header, and the place behind them.
fn questions(bytes: &[u8], asked: u16) -> Result<(Few<Question<'_>>, usize), Fault> {
    let mut at = 12;
    let mut questions = Few::default();
    for _ in 0..asked {
        let (name, behind) = name(bytes, at)?;
        let ends = || fault(behind, "a question that does not end");
        let kind = be16(bytes, behind).ok_or_else(ends)?;
        let class = be16(bytes, behind + 2).ok_or_else(ends)?;
        questions.push(Question { name, kind, class });
        at = behind + 4;
    }
    Ok((questions, at))
}

/// Reads the header and the questions of a message whose end is not there; its records are left out.
pub fn parse_front(bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let number = |at| be16(bytes, at).ok_or(fault(at, "shorter than a header"));
    let (id, flags, asked) = (number(0)?, number(2)?, number(4)?);
    let counts = [number(6)?, number(8)?, number(10)?];
    let (questions, _) = questions(bytes, asked)?;
    Ok(Message { id, flags, questions, records: Few::default(), counts, rest: &[] })
}

/// Reads a message: every name, question and record that its counts promise must be there.
pub fn parse(bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let number = |at| be16(bytes, at).ok_or(fault(at, "shorter than a header"));
    let (id, flags, asked) = (number(0)?, number(2)?, number(4)?);
    let counts = [number(6)?, number(8)?, number(10)?];
    let promised = counts.iter().chain([&asked]).map(|count| usize::from(*count)).sum::<usize>();
    if promised * LEAST_QUESTION > bytes.len() - 12 {
        return Err(fault(4, "more is promised than can be there"));
    }
    let (questions, mut at) = questions(bytes, asked)?;
    let mut records = Few::default();
    for _ in 0..counts.iter().map(|count| usize::from(*count)).sum() {
        let (name, behind) = name(bytes, at)?;
        let ends = || fault(behind, "a record that does not end");
        let (kind, class) =
            (be16(bytes, behind).ok_or_else(ends)?, be16(bytes, behind + 2).ok_or_else(ends)?);
        let ttl = array(bytes, behind + 4).map(u32::from_be_bytes).ok_or_else(ends)?;
        let length = usize::from(be16(bytes, behind + 8).ok_or_else(ends)?);
        let data = bytes.get(behind + 10..behind + 10 + length).ok_or_else(ends)?;
        if records.len() < MOST_RECORDS {
            records.push(Record { name, kind, class, ttl, data });
        }
        at = behind + 10 + length;
    }
    Ok(Message { id, flags, questions, records, counts, rest: bytes.get(at..).unwrap_or_default() })
}

/// The bytes behind the 32 letters of a NetBIOS name.
fn netbios_bytes(label: &[u8]) -> Option<[u8; 16]> {
    let letters = <&[u8; 32]>::try_from(label).ok()?;
    let mut bytes = [0_u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(letters.chunks_exact(2)) {
        let [high, low] = pair.first_chunk::<2>()?.map(|letter| letter.wrapping_sub(b'A'));
        if high > 15 || low > 15 {
            return None;
        }
        *byte = high << 4 | low;
    }
    Some(bytes)
}

/// Whether a name is one of NetBIOS: its first label is, and the others are the scope (RFC 1001 §14.1).
pub fn is_netbios_name(name: Name<'_>) -> bool {
    name.labels().next().and_then(netbios_bytes).is_some()
}

/// The name behind the 32 letters of a NetBIOS name, and its last byte, which says of what it is (RFC 1001 §14.1).
pub fn netbios_name(label: &[u8]) -> Option<(String, u8)> {
    let bytes = netbios_bytes(label)?;
    let (kind, name) = bytes.split_last()?;
    let end = name.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |last| last + 1);
    let name = name.get(..end)?.iter();
    Some((
        name.map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '?' }).collect(),
        *kind,
    ))
}

/// The names of types that people meet (RFC 1035 §3.2.2 and later).
pub fn kind_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        10 => "NULL",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        17 => "RP",
        18 => "AFSDB",
        24 => "SIG",
        25 => "KEY",
        28 => "AAAA",
        29 => "LOC",
        33 => "SRV",
        35 => "NAPTR",
        36 => "KX",
        37 => "CERT",
        39 => "DNAME",
        41 => "OPT",
        42 => "APL",
        43 => "DS",
        44 => "SSHFP",
        45 => "IPSECKEY",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        49 => "DHCID",
        50 => "NSEC3",
        51 => "NSEC3PARAM",
        52 => "TLSA",
        53 => "SMIMEA",
        55 => "HIP",
        59 => "CDS",
        60 => "CDNSKEY",
        61 => "OPENPGPKEY",
        62 => "CSYNC",
        63 => "ZONEMD",
        64 => "SVCB",
        65 => "HTTPS",
        99 => "SPF",
        104..=107 => "NID",
        108 => "EUI48",
        109 => "EUI64",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        32769 => "DLV",
        _ => return None,
    })
}

/// What must hold of any bytes; used by the fuzz target.
#[doc(hidden)]
pub fn check(bytes: &[u8]) {
    if let Ok(message) = parse(bytes) {
        let front = parse_front(bytes).map(|front| (front.id, front.questions));
        assert_eq!(front, Ok((message.id, message.questions.clone())));
        let records: usize = message.counts.iter().map(|count| usize::from(*count)).sum();
        assert_eq!(message.records.len(), records.min(MOST_RECORDS));
        let least = 12 + 5 * message.questions.len() + 11 * records + message.rest.len();
        assert!(bytes.len() >= least, "{least}");
        assert!(message.records.iter().map(|record| record.data.len()).sum::<usize>() < bytes.len());
        let names = message.questions.iter().map(|question| question.name);
        for name in names.chain(message.records.iter().map(|record| record.name)) {
            let text = alloc::format!("{name}");
            assert!(!text.is_empty() && text.len() <= 4 * MOST_NAME && text.is_ascii());
            assert!(name.labels().map(|label| label.len() + 1).sum::<usize>() < MOST_NAME);
            let netbios = name.labels().next().and_then(netbios_name);
            assert_eq!(netbios.is_some(), is_netbios_name(name));
            assert!(netbios.is_none_or(|(name, _)| name.len() <= 15));
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use super::*;

    /// An answer of one address with a pointer, and EDNS.
    fn answer() -> Vec<u8> {
        let mut bytes = Vec::from([0xab, 0xcd, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 1]);
        bytes.extend_from_slice(b"\x01a\x07example\x00\x00\x01\x00\x01");
        bytes.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
        bytes.extend_from_slice(&[0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn an_answer_is_read_whole() {
        let bytes = answer();
        let message = parse(&bytes).unwrap();
        assert!(message.is_response() && message.operation() == 0 && message.outcome() == 0);
        let Some(&Question { name, kind: 1, class: 1 }) = message.questions.first() else {
            panic!("{message:?}")
        };
        assert_eq!((name.to_string(), name.is_root()), ("a.example".into(), false));
        assert_eq!((message.questions.len(), message.records.len()), (1, 2));
        let record = message.records.first().unwrap();
        assert_eq!((record.name, record.ttl, record.data), (name, 60, &[192, 0, 2, 1][..]));
        assert_eq!(message.options().map(|options| options.class), Some(1232));
        assert!(message.rest.is_empty());
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length]).is_err(), "{length}");
            check(&bytes[..length]);
        }
    }

    #[test]
    fn of_very_many_records_the_first_are_kept() {
        let mut bytes = Vec::from([0, 1, 0x81, 0x80, 0, 0, 0x10, 0, 0, 0, 0, 0]);
        for _ in 0..0x1000 {
            bytes.extend_from_slice(&[0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 0]);
        }
        assert_eq!(parse(&bytes).unwrap().records.len(), MOST_RECORDS);
        check(&bytes);
        bytes.pop();
        assert!(parse(&bytes).is_err());
    }

    #[test]
    fn names_that_loop_run_over_or_are_of_no_kind_are_faults() {
        let with = |name: &[u8]| [&[0; 12][..], name].concat();
        for bad in [
            &[0xc0, 12][..],
            &[0xc0, 20],
            &[0xc0, 3],
            &[1, b'a', 0xc0, 12],
            &[5, b'a'],
            &[0x40, 1],
            &[0x80, 1],
            &[1, b'a'],
            &[0xc0],
        ] {
            assert!(name(&with(bad), 12).is_err(), "{bad:?}");
        }
        let long: Vec<u8> = [63_u8].into_iter().chain([b'a'; 63]).cycle().take(64 * 4).chain([0]).collect();
        assert!(name(&with(&long), 12).is_err());
        let odd = with(&[3, b'a', b'.', 7, 0]);
        let (odd, end) = name(&odd, 12).unwrap();
        assert_eq!((odd.to_string(), end), ("a\\.\\007".into(), 17));
        assert_eq!(name(&with(&[0]), 12).unwrap().0.to_string(), ".");
    }

    #[test]
    fn netbios_names_are_decoded() {
        let label = b"FHEPFCELFDFEEBFEEJEPEOCACACACAAA";
        assert_eq!(netbios_name(label), Some(("WORKSTATION".into(), 0)));
        assert_eq!(netbios_name(&label[1..]), None);
        assert_eq!(netbios_name(&label.to_ascii_lowercase()), None);
        let scoped = [&[0; 12], &[32][..], label, b"\x05scope\0"].concat();
        assert!(is_netbios_name(name(&scoped, 12).unwrap().0));
        let long = [&[0; 12], &[34][..], label, b"AA\0"].concat();
        assert!(!is_netbios_name(name(&long, 12).unwrap().0));
    }

    #[test]
    fn damaged_messages_keep_the_rules() {
        let mut state = 0x0f1e_2d3c_4b5a_6978_u64;
        for _ in 0..20_000 {
            let mut bytes = answer();
            for _ in 0..3 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let [place, value, cut, ..] = state.to_le_bytes();
                let place = usize::from(place) % bytes.len();
                bytes[place] = if cut < 128 { value & 0xc3 } else { value };
            }
            check(&bytes);
        }
    }
}
