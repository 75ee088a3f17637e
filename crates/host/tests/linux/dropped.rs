//! Privilege is given up between opening a capture and reading it, in a process of its own.

use std::process::{Command, Stdio};
use std::time::Duration;

use portreeve_host::capture::{Capture, CaptureError, CaptureRequest};
use portreeve_host::privilege::{LOOKING, account, give_up};
use rustix::thread::{UnshareFlags, capabilities};

use crate::stage::unshare;
use crate::wires::{Sender, datagram, lay};

/// Set for the process that is to give up what it has.
const CHILD: &str = "PORTREEVE_TEST_GIVE_UP";

#[test]
fn what_was_opened_is_read_without_privilege() {
    let name = "what_was_opened_is_read_without_privilege";
    if std::env::var_os(CHILD).is_some() {
        return without_privilege(name);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        // With one at a time, a test runs in the only thread that there is.
        .args(["--exact", &format!("dropped::{name}"), "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    eprintln!("{said}");
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn without_privilege(name: &str) {
    let made = unshare(UnshareFlags::NEWNET).map_err(|errno| errno.to_string()).and_then(|()| lay());
    if let Err(why) = made {
        return eprintln!("SKIPPED: {name}: {why}");
    }
    let request = CaptureRequest {
        interfaces: vec!["quay1".to_owned()],
        ring_bytes: 4 << 20,
        workers: 2,
        ..CaptureRequest::default()
    };
    let capture = Capture::open(&request).unwrap();
    let sender = Sender::from("quay0");
    let nobody = account("nobody").unwrap();
    let given_up = give_up(LOOKING, Some(&nobody)).unwrap();
    assert_eq!(given_up.kept & !LOOKING, 0);
    assert_eq!(given_up.account.as_ref().map(|account| account.uid), Some(nobody.uid));
    assert!(matches!(Capture::open(&request), Err(CaptureError::NoPermission { .. })));
    for flow in 0..64 {
        sender.send(&datagram((1, flow), (2, 420), b"berth"));
    }
    let seen: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = capture
            .split()
            .into_iter()
            .map(|mut capture| {
                scope.spawn(move || {
                    assert_eq!(capabilities(None).unwrap().permitted.bits() & !LOOKING, 0);
                    capture.wait(Duration::from_millis(1), &mut |_| {}).unwrap();
                    let counts = capture.finish(&mut |_| {}).unwrap();
                    assert_eq!(counts.dropped, 0);
                    counts.seen
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(seen, 64);
}
