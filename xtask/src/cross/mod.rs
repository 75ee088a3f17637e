//! Checks of the systems other than the one we build on.

use crate::Outcome;

pub fn run(_arguments: &[String]) -> Outcome {
    Err("not written yet".to_owned())
}
