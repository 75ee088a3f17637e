//! Measuring what was made, whole and with every fault (ST 2110-20:2022).

use super::{Assembler, Measure, rules};
use crate::Packet;
use crate::make::Batch;
use crate::make::video::tests::format;
use crate::make::video::{Head, Signal, VideoMaker};
use crate::picture::Picture;
use model::Timestamp;
use model::media::video::{ExtendedSequence, VideoFacts};
use model::media::{Depth, Packing, Ratio, Sampling, Scan, SenderType, StreamRule, VideoFormat};

/// A packet on its way: when, and its bytes from the RTP header on.
#[derive(Clone)]
pub struct Sent {
    pub at_ns: i64,
    pub bytes: Vec<u8>,
}

impl Sent {
    fn set16(&mut self, at: usize, value: u16) {
        self.bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
    }

    fn row(&self) -> u16 {
        u16::from_be_bytes([self.bytes[16] & 0x7f, self.bytes[17]])
    }

    fn timestamp(&self) -> u32 {
        u32::from_be_bytes(self.bytes[4..8].try_into().unwrap())
    }
}

/// Frames of a format as they are sent, evenly.
pub fn send(format: &VideoFormat, signal: Signal, frames: u64) -> Vec<Sent> {
    let head = Head { payload_type: 96, ssrc: 7, sequence: 0x0001_ff00 };
    let narrow = format.sender_type == Some(SenderType::Narrow);
    let make = if narrow { VideoMaker::filled } else { VideoMaker::new };
    let mut maker = make(format, signal, true, head).unwrap();
    let (up, down) = (u64::from(format.frame_rate.numerator()), u64::from(format.frame_rate.denominator()));
    let mut sent = Vec::new();
    for frame in 1000..1000 + frames {
        let mut batch = Batch::default();
        let halves = |half: u64| u32::try_from((frame * 2 + half) * 45_000 * down / up).unwrap();
        let second = if format.scan == Scan::Interlaced { halves(1) } else { halves(0) };
        maker.frame(frame, [halves(0), second], &mut batch);
        let begin = i64::try_from(frame * 1_000_000_000 * down / up).unwrap();
        for (index, bytes) in batch.iter().enumerate() {
            let at_ns = begin + i64::try_from(index * 15_000_000 / batch.len()).unwrap();
            sent.push(Sent { at_ns, bytes: bytes.to_vec() });
        }
    }
    sent
}

pub fn packets(sent: &[Sent]) -> impl Iterator<Item = Packet<'_>> {
    sent.iter().enumerate().map(|(index, sent)| Packet {
        time: Some(Timestamp::from_ns(sent.at_ns)),
        frame: index as u64 + 1,
        udp_bytes: u16::try_from(sent.bytes.len() + 8).unwrap(),
        rtp: wire::rtp::parse(&sent.bytes).unwrap(),
    })
}

fn measure(format: &VideoFormat, sent: &[Sent]) -> (VideoFacts, Vec<&'static str>) {
    let mut measure = Measure::new(format);
    packets(sent).for_each(|packet| measure.handle(&packet));
    (measure.facts(), measure.tally().faults().iter().map(|fault| fault.rule.name).collect())
}

fn small() -> VideoFormat {
    format(Sampling::YCbCr422, Depth::Ten)
}

/// One packet a row, so that rows can be spoken of.
fn rows() -> VideoFormat {
    VideoFormat { width: 520, height: 20, ..small() }
}

fn rings(rule: &StreamRule, change: impl FnOnce(&mut Vec<Sent>)) {
    rings_for(&rows(), rule, change);
}

fn rings_for(format: &VideoFormat, rule: &StreamRule, change: impl FnOnce(&mut Vec<Sent>)) {
    let mut sent = send(format, Signal::Bars, 6);
    assert_eq!(measure(format, &sent).1, Vec::<&str>::new(), "before the change");
    change(&mut sent);
    let (_, faults) = measure(format, &sent);
    assert!(faults.contains(&rule.name), "{} in {faults:?}", rule.name);
}

#[test]
fn what_is_made_is_right_in_every_format() {
    let rate = |n, d| Ratio::new(n, d).unwrap();
    for scan in [Scan::Progressive, Scan::Interlaced, Scan::Segmented] {
        for (packing, sender_type) in
            [(Packing::General, None), (Packing::General, Some(SenderType::Narrow)), (Packing::Block, None)]
        {
            for sampling in
                [Sampling::YCbCr422, Sampling::YCbCr444, Sampling::YCbCr420, Sampling::Rgb, Sampling::Key]
            {
                for (depth, frame_rate) in [
                    (Depth::Eight, rate(25, 1)),
                    (Depth::Ten, rate(30_000, 1001)),
                    (Depth::Twelve, rate(24_000, 1001)),
                    (Depth::SixteenFloat, rate(60, 1)),
                ] {
                    let format = VideoFormat {
                        width: 1284,
                        height: 31 + u16::from(sampling == Sampling::YCbCr420),
                        scan,
                        packing,
                        sender_type,
                        frame_rate,
                        ..format(sampling, depth)
                    };
                    let Ok(mut maker) =
                        VideoMaker::new(&format, Signal::Bars, true, crate::make::video::tests::HEAD)
                    else {
                        continue;
                    };
                    let sent = send(&format, Signal::Bars, 5);
                    let (facts, mut faults) = measure(&format, &sent);
                    // Rows that are too short for one datagram and too long for two in one cannot be helped.
                    faults.retain(|name| *name != rules::SMALL_DATAGRAM.name);
                    assert_eq!(faults, Vec::<&str>::new(), "{format:?}");
                    let units = if scan == Scan::Progressive { 5 } else { 10 };
                    assert_eq!((facts.complete, facts.incomplete, facts.cut), (units, 0, 0), "{format:?}");
                    assert_eq!(facts.scan, Some(scan));
                    assert_eq!(facts.packets, sent.len() as u64);
                    assert_eq!(facts.min_row, Some(0));
                    assert!(facts.packing == Some(packing) || facts.packing.is_none(), "{format:?}");

                    let mut assembler = Assembler::new(&format).unwrap();
                    let pictures: Vec<_> =
                        packets(&sent).filter_map(|packet| assembler.handle(&packet)).collect();
                    assert_eq!((pictures.len(), assembler.poll()), (5, None));
                    maker.frame(1004, [0; 2], &mut Batch::default());
                    let last = pictures.last().unwrap();
                    assert!(last.planes == maker.picture().planes, "{format:?}");
                    assert!(pictures.iter().all(|picture| picture.missing_pixels == 0));
                }
            }
        }
    }
}

#[test]
fn loss_is_counted_and_is_not_the_senders_fault() {
    let mut sent = send(&rows(), Signal::Bars, 6);
    sent.remove(45);
    sent.remove(45);
    let (facts, faults) = measure(&rows(), &sent);
    assert_eq!((facts.complete, facts.incomplete, facts.rows_missing), (5, 1, 2));
    assert_eq!((facts.pixels_missing, facts.rows_partial), (2 * 520, 0));
    assert_eq!(faults, Vec::<&str>::new());
    let mut assembler = Assembler::new(&rows()).unwrap();
    let mut pictures: Vec<_> = packets(&sent).filter_map(|packet| assembler.handle(&packet)).collect();
    pictures.extend(core::iter::from_fn(|| assembler.poll()));
    assert_eq!(pictures.iter().map(|it| it.missing_pixels).sum::<u64>(), 1040);
    assert_eq!(pictures.len(), 6);
}

#[test]
fn scraps_are_no_pictures_and_leave_nothing_behind() {
    for (scan, sampling) in [
        (Scan::Progressive, Sampling::YCbCr422),
        (Scan::Interlaced, Sampling::YCbCr422),
        (Scan::Progressive, Sampling::YCbCr420),
    ] {
        let format = VideoFormat { scan, height: 80, ..format(sampling, Depth::Ten) };
        let mut sent = send(&format, Signal::Bars, 6);
        let whole = sent.clone();
        // A packet in the middle of each frame has a timestamp of its own.
        let in_frame = sent.len() / 6;
        for at in (in_frame / 3..sent.len()).step_by(in_frame) {
            sent[at].bytes[4] ^= 0x40;
        }
        let mut assembler = Assembler::new(&format).unwrap();
        let mut pictures: Vec<_> = packets(&sent).filter_map(|packet| assembler.handle(&packet)).collect();
        assert!(assembler.scraps() >= 2, "{scan:?}");
        pictures.extend(core::iter::from_fn(|| assembler.poll()));
        let mut fresh = Assembler::new(&format).unwrap();
        let perfect: Vec<_> = packets(&whole).filter_map(|packet| fresh.handle(&packet)).collect();
        // What was put together in used memory is black where nothing came, as in new memory.
        let black = Picture::black(&format).unwrap();
        for picture in pictures.iter().filter(|picture| picture.missing_pixels < 80 * 40) {
            let perfect = perfect.iter().find(|it| it.timestamps == picture.timestamps).unwrap();
            let places = picture.planes.iter().zip(&perfect.planes).zip(&black.planes);
            for ((plane, perfect), black) in places {
                let numbers = plane.samples.iter().zip(&perfect.samples).zip(&black.samples);
                assert!(numbers.into_iter().all(|((is, should), black)| is == should || is == black));
            }
        }
    }
}

#[test]
fn order_and_duplicates_do_not_matter() {
    let mut sent = send(&rows(), Signal::Bars, 6);
    for at in (0..sent.len() - 4).step_by(7) {
        sent.swap(at, at + 3);
    }
    let copy = sent[50].clone();
    sent.insert(55, copy);
    let (facts, faults) = measure(&rows(), &sent);
    assert_eq!((facts.complete, facts.incomplete, facts.cut), (6, 0, 0));
    assert_eq!((facts.copies, facts.packets_per_unit.min, facts.packets_per_unit.max), (1, 20, 20));
    assert_eq!(faults, Vec::<&str>::new());
    let mut assembler = Assembler::new(&rows()).unwrap();
    assert_eq!(packets(&sent).filter_map(|packet| assembler.handle(&packet)).count(), 6);
}

#[test]
fn a_recording_that_begins_and_ends_in_a_frame() {
    let sent = send(&rows(), Signal::Bars, 6);
    let (facts, faults) = measure(&rows(), &sent[7..sent.len() - 3]);
    assert_eq!((facts.complete, facts.incomplete, facts.cut), (4, 0, 2));
    assert_eq!(faults, Vec::<&str>::new());
}

#[test]
fn a_whole_frame_lost_is_skipped() {
    let mut sent = send(&rows(), Signal::Bars, 6);
    sent.drain(40..60);
    let (facts, faults) = measure(&rows(), &sent);
    assert_eq!((facts.complete, facts.skipped, facts.incomplete), (5, 1, 0));
    assert_eq!(faults, Vec::<&str>::new());
}

#[test]
fn pieces_of_rows() {
    rings(&rules::HEADER, |sent| sent[30].bytes.truncate(17));
    rings(&rules::BEYOND_PACKET, |sent| {
        sent[30].bytes.pop();
    });
    rings(&rules::TRAILING, |sent| sent[30].bytes.push(0));
    rings(&rules::PGROUP, |sent| sent[30].set16(14, 1299));
    rings(&rules::OFFSET, |sent| sent[30].set16(18, 1));
    rings(&rules::WIDTH, |sent| sent[30].set16(18, 2));
    rings(&rules::ROW, |sent| sent[30].set16(16, 20));
    rings(&rules::FIELD_OF_PROGRESSIVE, |sent| sent[30].bytes[16] |= 0x80);
    rings(&rules::PIXELS_TWICE, |sent| sent[30].set16(16, 9));
    rings(&rules::SMALL_DATAGRAM, |sent| {
        sent[30].bytes.truncate(20 + 800);
        sent[30].set16(14, 800);
    });
    let pair = VideoFormat { height: 40, ..format(Sampling::YCbCr420, Depth::Ten) };
    rings_for(&pair, &rules::ROW_PAIR, |sent| sent[30].set16(16, 1));
    // Three whole rows in each packet of a narrow picture.
    let narrow = VideoFormat { width: 180, height: 30, ..small() };
    rings_for(&narrow, &rules::EMPTY, |sent| sent[20].set16(14, 0));
    rings_for(&narrow, &rules::COUNT, |sent| {
        sent[20].bytes[12 + 2 + 6 + 6 + 4] |= 0x80;
    });
    let fields = VideoFormat { scan: Scan::Interlaced, ..narrow };
    rings_for(&fields, &rules::FIELDS_MIXED, |sent| sent[21].bytes[12 + 2 + 6 + 2] ^= 0x80);
}

#[test]
fn a_sender_that_leaves_rows_out() {
    rings(&rules::PIXELS_MISSING, |sent| {
        // The packet is left out, and those behind it are numbered as if it had never been.
        let left_out = sent.remove(50);
        let mut sequence = u16::from_be_bytes([left_out.bytes[2], left_out.bytes[3]]);
        for sent in &mut sent[50..] {
            sent.set16(2, sequence);
            sequence = sequence.wrapping_add(1);
        }
    });
}

#[test]
fn markers_and_timestamps() {
    rings(&rules::MARKER_MISSING, |sent| sent[39].bytes[1] &= 0x7f);
    rings(&rules::MARKER_EARLY, |sent| sent[45].bytes[1] |= 0x80);
    rings(&rules::TIMESTAMP_IN_FRAME, |sent| sent[45].bytes[7] ^= 1);
    rings(&rules::TIMESTAMP_SAME, |sent| {
        let before = sent[30].timestamp();
        sent[40..60].iter_mut().for_each(|it| it.bytes[4..8].copy_from_slice(&before.to_be_bytes()));
    });
    let rate = Ratio::new(60_000, 1001).unwrap();
    rings_for(&VideoFormat { frame_rate: rate, ..rows() }, &rules::TIMESTAMP_STRAY, |sent| {
        let begin = sent[0].timestamp();
        for (index, it) in sent.iter_mut().enumerate() {
            let timestamp = begin + u32::try_from(index / 20).unwrap() * 1502;
            it.bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
        }
    });
    let mut slow = send(&rows(), Signal::Bars, 30);
    slow.iter_mut().for_each(|it| it.at_ns = it.at_ns * 11 / 10);
    assert!(measure(&rows(), &slow).1.contains(&rules::FRAME_RATE.name));
}

#[test]
fn rows_that_come_in_another_order_are_told() {
    let mut sent = send(&rows(), Signal::Bars, 6);
    let numbers: Vec<[u8; 2]> = sent.iter().map(|it| [it.bytes[2], it.bytes[3]]).collect();
    sent[40..60].reverse();
    sent.iter_mut().zip(numbers).for_each(|(it, number)| it.bytes[2..4].copy_from_slice(&number));
    let marker = |it: &mut Sent, set: bool| it.bytes[1] = it.bytes[1] & 0x7f | u8::from(set) << 7;
    marker(&mut sent[40], false);
    marker(&mut sent[59], true);
    let mut measure = Measure::new(&rows());
    packets(&sent).for_each(|packet| measure.handle(&packet));
    let told: Vec<_> = measure.tally().faults().iter().map(|it| (it.rule.name, it.count)).collect();
    assert_eq!((told, measure.facts().complete), (vec![("srd-order", 19)], 6));
}

#[test]
fn one_wrong_field_bit_breaks_no_field() {
    for (scan, rule) in
        [(Scan::Progressive, &rules::FIELD_OF_PROGRESSIVE), (Scan::Interlaced, &rules::FIELDS_MIXED)]
    {
        let format = VideoFormat { scan, ..rows() };
        let mut sent = send(&format, Signal::Bars, 6);
        sent[45].bytes[16] ^= 0x80;
        // Of a marker, too.
        sent[79].bytes[16] ^= 0x80;
        let mut measure = Measure::new(&format);
        packets(&sent).for_each(|packet| measure.handle(&packet));
        let told: Vec<_> = measure.tally().faults().iter().map(|it| (it.rule.name, it.count)).collect();
        assert_eq!((told, measure.facts().incomplete), (vec![(rule.name, 2)], 0));
    }
}

#[test]
fn fields_and_segments() {
    let fields = VideoFormat { scan: Scan::Interlaced, ..rows() };
    let segments = VideoFormat { scan: Scan::Segmented, ..rows() };
    let same = |sent: &mut Vec<Sent>| {
        for at in (10..sent.len()).step_by(20) {
            let before = sent[at - 1].timestamp();
            sent[at..at + 10].iter_mut().for_each(|it| it.bytes[4..8].copy_from_slice(&before.to_be_bytes()));
        }
    };
    rings_for(&fields, &rules::FIELD_TIMESTAMP, same);
    rings_for(&segments, &rules::SEGMENT_TIMESTAMP, |sent| {
        sent[50..60].iter_mut().for_each(|it| {
            let later = it.timestamp() + 900;
            it.bytes[4..8].copy_from_slice(&later.to_be_bytes());
        });
    });
    rings_for(&fields, &rules::FIELD_ORDER, |sent| {
        sent[50..60].iter_mut().for_each(|it| it.bytes[16] &= 0x7f)
    });
    rings_for(&fields, &rules::FIELD_MISSING, |sent| sent.iter_mut().for_each(|it| it.bytes[16] &= 0x7f));
    // Both orders within a frame of segments.
    let mut sent = send(&segments, Signal::Bars, 6);
    for frame in sent.chunks_mut(20) {
        frame.rotate_left(10);
    }
    let numbers: Vec<_> =
        (0..sent.len()).map(|at| 0xff00_u16.wrapping_add(u16::try_from(at).unwrap())).collect();
    sent.iter_mut().zip(numbers).for_each(|(it, number)| it.set16(2, number));
    let (facts, faults) = measure(&segments, &sent);
    assert!(facts.second_field_first && faults.contains(&rules::FIELD_ORDER.name), "{faults:?}");
}

#[test]
fn the_upper_half_of_the_sequence_number() {
    // 300 packets from 0x1ff00 on: the lower half wraps.
    let sent = send(&rows(), Signal::Bars, 15);
    assert_eq!(measure(&rows(), &sent).0.extended_sequence, ExtendedSequence::Counts);
    assert_eq!(measure(&rows(), &sent[..200]).0.extended_sequence, ExtendedSequence::Unknown);
    let mut zero = sent.clone();
    zero.iter_mut().for_each(|it| it.set16(12, 0));
    let (facts, faults) = measure(&rows(), &zero);
    assert_eq!((facts.extended_sequence, faults), (ExtendedSequence::Zero, vec![rules::EXTENDED_ZERO.name]));
    let mut odd = sent;
    odd[30].set16(12, 9);
    let (facts, faults) = measure(&rows(), &odd);
    assert_eq!((facts.extended_sequence, faults), (ExtendedSequence::Other, vec![rules::EXTENDED_STEP.name]));
}

#[test]
fn block_packing() {
    let blocks = VideoFormat { packing: Packing::Block, ..rows() };
    rings_for(&blocks, &rules::BLOCK_SIZE, |sent| sent[30].bytes.truncate(12 + 8 + 1000));
    // Beyond the agreed limit as well, it is one fault of every format, and told of there.
    let mut long = send(&blocks, Signal::Bars, 6);
    long[30].bytes.resize(1453, 0);
    assert!(!measure(&blocks, &long).1.contains(&rules::BLOCK_EXTENDED.name));
    let extended = VideoFormat { max_udp_bytes: 8960, ..blocks.clone() };
    rings_for(&extended, &rules::BLOCK_EXTENDED, |sent| sent[30].bytes.resize(1453, 0));
    let (facts, _) = measure(&blocks, &send(&blocks, Signal::Bars, 6));
    assert_eq!(facts.packing, Some(Packing::Block));
}

#[test]
fn line_numbers_of_sdi_are_understood_after_the_first_frame() {
    let mut sent = send(&rows(), Signal::Bars, 6);
    sent.iter_mut().for_each(|it| it.set16(16, it.row() + 42));
    let (facts, faults) = measure(&rows(), &sent);
    assert_eq!(faults, [rules::LINE_NUMBERS.name,]);
    assert_eq!((facts.first_row[0], facts.min_row, facts.max_row), (42, Some(42), Some(61)));
    assert!(facts.complete >= 3 && facts.incomplete <= 1, "{facts:?}");
    let mut assembler = Assembler::new(&rows()).unwrap();
    assembler.count_rows_from(facts.first_row);
    assert_eq!(packets(&sent).filter_map(|packet| assembler.handle(&packet)).count(), 6);
}

#[test]
fn what_is_measured_is_bounded_and_survives_anything() {
    let sent = send(&small(), Signal::ZonePlate, 3);
    let mut seed = 11_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    for scan in [Scan::Progressive, Scan::Interlaced, Scan::Segmented] {
        let format = VideoFormat { scan, ..small() };
        let (mut measure, mut assembler) = (Measure::new(&format), Assembler::new(&format).unwrap());
        for round in 0..4000 {
            let mut one = sent[random() % sent.len()].clone();
            for _ in 0..random() % 4 {
                let at = random() % 24;
                one.bytes[at] = random().to_le_bytes()[0];
            }
            one.bytes[0] = 0x80;
            one.bytes.truncate(12 + random() % one.bytes.len());
            let rtp = wire::rtp::parse(&one.bytes).unwrap();
            let packet = Packet {
                time: Some(Timestamp::from_ns(random() as i64)),
                frame: round,
                udp_bytes: 1400,
                rtp,
            };
            measure.handle(&packet);
            assembler.handle(&packet);
        }
        assert!(measure.tally().faults().len() <= rules::ALL.len());
        assert_eq!(measure.facts().packets, 4000);
    }
}
