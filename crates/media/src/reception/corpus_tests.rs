//! Recordings whose contents are known: what was received of each, and how evenly.

use model::media::reception::{ReceptionFacts, TimingFacts};
use model::media::{ClockBasis, Profile, Ratio, Scan, SenderType};

use super::{Reception, ReceptionPlan, Timing, TimingPlan};
use crate::clock::CaptureClock;
use crate::pcap_tests::{corpus, rtp_packets};
use crate::shaping::{Payload, Raster, Shaping, ShapingPlan};

fn receive(
    name: &str,
    clock_rate: u32,
    period: Option<Ratio>,
) -> Option<(ReceptionFacts, TimingFacts, CaptureClock)> {
    let bytes = std::fs::read(corpus(name)?).unwrap();
    let mut first = Vec::new();
    rtp_packets(&bytes, |_, packet| {
        if first.is_empty() {
            first.extend(packet.time.map(|time| (time, packet.rtp.timestamp, clock_rate)));
        }
    });
    let clock = CaptureClock::decide(None, &first);
    let mut reception = Reception::new(ReceptionPlan {
        clock_rate: Some(clock_rate),
        extended: false,
        max_udp_bytes: Some(1460),
    });
    let mut timing = Timing::new(TimingPlan { clock_rate, clock_offset: 0, clock, period }).unwrap();
    rtp_packets(&bytes, |_, packet| {
        reception.handle(packet);
        timing.handle(packet);
    });
    assert!(reception.faults().is_empty(), "{name}: {:?}", reception.faults());
    Some((reception.facts(), timing.facts(), clock))
}

#[test]
fn audio_of_an_eighth_of_a_millisecond() {
    let Some((facts, timing, clock)) =
        receive("st2110-30/l24_48000_8ch_0125.pcap", 48_000, Ratio::new(8000, 1))
    else {
        return;
    };
    assert_eq!((facts.packets, facts.expected, facts.lost, facts.duplicates), (10_000, 10_000, 0, 0));
    // 88.6 to 186.3 µs apart.
    let tenths = |ns: i64| (ns + 50) / 100;
    assert_eq!((tenths(facts.interval_ns.least), tenths(facts.interval_ns.greatest)), (886, 1863));
    assert_eq!(facts.interval_ns.mean().map(|ns| (ns + 50) / 100), Some(1250));
    // Its clock is not PTP, and that is said.
    assert_eq!((clock, timing.basis, timing.future), (CaptureClock::Relative, ClockBasis::Relative, 0));
    assert_eq!((timing.steps, timing.steps_odd), (vec![(6, 9999)], 0));
}

#[test]
fn ancillary_data_in_fields() {
    for (name, packets) in
        [("st2110-40/2110-40_5994i.pcap", 90), ("st2110-40/anc_with_some_rtp_padding.pcap", 50)]
    {
        let Some((facts, timing, _)) = receive(name, 90_000, None) else { return };
        assert_eq!((facts.packets, facts.lost, facts.resets), (packets, 0, 0), "{name}");
        assert_eq!(timing.backwards, 0, "{name}");
    }
}

#[test]
fn jpeg_xs_on_the_network() {
    let Some(path) = corpus("st2110-22/125mbps-JPEGXS.pcap") else { return };
    let bytes = std::fs::read(path).unwrap();
    let Some((facts, timing, clock)) = receive("st2110-22/125mbps-JPEGXS.pcap", 90_000, None) else {
        return;
    };
    assert_eq!((facts.packets, facts.lost), (1085, 0));
    // The recording tells how often its timestamp changes.
    let (step, _) = timing.steps[0];
    let fields = Ratio::new(90_000, u32::try_from(step).unwrap()).unwrap();
    let mut shaping = Shaping::new(ShapingPlan {
        raster: Raster {
            frame_rate: fields,
            scan: Scan::Progressive,
            width: None,
            height: None,
            offset_us: None,
            max_udp_bytes: 1460,
        },
        payload: Payload::Compressed,
        sender_type: Some(SenderType::Wide),
        burst_packets: None,
        clock_rate: 90_000,
        clock_offset: 0,
        clock,
        profile: Profile::Standard,
    })
    .unwrap();
    rtp_packets(&bytes, |_, packet| shaping.handle(packet));
    let facts = shaping.facts();
    assert_eq!((facts.frame_packets.least, facts.frame_packets.greatest), (217, 217));
    assert!(facts.gapped_buffer.is_empty() && facts.linear_buffer.is_empty());
    assert_eq!(facts.types[2].buffer_limit, None);
    // The first unit begins before the recording, or nobody can tell that it does not.
    assert_eq!((facts.units, facts.types[2].burst_limit), (4, Some(16)));
    assert_eq!((step, facts.burst.greatest, facts.satisfied), (1501, 13, Some(SenderType::Wide)));
}
