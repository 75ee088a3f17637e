//! What was measured frame by frame and second by second, in JSON: for plots and tables of one's own.

use model::media::Stream;
use serde::Serialize;

use super::facts::Show;
use super::facts::audio::DelayWindow;
use super::facts::shaping::UnitShape;

/// What was measured of a leg frame by frame, or of audio second by second. Only the last ones are kept, so that a stream of
/// days takes no more than one of minutes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Series {
    /// Of which stream, as an index into `streams`.
    stream: usize,
    /// Of which of its legs, as an index; null where it is of the stream as a whole.
    leg: Option<usize>,
    /// The last frames, or fields or segments, of video: oldest first, at most 4,096.
    units: Vec<UnitShape>,
    /// Judged ones before those.
    units_left_out: u64,
    /// The time-stamped delay factors of the last seconds of audio (EBU Tech 3337): oldest first, at most 1,024.
    delay_windows: Vec<DelayWindow>,
    /// Whole seconds before those.
    delay_windows_left_out: u64,
}

impl Series {
    /// Those of a stream that has some.
    pub(super) fn of(stream: usize, about: &Stream) -> Vec<Series> {
        let left_out = |all: u64, kept: usize| all.saturating_sub(u64::try_from(kept).unwrap_or(all));
        let legs = about.legs.iter().enumerate().filter_map(|(leg, about)| {
            let shaping = about.shaping.as_ref().filter(|shaping| !shaping.series.is_empty())?;
            Some(Series {
                stream,
                leg: Some(leg),
                units: shaping.series.show(),
                units_left_out: left_out(shaping.units, shaping.series.len()),
                delay_windows: Vec::new(),
                delay_windows_left_out: 0,
            })
        });
        let audio =
            about.audio.as_ref().filter(|audio| !audio.delay_windows.is_empty()).map(|audio| Series {
                stream,
                leg: None,
                units: Vec::new(),
                units_left_out: 0,
                delay_windows: audio.delay_windows.show(),
                delay_windows_left_out: left_out(
                    audio.delay_factor_1s.map_or(0, |spread| spread.count),
                    audio.delay_windows.len(),
                ),
            });
        legs.chain(audio).collect()
    }
}
