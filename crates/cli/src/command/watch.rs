//! `portreeve watch`: the wire of this machine, as it happens.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use engine::owners::Owners;
use engine::{OwnedFlow, TrafficView, Watching};
use host::capture::{Capture, CaptureRequest, FILTERED_LINKS, FilterInstruction, LinkFilter};
use host::{Look, Looker, privilege};
use model::{Finding, Snapshot, Traffic};
use serde_json::json;
use verdict::Earlier;

use super::crew::Crew;
use super::read::{Ports, earlier, grounds, judge, lines, reading, tell_gaps};
use super::spool::Spool;
use super::{Status, Stop, media};
use crate::args::{OutputArgs, WireArgs};
use crate::document::{Flow, TrafficDocument};
use crate::look::Grounds;
use crate::{eve, output, text};
use wire::LinkType;

/// How long the kernel may keep frames before we look at them, how often findings are looked for, and how often the
/// machine is looked at for the holders of flows.
const WAIT: Duration = Duration::from_millis(50);
const JUDGE_EVERY: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) fn run(args: &WireArgs) -> Status {
    let grounds = grounds(&args.policy)?;
    let ports = Ports::resolve(&args.traffic, &grounds)?;
    if args.workers > 1 && args.traffic.write.is_some() {
        return Err(Stop::Usage(String::from(
            "--write numbers the packets of one worker: leave --workers out",
        )));
    }
    let mut reading = reading(&args.traffic, usize::from(args.workers), &grounds)?;
    reading.media = media::sessions::settings(&args.sessions, &grounds.policy)?;
    let earlier = earlier(&args.traffic)?;
    let capture = Capture::open(&request(args, &reading)).map_err(|error| Stop::Failed(error.to_string()))?;
    let netns = args.netns.as_deref().and_then(inode_of_namespace);
    give_up(args);
    // By the rights that we shall have at the end.
    let evidence = args.traffic.write.as_deref().map(Spool::begin).transpose()?;
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed))
        .map_err(|error| Stop::Failed(format!("cannot wait for Ctrl-C: {error}")))?;

    let mut captures = capture.split();
    let Some(mut capture) = captures.pop() else {
        return Err(Stop::Failed(String::from("the capture was opened without a worker")));
    };
    let mut watch = Watch {
        args,
        crew: Crew::begin(captures, &reading),
        grounds,
        earlier,
        ports,
        watching: Watching::new(&reading),
        owners: Owners::of_namespace(netns),
        examples: eve::Examples::default(),
        said: HashSet::new(),
        output: OutputArgs { color: args.color, no_header: true, ..OutputArgs::default() },
        evidence,
    };
    let names: Vec<String> = capture.interfaces().into_iter().map(|it| it.name).collect();
    if args.json {
        lines(&[json!({ "schema_version": 1, "event": "begin", "sources": names })])?;
    } else if !args.traffic.eve {
        let names = if names.is_empty() { String::from("all interfaces") } else { names.join(", ") };
        output::complain(&format!("watching {names}; Ctrl-C ends it and shows the summary"));
    }
    let looks = (!args.no_holders).then(Looks::begin);
    let begun = Instant::now();
    let mut judged = Instant::now();
    let mut reading_on = true;
    while reading_on
        && !stopped.load(Ordering::Relaxed)
        && args.duration.is_none_or(|end| begun.elapsed() < end)
    {
        match capture.wait(WAIT, &mut |captured| watch.take(&captured.frame)) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NetworkDown => {
                output::complain("the interface is down; waiting for it to come up");
                thread::sleep(Duration::from_secs(1));
            }
            Err(error) => return Err(Stop::Failed(format!("cannot read the interface: {error}"))),
        }
        if let Some(looks) = &looks {
            for snapshot in looks.taken.try_iter() {
                watch.owners.update(&snapshot, looks.local(args));
            }
        }
        reading_on = watch.flows()?;
        if judged.elapsed() >= JUDGE_EVERY {
            judged = Instant::now();
            reading_on &= watch.judge(&mut capture)?;
        }
    }
    let counts = capture
        .finish(&mut |captured| watch.take(&captured.frame))
        .map_err(|error| Stop::Failed(format!("cannot read the interface to its end: {error}")))?;
    watch.crew.end()?;
    watch.finish(&capture, counts.dropped)
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
    let keep = if args.no_holders { 0 } else { privilege::LOOKING };
    // Who looks at processes of others must stay who he is: root's files in /proc are root's.
    let account = if args.no_holders { privilege::invoker() } else { None };
    if let Err(error) = privilege::give_up(keep, account.as_ref())
        && cfg!(target_os = "linux")
    {
        output::complain(&format!("privileges were kept: {error}"));
    }
}

/// The inode number of a network namespace that is named as for the capture; `None` where there is none.
fn inode_of_namespace(name: &str) -> Option<u32> {
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

/// Looks at the machine again and again, beside the reading.
struct Looks {
    taken: mpsc::Receiver<Snapshot>,
}

impl Looks {
    fn begin() -> Looks {
        let (to, taken) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut looker = Looker::new();
            let look = Look { connected: true, forwards: false, integrity: false, ..Look::default() };
            // It ends when nobody takes what it sees.
            while to.send(looker.snapshot(&look)).is_ok() {
                thread::sleep(LOOK_EVERY);
            }
        });
        Looks { taken }
    }

    /// The addresses of the namespace that is watched; of another one than ours they are learned from its sockets.
    fn local(&self, args: &WireArgs) -> Vec<std::net::IpAddr> {
        if args.netns.is_some() {
            return Vec::new();
        }
        let interfaces = host::interfaces().unwrap_or_default();
        interfaces.into_iter().flat_map(|it| it.addresses).map(|(address, _)| address).collect()
    }
}

struct Watch<'a> {
    args: &'a WireArgs,
    grounds: Grounds,
    earlier: Option<Earlier>,
    ports: Ports,
    watching: Watching,
    crew: Crew,
    owners: Owners,
    examples: eve::Examples,
    /// Findings that were told, by code and what they are about.
    said: HashSet<(model::Code, model::Severity, String)>,
    output: OutputArgs,
    evidence: Option<Spool>,
}

impl Watch<'_> {
    fn take(&mut self, frame: &wire::Frame<'_>) {
        if self.watching.take(frame)
            && let Some(spool) = &mut self.evidence
        {
            spool.keep(frame);
        }
    }

    /// Tells of the flows that have ended; says whether there is still a reader.
    fn flows(&mut self) -> Result<bool, Stop> {
        let now = host::now();
        let mut over = Vec::new();
        for watching in
            std::iter::once(&mut self.watching).chain(self.crew.each().iter_mut().map(|it| &mut **it))
        {
            watching.pass(now);
            over.extend(std::iter::from_fn(|| watching.poll()));
        }
        self.tell_flows(over)
    }

    fn tell_flows(&mut self, over: Vec<model::Flow>) -> Result<bool, Stop> {
        for flow in over {
            if self.args.only_findings || !self.ports.has(flow.transport, flow.server.port()) {
                continue;
            }
            let of = |own, peer| self.owners.of(flow.transport, own, peer);
            let owned = OwnedFlow {
                client: of(flow.client, flow.server),
                server: of(flow.server, flow.client),
                flow,
            };
            self.examples.note(&owned.flow);
            if !self.tell_flow(&owned)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tell_flow(&self, flow: &OwnedFlow) -> Result<bool, Stop> {
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

    /// Tells of findings that are new; says whether there is still a reader.
    fn judge(&mut self, capture: &mut Capture) -> Result<bool, Stop> {
        let dropped = capture.counts().map_or(0, |counts| counts.dropped);
        let view = self.view(self.traffic(dropped), capture);
        self.tell_findings(&view)
    }

    /// What all workers saw; `dropped` is what the one here could not.
    fn traffic(&self, dropped: u64) -> Traffic {
        let crew = self.crew.each();
        let all: Vec<&Watching> =
            std::iter::once(&self.watching).chain(crew.iter().map(|it| &**it)).collect();
        Watching::together(&all, dropped + self.crew.dropped())
    }

    fn view(&self, mut traffic: Traffic, capture: &Capture) -> TrafficView {
        traffic.sources = capture.interfaces().into_iter().map(|it| it.name).collect();
        let view = judge(traffic, &self.grounds, self.earlier.as_ref(), true);
        if self.ports.is_everything() {
            view
        } else {
            view.only(&|transport, port| self.ports.has(transport, port))
        }
    }

    fn tell_findings(&mut self, view: &TrafficView) -> Result<bool, Stop> {
        for finding in &view.findings {
            let about: Vec<String> =
                finding.subjects.iter().filter_map(|subject| view.traffic.subject_name(subject)).collect();
            let key = (finding.code, finding.severity, about.into_iter().next().unwrap_or_default());
            if self.said.insert(key) && !self.tell_finding(view, finding)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tell_finding(&self, view: &TrafficView, finding: &Finding) -> Result<bool, Stop> {
        if self.args.traffic.eve {
            return lines(&eve::alerts(view, finding, &self.examples));
        }
        if self.args.json {
            let finding = crate::document::Finding::of_traffic(finding);
            return lines(&[json!({ "schema_version": 1, "event": "finding", "finding": finding })]);
        }
        let mut out = String::new();
        text::finding_line(&mut out, finding, output::form(&self.output));
        Ok(output::write_on(out.as_bytes())?)
    }

    fn finish(mut self, capture: &Capture, dropped: u64) -> Status {
        self.watching.end();
        self.crew.each().iter_mut().for_each(|watching| watching.end());
        if !self.flows()? {
            return Ok(0);
        }
        let view = self.view(self.traffic(dropped), capture);
        if !self.tell_findings(&view)? {
            return Ok(0);
        }
        let status = view.outcome(self.args.fail_on.threshold()).exit_status();
        if self.args.traffic.eve {
            lines(&[eve::stats(&view)])?;
            tell_gaps(&view);
        } else if self.args.json {
            let document = TrafficDocument::of(&view, None, status);
            lines(&[json!({ "schema_version": 1, "event": "summary", "traffic": document })])?;
        } else {
            let mut out = String::from("\n");
            text::traffic(
                &mut out,
                &view,
                output::form(&OutputArgs { no_header: false, ..self.output.clone() }),
            );
            output::write(out.as_bytes())?;
        }
        if let Some(spool) = self.evidence {
            spool.end(&view)?;
        }
        Ok(status)
    }
}
