//! Windows: the tables of the IP Helper library, each row with the one process that it names.

mod sys;

use std::collections::BTreeMap;
use std::path::Path;

use model::{
    Area, Exe, ExeState, Family, Gap, Kind, Machine, Parent, Process, Reason, Scope, Seen, Snapshot, Socket,
    Timestamp, Views,
};
use wire::windows_table::{self, Row, Table};

use crate::{Look, elsewhere};

/// The process that stands for the kernel.
const SYSTEM: u32 = 4;
/// The most parents that are followed: a number may be used again, so that the chain could turn in a circle.
const MOST_PARENTS: usize = 32;

/// Looks at the machine.
#[derive(Debug, Default)]
pub struct Looker {}

impl Looker {
    /// A looker that has not looked yet.
    pub fn new() -> Looker {
        Looker {}
    }

    /// Whether another look is worth its cost. Here only a whole look can tell.
    pub fn changed(&mut self, _look: &Look) -> bool {
        true
    }

    /// Looks once.
    pub fn snapshot(&mut self, look: &Look) -> Snapshot {
        let mut gaps = Vec::new();
        let mut sockets = Vec::new();
        for table in Table::ALL {
            let rows = sys::socket_table(table)
                .map_err(|refused| (refused.reason(), format!("the table of {}: {refused}", name(table))))
                .and_then(|bytes| {
                    windows_table::parse(table, &bytes).map_err(|fault| (Reason::Damaged, fault.to_string()))
                });
            match rows {
                Ok(rows) => sockets.extend(
                    rows.iter()
                        .filter(|row| elsewhere::wanted(row.state, look))
                        .map(|row| socket(table, row)),
                ),
                Err((reason, what)) => gaps.push(Gap { area: Area::Sockets, reason, what, count: None }),
            }
        }

        let running = sys::processes().unwrap_or_else(|refused| {
            let what = format!("the list of processes: {refused}");
            gaps.push(Gap { area: Area::Processes, reason: refused.reason(), what, count: None });
            BTreeMap::new()
        });
        let mut processes = BTreeMap::new();
        let mut refused = 0;
        for pid in sockets.iter().flat_map(|socket| &socket.holders).map(|holder| holder.pid) {
            processes.entry(pid).or_insert_with(|| {
                let process = process(pid, &running, look);
                refused += u64::from(process.exe.hidden() == Some(Reason::NoPermission));
                process
            });
        }
        if refused > 0 {
            let what = format!("{refused} processes of other users or of the system");
            gaps.push(Gap {
                area: Area::Processes,
                reason: Reason::NoPermission,
                what,
                count: Some(refused),
            });
        }
        let machine = Machine {
            hostname: sys::hostname(),
            os: "windows",
            kernel: sys::release(),
            privileged: sys::elevated(),
        };
        let rules = Seen::Hidden(Reason::NotSupported);
        elsewhere::snapshot(look, machine, rules, sockets, processes, gaps)
    }
}

fn name(table: Table) -> &'static str {
    match table {
        Table::Tcp4 => "TCP over IPv4",
        Table::Tcp6 => "TCP over IPv6",
        Table::Udp4 => "UDP over IPv4",
        Table::Udp6 => "UDP over IPv6",
    }
}

fn socket(table: Table, row: &Row) -> Socket {
    Socket {
        kind: if table.is_tcp() { Kind::Tcp } else { Kind::Udp },
        // A socket for both families has a row in both tables.
        family: if row.local.is_ipv4() { Family::V4 } else { Family::V6 },
        local: row.local,
        peer: row.peer,
        state: row.state,
        scope: Scope::of(row.local.ip(), false, false),
        interface: None,
        netns: 0,
        inode: 0,
        cookie: 0,
        uid: None,
        queued: None,
        backlog: None,
        holders: if row.pid == 0 { Vec::new() } else { vec![elsewhere::holder(row.pid, None)] },
        // The table names the process that made the socket, never one that inherited it.
        holders_missing: Some(if row.pid == 0 { Reason::Unknown } else { Reason::NotSupported })
            .filter(|_| row.pid != SYSTEM),
        activation: None,
        seen_by: Views::SYSTEM_TABLE,
        hidden_from: Views::default(),
    }
}

fn process(pid: u32, running: &BTreeMap<u32, sys::Running>, look: &Look) -> Process {
    let entry = running.get(&pid);
    let mut process = elsewhere::process(pid, entry.map(|entry| entry.name.clone()).unwrap_or_default());
    if pid == SYSTEM {
        process.exe = Seen::Absent;
        return process;
    }
    match sys::open(pid) {
        Ok(handle) => {
            process.exe = match sys::image(&handle) {
                Ok(path) => Seen::Value(exe(path, look)),
                Err(refused) => Seen::Hidden(refused.reason()),
            };
            process.started = match sys::started_ns(&handle) {
                Ok(ns) => Seen::Value(Timestamp::from_ns(ns)),
                Err(refused) => Seen::Hidden(refused.reason()),
            };
        }
        Err(refused) => {
            process.exe = Seen::Hidden(refused.reason());
            process.started = Seen::Hidden(refused.reason());
        }
    }
    let mut child = entry;
    while let Some(parent) = child.filter(|_| process.parents.len() < MOST_PARENTS).map(|child| child.parent)
    {
        child = running.get(&parent).filter(|_| parent != 0 && parent != pid);
        if let Some(entry) = child {
            process.parents.push(Parent { pid: parent, comm: entry.name.clone() });
        }
    }
    process
}

fn exe(path: String, look: &Look) -> Exe {
    let lower = path.to_lowercase();
    Exe {
        // Windows keeps the file of a running program; it can be renamed, though.
        state: if Path::new(&path).exists() { ExeState::Present } else { ExeState::Deleted },
        // Access lists are not read here.
        world_writable: false,
        temporary: lower.contains("\\temp\\") || lower.contains("\\tmp\\"),
        sha256: look.sha256.then(|| elsewhere::sha256(&path)).flatten(),
        path,
    }
}
