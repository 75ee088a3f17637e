//! What was agreed, from what was typed.

use engine::MediaSettings;

use crate::args::SessionArgs;
use crate::command::Stop;

/// How media is looked at.
pub(in crate::command) fn settings(args: &SessionArgs) -> Result<MediaSettings, Stop> {
    let _ = args;
    Ok(MediaSettings::default())
}
