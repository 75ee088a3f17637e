//! The tab of streams: RTP media as it comes, one row per leg, and sessions of which nothing came.

use std::sync::Arc;

use engine::TrafficView;
use model::Subject;
use model::media::{Stream, StreamLeg};

use super::known::Known;
use super::sheet::{Field, Key, Sheet, Thing, by_number, by_words, identity, number, words};
use crate::sanitise;
use crate::style::Paint;
use crate::text;
use crate::text::table::Cell;

const FIELDS: [Field; 12] = [
    words("SESSION", 10, 100),
    words("TO", 12, 255),
    words("FROM", 9, 30),
    words("WHAT", 12, 90),
    number("RATE", 9, 85),
    number("PACKETS", 7, 20),
    number("LOST", 4, 95),
    words("TYPE", 4, 50),
    words("VRX", 5, 55),
    words("CINST", 5, 52),
    words("RTP OFFSET", 8, 45),
    words("VERDICT", 7, 250),
];
const VERDICT: usize = 11;

/// Streams by leg, and silent sessions.
pub(super) struct Streams {
    traffic: Option<Arc<TrafficView>>,
    lines: Vec<Line>,
}

#[derive(Clone, Copy)]
enum Line {
    /// A stream and one of its legs.
    Leg(usize, usize),
    /// A session without a stream.
    Session(usize),
}

impl Streams {
    pub(super) fn new(known: &Known) -> Streams {
        let traffic = known.current.traffic.clone();
        let mut lines = Vec::new();
        if let Some(view) = &traffic {
            let media = &view.traffic.media;
            for (index, stream) in media.streams.iter().enumerate() {
                lines.extend((0..stream.legs.len()).map(|leg| Line::Leg(index, leg)));
            }
            let came = |index| media.streams.iter().any(|it| it.session == Some(index));
            lines.extend((0..media.sessions.len()).filter(|index| !came(*index)).map(Line::Session));
        }
        Streams { traffic, lines }
    }

    fn leg(&self, line: Line) -> Option<(usize, &Stream, usize, &StreamLeg)> {
        let Line::Leg(index, at) = line else { return None };
        let stream = self.traffic.as_ref()?.traffic.media.streams.get(index)?;
        Some((index, stream, at, stream.legs.get(at)?))
    }

    fn verdict(&self, subject: &Subject) -> Cell {
        let Some(view) = &self.traffic else { return Cell::plain("") };
        let verdict = text::verdict_of(view, subject);
        Cell::painted(verdict.name(), Paint::of(verdict))
    }

    fn of_session(&self, index: usize, column: usize) -> Cell {
        let media = self.traffic.as_ref().map(|view| &view.traffic.media);
        let Some(session) = media.and_then(|media| media.sessions.get(index)) else {
            return Cell::plain("");
        };
        match column {
            0 => Cell::plain(sanitise::line(&session.name)),
            1 => Cell::plain(session.legs.first().map(|leg| leg.destination.to_string()).unwrap_or_default()),
            2 => Cell::painted("nothing came", Paint::Dim),
            3 => {
                let what = session.formats.first().map(|it| it.essence.to_string()).unwrap_or_default();
                Cell::plain(sanitise::line(&what))
            }
            VERDICT => self.verdict(&Subject::Session(index)),
            _ => Cell::plain(""),
        }
    }
}

/// The fullest buffer beside what the type allows: `7/8`.
fn against(most: i64, limit: Option<u64>) -> Cell {
    let over = limit.is_some_and(|limit| i128::from(most) > i128::from(limit));
    let limit = limit.map(|limit| format!("/{limit}")).unwrap_or_default();
    Cell::painted(format!("{most}{limit}"), if over { Paint::Red } else { Paint::Plain })
}

impl Sheet for Streams {
    fn fields(&self) -> &'static [Field] {
        &FIELDS
    }

    fn len(&self) -> usize {
        self.lines.len()
    }

    fn id(&self, row: usize) -> u64 {
        let Some(line) = self.lines.get(row) else { return 0 };
        match (self.leg(*line), line) {
            (Some((_, stream, at, leg)), _) => identity((stream.ssrc, leg.destination, leg.source, at)),
            (None, line) => match line {
                Line::Session(index) => identity(("session", index)),
                Line::Leg(..) => 0,
            },
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let Some(line) = self.lines.get(row) else { return Cell::plain("") };
        if let Line::Session(index) = line {
            return self.of_session(*index, column);
        }
        let Some((index, stream, at, leg)) = self.leg(*line) else { return Cell::plain("") };
        let shaping = leg.shaping.as_ref();
        // The type that it declares, else the strictest that it keeps.
        let kept = shaping.and_then(|it| {
            let wanted = it.declared.or(it.satisfied);
            it.types.iter().find(|of| Some(of.sender_type) == wanted)
        });
        match column {
            0 => {
                let sessions = self.traffic.as_ref().map(|view| view.traffic.media.sessions.as_slice());
                let name = text::session_name(sessions.unwrap_or_default(), stream.session);
                Cell::painted(name, if stream.session.is_none() { Paint::Dim } else { Paint::Bold })
            }
            1 => Cell::plain(leg.destination.to_string()),
            2 => Cell::plain(leg.source.to_string()),
            3 if at > 0 => Cell::painted("second leg", Paint::Dim),
            3 => Cell::plain(text::what(stream)),
            4 => Cell::plain(text::rate(leg.reception.rate_bps)),
            5 => Cell::plain(leg.reception.packets.to_string()),
            6 => {
                let lost = leg.reception.lost;
                Cell::painted(lost.to_string(), if lost > 0 { Paint::Yellow } else { Paint::Plain })
            }
            7 => Cell::plain(shaping.map_or("", |it| {
                it.satisfied.map_or(if it.units > 0 { "none" } else { "" }, |it| it.token())
            })),
            8 => match shaping {
                Some(it) if !it.gapped_buffer.is_empty() => {
                    against(it.gapped_buffer.greatest, kept.and_then(|kept| kept.buffer_limit))
                }
                Some(it) if !it.linear_buffer.is_empty() => {
                    against(it.linear_buffer.greatest, kept.and_then(|kept| kept.buffer_limit))
                }
                _ => Cell::plain(""),
            },
            9 => match shaping.filter(|it| !it.burst.is_empty()) {
                Some(it) => against(it.burst.greatest, kept.and_then(|kept| kept.burst_limit)),
                None => Cell::plain(""),
            },
            10 => {
                let ticks = shaping.and_then(|it| it.rtp_offset_ticks.mean());
                Cell::plain(ticks.map(|ticks| format!("{ticks} ticks")).unwrap_or_default())
            }
            _ if at > 0 => Cell::plain(""),
            _ => self.verdict(&Subject::Stream(index)),
        }
    }

    fn key(&self, row: usize, column: usize) -> Key {
        let Some(line) = self.lines.get(row) else { return Key::Nothing };
        match (column, self.leg(*line)) {
            (4, Some((_, _, _, leg))) => by_number(leg.reception.rate_bps),
            (5, Some((_, _, _, leg))) => by_number(leg.reception.packets),
            (6, Some((_, _, _, leg))) => by_number(leg.reception.lost),
            (column, _) => by_words(self.cell(row, column)),
        }
    }

    fn thing(&self, row: usize) -> Option<Thing> {
        let line = self.lines.get(row)?;
        match line {
            Line::Leg(..) => {
                let (_, stream, _, _) = self.leg(*line)?;
                Some(Thing::Stream(stream.ssrc, stream.legs.first()?.destination))
            }
            Line::Session(index) => {
                let session = self.traffic.as_ref()?.traffic.media.sessions.get(*index)?;
                Some(Thing::Session(session.identity.clone()))
            }
        }
    }

    fn nothing(&self) -> &'static str {
        "No media was seen, and no session was agreed."
    }
}
