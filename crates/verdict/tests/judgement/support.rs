//! Machines made by hand: snapshots, processes and sockets for tests of the judgement.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::*;
use portreeve_verdict::{Baseline, Facts, Judgement, Policy, judge};
use registry::Paper;

pub const HOST: u32 = 4_026_531_840;
pub const LAB: u32 = 4_026_532_999;
/// 2026-11-24.
pub const TODAY: i64 = 20_781;

/// A machine under construction.
pub struct Scene {
    pub snapshot: Snapshot,
    pub policy: Policy,
    pub baseline: Option<Baseline>,
    pub agreed: model::media::Agreement,
    pub used: portreeve_verdict::Used,
    pub paper: Paper,
    pub ourselves: Vec<u32>,
    next_inode: u64,
}

pub fn rules() -> PortRules {
    PortRules { unprivileged_start: 1024, ephemeral: 32_768..=60_999, reserved: Vec::new() }
}

pub fn namespace(inode: u32, name: &str) -> Namespace {
    Namespace {
        inode,
        name: name.to_owned(),
        own: inode == HOST,
        pid: Some(1),
        entered: true,
        rules: Seen::Value(rules()),
    }
}

impl Scene {
    pub fn new() -> Scene {
        Scene {
            snapshot: Snapshot {
                taken: Timestamp::from_ns(TODAY * 86_400 * 1_000_000_000),
                machine: Machine {
                    hostname: "harbour".to_owned(),
                    os: "linux",
                    kernel: "6.12".to_owned(),
                    privileged: true,
                },
                namespaces: vec![namespace(HOST, "host")],
                sockets: Vec::new(),
                processes: Vec::new(),
                forwards: Vec::new(),
                views: Views::SOCK_DIAG.and(Views::BPF),
                gaps: Vec::new(),
            },
            policy: Policy::default(),
            baseline: None,
            agreed: model::media::Agreement::default(),
            used: portreeve_verdict::Used::default(),
            paper: Paper::builtin(),
            ourselves: Vec::new(),
            next_inode: 1000,
        }
    }

    pub fn policy(mut self, text: &str) -> Scene {
        self.policy = portreeve_verdict::policy::parse("policy.toml", text).unwrap();
        self
    }

    /// Adds a process; the list stays in order of PID.
    pub fn process(&mut self, process: Process) -> u32 {
        let pid = process.pid;
        let at = self.snapshot.processes.partition_point(|other| other.pid < pid);
        self.snapshot.processes.insert(at, Arc::new(process));
        pid
    }

    /// Adds a socket and gives its index.
    pub fn socket(&mut self, kind: Kind, state: State, local: &str, pids: &[u32]) -> usize {
        let local: SocketAddr = local.parse().unwrap();
        self.next_inode += 1;
        let family = match local.ip() {
            _ if kind == Kind::Packet => Family::Link,
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(addr) if addr.is_unspecified() => Family::Dual,
            IpAddr::V6(_) => Family::V6,
        };
        self.snapshot.sockets.push(Socket {
            kind,
            family,
            local,
            peer: None,
            state,
            scope: Scope::of(local.ip(), false, false),
            interface: None,
            netns: HOST,
            inode: self.next_inode,
            cookie: self.next_inode,
            uid: Some(0),
            queued: Some(0),
            backlog: None,
            holders: pids
                .iter()
                .map(|pid| Holder { pid: *pid, tid: None, fd: Some(3), how: How::BpfIterator })
                .collect(),
            holders_missing: None,
            activation: None,
            seen_by: Views::SOCK_DIAG.and(Views::BPF),
            hidden_from: Views::default(),
        });
        self.snapshot.sockets.len() - 1
    }

    pub fn tcp(&mut self, local: &str, pids: &[u32]) -> usize {
        self.socket(Kind::Tcp, State::Listening, local, pids)
    }

    pub fn udp(&mut self, local: &str, pids: &[u32]) -> usize {
        self.socket(Kind::Udp, State::Listening, local, pids)
    }

    pub fn last(&mut self) -> &mut Socket {
        self.snapshot.sockets.last_mut().unwrap()
    }

    pub fn judge(&self) -> Judgement {
        judge(&Facts {
            snapshot: &self.snapshot,
            paper: &self.paper,
            policy: &self.policy,
            baseline: self.baseline.as_ref(),
            agreed: &self.agreed,
            used: &self.used,
            ourselves: &self.ourselves,
            today: TODAY,
        })
    }

    /// The codes that stand, each with its severity: `silent-port-in-use warning`.
    pub fn rings(&self) -> Vec<String> {
        self.judge().findings.iter().map(|f| format!("{} {}", f.code.name(), f.severity.name())).collect()
    }

    /// The codes that stand against one socket.
    pub fn rings_for(&self, socket: usize) -> Vec<&'static str> {
        self.judge()
            .findings
            .iter()
            .filter(|finding| finding.subjects.contains(&Subject::Socket(socket)))
            .map(|finding| finding.code.name())
            .collect()
    }
}

/// Compares findings in words with the file of this name beside the tests.
pub fn compare(name: &str, findings: &[Finding]) {
    let mut text = String::new();
    for finding in findings {
        text.push_str(&format!(
            "{} {} ({})\n  {}\n",
            finding.severity.name(),
            finding.code.name(),
            finding.confidence.name(),
            finding.title
        ));
        for piece in &finding.evidence {
            text.push_str(&format!("  - {} [{}]\n", piece.fact, piece.source));
        }
        text.push_str(&format!("  > {}\n\n", finding.next_step));
    }
    let path = format!("{}/tests/judgement/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    // What the tables of the registry say moves with their data.
    let of_tables =
        |line: &&str| ["IANA", "[silence table]", "History of misuse"].iter().any(|word| line.contains(word));
    let plain = |text: &str| text.lines().filter(|line| !of_tables(line)).collect::<Vec<_>>().join("\n");
    assert_eq!(plain(&text), plain(&expected), "UPDATE_EXPECT=1 writes the new words");
}

/// A packaged program of root's, in no unit.
pub fn process(pid: u32, exe: &str) -> Process {
    let comm: String = exe.rsplit('/').next().unwrap().chars().take(15).collect();
    Process {
        pid,
        comm,
        started: Seen::Value(Timestamp::from_ns(1_790_000_000_000_000_000)),
        exe: Seen::Value(Exe {
            path: exe.to_owned(),
            state: ExeState::Present,
            world_writable: false,
            temporary: exe.starts_with("/tmp/"),
            sha256: None,
        }),
        cmdline: Seen::Value(vec![exe.to_owned()]),
        cwd: Seen::Value("/".to_owned()),
        user: Seen::Value(User { uid: 0, name: Some("root".to_owned()) }),
        capabilities: Seen::Value(Capabilities {
            effective: u64::MAX,
            permitted: u64::MAX,
            bounding: u64::MAX,
        }),
        parents: vec![Parent { pid: 1, comm: "systemd".to_owned() }],
        unit: Seen::Absent,
        container: Seen::Absent,
        package: Seen::Value(Package {
            manager: Manager::Dpkg,
            name: exe.rsplit('/').next().unwrap().to_owned(),
            version: "1.0-1".to_owned(),
            integrity: Integrity::Intact,
        }),
        hidden_from_proc: false,
        preload: Seen::Value(Vec::new()),
    }
}

/// What tests change about a process.
pub trait With: Sized {
    fn user(self, uid: u32, name: &str) -> Self;
    fn unit(self, name: &str) -> Self;
    fn unpackaged(self) -> Self;
    fn state(self, state: ExeState) -> Self;
    fn in_container(self, name: &str, image: &str) -> Self;
}

impl With for Process {
    fn user(mut self, uid: u32, name: &str) -> Self {
        self.user = Seen::Value(User { uid, name: Some(name.to_owned()) });
        if uid != 0 {
            self.capabilities = Seen::Value(Capabilities::default());
        }
        self
    }

    fn unit(mut self, name: &str) -> Self {
        self.unit = Seen::Value(Unit { name: name.to_owned(), scope: UnitScope::System });
        self
    }

    fn unpackaged(mut self) -> Self {
        self.package = Seen::Absent;
        self
    }

    fn state(mut self, state: ExeState) -> Self {
        if let Seen::Value(exe) = &mut self.exe {
            exe.state = state;
        }
        self
    }

    fn in_container(mut self, name: &str, image: &str) -> Self {
        self.container = Seen::Value(Container {
            runtime: Runtime::Docker,
            id: "3f2a9c4e5b6d".repeat(5),
            name: Seen::Value(name.to_owned()),
            image: Seen::Value(image.to_owned()),
            pod: None,
        });
        self.package = Seen::Absent;
        self
    }
}
