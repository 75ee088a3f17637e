//! The root of the control groups: what is tied there sees the sockets of the whole machine.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{Mode, OFlags};

/// Opens it, wherever it is mounted.
pub(crate) fn root() -> io::Result<OwnedFd> {
    let mounts = std::fs::read("/proc/self/mountinfo")?;
    let missing = || io::Error::new(io::ErrorKind::NotFound, "control groups (cgroup v2) are not mounted");
    let place = OsString::from_vec(wire::mountinfo::control_groups(&mounts).ok_or_else(missing)?);
    Ok(rustix::fs::open(place, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}
