//! Which findings are told by a way, when, together with which, and how often: without I/O, on a clock that is handed in.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Code, Finding, Severity, Timestamp, Utc};
use store::Sighting;

use super::notice::{Notice, State, Told};
use crate::glob;

/// So many findings are remembered as told; then the one that was not seen for longest is forgotten.
const MOST_KNOWN: usize = 1 << 16;

/// So many groups may wait; then the oldest waits no longer.
const MOST_GROUPS: usize = 256;

/// So many findings stand in one group; more are counted.
const MOST_IN_GROUP: usize = 32;

/// Over this span the limit holds, and what was held back is summed up.
const MINUTE: Duration = Duration::from_secs(60);

/// The rules of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Findings below are not told.
    pub least: Severity,
    /// Patterns of codes that are told; none means all.
    pub codes: Vec<String>,
    /// Patterns of codes that are not.
    pub except: Vec<String>,
    /// How long to wait for more of the same cause.
    pub group_for: Duration,
    /// How often a finding that stands is told again; `None` means never.
    pub repeat_every: Option<Duration>,
    /// Whether it is told when one is over.
    pub resolved: bool,
    /// So many notices in a minute; more are held back. 0 means no limit.
    pub most_per_minute: u32,
}

impl Rules {
    /// Whether a finding is told at all.
    pub fn take(&self, finding: &Finding) -> bool {
        let code = finding.code.name();
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| glob::matches(pattern, code));
        finding.severity >= self.least && (self.codes.is_empty() || fits(&self.codes)) && !fits(&self.except)
    }
}

/// What tells findings apart: the code, and 128 bits of what they are about, which strangers may make long, mixed with
/// secrets that they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key(Code, u64, u64);

/// What was told of a finding.
#[derive(Debug)]
struct Known {
    told: Instant,
    severity: Severity,
    times: u64,
    /// Its place in the order in which findings were last seen.
    place: u64,
}

#[derive(Debug)]
struct Group {
    cause: String,
    due: Instant,
    told: Vec<Told>,
    more: u64,
}

/// What was held back since the first of it.
#[derive(Debug)]
struct Held {
    due: Instant,
    at: Timestamp<Utc>,
    count: u64,
    codes: BTreeMap<Code, u64>,
}

/// One way's memory of what it told. `handle` and `over` take what was seen, `poll` gives what to tell.
#[derive(Debug)]
pub struct Sorter {
    rules: Rules,
    secrets: [RandomState; 2],
    known: HashMap<Key, Known>,
    order: BTreeMap<u64, Key>,
    places: u64,
    /// In the order in which they are due.
    groups: VecDeque<Group>,
    held: Option<Held>,
    /// Notices that may be given now, in sixtieths of a second times their number: exact without fractions.
    allowance: Duration,
    filled: Option<Instant>,
}

impl Sorter {
    /// With these rules, and nothing told yet.
    pub fn new(rules: Rules) -> Sorter {
        Sorter {
            rules,
            secrets: [RandomState::new(), RandomState::new()],
            known: HashMap::new(),
            order: BTreeMap::new(),
            places: 0,
            groups: VecDeque::new(),
            held: None,
            allowance: MINUTE,
            filled: None,
        }
    }

    /// A finding was seen.
    pub fn handle(&mut self, now: Instant, sighting: Arc<Sighting>) {
        if !self.rules.take(&sighting.finding) {
            return;
        }
        let severity = sighting.finding.severity;
        let repeat_every = self.rules.repeat_every;
        let (state, times) = match self.see(&sighting) {
            None => {
                self.remember(now, &sighting);
                (State::Found, 1)
            }
            Some(known) => {
                known.times = known.times.saturating_add(1);
                let graver = severity > known.severity;
                let due =
                    repeat_every.is_some_and(|every| now.saturating_duration_since(known.told) >= every);
                if !graver && !due {
                    return;
                }
                (known.told, known.severity) = (now, severity);
                (if graver { State::Graver } else { State::Again }, known.times)
            }
        };
        self.put(now, Told { sighting, state, times });
    }

    /// A finding is over.
    pub fn over(&mut self, now: Instant, sighting: Arc<Sighting>) {
        let key = self.key(&sighting);
        // What was never told need not be taken back.
        let Some(known) = self.known.remove(&key) else { return };
        self.order.remove(&known.place);
        if self.rules.resolved {
            self.put(now, Told { sighting, state: State::Over, times: known.times });
        }
    }

    /// A finding stands since before, and was told then.
    pub fn known(&mut self, now: Instant, sighting: &Sighting) {
        if self.rules.take(&sighting.finding) && self.see(sighting).is_none() {
            self.remember(now, sighting);
        }
    }

    /// Something about what is over was lost: rather twice than never.
    pub fn forget(&mut self) {
        self.known.clear();
        self.order.clear();
    }

    /// Everything that waits is due.
    pub fn flush(&mut self, now: Instant) {
        self.groups.iter_mut().for_each(|group| group.due = group.due.min(now));
        self.held.iter_mut().for_each(|held| held.due = held.due.min(now));
    }

    /// What to tell now.
    pub fn poll(&mut self, now: Instant) -> Option<Notice> {
        while self.groups.front().is_some_and(|group| group.due <= now) {
            let group = self.groups.pop_front()?;
            if self.may_tell(now) {
                return Some(Notice::Findings { told: group.told, more: group.more });
            }
            self.hold(now, group);
        }
        let held = self.held.take_if(|held| held.due <= now)?;
        let mut codes: Vec<(Code, u64)> = held.codes.into_iter().collect();
        codes.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        Some(Notice::HeldBack { at: held.at, count: held.count, codes })
    }

    /// When to ask again, if nothing happens before.
    pub fn wake(&self) -> Option<Instant> {
        let held = self.held.as_ref().map(|held| held.due);
        self.groups.front().map(|group| group.due).into_iter().chain(held).min()
    }

    fn key(&self, sighting: &Sighting) -> Key {
        let [first, second] = &self.secrets;
        let about = &sighting.about;
        Key(sighting.finding.code, first.hash_one(about), second.hash_one(about))
    }

    fn see(&mut self, sighting: &Sighting) -> Option<&mut Known> {
        let key = self.key(sighting);
        let known = self.known.get_mut(&key)?;
        self.order.remove(&known.place);
        self.places += 1;
        known.place = self.places;
        self.order.insert(self.places, key);
        Some(known)
    }

    fn remember(&mut self, now: Instant, sighting: &Sighting) {
        if self.known.len() >= MOST_KNOWN
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.known.remove(&oldest);
        }
        let key = self.key(sighting);
        self.places += 1;
        self.order.insert(self.places, key);
        let known = Known { told: now, severity: sighting.finding.severity, times: 1, place: self.places };
        self.known.insert(key, known);
    }

    fn put(&mut self, now: Instant, told: Told) {
        if !self.rules.group_for.is_zero() {
            let cause = cause(&told.sighting);
            if let Some(group) = self.groups.iter_mut().find(|group| group.cause == cause) {
                if group.told.len() < MOST_IN_GROUP {
                    group.told.push(told);
                } else {
                    group.more += 1;
                }
                return;
            }
            if self.groups.len() >= MOST_GROUPS {
                self.groups.front_mut().into_iter().for_each(|group| group.due = now);
            }
            let due = now + self.rules.group_for;
            return self.groups.push_back(Group { cause, due, told: vec![told], more: 0 });
        }
        self.groups.push_back(Group { cause: String::new(), due: now, told: vec![told], more: 0 });
    }

    /// Whether one more notice is within the limit; it is counted if so.
    fn may_tell(&mut self, now: Instant) -> bool {
        let most = self.rules.most_per_minute;
        if most == 0 {
            return true;
        }
        let passed = self.filled.map_or(Duration::ZERO, |before| now.saturating_duration_since(before));
        self.filled = Some(now);
        self.allowance = (self.allowance + passed).min(MINUTE);
        match self.allowance.checked_sub(MINUTE / most) {
            Some(left) => {
                self.allowance = left;
                true
            }
            None => false,
        }
    }

    fn hold(&mut self, now: Instant, group: Group) {
        let Group { told, more, .. } = group;
        let Some(last) = told.last() else { return };
        let (at, code) = (last.sighting.at, last.sighting.finding.code);
        let held =
            self.held.get_or_insert_with(|| Held { due: now + MINUTE, at, count: 0, codes: BTreeMap::new() });
        held.at = held.at.max(at);
        held.count += more;
        *held.codes.entry(code).or_default() += more;
        for told in told {
            held.count += 1;
            *held.codes.entry(told.sighting.finding.code).or_default() += 1;
        }
        held.codes.retain(|_, count| *count > 0);
    }
}

/// What findings of one cause have in common: what stands behind the place (`tcp 0.0.0.0:420 /usr/bin/nc`: the
/// program, the source), else the code.
fn cause(sighting: &Sighting) -> String {
    let mut words = sighting.about.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some(_), Some(_), Some(rest)) if !rest.trim().is_empty() => rest.to_owned(),
        _ => sighting.finding.code.name().to_owned(),
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
