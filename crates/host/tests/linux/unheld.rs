//! Sockets that no process has open: those of the kernel itself, and those that travel in a message.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use crate::stage::{find, listener, look, netns, private, run, with_bpf};
use model::{Area, Kind, Reason, Snapshot};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

/// Why nobody is named for a socket that has a file: where some process refuses to be read, it may be that one.
fn not_the_kernels(snapshot: &Snapshot) -> Reason {
    let refused =
        snapshot.gaps.iter().any(|gap| gap.area == Area::Holders && gap.reason == Reason::NoPermission);
    if refused { Reason::NoPermission } else { Reason::InFlight }
}

#[test]
fn a_tunnel_is_the_kernels_own() {
    let name = "a_tunnel_is_the_kernels_own";
    private(name, || {
        let tunnel = ["link", "add", "tunnel0", "type", "vxlan", "id", "1", "dstport", "4789", "dev", "lo"];
        for words in [&["link", "set", "lo", "up"][..], &tunnel, &["link", "set", "tunnel0", "up"]] {
            if let Err(why) = run("ip", words) {
                return eprintln!("SKIPPED: {name}: {why}");
            }
        }
        let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
        let snapshot = look(false);
        if !with_bpf(name, &snapshot) {
            return;
        }
        let socket = find(&snapshot, netns(), Kind::Udp, 4789);
        assert_eq!((socket.holders_missing, socket.holders.len()), (Some(Reason::KernelOwned), 0));
        let own = find(&snapshot, netns(), Kind::Udp, ours.local_addr().unwrap().port());
        assert_eq!((own.holders_missing, own.holders.len()), (None, 1));
        // Nothing is left that a process which refuses could have.
        assert!(!snapshot.gaps.iter().any(|gap| gap.area == Area::Holders), "{:?}", snapshot.gaps);
    });
}

#[test]
fn a_listener_in_a_message_is_in_flight_whoever_refuses() {
    let name = "a_listener_in_a_message_is_in_flight_whoever_refuses";
    private(name, || {
        let (sender, receiver) = UnixDatagram::pair().unwrap();
        let (tcp, tcp_port) = listener();
        let udp = UdpSocket::bind("0.0.0.0:0").unwrap();
        let udp_port = udp.local_addr().unwrap().port();
        let before = look(false);
        if !with_bpf(name, &before) {
            return;
        }
        assert_eq!(find(&before, netns(), Kind::Tcp, tcp_port).holders.len(), 1);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [tcp.as_fd(), udp.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
        sendmsg(&sender, &[IoSlice::new(b"x")], &mut control, SendFlags::empty()).unwrap();
        drop((tcp, udp));
        let during = look(false);
        for (kind, port) in [(Kind::Tcp, tcp_port), (Kind::Udp, udp_port)] {
            let socket = find(&during, netns(), kind, port);
            assert_eq!((socket.holders_missing, socket.holders.len()), (Some(Reason::InFlight), 0));
        }
        drop((sender, receiver));
        let after = look(false);
        assert!(after.sockets.iter().all(|socket| socket.netns != netns()), "{:?}", after.sockets);
    });
}

#[test]
fn a_listener_that_only_io_uring_keeps_is_not_the_kernels() {
    let name = "a_listener_that_only_io_uring_keeps_is_not_the_kernels";
    private(name, || {
        let (listener, port) = listener();
        let Some(ring) = ring_with(listener.as_fd()) else {
            return eprintln!("SKIPPED: {name}: no io_uring here: {}", std::io::Error::last_os_error());
        };
        drop(listener);
        let snapshot = look(false);
        if !with_bpf(name, &snapshot) {
            return;
        }
        let socket = find(&snapshot, netns(), Kind::Tcp, port);
        assert_eq!(
            (socket.holders_missing, socket.holders.len()),
            (Some(not_the_kernels(&snapshot)), 0),
            "{:?}",
            snapshot.gaps
        );
        drop(ring);
    });
}

/// A ring that keeps this socket (io_uring_register(2), IORING_REGISTER_FILES).
fn ring_with(socket: BorrowedFd<'_>) -> Option<OwnedFd> {
    const REGISTER_FILES: u32 = 2;
    let mut parameters = [0_u32; 30];
    let files = [socket.as_raw_fd()];
    #[expect(unsafe_code, reason = "io_uring has no safe interface")]
    // SAFETY: the parameters are as long as the kernel's (120 bytes) and outlive the call.
    let ring = unsafe { libc::syscall(libc::SYS_io_uring_setup, 2, parameters.as_mut_ptr()) };
    let ring = i32::try_from(ring).ok().filter(|ring| *ring >= 0)?;
    #[expect(unsafe_code, reason = "io_uring has no safe interface")]
    // SAFETY: the descriptor is new and nobody else's.
    let ring = unsafe { OwnedFd::from_raw_fd(ring) };
    #[expect(unsafe_code, reason = "io_uring has no safe interface")]
    // SAFETY: the list has the one entry that the call is told of, and outlives it.
    let kept = unsafe {
        libc::syscall(libc::SYS_io_uring_register, ring.as_raw_fd(), REGISTER_FILES, files.as_ptr(), 1)
    };
    (kept == 0).then_some(ring)
}
