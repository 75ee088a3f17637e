//! Data in place of sound: bursts with four words in front (SMPTE ST 337, after IEC 61937).

use model::media::audio::DataBurst;

/// The two words that begin a burst, by bits of a word; each stands at the top of 24 bits.
const SYNC: [(u8, u32, u32); 3] =
    [(16, 0x00f8_7200, 0x004e_1f00), (20, 0x006f_8720, 0x0054_e1f0), (24, 0x0096_f872, 0x00a5_4e1f)];

/// Where in a burst's head a sequence of words is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Head {
    #[default]
    Nothing,
    /// The first word was met, of so many bits.
    First(u8),
    /// Both were met.
    Both(u8),
    /// And the word that says what it is.
    Kind(u8, u32),
}

impl Head {
    /// Takes a word; gives a burst where its head is whole.
    fn handle(&mut self, word: u32, one_subframe: bool) -> Option<DataBurst> {
        let begins = |word: u32| SYNC.iter().find(|(_, first, _)| *first == word).map(|(bits, ..)| *bits);
        let follows = |bits: u8, word: u32| SYNC.iter().any(|(b, _, second)| *b == bits && *second == word);
        let (next, found) = match *self {
            Head::First(bits) if follows(bits, word) => (Head::Both(bits), None),
            Head::Both(bits) => (Head::Kind(bits, word >> 8), None),
            Head::Kind(bits, kind) => {
                let low = |mask: u32, by: u32| (kind >> by & mask).to_le_bytes()[0];
                let burst = DataBurst {
                    word_bits: bits,
                    kind: low(0x1f, 0),
                    stream: low(0x07, 13),
                    error: kind & 0x80 != 0,
                    length_bits: word >> (24 - u32::from(bits)),
                    one_subframe,
                };
                (Head::Nothing, Some(burst))
            }
            _ => (begins(word).map_or(Head::Nothing, Head::First), None),
        };
        *self = next;
        found
    }
}

/// Finds the heads of bursts in the frames of one signal.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    begun: bool,
    both: Head,
    each: [Head; 2],
}

impl Finder {
    /// Takes the 24 bits of both subframes of a frame.
    #[inline]
    pub fn handle(&mut self, first: u32, second: u32) -> Option<DataBurst> {
        // Nearly always, it is sound.
        let may_begin = |word: u32| matches!(word, 0x00f8_7200 | 0x006f_8720 | 0x0096_f872);
        if self.begun || may_begin(first) || may_begin(second) { self.look(first, second) } else { None }
    }

    fn look(&mut self, first: u32, second: u32) -> Option<DataBurst> {
        let mut found = None;
        for word in [first, second] {
            found = self.both.handle(word, false).or(found);
        }
        for (head, word) in self.each.iter_mut().zip([first, second]) {
            found = head.handle(word, true).or(found);
        }
        self.begun = self.both != Head::Nothing || self.each != [Head::Nothing; 2];
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(words: &[(u32, u32)]) -> Vec<DataBurst> {
        let mut finder = Finder::default();
        words.iter().filter_map(|(first, second)| finder.handle(*first, *second)).collect()
    }

    #[test]
    fn both_subframes_of_a_frame_carry_dolby_e_of_20_bits() {
        let found = feed(&[(0, 0), (0x6f_8720, 0x54_e1f0), (0x00_1c00, 0x01_0000), (5, 5)]);
        let burst = found.first().unwrap();
        assert_eq!((found.len(), burst.word_bits, burst.kind, burst.name()), (1, 20, 28, Some("Dolby E")));
        assert_eq!(
            (burst.length_bits, burst.one_subframe, burst.error, burst.stream),
            (0x1000, false, false, 0)
        );
    }

    #[test]
    fn one_subframe_carries_ac_3_beside_sound() {
        let found = feed(&[(0xf8_7200, 1), (0x4e_1f00, 2), (0x20_8100, 3), (0x18_0000, 4)]);
        let burst = found.first().unwrap();
        assert_eq!((burst.word_bits, burst.name(), burst.error, burst.stream), (16, Some("AC-3"), true, 1));
        assert_eq!((burst.length_bits, burst.one_subframe), (0x1800, true));
    }

    #[test]
    fn halves_of_a_beginning_are_nothing() {
        assert!(feed(&[(0xf8_7200, 0x54_e1f0), (0x1c00, 0), (0, 0)]).is_empty());
        assert!(feed(&[(0xf8_7200, 0xf8_7200), (0, 0), (0x4e_1f00, 0), (0, 0)]).is_empty());
        let again = feed(&[(0, 0x96_f872), (0, 0x96_f872), (0, 0xa5_4e1f), (0, 0x00_1f00), (0, 0)]);
        assert_eq!(again.first().map(|burst| burst.name()), Some(Some("extended")));
    }
}
