//! When to try again: pauses that grow, and what a server asks for.

use std::time::Duration;

use model::time::days_from_civil;

/// The first pause.
const FIRST: Duration = Duration::from_secs(1);

/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// A server may ask for no more than this.
const MOST_ASKED: Duration = Duration::from_secs(3600);

/// The pause after so many attempts that failed: it doubles, and half of it is chance, so that many machines do not
/// come back at once. `chance` is any number.
pub fn pause(failed: u32, chance: u64) -> Duration {
    let whole = FIRST.saturating_mul(1 << failed.saturating_sub(1).min(16)).min(LONGEST);
    let half = whole / 2;
    let span = u64::try_from(half.as_millis()).unwrap_or(1).max(1);
    half + Duration::from_millis(chance % (span + 1))
}

/// What `Retry-After` asks for: seconds, or a date (RFC 9110 §10.2.3).
pub fn retry_after(value: &str, now_seconds: i64) -> Option<Duration> {
    let value = value.trim();
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => u64::try_from(date(value)?.saturating_sub(now_seconds)).unwrap_or(0),
    };
    Some(Duration::from_secs(seconds).min(MOST_ASKED))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` in seconds since 1970 (RFC 9110 §5.6.7); other forms are obsolete.
fn date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day = words.next()?.parse::<u32>().ok().filter(|day| (1..=31).contains(day))?;
    let name = words.next()?;
    let month = u32::try_from(MONTHS.iter().position(|month| *month == name)?).ok()? + 1;
    let year = words.next()?.parse::<i64>().ok().filter(|year| (1970..10_000).contains(year))?;
    let clock: Vec<i64> = words.next()?.split(':').map(|it| it.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = clock.try_into().ok()?;
    let proper = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0..=60).contains(&seconds);
    if words.next() != Some("GMT") || !proper {
        return None;
    }
    Some(days_from_civil(year, month, day) * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_limit_and_half_is_chance() {
        let seconds = |failed, chance| pause(failed, chance).as_secs_f32();
        assert_eq!((seconds(1, 0), seconds(2, 0), seconds(3, 0)), (0.5, 1.0, 2.0));
        for failed in 0..100 {
            for chance in [0, 1, 12_345, u64::MAX] {
                let least = pause(failed, 0);
                assert!((least..=least * 2).contains(&pause(failed, chance)));
                assert!(pause(failed, chance) <= LONGEST);
            }
        }
    }

    #[test]
    fn a_server_asks_in_seconds_or_for_a_date() {
        let after = |value| retry_after(value, 784_111_777).map(|it| it.as_secs());
        assert_eq!(after(" 120 "), Some(120));
        assert_eq!(after("99999999"), Some(3600));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(after("Sat, 05 Nov 1994 08:49:37 GMT"), Some(0));
        for wrong in ["", "soon", "-1", "Sun, 06 Nov 1994 08:49:37", "Sun, 99 Nov 1994 08:49:37 GMT", "a, b"]
        {
            assert_eq!(after(wrong), None, "{wrong}");
        }
    }
}
