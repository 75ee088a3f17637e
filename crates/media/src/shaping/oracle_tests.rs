//! Shaping against a slow oracle that computes each instant anew from the definitions, over many rates.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers are small and our own"
)]

use model::media::shaping::ShapingFacts;
use model::media::{ClockBasis, Profile, Ratio, Scan, SenderType};
use model::{Timestamp, Utc};
use wire::rtp;

use super::{BUFFER_UNDERFLOW, BURST, FIELDS_SWAPPED, Payload, Raster, Shaping, ShapingPlan};
use crate::Packet;
use crate::clock::{Alignment, CaptureClock};
use crate::make::schedule::VideoSchedule;

const EPOCH_FRAME_SECONDS: i64 = 1_800_000_000;

/// What is sent: time, frame since the epoch, second field, sequence number, last of its unit, first of its unit.
#[derive(Debug, Clone, Copy)]
struct Sent {
    at: i64,
    frame: i64,
    second: bool,
    place: u32,
    of: u32,
    sequence: u16,
    /// Where the field bit is turned round: ticks of half a frame.
    turned: Option<u32>,
}

fn packets_of(raster: Raster, sender_type: SenderType, units: i64, of: u32) -> Vec<Sent> {
    let schedule = VideoSchedule::new(raster, sender_type).unwrap();
    let frames = Alignment::new(raster.frame_rate);
    let first = frames.number(Timestamp::from_ns(EPOCH_FRAME_SECONDS * 1_000_000_000));
    let parts = if raster.scan == Scan::Progressive { 1 } else { 2 };
    let mut sent = Vec::new();
    for unit in 0..units {
        let (frame, second) = (first + unit / parts, unit % parts == 1);
        for (place, at) in (0..).zip(schedule.departures(frame, second, of)) {
            let sequence = (sent.len() % 65_536) as u16;
            sent.push(Sent { at: at.as_ns(), frame, second, place, of, sequence, turned: None });
        }
    }
    sent
}

fn plan(raster: Raster, sender_type: SenderType) -> ShapingPlan {
    ShapingPlan {
        raster,
        payload: Payload::Raw,
        sender_type: Some(sender_type),
        burst_packets: None,
        clock_rate: 90_000,
        clock_offset: 0,
        clock: CaptureClock::Tai,
        profile: Profile::Standard,
    }
}

fn measure(plan: ShapingPlan, sent: &[Sent]) -> Shaping {
    let mut shaping = Shaping::new(plan).unwrap();
    let frames = Alignment::new(plan.raster.frame_rate);
    for (number, it) in (1..).zip(sent) {
        let half = (frames.step(90_000).0 / 2) as u32 * u32::from(it.second);
        let second = it.second != it.turned.is_some();
        let row = if it.place == 0 { 0 } else { 1 };
        let payload = [0, 0, 4, 0xb0, u8::from(second) << 7, row, 0, 0];
        shaping.handle(&Packet {
            time: Some(Timestamp::<Utc>::from_ns(it.at)),
            frame: number,
            udp_bytes: 1228,
            rtp: rtp::Packet {
                marker: it.place + 1 == it.of,
                payload_type: 96,
                sequence: it.sequence,
                timestamp: frames.rtp(it.frame, 90_000).wrapping_add(half),
                ssrc: 1,
                sources: 0,
                extension: None,
                payload: &payload,
                padding_bytes: 0,
            },
        });
    }
    shaping
}

/// An exact instant of a read: a numerator over the common denominator `den`.
fn read(raster: Raster, it: Sent, linear: bool, den: i128) -> i128 {
    let (above, below) = (raster.frame_rate.numerator() as i128, raster.frame_rate.denominator() as i128);
    let two = raster.scan != Scan::Progressive;
    let height = i128::from(raster.height.unwrap());
    let lines: i128 = match (two, height) {
        (true, ..=525) => 525,
        (true, ..=625) => 625,
        _ => 1125,
    };
    let active = if two { height } else { 1080 };
    let frame = den * below * 1_000_000_000 / above;
    let offset = match (raster.offset_us, two, lines) {
        (Some(us), ..) => i128::from(us) * 1000 * den,
        (None, true, 525) => frame * 20 / 525,
        (None, true, 625) => frame * 26 / 625,
        (None, true, _) => frame * ((1125 - height) / 2) / 1125,
        (None, false, _) if height >= 1080 => frame * 43 / 1125,
        (None, false, _) => frame * 28 / 750,
    };
    let packets = i128::from(it.of) * if two { 2 } else { 1 };
    let mut at = i128::from(it.frame) * frame + offset;
    if it.second {
        at += frame / 2 + if linear { 0 } else { frame / lines / 2 };
    }
    let distance = if linear { frame / packets } else { frame * active / lines / packets };
    at + i128::from(it.place) * distance
}

/// A denominator for all instants.
fn divisor(raster: Raster, of: u32) -> i128 {
    i128::from(raster.frame_rate.numerator()) * 1125 * 525 * 625 * 4 * i128::from(of)
}

/// Whether a unit is so late that the next one is to be read before its last packet has come.
fn overlaps(raster: Raster, sent: &[Sent], linear: bool) -> bool {
    let den = divisor(raster, sent[0].of);
    let next_begins = |pair: &[Sent]| pair[1].place == 0;
    sent.windows(2)
        .filter(|pair| next_begins(pair))
        .any(|pair| read(raster, pair[1], linear, den) < i128::from(pair[0].at) * den)
}

/// Emptiest, fullest and whether late, over all packets, by counting reads anew at each packet.
fn oracle_buffer(raster: Raster, sent: &[Sent], linear: bool) -> (i64, i64, bool) {
    let den = divisor(raster, sent[0].of);
    let mut reads: Vec<i128> = sent.iter().map(|it| read(raster, *it, linear, den)).collect();
    let late = sent.iter().zip(&reads).any(|(it, read)| i128::from(it.at) * den > *read);
    reads.sort_unstable();
    let mut order: Vec<i64> = sent.iter().map(|it| it.at).collect();
    order.sort_unstable();
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    for (came, at) in (0_i64..).zip(&order) {
        let at = i128::from(*at) * den;
        let before = reads.partition_point(|read| *read < at) as i64;
        let by = reads.partition_point(|read| *read <= at) as i64;
        least = least.min(came - before);
        most = most.max(came + 1 - by);
    }
    (least, most, late)
}

/// The fullest bucket, by walking all drains and packets with fractions.
fn oracle_bucket(raster: Raster, sent: &[Sent]) -> u64 {
    let parts = if raster.scan == Scan::Progressive { 1 } else { 2 };
    let packets = i128::from(sent[0].of) * parts;
    let den = i128::from(raster.frame_rate.numerator()) * packets * 11;
    let period = i128::from(raster.frame_rate.denominator()) * 10_000_000_000;
    let mut order: Vec<i64> = sent.iter().map(|it| it.at).collect();
    order.sort_unstable();
    let (mut fullness, mut most) = (0_u64, 0);
    let mut drained = (i128::from(order[0]) * den).div_euclid(period);
    for at in order {
        let now = (i128::from(at) * den).div_euclid(period);
        fullness = fullness.saturating_sub(u64::try_from(now - drained).unwrap()) + 1;
        drained = now;
        most = most.max(fullness);
    }
    most
}

fn rasters() -> Vec<(Raster, u32)> {
    let mut all = Vec::new();
    for (above, below) in [(24_000, 1001), (25, 1), (30_000, 1001), (50, 1), (60_000, 1001), (120_000, 1001)]
    {
        for (scan, width, height, of) in [
            (Scan::Progressive, 1920, 1080, 216),
            (Scan::Progressive, 1280, 720, 183),
            (Scan::Interlaced, 1920, 1080, 205),
            (Scan::Interlaced, 720, 486, 97),
            (Scan::Segmented, 720, 576, 115),
        ] {
            for offset_us in [None, Some(0), Some(317), Some(8000)] {
                all.push((
                    Raster {
                        frame_rate: Ratio::new(above, below).unwrap(),
                        scan,
                        width: Some(width),
                        height: Some(height),
                        offset_us,
                        max_udp_bytes: 1460,
                    },
                    of,
                ));
            }
        }
    }
    all
}

fn extremes(facts: &ShapingFacts) -> [(i64, i64); 2] {
    [&facts.gapped_buffer, &facts.linear_buffer].map(|it| (it.least, it.greatest))
}

#[test]
fn each_schedule_and_each_jitter_is_as_the_oracle_says() {
    let mut seed = 99_u64;
    let mut draw = |below: i64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 33) as i64) % below.max(1)
    };
    let (mut late_ones, mut overlapping) = (0, 0);
    for (raster, of) in rasters() {
        for sender_type in SenderType::ALL {
            for jitter_ns in [0, 30_000, 3_000_000] {
                let mut sent = packets_of(raster, *sender_type, 5, of);
                for it in &mut sent {
                    it.at += draw(jitter_ns + 1);
                }
                // In order of time and of number: reordering is tried below.
                let mut times: Vec<i64> = sent.iter().map(|it| it.at).collect();
                times.sort_unstable();
                for (it, at) in sent.iter_mut().zip(times) {
                    it.at = at;
                }
                let facts = measure(plan(raster, *sender_type), &sent).facts();
                assert_eq!((facts.units, facts.units_incomplete), (5, 0));
                assert_eq!(facts.burst.greatest as u64, oracle_bucket(raster, &sent), "{raster:?}");
                let gapped = oracle_buffer(raster, &sent, false);
                let linear = oracle_buffer(raster, &sent, true);
                for (seen, oracle, is_linear) in
                    [(extremes(&facts)[0], gapped, false), (extremes(&facts)[1], linear, true)]
                {
                    assert_eq!(seen.1, oracle.1, "{raster:?}");
                    assert_eq!(seen.0, oracle.0, "{raster:?}");
                    overlapping += u32::from(overlaps(raster, &sent, is_linear));
                }
                let underflows = |index: usize| facts.types[index].underflows > 0;
                assert_eq!((underflows(0), underflows(1)), (gapped.2, linear.2));
                late_ones += u32::from(gapped.2);
            }
        }
    }
    assert!(late_ones > 50 && late_ones < 1060 && overlapping > 50, "{late_ones} {overlapping}");
}

#[test]
fn packets_out_of_order_are_read_in_order() {
    let (raster, of) = rasters()[0];
    let mut sent = packets_of(raster, SenderType::Narrow, 4, of);
    let clean = sent.clone();
    for index in (0..sent.len() - 1).step_by(41) {
        let (a, b) = (sent[index].at, sent[index + 1].at);
        (sent[index].at, sent[index + 1].at) = (b, a);
    }
    sent.sort_by_key(|it| it.at);
    let facts = measure(plan(raster, SenderType::Narrow), &sent).facts();
    assert_eq!((facts.units, facts.units_incomplete, facts.packets_stray), (4, 0, 0));
    let oracle = oracle_buffer(raster, &sent, false);
    assert_eq!(extremes(&facts)[0], (oracle.0, oracle.1));
    assert_eq!(facts.types[0].kept, 4, "half of the buffer is room enough for a swap");
    // One that comes far too late, while the others keep the buffer full.
    let mut sent = clean;
    sent[100].at = sent[112].at + 1;
    sent.sort_by_key(|it| it.at);
    let shaping = measure(plan(raster, SenderType::Narrow), &sent);
    let facts = shaping.facts();
    assert!(oracle_buffer(raster, &sent, false).2 && facts.gapped_buffer.least >= 0);
    assert_eq!((facts.types[0].underflows, facts.types[0].kept), (1, 3));
    assert_eq!(shaping.tally_count(&BUFFER_UNDERFLOW), 1);
}

#[test]
fn missing_packets_are_neither_written_nor_read() {
    let (raster, of) = rasters()[0];
    let clean = packets_of(raster, SenderType::Narrow, 6, of);
    let expected = measure(plan(raster, SenderType::Narrow), &clean).facts();
    // In the middle of a unit, at its end, at its begin.
    for gone in [250..300, 425..432, 432..440, 425..440] {
        let mut sent = clean.clone();
        sent.drain(gone.clone());
        let facts = measure(plan(raster, SenderType::Narrow), &sent).facts();
        assert_eq!(facts.units, 6, "{gone:?}");
        assert_eq!(facts.packets_missing, gone.len() as u64, "{gone:?}");
        assert!(facts.units_incomplete == 1 || gone == (425..440));
        assert_eq!(facts.types[0].kept, 6, "{gone:?}");
        assert!(facts.gapped_buffer.greatest <= expected.gapped_buffer.greatest);
    }
}

#[test]
fn without_tai_the_best_fit_is_taken_and_said() {
    for (raster, of) in rasters() {
        let mut sent = packets_of(raster, SenderType::Narrow, 4, of);
        let on_tai = measure(plan(raster, SenderType::Narrow), &sent).facts();
        for it in &mut sent {
            it.at -= 123_456_789_123;
        }
        let relative = ShapingPlan { clock: CaptureClock::Relative, ..plan(raster, SenderType::Narrow) };
        let facts = measure(relative, &sent).facts();
        assert_eq!(facts.basis, ClockBasis::Relative);
        assert_eq!((facts.types[0].kept, facts.types[0].underflows), (4, 0));
        assert!(facts.gapped_buffer.greatest <= on_tai.gapped_buffer.greatest);
        assert!(facts.first_packet_ns.is_empty() && facts.latency_ns.is_empty());
        assert!(facts.wander_ns.least >= -2 && facts.wander_ns.greatest <= 2, "{:?}", facts.wander_ns);
    }
}

#[test]
fn a_line_rate_burst_is_no_type_at_all() {
    let (raster, of) = rasters()[0];
    let mut sent = packets_of(raster, SenderType::Narrow, 3, of);
    for it in &mut sent {
        it.at -= i64::from(it.place) * 40_000;
    }
    let shaping = measure(plan(raster, SenderType::Narrow), &sent);
    let facts = shaping.facts();
    assert_eq!(facts.satisfied, None);
    assert!(facts.types.iter().all(|it| it.kept == 0 && it.bursts == 3));
    assert_eq!(facts.types[0].first_violation.unwrap().frame, 1);
    assert_eq!(shaping.tally_count(&BURST), 3);
    let fault = shaping.faults().into_iter().find(|it| it.rule.name == "burst").unwrap();
    assert!(fault.detail.ends_with("of at most 4"), "{}", fault.detail);
}

#[test]
fn profiles_have_windows_of_their_own() {
    let (raster, of) =
        rasters().into_iter().find(|(raster, _)| raster.frame_rate == Ratio::new(50, 1).unwrap()).unwrap();
    let sent = packets_of(raster, SenderType::Narrow, 5, of);
    let late: Vec<Sent> = sent.iter().map(|it| Sent { at: it.at + 1_500_000, ..*it }).collect();
    for profile in Profile::ALL {
        let plan = ShapingPlan { profile: *profile, ..plan(raster, SenderType::Narrow) };
        let names = |sent: &[Sent]| -> Vec<(&str, u64)> {
            measure(plan, sent).faults().iter().map(|fault| (fault.rule.name, fault.count)).collect()
        };
        assert_eq!(names(&sent), [], "{profile:?}");
        let latency = names(&late).into_iter().find(|(name, _)| *name == "profile-latency");
        assert_eq!(latency.is_some(), *profile != Profile::Standard, "{profile:?}");
    }
    // A timestamp that is ahead of the alignment point by more than the read offset.
    let shifted = ShapingPlan { clock_offset: 100, ..plan(raster, SenderType::Narrow) };
    let facts = measure(ShapingPlan { profile: Profile::JtNm2022, ..shifted }, &sent).faults();
    assert!(facts.iter().any(|fault| fault.rule.name == "profile-rtp-offset"));
}

#[test]
fn fields_that_are_marked_the_wrong_way_round_are_named() {
    let named = |sent: &[Sent], plan: ShapingPlan| measure(plan, sent).tally_count(&FIELDS_SWAPPED);
    for (raster, of) in rasters() {
        let sent = packets_of(raster, SenderType::Narrow, 8, of);
        let plan = plan(raster, SenderType::Narrow);
        assert_eq!(named(&sent, plan), 0, "{raster:?}");
        // Sent as before, but for the bit: the timestamp stays with its instant.
        let half = (Alignment::new(raster.frame_rate).step(90_000).0 / 2) as u32;
        let turned =
            |sent: &[Sent]| sent.iter().map(|it| Sent { turned: Some(half), ..*it }).collect::<Vec<_>>();
        let wanted = if raster.scan == Scan::Interlaced { 5 } else { 0 };
        assert_eq!(named(&turned(&sent), plan), wanted, "{raster:?}");
        // Nothing is known of the clock, or it runs freely.
        assert_eq!(named(&turned(&sent), ShapingPlan { clock: CaptureClock::Relative, ..plan }), 0);
        assert_eq!(named(&turned(&sent), ShapingPlan { clock_offset: half / 2, ..plan }), 0);
        // Two fields alone may be chance.
        assert_eq!(named(&turned(&sent[..3 * of as usize]), plan), 0);
    }
}

#[test]
fn the_way_of_list_departs_where_it_says() {
    // It takes the frame whose alignment point is behind, never the next: packets that come early are a frame late.
    let (raster, of) = rasters()[0];
    let sent = packets_of(raster, SenderType::Narrow, 4, of);
    let early: Vec<Sent> = sent.iter().map(|it| Sent { at: it.at - 2_000_000, ..*it }).collect();
    let list = ShapingPlan { profile: Profile::List, ..plan(raster, SenderType::Narrow) };
    let (by_text, by_list) =
        (measure(plan(raster, SenderType::Narrow), &early).facts(), measure(list, &early).facts());
    assert!(by_text.first_packet_ns.greatest < 0 && by_list.first_packet_ns.least > 0);
    let frame = Alignment::new(raster.frame_rate).period_ns();
    assert!((by_list.first_packet_ns.least - by_text.first_packet_ns.least - frame).abs() <= 1);
    // And it knows no `TROFF`.
    let offset = Raster { offset_us: Some(100), ..raster };
    let facts = measure(ShapingPlan { raster: offset, ..list }, &sent).facts();
    assert!(!facts.read_offset_declared && facts.read_offset_ns > 1_000_000);
}
