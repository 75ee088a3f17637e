//! Uncompressed video made: test signals in packets (ST 2110-20:2022).

use core::fmt::Write;

use model::media::{Packing, Scan, VideoFormat};

use super::burn_in::BurnIn;
use super::zone_plate::ZonePlate;
use super::{Batch, bars, ramp};
use crate::picture::Picture;
use crate::video::header;
use crate::video::pack::pack;
use crate::video::{BLOCK_BYTES, Order, Pgroup, STANDARD_UDP_BYTES, rows_of_field};

/// Octets before the payload header: UDP's and RTP's.
const HEADERS_BYTES: usize = 8 + wire::rtp::HEADER_BYTES;
/// The upper half of the sequence number, and a piece's header.
const EXTENDED_BYTES: usize = 2;
const SEGMENT_BYTES: usize = 6;
/// Letters of `00:00:00.000 TAI 00000000000`.
const LETTERS: usize = 28;

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Colour bars (SMPTE RP 219-1).
    Bars,
    /// A moving zone plate.
    ZonePlate,
    /// A ramp over every number that may be sent.
    Ramp,
}

/// What the packets of a stream have in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// RTP payload type.
    pub payload_type: u8,
    /// Synchronisation source.
    pub ssrc: u32,
    /// The 32-bit sequence number of the first packet.
    pub sequence: u32,
}

/// A piece of a row in a packet.
#[derive(Debug, Clone, Copy)]
struct Piece {
    bytes: u16,
    row: u16,
    pixel: u16,
    /// Where it lies in the packed frame.
    at: usize,
}

/// A packet: the same in every frame but for numbers and content.
#[derive(Debug, Clone)]
struct Plan {
    second: bool,
    marker: bool,
    pieces: Vec<Piece>,
}

/// A sender's pictures, packed.
#[derive(Debug, Clone)]
pub struct VideoMaker {
    format: VideoFormat,
    pgroup: Pgroup,
    signal: Signal,
    head: Head,
    picture: Picture,
    /// All rows of the frame (row pairs with 4:2:0), packed, one after the other.
    packed: Vec<u8>,
    row_bytes: usize,
    plate: Option<ZonePlate>,
    burn_in: Option<BurnIn>,
    plans: Vec<Plan>,
    packets: [usize; 2],
    text: String,
}

impl VideoMaker {
    /// A sender of a signal; the fault says why such a stream cannot be made.
    pub fn new(
        format: &VideoFormat,
        signal: Signal,
        with_time: bool,
        head: Head,
    ) -> Result<VideoMaker, &'static str> {
        VideoMaker::cut(format, signal, with_time, head, false)
    }

    /// The same, but with general packing each packet is as full as it can be, whatever rows it is of: the fewer there are,
    /// the more time the eight last that a receiver of narrow video holds (ST 2110-21:2022 §7.2).
    pub fn filled(
        format: &VideoFormat,
        signal: Signal,
        with_time: bool,
        head: Head,
    ) -> Result<VideoMaker, &'static str> {
        VideoMaker::cut(format, signal, with_time, head, true)
    }

    fn cut(
        format: &VideoFormat,
        signal: Signal,
        with_time: bool,
        head: Head,
        filled: bool,
    ) -> Result<VideoMaker, &'static str> {
        let pgroup = Pgroup::of_format(format).ok_or("ST 2110-20 has no such depth for this sampling")?;
        let mut picture = Picture::black(format).ok_or("the picture is too large")?;
        if pgroup.order == Order::Colour420 && format.scan != Scan::Progressive {
            return Err("4:2:0 is progressive only (ST 2110-20:2022 §6.2)");
        }
        if signal == Signal::Bars && !bars::paint(&mut picture) {
            return Err("bars are made in Y'CbCr, RGB and key signals only");
        }
        if signal == Signal::Ramp {
            ramp::paint(&mut picture);
        }
        let row_bytes = pgroup.row_bytes(format.width);
        let mut maker = VideoMaker {
            pgroup,
            signal,
            head,
            packed: Vec::with_capacity(row_bytes * usize::from(format.height).div_ceil(pgroup.down)),
            row_bytes,
            plate: (signal == Signal::ZonePlate).then(|| ZonePlate::new(format)),
            burn_in: BurnIn::new(format, LETTERS).filter(|_| with_time),
            plans: Vec::new(),
            packets: [0; 2],
            text: String::new(),
            picture,
            format: format.clone(),
        };
        for row in (0..usize::from(format.height)).step_by(pgroup.down) {
            pack(pgroup, maker.picture.samples(row, 0), &mut maker.packed);
        }
        let fields = if format.scan == Scan::Progressive { 1 } else { 2 };
        for field in 0..fields {
            let before = maker.plans.len();
            match format.packing {
                Packing::General => match maker.fill().filter(|_| filled || maker.is_small()) {
                    Some(bytes) => maker.plan_blocks(field, bytes)?,
                    None => maker.plan_rows(field)?,
                },
                Packing::Block => maker.plan_blocks(field, maker.block()?)?,
            }
            if let Some(last) = maker.plans.last_mut() {
                last.marker = true;
            }
            let count = maker.plans.len() - before;
            maker.packets.iter_mut().skip(field).take(1).for_each(|it| *it = count);
        }
        Ok(maker)
    }

    /// How many packets the frame, or its first and its second field or segment, has.
    pub fn packets(&self) -> [usize; 2] {
        self.packets
    }

    /// The format that is made.
    pub fn format(&self) -> &VideoFormat {
        &self.format
    }

    /// The picture as it was sent last.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Rows of a field as they are packed, with the place of each in the packed frame.
    fn field_rows(&self, field: usize) -> impl Iterator<Item = (u16, usize)> + use<> {
        let (down, row_bytes) = (self.pgroup.down, self.row_bytes);
        let rows = rows_of_field(&self.format, field).div_ceil(down);
        let (step, first) = if self.format.scan == Scan::Progressive { (1, 0) } else { (2, field) };
        (0..rows).map(move |row| {
            let number = u16::try_from(row * down).unwrap_or(u16::MAX);
            (number, (row * step + first) * row_bytes)
        })
    }

    /// General packing: each row in equal packets, or a few whole rows in each.
    fn plan_rows(&mut self, field: usize) -> Result<(), &'static str> {
        let Pgroup { bytes: group_bytes, across, .. } = self.pgroup;
        let most = self.room();
        let together = (most / (self.row_bytes + SEGMENT_BYTES)).min(header::MOST_SEGMENTS);
        let rows: Vec<_> = self.field_rows(field).collect();
        let second = field == 1;
        if together > 1 {
            for rows in rows.chunks(together) {
                let bytes = u16::try_from(self.row_bytes).map_err(|_| "a row is too long")?;
                let pieces =
                    rows.iter().map(|(row, at)| Piece { bytes, row: *row, pixel: 0, at: *at }).collect();
                self.plans.push(Plan { second, marker: false, pieces });
            }
            return Ok(());
        }
        let groups = self.row_bytes / group_bytes;
        let parts = self.row_bytes.div_ceil((most - SEGMENT_BYTES) / group_bytes * group_bytes);
        let per_packet = groups.div_ceil(parts);
        for (row, at) in rows {
            for first in (0..groups).step_by(per_packet) {
                let count = per_packet.min(groups - first);
                let number = |value: usize| u16::try_from(value).map_err(|_| "a row is too long");
                let piece = Piece {
                    bytes: number(count * group_bytes)?,
                    row,
                    pixel: number(first * across)?,
                    at: at + first * group_bytes,
                };
                self.plans.push(Plan { second, marker: false, pieces: vec![piece] });
            }
        }
        Ok(())
    }

    /// How many octets fill a packet, of as few rows as may be; `None` where that would be more than three.
    fn fill(&self) -> Option<usize> {
        (2..=header::MOST_SEGMENTS).find_map(|rows| {
            let bytes =
                self.room().checked_sub(rows * SEGMENT_BYTES)? / self.pgroup.bytes * self.pgroup.bytes;
            (bytes > 0 && self.row_bytes * (rows - 1) >= bytes).then_some(bytes)
        })
    }

    /// Whether rows in equal packets would be datagrams of less than 1000 octets, which should be avoided
    /// (ST 2110-20:2022 §6.3).
    fn is_small(&self) -> bool {
        let most = (self.room() - SEGMENT_BYTES) / self.pgroup.bytes * self.pgroup.bytes;
        let parts = self.row_bytes.div_ceil(most.max(1)).max(1);
        // Of short rows several are in a packet already.
        self.row_bytes * 2 > most
            && HEADERS_BYTES + EXTENDED_BYTES + SEGMENT_BYTES + self.row_bytes / parts < 1000
    }

    /// What a datagram has room for behind its headers.
    fn room(&self) -> usize {
        usize::from(self.format.max_udp_bytes.max(STANDARD_UDP_BYTES)) - HEADERS_BYTES - EXTENDED_BYTES
    }

    /// How many octets go into each packet with block packing (ST 2110-20:2022 §6.3).
    fn block(&self) -> Result<usize, &'static str> {
        if !BLOCK_BYTES.is_multiple_of(self.pgroup.bytes) {
            return Err("1260 octets are no whole number of pixel groups");
        }
        if self.row_bytes * 2 < BLOCK_BYTES {
            return Err("rows are too short for block packing: a packet would need more than three");
        }
        Ok(BLOCK_BYTES)
    }

    /// So many octets in each packet, whatever rows they are of.
    fn plan_blocks(&mut self, field: usize, bytes: usize) -> Result<(), &'static str> {
        let Pgroup { bytes: group_bytes, across, .. } = self.pgroup;
        let mut plan = Plan { second: field == 1, marker: false, pieces: Vec::new() };
        let mut room = bytes;
        for (row, at) in self.field_rows(field) {
            let mut done = 0;
            while done < self.row_bytes {
                let count = room.min(self.row_bytes - done);
                let number = |value: usize| u16::try_from(value).map_err(|_| "a row is too long");
                plan.pieces.push(Piece {
                    bytes: number(count)?,
                    row,
                    pixel: number(done / group_bytes * across)?,
                    at: at + done,
                });
                done += count;
                room -= count;
                if room == 0 {
                    self.plans.push(core::mem::replace(
                        &mut plan,
                        Plan { second: field == 1, marker: false, pieces: Vec::new() },
                    ));
                    room = bytes;
                }
            }
        }
        if !plan.pieces.is_empty() {
            self.plans.push(plan);
        }
        Ok(())
    }

    /// Appends the packets of a frame: its number since the epoch, and the timestamps of the frame or of both fields.
    ///
    /// With segments (PsF) both timestamps are the same (ST 2110-10:2022 §7.6).
    pub fn frame(&mut self, number: u64, timestamps: [u32; 2], into: &mut Batch) {
        self.frame_meanwhile(number, timestamps, into, &mut || {});
    }

    /// The same, but calls `meanwhile` after each packet, and each row that was painted.
    pub fn frame_meanwhile(
        &mut self,
        number: u64,
        timestamps: [u32; 2],
        into: &mut Batch,
        meanwhile: &mut dyn FnMut(),
    ) {
        self.paint(number, meanwhile);
        let [first, second] = timestamps;
        for plan in &self.plans {
            let timestamp = if plan.second { second } else { first };
            let sequence = self.head.sequence;
            self.head.sequence = sequence.wrapping_add(1);
            let [high, low] =
                [sequence >> 16, sequence & 0xffff].map(|half| u16::try_from(half).unwrap_or(0));
            let head = self.head;
            let packed = &self.packed;
            into.add(|to| {
                to.extend_from_slice(&[0x80, head.payload_type & 0x7f | u8::from(plan.marker) << 7]);
                to.extend_from_slice(&low.to_be_bytes());
                to.extend_from_slice(&timestamp.to_be_bytes());
                to.extend_from_slice(&head.ssrc.to_be_bytes());
                let mut headers = [(0, false, 0, 0); header::MOST_SEGMENTS];
                for (place, piece) in headers.iter_mut().zip(&plan.pieces) {
                    *place = (piece.bytes, plan.second, piece.row, piece.pixel);
                }
                header::write(high, headers.get(..plan.pieces.len()).unwrap_or_default(), to);
                for piece in &plan.pieces {
                    let bytes = packed.get(piece.at..piece.at + usize::from(piece.bytes));
                    to.extend_from_slice(bytes.unwrap_or_default());
                }
            });
            meanwhile();
        }
    }

    /// Repaints what changes from frame to frame.
    fn paint(&mut self, number: u64, meanwhile: &mut dyn FnMut()) {
        let height = usize::from(self.format.height);
        let mut changed = 0..0;
        if let Some(plate) = &self.plate {
            let is_primary = self.pgroup.order == Order::Primaries;
            for row in 0..height {
                // The second field is of a later moment.
                let moment = match self.format.scan {
                    Scan::Interlaced => number.wrapping_mul(2).wrapping_add(row as u64 % 2),
                    _ => number.wrapping_mul(2),
                };
                let planes = if is_primary { 3 } else { 1 };
                for plane in self.picture.planes.iter_mut().take(planes) {
                    plate.paint(row, moment, plane.row_mut(row, 0));
                    meanwhile();
                }
            }
            changed = 0..height;
        }
        if let Some(place) = self.burn_in {
            self.text.clear();
            time_of_frame(&self.format, number, &mut self.text);
            place.paint(&mut self.picture, &self.text, meanwhile);
            if changed.is_empty() {
                changed = place.top..place.top + place.height;
            }
        }
        if changed.len() == height {
            self.packed.clear();
            for row in (0..height).step_by(self.pgroup.down) {
                pack(self.pgroup, self.picture.samples(row, 0), &mut self.packed);
                meanwhile();
            }
            return;
        }
        let mut fresh = Vec::with_capacity(self.row_bytes);
        for row in changed.step_by(self.pgroup.down) {
            fresh.clear();
            pack(self.pgroup, self.picture.samples(row, 0), &mut fresh);
            let at = row / self.pgroup.down * self.row_bytes;
            if let Some(place) = self.packed.get_mut(at..at + fresh.len()) {
                place.copy_from_slice(&fresh);
            }
            meanwhile();
        }
    }

    /// What is shown.
    pub fn signal(&self) -> Signal {
        self.signal
    }
}

/// The time of day of a frame by its number since the epoch, and the number.
fn time_of_frame(format: &VideoFormat, number: u64, text: &mut String) {
    let rate = format.frame_rate;
    let milliseconds =
        u128::from(number) * 1000 * u128::from(rate.denominator()) / u128::from(rate.numerator());
    let of_day = milliseconds % 86_400_000;
    let (seconds, milliseconds) = (of_day / 1000, of_day % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Writing to a String cannot fail.
    let _ = write!(text, "{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03} TAI {number:011}");
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use model::media::{Colorimetry, Depth, Range, Ratio, Sampling, Transfer};

    pub fn format(sampling: Sampling, depth: Depth) -> VideoFormat {
        VideoFormat {
            sampling,
            depth,
            width: 320,
            height: 180,
            frame_rate: Ratio::new(50, 1).unwrap(),
            scan: Scan::Progressive,
            colorimetry: Colorimetry::Bt709,
            transfer: Transfer::Sdr,
            range: Range::Narrow,
            packing: Packing::General,
            max_udp_bytes: 1460,
            sender_type: None,
            offset_us: None,
            burst_packets: None,
            pixel_aspect: Ratio::new(1, 1).unwrap(),
        }
    }

    pub const HEAD: Head = Head { payload_type: 96, ssrc: 7, sequence: 0xffff_fff0 };

    #[test]
    fn packets_a_frame_of_well_known_rasters() {
        let of = |width, height, scan, packing| {
            let format =
                VideoFormat { width, height, scan, packing, ..format(Sampling::YCbCr422, Depth::Ten) };
            VideoMaker::new(&format, Signal::Bars, true, HEAD).unwrap().packets()
        };
        assert_eq!(of(1920, 1080, Scan::Progressive, Packing::General), [4320, 0]);
        assert_eq!(of(1920, 1080, Scan::Progressive, Packing::Block), [4115, 0]);
        assert_eq!(of(1920, 1080, Scan::Interlaced, Packing::Block), [2058, 2058]);
        assert_eq!(of(1920, 1080, Scan::Segmented, Packing::General), [2160, 2160]);
        assert_eq!(of(1280, 720, Scan::Progressive, Packing::Block), [1829, 0]);
        assert_eq!(of(3840, 2160, Scan::Progressive, Packing::Block), [16458, 0]);
        // 1425 octets in each, of two rows where one ends.
        let filled = |scan| {
            let format = VideoFormat { scan, ..format(Sampling::YCbCr422, Depth::Ten) };
            let format = VideoFormat { width: 1920, height: 1080, ..format };
            VideoMaker::filled(&format, Signal::Bars, true, HEAD).unwrap().packets()
        };
        assert_eq!(filled(Scan::Progressive), [3638, 0]);
        assert_eq!(filled(Scan::Interlaced), [1819, 1819]);
    }

    #[test]
    fn no_packet_is_small_before_the_last() {
        for width in [320, 352, 480, 640, 720, 768, 854, 960, 1024, 1280, 1920, 2048, 3840] {
            for (sampling, depth) in [(Sampling::YCbCr422, Depth::Ten), (Sampling::Rgb, Depth::Twelve)] {
                let format = VideoFormat { width, height: 90, ..format(sampling, depth) };
                let mut maker = VideoMaker::new(&format, Signal::Bars, false, HEAD).unwrap();
                let mut batch = Batch::default();
                maker.frame(0, [0; 2], &mut batch);
                let sizes: Vec<usize> = batch.iter().map(|packet| packet.len() + 8).collect();
                let (_, but_last) = sizes.split_last().unwrap();
                assert!(but_last.iter().all(|size| *size >= 1000), "{width} {sampling:?}: {sizes:?}");
            }
        }
    }

    #[test]
    fn no_packet_is_too_large() {
        for sampling in
            [Sampling::YCbCr422, Sampling::YCbCr444, Sampling::YCbCr420, Sampling::Rgb, Sampling::Key]
        {
            let make = [VideoMaker::new, VideoMaker::filled];
            for (depth, make) in Depth::ALL.iter().flat_map(|depth| make.map(|make| (depth, make))) {
                for (width, max_udp_bytes) in [(1, 0), (9, 1460), (320, 1460), (1919, 1460), (1920, 8960)] {
                    let format = VideoFormat { width, height: 9, max_udp_bytes, ..format(sampling, *depth) };
                    let Ok(mut maker) = make(&format, Signal::Bars, false, HEAD) else { continue };
                    let mut batch = Batch::default();
                    maker.frame(0, [0; 2], &mut batch);
                    let most = usize::from(max_udp_bytes.max(1460)) - 8;
                    assert!(batch.iter().all(|packet| packet.len() <= most), "{format:?}");
                    assert_eq!(batch.len(), maker.packets()[0]);
                }
            }
        }
    }

    #[test]
    fn nobody_waits_for_longer_than_a_row_or_a_packet() {
        for signal in [Signal::Bars, Signal::ZonePlate] {
            let format = format(Sampling::YCbCr422, Depth::Ten);
            let mut makers = [true; 2].map(|time| VideoMaker::new(&format, signal, time, HEAD).unwrap());
            let (mut alone, mut beside, mut calls) = (Batch::default(), Batch::default(), 0);
            makers[0].frame(420, [7; 2], &mut alone);
            makers[1].frame_meanwhile(420, [7; 2], &mut beside, &mut || calls += 1);
            assert!(alone.iter().eq(beside.iter()) && alone.len() > 90);
            // All rows are painted and packed, or those with the time.
            let rows =
                if signal == Signal::ZonePlate { 2 * 180 } else { 2 * makers[1].burn_in.unwrap().height };
            assert!(calls >= alone.len() + rows, "{signal:?}: {calls}");
        }
    }

    #[test]
    fn what_cannot_be_made_is_refused() {
        let new = |format: &VideoFormat| VideoMaker::new(format, Signal::Bars, false, HEAD).err();
        assert!(
            new(&VideoFormat { scan: Scan::Interlaced, ..format(Sampling::YCbCr420, Depth::Ten) }).is_some()
        );
        assert!(new(&format(Sampling::YCbCr420, Depth::Sixteen)).is_some());
        let blocks = VideoFormat { packing: Packing::Block, ..format(Sampling::YCbCr422, Depth::Ten) };
        assert!(new(&blocks).is_none());
        assert!(new(&VideoFormat { width: 160, ..blocks.clone() }).is_some());
        assert!(new(&VideoFormat { depth: Depth::Sixteen, ..blocks }).is_some());
    }

    #[test]
    fn the_time_of_a_frame() {
        let mut text = String::new();
        let format = VideoFormat {
            frame_rate: Ratio::new(60_000, 1001).unwrap(),
            ..format(Sampling::Key, Depth::Ten)
        };
        time_of_frame(&format, 60_000, &mut text);
        assert_eq!(text, "00:16:41.000 TAI 00000060000");
        assert_eq!(text.len(), LETTERS);
    }
}
