//! `portreeve census`: the registry against use on this machine, as tables and as a figure.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use engine::Threshold;
use engine::census::{Attendance, Census, Fit, Remembered};
use host::Looker;
use model::{Code, Timestamp, Transport, Utc};
use registry::{Paper, Usage};
use store::{Answer, FindingFilter, Moment, Query, Refusal, RefusalKind};

use super::list::tell_gaps;
use super::{Status, Stop, write_json};
use crate::args::CensusArgs;
use crate::document::CensusDocument;
use crate::files::{self, Places};
use crate::memory::{self, Memory};
use crate::{csv, figure, look, output, selection, text};

/// Findings of squatters that are counted at most.
const MOST_FINDINGS: u32 = 100_000;

pub(super) fn run(args: &CensusArgs) -> Status {
    let places = Places::find();
    let grounds = look::gather(&places, &args.judge);
    let remembered = args.since.map(|back| remembered(&places, &grounds.paper, back)).transpose()?;
    let view = grounds.judge(look::snapshot(&mut Looker::new(), &selection::look(&args.look)));
    let mut attendance = Attendance::of(&view);
    if let Some((since, uses)) = remembered {
        attendance.remember(&grounds.paper, since, uses);
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
fn remembered(
    places: &Places,
    paper: &Paper,
    back: Duration,
) -> Result<(Timestamp<Utc>, Vec<Remembered>), Stop> {
    let failed = |refusal: Refusal| match refusal.kind {
        RefusalKind::Absent => Stop::Failed(String::from(
            "there is no history on this machine to count from: it is kept by portreeve serve; without --since the \
             census counts what listens now",
        )),
        _ => Stop::Failed(refusal.text),
    };
    let memory = Memory::find(places, None).map_err(failed)?;
    let back = i64::try_from(back.as_nanos()).unwrap_or(i64::MAX);
    let since = Timestamp::from_ns(host::now().as_ns().saturating_sub(back));
    let squatted = squatted(&memory, since).map_err(failed)?;
    let usage = match memory.ask(&Query::Usage { ports: Vec::new() }).map_err(failed)? {
        Answer::Usage(usage) => usage,
        _ => return Err(failed(memory::unexpected())),
    };
    let spoken = match memory.ask(&Query::Spoken { since: Moment(since) }).map_err(failed)? {
        Answer::Spoken(spoken) => spoken.ports,
        _ => return Err(failed(memory::unexpected())),
    };
    // A client's own number is no chair: only where a server answered is it asked what was spoken.
    let served: BTreeSet<(&str, u16)> = usage
        .ports
        .iter()
        .filter(|one| one.served.is_some())
        .map(|one| (one.transport.as_str(), one.port))
        .collect();
    let heard = spoken.iter().filter(|one| served.contains(&(one.transport.as_str(), one.port)));
    let heard = heard.filter_map(|one| {
        let (transport, port) = (Transport::from_name(&one.transport)?, one.port);
        let spoken = Some(one.protocol.clone());
        Some(Remembered { transport, port, last: one.last.0, holder: None, fit: Fit::Fitting, spoken })
    });
    let heard: Vec<Remembered> = heard.collect();
    let uses = usage.ports.iter().filter_map(|one| {
        let last = [&one.held, &one.served].into_iter().flatten().map(|span| span.last.0).max()?;
        let transport = Transport::from_name(&one.transport).filter(|_| last >= since)?;
        let silent = || matches!(paper.standing(transport, one.port).usage, Usage::Silent(_));
        let fit = match squatted.contains(&(transport, one.port)) {
            true => Fit::Squatted,
            false if silent() => Fit::Unexplained,
            false => Fit::Fitting,
        };
        Some(Remembered { transport, port: one.port, last, holder: None, fit, spoken: None })
    });
    Ok((since, uses.chain(heard).collect()))
}

/// The ports of which was found since then that somebody else sits there.
fn squatted(memory: &Memory, since: Timestamp<Utc>) -> Result<BTreeSet<(Transport, u16)>, Refusal> {
    let codes = [Code::UnexpectedHolder, Code::ProtocolMismatch].map(|code| code.name().to_owned());
    let filter = FindingFilter {
        since: Some(Moment(since)),
        codes: codes.to_vec(),
        limit: MOST_FINDINGS,
        ..FindingFilter::default()
    };
    let Answer::Findings(found) = memory.ask(&Query::Findings { filter, now: memory::now() })? else {
        return Err(memory::unexpected());
    };
    // As `engine::about` words it: the transport, then the address with the port.
    let place = |about: &str| {
        let mut words = about.split(' ');
        let transport = Transport::from_name(words.next()?)?;
        let place: SocketAddr = words.next()?.parse().ok()?;
        Some((transport, place.port()))
    };
    Ok(found.findings.iter().filter_map(|it| place(&it.about)).collect())
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
