//! Subtitles of teletext in ancillary data (OP-47, RDD 8; ETSI EN 300 706).
//!
//! None of the texts was read; the places are those on which public notes and programs agree. Letters that pages replace
//! afterwards (packets X/26 and X/28) are shown as what stands beneath them.

use wire::Fault;
use wire::cursor::{array, be16};

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "subtitle distribution packet", at, what }
}

/// Octets of a teletext packet behind its framing code.
const PACKET_BYTES: usize = 42;
/// Two octets of clock, and the framing code.
const FRAMING: [u8; 3] = [0x55, 0x55, 0x27];
/// The most packets of teletext in one of ancillary data.
const MOST_PACKETS: usize = 5;
/// Rows of a page below its header.
const ROWS: usize = 24;

/// A subtitle distribution packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distribution<'a> {
    /// Counts packets.
    pub sequence: u16,
    /// Where each teletext packet is to stand: the first field at 0x80, and the line.
    pub lines: [u8; MOST_PACKETS],
    /// Whether all octets add up to zero.
    pub checksum_holds: bool,
    packets: &'a [u8],
}

impl<'a> Distribution<'a> {
    /// Its packets of teletext, without their framing codes.
    pub fn packets(&self) -> impl Iterator<Item = &'a [u8; PACKET_BYTES]> + use<'a> {
        self.packets.chunks_exact(FRAMING.len() + PACKET_BYTES).filter_map(|packet| {
            let (framing, rest) = packet.split_first_chunk::<3>()?;
            (*framing == FRAMING).then_some(rest)?.first_chunk()
        })
    }
}

/// Reads a packet.
pub fn parse(bytes: &[u8]) -> Result<Distribution<'_>, Fault> {
    let ends = fault(bytes.len(), "the packet ends too early (RDD 8)");
    let [one, two, length, format] = array(bytes, 0).ok_or(ends)?;
    if (one, two) != (0x51, 0x15) {
        return Err(fault(0, "it does not begin with 0x5115 (RDD 8)"));
    }
    let whole = bytes
        .get(..usize::from(length))
        .ok_or(fault(2, "it is longer than the user data that carries it (RDD 8)"))?;
    if format != 2 {
        return Err(fault(3, "another format than teletext (RDD 8)"));
    }
    let lines: [u8; MOST_PACKETS] = array(whole, 4).ok_or(ends)?;
    let count = lines.iter().filter(|line| **line & 0x1f != 0).count();
    let begin = 4 + MOST_PACKETS;
    let end = begin + count * (FRAMING.len() + PACKET_BYTES);
    let packets = whole.get(begin..end).ok_or(ends)?;
    let [footer] = array(whole, end).ok_or(ends)?;
    if footer != 0x74 {
        return Err(fault(end, "no footer where it must be (RDD 8)"));
    }
    let sequence = be16(whole, end + 1).ok_or(ends)?;
    if whole.len() != end + 4 {
        return Err(fault(end + 4, "it says another length than it has (RDD 8)"));
    }
    let checksum_holds = whole.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == 0;
    Ok(Distribution { sequence, lines, checksum_holds, packets })
}

/// Four bits with four more that guard them (EN 300 706 §8.2); one that is wrong is put right.
fn guarded(octet: u8) -> Option<u8> {
    (0..16).find(|value| (protected(*value) ^ octet).count_ones() <= 1)
}

/// Four bits, guarded.
const fn protected(value: u8) -> u8 {
    let [one, two, three, four] = [value & 1, value >> 1 & 1, value >> 2 & 1, value >> 3 & 1];
    let (p1, p2, p3) = (1 ^ one ^ three ^ four, 1 ^ one ^ two ^ four, 1 ^ one ^ two ^ three);
    let p4 = 1 ^ p1 ^ one ^ p2 ^ two ^ p3 ^ three ^ four;
    p1 | one << 1 | p2 << 2 | two << 3 | p3 << 4 | three << 5 | p4 << 6 | four << 7
}

/// The letters that differ by language, at their places (EN 300 706 §15.6.2).
const PLACES: [u8; 13] = [0x23, 0x24, 0x40, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x60, 0x7b, 0x7c, 0x7d, 0x7e];
const LETTERS: [&str; 7] = [
    "£$@←½→↑#—¼‖¾÷",
    "#$§ÄÖÜ^_°äöüß",
    "#¤ÉÄÖÅÜ_éäöåü",
    "£$é°ç→↑#ùàòèì",
    "éïàëêùî#èâôûç",
    "ç$¡áéíóú¿üñèà",
    "#ůčťžýířéáěúš",
];

fn letter(octet: u8, language: u8) -> char {
    // Odd parity; what fails is a blank, and so are colours and boxes.
    let code = octet & 0x7f;
    if octet.count_ones().is_multiple_of(2) || code < 0x20 {
        return ' ';
    }
    let place = PLACES.iter().position(|place| *place == code);
    let national = place.zip(LETTERS.get(usize::from(language)));
    national.and_then(|(place, letters)| letters.chars().nth(place)).unwrap_or(char::from(code))
}

/// A page while it comes.
#[derive(Debug, Clone)]
struct Page {
    number: u16,
    magazine: u8,
    language: u8,
    rows: Vec<String>,
}

/// Follows the pages of subtitles.
#[derive(Debug, Clone, Default)]
pub struct Teletext {
    page: Option<Page>,
}

impl Teletext {
    /// Takes a packet; gives a page of subtitles that has ended, as its number and text.
    pub fn handle(&mut self, packet: &[u8; PACKET_BYTES]) -> Option<(u16, String)> {
        let [first, second, data @ ..] = packet;
        let (low, high) = (guarded(*first)?, guarded(*second)?);
        let (magazine, row) = (low & 7, usize::from(high << 1 | low >> 3));
        if row == 0 {
            let ended = self.page.take_if(|page| page.magazine == magazine).map(Page::text);
            self.page = begin(magazine, data).or(self.page.take());
            return ended.filter(|(_, text)| !text.is_empty());
        }
        let page = self.page.as_mut().filter(|page| page.magazine == magazine)?;
        let text: String = data.iter().map(|octet| letter(*octet, page.language)).collect();
        if let Some(slot) = page.rows.get_mut(row.wrapping_sub(1)) {
            *slot = text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        None
    }
}

/// The page that a header begins, where it is one of subtitles.
fn begin(magazine: u8, data: &[u8]) -> Option<Page> {
    let head: [u8; 8] = array(data, 0)?;
    let mut digits = [0; 8];
    for (digit, octet) in digits.iter_mut().zip(head) {
        *digit = guarded(octet)?;
    }
    let [units, tens, _, _, _, flags, _, national] = digits;
    // Headers that only fill up time are of a page that cannot be.
    if flags & 8 == 0 || (tens, units) == (15, 15) {
        return None;
    }
    let hundreds = if magazine == 0 { 8 } else { magazine };
    let number = u16::from(hundreds) << 8 | u16::from(tens) << 4 | u16::from(units);
    // Of C12 to C14 the first counts most.
    let language = (national >> 1 & 1) << 2 | (national >> 2 & 1) << 1 | national >> 3;
    Some(Page { number, magazine, language, rows: vec![String::new(); ROWS] })
}

impl Page {
    fn text(self) -> (u16, String) {
        let rows = self.rows.iter().filter(|row| !row.is_empty()).map(String::as_str);
        (self.number, rows.collect::<Vec<_>>().join("\n"))
    }
}

/// What must hold of any user data; used by the fuzz target and the seeded test.
pub(super) fn check(bytes: &[u8]) {
    let Ok(packet) = parse(bytes) else { return };
    let mut teletext = Teletext::default();
    assert!(packet.packets().count() <= MOST_PACKETS);
    for packet in packet.packets() {
        if let Some((number, text)) = teletext.handle(packet) {
            assert!((0x100..0x900).contains(&number) && text.chars().count() <= ROWS * 41);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A page 888 with one row, begun and ended.
    pub fn subtitle(sequence: u16, text: &[u8]) -> Vec<u8> {
        distributed(sequence, &[header(0, 0x88, true, 0), row(0, 20, text), header(0, 0xff, false, 0)])
    }

    fn odd(code: u8) -> u8 {
        code | u8::from(code.count_ones().is_multiple_of(2)) << 7
    }

    fn head(magazine: u8, row: u8) -> Vec<u8> {
        let address = magazine & 7 | row << 3;
        [&FRAMING[..], &[protected(address & 15), protected(address >> 4)]].concat()
    }

    /// The header of a page, with the flag of subtitles and a language.
    fn header(magazine: u8, page: u8, subtitle: bool, language: u8) -> Vec<u8> {
        let bits = language.reverse_bits() >> 5;
        let digits = [page & 15, page >> 4, 0, 8, 0, u8::from(subtitle) << 3, 0, bits << 1];
        let mut packet = head(magazine, 0);
        packet.extend(digits.map(protected));
        packet.resize(3 + PACKET_BYTES, odd(b' '));
        packet
    }

    fn row(magazine: u8, number: u8, text: &[u8]) -> Vec<u8> {
        let mut packet = head(magazine, number);
        packet.extend([0x0d, 0x0b, 0x0b].map(odd));
        packet.extend(text.iter().map(|code| odd(*code)));
        packet.resize(3 + PACKET_BYTES, odd(b' '));
        packet
    }

    /// A packet of ancillary data with these packets of teletext.
    fn distributed(sequence: u16, packets: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0x51, 0x15, 0, 2];
        bytes.extend((0..5).map(|place| if place < packets.len() { 0xe0 | 21 } else { 0 }));
        bytes.extend(packets.concat());
        bytes.push(0x74);
        bytes.extend(sequence.to_be_bytes());
        bytes[2] = u8::try_from(bytes.len() + 1).unwrap();
        let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        bytes.push(sum.wrapping_neg());
        bytes
    }

    fn sample() -> Vec<Vec<u8>> {
        vec![
            header(0, 0x88, true, 1),
            row(0, 20, b"Gr}n {hnlich wei~"),
            row(0, 22, b"second  line"),
            header(0, 0xff, false, 0),
        ]
    }

    #[test]
    fn a_page_of_subtitles_is_read_once_it_has_ended() {
        let bytes = distributed(7, &sample());
        let packet = parse(&bytes).unwrap();
        assert_eq!((packet.sequence, packet.checksum_holds, packet.lines[3]), (7, true, 0xf5));
        let mut teletext = Teletext::default();
        let read: Vec<_> = packet.packets().filter_map(|it| teletext.handle(it)).collect();
        assert_eq!(read, [(0x888, "Grün ähnlich weiß\nsecond line".to_owned())]);
        // Without its flag it is another page, and rows of another magazine belong to nobody.
        for (packets, text) in [
            (vec![header(0, 0x88, false, 1), row(0, 20, b"no"), header(0, 0xff, false, 0)], None),
            (
                vec![
                    header(1, 0x50, true, 0),
                    row(2, 20, b"no"),
                    row(1, 20, b"#5"),
                    header(1, 0xff, false, 0),
                ],
                Some((0x150, "£5".to_owned())),
            ),
        ] {
            let bytes = distributed(0, &packets);
            let mut teletext = Teletext::default();
            let mut read = parse(&bytes).unwrap().packets().filter_map(|it| teletext.handle(it));
            assert_eq!(read.next(), text);
        }
    }

    #[test]
    fn four_bits_survive_one_that_is_wrong() {
        assert_eq!([protected(0), protected(15)], [0x15, 0xea]);
        for value in 0..16 {
            for wrong in 0..8 {
                assert_eq!(guarded(protected(value) ^ 1 << wrong), Some(value));
            }
            assert_eq!(guarded(protected(value)), Some(value));
            assert_eq!(guarded(protected(value) ^ 3), None);
        }
        assert!(LETTERS.iter().all(|letters| letters.chars().count() == PLACES.len()));
    }

    #[test]
    fn what_contradicts_itself_is_told() {
        let good = distributed(7, &sample());
        for end in 0..good.len() {
            assert!(parse(&good[..end]).is_err(), "{end}");
        }
        for (at, octet) in [(0, 0x52), (1, 0), (2, 200), (2, 100), (3, 3), (4, 0), (8, 21)] {
            let mut bytes = good.clone();
            bytes[at] = octet;
            assert!(parse(&bytes).is_err(), "{at} {octet}");
        }
        let mut bytes = good.clone();
        bytes[60] ^= 1;
        assert!(!parse(&bytes).unwrap().checksum_holds);
        let mut seed = 5_u64;
        for _ in 0..20_000 {
            let mut copy = good.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(seed >> 33).unwrap() % copy.len();
                copy[at] = seed.to_le_bytes()[5];
            }
            check(&copy);
        }
    }
}
