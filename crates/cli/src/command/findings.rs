//! `portreeve findings`.

use super::{Status, Stop};
use crate::args::FindingsArgs;

pub(super) fn run(_: &FindingsArgs) -> Status {
    Err(Stop::Failed(String::from("findings: not yet")))
}
