//! The root of the control groups: what is tied there sees the sockets of the whole machine.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// Opens it, wherever it is mounted. Where it is not, or where another mount hides it, one is made that nobody else sees
/// and that goes with its descriptor: the hierarchy is there all the same, and every process in it (cgroups(7)).
pub(crate) fn root() -> io::Result<OwnedFd> {
    let mounts = std::fs::read("/proc/self/mountinfo")?;
    let mounted = wire::mountinfo::control_groups(&mounts).and_then(|place| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(OsString::from_vec(place), flags, Mode::empty()).ok()
    });
    match mounted {
        Some(root) => Ok(root),
        None => Ok(detached()?),
    }
}

fn detached() -> rustix::io::Result<OwnedFd> {
    let context = fsopen("cgroup2", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    // What fsmount gives stands for a path only; a tie wants a folder that is open.
    rustix::fs::openat(&mount, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_had_without_a_mount() {
        let root = match detached() {
            Ok(root) => root,
            Err(errno) => return eprintln!("SKIPPED: no mount of our own: {errno}"),
        };
        let controllers = rustix::fs::openat(&root, "cgroup.controllers", OFlags::RDONLY, Mode::empty());
        assert!(controllers.is_ok(), "{controllers:?}");
    }
}
