//! Caption distribution packets: rate, time code, caption data, services (ST 334-2).
//!
//! The text of SMPTE was not read; the places are those on which public notes agree.

use model::media::Ratio;
use wire::Fault;
use wire::cursor::{array, be16};

use super::time_code::Label;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "caption distribution packet", at, what }
}

/// A caption distribution packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distribution<'a> {
    /// The code of its frame rate.
    pub rate_code: u8,
    /// Whether the captions are in service.
    pub active: bool,
    /// Counts packets.
    pub sequence: u16,
    /// Its time code.
    pub time_code: Option<Label>,
    /// Its caption data: three octets each.
    pub triples: Option<&'a [u8]>,
    /// What it says of services: seven octets each.
    pub services: Option<&'a [u8]>,
    /// The counter at its end.
    pub closing_sequence: u16,
    /// Whether all octets add up to zero.
    pub checksum_holds: bool,
}

/// Where two octets of captions belong (`cc_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Line 21, first field: CC1, CC2.
    First,
    /// Line 21, second field: CC3, CC4.
    Second,
    /// The packet of digital captions goes on.
    Continues,
    /// A packet of digital captions starts.
    Starts,
}

impl Distribution<'_> {
    /// Frames a second.
    pub const fn frame_rate(&self) -> Option<Ratio> {
        match self.rate_code {
            1 => Ratio::new(24_000, 1001),
            2 => Ratio::new(24, 1),
            3 => Ratio::new(25, 1),
            4 => Ratio::new(30_000, 1001),
            5 => Ratio::new(30, 1),
            6 => Ratio::new(50, 1),
            7 => Ratio::new(60_000, 1001),
            8 => Ratio::new(60, 1),
            _ => None,
        }
    }

    /// What it says that is not so: its counters differ, it is made for another frame rate, or has not the captions of it.
    pub(super) fn contradiction(&self, frame_rate: Option<Ratio>) -> Option<String> {
        if self.closing_sequence != self.sequence {
            return Some(format!("number {} at its end, {} before", self.closing_sequence, self.sequence));
        }
        let count = self.triples.map(|triples| triples.len() / 3);
        match (self.frame_rate(), frame_rate, count) {
            (None, ..) => Some(format!("a frame rate that does not exist ({})", self.rate_code)),
            (Some(said), Some(rate), _) if said != rate => {
                Some(format!("made for {said} frames a second of {rate}"))
            }
            (Some(said), _, Some(count)) if count != triples_of(self.rate_code) => {
                let usual = triples_of(self.rate_code);
                Some(format!("{count} pairs of captions, where {said} frames a second have {usual}"))
            }
            _ => None,
        }
    }

    /// Its pairs that are marked valid, with the lane they belong to.
    pub fn pairs(&self) -> impl Iterator<Item = (Lane, [u8; 2])> {
        self.triples.unwrap_or_default().chunks_exact(3).filter_map(|triple| {
            let [head, one, two] = array(triple, 0)?;
            let lane = match head & 3 {
                0 => Lane::First,
                1 => Lane::Second,
                2 => Lane::Continues,
                _ => Lane::Starts,
            };
            (head & 4 != 0).then_some((lane, [one, two]))
        })
    }
}

/// How many triples a packet has at a rate.
pub const fn triples_of(rate_code: u8) -> usize {
    match rate_code {
        1 | 2 => 25,
        3 => 24,
        4 | 5 => 20,
        6 => 12,
        7 | 8 => 10,
        _ => 0,
    }
}

/// The code of a frame rate.
pub fn rate_code(rate: Ratio) -> Option<u8> {
    Some(match (rate.numerator(), rate.denominator()) {
        (24_000, 1001) => 1,
        (24, 1) => 2,
        (25, 1) => 3,
        (30_000, 1001) => 4,
        (30, 1) => 5,
        (50, 1) => 6,
        (60_000, 1001) => 7,
        (60, 1) => 8,
        _ => return None,
    })
}

/// Reads a packet.
pub fn parse(bytes: &[u8]) -> Result<Distribution<'_>, Fault> {
    let ends = fault(bytes.len(), "the packet ends too early (ST 334-2)");
    if be16(bytes, 0).ok_or(ends)? != 0x9669 {
        return Err(fault(0, "it does not begin with 0x9669 (ST 334-2)"));
    }
    let [length, rate, flags] = array(bytes, 2).ok_or(ends)?;
    let sequence = be16(bytes, 5).ok_or(ends)?;
    let whole = bytes
        .get(..usize::from(length))
        .ok_or(fault(2, "it is longer than the user data that carries it (ST 334-2)"))?;
    let mut packet = Distribution {
        rate_code: rate >> 4,
        active: flags & 2 != 0,
        sequence,
        time_code: None,
        triples: None,
        services: None,
        closing_sequence: 0,
        checksum_holds: whole.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == 0,
    };
    let mut at = 7;
    loop {
        let [section] = array(whole, at).ok_or(ends)?;
        match section {
            0x71 => {
                let [hours, minutes, seconds, frames] = array(whole, at + 1).ok_or(ends)?;
                let digits = |octet: u8, tens: u8| (((octet >> 4) & tens) * 10).saturating_add(octet & 0xf);
                packet.time_code = Some(Label {
                    hours: digits(hours, 3),
                    minutes: digits(minutes, 7),
                    seconds: digits(seconds, 7),
                    frames: digits(frames, 3),
                    drop_frame: frames & 0x80 != 0,
                });
                at += 5;
            }
            0x72 => {
                let [count] = array(whole, at + 1).ok_or(ends)?;
                let length = usize::from(count & 0x1f) * 3;
                packet.triples = Some(whole.get(at + 2..at + 2 + length).ok_or(ends)?);
                at += 2 + length;
            }
            0x73 => {
                let [count] = array(whole, at + 1).ok_or(ends)?;
                let length = usize::from(count & 0xf) * 7;
                packet.services = Some(whole.get(at + 2..at + 2 + length).ok_or(ends)?);
                at += 2 + length;
            }
            0x74 => {
                packet.closing_sequence = be16(whole, at + 1).ok_or(ends)?;
                whole.get(at + 3).ok_or(ends)?;
                return Ok(packet);
            }
            // Sections that are not known yet say their length.
            0x75..=0xef => {
                let [length] = array(whole, at + 1).ok_or(ends)?;
                at += 2 + usize::from(length);
            }
            _ => return Err(fault(at, "a section that does not exist (ST 334-2)")),
        }
    }
}

/// Writes a packet with caption data, and a time code where one is given.
pub fn write(rate_code: u8, sequence: u16, time_code: Option<Label>, triples: &[[u8; 3]], to: &mut Vec<u8>) {
    let start = to.len();
    let flags = 0x41 | 0x02 | if time_code.is_some() { 0x80 } else { 0 };
    to.extend_from_slice(&[0x96, 0x69, 0, (rate_code << 4) | 0xf, flags]);
    to.extend_from_slice(&sequence.to_be_bytes());
    if let Some(label) = time_code {
        let digits = |value: u8| ((value / 10) << 4) | (value % 10);
        to.extend_from_slice(&[
            0x71,
            0xc0 | digits(label.hours),
            0x80 | digits(label.minutes),
            digits(label.seconds),
            (u8::from(label.drop_frame) << 7) | digits(label.frames),
        ]);
    }
    let count = triples.len().min(31);
    to.extend_from_slice(&[0x72, 0xe0 | u8::try_from(count).unwrap_or(31)]);
    for triple in triples.iter().take(count) {
        to.extend_from_slice(triple);
    }
    to.push(0x74);
    to.extend_from_slice(&sequence.to_be_bytes());
    if let Some(length) = to.get_mut(start + 2) {
        *length = u8::try_from(count * 3 + if time_code.is_some() { 18 } else { 13 }).unwrap_or(u8::MAX);
    }
    let sum = to.iter().skip(start).fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    to.push(sum.wrapping_neg());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_they_are_written() {
        let label = Label { hours: 12, minutes: 34, seconds: 56, frames: 17, drop_frame: true };
        for time_code in [None, Some(label)] {
            let mut bytes = Vec::new();
            let triples = [[0xfc, 0x94, 0x2c], [0xf8, 0, 0], [0xff, 1, 2], [0xfe, 3, 4]];
            write(7, 513, time_code, &triples, &mut bytes);
            let packet = parse(&bytes).unwrap();
            assert_eq!((packet.rate_code, packet.sequence, packet.closing_sequence), (7, 513, 513));
            assert_eq!(packet.time_code, time_code);
            assert!(packet.checksum_holds && packet.active);
            let pairs: Vec<_> = packet.pairs().collect();
            assert_eq!(
                pairs,
                [(Lane::First, [0x94, 0x2c]), (Lane::Starts, [1, 2]), (Lane::Continues, [3, 4])]
            );
            for end in 0..bytes.len() {
                assert!(parse(&bytes[..end]).is_err());
            }
            *bytes.last_mut().unwrap() ^= 1;
            assert!(!parse(&bytes).unwrap().checksum_holds);
        }
    }

    #[test]
    fn forbidden_values() {
        let mut bytes = Vec::new();
        write(4, 1, None, &[], &mut bytes);
        let mut other = bytes.clone();
        other[0] = 0x95;
        assert_eq!(parse(&other).unwrap_err().at, 0);
        other = bytes.clone();
        other[7] = 0xf0;
        assert_eq!(parse(&other).unwrap_err().at, 7);
        bytes[7] = 0x75;
        assert!(parse(&bytes).is_err());
    }
}
