//! What the kernel tells of sockets: lives too short for any look, holders that are gone, and a beginning without a hole.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use model::{Happened, Kind, SocketEvent, State, Witness};
use portreeve_host::events::{EventRequest, Events};
use rustix::net::{AddressFamily, SendFlags, SocketType, sockopt};

use crate::stage;

/// Set in the process that a test starts to churn; its value is how many sockets of each kind.
const CHURN: &str = "PORTREEVE_TEST_CHURN";

/// Opens the events; says so where the kernel does not tell everything.
fn open(name: &str) -> Option<Events> {
    let events = Events::open(&EventRequest::default());
    if events.witness() == Witness::Kernel {
        return Some(events);
    }
    eprintln!("SKIPPED: {name}: {:?}", events.sources());
    None
}

/// Everything that is told until `done` is content; after many rounds it fails with what was told.
fn collect(events: &mut Events, done: impl Fn(&[SocketEvent]) -> bool) -> Vec<SocketEvent> {
    let mut told = Vec::new();
    for _ in 0..300 {
        events.wait(Duration::from_millis(100), &mut |event| told.push(event)).unwrap();
        if done(&told) {
            return told;
        }
    }
    let tail: Vec<String> = told.iter().rev().take(20).map(|event| format!("{event:?}")).collect();
    assert!(done(&told), "{} events, {:?}, the last: {tail:#?}", told.len(), events.counts());
    told
}

fn count(told: &[SocketEvent], kind: Kind, happened: Happened, pid: u32) -> usize {
    let of = |event: &&SocketEvent| {
        (event.kind, event.happened) == (kind, happened)
            && event.holder.value().is_some_and(|process| process.pid == pid)
    };
    told.iter().filter(of).count()
}

fn churn(sockets: usize) {
    for _ in 0..sockets {
        drop(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        drop(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    }
}

/// No test of its own: what the process does that the next test starts.
#[test]
fn churns_where_it_is_asked_to() {
    if let Some(sockets) = std::env::var(CHURN).ok().and_then(|text| text.parse().ok()) {
        churn(sockets);
    }
}

#[test]
fn short_lives_in_another_namespace_are_told_with_holders_that_are_gone() {
    const SOCKETS: usize = 500;
    let name = "short_lives_in_another_namespace_are_told_with_holders_that_are_gone";
    let Some(mut events) = open(name) else { return };
    stage::private(name, move || {
        stage::run("ip", &["link", "set", "lo", "up"]).unwrap();
        let words = ["--exact", "events::churns_where_it_is_asked_to"];
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(words)
            .env(CHURN, SOCKETS.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pid = child.id();
        // Nothing is read before the process has gone, and nothing of it is left in /proc.
        assert!(child.wait().unwrap().success());
        let told = collect(&mut events, |told| count(told, Kind::Udp, Happened::Closed, pid) >= SOCKETS);
        for (kind, happened) in [
            (Kind::Tcp, Happened::Bound),
            (Kind::Tcp, Happened::Listening),
            (Kind::Tcp, Happened::Closed),
            (Kind::Udp, Happened::Bound),
            (Kind::Udp, Happened::Closed),
        ] {
            assert_eq!(count(&told, kind, happened, pid), SOCKETS, "{} {}", kind.name(), happened.name());
        }
        let exe = std::env::current_exe().unwrap().canonicalize().unwrap();
        let netns = stage::netns();
        let of_child = |event: &&SocketEvent| event.holder.value().is_some_and(|p| p.pid == pid);
        for event in told.iter().filter(of_child) {
            let process = event.holder.value().unwrap();
            assert_eq!(process.exe.value().unwrap().path, exe.to_str().unwrap());
            assert_eq!(process.cmdline.value().unwrap()[1..], words);
            assert_eq!(process.parents[0].pid, std::process::id());
            assert_eq!((event.netns, event.witness), (netns, Witness::Kernel));
            assert!(event.local.port() != 0 && event.local.ip().is_loopback() && event.cookie != 0);
            assert_eq!(event.lived_ns.is_some(), event.happened == Happened::Closed);
        }
        assert_eq!(events.counts().lost, 0);
    });
}

#[test]
fn the_beginning_has_no_hole() {
    let name = "the_beginning_has_no_hole";
    stage::private(name, || {
        let (stop, opened) = (AtomicBool::new(false), AtomicBool::new(false));
        // Nobody empties the ring meanwhile: however long a part of this takes, there is room for what it makes.
        let (made, allowed) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            // In this thread's namespace, as threads are.
            let churner = scope.spawn(|| {
                // Some of them stand while the snapshot is taken.
                let mut standing = VecDeque::new();
                let mut cookies: Vec<(u64, bool)> = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    if made.load(Ordering::Relaxed) >= allowed.load(Ordering::Relaxed) {
                        std::thread::yield_now();
                        continue;
                    }
                    let after = opened.load(Ordering::SeqCst);
                    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
                    cookies.push((sockopt::socket_cookie(&listener).unwrap(), after));
                    standing.push_back(listener);
                    if standing.len() > 20 {
                        standing.pop_front();
                    }
                    made.fetch_add(1, Ordering::Relaxed);
                }
                cookies
            });
            let more = |count: u32| {
                let goal = made.load(Ordering::Relaxed) + count;
                allowed.store(goal + 2_000, Ordering::Relaxed);
                while made.load(Ordering::Relaxed) < goal {
                    std::thread::yield_now();
                }
            };
            more(100);
            let events = open(name);
            opened.store(true, Ordering::SeqCst);
            more(100);
            let snapshot = stage::look(false);
            more(100);
            stop.store(true, Ordering::Relaxed);
            let cookies = churner.join().unwrap();
            let Some(mut events) = events else { return };
            events.reconcile(&snapshot);
            let shown: HashMap<u64, State> =
                snapshot.sockets.iter().map(|socket| (socket.cookie, socket.state)).collect();
            let last = cookies.last().unwrap().0;
            let told = collect(&mut events, |told| {
                told.iter().any(|event| (event.cookie, event.happened) == (last, Happened::Closed))
            });
            assert_eq!(events.counts().lost, 0);
            let mut lives: HashMap<u64, Vec<Happened>> = HashMap::new();
            for event in &told {
                lives.entry(event.cookie).or_default().push(event.happened);
                if event.happened == Happened::Closed {
                    assert_eq!(event.holder.value().map(|p| p.pid), Some(std::process::id()));
                }
            }
            let whole = [Happened::Bound, Happened::Listening, Happened::Closed];
            let after = cookies.iter().filter(|(_, after)| *after).map(|(cookie, _)| *cookie);
            let mut stood = 0;
            for cookie in after {
                let life = lives.get(&cookie).map_or(&[][..], Vec::as_slice);
                // The snapshot tells its beginning: all of it, or what there was of it at that moment.
                let untold = match shown.get(&cookie) {
                    None => &whole[..],
                    Some(State::Listening) => &whole[2..],
                    Some(_) => &whole[1..],
                };
                stood += usize::from(shown.contains_key(&cookie));
                assert_eq!(life, untold, "{cookie}");
            }
            assert!(stood > 0, "none of {} stood while the snapshot was taken", cookies.len());
        });
    });
}

#[test]
fn ports_that_the_kernel_chooses_are_told() {
    let name = "ports_that_the_kernel_chooses_are_told";
    let Some(mut events) = open(name) else { return };
    stage::private(name, move || {
        stage::run("ip", &["link", "set", "lo", "up"]).unwrap();
        let target = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9);
        let socket = |kind| rustix::net::socket(AddressFamily::INET, kind, None).unwrap();
        let port = |socket: &dyn AsFd| {
            let own = rustix::net::getsockname(socket.as_fd()).unwrap();
            SocketAddrV4::try_from(own).unwrap().port()
        };
        let sends = socket(SocketType::DGRAM);
        for _ in 0..3 {
            rustix::net::sendto(&sends, b"x", SendFlags::empty(), &target).unwrap();
        }
        // It stays: its end cannot tell its port.
        let connects = socket(SocketType::DGRAM);
        rustix::net::connect(&connects, &target).unwrap();
        let ends = socket(SocketType::DGRAM);
        rustix::net::connect(&ends, &target).unwrap();
        let listens = socket(SocketType::STREAM);
        rustix::net::listen(&listens, 1).unwrap();
        // Bound, then connected: what it is at its end does not show that.
        let bound = socket(SocketType::STREAM);
        rustix::net::bind(&bound, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
        let peer = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        rustix::net::connect(&bound, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port(&peer))).unwrap();
        let outgoing = TcpStream::connect(peer.local_addr().unwrap()).unwrap();
        let strange = outgoing.local_addr().unwrap().port();
        let ports = [port(&sends), port(&connects), port(&ends), port(&listens), port(&bound)];
        let cookies = [&sends, &connects, &ends, &listens, &bound]
            .map(|socket| sockopt::socket_cookie(socket).unwrap());
        drop((ends, bound));
        let lives = |told: &[SocketEvent], at: usize| -> Vec<(Happened, u16)> {
            let of = |event: &&SocketEvent| event.cookie == cookies[at];
            told.iter().filter(of).map(|event| (event.happened, event.local.port())).collect()
        };
        let told = collect(&mut events, |told| (0..5).all(|at| !lives(told, at).is_empty()));
        drop((sends, connects, listens, outgoing));
        let more = collect(&mut events, |told| {
            [0, 1, 3].iter().all(|at| lives(told, *at).iter().any(|(what, _)| *what == Happened::Closed))
        });
        let all: Vec<SocketEvent> = told.into_iter().chain(more).collect();
        let expected = [
            Happened::AutoBound,
            Happened::AutoBound,
            Happened::AutoBound,
            Happened::Listening,
            Happened::Bound,
        ];
        for (at, begins) in expected.into_iter().enumerate() {
            assert_eq!(lives(&all, at), [(begins, ports[at]), (Happened::Closed, ports[at])], "{at}");
        }
        // A connection that nobody bound is none of this.
        let netns = stage::netns();
        assert!(!all.iter().any(|event| event.local.port() == strange && event.netns == netns));
    });
}

#[test]
fn a_stranger_of_the_system_is_told_with_its_package() {
    let name = "a_stranger_of_the_system_is_told_with_its_package";
    let script = "import socket; s = socket.socket(socket.AF_INET6); s.bind(('::', 420)); s.listen()";
    let python = std::path::Path::new("/usr/bin/python3");
    let Some(mut events) = open(name) else { return };
    if !python.exists() {
        return eprintln!("SKIPPED: {name}: there is no {}", python.display());
    }
    stage::private(name, move || {
        let mut child = Command::new(python).args(["-c", script]).spawn().unwrap();
        let pid = child.id();
        assert!(child.wait().unwrap().success());
        let told = collect(&mut events, |told| count(told, Kind::Tcp, Happened::Closed, pid) > 0);
        let end = told.iter().find(|event| event.holder.value().is_some_and(|p| p.pid == pid)).unwrap();
        let process = end.holder.value().unwrap();
        assert_eq!((end.local.port(), end.family), (420, model::Family::Dual));
        assert_eq!(process.cmdline.value().unwrap().last().unwrap(), script);
        assert_eq!(process.user.value().map(|user| user.uid), Some(0));
        let package = process.package.value().map(|package| package.name.as_str());
        assert!(package.is_some_and(|name| name.starts_with("python3")), "{process:?}");
    });
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    const SOCKETS: usize = 2000;
    let name = "what_there_is_no_room_for_is_counted";
    let request = EventRequest { ring_bytes: 1, ..EventRequest::default() };
    let mut events = Events::open(&request);
    if events.witness() != Witness::Kernel {
        return eprintln!("SKIPPED: {name}: {:?}", events.sources());
    }
    stage::private(name, move || {
        stage::run("ip", &["link", "set", "lo", "up"]).unwrap();
        churn(SOCKETS);
        let netns = stage::netns();
        let mut told = 0;
        events.wait(Duration::from_secs(1), &mut |event| told += u64::from(event.netns == netns)).unwrap();
        // Three for each TCP socket and two for each UDP socket; others of the machine may have theirs, too.
        let happened = 5 * SOCKETS as u64;
        let lost = events.counts().lost;
        assert!(lost > 0 && told < happened && told + lost >= happened, "{told} told, {lost} lost");
    });
}
