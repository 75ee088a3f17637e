//! What every tab is: columns, and rows whose cells are written only when they are shown.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use engine::OwnedFlow;
use model::{Code, Transport};

use crate::text::table::{Cell, Column};

/// A column, and which end of it people look for first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) column: Column,
    /// The most stands first when it is sorted by.
    pub(super) most_first: bool,
}

/// Words and small numbers: the least first.
pub(super) const fn words(title: &'static str, least: usize, rank: u8) -> Field {
    Field { column: Column { title, right: false, least, rank }, most_first: false }
}

/// Numbers: the most first.
pub(super) const fn number(title: &'static str, least: usize, rank: u8) -> Field {
    Field { column: Column { title, right: true, least, rank }, most_first: true }
}

/// What rows are sorted by. What is not known comes first, so that it is last where the most is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Nothing,
    Number(i128),
    Words(String),
}

/// A thing whose details can be shown, by what stays the same when it is looked at again.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Thing {
    /// A port, used or not.
    Port(u16, Transport),
    /// A door without a port, by the identity of its row.
    Door(u64),
    Process(u32),
    Service(SocketAddr, Transport, &'static str),
    Flow(Arc<OwnedFlow>),
    Finding(Code, String),
    Stream(u32, SocketAddr),
    Session(String),
}

/// The rows of one tab.
pub(super) trait Sheet {
    fn fields(&self) -> &'static [Field];
    fn len(&self) -> usize;
    /// What stays the same when the row is seen again.
    fn id(&self, row: usize) -> u64;
    /// The cell, sanitised.
    fn cell(&self, row: usize, column: usize) -> Cell;
    fn key(&self, row: usize, column: usize) -> Key;
    fn thing(&self, row: usize) -> Option<Thing>;
    /// What to say where there is no row.
    fn nothing(&self) -> &'static str;
}

/// A sheet without rows.
pub(super) struct Empty;

impl Sheet for Empty {
    fn fields(&self) -> &'static [Field] {
        &[]
    }
    fn len(&self) -> usize {
        0
    }
    fn id(&self, _: usize) -> u64 {
        0
    }
    fn cell(&self, _: usize, _: usize) -> Cell {
        Cell::plain("")
    }
    fn key(&self, _: usize, _: usize) -> Key {
        Key::Nothing
    }
    fn thing(&self, _: usize) -> Option<Thing> {
        None
    }
    fn nothing(&self) -> &'static str {
        ""
    }
}

/// A number for something that stays the same.
pub(super) fn identity(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Sorts by what a cell says, where nothing better is known.
pub(super) fn by_words(cell: Cell) -> Key {
    if cell.text.is_empty() { Key::Nothing } else { Key::Words(cell.text.to_lowercase()) }
}

/// Sorts by a number.
pub(super) fn by_number(number: impl Into<i128>) -> Key {
    Key::Number(number.into())
}
