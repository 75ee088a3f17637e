//! A stream of numbered packets, sent over loopback and received again.

use super::*;
use host::receive::{ReceiveRequest, Receiver as Socket};
use model::Tai;
use model::media::SentStream;

/// Ten packets in each of a hundred periods a second; every seventh packet is left out.
struct Numbers {
    every_seventh: u64,
}

impl Source for Numbers {
    fn first(&self, from: Timestamp<Tai>) -> i64 {
        from.as_ns().div_euclid(10_000_000) + 1
    }

    fn make(&mut self, number: i64, period: &mut Period, meanwhile: &mut dyn FnMut()) {
        for packet in 0..10_i64 {
            meanwhile();
            let count = number * 10 + packet;
            period.batch.add(|to| {
                to.extend_from_slice(&[0; 12]);
                to.extend_from_slice(&count.to_be_bytes());
            });
            if count % 7 == 0 {
                self.every_seventh += 1;
                continue;
            }
            let due = number * 10_000_000 + packet / 2 * 1_000_000;
            period.leave(usize::try_from(packet).unwrap(), Timestamp::from_ns(due));
        }
    }

    fn faults(&self) -> Vec<(String, u64)> {
        vec![("loss".to_owned(), self.every_seventh)]
    }
}

fn plan(destination: std::net::SocketAddr) -> StreamPlan {
    let leg = TransmitRequest { segments: true, ..TransmitRequest::to(destination) };
    StreamPlan {
        name: "numbers".to_owned(),
        ssrc: 7,
        source: Box::new(Numbers { every_seventh: 0 }),
        legs: vec![leg.clone()],
        gate: Some(Gate::new(1_000_000, 16)),
        spin: Duration::ZERO,
        stand_in: None,
        chores: vec![Chore {
            leg,
            every: Duration::from_millis(50),
            make: Box::new(|due| if due.last { b"bye".to_vec() } else { b"report".to_vec() }),
        }],
    }
}

fn sending(streams: Vec<StreamPlan>, duration: Option<Duration>) -> Sending {
    let urgency = UrgencyRequest::default();
    Sending { streams, urgency, spin: None, duration }
}

#[test]
fn every_packet_leaves_at_its_time_and_those_left_out_do_not() {
    let mut socket = Socket::open(&ReceiveRequest::at("127.0.0.1:0".parse().unwrap())).unwrap();
    let sending = sending(vec![plan(socket.local())], Some(Duration::from_millis(200)));
    let facts = send(sending, &Watch::default()).unwrap();
    let [SentStream { periods, periods_left_out, faults, legs, lateness, .. }] = &facts.streams[..] else {
        panic!("one stream")
    };
    // A machine that is busy leaves some out; none is lost without being counted.
    assert_eq!(periods + periods_left_out, 20);
    let (mut numbers, mut reports, mut byes) = (Vec::new(), 0, 0);
    let mut early = 0;
    while socket
        .receive(Duration::ZERO, &mut |one| match one.bytes {
            b"report" => reports += 1,
            b"bye" => byes += 1,
            packet => {
                let number = i64::from_be_bytes(packet[12..].try_into().unwrap());
                let due = number / 10 * 10_000_000 + number % 10 / 2 * 1_000_000;
                let tai = one.time.as_ns() + LEAP_SECONDS * 1_000_000_000;
                early += u64::from(tai < due);
                numbers.push(number);
            }
        })
        .unwrap()
        > 0
    {}
    assert!(numbers.is_sorted() && numbers.iter().all(|number| number % 7 != 0));
    let sent = u64::try_from(numbers.len()).unwrap();
    assert_eq!((sent, legs[0].bytes, early), (legs[0].packets, sent * 20, 0));
    assert_eq!(sent + faults[0].1, periods * 10);
    assert!(lateness.count > 0 && reports >= 1);
    assert_eq!(byes, 1);
}

#[test]
fn it_ends_when_somebody_says_so() {
    let socket = Socket::open(&ReceiveRequest::at("127.0.0.1:0".parse().unwrap())).unwrap();
    let watch = Watch::default();
    let facts = thread::scope(|scope| {
        let running = scope.spawn(|| send(sending(vec![plan(socket.local())], None), &watch));
        while watch.packets.load(Ordering::Relaxed) < 20 {
            thread::yield_now();
        }
        watch.stop.store(true, Ordering::Relaxed);
        running.join().unwrap().unwrap()
    });
    assert!(facts.streams[0].legs[0].packets >= 20);
    assert!(facts.streams[0].legs[0].refused.is_empty());
}
