//! What paper says of a port: the registry's rows, use, usual programs, and the history of misuse.

use serde::Serialize;

use model::Transport;
use registry::{Paper, Role, Usage, misuse, program};

/// A port on paper.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct PortPaper<'a> {
    /// The port.
    port: u16,
    /// Each transport.
    transports: Vec<TransportPaper<'a>>,
    /// What this machine remembers of it; null where nobody remembers, or of many ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<store::PortHistory>,
    /// Why what is remembered could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    history_hidden: Option<String>,
}

/// A port of one transport on paper.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct TransportPaper<'a> {
    /// `tcp`, `udp`, `sctp` or `dccp`.
    transport: &'static str,
    /// `assigned`, `unassigned`, `reserved` or `dynamic`.
    status: &'static str,
    /// The registry's rows.
    assignments: Vec<Assignment<'a>>,
    /// Inferred: assigned, but not in ordinary use; null where nothing is assigned.
    silent: Option<bool>,
    /// Why we believe so.
    usage_reason: Option<&'static str>,
    /// What is commonly seen there.
    commonly_seen: Option<&'static str>,
    /// Programs that ordinarily serve it.
    programs: Vec<&'static str>,
    /// What is ordinarily there and ought not to face the network.
    keep_inside: Option<KeepInside>,
    /// Its history of misuse. A number proves nothing.
    misuse: Vec<Misuse>,
}

/// Why a port ought not to face the network.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct KeepInside {
    /// `database`, `debugger` or `admin`.
    kind: &'static str,
    /// What is ordinarily there.
    what: &'static str,
    /// Why.
    why: &'static str,
}

/// One line of a history of misuse.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Misuse {
    /// The family of malware.
    family: &'static str,
    /// What the port was to it: `command_endpoint`, `command_nonstandard`, `command_nonstandard_mobile`,
    /// `bound_shell`, `brute_target`, `firewall_open`, `scan_target` or `mention`.
    role: &'static str,
    /// Number of known endpoints, where the source counts.
    endpoints: Option<u32>,
    /// Where this was read.
    source: &'static str,
}

/// A row of the registry; null where the registry's field is empty.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Assignment<'a> {
    /// Service name.
    name: Option<&'a str>,
    /// First port; null for a service without one.
    first: Option<u16>,
    /// Last port.
    last: Option<u16>,
    /// `tcp`, `udp`, `sctp` or `dccp`; null for none in particular.
    transport: Option<&'static str>,
    /// `assigned`, `unassigned`, `reserved` or `dynamic`.
    status: &'static str,
    /// What the registry says it is.
    description: Option<&'a str>,
    /// Who was given it.
    assignee: Option<&'a str>,
    /// Whom to ask.
    contact: Option<&'a str>,
    /// Date of registration.
    registered: Option<&'a str>,
    /// Date of last change.
    modified: Option<&'a str>,
    /// The document that defines it.
    reference: Option<&'a str>,
    /// Known unauthorised uses.
    unauthorised: Option<&'a str>,
    /// Notes.
    notes: Option<&'a str>,
}

impl<'a> Assignment<'a> {
    pub(crate) fn of(row: &model::Assignment<'a>) -> Assignment<'a> {
        let filled = |text: &'a str| (!text.is_empty()).then_some(text);
        Assignment {
            name: filled(row.name),
            first: row.first,
            last: row.last,
            transport: row.transport.map(Transport::name),
            status: row.status.name(),
            description: filled(row.description),
            assignee: filled(row.assignee),
            contact: filled(row.contact),
            registered: filled(row.registered),
            modified: filled(row.modified),
            reference: filled(row.reference),
            unauthorised: filled(row.unauthorised),
            notes: filled(row.notes),
        }
    }
}

impl<'a> PortPaper<'a> {
    /// The same with what is remembered, or why that could not be read.
    pub(crate) fn remembering(mut self, past: Option<&Result<store::PortHistory, String>>) -> PortPaper<'a> {
        self.history = past.and_then(|past| past.clone().ok());
        self.history_hidden = past.and_then(|past| past.clone().err());
        self
    }

    /// What paper says of a port, for one transport or each.
    pub(crate) fn of(paper: &'a Paper, port: u16, only: Option<Transport>) -> PortPaper<'a> {
        let wanted = |transport: &Transport| only.is_none_or(|only| only == *transport);
        PortPaper {
            port,
            history: None,
            history_hidden: None,
            transports: Transport::ALL
                .into_iter()
                .filter(wanted)
                .map(|transport| {
                    let standing = paper.standing(transport, port);
                    TransportPaper {
                        transport: transport.name(),
                        status: standing.status.name(),
                        assignments: standing
                            .assignment
                            .into_iter()
                            .chain(standing.more())
                            .map(|row| Assignment::of(&row))
                            .collect(),
                        silent: match standing.usage {
                            Usage::Silent(_) => Some(true),
                            Usage::Ordinary(_) => Some(false),
                            Usage::NotAssigned => None,
                        },
                        usage_reason: standing.usage.reason(),
                        commonly_seen: program::commonly_seen(transport, port),
                        programs: program::on_port(transport, port)
                            .flat_map(|program| program.names.iter().copied())
                            .collect(),
                        keep_inside: program::sensitive(transport, port).map(|it| KeepInside {
                            kind: it.kind.name(),
                            what: it.what,
                            why: it.why,
                        }),
                        misuse: misuse(transport, port)
                            .map(|it| Misuse {
                                family: it.family,
                                role: role(it.role),
                                endpoints: it.endpoints,
                                source: it.source,
                            })
                            .collect(),
                    }
                })
                .collect(),
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::CommandEndpoint => "command_endpoint",
        Role::CommandNonstandard => "command_nonstandard",
        Role::CommandNonstandardMobile => "command_nonstandard_mobile",
        Role::BoundShell => "bound_shell",
        Role::BruteTarget => "brute_target",
        Role::FirewallOpen => "firewall_open",
        Role::ScanTarget => "scan_target",
        Role::Mention => "mention",
    }
}
