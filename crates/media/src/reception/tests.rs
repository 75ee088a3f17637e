//! Reception against packets with known faults.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers are small and our own"
)]

use model::media::reception::ReceptionFacts;
use model::media::{ClockBasis, Ratio};
use model::{Timestamp, Utc};
use wire::rtp;

use super::*;
use crate::clock::CaptureClock;

const BEGIN: i64 = 1_800_000_000_000_000_000;

fn packet(number: u64, sequence: u16, at_ns: i64, timestamp: u32, payload: &[u8]) -> Packet<'_> {
    Packet {
        time: Some(Timestamp::<Utc>::from_ns(at_ns)),
        frame: number,
        udp_bytes: 1228,
        rtp: rtp::Packet {
            marker: false,
            payload_type: 96,
            sequence,
            timestamp,
            ssrc: 7,
            sources: 0,
            extension: None,
            payload,
            padding_bytes: 0,
        },
    }
}

fn receive(sequences: impl IntoIterator<Item = u16>) -> (ReceptionFacts, Reception) {
    let mut reception =
        Reception::new(ReceptionPlan { clock_rate: Some(48_000), ..ReceptionPlan::default() });
    for (number, sequence) in (1_u64..).zip(sequences) {
        let at = BEGIN + i64::try_from(number).unwrap() * 1_000_000;
        reception.handle(&packet(number, sequence, at, u32::try_from(number).unwrap() * 48, &[0; 4]));
    }
    (reception.facts(), reception)
}

/// Numbers from one on, over a wrap.
fn row(count: usize) -> Vec<u16> {
    (65_000_u32..).map(|it| (it % 65_536) as u16).take(count).collect()
}

#[test]
fn a_clean_row_is_clean() {
    let (facts, reception) = receive(row(200_000));
    assert_eq!((facts.packets, facts.expected, facts.lost, facts.strays), (200_000, 200_000, 0, 0));
    assert_eq!((facts.reordered, facts.duplicates, facts.resets, facts.first_loss), (0, 0, 0, None));
    assert_eq!(
        (facts.jitter_ns, facts.interval_ns.least, facts.interval_ns.greatest),
        (0, 1_000_000, 1_000_000)
    );
    assert_eq!(facts.rate_bps, 1228 * 8 * 200_000_u64 * 1_000_000_000 / 199_999_000_000);
    assert_eq!(facts.interval_histogram.total(), 199_999);
    assert!(reception.faults().is_empty());
}

#[test]
fn losses_are_counted_by_runs() {
    let mut numbers = row(20_000);
    // From behind, so that places hold.
    numbers.drain(12_000..14_900);
    numbers.drain(5000..5007);
    numbers.remove(3000);
    numbers.drain(63..64);
    let (facts, reception) = receive(numbers);
    assert_eq!((facts.expected, facts.lost, facts.packets), (20_000, 2909, 17_091));
    assert_eq!((facts.loss_runs, facts.loss_run_most), (4, 2900));
    assert_eq!(facts.loss_run_histogram.bars().map(|(_, _, count)| count).collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!((facts.between_losses.least, facts.between_losses.greatest), (63, 6993));
    assert_eq!(facts.first_loss.unwrap().frame, 64);
    let fault = &reception.faults()[0];
    assert_eq!((fault.rule.name, fault.count), ("loss", 2909));
    assert_eq!(fault.detail, "2909 of 20000, the longest run 2900");
}

#[test]
fn what_comes_late_is_not_lost_and_what_comes_again_is_not_new() {
    let mut numbers = row(10_000);
    numbers.swap(100, 101);
    let moved = numbers.remove(700);
    numbers.insert(760, moved);
    numbers.insert(2000, numbers[1990]);
    numbers.insert(2001, numbers[1990]);
    let (facts, reception) = receive(numbers);
    assert_eq!((facts.lost, facts.reordered, facts.reorder_most, facts.duplicates), (0, 2, 60, 2));
    assert_eq!((facts.reorder_most_ns, facts.expected, facts.first_loss), (60_000_000, 10_000, None));
    assert_eq!(reception.measured().received, 10_000);
    let names: Vec<_> = reception.faults().iter().map(|it| (it.rule.name, it.count)).collect();
    assert_eq!(names, [("reorder", 2), ("duplicate", 2)]);
}

#[test]
fn a_new_begin_is_believed_at_its_second_packet() {
    let mut numbers = row(1000);
    numbers.extend(30_000..31_000);
    let (facts, _) = receive(numbers.clone());
    assert_eq!((facts.resets, facts.strays, facts.lost, facts.expected), (1, 0, 0, 2000));
    assert_eq!(facts.first_reset.unwrap().frame, 1002);
    // One that stands alone is not.
    numbers.truncate(1000);
    numbers.push(30_000);
    numbers.push(row(1001)[1000]);
    let (facts, _) = receive(numbers);
    assert_eq!((facts.resets, facts.strays, facts.lost, facts.expected), (0, 1, 0, 1001));
}

#[test]
fn sources_and_payload_types_that_change_are_told() {
    let mut reception =
        Reception::new(ReceptionPlan { max_udp_bytes: Some(1460), ..ReceptionPlan::default() });
    for number in 0..300_u16 {
        let mut packet = packet(number.into(), number * 2 % 200, BEGIN, 0, &[]);
        packet.rtp.sequence = if number < 200 { number } else { number + 9000 };
        packet.rtp.ssrc = if number < 200 { 1 } else { 2 };
        packet.rtp.payload_type = if number < 250 { 96 } else { 97 };
        packet.udp_bytes = if number == 5 { 1461 } else { 1460 };
        reception.handle(&packet);
    }
    let facts = reception.facts();
    assert_eq!((facts.source_changes, facts.payload_type_changes, facts.resets), (1, 1, 0));
    assert_eq!((facts.expected, facts.lost), (300, 0));
    let details: Vec<_> = reception.faults().iter().map(|it| it.detail.clone()).collect();
    assert_eq!(details, ["1461 octets", "from 0x00000001 to 0x00000002", "from 96 to 97"]);
}

#[test]
fn what_a_kernel_joined_and_a_snap_length_cut_is_not_lost() {
    let run = |step: u16, udp_bytes: u16, lose: u64| {
        let mut reception =
            Reception::new(ReceptionPlan { max_udp_bytes: Some(1460), ..ReceptionPlan::default() });
        for number in (0..200_u64).filter(|number| *number != lose) {
            // Of each datagram its first header was kept.
            let mut packet =
                packet(number, (number as u16).wrapping_mul(step).wrapping_add(65_000), BEGIN, 0, &[]);
            packet.udp_bytes = udp_bytes;
            reception.handle(&packet);
        }
        let facts = reception.facts();
        let rung: Vec<_> = reception.faults().iter().map(|it| (it.rule.name, it.count)).collect();
        (facts.lost, facts.expected, rung)
    };
    let whole = 199 * 40 + 1;
    assert_eq!(run(40, 40 * 1300 + 8, 200), (0, whole, vec![]));
    // One that did not come at all is lost with all that it held.
    assert_eq!(run(40, 40 * 1300 + 8, 100), (40, whole, vec![("loss", 40)]));
    // Where numbers follow each other it was one packet of jumbo frames.
    assert_eq!(run(1, 8900, 200), (0, 200, vec![("oversize-datagram", 199)]));
    // And one that was small lost what is missing behind it.
    assert_eq!(run(2, 1400, 200), (199, 399, vec![("loss", 199)]));
}

fn receive_extended(numbers: impl IntoIterator<Item = (u16, u16)>) -> ReceptionFacts {
    let mut reception = Reception::new(ReceptionPlan { extended: true, ..ReceptionPlan::default() });
    for (number, (upper, lower)) in (1..).zip(numbers) {
        reception.handle(&packet(number, lower, BEGIN, 0, &upper.to_be_bytes()));
    }
    reception.facts()
}

#[test]
fn the_upper_half_counts_where_it_is_true() {
    let whole = |number: u32| ((number >> 16) as u16, number as u16);
    // More than 16 bits can tell are lost, and the source goes on.
    let facts = receive_extended((0x1_fff0..0x2_0100).chain(0x4_0200..0x4_0300).map(whole));
    assert_eq!((facts.extended_sequence, facts.extended_faults, facts.resets), (true, 0, 0));
    assert_eq!((facts.lost, facts.loss_runs, facts.expected), (0x2_0100, 1, 0x4_0300 - 0x1_fff0));
    assert_eq!(facts.first_loss.unwrap().frame, 0x111);
    // The numbers wrap at 2^32.
    let facts = receive_extended((0..500_u32).map(|it| whole(it.wrapping_sub(250))));
    assert_eq!((facts.lost, facts.resets, facts.extended_sequence, facts.expected), (0, 0, true, 500));
    // Senders that leave it zero are followed by 16 bits.
    let facts = receive_extended((65_000..200_000_u32).map(|it| (0, it as u16)));
    assert_eq!((facts.lost, facts.extended_sequence, facts.extended_faults), (0, false, 3));
    assert_eq!((facts.expected, facts.resets), (135_000, 0));
}

#[test]
fn the_upper_half_may_be_learned_of_later() {
    for begin in [3_u32, 0x1_fff0, 0xffff_ff00, 0x7_8000] {
        let mut reception = Reception::new(ReceptionPlan::default());
        let mut number = begin;
        for count in 0..100_000_u64 {
            if count == 50 {
                reception.learn(ReceptionPlan { extended: true, ..ReceptionPlan::default() });
            }
            if count != 40 {
                let upper = ((number >> 16) as u16).to_be_bytes();
                reception.handle(&packet(count, number as u16, BEGIN, 0, &upper));
            }
            number = number.wrapping_add(if count == 60_000 { 70_000 } else { 1 });
        }
        let facts = reception.facts();
        assert_eq!((facts.lost, facts.expected), (70_000, 169_999), "{begin:#x}");
        assert_eq!((facts.extended_sequence, facts.extended_faults, facts.resets), (true, 0, 0));
    }
}

#[test]
fn jitter_is_that_of_the_rfc() {
    let mut reception = Reception::new(ReceptionPlan { clock_rate: Some(8000), ..ReceptionPlan::default() });
    let mut estimate = 0.0_f64;
    let mut before = None;
    let mut seed = 3_u64;
    for number in 0..5000_u32 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = BEGIN + i64::from(number) * 20_000_000 + (seed >> 42) as i64;
        reception.handle(&packet(number.into(), number as u16, at, number * 160, &[]));
        let transit = at - i64::from(number) * 20_000_000;
        if let Some(before) = before.replace(transit) {
            estimate += (f64::from((transit - before) as i32).abs() - estimate) / 16.0;
        }
    }
    let measured = reception.facts().jitter_ns as f64;
    assert!((measured - estimate).abs() < 2.0, "{measured} {estimate}");
    assert!(measured > 100_000.0);
    assert_eq!(reception.facts().jitter_ticks, (measured * 8000.0 / 1e9) as u32);
}

#[test]
fn many_wild_numbers_are_survived_and_add_up() {
    let mut seed = 11_u64;
    for extended in [false, true] {
        let mut reception = Reception::new(ReceptionPlan { extended, ..ReceptionPlan::default() });
        for number in 0..200_000_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bits = (seed >> 33) as u32;
            let sequence = if number % 3 == 0 { bits as u16 } else { (number % 65_536) as u16 };
            let upper = ((bits >> 20) % 3) as u16;
            reception.handle(&packet(number, sequence, BEGIN + i64::from(bits), bits, &upper.to_be_bytes()));
        }
        let facts = reception.facts();
        assert_eq!(facts.packets, 200_000);
        assert_eq!(facts.expected - facts.lost + facts.duplicates + facts.strays, facts.packets);
    }
}

fn time(plan: TimingPlan, packets: impl Iterator<Item = (i64, u32)>) -> Timing {
    let mut timing = Timing::new(plan).unwrap();
    for (number, (at, timestamp)) in (0_u16..).zip(packets) {
        timing.handle(&packet(number.into(), number, at, timestamp, &[]));
    }
    timing
}

#[test]
fn latency_and_steps_of_the_rtp_clock() {
    let frame_rate = Ratio::new(60_000, 1001).unwrap();
    let frames = crate::clock::Alignment::new(frame_rate);
    let first = frames.number(Timestamp::from_ns(BEGIN));
    let plan = TimingPlan {
        clock_rate: 90_000,
        clock_offset: 77,
        clock: CaptureClock::Tai,
        period: Some(frame_rate),
    };
    let sent = |number: i64| {
        let at = frames.point(first + number).as_ns() + 500_000 + (number % 3) * 1000;
        (at, frames.rtp(first + number, 90_000).wrapping_add(77))
    };
    let timing = time(plan, (0..240).map(sent));
    let facts = timing.facts();
    assert_eq!(
        (facts.basis, facts.future, facts.steps_odd, facts.backwards),
        (ClockBasis::TaiAssumed, 0, 0, 0)
    );
    // Truncation to a tick makes packets seem later by up to 11.1 µs.
    assert!((500_000..=513_112).contains(&facts.latency_ns.least) && facts.latency_ns.greatest <= 513_112);
    assert_eq!(
        facts.steps.iter().map(|(step, _)| *step).collect::<std::collections::BTreeSet<_>>(),
        [1501, 1502].into()
    );
    assert_eq!(facts.drift_ppb.map(|it| it.abs() < 10_000), Some(true));
    // A frame left out is no odd step; one that is off is.
    let timing = time(plan, (0..9).filter(|it| *it != 4).map(sent));
    assert_eq!(timing.facts().steps_odd, 0);
    let off = |number: i64| (sent(number).0, sent(number).1 + u32::from(number == 4) * 5);
    let timing = time(plan, (0..9).map(off));
    assert_eq!((timing.facts().steps_odd, timing.faults()[0].rule.name), (2, "timestamp-step"));
    // Sent before its time.
    let timing = time(plan, (0..9).map(|number| (sent(number).0 - 600_000, sent(number).1)));
    assert_eq!((timing.facts().future, timing.faults()[0].rule.name), (9, "timestamp-in-future"));
}

#[test]
fn a_relative_clock_still_tells_drift() {
    let plan =
        TimingPlan { clock_rate: 48_000, clock_offset: 0, clock: CaptureClock::Relative, period: None };
    // A sender whose clock is 100 ppm fast, over ten seconds, with a wrap of its timestamp.
    let sent = |number: i64| (number * 999_900, (number as u32 * 48).wrapping_add(u32::MAX - 1000));
    let facts = time(plan, (0..10_000).map(sent)).facts();
    assert_eq!((facts.basis, facts.future, facts.latency_ns.greatest), (ClockBasis::Relative, 0, 0));
    let drift = facts.drift_ppb.unwrap();
    assert!((99_000..101_100).contains(&drift), "{drift}");
    assert_eq!((facts.steps, facts.backwards), (vec![(48, 9999)], 0));
}

#[test]
fn a_relative_clock_tells_what_was_not_believed_of_it() {
    let plan =
        TimingPlan { clock_rate: 90_000, clock_offset: 9, clock: CaptureClock::Relative, period: None };
    // A sender whose clock is 250 ms ahead, in a capture that keeps UTC.
    let of_sender = |ns: i64| crate::clock::rtp(Timestamp::from_ns(ns + 250_000_000), 90_000).wrapping_add(9);
    let sent = |number: i64| {
        let at = BEGIN + number * 20_000_000;
        (at, of_sender(at + crate::clock::LEAP_SECONDS * 1_000_000_000))
    };
    let facts = time(plan, (0..9).map(sent)).facts();
    let near = |seen: Option<i64>, wanted: i64| (wanted..wanted + 11_112).contains(&seen.unwrap());
    assert!(near(facts.late_if_utc_ns, -250_000_000) && near(facts.late_if_tai_ns, -37_250_000_000));
    let known = TimingPlan { clock: CaptureClock::Tai, ..plan };
    let facts = time(known, (0..9).map(sent)).facts();
    assert_eq!((facts.late_if_utc_ns, facts.late_if_tai_ns), (None, None));
}

#[test]
fn reports_are_held_against_what_came() {
    let mut reports = Reports::new(48_000);
    assert_eq!(reports.facts(), None);
    let mut receiver = Vec::from(*b"\x81\xc9\x00\x07\0\0\0\x09\0\0\0\x07\x10\0\0\x05\0\0\0\0\0\0\0\x44");
    for second in 0..5_i64 {
        let at = BEGIN + second * 1_000_000_000;
        // The sender's clock is 20 ms behind and its media clock 50 ppm fast.
        let ntp = wire::rtcp::NtpTime::from_unix_ns(at - 20_000_000);
        let timestamp = (u32::MAX - 96_000).wrapping_add((second * 48_000 + second * 48_000 / 20_000) as u32);
        let mut bytes = Vec::from(*b"\x80\xc8\x00\x06\0\0\0\x07");
        for word in [ntp.seconds, ntp.fraction, timestamp, 1000 * second as u32, 0] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.extend_from_slice(b"\x81\xca\x00\x03\0\0\0\x07\x01\x04me@x\0\0");
        let measured = Measured {
            ssrc: Some(7),
            received: 990 * second as u64,
            last: Some((Timestamp::from_ns(at - 1_000_000), timestamp.wrapping_sub(48))),
        };
        reports.handle(Some(Timestamp::from_ns(at)), &bytes, measured);
        // A receiver answers after 30 ms, of which it kept it 10.
        receiver.truncate(24);
        receiver.extend_from_slice(&ntp.middle().to_be_bytes());
        receiver.extend_from_slice(&655_u32.to_be_bytes());
        reports.handle(Some(Timestamp::from_ns(at + 30_000_000)), &receiver, measured);
    }
    reports.handle(None, b"\x81\xcb\x00\x01\0\0\0\x07", Measured { ssrc: Some(7), ..Measured::default() });
    reports.handle(None, b"\x80\xc8\x00\x06\0\0", Measured::default());
    let facts = reports.facts().unwrap();
    assert_eq!((facts.sender_reports, facts.receiver_reports, facts.foreign, facts.unreadable), (5, 5, 0, 1));
    assert_eq!((facts.sent, facts.received, facts.difference_most), (4000, 3960, 10));
    assert_eq!(facts.canonical_name.as_deref(), Some("me@x"));
    assert_eq!(facts.goodbye.as_deref(), Some(""));
    assert_eq!((facts.ntp_offset_ns.least, facts.ntp_offset_ns.greatest), (20_000_000, 20_000_000));
    assert_eq!((facts.rtp_offset_ticks.least, facts.rtp_offset_ticks.greatest), (0, 0));
    assert_eq!((facts.rtp_drift_ppb.map(|it| it / 1000), facts.ntp_drift_ppb), (Some(46), Some(0)));
    assert_eq!(
        (facts.reported_fraction_most, facts.reported_lost_most, facts.reported_jitter_most),
        (16, 5, 0x44)
    );
    let trip = facts.round_trip_ns.mean().unwrap();
    assert!((20_000_000..20_020_000).contains(&trip), "{trip}");
}

#[test]
fn what_must_hold_holds_of_chance() {
    let mut seed = 77_u64;
    for round in 0..300_usize {
        let mut bytes = Vec::new();
        for _ in 0..8 + 12 * (round % 60) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Mostly small steps.
            let byte = (seed >> 40) as u8;
            bytes.push(if round % 3 > 0 && bytes.len() > 8 && !bytes.len().is_multiple_of(5) {
                byte % 3
            } else {
                byte
            });
        }
        check::check(&bytes);
    }
}
