//! Network namespaces that no process is in: one with a name, and one that only a socket keeps.

use std::net::TcpListener;

use model::{Area, Kind, Views};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use std::os::fd::AsFd;

use crate::stage::{find, look, netns, private, run, unshare, with_bpf};

/// A listener made by a thread that goes where `enter` says, and the namespace that it is in. The thread ends.
fn listener_from(enter: impl FnOnce() + Send) -> (TcpListener, u16, u32) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter();
            let listener = TcpListener::bind("0.0.0.0:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            (listener, port, netns())
        });
        thread.join().unwrap()
    })
}

#[test]
fn a_named_namespace_without_a_process_is_entered_and_named() {
    let name = "a_named_namespace_without_a_process_is_entered_and_named";
    private(name, || {
        // A folder of names that only we see.
        let made = run("mount", &["-t", "tmpfs", "none", "/run"])
            .and_then(|()| run("ip", &["netns", "add", "quay 7"]));
        if let Err(why) = made {
            return eprintln!("SKIPPED: {name}: {why}");
        }
        let (listener, port, inside) = listener_from(|| {
            let file = std::fs::File::open("/run/netns/quay 7").unwrap();
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        });
        assert_ne!(inside, netns());
        let snapshot = look(true);
        let namespace = snapshot.namespace(inside).unwrap();
        assert_eq!((namespace.name.as_str(), namespace.entered, namespace.pid), ("quay 7", true, None));
        let socket = find(&snapshot, inside, Kind::Tcp, port);
        assert!(socket.seen_by.has(Views::SOCK_DIAG));
        assert_eq!(socket.holders.first().map(|holder| holder.pid), Some(std::process::id()));
        assert_eq!((socket.holders.len(), socket.hidden_from), (1, Views::default()));
        drop(listener);
    });
}

#[test]
fn a_namespace_that_only_a_socket_keeps_is_told_and_hides_nothing() {
    let name = "a_namespace_that_only_a_socket_keeps_is_told_and_hides_nothing";
    private(name, || {
        let (listener, port, inside) = listener_from(|| unshare(UnshareFlags::NEWNET).unwrap());
        assert_ne!(inside, netns());
        let snapshot = look(true);
        if !with_bpf(name, &snapshot) {
            return;
        }
        let socket = find(&snapshot, inside, Kind::Tcp, port);
        assert_eq!(socket.local.to_string(), format!("0.0.0.0:{port}"));
        assert_eq!((socket.seen_by, socket.hidden_from), (Views::BPF, Views::default()));
        let holders: Vec<_> = socket.holders.iter().map(|holder| holder.pid).collect();
        assert_eq!(holders, [std::process::id()]);
        let namespace = snapshot.namespace(inside).expect("the namespace of every socket is told");
        assert!(!namespace.entered && namespace.pid.is_none(), "{namespace:?}");
        let gap = snapshot.gaps.iter().find(|gap| gap.area == Area::Namespaces);
        assert!(gap.is_some_and(|gap| gap.what.contains(&inside.to_string())), "{:?}", snapshot.gaps);
        drop(listener);
    });
}
