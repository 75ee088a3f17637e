//! The first stage: which protocols the first eight bytes of a side allow, for all patterns at once.
//!
//! For each of the first eight places and each value of a byte there is a set of the patterns that allow it there;
//! eight look-ups and their intersection give every pattern that fits.

use std::sync::LazyLock;

use crate::protocol;
use crate::talk::{Said, Talk};

/// How many bytes a sign may look at.
pub const PLACES: usize = 8;
/// Words of 64 patterns each, for the signs of one side and kind.
const WORDS: usize = 4;

/// Which side shows a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
    /// Either.
    Either,
}

/// Over what a protocol with this sign runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// A stream: TCP, and the ordered streams of SCTP.
    Stream,
    /// Datagrams: UDP, DCCP.
    Datagram,
    /// Both.
    Any,
}

/// What one byte may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Anything, and it need not be there.
    Any,
    /// This.
    Is(u8),
    /// This ASCII letter in either case.
    Fold(u8),
    /// From the first to the last.
    In(u8, u8),
    /// Under the mask (first) it is the value (second).
    Mask(u8, u8),
}

impl Class {
    fn allows(self, byte: u8) -> bool {
        match self {
            Class::Any => true,
            Class::Is(is) => byte == is,
            Class::Fold(letter) => byte.eq_ignore_ascii_case(&letter),
            Class::In(first, last) => (first..=last).contains(&byte),
            Class::Mask(mask, value) => byte & mask == value,
        }
    }
}

/// What the first bytes of a side must look like for a protocol to be asked at all.
#[derive(Debug, Clone, Copy)]
pub struct Sign {
    side: Side,
    over: Over,
    places: [Class; PLACES],
}

impl Sign {
    /// The side begins with these bytes (the first eight count).
    pub const fn text(side: Side, over: Over, text: &[u8]) -> Sign {
        let mut places = [Class::Any; PLACES];
        let mut rest = text;
        let mut place: &mut [Class] = &mut places;
        while let (Some((byte, more)), Some((class, next))) = (rest.split_first(), place.split_first_mut()) {
            *class = Class::Is(*byte);
            rest = more;
            place = next;
        }
        Sign { side, over, places }
    }

    /// The side begins with these letters in any case (the first eight count).
    pub const fn word(side: Side, over: Over, text: &[u8]) -> Sign {
        let mut places = [Class::Any; PLACES];
        let mut rest = text;
        let mut place: &mut [Class] = &mut places;
        while let (Some((byte, more)), Some((class, next))) = (rest.split_first(), place.split_first_mut()) {
            *class = Class::Fold(*byte);
            rest = more;
            place = next;
        }
        Sign { side, over, places }
    }

    /// Bytes that begin as this sign wants, chosen by `seed`.
    #[cfg(test)]
    pub(crate) fn example(&self, seed: u64) -> Vec<u8> {
        let length = self.places.iter().rposition(|class| *class != Class::Any).map_or(0, |last| last + 1);
        let wanted = self.places.iter().zip(seed.to_le_bytes()).take(length);
        wanted
            .map(|(class, byte)| {
                let fitting: Vec<u8> = (0..=255).filter(|value| class.allows(*value)).collect();
                fitting[usize::from(byte) % fitting.len()]
            })
            .collect()
    }

    /// Whether it is looked for in datagrams; `choice` decides where both are possible.
    #[cfg(test)]
    pub(crate) fn is_over(&self, choice: bool) -> bool {
        match self.over {
            Over::Stream => false,
            Over::Datagram => true,
            Over::Any => choice,
        }
    }

    /// The side begins with bytes of these classes (the first eight count).
    pub const fn classes(side: Side, over: Over, classes: &[Class]) -> Sign {
        let mut places = [Class::Any; PLACES];
        let mut rest = classes;
        let mut place: &mut [Class] = &mut places;
        while let (Some((class, more)), Some((here, next))) = (rest.split_first(), place.split_first_mut()) {
            *here = *class;
            rest = more;
            place = next;
        }
        Sign { side, over, places }
    }
}

/// A set of recognisers, by their place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Candidates(u128);

impl Candidates {
    pub(crate) fn each(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let next = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            (next < 128).then_some(next as usize)
        })
    }

    pub(crate) fn union(self, other: Candidates) -> Candidates {
        Candidates(self.0 | other.0)
    }
}

/// A set of patterns.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Set([u64; WORDS]);

/// The patterns of one side and kind.
struct Patterns {
    /// Per place and byte value: the patterns that allow it.
    places: Vec<[Set; 257]>,
    /// All patterns.
    all: Set,
    /// The recogniser of each pattern.
    owners: Vec<Candidates>,
}

struct Table {
    /// Per side (client, server) and kind (stream, datagram).
    sides: [[Patterns; 2]; 2],
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::make);

/// The value of a place where the bytes have ended.
const ENDED: usize = 256;

impl Table {
    fn make() -> Table {
        let of = |side| [Over::Stream, Over::Datagram].map(|over| Patterns::make(side, over));
        Table { sides: [Side::Client, Side::Server].map(of) }
    }
}

/// Every sign that is looked for on this side and over this, with the place of its recogniser in the list.
fn signs(side: Side, over: Over) -> impl Iterator<Item = (usize, &'static Sign)> {
    let all = protocol::ALL.iter().enumerate();
    all.flat_map(|(index, recogniser)| recogniser.signs.iter().map(move |sign| (index, sign))).filter(
        move |(_, sign)| {
            (sign.side == side || sign.side == Side::Either) && (sign.over == over || sign.over == Over::Any)
        },
    )
}

impl Patterns {
    fn make(side: Side, over: Over) -> Patterns {
        let nothing = Set([0; WORDS]);
        let mut patterns =
            Patterns { places: vec![[nothing; 257]; PLACES], all: nothing, owners: Vec::new() };
        for (pattern, (owner, sign)) in signs(side, over).take(WORDS * 64).enumerate() {
            let mark = |set: &mut Set| {
                if let Some(word) = set.0.get_mut(pattern / 64) {
                    *word |= 1_u64 << (pattern % 64);
                }
            };
            patterns.owners.push(Candidates(1_u128 << (owner & 127)));
            mark(&mut patterns.all);
            for (class, values) in sign.places.iter().zip(&mut patterns.places) {
                for (value, set) in values.iter_mut().enumerate() {
                    let allowed = u8::try_from(value).map_or(*class == Class::Any, |byte| class.allows(byte));
                    if allowed {
                        mark(set);
                    }
                }
            }
        }
        patterns
    }

    fn of(&self, bytes: &[u8]) -> Candidates {
        let Set(mut set) = self.all;
        let mut values = [ENDED; PLACES];
        for (value, byte) in values.iter_mut().zip(bytes) {
            *value = usize::from(*byte);
        }
        for (value, sets) in values.into_iter().zip(&self.places) {
            if let Some(Set(here)) = sets.get(value) {
                for (word, here) in set.iter_mut().zip(here) {
                    *word &= here;
                }
            }
        }
        let mut candidates = Candidates::default();
        for (word, bits) in set.into_iter().enumerate() {
            let mut left = bits;
            while left != 0 {
                let pattern = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                candidates = candidates.union(self.owners.get(pattern).copied().unwrap_or_default());
            }
        }
        candidates
    }
}

/// The recognisers whose signs either side shows.
pub(crate) fn candidates(talk: &Talk<'_>) -> Candidates {
    let table = &*TABLE;
    let kind = usize::from(talk.is_datagrams());
    let [client, server] = &table.sides;
    let of = |said: &Said<'_>, side: &[Patterns; 2]| match (said.is_empty(), side.get(kind)) {
        (false, Some(patterns)) => patterns.of(said.bytes()),
        _ => Candidates::default(),
    };
    of(&talk.client, client).union(of(&talk.server, server))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_room_for_every_sign() {
        for side in [Side::Client, Side::Server] {
            for over in [Over::Stream, Over::Datagram] {
                let signs = signs(side, over).count();
                assert!(signs <= WORDS * 64, "{signs} signs");
            }
        }
        assert!(protocol::ALL.len() <= 128, "{} recognisers", protocol::ALL.len());
        assert!(protocol::ALL.iter().all(|recogniser| !recogniser.signs.is_empty()));
    }

    #[test]
    fn the_table_finds_what_each_sign_finds_by_itself() {
        let table = Table::make();
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let signs: Vec<(usize, &Sign)> = protocol::ALL
            .iter()
            .enumerate()
            .flat_map(|(index, recogniser)| recogniser.signs.iter().map(move |sign| (index, sign)))
            .collect();
        for round in 0..20_000 {
            let mut bytes = next().to_le_bytes();
            // Random bytes alone would hardly ever fit: begin as one of the signs does.
            let (_, model) = signs[round % signs.len()];
            for (byte, class) in bytes.iter_mut().zip(model.places) {
                let fitting: Vec<u8> = (0..=255).filter(|value| class.allows(*value)).collect();
                *byte = fitting[usize::from(*byte) % fitting.len()];
            }
            let length = if round % 3 == 0 { (next() % 9) as usize } else { 8 };
            let bytes = &bytes[..length];
            let mut expected = 0_u128;
            for (index, sign) in &signs {
                let fits = sign.places.iter().enumerate().all(|(place, class)| {
                    bytes.get(place).map_or(*class == Class::Any, |byte| class.allows(*byte))
                });
                let side = sign.side != Side::Server && sign.over != Over::Datagram;
                expected |= u128::from(fits && side) << index;
            }
            assert_eq!(table.sides[0][0].of(bytes), Candidates(expected), "{bytes:02x?}");
        }
    }
}
