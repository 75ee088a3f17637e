//! What is left of a frame at some layer: the bytes captured, where they stand, and how many there were on the wire.

use crate::{Fault, Frame};

/// What is left of a frame below the layers already read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest<'a> {
    /// What was captured.
    pub bytes: &'a [u8],
    /// Offset of its first byte from the start of the frame.
    pub at: usize,
    /// Its length on the wire; more than was captured where the frame was snapped.
    pub wire_bytes: usize,
}

impl<'a> Rest<'a> {
    /// A whole frame.
    #[inline]
    pub fn of(frame: &Frame<'a>) -> Rest<'a> {
        Rest { bytes: frame.bytes, at: 0, wire_bytes: (frame.wire_bytes as usize).max(frame.bytes.len()) }
    }

    /// Bytes that are all there.
    #[inline]
    pub fn whole(bytes: &'a [u8]) -> Rest<'a> {
        Rest { bytes, at: 0, wire_bytes: bytes.len() }
    }

    /// What follows a header of `header_bytes`; nothing where it is longer than what was captured.
    #[inline]
    #[must_use]
    pub fn after(self, header_bytes: usize) -> Rest<'a> {
        Rest {
            bytes: self.bytes.get(header_bytes..).unwrap_or_default(),
            at: self.at.saturating_add(header_bytes),
            wire_bytes: self.wire_bytes.saturating_sub(header_bytes),
        }
    }

    /// What follows a header, where its parser gave that as `payload`, the end of these bytes.
    #[inline]
    #[must_use]
    pub fn behind(self, payload: &'a [u8]) -> Rest<'a> {
        self.after(self.bytes.len().saturating_sub(payload.len()))
    }

    /// What a header claims of it: padding behind it goes, and a claim of more than was captured stands.
    #[inline]
    #[must_use]
    pub fn claimed(self, wire_bytes: usize) -> Rest<'a> {
        Rest { bytes: self.bytes.get(..wire_bytes).unwrap_or(self.bytes), at: self.at, wire_bytes }
    }

    /// Whether fewer bytes were captured than there were.
    #[inline]
    pub fn is_snapped(self) -> bool {
        self.bytes.len() < self.wire_bytes
    }

    /// A fault of these bytes, with its offset from the start of the frame.
    #[cold]
    pub fn locate(self, fault: Fault) -> Fault {
        Fault { at: fault.at.saturating_add(self.at), ..fault }
    }
}
