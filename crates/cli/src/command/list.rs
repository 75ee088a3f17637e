//! `portreeve list`, and `portreeve` alone.

use std::io;
use std::thread;
use std::time::Duration;

use clap::CommandFactory;
use engine::{Row, View};
use host::Looker;

use super::{Status, Stop, port};
use crate::args::{Cli, ListArgs, OutputArgs};
use crate::document::{self, Part, PortPaper};
use crate::files::Places;
use crate::look::{self, Grounds};
use crate::selection::{self, Selection};
use crate::target::{self, Target};
use crate::{csv, output, text};

pub(super) fn run(args: &ListArgs) -> Status {
    let (targets, filters) = selection::split(&args.what);
    let grounds = Grounds::gather(&Places::find(), &args.judge);
    if !targets.is_empty() {
        let targets = targets_of(&targets, &grounds)?;
        if !filters.is_empty() {
            return Err(Stop::Usage(String::from(
                "a page of one port takes no filters; for a list write port=420 and the filters",
            )));
        }
        return port::show(&targets, &args.select.look, &grounds, &args.output, args.watch.watch);
    }
    let selection = Selection::resolve(&args.select, &filters).map_err(Stop::Usage)?;
    let threshold = args.fail_on.threshold();
    let look = selection.look();
    let mut looker = Looker::new();
    let mut view: Option<View> = None;
    let status = repeat(args.watch.watch, |again| {
        // A machine on which nothing changed since the last time needs no new judgement, only a new time.
        let view = match view.take().filter(|_| !looker.changed(&look)) {
            Some(same) => view.insert(same.at(host::now())),
            None => view.insert(grounds.judge(look::snapshot(&mut looker, &look))),
        };
        let view = &*view;
        let rows: Vec<&Row> = if selection.is_everything() {
            view.rows.iter().collect()
        } else {
            view.rows.iter().filter(|row| selection.matches(view, row)).collect()
        };
        let status = view.outcome(threshold).exit_status();
        if args.output.json && (again || !output::is_terminal()) {
            let part = Part {
                view,
                rows: &rows,
                everything: selection.is_everything(),
                ports: Vec::new(),
                exit_status: status,
            };
            let on = output::stream(|out| {
                document::write(out, &part)?;
                out.write_all(b"\n")
            })?;
            return Ok(on.then_some(status));
        }
        let bytes = render(view, &rows, selection.is_everything(), Vec::new(), status, &args.output, again)?;
        show(bytes, &args.output, again).map(|on| on.then_some(status)).map_err(Stop::from)
    });
    // The process ends here: giving back each of many thousand sockets one by one would only take time.
    std::mem::forget(view);
    status
}

/// Reads targets; the error tells a command in the wrong place from a port that is none.
pub(super) fn targets_of(words: &[&str], grounds: &Grounds) -> Result<Vec<Target>, Stop> {
    let mut targets = Vec::new();
    for word in words {
        targets.extend(target::parse(word, &grounds.paper).map_err(|error| {
            let is_command = Cli::command().get_subcommands().any(|command| command.get_name() == *word);
            Stop::Usage(if is_command {
                format!("'{word}' is a command: write it before the options, as in portreeve {word} …")
            } else {
                error
            })
        })?);
    }
    Ok(targets)
}

/// Renders a view in the form that was asked for.
pub(super) fn render(
    view: &View,
    rows: &[&Row],
    everything: bool,
    ports: Vec<PortPaper<'_>>,
    exit_status: u8,
    args: &OutputArgs,
    again: bool,
) -> Result<Vec<u8>, Stop> {
    if args.json {
        let mut line = Vec::new();
        document::write(&mut line, &Part { view, rows, everything, ports, exit_status })?;
        if !again && output::is_terminal() {
            line = document::pretty(&line);
        }
        line.push(b'\n');
        return Ok(line);
    }
    let mut out = String::new();
    if args.csv {
        csv::rows(&mut out, view, rows, !args.no_header);
    } else {
        text::list(&mut out, view, rows, output::form(args));
    }
    Ok(out.into_bytes())
}

/// Shows what was rendered; says whether there is still a reader.
pub(super) fn show(bytes: Vec<u8>, args: &OutputArgs, again: bool) -> io::Result<bool> {
    if again {
        let mut screen = Vec::new();
        if output::is_terminal() && !args.json && !args.csv {
            // Home, and clear from there to the end of the screen: no flicker.
            screen.extend_from_slice(b"\x1b[H\x1b[J");
        }
        if screen.is_empty() {
            return output::write_on(&bytes);
        }
        screen.extend_from_slice(&bytes);
        return output::write_on(&screen);
    }
    match String::from_utf8(bytes) {
        Ok(text) if !args.csv => output::present(&text, args)?,
        Ok(text) => output::write(text.as_bytes())?,
        Err(error) => output::write(error.as_bytes())?,
    }
    Ok(true)
}

/// Does it once, or again and again until nobody reads any more; the status is that of the last time.
pub(super) fn repeat(
    every: Option<Duration>,
    mut once: impl FnMut(bool) -> Result<Option<u8>, Stop>,
) -> Status {
    let Some(every) = every else { return Ok(once(false)?.unwrap_or_default()) };
    while once(true)?.is_some() {
        thread::sleep(every);
    }
    Ok(0)
}
