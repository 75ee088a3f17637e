//! `/proc/PID/cgroup`: which unit and which container a process runs in (cgroups(7)).
//!
//! Paths are made by systemd and by container runtimes; each has its own habits, with the systemd and with the
//! cgroupfs driver, on cgroup v1 and v2. The innermost container and the innermost manager's unit are what counts.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use model::Runtime;

use crate::Fault;

/// One line: the group a process is in, in one hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Number of the hierarchy; 0 is cgroup v2.
    pub hierarchy: u32,
    /// Controllers, or `name=systemd`; empty for cgroup v2.
    pub controllers: &'a str,
    /// The group, seen from the root of the reader's cgroup namespace.
    pub path: &'a str,
}

/// The lines of the file.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Result<Line<'_>, Fault>> {
    text.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()).map(|(index, line)| {
        let fault = |what| Fault { layer: "cgroup", at: index + 1, what };
        let line = core::str::from_utf8(line).map_err(|_| fault("not UTF-8"))?;
        let mut fields = line.splitn(3, ':');
        let hierarchy = fields.next().unwrap_or("");
        if !hierarchy.bytes().all(|b| b.is_ascii_digit()) {
            return Err(fault("hierarchy is no number"));
        }
        let hierarchy = hierarchy.parse().map_err(|_| fault("hierarchy is no number"))?;
        let controllers = fields.next().ok_or(fault("no controllers"))?;
        let path = fields.next().filter(|path| path.starts_with('/')).ok_or(fault("no path"))?;
        // The kernel marks a group that was removed while the process still is in it.
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        Ok(Line { hierarchy, controllers, path })
    })
}

/// A systemd unit, as a path names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit<'a> {
    /// Its name as systemctl shows it. (`\x2d` is part of a unit's name; only cgroup's own `_` prefix is not.)
    pub name: &'a str,
    /// The user whose manager runs it; `None` for the system's.
    pub user: Option<u32>,
}

/// A container, as a path names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// What runs it; `None` where the path has an identifier only.
    pub runtime: Option<Runtime>,
    /// Its identifier, or name for LXC and nspawn.
    pub id: String,
    /// The Kubernetes pod it belongs to.
    pub pod: Option<String>,
    /// The user whose manager it runs under, for rootless containers.
    pub user: Option<u32>,
    /// Whether it runs inside another container.
    pub nested: bool,
}

/// What a path says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place<'a> {
    /// The unit.
    pub unit: Option<Unit<'a>>,
    /// The container.
    pub container: Option<Container>,
}

/// What the whole file says. The unit comes from systemd's hierarchy; a container may show in any.
pub fn place(text: &[u8]) -> (Place<'_>, Option<Fault>) {
    let mut first_fault = None;
    let mut out = Place::default();
    let mut found: Vec<(u8, Line<'_>)> = Vec::new();
    for line in lines(text).take(64) {
        match line {
            Ok(line) if line.controllers == "name=systemd" => found.push((0, line)),
            Ok(line) if line.hierarchy == 0 => found.push((1, line)),
            Ok(line) => found.push((2, line)),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    for (rank, line) in found {
        if line.path == "/" {
            continue;
        }
        let here = read_path(line.path);
        if rank < 2 && out.unit.is_none() {
            out.unit = here.unit;
        }
        if out.container.as_ref().is_none_or(|known| known.runtime.is_none()) && here.container.is_some() {
            out.container = here.container;
        }
    }
    (out, first_fault)
}

/// What one path says.
pub fn read_path(path: &str) -> Place<'_> {
    let mut out = Place::default();
    let mut user = None;
    let mut container_user = None;
    let mut pod: Option<String> = None;
    // Whether a unit name may still come: after slices, or where a container's own manager begins.
    let mut open = true;
    let mut before = "";
    let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != "..").peekable();
    while let Some(part) = parts.next() {
        if let Some(uid) = pod_of(part) {
            pod = Some(uid);
        }
        let next = parts.peek().copied();
        if let Some((runtime, id)) = container_of(before, part, next, pod.is_some()) {
            let nested = out.container.is_some();
            if open && is_unit(part) {
                out.unit = Some(Unit { name: strip_escape(part), user });
            }
            container_user = container_user.or(user);
            out.container = Some(Container { runtime, id, pod: pod.clone(), user: container_user, nested });
            user = None;
            open = true;
            if matches!(next, Some("container" | "payload")) {
                parts.next();
            }
        } else if open && !part.ends_with(".slice") {
            let own_manager = part.strip_prefix("user@").and_then(|rest| rest.strip_suffix(".service"));
            if let Some(uid) = own_manager.and_then(|uid| uid.parse().ok()).filter(|_| user.is_none()) {
                user = Some(uid);
                out.unit = Some(Unit { name: part, user: None });
            } else if user.is_some() && part == "init.scope" {
                // The user's manager itself: its unit is the system's user@UID.service.
                open = false;
            } else {
                if is_unit(part) {
                    out.unit = Some(Unit { name: strip_escape(part), user });
                }
                open = false;
            }
        }
        before = part;
    }
    out
}

/// Undoes systemd's escaping of one name: `\x2d` is `-` (systemd-escape(1)).
pub fn unescape(name: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.strip_prefix(b"x").and_then(|hex| hex.get(..2));
        let byte = code
            .and_then(|hex| core::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) if *first == b'\\' && byte != 0 => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| name.to_owned())
}

/// systemd puts `_` before a group whose name the kernel would misread.
fn strip_escape(part: &str) -> &str {
    part.strip_prefix('_').unwrap_or(part)
}

fn is_unit(part: &str) -> bool {
    [".service", ".scope", ".socket", ".mount", ".swap"]
        .iter()
        .any(|suffix| part.len() > suffix.len() && part.ends_with(suffix))
}

/// An identifier as runtimes make them: 64 hexadecimal digits.
fn is_full_id(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.len() >= 12 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn pod_of(part: &str) -> Option<String> {
    let uid = match part.strip_suffix(".slice") {
        Some(slice) if slice.contains("kubepods") => slice.rsplit_once("-pod").map(|(_, uid)| uid)?,
        Some(_) => return None,
        None => part.strip_prefix("pod")?,
    };
    // A pod's UID, or the digest that static pods have.
    let plain = uid.len() >= 32 && uid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-' || b == b'_');
    plain.then(|| uid.replace('_', "-"))
}

fn container_of(
    before: &str,
    part: &str,
    next: Option<&str>,
    in_pod: bool,
) -> Option<(Option<Runtime>, String)> {
    // The identifier becomes part of a path on the host: it must be one plain name.
    let plain = |id: &str| !id.is_empty() && id != "." && id != ".." && !id.contains(['/', '\0']);
    let named = |runtime, id: &str| plain(id).then(|| (Some(runtime), id.to_owned()));
    let stem = part.strip_suffix(".scope").unwrap_or(part);
    // systemd's three-part name, taken literally by the cgroupfs driver: `system.slice:docker:ID`.
    if let Some((prefix, id)) = stem.rsplit_once(':') {
        let prefix = prefix.rsplit(':').next().unwrap_or(prefix);
        return runtime_of(prefix).filter(|_| is_hex(id)).and_then(|runtime| named(runtime, id));
    }
    if let Some((prefix, id)) = stem.rsplit_once('-')
        && is_hex(id)
        && let Some(runtime) = runtime_of(prefix)
    {
        return named(runtime, id);
    }
    if let Some(machine) = stem.strip_prefix("machine-").filter(|_| part.ends_with(".scope")) {
        let name = unescape(machine);
        // libvirt registers its machines here as well; a virtual machine is no container.
        return match name.strip_prefix("lxc-") {
            _ if name.starts_with("qemu-") || next == Some("supervisor") => None,
            Some(lxc) => named(Runtime::Lxc, lxc),
            None => named(Runtime::Nspawn, &name),
        };
    }
    if let Some(name) = part.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service")) {
        return if next == Some("supervisor") { None } else { named(Runtime::Nspawn, &unescape(name)) };
    }
    if let Some(name) = part.strip_prefix("lxc.payload.").filter(|name| !name.is_empty()) {
        return named(Runtime::Lxc, name);
    }
    if matches!(before, "lxc" | "lxc.payload") && !part.ends_with(".service") && !part.ends_with(".slice") {
        return named(Runtime::Lxc, part);
    }
    if before == "docker" && is_hex(part) {
        return named(Runtime::Docker, part);
    }
    if is_full_id(part) {
        return Some((in_pod.then_some(Runtime::Kubernetes), part.to_owned()));
    }
    None
}

/// The monitors (`libpod-conmon`, `crio-conmon`) run on the host and match nothing here.
fn runtime_of(prefix: &str) -> Option<Runtime> {
    Some(match prefix {
        "docker" => Runtime::Docker,
        "libpod" => Runtime::Podman,
        "cri-containerd" | "nerdctl" | "containerd" => Runtime::Containerd,
        "crio" => Runtime::CriO,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
