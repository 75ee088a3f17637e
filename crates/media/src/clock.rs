//! The RTP clock and TAI, exactly (ST 2110-10:2022 §7, ST 2059-1:2015 §5).
//!
//! Nothing here rounds but where the texts round, and then it rounds down: a `double` of nanoseconds since 1970 is only
//! good to 256 of them.

use model::media::{ClockBasis, Ratio};
use model::{Tai, Timestamp, Utc};

/// Seconds by which TAI is ahead of UTC, since 2017.
pub const LEAP_SECONDS: i64 = 37;

const SECOND_NS: i128 = 1_000_000_000;

/// The lower 32 bits, as RTP has them.
fn wrap(ticks: i128) -> u32 {
    u32::try_from(ticks.rem_euclid(1 << 32)).unwrap_or(0)
}

fn narrow(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

/// Ticks of a clock since the SMPTE epoch: `floor(t·R)`, not wrapped.
pub fn ticks(at: Timestamp<Tai>, rate: u32) -> i64 {
    narrow((i128::from(at.as_ns()) * i128::from(rate)).div_euclid(SECOND_NS))
}

/// The RTP timestamp of an instant: `floor(t·R) mod 2^32` (ST 2110-10:2022 §7.3, §7.6.1).
pub fn rtp(at: Timestamp<Tai>, rate: u32) -> u32 {
    wrap(i128::from(ticks(at, rate)))
}

/// When a tick of a clock begins, rounded up to the first nanosecond at which the clock shows it.
pub fn instant(ticks: i64, rate: u32) -> Timestamp<Tai> {
    let ns = i128::from(ticks) * SECOND_NS;
    Timestamp::from_ns(narrow(-(-ns).div_euclid(i128::from(rate.max(1)))))
}

/// The ticks since the epoch that a timestamp means: of all that wrap to it, the nearest to an instant.
pub fn unwrap_nearest(timestamp: u32, near: Timestamp<Tai>, rate: u32) -> i64 {
    unwrap_nearest_ticks(timestamp, ticks(near, rate))
}

/// The same, near to a count of ticks.
pub fn unwrap_nearest_ticks(timestamp: u32, near: i64) -> i64 {
    let distance = timestamp.wrapping_sub(wrap(i128::from(near))).cast_signed();
    near.saturating_add(i64::from(distance))
}

/// Frames, fields or packets that are aligned to the epoch: the `N`th begins at `N` periods (ST 2059-1:2015 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alignment {
    rate: Ratio,
}

impl Alignment {
    /// Of so many periods a second.
    pub const fn new(rate: Ratio) -> Alignment {
        Alignment { rate }
    }

    /// Of frames of so many a second, but counting fields or segments.
    pub fn fields(frame_rate: Ratio) -> Option<Alignment> {
        let doubled = match frame_rate.numerator().checked_mul(2) {
            Some(numerator) => Ratio::new(numerator, frame_rate.denominator()),
            // In smallest terms: what is too great to be doubled may have an even denominator to halve.
            None if frame_rate.denominator().is_multiple_of(2) => {
                Ratio::new(frame_rate.numerator(), frame_rate.denominator() / 2)
            }
            None => None,
        };
        doubled.map(Alignment::new)
    }

    /// How many a second.
    pub const fn rate(self) -> Ratio {
        self.rate
    }

    fn above(self) -> i128 {
        i128::from(self.rate.numerator())
    }

    /// Numerator of a period in nanoseconds, over the rate's numerator.
    fn period(self) -> i128 {
        i128::from(self.rate.denominator()) * SECOND_NS
    }

    /// A period in nanoseconds, rounded down.
    pub fn period_ns(self) -> i64 {
        narrow(self.period() / self.above())
    }

    /// Which period an instant lies in.
    pub fn number(self, at: Timestamp<Tai>) -> i64 {
        narrow((i128::from(at.as_ns()) * self.above()).div_euclid(self.period()))
    }

    /// Which period's begin is nearest to an instant; the later one of two (RP 2110-25:2023).
    pub fn nearest(self, at: Timestamp<Tai>) -> i64 {
        let (above, period) = (self.above(), self.period());
        narrow((2 * i128::from(at.as_ns()) * above + period).div_euclid(2 * period))
    }

    /// Where a period begins, rounded down to a nanosecond.
    pub fn point(self, number: i64) -> Timestamp<Tai> {
        Timestamp::from_ns(narrow((i128::from(number) * self.period()).div_euclid(self.above())))
    }

    /// Ticks of a clock where a period begins, not wrapped: truncated from the exact instant, not from a nanosecond.
    pub fn ticks(self, number: i64, clock_rate: u32) -> i64 {
        let exact = i128::from(number) * i128::from(self.rate.denominator()) * i128::from(clock_rate);
        narrow(exact.div_euclid(self.above()))
    }

    /// The RTP timestamp of a period: `floor(N·T·R) mod 2^32`.
    pub fn rtp(self, number: i64, clock_rate: u32) -> u32 {
        wrap(i128::from(self.ticks(number, clock_rate)))
    }

    /// Ticks of a period, rounded down and up: 1501 and 1502 at 60000/1001.
    pub fn step(self, clock_rate: u32) -> (i64, i64) {
        let exact = i128::from(self.rate.denominator()) * i128::from(clock_rate);
        let floor = exact / self.above();
        (narrow(floor), narrow(floor + i128::from(exact % self.above() != 0)))
    }
}

/// How the times of a capture become TAI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaptureClock {
    /// The clock was compared with PTP: so much is added to it.
    Traced {
        /// TAI less the capture's clock.
        offset_ns: i64,
    },
    /// The clock is taken to keep UTC: so many leap seconds are added.
    Utc {
        /// TAI less UTC.
        leap_seconds: i64,
    },
    /// The clock is taken to keep TAI already, as that of a card that PTP disciplines.
    Tai,
    /// Unknown: times are only good against each other.
    #[default]
    Relative,
}

/// How late the first packets of streams came by a guess of the clock, and yet are believed.
const BELIEVED_NS: core::ops::RangeInclusive<i64> = -50_000_000..=1_000_000_000;

impl CaptureClock {
    /// The instant in TAI; `None` on a relative clock.
    pub fn tai(self, at: Timestamp<Utc>) -> Option<Timestamp<Tai>> {
        let added = match self {
            CaptureClock::Traced { offset_ns } => offset_ns,
            CaptureClock::Utc { leap_seconds } => leap_seconds.saturating_mul(1_000_000_000),
            CaptureClock::Tai => 0,
            CaptureClock::Relative => return None,
        };
        Some(Timestamp::from_ns(at.as_ns().saturating_add(added)))
    }

    /// The instant in TAI, or on a relative clock the capture's own number.
    pub(crate) fn number(self, at: Timestamp<Utc>) -> i64 {
        self.tai(at).map_or(at.as_ns(), Timestamp::as_ns)
    }

    /// The word for it.
    pub const fn basis(self) -> ClockBasis {
        match self {
            CaptureClock::Traced { .. } => ClockBasis::Traced,
            CaptureClock::Utc { .. } => ClockBasis::UtcAssumed,
            CaptureClock::Tai => ClockBasis::TaiAssumed,
            CaptureClock::Relative => ClockBasis::Relative,
        }
    }

    /// Chooses: what PTP tells where it tells, else what the streams agree with, else nothing.
    ///
    /// `packets` are single packets of streams whose clock is said to be locked to the reference (or of all, where no
    /// session says): when it came, its timestamp less `mediaclk:direct`, and the clock's rate. A clock that is off by
    /// chance agrees with one stream in some thirty thousand cases; more than half of the packets must.
    pub fn decide(traced: Option<i64>, packets: &[(Timestamp<Utc>, u32, u32)]) -> CaptureClock {
        if let Some(offset_ns) = traced {
            return CaptureClock::Traced { offset_ns };
        }
        let guesses = [CaptureClock::Utc { leap_seconds: LEAP_SECONDS }, CaptureClock::Tai];
        let agreeing = |guess: CaptureClock| {
            let agrees = |(at, timestamp, rate): &(Timestamp<Utc>, u32, u32)| {
                guess.tai(*at).is_some_and(|tai| BELIEVED_NS.contains(&lateness_ns(tai, *timestamp, *rate)))
            };
            packets.iter().filter(|packet| agrees(packet)).count()
        };
        let best = guesses.into_iter().map(|guess| (agreeing(guess), guess)).max_by_key(|(count, guess)| {
            // Of two that agree equally UTC is the commoner.
            (*count, *guess == CaptureClock::Utc { leap_seconds: LEAP_SECONDS })
        });
        match best {
            Some((count, guess)) if 2 * count > packets.len() => guess,
            _ => CaptureClock::Relative,
        }
    }
}

/// How long after its RTP time a packet came, of all times that wrap to it the nearest.
pub fn lateness_ns(at: Timestamp<Tai>, timestamp: u32, rate: u32) -> i64 {
    let ticks = i128::from(unwrap_nearest(timestamp, at, rate));
    let exact = i128::from(at.as_ns()) * i128::from(rate) - ticks * SECOND_NS;
    narrow(exact.div_euclid(i128::from(rate.max(1))))
}

/// A row of instants at equal exact distances: a fraction of a nanosecond is carried along, nothing is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steps {
    /// The present instant, rounded down.
    pub(crate) ns: i64,
    /// What was rounded away, over `den`.
    pub(crate) rest: u64,
    step_ns: i64,
    step_rest: u64,
    den: u64,
}

impl Steps {
    /// Begins at `start / den` nanoseconds and goes on by `step / den`.
    pub(crate) fn new(start: i128, step: i128, den: u64) -> Steps {
        let den = den.max(1);
        let wide = i128::from(den);
        let rest = |value: i128| u64::try_from(value.rem_euclid(wide)).unwrap_or(0);
        Steps {
            ns: narrow(start.div_euclid(wide)),
            rest: rest(start),
            step_ns: narrow(step.div_euclid(wide)),
            step_rest: rest(step),
            den,
        }
    }

    /// Goes on by one.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.ns = self.ns.wrapping_add(self.step_ns);
        self.rest += self.step_rest;
        if self.rest >= self.den {
            self.rest -= self.den;
            self.ns = self.ns.wrapping_add(1);
        }
    }

    /// Goes on by many.
    pub(crate) fn skip(&mut self, count: u64) {
        let (den, count) = (i128::from(self.den), i128::from(count));
        let rest = i128::from(self.rest) + i128::from(self.step_rest) * count;
        self.ns = narrow(i128::from(self.ns) + i128::from(self.step_ns) * count + rest / den);
        self.rest = u64::try_from(rest % den).unwrap_or(0);
    }

    /// Whether the present instant is before `at`.
    #[inline]
    pub(crate) const fn is_before(&self, at: i64) -> bool {
        self.ns < at
    }

    /// Whether the present instant is `at` or before.
    #[inline]
    pub(crate) const fn is_by(&self, at: i64) -> bool {
        self.ns < at || (self.ns == at && self.rest == 0)
    }

    /// The same row, begun later.
    pub(crate) fn later(mut self, ns: i64) -> Steps {
        self.ns = self.ns.saturating_add(ns);
        self
    }

    /// How many instants from the present one on lie at `at` or before.
    pub(crate) fn count_by(&self, at: i64) -> u64 {
        let den = i128::from(self.den);
        let distance = (i128::from(at) - i128::from(self.ns)) * den - i128::from(self.rest);
        if distance < 0 {
            return 0;
        }
        let step = i128::from(self.step_ns) * den + i128::from(self.step_rest);
        u64::try_from(distance / step.max(1) + 1).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR_2013: i64 = 1_356_998_400_000_000_000;

    fn ratio(numerator: u32, denominator: u32) -> Ratio {
        Ratio::new(numerator, denominator).unwrap()
    }

    #[test]
    fn the_vector_of_rfc_7273() {
        let at = Timestamp::from_ns(YEAR_2013);
        assert_eq!(rtp(at, 90_000), 2_460_938_240);
        assert_eq!(rtp(at, 90_000).wrapping_add(23_465), 2_460_961_705);
    }

    #[test]
    fn periods_are_truncated_from_exact_instants() {
        let frames = Alignment::new(ratio(60_000, 1001));
        assert_eq!((0..5).map(|n| frames.ticks(n, 90_000)).collect::<Vec<_>>(), [0, 1501, 3003, 4504, 6006]);
        assert_eq!(frames.step(90_000), (1501, 1502));
        assert_eq!(Alignment::new(ratio(24_000, 1001)).step(90_000), (3753, 3754));
        assert_eq!(Alignment::new(ratio(30_000, 1001)).step(90_000), (3003, 3003));
        assert_eq!(Alignment::new(ratio(25, 1)).step(48_000), (1920, 1920));
        assert_eq!(Alignment::new(ratio(120_000, 1001)).step(48_000), (400, 401));
        // Fields of 1080i59.94 are 1501 and 1502 ticks apart.
        let fields = Alignment::fields(ratio(30_000, 1001)).unwrap();
        assert_eq!(fields.rate(), ratio(60_000, 1001));
        // In 2013 and later the ticks of a frame are those of the exact instant.
        for number in [81_338_565_434_i64, 96_000_000_001, 1_000_000_000_003] {
            let exact = i128::from(number) * 1001 * 90_000 / 60_000;
            assert_eq!(i128::from(frames.rtp(number, 90_000)), exact % (1 << 32));
        }
    }

    #[test]
    fn periods_are_found_by_their_instants() {
        for rate in [ratio(24_000, 1001), ratio(25, 1), ratio(60_000, 1001), ratio(8000, 1)] {
            let periods = Alignment::new(rate);
            for number in [0, 1, 7, 1_000_003, 81_338_565_434] {
                let point = periods.point(number);
                let after = Timestamp::from_ns(point.as_ns() + 1);
                assert_eq!(periods.number(after), number);
                assert_eq!(periods.nearest(point), number);
                let half = periods.period_ns() / 2;
                assert_eq!(periods.nearest(Timestamp::from_ns(point.as_ns() + half - 1)), number);
                assert_eq!(periods.nearest(Timestamp::from_ns(point.as_ns() + half + 2)), number + 1);
            }
        }
    }

    #[test]
    fn timestamps_unwrap_to_the_nearest() {
        for rate in [90_000, 48_000, 27_000_000] {
            for seconds in [0, 47_721, 47_722, 1_784_000_000] {
                let at = Timestamp::from_ns(seconds * 1_000_000_000 + 12_345);
                let true_ticks = ticks(at, rate);
                for off in [-1_000_000, -1, 0, 1, 1_000_000] {
                    let timestamp = wrap(i128::from(true_ticks + off));
                    assert_eq!(unwrap_nearest(timestamp, at, rate), true_ticks + off);
                }
            }
        }
        let at = Timestamp::from_ns(YEAR_2013);
        assert_eq!(lateness_ns(at, 2_460_938_240 - 90, 90_000), 1_000_000);
        assert_eq!(lateness_ns(at, 2_460_938_241, 90_000), -11_112);
        assert_eq!(rtp(instant(ticks(at, 90_000) + 7, 90_000), 90_000), 2_460_938_247);
        assert_eq!(rtp(Timestamp::from_ns(instant(7, 90_000).as_ns() - 1), 90_000), 6);
    }

    #[test]
    fn the_clock_of_a_capture_is_chosen_and_named() {
        let utc = Timestamp::from_ns(YEAR_2013);
        let by_utc = rtp(Timestamp::from_ns(YEAR_2013 + 37_000_000_000), 90_000);
        let by_tai = rtp(Timestamp::from_ns(YEAR_2013), 48_000);
        let choose = |packets: &[(Timestamp<Utc>, u32, u32)]| CaptureClock::decide(None, packets);
        assert_eq!(choose(&[(utc, by_utc - 900, 90_000)]).basis(), ClockBasis::UtcAssumed);
        assert_eq!(choose(&[(utc, by_tai, 48_000)]).basis(), ClockBasis::TaiAssumed);
        assert_eq!(choose(&[(utc, 5, 48_000)]), CaptureClock::Relative);
        assert_eq!(choose(&[]), CaptureClock::Relative);
        assert_eq!(choose(&[(utc, by_utc, 90_000), (utc, 5, 48_000)]), CaptureClock::Relative);
        let traced = CaptureClock::decide(Some(-5), &[(utc, by_utc, 90_000)]);
        assert_eq!((traced.basis().word(), traced.tai(utc).unwrap().as_ns()), ("ptp-traced", YEAR_2013 - 5));
        assert_eq!(CaptureClock::Relative.tai(utc), None);
    }

    #[test]
    fn steps_carry_what_a_nanosecond_cannot_hold() {
        let (start, step, den) = (10_000_000_000_000_003_i128, 16_683_333_i128 * 7 + 3, 60_007_u64);
        let mut steps = Steps::new(start, step, den);
        for number in 0..10_000_i128 {
            let exact = start + number * step;
            assert_eq!(i128::from(steps.ns), exact.div_euclid(i128::from(den)));
            assert_eq!(i128::from(steps.rest), exact.rem_euclid(i128::from(den)));
            if number % 997 == 0 {
                let mut skipped = Steps::new(start, step, den);
                skipped.skip(u64::try_from(number).unwrap());
                assert_eq!(skipped, steps);
                for at in [steps.ns - 1, steps.ns, steps.ns + 1] {
                    let counted = (0..=number + 30_000)
                        .map_while(|it| (start + it * step <= i128::from(at) * i128::from(den)).then_some(()))
                        .count();
                    assert_eq!(Steps::new(start, step, den).count_by(at), counted as u64);
                }
            }
            steps.advance();
        }
    }
}
