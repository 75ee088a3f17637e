//! What was received of a leg, and what two legs have together.

/// What was received of one leg.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceptionFacts {}

/// What two legs have together (ST 2022-7).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HitlessFacts {}

/// The RTP clock against TAI (ST 2110-10).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimingFacts {}
