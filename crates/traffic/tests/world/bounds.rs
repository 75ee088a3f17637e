//! What strangers send costs bounded memory, and what was left out is counted.

use std::net::{Ipv4Addr, SocketAddr};

use portreeve_traffic::{Config, Observer};

use super::made::{ACK, BEGIN, Connection, MILLISECOND, PSH, SECOND, SYN, Tape};
use super::{config, conserved, watch};

pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x5851_f42d_4c95_7f2d) >> 16
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn end(&mut self) -> SocketAddr {
        let port = u16::try_from(self.below(65_536)).unwrap();
        SocketAddr::new(Ipv4Addr::from(u32::try_from(self.below(1 << 32)).unwrap()).into(), port)
    }
}

#[test]
fn random_flows_stay_within_the_memory_given() {
    let memory_bytes = 2 << 20;
    let mut observer = Observer::new(Config { memory_bytes, ..config() });
    let mut chance = Chance(5);
    let mut frames = 0_usize;
    for round in 0..60 {
        let mut tape = Tape::default();
        for count in 0..1000 {
            let at = BEGIN + round * 1000 * MILLISECOND + count * MILLISECOND;
            let (from, to) = (chance.end(), chance.end());
            match chance.below(4) {
                0 => tape.tcp(at, (from, to), SYN, (1, 0), b""),
                1 => tape.udp(at, from, to, &[0x80; 300]),
                2 => tape.tcp(at, (from, to), PSH | ACK, (1, 1), b"SSH-2.0-never ends"),
                _ => {
                    // Both sides speak, so that it is a flow of its own.
                    tape.tcp(at, (from, to), PSH | ACK, (1, 1), b"SSH-2.0-never ends");
                    tape.tcp(at, (to, from), PSH | ACK, (1, 1), b"SSH-2.0-nor does this");
                }
            }
        }
        for frame in tape.frames() {
            frames += 1;
            observer.handle(&frame, frames as u64);
        }
        assert!(observer.memory_bytes() <= memory_bytes * 3 / 2, "{} bytes", observer.memory_bytes());
    }
    let traffic = observer.finish();
    conserved(&traffic, frames);
    assert!(traffic.volume.flows_merged > 0);
    assert!(traffic.gaps.iter().any(|gap| gap.what.contains("closed early")), "{:?}", traffic.gaps);
}

#[test]
fn frames_of_nothing_but_chance_are_counted() {
    let mut observer = Observer::new(config());
    let mut chance = Chance(77);
    for number in 1..=20_000 {
        let length = usize::try_from(chance.below(120)).unwrap();
        let mut bytes: Vec<u8> = (0..length).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
        if bytes.len() > 24 && number % 2 == 0 {
            bytes[12..16].copy_from_slice(&[8, 0, 0x45, 0]);
            bytes[23] = [6, 17, 1, 132][usize::try_from(chance.below(4)).unwrap()];
        }
        let frame = wire::Frame {
            time: None,
            link: wire::LinkType(u16::try_from(chance.below(3)).unwrap()),
            interface: 0,
            wire_bytes: u32::try_from(length).unwrap(),
            bytes: &bytes,
        };
        observer.handle(&frame, number);
    }
    let traffic = observer.finish();
    conserved(&traffic, 20_000);
    assert!(traffic.faults.iter().map(|fault| fault.count).sum::<u64>() >= traffic.volume.damaged);
}

#[test]
fn services_that_found_room_say_as_much_as_if_all_had() {
    let client = |port| SocketAddr::new([10, 0, 0, 9].into(), port);
    let server = |number| SocketAddr::new([10, 0, 1, number].into(), 8080);
    let at = |round: i64, number: u8| BEGIN + round * SECOND + i64::from(number) * 10 * MILLISECOND;
    let (ask, answer) = (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n");
    let more = b"HTTP/1.1 200 OK\r\nServer: later\r\n\r\n";
    let mut tape = Tape::default();
    // What a service says later counts as what it says at first.
    for (round, answer) in [(0, &answer[..]), (1, more)] {
        for number in 1..=40 {
            let from = client(40_000 + u16::try_from(round).unwrap());
            let connection = Connection::new(&mut tape, at(round, number), from, server(number));
            connection.open().ask(ask).answer(answer).close();
        }
    }
    // Met in the middle: by its port the client is taken for the server.
    for number in 41..=80 {
        for (port, answer) in [(100, &answer[..]), (101, more)] {
            let (from, to, at) = (client(port), server(number), at(-1, number) + i64::from(port));
            tape.tcp(at, (to, from), PSH | ACK, (1, 1), answer);
            tape.tcp(at + 10, (from, to), PSH | ACK, (1, 1), ask);
        }
    }
    tape.sort();
    let whole = watch(&tape, config()).finish();
    // Enough for all flows, and for so many services.
    for most in [16, 60] {
        let memory_bytes = most * 1024 * 4 * 8 / 3 + 64;
        let small = watch(&tape, Config { memory_bytes, ..config() }).finish();
        assert_eq!(small.services.len(), most);
        let served: u64 = small.services.iter().map(|service| service.flows).sum();
        let gap = small.gaps.iter().find(|gap| gap.what == "flows of services that found no room");
        assert_eq!(gap.unwrap().count, Some(160 - served));
        for service in &small.services {
            assert!(whole.services.contains(service), "{service:?}");
            assert_eq!(service.recognised.detail("server"), Some("later"));
        }
    }
}
