//! Which rules a stream broke, how often, and where first.

use model::media::{Occurrence, StreamFault, StreamRule};

/// Rules that were broken. As many entries as there are rules, however many packets break them.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    faults: Vec<StreamFault>,
}

impl Tally {
    /// Notes that a rule was broken; `detail` is asked the first time only.
    pub fn note(&mut self, rule: &'static StreamRule, at: Occurrence, detail: impl FnOnce() -> String) {
        self.note_many(rule, 1, at, detail);
    }

    /// Notes that a rule was broken several times.
    pub fn note_many(
        &mut self,
        rule: &'static StreamRule,
        count: u64,
        at: Occurrence,
        detail: impl FnOnce() -> String,
    ) {
        // A rule is one static; there are few, and fewer that are broken.
        match self.faults.iter_mut().find(|fault| core::ptr::eq(fault.rule, rule)) {
            Some(fault) => fault.count = fault.count.saturating_add(count),
            None => self.faults.push(StreamFault { rule, count, first: at, detail: detail() }),
        }
    }

    /// How often a rule was broken.
    pub fn count(&self, rule: &'static StreamRule) -> u64 {
        self.faults.iter().find(|fault| core::ptr::eq(fault.rule, rule)).map_or(0, |fault| fault.count)
    }

    /// All of it, in the order of first occurrence.
    pub fn faults(&self) -> &[StreamFault] {
        &self.faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LATE: StreamRule = StreamRule { name: "late", clause: "none", text: "It is late." };
    static ODD: StreamRule = StreamRule { name: "odd", clause: "none", text: "It is odd." };

    #[test]
    fn the_first_is_kept_and_the_others_are_counted() {
        let at = |frame| Occurrence { frame, sequence: 0, timestamp: 0 };
        let mut tally = Tally::default();
        tally.note(&LATE, at(3), || "by 4".into());
        tally.note(&LATE, at(4), || unreachable!("a particular is made once"));
        tally.note_many(&ODD, 5, at(5), String::new);
        let seen: Vec<_> = tally.faults().iter().map(|it| (it.rule.name, it.count, it.first.frame)).collect();
        assert_eq!(seen, [("late", 2, 3), ("odd", 5, 5)]);
        assert_eq!((tally.count(&LATE), tally.count(&ODD)), (2, 5));
    }
}
