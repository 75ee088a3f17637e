//! The state of the screen: which tab, which row, sorted and filtered how; what keys do to it. It knows no clock.

use engine::board::Current;
use model::{Timestamp, Utc};

use super::details;
use super::filter::Filter;
use super::findings::Findings;
use super::flows::Flows;
use super::holders::Holders;
use super::ink::{self, Ink, Pieces};
use super::input::Input;
use super::known::{Feed, Known};
use super::ports::Ports;
use super::rates::Rates;
use super::sheet::{Empty, Sheet, Thing};
use super::streams::Streams;
use crate::args::SelectArgs;

/// How the screen is to be.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// Colours or none.
    pub(crate) ink: Ink,
    /// Which sockets are shown at all.
    pub(crate) select: SelectArgs,
    /// The filter to begin with.
    pub(crate) filter: String,
    /// What to say for as long as nothing else is said: what cannot be seen, and why.
    pub(crate) notice: String,
}

/// What a key asks of who runs the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing more than to be drawn.
    On,
    /// The end.
    Quit,
    /// To stop until somebody wants us again.
    Suspend,
    /// To draw everything anew.
    Redraw,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Ports,
    Holders,
    Flows,
    Findings,
    Streams,
}

impl Tab {
    pub(super) const ALL: [Tab; 5] = [Tab::Ports, Tab::Holders, Tab::Flows, Tab::Findings, Tab::Streams];

    pub(super) fn name(self) -> &'static str {
        match self {
            Tab::Ports => "Ports",
            Tab::Holders => "Holders",
            Tab::Flows => "Flows",
            Tab::Findings => "Findings",
            Tab::Streams => "Streams",
        }
    }

    fn beside(self, by: usize) -> Tab {
        let at = Tab::ALL.iter().position(|tab| *tab == self).unwrap_or_default();
        Tab::ALL.into_iter().cycle().nth(at + by).unwrap_or(self)
    }

    /// Whether its rows are those of a machine, for which filters are those of `list`.
    fn is_of_machine(self) -> bool {
        matches!(self, Tab::Ports | Tab::Holders)
    }
}

/// Where one stands in a tab, and how it is sorted and filtered.
#[derive(Debug, Clone, Default)]
pub(super) struct Stand {
    pub(super) cursor: usize,
    /// The first row that is shown.
    pub(super) top: usize,
    /// What the cursor is at, so that it stays there when rows move.
    id: Option<u64>,
    pub(super) sort: Option<usize>,
    pub(super) reverse: bool,
    pub(super) text: String,
    filter: Filter,
    /// The widest that each column was, so that columns do not jump.
    pub(super) widths: Vec<usize>,
}

/// A pane with everything about one thing.
pub(super) struct Pane {
    pub(super) thing: Thing,
    pub(super) scroll: usize,
    pub(super) lines: Vec<Pieces>,
    /// For how many columns the lines were made.
    width: usize,
}

/// The whole of the screen.
pub(crate) struct App {
    pub(super) manner: Manner,
    latest: Known,
    frozen: Option<Box<Known>>,
    pub(super) tab: Tab,
    stands: [Stand; 5],
    pub(super) sheet: Box<dyn Sheet>,
    /// Rows of the sheet that are shown, in order.
    pub(super) order: Vec<usize>,
    /// What is shown is not what is known.
    stale: bool,
    pub(super) pane: Option<Pane>,
    pub(super) help: Option<usize>,
    /// The filter that is being typed, and the one before.
    pub(super) prompt: Option<(String, String)>,
    pub(super) complaint: Option<String>,
    /// Rows that the last screen had room for.
    pub(super) room: usize,
    /// Columns that the last screen showed.
    pub(super) shown: Vec<usize>,
}

impl App {
    /// A screen of what is known now.
    pub(crate) fn new(manner: Manner, current: Current, now: Timestamp<Utc>) -> App {
        let mut app = App {
            latest: Known::new(current, now),
            frozen: None,
            tab: Tab::Ports,
            stands: Default::default(),
            sheet: Box::new(Empty),
            order: Vec::new(),
            stale: true,
            pane: None,
            help: None,
            prompt: None,
            complaint: None,
            room: 10,
            shown: Vec::new(),
            manner,
        };
        let text = app.manner.filter.clone();
        for tab in Tab::ALL {
            app.tab = tab;
            // A filter of sockets means nothing to what has no column for it.
            let text = if tab.is_of_machine() { text.as_str() } else { "" };
            if let Ok(filter) = app.parse(text) {
                let stand = app.stand_mut();
                (stand.filter, stand.text) = (filter, text.to_owned());
            }
        }
        app.tab = Tab::Ports;
        app
    }

    /// Takes over what came.
    pub(crate) fn feed(&mut self, feed: Feed) {
        self.latest.take(feed);
        self.stale |= self.frozen.is_none();
    }

    /// Takes over the time; says whether something else is to be shown now.
    pub(crate) fn tick(&mut self, now: Timestamp<Utc>) -> bool {
        let second = |time: Timestamp<Utc>| time.as_ns().div_euclid(1_000_000_000);
        let other = second(self.latest.now) != second(now);
        self.latest.now = now;
        if let Some(next) = self.latest.rates.next(self.latest.current.traffic.as_deref(), now) {
            let still = self.latest.rates.is_still() && Rates::is_still(&next);
            self.latest.rates = std::sync::Arc::new(next);
            self.stale |= self.frozen.is_none() && !still;
        }
        // What is new for a minute grows old without anything else.
        self.stale |= self.frozen.is_none() && self.tab == Tab::Findings && other;
        other
    }

    /// What is shown.
    pub(super) fn known(&self) -> &Known {
        self.frozen.as_deref().unwrap_or(&self.latest)
    }

    /// The time of it all, and the time at which it was frozen.
    pub(super) fn times(&self) -> (Timestamp<Utc>, Option<Timestamp<Utc>>) {
        (self.latest.now, self.frozen.as_ref().map(|known| known.now))
    }

    pub(super) fn stand(&self) -> &Stand {
        let [ports, holders, flows, findings, streams] = &self.stands;
        match self.tab {
            Tab::Ports => ports,
            Tab::Holders => holders,
            Tab::Flows => flows,
            Tab::Findings => findings,
            Tab::Streams => streams,
        }
    }

    pub(super) fn stand_mut(&mut self) -> &mut Stand {
        let [ports, holders, flows, findings, streams] = &mut self.stands;
        match self.tab {
            Tab::Ports => ports,
            Tab::Holders => holders,
            Tab::Flows => flows,
            Tab::Findings => findings,
            Tab::Streams => streams,
        }
    }

    fn make(&self, filter: &Filter) -> Box<dyn Sheet> {
        let known = self.known();
        match self.tab {
            Tab::Ports => Box::new(Ports::new(known, filter)),
            Tab::Holders => Box::new(Holders::new(known, filter)),
            Tab::Flows => Box::new(Flows::new(known)),
            Tab::Findings => Box::new(Findings::new(known)),
            Tab::Streams => Box::new(Streams::new(known)),
        }
    }

    fn parse(&self, text: &str) -> Result<Filter, String> {
        if self.tab.is_of_machine() {
            return Filter::of_machine(&self.manner.select, text);
        }
        let sheet = self.make(&Filter::default());
        let titles: Vec<&str> = sheet.fields().iter().map(|field| field.column.title).collect();
        Filter::of_columns(text, &titles)
    }

    /// Makes the rows anew where something else is known, and finds the row again that the cursor was at.
    pub(super) fn refresh(&mut self) {
        if !self.stale {
            return;
        }
        self.stale = false;
        let filter = self.stand().filter.clone();
        let sheet = self.make(&filter);
        let mut order: Vec<usize> =
            (0..sheet.len()).filter(|row| filter.matches(sheet.as_ref(), *row)).collect();
        let (sort, reverse) = (self.stand().sort, self.stand().reverse);
        let most_first = sort.and_then(|at| sheet.fields().get(at)).is_some_and(|field| field.most_first);
        if let Some(column) = sort {
            let keys = |row: &usize| sheet.key(*row, column);
            if most_first {
                order.sort_by_cached_key(|row| std::cmp::Reverse(keys(row)));
            } else {
                order.sort_by_cached_key(keys);
            }
        }
        if reverse {
            order.reverse();
        }
        let wanted = self.stand().id;
        let cursor = self.stand().cursor;
        // At the top one stays at the top; elsewhere one stays with the row.
        let still = wanted.filter(|_| cursor > 0);
        let same = still.filter(|id| order.get(cursor).is_none_or(|row| sheet.id(*row) != *id));
        let found = same.and_then(|id| order.iter().position(|row| sheet.id(*row) == id));
        let stand = self.stand_mut();
        stand.cursor = found.unwrap_or(cursor);
        (self.sheet, self.order) = (sheet, order);
        self.settle();
        if let Some(pane) = &mut self.pane {
            pane.width = 0;
        }
    }

    /// Keeps the cursor on a row, and the row on the screen.
    pub(super) fn settle(&mut self) {
        let (count, room) = (self.order.len(), self.room.max(1));
        let stand = self.stand_mut();
        stand.cursor = stand.cursor.min(count.saturating_sub(1));
        stand.top = stand.top.min(stand.cursor).max((stand.cursor + 1).saturating_sub(room));
        stand.top = stand.top.min(count.saturating_sub(room));
        let cursor = stand.cursor;
        let id = self.order.get(cursor).map(|row| self.sheet.id(*row));
        self.stand_mut().id = id;
    }

    /// Makes the lines of the pane for so many columns.
    pub(super) fn fill_pane(&mut self, width: usize) {
        let Some(mut pane) = self.pane.take() else { return };
        if pane.width != width {
            let text = details::write(&pane.thing, self.known(), width);
            pane.lines = ink::lines(&text, width);
            // The title stands above already.
            let title = details::title(&pane.thing);
            if pane.lines.first().is_some_and(|line| line.iter().any(|(text, _)| *text == title)) {
                pane.lines.drain(..1);
            }
            pane.width = width;
        }
        pane.scroll = pane.scroll.min(pane.lines.len().saturating_sub(self.room.max(1)));
        self.pane = Some(pane);
    }

    /// How many findings are marked as new.
    pub(super) fn fresh(&self) -> usize {
        let known = self.known();
        known.noted.iter().filter(|noted| known.is_new(noted)).count()
    }

    /// Does what a key asks.
    pub(crate) fn handle(&mut self, input: Input) -> Answer {
        self.refresh();
        match input {
            Input::Interrupt => return Answer::Quit,
            Input::Suspend => return Answer::Suspend,
            Input::Redraw => return Answer::Redraw,
            _ => {}
        }
        if self.prompt.is_some() {
            self.type_filter(input);
            return Answer::On;
        }
        self.complaint = None;
        if let Some(scroll) = &mut self.help {
            match input {
                Input::Up | Input::Char('k') => *scroll = scroll.saturating_sub(1),
                Input::Down | Input::Char('j') => *scroll += 1,
                Input::Char('q') => return Answer::Quit,
                _ => self.help = None,
            }
            return Answer::On;
        }
        match input {
            Input::Char('q') => return Answer::Quit,
            Input::Char('?' | 'h') => self.help = Some(0),
            Input::Char(' ' | 'f') => self.freeze(),
            _ if self.pane.is_some() => self.scroll_pane(input),
            Input::Escape if !self.stand().text.is_empty() => self.set_filter(""),
            Input::Escape => return Answer::Quit,
            Input::Tab => self.turn_to(self.tab.beside(1)),
            Input::BackTab => self.turn_to(self.tab.beside(Tab::ALL.len() - 1)),
            Input::Char(digit @ '1'..='5') => {
                let at = digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or(1);
                if let Some(tab) = Tab::ALL.get(at - 1) {
                    self.turn_to(*tab);
                }
            }
            Input::Char('s') => self.sort(),
            Input::Char('r') => {
                let stand = self.stand_mut();
                stand.reverse = !stand.reverse;
                self.stale = true;
            }
            Input::Char('/') => {
                let text = self.stand().text.clone();
                self.prompt = Some((text.clone(), text));
            }
            Input::Enter | Input::Right => {
                let row = self.order.get(self.stand().cursor);
                let thing = row.and_then(|row| self.sheet.thing(*row));
                self.pane = thing.map(|thing| Pane { thing, scroll: 0, lines: Vec::new(), width: 0 });
            }
            other => {
                let (count, room) = (self.order.len(), self.room);
                let stand = self.stand_mut();
                stand.cursor = moved(other, stand.cursor, count, room);
                self.settle();
            }
        }
        Answer::On
    }

    fn turn_to(&mut self, tab: Tab) {
        self.tab = tab;
        self.stale = true;
        self.shown.clear();
    }

    fn freeze(&mut self) {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => Some(Box::new(self.latest.clone())),
        };
        self.stale = true;
    }

    fn scroll_pane(&mut self, input: Input) {
        let room = self.room;
        let Some(pane) = &mut self.pane else { return };
        match input {
            Input::Escape | Input::Left | Input::Enter | Input::Backspace => self.pane = None,
            other => {
                // The place that moves is the first line that is shown.
                let count = pane.lines.len().saturating_sub(room.max(1)) + 1;
                pane.scroll = moved(other, pane.scroll, count, room);
            }
        }
    }

    fn sort(&mut self) {
        let shown = self.shown.clone();
        let stand = self.stand_mut();
        let next = match stand.sort {
            None => shown.first().copied(),
            Some(at) => shown.iter().find(|column| **column > at).copied(),
        };
        (stand.sort, stand.reverse) = (next, false);
        stand.cursor = 0;
        self.stale = true;
    }

    fn set_filter(&mut self, text: &str) {
        match self.parse(text) {
            Ok(filter) => {
                let stand = self.stand_mut();
                (stand.filter, stand.text) = (filter, text.to_owned());
                stand.widths.clear();
                self.stale = true;
                self.complaint = None;
            }
            Err(error) => self.complaint = Some(error),
        }
    }

    fn type_filter(&mut self, input: Input) {
        /// No filter is longer.
        const MOST: usize = 400;
        let Some((mut text, before)) = self.prompt.take() else { return };
        match input {
            Input::Escape => {
                self.set_filter(&before);
                return;
            }
            Input::Enter => {
                self.set_filter(text.trim());
                // What is wrong can be made right.
                if self.complaint.is_some() {
                    self.prompt = Some((text, before));
                }
                return;
            }
            Input::Char(c) if text.len() < MOST => text.push(c),
            Input::Backspace => _ = text.pop(),
            Input::Erase => text.clear(),
            _ => {}
        }
        // What is only half typed is no fault yet.
        self.set_filter(text.trim());
        self.complaint = None;
        self.prompt = Some((text, before));
    }
}

/// Where a key leads among so many places.
fn moved(input: Input, at: usize, count: usize, room: usize) -> usize {
    let last = count.saturating_sub(1);
    let page = room.max(2) - 1;
    match input {
        Input::Up | Input::Char('k') => at.saturating_sub(1),
        Input::Down | Input::Char('j') => (at + 1).min(last),
        Input::PageUp => at.saturating_sub(page),
        Input::PageDown => (at + page).min(last),
        Input::Home | Input::Char('g') => 0,
        Input::End | Input::Char('G') => last,
        _ => at,
    }
}
