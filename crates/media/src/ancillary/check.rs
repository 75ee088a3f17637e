//! What must hold of any octets that claim to be ancillary data; for the fuzz target and the seeded test.

use model::media::AncillaryFormat;

use super::word::{Words, pack};
use super::{HEADER_BYTES, Measure, distribution, parse, splicing, teletext};

/// What must hold of any input: packets lie in the payload, and words survive being packed again.
pub fn check(bytes: &[u8]) {
    check_payload(bytes);
    check_measure(bytes);
}

fn check_payload(bytes: &[u8]) {
    let payload = match parse(bytes) {
        Ok(payload) => payload,
        Err(fault) => return assert!(fault.at <= bytes.len() && bytes.len() < HEADER_BYTES),
    };
    let mut packets = payload.packets();
    let (mut count, mut used) = (0_usize, 0_usize);
    for packet in packets.by_ref() {
        count += 1;
        let packet = match packet {
            Ok(packet) => packet,
            Err(fault) => {
                assert!(fault.at <= bytes.len());
                continue;
            }
        };
        let start = payload.body.get(used + 4..).unwrap_or_default();
        used += packet.bytes;
        assert_eq!(packet.words.len(), usize::from(packet.count.value()));
        let words = Words::new(start, 0, packet.words.len() + 4);
        let mut again = Vec::new();
        pack(words.iter(), &mut again);
        assert_eq!(again.len() + 4, packet.bytes);
        if packet.filled_with_zeros {
            assert_eq!(start.get(..again.len()), Some(again.as_slice()));
        }
        let mut room = [0; 255];
        let values = packet.words.values(&mut room);
        if let Ok(packet) = distribution::parse(values) {
            assert!(packet.pairs().count() <= 31);
        }
        teletext::check(values);
        if let Some((_, message)) = values.split_first()
            && let Ok(message) = splicing::parse(message)
        {
            let octets: usize = message.operations().map(|it| it.data.len()).sum();
            assert!(octets <= values.len());
        }
    }
    assert!(count <= usize::from(payload.count));
    assert!(packets.rest_bytes() + used.min(payload.body.len()) == payload.body.len());
}

/// Measures payloads that are cut out of the bytes, each with a length in front.
fn check_measure(bytes: &[u8]) {
    let format =
        AncillaryFormat { frame_rate: None, kinds: vec![(0x60, 0x60)], low_latency: false, vpid_code: None };
    for format in [None, Some(&format)] {
        let mut measure = Measure::new(format);
        let (mut rest, mut frame) = (bytes, 0_u64);
        while let [length, step, more @ ..] = rest {
            let (payload, after) = more.split_at(more.len().min(usize::from(*length)));
            rest = after;
            frame += 1;
            let sequence = u16::try_from(frame % 65_536).unwrap_or(0);
            measure.handle(
                &crate::Packet {
                    time: None,
                    frame,
                    udp_bytes: 1460,
                    rtp: wire::rtp::Packet {
                        marker: step & 1 != 0,
                        payload_type: 100,
                        sequence,
                        timestamp: u32::from(step >> 1).wrapping_mul(3003),
                        ssrc: 1,
                        sources: 0,
                        extension: None,
                        payload,
                        padding_bytes: 0,
                    },
                },
                Some(i64::from(*step) * 16_683_350),
            );
        }
        let facts = measure.facts();
        assert_eq!(facts.packets, frame);
        let listed: u64 = facts.kinds.iter().map(|it| it.packets).sum();
        assert_eq!(listed + facts.other_kinds, facts.data_packets);
        assert!(facts.kinds.len() <= 64 && facts.splices.len() <= 64 && facts.captions.len() <= 12);
        assert!(facts.checksum_errors <= facts.data_packets && facts.malformed <= facts.packets);
        assert!(facts.periods <= facts.packets);
    }
}
