//! Live capture on cables of our own: what is seen is what was sent.

mod counted;
mod opening;

use std::io::Write;
use std::net::UdpSocket;
use std::time::Duration;

use portreeve_host::capture::{
    Capture, CaptureCounts, CaptureError, CaptureRequest, Captured, Direction, FilterInstruction, LinkFilter,
};
use wire::LinkType;

use crate::stage::{private, run};
use crate::wires::{Sender, datagram, lay, pipe, stay};

/// A frame that was seen, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    bytes: Vec<u8>,
    time_ns: i64,
    wire_bytes: u32,
    link: LinkType,
    interface: u32,
    direction: Direction,
}

fn keep(captured: Captured<'_>) -> Kept {
    let frame = captured.frame;
    Kept {
        bytes: frame.bytes.to_vec(),
        time_ns: frame.time.unwrap().as_ns(),
        wire_bytes: frame.wire_bytes,
        link: frame.link,
        interface: frame.interface,
        direction: captured.direction,
    }
}

fn on(interfaces: &[&str]) -> CaptureRequest {
    CaptureRequest {
        interfaces: interfaces.iter().map(|name| (*name).to_owned()).collect(),
        ring_bytes: 4 << 20,
        ..CaptureRequest::default()
    }
}

fn open(request: &CaptureRequest) -> Capture {
    Capture::open(request).unwrap()
}

/// Everything that the capture still has.
fn rest(capture: &mut Capture) -> (Vec<Kept>, CaptureCounts) {
    let mut kept = Vec::new();
    let counts = capture.finish(&mut |captured| kept.push(keep(captured))).unwrap();
    assert_eq!((counts.seen, counts.dropped), (counts.received, 0), "{counts:?}");
    (kept, counts)
}

/// Runs `test` with a cable; says why it skips.
fn with_cable(name: &str, test: impl FnOnce() + Send) {
    private(name, || match lay() {
        Ok(()) => test(),
        Err(why) => eprintln!("SKIPPED: {name}: {why}"),
    });
}

#[test]
fn frames_arrive_as_they_were_sent_in_the_order_of_their_times() {
    with_cable("frames_arrive_as_they_were_sent_in_the_order_of_their_times", || {
        let before = portreeve_host::now().as_ns();
        let mut capture = open(&on(&["quay1"]));
        // Looking in vain changes nothing.
        for _ in 0..5 {
            assert_eq!(capture.wait(Duration::ZERO, &mut |_| {}).unwrap(), 0);
        }
        let sender = Sender::from("quay0");
        let sent: Vec<Vec<u8>> =
            (0..200_u16).map(|n| datagram((1, n), (2, 420), &vec![7; usize::from(n) * 7])).collect();
        let mut seen = Vec::new();
        for frame in &sent {
            sender.send(frame);
            if seen.len() < 50 {
                capture.wait(Duration::from_secs(5), &mut |captured| seen.push(keep(captured))).unwrap();
            }
        }
        let (left, counts) = rest(&mut capture);
        seen.extend(left);
        assert_eq!(seen.iter().map(|kept| kept.bytes.clone()).collect::<Vec<_>>(), sent);
        assert!(seen.windows(2).all(|pair| pair[0].time_ns <= pair[1].time_ns));
        let after = portreeve_host::now().as_ns();
        assert!(seen.iter().all(|kept| before <= kept.time_ns && kept.time_ns <= after));
        for kept in &seen {
            assert_eq!(
                (kept.link, kept.interface, kept.wire_bytes as usize),
                (LinkType::ETHERNET, 0, kept.bytes.len())
            );
            assert_eq!(kept.direction, Direction::Elsewhere, "no address of ours");
        }
        assert_eq!((counts.received, counts.truncated, counts.freezes), (200, 0, 0));
        assert_eq!(capture.interfaces()[0].name, "quay1");
    });
}

#[test]
fn all_interfaces_are_told_apart_and_new_ones_join() {
    with_cable("all_interfaces_are_told_apart_and_new_ones_join", || {
        let mut everything = open(&on(&[]));
        let mut both = open(&on(&["quay0", "quay1", "quay0"]));
        for words in [
            &["link", "add", "name", "late0", "type", "veth", "peer", "name", "late1"][..],
            &["link", "set", "late0", "up"],
            &["link", "set", "late1", "up"],
        ] {
            run("ip", words).unwrap();
        }
        let frame = datagram((1, 1), (2, 420), b"berth");
        Sender::from("quay0").send(&frame);
        Sender::from("late1").send(&frame);
        let named = |capture: &mut Capture| -> Vec<(String, Direction)> {
            let (kept, _) = rest(capture);
            let names = capture.interfaces();
            assert!(kept.iter().all(|kept| kept.bytes == frame));
            let mut named: Vec<_> = kept
                .iter()
                .map(|kept| (names[kept.interface as usize].name.clone(), kept.direction))
                .collect();
            named.sort_by_key(|(name, _)| name.clone());
            named
        };
        let entry = |name: &str, direction| (name.to_owned(), direction);
        let quays = [entry("quay0", Direction::Out), entry("quay1", Direction::Elsewhere)];
        assert_eq!(named(&mut both), quays);
        let lates = [entry("late0", Direction::Elsewhere), entry("late1", Direction::Out)];
        assert_eq!(named(&mut everything), [lates, quays].concat());
    });
}

/// "udp port 420" for Ethernet with IPv4, as tcpdump would write it.
fn port_420() -> LinkFilter {
    let program = [
        (0x28, 0, 0, 12),      // type
        (0x15, 0, 10, 0x0800), // IPv4
        (0x30, 0, 0, 23),      // protocol
        (0x15, 0, 8, 17),      // UDP
        (0x28, 0, 0, 20),      // fragment
        (0x45, 6, 0, 0x1fff),  // not the first
        (0xb1, 0, 0, 14),      // length of the header
        (0x48, 0, 0, 14),      // source
        (0x15, 2, 0, 420),
        (0x48, 0, 0, 16), // destination
        (0x15, 0, 1, 420),
        (0x06, 0, 0, 262_144),
        (0x06, 0, 0, 0),
    ];
    let program = program.iter().map(|&(code, jt, jf, k)| FilterInstruction { code, jt, jf, k }).collect();
    LinkFilter { link: LinkType::ETHERNET, program }
}

#[test]
fn the_kernel_filters_before_anything_is_counted() {
    with_cable("the_kernel_filters_before_anything_is_counted", || {
        let sender = Sender::from("quay0");
        let request = CaptureRequest { filters: vec![port_420()], ..on(&["quay1"]) };
        let mut capture = open(&request);
        let wanted = [datagram((1, 5000), (2, 420), b"there"), datagram((2, 420), (1, 5000), b"back")];
        for n in 7000..8000 {
            sender.send(&datagram((1, n), (2, 421), b"other"));
        }
        for frame in &wanted {
            sender.send(frame);
        }
        let (kept, counts) = rest(&mut capture);
        assert_eq!(kept.into_iter().map(|kept| kept.bytes).collect::<Vec<_>>(), wanted);
        assert_eq!(counts.received, 2);
        let mut damaged = request.clone();
        damaged.filters[0].program[0].code = 0xffff;
        let refused = Capture::open(&damaged);
        assert!(matches!(refused, Err(CaptureError::FilterRefused(LinkType::ETHERNET, _))), "{refused:?}");
    });
}

#[test]
fn tags_stand_where_they_stood() {
    with_cable("tags_stand_where_they_stood", || {
        let plain = datagram((1, 5000), (2, 420), b"berth");
        let tagged = |tags: &[u8]| [&plain[..12], tags, &plain[12..]].concat();
        let sent = [
            tagged(&[0x81, 0, 0xa1, 0xa4]),
            tagged(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 8]),
            tagged(&[0x81, 0, 0, 0]),
            plain.clone(),
        ];
        let mut near = open(&on(&["quay0"]));
        let mut far = open(&on(&["quay1"]));
        // What the kernel shows a program has no tag: the frame passes.
        let mut filtered = open(&CaptureRequest { filters: vec![port_420()], ..on(&["quay1"]) });
        let mut short = open(&CaptureRequest { snap_bytes: 40, ..on(&["quay1"]) });
        let sender = Sender::from("quay0");
        for frame in &sent {
            sender.send(frame);
        }
        for capture in [&mut near, &mut far] {
            let (kept, _) = rest(capture);
            for (kept, sent) in kept.iter().zip(&sent) {
                assert_eq!((&kept.bytes, kept.wire_bytes as usize), (sent, sent.len()));
            }
            assert_eq!(kept.len(), sent.len());
        }
        let (kept, _) = rest(&mut filtered);
        assert!(kept.iter().any(|kept| kept.bytes == sent[0]), "{kept:?}");
        let (kept, counts) = rest(&mut short);
        assert_eq!(counts.truncated, 4);
        for (kept, sent) in kept.iter().zip(&sent) {
            assert_eq!((&kept.bytes[..], kept.wire_bytes as usize), (&sent[..40], sent.len()));
        }
    });
}

#[test]
fn loopback_is_seen_once_with_frames_of_any_length() {
    let name = "loopback_is_seen_once_with_frames_of_any_length";
    private(name, || {
        if let Err(why) = run("ip", &["link", "set", "lo", "up"]) {
            return eprintln!("SKIPPED: {name}: {why}");
        }
        let mut whole = open(&on(&["lo"]));
        let mut any = open(&on(&[]));
        let mut short = open(&CaptureRequest { snap_bytes: 96, ..on(&["lo"]) });
        stay();
        let to = UdpSocket::bind("127.0.0.1:0").unwrap();
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        for length in [0, 1, 1400, 60_000] {
            from.send_to(&vec![0x42; length], to.local_addr().unwrap()).unwrap();
        }
        let lengths = [42, 43, 1442, 60_042];
        for capture in [&mut whole, &mut any] {
            let (kept, counts) = rest(capture);
            assert_eq!(kept.iter().map(|kept| kept.bytes.len()).collect::<Vec<_>>(), lengths);
            assert!(
                kept.iter().all(|kept| kept.direction == Direction::Here && kept.link == LinkType::ETHERNET)
            );
            assert_eq!(counts.truncated, 0);
        }
        let (kept, counts) = rest(&mut short);
        assert_eq!(kept.iter().map(|kept| kept.wire_bytes as usize).collect::<Vec<_>>(), lengths);
        assert_eq!(kept.iter().map(|kept| kept.bytes.len()).collect::<Vec<_>>(), [42, 43, 96, 96]);
        assert_eq!(counts.truncated, 2);
    });
}

#[test]
fn a_pipe_without_a_link_header_begins_with_ip() {
    let name = "a_pipe_without_a_link_header_begins_with_ip";
    with_cable(name, || {
        let mut file = match pipe() {
            Ok(file) => file,
            Err(why) => return eprintln!("SKIPPED: {name}: {why}"),
        };
        let mut all = open(&CaptureRequest { filters: vec![port_420()], ..on(&[]) });
        // Everything but what is from port 7, for raw IP: shorter headers than Ethernet's.
        let program = [(0x28, 0, 0, 20), (0x15, 0, 1, 7), (0x06, 0, 0, 0), (0x06, 0, 0, 9999)];
        let program =
            program.iter().map(|&(code, jt, jf, k)| FilterInstruction { code, jt, jf, k }).collect();
        let raw = LinkFilter { link: LinkType::RAW, program };
        let mut filtered = open(&CaptureRequest { filters: vec![port_420(), raw], ..on(&[]) });
        let packets = [7, 8, 9].map(|port| datagram((1, port), (2, 421), b"berth")[14..].to_vec());
        for packet in &packets {
            file.write_all(packet).unwrap();
        }
        Sender::from("quay0").send(&datagram((1, 7), (2, 421), b"no"));
        let (kept, _) = rest(&mut all);
        assert_eq!(kept.iter().map(|kept| kept.bytes.clone()).collect::<Vec<_>>(), packets);
        assert!(kept.iter().all(|kept| kept.link == LinkType::RAW && kept.wire_bytes == 33));
        let place = kept[0].interface as usize;
        assert_eq!(
            (all.interfaces()[place].name.as_str(), all.interfaces()[place].link),
            ("pipe0", LinkType::RAW)
        );
        let (kept, _) = rest(&mut filtered);
        assert_eq!(kept.into_iter().map(|kept| kept.bytes).collect::<Vec<_>>(), packets[1..]);
    });
}

#[test]
fn a_checksum_that_is_left_to_the_interface_is_told() {
    with_cable("a_checksum_that_is_left_to_the_interface_is_told", || {
        for words in [
            &["addr", "add", "192.0.2.1/24", "dev", "quay0"][..],
            &["neigh", "add", "192.0.2.2", "lladdr", "02:00:00:00:04:02", "dev", "quay0"],
        ] {
            run("ip", words).unwrap();
        }
        let mut capture = open(&CaptureRequest { filters: vec![port_420()], ..on(&["quay0"]) });
        UdpSocket::bind("192.0.2.1:0").unwrap().send_to(b"berth", "192.0.2.2:420").unwrap();
        Sender::from("quay0").send(&datagram((1, 1), (2, 420), b"berth"));
        let mut pending = Vec::new();
        capture.finish(&mut |captured| pending.push(captured.checksum_pending)).unwrap();
        assert_eq!(pending, [true, false]);
    });
}
