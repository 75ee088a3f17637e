//! Instants whose time scale is part of their type: UTC and TAI do not subtract.

use core::marker::PhantomData;

/// Coordinated universal time, as the system clock keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Utc {}

/// International atomic time, as PTP keeps it (IEEE 1588-2019 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tai {}

/// An instant on the scale `S`, in nanoseconds since 1970-01-01 on that scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp<S> {
    ns: i64,
    scale: PhantomData<S>,
}

impl<S> Timestamp<S> {
    /// From nanoseconds since 1970 on this scale.
    pub const fn from_ns(ns: i64) -> Self {
        Timestamp { ns, scale: PhantomData }
    }

    /// Nanoseconds since 1970 on this scale.
    pub const fn as_ns(self) -> i64 {
        self.ns
    }

    /// Whole seconds since 1970 on this scale, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.ns.div_euclid(1_000_000_000)
    }

    /// Nanoseconds from `earlier` to here; negative if `earlier` is later.
    pub const fn since_ns(self, earlier: Timestamp<S>) -> i64 {
        self.ns.saturating_sub(earlier.ns)
    }
}

impl Timestamp<Utc> {
    /// RFC 3339 with whole seconds, in UTC: `2026-11-24T01:43:00Z`.
    pub fn rfc3339(self) -> alloc::string::String {
        alloc::format!("{}Z", self.date_and_time())
    }

    /// RFC 3339 with nanoseconds, in UTC: `2026-11-24T01:43:00.000000001Z`.
    pub fn rfc3339_ns(self) -> alloc::string::String {
        alloc::format!("{}.{:09}Z", self.date_and_time(), self.ns.rem_euclid(1_000_000_000))
    }

    /// Date and time with whole seconds and without a zone: `2026-11-24T01:43:00`.
    pub fn date_and_time(self) -> alloc::string::String {
        let seconds = self.as_seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        alloc::format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            rest / 3600,
            rest / 60 % 60,
            rest % 60
        )
    }
}

/// Year, month and day of a day count since 1970-01-01 in the proleptic Gregorian calendar.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    // Years are counted from March, so that the leap day is the last day of a year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = u32::try_from(day_of_year - (153 * shifted_month + 2) / 5 + 1).unwrap_or(1);
    let month =
        u32::try_from(if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 }).unwrap_or(1);
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Day count since 1970-01-01 of a date in the proleptic Gregorian calendar.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip_and_known_days_hold() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 2, 29), 11_016);
        for days in (-200_000..200_000).step_by(17) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(Timestamp::<Utc>::from_ns(951_782_400_000_000_000).rfc3339(), "2000-02-29T00:00:00Z");
        assert_eq!(Timestamp::<Utc>::from_ns(-1).rfc3339_ns(), "1969-12-31T23:59:59.999999999Z");
    }
}
