//! `portreeve history`: what happened, the latest first; everything about one port; how much is kept.

use store::{Answer, Query, RecordFilter, RefusalKind};

use super::{Status, Stop, write_json};
use crate::args::HistoryArgs;
use crate::document::HistoryDocument;
use crate::files::Places;
use crate::memory::{self, Memory};
use crate::{csv, look, output, target, text};

/// What a refusal means for the exit status.
pub(super) fn stop(refusal: store::Refusal) -> Stop {
    match refusal.kind {
        RefusalKind::Asked => Stop::Usage(refusal.text),
        RefusalKind::Absent | RefusalKind::Failed => Stop::Failed(refusal.text),
    }
}

pub(super) fn run(args: &HistoryArgs) -> Status {
    let places = Places::find();
    if args.rebuild {
        return rebuild(args, &places);
    }
    let target = args.port.as_deref().map(|word| one_port(word, &places)).transpose()?;
    let memory = Memory::find(&places, args.memory.history.as_deref()).map_err(stop)?;
    let now = memory::now();
    let (transport, port) = target.unwrap_or_default();
    let name = transport.map(|transport| transport.name().to_owned());
    let is_narrow =
        args.since.is_some() || args.until.is_some() || args.holder.is_some() || args.before.is_some();
    let query = match port {
        _ if args.statistics => Query::Statistics,
        Some(port) if !is_narrow => Query::Port { transport: name, port, records: args.limit, now },
        port => Query::Records {
            filter: RecordFilter {
                since: args.since.map(|since| since.from(now)),
                until: args.until.map(|until| until.from(now)),
                holder: args.holder.clone(),
                transport: name,
                port,
                kinds: Vec::new(),
                before: args.before,
                limit: args.limit,
            },
        },
    };
    let answer = memory.ask(&query).map_err(stop)?;
    if args.output.json {
        write_json(serde_json::to_vec(&HistoryDocument::of(&answer))?, output::is_terminal())?;
        return Ok(0);
    }
    let mut out = String::new();
    if args.output.csv {
        match &answer {
            Answer::Port(history) => csv::records(&mut out, &history.records.records),
            Answer::Records(records) => csv::records(&mut out, &records.records),
            _ => return Err(stop(memory::unexpected())),
        }
    } else {
        let form = output::form(&args.output);
        match &answer {
            Answer::Port(history) => text::port_history(&mut out, history, form),
            Answer::Records(records) => text::records(&mut out, records, form),
            Answer::Statistics(statistics) => text::statistics(&mut out, statistics, form),
            _ => return Err(stop(memory::unexpected())),
        }
    }
    output::present(&out, &args.output)?;
    Ok(0)
}

fn one_port(word: &str, places: &Places) -> Result<(Option<model::Transport>, Option<u16>), Stop> {
    let paper = look::paper(places).map_err(Stop::Failed)?;
    let targets = target::parse(word, &paper).map_err(Stop::Usage)?;
    let first = targets.first().filter(|first| {
        first.ports.start() == first.ports.end() && targets.iter().all(|target| target.ports == first.ports)
    });
    let Some(first) = first else {
        return Err(Stop::Usage(format!(
            "'{}' is several ports; the history of one is shown at a time",
            crate::sanitise::line(word)
        )));
    };
    // A service may have the number for several transports.
    let transport = if targets.len() == 1 { first.transport } else { None };
    Ok((transport, Some(*first.ports.start())))
}

fn rebuild(args: &HistoryArgs, places: &Places) -> Status {
    let usual = places.history_home();
    let folder = args.memory.history.as_deref().or(usual.as_deref());
    let Some(folder) = folder else {
        return Err(Stop::Failed(String::from(
            "there is no home folder; name the history: --history FOLDER",
        )));
    };
    let aside = store::rebuild(folder).map_err(|error| Stop::Failed(error.to_string()))?;
    output::complain(&format!("the damaged history is now {}; the next one begins anew", aside.display()));
    Ok(0)
}
