//! Privilege is given up between opening a capture and reading it, in a process that has one thread until then.

#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::print_stderr,
        reason = "in a test a panic is how it fails"
    )
)]

#[cfg(target_os = "linux")]
#[path = "linux/stage.rs"]
#[expect(dead_code, reason = "other tests play here, too")]
mod stage;
#[cfg(target_os = "linux")]
#[path = "linux/wires.rs"]
#[expect(dead_code, reason = "other tests play here, too")]
mod wires;

#[cfg(not(target_os = "linux"))]
fn main() {}

/// The harness runs each test in a thread beside its own: this test does without it.
#[cfg(target_os = "linux")]
fn main() {
    if let Err(why) = linux::without_privilege() {
        eprintln!("SKIPPED: what was opened is read without privilege: {why}");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use portreeve_host::capture::{Capture, CaptureError, CaptureRequest};
    use portreeve_host::privilege::{LOOKING, account, give_up};
    use rustix::thread::{UnshareFlags, capabilities};

    use crate::stage::unshare;
    use crate::wires::{Sender, datagram, lay};

    /// Opens a capture, gives up privilege, and reads.
    pub fn without_privilege() -> Result<(), String> {
        unshare(UnshareFlags::NEWNET).map_err(|errno| errno.to_string())?;
        lay()?;
        let nobody = account("nobody").ok_or("no account nobody")?;
        let request = CaptureRequest {
            interfaces: vec!["quay1".to_owned()],
            ring_bytes: 4 << 20,
            workers: 2,
            ..CaptureRequest::default()
        };
        let capture = Capture::open(&request).unwrap();
        let sender = Sender::from("quay0");
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
        Ok(())
    }
}
