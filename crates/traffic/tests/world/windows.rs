//! An observer that runs for weeks tells what is, in bounded memory, and forgets what once was.

use std::net::SocketAddr;

use model::{Timestamp, Traffic};
use portreeve_traffic::{Config, Observer};

use super::made::{BEGIN, Connection, MILLISECOND, SECOND, Tape};
use super::{config, end};

const HOUR: i64 = 3600 * SECOND;
const WINDOW: i64 = 12 * HOUR;

/// A world by its hours: in each, `act` writes what is sent, and time is told to pass each minute.
struct World {
    observer: Observer,
    hour: i64,
    frames: u64,
    flows: u64,
}

impl World {
    fn new() -> World {
        let config = Config { window_ns: Some(WINDOW), flows: true, ..config() };
        World { observer: Observer::new(config), hour: 0, frames: 0, flows: 0 }
    }

    fn hours(&mut self, count: i64, act: impl Fn(i64, i64, &mut Tape)) {
        for _ in 0..count {
            let begins = BEGIN + self.hour * HOUR;
            let mut tape = Tape::default();
            act(self.hour, begins, &mut tape);
            tape.sort();
            for frame in tape.frames() {
                self.frames += 1;
                self.observer.handle(&frame, self.frames);
            }
            for minute in 0..60 {
                self.observer.pass(Timestamp::from_ns(begins + minute * 60 * SECOND));
                self.flows += std::iter::from_fn(|| self.observer.poll()).count() as u64;
            }
            self.hour += 1;
        }
    }

    fn facts(&self) -> Traffic {
        self.observer.snapshot()
    }
}

fn served(traffic: &Traffic, server: &str) -> Option<u64> {
    traffic.services.iter().find(|it| it.server == end(server)).map(|it| it.flows)
}

fn call(tape: &mut Tape, at: i64, port: u16, server: &str) {
    let client = SocketAddr::new(end("10.0.0.1:1").ip(), port);
    Connection::new(tape, at, client, end(server)).open().ask(b"\x01").answer(b"\x02").close();
}

#[test]
fn what_is_over_for_long_is_forgotten_and_what_goes_on_stays() {
    let mut world = World::new();
    let every_hour = |hour: i64, begins: i64, tape: &mut Tape| {
        let port = 30_000 + u16::try_from(hour).unwrap();
        call(tape, begins, port, "10.0.0.8:8000");
    };
    // The first day has a service, and a scan, that never come again.
    world.hours(3, |hour, begins, tape| {
        every_hour(hour, begins, tape);
        call(tape, begins, 50_000, "10.0.0.9:9000");
        for door in 0..500_u16 {
            let at = begins + i64::from(door) * MILLISECOND;
            let server = SocketAddr::new(end("10.0.0.7:1").ip(), 1 + door);
            Connection::new(tape, at, end("192.0.2.66:40000"), server).refused();
        }
    });
    let traffic = world.facts();
    assert_eq!(served(&traffic, "10.0.0.9:9000"), Some(3));
    assert_eq!(traffic.scans.len(), 1);
    world.hours(10, every_hour);
    // A window has ended, and its facts are still told.
    assert_eq!(served(&world.facts(), "10.0.0.9:9000"), Some(3));
    assert_eq!(served(&world.facts(), "10.0.0.8:8000"), Some(13));
    world.hours(14 * 24, every_hour);
    let traffic = world.facts();
    assert_eq!(served(&traffic, "10.0.0.9:9000"), None);
    assert!(traffic.scans.is_empty(), "{:?}", traffic.scans);
    let flows = served(&traffic, "10.0.0.8:8000").unwrap();
    assert!((12..=25).contains(&flows), "{flows} flows");
    let (first, last) = (traffic.first.unwrap().as_ns(), traffic.last.unwrap().as_ns());
    assert!((WINDOW - HOUR..=2 * WINDOW + HOUR).contains(&(last - first)), "{} h", (last - first) / HOUR);
    // Each flow was told once when it ended, whatever is forgotten of it since.
    assert_eq!(world.flows, 13 + 14 * 24 + 3 + 3 * 500);
}

#[test]
fn calls_that_go_on_over_windows_are_still_a_beacon_and_stop_being_one() {
    let mut world = World::new();
    let beacon = |hour: i64, begins: i64, tape: &mut Tape| {
        for minute in (0..60).step_by(5) {
            let port = 20_000 + u16::try_from((hour * 60 + minute) % 40_000).unwrap();
            call(tape, begins + minute * 60 * SECOND, port, "203.0.113.5:443");
        }
    };
    world.hours(7 * 24, beacon);
    let traffic = world.facts();
    let [found] = traffic.beacons.as_slice() else { panic!("{:?}", traffic.beacons) };
    assert_eq!(found.server, end("203.0.113.5:443"));
    assert!((12 * 12..=25 * 12).contains(&found.connections), "{found:?}");
    world.hours(26, |_, _, _| {});
    assert!(world.facts().beacons.is_empty());
    assert_eq!(world.facts().services.len(), 0);
}

#[test]
fn weeks_of_strangers_take_no_more_memory_than_a_day() {
    let strangers = |hour: i64, begins: i64, tape: &mut Tape| {
        for count in 0..200_u16 {
            let number = u32::try_from(hour).unwrap() * 200 + u32::from(count);
            let server = SocketAddr::new(std::net::Ipv4Addr::from(0x0b00_0000 + number).into(), 443);
            let client = SocketAddr::new(end("10.0.0.1:1").ip(), 20_000 + count);
            let at = begins + i64::from(count) * SECOND;
            Connection::new(tape, at, client, server).open().ask(b"\x01").answer(b"\x02").close();
        }
    };
    let mut world = World::new();
    world.hours(48, strangers);
    let after_days = world.facts().services.len();
    world.hours(14 * 24, strangers);
    let after_weeks = world.facts();
    assert!(after_weeks.services.len() <= after_days.max(25 * 200), "{after_days}");
    assert!(after_weeks.services.len() >= 11 * 200);
    assert!(after_weeks.gaps.is_empty(), "{:?}", after_weeks.gaps);
}
