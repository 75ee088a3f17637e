//! Where a capture is opened, why it is not, and what becomes of it when its interface goes.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use portreeve_host::capture::{Capture, CaptureError, CaptureRequest};
use rustix::thread::{
    CapabilitySet, LinkNameSpaceType, capabilities, move_into_link_name_space, set_capabilities,
};

use super::{on, open, rest, with_cable};
use crate::stage::{private, run};
use crate::wires::{Sender, datagram};

#[test]
fn a_namespace_is_chosen_by_its_name() {
    let name = "a_namespace_is_chosen_by_its_name";
    private(name, || {
        let made = run("mount", &["-t", "tmpfs", "none", "/run"])
            .and_then(|()| run("ip", &["netns", "add", "harbour"]))
            .and_then(|()| run("ip", &["-n", "harbour", "link", "set", "lo", "up"]));
        if let Err(why) = made {
            return eprintln!("SKIPPED: {name}: {why}");
        }
        let within = |netns: &str| CaptureRequest { netns: Some(netns.to_owned()), ..on(&["lo"]) };
        let ours = portreeve_host::linux::namespaces::own();
        let mut captures = [open(&within("harbour")), open(&within("/run/netns/harbour"))];
        assert_eq!(portreeve_host::linux::namespaces::own(), ours);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let file = std::fs::File::open("/run/netns/harbour").unwrap();
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.send_to(b"berth", socket.local_addr().unwrap()).unwrap();
            });
        });
        for capture in &mut captures {
            let (kept, _) = rest(capture);
            assert_eq!(kept.len(), 1);
            assert!(kept[0].bytes.ends_with(b"berth"));
        }
        // Here, the interface is off.
        assert!(matches!(Capture::open(&on(&["lo"])), Err(CaptureError::InterfaceDown(_))));
        match Capture::open(&within("harbor")) {
            Err(error @ CaptureError::NoNamespace { .. }) => {
                assert!(error.to_string().ends_with("did you mean harbour?"), "{error}");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn what_is_missing_is_said() {
    with_cable("what_is_missing_is_said", || {
        run("ip", &["link", "property", "add", "dev", "quay1", "altname", "lighter"]).unwrap();
        assert_eq!(open(&on(&["lighter"])).interfaces()[0].name, "quay1");
        let error = Capture::open(&on(&["qauy1"])).unwrap_err();
        assert_eq!(error.to_string(), "no interface is named \"qauy1\"; did you mean quay1, quay0?");
        let error = Capture::open(&CaptureRequest { ring_bytes: 1 << 40, ..on(&[]) }).unwrap_err();
        assert!(matches!(error, CaptureError::RingTooLarge(_)), "{error}");
        // The rest of this thread's life is without.
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::NET_RAW);
        set_capabilities(None, sets).unwrap();
        let error = Capture::open(&on(&["quay1"])).unwrap_err();
        assert!(matches!(error, CaptureError::NoPermission { capability: "CAP_NET_RAW", .. }), "{error}");
        assert!(error.to_string().contains("tcpdump -w - | portreeve read -"), "{error}");
    });
}

#[test]
fn an_interface_that_goes_down_is_told_and_comes_back() {
    with_cable("an_interface_that_goes_down_is_told_and_comes_back", || {
        let mut capture = open(&on(&["quay1"]));
        let sender = Sender::from("quay0");
        let frame = datagram((1, 1), (2, 420), b"berth");
        let end = Instant::now() + Duration::from_secs(20);
        let until = |capture: &mut Capture, what: &str, came: &dyn Fn(&Result<usize, ErrorKind>) -> bool| {
            while !came(&capture.wait(Duration::from_millis(100), &mut |_| {}).map_err(|error| error.kind()))
            {
                assert!(Instant::now() < end, "{what} did not come");
                // What is sent before the link is up again is lost.
                if what == "a frame" {
                    sender.send(&frame);
                }
            }
        };
        let frames = |came: &Result<usize, ErrorKind>| matches!(came, Ok(1..));
        let down = |came: &Result<usize, ErrorKind>| *came == Err(ErrorKind::NetworkDown);
        until(&mut capture, "a frame", &frames);
        run("ip", &["link", "set", "quay1", "down"]).unwrap();
        until(&mut capture, "the end of the link", &down);
        run("ip", &["link", "set", "quay1", "up"]).unwrap();
        until(&mut capture, "a frame", &frames);
        run("ip", &["link", "del", "quay1"]).unwrap();
        until(&mut capture, "the end of the interface", &down);
        let (_, counts) = rest(&mut capture);
        assert!(counts.seen >= 2 && counts.seen == counts.received, "{counts:?}");
    });
}
