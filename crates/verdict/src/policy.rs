//! What people wrote down: what may listen, what must not, what must be there.
//!
//! The grammar is in docs/policy.md. An entry that is misspelt is refused with its place and what is allowed: a
//! policy that says less than its author meant is worse than none.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use model::{Code, Scope, Severity, Transport};
use toml::de::DeTable;

use crate::Fault;
use crate::document::{Document, Field, MAX_ENTRIES};
use crate::glob::Glob;

mod session;

pub use session::StaticSession;

/// What people wrote down, from one file or several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    entries: Vec<Entry>,
    sessions: Vec<StaticSession>,
    closed: Option<String>,
}

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// It may be there.
    Allow,
    /// It must not be there.
    Deny,
    /// It must be there.
    Expect,
}

impl Verb {
    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Allow => "allow",
            Verb::Deny => "deny",
            Verb::Expect => "expect",
        }
    }
}

/// One entry. A list that is empty says nothing; one that is not, must have a value that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name people can find it by: `policy.toml:12`.
    pub name: String,
    /// What it says.
    pub verb: Verb,
    /// Why, in the words of its author.
    pub reason: String,
    /// The last day on which it applies, counted since 1970-01-01.
    pub expires: Option<i64>,
    /// The severity of what it raises or lets pass.
    pub severity: Option<Severity>,
    /// The findings that an allowance accepts; empty for the ordinary ones.
    pub codes: Vec<Code>,
    pub(crate) ports: Vec<RangeInclusive<u16>>,
    pub(crate) doors: Vec<Door>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) addresses: Vec<Network>,
    pub(crate) namespaces: Vec<Glob>,
    pub(crate) users: Vec<String>,
    pub(crate) exes: Vec<Glob>,
    pub(crate) units: Vec<Glob>,
    pub(crate) containers: Vec<Glob>,
    pub(crate) images: Vec<Glob>,
    pub(crate) packages: Vec<Glob>,
}

/// What `transport` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Port(Transport),
    Raw,
    Packet,
}

/// Addresses: one, or a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    first: IpAddr,
    bits: u8,
}

const KEYS: &str = "port, transport, scope, address, namespace, user, exe, unit, container, image, package, code, \
                    severity, reason, expires";
const TOP: &str = "mode, [[allow]], [[deny]], [[expect]], [[session]]";
const DOORS: &str = "tcp, udp, sctp, dccp, raw, packet";
const SCOPES: &str = "loopback, link, interface, group, any";

/// Reads one policy file. `name` is how people call it: it stands in faults and in the names of entries.
pub fn parse(name: &str, text: &str) -> Result<Policy, Fault> {
    let (document, table) = Document::open(name, text)?;
    let mut policy = Policy::default();
    for (at, field) in document.fields(&table) {
        let verb = match field.key {
            "mode" => {
                let closed = field.word("open, closed", |word| match word {
                    "open" => Some(false),
                    "closed" => Some(true),
                    _ => None,
                })?;
                policy.closed = closed.then(|| document.entry_name(&(at..at)));
                continue;
            }
            "allow" => Verb::Allow,
            "deny" => Verb::Deny,
            "expect" => Verb::Expect,
            "session" => {
                for (span, table) in document.tables(field.key, field.value)? {
                    if policy.sessions.len() >= MAX_ENTRIES {
                        return Err(document.fault(span.start, format!("more than {MAX_ENTRIES} sessions")));
                    }
                    policy.sessions.push(session::read(&document, &span, table)?);
                }
                continue;
            }
            other => return Err(document.unknown_key(at, other, TOP)),
        };
        for (span, table) in document.tables(field.key, field.value)? {
            if policy.entries.len() >= MAX_ENTRIES {
                return Err(document.fault(span.start, format!("more than {MAX_ENTRIES} entries")));
            }
            policy.entries.push(entry(&document, span, verb, table)?);
        }
    }
    // Entries of different verbs are read list by list; people think in lines.
    policy.entries.sort_by_key(|entry| line_of(&entry.name));
    Ok(policy)
}

fn line_of(name: &str) -> usize {
    name.rsplit(':').next().and_then(|line| line.parse().ok()).unwrap_or(0)
}

fn entry(
    document: &Document<'_>,
    span: core::ops::Range<usize>,
    verb: Verb,
    table: &DeTable<'_>,
) -> Result<Entry, Fault> {
    let mut entry = Entry {
        name: document.entry_name(&span),
        verb,
        reason: String::new(),
        expires: None,
        severity: None,
        codes: Vec::new(),
        ports: Vec::new(),
        doors: Vec::new(),
        scopes: Vec::new(),
        addresses: Vec::new(),
        namespaces: Vec::new(),
        users: Vec::new(),
        exes: Vec::new(),
        units: Vec::new(),
        containers: Vec::new(),
        images: Vec::new(),
        packages: Vec::new(),
    };
    for (at, field) in document.fields(table) {
        fill(&mut entry, document, at, &field)?;
    }
    let fault = |reason: String| Err(document.fault(span.start, reason));
    if entry.reason.is_empty() {
        return fault(format!("[[{}]] needs `reason`: why, in your words", verb.name()));
    }
    if !entry.names_something() && (verb != Verb::Allow || entry.codes.is_empty()) {
        return fault(format!("[[{}]] names nothing; give at least one of: {KEYS}", verb.name()));
    }
    Ok(entry)
}

fn fill(entry: &mut Entry, document: &Document<'_>, at: usize, field: &Field<'_, '_>) -> Result<(), Fault> {
    let globs = || Ok::<_, Fault>(field.texts()?.into_iter().map(Glob::new).collect::<Vec<_>>());
    match field.key {
        "port" => entry.ports = field.ports()?,
        "transport" => entry.doors = field.words(DOORS, door)?,
        "scope" => entry.scopes = field.words(SCOPES, scope)?,
        "address" => {
            entry.addresses = field.words("an address, or a network as 192.0.2.0/24", Network::parse)?;
        }
        "namespace" => entry.namespaces = globs()?,
        "user" => entry.users = field.texts()?,
        "exe" => entry.exes = globs()?,
        "unit" => entry.units = globs()?,
        "container" => entry.containers = globs()?,
        "image" => entry.images = globs()?,
        "package" => entry.packages = globs()?,
        "code" if entry.verb == Verb::Allow => {
            let all: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
            entry.codes = field.words(&all.join(", "), code)?;
        }
        "code" => return Err(field.fault("belongs to [[allow]]: it says which findings are accepted")),
        "severity" => entry.severity = Some(field.word("note, warning, alert", severity)?),
        "reason" => entry.reason = field.text()?,
        "expires" => entry.expires = Some(field.day()?),
        other => return Err(document.unknown_key(at, other, KEYS)),
    }
    Ok(())
}

fn door(word: &str) -> Option<Door> {
    match word {
        "raw" => Some(Door::Raw),
        "packet" => Some(Door::Packet),
        _ => Transport::ALL.into_iter().find(|transport| transport.name() == word).map(Door::Port),
    }
}

pub(crate) fn scope(word: &str) -> Option<Scope> {
    [Scope::Loopback, Scope::Link, Scope::Interface, Scope::Group, Scope::Any]
        .into_iter()
        .find(|scope| scope.name() == word)
}

fn severity(word: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity.name() == word)
}

fn code(word: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.name() == word)
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (addr, bits) = match text.split_once('/') {
            Some((addr, bits)) => (addr, Some(crate::document::number(bits)?)),
            None => (text, None),
        };
        let first: IpAddr = addr.parse().ok()?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = u8::try_from(bits.unwrap_or(most)).ok()?;
        (u16::from(bits) <= most).then_some(Network { first, bits })
    }

    pub(crate) fn has(&self, addr: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| {
            let unused = width - u32::from(self.bits).min(width);
            a.checked_shr(unused).unwrap_or(0) == b.checked_shr(unused).unwrap_or(0)
        };
        match (self.first.to_canonical(), addr.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

/// What an allowance that names no code accepts: that this listener is here, with this holder, and that packets go to
/// it; not that it speaks what its port is not for. Signs that somebody
/// tampers are not among them: those have to be named.
const ORDINARY: [Code; 15] = [
    Code::SilentPortInUse,
    Code::UnassignedPortInUse,
    Code::ReservedPortInUse,
    Code::UnexpectedHolder,
    Code::UnpackagedService,
    Code::ExposedService,
    Code::NeedlessPrivilege,
    Code::HolderUnknown,
    Code::MisuseHistory,
    Code::BaselineNew,
    Code::BaselineChanged,
    Code::SilentPortTraffic,
    Code::UnassignedPortTraffic,
    Code::ReservedPortTraffic,
    Code::ServiceNew,
];

impl Entry {
    /// Whether it still applies on this day.
    pub fn applies(&self, today: i64) -> bool {
        self.expires.is_none_or(|last| today <= last)
    }

    /// Whether, as an allowance, it accepts this finding.
    pub fn accepts(&self, code: Code) -> bool {
        if self.codes.is_empty() { ORDINARY.contains(&code) } else { self.codes.contains(&code) }
    }

    fn names_something(&self) -> bool {
        !(self.ports.is_empty()
            && self.doors.is_empty()
            && self.scopes.is_empty()
            && self.addresses.is_empty()
            && self.namespaces.is_empty()
            && !self.names_holder())
    }

    /// Whether it asks who holds the socket.
    pub(crate) fn names_holder(&self) -> bool {
        !(self.users.is_empty()
            && self.exes.is_empty()
            && self.units.is_empty()
            && self.containers.is_empty()
            && self.images.is_empty()
            && self.packages.is_empty())
    }

    /// What it names, in one line for people: `port 420, transport tcp, exe /usr/bin/python3*`.
    pub fn describe(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut add = |key: &str, values: Vec<String>| {
            if !values.is_empty() {
                parts.push(format!("{key} {}", values.join(" or ")));
            }
        };
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect::<Vec<_>>();
        add("port", self.ports.iter().map(range_text).collect());
        add("transport", self.doors.iter().map(|door| door.name().to_owned()).collect());
        add("scope", self.scopes.iter().map(|scope| scope.name().to_owned()).collect());
        add("address", self.addresses.iter().map(|n| format!("{}/{}", n.first, n.bits)).collect());
        add("namespace", texts(&self.namespaces));
        add("user", self.users.clone());
        add("exe", texts(&self.exes));
        add("unit", texts(&self.units));
        add("container", texts(&self.containers));
        add("image", texts(&self.images));
        add("package", texts(&self.packages));
        if parts.is_empty() { "every socket".to_owned() } else { parts.join(", ") }
    }
}

fn range_text(range: &RangeInclusive<u16>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{}-{}", range.start(), range.end())
    }
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Door::Port(transport) => transport.name(),
            Door::Raw => "raw",
            Door::Packet => "packet",
        }
    }
}

impl Policy {
    /// One policy of several files, in their order: `policy.toml` first, then its drop-ins. A later file can close
    /// what an earlier one left open, never the other way round.
    pub fn merge(files: Vec<Policy>) -> Policy {
        let mut whole = Policy::default();
        for file in files {
            whole.entries.extend(file.entries);
            whole.sessions.extend(file.sessions);
            whole.closed = whole.closed.or(file.closed);
        }
        whole
    }

    /// Every entry, in the order of files and lines.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Every session that was written down, in the order of files and lines.
    pub fn sessions(&self) -> &[StaticSession] {
        &self.sessions
    }

    /// Where it says that what is not allowed is forbidden (`policy.toml:1`); `None` where it does not.
    pub fn closed(&self) -> Option<&str> {
        self.closed.as_deref()
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.sessions.is_empty() && self.closed.is_none()
    }
}

#[cfg(test)]
mod tests;
