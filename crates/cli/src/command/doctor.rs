//! `portreeve doctor`.

use super::{Status, Stop};
use crate::args::DoctorArgs;

pub(super) fn run(_: &DoctorArgs) -> Status {
    Err(Stop::Failed(String::from("doctor: not yet")))
}
