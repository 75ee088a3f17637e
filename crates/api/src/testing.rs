//! A server for tests: a small machine with one of everything, a keeper that remembers, and a client that hides nothing.

mod auth;
mod contrib;
mod hostile;
mod served;
mod tls;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::board::{Board, Change};
use engine::store::{
    GapRecord, HolderName, Moment, Record, Records, SessionRecord, SocketRecord, StreamRecord, TouchRecord,
    What,
};
use engine::{OwnedFlow, Paper, Sighting, TrafficView, View};
use model::media::{Media, Stream, StreamLeg};
use model::{
    Code, Confidence, DecoyLevel, Detail, Direction, Evidence, Exe, ExeState, Family, Finding, Flow,
    FlowState, Holder, How, Kind, Machine, Process, Recognised, Scope, Seen, Severity, Snapshot, Socket,
    State, Subject, Tally, Timestamp, Transport, User, Views,
};

use crate::access::{self, Tokens};
use crate::keeper::{
    Decision, DecoyStanding, Keeper, KeptFinding, PolicyText, Proposal, Proposed, Query, Refusal, Standing,
};
use crate::{ApiSettings, Server};

/// Remembers what is decided, in memory.
#[derive(Default)]
pub(crate) struct Memory {
    kept: Mutex<HashMap<(Code, String), KeptFinding>>,
    proposals: Mutex<Vec<Proposal>>,
    evil: &'static str,
}

impl Keeper for Memory {
    fn history(&self, query: &Query) -> Result<Records, Refusal> {
        let all = (0..12_u64).rev().map(|number| Record {
            number,
            at: Moment(Timestamp::from_ns(i64::try_from(number).unwrap() * 1_000_000_000)),
            what: happened(number, self.evil),
        });
        let fits = |record: &Record| {
            query.after.is_none_or(|after| record.number < after)
                && (query.kinds.is_empty() || query.kinds.contains(&record.what.name()))
        };
        let mut records: Vec<Record> = all.filter(fits).take(query.most + 1).collect();
        let more = records.len() > query.most;
        records.truncate(query.most);
        let next = records.last().filter(|_| more).map(|it| it.number);
        Ok(Records { records, next })
    }

    fn findings(&self) -> Vec<KeptFinding> {
        self.kept.lock().unwrap().values().cloned().collect()
    }

    fn acknowledge(&self, code: Code, about: &str, decision: Decision) -> Result<(), Refusal> {
        let sighting = Sighting {
            at: decision.at,
            about: about.to_owned(),
            finding: Finding { code, ..finding(0, self.evil) },
        };
        let kept = KeptFinding {
            first: decision.at,
            sighting,
            standing: Standing::Acknowledged,
            decision: Some(decision),
        };
        self.kept.lock().unwrap().insert((code, about.to_owned()), kept);
        Ok(())
    }

    fn reopen(&self, code: Code, about: &str, _: &str) -> Result<(), Refusal> {
        let mut kept = self.kept.lock().unwrap();
        let found = kept.get_mut(&(code, about.to_owned()));
        found.ok_or_else(|| Refusal::Unknown(String::from("nothing was decided")))?.standing = Standing::Open;
        Ok(())
    }

    fn policies(&self) -> Vec<PolicyText> {
        vec![PolicyText { name: self.evil.to_owned(), text: self.evil.to_owned() }]
    }

    fn proposals(&self) -> Vec<Proposal> {
        self.proposals.lock().unwrap().clone()
    }

    fn propose(&self, proposed: Proposed) -> Result<Proposal, Refusal> {
        let proposal = Proposal { proposed, file: self.evil.to_owned(), command: self.evil.to_owned() };
        self.proposals.lock().unwrap().push(proposal.clone());
        Ok(proposal)
    }

    fn decoys(&self) -> Vec<DecoyStanding> {
        let trouble = Some(self.evil.to_owned());
        vec![DecoyStanding {
            transport: Transport::Tcp,
            port: 420,
            level: DecoyLevel::Observe,
            trouble,
            touches: 3,
        }]
    }
}

/// One of each kind, by number.
fn happened(number: u64, words: &str) -> What {
    let text = || words.to_owned();
    let address = "192.0.2.1".parse().unwrap();
    match number % 6 {
        0 => What::Socket(Box::new(SocketRecord {
            happened: String::from("listening"),
            witness: String::from("kernel"),
            kind: String::from("tcp"),
            address,
            port: 420,
            netns: text(),
            uid: Some(0),
            pid: Some(900),
            holder: Some(HolderName {
                program: text(),
                exe: Some(text()),
                exe_state: String::from("present"),
                command_line: text(),
                uid: Some(0),
                user: Some(text()),
                unit: None,
                container: None,
                image: None,
                package: None,
            }),
            cgroup: None,
            lived_ns: Some(7_000_000_000),
        })),
        1 => What::Touch(TouchRecord {
            transport: String::from("tcp"),
            peer: address,
            peer_port: 50_000,
            address,
            port: 420,
            netns: String::new(),
            level: String::from("greet"),
            connected: true,
            received_bytes: 4,
            sent_bytes: 0,
            first_bytes: String::from("00010203"),
            recognised: Some(text()),
            lasted_ns: 1,
        }),
        2 => What::Gap(GapRecord { area: text(), reason: text(), what: text(), count: Some(2) }),
        3 => What::Finding {
            change: String::from("opened"),
            id: String::from("0123456789"),
            code: Some(text()),
            title: Some(text()),
        },
        4 => What::Session(SessionRecord {
            ended: true,
            name: text(),
            source: text(),
            destinations: vec![String::from("239.1.0.0:5004")],
        }),
        _ => What::Stream(StreamRecord {
            ssrc: 1,
            source: text(),
            destination: String::from("239.1.0.0:5004"),
            format: text(),
            packets: 1,
            lost: 0,
            faults: 0,
            seen: None,
        }),
    }
}

pub(crate) fn finding(subject: usize, words: &str) -> Finding {
    Finding {
        code: Code::SilentPortInUse,
        severity: Severity::Warning,
        confidence: Confidence::High,
        subjects: vec![Subject::Socket(subject)],
        title: format!("420/tcp is held by {words}"),
        evidence: vec![Evidence { fact: format!("fact {words}"), source: format!("source {words}") }],
        next_step: format!("look at {words}"),
    }
}

fn process(pid: u32, name: &str) -> Process {
    Process {
        pid,
        comm: name.to_owned(),
        started: Seen::Value(Timestamp::from_ns(1_795_484_580_000_000_000)),
        exe: Seen::Value(Exe {
            path: format!("/usr/bin/{name}"),
            state: ExeState::Present,
            world_writable: false,
            temporary: false,
            sha256: None,
        }),
        cmdline: Seen::Value(vec![name.to_owned()]),
        cwd: Seen::Absent,
        user: Seen::Value(User { uid: 0, name: Some(name.to_owned()) }),
        capabilities: Seen::Absent,
        parents: vec![model::Parent { pid: 1, comm: name.to_owned() }],
        unit: Seen::Value(model::Unit { name: name.to_owned(), scope: model::UnitScope::System }),
        container: Seen::Hidden(model::Reason::NoPermission),
        package: Seen::Value(model::Package {
            manager: model::Manager::Dpkg,
            name: name.to_owned(),
            version: name.to_owned(),
            integrity: model::Integrity::Intact,
        }),
        hidden_from_proc: false,
        preload: Seen::Absent,
    }
}

pub(crate) fn socket(port: u16, pid: u32) -> Socket {
    Socket {
        kind: Kind::Tcp,
        family: Family::V4,
        local: format!("0.0.0.0:{port}").parse().unwrap(),
        peer: None,
        state: State::Listening,
        scope: Scope::Any,
        interface: None,
        netns: 1,
        inode: u64::from(port),
        cookie: 1,
        uid: Some(0),
        queued: None,
        backlog: None,
        holders: vec![Holder { pid, tid: None, fd: Some(3), how: How::ProcFd }],
        holders_missing: None,
        activation: None,
        seen_by: Views::SOCK_DIAG,
        hidden_from: Views::default(),
    }
}

/// A machine whose strangers all have the same name.
pub(crate) fn view(name: &str, ports: &[u16]) -> View {
    let snapshot = Snapshot {
        taken: Timestamp::from_ns(1_795_484_590_000_000_000),
        machine: Machine {
            hostname: name.to_owned(),
            os: "linux",
            kernel: name.to_owned(),
            privileged: true,
        },
        namespaces: Vec::new(),
        sockets: ports.iter().map(|port| socket(*port, 900)).collect(),
        processes: vec![Arc::new(process(900, name))],
        forwards: Vec::new(),
        views: Views::SOCK_DIAG,
        gaps: vec![model::Gap {
            area: model::Area::Sockets,
            reason: model::Reason::Exited,
            what: name.to_owned(),
            count: None,
        }],
    };
    View::judged(Arc::new(snapshot), Paper::builtin(), vec![finding(0, name)], Vec::new())
}

pub(crate) fn recognised(words: &str) -> Recognised {
    let mut recognised = Recognised::nothing(model::Appearance::Text);
    recognised.details = vec![Detail { name: "sni", value: words.to_owned() }];
    recognised
}

pub(crate) fn flow(port: u16, words: &str) -> OwnedFlow {
    OwnedFlow::from(Flow {
        transport: Transport::Tcp,
        client: "192.0.2.7:50000".parse().unwrap(),
        server: format!("192.0.2.1:{port}").parse().unwrap(),
        direction: Direction::Opened,
        state: FlowState::Closed,
        tally: Tally { client_packets: 3, server_packets: 2, client_bytes: 300, server_bytes: 200 },
        first: Some(Timestamp::from_ns(1)),
        last: Some(Timestamp::from_ns(2)),
        frame: 1,
        recognised: recognised(words),
        vlan: None,
        tunnel: String::new(),
        ttl: 64,
        dscp: 0,
        icmp_errors: 0,
        retransmissions: 0,
        missing_bytes: 0,
        community_id: String::from("1:x"),
    })
}

pub(crate) fn stream(at: u16) -> Stream {
    let mut reception = model::media::reception::ReceptionFacts {
        packets: 990,
        expected: 1000,
        lost: 10,
        ..Default::default()
    };
    reception.interval_histogram.add(1000);
    let leg = StreamLeg {
        source: "192.0.2.9:5004".parse().unwrap(),
        destination: format!("239.1.{}.{}:5004", at / 250, at % 250).parse().unwrap(),
        vlan: None,
        ttl: 16,
        dscp: 0,
        reception,
        shaping: None,
        timing: None,
    };
    Stream {
        ssrc: u32::from(at),
        payload_type: 96,
        frame: 1,
        format: None,
        assumed: Vec::new(),
        session: Some(0),
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

/// The id of the only leg of a stream of [`stream`].
pub(crate) fn leg_of(at: u16) -> String {
    crate::document::stream_id(&stream(at))
}

pub(crate) fn traffic(words: &str, streams: u16) -> TrafficView {
    let session = model::media::Session {
        name: words.to_owned(),
        identity: words.to_owned(),
        source: model::media::SessionSource::File(words.to_owned()),
        formats: Vec::new(),
        legs: vec![model::media::Leg {
            destination: "239.1.0.0:5004".parse().unwrap(),
            sources: model::media::Sources::Any,
            rtcp: None,
            ttl: None,
        }],
        reference: None,
        media_clock: None,
        first: None,
        last: None,
        ended: None,
    };
    let service = model::Service {
        server: "192.0.2.1:420".parse().unwrap(),
        transport: Transport::Tcp,
        recognised: recognised(words),
        direction: Direction::Opened,
        answered: true,
        flows: 1,
        tally: Tally::default(),
        first: None,
        last: None,
        clients: 1,
        some_clients: Vec::new(),
        frames: Vec::new(),
    };
    let traffic = model::Traffic {
        services: vec![service],
        media: Media {
            sessions: vec![session],
            streams: (0..streams).map(stream).collect(),
            ..Media::default()
        },
        ..model::Traffic::default()
    };
    TrafficView::judged(traffic, Paper::builtin(), Vec::new(), Vec::new())
}

/// A server with its board, and tokens of every scope.
pub(crate) struct Place {
    pub(crate) server: Server,
    pub(crate) board: Arc<Board>,
    pub(crate) tokens: HashMap<&'static str, String>,
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new(words: &'static str, change: impl FnOnce(&mut ApiSettings)) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let board = Arc::new(Board::new(Arc::new(view(words, &[420, 22]))));
        let mut settings = ApiSettings {
            listen: "127.0.0.1:0".parse().unwrap(),
            tokens: folder.path().join("tokens.json"),
            same_user: false,
            requests_per_second: 10_000,
            ..ApiSettings::default()
        };
        change(&mut settings);
        let mut known = Tokens::open(&settings.tokens).unwrap();
        let mut tokens = HashMap::new();
        for scope in access::Scope::ALL {
            tokens.insert(scope.name(), known.issue(scope.name(), scope).unwrap().1);
        }
        let keeper = Memory { evil: words, ..Memory::default() };
        let server = Server::begin(settings, Arc::clone(&board), Arc::new(keeper)).unwrap();
        let place = Place { server, board, tokens, folder };
        place.judge_traffic(words, 2);
        place.board.change(Change::Flow(Arc::new(flow(420, words))));
        place
    }

    /// Puts traffic on the board, as the loop does.
    pub(crate) fn judge_traffic(&self, words: &str, streams: u16) {
        use engine::live::Audience as _;
        engine::board::Writer(Arc::clone(&self.board)).traffic(&Arc::new(traffic(words, streams)));
    }

    pub(crate) fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// Asks, with nothing but these headers.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if method != "GET" && !headers.iter().any(|(name, _)| *name == "Content-Length") {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // Whoever is refused early need not take the rest.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Reply::of(&bytes)
    }

    /// Asks with the token of a scope.
    pub(crate) fn with(&self, scope: &str, method: &str, path: &str, body: &str) -> Reply {
        let (host, token) = (self.host(), format!("Bearer {}", self.tokens[scope]));
        let headers = [
            ("Host", host.as_str()),
            ("Authorization", token.as_str()),
            ("Content-Type", "application/json"),
        ];
        self.ask(method, path, &headers, body.as_bytes())
    }

    /// The lines of an event stream.
    pub(crate) fn listen(&self, query: &str) -> impl Iterator<Item = String> + use<> {
        self.listen_with(query, "")
    }

    /// The same, asked for with another header.
    pub(crate) fn listen_with(&self, query: &str, header: &str) -> impl Iterator<Item = String> + use<> {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (host, token) = (self.host(), &self.tokens["read"]);
        write!(stream, "GET /api/v1/events?{query} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{header}\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        assert!(lines.next().unwrap().contains("200"));
        assert!(lines.find(|line| line.is_empty()).is_some());
        lines
    }

    pub(crate) fn read(&self, path: &str) -> Reply {
        self.with("read", "GET", path, "")
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    fn of(bytes: &[u8]) -> Reply {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = if head.to_lowercase().contains("transfer-encoding: chunked") {
            unchunk(body)
        } else {
            body.to_owned()
        };
        Reply { status, head: head.to_owned(), body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(it, _)| it.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn unchunk(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            break;
        }
        let (chunk, after) = rest.split_at_checked(length).unwrap();
        out.push_str(chunk);
        body = after.strip_prefix("\r\n").unwrap();
    }
    out
}
