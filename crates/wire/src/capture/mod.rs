//! Capture files, sans-I/O: pcap and pcapng to frames, and frames to pcapng (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
//!
//! The caller owns the bytes: it gives what it has from [`Reader::position`] on, and drops what a step consumed.

mod check;
mod comments;
mod pcap;
mod pcapng;
mod writer;

use crate::{Fault, Frame, LinkType};

pub use check::check;
pub use comments::{Comment, Comments, MOST_COMMENT_BYTES, MOST_COMMENTS, Place};
pub use pcapng::Interface;
pub use writer::Writer;

/// No record or block is longer than this; a claim of more is a fault, so that a claim never makes memory grow.
pub const MOST_BLOCK_BYTES: usize = 16 << 20;

/// What one call of [`Reader::read`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A frame.
    Frame {
        /// The frame; it lies within the bytes that were given.
        frame: Frame<'a>,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// A header, or a block that holds no frame.
    Skipped {
        /// How many bytes are done with.
        consumed: usize,
    },
    /// A block that is not what it claims, whose end could be found all the same; only in pcapng.
    Damaged {
        /// What is wrong, with its offset in the file.
        fault: Fault,
        /// How many bytes are done with.
        consumed: usize,
    },
    /// Nothing can be said yet.
    NeedMore {
        /// How many bytes from the position on would do, at least.
        at_least: usize,
    },
    /// The file is over.
    End,
}

/// Which format a capture is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// pcap, as tcpdump writes it.
    Pcap {
        /// Time stamps count nanoseconds, not microseconds.
        nanoseconds: bool,
        /// Numbers are big-endian.
        big_endian: bool,
        /// Records have the longer header of Kuznetzov's variant.
        modified: bool,
        /// The link type of every frame.
        link: LinkType,
        /// The most bytes that were to be captured of a frame.
        snap_bytes: u32,
    },
    /// pcapng, as Wireshark writes it.
    Pcapng,
}

/// What was met beside frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Frames delivered.
    pub frames: u64,
    /// Sections of a pcapng.
    pub sections: u64,
    /// Blocks of a known kind that hold no frame: names, secrets, statistics.
    pub known_blocks: u64,
    /// Blocks of a kind that is unknown or private.
    pub unknown_blocks: u64,
    /// Blocks that were passed over because they are not what they claim.
    pub damaged_blocks: u64,
    /// Frames whose interface nobody described, and which were passed over; they are among the damaged blocks too.
    pub orphan_frames: u64,
    /// Frames that were dropped for want of resources, by the statistics of the interfaces (`isb_ifdrop`).
    pub dropped_frames: u64,
    /// Frames that were lost just before another, by notes on that other (`epb_dropcount`); mostly the same ones.
    pub noted_drops: u64,
}

/// All that was met beside frames.
#[derive(Debug, Clone)]
struct Heard {
    counts: Counts,
    comments: Comments,
}

#[derive(Debug, Clone)]
enum State {
    Start,
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
    /// After the fault that ended the read; what the last section described still stands.
    Over(Option<pcapng::Pcapng>),
}

/// Reads one capture from front to back; its memory is bounded by the interfaces of one section.
#[derive(Debug, Clone)]
pub struct Reader {
    state: State,
    position: u64,
    format: Option<Format>,
    heard: Heard,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

impl Reader {
    /// A reader that has seen nothing.
    pub const fn new() -> Reader {
        Reader {
            state: State::Start,
            position: 0,
            format: None,
            heard: Heard {
                counts: Counts {
                    frames: 0,
                    sections: 0,
                    known_blocks: 0,
                    unknown_blocks: 0,
                    damaged_blocks: 0,
                    orphan_frames: 0,
                    dropped_frames: 0,
                    noted_drops: 0,
                },
                comments: Comments::new(),
            },
        }
    }

    /// Reads the next thing from `bytes`, which begin at [`Reader::position`]; `at_end` says that no more will come.
    ///
    /// A fault ends the read: what was delivered before stands, and the next call gives [`Step::End`].
    #[inline]
    pub fn read<'a>(&mut self, bytes: &'a [u8], at_end: bool) -> Result<Step<'a>, Fault> {
        // Nearly always, it is a frame, and nothing else need be looked at.
        let found = match &self.state {
            State::Pcap(pcap) => pcap.frame(bytes),
            State::Pcapng(pcapng) => pcapng.frame(bytes, &mut self.heard),
            State::Start | State::Over(_) => None,
        };
        if let Some((frame, consumed)) = found {
            self.heard.counts.frames = self.heard.counts.frames.wrapping_add(1);
            self.position = self.position.wrapping_add(consumed as u64);
            return Ok(Step::Frame { frame, consumed });
        }
        self.read_other(bytes, at_end)
    }

    #[cold]
    fn read_other<'a>(&mut self, bytes: &'a [u8], at_end: bool) -> Result<Step<'a>, Fault> {
        let step = match &mut self.state {
            State::Pcap(pcap) => pcap.want(bytes),
            State::Pcapng(pcapng) => pcapng.read(bytes, &mut self.heard),
            State::Start => self.begin(bytes),
            State::Over(_) => Ok(Step::End),
        };
        self.settle(step, bytes.len(), at_end)
    }

    /// Everything but a frame: faults get their place in the file, and the end is told from a want of bytes.
    #[cold]
    fn settle<'a>(
        &mut self,
        step: Result<Step<'a>, Fault>,
        given: usize,
        at_end: bool,
    ) -> Result<Step<'a>, Fault> {
        let place = usize::try_from(self.position).unwrap_or(usize::MAX);
        let placed = |fault: Fault| Fault { at: place.saturating_add(fault.at), ..fault };
        match step {
            Ok(Step::NeedMore { .. }) if at_end => {
                let started = !matches!(self.state, State::Start);
                if given == 0 && started {
                    return Ok(Step::End);
                }
                self.finish();
                let what = match (given, started) {
                    (0, _) => "the file is empty",
                    (_, true) => "the file ends within a record",
                    (_, false) => "the file ends within its header",
                };
                Err(placed(Fault { layer: self.layer(), at: 0, what }))
            }
            Ok(Step::Frame { consumed, .. }) => {
                self.heard.counts.frames = self.heard.counts.frames.wrapping_add(1);
                self.position = self.position.wrapping_add(consumed as u64);
                step
            }
            Ok(Step::Skipped { consumed }) => {
                self.position = self.position.wrapping_add(consumed as u64);
                step
            }
            Ok(Step::Damaged { fault, consumed }) => {
                self.heard.counts.damaged_blocks = self.heard.counts.damaged_blocks.wrapping_add(1);
                self.position = self.position.wrapping_add(consumed as u64);
                Ok(Step::Damaged { fault: placed(fault), consumed })
            }
            Err(fault) => {
                self.finish();
                Err(placed(fault))
            }
            step => step,
        }
    }

    fn finish(&mut self) {
        let section = match core::mem::replace(&mut self.state, State::Over(None)) {
            State::Pcapng(pcapng) => Some(pcapng),
            _ => None,
        };
        self.state = State::Over(section);
    }

    #[cold]
    fn begin<'a>(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, Fault> {
        let Some(magic) = bytes.first_chunk::<4>() else { return Ok(Step::NeedMore { at_least: 4 }) };
        if *magic == pcapng::SECTION_HEADER.to_be_bytes() {
            self.format = Some(Format::Pcapng);
            let mut pcapng = pcapng::Pcapng::new();
            let step = pcapng.read(bytes, &mut self.heard);
            self.state = State::Pcapng(pcapng);
            return step;
        }
        let Some(header) = bytes.first_chunk() else {
            return if pcap::begins(*magic) {
                Ok(Step::NeedMore { at_least: pcap::FILE_HEADER_BYTES })
            } else {
                Err(pcap::unknown_magic(*magic))
            };
        };
        let (pcap, format) = pcap::Pcap::parse(header)?;
        self.format = Some(format);
        self.state = State::Pcap(pcap);
        Ok(Step::Skipped { consumed: pcap::FILE_HEADER_BYTES })
    }

    fn layer(&self) -> &'static str {
        match self.format {
            None => "capture",
            Some(Format::Pcap { .. }) => "pcap",
            Some(Format::Pcapng) => "pcapng",
        }
    }

    /// The format, once the first bytes were seen.
    pub fn format(&self) -> Option<Format> {
        self.format
    }

    /// The offset in the file of the next byte to give.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What was met so far.
    pub fn counts(&self) -> Counts {
        self.heard.counts
    }

    /// What people wrote into the capture so far; only a pcapng has room for it.
    pub fn comments(&self) -> &Comments {
        &self.heard.comments
    }

    /// The interfaces of the present section of a pcapng, and the number that its first one has in [`Frame::interface`].
    pub fn interfaces(&self) -> (u32, &[Interface]) {
        match &self.state {
            State::Pcapng(pcapng) | State::Over(Some(pcapng)) => pcapng.interfaces(),
            _ => (0, &[]),
        }
    }
}

#[cfg(test)]
mod tests;
