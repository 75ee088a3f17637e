//! What was measured of ancillary data, fast metadata and timed text.

/// What was measured of ancillary data (ST 2110-40).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AncillaryFacts {}

/// What was measured of fast metadata (ST 2110-41).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetadataFacts {}

/// What was measured of timed text (ST 2110-43).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextFacts {}
