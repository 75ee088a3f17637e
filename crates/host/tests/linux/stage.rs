//! Where live tests play: namespaces of their own, and processes that hold what they are given.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use model::{Kind, Snapshot, Socket};
use portreeve_host::{Look, Looker};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// One test at a time: each new process and each copied descriptor table holds for a moment what all the others hold.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs `test` in a network namespace and a mount namespace of its own; says why it skips where that is not allowed.
pub fn private(name: &str, test: impl FnOnce() + Send) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let ran = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(UnshareFlags::NEWNET | UnshareFlags::NEWNS).map_err(|errno| errno.to_string())?;
            // What is mounted from here on is nobody else's.
            run("mount", &["--make-rprivate", "/"])?;
            test();
            Ok::<(), String>(())
        });
        thread.join()
    });
    match ran {
        Ok(Ok(())) => {}
        Ok(Err(why)) => eprintln!("SKIPPED: {name}: no namespaces of our own: {why}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Gives the calling thread its own of something.
pub fn unshare(what: UnshareFlags) -> rustix::io::Result<()> {
    #[expect(unsafe_code, reason = "rustix marks every unshare unsafe because of CLONE_FILES")]
    // SAFETY: whoever asks for a descriptor table of the thread's own opens and closes in that thread only.
    unsafe {
        unshare_unsafe(what)
    }
}

/// Runs a program of the system; the error says what it said.
pub fn run(program: &str, words: &[&str]) -> Result<(), String> {
    match Command::new(program).args(words).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// A process that holds a socket and does nothing; it ends with this value.
pub struct Keeper(Child);

impl Keeper {
    /// Gives the socket to a new process, which has it as descriptor 0; we have it no more.
    pub fn of(socket: impl Into<OwnedFd>) -> Keeper {
        let child = Command::new("sleep").arg("600").stdin(Stdio::from(socket.into())).spawn().unwrap();
        Keeper(child)
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A listener on any address, and its port.
pub fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Looks from the calling thread's namespace; `all` says whether at every other one, too.
pub fn look(all: bool) -> Snapshot {
    let look = Look { all_namespaces: all, forwards: false, integrity: false, ..Look::default() };
    Looker::new().snapshot(&look)
}

/// The inode number of the network namespace that the calling thread is in.
pub fn netns() -> u32 {
    portreeve_host::linux::namespaces::own().unwrap()
}

/// The only socket of this kind and port in this namespace.
pub fn find(snapshot: &Snapshot, netns: u32, kind: Kind, port: u16) -> &Socket {
    let fits = |s: &&Socket| (s.netns, s.kind, s.local.port()) == (netns, kind, port);
    let found: Vec<&Socket> = snapshot.sockets.iter().filter(fits).collect();
    assert_eq!(found.len(), 1, "{} {port} in {netns}: {found:?}; gaps: {:?}", kind.name(), snapshot.gaps);
    found[0]
}

/// Whether kernel programs ran; says so if not.
pub fn with_bpf(name: &str, snapshot: &Snapshot) -> bool {
    let has = snapshot.views.has(model::Views::BPF);
    if !has {
        eprintln!("SKIPPED: {name}: no kernel program may be loaded here");
    }
    has
}
