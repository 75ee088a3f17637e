//! What was accepted on this machine: listeners by an identity without PIDs, and the difference to now.
//!
//! A **door** is what others see: transport, port, scope and namespace. A door's **holders** are sets: users,
//! executables, units, containers, images, packages. The IPv4 and the IPv6 socket of a server, its workers and a
//! SO_REUSEPORT pair are one door; a restart changes nothing of it.
//!
//! Left out, because the kernel and not a person chose the number: UDP sockets on ephemeral ports that no known
//! program uses, and listeners on ephemeral ports of the loopback address.

mod file;
mod look;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use model::{Area, Reason, Scope, Snapshot, Transport};
use registry::Paper;

use crate::Fault;

/// The listeners that were accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    /// When it was learned or last added to, RFC 3339.
    learned: String,
    rows: BTreeMap<Door, Row>,
}

/// What others see of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Door {
    transport: Transport,
    port: u16,
    scope: Scope,
    /// Only where it tells doors apart and does not change by itself: a multicast group, 127.0.0.53.
    address: Option<IpAddr>,
    namespace: String,
    /// Redirected by the machine instead of held by a process.
    published: bool,
}

/// Who holds a door.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Holders {
    user: BTreeSet<String>,
    exe: BTreeSet<String>,
    unit: BTreeSet<String>,
    container: BTreeSet<String>,
    image: BTreeSet<String>,
    package: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Row {
    holders: Holders,
    /// What the paper said, for people who read the file.
    comment: String,
    /// `baseline.toml:12`, where it was read from a file.
    name: Option<String>,
}

impl PartialEq for Row {
    /// Where a row was read, and what is said beside it, do not make it another one.
    fn eq(&self, other: &Row) -> bool {
        self.holders == other.holders
    }
}

impl Eq for Row {}

/// One difference between a baseline and a look at the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// Its transport.
    pub transport: Transport,
    /// Its port.
    pub port: u16,
    /// The entry as the baseline has it (`22/tcp any host: root /usr/sbin/sshd`); `None` for a new listener.
    pub before: Option<String>,
    /// The listener as it is now, in the same form; `None` for one that is gone.
    pub after: Option<String>,
    /// The entry of the baseline by the name people can find it by (`baseline.toml:12`); `None` for a new listener.
    pub entry: Option<String>,
    /// The sockets it is about, as indices into the snapshot.
    pub sockets: Vec<usize>,
    /// The forwards it is about, as indices into the snapshot.
    pub forwards: Vec<usize>,
}

/// What happened to a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// The baseline does not have it.
    New,
    /// It is no longer here.
    Gone,
    /// The same door, another holder.
    Changed,
}

impl ChangeKind {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::New => "new",
            ChangeKind::Gone => "gone",
            ChangeKind::Changed => "changed",
        }
    }
}

/// Which changes are meant: `all`, `420`, `420/tcp`, `8000-8010/udp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selector {
    /// Transport; `None` for each.
    pub transport: Option<Transport>,
    /// First port.
    pub first: u16,
    /// Last port.
    pub last: u16,
}

impl Selector {
    /// Every change.
    pub const ALL: Selector = Selector { transport: None, first: 0, last: u16::MAX };

    /// From the words of a command line; the error says what is allowed.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let wrong = || {
            let text = crate::document::shorten(text);
            format!("\"{text}\" does not say which changes: write all, 420, 420/tcp or 8000-8010/udp")
        };
        if text == "all" {
            return Ok(Selector::ALL);
        }
        let (ports, transport) = match text.split_once('/') {
            Some((ports, name)) => (ports, Some(Transport::from_name(name).ok_or_else(wrong)?)),
            None => (text, None),
        };
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let number = |text| crate::document::number(text).filter(|port| *port > 0).ok_or_else(wrong);
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(wrong());
        }
        Ok(Selector { transport, first, last })
    }

    fn means(&self, change: &Change) -> bool {
        self.transport.is_none_or(|transport| transport == change.transport)
            && (self.first..=self.last).contains(&change.port)
    }
}

/// Learns what listens now.
pub fn learn(snapshot: &Snapshot, paper: &Paper) -> Baseline {
    let rows = look::doors(snapshot)
        .into_iter()
        .map(|(door, seen)| {
            let comment = comment(paper, &door);
            (door, Row { holders: Arc::unwrap_or_clone(seen.holders), comment, name: None })
        })
        .collect();
    Baseline { learned: snapshot.taken.rfc3339(), rows }
}

/// Reads a baseline file. `name` is how people call it: it stands in faults and in the names of entries.
pub fn parse(name: &str, text: &str) -> Result<Baseline, Fault> {
    file::parse(name, text)
}

fn comment(paper: &Paper, door: &Door) -> String {
    let standing = paper.standing(door.transport, door.port);
    match standing.assignment {
        Some(row) if !row.name.is_empty() => format!("registered: {}", row.name),
        _ => standing.status.name().to_owned(),
    }
}

impl Baseline {
    /// The file's text; [`parse`] gives the same baseline back.
    pub fn render(&self) -> String {
        file::render(self)
    }

    /// The difference to what is here now, and nothing else. What could not be looked at is not a difference.
    pub fn diff(&self, snapshot: &Snapshot) -> Vec<Change> {
        let now = look::doors(snapshot);
        let mut changes = Vec::new();
        for (door, seen) in &now {
            let row = self.rows.get(door);
            let kind = match row {
                None => ChangeKind::New,
                Some(row) if !seen.unseen && seen.holders.differ_from(&row.holders) => ChangeKind::Changed,
                Some(_) => continue,
            };
            changes.push(Change {
                kind,
                transport: door.transport,
                port: door.port,
                before: row.map(|row| describe(door, &row.holders)),
                after: Some(describe(door, &seen.holders)),
                entry: row.and_then(|row| row.name.clone()),
                sockets: seen.sockets.clone(),
                forwards: seen.forwards.clone(),
            });
        }
        let blind = Blind::of(snapshot);
        for (door, row) in &self.rows {
            if !now.contains_key(door) && !blind.hides(door) {
                changes.push(Change {
                    kind: ChangeKind::Gone,
                    transport: door.transport,
                    port: door.port,
                    before: Some(describe(door, &row.holders)),
                    after: None,
                    entry: row.name.clone(),
                    sockets: Vec::new(),
                    forwards: Vec::new(),
                });
            }
        }
        changes
    }

    /// Takes over the changes that one of the selectors means, and gives them back.
    pub fn accept(&mut self, snapshot: &Snapshot, paper: &Paper, selectors: &[Selector]) -> Vec<Change> {
        let mut changes = self.diff(snapshot);
        changes.retain(|change| selectors.iter().any(|selector| selector.means(change)));
        let mut now = look::doors(snapshot);
        let described: BTreeSet<(ChangeKind, &str)> = changes
            .iter()
            .filter_map(|change| Some((change.kind, change.after.as_deref().or(change.before.as_deref())?)))
            .collect();
        self.rows.retain(|door, row| {
            !described.contains(&(ChangeKind::Gone, describe(door, &row.holders).as_str()))
        });
        now.retain(|door, seen| {
            let text = describe(door, &seen.holders);
            described.contains(&(ChangeKind::New, text.as_str()))
                || described.contains(&(ChangeKind::Changed, text.as_str()))
        });
        for (door, seen) in now {
            let name = self.rows.get(&door).and_then(|row| row.name.clone());
            self.rows.insert(
                door,
                Row { holders: Arc::unwrap_or_clone(seen.holders), comment: String::new(), name },
            );
        }
        for (door, row) in &mut self.rows {
            row.comment = comment(paper, door);
        }
        if !changes.is_empty() {
            self.learned = snapshot.taken.rfc3339();
        }
        changes
    }

    /// How many doors it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// When it was learned or last added to, RFC 3339.
    pub fn learned(&self) -> &str {
        &self.learned
    }

    /// Every door with its holders, one line each.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.rows.iter().map(|(door, row)| describe(door, &row.holders))
    }
}

impl Holders {
    /// Whether somebody is here that was not accepted. Fewer than were accepted is not another holder, and what was
    /// not seen when the baseline was learned is not compared.
    fn differ_from(&self, accepted: &Holders) -> bool {
        let more = |now: &BTreeSet<String>, then: &BTreeSet<String>| !now.is_subset(then);
        let compared = |now, then: &BTreeSet<String>| !then.is_empty() && more(now, then);
        // A holder that was seen in no container is one fact; a holder that was not seen is none.
        let seen = !accepted.exe.is_empty();
        compared(&self.user, &accepted.user)
            || compared(&self.exe, &accepted.exe)
            || compared(&self.unit, &accepted.unit)
            || compared(&self.package, &accepted.package)
            || compared(&self.image, &accepted.image)
            || (seen && more(&self.container, &accepted.container))
    }
}

/// One line for people: `22/tcp any host: root /usr/sbin/sshd ssh.service`.
fn describe(door: &Door, holders: &Holders) -> String {
    let mut text = format!("{}/{} {}", door.port, door.transport.name(), door.scope.name());
    if let Some(address) = door.address {
        text.push_str(&format!(" {address}"));
    }
    if door.published {
        text.push_str(" published");
    }
    text.push_str(&format!(" {}:", door.namespace));
    let sets = [&holders.user, &holders.exe, &holders.unit, &holders.container, &holders.image];
    let mut empty = true;
    for set in sets.into_iter().filter(|set| !set.is_empty()) {
        text.push(' ');
        text.push_str(&set.iter().map(String::as_str).collect::<Vec<_>>().join(","));
        empty = false;
    }
    if empty {
        text.push_str(" holder not known");
    }
    text
}

/// Where this look was blind.
struct Blind<'a> {
    snapshot: &'a Snapshot,
    sockets: bool,
    namespaces: bool,
    forwards: bool,
}

impl Blind<'_> {
    fn of(snapshot: &Snapshot) -> Blind<'_> {
        let gap = |area: Area| {
            // That a kernel has no SCTP is the same in every look.
            let refused = |reason| !matches!(reason, Reason::NotSupported);
            snapshot.gaps.iter().any(|gap| gap.area == area && refused(gap.reason))
        };
        Blind {
            snapshot,
            sockets: gap(Area::Sockets),
            namespaces: gap(Area::Namespaces),
            forwards: gap(Area::Forwards),
        }
    }

    fn hides(&self, door: &Door) -> bool {
        if door.published {
            return self.forwards;
        }
        match self
            .snapshot
            .namespaces
            .iter()
            .find(|namespace| look::namespace_name(namespace) == door.namespace)
        {
            Some(namespace) => self.sockets || !(namespace.entered || namespace.own),
            None => self.sockets || self.namespaces,
        }
    }
}

#[cfg(test)]
mod tests;
