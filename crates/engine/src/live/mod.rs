//! One event loop: what happens to sockets and on the wire, joined with who has it, and judged as it comes.

mod agreed;
mod crew;
mod happening;
mod looks;
mod said;

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use host::capture::Capture;
use host::events::{EventSource, Events};
use host::{Look, Looker};
use model::{EventCounts, Finding, Flow, Gap, Snapshot, SocketEvent, Subject, Traffic, Witness};
use store::Sighting;
use verdict::Earlier;
use wire::Frame;

use crate::nmos::Following;
use crate::owners::Owners;
use crate::watching::{FrameKeeper, Roll};
use crate::{Grounds, OwnedFlow, Reading, TrafficView, View, Watching, about};
use agreed::{Agreed, News};
use crew::Crew;
use happening::Happenings;
pub use happening::begins_to_wait;
use looks::{Looks, Taken, Worth};
pub use said::Novelty;
pub(crate) use said::Said;

/// Events that are judged at once.
const MOST_EVENTS: usize = 4096;

/// What stands is judged and told again after so long, even where nothing changed: what is remembered has its time.
const TELL_ANYWAY: Duration = Duration::from_secs(10);

/// The number of frames at the last judgement, where there has to be another one.
const ANEW: u64 = u64::MAX;

/// After a fault of the interface, how long until it is read again.
const DOWN: Duration = Duration::from_secs(1);

/// What to listen to. What needs privilege is open already.
#[derive(Default)]
pub struct Sources {
    /// The interfaces; `None` where packets are not wanted.
    pub capture: Option<Capture>,
    /// What happens to sockets; `None` where that is not wanted.
    pub events: Option<Events>,
    /// Registries that tell what is agreed.
    pub registries: Vec<Following>,
    /// Who keeps the frames of all workers, where somebody does.
    pub keeper: Option<Arc<Mutex<dyn FrameKeeper>>>,
}

/// How to listen.
#[derive(Debug, Clone)]
pub struct Listening {
    /// How packets are read.
    pub reading: Reading,
    /// The inode number of the network namespace whose packets are read; `None` for the one that we run in.
    pub netns: Option<u32>,
    /// Whether to look at the machine, for the holders of flows and for what no event tells.
    pub look: bool,
    /// Whether what stands on the machine is judged at each look, not only what comes to it.
    pub judge_looks: bool,
    /// The longest time between two looks.
    pub look_every: Duration,
    /// The shortest time between two looks where something makes one worth while.
    pub look_again_after: Duration,
    /// How often traffic is judged while there is some.
    pub judge_every: Duration,
}

/// Judged facts that a finding speaks of.
#[derive(Clone, Copy)]
pub enum Judged<'a> {
    /// Sockets and their holders.
    Machine(&'a View),
    /// What was on the wire.
    Wire(&'a TrafficView),
}

/// A finding, as it is told.
pub struct Found<'a> {
    /// The finding, when it was found, and what it is about.
    pub sighting: Arc<Sighting>,
    /// Whether it is new.
    pub novelty: Novelty,
    /// What it speaks of: its subjects are indices there.
    pub judged: Judged<'a>,
}

/// Who is told what the loop learns.
pub trait Audience {
    /// A frame that passed the filter; those of the other workers are not told, but [`Sources::keeper`] has all.
    fn frame(&mut self, _frame: &Frame<'_>) {}
    /// Something happened to sockets.
    fn events(&mut self, _events: &[Arc<SocketEvent>]) {}
    /// A flow has ended.
    fn flow(&mut self, _flow: OwnedFlow) {}
    /// Something was found.
    fn found(&mut self, found: Found<'_>);
    /// What was found stands no more.
    fn over(&mut self, _over: &[Arc<Sighting>]) {}
    /// The machine was looked at and judged.
    fn looked(&mut self, _view: &Arc<View>) {}
    /// Traffic was judged.
    fn traffic(&mut self, _view: &Arc<TrafficView>) {}
    /// Why something that tells what is agreed does not; empty where all do again.
    fn agreements_missing(&mut self, _why: &[String]) {}
    /// An interface went down.
    fn down(&mut self) {}
    /// Whether nobody listens any more.
    fn is_gone(&self) -> bool {
        false
    }
}

/// The loop, with everything it knows.
pub struct Live {
    grounds: Grounds,
    earlier: Option<Earlier>,
    listening: Listening,
    capture: Option<Capture>,
    watching: Watching,
    crew: Crew,
    happenings: Option<Happenings>,
    looks: Option<Looks>,
    owners: Owners,
    agreed: Agreed,
    /// The last look: without its sockets, where looks are not judged.
    machine: Arc<View>,
    /// Findings about the machine, and about the wire.
    said_of_machine: Said,
    said_of_wire: Said,
    looked: Instant,
    judged: Instant,
    /// Frames that there were at the last judgement, and at the last look.
    judged_frames: u64,
    looked_frames: u64,
    /// Whether something came since the last look that makes another worth while.
    stale: bool,
    /// When what stands was last judged and told, and whether it is to be judged anew whatever is seen.
    told: Instant,
    anew: bool,
}

impl Live {
    /// Begins to listen: first to what happens, then with a look at what is there.
    pub fn begin(
        sources: Sources,
        listening: Listening,
        grounds: Grounds,
        earlier: Option<Earlier>,
        audience: &mut dyn Audience,
    ) -> io::Result<Live> {
        let mut captures = sources.capture.map(Capture::split).unwrap_or_default();
        let capture = captures.pop();
        let roll = Arc::new(Roll::kept_by(sources.keeper));
        let now = host::now();
        let look = Look { connected: true, ..Look::default() };
        let light = Look { forwards: false, integrity: false, ..look.clone() };
        let look = if listening.judge_looks { look } else { light };
        let needs_look = listening.look || sources.events.is_some();
        let mut looker = Looker::new();
        let first = if needs_look { looker.snapshot(&look) } else { happening::nothing_known(now) };
        let happenings = sources.events.map(|events| Happenings::begin(events, &first));
        let mut live =
            Live {
                watching: Watching::new(&listening.reading, Arc::clone(&roll)),
                crew: Crew::begin(captures, &listening.reading, &roll),
                looks: listening.look.then(|| Looks::begin(looker, look)),
                owners: Owners::of_namespace(listening.netns),
                agreed: Agreed::begin(listening.reading.media.sessions.clone(), sources.registries),
                machine: Arc::new(grounds.judge_agreed(
                    Arc::new(happening::nothing_known(now)),
                    model::media::Agreement::default(),
                )),
                said_of_machine: Said::default(),
                said_of_wire: Said::default(),
                looked: Instant::now(),
                judged: Instant::now(),
                judged_frames: 0,
                looked_frames: 0,
                stale: false,
                told: Instant::now(),
                anew: true,
                grounds,
                earlier,
                listening,
                capture,
                happenings,
            };
        live.take_look(first, audience);
        Ok(live)
    }

    /// The interfaces that are read.
    pub fn interfaces(&self) -> Vec<String> {
        let capture = self.capture.as_ref();
        capture.map(|it| it.interfaces().into_iter().map(|it| it.name).collect()).unwrap_or_default()
    }

    /// The ways by which events are learned, and whether each works.
    pub fn event_sources(&self) -> &[EventSource] {
        self.happenings.as_ref().map(|it| it.sources.as_slice()).unwrap_or_default()
    }

    /// How events are known; `None` where nobody listens for them.
    pub fn witness(&self) -> Option<Witness> {
        self.happenings.as_ref().map(|it| it.witness)
    }

    /// How many events there were, and how many were lost.
    pub fn event_counts(&self) -> EventCounts {
        self.happenings.as_ref().map(Happenings::counts).unwrap_or_default()
    }

    /// The last look, judged.
    pub fn machine(&self) -> &Arc<View> {
        &self.machine
    }

    /// Judges by other grounds from now on; what stands is judged anew at the next look. Registries that are followed
    /// stay, where no others are given.
    pub fn judge_by(
        &mut self,
        grounds: Grounds,
        registries: Option<Vec<Following>>,
        audience: &mut dyn Audience,
    ) {
        let news = self.agreed.replace(grounds.sessions.clone(), registries);
        self.grounds = grounds;
        self.learn(news, audience);
        self.stale = true;
        self.anew = true;
        self.judged_frames = ANEW;
    }

    fn learn(&mut self, news: News, audience: &mut dyn Audience) {
        if news.is_about_silence {
            audience.agreements_missing(&self.agreed.troubles());
        }
        if news.changes_sessions() {
            let now = host::now();
            self.watching.agree(&news.agreed, &news.withdrawn, now);
            for watching in &mut self.crew.each() {
                watching.agree(&news.agreed, &news.withdrawn, now);
            }
            self.grounds.sessions = self.agreed.sessions();
            self.stale = true;
            self.anew = true;
        }
        if news.changes_sessions() || news.is_about_silence {
            self.judged_frames = ANEW;
        }
    }

    /// Waits so long for packets, and tells what came.
    pub fn turn(&mut self, wait: Duration, audience: &mut dyn Audience) -> io::Result<()> {
        self.hear_packets(wait, audience)?;
        self.hear_events(audience)?;
        let news = self.agreed.hear();
        self.learn(news, audience);
        match self.looks.as_mut().and_then(Looks::take) {
            Some(Taken::Other(snapshot)) => self.take_look(*snapshot, audience),
            Some(Taken::Same) => self.mark_looked(),
            None => {}
        }
        self.tell_flows(audience);
        self.stale |= self.looks.is_some() && self.frames() != self.looked_frames;
        let due =
            if self.stale || self.anew { self.listening.look_again_after } else { self.listening.look_every };
        if let Some(looks) = &mut self.looks
            && self.looked.elapsed() >= due
        {
            looks.want(if self.anew { Worth::Anyway } else { Worth::Changed });
        }
        if self.judged.elapsed() >= self.listening.judge_every {
            self.judged = Instant::now();
            self.judge_traffic(audience);
        }
        Ok(())
    }

    fn hear_packets(&mut self, wait: Duration, audience: &mut dyn Audience) -> io::Result<()> {
        let Some(capture) = &mut self.capture else {
            thread::park_timeout(wait);
            return Ok(());
        };
        let watching = &mut self.watching;
        let heard = capture.wait(wait, &mut |captured| {
            if watching.take(&captured.frame) {
                audience.frame(&captured.frame);
            }
        });
        match heard {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NetworkDown => {
                audience.down();
                thread::park_timeout(DOWN);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn hear_events(&mut self, audience: &mut dyn Audience) -> io::Result<()> {
        let Some(happenings) = &mut self.happenings else { return Ok(()) };
        loop {
            let events = happenings.take(MOST_EVENTS)?;
            if events.is_empty() {
                return Ok(());
            }
            self.stale = true;
            audience.events(&events);
            if events.iter().any(|event| begins_to_wait(event)) {
                let view = happening::judge(&self.grounds, &self.machine.snapshot, &events);
                tell_of_machine(&view, &mut self.said_of_machine, false, audience);
            }
            if events.len() < MOST_EVENTS || audience.is_gone() {
                return Ok(());
            }
        }
    }

    fn mark_looked(&mut self) {
        self.looked = Instant::now();
        self.stale = false;
        self.looked_frames = self.frames();
    }

    fn take_look(&mut self, mut snapshot: Snapshot, audience: &mut dyn Audience) {
        self.mark_looked();
        let old = self.anew || self.told.elapsed() >= TELL_ANYWAY;
        if self.listening.judge_looks && !old && self.machine.snapshot.shows_the_same(&snapshot) {
            return;
        }
        (self.told, self.anew) = (self.looked, false);
        let local = self.local();
        self.owners.update(&snapshot, local);
        if !self.listening.judge_looks {
            // Only what it says of the machine and its namespaces is still needed.
            snapshot.sockets = Vec::new();
            snapshot.processes = Vec::new();
            self.machine =
                Arc::new(self.grounds.judge_agreed(Arc::new(snapshot), model::media::Agreement::default()));
            return;
        }
        self.machine = Arc::new(self.grounds.judge(snapshot));
        self.said_of_machine.begin_round();
        tell_of_machine(&self.machine, &mut self.said_of_machine, true, audience);
        let over = self.said_of_machine.over();
        if !over.is_empty() {
            audience.over(&over);
        }
        audience.looked(&self.machine);
    }

    /// The addresses of the namespace that is watched; of another one than ours they are learned from its sockets.
    fn local(&self) -> Vec<IpAddr> {
        if self.listening.netns.is_some() {
            return Vec::new();
        }
        let interfaces = host::interfaces().unwrap_or_default();
        interfaces.into_iter().flat_map(|it| it.addresses).map(|(address, _)| address).collect()
    }

    fn tell_flows(&mut self, audience: &mut dyn Audience) {
        let now = host::now();
        let mut ended: Vec<Flow> = Vec::new();
        let mut crew = self.crew.each();
        for watching in std::iter::once(&mut self.watching).chain(crew.iter_mut().map(|it| &mut **it)) {
            watching.pass(now);
            ended.extend(std::iter::from_fn(|| watching.poll()));
        }
        drop(crew);
        for flow in ended {
            let looked = self.looks.is_some();
            let of = |own, peer| looked.then(|| self.owners.of(flow.transport, own, peer)).flatten();
            let (client, server) = (of(flow.client, flow.server), of(flow.server, flow.client));
            audience.flow(OwnedFlow { client, server, flow });
        }
    }

    /// What all workers saw so far, judged.
    pub fn traffic_view(&mut self) -> TrafficView {
        let dropped = self.capture.as_mut().and_then(|it| it.counts().ok()).map_or(0, |it| it.dropped);
        self.view_of(self.traffic(dropped))
    }

    /// What all workers saw; `dropped` is what the one here could not.
    fn traffic(&self, dropped: u64) -> Traffic {
        let crew = self.crew.each();
        let all: Vec<&Watching> =
            std::iter::once(&self.watching).chain(crew.iter().map(|it| &**it)).collect();
        let mut traffic = Watching::together(&all, dropped + self.crew.dropped());
        traffic.sources = self.interfaces();
        traffic.gaps.extend(self.gaps());
        traffic
    }

    fn view_of(&self, traffic: Traffic) -> TrafficView {
        self.grounds.judge_traffic(traffic, self.earlier.as_ref(), true)
    }

    fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.happenings.iter().filter_map(Happenings::gap).chain(self.agreed.gaps())
    }

    fn frames(&self) -> u64 {
        let crew = self.crew.each();
        self.watching.frames() + crew.iter().map(|it| it.frames()).sum::<u64>()
    }

    fn judge_traffic(&mut self, audience: &mut dyn Audience) {
        let frames = self.frames();
        // Where nothing came, nothing can be found but by time: what is agreed and does not come is found at the end.
        if frames == self.judged_frames || self.agreed.is_awaited() {
            return;
        }
        self.judged_frames = frames;
        let view = Arc::new(self.traffic_view());
        tell_of_wire(&view, &mut self.said_of_wire, audience);
        audience.traffic(&view);
    }

    /// Ends everything: what is still open is told, and what all of it amounts to.
    pub fn finish(mut self, audience: &mut dyn Audience) -> io::Result<TrafficView> {
        let mut dropped = 0;
        if let Some(capture) = &mut self.capture {
            let watching = &mut self.watching;
            let counts = capture.finish(&mut |captured| {
                if watching.take(&captured.frame) {
                    audience.frame(&captured.frame);
                }
            })?;
            dropped = counts.dropped;
        }
        self.crew.end()?;
        self.watching.end();
        self.crew.each().iter_mut().for_each(|watching| watching.end());
        if let Some(happenings) = &mut self.happenings {
            happenings.end()?;
        }
        self.hear_events(audience)?;
        self.tell_flows(audience);
        let view = self.view_of(self.traffic(dropped));
        tell_of_wire(&view, &mut self.said_of_wire, audience);
        Ok(view)
    }
}

/// The view of a machine that nobody has looked at yet.
pub fn nothing_seen(grounds: &Grounds) -> Arc<View> {
    let nothing = Arc::new(happening::nothing_known(host::now()));
    Arc::new(grounds.judge_agreed(nothing, model::media::Agreement::default()))
}

/// Tells what is new about a machine; `standing` says that the whole of it was looked at.
fn tell_of_machine(view: &View, said: &mut Said, standing: bool, audience: &mut dyn Audience) {
    for finding in &view.findings {
        // Of sockets that were looked at alone, only they themselves can be judged.
        let of_sockets = || finding.subjects.iter().any(|subject| matches!(subject, Subject::Socket(_)));
        if !standing && !of_sockets() {
            continue;
        }
        let about = about::on_machine(&view.snapshot, finding);
        tell(finding, about, Judged::Machine(view), (said, standing), audience);
    }
}

/// Tells what is new about traffic.
fn tell_of_wire(view: &TrafficView, said: &mut Said, audience: &mut dyn Audience) {
    for finding in &view.findings {
        let about = about::on_wire(&view.traffic, finding);
        tell(finding, about, Judged::Wire(view), (said, false), audience);
    }
}

fn tell(
    finding: &Finding,
    about: String,
    judged: Judged<'_>,
    (said, standing): (&mut Said, bool),
    audience: &mut dyn Audience,
) {
    if let Some((novelty, sighting)) = said.note(finding, about, host::now(), standing) {
        audience.found(Found { sighting, novelty, judged });
    }
}
