//! An instant as answers carry it: text for readers, nanoseconds for us (RFC 3339).

use std::fmt;

use model::{Timestamp, Utc, time};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in UTC: `2026-11-24T01:43:00.000000001Z` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub Timestamp<Utc>);

impl Moment {
    /// From nanoseconds since 1970.
    pub const fn from_ns(ns: i64) -> Moment {
        Moment(Timestamp::from_ns(ns))
    }

    /// Nanoseconds since 1970.
    pub const fn as_ns(self) -> i64 {
        self.0.as_ns()
    }

    /// Reads `2026-11-24T01:43:00Z`, with a fraction of a second or without; only UTC.
    pub fn parse(text: &str) -> Option<Moment> {
        let (date, rest) = text.strip_suffix('Z')?.split_once('T')?;
        let (clock, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
        let number = |text: &str| -> Option<i64> {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
        };
        let mut date = date.splitn(3, '-').map(number);
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let mut clock = clock.splitn(3, ':').map(number);
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
        let in_range = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..=60).contains(&second)
            && fraction.len() <= 9
            && (1..=9999).contains(&year);
        if !in_range {
            return None;
        }
        let days = time::days_from_civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?);
        let scale = 10_i64.checked_pow(9_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?)?;
        let ns = number(fraction)?.checked_mul(scale)?;
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
        Some(Moment::from_ns(seconds.checked_mul(1_000_000_000)?.checked_add(ns)?))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.rfc3339_ns())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339_ns())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        let text = String::deserialize(deserializer)?;
        Moment::parse(&text).ok_or_else(|| de::Error::custom("not a time as in 2026-11-24T01:43:00Z"))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "An instant in UTC (RFC 3339)." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for ns in [
            0,
            1,
            -1,
            1_764_210_000_123_456_789,
            i64::from(i32::MAX) * 1_000_000_000,
            -62_000_000_000_000_000,
        ] {
            let moment = Moment::from_ns(ns);
            assert_eq!(Moment::parse(&moment.to_string()), Some(moment), "{moment}");
            let json = serde_json::to_string(&moment).unwrap();
            assert_eq!(serde_json::from_str::<Moment>(&json).unwrap(), moment);
        }
        assert_eq!(Moment::parse("2000-02-29T00:00:00Z"), Some(Moment::from_ns(951_782_400_000_000_000)));
        for wrong in [
            "",
            "Z",
            "T",
            "2000-02-29",
            "2000-13-01T00:00:00Z",
            "2000-02-29T24:00:00Z",
            "2000-02-29T00:00:00",
            "2000-02-29T00:00:00.0000000001Z",
            "2000-02-29T00:00:00.Z",
            "-200-02-29T00:00:00Z",
            "+2000-1-1T0:0:0Z",
        ] {
            assert_eq!(Moment::parse(wrong), None, "{wrong}");
        }
    }
}
