//! Things to write down: processes, events, looks, findings, flows.

use std::net::SocketAddr;
use std::sync::Arc;

use model::protocol::Appearance;
use model::{
    Code, Confidence, Direction, Evidence, Exe, ExeState, Family, Finding, Flow, FlowState, Happened, Holder,
    How, Kind, Machine, Namespace, Process, Recognised, Scope, Seen, Severity, Snapshot, Socket, SocketEvent,
    State, Subject, Tally, Timestamp, Transport, User, Utc, Views, Witness,
};
use portreeve_store::{Batch, Moment, Sighting};

pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;
/// 2026-11-24T01:43:00Z.
pub(crate) const BEGIN: i64 = 1_795_484_580 * SECOND;

pub(crate) fn at(ns: i64) -> Timestamp<Utc> {
    Timestamp::from_ns(ns)
}

pub(crate) fn moment(ns: i64) -> Moment {
    Moment::from_ns(ns)
}

pub(crate) fn process(pid: u32, exe: &str) -> Arc<Process> {
    Arc::new(Process {
        pid,
        comm: exe.rsplit('/').next().unwrap().to_owned(),
        started: Seen::Absent,
        exe: Seen::Value(Exe {
            path: exe.to_owned(),
            state: ExeState::Present,
            world_writable: false,
            temporary: false,
            sha256: None,
        }),
        cmdline: Seen::Value(vec![exe.to_owned(), String::from("-l")]),
        cwd: Seen::Absent,
        user: Seen::Value(User { uid: 33, name: Some(String::from("www-data")) }),
        capabilities: Seen::Absent,
        parents: Vec::new(),
        unit: Seen::Absent,
        container: Seen::Absent,
        package: Seen::Absent,
        hidden_from_proc: false,
        preload: Seen::Absent,
    })
}

pub(crate) fn event(ns: i64, happened: Happened, local: &str, holder: &Arc<Process>) -> SocketEvent {
    SocketEvent {
        interface: None,
        tid: None,
        at: at(ns),
        happened,
        witness: Witness::Kernel,
        kind: Kind::Tcp,
        family: Family::V4,
        local: local.parse().unwrap(),
        netns: 0,
        cookie: 1,
        uid: Some(33),
        holder: Seen::Value(Arc::clone(holder)),
        cgroup: None,
        lived_ns: None,
    }
}

pub(crate) fn events(events: Vec<SocketEvent>) -> Batch {
    Batch { events, ..Batch::default() }
}

pub(crate) fn look(ns: i64, doors: &[(&str, u32)], processes: &[Arc<Process>]) -> Batch {
    let socket = |(local, pid): &(&str, u32)| {
        let local: SocketAddr = local.parse().unwrap();
        Socket {
            kind: Kind::Tcp,
            family: Family::V4,
            local,
            peer: None,
            state: State::Listening,
            scope: Scope::Any,
            interface: None,
            netns: 7,
            inode: 1,
            cookie: 1,
            uid: Some(0),
            queued: None,
            backlog: None,
            holders: vec![Holder { pid: *pid, fd: Some(3), tid: None, how: How::ProcFd }],
            holders_missing: None,
            activation: None,
            seen_by: Views::SOCK_DIAG,
            hidden_from: Views::default(),
        }
    };
    let snapshot = Snapshot {
        taken: at(ns),
        machine: Machine::default(),
        namespaces: vec![Namespace {
            inode: 7,
            name: String::from("host"),
            own: true,
            pid: None,
            entered: true,
            rules: Seen::Absent,
        }],
        sockets: doors.iter().map(socket).collect(),
        processes: processes.to_vec(),
        forwards: Vec::new(),
        views: Views::SOCK_DIAG,
        gaps: Vec::new(),
    };
    Batch { look: Some(Arc::new(snapshot)), ..Batch::default() }
}

pub(crate) fn flow(ns: i64, client: &str, server: &str, state: FlowState) -> Flow {
    Flow {
        transport: Transport::Tcp,
        client: client.parse().unwrap(),
        server: server.parse().unwrap(),
        direction: Direction::Opened,
        state,
        tally: Tally { client_packets: 2, server_packets: 3, client_bytes: 100, server_bytes: 900 },
        first: Some(at(ns)),
        last: Some(at(ns + SECOND)),
        frame: 1,
        recognised: Recognised::nothing(Appearance::Empty),
        vlan: None,
        tunnel: String::new(),
        ttl: 64,
        dscp: 0,
        icmp_errors: 0,
        retransmissions: 0,
        missing_bytes: 0,
        community_id: String::new(),
    }
}

pub(crate) fn sighting(ns: i64, code: Code, about: &str, severity: Severity) -> Sighting {
    Sighting {
        at: at(ns),
        about: about.to_owned(),
        finding: Finding {
            code,
            severity,
            confidence: Confidence::High,
            subjects: vec![Subject::Capture],
            title: format!("something about {about}"),
            evidence: vec![Evidence { fact: String::from("it was seen"), source: String::from("test") }],
            next_step: String::from("look closer"),
        },
    }
}

pub(crate) fn found(sightings: Vec<Sighting>) -> Batch {
    Batch { findings: sightings, ..Batch::default() }
}
