//! How a sender's pacing compares with ST 2110-21.

/// How a sender's pacing compares with ST 2110-21.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShapingFacts {}
