//! `portreeve port 420`, and `portreeve 420`: the page of one port, used or not.

use std::time::Duration;

use engine::{Grounds, Row, Threshold};
use host::Looker;

use super::list::{render, repeat, show as put, targets_of, tell_gaps};
use super::{Status, Stop, media};
use crate::args::{LookArgs, OutputArgs, PortArgs};
use crate::document::PortPaper;
use crate::files::Places;
use crate::look;
use crate::selection;
use crate::target::Target;
use crate::{output, text};

/// More ports than this are listed instead of described one by one.
const MOST_PAGES: usize = 8;

pub(super) fn run(args: &PortArgs) -> Status {
    let places = Places::find();
    let mut grounds = look::gather(&places, &args.judge);
    media::sessions::agree(&mut grounds, &args.agreed)?;
    let words: Vec<&str> = args.port.iter().map(String::as_str).collect();
    let targets = targets_of(&words, &grounds)?;
    look::remember(&mut grounds, &places, &args.judge, &each(&targets));
    show(&targets, &args.look, &grounds, &args.output, args.watch.watch)
}

/// The ports whose pages are shown, each with the transport it is asked for; none where they are too many for pages.
pub(super) fn each(targets: &[Target]) -> Vec<(u16, Option<model::Transport>)> {
    let count: usize = targets.iter().map(|target| target.ports.len()).sum();
    if count > MOST_PAGES {
        return Vec::new();
    }
    targets.iter().flat_map(|target| target.ports.clone().map(|port| (port, target.transport))).collect()
}

/// Shows the pages of some ports. The status is 0, or 2 where not everything could be looked at.
pub(super) fn show(
    targets: &[Target],
    look_args: &LookArgs,
    grounds: &Grounds,
    args: &OutputArgs,
    every: Option<Duration>,
) -> Status {
    let selection = selection::ports_of(targets, look_args);
    let count: usize = targets.iter().map(|target| target.ports.len()).sum();
    let mut looker = Looker::new();
    repeat(every, |again| {
        let view = grounds.judge(look::snapshot(&mut looker, &selection.look()));
        let rows: Vec<&Row> = view.rows.iter().filter(|row| selection.matches(&view, row)).collect();
        let status = view.outcome(Threshold::Never).exit_status();
        if args.csv {
            tell_gaps(&view, status, args);
        }
        let bytes = if args.json || args.csv {
            // The paper of a whole range is a matter for `registry show`.
            let ports = if count > 1024 {
                Vec::new()
            } else {
                targets
                    .iter()
                    .flat_map(|target| target.ports.clone().map(|port| (port, target.transport)))
                    .map(|(port, transport)| {
                        let past = grounds.past.get(&(port, transport));
                        PortPaper::of(&view.paper, port, transport).remembering(past)
                    })
                    .collect()
            };
            render(&view, &rows, false, ports, status, args, again)?
        } else {
            let form = output::form(args);
            let mut out = String::new();
            if count > MOST_PAGES {
                let assignments: Vec<_> = targets
                    .iter()
                    .flat_map(|target| {
                        model::Transport::ALL
                            .into_iter()
                            .filter(|transport| target.transport.is_none_or(|only| only == *transport))
                            .flat_map(|transport| view.paper.range(transport, target.ports.clone()))
                    })
                    .collect();
                text::assignments(&mut out, &assignments, form);
                out.push('\n');
                text::list(&mut out, &view, &rows, form);
            } else {
                for (port, transport) in targets
                    .iter()
                    .flat_map(|target| target.ports.clone().map(|port| (port, target.transport)))
                {
                    let of_port = |row: &&&Row| {
                        let one = Target { ports: port..=port, transport };
                        selection::ports_of(&[one], look_args).matches(&view, row)
                    };
                    let rows: Vec<&Row> = rows.iter().filter(of_port).copied().collect();
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    let past = grounds.past.get(&(port, transport));
                    let beyond = text::Beyond { past, wire: None };
                    text::page(&mut out, &view, (port, transport), &rows, beyond, form);
                }
            }
            out.into_bytes()
        };
        put(bytes, args, again).map(|on| on.then_some(status)).map_err(Stop::from)
    })
}
