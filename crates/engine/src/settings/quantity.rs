//! Amounts of memory and of time, as people write them: `"16M"`, `"500ms"`.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// An amount of memory or of a disk, in bytes; written with K, M, G or T for powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

/// A span of time; written with ms, s, m, h or d.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

const SIZES: [(&str, u64); 4] = [("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40)];
/// The longer endings first: "ms" ends with "s".
const SPANS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

fn read(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    // `parse` would take a sign.
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if digits { number.parse::<u64>().ok()?.checked_mul(factor) } else { None }
}

fn write(f: &mut fmt::Formatter<'_>, amount: u64, units: &[(&str, u64)], smallest: &str) -> fmt::Result {
    let largest = units.iter().filter(|(_, factor)| amount > 0 && amount.is_multiple_of(*factor));
    match largest.max_by_key(|(_, factor)| *factor) {
        Some((unit, factor)) => write!(f, "{}{unit}", amount / factor),
        None => write!(f, "{amount}{smallest}"),
    }
}

impl Size {
    /// From its text.
    pub fn parse(text: &str) -> Option<Size> {
        let plain = || text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        read(text, &SIZES).or_else(plain).map(Size)
    }

    /// Reads one, and refuses what is outside of these bounds.
    pub fn between<'de, D: Deserializer<'de>>(from: D, least: Size, most: Size) -> Result<Size, D::Error> {
        let size = Size::deserialize(from)?;
        if (least..=most).contains(&size) {
            return Ok(size);
        }
        Err(D::Error::custom(format_args!("a size from {least} to {most}, and not {size}")))
    }
}

impl Span {
    /// From its text.
    pub fn parse(text: &str) -> Option<Span> {
        read(text, &SPANS).map(|ms| Span(Duration::from_millis(ms)))
    }

    /// Reads one, and refuses what is outside of these bounds.
    pub fn between<'de, D: Deserializer<'de>>(from: D, least: Span, most: Span) -> Result<Span, D::Error> {
        let span = Span::deserialize(from)?;
        if (least..=most).contains(&span) {
            return Ok(span);
        }
        Err(D::Error::custom(format_args!("a time from {least} to {most}, and not {span}")))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, &SIZES, "")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), &SPANS, "ms")
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size, as \"16M\" (K, M, G, T), or a number of bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        Size::parse(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Size, E> {
        let size = u64::try_from(number).map(Size);
        size.map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Size, E> {
        Ok(Size(number))
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time with its unit, as \"500ms\" (ms, s, m, h, d)")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        Span::parse(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Size, D::Error> {
        from.deserialize_any(SizeVisitor)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
        from.deserialize_str(SpanVisitor)
    }
}
