//! The RTP payload of ancillary data: its header, and the packets in it (RFC 8331 §2.1).

use core::fmt;

use wire::Fault;
use wire::cursor::{be16, be32};

use super::word::{Word, Words, checksum, pack};

/// Octets of the payload's header.
pub const HEADER_BYTES: usize = 8;
/// Octets that stand before the words of each packet.
const PLACE_BYTES: usize = 4;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "ancillary data", at, what }
}

/// Which field the timestamp speaks of (`F`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The picture is progressive, or no field is meant.
    Unspecified,
    /// `01`, which is not valid: a receiver ignores what is in such a payload.
    Invalid,
    /// The first field.
    First,
    /// The second field.
    Second,
}

impl Field {
    /// As the two bits write it.
    pub const fn bits(self) -> u8 {
        match self {
            Field::Unspecified => 0,
            Field::Invalid => 1,
            Field::First => 2,
            Field::Second => 3,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Unspecified => "frame",
            Field::Invalid => "wrong field",
            Field::First => "first field",
            Field::Second => "second field",
        })
    }
}

/// The payload of one RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The upper half of a sequence number of 32 bits.
    pub extended_sequence: u16,
    /// `Length`: how many octets of packets follow, as it says.
    pub length_bytes: u16,
    /// `ANC_Count`: how many packets follow, as it says.
    pub count: u8,
    /// Which field.
    pub field: Field,
    /// The 22 bits that are to be zero.
    pub reserved: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

/// Where in the raster a packet is to stand, vertically (`Line_Number`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// This line.
    At(u16),
    /// `0x7FF`: no line in particular.
    Unspecified,
    /// `0x7FE`: between the second line behind the switching line and the picture.
    BeforePicture,
    /// `0x7FD`: a line whose number needs more than 11 bits.
    Beyond,
}

impl Line {
    /// From its eleven bits.
    pub const fn from_bits(bits: u16) -> Line {
        match bits {
            0x7ff => Line::Unspecified,
            0x7fe => Line::BeforePicture,
            0x7fd => Line::Beyond,
            line => Line::At(line),
        }
    }

    /// Its eleven bits.
    pub const fn bits(self) -> u16 {
        match self {
            Line::At(line) => line & 0x7ff,
            Line::Unspecified => 0x7ff,
            Line::BeforePicture => 0x7fe,
            Line::Beyond => 0x7fd,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::At(line) => write!(f, "line {line}"),
            Line::Unspecified => f.write_str("any line"),
            Line::BeforePicture => f.write_str("before the picture"),
            Line::Beyond => f.write_str("beyond line 2044"),
        }
    }
}

/// Where in its line a packet is to stand (`Horizontal_Offset`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Offset {
    /// So many words behind the start of active video.
    At(u16),
    /// `0xFFF`: nowhere in particular.
    Unspecified,
    /// `0xFFE`: in the horizontal blanking.
    Horizontal,
    /// `0xFFD`: between start and end of active video.
    Active,
    /// `0xFFC`: further than 12 bits can say.
    Beyond,
}

impl Offset {
    /// From its twelve bits.
    pub const fn from_bits(bits: u16) -> Offset {
        match bits {
            0xfff => Offset::Unspecified,
            0xffe => Offset::Horizontal,
            0xffd => Offset::Active,
            0xffc => Offset::Beyond,
            at => Offset::At(at),
        }
    }

    /// Its twelve bits.
    pub const fn bits(self) -> u16 {
        match self {
            Offset::At(at) => at & 0xfff,
            Offset::Unspecified => 0xfff,
            Offset::Horizontal => 0xffe,
            Offset::Active => 0xffd,
            Offset::Beyond => 0xffc,
        }
    }
}

/// Where a packet is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Whether in the colour-difference channel (`C`).
    pub colour: bool,
    /// Which line.
    pub line: Line,
    /// Where in the line.
    pub offset: Offset,
    /// Which data stream of a multi-stream interface, counted from 0, where `S` says that this is known.
    pub stream: Option<u8>,
    /// `StreamNum`, whatever `S` says.
    pub stream_bits: u8,
}

impl Place {
    /// Nowhere in particular.
    pub const ANYWHERE: Place = Place {
        colour: false,
        line: Line::Unspecified,
        offset: Offset::Unspecified,
        stream: None,
        stream_bits: 0,
    };

    fn from_bits(bits: u32) -> Place {
        let [first, second, third, fourth] = bits.to_be_bytes();
        let stream_bits = fourth & 0x7f;
        Place {
            colour: first & 0x80 != 0,
            line: Line::from_bits((u16::from_be_bytes([first, second]) >> 4) & 0x7ff),
            offset: Offset::from_bits(u16::from_be_bytes([second, third]) & 0xfff),
            stream: (fourth & 0x80 != 0).then_some(stream_bits),
            stream_bits,
        }
    }

    fn bits(self) -> u32 {
        let stream = self.stream.map_or(u32::from(self.stream_bits & 0x7f), |it| 0x80 | u32::from(it & 0x7f));
        (u32::from(self.colour) << 31)
            | (u32::from(self.line.bits()) << 20)
            | (u32::from(self.offset.bits()) << 8)
            | stream
    }
}

/// One packet of ancillary data (ST 291-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AncillaryPacket<'a> {
    /// Where it is to stand.
    pub place: Place,
    /// Data identification.
    pub did: Word,
    /// Secondary data identification; the data block number where the DID's upper bit is set (type 1).
    pub sdid: Word,
    /// How many words of user data.
    pub count: Word,
    /// The user data.
    pub words: Words<'a>,
    /// The checksum it came with.
    pub checksum: Word,
    /// What its words add up to.
    pub sum: Word,
    /// Whether the bits that fill it up are zero.
    pub filled_with_zeros: bool,
    /// Octets it takes, with its place and filling.
    pub bytes: usize,
}

impl AncillaryPacket<'_> {
    /// Whether it has an SDID; else a data block number stands there.
    pub fn is_type_two(&self) -> bool {
        self.did.value() & 0x80 == 0
    }

    /// DID and SDID; SDID zero where the type has none (RFC 8331 §3.1).
    pub fn kind(&self) -> (u8, u8) {
        (self.did.value(), if self.is_type_two() { self.sdid.value() } else { 0 })
    }

    /// Whether the three words of its header have the parity they should.
    pub fn parity_holds(&self) -> bool {
        self.did.parity_holds() && self.sdid.parity_holds() && self.count.parity_holds()
    }

    /// Whether the checksum is right.
    pub fn checksum_holds(&self) -> bool {
        self.checksum == self.sum
    }
}

/// The header of a payload; [`Payload::packets`] reads the rest.
pub fn parse(bytes: &[u8]) -> Result<Payload<'_>, Fault> {
    let short = fault(bytes.len(), "the payload ends in its header (RFC 8331 §2.1)");
    let last = be32(bytes, 4).ok_or(short)?;
    let field = match (last >> 22) & 3 {
        0 => Field::Unspecified,
        1 => Field::Invalid,
        2 => Field::First,
        _ => Field::Second,
    };
    Ok(Payload {
        extended_sequence: be16(bytes, 0).ok_or(short)?,
        length_bytes: be16(bytes, 2).ok_or(short)?,
        count: last.to_be_bytes()[0],
        field,
        reserved: last & 0x3f_ffff,
        body: bytes.get(HEADER_BYTES..).unwrap_or_default(),
    })
}

impl<'a> Payload<'a> {
    /// Its packets, as many as it says there are; a fault ends them.
    pub fn packets(&self) -> Packets<'a> {
        Packets { rest: self.body, at: HEADER_BYTES, left: self.count }
    }
}

/// The packets of a payload.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    rest: &'a [u8],
    at: usize,
    left: u8,
}

impl Packets<'_> {
    /// Octets behind the packets that were read.
    pub fn rest_bytes(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<AncillaryPacket<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let packet = packet(self.rest, self.at);
        match &packet {
            Ok(packet) => {
                // A last packet that was not filled up claims more than there is.
                self.at += packet.bytes.min(self.rest.len());
                self.rest = self.rest.get(packet.bytes..).unwrap_or_default();
            }
            Err(_) => self.left = 0,
        }
        Some(packet)
    }
}

/// The packet that begins here.
fn packet(bytes: &[u8], at: usize) -> Result<AncillaryPacket<'_>, Fault> {
    let ends = fault(at + bytes.len(), "fewer packets than ANC_Count says (RFC 8331 §2.1)");
    let place = Place::from_bits(be32(bytes, 0).ok_or(ends)?);
    let coded = bytes.get(PLACE_BYTES..).unwrap_or_default();
    let head = Words::new(coded, 0, 3);
    let (did, sdid) = (head.word(0).ok_or(ends)?, head.word(1).ok_or(ends)?);
    let count = head.word(2).ok_or(ends)?;
    let words = usize::from(count.value());
    let short = fault(at + bytes.len(), "a packet is longer than the payload (RFC 8331 §2.1)");
    let sum = Words::new(coded, 0, 3 + words);
    let checksum_word = Words::new(coded, 3 + words, 1).word(0).ok_or(short)?;
    let used = (words + 4) * 10;
    let length = used.div_ceil(8).next_multiple_of(4);
    // A last packet that was not filled up is still whole.
    let filling = coded.get(used / 8..length.min(coded.len())).unwrap_or_default();
    let kept_bits = 0xff_u8 >> (used % 8);
    let filled_with_zeros =
        filling.iter().enumerate().all(|(index, byte)| byte & if index == 0 { kept_bits } else { 0xff } == 0);
    Ok(AncillaryPacket {
        place,
        did,
        sdid,
        count,
        words: Words::new(coded, 3, words),
        checksum: checksum_word,
        sum: checksum(sum.iter()),
        filled_with_zeros: filled_with_zeros && length <= coded.len(),
        bytes: PLACE_BYTES + length,
    })
}

/// Writes one packet of 8-bit user data, with parity, checksum and filling.
pub fn write_packet(place: Place, did: u8, sdid: u8, values: &[u8], to: &mut Vec<u8>) {
    let values = values.get(..values.len().min(255)).unwrap_or_default();
    let count = u8::try_from(values.len()).unwrap_or(u8::MAX);
    let words = || [did, sdid, count].into_iter().chain(values.iter().copied()).map(Word::of);
    to.extend_from_slice(&place.bits().to_be_bytes());
    pack(words().chain([checksum(words())]), to);
}

/// Writes the header of a payload, to be put before packets of `length_bytes`.
pub fn write_header(extended_sequence: u16, length_bytes: u16, count: u8, field: Field, to: &mut Vec<u8>) {
    to.extend_from_slice(&extended_sequence.to_be_bytes());
    to.extend_from_slice(&length_bytes.to_be_bytes());
    to.extend_from_slice(&[count, field.bits() << 6, 0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two packets as in the figure of RFC 8331 §2: four words on line 9, five on line 10.
    pub fn sample() -> Vec<u8> {
        let mut packets = Vec::new();
        let place =
            |line| Place { line: Line::At(line), offset: Offset::At(0), stream: Some(0), ..Place::ANYWHERE };
        write_packet(place(9), 0x41, 0x01, &[0x85, 0x06, 0x01, 0x01], &mut packets);
        write_packet(place(10), 0xe7, 0x07, b"block", &mut packets);
        let mut payload = Vec::new();
        write_header(7, packets.len().try_into().unwrap(), 2, Field::First, &mut payload);
        payload.extend_from_slice(&packets);
        payload
    }

    #[test]
    fn the_figure_is_read() {
        let bytes = sample();
        let payload = parse(&bytes).unwrap();
        assert_eq!((payload.extended_sequence, payload.length_bytes, payload.count), (7, 32, 2));
        assert_eq!((payload.field, payload.reserved), (Field::First, 0));
        let mut packets = payload.packets();
        let read: Vec<_> = packets.by_ref().map(|it| it.unwrap()).collect();
        assert_eq!(packets.rest_bytes(), 0);
        assert_eq!(read.iter().map(|it| it.kind()).collect::<Vec<_>>(), [(0x41, 1), (0xe7, 0)]);
        assert_eq!((read[0].place.line, read[1].place.line), (Line::At(9), Line::At(10)));
        assert_eq!((read[0].count, read[1].count), (Word(0x104), Word(0x205)));
        assert_eq!((read[0].bytes, read[1].bytes), (16, 16));
        assert!(read.iter().all(|it| it.parity_holds() && it.checksum_holds() && it.filled_with_zeros));
        assert_eq!(read[1].words.values(&mut [0; 255]), b"block");
    }

    #[test]
    fn sizes_are_those_of_the_text() {
        for (count, size) in [(0_usize, 12), (255, 328)] {
            let mut bytes = Vec::new();
            write_packet(Place::ANYWHERE, 0x60, 0x60, &vec![0; count], &mut bytes);
            assert_eq!(bytes.len(), size);
        }
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        for bits in (0..=u32::MAX).step_by(104_729) {
            let place = Place::from_bits(bits);
            assert_eq!(place.bits(), bits);
        }
    }

    #[test]
    fn damage_is_seen() {
        let good = sample();
        let mut bytes = good.clone();
        bytes[3] = 31;
        bytes[5] |= 0x01;
        let payload = parse(&bytes).unwrap();
        assert_eq!((payload.length_bytes, payload.reserved), (31, 0x1_0000));
        bytes = good.clone();
        bytes[16] ^= 0x10;
        let first = parse(&bytes).unwrap().packets().next().unwrap().unwrap();
        assert!(!first.checksum_holds());
        bytes = good.clone();
        *bytes.last_mut().unwrap() = 1;
        assert!(!parse(&bytes).unwrap().packets().last().unwrap().unwrap().filled_with_zeros);
        bytes = good;
        bytes[4] = 3;
        assert!(parse(&bytes).unwrap().packets().last().unwrap().is_err());
        assert_eq!(parse(&[0; 7]).unwrap_err().at, 7);
    }
}
