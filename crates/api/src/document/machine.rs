//! Sockets, and the processes that hold them.

use std::net::IpAddr;

use engine::{Verdict, View};
use model::{Process, UnitScope};
use serde::Serialize;

use super::{Fact, moment, seen};

/// A process, with how it holds a socket.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct HeldBy {
    /// Its number.
    pid: u32,
    /// Its descriptor, where known.
    fd: Option<u32>,
    /// How we know that it holds the socket.
    how: &'static str,
    /// What it runs: the file name of its executable, else what it calls itself.
    program: Option<String>,
    /// What it calls itself; any process can choose it.
    calls_itself: Option<String>,
    /// The path of its executable.
    exe: Fact<String>,
    /// Whether the executable is still the file at that path: `present`, `deleted`, `replaced` or `memfd`.
    exe_state: Option<&'static str>,
    /// Its arguments.
    command_line: Fact<Vec<String>>,
    /// Its user.
    uid: Fact<u32>,
    /// The user's name.
    user: Option<String>,
    /// When it started.
    started: Fact<String>,
    /// Its systemd unit.
    unit: Fact<String>,
    /// Whose unit it is: a user's number; null for the system's.
    unit_of_uid: Option<u32>,
    /// Its container: runtime and identifier.
    container: Fact<String>,
    /// The container's image.
    image: Option<String>,
    /// The package of its executable, with its version.
    package: Fact<String>,
    /// Whether the file is as its package delivered it.
    integrity: Option<&'static str>,
    /// Its parents, nearest first.
    parents: Vec<String>,
}

impl HeldBy {
    fn of(holder: &model::Holder, process: Option<&Process>) -> HeldBy {
        let unknown = || Fact { value: None, hidden: Some(model::Reason::Exited.code()) };
        HeldBy {
            pid: holder.pid,
            fd: holder.fd,
            how: holder.how.code(),
            program: process.map(|it| it.program().to_owned()),
            calls_itself: process.map(|it| it.comm.clone()),
            exe: process.map_or_else(
                || Fact { value: None, hidden: Some(model::Reason::Exited.code()) },
                |it| seen(&it.exe, |exe| exe.path.clone()),
            ),
            exe_state: process.and_then(|it| it.exe.value()).map(|exe| exe.state.name()),
            command_line: process.map_or_else(
                || Fact { value: None, hidden: Some(model::Reason::Exited.code()) },
                |it| seen(&it.cmdline, Clone::clone),
            ),
            uid: process.map_or_else(
                || Fact { value: None, hidden: Some(model::Reason::Exited.code()) },
                |it| seen(&it.user, |user| user.uid),
            ),
            user: process.and_then(|it| it.user.value()?.name.clone()),
            started: process.map_or_else(unknown, |it| seen(&it.started, |at| moment(*at))),
            unit: process.map_or_else(unknown, |it| seen(&it.unit, |unit| unit.name.clone())),
            unit_of_uid: process.and_then(|it| match it.unit.value()?.scope {
                UnitScope::System => None,
                UnitScope::User(uid) => Some(uid),
            }),
            container: process.map_or_else(unknown, |it| {
                seen(&it.container, |container| format!("{} {}", container.runtime.name(), container.id))
            }),
            image: process.and_then(|it| it.container.value()?.image.value().cloned()),
            package: process.map_or_else(unknown, |it| {
                seen(&it.package, |package| format!("{} {}", package.name, package.version))
            }),
            integrity: process.and_then(|it| it.package.value()).map(|package| package.integrity.name()),
            parents: process
                .map(|it| {
                    it.parents.iter().map(|parent| format!("{}[{}]", parent.comm, parent.pid)).collect()
                })
                .unwrap_or_default(),
        }
    }
}

/// A socket.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Socket {
    /// `tcp`, `udp`, `raw`, …
    kind: &'static str,
    /// `ipv4`, `ipv6`, `dual` or `link`.
    family: &'static str,
    /// Its own address.
    address: IpAddr,
    /// Its port; null for raw and packet sockets.
    port: Option<u16>,
    /// The peer's address, where connected.
    peer_address: Option<IpAddr>,
    /// The peer's port, where connected.
    peer_port: Option<u16>,
    /// `listening`, `bound`, `established`, …
    state: &'static str,
    /// From where it can be reached as far as the bind says.
    scope: &'static str,
    /// The interface that it is bound to.
    interface: Option<String>,
    /// The inode number of its network namespace.
    netns: u32,
    /// Its inode number.
    inode: u64,
    /// The user who made it.
    uid: Option<u32>,
    /// Who holds it.
    holders: Vec<HeldBy>,
    /// Why nobody is named, or may be missing; null where the list is complete.
    holders_missing: Option<&'static str>,
    /// The service that systemd starts for it.
    activates: Option<String>,
    /// The ways in which it was seen.
    seen_by: Vec<&'static str>,
    /// The ways in which it should have been seen and was not.
    hidden_from: Vec<&'static str>,
    /// `ok`, `accepted`, `unseen`, `note`, `warning` or `alert`.
    verdict: &'static str,
    /// The codes of what was found about it.
    findings: Vec<&'static str>,
}

impl Socket {
    pub(crate) fn of(view: &View, index: usize) -> Option<Socket> {
        let socket = view.snapshot.sockets.get(index)?;
        let row = view.row_of_socket(index)?;
        let process = |pid| view.snapshot.process(pid).map(|process| &**process);
        Some(Socket {
            kind: socket.kind.name(),
            family: socket.family.name(),
            address: socket.local.ip(),
            port: socket.port(),
            peer_address: socket.peer.map(|peer| peer.ip()),
            peer_port: socket.peer.map(|peer| peer.port()),
            state: socket.state.name(),
            scope: socket.scope.name(),
            interface: socket
                .interface
                .as_ref()
                .map(|it| it.name.clone().unwrap_or_else(|| it.index.to_string())),
            netns: socket.netns,
            inode: socket.inode,
            uid: socket.uid,
            holders: socket.holders.iter().map(|holder| HeldBy::of(holder, process(holder.pid))).collect(),
            holders_missing: socket.holders_missing.map(model::Reason::code),
            activates: socket.activation.as_ref().map(|it| it.service.clone()),
            seen_by: socket.seen_by.names().collect(),
            hidden_from: socket.hidden_from.names().collect(),
            verdict: row.verdict.name(),
            findings: codes(view, row),
        })
    }
}

fn codes(view: &View, row: &engine::Row) -> Vec<&'static str> {
    let of = view.findings_of(row).iter();
    of.filter_map(|at| view.findings.get(usize::try_from(*at).ok()?))
        .map(|finding| finding.code.name())
        .collect()
}

/// Where we could not look, and why.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Gap {
    /// Of what.
    area: &'static str,
    /// Why.
    reason: &'static str,
    /// What is missing.
    what: String,
    /// How many, where that is known.
    count: Option<u64>,
    /// What would help.
    help: &'static str,
}

impl Gap {
    pub(crate) fn of(gap: &model::Gap) -> Gap {
        Gap {
            area: gap.area.code(),
            reason: gap.reason.code(),
            what: gap.what.clone(),
            count: gap.count,
            help: gap.help(),
        }
    }
}

/// What a verdict is called in a list; null where nobody is there to be judged.
pub(crate) fn verdict_name(verdict: Option<Verdict>) -> Option<&'static str> {
    verdict.map(Verdict::name)
}

impl Gap {
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    pub(crate) fn help(&self) -> &'static str {
        self.help
    }
}

impl Socket {
    /// Where it is, with its kind.
    pub(crate) fn place(&self) -> String {
        let port = self.port.map_or(0, |port| port);
        format!("{}/{}", std::net::SocketAddr::new(self.address, port), self.kind)
    }

    pub(crate) fn state(&self) -> &'static str {
        self.state
    }

    pub(crate) fn scope(&self) -> &'static str {
        self.scope
    }

    /// Why nobody is named.
    pub(crate) fn missing(&self) -> Option<String> {
        let reason =
            model::Reason::ALL.into_iter().find(|reason| Some(reason.code()) == self.holders_missing)?;
        Some(format!("{}; {}", reason.words(), reason.help()))
    }

    pub(crate) fn holders(&self) -> &[HeldBy] {
        &self.holders
    }
}

/// A command line is shown so long; the API has the whole.
const MOST_LETTERS: usize = 500;

impl HeldBy {
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn program(&self) -> &str {
        self.program.as_deref().unwrap_or("?")
    }

    /// What it calls itself, where that is something else.
    pub(crate) fn alias(&self) -> Option<&str> {
        self.calls_itself.as_deref().filter(|name| Some(*name) != self.program.as_deref())
    }

    /// What is known of it, each with its name.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        let mut add = |name: &'static str, fact: &Fact<String>, more: String| {
            if let Some(value) = &fact.value {
                facts.push((name, format!("{value}{more}")));
            } else if let Some(reason) = fact.hidden {
                facts.push((name, format!("not known: {reason}")));
            }
        };
        let state = self.exe_state.filter(|state| *state != "present").map(|state| format!(" ({state})"));
        add("Executable", &self.exe, state.unwrap_or_default());
        let line = self.command_line.value.as_ref().map(|words| words.join(" "));
        let line = line.map(|line| line.chars().take(MOST_LETTERS).collect());
        add("Command line", &Fact { value: line, hidden: self.command_line.hidden }, String::new());
        let user = self.uid.value.map(|uid| match &self.user {
            Some(name) => format!("{name} ({uid})"),
            None => uid.to_string(),
        });
        add("User", &Fact { value: user, hidden: self.uid.hidden }, String::new());
        add("Started", &self.started, String::new());
        add("Unit", &self.unit, self.unit_of_uid.map(|uid| format!(" of user {uid}")).unwrap_or_default());
        add(
            "Container",
            &self.container,
            self.image.as_ref().map(|image| format!(" from {image}")).unwrap_or_default(),
        );
        let integrity = self.integrity.map(|word| format!(", {}", word.replace('_', " ")));
        add("Package", &self.package, integrity.unwrap_or_default());
        if !self.parents.is_empty() {
            facts.push(("Started by", self.parents.join(" ← ")));
        }
        facts
    }
}
