//! Writes pcapng: sections with the name of the program, interfaces, frames with a comment (draft-ietf-opsawg-pcapng §4).

use alloc::vec::Vec;

use super::MOST_BLOCK_BYTES;
use super::comments::OPT_COMMENT;
use super::pcapng::{
    BYTE_ORDER_MAGIC, ENHANCED_PACKET, IF_NAME, IF_TSRESOL, INTERFACE_DESCRIPTION, SECTION_HEADER,
    SIMPLE_PACKET,
};
use crate::{Frame, LinkType};

const SHB_USERAPPL: u16 = 4;
/// Ten to the minus nine seconds (`if_tsresol`).
const NANOSECONDS: u8 = 9;
/// A text longer than this is cut: its length has 16 bits, and its padding must fit as well.
const MOST_TEXT_BYTES: usize = 65_532;

/// Writes one section of a pcapng, block by block, behind what `out` holds already.
///
/// Blocks are little-endian. The caller owns the bytes, and may send them on and clear `out` after every call.
#[derive(Debug, Clone)]
pub struct Writer {
    interfaces: u32,
    /// The snap length of the first interface, which is that of Simple Packet Blocks.
    first_snap_bytes: u32,
}

impl Writer {
    /// Begins a section; `application` is the name of the program that writes.
    pub fn new(application: &str, out: &mut Vec<u8>) -> Writer {
        block(out, SECTION_HEADER, |out| {
            out.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
            out.extend_from_slice(&[1, 0, 0, 0]);
            // The length of the section is not known yet.
            out.extend_from_slice(&u64::MAX.to_le_bytes());
            option(out, SHB_USERAPPL, text(application));
            end_of_options(out);
        });
        Writer { interfaces: 0, first_snap_bytes: 0 }
    }

    /// Describes an interface, and gives its number in the section. Its times count nanoseconds.
    pub fn interface(
        &mut self,
        name: Option<&str>,
        link: LinkType,
        snap_bytes: u32,
        out: &mut Vec<u8>,
    ) -> u32 {
        block(out, INTERFACE_DESCRIPTION, |out| {
            out.extend_from_slice(&link.0.to_le_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&snap_bytes.to_le_bytes());
            if let Some(name) = name {
                option(out, IF_NAME, text(name));
            }
            option(out, IF_TSRESOL, &[NANOSECONDS]);
            end_of_options(out);
        });
        let number = self.interfaces;
        if number == 0 {
            self.first_snap_bytes = snap_bytes;
        }
        self.interfaces = self.interfaces.saturating_add(1);
        number
    }

    /// Writes a frame of an interface of this section; `comment` is shown beside it by whoever reads the file.
    ///
    /// A frame without a time becomes a Simple Packet Block where one can hold it, and else stands at time 0, as does one
    /// from before 1970.
    pub fn frame(&self, interface: u32, frame: &Frame<'_>, comment: Option<&str>, out: &mut Vec<u8>) {
        // With all lengths and the longest comment, the block stays below the bound of readers.
        let data = frame.bytes.get(..MOST_BLOCK_BYTES - 2 * MOST_TEXT_BYTES).unwrap_or(frame.bytes);
        let is_whole = frame.wire_bytes as usize == data.len()
            && (self.first_snap_bytes == 0 || frame.wire_bytes <= self.first_snap_bytes);
        if frame.time.is_none() && interface == 0 && comment.is_none() && is_whole {
            block(out, SIMPLE_PACKET, |out| {
                out.extend_from_slice(&frame.wire_bytes.to_le_bytes());
                out.extend_from_slice(data);
            });
            return;
        }
        let ticks = frame.time.and_then(|time| u64::try_from(time.as_ns()).ok()).unwrap_or(0);
        let [t0, t1, t2, t3, t4, t5, t6, t7] = ticks.to_le_bytes();
        block(out, ENHANCED_PACKET, |out| {
            out.extend_from_slice(&interface.to_le_bytes());
            // The upper half stands first (draft-ietf-opsawg-pcapng §4.3).
            out.extend_from_slice(&[t4, t5, t6, t7, t0, t1, t2, t3]);
            out.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(&frame.wire_bytes.to_le_bytes());
            out.extend_from_slice(data);
            pad(out, data.len());
            if let Some(comment) = comment {
                option(out, OPT_COMMENT, text(comment));
                end_of_options(out);
            }
        });
    }
}

/// Zeros up to the next multiple of four.
fn pad(out: &mut Vec<u8>, length: usize) {
    out.resize(out.len() + (length.wrapping_neg() & 3), 0);
}

/// One block: its type, its length, what `body` writes, padding, and its length again.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    pad(out, out.len() - start);
    let length = u32::try_from(out.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&length);
    if let Some(field) = out.get_mut(start + 4..start + 8) {
        field.copy_from_slice(&length);
    }
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(value);
    pad(out, value.len());
}

fn end_of_options(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 4]);
}

/// The bytes of a text, cut between two characters where it is too long.
fn text(text: &str) -> &[u8] {
    text.get(..text.floor_char_boundary(MOST_TEXT_BYTES)).unwrap_or_default().as_bytes()
}
