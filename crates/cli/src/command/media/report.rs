//! `portreeve media report`: what was measured, as a page to be read, sent and printed.

use std::path::Path;

use super::look;
use crate::args::MediaReportArgs;
use crate::command::captures::Captures;
use crate::command::{Status, Stop, write_json};
use crate::document::MediaDocument;
use crate::{output, report};

pub(super) fn run(args: &MediaReportArgs) -> Status {
    let out = &args.look.output;
    let to_output = args.write == Path::new("-");
    if out.csv || out.json && to_output {
        let why = "a report is a page; beside it, in a file of its own, --json writes the document to standard output";
        return Err(Stop::Usage(String::from(why)));
    }
    let (view, _) = look::view(&args.look)?;
    let exhibits = if args.look.files.is_empty() {
        std::collections::HashMap::new()
    } else {
        engine::exhibit::exhibits(Captures::of(&args.look.files, true)?.open()?, &view.traffic.media)
    };
    let page = report::html(&view, &exhibits);
    if to_output {
        output::write(page.as_bytes())?;
    } else {
        std::fs::write(&args.write, page)
            .map_err(|error| Stop::Failed(format!("cannot write {}: {error}", args.write.display())))?;
        output::complain(&format!("the report is in {}", args.write.display()));
    }
    let status = view.outcome(args.look.fail_on.threshold()).exit_status();
    if out.json {
        write_json(serde_json::to_vec(&MediaDocument::of(&view, status))?, output::is_terminal())?;
    }
    Ok(status)
}
