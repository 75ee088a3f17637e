//! Laws that hold of any stream of video, whatever its bytes; used by the fuzz target and the seeded test.

use model::media::{Colorimetry, Depth, Packing, Range, Ratio, Sampling, Scan, Transfer, VideoFormat};
use model::{Timestamp, Utc};

use super::unpack::{Rows, unpack, unpack_scalar};
use super::{Assembler, Detector, Measure, Pgroup, header, rules};
use crate::Packet;

/// Packets out of fuzzed bytes: for each a control octet (marker, sequence step, timestamp step), two of length, a payload.
pub(crate) fn packets(mut bytes: &[u8], ticks: u32, mut to: impl FnMut(&Packet<'_>)) -> u64 {
    let (mut sequence, mut timestamp, mut frame) = (65_530_u16, 0_u32, 0_u64);
    while let Some(([control, high, low], rest)) = bytes.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low]) & 0x7ff);
        let (payload, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        bytes = rest;
        sequence = sequence.wrapping_add(u16::from(control >> 1 & 7)).wrapping_sub(1);
        timestamp = match control >> 4 & 3 {
            0 => timestamp,
            1 => timestamp.wrapping_add(ticks),
            2 => timestamp.wrapping_add(1),
            _ => timestamp.wrapping_sub(ticks),
        };
        frame += 1;
        let time: Option<Timestamp<Utc>> =
            (control >> 6 & 1 == 0).then(|| Timestamp::from_ns(i64::from(timestamp) * 11_111));
        let rtp = wire::rtp::Packet {
            marker: control & 1 != 0,
            payload_type: 96,
            sequence,
            timestamp,
            ssrc: 1,
            sources: 0,
            extension: None,
            payload,
            padding_bytes: 0,
        };
        to(&Packet { time, frame, udp_bytes: u16::try_from(length + 20).unwrap_or(u16::MAX), rtp });
    }
    frame
}

fn format(choice: u8) -> Option<VideoFormat> {
    let sampling = *Sampling::ALL.iter().cycle().nth(usize::from(choice >> 4))?;
    let depth = *Depth::ALL.iter().cycle().nth(usize::from(choice))?;
    Some(VideoFormat {
        sampling,
        depth,
        width: 30 + u16::from(choice & 3),
        height: 9 + u16::from(choice >> 2 & 3),
        frame_rate: Ratio::new(50, 1)?,
        scan: match choice % 3 {
            0 => Scan::Progressive,
            1 => Scan::Interlaced,
            _ => Scan::Segmented,
        },
        colorimetry: Colorimetry::Bt709,
        transfer: Transfer::Sdr,
        range: Range::Narrow,
        packing: if choice & 8 == 0 { Packing::General } else { Packing::Block },
        max_udp_bytes: 1460,
        sender_type: None,
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1)?,
    })
}

/// What must hold of any input.
pub fn check(bytes: &[u8]) {
    header::check(bytes);
    let Some((choice, rest)) = bytes.split_first() else { return };
    let Some(format) = format(*choice) else { return };
    let Some(pgroup) = Pgroup::of_format(&format) else { return };
    both_ways_agree(pgroup, rest);

    let mut measure = Measure::new(&format);
    let Some(mut assembler) = Assembler::new(&format) else { return };
    let mut detector = Detector::default();
    let mut pictures = Vec::new();
    let mut carried = 0;
    let count = packets(rest, 1800, |packet| {
        measure.handle(packet);
        detector.handle(packet);
        pictures.extend(assembler.handle(packet));
        // What is claimed and not there counts as cut by the capture.
        carried += (packet.rtp.payload.len() + packet.cut_bytes()) as u64;
    });
    pictures.extend(core::iter::from_fn(|| assembler.poll()));

    let facts = measure.facts();
    assert_eq!(facts.packets, count);
    let units = facts.complete + facts.incomplete + facts.cut;
    assert!(units + facts.late + facts.unreadable <= count, "each frame has a packet of its own: {facts:?}");
    assert!(facts.packets_per_unit.sum <= count && facts.packets_per_unit.count == facts.complete);
    assert!(facts.data_bytes.sum <= carried);
    assert!(measure.tally().faults().len() <= rules::ALL.len());
    let pixels = u64::from(format.width + 3) * u64::from(format.height + 1);
    assert!(facts.pixels_missing <= pixels * facts.incomplete);
    let least = pgroup.row_bytes(format.width) * usize::from(format.height / 2).max(1) / pgroup.down;
    assert!(facts.complete == 0 || carried >= least as u64, "a whole frame out of nothing");
    assert!(pictures.len() as u64 <= count);
    for picture in &pictures {
        assert!(picture.missing_pixels <= u64::from(format.width) * u64::from(format.height));
        assert!(picture.timestamps.iter().any(Option::is_some));
    }
    if let Some(found) = detector.found() {
        assert!(count >= 4 && !found.certainty.certain.is_empty(), "too few packets to be sure");
    }
}

fn both_ways_agree(pgroup: Pgroup, bytes: &[u8]) {
    let across = bytes.len() / pgroup.bytes * pgroup.across;
    let mut planes = [[(); 4].map(|()| vec![0_u16; across]), [(); 4].map(|()| vec![0_u16; across])];
    for (planes, way) in planes.iter_mut().zip([unpack_scalar, unpack]) {
        let [first, below, second, third] = planes;
        way(pgroup, bytes, Rows { first, below, second, third });
    }
    let [slow, fast] = &planes;
    assert!(slow == fast, "two ways of unpacking {pgroup:?} differ");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_keep_the_laws() {
        let mut seed = 12_u64;
        for _ in 0..3000 {
            let mut bytes = Vec::new();
            let mut random = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33).to_le_bytes()[0]
            };
            bytes.push(random());
            for _ in 0..random() % 40 {
                let length = random() % 120 + 8;
                bytes.extend([random(), 0, length]);
                // Rows and offsets that are often right.
                bytes.extend([
                    0,
                    0,
                    0,
                    length.saturating_sub(8),
                    (random() & 1) << 7,
                    random() % 13,
                    0,
                    random() % 32,
                ]);
                bytes.extend((8..length).map(|_| random()));
            }
            check(&bytes);
        }
        check(&[]);
    }
}
