//! `portreeve media report`: what was measured, as a page to be read, sent and printed.

use std::path::Path;

use super::look;
use crate::args::MediaReportArgs;
use crate::command::captures::Captures;
use crate::command::{Status, Stop};
use crate::{output, report};

pub(super) fn run(args: &MediaReportArgs) -> Status {
    let (view, _) = look::view(&args.look)?;
    let exhibits = if args.look.files.is_empty() {
        std::collections::HashMap::new()
    } else {
        engine::exhibit::exhibits(Captures::of(&args.look.files, true)?.open()?, &view.traffic.media)
    };
    let page = report::html(&view, &exhibits);
    if args.write == Path::new("-") {
        output::write(page.as_bytes())?;
    } else {
        std::fs::write(&args.write, page)
            .map_err(|error| Stop::Failed(format!("cannot write {}: {error}", args.write.display())))?;
        output::complain(&format!("the report is in {}", args.write.display()));
    }
    Ok(view.outcome(args.look.fail_on.threshold()).exit_status())
}
