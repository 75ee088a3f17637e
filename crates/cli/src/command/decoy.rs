//! `portreeve decoy`.

use super::{Status, Stop};
use crate::args::DecoyArgs;

pub(super) fn run(_: &DecoyArgs) -> Status {
    Err(Stop::Failed(String::from("decoy: not yet")))
}
