//! `portreeve read`: captures, judged.

use std::thread;

use engine::{Grounds, OwnedFlow, Reading, TrafficView};
use model::{Area, Flow, Gap, Reason, Transport};
use verdict::Earlier;

use super::captures::{Bar, Captures};
use super::evidence::Place;
use super::list::targets_of;
use super::{Status, Stop, media, write_json};
use crate::args::{JudgeArgs, OutputArgs, PolicyArgs, ReadArgs, TrafficArgs};
use crate::document::TrafficDocument;
use crate::files::{self, Places};
use crate::look;
use crate::target::Target;
use crate::{csv, eve, output, text};

/// What a flow takes that is kept to be shown, about.
const FLOW_BYTES: usize = 1024;

pub(super) fn run(args: &ReadArgs) -> Status {
    let grounds = grounds(&args.policy)?;
    let ports = Ports::resolve(&args.traffic, &grounds)?;
    let mut reading = reading(&args.traffic, usize::from(args.workers.unwrap_or_else(workers)), &grounds)?;
    reading.media = media::sessions::settings(&args.sessions, &grounds.policy)?;
    let earlier = earlier(&args.traffic)?;
    if args.traffic.eve && args.output.csv {
        return Err(Stop::Usage(String::from("--eve and --csv are two forms of the result; choose one")));
    }
    let place = args.traffic.write.as_deref().map(|path| Place::find(path, &args.files)).transpose()?;
    let captures = Captures::of(&args.files, place.is_some())?;
    let files = captures.open()?;

    let progress = Bar::begin(args.no_progress, &files);
    let mut flows: Vec<OwnedFlow> = Vec::new();
    let most_flows = reading.memory_bytes / FLOW_BYTES;
    let mut left_out = 0;
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
        } else if flows.len() < most_flows {
            flows.push(flow);
        } else {
            left_out += 1;
        }
    };
    let one_by_one = args.traffic.eve || args.flows;
    let mut traffic = engine::read(
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

    if left_out > 0 {
        traffic.gaps.push(Gap {
            area: Area::Traffic,
            reason: Reason::LimitReached,
            what: String::from("flows that were counted and are not shown one by one"),
            count: Some(left_out),
        });
    }

    let view = grounds.judge_traffic(traffic, earlier.as_ref(), false);
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
        place.fill(&view, captures.open()?, reading.filter.as_ref())?;
    }
    // The process ends, and all of its memory goes at once: giving it back in a million pieces would only take time.
    std::mem::forget(view);
    Ok(status)
}

/// What traffic is judged by. A policy that cannot be read stops us: what people accepted would be found again.
pub(in crate::command) fn grounds(args: &PolicyArgs) -> Result<Grounds, Stop> {
    let judge = JudgeArgs { policy: args.clone(), no_baseline: true, ..JudgeArgs::default() };
    let grounds = look::gather(&Places::find(), &judge);
    if grounds.wrong.is_empty() {
        Ok(grounds)
    } else {
        Err(Stop::Failed(format!("nothing was read:\n{}", grounds.wrong.join("\n"))))
    }
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
pub(in crate::command) fn reading(
    args: &TrafficArgs,
    workers: usize,
    grounds: &Grounds,
) -> Result<Reading, Stop> {
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
        media: engine::MediaSettings::default(),
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
pub(super) fn seed() -> u64 {
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

/// Says what was not seen to people at standard error, where the result itself has no place for it.
pub(super) fn tell_gaps(view: &TrafficView) {
    let mut out = String::new();
    text::gaps_of_traffic(&mut out, view, output::plain());
    if !out.is_empty() {
        output::complain(out.trim_end());
    }
}

/// Writes JSON values, one a line; says whether there is still a reader.
pub(super) fn lines(values: &[impl serde::Serialize]) -> Result<bool, Stop> {
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
