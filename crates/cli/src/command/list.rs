//! `portreeve list`, and `portreeve` alone.

use std::io;
use std::thread;
use std::time::Duration;

use clap::CommandFactory;
use engine::{Grounds, Outcome, Row, Threshold, View};
use host::Looker;
use model::Finding;

use super::{Status, Stop, media, port};
use crate::args::{Cli, ListArgs, OutputArgs};
use crate::document::{self, Part, PortPaper};
use crate::files::Places;
use crate::look;
use crate::selection::{self, Selection};
use crate::target::{self, Target};
use crate::{csv, output, text};

pub(super) fn run(args: &ListArgs) -> Status {
    let (targets, filters) = selection::split(&args.what);
    let places = Places::find();
    let mut grounds = look::gather(&places, &args.judge);
    media::sessions::agree(&mut grounds, &args.agreed)?;
    if !targets.is_empty() {
        let targets = targets_of(&targets, &grounds)?;
        if !filters.is_empty() {
            return Err(Stop::Usage(String::from(
                "a page of one port takes no filters; for a list write port=420 and the filters",
            )));
        }
        look::remember(&mut grounds, &places, &args.judge, &port::each(&targets));
        return port::show(&targets, &args.select.look, &grounds, &args.output, args.watch.watch);
    }
    let selection = Selection::resolve(&args.select, &filters).map_err(Stop::Usage)?;
    let threshold = args.fail_on.threshold();
    let look = selection.look();
    let mut looker = Looker::new();
    let mut view: Option<View> = None;
    // The last document, for as long as the machine stays as it says.
    let mut written: Option<Vec<u8>> = None;
    let mut last_status = None;
    let status = repeat(args.watch.watch, |again| {
        // A machine on which nothing changed since the last time needs no new judgement, only a new time.
        // Who joined what may change while every socket stays.
        let same = view.take().filter(|view| view.agreed.joined.is_empty() && !looker.changed(&look));
        let view = match same {
            Some(same) => view.insert(same.at(host::now())),
            None => {
                written = None;
                view.insert(grounds.judge(look::snapshot(&mut looker, &look)))
            }
        };
        let view = &*view;
        if let Some((document, status)) = written.as_mut().zip(last_status) {
            document::set_time(document, view);
            return Ok(output::write_on(document)?.then_some(status));
        }
        if let Some(error) = selection.missing_namespace(view).filter(|_| !again) {
            return Err(Stop::Failed(error));
        }
        let rows: Vec<&Row> = if selection.is_everything() {
            view.rows.iter().collect()
        } else {
            view.rows.iter().filter(|row| selection.matches(view, row)).collect()
        };
        let status = outcome(view, &rows, threshold).exit_status();
        tell_gaps(view, status, &args.output);
        if args.output.json && (again || !output::is_terminal()) {
            let part = Part {
                view,
                rows: &rows,
                everything: selection.is_everything(),
                ports: Vec::new(),
                exit_status: status,
            };
            if again {
                let mut document = Vec::new();
                document::write(&mut document, &part)?;
                document.push(b'\n');
                last_status = Some(status);
                return Ok(output::write_on(written.insert(document))?.then_some(status));
            }
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
    std::mem::forget((view, written, looker));
    status
}

/// What a look at some rows amounts to: findings about others are not theirs.
fn outcome(view: &View, rows: &[&Row], threshold: Threshold) -> Outcome {
    if threshold == Threshold::Never || rows.len() == view.rows.len() {
        return view.outcome(threshold);
    }
    let reached = |finding: &&Finding| threshold.reached_by(finding.severity);
    if text::judged(view, rows).0.iter().any(reached) {
        Outcome::Findings
    } else {
        view.outcome(Threshold::Never)
    }
}

/// Says what was not seen to people at standard error, where the result itself has no place for it.
pub(super) fn tell_gaps(view: &View, status: u8, args: &OutputArgs) {
    if status != 2 || args.json || !(args.csv || args.no_header) {
        return;
    }
    let mut out = String::new();
    text::gaps(&mut out, view, output::plain());
    output::complain(out.trim_end());
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
                match near_command(word) {
                    Some(near) => format!("{error}; did you mean: portreeve {near}"),
                    None => error,
                }
            })
        })?);
    }
    Ok(targets)
}

/// The command that a mistyped word comes near: one letter more, less or other, or two exchanged.
fn near_command(word: &str) -> Option<String> {
    let near = |name: &str| {
        let (one, other): (Vec<char>, Vec<char>) = (word.chars().collect(), name.chars().collect());
        let alike = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        let (one, other) = (one.get(alike..).unwrap_or_default(), other.get(alike..).unwrap_or_default());
        match (one, other) {
            ([a, b, one @ ..], [c, d, other @ ..]) if a == d && b == c && one == other => true,
            ([_, one @ ..], [_, other @ ..]) if one == other => true,
            ([_, one @ ..], other) if one == other => true,
            (one, [_, other @ ..]) => one == other,
            _ => false,
        }
    };
    let names: Vec<String> =
        Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.into_iter().find(|name| near(name))
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
            // Home, and clear from there to the end of the screen: no flicker. Long lines do not wrap.
            screen.extend_from_slice(b"\x1b[H\x1b[J\x1b[?7l");
        }
        if screen.is_empty() {
            return output::write_on(&bytes);
        }
        let height = terminal_size::terminal_size().map_or(usize::MAX, |(_, height)| usize::from(height.0));
        screen.extend_from_slice(clip(&String::from_utf8_lossy(&bytes), height).as_bytes());
        screen.extend_from_slice(b"\x1b[?7h");
        return output::write_on(&screen);
    }
    match String::from_utf8(bytes) {
        Ok(text) if !args.csv => output::present(&text, args)?,
        Ok(text) => output::write(text.as_bytes())?,
        Err(error) => output::write(error.as_bytes())?,
    }
    Ok(true)
}

/// As much of a table and of what follows it as a screen has room for: the end is not pushed out by a long table.
fn clip(text: &str, height: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    // The cursor needs a line of its own.
    let room = height.saturating_sub(1);
    if lines.len() <= room {
        return text.to_owned();
    }
    let table = lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len());
    let after = (lines.len() - table).min(room / 2);
    let before = room.saturating_sub(after + 1);
    let hidden = lines.len() - before - after;
    let mut out = String::new();
    for line in lines.iter().take(before) {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(&format!("… {hidden} more lines: make the window larger, or filter\n"));
    // The summary stands at the end, and matters most.
    for line in lines.iter().skip(lines.len() - after) {
        out.push_str(line);
        out.push('\n');
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_screen_shows_the_begin_of_the_table_and_the_end_of_the_rest() {
        let table: String = (0..100).map(|row| format!("row {row}\n")).collect();
        let text = format!("{table}\nwarning\n\nsummary\n");
        let shown = clip(&text, 12);
        assert_eq!(shown.lines().count(), 11, "{shown}");
        assert!(shown.starts_with("row 0\n") && shown.ends_with("summary\n"), "{shown}");
        assert!(shown.contains("… 94 more lines"), "{shown}");
        assert_eq!(clip("a\nb\n", 3), "a\nb\n");
        for height in 0..6 {
            assert!(clip(&text, height).lines().count() <= height.max(1), "{height}");
        }
    }

    #[test]
    fn only_findings_about_the_rows_count_for_their_status() {
        let view = fixture::view();
        let rows = |port: u16| -> Vec<&Row> {
            let of_port = |row: &&Row| view.socket(row).is_some_and(|socket| socket.local.port() == port);
            view.rows.iter().filter(of_port).collect()
        };
        let at = Threshold::At(model::Severity::Note);
        assert_eq!(outcome(&view, &rows(420), at), Outcome::Findings);
        assert_eq!(outcome(&view, &rows(22), at), view.outcome(Threshold::Never));
        assert!(text::judged(&view, &rows(22)).0.is_empty());
    }

    #[test]
    fn a_mistyped_command_is_recognised() {
        for (typed, meant) in
            [("chekc", Some("check")), ("lst", Some("list")), ("portt", Some("port")), ("xyzzy", None)]
        {
            assert_eq!(near_command(typed).as_deref(), meant, "{typed}");
        }
    }
}
