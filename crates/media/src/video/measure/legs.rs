//! Frames of which one leg lost a part that another brings later (ST 2022-7:2019 §7).

use super::{Key, Measure, Spot};
use crate::Packet;
use crate::video::coverage::Coverage;
use crate::video::pgroup::rows_of_field;
use crate::video::unit::Unit;
use crate::video::waiting::Waiting;

impl Measure {
    /// From now on frames wait for what another leg may bring.
    pub fn expect_legs(&mut self) {
        if !self.waiting.is_open() {
            self.waiting = Waiting::for_legs(&self.format);
        }
    }

    /// Whether a packet fills what the leg that is ahead lost: numbers wrap between them, timestamps do not.
    pub(super) fn is_of_other_leg(&self, packet: &Packet<'_>, ahead: u16) -> bool {
        let (timestamp, newest) = (packet.rtp.timestamp, self.last_key.map_or(0, |key| key.timestamp));
        ahead != 1 && self.waiting.reaches(timestamp, newest) && (timestamp != newest || ahead >= 0x8000)
    }

    /// Begins a frame that the leg which is ahead lost whole.
    #[cold]
    pub(super) fn begin_behind(&mut self, key: Key, packet: &Packet<'_>) -> Option<Spot> {
        let newest = self.last_key.map_or(0, |key| key.timestamp);
        if !self.waiting.reaches(key.timestamp, newest) {
            return None;
        }
        let is_same = |unit: &Unit| !unit.is_empty() && unit.key.timestamp == key.timestamp;
        let of_segment = is_same(&self.current)
            || is_same(&self.previous)
            || self.waiting.units().any(is_same)
            || self.closed.iter().flatten().any(|closed| closed.timestamp == key.timestamp);
        // It was counted as one that never came.
        self.facts.skipped = self.facts.skipped.saturating_sub(u64::from(!of_segment));
        let mut unit = self.room();
        self.restart(&mut unit, key, packet);
        if let Some(left) = self.waiting.add(unit) {
            self.close(&left);
            self.waiting.keep(left);
        }
        self.waiting.find(key).map(Spot::Waiting)
    }

    /// Memory for one more frame.
    pub(super) fn room(&mut self) -> Unit {
        self.waiting.spare().unwrap_or_else(|| {
            let rows = rows_of_field(&self.format, 0).div_ceil(self.pgroup.map_or(1, |pgroup| pgroup.down));
            Unit::new(self.pgroup.and_then(|_| Coverage::new(self.groups_of_row, rows)))
        })
    }

    pub(super) fn restart(&self, unit: &mut Unit, key: Key, packet: &Packet<'_>) {
        let down = self.pgroup.map_or(1, |pgroup| pgroup.down);
        let rows = rows_of_field(&self.format, usize::from(key.second)).div_ceil(down);
        unit.restart(key, packet.occurrence(), rows);
    }

    /// Closes a frame, or lets it wait for what another leg may bring; gives memory for the next.
    pub(super) fn retire(&mut self, unit: Unit) -> Unit {
        if !self.waiting.is_open() || unit.is_whole() || unit.is_empty() || unit.outside.0 > 0 {
            self.close(&unit);
            return unit;
        }
        match self.waiting.add(unit) {
            Some(left) => {
                self.close(&left);
                left
            }
            None => self.room(),
        }
    }
}
