//! What is known of each process that holds a socket, worked out once per process and used for all of its sockets.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Capabilities, ExeState, Process, Reason, Seen, Snapshot, Socket};
use registry::program::{self, Class, Program};

/// A process, with what its executable and unit are known to be.
pub(crate) struct Known<'a> {
    pub(crate) process: &'a Process,
    /// The same number for the same running file, whatever the process.
    pub(crate) exe: u32,
    /// What the program map knows by the name of the executable.
    pub(crate) by_exe: Option<&'static Program>,
    /// What the program map knows by the unit, where another executable runs it.
    pub(crate) by_unit: Option<&'static Program>,
    /// What is odd about the executable.
    pub(crate) odd: Option<Odd>,
    pub(crate) in_container: bool,
    /// Whether it is our own program: what it holds is explained.
    pub(crate) ours: bool,
}

/// Why a running file has no ordinary explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Odd {
    Memfd,
    Deleted,
    Temporary,
    WorldWritable,
}

impl Odd {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Odd::Memfd => "runs from memory and never was a file",
            Odd::Deleted => "was deleted while it runs",
            Odd::Temporary => "lies in a place for temporary files",
            Odd::WorldWritable => "can be changed by every user",
        }
    }
}

/// The kinds of server whose ports people take from 512 to 1023 without asking for one (bindresvport).
const RESERVED_PORT_CALLERS: [&str; 12] = [
    "rpcbind",
    "portmap",
    "rpc.statd",
    "rpc.mountd",
    "rpc.rquotad",
    "rpc.nfsd",
    "rpc.lockd",
    "ypbind",
    "ypserv",
    "rpc.yppasswdd",
    "glusterfsd",
    "glusterfs",
];

impl<'a> Known<'a> {
    /// What the map knows by executable or unit.
    pub(crate) fn program(&self) -> Option<&'static Program> {
        self.by_exe.or(self.by_unit)
    }

    pub(crate) fn class(&self) -> Option<Class> {
        self.program().map(|program| program.class)
    }

    /// Whether some program of the map that it may be satisfies the question.
    pub(crate) fn is(&self, question: impl Fn(&'static Program) -> bool) -> bool {
        self.by_exe.is_some_and(&question) || self.by_unit.is_some_and(&question)
    }

    /// Whether it takes system ports without asking for a particular one.
    pub(crate) fn calls_from_reserved_ports(&self) -> bool {
        RESERVED_PORT_CALLERS.contains(&self.process.program())
    }

    pub(crate) fn path(&self) -> Option<&'a str> {
        self.process.exe.value().map(|exe| exe.path.as_str())
    }

    /// Whether it has the whole of root.
    pub(crate) fn is_all_powerful(&self) -> bool {
        let root = self.process.user.value().is_some_and(|user| user.uid == 0);
        root && self.process.capabilities.value().is_some_and(|caps| caps.has(Capabilities::SYS_ADMIN))
    }

    /// Whether the system's manager started it as a service, rather than a person, a job or a test under one.
    pub(crate) fn is_system_service(&self) -> bool {
        let unit =
            self.process.unit.value().is_some_and(|unit| {
                unit.scope == model::UnitScope::System && unit.name.ends_with(".service")
            });
        let started = self
            .process
            .parents
            .iter()
            .find(|parent| parent.comm != self.process.comm)
            .is_some_and(|parent| parent.pid == 1);
        unit && started && !self.in_container
    }
}

/// Every process of a snapshot, by its place there.
pub(crate) struct Directory<'a> {
    snapshot: &'a Snapshot,
    known: Vec<Known<'a>>,
}

impl<'a> Directory<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot, ourselves: &[u32]) -> Directory<'a> {
        let mut files: HashMap<(&str, Option<ExeState>), u32> = HashMap::new();
        let known = snapshot.processes.iter().map(|process| {
            let ours = ourselves.contains(&process.pid);
            Known { ours, ..know(process, &mut files) }
        });
        let known = known.collect();
        Directory { snapshot, known }
    }

    pub(crate) fn by_pid(&self, pid: u32) -> Option<&Known<'a>> {
        let index = self.snapshot.processes.binary_search_by_key(&pid, |process| process.pid).ok()?;
        self.known.get(index)
    }

    /// Fills the list with the holders of a socket.
    pub(crate) fn holders<'d>(&'d self, socket: &Socket, into: &mut Vec<&'d Known<'a>>) {
        into.clear();
        let mut last = None;
        for holder in &socket.holders {
            // A process that has the socket open twice is one holder.
            if last != Some(holder.pid) {
                into.extend(self.by_pid(holder.pid));
            }
            last = Some(holder.pid);
        }
    }
}

fn know<'a>(process: &'a Arc<Process>, files: &mut HashMap<(&'a str, Option<ExeState>), u32>) -> Known<'a> {
    let process: &'a Process = process;
    let state = process.exe.value().map(|exe| exe.state);
    let name = process.exe.value().map_or(process.comm.as_str(), |exe| exe.path.as_str());
    let next = u32::try_from(files.len()).unwrap_or(u32::MAX);
    let exe = *files.entry((name, state)).or_insert(next);
    let by_unit = process.unit.value().and_then(|unit| program::by_unit(&unit.name));
    Known {
        process,
        exe,
        by_exe: process.exe.value().and_then(|exe| program::by_executable(exe.file_name())),
        by_unit,
        odd: odd(process),
        in_container: process.container.value().is_some(),
        ours: false,
    }
}

fn odd(process: &Process) -> Option<Odd> {
    let exe = process.exe.value()?;
    match exe.state {
        ExeState::Memfd => return Some(Odd::Memfd),
        // A package that was upgraded or removed leaves its old file running: that is an explanation.
        ExeState::Deleted if process.package.value().is_none() && process.pid != 1 => {
            return Some(Odd::Deleted);
        }
        ExeState::Deleted | ExeState::Present | ExeState::Replaced => {}
    }
    if exe.temporary {
        return Some(Odd::Temporary);
    }
    exe.world_writable.then_some(Odd::WorldWritable)
}

/// A process in words: `sshd (PID 812, user root, unit ssh.service)`.
pub(crate) fn who(process: &Process) -> String {
    let name = program::called(process.program(), &process.comm);
    let mut text = format!("{name} (PID {}", process.pid);
    if let Seen::Value(user) = &process.user {
        match &user.name {
            Some(name) => text.push_str(&format!(", user {name}")),
            None => text.push_str(&format!(", user {}", user.uid)),
        }
    }
    if let Some(container) = process.container.value() {
        let name = container.name.value().map_or(container.id.as_str(), String::as_str);
        text.push_str(&format!(", {} container {name}", container.runtime.name()));
    } else if let Some(unit) = process.unit.value().filter(|unit| unit.name.ends_with(".service")) {
        text.push_str(&format!(", unit {}", unit.name));
    }
    text.push(')');
    text
}

/// All holders of a socket in words, or why there is none.
pub(crate) fn who_all(holders: &[&Known<'_>], missing: Option<Reason>) -> String {
    match holders {
        [] => format!("a holder that is not known ({})", missing.unwrap_or(Reason::Unknown).words()),
        [one] => who(one.process),
        [first, rest @ ..] => {
            let same = rest.iter().all(|other| other.exe == first.exe);
            let others = if same { "more of the same program" } else { "more processes" };
            format!("{} and {} {others}", who(first.process), rest.len())
        }
    }
}

/// A word of a command line that the shell takes as it is.
pub(crate) fn shell(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_words_cannot_break_out() {
        assert_eq!(shell("/usr/sbin/sshd"), "/usr/sbin/sshd");
        assert_eq!(shell("a b"), "'a b'");
        assert_eq!(shell("x'; rm -rf /; '"), r"'x'\''; rm -rf /; '\'''");
        assert_eq!(shell("$(reboot)"), "'$(reboot)'");
        assert_eq!(shell(""), "''");
    }
}
