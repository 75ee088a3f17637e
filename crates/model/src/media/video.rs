//! What was measured of video.

/// What was measured of uncompressed video (ST 2110-20).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VideoFacts {}

/// What was measured of JPEG XS (ST 2110-22).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompressedFacts {}
