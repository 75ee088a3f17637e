//! The kernel program in a namespace of its own: what it sees, whom it leaves alone, and that it goes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use model::Transport;
use socket2::{Domain, Socket, Type};

use super::Decoy;
use crate::decoy::{DecoyRequest, Knock, PortSet, Way, Ways};
use crate::linux::sandbox;

/// What was handed out, without what it borrows.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Packet(Transport, SocketAddr, SocketAddr, bool),
    Connection(SocketAddr, SocketAddr, Vec<u8>),
    Datagram(SocketAddr, SocketAddr, Vec<u8>),
}

fn request(answer: bool) -> DecoyRequest {
    let ports = PortSet::of(&[1..=9999]);
    DecoyRequest { tcp: ports.clone(), udp: ports, answer, ways: Ways::Kernel, ..DecoyRequest::default() }
}

/// Runs a test in a namespace whose loopback is up, where kernel programs can be had.
fn on_stage(name: &str, test: impl FnOnce(&dyn Fn(&DecoyRequest) -> Decoy) + Send) {
    sandbox::run(name, || {
        for line in ["link set lo up", "addr add 10.7.0.1/32 dev lo"] {
            let done = Command::new("ip").args(line.split(' ')).status();
            if !done.is_ok_and(|status| status.success()) {
                return eprintln!("SKIPPED: {name}: no ip(8)");
            }
        }
        if let Err(error) = Decoy::open(&request(true)) {
            return eprintln!("SKIPPED: {name}: {error}");
        }
        test(&|request| Decoy::open(request).unwrap());
    });
}

/// Waits until so many have come.
fn until(decoy: &mut Decoy, count: usize) -> Vec<Seen> {
    let (mut all, end) = (Vec::new(), Instant::now() + Duration::from_secs(10));
    while all.len() < count && Instant::now() < end {
        decoy
            .wait(Duration::from_millis(200), &mut std::iter::empty(), &mut |knock| {
                all.push(match knock {
                    Knock::Packet { transport, peer, local, answered, .. } => {
                        Seen::Packet(transport, peer, local, answered)
                    }
                    Knock::Connection(mut visitor) => {
                        let mut bytes = vec![0; 64];
                        let read = visitor.read(&mut bytes).ok().flatten().unwrap_or(0);
                        bytes.truncate(read);
                        visitor.say(b"decoy");
                        Seen::Connection(visitor.peer, visitor.local, bytes)
                    }
                    Knock::Datagram { peer, local, bytes, .. } => Seen::Datagram(peer, local, bytes.to_vec()),
                });
            })
            .unwrap();
    }
    all
}

fn refused(at: &str) -> bool {
    TcpStream::connect(at).is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

#[test]
fn what_is_observed_is_refused_as_ever_and_told() {
    on_stage("what_is_observed_is_refused_as_ever_and_told", |open| {
        let mut decoy = open(&request(false));
        assert_eq!(decoy.coverage().way, Way::Kernel);
        assert!(refused("127.0.0.1:420") && refused("[::1]:421"));
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.connect("127.0.0.1:420").unwrap();
        sender.send(b"anybody?").unwrap();
        let error = sender.recv(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        let seen = until(&mut decoy, 3);
        let to: Vec<(Transport, String, bool)> = seen
            .iter()
            .map(|seen| match seen {
                Seen::Packet(transport, _, local, answered) => (*transport, local.to_string(), *answered),
                other => panic!("{other:?}"),
            })
            .collect();
        let (tcp, udp) = (Transport::Tcp, Transport::Udp);
        let expected = [
            (tcp, String::from("127.0.0.1:420"), false),
            (tcp, String::from("[::1]:421"), false),
            (udp, String::from("127.0.0.1:420"), false),
        ];
        assert_eq!(to, expected);
        assert_eq!((decoy.counts().seen, decoy.counts().lost), (3, 0));
    });
}

#[test]
fn what_is_answered_comes_with_its_bytes_and_leaves_nothing() {
    on_stage("what_is_answered_comes_with_its_bytes_and_leaves_nothing", |open| {
        let mut decoy = open(&request(true));
        for at in ["127.0.0.1:420", "10.7.0.1:5000", "[::1]:9999"] {
            let to: SocketAddr = at.parse().unwrap();
            let mut client = TcpStream::connect(to).unwrap();
            client.write_all(b"hello").unwrap();
            let from = client.local_addr().unwrap();
            let seen = until(&mut decoy, 2);
            assert_eq!(seen[0], Seen::Packet(Transport::Tcp, from, to, true));
            assert_eq!(seen[1], Seen::Connection(from, to, b"hello".to_vec()));
            let mut heard = Vec::new();
            let _ = client.read_to_end(&mut heard);
            // Without SO_REUSEADDR, and at once.
            let next = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
            next.bind(&to.into()).unwrap();
        }
        for at in ["127.0.0.1:53", "10.7.0.1:161", "[::1]:123"] {
            let to: SocketAddr = at.parse().unwrap();
            let sender = UdpSocket::bind((if to.is_ipv4() { "127.0.0.1" } else { "::1" }, 0)).unwrap();
            sender.send_to(b"question", to).unwrap();
            let from = sender.local_addr().unwrap();
            // The source that reaches 10.7.0.1 from loopback is what it was bound to.
            assert_eq!(until(&mut decoy, 1), [Seen::Datagram(from, to, b"question".to_vec())]);
        }
        drop(decoy);
        assert!(refused("127.0.0.1:420") && refused("[::1]:9999"));
    });
}

#[test]
fn whoever_has_a_port_keeps_it_whenever_and_wherever_it_was_opened() {
    on_stage("whoever_has_a_port_keeps_it_whenever_and_wherever_it_was_opened", |open| {
        let before = TcpListener::bind("127.0.0.1:80").unwrap();
        let udp_before = UdpSocket::bind("127.0.0.1:53").unwrap();
        let mut decoy = open(&request(true));
        assert_eq!(decoy.coverage().held_tcp.ranges(), [80..=80]);
        assert_eq!(decoy.coverage().held_udp.ranges(), [53..=53]);
        let reaches = |listener: &TcpListener, at: &str| {
            let client = TcpStream::connect(at).unwrap();
            assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
        };
        reaches(&before, "127.0.0.1:80");
        assert!(refused("10.7.0.1:80"), "the port is somebody's on whatever address");
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(b"q", "127.0.0.1:53").unwrap();
        assert_eq!(udp_before.recv(&mut [0; 8]).unwrap(), 1);

        // Two holders of one port: it is empty when both are gone.
        let shared = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_reuse_port(true).unwrap();
            socket.bind(&"127.0.0.1:8080".parse::<SocketAddr>().unwrap().into()).unwrap();
            socket.listen(8).unwrap();
            TcpListener::from(socket)
        };
        let (one, two) = (shared(), shared());
        assert_eq!(decoy.coverage().held_tcp.ranges(), [80..=80, 8080..=8080]);
        drop(one);
        reaches(&two, "127.0.0.1:8080");
        drop(two);
        assert_eq!(decoy.coverage().held_tcp.ranges(), [80..=80]);
        let udp = UdpSocket::bind("[::1]:5353").unwrap();
        assert_eq!(decoy.coverage().held_udp.ranges(), [53..=53, 5353..=5353]);
        drop((udp, udp_before));
        assert!(decoy.coverage().held_udp.is_empty());
        // Bound and nothing else is somebody's, too.
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        bound.bind(&"127.0.0.1:81".parse::<SocketAddr>().unwrap().into()).unwrap();
        assert!(refused("127.0.0.1:81"));
        drop((before, bound));
        let client = TcpStream::connect("127.0.0.1:80").unwrap();
        let seen = until(&mut decoy, 2);
        assert_eq!(
            seen[1],
            Seen::Connection(client.local_addr().unwrap(), "127.0.0.1:80".parse().unwrap(), vec![])
        );
    });
}

#[test]
fn excluded_sources_and_other_families_find_the_machine_as_it_is() {
    on_stage("excluded_sources_and_other_families_find_the_machine_as_it_is", |open| {
        let excluded = vec!["10.7.0.0/24".parse().unwrap()];
        let mut decoy = open(&DecoyRequest { v6: false, excluded, ..request(true) });
        assert!(refused("[::1]:420"));
        // Who talks to an address of its own comes from there.
        assert!(refused("10.7.0.1:420"));
        assert_eq!((decoy.counts().excluded, decoy.counts().seen), (2, 0));
        let _client = TcpStream::connect("127.0.0.1:420").unwrap();
        assert_eq!(until(&mut decoy, 2).len(), 2);
    });
}

#[test]
fn the_range_that_the_kernel_gives_from_is_never_covered_even_when_it_moves() {
    on_stage("the_range_that_the_kernel_gives_from_is_never_covered_even_when_it_moves", |open| {
        let set = |text: &str| std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", text).unwrap();
        set("9000 9999");
        let mut decoy = open(&request(true));
        assert_eq!(decoy.coverage().tcp.ranges(), [1..=8999]);
        assert!(refused("127.0.0.1:9000"));
        set("2000 8000");
        let end = Instant::now() + Duration::from_secs(5);
        while decoy.coverage().udp.ranges() != [1..=1999, 8001..=9999] && Instant::now() < end {
            decoy.wait(Duration::from_secs(1), &mut std::iter::empty(), &mut |_| {}).unwrap();
        }
        assert_eq!(decoy.coverage().tcp.ranges(), [1..=1999, 8001..=9999]);
        assert!(refused("127.0.0.1:4200"));
    });
}
