//! Which findings were told already, and which of them stand no more.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use model::{Code, Finding, Severity, Timestamp, Utc};

/// So many are remembered; the ones that were seen longest ago are forgotten first.
const MOST: usize = 1 << 16;

/// So long after it was told a finding is told again where its evidence has changed, in nanoseconds.
const TOLD_ANEW_NS: i64 = 60_000_000_000;

/// Findings by code and what they are about.
#[derive(Debug, Default)]
pub(super) struct Said {
    known: HashMap<(Code, String), Known>,
    /// The number of the round, so that what was not found in it is seen.
    round: u64,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    severity: Severity,
    words: u64,
    told: Timestamp<Utc>,
    round: u64,
    /// Whether a round found it, so that another can find that it is over. What came and went stays.
    standing: bool,
}

/// What is new about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// It was not known, or was less grave.
    New,
    /// It is known, and there is more to say of it.
    More,
}

impl Said {
    /// Begins a round of which [`Said::over`] tells what is missing.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
    }

    /// Takes note of a finding; `None` where there is nothing new to say. `standing` says that a round found it.
    pub(super) fn note(
        &mut self,
        finding: &Finding,
        about: &str,
        now: Timestamp<Utc>,
        standing: bool,
    ) -> Option<Novelty> {
        let mut hasher = DefaultHasher::new();
        (&finding.title, &finding.evidence).hash(&mut hasher);
        let words = hasher.finish();
        let fresh = Known { severity: finding.severity, words, told: now, round: self.round, standing };
        let key = (finding.code, about.to_owned());
        if let Some(known) = self.known.get_mut(&key) {
            known.round = self.round;
            known.standing |= standing;
            if finding.severity > known.severity {
                *known = Known { standing: known.standing, ..fresh };
                return Some(Novelty::New);
            }
            let waited = now.as_ns().saturating_sub(known.told.as_ns()).unsigned_abs();
            if words == known.words || waited < TOLD_ANEW_NS.unsigned_abs() {
                return None;
            }
            *known = Known { standing: known.standing, ..fresh };
            return Some(Novelty::More);
        }
        if self.known.len() >= MOST {
            self.forget();
        }
        self.known.insert(key, fresh);
        Some(Novelty::New)
    }

    /// What was found in an earlier round and not in this one; it is forgotten.
    pub(super) fn over(&mut self) -> Vec<(Code, String)> {
        let round = self.round;
        self.known.extract_if(|_, known| known.standing && known.round != round).map(|(key, _)| key).collect()
    }

    /// Forgets the older half.
    fn forget(&mut self) {
        let mut times: Vec<_> = self.known.values().map(|known| (known.round, known.told)).collect();
        let middle = times.len() / 2;
        if let Some(middle) = times.get(middle).is_some().then(|| *times.select_nth_unstable(middle).1) {
            self.known.retain(|_, known| (known.round, known.told) > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Confidence, Evidence};

    use super::*;

    fn finding(severity: Severity, fact: &str) -> Finding {
        Finding {
            code: Code::Scan,
            severity,
            confidence: Confidence::High,
            subjects: Vec::new(),
            title: String::from("t"),
            evidence: vec![Evidence { fact: fact.to_owned(), source: String::from("s") }],
            next_step: String::from("n"),
        }
    }

    fn at(seconds: i64) -> Timestamp<Utc> {
        Timestamp::from_ns(seconds * 1_000_000_000)
    }

    #[test]
    fn told_once_and_again_only_where_there_is_more_to_say() {
        let mut said = Said::default();
        let note = Severity::Note;
        assert_eq!(said.note(&finding(note, "1"), "a", at(0), true), Some(Novelty::New));
        assert_eq!(said.note(&finding(note, "1"), "a", at(100), true), None);
        assert_eq!(said.note(&finding(note, "2"), "a", at(59), true), None);
        assert_eq!(said.note(&finding(note, "2"), "a", at(60), true), Some(Novelty::More));
        assert_eq!(said.note(&finding(note, "2"), "b", at(60), true), Some(Novelty::New));
        assert_eq!(said.note(&finding(Severity::Alert, "2"), "a", at(60), true), Some(Novelty::New));
        assert_eq!(said.note(&finding(note, "2"), "a", at(61), true), None);
    }

    #[test]
    fn what_a_round_does_not_find_is_over_once() {
        let mut said = Said::default();
        for about in ["a", "b"] {
            said.note(&finding(Severity::Note, "1"), about, at(0), true);
        }
        said.note(&finding(Severity::Note, "1"), "c", at(0), false);
        said.begin_round();
        said.note(&finding(Severity::Note, "1"), "b", at(1), true);
        assert_eq!(said.over(), [(Code::Scan, String::from("a"))]);
        assert_eq!(said.over(), []);
        assert_eq!(said.note(&finding(Severity::Note, "1"), "a", at(2), true), Some(Novelty::New));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut said = Said::default();
        for number in 0..2 * MOST as i64 {
            said.note(&finding(Severity::Note, "1"), &number.to_string(), at(number), true);
        }
        assert!(said.known.len() <= MOST);
        let last = (2 * MOST as i64 - 1).to_string();
        assert_eq!(said.note(&finding(Severity::Note, "1"), &last, at(0), true), None);
    }
}
