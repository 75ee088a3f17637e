//! What was measured of audio.

/// What was measured of audio (ST 2110-30, -31).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudioFacts {}
