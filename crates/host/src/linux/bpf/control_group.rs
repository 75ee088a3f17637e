//! The root of the control groups: what is tied there sees the sockets of the whole machine.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// Opens it, wherever it is mounted; where it is not, by a mount of our own that nobody else sees, and that goes with
/// the descriptor.
pub(crate) fn root() -> io::Result<OwnedFd> {
    let mounts = std::fs::read("/proc/self/mountinfo")?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mounted = wire::mountinfo::control_groups(&mounts)
        .and_then(|place| rustix::fs::openat(CWD, OsString::from_vec(place), flags, Mode::empty()).ok());
    match mounted {
        Some(root) => Ok(root),
        None => Ok(unseen(flags)?),
    }
}

fn unseen(flags: OFlags) -> Result<OwnedFd, Errno> {
    let system = fsopen(c"cgroup2", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&system)?;
    let mount = fsmount(&system, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
    rustix::fs::openat(&mount, c".", flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_mounted_or_not() {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        for found in [root().map_err(|error| error.to_string()), unseen(flags).map_err(|e| e.to_string())] {
            match found {
                Ok(root) => {
                    assert!(rustix::fs::statat(&root, c"cgroup.procs", rustix::fs::AtFlags::empty()).is_ok())
                }
                Err(error) => eprintln!("SKIPPED: {error}"),
            }
        }
    }
}
