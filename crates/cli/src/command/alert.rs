//! `portreeve alert`.

use super::{Status, Stop};
use crate::args::AlertCommand;

pub(super) fn run(_: &AlertCommand) -> Status {
    Err(Stop::Failed(String::from("alert: not yet")))
}
