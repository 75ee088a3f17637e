//! A small machine for tests: one of everything that a face must show.

pub(crate) mod traffic;

use std::sync::Arc;

use engine::View;
use model::{
    Activation, Area, Capabilities, Code, Confidence, Container, Evidence, Exe, ExeState, Family, Finding,
    Forward, Gap, Holder, How, Integrity, Interface, Kind, Machine, Manager, Namespace, Package, Parent,
    PortRules, Process, Reason, Runtime, Scope, Seen, Severity, Snapshot, Socket, State, Subject, Timestamp,
    Transport, Unit, UnitScope, User, Views,
};
use registry::Paper;

pub(crate) const OWN: u32 = 4_026_531_840;
pub(crate) const BLUE: u32 = 4_026_532_300;

pub(crate) fn socket(kind: Kind, local: &str, pids: &[u32]) -> Socket {
    let local: std::net::SocketAddr = local.parse().unwrap();
    Socket {
        kind,
        family: if local.is_ipv6() { Family::V6 } else { Family::V4 },
        local,
        peer: None,
        state: State::Listening,
        scope: Scope::of(local.ip(), false, false),
        interface: None,
        netns: OWN,
        inode: 30_000 + u64::from(local.port()),
        cookie: 4_096 + u64::from(local.port()),
        uid: Some(0),
        queued: Some(0),
        backlog: (kind == Kind::Tcp).then_some(4096),
        holders: pids
            .iter()
            .map(|pid| Holder { pid: *pid, tid: None, fd: Some(3), how: How::BpfIterator })
            .collect(),
        holders_missing: None,
        activation: None,
        seen_by: Views::SOCK_DIAG.and(Views::BPF),
        hidden_from: Views::default(),
    }
}

pub(crate) fn process(pid: u32, exe: &str, user: (u32, &str)) -> Process {
    Process {
        pid,
        comm: exe.rsplit('/').next().unwrap().to_owned(),
        started: Seen::Value(Timestamp::from_ns(1_795_484_580_000_000_000)),
        exe: Seen::Value(Exe {
            path: exe.to_owned(),
            state: ExeState::Present,
            world_writable: false,
            temporary: false,
            sha256: None,
        }),
        cmdline: Seen::Value(vec![exe.to_owned(), String::from("-D")]),
        cwd: Seen::Value(String::from("/")),
        user: Seen::Value(User { uid: user.0, name: Some(user.1.to_owned()) }),
        capabilities: Seen::Value(Capabilities {
            effective: Capabilities::NET_BIND_SERVICE,
            permitted: Capabilities::NET_BIND_SERVICE,
            bounding: 0x1ff_ffff_ffff,
        }),
        parents: vec![Parent { pid: 1, comm: String::from("systemd") }],
        unit: Seen::Absent,
        container: Seen::Absent,
        package: Seen::Absent,
        hidden_from_proc: false,
        preload: Seen::Value(Vec::new()),
    }
}

fn container() -> Container {
    Container {
        runtime: Runtime::Docker,
        id: "f00dfeed".repeat(8),
        name: Seen::Value(String::from("web")),
        image: Seen::Value(String::from("example/web:1")),
        pod: None,
    }
}

fn finding(code: Code, severity: Severity, subject: usize, title: &str) -> Finding {
    Finding {
        code,
        severity,
        confidence: Confidence::High,
        subjects: vec![Subject::Socket(subject)],
        title: title.to_owned(),
        evidence: vec![Evidence {
            fact: String::from("it was seen there"),
            source: String::from("/proc/900/exe"),
        }],
        next_step: String::from("look at it: portreeve 420"),
    }
}

pub(crate) fn snapshot() -> Snapshot {
    let mut ssh = process(700, "/usr/sbin/sshd", (0, "root"));
    ssh.unit = Seen::Value(Unit { name: String::from("ssh.service"), scope: UnitScope::System });
    ssh.package = Seen::Value(Package {
        manager: Manager::Dpkg,
        name: String::from("openssh-server"),
        version: String::from("1:9.2p1"),
        integrity: Integrity::Intact,
    });
    let mut evil = process(900, "/tmp/x\u{1b}[2J", (1000, "mallory"));
    evil.exe = Seen::Value(Exe {
        path: String::from("/tmp/x\u{1b}[2J"),
        state: ExeState::Deleted,
        world_writable: true,
        temporary: true,
        sha256: Some([0xab; 32]),
    });
    evil.cwd = Seen::Hidden(Reason::NoPermission);
    let mut web = process(950, "/app/server", (0, "root"));
    web.container = Seen::Value(container());

    let mut bound = socket(Kind::Tcp, "0.0.0.0:7777", &[700]);
    bound.state = State::Bound;
    let mut activated = socket(Kind::Tcp, "[::]:9090", &[1]);
    activated.family = Family::Dual;
    activated.activation = Some(Box::new(Activation {
        socket_unit: String::from("cockpit.socket"),
        service: String::from("cockpit.service"),
        program: None,
    }));
    let mut blue = socket(Kind::Tcp, "0.0.0.0:9000", &[900]);
    blue.netns = BLUE;
    let mut unknown = socket(Kind::Tcp, "192.0.2.7:5432", &[]);
    unknown.holders_missing = Some(Reason::NoPermission);
    unknown.uid = Some(113);
    let mut packet = socket(Kind::Packet, "0.0.0.0:3", &[900]);
    packet.family = Family::Link;
    packet.interface = Some(Box::new(Interface { index: 2, name: Some(String::from("eth0")) }));
    packet.scope = Scope::Link;
    packet.backlog = None;

    Snapshot {
        taken: Timestamp::from_ns(1_795_484_580_000_000_000),
        machine: Machine {
            hostname: String::from("quay"),
            os: "linux",
            kernel: String::from("6.12.0"),
            privileged: false,
        },
        namespaces: vec![
            Namespace {
                inode: OWN,
                name: String::from("host"),
                own: true,
                pid: Some(1),
                entered: true,
                rules: Seen::Value(PortRules {
                    unprivileged_start: 1024,
                    ephemeral: 32768..=60999,
                    reserved: vec![8000..=8010],
                }),
            },
            Namespace {
                inode: BLUE,
                name: String::from("blue"),
                own: false,
                pid: Some(900),
                entered: true,
                rules: Seen::Hidden(Reason::NoPermission),
            },
        ],
        sockets: vec![
            socket(Kind::Tcp, "0.0.0.0:22", &[700]),
            socket(Kind::Tcp, "127.0.0.1:420", &[900]),
            socket(Kind::Tcp, "0.0.0.0:443", &[812, 813]),
            socket(Kind::Tcp, "0.0.0.0:443", &[812, 813]),
            socket(Kind::Tcp, "[::]:443", &[812, 813]),
            unknown,
            socket(Kind::Tcp, "0.0.0.0:6379", &[820]),
            bound,
            blue,
            activated,
            socket(Kind::Tcp, "[::]:9443", &[950]),
            socket(Kind::Tcp, "0.0.0.0:31337", &[900]),
            socket(Kind::Udp, "0.0.0.0:420", &[900]),
            socket(Kind::Tcp, "0.0.0.0:8443", &[950]),
            packet,
        ],
        processes: vec![
            Arc::new(process(1, "/usr/lib/systemd/systemd", (0, "root"))),
            Arc::new(ssh),
            Arc::new(process(812, "/usr/sbin/nginx", (33, "www-data"))),
            Arc::new(process(813, "/usr/sbin/nginx", (33, "www-data"))),
            Arc::new(process(820, "/usr/bin/redis-server", (112, "redis"))),
            Arc::new(evil),
            Arc::new({
                web.cmdline = Seen::Value(vec![String::from("/app/server")]);
                web
            }),
        ],
        forwards: vec![Forward {
            transport: Transport::Tcp,
            addr: None,
            first: 8080,
            last: 8080,
            to_addr: Some("172.17.0.2".parse().unwrap()),
            to_port: Some(80),
            netns: OWN,
            rule: String::from("nftables ip nat DOCKER"),
            container: Some(container()),
        }],
        views: Views::SOCK_DIAG.and(Views::BPF),
        gaps: vec![Gap {
            area: Area::Holders,
            reason: Reason::NoPermission,
            what: String::from("1 process of another user"),
            count: Some(1),
        }],
    }
}

pub(crate) fn view() -> View {
    let snapshot = snapshot();
    let at = |port: u16, kind: Kind| {
        snapshot.sockets.iter().position(|socket| socket.local.port() == port && socket.kind == kind).unwrap()
    };
    let findings = vec![
        finding(Code::ExeDeleted, Severity::Alert, at(31337, Kind::Tcp), "the executable of x was deleted"),
        finding(
            Code::SilentPortInUse,
            Severity::Warning,
            at(420, Kind::Tcp),
            "smpte is silent, and x is there",
        ),
        finding(
            Code::SilentPortInUse,
            Severity::Warning,
            at(420, Kind::Udp),
            "smpte is silent, and x is there",
        ),
        finding(Code::ExposedService, Severity::Warning, at(6379, Kind::Tcp), "redis faces every network"),
        finding(Code::MisuseHistory, Severity::Note, at(31337, Kind::Tcp), "port 31337 has a history"),
        Finding {
            subjects: vec![Subject::Entry(String::from("policy.toml:12"))],
            ..finding(Code::PolicyUnmatched, Severity::Note, 0, "policy.toml:12 matched nothing")
        },
    ];
    let accepted = vec![verdict::Accepted {
        finding: finding(
            Code::UnpackagedService,
            Severity::Note,
            at(8443, Kind::Tcp),
            "no package owns /app/server",
        ),
        entry: String::from("policy.toml:3"),
        reason: String::from("our own build"),
    }];
    View::judged(Arc::new(snapshot), Paper::builtin(), findings, accepted)
}

/// The small machine with a session, and a socket that joined its group.
pub(crate) fn agreed() -> View {
    use model::media::{Agreement, Joined, JoinedSocket, Leg, Session, SessionSource, Sources};

    let mut snapshot = snapshot();
    snapshot.sockets.push(socket(Kind::Udp, "0.0.0.0:5004", &[900]));
    let destination: std::net::SocketAddr = "239.9.9.9:5004".parse().unwrap();
    let session = Session {
        name: String::from("Camera\u{1b} 1"),
        identity: String::from("- 1 IN IP4 192.0.2.1"),
        source: SessionSource::File(String::from("camera1.sdp")),
        formats: Vec::new(),
        legs: vec![Leg {
            destination,
            sources: Sources::Only(vec!["192.0.2.1".parse().unwrap()]),
            rtcp: Some("239.9.9.9:5005".parse().unwrap()),
            ttl: Some(64),
        }],
        reference: None,
        media_clock: None,
        first: None,
        last: None,
        ended: None,
    };
    let joined = Joined {
        group: destination.ip(),
        sources: Sources::Any,
        interface: 2,
        interface_name: None,
        netns: OWN,
        socket: Some(JoinedSocket { inode: 30_000 + 5004, cookie: None, port: Some(5004) }),
        users: 1,
    };
    let agreed = Agreement::of(vec![session], vec![joined], &snapshot.sockets);
    let mut view = View::judged(Arc::new(snapshot), Paper::builtin(), Vec::new(), Vec::new());
    view.agreed = agreed;
    view
}
