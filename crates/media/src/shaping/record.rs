//! What is kept of judged units: counts, verdicts by type, and series of bounded length.

use std::collections::VecDeque;

use model::media::shaping::{SecondShape, ShapingFacts, TypeFacts, UnitShape};
use model::media::{Histogram, Occurrence, SenderType, StreamRule};

use super::buffer::Filling;
use super::{
    BUFFER_OVERFLOW, BUFFER_UNDERFLOW, BURST, BURST_DECLARED, NO_GAP, Payload, ReadModel, ShapingPlan,
    WIDE_TOO_FAST,
};

/// Units and seconds that the series keep.
const MOST_UNITS: usize = 4096;
const MOST_SECONDS: usize = 1024;

/// What a unit did to the models.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) burst: u32,
    pub(super) gapped: Option<Filling>,
    pub(super) linear: Option<Filling>,
}

/// A measured number and its limit, made into text only where it is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    measured: i64,
    limit: Option<u64>,
}

impl Detail {
    pub(super) fn text(self) -> String {
        match self.limit {
            Some(limit) => format!("{} of at most {limit}", self.measured),
            None => String::new(),
        }
    }
}

/// Broken rules of one unit.
pub(super) type Broken = [Option<(&'static StreamRule, Detail)>; 4];

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) facts: ShapingFacts,
    pub(super) burst_histogram: Histogram,
    pub(super) buffer_histogram: Histogram,
    types: [TypeFacts; 3],
    units: VecDeque<UnitShape>,
    seconds: VecDeque<SecondShape>,
    linear_counts: bool,
}

impl Record {
    pub(super) fn new(plan: &ShapingPlan, model: &ReadModel) -> Record {
        let facts = ShapingFacts {
            profile: plan.profile,
            basis: plan.clock.basis(),
            declared: plan.sender_type,
            read_offset_ns: model.read_offset_ns(),
            read_offset_declared: model.offset_declared(),
            gapped: model.gapped(),
            declared_burst: plan.burst_packets.map(|limit| (limit, 0)),
            ..ShapingFacts::default()
        };
        let empty = |sender_type| TypeFacts {
            sender_type,
            burst_limit: None,
            buffer_limit: None,
            kept: 0,
            bursts: 0,
            overflows: 0,
            underflows: 0,
            first_violation: None,
        };
        let linear_counts =
            !model.gapped() || matches!(plan.sender_type, Some(SenderType::NarrowLinear | SenderType::Wide));
        // Wide buffers are three orders larger than narrow ones.
        let width = if plan.sender_type == Some(SenderType::Wide) { 16 } else { 1 };
        Record {
            facts,
            burst_histogram: Histogram::new(0, 1, 256),
            buffer_histogram: Histogram::new(-64, width, 1024),
            types: [SenderType::Narrow, SenderType::NarrowLinear, SenderType::Wide].map(empty),
            units: VecDeque::new(),
            seconds: VecDeque::new(),
            linear_counts,
        }
    }

    /// Whether the series and the histogram of the buffer are those of the linear schedule.
    pub(super) fn counts_linear(&self) -> bool {
        self.linear_counts
    }

    /// Adds a judged unit; gives the rules that it broke.
    pub(super) fn add(
        &mut self,
        model: &ReadModel,
        plan: &ShapingPlan,
        frame_packets: u64,
        shape: UnitShape,
        held: Held,
        first: Occurrence,
    ) -> Broken {
        self.facts.units += 1;
        let mut broken: Broken = [None; 4];
        for facts in &mut self.types {
            let found = judge(facts, model, plan, frame_packets, held);
            if found.iter().any(Option::is_some) {
                facts.first_violation.get_or_insert(first);
            } else {
                facts.kept += 1;
            }
            if plan.sender_type == Some(facts.sender_type) {
                broken = found;
            }
        }
        if let Some((limit, exceeded)) = &mut self.facts.declared_burst
            && held.burst > *limit
        {
            *exceeded += 1;
            let detail = Detail { measured: held.burst.into(), limit: Some((*limit).into()) };
            broken = broken.map(|it| it.filter(|(rule, _)| !core::ptr::eq(*rule, &BURST_DECLARED)));
            if let Some(free) = broken.iter_mut().find(|it| it.is_none()) {
                *free = Some((&BURST_DECLARED, detail));
            }
        }
        self.remember(shape);
        broken
    }

    fn remember(&mut self, shape: UnitShape) {
        if self.units.len() == MOST_UNITS {
            self.units.pop_front();
        }
        self.units.push_back(shape);
        let second = shape.at_ns.div_euclid(1_000_000_000);
        if self.seconds.back().is_none_or(|last| last.second != second) {
            if self.seconds.len() == MOST_SECONDS {
                self.seconds.pop_front();
            }
            self.seconds.push_back(SecondShape { second, ..SecondShape::default() });
        }
        if let Some(last) = self.seconds.back_mut() {
            last.burst.add(shape.burst_most.into());
            if let Some((least, most)) = if self.linear_counts { shape.linear } else { shape.gapped } {
                last.buffer_least.add(least.into());
                last.buffer_most.add(most.into());
            }
            last.gap_ns.add(shape.gap_ns);
            shape.first_packet_ns.into_iter().for_each(|it| last.first_packet_ns.add(it));
            shape.latency_ns.into_iter().for_each(|it| last.latency_ns.add(it));
        }
    }

    pub(super) fn into_facts(self) -> ShapingFacts {
        let mut facts = self.facts;
        let units = facts.units;
        facts.satisfied = self.types.iter().find(|it| units > 0 && it.kept == units).map(|it| it.sender_type);
        facts.types = self.types.into();
        facts.series = self.units.into();
        facts.seconds = self.seconds.into();
        facts.burst_histogram = Some(self.burst_histogram);
        facts.buffer_histogram = Some(self.buffer_histogram);
        facts
    }
}

/// Holds a unit to one type.
fn judge(
    facts: &mut TypeFacts,
    model: &ReadModel,
    plan: &ShapingPlan,
    frame_packets: u64,
    held: Held,
) -> Broken {
    let mut broken: Broken = [None; 4];
    let [gap, burst, overflow, underflow] = &mut broken;
    let narrow = facts.sender_type == SenderType::Narrow;
    let receiver = plan.payload == Payload::Raw;
    // Compressed video is never read with a gap (ST 2110-22:2022 §7), so only the linear limits apply to it.
    let burst_type = if narrow && !receiver { SenderType::NarrowLinear } else { facts.sender_type };
    facts.burst_limit = model.burst_limit(burst_type, frame_packets);
    match facts.burst_limit {
        Some(limit) if u64::from(held.burst) > limit => {
            facts.bursts += 1;
            *burst = Some((&BURST, Detail { measured: held.burst.into(), limit: Some(limit) }));
        }
        Some(_) => {}
        None => *gap = Some((&WIDE_TOO_FAST, Detail { measured: 0, limit: None })),
    }
    if !receiver {
        return broken;
    }
    let limit = model.buffer_limit(facts.sender_type, frame_packets);
    facts.buffer_limit = Some(limit);
    let Some(filling) = (if narrow { held.gapped } else { held.linear }) else {
        *gap = Some((&NO_GAP, Detail { measured: 0, limit: None }));
        return broken;
    };
    if i64::from(filling.most) > i64::try_from(limit).unwrap_or(i64::MAX) {
        facts.overflows += 1;
        *overflow = Some((&BUFFER_OVERFLOW, Detail { measured: filling.most.into(), limit: Some(limit) }));
    }
    if filling.late {
        facts.underflows += 1;
        *underflow = Some((&BUFFER_UNDERFLOW, Detail { measured: filling.least.into(), limit: None }));
    }
    broken
}
