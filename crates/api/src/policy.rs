//! What a policy would change: read, judged against what is known now, and never put in force.

use std::collections::HashSet;

use engine::Policy;
use engine::verdict::policy::parse;

use crate::access::Scope;
use crate::atlas;
use crate::caller::Caller;
use crate::document::{Checked, Preview, Previewed};
use crate::gate;
use crate::keeper::{Proposal, Proposed};
use crate::problem::Problem;
use crate::shared::Shared;

/// So many findings that would go, or come, are told one by one.
const MOST: usize = 200;

/// A policy, and what it would stand in for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft<'a> {
    pub(crate) text: &'a str,
    /// The file that it replaces; without it, it is one more.
    pub(crate) replaces: Option<&'a str>,
}

/// Whether it is sound, and if so what would change.
pub(crate) fn check(shared: &Shared, draft: Draft<'_>) -> Result<Checked, Problem> {
    match parse(draft.replaces.unwrap_or("proposed"), draft.text) {
        Ok(policy) => Ok(Checked {
            valid: true,
            entries: policy.entries().len() + policy.sessions().len(),
            fault: None,
            line: None,
            column: None,
            preview: Some(preview(shared, draft, policy)?),
        }),
        Err(fault) => Ok(Checked {
            valid: false,
            entries: 0,
            fault: Some(fault.reason),
            line: Some(fault.line),
            column: Some(fault.column),
            preview: None,
        }),
    }
}

/// Judges what is known now by what would count, and compares.
fn preview(shared: &Shared, draft: Draft<'_>, proposed: Policy) -> Result<Preview, Problem> {
    let files = shared.keeper.policies();
    let mut counting = Vec::new();
    let mut proposed = Some(proposed);
    for file in files {
        if draft.replaces == Some(file.name.as_str()) {
            counting.extend(proposed.take());
        } else if let Ok(policy) = parse(&file.name, &file.text) {
            // What cannot be read does not count now either.
            counting.push(policy);
        }
    }
    if draft.replaces.is_some() && proposed.is_some() {
        return Err(Problem::wrong("`replaces` is the name of a file of policy; /api/v1/policy has all."));
    }
    counting.extend(proposed);
    let current = shared.board.current();
    let traffic = current.traffic.as_deref();
    let mut grounds = shared.keeper.grounds();
    let now = grounds.judge_known(&current.machine, traffic);
    grounds.policy = Policy::merge(counting);
    let then = grounds.judge_known(&current.machine, traffic);
    let keys = |all: &[(String, model::Finding)]| -> HashSet<_> {
        all.iter().map(|(about, finding)| (finding.code, about.clone())).collect()
    };
    let (known, remaining) = (keys(&now), keys(&then));
    let of = |all: &[(String, model::Finding)], but: &HashSet<(model::Code, String)>| -> Vec<Previewed> {
        let changed = all.iter().filter(|(about, finding)| !but.contains(&(finding.code, about.clone())));
        let told = changed.map(|(about, finding)| Previewed {
            id: atlas::id_of(finding.code, about),
            code: finding.code.name(),
            severity: finding.severity.name(),
            about: about.clone(),
            title: finding.title.clone(),
        });
        told.collect()
    };
    let (mut goes, mut comes) = (of(&now, &remaining), of(&then, &known));
    let stays = then.len() - comes.len();
    let (going, coming) = (goes.len(), comes.len());
    goes.truncate(MOST);
    comes.truncate(MOST);
    Ok(Preview { going, coming, stays, goes, comes })
}

/// Keeps a sound policy for an administrator.
pub(crate) fn propose(
    shared: &Shared,
    caller: &Caller,
    draft: Draft<'_>,
    reason: &str,
) -> Result<Proposal, Problem> {
    gate::needs(caller, Scope::Ack)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 1000 {
        return Err(Problem::wrong(
            "`reason` has from 1 to 1000 characters: whoever takes it over wants to know why.",
        ));
    }
    let checked = check(shared, draft)?;
    if let Some(fault) = checked.fault {
        let (line, column) = (checked.line.unwrap_or_default(), checked.column.unwrap_or_default());
        return Err(Problem::wrong(format!(
            "The policy is not sound: line {line}, column {column}: {fault}"
        )));
    }
    Ok(shared.keeper.propose(Proposed {
        at: engine::now(),
        by: caller.name(),
        reason: reason.to_owned(),
        replaces: draft.replaces.map(str::to_owned),
        text: draft.text.to_owned(),
    })?)
}
