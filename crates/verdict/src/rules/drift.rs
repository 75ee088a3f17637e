//! What changed since the baseline: baseline-new, baseline-gone, baseline-changed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use model::{Code, Confidence, Subject};

use crate::baseline::{Baseline, Change, ChangeKind};
use crate::docket::{Cause, Docket};
use crate::judge::{Bench, Ledger, say, usual};
use crate::known::Directory;

pub(crate) fn judge<'a>(
    bench: &Bench<'a>,
    baseline: &Baseline,
    directory: &Directory<'a>,
    policy: &mut Ledger,
    docket: &mut Docket<'a>,
) {
    let mut holders = Vec::new();
    for change in baseline.diff(bench.snapshot) {
        for index in &change.sockets {
            let Some(socket) = bench.snapshot.sockets.get(*index) else { continue };
            directory.holders(socket, &mut holders);
            policy.consider(bench, *index, socket, &holders, docket);
            raise(&change, Subject::Socket(*index), docket);
        }
        for index in &change.forwards {
            policy.consider_forward(bench, *index, docket);
            raise(&change, Subject::Forward(*index), docket);
        }
        if change.kind == ChangeKind::Gone {
            docket.turn_to(&[], &[]);
            let name = change.entry.clone().or_else(|| change.before.clone()).unwrap_or_default();
            raise(&change, Subject::Entry(name), docket);
        }
    }
}

fn raise(change: &Change, subject: Subject, docket: &mut Docket<'_>) {
    let code = match change.kind {
        ChangeKind::New => Code::BaselineNew,
        ChangeKind::Gone => Code::BaselineGone,
        ChangeKind::Changed => Code::BaselineChanged,
    };
    let before = change.before.as_deref().unwrap_or_default();
    let after = change.after.as_deref().unwrap_or_default();
    // Ten new doors of one program are one cause; so is a change that ten doors share.
    let holder = |text: &str| text.split_once(": ").map_or(String::new(), |(_, holder)| holder.to_owned());
    let cause = match change.kind {
        ChangeKind::New => holder(after),
        ChangeKind::Gone => holder(before),
        ChangeKind::Changed => format!("{} > {}", holder(before), holder(after)),
    };
    let mut hasher = DefaultHasher::new();
    cause.hash(&mut hasher);
    let listener = format!("{before} > {after}");
    let cause = Cause::Change { listener, kin: hasher.finish() };
    docket.raise(code, (usual(code), Confidence::High), cause, subject, || {
        let source = change.entry.clone().unwrap_or_else(|| "baseline".to_owned());
        let (port, transport) = (change.port, change.transport.name());
        let accept = format!("if that is right: portreeve baseline accept {port}/{transport} (or: all)");
        match change.kind {
            ChangeKind::New => {
                let facts = vec![(format!("Not in the baseline: {after}"), source)];
                say(
                    "",
                    format!(" is new since the baseline: {}", holder(after)),
                    facts,
                    format!("portreeve {port}; {accept}"),
                )
            }
            ChangeKind::Gone => {
                let facts = vec![(format!("In the baseline, not here now: {before}"), source)];
                say(
                    format!("gone since the baseline: {before}"),
                    "",
                    facts,
                    format!("see whether it should run; {accept}"),
                )
            }
            ChangeKind::Changed => {
                let facts = vec![
                    (format!("In the baseline: {before}"), source),
                    (format!("Now: {after}"), "this look".to_owned()),
                ];
                let title = format!(" has another holder than in the baseline: {}", holder(after));
                say("", title, facts, format!("portreeve {port}; {accept}"))
            }
        }
    });
}
