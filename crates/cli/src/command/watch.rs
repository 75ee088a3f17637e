//! `portreeve watch`: sockets and packets of this machine, as they come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::live::{self, Audience, Found, Judged, Listening, Live, Sources};
use engine::{FrameKeeper, Grounds, Outcome, OwnedFlow, TrafficView};
use host::capture::{Capture, CaptureRequest, FILTERED_LINKS, FilterInstruction, LinkFilter};
use host::events::{EventRequest, Events};
use host::privilege;
use model::{Severity, SocketEvent, Witness};
use serde_json::json;
use wire::LinkType;

use super::read::{Ports, earlier, grounds, lines, reading, tell_gaps};
use super::spool::Spool;
use super::{Status, Stop, media, until};
use crate::args::{Only, OutputArgs, WireArgs};
use crate::document::{self, Flow, Names, TrafficDocument};
use crate::{eve, output, text};

/// How long the kernel may keep frames before we look at them, how often findings are looked for, and how often the
/// machine is looked at for the holders of flows.
const WAIT: Duration = Duration::from_millis(50);
const JUDGE_EVERY: Duration = Duration::from_millis(500);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(super) fn run(args: &WireArgs) -> Status {
    let grounds = grounds(&args.policy)?;
    let ports = Ports::resolve(&args.traffic, &grounds)?;
    let mut reading = reading(&args.traffic, usize::from(args.workers), &grounds)?;
    reading.media = media::sessions::settings_followed(&args.sessions, &grounds.policy)?;
    let earlier = earlier(&args.traffic)?;
    let mut sources = open(args, &reading)?;
    let netns = args.netns.as_deref().and_then(inode_of_namespace);
    give_up(args);
    sources.registries = media::sessions::follow(&args.sessions.agreed.nmos)?;
    // By the rights that we shall have at the end.
    let evidence = args.traffic.write.as_deref().map(Spool::begin).transpose()?;
    let evidence = evidence.map(|spool| Arc::new(Mutex::new(spool)));
    sources.keeper = evidence.clone().map(|spool| -> Arc<Mutex<dyn FrameKeeper>> { spool });
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    until::on_interrupt(move || stop.store(true, Ordering::Relaxed))?;

    let listening = Listening {
        reading,
        netns,
        look: !args.no_holders && sources.capture.is_some(),
        judge_looks: false,
        look_every: LOOK_EVERY,
        look_again_after: LOOK_AGAIN_AFTER,
        judge_every: JUDGE_EVERY,
    };
    let mut teller = Teller {
        args,
        grounds: grounds.clone(),
        ports,
        examples: eve::Examples::default(),
        output: OutputArgs { color: args.color, no_header: true, ..OutputArgs::default() },
        evidence,
        netns,
        worst_of_machine: None,
        outcome: Ok(true),
    };
    let failed = |error: std::io::Error| Stop::Failed(format!("cannot go on watching: {error}"));
    let mut live = Live::begin(sources, listening, grounds, earlier, &mut teller).map_err(failed)?;
    teller.begin(&live)?;
    let begun = Instant::now();
    while !teller.is_gone()
        && !stopped.load(Ordering::Relaxed)
        && args.duration.is_none_or(|end| begun.elapsed() < end)
    {
        live.turn(WAIT, &mut teller).map_err(failed)?;
    }
    let view = live.finish(&mut teller).map_err(failed)?;
    if !std::mem::replace(&mut teller.outcome, Ok(true))? {
        return Ok(0);
    }
    teller.finish(view)
}

/// Opens what was asked for. What cannot be opened stops us: nobody shall think that he watches.
fn open(args: &WireArgs, reading: &engine::Reading) -> Result<Sources, Stop> {
    // Events first: what is bound while the capture is being opened is told, too.
    let events = (!args.no_sockets && !args.traffic.eve).then(|| Events::open(&EventRequest::default()));
    let capture = if args.no_packets {
        None
    } else {
        let capture = Capture::open(&request(args, reading)).map_err(|error| {
            Stop::Failed(format!("{error}; what happens to sockets can be watched alone: --no-packets"))
        })?;
        Some(capture)
    };
    Ok(Sources { capture, events, ..Sources::default() })
}

fn request(args: &WireArgs, reading: &engine::Reading) -> CaptureRequest {
    CaptureRequest {
        interfaces: named(&args.interface),
        ring_bytes: usize::try_from(args.ring).unwrap_or(usize::MAX),
        snap_bytes: args.snap,
        promiscuous: args.promiscuous,
        filters: kernel_filters(reading),
        netns: args.netns.clone(),
        workers: args.workers,
    }
}

/// The interfaces that were named; what tcpdump calls any is every interface.
pub(in crate::command) fn named(interfaces: &[String]) -> Vec<String> {
    if interfaces.iter().any(|name| name == "any") { Vec::new() } else { interfaces.to_vec() }
}

/// The filter as the kernel takes it. What it cannot judge comes as it is, and is judged here.
pub(in crate::command) fn kernel_filters(reading: &engine::Reading) -> Vec<LinkFilter> {
    let Some(expression) = &reading.filter else { return Vec::new() };
    let filter = |link| {
        let program = match link {
            LinkType::ETHERNET => wire::filter::compile_for_socket(expression),
            other => wire::filter::compile(expression, other),
        };
        let program = program
            .ok()?
            .instructions()
            .iter()
            .map(|it| FilterInstruction { code: it.code, jt: it.jt, jf: it.jf, k: it.k })
            .collect();
        Some(LinkFilter { link, program })
    };
    FILTERED_LINKS.into_iter().filter_map(filter).collect()
}

/// Gives up what only the opening needed. Where holders are looked for, what that needs is kept.
fn give_up(args: &WireArgs) {
    let looks = !args.no_holders || !args.no_sockets;
    let keep = if looks { privilege::LOOKING } else { 0 };
    // Who looks at processes of others must stay who he is: root's files in /proc are root's.
    let account = if looks { None } else { privilege::invoker() };
    if let Err(error) = privilege::give_up(keep, account.as_ref())
        && cfg!(target_os = "linux")
    {
        output::complain(&format!("privileges were kept: {error}"));
    }
}

/// The inode number of a network namespace that is named as for the capture; `None` where there is none.
pub(in crate::command) fn inode_of_namespace(name: &str) -> Option<u32> {
    #[cfg(target_os = "linux")]
    {
        let places = [
            format!("/run/netns/{name}"),
            format!("/var/run/docker/netns/{name}"),
            format!("/proc/{name}/ns/net"),
            name.to_owned(),
        ];
        let about = places.iter().find_map(|place| std::fs::metadata(place).ok())?;
        u32::try_from(std::os::unix::fs::MetadataExt::ino(&about)).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = name;
        None
    }
}

/// Tells people, or programs, what comes.
struct Teller<'a> {
    args: &'a WireArgs,
    grounds: Grounds,
    ports: Ports,
    examples: eve::Examples,
    output: OutputArgs,
    evidence: Option<Arc<Mutex<Spool>>>,
    /// The namespace that is watched, where one was named.
    netns: Option<u32>,
    /// The gravest that was found about sockets; what was found on the wire, the last view knows.
    worst_of_machine: Option<Severity>,
    /// Whether there is still a reader.
    outcome: Result<bool, Stop>,
}

impl Audience for Teller<'_> {
    fn events(&mut self, events: &[Arc<SocketEvent>]) {
        if !self.wants(Only::Sockets) {
            return;
        }
        for event in events {
            let here = self.netns.is_none_or(|netns| netns == event.netns);
            let wanted = event.kind.transport().is_some_and(|it| self.ports.has(it, event.local.port()));
            // What a client does to its own end is told to those who ask for everything.
            let of_a_server = live::begins_to_wait(event) || event.lived_ns.is_some();
            if here && wanted && (of_a_server || self.args.all_sockets) {
                self.then(|it| it.tell_event(event));
            }
        }
    }

    fn flow(&mut self, owned: OwnedFlow) {
        let flow = &owned.flow;
        if !self.wants(Only::Flows) || !self.ports.has(flow.transport, flow.server.port()) {
            return;
        }
        self.examples.note(flow);
        self.then(|it| it.tell_flow(&owned));
    }

    fn found(&mut self, found: Found<'_>) {
        if found.novelty != live::Novelty::New || !self.concerns(&found) {
            return;
        }
        if matches!(found.judged, Judged::Machine(_)) {
            self.worst_of_machine = self.worst_of_machine.max(Some(found.sighting.finding.severity));
        }
        if self.wants(Only::Findings) {
            self.then(|it| it.tell_finding(&found));
        }
    }

    fn agreements_missing(&mut self, why: &[String]) {
        match why {
            [] => output::complain("all who tell what is agreed do so again"),
            why => why.iter().for_each(|why| output::complain(why)),
        }
    }

    fn down(&mut self) {
        output::complain("an interface is down; waiting for it to come up");
    }

    fn is_gone(&self) -> bool {
        !matches!(self.outcome, Ok(true))
    }
}

impl Teller<'_> {
    fn begin(&self, live: &Live) -> Result<(), Stop> {
        let names = live.interfaces();
        let packets = !self.args.no_packets;
        if self.args.json {
            let sources: Vec<_> = live
                .event_sources()
                .iter()
                .map(|it| json!({ "name": it.name, "shows": it.shows, "fault": it.fault }))
                .collect();
            let witness = live.witness().map(Witness::name);
            let begin = json!({ "schema_version": 1, "event": "begin", "sources": names,
                "socket_events": { "witness": witness, "ways": sources } });
            lines(&[begin])?;
        } else if !self.args.traffic.eve {
            let mut what = Vec::new();
            if packets {
                what.push(if names.is_empty() { String::from("all interfaces") } else { names.join(", ") });
            }
            what.extend(live.witness().map(|_| String::from("the sockets of this machine")));
            let what = what.join(" and ");
            output::complain(&format!("watching {what}; Ctrl-C ends it and shows the summary"));
        }
        if live.witness() == Some(Witness::Looks) {
            let missing: Vec<&str> =
                live.event_sources().iter().filter_map(|it| it.fault.as_deref()).collect();
            output::complain(&format!(
                "the kernel does not tell what happens to sockets here ({}): what comes and goes between two looks is missed",
                missing.first().copied().unwrap_or("no reason was given")
            ));
        }
        Ok(())
    }

    /// Whether this kind of thing is told.
    fn wants(&self, kind: Only) -> bool {
        !self.is_gone() && (self.args.only.is_empty() || self.args.only.contains(&kind))
    }

    /// Whether a finding is about ports that were asked for.
    fn concerns(&self, found: &Found<'_>) -> bool {
        if self.ports.is_everything() {
            return true;
        }
        let finding = &found.sighting.finding;
        let has = |transport: Option<model::Transport>, port| {
            transport.is_some_and(|transport| self.ports.has(transport, port))
        };
        match found.judged {
            Judged::Machine(view) => finding.subjects.iter().any(|subject| {
                let socket = view.row_of(subject).and_then(|row| view.socket(row));
                socket.is_some_and(|it| has(it.kind.transport(), it.local.port()))
            }),
            Judged::Wire(view) => view.concerns(finding, &|transport, port| self.ports.has(transport, port)),
        }
    }

    /// Tells something, if there is still a reader.
    fn then(&mut self, tell: impl FnOnce(&mut Self) -> Result<bool, Stop>) {
        if !self.is_gone() {
            self.outcome = tell(self);
        }
    }

    fn tell_event(&mut self, event: &SocketEvent) -> Result<bool, Stop> {
        let paper = &self.grounds.paper;
        if self.args.json {
            let names = Names::of(paper, event.kind.transport(), event.local.port());
            let socket = document::SocketEvent::of(event, names.registered);
            return lines(&[json!({ "schema_version": 1, "event": "socket", "socket": socket })]);
        }
        let mut out = String::new();
        text::event_line(&mut out, event, paper, output::form(&self.output));
        Ok(output::write_on(out.as_bytes())?)
    }

    fn tell_flow(&mut self, flow: &OwnedFlow) -> Result<bool, Stop> {
        if self.args.traffic.eve {
            return lines(&eve::flow(flow));
        }
        if self.args.json {
            return lines(&[json!({ "schema_version": 1, "event": "flow", "flow": Flow::of(flow) })]);
        }
        let mut out = String::new();
        text::flow_line(&mut out, flow, output::form(&self.output));
        Ok(output::write_on(out.as_bytes())?)
    }

    fn tell_finding(&mut self, found: &Found<'_>) -> Result<bool, Stop> {
        let finding = &found.sighting.finding;
        if self.args.traffic.eve {
            return match found.judged {
                Judged::Wire(view) => lines(&eve::alerts(view, finding, &self.examples)),
                Judged::Machine(_) => Ok(true),
            };
        }
        if self.args.json {
            let told = document::Finding::of_traffic(finding);
            let about = &found.sighting.about;
            return lines(&[
                json!({ "schema_version": 1, "event": "finding", "about": about, "finding": told }),
            ]);
        }
        let mut out = String::new();
        text::finding_line(&mut out, finding, output::form(&self.output));
        Ok(output::write_on(out.as_bytes())?)
    }

    fn finish(mut self, view: TrafficView) -> Status {
        let view = if self.ports.is_everything() {
            view
        } else {
            view.only(&|transport, port| self.ports.has(transport, port))
        };
        let view = &view;
        let threshold = self.args.fail_on.threshold();
        let outcome = match self.worst_of_machine {
            Some(severity) if threshold.reached_by(severity) => Outcome::Findings,
            _ => view.outcome(threshold),
        };
        let status = outcome.exit_status();
        if self.args.traffic.eve {
            lines(&[eve::stats(view)])?;
            tell_gaps(view);
        } else if self.args.json {
            let document = TrafficDocument::of(view, None, status);
            lines(&[json!({ "schema_version": 1, "event": "summary", "traffic": document })])?;
        } else if self.args.no_packets {
            // Everything was told as it came.
            tell_gaps(view);
        } else {
            let mut out = String::from("\n");
            text::traffic(
                &mut out,
                view,
                output::form(&OutputArgs { no_header: false, ..self.output.clone() }),
            );
            output::write(out.as_bytes())?;
        }
        if let Some(spool) = self.evidence.take() {
            // All workers have ended, so that nobody else has it.
            let spool = Arc::into_inner(spool)
                .ok_or_else(|| Stop::Failed(String::from("packets are still being kept by a worker")))?;
            spool.into_inner().unwrap_or_else(PoisonError::into_inner).end(view)?;
        }
        Ok(status)
    }
}
