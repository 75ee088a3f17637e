//! Conversions between kinds of numbers that cannot go wrong silently.

/// The nearest whole number; 0 for what is negative or no number, the largest for what is too large.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from floating point `as` saturates, and this is the one place that means it"
)]
pub(crate) fn rounded(value: f64) -> u64 {
    value.round() as u64
}

/// The nearest whole number, of either sign.
#[expect(
    clippy::cast_possible_truncation,
    reason = "from floating point `as` saturates, and this is the one place that means it"
)]
pub(crate) fn rounded_signed(value: f64) -> i64 {
    value.round() as i64
}

/// The lower 32 bits, of a hash whose bits are all alike.
#[expect(clippy::cast_possible_truncation, reason = "the rest is not wanted")]
pub(crate) const fn low32(value: u64) -> u32 {
    value as u32
}

/// An index into a table that is never larger than 2^32.
pub(crate) fn index32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
