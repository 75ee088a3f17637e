//! `/proc/PID/mountinfo`: which container a process is in, when its control group does not say (proc_pid_mountinfo(5)).
//!
//! Seen from inside a cgroup namespace every path is `/`. The files that a runtime mounts into each container
//! (`/etc/hostname`, `/etc/resolv.conf`, `/etc/hosts`) still lie in a folder that is named after the container.

use alloc::{borrow::ToOwned, vec::Vec};

use model::Runtime;

use crate::cgroup::Container;

/// The container whose files are mounted here.
pub fn container(text: &[u8]) -> Option<Container> {
    let mut pod = None;
    let mut found: Option<(Runtime, &str)> = None;
    for line in text.split(|b| *b == b'\n').take(65_536) {
        let Ok(line) = core::str::from_utf8(line) else { continue };
        // Mount number, parent, device, root in the file system, mount point.
        let mut fields = line.split(' ').skip(3);
        let (Some(root), Some(point)) = (fields.next(), fields.next()) else { continue };
        if !matches!(point, "/etc/hostname" | "/etc/resolv.conf" | "/etc/hosts" | "/run/.containerenv") {
            continue;
        }
        if let Some(uid) = after(root, "/pods/").filter(|uid| uid.len() >= 32) {
            pod = pod.or(Some(uid.to_owned()));
        }
        let kinds = [
            ("/overlay-containers/", Runtime::Podman),
            ("/vfs-containers/", Runtime::Podman),
            ("/docker/containers/", Runtime::Docker),
            ("/containers/", Runtime::Docker),
        ];
        if found.is_none() {
            found = kinds.into_iter().find_map(|(folder, runtime)| {
                after(root, folder).filter(|id| is_id(id)).map(|id| (runtime, id))
            });
        }
    }
    match (found, pod) {
        (Some((runtime, id)), pod) => {
            Some(Container { runtime: Some(runtime), id: id.to_owned(), pod, user: None, nested: false })
        }
        // The files of a pod are shared by its containers: which of them this is stays unknown.
        (None, Some(pod)) => Some(Container {
            runtime: Some(Runtime::Kubernetes),
            id: pod.clone(),
            pod: Some(pod),
            user: None,
            nested: false,
        }),
        (None, None) => None,
    }
}

/// Where the root of the control groups (cgroup v2) is mounted.
pub fn control_groups(text: &[u8]) -> Option<Vec<u8>> {
    text.split(|b| *b == b'\n').take(65_536).find_map(|line| {
        let mut fields = line.split(|b| *b == b' ');
        // Mount number, parent, device, root in the file system, mount point; after a dash, the kind.
        let (root, point) = (fields.nth(3)?, fields.next()?);
        let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
        (kind == b"cgroup2" && root == b"/").then(|| plain(point))
    })
}

/// A path as it is: the kernel writes white space and backslashes as three octal digits.
fn plain(escaped: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((first, tail)) = rest.split_first() {
        let digits =
            tail.first_chunk::<3>().filter(|digits| digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        match digits {
            Some(digits) if *first == b'\\' => {
                let value = digits.iter().fold(0_u8, |value, digit| value << 3 | (digit - b'0'));
                out.push(value);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn after<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    path.split_once(folder)?.1.split('/').next()
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const ID: &str = "4f1d2c3b4a5968778695a4b3c2d1e0f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

    #[test]
    fn the_control_groups_are_found_wherever_they_are_mounted() {
        let text = b"24 21 0:22 / /sys rw - sysfs sysfs rw\n\
            30 24 0:26 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n\
            31 24 0:27 /deep /a rw - cgroup2 cgroup rw\n\
            40 24 0:27 / /my\\040groups rw,relatime shared:4 master:1 - cgroup2 cgroup2 rw\n";
        assert_eq!(control_groups(text).unwrap(), b"/my groups");
        for end in 0..text.len() {
            assert!(control_groups(&text[..end]).is_none_or(|path| b"/my groups".starts_with(&path)));
        }
        assert_eq!(plain(b"a\\134\\9\\04"), b"a\\\\9\\04");
    }

    #[test]
    fn docker_podman_and_pods() {
        let docker = format!(
            "512 480 0:52 / / rw - overlay overlay rw\n\
             530 512 254:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/vda1 rw\n"
        );
        let found = container(docker.as_bytes()).unwrap();
        assert_eq!((found.runtime, found.id.as_str()), (Some(Runtime::Docker), ID));

        let podman = format!(
            "530 512 0:25 /containers/overlay-containers/{ID}/userdata/hostname /etc/hostname rw - tmpfs tmpfs rw\n"
        );
        assert_eq!(container(podman.as_bytes()).unwrap().runtime, Some(Runtime::Podman));

        let pod = b"5 4 254:1 /var/lib/kubelet/pods/0b5a7b1e-3c52-4f55-9d0c-2f7c6a1b8e11/etc-hosts /etc/hosts rw - ext4 x rw\n";
        let found = container(pod).unwrap();
        assert_eq!(found.runtime, Some(Runtime::Kubernetes));
        assert_eq!(found.pod.as_deref(), Some("0b5a7b1e-3c52-4f55-9d0c-2f7c6a1b8e11"));
        for cut in 0..docker.len() {
            if let Some(found) = container(&docker.as_bytes()[..cut]) {
                assert_eq!(found.id, ID);
            }
        }
    }

    #[test]
    fn an_ordinary_machine_and_strange_names_are_no_container() {
        let host = b"22 1 254:1 / / rw - ext4 /dev/root rw\n23 22 254:1 /containers/short/hostname /etc/hostname rw - x x rw\n\xff\n";
        assert_eq!(container(host), None);
    }
}
