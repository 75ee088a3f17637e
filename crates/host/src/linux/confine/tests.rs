//! What can no longer be done behind a fence, and that a look still sees every holder.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use rustix::thread::{CapabilitySet, UnshareFlags};

use super::*;
use crate::confine::{Rooms, thread};
use crate::{Look, Looker, privilege};

/// Runs `test` in a thread of its own, which takes its fences with it.
fn alone<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(test).join() {
        Ok(answer) => answer,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// As `process`, of this thread alone; `None` where that is not possible here.
fn fenced(bounds: &Bounds) -> Option<Vec<Measure>> {
    rustix::thread::set_no_new_privs(true).unwrap();
    let measures = fences(bounds);
    let seccomp = measures.iter().find(|measure| measure.name == "seccomp").unwrap();
    if seccomp.fence == Fence::Whole {
        return Some(measures);
    }
    eprintln!("SKIPPED: {seccomp}");
    None
}

fn code(error: &io::Error) -> Option<i32> {
    error.raw_os_error()
}

/// Holders by socket, without what belongs to tests that run beside this one.
fn held(looker: &mut Looker, ours: &[u16]) -> Vec<(u16, Vec<u32>)> {
    let snapshot = looker.snapshot(&Look::default());
    let mut held: Vec<_> = snapshot
        .sockets
        .iter()
        .filter(|socket| ours.contains(&socket.local.port()))
        .map(|socket| (socket.local.port(), socket.holders.iter().map(|holder| holder.pid).collect()))
        .collect();
    held.sort();
    held
}

#[test]
fn behind_the_fence_a_look_sees_the_same_holders() {
    let listeners: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = listeners.iter().map(|it| it.local_addr().unwrap().port()).collect();
    let before = held(&mut Looker::new(), &ports);
    assert_eq!(before.len(), 3);
    assert!(before.iter().all(|(_, pids)| pids.contains(&std::process::id())), "{before:?}");
    alone(|| {
        let mut sets = rustix::thread::capabilities(None).unwrap();
        let keep = CapabilitySet::from_bits_retain(privilege::LOOKING) | CapabilitySet::NET_RAW;
        (sets.permitted, sets.effective) = (sets.permitted & keep, sets.effective & keep);
        rustix::thread::set_capabilities(None, sets).unwrap();
        if fenced(&Bounds::default()).is_none() {
            return;
        }
        // A looker made here loads its kernel programs here, and goes into other networks from here.
        let mut looker = Looker::new();
        assert_eq!(held(&mut looker, &ports), before);
        assert_eq!(held(&mut looker, &ports), before);
        let snapshot = looker.snapshot(&Look { sha256: true, ..Look::default() });
        let us = snapshot.processes.iter().find(|process| process.pid == std::process::id()).unwrap();
        assert!(matches!(us.exe, model::Seen::Value(_)), "{:?}", us.exe);
        assert!(snapshot.namespaces.iter().any(|namespace| namespace.own && namespace.entered));
    });
}

#[test]
fn what_we_never_do_is_refused() {
    let runs = |bounds: Bounds| {
        alone(move || {
            fenced(&bounds)?;
            Some(Command::new("/bin/true").status())
        })
    };
    let Some(refused) = runs(Bounds::default()) else { return };
    assert_eq!(code(&refused.unwrap_err()), Some(libc::EPERM));
    assert!(runs(Bounds { programs: true, ..Bounds::default() }).unwrap().unwrap().success());
    alone(|| {
        fenced(&Bounds::default());
        let new = |flags| {
            #[expect(unsafe_code, reason = "rustix marks every unshare unsafe because of CLONE_FILES")]
            // SAFETY: the call is refused before it does anything; the flags do not name descriptors.
            unsafe {
                rustix::thread::unshare_unsafe(flags)
            }
        };
        assert_eq!(new(UnshareFlags::NEWNET), Err(rustix::io::Errno::PERM));
        assert_eq!(new(UnshareFlags::NEWUSER), Err(rustix::io::Errno::PERM));
        let own = fs::File::open("/proc/self/ns/mnt").unwrap();
        for kind in [None, Some(rustix::thread::LinkNameSpaceType::Mount)] {
            use std::os::fd::AsFd;
            let went = rustix::thread::move_into_link_name_space(own.as_fd(), kind);
            assert_eq!(went, Err(rustix::io::Errno::PERM), "{kind:?}");
        }
        for family in [libc::AF_ALG, libc::AF_VSOCK, libc::AF_BLUETOOTH] {
            let made = socket2::Socket::new(family.into(), socket2::Type::STREAM, None);
            assert_eq!(code(&made.unwrap_err()), Some(libc::EPERM));
        }
        let file = std::env::temp_dir().join(format!("portreeve-node-{}", std::process::id()));
        let made = rustix::fs::mknodat(
            rustix::fs::CWD,
            &file,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        );
        assert_eq!(made, Err(rustix::io::Errno::PERM));
        // What we do go on doing: threads, sockets, files, time.
        assert!(alone(|| TcpListener::bind("127.0.0.1:0")).is_ok());
        fs::write(&file, "x").unwrap();
        fs::remove_file(&file).unwrap();
    });
}

#[test]
fn a_thread_keeps_its_rooms_and_no_more() {
    let folder = std::env::temp_dir().join(format!("portreeve-rooms-{}", std::process::id()));
    let (ours, theirs) = (folder.join("ours"), folder.join("theirs"));
    for folder in [&ours, &theirs] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("file"), "x").unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (open, shut) = (listener.local_addr().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let rooms = Rooms {
        read: None,
        write: vec![ours.clone(), folder.join("absent")],
        execute: vec!["/bin/true".into()],
        connect: Some(vec![open.port()]),
        bind: Some(Vec::new()),
    };
    let denied = |path: &Path| code(&fs::write(path, "y").unwrap_err()) == Some(libc::EACCES);
    alone(|| {
        let measure = thread(&rooms);
        let Fence::Partly(missing) = &measure.fence else { return eprintln!("SKIPPED: {measure}") };
        assert!(missing.contains("absent"), "{measure}");
        fs::write(ours.join("new"), "y").unwrap();
        fs::rename(ours.join("new"), ours.join("newer")).unwrap();
        assert!(denied(&theirs.join("file")) && denied(&theirs.join("new")));
        assert!(fs::remove_file(theirs.join("file")).is_err() && fs::read(theirs.join("file")).is_ok());
        assert!(Command::new("/bin/true").status().unwrap().success());
        let other = Command::new("/bin/echo").status();
        assert!(Path::new("/bin/busybox").exists() || code(&other.unwrap_err()) == Some(libc::EACCES));
        assert!(TcpStream::connect(open).is_ok());
        if matches!(landlock::possible().fence, Fence::Whole) {
            let other = TcpStream::connect(shut.local_addr().unwrap()).unwrap_err();
            assert_eq!(code(&other), Some(libc::EACCES));
            assert_eq!(code(&TcpListener::bind("127.0.0.1:0").unwrap_err()), Some(libc::EACCES));
        }
    });
    // Another thread is as free as before.
    fs::write(theirs.join("file"), "z").unwrap();
    alone(|| {
        let measure = thread(&Rooms { read: Some(vec![ours.clone()]), ..Rooms::default() });
        if !matches!(measure.fence, Fence::None(_)) {
            assert!(fs::read(ours.join("file")).is_ok());
            assert_eq!(code(&fs::read(theirs.join("file")).unwrap_err()), Some(libc::EACCES));
        }
    });
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn with_threads_it_is_refused_and_what_stands_is_told() {
    alone(|| assert!(matches!(process(&Bounds::default()), Err(PrivilegeError::Threads(2..)))));
    let told = crate::confine::possible();
    assert_eq!(told.iter().map(|measure| measure.name).collect::<Vec<_>>(), ["Landlock", "seccomp"]);
    let none = Measure { name: "x", keeps_from: "y".into(), fence: Fence::None("z".into()) };
    assert_eq!(none.to_string(), "no x: z");
}
