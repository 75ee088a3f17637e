//! Facts to findings.

use crate::{Facts, Judgement};

/// Judges one look at a machine. The same facts give the same findings in the same order.
pub fn judge(_facts: &Facts<'_>) -> Judgement {
    Judgement::default()
}
