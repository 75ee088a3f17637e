//! What waits to be written: merged, and bounded.

use store::Batch;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Taken {
    /// Things that wait now.
    pub(super) kept: usize,
    /// Things that there was no room for.
    pub(super) dropped: u64,
}

/// Adds a batch to what waits, as far as there is room. Of two looks the later one counts: it has what is there.
pub(super) fn merge(pending: &mut Batch, more: Batch, room: usize) -> Taken {
    let mut taken = Taken::default();
    // What people decided and what they must know comes first.
    extend(&mut pending.resolved, more.resolved, room, &mut taken);
    extend(&mut pending.findings, more.findings, room, &mut taken);
    extend(&mut pending.gaps, more.gaps, room, &mut taken);
    extend(&mut pending.events, more.events, room, &mut taken);
    extend(&mut pending.touches, more.touches, room, &mut taken);
    extend(&mut pending.sessions, more.sessions, room, &mut taken);
    extend(&mut pending.streams, more.streams, room, &mut taken);
    extend(&mut pending.flows, more.flows, room, &mut taken);
    if let Some(look) = more.look {
        taken.kept += usize::from(pending.look.is_none());
        pending.look = Some(look);
    }
    taken
}

fn extend<T>(pending: &mut Vec<T>, more: Vec<T>, room: usize, taken: &mut Taken) {
    let fits = more.len().min(room.saturating_sub(taken.kept));
    taken.dropped =
        taken.dropped.saturating_add(u64::try_from(more.len().saturating_sub(fits)).unwrap_or(u64::MAX));
    taken.kept += fits;
    pending.extend(more.into_iter().take(fits));
}

#[cfg(test)]
mod tests {
    use model::{Area, Gap, Reason, Timestamp};

    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let gaps = |count: usize| Batch {
            gaps: (0..count)
                .map(|number| {
                    let what = number.to_string();
                    (
                        Timestamp::from_ns(0),
                        Gap { area: Area::Traffic, reason: Reason::Unknown, what, count: None },
                    )
                })
                .collect(),
            ..Batch::default()
        };
        let mut pending = Batch::default();
        assert_eq!(merge(&mut pending, gaps(3), 5), Taken { kept: 3, dropped: 0 });
        assert_eq!(merge(&mut pending, gaps(4), 2), Taken { kept: 2, dropped: 2 });
        assert_eq!(merge(&mut pending, gaps(1), 0), Taken { kept: 0, dropped: 1 });
        assert_eq!(pending.gaps.len(), 5);
    }
}
