//! From planes of 16-bit samples to packed pixel groups, in two ways that agree (ST 2110-20:2022 §6.2).

use super::pgroup::{Order, Pgroup};

/// The samples of one row (of two with 4:2:0). What is missing of the last pixel group is zero.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Y, R, X or K: as many as there are pixels across.
    pub first: &'a [u16],
    /// Y of the row below, with 4:2:0 only.
    pub below: &'a [u16],
    /// Cb, G or Y.
    pub second: &'a [u16],
    /// Cr, B or Z.
    pub third: &'a [u16],
}

/// Samples that are compressed at a time: whole units of every order, whole octets of every depth.
const BATCH: usize = 480;

/// Appends the pixel groups of a row, as fast as this machine can.
pub fn pack(pgroup: Pgroup, row: Samples<'_>, to: &mut Vec<u8>) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || wide(pgroup, row, to),
    );
}

/// Units of a row, filled up to whole pixel groups.
fn units(pgroup: Pgroup, row: &Samples<'_>) -> usize {
    row.first.len().div_ceil(pgroup.across) * (pgroup.across / pgroup.order.across())
}

/// Appends the pixel groups of a row, bit after bit: what [`pack`] is held to.
pub fn pack_scalar(pgroup: Pgroup, row: Samples<'_>, to: &mut Vec<u8>) {
    let (mut held, mut count) = (0_u32, 0_u32);
    let mask = u32::MAX >> (32 - pgroup.bits);
    let mut put = |row: &[u16], at: usize| {
        let value = row.get(at).copied().unwrap_or(0);
        held = held << pgroup.bits | (u32::from(value) & mask);
        count += pgroup.bits;
        while count >= 8 {
            count -= 8;
            let [.., byte] = (held >> count).to_be_bytes();
            to.push(byte);
        }
    };
    for unit in 0..units(pgroup, &row) {
        match pgroup.order {
            Order::Colour422 => {
                put(row.second, unit);
                put(row.first, unit * 2);
                put(row.third, unit);
                put(row.first, unit * 2 + 1);
            }
            Order::Colour444 => {
                put(row.second, unit);
                put(row.first, unit);
                put(row.third, unit);
            }
            Order::Primaries => {
                put(row.first, unit);
                put(row.second, unit);
                put(row.third, unit);
            }
            Order::Colour420 => {
                put(row.first, unit * 2);
                put(row.first, unit * 2 + 1);
                put(row.below, unit * 2);
                put(row.below, unit * 2 + 1);
                put(row.second, unit);
                put(row.third, unit);
            }
            Order::Key => put(row.first, unit),
        }
    }
}

#[inline(always)]
fn wide(pgroup: Pgroup, row: Samples<'_>, to: &mut Vec<u8>) {
    let mut left = units(pgroup, &row);
    let of_batch = BATCH / pgroup.order.samples();
    let mut samples = [0_u16; BATCH];
    let Samples { mut first, mut below, mut second, mut third } = row;
    while left > 0 {
        let now = left.min(of_batch);
        left -= now;
        let (lumas, colours) = (now * pgroup.order.across(), now);
        match pgroup.order {
            Order::Colour422 => {
                let (units, _) = samples.as_chunks_mut::<4>();
                gather(units, second, |unit, value| unit[0] = value);
                gather(units, third, |unit, value| unit[2] = value);
                gather_pairs(units, first, |unit, [left, right]| (unit[1], unit[3]) = (left, right));
            }
            Order::Colour444 => {
                let (units, _) = samples.as_chunks_mut::<3>();
                gather(units, second, |unit, value| unit[0] = value);
                gather(units, first, |unit, value| unit[1] = value);
                gather(units, third, |unit, value| unit[2] = value);
            }
            Order::Primaries => {
                let (units, _) = samples.as_chunks_mut::<3>();
                gather(units, first, |unit, value| unit[0] = value);
                gather(units, second, |unit, value| unit[1] = value);
                gather(units, third, |unit, value| unit[2] = value);
            }
            Order::Colour420 => {
                let (units, _) = samples.as_chunks_mut::<6>();
                gather_pairs(units, first, |unit, [left, right]| (unit[0], unit[1]) = (left, right));
                gather_pairs(units, below, |unit, [left, right]| (unit[2], unit[3]) = (left, right));
                gather(units, second, |unit, value| unit[4] = value);
                gather(units, third, |unit, value| unit[5] = value);
            }
            Order::Key => {
                let count = first.len().min(now);
                samples.iter_mut().zip(first).for_each(|(place, value)| *place = *value);
                samples.iter_mut().skip(count).for_each(|place| *place = 0);
            }
        }
        compress(pgroup.bits, samples.get(..now * pgroup.order.samples()).unwrap_or_default(), to);
        first = first.get(lumas..).unwrap_or_default();
        below = below.get(lumas..).unwrap_or_default();
        second = second.get(colours..).unwrap_or_default();
        third = third.get(colours..).unwrap_or_default();
    }
}

#[inline(always)]
fn gather<const N: usize>(units: &mut [[u16; N]], row: &[u16], put: impl Fn(&mut [u16; N], u16)) {
    units.iter_mut().zip(row).for_each(|(unit, value)| put(unit, *value));
    units.iter_mut().skip(row.len()).for_each(|unit| put(unit, 0));
}

#[inline(always)]
fn gather_pairs<const N: usize>(units: &mut [[u16; N]], row: &[u16], put: impl Fn(&mut [u16; N], [u16; 2])) {
    let (pairs, odd) = row.as_chunks::<2>();
    units.iter_mut().zip(pairs).for_each(|(unit, pair)| put(unit, *pair));
    let rest = units.get_mut(pairs.len()..).unwrap_or_default();
    rest.iter_mut().for_each(|unit| put(unit, [0, 0]));
    if let ([left], Some(unit)) = (odd, rest.first_mut()) {
        put(unit, [*left, 0]);
    }
}

/// Appends samples of `bits`; they are a whole number of octets.
#[inline(always)]
fn compress(bits: u32, samples: &[u16], to: &mut Vec<u8>) {
    let begin = to.len();
    to.resize(begin + samples.len() * bits as usize / 8, 0);
    let place = to.get_mut(begin..).unwrap_or_default();
    match bits {
        8 => place.iter_mut().zip(samples).for_each(|(byte, value)| *byte = value.to_be_bytes()[1]),
        10 => {
            let (groups, _) = samples.as_chunks::<4>();
            let (places, _) = place.as_chunks_mut::<5>();
            for (place, group) in places.iter_mut().zip(groups) {
                let [a, b, c, d] = group.map(|it| u64::from(it & 0x3ff));
                let [_, _, _, packed @ ..] = (a << 30 | b << 20 | c << 10 | d).to_be_bytes();
                *place = packed;
            }
        }
        12 => {
            let (groups, _) = samples.as_chunks::<2>();
            let (places, _) = place.as_chunks_mut::<3>();
            for (place, group) in places.iter_mut().zip(groups) {
                let [a, b] = group.map(|it| u32::from(it & 0xfff));
                let [_, packed @ ..] = (a << 12 | b).to_be_bytes();
                *place = packed;
            }
        }
        _ => {
            let (places, _) = place.as_chunks_mut::<2>();
            places.iter_mut().zip(samples).for_each(|(place, value)| *place = value.to_be_bytes());
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "numbers of a test fit")]
mod tests {
    use super::super::unpack::{Rows, unpack, unpack_scalar};
    use super::*;
    use model::media::{Depth, Sampling};

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0 >> 24
        }
    }

    /// Each that differs from the others.
    fn every_pgroup() -> Vec<Pgroup> {
        let both = |sampling| Depth::ALL.iter().map(move |depth| (sampling, *depth));
        let all = Sampling::ALL.iter().copied().flat_map(both);
        let mut found = Vec::new();
        for pgroup in all.filter_map(|(sampling, depth)| Pgroup::of(sampling, depth)) {
            if !found.contains(&pgroup) {
                found.push(pgroup);
            }
        }
        found
    }

    fn rows<'a>(planes: &'a mut [Vec<u16>; 4]) -> Rows<'a> {
        let [first, below, second, third] = planes;
        Rows { first, below, second, third }
    }

    #[test]
    fn both_ways_to_unpack_agree_for_every_format_and_length() {
        let mut random = Random(1);
        let bytes: Vec<u8> = (0..1500).map(|_| random.next().to_le_bytes()[0]).collect();
        for pgroup in every_pgroup() {
            for length in 0..bytes.len() {
                // The row is at times shorter than the pixel groups, and at times longer.
                let across = length / pgroup.bytes * pgroup.across;
                let across = (across + 3).saturating_sub(random.next() as usize % 6);
                let empty = || {
                    [across, across, across.div_ceil(pgroup.order.across()), across].map(|n| vec![0xabcd; n])
                };
                let (mut slow, mut fast) = (empty(), empty());
                unpack_scalar(pgroup, &bytes[..length], rows(&mut slow));
                unpack(pgroup, &bytes[..length], rows(&mut fast));
                assert!(slow == fast, "{pgroup:?}, {length} octets, {across} across");
            }
        }
    }

    #[test]
    fn both_ways_to_pack_agree_and_are_unpacked_again() {
        let mut random = Random(2);
        for pgroup in every_pgroup() {
            let mask = u16::MAX >> (16 - pgroup.bits);
            for across in (0_usize..70).chain([479, 480, 481, 960, 961, 1279, 1920]) {
                let colours = across.div_ceil(pgroup.order.across());
                let colours = if pgroup.order == Order::Key { 0 } else { colours };
                let below = if pgroup.down == 2 { across } else { 0 };
                let planes = [across, below, colours, colours]
                    .map(|n| (0..n).map(|_| random.next() as u16 & mask).collect::<Vec<_>>());
                let [first, below, second, third] = &planes;
                let samples = Samples { first, below, second, third };
                let (mut slow, mut fast) = (Vec::new(), vec![9]);
                pack_scalar(pgroup, samples, &mut slow);
                pack(pgroup, samples, &mut fast);
                assert!(slow == fast[1..], "{pgroup:?}, {across} across");
                assert_eq!(slow.len(), across.div_ceil(pgroup.across) * pgroup.bytes);
                let mut again = planes.clone().map(|plane| vec![0xffff; plane.len()]);
                unpack(pgroup, &slow, rows(&mut again));
                assert!(again == planes, "{pgroup:?}, {across} across");
            }
        }
    }

    #[test]
    fn ten_bits_lie_where_the_text_says() {
        let pgroup = Pgroup::of(Sampling::YCbCr422, Depth::Ten).unwrap();
        let mut packed = Vec::new();
        let row = Samples { first: &[0x3ff, 0x001], below: &[], second: &[0x200], third: &[0x155] };
        pack(pgroup, row, &mut packed);
        // Cb 1000000000, Y0 1111111111, Cr 0101010101, Y1 0000000001.
        assert_eq!(packed, [0b1000_0000, 0b0011_1111, 0b1111_0101, 0b0101_0100, 0b0000_0001]);
    }
}
