//! Which frames count, and what is known of all of them together.

use std::collections::HashMap;

use model::{Area, Gap, Reason, Timestamp, Traffic, Utc};
use wire::Frame;
use wire::LinkType;
use wire::filter::{Expression, FilterError, Program};

/// What passes into the observers, of a file or of a live interface.
pub(crate) struct Intake {
    filter: FrameFilter,
    /// Frames so far; the number of the last one.
    pub(crate) frames: u64,
    filtered: u64,
    first: Option<Timestamp<Utc>>,
    last: Option<Timestamp<Utc>>,
}

impl Intake {
    pub(crate) fn new(filter: Option<Expression>) -> Intake {
        Intake { filter: FrameFilter::new(filter), frames: 0, filtered: 0, first: None, last: None }
    }

    /// Counts a frame, and says whether it passes.
    #[inline]
    pub(crate) fn admit(&mut self, frame: &Frame<'_>) -> bool {
        self.frames += 1;
        if frame.time.is_some() {
            // Frames of several interfaces need not be in order.
            self.first = self.first.min(frame.time).or(frame.time);
            self.last = self.last.max(frame.time);
        }
        let passes = self.filter.passes(frame);
        self.filtered += u64::from(!passes);
        passes
    }

    /// Adds what is known of all frames.
    pub(crate) fn sum_up(&self, traffic: &mut Traffic) {
        traffic.volume.filtered += self.filtered;
        traffic.first = traffic.first.min(self.first).or(traffic.first).or(self.first);
        traffic.last = traffic.last.max(self.last);
        if let Some(error) = &self.filter.refused {
            traffic.gaps.push(Gap {
                area: Area::Capture,
                reason: Reason::NotSupported,
                what: format!("frames that the filter cannot judge: {error}"),
                count: None,
            });
        }
    }
}

/// The frames that count: one program per link type, made when the first frame of it comes.
pub(crate) struct FrameFilter {
    expression: Option<Expression>,
    programs: HashMap<LinkType, Option<Program>>,
    /// The link type of the frame before, and its program: captures seldom mix them.
    last: Option<(LinkType, Option<Program>)>,
    /// Why the expression says nothing of some link type.
    refused: Option<FilterError>,
}

impl FrameFilter {
    /// From an expression; every frame counts where there is none.
    pub(crate) fn new(expression: Option<Expression>) -> FrameFilter {
        FrameFilter { expression, programs: HashMap::new(), last: None, refused: None }
    }

    /// Whether a frame counts.
    #[inline]
    pub(crate) fn passes(&mut self, frame: &Frame<'_>) -> bool {
        self.expression.is_none() || self.fits(frame)
    }

    fn fits(&mut self, frame: &Frame<'_>) -> bool {
        let Some(expression) = &self.expression else { return true };
        if self.last.as_ref().is_none_or(|(link, _)| *link != frame.link) {
            let refused = &mut self.refused;
            let program = self.programs.entry(frame.link).or_insert_with(|| {
                wire::filter::compile(expression, frame.link).map_err(|error| *refused = Some(error)).ok()
            });
            self.last = Some((frame.link, program.clone()));
        }
        match &self.last {
            Some((_, Some(program))) => program.matches(frame.bytes, frame.wire_bytes),
            _ => false,
        }
    }
}
