//! `portreeve baseline`: what was accepted here, and the difference to now.

use std::path::{Path, PathBuf};

use engine::{Threshold, View};
use host::Looker;
use verdict::baseline::{self, Selector};

use super::{Status, Stop, write_json};
use crate::args::{BaselineCommand, LookArgs};
use crate::document::Changes;
use crate::files::{self, Places};
use crate::{csv, look, output, selection, text};

pub(super) fn run(command: BaselineCommand, places: &Places) -> Status {
    match command {
        BaselineCommand::Learn { output, force, look } => learn(places, output, force, &look),
        BaselineCommand::Show { baseline } => {
            let (_, baseline) = required(places, baseline.as_ref())?;
            output::write(baseline.render().as_bytes())?;
            Ok(0)
        }
        BaselineCommand::Diff { baseline, look, output } => {
            let (path, baseline) = required(places, baseline.as_ref())?;
            let view = plain(places, &look)?;
            let changes = baseline.diff(&view.snapshot);
            let status = if changes.is_empty() { view.outcome(Threshold::Never).exit_status() } else { 1 };
            if output.json {
                let name = path.display().to_string();
                let line = serde_json::to_vec(&Changes::of(&view.snapshot, &name, &changes, status))?;
                write_json(line, output::is_terminal())?;
                return Ok(status);
            }
            let mut out = String::new();
            if output.csv {
                csv::table(
                    &mut out,
                    ["kind", "before", "after", "entry"],
                    changes.iter().map(|change| {
                        let text = |text: &Option<String>| text.clone().unwrap_or_default();
                        [
                            change.kind.name().to_owned(),
                            text(&change.before),
                            text(&change.after),
                            text(&change.entry),
                        ]
                    }),
                );
                output::write(out.as_bytes())?;
                return Ok(status);
            }
            let form = output::form(&output);
            text::changes(&mut out, &changes, form);
            if form.headings {
                if changes.is_empty() {
                    out.push_str("No difference.\n");
                } else {
                    out.push_str("\nTo accept: portreeve baseline accept PORT/TRANSPORT (or: all).\n");
                }
                text::gaps(&mut out, &view, form);
            }
            output::present(&out, &output)?;
            Ok(status)
        }
        BaselineCommand::Accept { what, baseline, look } => {
            let selectors: Vec<Selector> = what
                .iter()
                .map(|text| Selector::parse(text))
                .collect::<Result<_, _>>()
                .map_err(Stop::Usage)?;
            let (path, mut baseline) = required(places, baseline.as_ref())?;
            let view = plain(places, &look)?;
            let accepted = baseline.accept(&view.snapshot, &view.paper, &selectors);
            if accepted.is_empty() {
                output::complain("nothing to accept: no difference there");
                return Ok(0);
            }
            files::write_atomically(&path, readable(&baseline)?.as_bytes()).map_err(Stop::Failed)?;
            let mut out = String::new();
            text::changes(&mut out, &accepted, output::form(&crate::args::OutputArgs::default()));
            output::write(out.as_bytes())?;
            output::complain(&format!("accepted {} into {}", accepted.len(), path.display()));
            Ok(0)
        }
    }
}

fn learn(places: &Places, named: Option<PathBuf>, force: bool, look: &LookArgs) -> Status {
    let view = plain(places, look)?;
    let baseline = baseline::learn(&view.snapshot, &view.paper);
    let text = readable(&baseline)?;
    if named.as_deref() == Some(Path::new("-")) {
        output::write(text.as_bytes())?;
    } else {
        let path = named.or_else(|| places.baseline_home()).ok_or_else(|| {
            Stop::Failed(String::from(
                "there is no home folder to keep a baseline in; name a file: --output FILE",
            ))
        })?;
        if path.exists() && !force {
            return Err(Stop::Failed(format!(
                "{} is there already; see the difference with portreeve baseline diff, take it over with portreeve \
                 baseline accept, or replace everything with --force",
                path.display()
            )));
        }
        files::write_atomically(&path, text.as_bytes()).map_err(Stop::Failed)?;
        output::complain(&format!("{} listeners learned into {}", baseline.len(), path.display()));
    }
    let status = view.outcome(Threshold::Never).exit_status();
    if status != 0 {
        output::complain(
            "not everything could be seen, so what is hidden now will be new later (portreeve tells what)",
        );
    }
    Ok(status)
}

/// A baseline as text. What could not be read again is not written: the bounds of reading are those of writing.
fn readable(baseline: &verdict::Baseline) -> Result<String, Stop> {
    let text = baseline.render();
    baseline::parse("the baseline", &text).map_err(|fault| {
        Stop::Failed(format!("this is too much for a baseline: {fault}; nothing was written"))
    })?;
    Ok(text)
}

/// A look that is judged by nothing but itself.
fn plain(places: &Places, args: &LookArgs) -> Result<View, Stop> {
    let paper = look::paper(places).map_err(Stop::Failed)?;
    let snapshot = look::snapshot(&mut Looker::new(), &selection::look(args));
    Ok(View::judged(std::sync::Arc::new(snapshot), paper, Vec::new(), Vec::new()))
}

fn required(places: &Places, named: Option<&PathBuf>) -> Result<(PathBuf, verdict::Baseline), Stop> {
    look::read_baseline(places, named).map_err(Stop::Failed)?.ok_or_else(|| {
        Stop::Failed(String::from("there is no baseline yet; make one: portreeve baseline learn"))
    })
}
