//! The network namespaces of the machine: which there are, what they are called, and doing work inside one.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::Reason;
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A way into a namespace.
#[derive(Debug, Clone)]
pub struct Entrance {
    /// Its inode number.
    pub inode: u32,
    /// A process in it.
    pub pid: Option<u32>,
    /// A file that is bound to it, and the name people gave that.
    pub mount: Option<(PathBuf, String)>,
}

/// The inode number of the namespace that we are in.
pub fn own() -> Option<u32> {
    inode_of(Path::new("/proc/thread-self/ns/net"))
}

/// The inode number of the namespace that the machine's first process is in, if we may see it.
pub fn of_first_process() -> Option<u32> {
    inode_of(Path::new("/proc/1/ns/net"))
}

fn inode_of(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().and_then(|metadata| u32::try_from(metadata.ino()).ok())
}

/// Every namespace that a process is in or a file is bound to, by inode number.
///
/// `processes` gives pairs of namespace and PID, lowest PID first.
pub fn all(processes: impl Iterator<Item = (u32, u32)>) -> BTreeMap<u32, Entrance> {
    let mut all = BTreeMap::new();
    for (inode, pid) in processes.filter(|(inode, _)| *inode != 0) {
        all.entry(inode).or_insert(Entrance { inode, pid: Some(pid), mount: None });
    }
    for (path, name) in mounts() {
        let Some(inode) = inode_of(&path) else { continue };
        let entrance = all.entry(inode).or_insert(Entrance { inode, pid: None, mount: None });
        entrance.mount.get_or_insert((path, name));
    }
    all
}

/// Where `ip netns` and Docker bind the namespaces that have a name.
const FOLDERS: [&str; 2] = ["/run/netns", "/var/run/docker/netns"];

/// The way into the namespace that a person names: by a path, by the number of a process in it, or by its name.
pub fn entrance(named: &str) -> Result<Entrance, Reason> {
    let path = if named.contains('/') {
        PathBuf::from(named)
    } else if let Ok(pid) = named.parse::<u32>() {
        PathBuf::from(format!("/proc/{pid}/ns/net"))
    } else {
        let mut bound = FOLDERS.iter().map(|folder| Path::new(folder).join(named));
        let listed = || mounts().into_iter().find(|(_, name)| name == named).map(|(path, _)| path);
        bound.find(|path| path.exists()).or_else(listed).ok_or(Reason::Exited)?
    };
    let metadata = std::fs::metadata(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Reason::NoPermission,
        _ => Reason::Exited,
    })?;
    let inode = u32::try_from(metadata.ino()).map_err(|_| Reason::OtherNetworkNamespace)?;
    Ok(Entrance { inode, pid: None, mount: Some((path, named.to_owned())) })
}

/// The names of namespaces that have one.
pub fn names() -> Vec<String> {
    mounts().into_iter().map(|(_, name)| name).collect()
}

/// Pairs of namespace and PID from /proc, for when the kernel does not tell us itself; with how many were refused.
pub fn from_proc(pids: &[u32]) -> (Vec<(u32, u32)>, u64) {
    let mut pairs = Vec::new();
    let mut refused = 0;
    for pid in pids {
        match std::fs::read_link(format!("/proc/{pid}/ns/net")) {
            Ok(link) => {
                let text = link.to_string_lossy();
                let inode = text.strip_prefix("net:[").and_then(|rest| rest.strip_suffix(']'));
                pairs.extend(inode.and_then(|inode| inode.parse().ok()).map(|inode| (inode, *pid)));
            }
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => refused += 1,
            // Ended meanwhile.
            Err(_) => {}
        }
    }
    (pairs, refused)
}

/// Files that namespaces are bound to: those of `ip netns` and Docker by their folders, others by the mount table.
fn mounts() -> Vec<(PathBuf, String)> {
    const MOST: usize = 4096;
    let Ok(table) = std::fs::read("/proc/thread-self/mountinfo") else { return Vec::new() };
    let table = String::from_utf8_lossy(&table);
    // proc(5): fields 4 and 5 are the root in that file system (`net:[…]` for a namespace) and where it is mounted.
    table
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(3);
            let (root, at) = (fields.next()?, fields.next()?);
            let path = unescape(at);
            root.starts_with("net:[").then(|| {
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                (PathBuf::from(path), name)
            })
        })
        .take(MOST)
        .collect()
}

/// The mount table writes spaces, tabs, newlines and backslashes as three octal digits (proc(5)).
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split('\\');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (code, part.get(3..)) {
            (Some(code), Some(rest)) if code.is_ascii() => {
                plain.push(char::from(code));
                plain.push_str(rest);
            }
            _ => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

/// Runs `work` on a thread of its own inside the namespace; ours stays as it is.
pub fn inside<T: Send>(entrance: &Entrance, work: impl FnOnce() -> T + Send) -> Result<T, Reason> {
    let by_pid = entrance.pid.map(|pid| PathBuf::from(format!("/proc/{pid}/ns/net")));
    let path = entrance.mount.as_ref().map(|(path, _)| path.clone()).or(by_pid).ok_or(Reason::Exited)?;
    let file = File::open(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Reason::NoPermission,
        _ => Reason::Exited,
    })?;
    // The process may have ended, and its number or its namespace be another one now.
    if file.metadata().ok().and_then(|metadata| u32::try_from(metadata.ino()).ok()) != Some(entrance.inode) {
        return Err(Reason::Exited);
    }
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().name("namespace".into()).spawn_scoped(scope, || {
            match move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)) {
                Ok(()) => Ok(work()),
                Err(Errno::PERM | Errno::ACCESS) => Err(Reason::NoPermission),
                Err(_) => Err(Reason::OtherNetworkNamespace),
            }
        });
        worker.map_err(|_| Reason::LimitReached)?.join().map_err(|_| Reason::Damaged)?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_namespace_is_among_all_and_can_be_entered() {
        let own = own().unwrap();
        let (pairs, _) = from_proc(&[std::process::id()]);
        let all = all(pairs.into_iter());
        let entrance = all.get(&own).unwrap();
        match inside(entrance, super::own) {
            Ok(inode) => assert_eq!(inode, Some(own)),
            Err(reason) => assert_eq!(reason, Reason::NoPermission),
        }
    }

    #[test]
    fn a_namespace_that_is_gone_is_not_mistaken_for_another() {
        let entrance = Entrance { inode: 1, pid: Some(std::process::id()), mount: None };
        assert_eq!(inside(&entrance, || ()), Err(Reason::Exited));
    }

    #[test]
    fn mount_points_are_unescaped() {
        assert_eq!(unescape("/run/netns/a\\040b\\134040c\\x"), "/run/netns/a b\\040c\\x");
    }
}
