//! Ancillary data made: time code, captions, format description, or nothing to show that the stream lives (RFC 8331).

use model::media::{AncillaryFormat, Ratio, Scan};

use super::Batch;
use crate::ancillary::format_description::{self, FormatDescription};
use crate::ancillary::kind::{CAPTIONS, FORMAT_DESCRIPTION, TIME_CODE};
use crate::ancillary::time_code::{self, Label, Origin, TimeCode};
use crate::ancillary::{Field, Line, Place, digital, distribution, line21, write_header, write_packet};

/// Two octets of line 21 that say nothing.
const SILENCE: [u8; 2] = [0x80, 0x80];
/// Text of one packet of digital captions: what a frame of 60 a second has room for.
const DIGITAL_LETTERS: usize = 12;
/// The window of digital captions: defined, visible, 4 rows of 32 letters.
const WINDOW: [u8; 7] = [0x98, 0x20, 0x4a, 0x00, 0x03, 0x1f, 0x11];

/// Writes the fixed header of a packet (RFC 3550 §5.1).
pub(super) fn header(
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    to: &mut Vec<u8>,
) {
    to.extend_from_slice(&[0x80, (u8::from(marker) << 7) | (payload_type & 0x7f)]);
    to.extend_from_slice(&sequence.to_be_bytes());
    to.extend_from_slice(&timestamp.to_be_bytes());
    to.extend_from_slice(&ssrc.to_be_bytes());
}

/// Makes the ancillary data of frames and fields by their number.
#[derive(Debug, Clone)]
pub struct AncillaryMaker {
    kinds: Vec<(u8, u8)>,
    rate: Ratio,
    base: u8,
    scan: Scan,
    payload_type: u8,
    ssrc: u32,
    sequence: u32,
    offset_s: i64,
    drop_frame: bool,
    description: FormatDescription,
    /// Captions for line 21, a pair a frame, and for the digital service.
    pairs: Vec<[u8; 2]>,
    packets: Vec<Vec<u8>>,
    values: Vec<u8>,
    data: Vec<u8>,
}

impl AncillaryMaker {
    /// A maker of what the format announces, or of all it knows where that announces nothing; `None` without a frame
    /// rate that has time codes.
    pub fn new(format: &AncillaryFormat, scan: Scan, payload_type: u8, ssrc: u32) -> Option<AncillaryMaker> {
        let rate = format.frame_rate?;
        let mut maker = AncillaryMaker {
            kinds: if format.kinds.is_empty() {
                vec![TIME_CODE, CAPTIONS, FORMAT_DESCRIPTION]
            } else {
                format.kinds.clone()
            },
            rate,
            base: time_code::base_of(rate)?,
            scan,
            payload_type,
            ssrc,
            sequence: 0,
            offset_s: 0,
            drop_frame: rate.denominator() == 1001 && rate.numerator() % 30_000 == 0,
            description: FormatDescription { code: 8, wide: true, bars: None },
            pairs: Vec::new(),
            packets: Vec::new(),
            values: Vec::new(),
            data: Vec::new(),
        };
        maker.show("portreeve");
        Some(maker)
    }

    /// What is added to TAI for the time of day that the time code tells: −37 s for UTC since 2017.
    pub fn tell_time_with(&mut self, offset_s: i64) {
        self.offset_s = offset_s;
    }

    /// The text of the captions: up to four rows of 32 letters.
    pub fn show(&mut self, text: &str) {
        self.pairs = line21::pop_on(text);
        let mut block = WINDOW.to_vec();
        // A form feed empties the window.
        block.push(0x0c);
        self.packets = vec![block];
        let rows: Vec<String> = text.lines().take(4).map(|row| row.chars().take(32).collect()).collect();
        let codes: Vec<u8> =
            rows.join("\r").chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect();
        self.packets.extend(codes.chunks(DIGITAL_LETTERS).map(<[u8]>::to_vec));
    }

    /// The number of the first packet.
    pub fn begin_at(&mut self, sequence: u32) {
        self.sequence = sequence;
    }

    /// The label of a frame: frames are counted from midnight of the time that is told.
    pub fn label(&self, frame: i64) -> Label {
        let (numerator, denominator) =
            (i128::from(self.rate.numerator()), i128::from(self.rate.denominator()));
        let seconds = (i128::from(frame) * denominator).div_euclid(numerator) + i128::from(self.offset_s);
        let midnight = seconds.div_euclid(86_400) * 86_400 - i128::from(self.offset_s);
        // The first frame that begins at midnight or after.
        let first = -(-midnight * numerator).div_euclid(denominator);
        let number = u64::try_from((i128::from(frame) - first).max(0)).unwrap_or(0);
        Label::of(number / self.shared(), self.base, self.drop_frame)
    }

    /// How many frames have one label.
    fn shared(&self) -> u64 {
        if self.rate.numerator() > 30 * self.rate.denominator() { 2 } else { 1 }
    }

    /// Makes the packets of a frame, of its second field where `second`; `frame` is counted from the SMPTE epoch.
    pub fn frame(&mut self, frame: i64, second: bool, timestamp: u32, batch: &mut Batch) {
        self.data.clear();
        let mut count = 0;
        for index in 0..self.kinds.len() {
            let Some(kind) = self.kinds.get(index).copied() else { continue };
            count += match kind {
                TIME_CODE => self.time_codes(frame, second),
                CAPTIONS if !second => self.captions(frame),
                FORMAT_DESCRIPTION => {
                    let values = format_description::write(&self.description);
                    self.packet(kind, &values)
                }
                _ => 0,
            };
        }
        let field = match (self.scan, second) {
            (Scan::Interlaced, false) => Field::First,
            (Scan::Interlaced, true) => Field::Second,
            // Both segments are of one moment.
            _ => Field::Unspecified,
        };
        let [a, b, c, d] = self.sequence.to_be_bytes();
        let (upper, lower) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let (data, payload_type, ssrc) = (&self.data, self.payload_type, self.ssrc);
        let length = u16::try_from(data.len()).unwrap_or(0);
        batch.add(|to| {
            header(true, payload_type, lower, timestamp, ssrc, to);
            write_header(upper, length, count, field, to);
            to.extend_from_slice(data);
        });
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Adds a packet; how many were added.
    fn packet(&mut self, (did, sdid): (u8, u8), values: &[u8]) -> u8 {
        let place = Place { line: Line::BeforePicture, ..Place::ANYWHERE };
        write_packet(place, did, sdid, values, &mut self.data);
        1
    }

    fn time_codes(&mut self, frame: i64, second: bool) -> u8 {
        let label = self.label(frame);
        // The field mark stands in bit 27 where 30 labels make a second, and in bit 59 where 25 do.
        let mark = if self.base == 25 { 8 } else { 1 };
        let later = second || (self.shared() == 2 && label == self.label(frame - 1));
        let code = |origin| TimeCode {
            origin,
            label,
            colour_frame: false,
            flags: if later { mark } else { 0 },
            user_bits: 0,
            second_distributed: 0,
        };
        let origins: &[Origin] = match (self.scan, second) {
            (Scan::Interlaced, false) => &[Origin::Linear, Origin::First],
            (Scan::Interlaced, true) => &[Origin::Second],
            (_, false) => &[Origin::Linear],
            (_, true) => &[],
        };
        origins.iter().map(|origin| self.packet(TIME_CODE, &time_code::write(&code(*origin)))).sum()
    }

    /// Captions come again and again: what a frame says hangs on its number only.
    fn captions(&mut self, frame: i64) -> u8 {
        let Some(rate_code) = distribution::rate_code(self.rate) else { return 0 };
        let shared = i64::try_from(self.shared()).unwrap_or(1);
        let longest = self.pairs.len().max(self.packets.len()) + 2;
        let cycle = i64::try_from(longest).unwrap_or(i64::MAX).max(3 * i64::from(self.base));
        let (round, at) = ((frame / shared).div_euclid(cycle), (frame / shared).rem_euclid(cycle));
        let index = usize::try_from(at).unwrap_or(usize::MAX);
        let first_of_label = frame.rem_euclid(shared) == 0;
        let said = self.pairs.get(index).copied().filter(|_| first_of_label).unwrap_or(SILENCE);
        let triple = |head: u8, [one, two]: [u8; 2]| [head, one, two];
        // Both fields in each frame; where two frames share a label, they take turns.
        let mut triples = Vec::new();
        if shared == 1 || first_of_label {
            triples.push(triple(0xfc, said));
        }
        if shared == 1 || !first_of_label {
            triples.push(triple(0xfd, SILENCE));
        }
        if let Some(block) = self.packets.get(index).filter(|_| first_of_label) {
            // Of the number, two bits are sent.
            let count = i64::try_from(self.packets.len()).unwrap_or(1);
            let number =
                u8::try_from((round.wrapping_mul(count).wrapping_add(at)).rem_euclid(4)).unwrap_or(0);
            for (pair_index, pair) in digital::packet(number, 1, block).into_iter().enumerate() {
                triples.push(triple(if pair_index == 0 { 0xff } else { 0xfe }, pair));
            }
        }
        triples.resize(distribution::triples_of(rate_code), [0xf8, 0, 0]);
        let sequence = u16::try_from(frame.rem_euclid(65_536)).unwrap_or(0);
        let mut values = core::mem::take(&mut self.values);
        values.clear();
        distribution::write(rate_code, sequence, Some(self.label(frame)), &triples, &mut values);
        let count = self.packet(CAPTIONS, &values);
        self.values = values;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ancillary::Measure;
    use crate::clock::Alignment;

    fn format(numerator: u32, denominator: u32, kinds: &[(u8, u8)]) -> AncillaryFormat {
        AncillaryFormat {
            frame_rate: Ratio::new(numerator, denominator),
            kinds: kinds.to_vec(),
            low_latency: false,
            vpid_code: None,
        }
    }

    /// Makes frames, and measures them.
    fn measured(format: &AncillaryFormat, scan: Scan, first: i64, frames: i64) -> (Measure, usize) {
        let mut maker = AncillaryMaker::new(format, scan, 100, 7).unwrap();
        maker.begin_at(65_530);
        maker.show("Time and tide\nwait for none");
        let (mut measure, mut batch, mut largest) = (Measure::new(Some(format)), Batch::default(), 0);
        let alignment = Alignment::new(format.frame_rate.unwrap());
        // Each packet leaves in the first half millisecond of its period.
        let tai = |frame, second: bool| {
            let half = if second { alignment.period_ns() / 2 } else { 0 };
            Some(alignment.point(frame).as_ns() + half + 250_000)
        };
        for frame in first..first + frames {
            let start = alignment.rtp(frame, 90_000);
            let period = alignment.period_ns() * 9 / 200_000;
            let halves: &[bool] = if scan == Scan::Interlaced { &[false, true] } else { &[false] };
            for second in halves {
                batch.clear();
                let later = if *second { u32::try_from(period).unwrap() } else { 0 };
                maker.frame(frame, *second, start.wrapping_add(later), &mut batch);
                for packet in batch.iter() {
                    largest = largest.max(packet.len() + 8);
                    measure.handle(
                        &crate::Packet {
                            time: None,
                            frame: 1,
                            udp_bytes: u16::try_from(packet.len() + 8).unwrap(),
                            rtp: wire::rtp::parse(packet).unwrap(),
                        },
                        tai(frame, *second),
                    );
                }
            }
        }
        (measure, largest)
    }

    #[test]
    fn what_is_made_is_measured_without_a_fault() {
        let rates =
            [(24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (30, 1), (50, 1), (60_000, 1001), (60, 1)];
        for (numerator, denominator) in rates {
            for scan in [Scan::Progressive, Scan::Interlaced] {
                let (measure, largest) =
                    measured(&format(numerator, denominator, &[]), scan, 53_000_000_000, 700);
                let facts = measure.facts();
                assert!(
                    measure.faults().is_empty(),
                    "{numerator}/{denominator} {scan:?} {:#?}",
                    measure.faults()
                );
                assert!(largest <= 1460, "{largest}");
                let text = "Time and tide\nwait for none";
                let mut captions: Vec<_> = facts.captions.iter().map(|it| it.service.as_str()).collect();
                captions.sort_unstable();
                assert_eq!(captions, ["CC1", "service 1"]);
                assert!(facts.captions.iter().all(|it| it.last == text), "{:?}", facts.captions);
                let packets = facts.caption_packets.unwrap();
                assert_eq!(
                    (packets.sequence_gaps, packets.digital_gaps, packets.line_parity_errors),
                    (0, 0, 0)
                );
                assert_eq!(packets.frame_rate, Ratio::new(numerator, denominator));
                assert_eq!(facts.format_description.unwrap().code, 8);
                let window = facts.window.unwrap();
                assert_eq!((window.late, window.early), (0, 0));
                assert!(window.total_lines_assumed && window.late_ns.least < 0);
                assert!(facts.time_codes.iter().all(|it| it.jumps == 0 && it.impossible == 0));
                assert_eq!(facts.time_codes.len(), if scan == Scan::Interlaced { 3 } else { 1 });
            }
        }
    }

    #[test]
    fn a_stream_of_other_kinds_is_kept_alive() {
        let (measure, _) = measured(&format(25, 1, &[(0x41, 0x07)]), Scan::Progressive, 0, 10);
        assert_eq!((measure.facts().keep_alives, measure.facts().packets), (10, 10));
        assert!(measure.faults().is_empty());
        assert!(AncillaryMaker::new(&format(12, 1, &[]), Scan::Progressive, 100, 7).is_none());
    }

    #[test]
    fn labels_tell_the_time_of_day() {
        let maker = |numerator, denominator, offset| {
            let mut maker =
                AncillaryMaker::new(&format(numerator, denominator, &[]), Scan::Progressive, 100, 7).unwrap();
            maker.tell_time_with(offset);
            maker
        };
        // 2023-11-14T22:13:20 UTC is 37 s later in TAI.
        let tai = 1_700_000_037;
        assert_eq!(maker(25, 1, -37).label(tai * 25 + 7).to_string(), "22:13:20:07");
        assert_eq!(maker(50, 1, -37).label(tai * 50 + 7).to_string(), "22:13:20:03");
        assert_eq!(maker(25, 1, 0).label(tai * 25).to_string(), "22:13:57:00");
        // Labels that drop keep up with the clock within a few frames over the day.
        let label = maker(30_000, 1001, -37).label(tai * 30_000 / 1001 + 1);
        assert!(label.drop_frame && label.to_string().starts_with("22:13:"), "{label}");
        assert!((19..=21).contains(&label.seconds), "{label}");
    }
}
