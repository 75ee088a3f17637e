//! What was seen of PTP: clocks, intervals, offsets.

/// What was seen of PTP (IEEE 1588).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PtpFacts {}
