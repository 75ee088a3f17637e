//! One process, with what is known of its executable, unit, container and package.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use model::{Integrity, Seen, UnitScope};

use crate::capability;

/// A process that holds a socket.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Process<'a> {
    /// Its number.
    pid: u32,
    /// The file name of its executable, else the kernel's short name.
    program: &'a str,
    /// The kernel's short name: any process can set it.
    comm: &'a str,
    /// When it started (RFC 3339, UTC).
    started: Option<String>,
    /// The file it runs.
    exe: Option<Exe<'a>>,
    /// Its arguments; the first is what it calls itself.
    cmdline: Option<&'a [String]>,
    /// Its working directory.
    cwd: Option<&'a str>,
    /// Its effective user.
    user: Option<User<'a>>,
    /// What it may do.
    capabilities: Option<Capabilities>,
    /// Its parents, nearest first.
    parents: Vec<Parent<'a>>,
    /// The systemd unit it runs in.
    unit: Option<Unit<'a>>,
    /// The container it runs in.
    container: Option<Container<'a>>,
    /// The package that owns the executable.
    package: Option<Package<'a>>,
    /// Libraries that are put into it from outside.
    preload: Option<&'a [String]>,
    /// Whether the kernel runs it and /proc does not show it.
    hidden_from_proc: bool,
    /// Which fields are null because we could not look, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hidden: BTreeMap<&'static str, &'static str>,
}

/// The file a process runs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Exe<'a> {
    /// Its path.
    path: &'a str,
    /// `present`, `deleted`, `replaced` or `memfd`.
    state: &'static str,
    /// Whether everybody can write the file or its folder.
    world_writable: bool,
    /// Whether it lies in a place for temporary files.
    temporary: bool,
    /// SHA-256 in hexadecimal, where it was asked for.
    sha256: Option<String>,
}

/// A user.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct User<'a> {
    /// Its number.
    uid: u32,
    /// Its account name; null where there is none.
    name: Option<&'a str>,
}

/// Linux capability sets.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Capabilities {
    /// What it may do now, as a bit mask.
    effective: u64,
    /// What it may give itself, as a bit mask.
    permitted: u64,
    /// What it and its children may ever have, as a bit mask.
    bounding: u64,
    /// The names of `effective`; a single `all` for the full set.
    effective_names: Vec<Cow<'static, str>>,
}

/// A forefather.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Parent<'a> {
    /// Its number.
    pid: u32,
    /// Its short name.
    comm: &'a str,
}

/// A systemd unit.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Unit<'a> {
    /// Its name.
    name: &'a str,
    /// The user whose manager runs it; null for the system's.
    user: Option<u32>,
}

/// A container.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Container<'a> {
    /// `docker`, `podman`, `containerd`, `cri-o`, `lxc`, `nspawn` or `kubernetes`.
    runtime: &'static str,
    /// Its identifier.
    id: &'a str,
    /// The name people gave it.
    name: Option<&'a str>,
    /// The image it was made from.
    image: Option<&'a str>,
    /// The pod's identifier.
    pod: Option<&'a str>,
    /// Which fields are null because we could not look, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hidden: BTreeMap<&'static str, &'static str>,
}

/// The package that owns an executable.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Package<'a> {
    /// `dpkg`, `rpm` or `apk`.
    manager: &'static str,
    /// Its name.
    name: &'a str,
    /// Its version.
    version: &'a str,
    /// `intact`, `modified`, `not_recorded` or `not_compared`.
    integrity: &'static str,
    /// Why it was not compared.
    not_compared: Option<&'static str>,
}

impl<'a> Container<'a> {
    pub(super) fn of(container: &'a model::Container) -> Container<'a> {
        let mut hidden = BTreeMap::new();
        note(&mut hidden, "name", container.name.hidden());
        note(&mut hidden, "image", container.image.hidden());
        Container {
            runtime: container.runtime.name(),
            id: &container.id,
            name: container.name.value().map(String::as_str),
            image: container.image.value().map(String::as_str),
            pod: container.pod.as_deref(),
            hidden,
        }
    }
}

fn note(
    hidden: &mut BTreeMap<&'static str, &'static str>,
    field: &'static str,
    reason: Option<model::Reason>,
) {
    if let Some(reason) = reason {
        hidden.insert(field, reason.code());
    }
}

impl<'a> Process<'a> {
    pub(super) fn of(process: &'a model::Process) -> Process<'a> {
        let mut hidden = BTreeMap::new();
        note(&mut hidden, "started", process.started.hidden());
        note(&mut hidden, "exe", process.exe.hidden());
        note(&mut hidden, "cmdline", process.cmdline.hidden());
        note(&mut hidden, "cwd", process.cwd.hidden());
        note(&mut hidden, "user", process.user.hidden());
        note(&mut hidden, "capabilities", process.capabilities.hidden());
        note(&mut hidden, "unit", process.unit.hidden());
        note(&mut hidden, "container", process.container.hidden());
        note(&mut hidden, "package", process.package.hidden());
        note(&mut hidden, "preload", process.preload.hidden());
        Process {
            pid: process.pid,
            program: process.program(),
            comm: &process.comm,
            started: process.started.value().map(|started| started.rfc3339()),
            exe: process.exe.value().map(|exe| Exe {
                path: &exe.path,
                state: exe.state.name(),
                world_writable: exe.world_writable,
                temporary: exe.temporary,
                sha256: exe.sha256.map(|hash| capability::hex(&hash)),
            }),
            cmdline: process.cmdline.value().map(Vec::as_slice),
            cwd: process.cwd.value().map(String::as_str),
            user: process.user.value().map(|user| User { uid: user.uid, name: user.name.as_deref() }),
            capabilities: process.capabilities.value().map(|set| Capabilities {
                effective: set.effective,
                permitted: set.permitted,
                bounding: set.bounding,
                effective_names: if capability::is_all(set.effective) {
                    vec![Cow::Borrowed("all")]
                } else {
                    capability::names(set.effective).collect()
                },
            }),
            parents: process
                .parents
                .iter()
                .map(|parent| Parent { pid: parent.pid, comm: &parent.comm })
                .collect(),
            unit: process.unit.value().map(|unit| Unit {
                name: &unit.name,
                user: match unit.scope {
                    UnitScope::System => None,
                    UnitScope::User(uid) => Some(uid),
                },
            }),
            container: process.container.value().map(Container::of),
            package: process.package.value().map(|package| Package {
                manager: package.manager.name(),
                name: &package.name,
                version: &package.version,
                integrity: package.integrity.name(),
                not_compared: match package.integrity {
                    Integrity::NotCompared(reason) => Some(reason.code()),
                    Integrity::Intact | Integrity::Modified | Integrity::NotRecorded => None,
                },
            }),
            preload: match &process.preload {
                Seen::Value(libraries) => Some(libraries),
                Seen::Absent | Seen::Hidden(_) => None,
            },
            hidden_from_proc: process.hidden_from_proc,
            hidden,
        }
    }
}
