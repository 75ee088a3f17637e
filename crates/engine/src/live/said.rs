//! Which findings were told already, and which of them stand no more.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use std::sync::Arc;

use model::{Code, Finding, Severity, Timestamp, Utc};
use store::Sighting;

/// So many are remembered; the ones that were seen longest ago are forgotten first.
const MOST: usize = 1 << 16;

/// So long after it was told a finding is told again where its evidence has changed, in nanoseconds.
const TOLD_ANEW_NS: i64 = 60_000_000_000;

/// Findings by code and what they are about.
#[derive(Debug, Default)]
pub(crate) struct Said {
    known: HashMap<(Code, String), Known>,
    /// The number of the round, so that what was not found in it is seen.
    round: u64,
}

#[derive(Debug)]
struct Known {
    severity: Severity,
    words: u64,
    told: Timestamp<Utc>,
    round: u64,
    /// The sighting, where a round found it, so that another can find that it is over. What came and went stays.
    standing: Option<Arc<Sighting>>,
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

    /// Takes note of a finding, and gives it as it is to be told where there is something new to say. `standing` says
    /// that a round found it.
    pub(crate) fn note(
        &mut self,
        finding: &Finding,
        about: String,
        now: Timestamp<Utc>,
        standing: bool,
    ) -> Option<(Novelty, Arc<Sighting>)> {
        let mut hasher = DefaultHasher::new();
        (&finding.title, &finding.evidence).hash(&mut hasher);
        let words = hasher.finish();
        let key = (finding.code, about);
        let novelty = match self.known.get_mut(&key) {
            None => Novelty::New,
            Some(known) => {
                known.round = self.round;
                let waited = now.as_ns().saturating_sub(known.told.as_ns()).unsigned_abs();
                let more = words != known.words && waited >= TOLD_ANEW_NS.unsigned_abs();
                if finding.severity > known.severity {
                    Novelty::New
                } else if more || standing && known.standing.is_none() {
                    Novelty::More
                } else {
                    return None;
                }
            }
        };
        if self.known.len() >= MOST {
            self.forget();
        }
        let sighting = Arc::new(Sighting { at: now, about: key.1.clone(), finding: finding.clone() });
        let before = self.known.remove(&key).and_then(|known| known.standing);
        let standing = if standing { Some(Arc::clone(&sighting)) } else { before };
        let known = Known { severity: finding.severity, words, told: now, round: self.round, standing };
        self.known.insert(key, known);
        Some((novelty, sighting))
    }

    /// What was found in an earlier round and not in this one; it is forgotten.
    pub(super) fn over(&mut self) -> Vec<Arc<Sighting>> {
        let round = self.round;
        let over = self.known.extract_if(|_, known| known.standing.is_some() && known.round != round);
        over.filter_map(|(_, known)| known.standing).collect()
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

    /// What is new about it.
    fn new(said: &mut Said, severity: Severity, fact: &str, about: &str, seconds: i64) -> Option<Novelty> {
        said.note(&finding(severity, fact), about.to_owned(), at(seconds), true).map(|(novelty, _)| novelty)
    }

    #[test]
    fn told_once_and_again_only_where_there_is_more_to_say() {
        let mut said = Said::default();
        let (note, alert) = (Severity::Note, Severity::Alert);
        assert_eq!(new(&mut said, note, "1", "a", 0), Some(Novelty::New));
        assert_eq!(new(&mut said, note, "1", "a", 100), None);
        assert_eq!(new(&mut said, note, "2", "a", 59), None);
        assert_eq!(new(&mut said, note, "2", "a", 60), Some(Novelty::More));
        assert_eq!(new(&mut said, note, "2", "b", 60), Some(Novelty::New));
        assert_eq!(new(&mut said, alert, "2", "a", 60), Some(Novelty::New));
        assert_eq!(new(&mut said, note, "2", "a", 61), None);
    }

    #[test]
    fn what_a_round_does_not_find_is_over_once_and_what_came_and_went_stays() {
        let mut said = Said::default();
        let note = Severity::Note;
        new(&mut said, note, "1", "a", 0);
        new(&mut said, note, "1", "b", 0);
        said.note(&finding(note, "1"), String::from("c"), at(0), false);
        said.begin_round();
        new(&mut said, note, "1", "b", 1);
        let over = |said: &mut Said| -> Vec<String> {
            said.over().iter().map(|sighting| sighting.about.clone()).collect()
        };
        assert_eq!(over(&mut said), ["a"]);
        assert!(over(&mut said).is_empty());
        assert_eq!(new(&mut said, note, "1", "a", 2), Some(Novelty::New));
        // What came as an event and was then found standing is over when it is gone.
        assert_eq!(new(&mut said, note, "1", "c", 2), Some(Novelty::More));
        said.begin_round();
        assert_eq!(over(&mut said).len(), 3);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut said = Said::default();
        let most = i64::try_from(2 * MOST).unwrap();
        for number in 0..most {
            said.note(&finding(Severity::Note, "1"), number.to_string(), at(number), false);
        }
        assert!(said.known.len() <= MOST);
        let last = (most - 1).to_string();
        assert!(said.note(&finding(Severity::Note, "1"), last, at(most), false).is_none());
    }
}
