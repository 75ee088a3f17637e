//! How fast video is unpacked, packed and measured: `cargo bench -p portreeve-media --profile bench-dev --bench video`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a measurement for people, not a part of the product"
)]

use std::time::Instant;

use model::media::{Depth, Sampling};
use portreeve_media::video::Pgroup;
use portreeve_media::video::pack::{Samples, pack, pack_scalar};
use portreeve_media::video::unpack::{Rows, unpack, unpack_scalar};

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

fn main() {
    frames();
}
