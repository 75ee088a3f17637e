//! From packed pixel groups to planes of 16-bit samples, in two ways that agree (ST 2110-20:2022 §6.2).

use super::pgroup::{Order, Pgroup};

/// Where the samples of a piece of a row go. What does not fit is the filling of the last pixel group and is dropped.
#[derive(Debug)]
pub struct Rows<'a> {
    /// Y, R, X or K.
    pub first: &'a mut [u16],
    /// Y of the row below, with 4:2:0 only.
    pub below: &'a mut [u16],
    /// Cb, G or Y.
    pub second: &'a mut [u16],
    /// Cr, B or Z.
    pub third: &'a mut [u16],
}

/// Samples that are expanded at a time: whole units of every order, whole octets of every depth.
const BATCH: usize = 480;

/// Unpacks the whole pixel groups of `bytes`, as fast as this machine can.
#[inline]
pub fn unpack(pgroup: Pgroup, bytes: &[u8], rows: Rows<'_>) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || wide(pgroup, bytes, rows),
    );
}

/// Unpacks the whole pixel groups of `bytes`, bit after bit: what [`unpack`] is held to.
pub fn unpack_scalar(pgroup: Pgroup, bytes: &[u8], rows: Rows<'_>) {
    let mut bits = Bits { bytes: whole(pgroup, bytes), held: 0, count: 0 };
    let mut sample = || bits.take(pgroup.bits);
    let units = bytes.len() / pgroup.bytes * (pgroup.across / pgroup.order.across());
    let put = |row: &mut [u16], at: usize, value: u16| {
        if let Some(place) = row.get_mut(at) {
            *place = value;
        }
    };
    for unit in 0..units {
        match pgroup.order {
            Order::Colour422 => {
                put(rows.second, unit, sample());
                put(rows.first, unit * 2, sample());
                put(rows.third, unit, sample());
                put(rows.first, unit * 2 + 1, sample());
            }
            Order::Colour444 => {
                put(rows.second, unit, sample());
                put(rows.first, unit, sample());
                put(rows.third, unit, sample());
            }
            Order::Primaries => {
                put(rows.first, unit, sample());
                put(rows.second, unit, sample());
                put(rows.third, unit, sample());
            }
            Order::Colour420 => {
                put(rows.first, unit * 2, sample());
                put(rows.first, unit * 2 + 1, sample());
                put(rows.below, unit * 2, sample());
                put(rows.below, unit * 2 + 1, sample());
                put(rows.second, unit, sample());
                put(rows.third, unit, sample());
            }
            Order::Key => put(rows.first, unit, sample()),
        }
    }
}

/// Numbers of a fixed width out of octets, the highest bit first.
struct Bits<'a> {
    bytes: &'a [u8],
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn take(&mut self, bits: u32) -> u16 {
        while self.count < bits {
            let (first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
            self.bytes = rest;
            self.held = self.held << 8 | u32::from(*first);
            self.count += 8;
        }
        self.count -= bits;
        low(u64::from(self.held >> self.count), bits)
    }
}

/// The lowest bits of a number; 16 at most.
#[inline(always)]
fn low(value: u64, bits: u32) -> u16 {
    let [.., high, low] = (value & ((1 << bits) - 1)).to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// The octets that are whole pixel groups.
fn whole(pgroup: Pgroup, bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len() - bytes.len() % pgroup.bytes).unwrap_or_default()
}

/// As much as the processor unpacks by shuffles; gives what is left.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn by_shuffles<'b, 'r>(pgroup: Pgroup, bytes: &'b [u8], rows: Rows<'r>) -> (&'b [u8], Rows<'r>) {
    if pgroup.order != Order::Colour422 || pgroup.bits != 10 {
        return (bytes, rows);
    }
    let Some(simd) = pulp::x86::V3::try_new() else { return (bytes, rows) };
    let Rows { first, below, second, third } = rows;
    let done = colour_422_10(simd, bytes, first, second, third);
    let rows = Rows {
        first: first.get_mut(done * 2..).unwrap_or_default(),
        below,
        second: second.get_mut(done..).unwrap_or_default(),
        third: third.get_mut(done..).unwrap_or_default(),
    };
    (bytes.get(done * 5..).unwrap_or_default(), rows)
}

#[inline(always)]
fn wide(pgroup: Pgroup, bytes: &[u8], rows: Rows<'_>) {
    let bytes = whole(pgroup, bytes);
    #[cfg(target_arch = "x86_64")]
    let (bytes, rows) = by_shuffles(pgroup, bytes, rows);
    let Rows { mut first, mut below, mut second, mut third } = rows;
    let mut samples = [0_u16; BATCH];
    let bytes_of_batch = BATCH * pgroup.bits as usize / 8;
    let units = BATCH / pgroup.order.samples();
    let (across, colours) = (units * pgroup.order.across(), units);
    for chunk in bytes.chunks(bytes_of_batch) {
        let count = expand(pgroup.bits, chunk, &mut samples);
        let samples = samples.get(..count).unwrap_or_default();
        let (first_now, first_later) = front(first, across);
        let (second_now, second_later) = front(second, colours);
        let (third_now, third_later) = front(third, colours);
        match pgroup.order {
            Order::Colour422 => {
                let (units, _) = samples.as_chunks::<4>();
                spread(units, second_now, |[cb, ..]| *cb);
                spread(units, third_now, |[_, _, cr, _]| *cr);
                spread_pairs(units, first_now, |[_, y0, _, y1]| [*y0, *y1]);
            }
            Order::Colour444 => {
                let (units, _) = samples.as_chunks::<3>();
                spread(units, second_now, |[cb, _, _]| *cb);
                spread(units, first_now, |[_, y, _]| *y);
                spread(units, third_now, |[_, _, cr]| *cr);
            }
            Order::Primaries => {
                let (units, _) = samples.as_chunks::<3>();
                spread(units, first_now, |[r, _, _]| *r);
                spread(units, second_now, |[_, g, _]| *g);
                spread(units, third_now, |[_, _, b]| *b);
            }
            Order::Colour420 => {
                let (units, _) = samples.as_chunks::<6>();
                let (below_now, below_later) = front(below, across);
                spread_pairs(units, first_now, |[y0, y1, ..]| [*y0, *y1]);
                spread_pairs(units, below_now, |[_, _, y0, y1, ..]| [*y0, *y1]);
                spread(units, second_now, |[.., cb, _]| *cb);
                spread(units, third_now, |[.., cr]| *cr);
                below = below_later;
            }
            Order::Key => first_now.iter_mut().zip(samples).for_each(|(place, value)| *place = *value),
        }
        (first, second, third) = (first_later, second_later, third_later);
    }
}

/// The first `count` of a row, or all, and what is left.
#[inline(always)]
fn front(row: &mut [u16], count: usize) -> (&mut [u16], &mut [u16]) {
    let count = count.min(row.len());
    row.split_at_mut_checked(count).unwrap_or_default()
}

#[inline(always)]
fn spread<const N: usize>(units: &[[u16; N]], row: &mut [u16], of: impl Fn(&[u16; N]) -> u16) {
    row.iter_mut().zip(units).for_each(|(place, unit)| *place = of(unit));
}

#[inline(always)]
fn spread_pairs<const N: usize>(units: &[[u16; N]], row: &mut [u16], of: impl Fn(&[u16; N]) -> [u16; 2]) {
    let (pairs, odd) = row.as_chunks_mut::<2>();
    let taken = pairs.len();
    pairs.iter_mut().zip(units).for_each(|(place, unit)| *place = of(unit));
    if let ([place], Some(unit)) = (odd, units.get(taken)) {
        let [left, _] = of(unit);
        *place = left;
    }
}

/// Samples of `bits` out of octets; how many there are.
#[inline(always)]
fn expand(bits: u32, bytes: &[u8], samples: &mut [u16; BATCH]) -> usize {
    match bits {
        8 => {
            samples.iter_mut().zip(bytes).for_each(|(place, byte)| *place = u16::from(*byte));
            bytes.len()
        }
        10 => {
            let (groups, _) = bytes.as_chunks::<5>();
            let (places, _) = samples.as_chunks_mut::<4>();
            for (place, [a, b, c, d, e]) in places.iter_mut().zip(groups) {
                let [a, b, c, d, e] = [a, b, c, d, e].map(|it| u16::from(*it));
                *place = [
                    a << 2 | b >> 6,
                    (b & 0x3f) << 4 | c >> 4,
                    (c & 0x0f) << 6 | d >> 2,
                    (d & 0x03) << 8 | e,
                ];
            }
            groups.len() * 4
        }
        12 => {
            let (groups, _) = bytes.as_chunks::<3>();
            let (places, _) = samples.as_chunks_mut::<2>();
            for (place, [a, b, c]) in places.iter_mut().zip(groups) {
                let [a, b, c] = [a, b, c].map(|it| u16::from(*it));
                *place = [a << 4 | b >> 4, (b & 0x0f) << 8 | c];
            }
            groups.len() * 2
        }
        _ => {
            let (groups, _) = bytes.as_chunks::<2>();
            samples.iter_mut().zip(groups).for_each(|(place, group)| *place = u16::from_be_bytes(*group));
            groups.len()
        }
    }
}

/// Eight pixel groups of 4:2:2 in 10 bits at a time with AVX2; how many pixel groups were unpacked.
///
/// Each sample lies in two neighbouring octets: these are brought together, the sample is multiplied to the upper end
/// of its 16 bits and shifted down.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn colour_422_10(
    simd: pulp::x86::V3,
    mut bytes: &[u8],
    first: &mut [u16],
    second: &mut [u16],
    third: &mut [u16],
) -> usize {
    use core::arch::x86_64::{__m128i, __m256i};
    use pulp::cast;
    /// For each sample of two pixel groups (Y0 Y1 Y0 Y1 Cb Cb Cr Cr): its lower octet, then its upper.
    const OCTETS: [u8; 16] = [2, 1, 4, 3, 7, 6, 9, 8, 1, 0, 6, 5, 3, 2, 8, 7];
    const UP: [u16; 8] = [4, 64, 4, 64, 1, 1, 16, 16];
    let octets: __m256i = cast([OCTETS; 2]);
    let up: __m256i = cast([UP; 2]);
    let order: __m256i = cast([0_u32, 4, 2, 6, 1, 5, 3, 7]);
    let load = |at: &[u8; 16]| -> __m128i { cast(*at) };
    let (first, _) = first.as_chunks_mut::<16>();
    let (second, _) = second.as_chunks_mut::<8>();
    let (third, _) = third.as_chunks_mut::<8>();
    let mut done = 0;
    for ((luma, cb), cr) in first.iter_mut().zip(second).zip(third) {
        // The last load reads 6 octets beyond the group.
        let Some(group) = bytes.first_chunk::<46>() else { break };
        let at = |start: usize| group.get(start..).and_then(|it| it.first_chunk::<16>());
        let (Some(a), Some(b), Some(c), Some(d)) = (at(0), at(10), at(20), at(30)) else { break };
        let samples = |low: &[u8; 16], high: &[u8; 16]| {
            let both = simd
                .avx2
                ._mm256_inserti128_si256::<1>(simd.avx._mm256_castsi128_si256(load(low)), load(high));
            let apart = simd.avx2._mm256_shuffle_epi8(both, octets);
            simd.avx2._mm256_srli_epi16::<6>(simd.avx2._mm256_mullo_epi16(apart, up))
        };
        let (left, right) = (samples(a, b), samples(c, d));
        let lumas = simd.avx2._mm256_unpacklo_epi64(left, right);
        let colours = simd.avx2._mm256_unpackhi_epi64(left, right);
        *luma = cast(simd.avx2._mm256_permute4x64_epi64::<0b11_01_10_00>(lumas));
        let colours: [[u16; 8]; 2] = cast(simd.avx2._mm256_permutevar8x32_epi32(colours, order));
        [*cb, *cr] = colours;
        bytes = bytes.get(40..).unwrap_or_default();
        done += 8;
    }
    done
}
