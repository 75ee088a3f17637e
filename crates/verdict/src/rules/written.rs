//! What people wrote down against what is there: policy-violation, policy-unmatched, policy-expired.

use model::{Code, Confidence, Severity, Subject};

use crate::docket::{Cause, Docket};
use crate::judge::{Bench, say, usual};
use crate::policy::{Entry, Policy, Verb};

/// An entry forbids the thing, which has this port.
pub(crate) fn denied(
    policy: &Policy,
    number: usize,
    (subject, port): (Subject, Option<u16>),
    docket: &mut Docket<'_>,
) {
    let Some(entry) = policy.entries().get(number) else { return };
    let weight = (entry.severity.unwrap_or(usual(Code::PolicyViolation)), Confidence::High);
    docket.raise(Code::PolicyViolation, weight, Cause::Text(entry.name.clone()), subject, || {
        let after = format!(" is forbidden: {}", entry.reason);
        let fact = format!("[[deny]] {}: {}", entry.describe(), entry.reason);
        let more = port.map_or_else(|| "portreeve list".to_owned(), |port| format!("portreeve {port}"));
        let step = format!("stop it, or change the entry; who holds it: {more}");
        say("", after, vec![(fact, entry.name.clone())], step)
    });
}

/// The policy is closed, and no entry allows the thing.
pub(crate) fn not_allowed<'a>(bench: &Bench<'a>, place: &str, subject: Subject, docket: &mut Docket<'a>) {
    let weight = (usual(Code::PolicyViolation), Confidence::High);
    let cause = match &subject {
        Subject::Socket(index) => bench.snapshot.sockets.get(*index).map(|socket| {
            let holder = socket.holders.first().map_or(0, |holder| holder.pid);
            format!("closed {} {holder}", socket.netns)
        }),
        _ => None,
    };
    let cause = Cause::Text(cause.unwrap_or_else(|| "closed".to_owned()));
    docket.raise(Code::PolicyViolation, weight, cause, subject, || {
        let fact = "mode = \"closed\": what no [[allow]] entry means is forbidden.".to_owned();
        say(
            "",
            " is not allowed by any entry",
            vec![(fact, place.to_owned())],
            "stop it, or add an [[allow]] entry with a reason",
        )
    });
}

/// An entry has passed its date.
pub(crate) fn expired(entry: &Entry, docket: &mut Docket<'_>) {
    let subject = Subject::Entry(entry.name.clone());
    let cause = Cause::Text(entry.name.clone());
    let verb = entry.verb.name();
    let (year, month, day) = model::time::civil_from_days(entry.expires.unwrap_or_default());
    let weight = (usual(Code::PolicyExpired), Confidence::High);
    docket.raise(Code::PolicyExpired, weight, cause, subject, || {
        let title = format!(
            "{}: this [[{verb}]] entry expired on {year:04}-{month:02}-{day:02} and no longer applies",
            entry.name
        );
        let fact = format!("{}: {}", entry.describe(), entry.reason);
        say(
            title,
            "",
            vec![(fact, entry.name.clone())],
            "decide again: set a new `expires`, or remove the entry",
        )
    });
}

/// What became of an entry over the whole look.
pub(crate) fn entry<'a>(
    bench: &Bench<'a>,
    entry: &Entry,
    found: bool,
    unseen: bool,
    docket: &mut Docket<'a>,
) {
    if !entry.applies(bench.facts.today) {
        expired(entry, docket);
        return;
    }
    let subject = Subject::Entry(entry.name.clone());
    let cause = Cause::Text(entry.name.clone());
    // What could not be looked at may be what the entry means.
    if found || unseen {
        return;
    }
    let blind = bench
        .snapshot
        .gaps
        .iter()
        .any(|gap| gap.area == model::Area::Sockets || gap.area == model::Area::Namespaces);
    let confidence = if blind { Confidence::Low } else { Confidence::High };
    match entry.verb {
        Verb::Allow => {
            docket.raise(Code::PolicyUnmatched, (Severity::Note, confidence), cause, subject, || {
                let title = format!("{}: nothing here is what this [[allow]] entry means", entry.name);
                let fact = format!("{}: {}", entry.describe(), entry.reason);
                say(
                    title,
                    "",
                    vec![(fact, entry.name.clone())],
                    "remove the entry, or correct what it names; portreeve list shows what is here",
                )
            });
        }
        Verb::Expect => {
            let weight = (entry.severity.unwrap_or(usual(Code::PolicyViolation)), confidence);
            docket.raise(Code::PolicyViolation, weight, cause, subject, || {
                let title = format!("{}: expected and not here: {}", entry.name, entry.describe());
                let fact = format!("[[expect]] {}: {}", entry.describe(), entry.reason);
                say(
                    title,
                    "",
                    vec![(fact, entry.name.clone())],
                    "start what should be there, or remove the entry",
                )
            });
        }
        // A prohibition that nothing breaks is as it should be.
        Verb::Deny => {}
    }
}
