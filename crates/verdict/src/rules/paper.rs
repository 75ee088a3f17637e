//! What paper says of a number, in the words of evidence: its standing, and its history of misuse.

use model::{Evidence, Transport};
use registry::{Paper, Role, Standing};

use crate::docket::evidence;

/// The registry's title and date, as evidence cites it.
pub(crate) fn cited(paper: &Paper) -> String {
    let source = paper.source();
    match (source.title, source.date) {
        ("", _) => "IANA registry".to_owned(),
        (title, "") => title.to_owned(),
        (title, date) => format!("{title}, {date}"),
    }
}

/// What the registry says of the port.
pub(crate) fn says(cited: &str, transport: Transport, port: u16, standing: &Standing<'_>) -> Evidence {
    let mut fact = format!("{port}/{} is {}", transport.name(), standing.status.name());
    if let Some(row) = standing.assignment {
        if !row.name.is_empty() {
            fact.push_str(&format!(": {}", row.name));
        }
        let news = |said: &str| !row.description.eq_ignore_ascii_case(said);
        if !row.description.is_empty() && news(row.name) && news(standing.status.name()) {
            let separator = if row.name.is_empty() { ": " } else { ", " };
            fact.push_str(&format!("{separator}{}", row.description));
        }
        if !row.assignee.is_empty() {
            fact.push_str(&format!("; assignee {}", name_of(row.assignee)));
        }
        if !row.reference.is_empty() {
            fact.push_str(&format!("; reference {}", row.reference));
        }
    }
    fact.push('.');
    evidence(fact, cited)
}

/// Whether a report of what some program did names the number.
pub(crate) fn is_reported(transport: Transport, port: u16) -> bool {
    registry::misuse(transport, port).any(|entry| names_the_number(entry.role))
}

fn names_the_number(role: Role) -> bool {
    matches!(
        role,
        Role::CommandNonstandard | Role::CommandNonstandardMobile | Role::BoundShell | Role::Mention
    )
}

/// What the history of the port says, where it is enough to be worth a word. It proves nothing, and says so.
pub(crate) fn history(transport: Transport, port: u16) -> Option<Evidence> {
    let mut endpoints = 0_u32;
    let mut families: Vec<&str> = Vec::new();
    let mut sources: Vec<&str> = Vec::new();
    let mut reported = false;
    for entry in registry::misuse(transport, port) {
        match entry.role {
            Role::CommandEndpoint => endpoints = endpoints.saturating_add(entry.endpoints.unwrap_or(0)),
            role if names_the_number(role) => reported = true,
            // That others attacked or opened the port says nothing of who listens here.
            _ => continue,
        }
        if families.len() < 5 && !families.contains(&entry.family) {
            families.push(entry.family);
        }
        if sources.len() < 3 && !sources.contains(&entry.source) {
            sources.push(entry.source);
        }
    }
    if endpoints < 10 && !reported {
        return None;
    }
    let count = if endpoints > 0 {
        format!("{endpoints} known command endpoints used this number")
    } else {
        "reports name this number".to_owned()
    };
    let fact =
        format!("History of misuse: {count} ({}). A number proves nothing by itself.", families.join(", "));
    Some(evidence(fact, sources.join(", ")))
}

/// The registered name of the service.
pub(crate) fn service<'p>(standing: &Standing<'p>) -> Option<&'p str> {
    standing.assignment.map(|row| row.name).filter(|name| !name.is_empty())
}

/// What the port is assigned to, as people call it.
pub(crate) fn purpose<'p>(standing: &Standing<'p>) -> &'p str {
    standing.assignment.map_or("somebody", |row| title(row.name, row.description))
}

/// The registry writes assignees as `[First_Last]`.
fn name_of(assignee: &str) -> String {
    assignee.trim_matches(['[', ']']).replace('_', " ")
}

fn title<'t>(name: &'t str, description: &'t str) -> &'t str {
    match (description, name) {
        ("", "") => "a service without a name",
        ("", name) => name,
        (description, _) => description,
    }
}
