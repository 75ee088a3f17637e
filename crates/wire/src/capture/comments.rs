//! What people wrote into a pcapng beside its packets (draft-ietf-opsawg-pcapng §3.5).

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

/// The option that holds one; a block may have several.
pub(super) const OPT_COMMENT: u16 = 1;

/// More comments than this are counted only.
pub const MOST_COMMENTS: usize = 256;
/// More of a comment than this is not kept.
pub const MOST_COMMENT_BYTES: usize = 1024;

/// What a comment is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file, or a section of it.
    Section,
    /// An interface, by its number in the file.
    Interface(u32),
    /// A frame, counted from 1.
    Frame(u64),
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// What it is about.
    pub place: Place,
    /// What it says, in the words of whoever wrote it.
    pub text: Box<str>,
}

/// The comments of a capture, as far as they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comments {
    kept: Vec<Comment>,
    left_out: u64,
}

impl Comments {
    pub(super) const fn new() -> Comments {
        Comments { kept: Vec::new(), left_out: 0 }
    }

    #[cold]
    pub(super) fn note(&mut self, place: Place, bytes: &[u8]) {
        if self.kept.len() >= MOST_COMMENTS {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let part = bytes.get(..MOST_COMMENT_BYTES).unwrap_or(bytes);
        let mut text = String::from_utf8_lossy(part).trim_end_matches('\0').to_string();
        if part.len() < bytes.len() {
            // The end may have fallen into a character.
            text.truncate(text.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
            text.push('…');
        }
        self.kept.push(Comment { place, text: text.into() });
    }

    /// Those that are kept, in order.
    pub fn kept(&self) -> &[Comment] {
        &self.kept
    }

    /// How many more there were.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}
