//! `portreeve doctor`: what works on this machine, and what to do about what does not.

use super::{Status, Stop, write_json};
use crate::args::DoctorArgs;
use crate::csv;
use crate::doctor::{Facts, exit_status, rows};
use crate::document::DoctorDocument;
use crate::files::Places;
use crate::output::{self, Progress};
use crate::text;

pub(super) fn run(args: &DoctorArgs) -> Status {
    if let Some(named) = &args.config
        && !named.exists()
    {
        return Err(Stop::Failed(format!("{}: there is no such file", named.display())));
    }
    let progress = Progress::begin(Some("looking at this machine"));
    let facts = Facts::gather(&Places::find(), args.config.as_deref());
    drop(progress);
    let rows = rows(&facts);
    if args.output.json {
        write_json(serde_json::to_vec(&DoctorDocument::of(&facts, &rows))?, output::is_terminal())?;
    } else if args.output.csv {
        let mut out = String::new();
        csv::table(
            &mut out,
            ["name", "state", "optional", "purpose", "why", "advice"],
            rows.iter().map(|row| {
                let optional = if row.optional { "true" } else { "false" };
                let advice = row.advice.clone().unwrap_or_default();
                [
                    row.name.clone(),
                    row.state.word().into(),
                    optional.into(),
                    row.purpose.into(),
                    row.why.clone(),
                    advice,
                ]
            }),
        );
        output::write(out.as_bytes())?;
    } else {
        output::present(&text::doctor(&rows, output::form(&args.output)), &args.output)?;
    }
    Ok(exit_status(&rows))
}
