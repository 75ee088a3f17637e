//! What must hold of all measurements of a leg, whatever comes; used by the fuzz target and a seeded test.

use model::media::{Profile, Ratio, Scan, SenderType};
use model::{Timestamp, Utc};
use wire::rtp;

use super::{Reception, ReceptionPlan, Timing, TimingPlan};
use crate::Packet;
use crate::clock::CaptureClock;
use crate::hitless::{Hitless, MergePlan, Merger};
use crate::shaping::{Payload, Raster, Shaping, ShapingPlan};

/// Bytes of one packet's description: flags, leg, number, timestamp, time, field and row.
const RECORD: usize = 12;

fn clock(byte: u8) -> CaptureClock {
    match byte % 4 {
        0 => CaptureClock::Tai,
        1 => CaptureClock::Utc { leap_seconds: i64::from(byte) },
        2 => CaptureClock::Traced { offset_ns: i64::from(byte) << 55 },
        _ => CaptureClock::Relative,
    }
}

fn plan(head: [u8; 8]) -> Option<ShapingPlan> {
    let [clocks, scan, rate, height, packing, offset, profile, declared] = head;
    let (above, below) = match rate % 8 {
        0 => (25, 1),
        1 => (60_000, 1001),
        2 => (24_000, 1001),
        3 => (1, 1),
        4 => (1000, 1),
        5 => (999_983, 9973),
        _ => (u32::from(rate), u32::from(height)),
    };
    Some(ShapingPlan {
        raster: Raster {
            frame_rate: Ratio::new(above, below)?,
            scan: match scan % 3 {
                0 => Scan::Progressive,
                1 => Scan::Interlaced,
                _ => Scan::Segmented,
            },
            width: (scan > 128).then_some(720),
            height: (height > 8).then_some(u16::from(height) * 5),
            offset_us: (offset > 128).then_some(u32::from(offset) << 17),
            max_udp_bytes: u16::from(packing) << 8,
        },
        payload: if packing % 4 == 0 { Payload::Compressed } else { Payload::Raw },
        sender_type: SenderType::ALL.get(usize::from(declared % 4)).copied(),
        burst_packets: (declared > 128).then_some(u32::from(declared) % 8),
        clock_rate: 90_000 + u32::from(rate >> 7),
        clock_offset: u32::from(offset) << 24,
        clock: clock(clocks),
        profile: Profile::ALL.get(usize::from(profile % 5)).copied()?,
    })
}

/// Measures packets that bytes describe, each by its distance from the one before, and adds up what is found.
pub fn check(bytes: &[u8]) {
    let Some((head, records)) = bytes.split_first_chunk::<8>() else { return };
    let Some(plan) = plan(*head) else { return };
    let extended = plan.payload == Payload::Raw;
    let mut reception = Reception::new(ReceptionPlan {
        clock_rate: Some(plan.clock_rate),
        extended,
        max_udp_bytes: Some(1460),
    });
    let mut timing = Timing::new(TimingPlan {
        clock_rate: plan.clock_rate,
        clock_offset: plan.clock_offset,
        clock: plan.clock,
        period: Some(plan.raster.frame_rate),
    });
    let mut shaping = Shaping::new(plan);
    let mut hitless = Hitless::new(2);
    let mut merger = Merger::new(MergePlan { hold_ns: 1_000_000, most_packets: 64 });
    let (mut number, mut timestamp, mut at_ns) = (0_u32, 0_u32, i64::from(head[0]) << 53);
    let (mut count, mut delivered, mut before) = (0_u64, 0_u64, None);
    for record in records.as_chunks::<RECORD>().0 {
        let [flags, leg, step, step_low, ticks, ticks_low, pause, pause_low, row, row_low, place, upper] =
            *record;
        count += 1;
        number = number.wrapping_add_signed(i32::from(i16::from_be_bytes([step, step_low])));
        timestamp = timestamp.wrapping_add_signed(i32::from(i16::from_be_bytes([ticks, ticks_low])));
        // Up to a tenth of a second on, or a little back; rarely as far as can be.
        let pause = i64::from(i16::from_be_bytes([pause, pause_low]));
        at_ns = if flags & 0x7f == 0x7f { pause << 48 } else { at_ns.saturating_add(pause * 3000 + 90_000) };
        let [upper_high, upper_low, high, low] = (number ^ (u32::from(upper >> 7) << 20)).to_be_bytes();
        let payload = [upper_high, upper_low, 0, 0, row, row_low, place, 0];
        let mut whole = [0x80, flags, high, low, 0, 0, 0, 0, 0, 0, 0, leg >> 6, 0, 0, 0, 0, 0, 0, 0, 0];
        for (to, from) in whole.iter_mut().skip(4).zip(timestamp.to_be_bytes()) {
            *to = from;
        }
        for (to, from) in whole.iter_mut().skip(12).zip(payload) {
            *to = from;
        }
        let Ok(rtp) = rtp::parse(&whole) else { return };
        let time = (flags != 0x55).then(|| Timestamp::<Utc>::from_ns(at_ns));
        let packet = Packet { time, frame: count, udp_bytes: 28, rtp };
        reception.handle(&packet);
        if let Some(timing) = &mut timing {
            timing.handle(&packet);
        }
        if let Some(shaping) = &mut shaping {
            shaping.handle(&packet);
        }
        hitless.handle(usize::from(leg % 3), &packet);
        let now = Timestamp::from_ns(at_ns);
        merger.push(now, &whole);
        while let Some(out) = merger.poll(now) {
            delivered += 1;
            let out = rtp::parse(out).map(|packet| (packet.ssrc, packet.sequence)).ok();
            // What comes out is RTP as it went in, and not twice in a row the same.
            assert!(out.is_some() && out != before);
            before = out;
        }
    }
    let facts = reception.facts();
    assert_eq!(facts.packets, count);
    assert!(facts.lost <= facts.expected);
    assert_eq!(facts.expected - facts.lost + facts.duplicates + facts.strays, count);
    assert!(facts.loss_run_histogram.total() == facts.loss_runs && facts.loss_runs <= facts.lost);
    let merged = merger.counts();
    assert!(merged.delivered == delivered && delivered <= count && (before.is_some() == (delivered > 0)));
    let hitless = hitless.facts();
    assert!(hitless.identical + hitless.different >= hitless.common && hitless.common <= hitless.union);
    if let Some(timing) = timing {
        let facts = timing.facts();
        assert!(facts.timestamps <= count && facts.latency_ns.count <= count && facts.steps.len() <= 8);
    }
    if let Some(shaping) = shaping {
        let facts = shaping.facts();
        assert!(facts.series.len() <= 4096 && facts.seconds.len() <= 1024);
        assert!(facts.types.iter().all(|it| it.kept <= facts.units));
        assert!(facts.types.iter().all(|it| (it.kept == facts.units) == it.first_violation.is_none()));
        assert!(facts.burst.count <= count && facts.gapped_buffer.count <= count);
        assert_eq!(
            facts.satisfied.is_some(),
            facts.units > 0 && facts.types.iter().any(|it| it.kept == facts.units)
        );
    }
}
