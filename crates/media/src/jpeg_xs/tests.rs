//! JPEG XS measured: streams made here, with every fault, and a recording (RFC 9134).

use super::measure::{self, Measure, RULES};
use super::{Depacketiser, Part, codestream, header};
use crate::Packet;
use model::Timestamp;
use model::media::{CompressedFormat, Ratio, Scan, StreamRule};

#[derive(Clone)]
struct Sent {
    sequence: u16,
    timestamp: u32,
    marker: bool,
    payload: Vec<u8>,
}

fn format(scan: Scan) -> CompressedFormat {
    CompressedFormat {
        width: Some(1920),
        height: Some(if scan == Scan::Progressive { 540 } else { 1080 }),
        frame_rate: Ratio::new(25, 1),
        scan,
        slices: false,
        sequential: true,
        sampling: None,
        depth: None,
        sender_type: None,
        burst_packets: None,
        bandwidth_kbps: None,
        ..CompressedFormat::default()
    }
}

/// Units of ten packets in codestream mode: frames, or fields that count frames.
fn send(scan: Scan, units: u32) -> Vec<Sent> {
    let frame = codestream::tests::frame(9000);
    let mut sent = Vec::new();
    for unit in 0..units {
        let interlaced = scan == Scan::Interlaced;
        let (part, number) = match (interlaced, unit % 2) {
            (false, _) => (Part::Progressive, unit),
            (true, 0) => (Part::First, unit / 2),
            (true, _) => (Part::Second, unit / 2),
        };
        let chunks: Vec<_> = frame.chunks(frame.len().div_ceil(10)).collect();
        for (index, data) in chunks.iter().enumerate() {
            let last = index + 1 == chunks.len();
            let head = header::Payload {
                sequential: true,
                slices: false,
                last,
                part,
                frame: u8::try_from(number % 32).unwrap(),
                slice: 0,
                packet: u16::try_from(index).unwrap(),
                data,
            };
            sent.push(Sent {
                sequence: 65_500_u16.wrapping_add(u16::try_from(sent.len()).unwrap()),
                timestamp: unit * if interlaced { 1800 } else { 3600 },
                marker: last,
                payload: [&head.header()[..], data].concat(),
            });
        }
    }
    sent
}

fn feed(sent: &[Sent], mut to: impl FnMut(&Packet<'_>)) {
    for (index, sent) in sent.iter().enumerate() {
        let mut bytes = vec![0x80, 96 | u8::from(sent.marker) << 7];
        bytes.extend(sent.sequence.to_be_bytes());
        bytes.extend(sent.timestamp.to_be_bytes());
        bytes.extend([0, 0, 0, 7]);
        bytes.extend(&sent.payload);
        to(&Packet {
            time: Some(Timestamp::from_ns(i64::try_from(index).unwrap() * 1_000_000)),
            frame: index as u64 + 1,
            udp_bytes: u16::try_from(bytes.len() + 8).unwrap(),
            rtp: wire::rtp::parse(&bytes).unwrap(),
        });
    }
}

fn faults(scan: Scan, sent: &[Sent]) -> Vec<&'static str> {
    let mut measure = Measure::new(&format(scan));
    feed(sent, |packet| measure.handle(packet));
    measure.tally().faults().iter().map(|fault| fault.rule.name).collect()
}

fn rings(scan: Scan, rule: &StreamRule, change: impl FnOnce(&mut Vec<Sent>)) {
    let mut sent = send(scan, 6);
    assert_eq!(faults(scan, &sent), Vec::<&str>::new());
    change(&mut sent);
    let faults = faults(scan, &sent);
    assert!(faults.contains(&rule.name), "{} in {faults:?}", rule.name);
}

#[test]
fn what_is_made_is_right() {
    for scan in [Scan::Progressive, Scan::Interlaced] {
        let sent = send(scan, 70);
        let mut measure = Measure::new(&format(scan));
        let mut depacketiser = Depacketiser::default();
        let mut files = Vec::new();
        feed(&sent, |packet| {
            measure.handle(packet);
            files.extend(depacketiser.handle(packet));
        });
        assert_eq!(measure.tally().faults(), []);
        let facts = measure.facts();
        assert_eq!((facts.complete, facts.incomplete, facts.cut), (70, 0, 0));
        assert_eq!((facts.packets_per_unit.min, facts.packets_per_unit.max), (10, 10));
        assert_eq!((facts.with_support_box, facts.sequential, facts.slices), (70, Some(true), Some(false)));
        assert_eq!(facts.packet_rate_milli, Some(1_000_000));
        assert_eq!((files.len(), depacketiser.dropped()), (70, 0));
        assert!(files.iter().all(|file| file.bytes == codestream::tests::frame(9000)));
        assert!(files[0].codestream().starts_with(&codestream::START));
    }
}

#[test]
fn every_rule_can_ring() {
    let progressive = |rule: &StreamRule, change: fn(&mut Vec<Sent>)| rings(Scan::Progressive, rule, change);
    progressive(&measure::HEADER, |sent| sent[25].payload.truncate(3));
    progressive(&measure::MODE_CHANGES, |sent| sent[25].payload[0] ^= 0x40);
    progressive(&measure::OUT_OF_ORDER_MODE, |sent| sent[25].payload[0] ^= 0x80);
    progressive(&measure::LAST_AND_MARKER, |sent| sent[25].payload[0] ^= 0x20);
    progressive(&measure::RESERVED, |sent| sent[25].payload[0] |= 0x08);
    progressive(&measure::FRAME_COUNTER, |sent| sent[25].payload[1] ^= 0x40);
    progressive(&measure::PACKET_COUNTER, |sent| sent[25].payload[3] ^= 1);
    progressive(&measure::SLICE_COUNTER, |sent| sent[25].payload[2] ^= 0x10);
    progressive(&measure::SUPPORT_BOX, |sent| sent[20].payload[8] = b'x');
    progressive(&measure::NO_END, |sent| {
        sent[29].payload.pop();
    });
    progressive(&measure::LENGTH, |sent| sent[24].payload.push(0));
    progressive(&measure::BYTES_VARY, |sent| sent[24].payload.push(0));
    progressive(&measure::MARKER_MISSING, |sent| sent[29].marker = false);
    progressive(&measure::TIMESTAMP_IN_FRAME, |sent| sent[25].timestamp += 1);
    progressive(&measure::PACKETS_VARY, |sent| {
        sent.remove(25);
        sent[25..].iter_mut().for_each(|it| it.sequence = it.sequence.wrapping_sub(1));
    });
    rings(Scan::Interlaced, &measure::COUNTS_FIELDS, |sent| {
        for (index, it) in sent.iter_mut().enumerate() {
            let frame = u8::try_from(index / 10).unwrap();
            it.payload[0] = it.payload[0] & 0xf8 | frame >> 2;
            it.payload[1] = frame << 6 | it.payload[1] & 0x3f;
        }
    });
    let mut said = format(Scan::Progressive);
    said.bandwidth_kbps = Some(1);
    said.width = Some(1280);
    let mut measure = Measure::new(&said);
    feed(&send(Scan::Progressive, 3), |packet| measure.handle(packet));
    let names: Vec<_> = measure.tally().faults().iter().map(|fault| fault.rule.name).collect();
    assert_eq!(names, [measure::NOT_AS_SAID.name, measure::BANDWIDTH.name]);
    // Ten packets of 9,138 octets in all, 12 + 4 + 8 + 20 of headers each, 25 times a second.
    let octets = codestream::tests::frame(9000).len() as u64 + 10 * 44;
    assert_eq!(measure.facts().bandwidth_kbps, Some((octets * 8 * 25).div_ceil(1000)));
    assert_eq!(RULES.len(), 18);
}

#[test]
fn loss_is_counted() {
    let mut sent = send(Scan::Progressive, 6);
    sent.remove(25);
    let mut measure = Measure::new(&format(Scan::Progressive));
    let mut depacketiser = Depacketiser::default();
    let mut files = 0;
    feed(&sent, |packet| {
        measure.handle(packet);
        files += usize::from(depacketiser.handle(packet).is_some());
    });
    let facts = measure.facts();
    assert_eq!((facts.complete, facts.incomplete, measure.tally().faults().len()), (5, 1, 0));
    assert_eq!((files, depacketiser.dropped()), (5, 1));
}

#[test]
fn slices() {
    // A header segment and three slices, the second in two packets.
    let frame = codestream::tests::frame(3000);
    let cuts = [
        (0, 200, 0x7ff, 0, true),
        (200, 900, 0, 0, true),
        (900, 1500, 1, 0, false),
        (1500, 2000, 1, 1, true),
    ];
    let cuts = cuts.into_iter().chain([(2000, frame.len(), 2, 0, true)]);
    let sent_as = |sequential: bool, order: [usize; 5]| {
        let mut sent = Vec::new();
        let cuts: Vec<_> = cuts.clone().collect();
        for (unit, (nth, at)) in (0..4_u8).flat_map(|unit| order.iter().enumerate().map(move |it| (unit, it)))
        {
            let (from, to, slice, packet, last) = cuts[*at];
            let data = &frame[from..to];
            let head = header::Payload {
                sequential,
                slices: true,
                last,
                part: Part::Progressive,
                frame: unit,
                slice,
                packet,
                data,
            };
            sent.push(Sent {
                sequence: u16::try_from(sent.len()).unwrap(),
                timestamp: u32::from(unit) * 3600,
                marker: nth == 4,
                payload: [&head.header()[..], data].concat(),
            });
        }
        sent
    };
    let run = |sequential: bool, sent: &[Sent]| {
        let format = CompressedFormat { slices: true, sequential, ..format(Scan::Progressive) };
        let (mut measure, mut depacketiser) = (Measure::new(&format), Depacketiser::default());
        let mut detector = crate::video::Detector::default();
        let mut files = Vec::new();
        feed(sent, |packet| {
            measure.handle(packet);
            detector.handle(packet);
            files.extend(depacketiser.handle(packet));
        });
        let names: Vec<_> = measure.tally().faults().iter().map(|fault| fault.rule.name).collect();
        let whole = files.iter().filter(|file| file.bytes == frame).count();
        (measure.facts(), names, whole, detector.found().is_some())
    };
    for (sequential, order) in [
        (true, [0, 1, 2, 3, 4]),
        (false, [0, 1, 2, 3, 4]),
        // Without order, the header may come last, and a slice in two pieces.
        (false, [3, 4, 1, 2, 0]),
        (false, [0, 4, 3, 2, 1]),
    ] {
        let (facts, faults, files, found) = run(sequential, &sent_as(sequential, order));
        assert_eq!((faults, files, found), (vec![], 4, true), "{order:?}");
        assert_eq!((facts.complete, facts.slices_per_unit.min, facts.slices_per_unit.max), (4, 3, 3));
    }
    // Who says that there is order has to keep it.
    let (_, faults, ..) = run(true, &sent_as(true, [0, 4, 3, 2, 1]));
    assert!(faults.contains(&measure::SLICE_COUNTER.name) && faults.contains(&measure::NO_END.name));
    let mut lost = sent_as(false, [3, 4, 1, 2, 0]);
    lost.remove(7);
    assert_eq!(run(false, &lost).2, 3);
}

#[test]
fn a_recording_of_a_field_based_encoder() {
    let path = "st2110-22/125mbps-JPEGXS.pcap";
    let Some(capture) = crate::recordings_tests::read(path) else { return };
    let mut measure =
        Measure::new(&CompressedFormat { frame_rate: Ratio::new(30_000, 1001), ..format(Scan::Interlaced) });
    let mut depacketiser = Depacketiser::default();
    let (mut files, mut parts) = (Vec::new(), Vec::new());
    crate::recordings_tests::packets(&capture, |packet| {
        assert_eq!(packet.rtp.payload_type, 100);
        measure.handle(packet);
        let payload = header::parse(packet.rtp.payload).unwrap();
        if parts.last() != Some(&payload.part) {
            parts.push(payload.part);
        }
        files.extend(depacketiser.handle(packet));
    });
    let facts = measure.facts();
    assert_eq!((facts.packets, facts.complete, facts.incomplete, facts.cut), (1085, 5, 0, 0));
    // 125 Mbit/s of codestream, and headers.
    assert_eq!(facts.bandwidth_kbps, Some(128_901));
    assert_eq!((facts.packets_per_unit.min, facts.packets_per_unit.max), (217, 217));
    assert_eq!((facts.bytes_per_unit.min, facts.bytes_per_unit.max), (259_264, 259_264));
    assert_eq!((facts.sequential, facts.slices, facts.interlaced), (Some(true), Some(false), Some(true)));
    assert_eq!((facts.frame_counters, facts.counts_fields), (Some((11, 15)), true));
    assert_eq!(parts, [Part::First, Part::Second, Part::First, Part::Second, Part::First]);
    assert_eq!((facts.first_fields, facts.second_fields, facts.with_support_box), (3, 2, 5));
    let codestream = facts.codestream.unwrap();
    assert_eq!((codestream.width, codestream.height, codestream.bytes), (1920, 540, 259_204));
    assert_eq!(codestream.components, [(10, 1, 1), (10, 2, 1), (10, 2, 1)]);
    let names: Vec<_> = measure.tally().faults().iter().map(|fault| fault.rule.name).collect();
    assert_eq!(names, [measure::COUNTS_FIELDS.name]);
    assert_eq!((files.len(), depacketiser.dropped()), (5, 0));
    assert!(
        files
            .iter()
            .all(|file| file.codestream().len() == 259_204 && file.codestream().ends_with(&codestream::END))
    );
}
