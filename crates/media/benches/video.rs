//! How fast video is unpacked, packed and measured: `cargo bench -p portreeve-media --profile bench-dev --bench video`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a measurement for people, not a part of the product"
)]

use std::time::Instant;

use model::Timestamp;
use model::media::{Colorimetry, Depth, Packing, Range, Ratio, Sampling, Scan, Transfer, VideoFormat};
use portreeve_media::Packet;
use portreeve_media::make::Batch;
use portreeve_media::make::video::{Head, Signal, VideoMaker};
use portreeve_media::picture::{PngDepth, png};
use portreeve_media::video::pack::{Samples, pack, pack_scalar};
use portreeve_media::video::unpack::{Rows, unpack, unpack_scalar};
use portreeve_media::video::{Measure, Pgroup};

const WIDTH: u16 = 1920;
const HEIGHT: usize = 1080;

/// The shortest time in milliseconds of ten runs: the machine is shared.
fn best_ms(mut run: impl FnMut()) -> f64 {
    let once = |run: &mut dyn FnMut()| {
        let begin = Instant::now();
        run();
        begin.elapsed().as_secs_f64() * 1e3
    };
    (0..10).map(|_| once(&mut run)).fold(f64::INFINITY, f64::min)
}

fn frames() {
    println!("1920x1080, milliseconds a frame (best of ten)   unpack scalar   fast   pack scalar   fast");
    for (sampling, depth) in [
        (Sampling::YCbCr422, Depth::Eight),
        (Sampling::YCbCr422, Depth::Ten),
        (Sampling::YCbCr422, Depth::Twelve),
        (Sampling::YCbCr422, Depth::Sixteen),
        (Sampling::YCbCr444, Depth::Ten),
        (Sampling::Rgb, Depth::Twelve),
        (Sampling::YCbCr420, Depth::Ten),
        (Sampling::Key, Depth::Ten),
    ] {
        let pgroup = Pgroup::of(sampling, depth).unwrap();
        let row_bytes = pgroup.row_bytes(WIDTH);
        let rows = HEIGHT / pgroup.down;
        let packed: Vec<u8> = (0..row_bytes * rows).map(|at| (at * 7 % 251) as u8).collect();
        let pixels = usize::from(WIDTH) * HEIGHT;
        let mut planes = [(); 4].map(|()| vec![0_u16; pixels]);
        let mut unpacked = |by: fn(Pgroup, &[u8], Rows<'_>)| {
            best_ms(|| {
                let width = usize::from(WIDTH);
                let [first, below, second, third] = &mut planes;
                let all = packed.chunks_exact(row_bytes).zip(first.chunks_exact_mut(width));
                let all = all
                    .zip(below.chunks_exact_mut(width))
                    .zip(second.chunks_exact_mut(width / pgroup.order.across()));
                for ((((row, first), below), second), third) in
                    all.zip(third.chunks_exact_mut(width / pgroup.order.across()))
                {
                    by(pgroup, row, Rows { first, below, second, third });
                }
            })
        };
        let (slow, fast) = (unpacked(unpack_scalar), unpacked(unpack));
        let [first, below, second, third] = &planes;
        let mut out = Vec::with_capacity(packed.len());
        let mut repacked = |by: fn(Pgroup, Samples<'_>, &mut Vec<u8>)| {
            best_ms(|| {
                out.clear();
                let width = usize::from(WIDTH);
                let all = first.chunks_exact(width).zip(below.chunks_exact(width));
                let all = all.zip(second.chunks_exact(width / pgroup.order.across()));
                for (((first, below), second), third) in
                    all.zip(third.chunks_exact(width / pgroup.order.across())).take(rows)
                {
                    by(pgroup, Samples { first, below, second, third }, &mut out);
                }
            })
        };
        let (slow_pack, fast_pack) = (repacked(pack_scalar), repacked(pack));
        println!(
            "{:>14} {:>3}  {slow:47.2} {fast:6.2} {slow_pack:13.2} {fast_pack:6.2}",
            sampling.token(),
            depth.token()
        );
    }
}

/// Packets a second of a whole measurement: RTP header, payload header, pixels, timestamps.
fn measured() {
    for (packing, scan) in [
        (Packing::General, Scan::Progressive),
        (Packing::Block, Scan::Progressive),
        (Packing::General, Scan::Interlaced),
    ] {
        let format = VideoFormat { packing, scan, ..format() };
        let head = Head { payload_type: 96, ssrc: 7, sequence: 65_000 };
        let mut maker = VideoMaker::new(&format, Signal::Bars, true, head).unwrap();
        let mut batch = Batch::default();
        for frame in 0..20_u32 {
            maker.frame(u64::from(frame), [frame * 1800, frame * 1800 + 900], &mut batch);
        }
        let mut measure = Measure::new(&format);
        let mut number = 0;
        let ms = best_ms(|| {
            measure = Measure::new(&format);
            for bytes in batch.iter() {
                number += 1;
                measure.handle(&Packet {
                    time: Some(Timestamp::from_ns(number * 4630)),
                    frame: number.cast_unsigned(),
                    udp_bytes: bytes.len() as u16 + 8,
                    rtp: wire::rtp::parse(bytes).unwrap(),
                });
            }
        });
        println!(
            "measured {:>8} {scan:?}: {:.1} M packets/s, {} frames or fields complete, faults {:?}",
            packing.token(),
            batch.len() as f64 / ms / 1e3,
            measure.facts().complete,
            measure.tally().faults().iter().map(|fault| fault.rule.name).collect::<Vec<_>>(),
        );
    }
}

/// Milliseconds to make a frame in packets.
fn made() {
    for signal in [Signal::Bars, Signal::Ramp, Signal::ZonePlate] {
        let head = Head { payload_type: 96, ssrc: 7, sequence: 0 };
        let mut maker = VideoMaker::new(&format(), signal, true, head).unwrap();
        let (mut batch, mut frame) = (Batch::default(), 0);
        let ms = best_ms(|| {
            batch.clear();
            frame += 1;
            maker.frame(frame, [0; 2], &mut batch);
        });
        println!("made {signal:?} with time burnt in: {ms:.2} ms a frame");
    }
}

/// Milliseconds to show a frame as PNG.
fn shown() {
    let head = Head { payload_type: 96, ssrc: 7, sequence: 0 };
    for transfer in [Transfer::Sdr, Transfer::Pq] {
        let format = VideoFormat { transfer, colorimetry: Colorimetry::Bt709, ..format() };
        let mut maker = VideoMaker::new(&format, Signal::ZonePlate, true, head).unwrap();
        maker.frame(0, [0; 2], &mut Batch::default());
        let mut bytes = 0;
        let ms = best_ms(|| bytes = png(maker.picture(), PngDepth::Eight).len());
        println!("PNG of a zone plate in {}: {ms:.0} ms, {bytes} bytes", transfer.token());
    }
}

fn format() -> VideoFormat {
    let one = Ratio::new(1, 1).unwrap();
    VideoFormat {
        sampling: Sampling::YCbCr422,
        depth: Depth::Ten,
        width: WIDTH,
        height: HEIGHT as u16,
        frame_rate: Ratio::new(50, 1).unwrap(),
        scan: Scan::Progressive,
        colorimetry: Colorimetry::Bt709,
        transfer: Transfer::Sdr,
        range: Range::Narrow,
        packing: Packing::General,
        max_udp_bytes: 1460,
        sender_type: None,
        offset_us: None,
        burst_packets: None,
        pixel_aspect: one,
    }
}

fn main() {
    frames();
    measured();
    made();
    shown();
}
