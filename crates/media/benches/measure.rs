//! How many packets a second reception, timing and shaping take together, by CPU time:
//! `cargo bench -p portreeve-media --profile bench-dev --bench measure`.
//!
//! One second of 1080p50 in 1,280-byte packets, made in memory and measured again and again with later times. A word as
//! argument runs only that measurement.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, not a part of the product"
)]
#![expect(clippy::cast_possible_truncation, reason = "the packets are our own")]

use std::fs;
use std::time::Instant;

use model::media::{Profile, Ratio, Scan, SenderType};
use model::{Timestamp, Utc};
use portreeve_media::Packet;
use portreeve_media::clock::{Alignment, CaptureClock};
use portreeve_media::hitless::Hitless;
use portreeve_media::make::schedule::VideoSchedule;
use portreeve_media::reception::{Reception, ReceptionPlan, Timing, TimingPlan};
use portreeve_media::shaping::{Payload, Raster, Shaping, ShapingPlan};

const NOW: i64 = 1_800_000_000_000_000_000;
/// An IP packet of 1,280 octets.
const RTP_BYTES: usize = 1280 - 28;
const FRAME_PACKETS: u32 = 4184;

/// Nanoseconds that this process was on a CPU; `None` where the kernel does not say.
fn cpu_ns() -> Option<u64> {
    fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

struct Tape {
    times: Vec<i64>,
    bytes: Vec<u8>,
}

const RASTER: Raster = Raster {
    frame_rate: Ratio::new(50, 1).unwrap(),
    scan: Scan::Progressive,
    width: Some(1920),
    height: Some(1080),
    offset_us: None,
    max_udp_bytes: 1460,
};

fn tape() -> Tape {
    let schedule = VideoSchedule::new(RASTER, SenderType::Narrow).unwrap();
    let frames = Alignment::new(RASTER.frame_rate);
    let first = frames.number(Timestamp::from_ns(NOW));
    let mut tape = Tape { times: Vec::new(), bytes: Vec::new() };
    let mut sequence = 0_u32;
    for frame in first..first + 50 {
        for (place, at) in (0_u32..).zip(schedule.departures(frame, false, FRAME_PACKETS)) {
            let begin = tape.bytes.len();
            let marker = u8::from(place + 1 == FRAME_PACKETS) << 7;
            tape.bytes.extend_from_slice(&[0x80, 96 | marker]);
            tape.bytes.extend_from_slice(&(sequence as u16).to_be_bytes());
            tape.bytes.extend_from_slice(&frames.rtp(frame, 90_000).to_be_bytes());
            tape.bytes.extend_from_slice(&7_u32.to_be_bytes());
            tape.bytes.extend_from_slice(&((sequence >> 16) as u16).to_be_bytes());
            tape.bytes.extend_from_slice(&1200_u16.to_be_bytes());
            tape.bytes.extend_from_slice(&((place / 4) as u16).to_be_bytes());
            tape.bytes.extend_from_slice(&((place % 4 * 480) as u16).to_be_bytes());
            tape.bytes.resize(begin + RTP_BYTES, place as u8);
            // What a capture sees trembles by some nanoseconds.
            tape.times.push(at.as_ns() + i64::from(place.wrapping_mul(2_654_435_761) >> 22));
            sequence += 1;
        }
    }
    tape
}

fn measure(name: &str, tape: &Tape, rounds: u32, mut handle: impl FnMut(&Packet<'_>)) {
    let count = tape.times.len() as u32;
    let (wall, cpu) = (Instant::now(), cpu_ns());
    let mut number = 0_u64;
    for round in 0..rounds {
        let later = i64::from(round) * 1_000_000_000;
        for (at, bytes) in tape.times.iter().zip(tape.bytes.chunks_exact(RTP_BYTES)) {
            number += 1;
            let mut rtp = wire::rtp::parse(bytes).unwrap();
            rtp.sequence = rtp.sequence.wrapping_add((round * count) as u16);
            rtp.timestamp = rtp.timestamp.wrapping_add(round * 90_000);
            handle(&Packet {
                time: Some(Timestamp::<Utc>::from_ns(at + later)),
                frame: number,
                udp_bytes: (bytes.len() + 8) as u16,
                rtp,
            });
        }
    }
    let cpu_ns = cpu_ns().zip(cpu).map_or(wall.elapsed().as_nanos() as u64, |(after, before)| after - before);
    println!(
        "{name:>10}: {number} packets, {:.2} M/s, {:.0} ns each, {:.2} s CPU",
        number as f64 * 1000.0 / cpu_ns as f64,
        cpu_ns as f64 / number as f64,
        cpu_ns as f64 / 1e9,
    );
}

fn main() {
    let only: Option<String> = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let tape = tape();
    let clock = CaptureClock::Tai;
    let reception = || {
        // Sixteen bits, as rounds of the tape do not carry the upper half on.
        Reception::new(ReceptionPlan { clock_rate: Some(90_000), extended: false, max_udp_bytes: Some(1460) })
    };
    let plan = ShapingPlan {
        raster: RASTER,
        payload: Payload::Raw,
        sender_type: Some(SenderType::Narrow),
        burst_packets: None,
        clock_rate: 90_000,
        clock_offset: 0,
        clock,
        profile: Profile::Standard,
    };
    let timing = || {
        let period = Some(RASTER.frame_rate);
        Timing::new(TimingPlan { clock_rate: 90_000, clock_offset: 0, clock, period }).unwrap()
    };
    if wanted("parse") {
        let mut all = 0_u64;
        measure("parse", &tape, 20, |packet| all += u64::from(packet.rtp.sequence));
        println!("            (numbers {})", all % 10);
    }
    if wanted("reception") {
        let mut reception = reception();
        measure("reception", &tape, 20, |packet| {
            reception.handle(packet);
        });
        assert_eq!(reception.facts().lost, 0);
    }
    if wanted("shaping") {
        let mut shaping = Shaping::new(plan).unwrap();
        measure("shaping", &tape, 20, |packet| shaping.handle(packet));
        assert_eq!(shaping.facts().satisfied, Some(SenderType::Narrow));
    }
    if wanted("all") {
        let (mut reception, mut shaping, mut timing) = (reception(), Shaping::new(plan).unwrap(), timing());
        measure("all", &tape, 20, |packet| {
            reception.handle(packet);
            timing.handle(packet);
            shaping.handle(packet);
        });
        let facts = shaping.facts();
        assert_eq!((reception.facts().lost, facts.satisfied), (0, Some(SenderType::Narrow)));
        println!(
            "            {} units, buffer {} to {}, bucket {}, latency {} to {} ns",
            facts.units,
            facts.gapped_buffer.least,
            facts.gapped_buffer.greatest,
            facts.burst.greatest,
            facts.latency_ns.least,
            facts.latency_ns.greatest,
        );
    }
    if wanted("relative") {
        let mut shaping = Shaping::new(ShapingPlan { clock: CaptureClock::Relative, ..plan }).unwrap();
        measure("relative", &tape, 20, |packet| shaping.handle(packet));
    }
    if wanted("hitless") {
        let mut hitless = Hitless::new(2);
        measure("hitless", &tape, 10, |packet| {
            hitless.handle(0, packet);
            hitless.handle(1, packet);
        });
        assert_eq!(hitless.facts().missing, 0);
    }
}
