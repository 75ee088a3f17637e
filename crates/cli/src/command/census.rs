//! `portreeve census`: the registry against use on this machine, as tables and as a figure.

use std::path::Path;
use std::time::Duration;

use engine::Threshold;
use engine::census::{Attendance, Census, Remembered};
use host::Looker;
use model::{Timestamp, Utc};

use super::list::tell_gaps;
use super::{Status, Stop, write_json};
use crate::args::CensusArgs;
use crate::document::CensusDocument;
use crate::files::{self, Places};
use crate::{csv, figure, look, output, selection, text};

pub(super) fn run(args: &CensusArgs) -> Status {
    let grounds = look::gather(&Places::find(), &args.judge);
    let remembered = args.since.map(remembered).transpose()?;
    let view = grounds.judge(look::snapshot(&mut Looker::new(), &selection::look(&args.look)));
    let mut attendance = Attendance::of(&view);
    if let Some((since, uses)) = remembered {
        attendance.remember(since, uses);
    }
    let census = Census::take(&view.paper, &attendance);
    let status = view.outcome(Threshold::Never).exit_status();
    let mut written = false;
    for (path, page) in [(&args.svg, false), (&args.html, true)] {
        let Some(path) = path else { continue };
        let drawing = if page { figure::census_page(&view, &census) } else { figure::census(&view, &census) };
        put(path, &drawing)?;
        written = true;
    }
    if written {
        tell_partial(&view, status);
        return Ok(status);
    }
    if args.output.json {
        let document = CensusDocument::of(&view, &census, status);
        write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
        return Ok(status);
    }
    let mut out = String::new();
    if args.output.csv {
        tell_gaps(&view, status, &args.output);
        csv::census(&mut out, &view.paper, &attendance, !args.output.no_header);
        output::write(out.as_bytes())?;
        return Ok(status);
    }
    text::census(&mut out, &view, &census, output::form(&args.output));
    tell_gaps(&view, status, &args.output);
    output::present(&out, &args.output)?;
    Ok(status)
}

/// What the history of this machine knows of use since then.
fn remembered(_: Duration) -> Result<(Timestamp<Utc>, Vec<Remembered>), Stop> {
    Err(Stop::Failed(String::from(
        "there is no history on this machine to count from: it is kept by portreeve serve; without --since the census \
         counts what listens now",
    )))
}

fn put(path: &Path, drawing: &str) -> Result<(), Stop> {
    if path == Path::new("-") {
        return Ok(output::write(drawing.as_bytes())?);
    }
    files::write_atomically(path, drawing.as_bytes()).map_err(Stop::Failed)?;
    output::complain(&format!("written to {}", path.display()));
    Ok(())
}

/// Says to people what the look behind a figure did not see.
fn tell_partial(view: &engine::View, status: u8) {
    if status == 2 {
        let mut out = String::new();
        text::gaps(&mut out, view, output::plain());
        output::complain(out.trim_end());
    }
}
