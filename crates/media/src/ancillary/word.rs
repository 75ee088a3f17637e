//! The 10-bit words of ancillary data: values, parity, checksum, and how they are packed (ST 291-1, RFC 8331 §2.1).

/// One word of ten bits: `b7`–`b0` a value, `b8` their even parity, `b9` its opposite, where the word is coded so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Word(pub u16);

impl Word {
    /// A value with its parity.
    pub const fn of(value: u8) -> Word {
        let parity = value.count_ones() & 1 == 1;
        let top = if parity { 0x100 } else { 0x200 };
        Word(top | value as u16)
    }

    /// The lower eight bits.
    pub const fn value(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// Whether the upper two bits are what the lower eight demand.
    pub const fn parity_holds(self) -> bool {
        Word::of(self.value()).0 == self.0
    }

    /// Whether SDI keeps this code for its own signs: 0–3 and 3FC–3FF.
    pub const fn is_protected(self) -> bool {
        self.0 < 4 || self.0 > 0x3fb
    }
}

/// The sum that stands behind a packet's words: nine bits, and the opposite of the uppermost (RFC 8331 §2.1).
pub fn checksum(words: impl Iterator<Item = Word>) -> Word {
    let sum = words.fold(0_u16, |sum, word| sum.wrapping_add(word.0 & 0x1ff)) & 0x1ff;
    Word(if sum & 0x100 == 0 { sum | 0x200 } else { sum })
}

/// Words packed one after the other from the first bit of `bytes` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words<'a> {
    bytes: &'a [u8],
    first: usize,
    count: usize,
}

impl<'a> Words<'a> {
    /// `count` words of `bytes`, the first ones left out; fewer where the bytes end.
    pub fn new(bytes: &'a [u8], first: usize, count: usize) -> Words<'a> {
        let there = (bytes.len() * 8 / 10).saturating_sub(first);
        Words { bytes, first, count: count.min(there) }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One of them.
    pub fn word(&self, index: usize) -> Option<Word> {
        if index >= self.count {
            return None;
        }
        let bit = (self.first + index) * 10;
        let (at, shift) = (bit / 8, bit % 8);
        let pair = u16::from_be_bytes([*self.bytes.get(at)?, *self.bytes.get(at + 1)?]);
        // Ten bits from an even bit on never reach into a third octet.
        Some(Word((pair >> (6 - shift)) & 0x3ff))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Word> + use<'a> {
        let words = *self;
        (0..words.count).filter_map(move |index| words.word(index))
    }

    /// The values of as many as there is room for.
    pub fn values<'b>(&self, room: &'b mut [u8]) -> &'b [u8] {
        let mut count = 0;
        for (slot, word) in room.iter_mut().zip(self.iter()) {
            *slot = word.value();
            count += 1;
        }
        room.get(..count).unwrap_or_default()
    }
}

/// Packs words, and fills up with zero bits to a multiple of 32 (RFC 8331 §2.1, `word_align`).
pub fn pack(words: impl Iterator<Item = Word>, to: &mut Vec<u8>) {
    let (start, mut held, mut bits) = (to.len(), 0_u32, 0_u32);
    for word in words {
        held = (held << 10) | u32::from(word.0 & 0x3ff);
        bits += 10;
        while bits >= 8 {
            bits -= 8;
            to.push((held >> bits).to_le_bytes()[0]);
        }
    }
    if bits > 0 {
        to.push((held << (8 - bits)).to_le_bytes()[0]);
    }
    let length = (to.len() - start).next_multiple_of(4);
    to.resize(start + length, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parity_is_even_and_the_top_bit_its_opposite() {
        // The length of the four-word packet in the figure of RFC 8331 §2: 0x104; of five words: 0x205.
        assert_eq!((Word::of(4), Word::of(5)), (Word(0x104), Word(0x205)));
        assert!((0..=255).all(|value| Word::of(value).parity_holds() && !Word::of(value).is_protected()));
        assert!(!Word(0x004).parity_holds() && Word(0x3ff).is_protected() && Word(3).is_protected());
    }

    #[test]
    fn words_are_found_where_they_were_packed() {
        let words: Vec<Word> = (0..259).map(|at| Word(at * 37 % 1024)).collect();
        for count in 0..words.len() {
            let mut bytes = Vec::new();
            pack(words.iter().copied().take(count), &mut bytes);
            assert_eq!(bytes.len() % 4, 0);
            assert_eq!(Words::new(&bytes, 0, count).iter().collect::<Vec<_>>(), &words[..count]);
            let later = Words::new(&bytes, 1, count);
            assert_eq!(later.word(0).is_some(), bytes.len() * 8 / 10 > 1);
            assert!(later.len() <= bytes.len() * 8 / 10);
        }
    }

    #[test]
    fn a_checksum_ignores_the_carry() {
        assert_eq!(checksum([Word(0x1ff), Word(2)].into_iter()), Word(0x201));
        assert_eq!(checksum([Word(0x3ff), Word(0x200)].into_iter()), Word(0x1ff));
    }
}
