//! `portreeve history`.

use super::{Status, Stop};
use crate::args::HistoryArgs;

pub(super) fn run(_: &HistoryArgs) -> Status {
    Err(Stop::Failed(String::from("history: not yet")))
}
