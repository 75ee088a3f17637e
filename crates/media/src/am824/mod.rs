//! AES3 subframes in RTP: AM824 (ST 2110-31).
//!
//! Each subframe is 32 bits, the highest octet first: two zeros, B, F, P, C, U, V, and the 24 bits of time slots 4 to 27
//! with the sample's highest bit on top.

pub mod burst;
pub mod status;

use model::media::StreamRule;
use model::media::audio::{Aes3Facts, Aes3Signal, ChannelMode};

use crate::{Packet, Tally};
use burst::Finder;

/// Frames of an AES3 block.
pub const BLOCK_FRAMES: u8 = 192;

/// Channels that are looked at; more are counted.
const MOST_CHANNELS: u16 = 128;

/// One subframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subframe(pub u32);

impl Subframe {
    /// Of a sample, left-justified in 32 bits, and its flags; the parity is made.
    pub const fn new(
        sample: i32,
        block_start: bool,
        first: bool,
        status: bool,
        user: bool,
        invalid: bool,
    ) -> Subframe {
        let flags = (block_start as u32) << 29
            | (first as u32) << 28
            | (status as u32) << 26
            | (user as u32) << 25
            | (invalid as u32) << 24;
        let word = flags | sample.cast_unsigned() >> 8;
        // Parity is over time slots 4 to 31: the sample, V, U, C, and P itself.
        Subframe(word | ((word & 0x07ff_ffff).count_ones() & 1) << 27)
    }

    /// Whether the two highest bits are zero, as they must be.
    pub const fn is_reserved_clear(self) -> bool {
        self.0 >> 30 == 0
    }

    /// B: whether a block of 192 frames begins.
    pub const fn is_block_start(self) -> bool {
        self.0 >> 29 & 1 != 0
    }

    /// F: whether it is the first of its frame.
    pub const fn is_first(self) -> bool {
        self.0 >> 28 & 1 != 0
    }

    /// Whether parity is even, as it must be.
    pub const fn is_parity_even(self) -> bool {
        (self.0 & 0x0fff_ffff).count_ones().is_multiple_of(2)
    }

    /// C: the bit of channel status.
    pub const fn status(self) -> bool {
        self.0 >> 26 & 1 != 0
    }

    /// U: the user's bit.
    pub const fn user(self) -> bool {
        self.0 >> 25 & 1 != 0
    }

    /// V: whether it is not fit to be heard.
    pub const fn is_invalid(self) -> bool {
        self.0 >> 24 & 1 != 0
    }

    /// The sample, left-justified.
    pub const fn sample(self) -> i32 {
        (self.0 << 8).cast_signed()
    }
}

/// The subframes of a payload.
pub fn subframes(payload: &[u8]) -> impl Iterator<Item = Subframe> + '_ {
    payload.as_chunks::<4>().0.iter().map(|word| Subframe(u32::from_be_bytes(*word)))
}

/// Whether octets are subframes of so many channels: nothing else has its parity, its zeros and its order.
pub fn is_likely(octets: &[u8], channels: usize) -> bool {
    octets.len() >= 64 * 4
        && channels <= usize::from(MOST_CHANNELS)
        && subframes(octets).enumerate().all(|(index, it)| {
            let is_first = (index % channels.max(1)).is_multiple_of(2);
            it.is_reserved_clear() && it.is_parity_even() && it.is_first() == is_first
        })
}

/// Parity is even.
pub static PARITY: StreamRule =
    StreamRule { name: "aes3-parity", clause: "ST 2110-31:2022", text: "The parity of a subframe is odd." };

/// The highest bits are zero.
pub static RESERVED: StreamRule = StreamRule {
    name: "aes3-reserved",
    clause: "ST 2110-31:2022",
    text: "The two highest bits of a subframe are not zero.",
};

/// First and second subframes alternate.
pub static FRAME: StreamRule = StreamRule {
    name: "aes3-frame",
    clause: "ST 2110-31:2022",
    text: "A subframe does not say rightly whether it is the first of its frame.",
};

/// A block is 192 frames.
pub static BLOCK: StreamRule = StreamRule {
    name: "aes3-block",
    clause: "AES3-2-2009",
    text: "A block of channel status is not 192 frames long, or does not begin with a first subframe.",
};

/// Channel status has a check.
pub static CHECK: StreamRule = StreamRule {
    name: "aes3-status-check",
    clause: "AES3-2-2009",
    text: "The check of professional channel status is wrong.",
};

/// Channel status tells the rate that the sound has.
pub static STATUS_RATE: StreamRule = StreamRule {
    name: "aes3-status-rate",
    clause: "AES3-2-2009",
    text: "Channel status says another sample rate than the stream has.",
};

/// Channels come in pairs.
pub static PAIRS: StreamRule = StreamRule {
    name: "aes3-pairs",
    clause: "ST 2110-31:2022",
    text: "The number of channels is odd: each AES3 signal has two.",
};

/// No marker.
pub static MARKER: StreamRule = StreamRule {
    name: "aes3-marker",
    clause: "ST 2110-31:2022",
    text: "The marker is set, which is not used here.",
};

/// Samples have their highest octet first.
pub static ORDER: StreamRule = StreamRule {
    name: "aes3-octet-order",
    clause: "ST 2110-31:2022",
    text: "Samples look as if their lowest octet came first.",
};

/// Every rule of AES3 subframes.
pub static RULES: &[&StreamRule] =
    &[&PARITY, &RESERVED, &FRAME, &BLOCK, &CHECK, &STATUS_RATE, &PAIRS, &MARKER, &ORDER];

/// How the octets of a sample move from one to the next; some software sends them the wrong way round.
#[derive(Debug, Clone, Copy, Default)]
struct Motion {
    before: u32,
    frames: u32,
    highest: u32,
    lowest: u32,
}

impl Motion {
    /// Frames that are looked at: 40 ms at 48 kHz.
    const FRAMES: u32 = 1920;

    /// Takes a sample; says, once, whether the lowest octet is the one that moves as the highest does.
    #[inline]
    fn handle(&mut self, first: Subframe) -> bool {
        if self.frames == Motion::FRAMES {
            return false;
        }
        let [_, highest, _, lowest] = first.0.to_be_bytes();
        let [_, highest_before, _, lowest_before] = self.before.to_be_bytes();
        let moves = |now: u8, before: u8| u32::from(now.wrapping_sub(before).cast_signed().unsigned_abs());
        self.highest += moves(highest, highest_before);
        self.lowest += moves(lowest, lowest_before);
        self.before = first.0;
        self.frames += 1;
        // What is still says nothing: words of 16 bits leave their lowest octet zero. Chance moves by 64 in the mean.
        self.frames == Motion::FRAMES
            && self.highest > 48 * Motion::FRAMES
            && (Motion::FRAMES / 4..24 * Motion::FRAMES).contains(&self.lowest)
    }
}

/// What is wrong with a block, and how often.
#[derive(Debug, Clone, Copy, Default)]
struct Wrong {
    block: u64,
    check: u64,
    rate: u64,
    /// The last of the wrong rates.
    said: u32,
}

/// One AES3 signal while it is read.
#[derive(Debug, Clone, Default)]
struct Signal {
    facts: Aes3Signal,
    /// The frame within the block; `None` until a block began.
    frame: Option<u8>,
    bits: [[u8; 24]; 2],
    bursts: Finder,
    motion: Motion,
}

impl Signal {
    /// Takes a frame of a stream with this sample rate; says what is wrong with its block.
    fn handle(&mut self, first: Subframe, second: Subframe, sample_rate: u32) -> Wrong {
        let mut wrong = Wrong::default();
        self.facts.invalid += u64::from(first.is_invalid()) + u64::from(second.is_invalid());
        self.facts.user_bits += u64::from(first.user()) + u64::from(second.user());
        wrong.block += u64::from(second.is_block_start());
        let is_over = self.frame.map(|frame| frame == BLOCK_FRAMES);
        if first.is_block_start() {
            wrong.block += u64::from(is_over == Some(false));
            self.frame = Some(0);
        } else if is_over == Some(true) {
            // What follows is not known to belong together: wait for the next start.
            wrong.block += 1;
            self.frame = None;
        }
        if let Some(frame) = &mut self.frame {
            let (octet, bit) = (usize::from(*frame / 8), *frame % 8);
            for (bits, subframe) in self.bits.iter_mut().zip([first, second]) {
                if let Some(octet) = bits.get_mut(octet) {
                    *octet = *octet & !(1 << bit) | u8::from(subframe.status()) << bit;
                }
            }
            *frame += 1;
            if *frame == BLOCK_FRAMES {
                self.end_block(sample_rate, &mut wrong);
            }
        }
        if let Some(found) = self.bursts.handle(first.0 & 0x00ff_ffff, second.0 & 0x00ff_ffff) {
            self.facts.data = Some(found);
            self.facts.bursts += 1;
        }
        wrong
    }

    /// A whole block was read: what it says of the channels.
    fn end_block(&mut self, sample_rate: u32, wrong: &mut Wrong) {
        self.facts.blocks += 1;
        for (known, bits) in self.facts.status.iter_mut().zip(&self.bits) {
            // Mostly, it is what it was.
            if known.as_ref().is_none_or(|known| known.bytes != *bits) {
                let changed = known.as_ref().is_some_and(|known| !status::is_same(&known.bytes, bits));
                self.facts.status_changes += u64::from(changed);
                *known = Some(status::parse(bits));
            }
            let Some(status) = known else { continue };
            wrong.check += u64::from(status.check == Some(false));
            // Two frames carry one sample of double rate, and what failed its check says nothing.
            let one_each = !matches!(status.mode, ChannelMode::DoubleRate(_)) && status.check != Some(false);
            if let Some(said) = status.sample_rate.filter(|said| one_each && *said != sample_rate) {
                (wrong.rate, wrong.said) = (wrong.rate + 1, said);
            }
        }
        self.facts.check_faults += wrong.check;
    }

    /// A packet is missing: what was begun cannot be ended.
    fn interrupt(&mut self) {
        self.frame = None;
        self.bursts = Finder::default();
    }
}

/// Measures the AES3 signals of one stream.
#[derive(Debug, Clone)]
pub struct Measure {
    channels: u16,
    sample_rate: u32,
    facts: Aes3Facts,
    signals: Vec<Signal>,
}

impl Measure {
    /// For so many channels of a sample rate.
    pub fn new(channels: u16, sample_rate: u32) -> Measure {
        let looked_at = channels.min(MOST_CHANNELS);
        let unmeasured_channels = channels - looked_at / 2 * 2;
        Measure {
            channels,
            sample_rate,
            facts: Aes3Facts { unmeasured_channels, ..Aes3Facts::default() },
            signals: vec![Signal::default(); usize::from(looked_at / 2)],
        }
    }

    /// Takes a packet; `follows` says that none is missing before it.
    pub fn handle(&mut self, packet: &Packet<'_>, follows: bool, tally: &mut Tally) {
        let at = packet.occurrence();
        if !self.channels.is_multiple_of(2) {
            tally.note(&PAIRS, at, || format!("{} channels", self.channels));
        }
        if packet.rtp.marker {
            tally.note(&MARKER, at, String::new);
        }
        if !follows {
            self.signals.iter_mut().for_each(Signal::interrupt);
        }
        let (mut parity, mut reserved, mut frame) = (0, 0, 0);
        let mut all = Wrong::default();
        for instant in packet.rtp.payload.chunks_exact(usize::from(self.channels.max(1)) * 4) {
            for (signal, pair) in self.signals.iter_mut().zip(instant.as_chunks::<8>().0) {
                let [a, b, c, d, e, f, g, h] = *pair;
                let first = Subframe(u32::from_be_bytes([a, b, c, d]));
                let second = Subframe(u32::from_be_bytes([e, f, g, h]));
                for it in [first, second] {
                    parity += u64::from(!it.is_parity_even());
                    reserved += u64::from(!it.is_reserved_clear());
                }
                frame += u64::from(!first.is_first()) + u64::from(second.is_first());
                self.facts.subframes += 2;
                if signal.motion.handle(first) {
                    tally.note(&ORDER, at, String::new);
                }
                let wrong = signal.handle(first, second, self.sample_rate);
                all.block += wrong.block;
                all.check += wrong.check;
                all.rate += wrong.rate;
                all.said = all.said.max(wrong.said);
            }
        }
        if all.rate > 0 {
            let (said, rate) = (all.said, self.sample_rate);
            tally.note_many(&STATUS_RATE, all.rate, at, || format!("{said} Hz instead of {rate}"));
        }
        let facts = &mut self.facts;
        for (rule, count, sum) in [
            (&PARITY, parity, Some(&mut facts.parity_faults)),
            (&RESERVED, reserved, Some(&mut facts.reserved_faults)),
            (&FRAME, frame, Some(&mut facts.frame_faults)),
            (&BLOCK, all.block, Some(&mut facts.block_faults)),
            (&CHECK, all.check, None),
        ] {
            if count > 0 {
                tally.note_many(rule, count, at, || format!("{count} in the first packet that has any"));
                if let Some(sum) = sum {
                    *sum = sum.saturating_add(count);
                }
            }
        }
    }

    /// What was measured so far.
    pub fn facts(&self) -> Aes3Facts {
        let signals = self.signals.iter().map(|signal| signal.facts.clone()).collect();
        Aes3Facts { signals, ..self.facts.clone() }
    }
}

/// What must hold of any payload; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    use wire::rtp;
    let Some((&[channels, length], payload)) = bytes.split_first_chunk::<2>() else { return };
    let mut tally = Tally::default();
    let mut measure = Measure::new(u16::from(channels), 48_000);
    let mut words = 0;
    for (number, payload) in (1..).zip(payload.chunks(usize::from(length) * 8 + 1)) {
        let rtp = rtp::Packet {
            marker: false,
            payload_type: 97,
            sequence: 0,
            timestamp: 0,
            ssrc: 0,
            sources: 0,
            extension: None,
            payload,
            padding_bytes: 0,
        };
        words += payload.len() as u64 / 4;
        let packet = Packet { time: None, frame: number, udp_bytes: 0, rtp };
        measure.handle(&packet, length % 2 == 0, &mut tally);
    }
    for subframe in subframes(payload) {
        let made = Subframe::new(
            subframe.sample(),
            subframe.is_block_start(),
            subframe.is_first(),
            subframe.status(),
            subframe.user(),
            subframe.is_invalid(),
        );
        assert!(made.is_parity_even() && made.is_reserved_clear());
        assert_eq!(made == subframe, subframe.is_parity_even() && subframe.is_reserved_clear());
    }
    let facts = measure.facts();
    assert!(facts.subframes <= words);
    assert!(facts.parity_faults.max(facts.reserved_faults).max(facts.frame_faults) <= facts.subframes);
    for signal in &facts.signals {
        assert!(signal.blocks * 384 <= facts.subframes && signal.check_faults <= signal.blocks * 2);
        for status in signal.status.iter().flatten() {
            assert_eq!(*status, status::parse(&status.bytes));
        }
        assert!(signal.data.is_none_or(|burst| burst.kind < 32 && signal.bursts > 0));
    }
    assert_eq!(tally.count(&PARITY), facts.parity_faults);
}

#[cfg(test)]
mod tests;
