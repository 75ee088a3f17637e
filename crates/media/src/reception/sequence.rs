//! Sequence numbers: what was lost, came again, or out of order (RFC 3550 Appendix A.1).

use model::media::reception::ReceptionFacts;
use model::media::{LogHistogram, Occurrence, Spread};

/// Numbers in a row ahead of the highest that are believed to be lost; more are a new begin.
const MOST_DROPOUT: i64 = 3000;
/// The same where numbers have 32 bits: a jump is a loss up to a few seconds of the fastest stream.
const MOST_DROPOUT_EXTENDED: i64 = 1 << 22;
/// Numbers behind the highest that may still come.
const MOST_MISORDER: i64 = 100;

/// Numbers behind the highest of which the window still knows whether they came.
const MOST_AWAITED: i64 = 63 * 64;

/// Words of the window.
const WORDS: usize = 64;

/// Gaps whose packets may still come, and whose time is remembered.
const MOST_GAPS: usize = 64;

/// What a number says of its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It follows the highest.
    Next,
    /// Numbers between the highest and it are missing so far.
    Ahead,
    /// It was missing, and came behind the highest.
    Behind,
    /// It has been here.
    Again,
    /// It is not believed; if the next follows it, the sequence begins anew.
    Stray,
    /// The sequence begins anew.
    Reset,
}

/// Numbers that were missing when a packet came.
#[derive(Debug, Clone, Copy)]
struct Gap {
    from: u64,
    to: u64,
    at_ns: i64,
    after: Occurrence,
}

/// Follows the numbers of one source.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    /// Which numbers of the last 4,096 have come, a bit each; a word holds those with the same upper part.
    words: [u64; WORDS],
    highest: u64,
    base: u64,
    bad: Option<u32>,
    /// Packets that came before the first one though their numbers are lower.
    before_first: u64,
    gaps: [Option<Gap>; MOST_GAPS],
    next_gap: usize,
    run_lost: u64,
    run_received: i64,
    /// Of sequences that were ended by a reset.
    expected_before: u64,
    lost_settled: u64,
    runs: LogHistogram,
    run_count: u64,
    run_most: u64,
    between: Spread,
    first_loss: Option<Occurrence>,
    reordered: u64,
    reorder_most: u64,
    reorder_most_ns: i64,
    duplicates: u64,
    strays: u64,
}

/// The place of a number's word in the window.
fn word_at(number: u64) -> usize {
    usize::try_from((number / 64) % 64).unwrap_or(0)
}

impl Sequence {
    /// Begins with a number.
    pub(crate) fn new(number: u32) -> Sequence {
        let mut sequence = Sequence {
            words: [0; WORDS],
            highest: 0,
            base: 0,
            bad: None,
            before_first: 0,
            gaps: [None; MOST_GAPS],
            next_gap: 0,
            run_lost: 0,
            run_received: 0,
            expected_before: 0,
            lost_settled: 0,
            runs: LogHistogram::default(),
            run_count: 0,
            run_most: 0,
            between: Spread::default(),
            first_loss: None,
            reordered: 0,
            reorder_most: 0,
            reorder_most_ns: 0,
            duplicates: 0,
            strays: 0,
        };
        sequence.begin(number);
        sequence
    }

    fn begin(&mut self, number: u32) {
        self.run_lost = 0;
        self.open(number);
    }

    /// Opens the window at a number, below which nothing is expected any more.
    fn open(&mut self, number: u32) {
        // One turn of 2^32 lies below, so that earlier numbers have room.
        let number = (1 << 32) | u64::from(number);
        (self.highest, self.base) = (number, number);
        self.bad = None;
        self.gaps = [None; MOST_GAPS];
        let below = (1_u64 << (number % 64)) - 1;
        // Numbers of the first word that were never sent count as there, but not as received.
        self.run_received = -i64::from(below.count_ones());
        self.words = [0; WORDS];
        self.mark(number);
        if let Some(word) = self.words.get_mut(word_at(number)) {
            *word |= below;
        }
    }

    /// The highest number has this upper half, which was not known before; all numbers are lifted by as much.
    pub(crate) fn lift(&mut self, upper: u16) {
        let lifted = (self.highest & !0xffff_0000) | (u64::from(upper) << 16);
        // A multiple of 65,536 leaves every number in its place of the window.
        let by = lifted.wrapping_sub(self.highest);
        // A turn of 2^32 more, so that what lies below is never below zero.
        let by = by.wrapping_add(1 << 32);
        self.highest = self.highest.wrapping_add(by);
        self.base = self.base.wrapping_add(by);
        for gap in self.gaps.iter_mut().flatten() {
            (gap.from, gap.to) = (gap.from.wrapping_add(by), gap.to.wrapping_add(by));
        }
    }

    #[inline]
    fn mark(&mut self, number: u64) {
        if let Some(word) = self.words.get_mut(word_at(number)) {
            *word |= 1 << (number % 64);
        }
    }

    fn is_marked(&self, number: u64) -> bool {
        self.words.get(word_at(number)).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// The highest number so far.
    #[inline]
    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }

    /// Takes a packet whose number lies so far ahead of the highest.
    #[inline]
    pub(crate) fn take(&mut self, ahead: i64, extended: bool, at_ns: i64, at: Occurrence) -> Place {
        if ahead == 1 {
            self.bad = None;
            self.step();
            self.mark(self.highest);
            return Place::Next;
        }
        self.take_odd(ahead, extended, at_ns, at)
    }

    /// So many packets came that the capture did not keep.
    pub(crate) fn pass(&mut self, count: i64) {
        for _ in 0..count {
            self.step();
            self.mark(self.highest);
        }
    }

    /// The highest becomes one more.
    #[inline]
    fn step(&mut self) {
        self.highest += 1;
        if self.highest.is_multiple_of(64) {
            self.settle_word(self.highest);
        }
    }

    #[cold]
    fn take_odd(&mut self, ahead: i64, extended: bool, at_ns: i64, at: Occurrence) -> Place {
        let most = if extended { MOST_DROPOUT_EXTENDED } else { MOST_DROPOUT };
        let number = self.highest.wrapping_add_signed(ahead);
        if ahead > 1 && ahead < most {
            self.bad = None;
            let gap = Gap { from: self.highest + 1, to: number, at_ns, after: at };
            if let Some(slot) = self.gaps.get_mut(self.next_gap) {
                *slot = Some(gap);
            }
            self.next_gap = (self.next_gap + 1) % MOST_GAPS;
            if number - self.highest > 64 * 64 {
                self.leap(number, at);
            } else {
                for _ in 0..ahead {
                    self.step();
                }
                self.mark(self.highest);
            }
            return Place::Ahead;
        }
        if ahead <= 0 && (ahead > -MOST_MISORDER || self.is_awaited(ahead)) {
            self.bad = None;
            if number < self.base {
                self.before_first += 1;
                self.note_reorder(number, at_ns);
                return Place::Behind;
            }
            if self.is_marked(number) {
                self.duplicates += 1;
                return Place::Again;
            }
            self.mark(number);
            self.note_reorder(number, at_ns);
            return Place::Behind;
        }
        let low = u32::try_from(number & 0xffff_ffff).unwrap_or(0);
        let low = if extended { low } else { low & 0xffff };
        if self.bad == Some(low) {
            self.end();
            self.begin(low);
            // The stray that announced it was the first of the new sequence.
            self.strays -= 1;
            self.expected_before += 1;
            return Place::Reset;
        }
        let after = low.wrapping_add(1);
        self.bad = Some(if extended { after } else { after & 0xffff });
        self.strays += 1;
        Place::Stray
    }

    /// Whether the number was missing and can still come: a frame that is late by milliseconds is thousands of packets behind.
    fn is_awaited(&self, ahead: i64) -> bool {
        let number = self.highest.wrapping_add_signed(ahead);
        ahead > -MOST_AWAITED && number >= self.base && !self.is_marked(number)
    }

    /// So many are missing that nothing in the window can come any more.
    fn leap(&mut self, number: u64, at: Occurrence) {
        let missing = number - self.highest - 1;
        self.settle_window();
        self.expected_before += missing;
        self.lost_settled += missing;
        if self.run_lost == 0 && self.run_received > 0 {
            self.between.add(self.run_received);
        }
        self.run_lost += missing;
        self.first_loss.get_or_insert(at);
        self.open(u32::try_from(number & 0xffff_ffff).unwrap_or(0));
    }

    fn note_reorder(&mut self, number: u64, at_ns: i64) {
        self.reordered += 1;
        self.reorder_most = self.reorder_most.max(self.highest - number);
        let gap = self.gaps.iter().flatten().find(|gap| gap.from <= number && number < gap.to);
        if let Some(gap) = gap {
            self.reorder_most_ns = self.reorder_most_ns.max(at_ns.saturating_sub(gap.at_ns));
        }
    }

    /// The word that `number` begins takes the place of one whose numbers are too old to come.
    fn settle_word(&mut self, number: u64) {
        let slot = word_at(number);
        let Some(word) = self.words.get_mut(slot) else { return };
        let old = core::mem::take(word);
        let begin = number - 64 * 64;
        if begin + 63 >= self.base {
            self.settle(old, begin, 64);
        }
    }

    /// Decides on the first `count` numbers of a word.
    fn settle(&mut self, word: u64, begin: u64, count: u32) {
        if word == u64::MAX && count == 64 {
            if self.run_lost > 0 {
                self.end_run();
            }
            self.run_received += 64;
            return;
        }
        for bit in 0..count {
            if word >> bit & 1 == 1 {
                if self.run_lost > 0 {
                    self.end_run();
                }
                self.run_received += 1;
            } else {
                if self.run_lost == 0 && self.run_received > 0 {
                    self.between.add(self.run_received);
                }
                self.run_received = 0;
                self.run_lost += 1;
                self.lost_settled += 1;
                if self.first_loss.is_none() {
                    let number = begin + u64::from(bit);
                    let gap = self.gaps.iter().flatten().find(|gap| gap.from <= number && number < gap.to);
                    self.first_loss = gap.map(|gap| gap.after);
                }
            }
        }
    }

    fn end_run(&mut self) {
        self.run_count += 1;
        self.run_most = self.run_most.max(self.run_lost);
        self.runs.add(self.run_lost);
        self.run_lost = 0;
    }

    /// Ends the sequence.
    fn end(&mut self) {
        self.settle_window();
        if self.run_lost > 0 {
            self.end_run();
        }
    }

    /// Decides on all that is in the window.
    fn settle_window(&mut self) {
        let last = self.highest / 64;
        let first = (self.base / 64).max(last.saturating_sub(63));
        for upper in first..=last {
            let word = self.words.get(word_at(upper * 64)).copied().unwrap_or(0);
            let count = if upper == last { u32::try_from(self.highest % 64).unwrap_or(0) + 1 } else { 64 };
            self.settle(word, upper * 64, count);
        }
        self.expected_before += self.highest - self.base + 1 + self.before_first;
        self.before_first = 0;
    }

    /// Packets that came again or were not believed.
    pub(crate) fn surplus(&self) -> u64 {
        self.duplicates + self.strays
    }

    /// Adds what was found to the facts.
    pub(crate) fn report(&self, facts: &mut ReceptionFacts) {
        let mut ended = self.clone();
        ended.end();
        facts.expected += ended.expected_before;
        facts.lost += ended.lost_settled;
        facts.duplicates += ended.duplicates;
        facts.reordered += ended.reordered;
        facts.reorder_most = facts.reorder_most.max(ended.reorder_most);
        facts.reorder_most_ns = facts.reorder_most_ns.max(ended.reorder_most_ns);
        facts.strays += ended.strays;
        facts.loss_runs += ended.run_count;
        facts.loss_run_most = facts.loss_run_most.max(ended.run_most);
        facts.loss_run_histogram.merge(&ended.runs);
        facts.between_losses.merge(&ended.between);
        facts.first_loss = facts.first_loss.or(ended.first_loss);
    }
}
