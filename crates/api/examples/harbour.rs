//! A server to look at and to measure: of this machine as it is, or of one that is made up and full.
//!
//! `harbour 127.0.0.1:7420 FOLDER` watches this machine; `harbour ADDRESS FOLDER full` has 5,000 ports, 50,000 flows and
//! 200 streams, and with `churn` for `full` a thousand things happen to clients' sockets there every second. A token for each scope is written into the folder.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "an example ends where it cannot go on")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::board::{Board, Change, Writer};
use engine::live::{Audience, Listening, Live, Sources};
use engine::{Grounds, MediaSettings, OwnedFlow, Paper, Reading, Sighting, TrafficView, View};
use model::{
    Code, Direction, Exe, ExeState, Family, Flow, FlowState, Holder, How, Kind, Machine, Process, Recognised,
    Scope as Reach, Seen, Snapshot, Socket, State, Tally, Transport, User, Views,
};
use portreeve_api::access::{Scope, Tokens};
use portreeve_api::{ApiSettings, Decision, Keeper, KeptFinding, Refusal, Server, Standing};

/// Remembers decisions until it ends.
#[derive(Default)]
struct Memory(Mutex<Vec<KeptFinding>>, Mutex<Option<Arc<Board>>>);

impl Keeper for Memory {
    fn findings(&self) -> Vec<KeptFinding> {
        self.0.lock().unwrap().clone()
    }

    fn acknowledge(&self, code: Code, about: &str, decision: Decision) -> Result<(), Refusal> {
        let board = self.1.lock().unwrap().clone().expect("the board is there before anybody asks");
        let machine = board.current().machine;
        let found = machine
            .findings
            .iter()
            .find(|it| it.code == code && engine::about::on_machine(&machine.snapshot, it) == about);
        let finding = found.cloned().ok_or_else(|| Refusal::Unknown(String::from("it stands no more")))?;
        let sighting = Sighting { at: decision.at, about: about.to_owned(), finding };
        let mut kept = self.0.lock().unwrap();
        kept.retain(|it| (it.sighting.finding.code, it.sighting.about.as_str()) != (code, about));
        kept.push(KeptFinding {
            first: decision.at,
            sighting,
            standing: Standing::Acknowledged,
            decision: Some(decision),
        });
        Ok(())
    }

    fn reopen(&self, code: Code, about: &str, _: &str) -> Result<(), Refusal> {
        self.0
            .lock()
            .unwrap()
            .retain(|it| (it.sighting.finding.code, it.sighting.about.as_str()) != (code, about));
        Ok(())
    }
}

fn process(pid: u32) -> Process {
    Process {
        pid,
        comm: format!("server-{pid}"),
        started: Seen::Absent,
        exe: Seen::Value(Exe {
            path: format!("/usr/sbin/server-{pid}"),
            state: ExeState::Present,
            world_writable: false,
            temporary: false,
            sha256: None,
        }),
        cmdline: Seen::Value(vec![format!("server-{pid}"), String::from("-D")]),
        cwd: Seen::Absent,
        user: Seen::Value(User { uid: 0, name: Some(String::from("root")) }),
        capabilities: Seen::Absent,
        parents: Vec::new(),
        unit: Seen::Absent,
        container: Seen::Absent,
        package: Seen::Absent,
        hidden_from_proc: false,
        preload: Seen::Absent,
    }
}

fn socket(port: u16) -> Socket {
    Socket {
        kind: Kind::Tcp,
        family: Family::V4,
        local: ([0, 0, 0, 0], port).into(),
        peer: None,
        state: State::Listening,
        scope: Reach::Any,
        interface: None,
        netns: 1,
        inode: u64::from(port),
        cookie: 1,
        uid: Some(0),
        queued: None,
        backlog: None,
        holders: vec![Holder { pid: 1000 + u32::from(port % 200), tid: None, fd: Some(3), how: How::ProcFd }],
        holders_missing: None,
        activation: None,
        seen_by: Views::SOCK_DIAG,
        hidden_from: Views::default(),
    }
}

fn full() -> Arc<Board> {
    let snapshot = Snapshot {
        taken: engine::now(),
        machine: Machine {
            hostname: String::from("harbour"),
            os: "linux",
            kernel: String::from("6.18"),
            privileged: true,
        },
        namespaces: Vec::new(),
        sockets: (1..=5000).map(socket).collect(),
        processes: (1000..1200).map(|pid| Arc::new(process(pid))).collect(),
        forwards: Vec::new(),
        views: Views::SOCK_DIAG,
        gaps: Vec::new(),
    };
    let board = Arc::new(Board::new(Arc::new(Grounds::default().judge(snapshot))));
    for at in 0..50_000_u32 {
        let [_, a, b, c] = at.to_be_bytes();
        let flow = Flow {
            transport: Transport::Tcp,
            client: ([10, a, b, c], 40_000).into(),
            server: ([192, 0, 2, 1], u16::try_from(at % 5000).unwrap() + 1).into(),
            direction: Direction::Opened,
            state: FlowState::Closed,
            tally: Tally { client_packets: 10, server_packets: 12, client_bytes: 1000, server_bytes: 9000 },
            first: Some(engine::now()),
            last: Some(engine::now()),
            frame: 1,
            recognised: Recognised::nothing(model::Appearance::Binary),
            vlan: None,
            tunnel: String::new(),
            ttl: 64,
            dscp: 0,
            icmp_errors: 0,
            retransmissions: 0,
            missing_bytes: 0,
            community_id: String::from("1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="),
        };
        board.change(Change::Flow(Arc::new(OwnedFlow::from(flow))));
    }
    let streams = (0..200_u8).map(stream).collect();
    let media = model::media::Media { streams, ..Default::default() };
    let traffic = model::Traffic { media, ..Default::default() };
    let view = TrafficView::judged(traffic, Paper::builtin(), Vec::new(), Vec::new());
    Writer(Arc::clone(&board)).traffic(&Arc::new(view));
    board
}

fn stream(at: u8) -> model::media::Stream {
    let mut reception = model::media::reception::ReceptionFacts {
        packets: 100_000 - u64::from(at),
        expected: 100_000,
        lost: u64::from(at),
        ..Default::default()
    };
    (1..100).for_each(|time| reception.interval_histogram.add(time * 100));
    let leg = model::media::StreamLeg {
        source: ([192, 0, 2, 9], 5004).into(),
        destination: ([239, 1, 1, at], 5004).into(),
        vlan: None,
        ttl: 16,
        dscp: 34,
        reception,
        shaping: None,
        timing: None,
    };
    model::media::Stream {
        ssrc: u32::from(at),
        payload_type: 96,
        frame: 1,
        format: None,
        assumed: Vec::new(),
        session: None,
        legs: vec![leg],
        hitless: None,
        video: None,
        compressed: None,
        audio: None,
        ancillary: None,
        metadata: None,
        text: None,
        faults: Vec::new(),
    }
}

/// A hundred clients come and go, and one server comes.
fn churn(board: &Board, round: u32) {
    let happens = |happened, kind, port: u32| {
        let event = model::SocketEvent {
            at: engine::now(),
            happened,
            witness: model::Witness::Kernel,
            kind,
            family: Family::V4,
            local: ([0, 0, 0, 0], u16::try_from(port).unwrap()).into(),
            interface: None,
            netns: 1,
            cookie: 0,
            uid: Some(0),
            holder: Seen::Value(Arc::new(process(1000))),
            tid: None,
            cgroup: None,
            lived_ns: None,
        };
        board.change(Change::Socket(Arc::new(event)));
    };
    for client in 0..50 {
        let port = 40_000 + (round * 50 + client) % 20_000;
        happens(model::Happened::AutoBound, Kind::Udp, port);
        happens(model::Happened::Closed, Kind::Udp, port);
    }
    happens(model::Happened::Listening, Kind::Tcp, 5001 + round % 1000);
}

/// The loop's audience: the board, which is made when the first look is there.
struct Shown(Option<Arc<Board>>);

impl Audience for Shown {
    fn found(&mut self, found: engine::live::Found<'_>) {
        if let Some(board) = &self.0 {
            Writer(Arc::clone(board)).found(found);
        }
    }

    fn events(&mut self, events: &[Arc<model::SocketEvent>]) {
        if let Some(board) = &self.0 {
            Writer(Arc::clone(board)).events(events);
        }
    }

    fn over(&mut self, over: &[Arc<engine::Sighting>]) {
        if let Some(board) = &self.0 {
            Writer(Arc::clone(board)).over(over);
        }
    }

    fn looked(&mut self, view: &Arc<View>) {
        let board = self.0.get_or_insert_with(|| Arc::new(Board::new(Arc::clone(view))));
        Writer(Arc::clone(board)).looked(view);
    }
}

fn watch() -> (Live, Shown) {
    let listening = Listening {
        reading: Reading {
            filter: None,
            memory_bytes: 64 << 20,
            workers: 1,
            seed: 1,
            media: MediaSettings::default(),
        },
        netns: None,
        look: true,
        judge_looks: true,
        look_every: Duration::from_secs(1),
        look_again_after: Duration::from_millis(500),
        judge_every: Duration::from_secs(1),
    };
    let mut shown = Shown(None);
    let live = Live::begin(Sources::default(), listening, Grounds::default(), None, &mut shown).unwrap();
    (live, shown)
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| String::from("127.0.0.1:7420")).parse().unwrap();
    let folder = std::path::PathBuf::from(arguments.next().unwrap_or_else(|| String::from(".")));
    let made_up = arguments.next();
    let full_machine = made_up.is_some();
    let tokens = folder.join("tokens.json");
    let mut known = Tokens::open(&tokens).unwrap();
    for scope in Scope::ALL {
        let (_, text) = known.issue(scope.name(), scope).unwrap();
        std::fs::write(folder.join(scope.name()), text).unwrap();
    }
    let settings = ApiSettings { listen, tokens, requests_per_second: 100_000, ..ApiSettings::default() };
    let keeper = Arc::new(Memory::default());
    let mut watching = if full_machine { None } else { Some(watch()) };
    let board = watching.as_ref().map_or_else(full, |(_, shown)| shown.0.clone().unwrap());
    *keeper.1.lock().unwrap() = Some(Arc::clone(&board));
    let _server = Server::begin(settings, Arc::clone(&board), keeper).unwrap();
    for round in 0.. {
        match &mut watching {
            Some((live, shown)) => live.turn(Duration::from_millis(100), shown).unwrap(),
            None if made_up.as_deref() == Some("churn") => {
                churn(&board, round);
                std::thread::park_timeout(Duration::from_millis(100));
            }
            None => std::thread::park(),
        }
    }
}
