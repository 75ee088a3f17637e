//! The seeded hash of every table here, so that nobody who sends packets can choose who collides with whom.

use std::hash::BuildHasher;

use siphasher::sip::SipHasher13;

/// A secret that makes hashes unforeseeable; shards whose parts are merged share it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed {
    keys: (u64, u64),
}

impl Seed {
    pub(crate) fn new(seed: u64) -> Seed {
        Seed { keys: (seed, seed.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15) }
    }
}

impl BuildHasher for Seed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.keys.0, self.keys.1)
    }
}

/// One round of SipHash.
#[inline(always)]
fn round(state: &mut [u64; 4]) {
    let [mut a, mut b, mut c, mut d] = *state;
    a = a.wrapping_add(b);
    c = c.wrapping_add(d);
    b = b.rotate_left(13) ^ a;
    d = d.rotate_left(16) ^ c;
    a = a.rotate_left(32).wrapping_add(d);
    c = c.wrapping_add(b);
    d = d.rotate_left(21) ^ a;
    b = b.rotate_left(17) ^ c;
    c = c.rotate_left(32);
    *state = [a, b, c, d];
}

impl Seed {
    /// SipHash-1-3 of whole words: the same as that of their bytes, without keeping half words.
    #[inline]
    pub(crate) fn of_words<const N: usize>(self, words: [u64; N]) -> u64 {
        let (k0, k1) = self.keys;
        let mut state = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        for word in words {
            state[3] ^= word;
            round(&mut state);
            state[0] ^= word;
        }
        let length = (N as u64 * 8) << 56;
        state[3] ^= length;
        round(&mut state);
        state[0] ^= length;
        state[2] ^= 0xff;
        round(&mut state);
        round(&mut state);
        round(&mut state);
        let [a, b, c, d] = state;
        a ^ b ^ c ^ d
    }
}

/// A map whose hash is seeded.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, Seed>;

/// About how many different things were seen, in `N` bytes (HyperLogLog, with linear counting while few were seen).
///
/// The usual error is `1.04 / sqrt(N)`: 3 % for 1024 bytes. `N` is a power of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distinct<const N: usize> {
    /// Per part of the hashes: the longest run of leading zeros, and one.
    registers: [u8; N],
}

impl<const N: usize> Distinct<N> {
    pub(crate) const fn new() -> Distinct<N> {
        Distinct { registers: [0; N] }
    }

    /// Adds a thing by its hash; the same seed must be used for all.
    pub(crate) fn add(&mut self, hash: u64) {
        let index = usize::try_from(hash).unwrap_or(0) & (N - 1);
        let rest = hash >> N.trailing_zeros();
        // At most 64, so it fits.
        let zeros = rest.leading_zeros() - N.trailing_zeros();
        let rank = u8::try_from(zeros + 1).unwrap_or(u8::MAX);
        if let Some(register) = self.registers.get_mut(index) {
            *register = (*register).max(rank);
        }
    }

    /// Adds what another one has seen.
    pub(crate) fn merge(&mut self, other: &Distinct<N>) {
        for (register, other) in self.registers.iter_mut().zip(&other.registers) {
            *register = (*register).max(*other);
        }
    }

    /// About how many.
    pub(crate) fn count(&self) -> u64 {
        let size = N as f64;
        let empty = self.registers.iter().filter(|register| **register == 0).count() as f64;
        let linear = |empty: f64| crate::number::rounded(size * (size / empty).ln());
        let alpha = match N {
            0..=16 => 0.673,
            17..=32 => 0.697,
            33..=64 => 0.709,
            _ => 0.7213 / (1.0 + 1.079 / size),
        };
        // The sum is no less than the empty registers alone: with many of them it need not be made.
        if alpha * size <= 2.5 * empty {
            return linear(empty);
        }
        let mut ranks = [0_u32; 66];
        for register in &self.registers {
            if let Some(count) = ranks.get_mut(usize::from(*register)) {
                *count += 1;
            }
        }
        // Of each rank r there are so many of 2 to the power of -r: halved once more at each step.
        let sum = ranks.iter().rev().fold(0.0, |sum, count| sum / 2.0 + f64::from(*count));
        let raw = alpha * size * size / sum;
        if raw <= 2.5 * size && empty > 0.0 { linear(empty) } else { crate::number::rounded(raw) }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use super::*;

    #[test]
    fn words_hash_as_their_bytes_do() {
        for seed in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let seed = Seed::new(seed);
            let words = [1, u64::MAX, 0x0102_0304_0506_0708, 0, 99];
            let mut hasher = seed.build_hasher();
            for word in words {
                hasher.write(&word.to_le_bytes());
            }
            assert_eq!(seed.of_words(words), hasher.finish());
        }
    }

    #[test]
    fn few_are_counted_exactly_and_many_about() {
        let seed = Seed::new(7);
        let mut distinct = Distinct::<1024>::new();
        let mut added = 0_u64;
        for (many, error) in [(1, 0.0), (3, 0.0), (20, 0.05), (1000, 0.1), (100_000, 0.12), (2_000_000, 0.12)]
        {
            while added < many {
                distinct.add(seed.of_words([added]));
                distinct.add(seed.of_words([added / 2]));
                added += 1;
            }
            let off = (distinct.count() as f64 - many as f64).abs();
            assert!(off <= many as f64 * error, "{} of {many}", distinct.count());
        }
        let mut half = Distinct::<1024>::new();
        let mut other = half.clone();
        for number in 0..2000 {
            if number % 2 == 0 { &mut half } else { &mut other }.add(seed.of_words([number]));
        }
        half.merge(&other);
        assert!((1900..2100).contains(&half.count()));
    }
}
