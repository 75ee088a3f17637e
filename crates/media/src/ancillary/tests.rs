//! Streams from the field, and streams made wrong, measured.

use std::path::Path;

use model::media::{AncillaryFormat, Ratio};

use super::*;
use crate::pcap_tests::{corpus, rtp_packets};

fn measured(path: &Path) -> Measure {
    let bytes = std::fs::read(path).unwrap();
    let mut measure = Measure::new(None);
    rtp_packets(&bytes, |_, packet| measure.handle(packet, None));
    measure
}

fn kinds(facts: &model::media::ancillary::AncillaryFacts) -> Vec<(u8, u8, u64)> {
    facts.kinds.iter().map(|it| (it.did, it.sdid, it.packets)).collect()
}

#[test]
fn time_code_and_captions_at_5994i() {
    let Some(path) = corpus("st2110-40/2110-40_5994i.pcap") else { return };
    let measure = measured(&path);
    let facts = measure.facts();
    assert_eq!(
        (facts.packets, facts.keep_alives, facts.checksum_errors, facts.parity_errors),
        (90, 30, 0, 0)
    );
    assert_eq!(kinds(&facts), [(0x60, 0x60, 45), (0x61, 0x01, 15)]);
    assert_eq!((facts.fields.unspecified, facts.fields.invalid), (0, 0));
    assert_eq!(facts.frame_rate, Ratio::new(30_000, 1001));
    let codes: Vec<_> =
        facts.time_codes.iter().map(|it| (it.origin.as_str(), it.last.as_str(), it.jumps)).collect();
    assert_eq!(codes, [("VITC2", "01:00:44:19", 0), ("VITC1", "01:00:44:20", 0), ("LTC", "01:00:44:20", 0)]);
    let captions = facts.caption_packets.unwrap();
    assert_eq!((captions.packets, captions.sequence_gaps, captions.checksum_errors), (15, 0, 0));
    assert_eq!(captions.frame_rate, Ratio::new(30_000, 1001));
    assert!(measure.faults().is_empty());
}

#[test]
fn padding_is_no_payload() {
    let Some(path) = corpus("st2110-40/anc_with_some_rtp_padding.pcap") else { return };
    let measure = measured(&path);
    let facts = measure.facts();
    assert_eq!(kinds(&facts).first(), Some(&(0x60, 0x60, 33)));
    assert_eq!((facts.packets, facts.checksum_errors), (50, 0));
}

#[test]
fn parity_and_checksum_that_are_wrong() {
    let Some(path) = corpus("st2110-40/anc_with_1of4_invalid_DID_SDID.pcap") else { return };
    let measure = measured(&path);
    let facts = measure.facts();
    assert!(facts.kinds.iter().any(|it| (it.did, it.sdid) == (1, 1)));
    assert_eq!((facts.parity_errors, facts.checksum_errors), (37, 20));
}

#[test]
fn behind_header_extensions() {
    let Some(path) = corpus("nmos/rtp-data-st291-anc.pcap") else { return };
    let measure = measured(&path);
    let facts = measure.facts();
    // It was made after an early draft, whose headers were shorter; that must be said, not decoded.
    assert_eq!((facts.packets, facts.fields.first), (1, 1));
    assert!(rung(&measure).contains(&"ancillary-reserved") && rung(&measure).contains(&"ancillary-checksum"));
    assert!(facts.time_codes.is_empty() && facts.captions.is_empty());
}

/// A stream of one packet per period, as `make` says.
fn stream(
    format: Option<&AncillaryFormat>,
    count: u16,
    mut make: impl FnMut(u16, &mut Vec<u8>) -> (u32, bool),
) -> Measure {
    let mut measure = Measure::new(format);
    for index in 0..count {
        let mut payload = Vec::new();
        let (timestamp, marker) = make(index, &mut payload);
        measure.handle(
            &crate::Packet {
                time: None,
                frame: u64::from(index) + 1,
                udp_bytes: 100,
                rtp: wire::rtp::Packet {
                    marker,
                    payload_type: 100,
                    sequence: index,
                    timestamp,
                    ssrc: 1,
                    sources: 0,
                    extension: None,
                    payload: &payload,
                    padding_bytes: 0,
                },
            },
            None,
        );
    }
    measure
}

fn rung(measure: &Measure) -> Vec<&'static str> {
    measure.faults().iter().map(|it| it.rule.name).collect()
}

fn code(index: u16, jump: u64) -> [u8; 16] {
    time_code::write(&time_code::TimeCode {
        origin: time_code::Origin::Linear,
        label: time_code::Label::of(1790 + u64::from(index) + jump, 30, true),
        colour_frame: false,
        flags: 0,
        user_bits: 0,
        second_distributed: 0,
    })
}

fn one(index: u16, jump: u64, to: &mut Vec<u8>) {
    let mut packet = Vec::new();
    write_packet(Place::ANYWHERE, 0x60, 0x60, &code(index, jump), &mut packet);
    write_header(0, packet.len().try_into().unwrap(), 1, Field::Unspecified, to);
    to.extend_from_slice(&packet);
}

#[test]
fn a_good_stream_is_quiet() {
    let measure = stream(None, 40, |index, to| {
        one(index, 0, to);
        (u32::from(index) * 3003, true)
    });
    assert_eq!(rung(&measure), [""; 0]);
    let facts = measure.facts();
    assert_eq!((facts.frame_rate, facts.frame_rate_inferred), (Ratio::new(30_000, 1001), true));
    assert_eq!(facts.time_codes[0].last, "00:01:01;01");
    assert_eq!((facts.time_codes[0].jumps, facts.periods), (0, 40));
}

/// Spoils a payload by its index; ticks to add, and the marker.
type Change = fn(u16, &mut Vec<u8>) -> (u32, bool);

#[test]
fn each_rule_rings() {
    let format = AncillaryFormat {
        frame_rate: Ratio::new(30_000, 1001),
        kinds: vec![(0x61, 1)],
        low_latency: false,
        vpid_code: None,
    };
    let cases: &[(&str, Change)] = &[
        ("ancillary-short", |_, to| {
            to.truncate(30);
            (0, true)
        }),
        ("ancillary-length", |_, to| {
            to[3] += 4;
            (0, true)
        }),
        ("ancillary-field", |_, to| {
            to[5] = 0x40;
            (0, true)
        }),
        ("ancillary-reserved", |_, to| {
            to[7] = 1;
            (0, true)
        }),
        ("ancillary-filling", |_, to| {
            *to.last_mut().unwrap() |= 1;
            (0, true)
        }),
        ("ancillary-stream-number", |_, to| {
            to[11] = 1;
            (0, true)
        }),
        ("ancillary-parity", |_, to| {
            to[12] ^= 0x80;
            (0, true)
        }),
        ("ancillary-checksum", |_, to| {
            to[16] ^= 1;
            (0, true)
        }),
        ("ancillary-unannounced", |_, _| (0, true)),
        ("ancillary-marker-missing", |_, _| (0, false)),
        ("ancillary-period-empty", |index, _| (if index > 3 { 3003 } else { 0 }, true)),
        ("ancillary-time-code", |index, to| {
            if index == 3 {
                to.clear();
                one(index, 7, to);
            }
            (0, true)
        }),
        ("ancillary-extended-sequence", |index, to| {
            to[1] = u8::from(index == 2);
            (0, true)
        }),
    ];
    for (expected, change) in cases {
        let measure = stream(Some(&format), 6, |index, to| {
            one(index, 0, to);
            let (later, marker) = change(index, to);
            (u32::from(index) * 3003 + later, marker)
        });
        assert!(rung(&measure).contains(expected), "{expected}: {:?}", rung(&measure));
        assert_eq!(measure.facts().announced_unseen, [(0x61, 1)]);
    }
}

/// A stream of 25 frames a second whose every packet has this user data.
fn of_data(did: u8, sdid: u8, mut data: impl FnMut(u16) -> Vec<u8>) -> Measure {
    stream(None, 12, |index, to| {
        let mut packet = Vec::new();
        write_packet(Place::ANYWHERE, did, sdid, &data(index), &mut packet);
        write_header(0, packet.len().try_into().unwrap(), 1, Field::Unspecified, to);
        to.extend_from_slice(&packet);
        (u32::from(index) * 3600, true)
    })
}

#[test]
fn captions_that_contradict_themselves_are_told() {
    let captions = |rate_code: u8, triples: usize, change: fn(u16, &mut Vec<u8>)| {
        let measure = of_data(0x61, 1, |index| {
            let mut data = Vec::new();
            distribution::write(rate_code, index, None, &vec![[0xf8, 0, 0]; triples], &mut data);
            change(index, &mut data);
            data
        });
        let told = measure.faults().iter().map(|it| (it.count, it.detail.clone())).collect::<Vec<_>>();
        (told, measure.facts().caption_packets.unwrap())
    };
    assert_eq!(captions(3, 24, |_, _| {}).0, []);
    let (told, facts) = captions(3, 24, |index, data| data.truncate(if index == 5 { 20 } else { 255 }));
    assert_eq!((told.len(), facts.malformed, facts.sequence_gaps), (1, 1, 0));
    // The rate is known from the second frame on.
    assert_eq!(captions(7, 10, |_, _| {}).0, [(11, "made for 60000/1001 frames a second of 25".into())]);
    let few = "10 pairs of captions, where 25 frames a second have 24";
    assert_eq!(captions(3, 10, |_, _| {}).0, [(12, few.into())]);
    let (told, _) = captions(3, 24, |index, data| {
        if index == 5 {
            let at = data.len() - 2;
            (data[at], data[at + 1]) = (data[at] + 1, data[at + 1].wrapping_sub(1));
        }
    });
    assert_eq!(told, [(1, "number 6 at its end, 5 before".into())]);
}

#[test]
fn subtitles_of_teletext_are_shown_and_damage_is_told() {
    let subtitles = |change: fn(u16, &mut Vec<u8>)| {
        let measure = of_data(0x43, 2, |index| {
            let mut data = teletext::tests::subtitle(index, b"HELLO");
            change(index, &mut data);
            data
        });
        let told = measure.faults().iter().map(|it| (it.rule.name, it.count)).collect::<Vec<_>>();
        (told, measure.facts().captions)
    };
    let (told, shown) = subtitles(|_, _| {});
    assert_eq!((told, shown[0].service.as_str(), shown[0].last.as_str()), (vec![], "page 888", "HELLO"));
    let (told, _) = subtitles(|index, data| data[20] ^= u8::from(index == 3));
    assert_eq!(told, [("ancillary-subtitles", 1)]);
    let (told, _) = subtitles(|index, data| data.truncate(if index < 2 { 30 } else { 255 }));
    assert_eq!(told, [("ancillary-subtitles", 2)]);
}

#[test]
fn messages_to_splicers_that_claim_too_much_are_told() {
    let message = |operation: &[u8], size: i16| {
        let mut bytes = vec![0xff, 0xff, 0, 0, 0, 1, 2, 0, 3, 0, 0, 1];
        bytes.extend_from_slice(operation);
        let whole = i16::try_from(bytes.len()).unwrap() + size;
        bytes[2..4].copy_from_slice(&whole.to_be_bytes());
        bytes
    };
    let signal = [1, 4, 0, 2, 0x13, 0x88];
    let told = |head: u8, bytes: Vec<u8>| {
        let measure =
            of_data(0x41, 7, |index| if index == 5 { [vec![head], bytes.clone()].concat() } else { vec![] });
        measure.faults().iter().map(|it| it.detail.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(8, message(&signal, 0)), [""; 0]);
    assert_eq!(told(8, message(&signal, 4)), ["22 octets claimed, 18 there"]);
    assert_eq!(told(8, message(&signal, -1)), ["17 octets claimed, 18 there"]);
    assert_eq!(told(8, message(&[1, 1, 0, 3, 1, 0, 0], 0)), ["a splice request of 3 octets"]);
    assert_eq!(told(0x10, message(&signal, 0)), ["a descriptor 0x10 that does not exist"]);
    assert_eq!(told(0xc, message(&signal, 0)), ["it goes on with what never began"]);
}

/// So many periods of fields as these bits say; frames where the steps are twice as long.
fn of_fields(bits: &[u8], step: u32) -> Measure {
    stream(None, bits.len().try_into().unwrap(), |index, to| {
        one(index, 0, to);
        to[4 + 1] = bits[usize::from(index)] << 6;
        (u32::from(index) * step, true)
    })
}

#[test]
fn fields_take_turns() {
    let count = |measure: &Measure| {
        let rung = measure.faults().iter().filter(|it| it.rule.name == "ancillary-field-order");
        rung.map(|it| it.count).sum::<u64>()
    };
    let turns: Vec<u8> = (0..40).map(|index| 2 + index % 2).collect();
    assert_eq!(count(&of_fields(&turns, 1800)), 0);
    let mut one_wrong = turns.clone();
    one_wrong[21] = 2;
    assert_eq!(count(&of_fields(&one_wrong, 1800)), 1);
    // Another order from here on is told of once; one that never changes for every second field.
    let slipped: Vec<u8> =
        (0..40).map(|index| if index < 20 { 2 + index % 2 } else { 3 - index % 2 }).collect();
    assert_eq!(count(&of_fields(&slipped, 1800)), 1);
    assert_eq!(count(&of_fields(&[2; 40], 1800)), 20);
    // Nothing is said of fields that nobody names.
    let mut unnamed = turns;
    unnamed[11] = 0;
    assert_eq!(count(&of_fields(&unnamed, 1800)), 0);
}

#[test]
fn a_field_among_frames_halves_no_rate() {
    let mut bits = [0; 60];
    (bits[1], bits[40]) = (2, 3);
    let measure = of_fields(&bits, 3600);
    let facts = measure.facts();
    assert_eq!((facts.frame_rate, facts.periods_missing), (Ratio::new(25, 1), 0));
    let order = measure.faults().iter().find(|it| it.rule.name == "ancillary-field-order").unwrap();
    assert_eq!((order.count, order.detail.as_str()), (1, "a second field among frames"));
}

#[test]
fn who_has_nothing_yet_needs_no_marker() {
    let measure = stream(None, 40, |index, to| {
        if index % 2 == 0 {
            write_header(0, 0, 0, Field::Unspecified, to);
        } else {
            one(index / 2, 0, to);
        }
        (u32::from(index / 2) * 3003, index % 2 == 1)
    });
    assert_eq!((rung(&measure), measure.facts().keep_alives), (vec![], 20));
}

#[test]
fn windows_are_held_to() {
    let format = |low_latency| AncillaryFormat {
        frame_rate: Ratio::new(25, 1),
        kinds: Vec::new(),
        low_latency,
        vpid_code: Some(0x85),
    };
    let run = |low_latency, line, after_ns: i64| {
        let mut measure = Measure::new(Some(&format(low_latency))).with_offset(77);
        let mut payload = Vec::new();
        let mut packet = Vec::new();
        let place = Place { line, ..Place::ANYWHERE };
        write_packet(place, 0x41, 5, &[0x44, 0, 0, 0, 0, 0, 0, 0], &mut packet);
        write_header(0, packet.len().try_into().unwrap(), 1, Field::Unspecified, &mut payload);
        payload.extend_from_slice(&packet);
        let frame = 42_500_000_001_i64;
        let timestamp =
            crate::clock::Alignment::new(Ratio::new(25, 1).unwrap()).rtp(frame, 90_000).wrapping_add(77);
        let rtp = wire::rtp::Packet {
            marker: true,
            payload_type: 100,
            sequence: 1,
            timestamp,
            ssrc: 1,
            sources: 0,
            extension: None,
            payload: &payload,
            padding_bytes: 0,
        };
        let packet = crate::Packet { time: None, frame: 1, udp_bytes: 100, rtp };
        measure.handle(&packet, Some(frame * 40_000_000 + after_ns));
        let window = measure.facts().window.unwrap();
        (rung(&measure), window.late_ns.least)
    };
    // Line 9 of 1125 ends 320 µs after the frame begins.
    assert_eq!(run(false, Line::At(9), 1_320_000), (vec![], 0));
    assert_eq!(run(false, Line::At(9), 1_320_001), (vec!["ancillary-late"], 1));
    assert_eq!(run(true, Line::At(9), 604_445), (vec![], 0));
    assert_eq!(run(true, Line::At(9), 604_446), (vec!["ancillary-late"], 1));
    assert_eq!(run(false, Line::At(9), -38_680_001), (vec!["ancillary-early"], -40_000_001));
    assert_eq!(run(false, Line::BeforePicture, 39_000_000).0, [""; 0]);
}

#[test]
fn fields_at_the_time_of_the_other_are_told() {
    let run = |turned: u8| {
        let format = AncillaryFormat {
            frame_rate: Ratio::new(30_000, 1001),
            kinds: Vec::new(),
            low_latency: false,
            vpid_code: None,
        };
        let mut measure = Measure::new(Some(&format));
        let fields = crate::clock::Alignment::fields(Ratio::new(30_000, 1001).unwrap()).unwrap();
        for (sequence, field) in (0..12_u16).zip(102_000_000_001_i64..) {
            let mut payload = Vec::new();
            let second = field.rem_euclid(2) == 1;
            write_header(0, 0, 0, if second { Field::Second } else { Field::First }, &mut payload);
            payload[5] ^= turned;
            let rtp = wire::rtp::Packet {
                marker: true,
                payload_type: 100,
                sequence,
                timestamp: fields.rtp(field, 90_000),
                ssrc: 1,
                sources: 0,
                extension: None,
                payload: &payload,
                padding_bytes: 0,
            };
            let packet = crate::Packet { time: None, frame: 1, udp_bytes: 100, rtp };
            measure.handle(&packet, Some(fields.point(field).as_ns() + 100_000));
        }
        measure.faults().iter().map(|it| (it.rule.name, it.count)).collect::<Vec<_>>()
    };
    assert_eq!(run(0), []);
    assert_eq!(run(0x40), [("fields-swapped", 9)]);
}

#[test]
fn any_octets_are_survived() {
    let mut sample = vec![60, 3];
    one(0, 0, &mut sample);
    let mut seed = 3_u64;
    for round in 0..20_000 {
        let mut copy = sample.repeat(1 + round % 3);
        for _ in 0..4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % copy.len();
            copy[at] = seed.to_le_bytes()[5];
        }
        check(&copy);
    }
    (0..sample.len()).for_each(|end| check(&sample[..end]));
}
