//! `portreeve read`: captures, judged.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use engine::capture_file::{self, CaptureFile};
use engine::{OwnedFlow, Reading, TrafficView};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::{Flow, Traffic, Transport};
use verdict::Earlier;

use super::evidence::Place;
use super::list::targets_of;
use super::{Status, Stop, write_json};
use crate::args::{JudgeArgs, OutputArgs, PolicyArgs, ReadArgs, TrafficArgs};
use crate::document::TrafficDocument;
use crate::files::{self, Places};
use crate::look::{self, Grounds};
use crate::target::Target;
use crate::{csv, eve, output, text};

pub(super) fn run(args: &ReadArgs) -> Status {
    let grounds = grounds(&args.policy)?;
    let ports = Ports::resolve(&args.traffic, &grounds)?;
    let reading = reading(&args.traffic, usize::from(args.workers.unwrap_or_else(workers)), &grounds)?;
    let earlier = earlier(&args.traffic)?;
    if args.traffic.eve && args.output.csv {
        return Err(Stop::Usage(String::from("--eve and --csv are two forms of the result; choose one")));
    }
    let place = args.traffic.write.as_deref().map(|path| Place::find(path, &args.files)).transpose()?;
    let captures = Captures::of(&args.files, place.is_some())?;
    let files = captures.open()?;

    let progress = Bar::begin(args, &files);
    let mut flows: Vec<OwnedFlow> = Vec::new();
    let mut written = Ok(true);
    let mut examples = eve::Examples::default();
    let wanted = |flow: &Flow| ports.has(flow.transport, flow.server.port());
    let mut on_flow = |flow: Flow| {
        if !wanted(&flow) {
            return;
        }
        let flow = OwnedFlow::from(flow);
        if args.traffic.eve {
            examples.note(&flow.flow);
            if matches!(written, Ok(true)) {
                written = lines(&eve::flow(&flow));
            }
        } else {
            flows.push(flow);
        }
    };
    let one_by_one = args.traffic.eve || args.flows;
    let traffic = engine::read(
        files,
        &reading,
        &mut |at| progress.tell(&at),
        one_by_one.then_some(&mut on_flow as &mut dyn FnMut(Flow)),
    );
    progress.end();
    if !written? {
        // The reader has seen enough.
        return Ok(0);
    }

    let view = judge(traffic, &grounds, earlier.as_ref(), false);
    let view =
        if ports.is_everything() { view } else { view.only(&|transport, port| ports.has(transport, port)) };
    let status = view.outcome(args.fail_on.threshold()).exit_status();
    if args.traffic.eve {
        for finding in &view.findings {
            lines(&eve::alerts(&view, finding, &examples))?;
        }
        lines(&[eve::stats(&view)])?;
    } else {
        show(&view, &ports, args.flows.then_some(flows.as_slice()), status, &args.output)?;
    }
    if args.traffic.eve || args.output.csv || args.output.no_header && !args.output.json {
        tell_gaps(&view);
    }
    if let Some(place) = place {
        place.fill(&view, captures.open()?)?;
    }
    Ok(status)
}

/// What traffic is judged by. A policy that cannot be read stops us: what people accepted would be found again.
pub(super) fn grounds(args: &PolicyArgs) -> Result<Grounds, Stop> {
    let judge = JudgeArgs { policy: args.clone(), baseline: None, no_baseline: true };
    let grounds = Grounds::gather(&Places::find(), &judge);
    if grounds.wrong.is_empty() {
        Ok(grounds)
    } else {
        Err(Stop::Failed(format!("nothing was read:\n{}", grounds.wrong.join("\n"))))
    }
}

pub(super) fn judge(
    traffic: Traffic,
    grounds: &Grounds,
    earlier: Option<&Earlier>,
    live: bool,
) -> TrafficView {
    let by = engine::Grounds { policy: &grounds.policy, earlier, live, today: look::today() };
    TrafficView::new(traffic, grounds.paper.clone(), &by)
}

/// The services of an earlier reading, from its JSON document.
pub(super) fn earlier(args: &TrafficArgs) -> Result<Option<Earlier>, Stop> {
    #[derive(serde::Deserialize)]
    struct Document {
        services: Vec<Service>,
    }
    #[derive(serde::Deserialize)]
    struct Service {
        address: std::net::IpAddr,
        port: u16,
        transport: String,
        answered: bool,
    }
    let Some(path) = &args.earlier else { return Ok(None) };
    let text = files::read_named(path).map_err(Stop::Failed)?;
    let document: Document = serde_json::from_str(&text).map_err(|error| {
        Stop::Failed(format!("{}: not a document of portreeve read --json: {error}", path.display()))
    })?;
    let mut earlier = Earlier::default();
    for service in document.services.iter().filter(|service| service.answered) {
        if let Some(transport) = Transport::from_name(&service.transport) {
            earlier.add(service.address, transport, service.port);
        }
    }
    Ok(Some(earlier))
}

/// How to read, by what was typed.
pub(super) fn reading(args: &TrafficArgs, workers: usize, grounds: &Grounds) -> Result<Reading, Stop> {
    let filter = args
        .filter
        .as_ref()
        .map(|text| {
            wire::filter::parse_with(text, &|name, transport| port_of(grounds, name, transport))
                .map_err(|error| Stop::Usage(format!("--filter: {error}")))
        })
        .transpose()?;
    Ok(Reading {
        filter,
        memory_bytes: usize::try_from(args.memory).unwrap_or(usize::MAX),
        workers,
        seed: seed(),
    })
}

/// The port of a service in a filter.
fn port_of(grounds: &Grounds, name: &str, transport: wire::filter::Transport) -> Option<u16> {
    let wanted = |row: &model::Assignment<'_>| match transport {
        wire::filter::Transport::Tcp => row.transport == Some(Transport::Tcp),
        wire::filter::Transport::Udp => row.transport == Some(Transport::Udp),
        wire::filter::Transport::Sctp => row.transport == Some(Transport::Sctp),
    };
    grounds.paper.by_name(name).find(wanted).and_then(|row| row.first)
}

/// A number that nobody outside can know, as hash tables are keyed with.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}

fn workers() -> u16 {
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u16::try_from(processors.min(4)).unwrap_or(1)
}

/// The ports that were asked for; all where none was.
pub(super) struct Ports(Vec<Target>);

impl Ports {
    pub(super) fn resolve(args: &TrafficArgs, grounds: &Grounds) -> Result<Ports, Stop> {
        let words: Vec<&str> = args.port.iter().map(String::as_str).collect();
        targets_of(&words, grounds).map(Ports)
    }

    pub(super) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, transport: Transport, port: u16) -> bool {
        let fits = |target: &Target| {
            target.ports.contains(&port) && target.transport.is_none_or(|only| only == transport)
        };
        self.is_everything() || self.0.iter().any(fits)
    }

    /// One by one, where they are few enough for a page each.
    fn pages(&self) -> Option<Vec<(u16, Option<Transport>)>> {
        const MOST_PAGES: usize = 16;
        let all = || self.0.iter().flat_map(|it| it.ports.clone().map(|port| (port, it.transport)));
        (!self.is_everything() && all().count() <= MOST_PAGES).then(|| all().collect())
    }
}

/// The captures that were named, which can be opened more than once.
struct Captures(Vec<Source>);

struct Source {
    path: PathBuf,
    /// Standard input and pipes, where they have to be read twice.
    spool: Option<File>,
}

impl Captures {
    fn of(paths: &[PathBuf], twice: bool) -> Result<Captures, Stop> {
        if paths.iter().filter(|path| is_standard_input(path)).count() > 1 {
            return Err(Stop::Usage(String::from("standard input (-) can be read once only")));
        }
        let spool = |path: &PathBuf| {
            let is_file = || path.metadata().is_ok_and(|about| about.is_file() || about.is_dir());
            let spool = if twice && !is_file() { Some(spooled(path)?) } else { None };
            Ok(Source { path: path.clone(), spool })
        };
        paths.iter().map(spool).collect::<Result<_, _>>().map(Captures)
    }

    fn open(&self) -> Result<Vec<CaptureFile>, Stop> {
        self.0.iter().map(Source::open).collect()
    }
}

impl Source {
    fn open(&self) -> Result<CaptureFile, Stop> {
        let opened = match (&self.spool, is_standard_input(&self.path)) {
            (Some(spool), is_standard_input) => spool.try_clone().and_then(|mut file| {
                io::Seek::rewind(&mut file)?;
                let stored = file.metadata()?.len();
                let name = if is_standard_input {
                    String::from("standard input")
                } else {
                    self.path.display().to_string()
                };
                CaptureFile::of(name, Some(stored), file)
            }),
            (None, true) => capture_file::standard_input(),
            (None, false) => capture_file::open(&self.path),
        };
        opened.map_err(|error| cannot_read(&self.path, &error))
    }
}

/// What can be read once only, kept in a file without a name.
fn spooled(path: &Path) -> Result<File, Stop> {
    let mut from: Box<dyn io::Read> = if is_standard_input(path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| cannot_read(path, &error))?)
    };
    let failed = |error| {
        Stop::Failed(format!("cannot keep {} in a temporary file to read it twice: {error}", path.display()))
    };
    let mut file = tempfile::tempfile().map_err(failed)?;
    io::copy(&mut from, &mut file).map_err(failed)?;
    Ok(file)
}

fn cannot_read(path: &Path, error: &io::Error) -> Stop {
    Stop::Failed(format!("cannot read {}: {error}", path.display()))
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How far we are, for a person at a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn begin(args: &ReadArgs, files: &[CaptureFile]) -> Bar {
        let size: Option<u64> = files.iter().map(|file| file.stored_bytes).sum();
        let bar = match size {
            // What is read in a moment needs no bar.
            _ if args.no_progress => ProgressBar::hidden(),
            Some(size) if size < 32 << 20 => ProgressBar::hidden(),
            Some(size) => ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr_with_hz(5)),
            None => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5)),
        };
        let known = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} ETA {eta}";
        let unknown = "{spinner} {bytes} {bytes_per_sec} {msg}";
        if let Ok(style) = ProgressStyle::with_template(if size.is_some() { known } else { unknown }) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    fn tell(&self, at: &engine::Progress) {
        if !self.0.is_hidden() {
            self.0.set_position(at.read_bytes);
            self.0.set_message(format!("{} frames", at.frames));
        }
    }

    fn end(self) {
        self.0.finish_and_clear();
    }
}

/// Says what was not seen to people at standard error, where the result itself has no place for it.
pub(super) fn tell_gaps(view: &TrafficView) {
    let mut out = String::new();
    text::gaps_of_traffic(&mut out, view, output::plain());
    if !out.is_empty() {
        output::complain(out.trim_end());
    }
}

/// Writes JSON values, one a line; says whether there is still a reader.
pub(super) fn lines(values: &[serde_json::Value]) -> Result<bool, Stop> {
    let mut bytes = Vec::new();
    for value in values {
        serde_json::to_writer(&mut bytes, value)?;
        bytes.push(b'\n');
    }
    Ok(output::write_on(&bytes)?)
}

fn show(
    view: &TrafficView,
    ports: &Ports,
    flows: Option<&[OwnedFlow]>,
    status: u8,
    args: &OutputArgs,
) -> Result<(), Stop> {
    if args.json {
        let document = TrafficDocument::of(view, flows, status);
        write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
        return Ok(());
    }
    let mut out = String::new();
    if args.csv {
        csv::services(&mut out, view, !args.no_header);
        output::write(out.as_bytes())?;
        return Ok(());
    }
    let form = output::form(args);
    match ports.pages() {
        Some(pages) => text::traffic_of_ports(&mut out, view, &pages, form),
        None => text::traffic(&mut out, view, form),
    }
    if let Some(flows) = flows {
        out.push('\n');
        text::flows(&mut out, flows, form);
    }
    output::present(&out, args)?;
    Ok(())
}
