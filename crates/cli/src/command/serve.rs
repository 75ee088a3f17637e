//! `portreeve serve`.

use super::{Status, Stop};
use crate::args::ServeArgs;

pub(super) fn run(_: &ServeArgs) -> Status {
    Err(Stop::Failed(String::from("serve: not yet")))
}
