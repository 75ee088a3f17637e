//! The pcapng format: sections of blocks, with interfaces described in them (draft-ietf-opsawg-pcapng §3, §4).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use model::{Timestamp, Utc};

use super::comments::{OPT_COMMENT, Place};
use super::{Heard, MOST_BLOCK_BYTES, Step};
use crate::cursor::array;
use crate::{Fault, Frame, LinkType};

/// The type of a Section Header Block: the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
/// Tells the byte order of a section.
pub(super) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
pub(super) const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
pub(super) const SIMPLE_PACKET: u32 = 3;
const NAME_RESOLUTION: u32 = 4;
const INTERFACE_STATISTICS: u32 = 5;
pub(super) const ENHANCED_PACKET: u32 = 6;
const JOURNAL_EXPORT: u32 = 9;
const DECRYPTION_SECRETS: u32 = 10;

pub(super) const IF_NAME: u16 = 2;
pub(super) const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const EPB_DROPCOUNT: u16 = 4;
const ISB_IFDROP: u16 = 5;

/// A block is at least its type and its length, twice.
const LEAST_BLOCK_BYTES: usize = 12;
/// A section may describe this many interfaces; frames of others are orphans.
const MOST_INTERFACES: usize = 4096;
/// More of a name than this is not kept.
const MOST_NAME_BYTES: usize = 255;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "pcapng", at, what }
}

/// An interface as a section describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// What the first byte of its frames begins.
    pub link: LinkType,
    /// The most bytes captured of a frame; 0 for no limit.
    pub snap_bytes: u32,
    /// Its name on the capturing machine (`if_name`).
    pub name: Option<Box<str>>,
    /// Frames dropped so far, by its last statistics.
    pub dropped_frames: u64,
    /// Nanoseconds of a tick, as a fraction; 0 below the line where a tick cannot be told in 64 bits.
    tick_ns: (u64, u64),
    /// Seconds to add to every time (`if_tsoffset`).
    offset_seconds: i64,
}

impl Interface {
    #[inline]
    fn time(&self, ticks: u64) -> Option<Timestamp<Utc>> {
        let ns = match (self.tick_ns, self.offset_seconds) {
            ((multiply, 1), 0) => i64::try_from(ticks.checked_mul(multiply)?).ok()?,
            ((multiply, divide), offset) => {
                let ns = (u128::from(ticks) * u128::from(multiply)).checked_div(u128::from(divide))?;
                let offset = i128::from(offset) * 1_000_000_000;
                i64::try_from(i128::try_from(ns).ok()?.checked_add(offset)?).ok()?
            }
        };
        Some(Timestamp::from_ns(ns))
    }
}

/// Nanoseconds of a tick, as a fraction, out of the one byte of `if_tsresol`.
fn tick_ns(resolution: u8) -> (u64, u64) {
    let exponent = u32::from(resolution & 0x7f);
    if resolution & 0x80 != 0 {
        return (1_000_000_000, 1_u64.checked_shl(exponent).unwrap_or(0));
    }
    match exponent.checked_sub(9) {
        Some(finer) => (1, 10_u64.checked_pow(finer).unwrap_or(0)),
        None => (10_u64.pow(9 - exponent.min(9)), 1),
    }
}

/// The present section.
#[derive(Debug, Clone)]
pub(super) struct Pcapng {
    big_endian: bool,
    /// The number of the section's first interface, counted through the file.
    first_interface: u32,
    interfaces: Vec<Interface>,
}

impl Pcapng {
    pub(super) fn new() -> Pcapng {
        Pcapng { big_endian: false, first_interface: 0, interfaces: Vec::new() }
    }

    pub(super) fn interfaces(&self) -> (u32, &[Interface]) {
        (self.first_interface, &self.interfaces)
    }

    fn number(&self, bytes: [u8; 4]) -> u32 {
        let number = u32::from_le_bytes(bytes);
        if self.big_endian { number.swap_bytes() } else { number }
    }

    fn u16_at(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let number = array(bytes, at).map(u16::from_le_bytes)?;
        Some(if self.big_endian { number.swap_bytes() } else { number })
    }

    fn u32_at(&self, bytes: &[u8], at: usize) -> Option<u32> {
        array(bytes, at).map(|bytes| self.number(bytes))
    }

    fn u64_at(&self, bytes: &[u8], at: usize) -> Option<u64> {
        let number = array(bytes, at).map(u64::from_le_bytes)?;
        Some(if self.big_endian { number.swap_bytes() } else { number })
    }

    /// The next frame, where all of it is there, in a sound block of the usual kind.
    #[inline]
    pub(super) fn frame<'a>(&self, bytes: &'a [u8], heard: &mut Heard) -> Option<(Frame<'a>, usize)> {
        let [k0, k1, k2, k3, l0, l1, l2, l3] = *bytes.first_chunk::<8>()?;
        let length = self.number([l0, l1, l2, l3]) as usize;
        let is_sound = length.is_multiple_of(4) && (LEAST_BLOCK_BYTES..=MOST_BLOCK_BYTES).contains(&length);
        if self.number([k0, k1, k2, k3]) != ENHANCED_PACKET || !is_sound {
            return None;
        }
        let block = bytes.get(..length)?;
        if block.last_chunk::<4>() != Some(&[l0, l1, l2, l3]) {
            return None;
        }
        let frame = self.enhanced_packet(block.get(8..length - 4)?, heard).ok()?;
        Some((frame, length))
    }

    pub(super) fn read<'a>(&mut self, bytes: &'a [u8], heard: &mut Heard) -> Result<Step<'a>, Fault> {
        let Some(header) = bytes.first_chunk::<LEAST_BLOCK_BYTES>() else {
            return Ok(Step::NeedMore { at_least: LEAST_BLOCK_BYTES });
        };
        let [k0, k1, k2, k3, l0, l1, l2, l3, o0, o1, o2, o3] = *header;
        let kind = self.number([k0, k1, k2, k3]);
        // A section may be in another byte order than the one before (draft-ietf-opsawg-pcapng §4.1).
        let big_endian = if kind == SECTION_HEADER {
            match u32::from_le_bytes([o0, o1, o2, o3]) {
                BYTE_ORDER_MAGIC => false,
                magic if magic.swap_bytes() == BYTE_ORDER_MAGIC => true,
                _ => {
                    return Err(fault(
                        8,
                        "no byte-order magic in a section header (draft-ietf-opsawg-pcapng §4.1)",
                    ));
                }
            }
        } else {
            self.big_endian
        };
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        let length = if big_endian { length.swap_bytes() } else { length } as usize;
        if length < LEAST_BLOCK_BYTES || !length.is_multiple_of(4) {
            return Err(fault(
                4,
                "the length of a block is below 12 or no multiple of 4 (draft-ietf-opsawg-pcapng §3.1)",
            ));
        }
        if length > MOST_BLOCK_BYTES {
            return Err(fault(4, "a block claims more than 16 MiB"));
        }
        let Some(block) = bytes.get(..length) else { return Ok(Step::NeedMore { at_least: length }) };
        let (Some(body), Some(again)) = (block.get(8..length - 4), array(block, length - 4)) else {
            return Err(fault(0, "a block without room for its length"));
        };
        if again != [l0, l1, l2, l3] {
            // Without its section, nothing that follows could be read.
            if kind == SECTION_HEADER {
                self.other_block(kind, big_endian, body, length, heard)?;
            }
            let what = "the two lengths of a block differ (draft-ietf-opsawg-pcapng §3.1)";
            return Ok(Step::Damaged { fault: fault(length - 4, what), consumed: length });
        }
        if kind == ENHANCED_PACKET {
            return Ok(settle(self.enhanced_packet(body, heard), length, heard));
        }
        self.other_block(kind, big_endian, body, length, heard)
    }

    /// Counts nothing unless it is a frame.
    #[inline]
    fn enhanced_packet<'a>(&self, body: &'a [u8], heard: &mut Heard) -> Result<Frame<'a>, NoFrame> {
        let (header, rest) = body.split_first_chunk::<20>().ok_or(NoFrame::Short)?;
        let [i0, i1, i2, i3, h0, h1, h2, h3, t0, t1, t2, t3, c0, c1, c2, c3, w0, w1, w2, w3] = *header;
        let captured = self.number([c0, c1, c2, c3]);
        let (data, rest) = rest.split_at_checked(captured as usize).ok_or(NoFrame::Beyond)?;
        let id = self.number([i0, i1, i2, i3]);
        let ticks =
            (u64::from(self.number([h0, h1, h2, h3])) << 32) | u64::from(self.number([t0, t1, t2, t3]));
        let wire_bytes = self.number([w0, w1, w2, w3]).max(captured);
        let frame = self.described(id, Some(ticks), wire_bytes, data)?;
        // Without options, at most three bytes of padding are left.
        if rest.len() > 3 {
            let padding = data.len().wrapping_neg() & 3;
            self.note_options(rest.get(padding..).unwrap_or_default(), heard);
        }
        Ok(frame)
    }

    #[cold]
    fn note_options(&self, options: &[u8], heard: &mut Heard) {
        // It is counted when it is delivered.
        let number = heard.counts.frames.wrapping_add(1);
        self.options(options, |code, value| match code {
            EPB_DROPCOUNT => {
                let drops = self.u64_at(value, 0).unwrap_or(0);
                heard.counts.noted_drops = heard.counts.noted_drops.saturating_add(drops);
            }
            OPT_COMMENT => heard.comments.note(Place::Frame(number), value),
            _ => {}
        });
    }

    /// A frame of an interface of this section.
    #[inline]
    fn described<'a>(
        &self,
        id: u32,
        ticks: Option<u64>,
        wire_bytes: u32,
        bytes: &'a [u8],
    ) -> Result<Frame<'a>, NoFrame> {
        let interface = self.interfaces.get(id as usize).ok_or(NoFrame::Orphan)?;
        Ok(Frame {
            time: ticks.and_then(|ticks| interface.time(ticks)),
            link: interface.link,
            interface: self.first_interface.wrapping_add(id),
            wire_bytes,
            bytes,
        })
    }

    #[cold]
    fn other_block<'a>(
        &mut self,
        kind: u32,
        big_endian: bool,
        body: &'a [u8],
        consumed: usize,
        heard: &mut Heard,
    ) -> Result<Step<'a>, Fault> {
        match kind {
            SECTION_HEADER => {
                self.big_endian = big_endian;
                if self.u16_at(body, 4) != Some(1) {
                    return Err(fault(
                        12,
                        "the version of a section is not 1 (draft-ietf-opsawg-pcapng §4.1)",
                    ));
                }
                let before = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
                self.first_interface = self.first_interface.wrapping_add(before);
                self.interfaces.clear();
                heard.counts.sections = heard.counts.sections.wrapping_add(1);
                self.options(body.get(16..).unwrap_or_default(), |code, value| {
                    if code == OPT_COMMENT {
                        heard.comments.note(Place::Section, value);
                    }
                });
            }
            INTERFACE_DESCRIPTION => return self.describe(body, consumed, heard),
            SIMPLE_PACKET => return Ok(settle(self.simple_packet(body), consumed, heard)),
            OBSOLETE_PACKET => {
                return Ok(settle(self.obsolete_packet(body, heard), consumed, heard));
            }
            INTERFACE_STATISTICS => {
                heard.counts.known_blocks = heard.counts.known_blocks.wrapping_add(1);
                self.statistics(body, heard);
            }
            NAME_RESOLUTION | DECRYPTION_SECRETS | JOURNAL_EXPORT => {
                heard.counts.known_blocks = heard.counts.known_blocks.wrapping_add(1);
            }
            _ => heard.counts.unknown_blocks = heard.counts.unknown_blocks.wrapping_add(1),
        }
        Ok(Step::Skipped { consumed })
    }

    fn describe<'a>(&mut self, body: &[u8], consumed: usize, heard: &mut Heard) -> Result<Step<'a>, Fault> {
        let (Some(link), Some(snap_bytes)) = (self.u16_at(body, 0), self.u32_at(body, 4)) else {
            // Without it the numbers of all later interfaces are off by one.
            return Err(fault(8, "an interface description is too short (draft-ietf-opsawg-pcapng §4.2)"));
        };
        if self.interfaces.len() >= MOST_INTERFACES {
            return Ok(Step::Damaged {
                fault: fault(0, "a section with more than 4096 interfaces"),
                consumed,
            });
        }
        let mut interface = Interface {
            link: LinkType(link),
            snap_bytes,
            name: None,
            dropped_frames: 0,
            // Microseconds, where nothing else is said (draft-ietf-opsawg-pcapng §4.2).
            tick_ns: (1000, 1),
            offset_seconds: 0,
        };
        let number = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        let place = Place::Interface(self.first_interface.wrapping_add(number));
        self.options(body.get(8..).unwrap_or_default(), |code, value| match (code, value) {
            (OPT_COMMENT, text) => heard.comments.note(place, text),
            (IF_NAME, name) => {
                let name = name.get(..MOST_NAME_BYTES).unwrap_or(name);
                interface.name = Some(String::from_utf8_lossy(name).trim_end_matches('\0').into());
            }
            (IF_TSRESOL, [resolution, ..]) => interface.tick_ns = tick_ns(*resolution),
            (IF_TSOFFSET, value) => {
                interface.offset_seconds = self.u64_at(value, 0).unwrap_or(0).cast_signed();
            }
            _ => {}
        });
        self.interfaces.push(interface);
        Ok(Step::Skipped { consumed })
    }

    fn simple_packet<'a>(&self, body: &'a [u8]) -> Result<Frame<'a>, NoFrame> {
        let wire_bytes = self.u32_at(body, 0).ok_or(NoFrame::Short)?;
        let data = body.get(4..).ok_or(NoFrame::Short)?;
        // Its captured length is nowhere: the least of three (draft-ietf-opsawg-pcapng §4.4).
        let snap = self.interfaces.first().map_or(0, |interface| interface.snap_bytes);
        let most = if snap == 0 { wire_bytes } else { wire_bytes.min(snap) } as usize;
        self.described(0, None, wire_bytes, data.get(..most).unwrap_or(data))
    }

    fn obsolete_packet<'a>(&self, body: &'a [u8], heard: &mut Heard) -> Result<Frame<'a>, NoFrame> {
        let parts = || {
            let ticks = (u64::from(self.u32_at(body, 4)?) << 32) | u64::from(self.u32_at(body, 8)?);
            let (captured, wire) = (self.u32_at(body, 12)?, self.u32_at(body, 16)?);
            Some((self.u16_at(body, 0)?, self.u16_at(body, 2)?, ticks, captured, wire, body.get(20..)?))
        };
        let (id, drops, ticks, captured, wire_bytes, rest) = parts().ok_or(NoFrame::Short)?;
        let data = rest.get(..captured as usize).ok_or(NoFrame::Beyond)?;
        let frame = self.described(u32::from(id), Some(ticks), wire_bytes.max(captured), data)?;
        // All ones: not known.
        if drops != u16::MAX {
            heard.counts.noted_drops = heard.counts.noted_drops.saturating_add(u64::from(drops));
        }
        Ok(frame)
    }

    fn statistics(&mut self, body: &[u8], heard: &mut Heard) {
        let mut drops = None;
        let id = self.u32_at(body, 0).unwrap_or(u32::MAX);
        let place = Place::Interface(self.first_interface.wrapping_add(id));
        self.options(body.get(12..).unwrap_or_default(), |code, value| match code {
            ISB_IFDROP => drops = self.u64_at(value, 0),
            OPT_COMMENT => heard.comments.note(place, value),
            _ => {}
        });
        let id = id as usize;
        if let (Some(drops), Some(interface)) = (drops, self.interfaces.get_mut(id)) {
            // Each statistics block counts from the start of the capture.
            let more = drops.saturating_sub(interface.dropped_frames);
            heard.counts.dropped_frames = heard.counts.dropped_frames.saturating_add(more);
            interface.dropped_frames = interface.dropped_frames.max(drops);
        }
    }

    /// Calls `each` with every option, up to the end or to the first that is longer than its block.
    fn options<'a>(&self, mut rest: &'a [u8], mut each: impl FnMut(u16, &'a [u8])) {
        while let (Some(code @ 1..), Some(length)) = (self.u16_at(rest, 0), self.u16_at(rest, 2)) {
            let length = usize::from(length);
            let Some(value) = rest.get(4..4 + length) else { return };
            each(code, value);
            rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

/// Why a packet block holds no frame for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoFrame {
    /// It is shorter than its header.
    Short,
    /// What was captured is longer than the block.
    Beyond,
    /// Its interface was not described.
    Orphan,
}

/// A packet block that holds no frame is passed over.
fn settle<'a>(read: Result<Frame<'a>, NoFrame>, consumed: usize, heard: &mut Heard) -> Step<'a> {
    let (at, what) = match read {
        Ok(frame) => return Step::Frame { frame, consumed },
        Err(NoFrame::Short) => {
            (4, "a packet block is shorter than its header (draft-ietf-opsawg-pcapng §4.3)")
        }
        Err(NoFrame::Beyond) => {
            (4, "what was captured is longer than its block (draft-ietf-opsawg-pcapng §4.3)")
        }
        Err(NoFrame::Orphan) => {
            heard.counts.orphan_frames = heard.counts.orphan_frames.wrapping_add(1);
            (8, "a frame of an interface that is not described (draft-ietf-opsawg-pcapng §4.3)")
        }
    };
    Step::Damaged { fault: fault(at, what), consumed }
}
