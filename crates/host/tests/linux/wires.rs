//! Two ends of a cable in a namespace of our own, and a socket that puts any bytes on it.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};

use crate::stage::run;

/// Makes a cable whose ends are `quay0` and `quay1`, both switched on, with nothing on it that we did not send.
pub fn lay() -> Result<(), String> {
    for family in ["all", "default"] {
        // No neighbour discovery; a kernel without IPv6 has none anyway.
        let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{family}/disable_ipv6"), "1");
    }
    for words in [
        &["link", "add", "name", "quay0", "type", "veth", "peer", "name", "quay1"][..],
        &["link", "set", "quay0", "up"],
        &["link", "set", "quay1", "up"],
    ] {
        run("ip", words)?;
    }
    Ok(())
}

/// Keeps the calling thread where it is: what is sent from two processors may arrive in another order.
pub fn stay() {
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here).unwrap();
}

/// A socket that sends frames from one interface.
pub struct Sender(OwnedFd);

impl Sender {
    /// From the interface with this name, by the calling thread.
    pub fn from(name: &str) -> Sender {
        stay();
        let interfaces = portreeve_host::interfaces().unwrap();
        let index = interfaces.iter().find(|interface| interface.name == name).unwrap().index;
        #[expect(unsafe_code, reason = "rustix has no packet sockets")]
        // SAFETY: no memory of ours is involved.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        assert!(fd >= 0, "{}", io::Error::last_os_error());
        #[expect(unsafe_code, reason = "as above")]
        // SAFETY: the descriptor is new and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let address = libc::sockaddr_ll {
            sll_family: u16::try_from(libc::AF_PACKET).unwrap(),
            sll_protocol: 0,
            sll_ifindex: i32::try_from(index).unwrap(),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let length = u32::try_from(size_of_val(&address)).unwrap();
        #[expect(unsafe_code, reason = "as above")]
        // SAFETY: the kernel reads the address, whose length is given.
        let answer = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
        assert_eq!(answer, 0, "{}", io::Error::last_os_error());
        Sender(fd)
    }

    /// Sends one frame; full queues are waited for.
    pub fn send(&self, frame: &[u8]) {
        while let Err(errno) = rustix::net::send(&self.0, frame, rustix::net::SendFlags::empty()) {
            assert!(matches!(errno, rustix::io::Errno::NOBUFS | rustix::io::Errno::INTR), "{errno}");
        }
    }
}

/// An Ethernet frame with a UDP datagram between two of our addresses.
pub fn datagram(from: (u8, u16), to: (u8, u16), payload: &[u8]) -> Vec<u8> {
    let length = |more: usize| u16::try_from(payload.len() + more).unwrap().to_be_bytes();
    let mut frame = vec![2, 0, 0, 0, 4, to.0, 2, 0, 0, 0, 4, from.0, 8, 0, 0x45, 0];
    frame.extend_from_slice(&length(28));
    frame.extend_from_slice(&[0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, from.0, 192, 0, 2, to.0]);
    frame.extend_from_slice(&from.1.to_be_bytes());
    frame.extend_from_slice(&to.1.to_be_bytes());
    frame.extend_from_slice(&length(8));
    frame.extend_from_slice(&[0, 0]);
    frame.extend_from_slice(payload);
    frame
}

/// An open point-to-point device named `pipe0`, switched on: what is written to the file arrives at it.
pub fn pipe() -> Result<std::fs::File, String> {
    let file = std::fs::File::options().read(true).write(true).open("/dev/net/tun");
    let file = file.map_err(|error| format!("/dev/net/tun: {error}"))?;
    let mut name = [0; libc::IFNAMSIZ];
    for (place, letter) in name.iter_mut().zip(b"pipe0") {
        *place = libc::c_char::try_from(*letter).unwrap();
    }
    // IFF_TUN without a header of its own.
    let flags = libc::c_short::try_from(libc::IFF_TUN | libc::IFF_NO_PI).unwrap();
    let request =
        libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags } };
    #[expect(unsafe_code, reason = "a device has no safe interface")]
    // SAFETY: the kernel reads and writes the request, which is as long as it expects.
    let answer = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw const request) };
    if answer != 0 {
        return Err(format!("TUNSETIFF: {}", io::Error::last_os_error()));
    }
    run("ip", &["link", "set", "pipe0", "up"])?;
    Ok(file)
}
