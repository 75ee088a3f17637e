//! Laws that hold of any stream of JPEG XS, whatever its bytes; used by the fuzz target and the seeded test.

use model::media::{CompressedFormat, Ratio, Scan};

use super::codestream::START;
use super::measure::RULES;
use super::{Depacketiser, Measure, codestream, header};
use crate::video::check::packets;

/// What must hold of any input.
pub fn check(bytes: &[u8]) {
    if let Ok(payload) = header::parse(bytes) {
        assert_eq!([&payload.header()[..], payload.data].concat(), bytes, "written as read");
    }
    if let Ok(begin) = codestream::parse(bytes) {
        assert!(bytes.get(begin.boxes_bytes..).is_some_and(|rest| rest.starts_with(&START)));
        assert!(begin.boxes_bytes == 0 || begin.boxes_bytes >= 8);
    }
    let Some((choice, rest)) = bytes.split_first() else { return };
    let scan = if choice & 1 == 0 { Scan::Progressive } else { Scan::Interlaced };
    let mut measure = Measure::new(&CompressedFormat {
        width: None,
        height: None,
        frame_rate: Ratio::new(50, 1).filter(|_| choice & 2 == 0),
        scan,
        slices: false,
        sequential: true,
        sampling: None,
        depth: None,
        sender_type: None,
        burst_packets: None,
        bandwidth_kbps: None,
        ..CompressedFormat::default()
    });
    let mut depacketiser = Depacketiser::default();
    let (mut carried, mut given, mut files) = (0, 0, 0_u64);
    let count = packets(rest, 1800, |packet| {
        measure.handle(packet);
        carried += packet.rtp.payload.len();
        if let Some(file) = depacketiser.handle(packet) {
            assert!(file.codestream().starts_with(&START));
            given += file.bytes.len();
            files += 1;
        }
    });
    let facts = measure.facts();
    assert_eq!(facts.packets, count);
    assert!(facts.complete + facts.incomplete + facts.cut + facts.unreadable <= count);
    assert!(facts.packets_per_unit.sum <= count && facts.bytes_per_unit.sum <= carried as u64);
    assert!(given + 4 * usize::try_from(files).unwrap_or(0) <= carried, "no octet is given twice");
    assert!(files + depacketiser.dropped() <= count);
    assert!(measure.tally().faults().len() <= RULES.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_keep_the_laws() {
        let mut seed = 13_u64;
        for _ in 0..3000 {
            let mut bytes = Vec::new();
            let mut random = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33).to_le_bytes()[0]
            };
            bytes.push(random());
            for packet in 0..random() % 30 {
                let frame = codestream::tests::frame(10);
                let length = u8::try_from(frame.len() + 4).unwrap();
                let control = random() & 0x51 | if random() % 8 == 0 { 6 } else { 4 };
                bytes.extend([
                    control,
                    0,
                    length,
                    0x80 | control << 5 & 0x20,
                    0,
                    0,
                    if packet % 3 == 0 { 0 } else { packet % 3 },
                ]);
                bytes.extend(frame);
                let damaged = bytes.len() - usize::from(random() % length) - 1;
                bytes[damaged] ^= random() & 1;
            }
            check(&bytes);
        }
    }
}
