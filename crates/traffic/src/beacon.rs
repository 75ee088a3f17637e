//! Beacons: connections of one client to one server that come as regularly as only a machine makes them.
//!
//! The four scores are those that RITA, version 5, publishes; each is explained at its function. Two things differ.
//! Intervals are in nanoseconds, not in whole seconds, so that fast beacons count as well. And the time that is looked
//! at is that of the capture, divided into 24 equal parts, where RITA has 24 hours.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use model::{Beacon, Timestamp, Transport};
use wire::address::Address;
use wire::packet::Version;

use crate::hash::Seed;
use crate::number::{low32, rounded, rounded_signed};
use crate::when::When;

/// So many connections of a pair are looked at; those that come later are counted only.
const MOST_SAMPLES: usize = 1024;
/// Parts of the observed time.
const PARTS: usize = 24;
/// Fewer parts with a connection than this give no duration score: a burst is not a habit.
const LEAST_PARTS: usize = 6;
/// So many parts without a gap between them are as good as the whole time.
const IDEAL_RUN: usize = 12;
/// Fewer parts with a connection than this are not compared with two heights.
const LEAST_PARTS_FOR_TWO_HEIGHTS: usize = 11;
/// Heights that differ by less than this share of the highest are one.
const SAME_HEIGHT: f64 = 0.05;

/// Who calls whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) version: Version,
    pub(crate) client: Address,
    pub(crate) server: Address,
    pub(crate) port: u16,
    pub(crate) transport: Transport,
}

impl Pair {
    fn hash(&self, seed: Seed) -> u64 {
        let kind = (self.transport as u64) << 1 | self.version as u64;
        let last = u64::from(self.port) << 8 | kind;
        seed.of_words([self.client.high, self.client.low, self.server.high, self.server.low, last])
    }
}

/// The connections of a pair.
#[derive(Debug, Clone, Default)]
struct Calls {
    connections: u64,
    /// When each began, and how much the client sent.
    samples: Vec<(i64, u64)>,
    /// Whether there were more.
    truncated: bool,
    last: Option<i64>,
    frame: u64,
}

impl Calls {
    fn add(&mut self, at: i64, client_bytes: u64, frame: u64, room: bool) -> bool {
        self.connections += 1;
        self.last = self.last.max(Some(at));
        self.frame = self.frame.min(frame);
        let sampled = room && self.samples.len() < MOST_SAMPLES;
        if sampled {
            self.samples.push((at, client_bytes));
        }
        self.truncated |= !sampled;
        sampled
    }
}

/// A connection of a pair that was not seen before: most never come again, so they take little room.
#[derive(Debug, Clone, Copy)]
struct Once {
    /// A part of the pair's hash; 0 for none.
    tag: u32,
    client_bytes: u32,
    at: i64,
    frame: u64,
}

/// A connection that waits to be counted with others.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    pair: Pair,
    hash: u64,
    at: i64,
    client_bytes: u64,
    frame: u64,
}

/// So many connections are counted together: where each is to be noted lies far from the others, and memory is fetched
/// for all of them in hardly more time than for one.
const TOGETHER: usize = 32;

/// The same in plain words: a list of zeros takes memory only where it is written to.
type Words = [u64; 3];

impl Once {
    fn of([head, at, frame]: Words) -> Once {
        Once { tag: low32(head >> 32), client_bytes: low32(head), at: at.cast_signed(), frame }
    }

    fn words(self) -> Words {
        let head = (u64::from(self.tag) << 32) | u64::from(self.client_bytes);
        [head, self.at.cast_unsigned(), self.frame]
    }
}

/// When is something a beacon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threshold {
    pub(crate) connections: u64,
    pub(crate) score: f64,
}

/// The calls of all pairs, within bounds.
///
/// The first connection of a pair is kept under its hash alone, and gives way to a newer one that falls on the same
/// place; with the second connection the pair is kept for itself.
#[derive(Debug, Clone)]
pub(crate) struct Beacons {
    seed: Seed,
    waiting: Vec<Waiting>,
    once: Vec<Words>,
    pairs: HashTable<(Pair, Calls)>,
    samples: usize,
    most_pairs: usize,
    most_samples: usize,
    /// Connections that were not looked at because of the bounds.
    left_out: u64,
    /// First connections that gave way to newer ones.
    displaced: u64,
}

impl Beacons {
    /// Within about `bytes` of memory.
    pub(crate) fn new(seed: Seed, bytes: usize) -> Beacons {
        let places = (bytes / 2 / size_of::<Words>()).max(2);
        Beacons {
            seed,
            waiting: Vec::new(),
            // A power of two; memory that is never touched is never taken.
            once: vec![[0; 3]; 1 << places.ilog2()],
            pairs: HashTable::new(),
            samples: 0,
            // A map that grows is between half and almost full.
            most_pairs: bytes / 4 / (size_of::<(Pair, Calls)>() * 2),
            most_samples: bytes / 4 / (size_of::<(i64, u64)>() * 2),
            left_out: 0,
            displaced: 0,
        }
    }

    /// Connections that were not looked at because of the bounds.
    pub(crate) fn left_out(&self) -> u64 {
        // That a few firsts fall on each other costs nothing; if all places were taken over, pairs went unseen.
        let crowded = self.displaced > self.once.len() as u64;
        self.left_out + if crowded { self.displaced } else { 0 }
    }

    /// A connection that was opened and answered.
    pub(crate) fn connected(&mut self, pair: Pair, begun: When, client_bytes: u64, frame: u64) {
        let Some(at) = begun.known() else { return };
        self.waiting.push(Waiting { pair, hash: pair.hash(self.seed), at, client_bytes, frame });
        if self.waiting.len() >= TOGETHER {
            self.count();
        }
    }

    /// Counts what waits.
    pub(crate) fn count(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        let heads = waiting.iter().filter_map(|it| self.once.get(self.place(it.hash)));
        // Fetches all of them; what they hold is looked at one by one, for one may change what the next one finds.
        std::hint::black_box(heads.fold(0, |all, [head, ..]| all | head));
        waiting.drain(..).for_each(|it| self.counted(it));
        self.waiting = waiting;
    }

    fn place(&self, hash: u64) -> usize {
        low32(hash) as usize & (self.once.len() - 1)
    }

    fn counted(&mut self, Waiting { pair, hash, at, client_bytes, frame }: Waiting) {
        let (tag, place) = (low32(hash >> 32).max(1), self.place(hash));
        let Some(words) = self.once.get_mut(place) else { return };
        let once = Once::of(*words);
        if once.tag == tag {
            *words = [0; 3];
            self.sample(hash, pair, once.at, u64::from(once.client_bytes), once.frame);
        } else if self.pairs.find(hash, |(known, _)| *known == pair).is_none() {
            // It is the first, or the first gave way.
            self.displaced += u64::from(once.tag != 0);
            let client_bytes = u32::try_from(client_bytes).unwrap_or(u32::MAX);
            *words = Once { tag, client_bytes, at, frame }.words();
            return;
        }
        self.sample(hash, pair, at, client_bytes, frame);
    }

    fn sample(&mut self, hash: u64, pair: Pair, at: i64, client_bytes: u64, frame: u64) {
        let (seed, full) = (self.seed, self.pairs.len() >= self.most_pairs);
        let same = |(known, _): &(Pair, Calls)| *known == pair;
        let calls = match self.pairs.entry(hash, same, |(known, _)| known.hash(seed)) {
            Entry::Occupied(known) => &mut known.into_mut().1,
            Entry::Vacant(_) if full => {
                self.left_out += 1;
                return;
            }
            Entry::Vacant(free) => &mut free.insert((pair, Calls { frame, ..Calls::default() })).into_mut().1,
        };
        let room = self.samples < self.most_samples;
        let sampled = calls.add(at, client_bytes, frame, room);
        self.samples += usize::from(sampled);
        // A pair with more connections than are looked at is judged by those; nothing is unseen.
        self.left_out += u64::from(!sampled && !room);
    }

    /// Adds what another shard saw. All connections of a pair are in one shard, by how frames are split.
    pub(crate) fn merge(&mut self, mut other: Beacons) {
        self.count();
        other.count();
        self.left_out += other.left_out();
        let seed = self.seed;
        for (pair, theirs) in other.pairs {
            let hash = pair.hash(seed);
            let Some((_, ours)) = self.pairs.find_mut(hash, |(known, _)| *known == pair) else {
                self.pairs.insert_unique(hash, (pair, theirs), |(known, _)| known.hash(seed));
                continue;
            };
            // A list that ends early must not look like calls that end early: keep what both cover.
            let covered = |calls: &Calls| {
                let last = calls.samples.iter().map(|(at, _)| *at).max();
                if calls.truncated { last.unwrap_or(i64::MIN) } else { i64::MAX }
            };
            let until = covered(ours).min(covered(&theirs));
            ours.connections += theirs.connections;
            ours.last = ours.last.max(theirs.last);
            ours.frame = ours.frame.min(theirs.frame);
            ours.truncated |= theirs.truncated;
            ours.samples.extend(theirs.samples);
            ours.samples.retain(|(at, _)| *at <= until);
        }
    }

    /// The pairs that look like a beacon, the highest score first.
    pub(crate) fn judge(mut self, first: When, last: When, threshold: Threshold) -> Vec<Beacon> {
        self.count();
        let mut found: Vec<Beacon> = self
            .pairs
            .drain()
            .filter(|(_, calls)| calls.connections >= threshold.connections)
            .filter_map(|(pair, calls)| score(pair, calls, first, last))
            .filter(|beacon| beacon.score >= threshold.score)
            .collect();
        found.sort_by(|a, b| {
            let key = |beacon: &Beacon| (beacon.client, beacon.server, beacon.transport);
            b.score.total_cmp(&a.score).then_with(|| key(a).cmp(&key(b)))
        });
        found
    }
}

fn score(pair: Pair, mut calls: Calls, first: When, last: When) -> Option<Beacon> {
    calls.samples.sort_unstable();
    let times: Vec<i64> = calls.samples.iter().map(|(at, _)| *at).collect();
    let from = first.known().unwrap_or(*times.first()?).min(*times.first()?);
    // Where later connections were only counted, the observed time ends with the last one that was looked at.
    let until = if calls.truncated { *times.last()? } else { last.known()?.max(*times.last()?) };
    let mut intervals: Vec<f64> = times
        .windows(2)
        .filter_map(|pair| if let [a, b] = pair { Some(b.saturating_sub(*a)) } else { None })
        .filter(|interval| *interval > 0)
        .map(|interval| interval as f64)
        .collect();
    intervals.sort_unstable_by(f64::total_cmp);
    let mut sizes: Vec<f64> = calls.samples.iter().map(|(_, bytes)| *bytes as f64).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    if intervals.len() < 3 {
        return None;
    }
    let bars = bars(&times, from, until);
    let scores =
        [evenness(&intervals), evenness(&sizes), duration(&bars, &times, from, until), histogram(&bars)];
    let [interval_score, size_score, duration_score, histogram_score] = scores;
    Some(Beacon {
        client: pair.client.to(pair.version),
        server: (pair.server.to(pair.version), pair.port).into(),
        transport: pair.transport,
        connections: calls.connections,
        interval_ns: rounded_signed(quantile(&intervals, 0.5)),
        interval_score,
        size_score,
        duration_score,
        histogram_score,
        score: scores.iter().sum::<f64>() / 4.0,
        first: times.first().copied().map(Timestamp::from_ns),
        last: calls.last.map(Timestamp::from_ns),
        frame: calls.frame,
    })
}

/// An address with the version that it is of.
trait To {
    fn to(self, version: Version) -> std::net::IpAddr;
}

impl To for Address {
    fn to(self, version: Version) -> std::net::IpAddr {
        crate::key::ip(version, self)
    }
}

/// The value below which this share of a sorted list lies, between two neighbours in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len().saturating_sub(1)) as f64;
    let below = usize::try_from(rounded(place.floor())).unwrap_or(0);
    let low = sorted.get(below).copied().unwrap_or(0.0);
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    low + (high - low) * (place - place.floor())
}

/// How even values are: the mean of two numbers, from 0 to 1.
///
/// *Symmetry*: one less the Bowley skewness, `|Q1 + Q3 - 2 Q2| / (Q3 - Q1)`. A machine that waits a fixed time with some
/// jitter is early as often as late; people are not. Where the quartiles lie within 1 % of the median, or the median is
/// one of them, skewness says nothing and symmetry is whole.
///
/// *Spread*: `(median - MAD) / median`, where MAD is the median distance from the median: 1 where all are the same.
fn evenness(sorted: &[f64]) -> f64 {
    let [lower, median, upper] = [0.25, 0.5, 0.75].map(|share| quantile(sorted, share));
    let width = upper - lower;
    let skewed = width > median * 0.01 && lower < median && median < upper;
    let symmetry = if skewed { 1.0 - ((lower + upper - 2.0 * median) / width).abs() } else { 1.0 };
    let mut distances: Vec<f64> = sorted.iter().map(|value| (value - median).abs()).collect();
    distances.sort_unstable_by(f64::total_cmp);
    let spread =
        if median > 0.0 { ((median - quantile(&distances, 0.5)) / median).clamp(0.0, 1.0) } else { 0.0 };
    (symmetry + spread) / 2.0
}

/// Connections in each equal part of the observed time.
fn bars(times: &[i64], from: i64, until: i64) -> [u32; PARTS] {
    let mut bars = [0; PARTS];
    let whole = until.saturating_sub(from).max(1) as f64;
    for at in times {
        let share = at.saturating_sub(from) as f64 / whole;
        let part = usize::try_from(rounded((share * PARTS as f64).floor())).unwrap_or(0);
        if let Some(bar) = bars.get_mut(part.min(PARTS - 1)) {
            *bar += 1;
        }
    }
    bars
}

/// How much of the observed time the connections cover: the larger of two numbers.
///
/// *Coverage*: from the first to the last connection, as a share of the whole. *Consistency*: the longest run of parts
/// that each have a connection, as a share of twelve; the run may go on from the last part to the first. With fewer
/// than six parts in use it is 0.
fn duration(bars: &[u32; PARTS], times: &[i64], from: i64, until: i64) -> f64 {
    if bars.iter().filter(|bar| **bar > 0).count() < LEAST_PARTS {
        return 0.0;
    }
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return 0.0 };
    let coverage = last.saturating_sub(*first) as f64 / until.saturating_sub(from).max(1) as f64;
    let (mut run, mut longest) = (0_usize, 0_usize);
    for bar in bars.iter().chain(bars) {
        run = if *bar > 0 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let consistency = longest.min(PARTS) as f64 / IDEAL_RUN as f64;
    coverage.max(consistency).min(1.0)
}

/// How evenly connections fill the parts: the larger of two numbers.
///
/// *Flatness*: one less the coefficient of variation, standard deviation through mean. *Two heights*: the share of the
/// parts in use that have one of the two commonest heights, for what alternates between busy and quiet; heights within
/// 5 % of the highest count as one, one part may be out of line, and at least eleven must be in use.
fn histogram(bars: &[u32; PARTS]) -> f64 {
    let mean = bars.iter().map(|bar| f64::from(*bar)).sum::<f64>() / PARTS as f64;
    if mean <= 0.0 {
        return 0.0;
    }
    let variance = bars.iter().map(|bar| (f64::from(*bar) - mean).powi(2)).sum::<f64>() / PARTS as f64;
    let flatness = (1.0 - variance.sqrt() / mean).clamp(0.0, 1.0);
    let used: Vec<f64> = bars.iter().filter(|bar| **bar > 0).map(|bar| f64::from(*bar)).collect();
    if used.len() < LEAST_PARTS_FOR_TWO_HEIGHTS {
        return flatness;
    }
    let step = (used.iter().copied().fold(0.0, f64::max) * SAME_HEIGHT).ceil().max(1.0);
    let mut heights: Vec<u64> = used.iter().map(|height| rounded((height / step).floor())).collect();
    heights.sort_unstable();
    let mut counts: Vec<usize> = heights.chunk_by(|a, b| a == b).map(<[u64]>::len).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let two: usize = counts.iter().take(2).sum();
    flatness.max((two as f64 / (used.len() - 1) as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn judged(times: impl Iterator<Item = (i64, u64)>, last: i64) -> Option<Beacon> {
        let mut beacons = Beacons::new(Seed::new(1), 1 << 20);
        let pair = Pair {
            version: Version::V4,
            client: Address::from_v4([10, 0, 0, 1]),
            server: Address::from_v4([192, 0, 2, 9]),
            port: 420,
            transport: Transport::Tcp,
        };
        for (at, bytes) in times {
            beacons.connected(pair, When::at(at), bytes, 1);
        }
        let threshold = Threshold { connections: 10, score: 0.0 };
        beacons.judge(When::at(0), When::at(last), threshold).pop()
    }

    fn chance(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state >> 16
    }

    #[test]
    fn a_machine_scores_one_even_below_a_second() {
        for interval in [SECOND / 5, 60 * SECOND] {
            let found = judged((0..200).map(|count| (count * interval, 300)), 200 * interval).unwrap();
            assert!(found.score > 0.99, "{found:?}");
            assert_eq!(found.interval_ns, interval);
        }
    }

    #[test]
    fn jitter_costs_little_and_people_score_low() {
        let mut state = 9;
        let mut at = 0;
        let jittered: Vec<(i64, u64)> = (0..300)
            .map(|_| {
                at += 50 * SECOND + i64::try_from(chance(&mut state) % 20).unwrap() * SECOND;
                (at, 280 + chance(&mut state) % 40)
            })
            .collect();
        let machine = judged(jittered.into_iter(), at).unwrap();
        assert!(machine.score > 0.85, "{machine:?}");
        // Bursts of clicks with long pauses, and sizes all over the place.
        let mut at = 0;
        let people: Vec<(i64, u64)> = (0..300)
            .map(|_| {
                let pause =
                    if chance(&mut state).is_multiple_of(30) { 20_000 } else { 1 + chance(&mut state) % 5 };
                at += i64::try_from(pause).unwrap() * SECOND;
                (at, 200 + (chance(&mut state) % 300).pow(2))
            })
            .collect();
        let people = judged(people.into_iter(), at + 50_000 * SECOND).unwrap();
        assert!(people.score < 0.7, "{people:?}");
    }

    #[test]
    fn pairs_that_connect_once_give_way() {
        let mut beacons = Beacons::new(Seed::new(1), 1 << 20);
        let pair = |number: u32, port| Pair {
            version: Version::V4,
            client: Address::from_v4(number.to_be_bytes()),
            server: Address::from_v4([192, 0, 2, 9]),
            port,
            transport: Transport::Tcp,
        };
        for count in 0..200_000_u32 {
            let at = i64::from(count) * SECOND / 100;
            beacons.connected(pair(count, 80), When::at(at), 7, u64::from(count));
            if count % 1000 == 0 {
                beacons.connected(pair(5, 420), When::at(at), 7, u64::from(count));
            }
        }
        beacons.count();
        assert!(beacons.pairs.len() <= beacons.most_pairs && beacons.left_out() > 100_000);
        let once = beacons.once.len() * size_of::<Words>();
        assert!(once <= 1 << 19, "{once} bytes");
        let threshold = Threshold { connections: 10, score: 0.9 };
        let found = beacons.judge(When::at(0), When::at(2000 * SECOND), threshold);
        assert_eq!(
            found.iter().map(|beacon| (beacon.server.port(), beacon.connections)).collect::<Vec<_>>(),
            [(420, 200)]
        );
    }

    #[test]
    fn few_connections_or_no_intervals_are_no_beacon() {
        assert!(judged((0..9).map(|count| (count * SECOND, 1)), 10 * SECOND).is_none());
        assert!(judged((0..50).map(|_| (5, 1)), 10 * SECOND).is_none());
    }

    #[test]
    fn more_connections_than_are_looked_at_score_alike() {
        let found = judged((0..5000).map(|count| (count * SECOND, 10)), 5000 * SECOND).unwrap();
        assert_eq!(found.connections, 5000);
        assert!(found.score > 0.99, "{found:?}");
    }
}
