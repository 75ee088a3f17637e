//! What is not seen is counted, to the frame; and nothing is seen twice.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use portreeve_host::capture::{CaptureRequest, Captured};

use super::{on, open, port_420, rest, with_cable};
use crate::wires::{Sender, datagram};

/// A tcpdump that listens; ends with this value.
struct Stranger(std::process::Child, BufReader<std::process::ChildStderr>);

impl Stranger {
    fn start(interface: &str) -> Result<Stranger, String> {
        let words = ["-i", interface, "-B", "32768", "-w", "/dev/null", "udp"];
        let child = Command::new("tcpdump")
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|error| format!("tcpdump: {error}"))?;
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            if said.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                let _ = child.wait();
                return Err("tcpdump does not listen".to_owned());
            }
        }
        Ok(Stranger(child, said))
    }

    /// Ends it; gives how many it received and how many were dropped.
    fn end(mut self) -> (u64, u64) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let mut said = String::new();
        self.1.read_to_string(&mut said).unwrap();
        self.0.wait().unwrap();
        let number = |what: &str| {
            let line = said.lines().find(|line| line.contains(what)).unwrap();
            line.split(' ').next().unwrap().parse().unwrap()
        };
        (number("received by filter"), number("dropped by kernel"))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn nothing_is_lost_where_tcpdump_loses_nothing() {
    const COUNT: u32 = 200_000;
    const AHEAD: u32 = 20_000;
    let name = "nothing_is_lost_where_tcpdump_loses_nothing";
    with_cable(name, || {
        let mut capture = open(&CaptureRequest { ring_bytes: 32 << 20, ..on(&["quay1"]) });
        let stranger = match Stranger::start("quay1") {
            Ok(stranger) => stranger,
            Err(why) => return eprintln!("SKIPPED: {name}: {why}"),
        };
        let seen = AtomicU32::new(0);
        let mut in_order = |captured: Captured<'_>| {
            let number = captured.frame.bytes[42..].first_chunk().copied().map(u32::from_be_bytes);
            assert_eq!(number, Some(seen.load(Ordering::Relaxed)));
            seen.fetch_add(1, Ordering::Relaxed);
        };
        let counts = std::thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let sender = Sender::from("quay0");
                let mut frame = datagram((1, 5000), (2, 420), &[0; 400]);
                let end = Instant::now() + Duration::from_secs(60);
                for number in 0..COUNT {
                    // On a machine that does other things, too, a moderate load is one that waits for its reader.
                    while number - seen.load(Ordering::Relaxed) > AHEAD && Instant::now() < end {
                        std::thread::yield_now();
                    }
                    frame[42..46].copy_from_slice(&number.to_be_bytes());
                    sender.send(&frame);
                }
            });
            while !sending.is_finished() {
                capture.wait(Duration::from_millis(100), &mut in_order).unwrap();
            }
            capture.finish(&mut in_order).unwrap()
        });
        let (received, dropped) = stranger.end();
        assert_eq!(counts.seen + counts.dropped, u64::from(COUNT), "{counts:?}");
        assert_eq!(received, u64::from(COUNT), "tcpdump");
        if dropped == 0 {
            assert_eq!(counts.dropped, 0, "{counts:?}");
        } else {
            eprintln!("SKIPPED: {name}: tcpdump itself dropped {dropped}, we {}", counts.dropped);
        }
    });
}

#[test]
fn what_overload_drops_is_counted_to_the_frame() {
    with_cable("what_overload_drops_is_counted_to_the_frame", || {
        for (ring_bytes, workers) in [(0, 1), (1 << 20, 3)] {
            let request = CaptureRequest {
                ring_bytes,
                workers,
                snap_bytes: 2000,
                filters: vec![port_420()],
                ..on(&["quay1"])
            };
            let mut capture = open(&request);
            let sender = Sender::from("quay0");
            for number in 0..20_000_u32 {
                let source = u16::try_from(number % 97).unwrap();
                let mut payload = [0; 300];
                payload[..4].copy_from_slice(&number.to_be_bytes());
                sender.send(&datagram((1, source), (2, 420), &payload));
            }
            let early = capture.counts().unwrap();
            assert_eq!((early.seen, early.received + early.dropped), (0, 20_000));
            let mut numbers = Vec::new();
            let counts = capture.finish(&mut |captured| {
                numbers.push(u32::from_be_bytes(*captured.frame.bytes[42..].first_chunk().unwrap()));
            });
            let counts = counts.unwrap();
            assert_eq!(counts.seen + counts.dropped, 20_000, "{counts:?}");
            assert!(counts.dropped > 0 && counts.seen > 0 && counts.freezes > 0, "{counts:?}");
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len() as u64, counts.seen);
        }
    });
}

#[test]
fn a_reader_that_is_too_slow_knows_what_it_missed() {
    with_cable("a_reader_that_is_too_slow_knows_what_it_missed", || {
        let mut capture = open(&CaptureRequest { ring_bytes: 0, snap_bytes: 2000, ..on(&["quay1"]) });
        let sender = Sender::from("quay0");
        let mut next = 0;
        let mut in_order = |captured: Captured<'_>| {
            let number = u32::from_be_bytes(*captured.frame.bytes[42..].first_chunk().unwrap());
            assert!(number >= next, "{number} after {next}");
            next = number + 1;
        };
        let mut frame = datagram((1, 5000), (2, 420), &[0; 300]);
        for number in 0..50_000_u32 {
            frame[42..46].copy_from_slice(&number.to_be_bytes());
            sender.send(&frame);
            if number % 1000 == 999 {
                capture.wait(Duration::ZERO, &mut in_order).unwrap();
                capture.counts().unwrap();
            }
        }
        let counts = capture.finish(&mut in_order).unwrap();
        assert_eq!((counts.seen, counts.seen + counts.dropped), (counts.received, 50_000), "{counts:?}");
        assert!(counts.dropped > 0 && counts.seen > 5000, "{counts:?}");
    });
}

#[test]
fn two_workers_see_each_frame_once_and_a_flow_stays_with_one() {
    with_cable("two_workers_see_each_frame_once_and_a_flow_stays_with_one", || {
        let capture = open(&CaptureRequest { workers: 2, ring_bytes: 16 << 20, ..on(&["quay1"]) });
        let sender = Sender::from("quay0");
        for round in 0..50_u16 {
            for flow in 0..100_u16 {
                let payload = [flow.to_be_bytes(), round.to_be_bytes()].concat();
                sender.send(&datagram((1, 1000 + flow), (2, 420), &payload));
                sender.send(&datagram((2, 420), (1, 1000 + flow), &payload));
            }
        }
        let mut captures = capture.split();
        assert_eq!(captures.len(), 2);
        let seen: Vec<Vec<(Vec<u8>, Vec<u8>)>> = std::thread::scope(|scope| {
            let workers: Vec<_> = captures
                .iter_mut()
                .map(|capture| {
                    scope.spawn(|| {
                        let (kept, _) = rest(capture);
                        kept.iter()
                            .map(|kept| (kept.bytes[34..38].to_vec(), kept.bytes[42..].to_vec()))
                            .collect()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        let mut all: Vec<_> = seen.concat();
        assert_eq!(all.len(), 10_000);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 10_000, "a frame was seen twice");
        let flows = |seen: &Vec<(Vec<u8>, Vec<u8>)>| -> std::collections::BTreeSet<Vec<u8>> {
            seen.iter().map(|(_, payload)| payload[..2].to_vec()).collect()
        };
        assert!(flows(&seen[0]).is_disjoint(&flows(&seen[1])), "a flow was split");
        assert!(!seen[0].is_empty() && !seen[1].is_empty(), "a hundred flows, and all to one worker");
    });
}
