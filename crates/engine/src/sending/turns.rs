//! Threads that send one stream in turns: where it stands is one word, so that each packet leaves once, whoever sends it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use model::{Tai, Timestamp};

use super::{Gate, Period};

/// Bits of the word that count packets of a period; those above count periods.
const PACKET_BITS: u32 = 20;

/// Where a stream stands: which packet of which period is the next, and when the gate will be empty.
#[derive(Debug)]
pub(super) struct Turns {
    next: AtomicU64,
    empty_ns: AtomicI64,
}

/// Packets that leave together, as long as nobody else has taken them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) from: usize,
    pub(super) count: usize,
    before: u64,
    after: u64,
}

impl Default for Turns {
    fn default() -> Turns {
        Turns { next: AtomicU64::new(0), empty_ns: AtomicI64::new(i64::MIN / 2) }
    }
}

fn word(turn: u64, packet: usize) -> u64 {
    (turn << PACKET_BITS) | u64::try_from(packet).unwrap_or(u64::MAX)
}

impl Turns {
    /// Which packet of a period is the next; `None` when its last one was taken.
    fn next(&self, period: &Period) -> Option<usize> {
        let packet = self.next.load(Ordering::Acquire).wrapping_sub(word(period.turn, 0));
        usize::try_from(packet).ok().filter(|packet| *packet < period.due.len())
    }

    /// When the next packet of a period may be taken by who takes what is late by so much; `None` when its last one was taken.
    pub(super) fn opens(
        &self,
        period: &Period,
        gate: Option<Gate>,
        behind_ns: i64,
    ) -> Option<Timestamp<Tai>> {
        let next = self.next(period)?;
        let due = Timestamp::from_ns(period.due.get(next)?.as_ns().saturating_add(behind_ns));
        // The gate makes nobody late: who waits for it need not wait any longer.
        Some(period.opens(next, self.gate(gate))?.max(due))
    }

    /// The gate as it is now.
    fn gate(&self, gate: Option<Gate>) -> Option<Gate> {
        gate.map(|gate| gate.empty_at(Timestamp::from_ns(self.empty_ns.load(Ordering::Acquire))))
    }

    /// What leaves when an instant is reached; `None` where nothing does.
    pub(super) fn look(
        &self,
        period: &Period,
        gate: Option<Gate>,
        reached: Timestamp<Tai>,
        behind_ns: i64,
    ) -> Option<Share> {
        let from = self.next(period)?;
        if self.opens(period, gate, behind_ns)? > reached {
            return None;
        }
        let count = period.ready(from, reached, self.gate(gate));
        let end = from + count;
        let after = if end < period.due.len() { word(period.turn, end) } else { word(period.turn + 1, 0) };
        Some(Share { from, count, before: word(period.turn, from), after })
    }

    /// Takes it, if nobody else has. Whoever has, is the only one to send these packets, and sends them whatever happens.
    pub(super) fn take(&self, share: Share, gate: Option<Gate>, reached: Timestamp<Tai>) -> bool {
        // Before it is taken, so that nobody follows too closely; and back where somebody else took it, or two who are late
        // would let packets leave at half the rate, and stay late.
        self.pass(share, gate, reached);
        let taken = self.exchange(share.before, share.after);
        if let Some(gate) = gate.filter(|_| !taken) {
            self.empty_ns.fetch_sub(gate.drain_ns(count(share)), Ordering::AcqRel);
        }
        taken
    }

    /// What was taken has left by now: whoever follows must not come too close to that.
    pub(super) fn left(&self, share: Share, gate: Option<Gate>, gone: Timestamp<Tai>) {
        if let Some(gate) = gate {
            let empty = gate.empty_at(gone).passed(count(share), gone).as_ns();
            self.empty_ns.fetch_max(empty, Ordering::AcqRel);
        }
    }

    /// Whether others have taken packets since that may have left sooner.
    pub(super) fn overtook(&self, share: Share) -> bool {
        self.next.load(Ordering::Acquire) != share.after
    }

    /// Ends a period of which nothing has left, unless somebody else has begun it, or ended it.
    pub(super) fn leave_out(&self, period: &Period) -> bool {
        self.exchange(word(period.turn, 0), word(period.turn + 1, 0))
    }

    fn pass(&self, share: Share, gate: Option<Gate>, at: Timestamp<Tai>) {
        let Some(gate) = gate else { return };
        let later =
            |empty_ns| Some(gate.empty_at(Timestamp::from_ns(empty_ns)).passed(count(share), at).as_ns());
        // It always changes something.
        _ = self.empty_ns.fetch_update(Ordering::AcqRel, Ordering::Acquire, later);
    }

    fn exchange(&self, before: u64, after: u64) -> bool {
        self.next.compare_exchange(before, after, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

fn count(share: Share) -> u64 {
    u64::try_from(share.count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn periods() -> Vec<Period> {
        let with = |(turn, packets): (u64, i64)| {
            let mut period = Period { turn, ..Period::default() };
            for packet in 0..packets {
                period.batch.add(|to| to.push(0));
                // Pairs leave together; all of it is long past.
                period.leave(usize::try_from(packet).unwrap(), Timestamp::from_ns(packet / 2));
            }
            period
        };
        (0..).zip([7, 1, 0, 400, 2, 64, 65, 0, 0, 3]).map(with).collect()
    }

    /// What each period should have had: each packet once, in order; those that are empty, or left out, none.
    fn whole(taken: &[(u64, usize)], left_out: &[u64]) {
        let wanted = periods()
            .into_iter()
            .filter(|period| !left_out.contains(&period.turn))
            .flat_map(|period| (0..period.due.len()).map(move |packet| (period.turn, packet)));
        assert!(taken.iter().copied().eq(wanted), "{taken:?}, without {left_out:?}");
    }

    /// One who sends, and does one thing after the other.
    #[derive(Default)]
    struct Sender {
        period: usize,
        share: Option<Share>,
    }

    #[test]
    fn each_packet_is_taken_once_whoever_does_what_when() {
        let periods = periods();
        let now = Timestamp::from_ns(1000);
        for case in 1..2000_u64 {
            let gate = (case % 2 == 0).then(|| Gate::new(1000, 5));
            let turns = Turns::default();
            let mut senders = [Sender::default(), Sender::default(), Sender::default()];
            let (mut taken, mut left_out, mut seed) = (Vec::new(), Vec::new(), case * 0x9e37_79b9);
            while senders.iter().any(|sender| sender.period < periods.len()) {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let sender = &mut senders[usize::try_from(seed % 3).unwrap()];
                let Some(period) = periods.get(sender.period) else { continue };
                // Time goes on as far as the gate needs it to.
                let later = turns.gate(gate).map_or(now, |gate| gate.opens(4).max(now));
                if let Some(share) = sender.share.take() {
                    if turns.take(share, gate, later) {
                        taken.extend(
                            (share.from..share.from + share.count).map(|packet| (period.turn, packet)),
                        );
                        turns.left(share, gate, later);
                    }
                } else if (period.due.is_empty() || seed.is_multiple_of(97)) && turns.leave_out(period) {
                    left_out.push(period.turn);
                } else if turns.next(period).is_none() {
                    sender.period += 1;
                } else {
                    sender.share = turns.look(period, gate, later, 0);
                }
            }
            whole(&taken, &left_out);
        }
    }

    #[test]
    fn threads_take_each_packet_once() {
        let periods = periods();
        for _ in 0..200 {
            let (turns, taken) = (Turns::default(), Mutex::new(Vec::new()));
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        for period in &periods {
                            while turns.next(period).is_some() || turns.leave_out(period) {
                                let Some(share) = turns.look(period, None, Timestamp::from_ns(1000), 0)
                                else {
                                    continue;
                                };
                                if turns.take(share, None, Timestamp::from_ns(1000)) {
                                    let all = share.from..share.from + share.count;
                                    taken.lock().unwrap().extend(all.map(|packet| (period.turn, packet)));
                                }
                            }
                        }
                    });
                }
            });
            let mut taken = taken.into_inner().unwrap();
            taken.sort_unstable();
            whole(&taken, &[]);
        }
    }

    #[test]
    fn who_was_overtaken_knows_it() {
        let (periods, turns, at) = (periods(), Turns::default(), Timestamp::from_ns(1000));
        let first = turns.look(&periods[0], None, at, 0).unwrap();
        assert!(turns.take(first, None, at) && !turns.overtook(first));
        // Too late for what is gone.
        assert!(!turns.take(first, None, at));
        let second = turns.look(&periods[0], None, at, 0).unwrap();
        assert!(turns.take(second, None, at) && turns.overtook(first) && !turns.overtook(second));
    }
}
