//! Findings: listed, shown, accepted, taken back.

use crate::answer::{Acknowledged, Answer, Fact, FindingRecord, FindingState, Findings, Refusal};
use crate::append::{Change, tell};
use crate::desk::{FINDINGS, Reading};
use crate::fault::StoreError;
use crate::identity::{self, MOST_TEXT, beginning};
use crate::moment::Moment;
use crate::query::FindingFilter;
use crate::row::{FindingRow, FindingStateRow};
use crate::store::Store;

use super::{MOST_ROWS, span};

const SEVERITIES: [&str; 3] = ["note", "warning", "alert"];
const CONFIDENCES: [&str; 3] = ["low", "medium", "high"];
/// A shorter beginning of an id is not taken for one.
const LEAST_DIGITS: usize = 4;

fn word(words: [&'static str; 3], number: u8) -> String {
    words.get(usize::from(number)).copied().unwrap_or("unknown").to_owned()
}

/// A row as it is told: an acknowledgement that has expired counts no more, whether it was noted yet or not.
pub(super) fn answer(key: &[u8], row: FindingRow, now: Moment) -> FindingRecord {
    let (state, since, acknowledged) = match row.state {
        FindingStateRow::Open { since_ns } => (FindingState::Open, since_ns, None),
        FindingStateRow::Resolved { at_ns } => (FindingState::Resolved, at_ns, None),
        FindingStateRow::Acknowledged { until_ns: Some(until), .. } if until <= now.as_ns() => {
            (FindingState::Open, until, None)
        }
        FindingStateRow::Acknowledged { at_ns, by, reason, until_ns } => {
            let acknowledged = Acknowledged { by, reason, until: until_ns.map(Moment::from_ns) };
            (FindingState::Acknowledged, at_ns, Some(acknowledged))
        }
    };
    FindingRecord {
        id: identity::shown(key),
        code: row.code,
        about: row.about,
        severity: word(SEVERITIES, row.severity),
        confidence: word(CONFIDENCES, row.confidence),
        title: row.title,
        evidence: row.evidence.into_iter().map(|(fact, source)| Fact { fact, source }).collect(),
        next_step: row.next_step,
        seen: span(&row.span),
        state,
        state_since: Moment::from_ns(since),
        acknowledged,
    }
}

pub(super) fn list(store: &Store, filter: &FindingFilter, now: Moment) -> Result<Answer, Refusal> {
    let least = match &filter.severity {
        None => 0,
        Some(name) => {
            SEVERITIES.iter().position(|it| it == name).and_then(|at| u8::try_from(at).ok()).ok_or_else(
                || Refusal::asked(format!("'{name}' is no severity: {}", SEVERITIES.join(", "))),
            )?
        }
    };
    let mut found: Vec<(u8, u64, FindingRecord)> = Vec::new();
    store.read(|reading| {
        reading.all(FINDINGS, |key, row: FindingRow| {
            let (severity, order) = (row.severity, row.span.order);
            let is_wanted = severity >= least
                && filter.since.is_none_or(|since| row.span.last_ns >= since.as_ns())
                && (filter.codes.is_empty() || filter.codes.iter().any(|code| matches(code, &row.code)));
            if is_wanted {
                let record = answer(key, row, now);
                if filter.states.is_empty() || filter.states.contains(&record.state) {
                    found.push((severity, order, record));
                }
            }
            Ok(true)
        })
    })?;
    found.sort_by(|one, two| (two.0, two.1, &one.2.id).cmp(&(one.0, one.1, &two.2.id)));
    let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let (skip, limit) = (filter.skip, filter.limit.clamp(1, MOST_ROWS));
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let page = found.into_iter().skip(count(skip)).take(count(limit)).map(|(_, _, record)| record);
    Ok(Answer::Findings(Findings { findings: page.collect(), total }))
}

/// Whether a name fits a pattern with `*` and `?`; both are short.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = pattern.trim_start_matches('*');
            rest.is_empty()
                || name.char_indices().any(|(at, _)| matches(rest, name.get(at..).unwrap_or_default()))
        }
        (Some(wanted), Some(is)) if wanted == '?' || wanted.eq_ignore_ascii_case(&is) => matches(
            pattern.get(wanted.len_utf8()..).unwrap_or_default(),
            name.get(is.len_utf8()..).unwrap_or_default(),
        ),
        _ => false,
    }
}

/// The one finding whose id begins so.
fn meant(reading: &Reading<'_>, id: &str) -> Result<Result<([u8; 16], FindingRow), Refusal>, StoreError> {
    let wanted = id.to_ascii_lowercase();
    let is_hex = wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
    if wanted.len() < LEAST_DIGITS || !is_hex {
        return Ok(Err(Refusal::asked(format!(
            "'{id}' is no finding's id: {LEAST_DIGITS} hexadecimal digits or more, as portreeve findings shows them"
        ))));
    }
    let mut found = Vec::new();
    reading.all(FINDINGS, |key, row: FindingRow| {
        if identity::hex(key).starts_with(&wanted)
            && let Some(key) = key.first_chunk::<16>()
        {
            found.push((*key, row));
        }
        Ok(found.len() < 10)
    })?;
    let mut found = found.into_iter();
    Ok(match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => {
            Err(Refusal::asked(format!("no finding has the id '{id}' (all of them: portreeve findings)")))
        }
        (Some(first), Some(second)) => {
            let all = [first, second].into_iter().chain(found);
            let names: Vec<String> =
                all.map(|(key, row)| format!("{} ({})", identity::shown(&key), row.code)).collect();
            Err(Refusal::asked(format!(
                "several findings have an id that begins with '{id}': {}",
                names.join(", ")
            )))
        }
    })
}

pub(super) fn show(store: &Store, id: &str, now: Moment) -> Result<Answer, Refusal> {
    let (key, row) = store.read(|reading| meant(reading, id))??;
    Ok(Answer::Finding(answer(&key, row, now)))
}

pub(super) fn acknowledge(
    store: &Store,
    id: &str,
    (reason, by, until): (&str, &str, Option<Moment>),
    now: Moment,
) -> Result<Answer, Refusal> {
    if reason.trim().is_empty() {
        return Err(Refusal::asked("a finding is accepted with a reason, so that the next one knows why"));
    }
    if until.is_some_and(|until| until <= now) {
        return Err(Refusal::asked("an acknowledgement cannot end before it begins"));
    }
    let state = FindingStateRow::Acknowledged {
        at_ns: now.as_ns(),
        by: beginning(by, MOST_TEXT),
        reason: beginning(reason.trim(), 4 * MOST_TEXT),
        until_ns: until.map(Moment::as_ns),
    };
    decide(store, id, now, state, Change::Acknowledged)
}

pub(super) fn reopen(store: &Store, id: &str, now: Moment) -> Result<Answer, Refusal> {
    decide(store, id, now, FindingStateRow::Open { since_ns: now.as_ns() }, Change::Reopened)
}

fn decide(
    store: &Store,
    id: &str,
    now: Moment,
    state: FindingStateRow,
    change: Change,
) -> Result<Answer, Refusal> {
    let (key, _) = store.read(|reading| meant(reading, id))??;
    let row = store.write(|desk| {
        let Some(mut row) = desk.row::<FindingRow>(FINDINGS, &key)? else { return Ok(None) };
        row.state = state;
        // One that is open again is looked for anew.
        row.span.age_s = desk.state.age_s;
        desk.put(FINDINGS, &key, &row)?;
        tell(desk, now.0, key, &row.about, change)?;
        Ok(Some(row))
    })?;
    row.map(|row| Answer::Finding(answer(&key, row, now)))
        .ok_or_else(|| Refusal::asked(format!("the finding '{id}' has just gone")))
}
