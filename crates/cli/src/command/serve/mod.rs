//! `portreeve serve`: watches, remembers and tells, until it is told to end.

mod keeper;
mod proposals;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use api::ApiSettings;
use engine::alerting::{Alerting, Machine, Way};
use engine::board::Board;
use engine::control::{self, Access, Client, ControlError, Server};
use engine::decoys::{DecoyState, Decoys};
use engine::live::{Listening, Live, Sources};
use engine::nmos::Following;
use engine::recording::Recorder;
use engine::serving::{DecoyWatch, Keeper, Reload, Reply, Request, Shared, Status as ServiceStatus};
use engine::settings::{Settings, WatchSettings};
use engine::{Grounds, Reading};
use host::capture::{Capture, CaptureRequest};
use host::confine::{self, Bounds, Fence, Rooms};
use host::events::{EventRequest, Events};
use host::privilege;
use host::supervise::{Signal, Signals, Supervisor};
use keeper::Kept;
use proposals::Proposals;

use super::read::seed;
use super::watch::{inode_of_namespace, kernel_filters};
use super::{Status, Stop, media, write_json};
use crate::args::{AgreedArgs, ServeArgs};
use crate::files::Places;
use crate::{look, output, sanitise, settings};

/// How long the kernel may keep frames before we look at them.
const WAIT: Duration = Duration::from_millis(100);
/// The shortest time between two looks.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often it is seen whether files have changed, and how often whoever started us hears how we are.
const FILES_EVERY: Duration = Duration::from_secs(3);
const STATUS_EVERY: Duration = Duration::from_secs(10);
/// How long alerts that wait at the end may take.
const LAST_ALERTS: Duration = Duration::from_secs(5);

/// Capabilities that looking at forwards needs besides what looking at holders does: CAP_NET_ADMIN.
const FORWARDS: u64 = 1 << 12;

pub(super) fn run(args: &ServeArgs) -> Status {
    if args.status {
        return status(args);
    }
    if args.reload {
        return ask(&Request::Reload).map(|_| 0);
    }
    let places = Places::find();
    let (settings, grounds) = read(&places, args)?;
    if args.check {
        if !grounds.wrong.is_empty() {
            return Err(Stop::Failed(grounds.wrong.join("\n")));
        }
        output::write(b"policy, baseline and settings are right\n")?;
        return Ok(0);
    }
    serve(args, &places, settings, grounds)
}

/// Reads what is set, and what is judged by.
fn read(places: &Places, args: &ServeArgs) -> Result<(Settings, Grounds), Stop> {
    let settings = settings::load(places, args.config.as_deref()).map_err(Stop::Failed)?.settings;
    let mut grounds = look::gather(places, &args.judge);
    let given = AgreedArgs { sdp: settings.sessions.sdp.clone(), ..AgreedArgs::default() };
    media::sessions::agree(&mut grounds, &given)?;
    Ok((settings, grounds))
}

fn serve(args: &ServeArgs, places: &Places, settings: Settings, grounds: Grounds) -> Status {
    let failed = |what: &'static str| move |error: std::io::Error| Stop::Failed(format!("{what}: {error}"));
    let supervisor = Supervisor::find().map_err(failed("cannot reach whoever started the service"))?;
    let signals = Signals::begin().map_err(failed("cannot wait for signals"))?;
    let reading = reading(&settings.watch, &grounds)?;
    // Events first: what is bound while the rest is being opened is told, too.
    let events = settings.watch.events.then(|| {
        Events::open(&EventRequest {
            kernel: settings.watch.kernel,
            ring_bytes: usize::try_from(settings.watch.event_ring.0).unwrap_or(usize::MAX),
            ..EventRequest::default()
        })
    });
    let mut broken = Vec::new();
    let capture = open_capture(&settings.watch, &reading).unwrap_or_else(|error| {
        broken.push(format!("packets are not read: {error}"));
        None
    });
    // As long as we may see it.
    let netns = settings.watch.netns.as_deref().and_then(inode_of_namespace);
    let decoys = open_decoys(&settings, &mut broken);
    shut_off(&settings)?;
    let recorder = match Recorder::begin(&settings.history) {
        Ok(recorder) => Some(recorder),
        Err(error) => {
            broken.push(format!("no history is kept: {error}"));
            None
        }
    };
    let alerting = begin_alerting(&settings).map_err(failed("[[alert]]"))?;
    for error in grounds.wrong.iter().chain(&broken) {
        output::complain(error);
    }

    let listening = Listening {
        reading,
        netns,
        look: true,
        judge_looks: true,
        look_every: settings.serve.look_every.0,
        look_again_after: LOOK_AGAIN_AFTER.min(settings.serve.look_every.0),
        judge_every: settings.serve.judge_every.0,
    };
    let shared = Arc::new(Shared {
        board: Arc::new(Board::new(engine::nothing_seen(&grounds))),
        recorder,
        alerting: Mutex::new(alerting),
        reload: Reload::default(),
        wrong: Mutex::new(grounds.wrong.clone()),
        broken: Mutex::new(broken),
        missing: Mutex::default(),
        touches: Mutex::default(),
    });
    let control = open_control(&settings, &shared)?;
    let mut grounds = grounds;
    grounds.used = shared.used();
    let covered = decoys.as_ref().map(Decoys::state);
    let decoys = decoys.map(DecoyWatch::begin).transpose().map_err(failed("cannot watch decoys"))?;
    let mut keeper = Keeper::new(Arc::clone(&shared));
    let registries = media::sessions::follow(&settings.sessions.nmos)?;
    let sources = Sources { capture, events, registries, keeper: None };
    let live = Live::begin(sources, listening, grounds.clone(), shared.earlier(), &mut keeper);
    let mut service = Service {
        args,
        places,
        supervisor,
        signals,
        live: live.map_err(failed("cannot begin to watch"))?,
        keeper,
        decoys,
        grounds: Arc::new(Mutex::new(grounds)),
        registries: settings.sessions.nmos.clone(),
        shared: Arc::clone(&shared),
        files: fingerprint(places, args),
        by_itself: settings.serve.reload,
    };
    let face = service.open_api(&settings, covered);
    service.tell_state();
    service.supervisor.ready(&service.line());
    output::complain(&service.line());
    service.work().map_err(failed("cannot go on watching"))?;

    service.supervisor.stopping("ending");
    drop(control);
    if let Some(face) = face {
        face.end();
    }
    let Service { live, mut keeper, decoys, grounds, .. } = service;
    if let Some(mut decoys) = decoys {
        let ended = decoys.end();
        keeper.take_decoys(&mut decoys, &grounds_of(&grounds));
        ended.map_err(failed("cannot end the decoys"))?;
    }
    live.finish(&mut keeper).map_err(failed("cannot read to the end"))?;
    drop(keeper);
    shared.end(LAST_ALERTS);
    Ok(0)
}

/// What runs until it is told to end.
struct Service<'a> {
    args: &'a ServeArgs,
    places: &'a Places,
    supervisor: Supervisor,
    signals: Signals,
    live: Live,
    keeper: Keeper,
    decoys: Option<DecoyWatch>,
    /// What everything is judged by, captures that are handed in, too.
    grounds: Arc<Mutex<Grounds>>,
    /// The registries that are followed.
    registries: Vec<String>,
    shared: Arc<Shared>,
    /// What the files said that count.
    files: u64,
    /// Whether they are read again when they change.
    by_itself: bool,
}

impl Service<'_> {
    fn work(&mut self) -> std::io::Result<()> {
        let (mut told, mut looked) = (Instant::now(), Instant::now());
        let mut lived = Instant::now();
        loop {
            self.live.turn(WAIT, &mut self.keeper)?;
            if let Some(decoys) = &mut self.decoys {
                self.keeper.take_decoys(decoys, &grounds_of(&self.grounds));
                decoys.check()?;
            }
            match self.signals.wait(Some(Duration::ZERO))? {
                Some(Signal::End) => return Ok(()),
                Some(Signal::Reload) => drop(self.shared.reload.want()),
                Some(Signal::Status) => output::complain(&self.line()),
                None => {}
            }
            if self.supervisor.watchdog_every().is_some_and(|every| lived.elapsed() >= every) {
                lived = Instant::now();
                self.supervisor.alive();
            }
            if self.by_itself && looked.elapsed() >= FILES_EVERY {
                looked = Instant::now();
                let files = fingerprint(self.places, self.args);
                if std::mem::replace(&mut self.files, files) != files {
                    self.shared.reload.want();
                }
            }
            if let Some(number) = self.shared.reload.next() {
                let wrong = self.reload();
                self.shared.reload.is_done(number, wrong);
            }
            if told.elapsed() >= STATUS_EVERY {
                told = Instant::now();
                self.tell_state();
                if self.supervisor.listens() {
                    self.supervisor.status(&self.line());
                }
            }
        }
    }

    /// Reads policy, baseline and settings again, and says what is wrong, which leaves all as it was.
    fn reload(&mut self) -> Vec<String> {
        self.supervisor.reloading();
        self.files = fingerprint(self.places, self.args);
        let wrong = match read(self.places, self.args) {
            Ok((settings, mut grounds)) if grounds.wrong.is_empty() => {
                grounds.used = self.shared.used();
                match begin_alerting(&settings) {
                    Ok(alerting) => self.shared.alert_by(alerting, LAST_ALERTS),
                    Err(error) => output::complain(&format!("alerts are told as before: {error}")),
                }
                *grounds_of(&self.grounds) = grounds.clone();
                let registries = self.other_registries(&settings);
                self.live.judge_by(grounds, registries, &mut self.keeper);
                output::complain("policy, baseline and settings were read again");
                Vec::new()
            }
            Ok((_, grounds)) => grounds.wrong,
            Err(Stop::Usage(error) | Stop::Failed(error)) => vec![error],
        };
        for error in &wrong {
            output::complain(&format!("what was read before still counts: {error}"));
        }
        self.shared.wrong_is(wrong.clone());
        self.supervisor.ready(&self.line());
        wrong
    }

    /// The registries to follow from now on, where they are others than before.
    fn other_registries(&mut self, settings: &Settings) -> Option<Vec<Following>> {
        if settings.sessions.nmos == self.registries {
            return None;
        }
        // That they are addresses, the settings made sure of; what remains is that no thread can be had.
        let following = media::sessions::follow(&settings.sessions.nmos).ok()?;
        self.registries.clone_from(&settings.sessions.nmos);
        Some(following)
    }

    /// Opens the API and its pages. Where that cannot be, the rest goes on.
    fn open_api(&self, settings: &Settings, decoys: Option<DecoyState>) -> Option<api::Server> {
        let kept = Kept {
            shared: Arc::clone(&self.shared),
            places: self.places.clone(),
            grounds: Arc::clone(&self.grounds),
            decoys,
            proposals: Proposals(settings.history.folder.join("proposals")),
            earlier_touches: OnceLock::new(),
        };
        let board = Arc::clone(&self.shared.board);
        let begun = api_settings(settings, &settings.history.folder).and_then(|settings| {
            api::Server::begin(settings, board, Arc::new(kept)).map_err(|error| error.to_string())
        });
        match begun {
            Ok(server) => {
                output::complain(&format!("pages and API at {}", server.address()));
                Some(server)
            }
            Err(error) => {
                let trouble = format!("there are no pages and no API: {error}");
                output::complain(&trouble);
                self.shared.is_broken(trouble);
                None
            }
        }
    }

    fn tell_state(&self) {
        let live = &self.live;
        self.shared.board.tell_state(live.interfaces(), live.witness(), live.event_counts());
    }

    /// How it is, in one line.
    fn line(&self) -> String {
        line(&self.shared.status())
    }
}

fn grounds_of(grounds: &Mutex<Grounds>) -> MutexGuard<'_, Grounds> {
    grounds.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How the API listens. Its tokens stand beside the history, where nothing else is said.
pub(super) fn api_settings(settings: &Settings, folder: &Path) -> Result<ApiSettings, String> {
    let mut section = settings.api.clone();
    let tokens = folder.join("tokens.json").display().to_string();
    section.entry("tokens").or_insert_with(|| toml::Value::String(tokens));
    section.try_into().map_err(|error| format!("[api] {}", error.message()))
}

fn line(status: &ServiceStatus) -> String {
    let interfaces = match status.interfaces.as_slice() {
        [] => String::from("no packets"),
        names => names.iter().map(|name| sanitise::line(name)).collect::<Vec<_>>().join(", "),
    };
    let sockets = match status.witness.as_deref() {
        Some("kernel") => "sockets as the kernel tells",
        Some(_) => "sockets by comparing looks",
        None => "no sockets",
    };
    let mut line = format!(
        "watching {interfaces} and {sockets}; {} listeners, {} alerts, {} warnings, {} notes; {} socket events, {} lost",
        status.listeners, status.alerts, status.warnings, status.notes, status.events, status.lost
    );
    if let Some(first) = status.troubles.first() {
        let more = status.troubles.len() - 1;
        line.push_str("; ");
        line.push_str(&sanitise::line(first));
        if more > 0 {
            line.push_str(&format!(" (and {more} more)"));
        }
    }
    line
}

/// How packets are read, by what was set.
fn reading(watch: &WatchSettings, grounds: &Grounds) -> Result<Reading, Stop> {
    let parse = |text: &String| {
        wire::filter::parse(text).map_err(|error| Stop::Failed(format!("[watch] filter: {error}")))
    };
    Ok(Reading {
        filter: watch.filter.as_ref().map(parse).transpose()?,
        memory_bytes: usize::try_from(watch.memory.0).unwrap_or(usize::MAX),
        workers: usize::from(watch.workers),
        seed: seed(),
        media: engine::MediaSettings {
            sessions: grounds.sessions.clone(),
            ..engine::MediaSettings::default()
        },
    })
}

fn open_capture(watch: &WatchSettings, reading: &Reading) -> Result<Option<Capture>, String> {
    if !watch.packets {
        return Ok(None);
    }
    let request = CaptureRequest {
        interfaces: watch.interfaces.clone(),
        ring_bytes: usize::try_from(watch.ring.0).unwrap_or(usize::MAX),
        promiscuous: watch.promiscuous,
        filters: kernel_filters(reading),
        netns: watch.netns.clone(),
        workers: watch.workers,
        ..CaptureRequest::default()
    };
    Capture::open(&request).map(Some).map_err(|error| error.to_string())
}

/// Decoys, where ports are named for them.
fn open_decoys(settings: &Settings, wrong: &mut Vec<String>) -> Option<Decoys> {
    if settings.decoy.ports.is_empty() {
        return None;
    }
    match Decoys::open(&settings.decoy) {
        Ok(decoys) => Some(decoys),
        Err(error) => {
            wrong.push(format!("there are no decoys: {error}"));
            None
        }
    }
}

/// Gives up what only the opening needed, and shuts the process off from what it never does.
fn shut_off(settings: &Settings) -> Result<(), Stop> {
    let account = match &settings.serve.user {
        None => None,
        Some(name) => Some(privilege::account(name).ok_or_else(|| {
            Stop::Failed(format!("[serve] user: there is no account {}", sanitise::line(name)))
        })?),
    };
    if !settings.serve.confine && account.is_none() {
        return Ok(());
    }
    let programs = settings.alert.iter().any(|it| matches!(it.way, Way::Mail { .. } | Way::Command { .. }));
    let bounds = Bounds { keep: privilege::LOOKING | FORWARDS, account, programs };
    match confine::process(&bounds) {
        Ok(confined) => {
            for measure in &confined.measures {
                if measure.fence != Fence::Whole {
                    output::complain(&measure.to_string());
                }
            }
            Ok(())
        }
        Err(error) if bounds.account.is_some() => Err(Stop::Failed(format!("[serve] user: {error}"))),
        Err(error) => {
            output::complain(&format!("privileges were kept: {error}"));
            Ok(())
        }
    }
}

/// Begins to tell findings, each way in a thread that is shut off from the files and ports that it does not need. What
/// starts a program is not: nobody knows what that one needs.
fn begin_alerting(settings: &Settings) -> std::io::Result<Alerting> {
    let confine = settings.serve.confine;
    Alerting::begin_with(&settings.alert, &Machine::this(), move |way| {
        if !confine || way.program().is_some() {
            return;
        }
        // A file that is rotated away is made anew, for which its folder has to be written.
        let folder = way.file_written().and_then(Path::parent).map(Path::to_path_buf);
        let rooms = Rooms { write: folder.into_iter().collect(), bind: Some(Vec::new()), ..Rooms::default() };
        let measure = confine::thread(&rooms);
        if let Fence::None(_) = measure.fence {
            output::complain(&format!("alerts by {}: {measure}", way.kind()));
        }
    })
}

fn open_control(settings: &Settings, shared: &Arc<Shared>) -> Result<Server, Stop> {
    let path = settings.serve.socket.clone().unwrap_or_else(control::own_place);
    let access = match &settings.serve.group {
        None => Access::Owner,
        Some(name) => Access::Group(privilege::group(name).ok_or_else(|| {
            Stop::Failed(format!("[serve] group: there is no group {}", sanitise::line(name)))
        })?),
    };
    let shared = Arc::clone(shared);
    Server::begin::<Request, Reply>(
        &path,
        access,
        Arc::new(move |request, peer| shared.answer(request, peer)),
    )
    .map_err(|error| Stop::Failed(error.to_string()))
}

/// What the files say that count, as a number that changes with them.
fn fingerprint(places: &Places, args: &ServeArgs) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    look::policy_texts(places, &args.judge.policy.policy).hash(&mut hasher);
    match &args.judge.baseline {
        Some(path) => crate::files::read_named(path).hash(&mut hasher),
        None => places.baseline().hash(&mut hasher),
    }
    match &args.config {
        Some(path) => crate::files::read_named(path).hash(&mut hasher),
        None => places.settings().hash(&mut hasher),
    }
    hasher.finish()
}

fn ask(request: &Request) -> Result<Reply, Stop> {
    let asked = Client::find().and_then(|mut client| client.ask::<Request, Reply>(request));
    asked.map_err(|error: ControlError| Stop::Failed(error.to_string()))
}

/// `portreeve serve --status`.
fn status(args: &ServeArgs) -> Status {
    let Reply::Status(status) = ask(&Request::Status)? else {
        return Err(Stop::Failed(String::from("the service answered something else than its state")));
    };
    if args.json {
        let document = serde_json::json!({ "schema_version": 1, "service": status });
        write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
    } else {
        let head = format!(
            "portreeve {} (PID {}) since {}\n{}\n",
            status.version,
            status.pid,
            status.since,
            line(&status)
        );
        output::write(head.as_bytes())?;
        for trouble in status.troubles.iter().skip(1) {
            output::write(format!("{}\n", sanitise::line(trouble)).as_bytes())?;
        }
    }
    Ok(if status.troubles.is_empty() { 0 } else { 2 })
}
