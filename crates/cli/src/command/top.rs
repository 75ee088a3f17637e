//! `portreeve top`: the loop that waits for keys, changes, signals and the next second, and draws.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use engine::board::{Board, Change, Writer};
use engine::live::{Listening, Live, Sources};
use engine::{Grounds, Reading, View};
use host::capture::{Capture, CaptureError, CaptureRequest};
use host::events::{EventRequest, Events};
use host::privilege;
use model::Witness;
use ratatui::crossterm::event;

use super::media;
use super::watch::named;
use super::{Status, Stop};
use crate::args::{OutputArgs, TopArgs, TrafficArgs};
use crate::files::Places;
use crate::look;
use crate::output;
use crate::style::Style;
use crate::top::screen::Screen;
use crate::top::{Answer, App, Feed, Filter, Ink, Input, Manner};

/// How long the kernel may keep frames before we look at them.
const WAIT: Duration = Duration::from_millis(100);
/// Where the kernel tells what happens to sockets, the machine is looked at anew after so long in any case.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);
const JUDGE_EVERY: Duration = Duration::from_millis(500);
/// What changes is drawn at most this often; keys are answered at once.
const DRAW_AGAIN: Duration = Duration::from_millis(200);
/// The rates and the clock are drawn this often.
const SECOND: Duration = Duration::from_secs(1);
/// The addresses of this machine are asked for again after so long.
const ASK_ADDRESSES: Duration = Duration::from_secs(10);
/// Memory for flows, and for packets that wait to be read.
const MEMORY: u64 = 64 << 20;
const RING: usize = 8 << 20;
const SNAP: u32 = 262_144;
/// So many of the last flows are shown.
const MOST_FLOWS: usize = 50_000;

/// What woke the loop.
enum Wake {
    /// Something came from the terminal.
    Terminal(event::Event),
    /// The board says that something changed.
    Changed,
    /// Somebody asks us to end.
    #[cfg(unix)]
    End,
    /// Somebody asks us to stop for a while.
    #[cfg(unix)]
    Stop,
    /// We were stopped, and go on.
    #[cfg(unix)]
    Continued,
    /// We cannot go on.
    Failed(String),
}

pub(super) fn run(args: &TopArgs) -> Status {
    if !output::is_terminal() {
        return Err(Stop::Usage(String::from(
            "top needs a terminal to draw on; for a pipe or a file: portreeve list --watch 1, or portreeve watch",
        )));
    }
    let filter = args.what.join(" ");
    Filter::of_machine(&args.select(), &filter).map_err(Stop::Usage)?;
    let mut grounds = look::gather(&Places::find(), &args.judge);
    media::sessions::agree(&mut grounds, &media::sessions::at_once(&args.sessions.agreed))?;
    let traffic = TrafficArgs { memory: MEMORY, ..TrafficArgs::default() };
    let mut reading = super::read::reading(&traffic, 1, &grounds)?;
    reading.media = media::sessions::settings_followed(&args.sessions, &grounds.policy)?;

    let (mut sources, mut notices) = open(args)?;
    // Who looks at processes of others must stay who he is: root's files in /proc are root's.
    let (keep, account) =
        if args.no_sockets { (0, privilege::invoker()) } else { (privilege::LOOKING, None) };
    if let Err(error) = privilege::give_up(keep, account.as_ref())
        && cfg!(target_os = "linux")
    {
        notices.push(format!("privileges were kept: {error}"));
    }
    sources.registries = media::sessions::follow(&args.sessions.agreed.nmos)?;
    let manner = Manner {
        ink: Ink { colours: colours(args) },
        select: args.select(),
        filter,
        notice: notices.join("; "),
    };
    let board = Arc::new(Board::new(Arc::new(nothing_known(&grounds))));
    let (to, wakes) = sync_channel(64);
    let ended = Arc::new(AtomicBool::new(false));
    let changed = Arc::new(AtomicBool::new(false));
    watch(sources, listening(args, reading), grounds, (&board, &to, &ended));
    hear_changes(&board, &to, &changed);

    let mut screen = Screen::begin().map_err(failed)?;
    hear_signals(&to).map_err(failed)?;
    hear_terminal(&to);
    let app = App::new(manner, board.current(), host::now());
    let status = Loop { app, board, wakes, changed, last: 0, asked: None }.run(&mut screen);
    ended.store(true, Ordering::Relaxed);
    drop(screen);
    status
}

fn failed(error: io::Error) -> Stop {
    Stop::Failed(format!("cannot use the terminal: {error}"))
}

fn colours(args: &TopArgs) -> bool {
    output::form(&OutputArgs { color: args.color, ..OutputArgs::default() }).style != Style::PLAIN
}

fn nothing_known(grounds: &Grounds) -> View {
    let nothing = model::Snapshot {
        taken: host::now(),
        machine: model::Machine::default(),
        namespaces: Vec::new(),
        sockets: Vec::new(),
        processes: Vec::new(),
        forwards: Vec::new(),
        views: model::Views::default(),
        gaps: Vec::new(),
    };
    View::judged(Arc::new(nothing), grounds.paper.clone(), Vec::new(), Vec::new())
}

/// Opens what may be opened. What may not be is said on the screen, and the rest is shown.
fn open(args: &TopArgs) -> Result<(Sources, Vec<String>), Stop> {
    let mut notices = Vec::new();
    // Where looks have to be compared, those for the screen are often enough.
    let request = EventRequest { look_every: args.interval, ..EventRequest::default() };
    let events = (!args.no_sockets).then(|| Events::open(&request));
    if args.no_sockets {
        notices.push(String::from("sockets are not looked at"));
    }
    let request = CaptureRequest {
        interfaces: named(&args.interface),
        ring_bytes: RING,
        snap_bytes: SNAP,
        promiscuous: false,
        filters: Vec::new(),
        netns: None,
        workers: 1,
    };
    let capture = match (!args.no_packets).then(|| Capture::open(&request)) {
        Some(Ok(capture)) => Some(capture),
        Some(Err(error)) => {
            // Who named an interface that is not there means another one; who wants packets alone has nothing else.
            let named = matches!(error, CaptureError::NoInterface { .. });
            if args.no_sockets || named {
                return Err(Stop::Failed(error.to_string()));
            }
            notices.push(format!("no packets: {error}"));
            None
        }
        None => None,
    };
    Ok((Sources { capture, events, ..Sources::default() }, notices))
}

fn listening(args: &TopArgs, reading: Reading) -> Listening {
    Listening {
        reading,
        netns: None,
        look: !args.no_sockets,
        judge_looks: true,
        look_every: args.interval,
        look_again_after: args.interval,
        judge_every: JUDGE_EVERY,
    }
}

/// Watches in a thread of its own, which writes on the board.
fn watch(
    sources: Sources,
    mut listening: Listening,
    grounds: Grounds,
    (board, to, ended): (&Arc<Board>, &SyncSender<Wake>, &Arc<AtomicBool>),
) {
    let told = sources.events.as_ref().is_some_and(|events| {
        events.witness() == Witness::Kernel && events.sources().iter().any(|it| it.fault.is_none())
    });
    if told {
        listening.look_every = listening.look_every.max(LOOK_ANYWAY);
    }
    let (board, to, ended) = (Arc::clone(board), to.clone(), Arc::clone(ended));
    thread::spawn(move || {
        let watching = thread::spawn(move || -> io::Result<()> {
            let mut writer = Writer(Arc::clone(&board));
            let mut live = Live::begin(sources, listening, grounds, None, &mut writer)?;
            while !ended.load(Ordering::Relaxed) {
                live.turn(WAIT, &mut writer)?;
                board.tell_state(live.interfaces(), live.witness(), live.event_counts());
            }
            Ok(())
        });
        let why = match watching.join() {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("cannot go on watching: {error}"),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                format!("a fault of ours ended the watching: {text}")
            }
        };
        let _ = to.send(Wake::Failed(why));
    });
}

/// Wakes the loop when something changes; not again before it has looked.
fn hear_changes(board: &Arc<Board>, to: &SyncSender<Wake>, changed: &Arc<AtomicBool>) {
    let (board, to, changed) = (Arc::clone(board), to.clone(), Arc::clone(changed));
    thread::spawn(move || {
        let mut last = 0;
        loop {
            if board.last_change() == last {
                board.changes_after(last, Duration::from_secs(60));
            }
            let now = board.last_change();
            if now == last {
                continue;
            }
            last = now;
            if !changed.swap(true, Ordering::AcqRel) && to.send(Wake::Changed).is_err() {
                return;
            }
            // What comes meanwhile is drawn together.
            thread::park_timeout(DRAW_AGAIN);
        }
    });
}

fn hear_terminal(to: &SyncSender<Wake>) {
    let to = to.clone();
    thread::spawn(move || {
        loop {
            let wake = match event::read() {
                Ok(event) => Wake::Terminal(event),
                Err(error) => Wake::Failed(format!("cannot read from the terminal: {error}")),
            };
            let ends = matches!(wake, Wake::Failed(_));
            if to.send(wake).is_err() || ends {
                return;
            }
        }
    });
}

#[cfg(unix)]
fn hear_signals(to: &SyncSender<Wake>) -> io::Result<()> {
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT])?;
    let to = to.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            let wake = match signal {
                SIGTSTP => Wake::Stop,
                SIGCONT => Wake::Continued,
                _ => Wake::End,
            };
            if to.send(wake).is_err() {
                return;
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn hear_signals(_: &SyncSender<Wake>) -> io::Result<()> {
    Ok(())
}

struct Loop {
    app: App,
    board: Arc<Board>,
    wakes: Receiver<Wake>,
    changed: Arc<AtomicBool>,
    /// The last change that was taken over.
    last: u64,
    /// When the addresses were asked for.
    asked: Option<Instant>,
}

impl Loop {
    fn run(mut self, screen: &mut Screen) -> Status {
        self.take_changes();
        screen.draw(&mut self.app).map_err(failed)?;
        let mut drawn = Instant::now();
        let mut waits = false;
        // We stopped ourselves and have the terminal again; the signal that woke us is still to be heard of.
        #[cfg(unix)]
        let mut woken = false;
        loop {
            let next = if waits { DRAW_AGAIN } else { SECOND };
            let mut draw = false;
            match self.wakes.recv_timeout(next.saturating_sub(drawn.elapsed())) {
                Ok(Wake::Terminal(event)) => {
                    // Another size is drawn, too, and what is no key of ours does no harm.
                    draw = true;
                    match Input::of(&event).map(|input| self.app.handle(input)) {
                        None | Some(Answer::On) => {}
                        Some(Answer::Quit) => return Ok(0),
                        Some(Answer::Suspend) => {
                            stop(screen).map_err(failed)?;
                            #[cfg(unix)]
                            {
                                woken = true;
                            }
                        }
                        Some(Answer::Redraw) => screen.clear().map_err(failed)?,
                    }
                }
                Ok(Wake::Changed) => waits = true,
                #[cfg(unix)]
                Ok(Wake::End) => return Ok(0),
                #[cfg(unix)]
                Ok(Wake::Stop) => {
                    stop(screen).map_err(failed)?;
                    (draw, woken) = (true, true);
                }
                #[cfg(unix)]
                Ok(Wake::Continued) => {
                    if !std::mem::take(&mut woken) {
                        screen.take_again().map_err(failed)?;
                    }
                    draw = true;
                }
                Ok(Wake::Failed(why)) => return Err(Stop::Failed(why)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
            let late = drawn.elapsed();
            let other = self.app.tick(host::now());
            draw |= other || late >= SECOND;
            if waits && (draw || late >= DRAW_AGAIN) {
                self.take_changes();
                (waits, draw) = (false, true);
            }
            if draw {
                screen.draw(&mut self.app).map_err(failed)?;
                drawn = Instant::now();
            }
        }
    }

    /// Takes over what is new on the board.
    fn take_changes(&mut self) {
        self.changed.store(false, Ordering::Release);
        let changes = self.board.changes_after(self.last, Duration::ZERO);
        if let Some((number, _)) = changes.changes.last() {
            self.last = *number;
        }
        let list: Vec<Change> = changes.changes.into_iter().map(|(_, change)| change).collect();
        let has_flows = list.iter().any(|change| matches!(change, Change::Flow(_)));
        let addresses = self.addresses();
        self.app.feed(Feed {
            current: self.board.current(),
            missed: changes.missed,
            flows: has_flows.then(|| self.board.flows(MOST_FLOWS)),
            addresses,
            changes: list,
        });
    }

    /// The addresses of this machine, where it is time to ask for them.
    fn addresses(&mut self) -> Option<Vec<IpAddr>> {
        if self.asked.is_some_and(|asked| asked.elapsed() < ASK_ADDRESSES) {
            return None;
        }
        self.asked = Some(Instant::now());
        let interfaces = host::interfaces().ok()?;
        Some(interfaces.into_iter().flat_map(|it| it.addresses).map(|(address, _)| address).collect())
    }
}

/// Stops until somebody wants us again, with the terminal as it was.
fn stop(screen: &mut Screen) -> io::Result<()> {
    #[cfg(unix)]
    {
        screen.leave();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        screen.take_again()
    }
    #[cfg(not(unix))]
    {
        let _ = screen;
        Ok(())
    }
}
