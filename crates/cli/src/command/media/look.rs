//! `portreeve media ls` and `media probe`: streams in files or on an interface, with what was agreed of them.

use engine::{Reading, TrafficView};
use media::monitor::Known;
use model::Traffic;
use model::media::Basis;

use super::live;
use crate::args::{MediaLookArgs, TrafficArgs};
use crate::command::captures::{Bar, Captures};
use crate::command::read::{self, grounds};
use crate::command::{Status, Stop, write_json};
use crate::document::MediaDocument;
use crate::{csv, output, text};

/// How closely streams are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// A line each.
    List,
    /// All that was measured.
    Probe,
    /// Clocks only.
    Ptp,
}

/// What is kept of flows beside the media: little, for nobody asked for them here.
const MEMORY_BYTES: u64 = 64 << 20;

pub(super) fn run(args: &MediaLookArgs, face: Face) -> Status {
    if args.output.csv && face != Face::Probe {
        return Err(Stop::Usage(String::from(
            "--csv is of what is measured frame by frame: media probe writes it",
        )));
    }
    let (view, _) = view(args)?;
    let status = view.outcome(args.fail_on.threshold()).exit_status();
    if args.output.json {
        let document = MediaDocument::of(&view, status);
        write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
    } else if args.output.csv {
        let mut out = String::new();
        csv::media(&mut out, &view, !args.output.no_header);
        output::present(&out, &args.output)?;
    } else {
        let mut out = String::new();
        let form = output::form(&args.output);
        match face {
            Face::List => text::media_list(&mut out, &view, form),
            Face::Probe => text::media_probe(&mut out, &view, form),
            Face::Ptp => {
                text::media_ptp(&mut out, &view, form);
                text::media_foot(&mut out, &view, form);
            }
        }
        output::present(&out, &args.output)?;
    }
    Ok(status)
}

/// What was seen, judged; and how it was read.
pub(super) fn view(args: &MediaLookArgs) -> Result<(TrafficView, Reading), Stop> {
    let grounds = grounds(&args.policy)?;
    let by = TrafficArgs { filter: args.filter.clone(), memory: MEMORY_BYTES, ..TrafficArgs::default() };
    let mut reading = read::reading(&by, 1, &grounds)?;
    reading.media = super::sessions::settings(&args.sessions, &grounds.policy)?;
    let traffic = if args.interface.is_empty() {
        files(args, &reading)?
    } else {
        let mut traffic = live::watch(args, &reading)?;
        traffic.gaps.extend(reading.media.gaps.iter().cloned());
        traffic
    };
    Ok((grounds.judge_traffic(traffic, None, !args.interface.is_empty()), reading))
}

fn files(args: &MediaLookArgs, reading: &Reading) -> Result<Traffic, Stop> {
    let captures = Captures::of(&args.files, true)?;
    let files = captures.open()?;
    let progress = Bar::begin(args.no_progress, &files);
    let traffic = engine::read(files, reading, &mut |at| progress.tell(&at), None);
    progress.end();
    // What a stream carries that no session names is known only after some of it: it is read again, and measured whole.
    let known = found_by_payload(&traffic);
    if known.is_empty() {
        return Ok(traffic);
    }
    let mut again = reading.clone();
    again.media.monitor.known = known;
    let files = captures.open()?;
    let progress = Bar::begin(args.no_progress, &files);
    let traffic = engine::read(files, &again, &mut |at| progress.tell(&at), None);
    progress.end();
    Ok(traffic)
}

fn found_by_payload(traffic: &Traffic) -> Vec<Known> {
    let mut known = Vec::new();
    for stream in &traffic.media.streams {
        if let Some((format, Basis::Payload)) = &stream.format {
            known.extend(stream.legs.iter().map(|leg| Known {
                source: leg.source,
                destination: leg.destination,
                format: format.clone(),
                assumed: stream.assumed.clone(),
            }));
        }
    }
    known
}
