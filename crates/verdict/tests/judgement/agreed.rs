//! Sockets against what was agreed: what a session names is explained, and what none names rings.

use std::net::IpAddr;

use model::media::{Agreement, Joined, JoinedSocket, Leg, Session, SessionSource, Sources, Tie};
use model::*;

use crate::support::*;

const RING: &str = "group-without-session";

fn session(name: &str, to: &str) -> Session {
    let destination: std::net::SocketAddr = to.parse().unwrap();
    let rtcp = std::net::SocketAddr::new(destination.ip(), destination.port() + 1);
    Session {
        name: name.to_owned(),
        identity: name.to_owned(),
        source: SessionSource::File("camera.sdp".to_owned()),
        formats: Vec::new(),
        legs: vec![Leg { destination, sources: Sources::Any, rtcp: Some(rtcp), ttl: None }],
        reference: None,
        media_clock: None,
        first: None,
        last: None,
        ended: None,
    }
}

/// Sockets of a player, with the groups that each joined.
fn scene(sessions: Vec<Session>, sockets: &[(&str, &[&str])]) -> Scene {
    let mut scene = Scene::new();
    let player = scene.process(process(100, "/usr/bin/player").user(1000, "ann"));
    let mut joined = Vec::new();
    for (local, groups) in sockets {
        scene.udp(local, &[player]);
        let socket = scene.last();
        joined.extend(groups.iter().map(|group| Joined {
            group: group.parse::<IpAddr>().unwrap(),
            sources: Sources::Any,
            interface: 2,
            interface_name: Some("eth0".to_owned()),
            netns: socket.netns,
            socket: Some(JoinedSocket { inode: socket.inode, cookie: None, port: socket.port() }),
            users: 1,
        }));
    }
    scene.agreed = Agreement::of(sessions, joined, &scene.snapshot.sockets);
    scene
}

fn ties(scene: &Scene, socket: usize) -> Vec<(usize, Tie)> {
    scene.agreed.sessions_of(socket).iter().map(|it| (it.session, it.tie)).collect()
}

#[test]
fn a_joined_group_rings_until_a_session_names_it() {
    let sockets: &[(&str, &[&str])] = &[("0.0.0.0:5004", &["239.9.9.9"])];
    let without = scene(Vec::new(), sockets);
    assert_eq!(without.rings_for(0), [RING]);
    let finding = &without.judge().findings[0];
    assert_eq!(finding.severity, Severity::Note);
    assert!(finding.title.contains("239.9.9.9") && finding.title.contains("5004/udp"), "{}", finding.title);

    let other = scene(vec![session("Camera 2", "239.9.9.8:5004")], sockets);
    assert_eq!(other.rings_for(0), [RING]);
    assert_eq!(ties(&other, 0), []);

    let named = scene(vec![session("Camera 1", "239.9.9.9:5004")], sockets);
    assert_eq!(named.rings_for(0), [""; 0]);
    assert_eq!(ties(&named, 0), [(0, Tie::Joined)]);
}

#[test]
fn groups_of_the_network_and_ports_that_the_kernel_chose_stay_quiet() {
    let quiet = scene(
        vec![session("Camera 1", "239.9.9.9:5004")],
        &[
            ("0.0.0.0:5353", &["224.0.0.251"]),
            ("[::]:5353", &["ff02::fb"]),
            ("0.0.0.0:50000", &[]),
            ("127.0.0.1:61234", &[]),
        ],
    );
    for socket in 0..4 {
        assert!(!quiet.rings_for(socket).contains(&RING), "{socket}");
    }
}

#[test]
fn a_chosen_port_for_agreement_rings_where_sessions_are_known() {
    let sockets: &[(&str, &[&str])] = &[("0.0.0.0:61234", &[])];
    assert_eq!(scene(Vec::new(), sockets).rings_for(0), [""; 0]);
    assert_eq!(scene(vec![session("Camera 1", "239.9.9.9:5004")], sockets).rings_for(0), [RING]);
    assert_eq!(scene(vec![session("Camera 1", "239.9.9.9:61234")], sockets).rings_for(0), [""; 0]);
}

#[test]
fn the_surest_session_comes_first_and_an_ended_one_explains_nothing() {
    let mut over = session("Over", "239.9.9.7:5004");
    over.ended = Some(Timestamp::from_ns(1));
    let sessions = vec![
        session("A", "239.9.9.8:5004"),
        session("B", "239.9.9.9:5004"),
        session("C", "192.0.2.7:5004"),
        over,
    ];
    let mut scene = scene(
        sessions.clone(),
        &[
            ("0.0.0.0:5004", &["239.9.9.9"]),
            ("239.9.9.8:5005", &[]),
            ("0.0.0.0:5004", &[]),
            ("[2001:db8::1]:5004", &[]),
            ("10.0.0.1:40000", &[]),
            ("10.0.0.1:5004", &[]),
        ],
    );
    scene.snapshot.sockets[4].peer = Some("239.9.9.8:5004".parse().unwrap());
    let joined = scene.agreed.joined.clone();
    scene.agreed = Agreement::of(sessions, joined, &scene.snapshot.sockets);
    // One that joined a group is there for it, and not for the others of the same port; its address takes unicast.
    assert_eq!(ties(&scene, 0), [(1, Tie::Joined), (2, Tie::AnyAddress)]);
    assert_eq!(ties(&scene, 1), [(0, Tie::Address)]);
    assert_eq!(ties(&scene, 2), [(0, Tie::AnyAddress), (1, Tie::AnyAddress), (2, Tie::AnyAddress)]);
    assert_eq!(ties(&scene, 3), []);
    assert_eq!(ties(&scene, 4), [(0, Tie::Peer)]);
    assert_eq!(ties(&scene, 5), []);
    assert_eq!(ties(&scene, 99), []);
}

#[test]
fn what_paper_says_of_the_number_is_not_held_against_a_session() {
    let sockets: &[(&str, &[&str])] = &[("0.0.0.0:420", &["239.9.9.9"])];
    assert!(scene(Vec::new(), sockets).rings_for(0).contains(&"silent-port-in-use"));
    let named = scene(vec![session("Camera 1", "239.9.9.9:420")], sockets);
    assert!(!named.rings_for(0).contains(&"silent-port-in-use"), "{:?}", named.rings());
}

#[test]
fn an_allowance_accepts_a_group() {
    let mut scene = scene(Vec::new(), &[("0.0.0.0:5004", &["239.9.9.9"])]);
    scene.policy = portreeve_verdict::policy::parse(
        "policy.toml",
        "[[allow]]\nport = 5004\ntransport = \"udp\"\ncode = \"group-without-session\"\nreason = \"agreed\"\n",
    )
    .unwrap();
    assert_eq!(scene.judge().findings, []);
    assert_eq!(scene.judge().accepted.len(), 1);
}
