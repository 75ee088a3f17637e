//! How many packets a second one observer takes, by CPU time: `cargo bench -p portreeve-traffic --profile bench-dev`.
//!
//! Three kinds of traffic, made in memory: 200,000 short conversations in many protocols, four long RTP flows of
//! 1,280-byte packets, and a scan of two million SYNs. A word as argument runs only that one. Beside each stands how
//! fast frames alone are read from the same memory, which is what a busy machine leaves at best.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, not a part of the product"
)]
#![expect(clippy::indexing_slicing, clippy::panic, reason = "the tape is our own")]
#![expect(dead_code, reason = "the tape is shared with the tests")]

#[path = "../tests/world/made.rs"]
mod made;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use made::{BEGIN, Connection, MILLISECOND, Tape};
use model::{Timestamp, Traffic};
use portreeve_traffic::{Config, Observer};
use wire::packet::Decoded;
use wire::{Frame, LinkType};

/// Nanoseconds that this process was on a CPU; `None` where the kernel does not say.
fn cpu_ns() -> Option<u64> {
    fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// The most memory that this process had in RAM, in bytes.
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}

fn measure(name: &str, feed: impl FnOnce(&mut Observer) -> u64) -> Traffic {
    let before = peak_bytes();
    let (wall, cpu) = (Instant::now(), cpu_ns());
    let mut observer = Observer::new(Config { seed: 0x5eed, ..Config::default() });
    let packets = feed(&mut observer);
    let fed = cpu_ns().zip(cpu).map_or(0, |(after, before)| after - before);
    let traffic = observer.finish();
    let wall_ns = u64::try_from(wall.elapsed().as_nanos()).unwrap();
    let cpu_ns = cpu_ns().zip(cpu).map_or(wall_ns, |(after, before)| after - before);
    let grown = peak_bytes().zip(before).map_or(0, |(after, before)| after - before);
    let pace = |ns: u64| packets as f64 * 1000.0 / ns.max(1) as f64;
    println!(
        "{name:>6}: {packets} packets, {:.2} M/s ({:.2} M/s without the end), {:.3} s CPU, {:.3} s wall, {} MiB more at the peak",
        pace(cpu_ns),
        pace(fed),
        cpu_ns as f64 / 1e9,
        wall_ns as f64 / 1e9,
        grown >> 20,
    );
    println!(
        "        {} flows, {} services, {} scans, {} touches, {} beacons, {} merged, gaps {:?}",
        traffic.volume.flows,
        traffic.services.len(),
        traffic.scans.len(),
        traffic.touches.len(),
        traffic.beacons.len(),
        traffic.volume.flows_merged,
        traffic.gaps.iter().map(|gap| (gap.what.as_str(), gap.count)).collect::<Vec<_>>(),
    );
    traffic
}

/// Only reads the frames, down to their ports.
fn read(name: &str, tape: &Tape) {
    let before = cpu_ns();
    let ports: u64 = tape
        .frames()
        .map(|frame| match wire::packet::decode(&frame) {
            Ok(Decoded::Packet(packet)) => u64::from(packet.source_port),
            _ => 0,
        })
        .sum();
    let cpu_ns = cpu_ns().zip(before).map_or(0, |(after, before)| after - before);
    let pace = tape.len() as f64 * 1000.0 / cpu_ns.max(1) as f64;
    println!("{name:>6}: reading frames alone {pace:.2} M/s (ports {})", ports % 2);
}

const TLS_HELLO: &[u8] = &[
    0x16, 3, 1, 0, 0x73, 1, 0, 0, 0x6f, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
    19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 4, 0x13, 1, 0x13, 2, 1, 0, 0, 0x42, 0, 0,
    0, 0x10, 0, 0x0e, 0, 0, 0x0b, b'e', b'x', b'a', b'm', b'p', b'l', b'e', b'.', b'c', b'o', b'm', 0, 0x2b,
    0, 3, 2, 3, 4, 0, 0x0d, 0, 4, 0, 2, 4, 3, 0, 0x0a, 0, 4, 0, 2, 0, 0x1d, 0, 0x33, 0, 0x17, 0, 0x15, 0,
    0x1d, 0, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
];
const TLS_ANSWER: &[u8] = &[
    0x16, 3, 3, 0, 0x32, 2, 0, 0, 0x2e, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
    19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0x13, 1, 0, 0, 6, 0, 0x2b, 0, 2, 3, 4, 0x14,
    3, 3, 0, 1, 1, 0x17, 3, 3, 0, 0x20, 9, 8, 7, 6, 5, 4, 3, 2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 9, 8, 7, 6, 5,
    4, 3, 2, 1, 9, 8, 7, 6, 5,
];
const DNS_QUERY: &[u8] =
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01";
const DNS_ANSWER: &[u8] =
    b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01\
\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\x5d\xb8\xd8\x22";

/// One conversation of about ten packets, in a protocol that depends on its number.
fn converse(tape: &mut Tape, at: i64, client: SocketAddr, server: SocketAddr, number: u32) {
    let page = [b'x'; 1400];
    match number % 10 {
        0 | 1 => {
            Connection::new(tape, at, client, server)
                .open()
                .ask(b"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n")
                .answer(b"HTTP/1.1 200 OK\r\nServer: nginx/1.24.0\r\nContent-Type: text/html\r\nContent-Length: 4200\r\n\r\n")
                .answer(&page)
                .answer(&page)
                .close();
        }
        2 | 3 => {
            Connection::new(tape, at, client, server)
                .open()
                .ask(TLS_HELLO)
                .answer(TLS_ANSWER)
                .ask(&[0x17; 300])
                .answer(&page)
                .close();
        }
        4 => {
            Connection::new(tape, at, client, server)
                .open()
                .answer(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
                .ask(b"SSH-2.0-OpenSSH_9.6\r\n")
                .answer(&[5; 900])
                .ask(&[6; 800])
                .close();
        }
        5 => {
            Connection::new(tape, at, client, server)
                .open()
                .answer(b"220 mail.example.com ESMTP Postfix\r\n")
                .ask(b"EHLO client.example.com\r\n")
                .answer(b"250-mail.example.com\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
                .ask(b"QUIT\r\n")
                .close();
        }
        6 | 7 => {
            for count in 0..5 {
                tape.udp(at + count * 20 * MILLISECOND, client, server, DNS_QUERY);
                tape.udp(at + count * 20 * MILLISECOND + MILLISECOND, server, client, DNS_ANSWER);
            }
        }
        8 => {
            // MQTT: CONNECT, CONNACK, PUBLISH.
            Connection::new(tape, at, client, server)
                .open()
                .ask(b"\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07client1")
                .answer(b"\x20\x02\x00\x00")
                .ask(b"\x30\x0c\x00\x04a/b/hello!!")
                .ask(&[0x30; 200])
                .close();
        }
        _ => {
            // Something that nobody knows.
            Connection::new(tape, at, client, server)
                .open()
                .ask(b"\x00\x07\x99\x01\x02\x03\x04 what")
                .answer(b"\x00\x08\x98\x05\x06\x07\x08 that")
                .ask(&[0; 400])
                .answer(&[1; 400])
                .close();
        }
    }
}

fn mixed() {
    let mut tape = Tape::default();
    for number in 0..210_000_u32 {
        let at = BEGIN + i64::from(number) * MILLISECOND / 4;
        let client = SocketAddr::new(
            Ipv4Addr::from(0x0a00_0000 + number / 16).into(),
            20_000 + u16::try_from(number % 40_000).unwrap(),
        );
        let port = [80, 443, 22, 25, 53, 1883, 420, 8080][(number / 10 % 8) as usize];
        let server = SocketAddr::new(Ipv4Addr::from(0xc612_0000 + number % 500).into(), port);
        converse(&mut tape, at, client, server, number);
    }
    tape.sort();
    read("mixed", &tape);
    let traffic = measure("mixed", |observer| {
        for (number, frame) in (1..).zip(tape.frames()) {
            observer.handle(&frame, number);
        }
        tape.len() as u64
    });
    let mut names: Vec<&str> =
        traffic.services.iter().filter_map(|service| Some(service.recognised.protocol?.name)).collect();
    names.sort_unstable();
    names.dedup();
    println!("        recognised: {}", names.join(" "));
}

fn rtp() {
    let mut tape = Tape::default();
    let mut payload = [0x5a_u8; 1280 - 42];
    payload[..2].copy_from_slice(&[0x80, 96]);
    for number in 0..600_000_u32 {
        let flow = number % 4;
        let sequence = number / 4;
        payload[2..4].copy_from_slice(&sequence.to_be_bytes()[2..]);
        payload[4..8].copy_from_slice(&(sequence / 8 * 3000).to_be_bytes());
        payload[8..12].copy_from_slice(&(flow + 1).to_be_bytes());
        let from = SocketAddr::new(Ipv4Addr::from(0x0a00_0001 + flow).into(), 50_000);
        let to = SocketAddr::new(Ipv4Addr::from(0xefff_0001 + flow).into(), 20_000);
        tape.udp(BEGIN + i64::from(number) * 1000, from, to, &payload);
    }
    read("rtp", &tape);
    measure("rtp", |observer| {
        for (number, frame) in (1..).zip(tape.frames()) {
            observer.handle(&frame, number);
        }
        tape.len() as u64
    });
}

fn scan() {
    let mut one = Tape::default();
    let (from, to) = ("192.0.2.66:40000".parse().unwrap(), "10.0.0.0:1".parse().unwrap());
    one.tcp(BEGIN, (from, to), made::SYN, (1, 0), b"");
    let mut bytes = one.frame(0).bytes.to_vec();
    let traffic = measure("scan", |observer| {
        for number in 0..2_000_000_u32 {
            bytes[30..34].copy_from_slice(&(0x0a00_0000 + number / 100).to_be_bytes());
            bytes[36..38].copy_from_slice(&(1 + number % 100).to_be_bytes()[2..]);
            bytes[34..36].copy_from_slice(&(40_000 + number % 20_000).to_be_bytes()[2..]);
            let frame = Frame {
                time: Some(Timestamp::from_ns(BEGIN + i64::from(number) * 1000)),
                link: LinkType::ETHERNET,
                interface: 0,
                wire_bytes: 54,
                bytes: &bytes,
            };
            observer.handle(&frame, u64::from(number) + 1);
        }
        2_000_000
    });
    println!("        {:?}", traffic.scans);
}

fn main() {
    let only: Option<String> = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for (name, run) in [("scan", scan as fn()), ("mixed", mixed), ("rtp", rtp)] {
        if only.as_deref().is_none_or(|only| only == name) {
            run();
        }
    }
}
