//! A process that shut itself off goes on looking, and does nothing of what it may not.

#![cfg_attr(
    target_os = "linux",
    expect(clippy::unwrap_used, clippy::print_stderr, reason = "in a test a panic is how it fails")
)]

#[cfg(not(target_os = "linux"))]
fn main() {}

/// The harness runs each test in a thread beside its own: this test does without it.
#[cfg(target_os = "linux")]
fn main() {
    linux::shut_off_and_at_work();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::{TcpListener, TcpStream};
    use std::process::Command;

    use portreeve_host::confine::{self, Bounds, Fence, Rooms};
    use portreeve_host::privilege::LOOKING;
    use portreeve_host::{Look, Looker};

    /// The holders of a port, and how many gaps there are.
    fn look(looker: &mut Looker, port: u16) -> (Vec<u32>, usize) {
        let snapshot = looker.snapshot(&Look::default());
        let socket = snapshot.sockets.iter().find(|socket| socket.local.port() == port);
        let holders = socket.unwrap().holders.iter().map(|holder| holder.pid).collect();
        (holders, snapshot.gaps.len())
    }

    pub fn shut_off_and_at_work() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = std::env::temp_dir().join(format!("portreeve-confined-{}", std::process::id()));
        let (ours, theirs) = (folder.join("ours"), folder.join("theirs"));
        fs::create_dir_all(&ours).unwrap();
        fs::create_dir_all(&theirs).unwrap();
        let mut looker = Looker::new();
        let before = look(&mut looker, address.port());
        assert_eq!(before.0, [std::process::id()]);

        // To read the rules of address translation takes CAP_NET_ADMIN.
        let keep = LOOKING | 1 << 12;
        let confined = confine::process(&Bounds { keep, ..Bounds::default() }).unwrap();
        assert_eq!(confined.given_up.kept & !keep, 0);
        if let Some(measure) = confined.measures.iter().find(|it| matches!(it.fence, Fence::None(_))) {
            eprintln!("SKIPPED: {measure}");
        }
        if confined.measures.iter().all(|it| it.name != "seccomp" || it.fence == Fence::Whole) {
            let started = Command::new("/bin/true").status();
            assert!(started.is_err(), "{started:?}");
        }
        // What was loaded before, and what is loaded now.
        assert_eq!(look(&mut looker, address.port()), before);
        assert_eq!(look(&mut Looker::new(), address.port()), before);

        // A thread that need not look is behind its own fence, and those that look beside it are as before.
        let rooms = Rooms { write: vec![ours.clone()], connect: Some(Vec::new()), ..Rooms::default() };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let measure = confine::thread(&rooms);
                if let Fence::None(_) = measure.fence {
                    return eprintln!("SKIPPED: {measure}");
                }
                fs::write(ours.join("kept"), "x").unwrap();
                assert!(fs::write(theirs.join("kept"), "x").is_err());
                assert!(measure.fence != Fence::Whole || TcpStream::connect(address).is_err());
            });
            scope.spawn(|| assert_eq!(look(&mut Looker::new(), address.port()), before));
        });
        assert_eq!(look(&mut looker, address.port()), before);
        fs::remove_dir_all(&folder).unwrap();
    }
}
