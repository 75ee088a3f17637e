//! A sender, a network that does harm on demand, and measurements that say what harm was done; on a virtual clock.

#![expect(clippy::unwrap_used, reason = "in a test a panic is how it fails")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers are our own")]

use model::media::reception::{PathClass, ReceptionFacts, TimingFacts};
use model::media::shaping::ShapingFacts;
use model::media::{Profile, Ratio, Scan, SenderType};
use model::{Tai, Timestamp, Utc};
use portreeve_media::Packet;
use portreeve_media::clock::{Alignment, CaptureClock};
use portreeve_media::hitless::{Hitless, MergePlan, Merger};
use portreeve_media::make::Batch;
use portreeve_media::make::faults::{Departure, Faults, Injected};
use portreeve_media::make::schedule::VideoSchedule;
use portreeve_media::reception::{Reception, ReceptionPlan, Timing, TimingPlan};
use portreeve_media::shaping::{Payload, Raster, Shaping, ShapingPlan};

const NOW: i64 = 1_800_000_000_000_000_000;
/// Octets of samples that a packet has, and those that this test spares itself.
const SAMPLES: usize = 40;
const SPARED: usize = 1200 - SAMPLES;

/// What is sent.
#[derive(Debug, Clone, Copy)]
struct Scene {
    raster: Raster,
    sender_type: SenderType,
    frames: i64,
    unit_packets: u32,
}

/// Everything on the wire, in the order of time.
struct Wire {
    packets: Vec<(i64, Vec<u8>)>,
    injected: Injected,
}

fn scene(
    rate: (u32, u32),
    scan: Scan,
    size: (u16, u16),
    unit_packets: u32,
    sender_type: SenderType,
) -> Scene {
    let raster = Raster {
        frame_rate: Ratio::new(rate.0, rate.1).unwrap(),
        scan,
        width: Some(size.0),
        height: Some(size.1),
        offset_us: None,
        max_udp_bytes: 1460,
    };
    Scene { raster, sender_type, frames: 4, unit_packets }
}

fn hd50(frames: i64) -> Scene {
    Scene { frames, ..scene((50, 1), Scan::Progressive, (1920, 1080), 432, SenderType::Narrow) }
}

/// Sends a scene through faults.
fn send(scene: Scene, text: &str, seed: u64) -> Wire {
    let schedule = VideoSchedule::new(scene.raster, scene.sender_type).unwrap();
    let frames = Alignment::new(scene.raster.frame_rate);
    let first = frames.number(Timestamp::from_ns(NOW));
    let mut faults = Faults::parse(text, seed).unwrap();
    let mut packets = Vec::new();
    let mut sequence = 0x0001_ff00_u32;
    let parts = schedule.model().parts();
    for frame in first..first + scene.frames {
        for part in 0..parts {
            let second = part == 1;
            let half = u32::from(second) * (frames.step(90_000).0 / 2) as u32;
            let timestamp = frames.rtp(frame, 90_000).wrapping_add(half);
            let mut batch = Batch::default();
            let mut departures = Vec::new();
            for (place, at) in schedule.departures(frame, second, scene.unit_packets).enumerate() {
                let marker = place + 1 == scene.unit_packets as usize;
                batch.add(|to| {
                    to.extend_from_slice(&[0x80, 96 | (u8::from(marker) << 7)]);
                    to.extend_from_slice(&(sequence as u16).to_be_bytes());
                    to.extend_from_slice(&timestamp.to_be_bytes());
                    to.extend_from_slice(&7_u32.to_be_bytes());
                    to.extend_from_slice(&((sequence >> 16) as u16).to_be_bytes());
                    to.extend_from_slice(&1200_u16.to_be_bytes());
                    let row = (place / 4) as u16 | (u16::from(second) << 15);
                    to.extend_from_slice(&row.to_be_bytes());
                    to.extend_from_slice(&((place % 4 * 480) as u16).to_be_bytes());
                    to.resize(to.len() + SAMPLES, place as u8);
                });
                departures.push(Departure { at, packet: place });
                sequence = sequence.wrapping_add(1);
            }
            faults.apply(&mut batch, &mut departures);
            packets.extend(
                departures.iter().map(|it| (it.at.as_ns(), batch.packet(it.packet).unwrap().to_vec())),
            );
        }
    }
    packets.sort_by_key(|(at, _)| *at);
    Wire { packets, injected: faults.injected() }
}

/// Reads a packet as a capture has it.
fn packet(number: usize, at: i64, bytes: &[u8]) -> Packet<'_> {
    Packet {
        time: Some(Timestamp::<Utc>::from_ns(at - 37_000_000_000)),
        frame: number as u64 + 1,
        udp_bytes: (bytes.len() + SPARED + 8) as u16,
        rtp: wire::rtp::parse(bytes).unwrap(),
    }
}

struct Measured {
    reception: ReceptionFacts,
    shaping: ShapingFacts,
    timing: TimingFacts,
    broken: Vec<(&'static str, u64)>,
}

fn measure(scene: Scene, wire: &Wire) -> Measured {
    let clock = CaptureClock::Utc { leap_seconds: 37 };
    let plan = ReceptionPlan { clock_rate: Some(90_000), extended: true, max_udp_bytes: Some(1460) };
    let mut reception = Reception::new(plan);
    let mut shaping = Shaping::new(ShapingPlan {
        raster: scene.raster,
        payload: Payload::Raw,
        sender_type: Some(scene.sender_type),
        burst_packets: None,
        clock_rate: 90_000,
        clock_offset: 0,
        clock,
        profile: Profile::Standard,
    })
    .unwrap();
    let period = match scene.raster.scan {
        Scan::Progressive => Some(scene.raster.frame_rate),
        _ => Alignment::fields(scene.raster.frame_rate).map(Alignment::rate),
    };
    let mut timing = Timing::new(TimingPlan { clock_rate: 90_000, clock_offset: 0, clock, period }).unwrap();
    for (number, (at, bytes)) in wire.packets.iter().enumerate() {
        let packet = packet(number, *at, bytes);
        reception.handle(&packet);
        shaping.handle(&packet);
        timing.handle(&packet);
    }
    let faults = [reception.faults(), shaping.faults(), timing.faults().to_vec()].concat();
    Measured {
        reception: reception.facts(),
        shaping: shaping.facts(),
        timing: timing.facts(),
        broken: faults.iter().map(|fault| (fault.rule.name, fault.count)).collect(),
    }
}

/// The formats of the worked table: frame rate, scan, size, packets of a frame, buffers and bursts.
type Format = ((u32, u32), Scan, (u16, u16), u32, [u64; 2], [Option<u64>; 3]);

const P: Scan = Scan::Progressive;
const I: Scan = Scan::Interlaced;
const SMALL: [Option<u64>; 3] = [Some(4), Some(4), Some(16)];
const FORMATS: &[Format] = &[
    ((30_000, 1001), I, (720, 487), 974, [8, 720], SMALL),
    ((25, 1), I, (720, 576), 1152, [8, 720], SMALL),
    ((50, 1), P, (1280, 720), 2880, [8, 720], SMALL),
    ((60_000, 1001), P, (1280, 720), 2880, [8, 720], SMALL),
    ((25, 1), I, (1920, 1080), 4320, [8, 720], SMALL),
    ((30_000, 1001), I, (1920, 1080), 4320, [8, 720], SMALL),
    ((24_000, 1001), P, (1920, 1080), 4320, [8, 720], SMALL),
    ((25, 1), P, (1920, 1080), 4320, [8, 720], SMALL),
    ((30_000, 1001), P, (1920, 1080), 4320, [8, 720], SMALL),
    ((50, 1), P, (1920, 1080), 4320, [8, 720], [Some(5), Some(5), Some(16)]),
    ((60_000, 1001), P, (1920, 1080), 4320, [9, 863], [Some(6), Some(5), Some(16)]),
    ((50, 1), P, (3840, 2160), 17_280, [32, 2880], [Some(20), Some(20), Some(40)]),
    ((60_000, 1001), P, (3840, 2160), 17_280, [38, 3452], [Some(24), Some(23), None]),
    ((60_000, 1001), P, (7680, 4320), 64_800, [143, 12_947], [Some(93), Some(89), None]),
];

#[test]
fn our_narrow_is_narrow_in_every_format_of_the_table() {
    for (rate, scan, size, packets, buffers, bursts) in FORMATS {
        let parts = if *scan == P { 1 } else { 2 };
        let mut scene = scene(*rate, *scan, *size, packets / parts, SenderType::Narrow);
        scene.frames = 2;
        let measured = measure(scene, &send(scene, "", 1));
        let facts = measured.shaping;
        let name = format!("{size:?} {scan:?} {rate:?}");
        assert_eq!((facts.units, facts.units_incomplete), (2 * u64::from(parts), 0), "{name}");
        assert_eq!(facts.satisfied, Some(SenderType::Narrow), "{name}");
        let limits: Vec<_> = facts.types.iter().map(|it| it.burst_limit).collect();
        assert_eq!(limits, bursts, "{name}");
        assert_eq!([facts.types[0].buffer_limit, facts.types[2].buffer_limit], buffers.map(Some), "{name}");
        assert_eq!(facts.frame_packets.mean(), Some(i64::from(*packets)), "{name}");
        // Half of the buffer, one more where a read is a fraction of a nanosecond away, and one at a time on the network.
        let half = (buffers[0] / 2) as i64;
        assert!((half..=half + 1).contains(&facts.gapped_buffer.greatest), "{name}");
        assert!(facts.burst.greatest <= 2 && facts.gapped_buffer.least >= 0, "{name}");
        assert!(facts.rtp_offset_ticks.least == 0 && facts.rtp_offset_ticks.greatest <= 1, "{name}");
        assert!(facts.margin_ns.least > 0 && facts.latency_ns.least > 0, "{name}");
        // What is narrow is wide too where wide is defined, but the linear schedule comes too late for narrow linear.
        assert_eq!(facts.types[2].kept == facts.units, bursts[2].is_some(), "{name}");
        assert_eq!(facts.types[1].kept, 0, "{name}");
        assert_eq!(measured.broken, [], "{name}");
        assert_eq!((measured.reception.lost, measured.timing.steps_odd), (0, 0), "{name}");
    }
}

#[test]
fn each_type_is_judged_as_what_it_is() {
    for (sender_type, kept) in [
        (SenderType::Narrow, [4, 0, 4]),
        (SenderType::NarrowLinear, [0, 4, 4]),
        // A wide sender leads by far more than a narrow receiver can hold.
        (SenderType::Wide, [0, 0, 4]),
    ] {
        let scene = scene((50, 1), P, (1920, 1080), 4320, sender_type);
        let measured = measure(scene, &send(scene, "", 1));
        let found: Vec<_> = measured.shaping.types.iter().map(|it| it.kept).collect();
        assert_eq!(found, kept, "{sender_type:?}");
        assert_eq!(measured.shaping.satisfied, Some(sender_type));
        assert_eq!(measured.broken, []);
    }
}

#[test]
fn losses_duplicates_and_order_are_those_that_were_injected() {
    for seed in 1..4 {
        let scene = hd50(50);
        let wire = send(scene, "loss=0.5%", seed);
        let measured = measure(scene, &wire);
        let facts = &measured.reception;
        let ends = facts.expected + 2 >= 50 * 432 && facts.expected <= 50 * 432;
        assert!(ends && wire.injected.lost - facts.lost <= 2 && facts.lost > 60);
        assert_eq!(
            measured.shaping.packets_missing + 50 * 432 - facts.packets - wire.injected.lost,
            facts.lost + (wire.injected.lost - facts.lost)
        );
        assert_eq!((facts.duplicates, facts.reordered, facts.resets), (0, 0, 0));
        assert_eq!(measured.shaping.types[0].underflows, 0);

        let wire = send(scene, "duplicate=0.5%", seed);
        let facts = measure(scene, &wire).reception;
        assert_eq!((facts.duplicates, facts.lost), (wire.injected.duplicated, 0));

        let wire = send(scene, "reorder=4@1/100", seed);
        let measured = measure(scene, &wire);
        assert_eq!((measured.reception.reordered, measured.reception.lost), (wire.injected.reordered, 0));
        assert_eq!(measured.reception.reorder_most, 4);
        assert_eq!((measured.shaping.packets_missing, measured.shaping.packets_stray), (0, 0));
    }
}

#[test]
fn headers_that_were_changed_are_found() {
    let scene = hd50(20);
    let wire = send(scene, "ssrc=1/1000", 1);
    let measured = measure(scene, &wire);
    // There and back again.
    assert_eq!(measured.reception.source_changes, 2 * wire.injected.sources);
    let wire = send(scene, "payload-type=1/1000", 1);
    assert_eq!(measure(scene, &wire).reception.payload_type_changes, 2 * wire.injected.payload_types);
    let wire = send(scene, "oversize=300@1/777", 1);
    let measured = measure(scene, &wire);
    assert_eq!(measured.broken, [("oversize-datagram", wire.injected.oversize)]);
    assert_eq!(measured.reception.udp_size_bytes.greatest, 8 + 12 + 1208 + 300);
    let wire = send(scene, "marker=1/1000", 1);
    let facts = measure(scene, &wire);
    assert_eq!(facts.reception.markers, 20 + wire.injected.markers);
    // A frame is what has one timestamp, whatever its markers say.
    assert_eq!((facts.shaping.units, facts.shaping.units_incomplete), (20, 0));
    let wire = send(scene, "jump=100@1/2000", 1);
    let facts = measure(scene, &wire).reception;
    assert_eq!((wire.injected.jumps, facts.lost, facts.loss_run_most), (4, 400, 100));
}

#[test]
fn frames_that_leave_late_underflow_and_a_burst_is_seen() {
    let scene = hd50(20);
    // Still over before the next frame begins.
    let wire = send(scene, "late=500us@1/5", 1);
    let measured = measure(scene, &wire);
    assert_eq!((wire.injected.late, measured.shaping.types[0].underflows), (4, 4));
    assert_eq!(measured.broken, [("buffer-underflow", 4)]);
    assert_eq!(measured.shaping.types[0].first_violation.unwrap().frame, 4 * 432 + 1);
    assert_eq!(measured.shaping.margin_ns.least, measured.shaping.margin_ns.greatest - 500_000);
    // Jitter of many packets bunches them.
    let wire = send(scene, "jitter=2ms", 3);
    let measured = measure(scene, &wire);
    assert!(measured.broken.iter().any(|it| it.0 == "burst") && measured.shaping.burst.greatest > 5);
    assert!(measured.reception.jitter_most_ns > 10_000);
}

#[test]
fn a_wrong_rate_is_told_in_parts_per_million() {
    for (text, ppb) in [("rate=50ppm", 50_000), ("rate=-200ppm", -200_000), ("rate=1.001", 1_000_000)] {
        let scene = Scene { unit_packets: 40, ..hd50(400) };
        let measured = measure(scene, &send(scene, text, 1));
        let drift = measured.timing.drift_ppb.unwrap();
        assert!((drift - ppb).abs() <= ppb.abs() / 100 + 2000, "{text}: {drift}");
    }
}

#[test]
fn two_legs_say_what_each_of_them_lost() {
    let scene = hd50(60);
    let legs = [send(scene, "loss=1%", 1), send(scene, "loss=1%", 2)];
    let path = 70_000;
    let mut all: Vec<(i64, usize, &[u8])> = Vec::new();
    for (leg, wire) in legs.iter().enumerate() {
        all.extend(wire.packets.iter().map(|(at, bytes)| (at + leg as i64 * path, leg, bytes.as_slice())));
    }
    all.sort_by_key(|it| (it.0, it.1));
    let mut hitless = Hitless::new(2);
    let mut merger = Merger::new(MergePlan { hold_ns: 150_000, most_packets: 1024 });
    let mut out = Vec::new();
    for (number, (at, leg, bytes)) in all.iter().enumerate() {
        hitless.handle(*leg, &packet(number, *at, bytes));
        let now = Timestamp::from_ns(*at);
        merger.push(now, bytes);
        while let Some(bytes) = merger.poll(now) {
            out.push(u16::from_be_bytes([bytes[2], bytes[3]]));
        }
    }
    while let Some(deadline) = merger.deadline() {
        let bytes = merger.poll(deadline).unwrap();
        out.push(u16::from_be_bytes([bytes[2], bytes[3]]));
    }
    let numbers = |wire: &Wire| -> std::collections::BTreeSet<(u32, u16)> {
        let of = |bytes: &[u8]| {
            let rtp = wire::rtp::parse(bytes).unwrap();
            (rtp.timestamp, rtp.sequence)
        };
        wire.packets.iter().map(|(_, bytes)| of(bytes)).collect()
    };
    let (one, two) = (numbers(&legs[0]), numbers(&legs[1]));
    let facts = hitless.facts();
    assert_eq!(facts.union, one.union(&two).count() as u64);
    assert_eq!(facts.common, one.intersection(&two).count() as u64);
    assert_eq!((facts.identical, facts.different), (facts.common, 0));
    let only =
        |a: &std::collections::BTreeSet<_>, b: &std::collections::BTreeSet<_>| a.difference(b).count() as u64;
    assert_eq!([facts.legs[0].only_here, facts.legs[1].only_here], [only(&one, &two), only(&two, &one)]);
    assert_eq!((facts.path_difference_ns.least, facts.path_difference_ns.greatest), (path, path));
    assert_eq!((facts.class, facts.missing > 0), (Some(PathClass::D), true));
    // The merger gives what the union has, in order.
    assert_eq!(out.len() as u64, facts.union);
    assert!(out.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) < 10));
    assert_eq!(merger.counts().missing, facts.missing);
}

#[test]
fn the_clock_of_the_simulated_capture_is_found_out() {
    let wire = send(hd50(2), "", 1);
    let heard: Vec<(Timestamp<Utc>, u32, u32)> = wire
        .packets
        .iter()
        .enumerate()
        .step_by(100)
        .map(|(number, (at, bytes))| {
            let packet = packet(number, *at, bytes);
            (packet.time.unwrap(), packet.rtp.timestamp, 90_000)
        })
        .collect();
    let clock = CaptureClock::decide(None, &heard);
    assert_eq!(clock, CaptureClock::Utc { leap_seconds: 37 });
    let tai: Timestamp<Tai> = clock.tai(heard[0].0).unwrap();
    assert_eq!(tai.as_ns(), wire.packets[0].0);
}
