//! Who has which socket open, by the links in /proc/PID/fd: for when no kernel program may be loaded.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::{CWD, Dir, Mode, OFlags, open, openat, readlinkat_raw};
use rustix::io::Errno;

/// One link to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The socket's inode number.
    pub inode: u64,
    /// The process.
    pub pid: u32,
    /// The descriptor.
    pub fd: u32,
}

/// What a walk through /proc gave.
#[derive(Debug, Default)]
pub struct Walk {
    /// Every process that /proc shows.
    pub pids: Vec<u32>,
    /// Every link to a socket that we could read.
    pub links: Vec<Link>,
    /// How many processes did not let us read theirs.
    pub refused: u64,
}

/// Every process number that /proc shows, lowest first.
pub fn pids() -> Vec<u32> {
    let mut pids = Vec::new();
    if let Ok(folder) = open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        each_number(folder, |pid, _| pids.push(pid));
    }
    pids.sort_unstable();
    pids
}

/// Walks the processes for which `wanted` holds.
pub fn walk(wanted: impl Fn(u32) -> bool) -> Walk {
    let mut walk = Walk { pids: pids(), ..Walk::default() };
    for pid in walk.pids.iter().copied().filter(|pid| wanted(*pid)) {
        match links_of(pid, &mut walk.links) {
            Ok(()) | Err(Errno::NOENT | Errno::SRCH) => {}
            Err(_) => walk.refused += 1,
        }
    }
    walk
}

fn links_of(pid: u32, links: &mut Vec<Link>) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, format!("/proc/{pid}/fd"), flags, Mode::empty())?;
    let reader = openat(&folder, c".", flags, Mode::empty())?;
    let mut refused = Ok(());
    each_number(reader, |fd, name| {
        // Whoever may not read one link may read none.
        if refused.is_err() {
            return;
        }
        let mut target = [0_u8; 64];
        match readlinkat_raw(&folder, name, target.as_mut_slice()) {
            Ok(length) => {
                if let Some(inode) = target.get(..length).and_then(socket_inode) {
                    links.push(Link { inode, pid, fd });
                }
            }
            // The folder may be listed and its links refused.
            Err(errno @ (Errno::ACCESS | Errno::PERM)) => refused = Err(errno),
            Err(_) => {}
        }
    });
    refused
}

/// The number in `socket:[12345]`.
pub fn socket_inode(target: &[u8]) -> Option<u64> {
    let digits = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn each_number(folder: OwnedFd, mut each: impl FnMut(u32, &CStr)) {
    let Ok(entries) = Dir::new(folder) else { return };
    for entry in entries.flatten() {
        let number = entry.file_name().to_str().ok().and_then(|name| name.parse().ok());
        if let Some(number) = number {
            each(number, entry.file_name());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    #[test]
    fn finds_a_socket_of_our_own() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fd = u32::try_from(listener.as_raw_fd()).unwrap();
        let walk = walk(|_| true);
        let pid = std::process::id();
        assert!(walk.pids.contains(&pid));
        assert!(walk.links.iter().any(|link| link.pid == pid && link.fd == fd && link.inode != 0));
    }

    #[test]
    fn only_socket_links_have_an_inode() {
        assert_eq!(socket_inode(b"socket:[77]"), Some(77));
        for other in [&b"socket:["[..], b"socket:[]", b"pipe:[77]", b"socket:[7x]", b"/tmp/socket:[7]", b""] {
            assert_eq!(socket_inode(other), None);
        }
    }
}
