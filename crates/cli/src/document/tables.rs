//! The smaller members of the document, and the smaller documents.

use std::ops::RangeInclusive;

use serde::Serialize;

use engine::View;
use model::{Seen, Subject};
use registry::Paper;
use verdict::baseline::ChangeKind;

use super::paper::Assignment;
use super::{Part, Places};

/// What made the document.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Generator {
    /// `portreeve`.
    name: &'static str,
    /// Its version.
    version: &'static str,
}

impl Generator {
    pub(crate) fn this() -> Generator {
        Generator { name: "portreeve", version: env!("CARGO_PKG_VERSION") }
    }
}

/// The machine.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Machine<'a> {
    /// Its host name.
    hostname: &'a str,
    /// `linux`, `macos` or `windows`.
    os: &'a str,
    /// The kernel's release.
    kernel: &'a str,
    /// Whether we ran with every privilege that helps.
    privileged: bool,
}

impl<'a> Machine<'a> {
    pub(super) fn of(machine: &'a model::Machine) -> Machine<'a> {
        Machine {
            hostname: &machine.hostname,
            os: machine.os,
            kernel: &machine.kernel,
            privileged: machine.privileged,
        }
    }
}

/// Where the registry comes from.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Registry<'a> {
    /// What it is.
    title: &'a str,
    /// Versions of what it was made from.
    versions: &'a str,
    /// Its state.
    date: &'a str,
    /// SHA-256 of the table.
    sha256: &'a str,
    /// Number of rows.
    rows: usize,
    /// Whether the user imported it.
    imported: bool,
}

impl<'a> Registry<'a> {
    pub(crate) fn of(paper: &'a Paper) -> Registry<'a> {
        let source = paper.source();
        Registry {
            title: source.title,
            versions: source.versions,
            date: source.date,
            sha256: source.sha256,
            rows: source.rows,
            imported: source.imported,
        }
    }
}

/// First and last port of a range.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Range {
    /// First port.
    first: u16,
    /// Last port.
    last: u16,
}

impl From<&RangeInclusive<u16>> for Range {
    fn from(range: &RangeInclusive<u16>) -> Range {
        Range { first: *range.start(), last: *range.end() }
    }
}

/// A network namespace.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Namespace<'a> {
    /// Its inode number.
    inode: u32,
    /// What people call it.
    name: &'a str,
    /// Whether it is the one we ran in.
    own: bool,
    /// A process in it.
    pid: Option<u32>,
    /// Whether its sockets were listed from inside.
    entered: bool,
    /// Its own rules for ports; null where they could not be read.
    rules: Option<Rules>,
    /// Why they could not be read.
    rules_hidden: Option<&'static str>,
}

/// A namespace's own rules for ports.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Rules {
    /// Ports below this need a privilege.
    unprivileged_start: u16,
    /// Ports that the kernel gives out itself.
    ephemeral: Range,
    /// Ports that it leaves out.
    reserved: Vec<Range>,
}

impl<'a> Namespace<'a> {
    pub(super) fn of(namespace: &'a model::Namespace) -> Namespace<'a> {
        Namespace {
            inode: namespace.inode,
            name: &namespace.name,
            own: namespace.own,
            pid: namespace.pid,
            entered: namespace.entered,
            rules: match &namespace.rules {
                Seen::Value(rules) => Some(Rules {
                    unprivileged_start: rules.unprivileged_start,
                    ephemeral: Range::from(&rules.ephemeral),
                    reserved: rules.reserved.iter().map(Range::from).collect(),
                }),
                Seen::Absent | Seen::Hidden(_) => None,
            },
            rules_hidden: namespace.rules.hidden().map(model::Reason::code),
        }
    }
}

/// A coded judgement.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Finding<'a> {
    /// Which judgement.
    code: &'static str,
    /// `note`, `warning` or `alert`.
    severity: &'static str,
    /// `low`, `medium` or `high`.
    confidence: &'static str,
    /// One sentence with the particulars.
    title: &'a str,
    /// The sockets it is about, as indices into `sockets`.
    sockets: Vec<u32>,
    /// The forwards it is about, as indices into `forwards`.
    forwards: Vec<u32>,
    /// The lines of policy or baseline it is about.
    entries: Vec<&'a str>,
    /// The services on the wire it is about, as indices into `services`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<usize>,
    /// The knocks it is about, as indices into `touches`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    touches: Vec<usize>,
    /// The scans it is about, as indices into `scans`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scans: Vec<usize>,
    /// The beacons it is about, as indices into `beacons`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    beacons: Vec<usize>,
    /// The sessions it is about, as indices into `sessions`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sessions: Vec<usize>,
    /// The streams it is about, as indices into `streams`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    streams: Vec<usize>,
    /// The multicast groups it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<std::net::IpAddr>,
    /// The clock domains of PTP it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clock_domains: Vec<u8>,
    /// What it rests on.
    evidence: Vec<Evidence<'a>>,
    /// What to do next.
    next_step: &'a str,
}

/// One fact that a judgement rests on.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Evidence<'a> {
    /// What was seen.
    fact: &'a str,
    /// Where it was seen or read.
    source: &'a str,
}

impl<'a> Finding<'a> {
    /// The finding, or nothing where all that it is about was left out.
    pub(super) fn of(finding: &'a model::Finding, places: &Places, everything: bool) -> Option<Finding<'a>> {
        let mut shown = Finding::of_traffic(finding);
        for subject in &finding.subjects {
            match subject {
                Subject::Socket(index) => shown.sockets.extend(places.socket(*index)),
                Subject::Forward(index) => shown.forwards.extend(places.forward(*index)),
                _ => {}
            }
        }
        let left_out = !everything && shown.sockets.is_empty() && shown.forwards.is_empty();
        (!left_out).then_some(shown)
    }

    /// The finding, with what it is about on the wire.
    pub(crate) fn of_traffic(finding: &'a model::Finding) -> Finding<'a> {
        let mut shown = Finding {
            code: finding.code.name(),
            severity: finding.severity.name(),
            confidence: finding.confidence.name(),
            title: &finding.title,
            sockets: Vec::new(),
            forwards: Vec::new(),
            entries: Vec::new(),
            services: Vec::new(),
            touches: Vec::new(),
            scans: Vec::new(),
            beacons: Vec::new(),
            sessions: Vec::new(),
            streams: Vec::new(),
            groups: Vec::new(),
            clock_domains: Vec::new(),
            evidence: finding
                .evidence
                .iter()
                .map(|evidence| Evidence { fact: &evidence.fact, source: &evidence.source })
                .collect(),
            next_step: &finding.next_step,
        };
        for subject in &finding.subjects {
            match subject {
                Subject::Entry(entry) => shown.entries.push(entry),
                Subject::Service(index) => shown.services.push(*index),
                Subject::Touch(index) => shown.touches.push(*index),
                Subject::Scan(index) => shown.scans.push(*index),
                Subject::Beacon(index) => shown.beacons.push(*index),
                Subject::Session(index) => shown.sessions.push(*index),
                Subject::Stream(index) => shown.streams.push(*index),
                Subject::Group(group) => shown.groups.push(*group),
                Subject::Clock(domain) => shown.clock_domains.push(*domain),
                Subject::Capture | Subject::Socket(_) | Subject::Forward(_) | Subject::Visitor(_) => {}
            }
        }
        shown
    }
}

/// A finding that an entry of policy accepts.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Accepted<'a> {
    /// The finding as it would have stood.
    pub(super) finding: Finding<'a>,
    /// The entry that accepts it.
    pub(super) entry: &'a str,
    /// Why.
    pub(super) reason: &'a str,
}

impl<'a> Accepted<'a> {
    /// What is accepted, with what it is about on the wire.
    pub(super) fn of_traffic(accepted: &'a verdict::Accepted) -> Accepted<'a> {
        let finding = Finding::of_traffic(&accepted.finding);
        Accepted { finding, entry: &accepted.entry, reason: &accepted.reason }
    }
}

/// A place where we could not look.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Gap<'a> {
    /// The kind of thing: `sockets`, `holders`, `processes` …
    area: &'static str,
    /// Why: `no_permission`, `not_supported` …
    reason: &'static str,
    /// What exactly.
    what: &'a str,
    /// How many things this hides, where it can be counted.
    count: Option<u64>,
    /// What would help to see more.
    help: &'static str,
}

impl<'a> Gap<'a> {
    pub(super) fn of(gap: &'a model::Gap) -> Gap<'a> {
        Gap {
            area: gap.area.code(),
            reason: gap.reason.code(),
            what: &gap.what,
            count: gap.count,
            help: gap.help(),
        }
    }
}

/// How much there is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Summary {
    /// Rows in this document: sockets and forwards.
    rows: usize,
    /// Rows of the whole look, before filters.
    rows_seen: usize,
    /// Sockets of the whole look that wait for peers.
    listeners: usize,
    /// Notes of the whole look.
    notes: usize,
    /// Warnings of the whole look.
    warnings: usize,
    /// Alerts of the whole look.
    alerts: usize,
    /// Findings that policy accepts.
    accepted: usize,
    /// Whether something could not be looked at that a judgement would need.
    partial: bool,
    /// 0 all accounted for, 1 findings at or above --fail-on, 2 could not look everywhere.
    exit_status: u8,
}

impl Summary {
    pub(super) fn of(view: &View, part: &Part<'_>) -> Summary {
        let counts = view.counts();
        Summary {
            rows: part.rows.len(),
            rows_seen: view.rows.len(),
            listeners: counts.listeners,
            notes: counts.notes,
            warnings: counts.warnings,
            alerts: counts.alerts,
            accepted: counts.accepted,
            partial: view.is_partial(),
            exit_status: part.exit_status,
        }
    }
}

/// The document of `baseline diff`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve changes", deny_unknown_fields))]
pub(crate) struct Changes<'a> {
    /// Version of this form.
    pub(crate) schema_version: u32,
    /// When the machine was looked at (RFC 3339, UTC).
    pub(crate) generated: String,
    /// What made it.
    pub(crate) generator: Generator,
    /// The baseline file.
    pub(crate) baseline: &'a str,
    /// The difference, and nothing else.
    pub(crate) changes: Vec<Change<'a>>,
    /// Where we could not look.
    pub(crate) gaps: Vec<Gap<'a>>,
    /// 0 no difference, 1 a difference, 2 could not look everywhere.
    pub(crate) exit_status: u8,
}

/// One difference.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Change<'a> {
    /// `new`, `gone` or `changed`.
    kind: &'static str,
    /// As the baseline has it.
    before: Option<&'a str>,
    /// As it is now.
    after: Option<&'a str>,
    /// The line of the baseline.
    entry: Option<&'a str>,
}

impl<'a> Changes<'a> {
    pub(crate) fn of(
        snapshot: &'a model::Snapshot,
        baseline: &'a str,
        changes: &'a [verdict::baseline::Change],
        exit_status: u8,
    ) -> Changes<'a> {
        Changes {
            schema_version: super::SCHEMA_VERSION,
            generated: snapshot.taken.rfc3339(),
            generator: Generator::this(),
            baseline,
            changes: changes
                .iter()
                .map(|change| Change {
                    kind: match change.kind {
                        ChangeKind::New => "new",
                        ChangeKind::Gone => "gone",
                        ChangeKind::Changed => "changed",
                    },
                    before: change.before.as_deref(),
                    after: change.after.as_deref(),
                    entry: change.entry.as_deref(),
                })
                .collect(),
            gaps: snapshot.gaps.iter().map(Gap::of).collect(),
            exit_status,
        }
    }
}

/// The document of `registry search` and `registry show`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve assignments", deny_unknown_fields))]
pub(crate) struct Assignments<'a> {
    /// Version of this form.
    pub(crate) schema_version: u32,
    /// What made it.
    pub(crate) generator: Generator,
    /// Where the rows come from.
    pub(crate) registry: Registry<'a>,
    /// The rows.
    pub(crate) assignments: Vec<Assignment<'a>>,
}

impl<'a> Assignments<'a> {
    pub(crate) fn of(paper: &'a Paper, rows: &[model::Assignment<'a>]) -> Assignments<'a> {
        Assignments {
            schema_version: super::SCHEMA_VERSION,
            generator: Generator::this(),
            registry: Registry::of(paper),
            assignments: rows.iter().map(Assignment::of).collect(),
        }
    }
}
