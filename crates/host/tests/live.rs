//! On every system: a socket that this test opens is found, with its port, by looking at the machine.

#![expect(clippy::panic, clippy::expect_used, reason = "in a test a panic is how it fails")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use model::{Family, Kind, Scope, Snapshot, Socket, State};
use portreeve_host::{Look, Looker};

fn look(connected: bool) -> Snapshot {
    let look =
        Look { connected, all_namespaces: false, forwards: false, integrity: false, ..Look::default() };
    Looker::new().snapshot(&look)
}

fn find(snapshot: &Snapshot, kind: Kind, local: SocketAddr, state: State) -> &Socket {
    let found = snapshot
        .sockets
        .iter()
        .find(|socket| (socket.kind, socket.local, socket.state) == (kind, local, state));
    found.unwrap_or_else(|| {
        panic!("{} {local} {} is missing; gaps: {:?}", kind.name(), state.name(), snapshot.gaps)
    })
}

fn held_by_us(snapshot: &Snapshot, socket: &Socket) {
    let own = std::process::id();
    assert!(socket.holders.iter().any(|holder| holder.pid == own), "we hold it: {socket:?}");
    let process = snapshot.process(own).expect("a holder is among the processes");
    let exe = process.exe.value().expect("our own executable is no secret");
    assert!(exe.file_name().starts_with("live-"), "{}", exe.path);
}

#[test]
fn a_tcp_listener_finds_itself() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // wine knows the owner of a socket only after such a call.
    listener.ttl().unwrap();
    let snapshot = look(false);
    let socket = find(&snapshot, Kind::Tcp, listener.local_addr().unwrap(), State::Listening);
    assert_eq!((socket.family, socket.scope, socket.peer), (Family::V4, Scope::Loopback, None));
    held_by_us(&snapshot, socket);
}

#[test]
fn a_udp_socket_finds_itself() {
    let udp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    udp.ttl().unwrap();
    let snapshot = look(false);
    let socket = find(&snapshot, Kind::Udp, udp.local_addr().unwrap(), State::Listening);
    assert_eq!((socket.family, socket.scope), (Family::V4, Scope::Any));
    held_by_us(&snapshot, socket);
}

#[test]
fn an_ipv6_listener_finds_itself() {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        eprintln!("SKIPPED: no IPv6 on loopback here");
        return;
    };
    let snapshot = look(false);
    let socket = find(&snapshot, Kind::Tcp, listener.local_addr().unwrap(), State::Listening);
    assert_eq!(socket.scope, Scope::Loopback);
    // wine names no owner for IPv6, so Windows is not asked.
    if !cfg!(windows) {
        held_by_us(&snapshot, socket);
    }
}

#[test]
fn a_connection_is_shown_only_when_asked_for() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let local = client.local_addr().unwrap();
    let without = look(false);
    assert!(without.sockets.iter().all(|socket| socket.local != local));
    let with = look(true);
    let socket = find(&with, Kind::Tcp, local, State::Established);
    assert_eq!(socket.peer, Some(listener.local_addr().unwrap()));
}

#[test]
fn a_closed_listener_is_gone() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let local = listener.local_addr().unwrap();
    find(&look(false), Kind::Tcp, local, State::Listening);
    drop(listener);
    let after = look(false);
    // The number may be given to a neighbour at once, but not to us.
    let own = std::process::id();
    assert!(!after.sockets.iter().any(|socket| {
        socket.local == local
            && socket.kind == Kind::Tcp
            && socket.holders.iter().any(|holder| holder.pid == own)
    }));
}

#[test]
fn looks_that_are_compared_tell_what_began_and_what_ended() {
    use model::{Happened, SocketEvent, Witness};
    use portreeve_host::events::{EventRequest, Events};
    use std::time::Duration;

    fn sendable<T: Send>(value: T) -> T {
        value
    }
    let request =
        EventRequest { kernel: false, look_every: Duration::from_millis(1), ..EventRequest::default() };
    let mut events = sendable(Events::open(&request));
    assert_eq!(events.witness(), Witness::Looks);
    assert!(events.sources().iter().any(|source| source.name == "looks" && source.fault.is_none()));
    let before = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    before.ttl().unwrap();
    events.reconcile(&look(false));
    let after = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    after.ttl().unwrap();
    let (first, second) = (before.local_addr().unwrap(), after.local_addr().unwrap());
    let mut told: Vec<SocketEvent> = Vec::new();
    let mut until = |happened: Happened, local: SocketAddr| {
        for _ in 0..1000 {
            if told.iter().any(|event| (event.happened, event.local) == (happened, local)) {
                return told.clone();
            }
            events.wait(Duration::from_millis(200), &mut |event| told.push(event)).unwrap();
        }
        panic!("{} {local} was not told: {told:?}", happened.name());
    };
    until(Happened::Listening, second);
    drop((before, after));
    until(Happened::Closed, first);
    let told = until(Happened::Closed, second);
    // It stood before: only its end is news, and its holder is known all the same.
    let of_first: Vec<&SocketEvent> = told.iter().filter(|event| event.local == first).collect();
    assert_eq!(of_first.len(), 1, "{of_first:?}");
    let own = std::process::id();
    assert_eq!(of_first[0].holder.value().map(|process| process.pid), Some(own));
    let end = told.iter().find(|event| (event.happened, event.local) == (Happened::Closed, second)).unwrap();
    assert!(end.lived_ns.is_some_and(|ns| ns > 0) && end.holder.value().is_some());
}
