//! Frames that another leg may still make whole: as long and as many as receivers of ST 2022-7 wait for (ST 2022-7:2019 §7).

use super::pgroup::{Pgroup, rows_of_field};
use super::unit::{Key, Unit};
use model::media::VideoFormat;

/// Legs may be so far apart: 450 ms, the most of class C, in ticks of the clock of video.
const APART_TICKS: u64 = 40_500;

/// Frames or fields that wait at a time, and what all of them may hold, in pixel groups: 32 MiB of bits.
const MOST_UNITS: usize = 64;
const MOST_GROUPS: usize = 256 << 20;

/// Frames that wait, the one that was begun first in front. Only those wait that are not whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    units: Vec<Unit>,
    /// None wait while there is one leg.
    most: usize,
    /// How much older than the newest one may be, in ticks.
    ticks: u32,
    /// Memory of the last that left.
    spare: Option<Unit>,
}

impl Waiting {
    /// As many as legs of this format need.
    pub(super) fn for_legs(format: &VideoFormat) -> Waiting {
        let groups = Pgroup::of_format(format).map_or(0, |pgroup| {
            pgroup.per_row(format.width) * rows_of_field(format, 0).div_ceil(pgroup.down)
        });
        let (above, below) = (format.frame_rate.numerator(), format.frame_rate.denominator());
        // The newest has just begun, and of the one that waits the last packet counts.
        let frame = 90_000 * u64::from(below) / u64::from(above);
        let ticks = u32::try_from(APART_TICKS + 2 * frame).unwrap_or(u32::MAX / 2).min(u32::MAX / 2);
        let most = MOST_GROUPS.checked_div(groups).unwrap_or(MOST_UNITS).clamp(1, MOST_UNITS);
        Waiting { most, ticks, ..Waiting::default() }
    }

    /// Whether any may wait.
    pub(super) fn is_open(&self) -> bool {
        self.most > 0
    }

    /// Whether a timestamp is so little older than the newest that legs may be the reason.
    pub(super) fn reaches(&self, timestamp: u32, newest: u32) -> bool {
        self.is_open() && newest.wrapping_sub(timestamp) <= self.ticks
    }

    /// The place of one.
    pub(super) fn find(&self, key: Key) -> Option<usize> {
        self.units.iter().position(|unit| unit.key == key)
    }

    /// The one at a place.
    pub(super) fn place(&mut self, at: usize) -> Option<&mut Unit> {
        self.units.get_mut(at)
    }

    /// All of them.
    pub(super) fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter()
    }

    /// One more waits; gives the one that has to leave for it.
    pub(super) fn add(&mut self, unit: Unit) -> Option<Unit> {
        self.units.push(unit);
        (self.units.len() > self.most).then(|| self.units.remove(0))
    }

    /// Takes one that is whole out.
    pub(super) fn take_whole(&mut self, at: usize) -> Option<Unit> {
        self.units.get(at).is_some_and(Unit::is_whole).then(|| self.units.remove(at))
    }

    /// Takes one out that no leg will add to any more.
    pub(super) fn take_old(&mut self, newest: u32) -> Option<Unit> {
        let at = self.units.iter().position(|unit| !self.reaches(unit.key.timestamp, newest))?;
        Some(self.units.remove(at))
    }

    /// Keeps the memory of one that left.
    pub(super) fn keep(&mut self, left: Unit) {
        self.spare = Some(left);
    }

    /// Memory of one that left.
    pub(super) fn spare(&mut self) -> Option<Unit> {
        self.spare.take()
    }
}
