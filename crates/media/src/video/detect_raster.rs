//! Which rasters, samplings and depths the packets of an unknown stream of rows allow (ST 2110-20:2022 §6.2).

use model::media::video::Certainty;
use model::media::{
    Colorimetry, Depth, Essence, Packing, Range, Ratio, Sampling, Scan, Transfer, VideoFormat,
};

use super::detect::Detection;
use super::measure::{BLOCK_BYTES, STANDARD_UDP_BYTES};
use super::pgroup::Pgroup;
use super::rate::{self, Units, remember};
use super::{Segment, header};
use crate::Packet;

/// What a sender may have meant, the usual first. Where several have the same pixel groups, the first stands for all.
const CANDIDATES: [(Sampling, Depth); 15] = [
    (Sampling::YCbCr422, Depth::Ten),
    (Sampling::YCbCr422, Depth::Eight),
    (Sampling::YCbCr422, Depth::Twelve),
    (Sampling::YCbCr420, Depth::Eight),
    (Sampling::YCbCr420, Depth::Ten),
    (Sampling::YCbCr420, Depth::Twelve),
    (Sampling::Rgb, Depth::Eight),
    (Sampling::Rgb, Depth::Ten),
    (Sampling::Rgb, Depth::Twelve),
    (Sampling::YCbCr422, Depth::Sixteen),
    (Sampling::Rgb, Depth::Sixteen),
    (Sampling::Key, Depth::Eight),
    (Sampling::Key, Depth::Ten),
    (Sampling::Key, Depth::Twelve),
    (Sampling::Key, Depth::Sixteen),
];

/// Widths of rasters that are in use.
const WIDTHS: [u16; 14] = [320, 640, 720, 768, 960, 1024, 1280, 1366, 1440, 1920, 2048, 3840, 4096, 7680];

/// A stream of so few rows is no picture.
const FEWEST_ROWS: u16 = 16;

/// Packets of frames that must have come.
const FEWEST_PACKETS: u64 = 24;

/// Frames or fields whose begin and end came.
const FEWEST_WHOLE: u32 = 2;

/// One packet of so many may say something else, and one more.
const PACKETS_PER_MISTAKE: u64 = 64;

/// A sampling and depth while nothing contradicts it.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    sampling: Sampling,
    depth: Depth,
    pgroup: Pgroup,
    /// Where rows end.
    width: Option<u32>,
}

/// A piece of a row that was seen last.
#[derive(Debug, Clone, Copy)]
struct Piece {
    row: u16,
    offset: u16,
    bytes: u16,
}

/// A frame or field while it comes.
#[derive(Debug, Clone, Copy)]
struct Unit {
    timestamp: u32,
    second: bool,
    /// Its first row, where its first packet came.
    first_row: Option<u16>,
    last: Piece,
    /// Whether something is missing behind `last`.
    has_gap: bool,
    packets: u64,
}

/// What is known of a stream that may carry rows of pixels.
#[derive(Debug, Clone)]
pub(super) struct Raster {
    candidates: Vec<Candidate>,
    unit: Option<Unit>,
    /// Whether the packet before ended a frame.
    ready: bool,
    units: Units,
    /// The first and the last row of each field.
    rows: [Option<(u16, u16)>; 2],
    whole: u32,
    packets: u64,
    /// Packets that fitted to those before, and that did not.
    fitting: u64,
    mistakes: u64,
    only_blocks: bool,
    most_udp_bytes: u16,
    /// Whether a row was seen in more than one piece: then the pixel group is proved by where the next begins.
    split_rows: bool,
}

impl Default for Raster {
    fn default() -> Raster {
        let candidates = CANDIDATES.iter().filter_map(|(sampling, depth)| {
            Some(Candidate {
                sampling: *sampling,
                depth: *depth,
                pgroup: Pgroup::of(*sampling, *depth)?,
                width: None,
            })
        });
        Raster {
            candidates: candidates.collect(),
            unit: None,
            ready: false,
            units: Units::new(),
            rows: [None; 2],
            whole: 0,
            packets: 0,
            fitting: 0,
            mistakes: 0,
            only_blocks: true,
            most_udp_bytes: 0,
            split_rows: false,
        }
    }
}

impl Raster {
    pub(super) fn handle(&mut self, packet: &Packet<'_>, follows: bool) {
        let at_begin = self.ready && follows;
        self.ready = packet.rtp.marker;
        let pieces = pieces(packet);
        if pieces.is_none() && self.fitting == 0 {
            return;
        }
        let mut unit = self.unit.take();
        if let Some(unit) = &mut unit {
            unit.has_gap |= !follows;
        }
        match pieces.and_then(|pieces| self.read(packet, pieces, at_begin, &mut unit)) {
            Some(()) => self.fitting += 1,
            None => {
                // A mistake of the sender, or another kind of stream altogether.
                self.mistakes += 1;
                if self.mistakes > 1 + self.fitting / PACKETS_PER_MISTAKE {
                    *self = Raster { ready: packet.rtp.marker, ..Raster::default() };
                    return;
                }
                if let Some(unit) = &mut unit {
                    unit.has_gap = true;
                }
            }
        }
        self.unit = unit.filter(|_| !packet.rtp.marker);
    }

    /// `None` where something contradicts.
    fn read(
        &mut self,
        packet: &Packet<'_>,
        pieces: header::Payload<'_>,
        at_begin: bool,
        open: &mut Option<Unit>,
    ) -> Option<()> {
        let data_bytes = pieces.data_bytes();
        let mut pieces = pieces.segments();
        let timestamp = packet.rtp.timestamp;
        // Where the end of one was lost, the timestamp tells that the next has begun.
        let goes_on = open.as_ref().is_some_and(|unit| !at_begin && unit.timestamp == timestamp);
        if !goes_on {
            let no_gap = open.as_ref().is_some_and(|unit| !unit.has_gap);
            let first = pieces.next()?;
            // A frame begins at the left of its first row.
            let begins_wrongly = first.offset != 0 || first.row > 64 && !first.second_field;
            if at_begin && begins_wrongly {
                return None;
            }
            // What goes on after a loss, or after a marker that was too early, is no other frame.
            if self.units.last() != Some(&(timestamp, first.second_field)) {
                remember(&mut self.units, (timestamp, first.second_field));
            }
            *open = Some(Unit {
                timestamp,
                second: first.second_field,
                first_row: at_begin.then_some(first.row),
                last: piece(&first),
                has_gap: false,
                packets: 0,
            });
            if no_gap && !at_begin {
                // A frame without a marker.
                return None;
            }
        }
        let unit = open.as_mut()?;
        for next in pieces {
            if next.second_field != unit.second {
                return None;
            }
            let next = piece(&next);
            if !core::mem::take(&mut unit.has_gap) {
                self.follow(unit.last, next)?;
            } else if (next.row, next.offset) <= (unit.last.row, unit.last.offset) {
                return None;
            }
            unit.last = next;
        }
        unit.packets += 1;
        self.most_udp_bytes = self.most_udp_bytes.max(packet.udp_bytes);
        self.only_blocks &= packet.rtp.marker || data_bytes == BLOCK_BYTES;
        if !packet.rtp.marker {
            return Some(());
        }
        self.row_ends(unit.last)?;
        self.packets += unit.packets;
        let Some(first_row) = unit.first_row else { return Some(()) };
        let rows = (first_row, unit.last.row);
        let known = self.rows.get_mut(usize::from(unit.second))?;
        if *known.get_or_insert(rows) != rows {
            // Which of the two is the mistake is said by those to come.
            if self.whole <= FEWEST_WHOLE {
                (*known, self.whole) = (Some(rows), 0);
            }
            return None;
        }
        if unit.last.row < first_row.checked_add(FEWEST_ROWS / 2)? {
            return None;
        }
        self.whole += 1;
        Some(())
    }

    /// What a piece says of the one before it.
    fn follow(&mut self, last: Piece, next: Piece) -> Option<()> {
        if next.row == last.row {
            let apart = u32::from(next.offset.checked_sub(last.offset)?);
            self.split_rows = true;
            self.keep(|candidate| pixels(candidate.pgroup, last.bytes) == Some(apart))
        } else {
            let rows = usize::from(next.row.checked_sub(last.row)?);
            if next.offset != 0 {
                return None;
            }
            self.keep(|candidate| candidate.pgroup.down == rows)?;
            self.row_ends(last)
        }
    }

    /// The piece is the last of its row.
    fn row_ends(&mut self, last: Piece) -> Option<()> {
        let end = |candidate: &Candidate| {
            let pixels = pixels(candidate.pgroup, last.bytes)?;
            Some(u32::from(last.offset) + pixels).filter(|end| *end <= 32_767)
        };
        self.keep(|candidate| end(candidate).is_some_and(|end| candidate.width.is_none_or(|it| it == end)))?;
        for candidate in &mut self.candidates {
            candidate.width = end(candidate);
        }
        Some(())
    }

    /// Keeps the candidates that fit; where none does, all, for the packet may be the mistake.
    fn keep(&mut self, fits: impl Fn(&Candidate) -> bool) -> Option<()> {
        if !self.candidates.iter().any(&fits) {
            return None;
        }
        self.candidates.retain(fits);
        Some(())
    }

    pub(super) fn found(&self) -> Option<Detection> {
        if self.packets < FEWEST_PACKETS || self.whole < FEWEST_WHOLE {
            return None;
        }
        let rate::Found { scan, rate: frame_rate, words: rate_words, assumed: rate_assumed } =
            rate::of(&self.units)?;
        let widths = |candidate: &&Candidate| candidate.width.and_then(|width| u16::try_from(width).ok());
        let is_usual =
            |candidate: &&Candidate| widths(candidate).is_some_and(|width| WIDTHS.contains(&width));
        let chosen = self.candidates.iter().find(is_usual).or(self.candidates.first())?;
        let width = widths(&chosen)?;
        let down = chosen.pgroup.down;
        let count = |(first, last): (u16, u16)| last - first + u16::try_from(down).unwrap_or(1);
        let [first, second] = self.rows;
        let height = first.map_or(0, count).checked_add(second.map_or(0, count))?;
        if height < FEWEST_ROWS {
            return None;
        }
        let fits: Vec<_> = self.candidates.iter().flat_map(alike).collect();
        let packing = if self.only_blocks { Packing::Block } else { Packing::General };
        let essence = Essence::Video(VideoFormat {
            sampling: chosen.sampling,
            depth: chosen.depth,
            width,
            height,
            frame_rate,
            scan,
            colorimetry: Colorimetry::Unspecified,
            transfer: Transfer::Unspecified,
            range: Range::Narrow,
            packing,
            max_udp_bytes: self.most_udp_bytes.max(STANDARD_UDP_BYTES),
            sender_type: None,
            offset_us: None,
            burst_packets: None,
            pixel_aspect: Ratio::new(1, 1)?,
        });
        let mut certainty = self.words(chosen, width, height, &rate_words, fits.len(), scan);
        if let Some(assumed) = rate_assumed {
            certainty.assumed = format!("{assumed}; {}", certainty.assumed);
        }
        Some(Detection { essence, certainty, fits })
    }

    fn words(
        &self,
        chosen: &Candidate,
        width: u16,
        height: u16,
        rate_words: &str,
        fits: usize,
        scan: Scan,
    ) -> Certainty {
        let Candidate { sampling, depth, pgroup, .. } = *chosen;
        let scanned = match scan {
            Scan::Progressive => "",
            Scan::Interlaced => " in two fields",
            Scan::Segmented => " in two segments of one moment",
        };
        let proved = if self.split_rows {
            format!("{width} pixels of {} octets for {}", pgroup.bytes, pgroup.across)
        } else {
            "a constant number of octets".into()
        };
        let first_row = self.rows.iter().flatten().map(|(first, _)| *first).min().unwrap_or(0);
        let counted = if first_row == 0 { String::new() } else { format!(", counted from {first_row}") };
        let certain = format!("rows of {proved}, {height} of them{counted}{scanned}; {rate_words}");
        let mut assumed = Vec::new();
        if !self.split_rows {
            assumed.push(format!("a width of {width} pixels, for no row is in more than one packet"));
        }
        if fits > 1 {
            assumed.push(format!("{} in {} bits, of {fits} that fit", sampling.token(), depth.token()));
        }
        if scan == Scan::Progressive {
            assumed.push("progressive, for no second field came".into());
        }
        assumed.push("colorimetry, transfer and range, which packets do not say".into());
        Certainty { certain, assumed: assumed.join("; ") }
    }
}

/// The payload, where it can be one of ST 2110-20: pieces that are not empty, in order, and fill it.
fn pieces<'a>(packet: &Packet<'a>) -> Option<header::Payload<'a>> {
    let payload = header::parse_cut(packet.rtp.payload, packet.cut_bytes()).ok()?;
    // More than three are against the standard, but plain RFC 4175 has them.
    if payload.count() > 16 {
        return None;
    }
    let mut segments = payload.segments();
    let mut last = None;
    for segment in segments.by_ref() {
        let place = (segment.row, segment.offset);
        let is_wrong = segment.claimed_bytes == 0 || segment.sent_bytes != usize::from(segment.claimed_bytes);
        if is_wrong || last.is_some_and(|last| last >= place) {
            return None;
        }
        last = Some(place);
    }
    (segments.rest_bytes() == 0 || packet.rtp.marker).then_some(payload)
}

fn piece(segment: &Segment<'_>) -> Piece {
    Piece { row: segment.row, offset: segment.offset, bytes: segment.claimed_bytes }
}

/// Pixels across of so many octets; `None` where they are no whole pixel groups.
fn pixels(pgroup: Pgroup, bytes: u16) -> Option<u32> {
    let bytes = usize::from(bytes);
    if !bytes.is_multiple_of(pgroup.bytes) {
        return None;
    }
    u32::try_from(bytes / pgroup.bytes * pgroup.across).ok()
}

/// Every sampling and depth whose pixel groups have the same size as the candidate's.
fn alike(candidate: &Candidate) -> Vec<(Sampling, Depth)> {
    let same = |(sampling, depth): &(Sampling, Depth)| {
        Pgroup::of(*sampling, *depth).is_some_and(|it| {
            it.bytes * candidate.pgroup.across == candidate.pgroup.bytes * it.across
                && it.down == candidate.pgroup.down
                && it.order
                    == Pgroup::of(candidate.sampling, candidate.depth).map_or(it.order, |own| {
                        // Y'CbCr 4:4:4 and RGB cannot be told apart, nor systems of one shape.
                        if own.order.samples() == it.order.samples() { it.order } else { own.order }
                    })
        })
    };
    let all =
        Sampling::ALL.iter().flat_map(|sampling| Depth::ALL.iter().map(move |depth| (*sampling, *depth)));
    all.filter(same).collect()
}
