//! A sender on a clock of the test's own, stopped now and then, held to the strict model (ST 2110-21:2022 §6.5, §6.6).

use media::clock::Alignment;
use model::media::{
    Colorimetry, Depth, Packing, Range, Ratio, Sampling, Scan, SenderType, Transfer, VideoFormat,
};
use model::{Tai, Timestamp};

use super::Period;
use super::request::{NARROW_BEHIND, WIDE_BEHIND};
use super::turns::Turns;
use super::video::Pace;

/// The first frame: in 2026, at 50 frames a second.
const FIRST: i64 = 89_000_000_000;

struct Case {
    format: VideoFormat,
    packets: u32,
    pace: Pace,
}

impl Case {
    fn new((width, height): (u16, u16), rate: (u32, u32), scan: Scan, packets: u32, it: SenderType) -> Case {
        let format = VideoFormat {
            sampling: Sampling::YCbCr422,
            depth: Depth::Ten,
            width,
            height,
            frame_rate: Ratio::new(rate.0, rate.1).unwrap(),
            scan,
            colorimetry: Colorimetry::Bt709,
            transfer: Transfer::Sdr,
            range: Range::Narrow,
            packing: Packing::General,
            max_udp_bytes: 1460,
            sender_type: Some(it),
            offset_us: None,
            burst_packets: None,
            pixel_aspect: Ratio::new(1, 1).unwrap(),
        };
        let pace = Pace::new(&format, u64::from(packets), None).unwrap();
        Case { format, packets, pace }
    }

    fn all() -> Vec<Case> {
        let mut all = Vec::new();
        for it in [SenderType::Narrow, SenderType::NarrowLinear, SenderType::Wide] {
            for (size, rate, scan, packets) in [
                ((1280, 720), (50, 1), Scan::Progressive, 2880),
                ((1280, 720), (60_000, 1001), Scan::Progressive, 2880),
                ((1920, 1080), (24_000, 1001), Scan::Progressive, 4320),
                ((1920, 1080), (25, 1), Scan::Interlaced, 4320),
                ((1920, 1080), (30_000, 1001), Scan::Interlaced, 4320),
                ((1920, 1080), (25, 1), Scan::Segmented, 4320),
                ((1920, 1080), (50, 1), Scan::Progressive, 4320),
                // In blocks of 1260 octets, and filled.
                ((1920, 1080), (50, 1), Scan::Progressive, 4115),
                ((1920, 1080), (50, 1), Scan::Progressive, 3638),
                ((1920, 1080), (25, 1), Scan::Interlaced, 3638),
                ((1920, 1080), (60_000, 1001), Scan::Progressive, 4320),
                ((3840, 2160), (25, 1), Scan::Progressive, 17_280),
                ((3840, 2160), (50, 1), Scan::Progressive, 17_280),
            ] {
                all.push(Case::new(size, rate, scan, packets, it));
            }
        }
        all
    }

    fn parts(&self) -> u32 {
        if self.format.scan == Scan::Progressive { 1 } else { 2 }
    }

    fn linear(&self) -> bool {
        self.format.sender_type != Some(SenderType::Narrow)
    }

    fn narrow(&self) -> bool {
        self.format.sender_type != Some(SenderType::Wide)
    }

    fn name(&self) -> String {
        let VideoFormat { height, frame_rate, scan, sender_type, .. } = &self.format;
        format!("{height} {frame_rate:?} {scan:?} {sender_type:?}, {} packets", self.packets)
    }

    fn unit(&self, frame: i64, second: bool) -> Period {
        let mut period = Period::default();
        let mut packet = 0;
        self.pace.departures(frame, second, self.packets / self.parts(), |due| {
            period.batch.add(|to| to.push(0));
            period.leave(packet, due);
            packet += 1;
        });
        period
    }

    /// How long before its read a packet leaves at the least, when nothing stops it.
    fn lead_ns(&self) -> i64 {
        let packets = self.packets / self.parts();
        let mut reads = self.pace.model().reads(FIRST, false, packets, self.linear());
        let mut least = i64::MAX;
        self.pace.departures(FIRST, false, packets, |due| {
            least = least.min(reads.floor_ns() - due.as_ns());
            reads.advance();
        });
        least
    }

    /// Sends frames, and gives which of them kept to the model, and the fullest bucket. A packet takes so long to hand over,
    /// and has left when that has ended. When something is due `stop` may say how long the thread is stopped.
    fn send(&self, frames: i64, cost_ns: i64, mut stop: impl FnMut(i64) -> i64) -> (Vec<bool>, i64) {
        let mut gate = self.pace.gate();
        let mut now = Timestamp::<Tai>::from_ns(0);
        let mut network = Network::of(self);
        let (mut kept, mut fullest) = (Vec::new(), 0);
        for frame in FIRST..FIRST + frames {
            let mut keeps = true;
            for second in [false, true].into_iter().take(usize::try_from(self.parts()).unwrap()) {
                let period = self.unit(frame, second);
                let mut buffer = Receiver::of(self, frame, second);
                let mut next = 0;
                while let Some(due) = period.opens(next, Some(gate)) {
                    now = now.max(due);
                    now = Timestamp::from_ns(now.as_ns() + stop(now.as_ns()));
                    let count = period.ready(next, now, Some(gate));
                    for _ in 0..count {
                        now = Timestamp::from_ns(now.as_ns() + cost_ns);
                        fullest = fullest.max(network.take(now.as_ns()));
                        keeps &= buffer.take(now.as_ns());
                    }
                    gate.pass(u64::try_from(count).unwrap(), now);
                    next += count;
                }
            }
            kept.push(keeps && fullest <= network.limit);
        }
        (kept, fullest)
    }
}

impl Case {
    /// Two send in turns, the second one later than the first one. `stop` says for how long one of them is stopped before it
    /// looks whether something is due, and `hold` for how long with packets in its hands.
    fn send_in_turns(
        &self,
        frames: i64,
        mut stop: impl FnMut(usize, i64) -> i64,
        mut hold: impl FnMut(usize, i64) -> i64,
    ) -> Sent {
        let (cost_ns, behind_ns) = (cost_ns(self), self.behind_ns());
        let gate = Some(self.pace.gate().with_reserve(self.pace.burst().into()));
        let turns = Turns::default();
        let mut network = Network::of(self);
        let (mut clocks, mut packets, mut turn) = ([0_i64; 2], [0_u32; 2], 0);
        let (mut kept, mut all) = (Vec::new(), Vec::new());
        for frame in FIRST..FIRST + frames {
            let mut keeps = true;
            for second in [false, true].into_iter().take(usize::try_from(self.parts()).unwrap()) {
                let mut period = self.unit(frame, second);
                period.turn = turn;
                turn += 1;
                let mut buffer = Receiver::of(self, frame, second);
                let (mut looks, mut in_hand, mut gone) = ([false; 2], [None, None], Vec::new());
                // Whoever is earlier does something, so that nobody sees what has not happened yet.
                loop {
                    let who = usize::from(clocks[1] < clocks[0]);
                    let now = Timestamp::from_ns(clocks[who]);
                    if let Some(share) = in_hand[who].take() {
                        turns.left(share, gate, now);
                    }
                    let behind = behind_ns * i64::try_from(who).unwrap();
                    let Some(due) = turns.opens(&period, gate, behind) else { break };
                    if !std::mem::replace(&mut looks[who], true) {
                        let now = clocks[who].max(due.as_ns());
                        clocks[who] = now + stop(who, now);
                        continue;
                    }
                    looks[who] = false;
                    let Some(share) = turns.look(&period, gate, now, behind) else { continue };
                    assert!(turns.take(share, gate, now));
                    clocks[who] += hold(who, clocks[who]);
                    for packet in share.from..share.from + share.count {
                        clocks[who] += cost_ns;
                        keeps &= clocks[who] <= buffer.reads[packet];
                        gone.push(clocks[who]);
                        packets[who] += 1;
                    }
                    in_hand[who] = Some(share);
                }
                in_hand
                    .into_iter()
                    .flatten()
                    .for_each(|share| turns.left(share, gate, Timestamp::from_ns(0)));
                // What one of them took sooner may have left later.
                gone.sort_unstable();
                keeps &= gone.iter().all(|at| buffer.take(*at));
                all.append(&mut gone);
            }
            kept.push(keeps);
        }
        all.sort_unstable();
        let fullest = all.into_iter().map(|at| network.take(at)).max().unwrap();
        assert_eq!(i64::from(packets[0] + packets[1]), i64::from(self.packets) * frames);
        Sent {
            kept,
            fullest,
            limit: network.limit,
            share: f64::from(packets[1]) / f64::from(packets[0] + packets[1]),
        }
    }

    fn behind_ns(&self) -> i64 {
        let behind = if self.narrow() { NARROW_BEHIND } else { WIDE_BEHIND };
        i64::try_from(behind.as_nanos()).unwrap()
    }
}

/// What two have sent.
struct Sent {
    /// Which frames kept to the model.
    kept: Vec<bool>,
    /// The fullest bucket, and what it may hold.
    fullest: i64,
    limit: i64,
    /// The share of packets that the second one sent.
    share: f64,
}

/// The network's bucket: drains at whole multiples of `TFRAME / NPACKETS / 1.1` since the epoch.
struct Network {
    limit: i64,
    above: i128,
    below: i128,
    level: i64,
    drained: i128,
}

impl Network {
    fn of(case: &Case) -> Network {
        let rate = case.format.frame_rate;
        let limit = case.pace.model().burst_limit(case.format.sender_type.unwrap(), u64::from(case.packets));
        Network {
            limit: i64::try_from(limit.unwrap()).unwrap(),
            above: i128::from(rate.numerator()) * i128::from(case.packets) * 11,
            below: i128::from(rate.denominator()) * 10_000_000_000,
            level: 0,
            drained: 0,
        }
    }

    fn take(&mut self, at_ns: i64) -> i64 {
        let drained = i128::from(at_ns) * self.above / self.below;
        self.level = i64::try_from((i128::from(self.level) - (drained - self.drained)).max(0)).unwrap() + 1;
        self.drained = drained;
        self.level
    }
}

/// The receiver's buffer over one frame, field or segment.
struct Receiver {
    limit: u64,
    reads: Vec<i64>,
    read: usize,
    sent: usize,
}

impl Receiver {
    fn of(case: &Case, frame: i64, second: bool) -> Receiver {
        let packets = case.packets / case.parts();
        let model = case.pace.model();
        let mut reads = model.reads(frame, second, packets, case.linear());
        let each = (0..packets).map(|_| {
            let at = reads.floor_ns();
            reads.advance();
            at
        });
        let limit = model.buffer_limit(case.format.sender_type.unwrap(), u64::from(case.packets));
        Receiver { limit, reads: each.collect(), read: 0, sent: 0 }
    }

    /// Whether this packet is there before its read, and has room.
    fn take(&mut self, at_ns: i64) -> bool {
        let in_time = at_ns <= self.reads[self.sent];
        self.sent += 1;
        // At one instant a packet comes before it is read.
        while self.read < self.sent && self.reads[self.read] < at_ns {
            self.read += 1;
        }
        in_time && u64::try_from(self.sent - self.read).unwrap() <= self.limit
    }
}

/// Four tenths of the distance of two packets: what is left is for getting ahead again.
fn cost_ns(case: &Case) -> i64 {
    Alignment::new(case.format.frame_rate).period_ns() * 4 / 10 / i64::from(case.packets)
}

#[test]
fn who_is_never_stopped_keeps_to_the_model_in_every_frame() {
    for case in Case::all() {
        let (kept, fullest) = case.send(4, 0, |_| 0);
        assert!(kept.iter().all(|keeps| *keeps), "{}: {kept:?}, bucket {fullest}", case.name());
        let (kept, fullest) = case.send(4, cost_ns(&case), |_| 0);
        assert!(kept.iter().all(|keeps| *keeps), "{}: {kept:?}, bucket {fullest}", case.name());
    }
}

#[test]
fn stops_up_to_the_lead_are_forgiven_and_longer_ones_are_not() {
    for case in Case::all() {
        let cost = cost_ns(&case);
        // Half of what the receiver holds at least, or what is in a frame before its first read.
        let lead = case.lead_ns() - cost;
        assert!(lead > 20_000, "{}: {lead}", case.name());
        // Reads are rounded to nanoseconds, each for itself.
        for (length, forgiven) in [(lead - 2, true), (lead + 2, false)] {
            // Again and again, just when a packet is due: as soon as the lead must have been made up for.
            let (mut next, mut seed) = (0, 2110_u64);
            let (kept, fullest) = case.send(4, cost, |now| {
                if now < next {
                    return 0;
                }
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                next = now + length * 30 + i64::try_from(seed % 300_000).unwrap();
                length
            });
            let all = kept.iter().all(|keeps| *keeps);
            assert_eq!(all, forgiven, "{}: {length} ns, {kept:?}, bucket {fullest}", case.name());
        }
    }
}

#[test]
fn after_a_long_stop_the_bucket_never_overflows_and_frames_keep_to_the_model_again() {
    for case in Case::all() {
        let frame = Alignment::new(case.format.frame_rate).period_ns();
        let mut stopped = false;
        let (kept, fullest) = case
            .send(7, cost_ns(&case), |_| if std::mem::replace(&mut stopped, true) { 0 } else { frame / 10 });
        // A tenth is gained from frame to frame, less where reads are faster than packets on average.
        assert_eq!((kept[0], kept[6]), (false, true), "{}: {kept:?}, bucket {fullest}", case.name());
    }
}

#[test]
fn of_two_one_may_be_stopped_for_as_long_as_it_likes() {
    for case in Case::all() {
        let cost = cost_ns(&case);
        // Nobody is stopped: the second one has nothing to do.
        let Sent { kept, share, .. } = case.send_in_turns(3, |_, _| 0, |_, _| 0);
        assert!(kept.iter().all(|keeps| *keeps) && share == 0.0, "{}: {kept:?}, {share}", case.name());
        // One of them always is, in turns, for milliseconds; the other one needs a moment to come back.
        let length = Alignment::new(case.format.frame_rate).period_ns() / 10;
        let stop = |who, now| {
            let (turn, into) = (now / length, now % length);
            if turn % 2 == i64::try_from(who).unwrap() && into < length - 2 * cost {
                length - cost - into
            } else {
                0
            }
        };
        let Sent { kept, share, fullest, limit } = case.send_in_turns(4, stop, |_, _| 0);
        assert!(kept.iter().all(|keeps| *keeps), "{}: {kept:?}", case.name());
        assert!(fullest <= limit, "{}: {fullest} of {limit}", case.name());
        assert!((0.3..0.7).contains(&share), "{}: {share}", case.name());
    }
}

#[test]
fn who_is_stopped_with_packets_in_hand_makes_no_burst_of_them() {
    for case in Case::all() {
        let (mut seed, mut held) = (2110_u64, 0);
        let hold = |_, _| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let is_stopped = seed.is_multiple_of(400);
            held += i64::from(is_stopped);
            if is_stopped { i64::try_from(seed % 300_000).unwrap() } else { 0 }
        };
        let Sent { fullest, limit, share, .. } = case.send_in_turns(6, |_, _| 0, hold);
        assert!(fullest <= limit, "{}: {fullest} of {limit}", case.name());
        assert!(held > 0 && share > 0.0, "{}: {held}, {share}", case.name());
    }
}
