//! Pictures out of packets, with what is missing counted (ST 2110-20:2022 §6).

use model::media::{Scan, VideoFormat};

use super::coverage::Coverage;
use super::header;
use super::pgroup::{Pgroup, rows_of_field};
use super::unpack::unpack;
use crate::Packet;
use crate::picture::Picture;

/// Frames that are open at a time: the newest and the one before, for packets that were overtaken.
const OPEN: usize = 2;

/// Frames that were given away and whose stragglers are known as such.
const REMEMBERED: usize = 4;

/// A frame of which less than one part in so many came when others took its place is no picture: its timestamp was
/// damaged, or the stream is not what was said. To make a picture of each such packet would cost too much.
const SCRAP: usize = 16;

/// A frame that is being put together.
#[derive(Debug, Clone)]
struct Open {
    picture: Picture,
    /// Of each field, or of the frame and none.
    coverage: [Coverage; 2],
    fields: usize,
    /// Counts what was begun.
    age: u64,
}

impl Open {
    fn holds(&self, timestamp: u32, field: usize) -> bool {
        self.picture.timestamps.get(field).is_some_and(|at| *at == Some(timestamp))
    }

    fn is_complete(&self) -> bool {
        self.coverage.iter().take(self.fields).all(Coverage::is_complete)
    }
}

/// Puts pictures together. It keeps two frames, whatever comes.
#[derive(Debug, Clone)]
pub struct Assembler {
    format: VideoFormat,
    pgroup: Pgroup,
    open: Vec<Open>,
    done: [Option<(u32, usize)>; REMEMBERED],
    begun: u64,
    /// Row numbers begin with these, once seen: senders of plain RFC 4175 count SDI lines.
    first_row: [u16; 2],
    late: u64,
    scraps: u64,
    /// Memory of the last scrap, to be used again.
    spare: Option<Open>,
}

impl Assembler {
    /// For a format; `None` where ST 2110-20 has no such, or its pictures are too large.
    pub fn new(format: &VideoFormat) -> Option<Assembler> {
        let assembler = Assembler {
            format: format.clone(),
            pgroup: Pgroup::of_format(format)?,
            open: Vec::with_capacity(OPEN),
            done: [None; REMEMBERED],
            begun: 0,
            first_row: [0; 2],
            late: 0,
            scraps: 0,
            spare: None,
        };
        Picture::black(format)?;
        assembler.coverage()?;
        Some(assembler)
    }

    /// Rows are counted from these numbers in the first and the second field, as [`model::media::video::VideoFacts`] says.
    pub fn count_rows_from(&mut self, first_row: [u16; 2]) {
        self.first_row = first_row;
    }

    /// Packets of frames that were given away already.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Frames that were given up because next to nothing of them came.
    pub fn scraps(&self) -> u64 {
        self.scraps
    }

    fn coverage(&self) -> Option<[Coverage; 2]> {
        let of = |field| {
            let rows = rows_of_field(&self.format, field).div_ceil(self.pgroup.down);
            Coverage::new(self.pgroup.per_row(self.format.width), rows)
        };
        Some([of(0)?, of(1)?])
    }

    /// Takes a packet; gives a picture where one is complete, or will not become more complete.
    pub fn handle(&mut self, packet: &Packet<'_>) -> Option<Picture> {
        let payload = header::parse(packet.rtp.payload).ok()?;
        let timestamp = packet.rtp.timestamp;
        let is_second = |second: bool| usize::from(second && self.format.scan != Scan::Progressive);
        let field = is_second(payload.segments().next()?.second_field);
        let mut finished = None;
        let index = match self.open.iter().position(|open| open.holds(timestamp, field)) {
            Some(index) => index,
            None if self.done.contains(&Some((timestamp, field))) => {
                self.late += 1;
                return None;
            }
            None => match self.partner(timestamp, field) {
                Some(index) => index,
                None => {
                    finished = self.make_room();
                    self.begin()?;
                    self.open.len().checked_sub(1)?
                }
            },
        };
        let open = self.open.get_mut(index)?;
        open.picture.timestamps.iter_mut().skip(field).take(1).for_each(|at| *at = Some(timestamp));
        for segment in payload.segments() {
            let Some(row) = segment.row.checked_sub(self.first_row.into_iter().nth(field).unwrap_or(0))
            else {
                continue;
            };
            let row = usize::from(row) / self.pgroup.down;
            if row >= rows_of_field(&self.format, field).div_ceil(self.pgroup.down) {
                continue;
            }
            let group = usize::from(segment.offset) / self.pgroup.across;
            let groups = segment.bytes.len() / self.pgroup.bytes;
            if let Some(coverage) = open.coverage.get_mut(field) {
                coverage.add(row, group, groups);
            }
            let row = match open.fields {
                1 => row * self.pgroup.down,
                _ => row * 2 + field,
            };
            unpack(self.pgroup, segment.bytes, open.picture.rows(row, group * self.pgroup.across));
        }
        if finished.is_none() && open.is_complete() {
            let open = self.open.remove(index);
            finished = Some(self.finish(open));
        }
        finished
    }

    /// The frame whose other field has come: of the same moment (segments), or of half a frame before.
    fn partner(&self, timestamp: u32, field: usize) -> Option<usize> {
        if self.format.scan == Scan::Progressive {
            return None;
        }
        let rate = self.format.frame_rate;
        let ticks = 90_000 * u64::from(rate.denominator()) / u64::from(rate.numerator());
        let mut frames = self.open.iter().enumerate().rev();
        frames
            .find(|(_, open)| {
                let [first, second] = open.picture.timestamps;
                let apart = match (field, first, second) {
                    (1, Some(first), None) => timestamp.wrapping_sub(first),
                    (0, None, Some(second)) => second.wrapping_sub(timestamp),
                    _ => return false,
                };
                u64::from(apart) < ticks
            })
            .map(|(index, _)| index)
    }

    fn begin(&mut self) -> Option<()> {
        let fields = if self.format.scan == Scan::Progressive { 1 } else { 2 };
        self.begun += 1;
        let age = self.begun;
        let open = match self.spare.take() {
            Some(spare) => Open { age, ..spare },
            None => Open { picture: Picture::black(&self.format)?, coverage: self.coverage()?, fields, age },
        };
        self.open.push(open);
        Some(())
    }

    /// Gives the oldest frame away where there are as many as we keep.
    fn make_room(&mut self) -> Option<Picture> {
        if self.open.len() < OPEN {
            return None;
        }
        let open = self.take_oldest()?;
        let covered: usize = open.coverage.iter().take(open.fields).map(Coverage::covered).sum();
        let groups =
            self.pgroup.per_row(self.format.width) * usize::from(self.format.height) / self.pgroup.down;
        if covered < groups / SCRAP {
            self.remember(open.picture.timestamps);
            self.scraps += 1;
            self.spare = Some(self.emptied(open));
            return None;
        }
        Some(self.finish(open))
    }

    /// A frame made new, at the cost of what was in it.
    fn emptied(&self, mut open: Open) -> Open {
        let (step, fields) = (self.pgroup.down.max(open.fields), open.fields);
        for (field, coverage) in open.coverage.iter_mut().enumerate().take(fields) {
            let rows = coverage.touched_rows();
            open.picture.blacken(rows.start * step..rows.end * step);
            coverage.restart(rows_of_field(&self.format, field).div_ceil(self.pgroup.down));
        }
        open.picture.timestamps = [None; 2];
        open
    }

    fn take_oldest(&mut self) -> Option<Open> {
        let (index, _) = self.open.iter().enumerate().min_by_key(|(_, open)| open.age)?;
        Some(self.open.remove(index))
    }

    /// The oldest frame as far as it came; at the end of a stream, until there is none.
    pub fn poll(&mut self) -> Option<Picture> {
        let open = self.take_oldest()?;
        Some(self.finish(open))
    }

    fn remember(&mut self, timestamps: [Option<u32>; 2]) {
        for (field, timestamp) in timestamps.into_iter().enumerate() {
            if let Some(timestamp) = timestamp {
                self.done.rotate_right(1);
                self.done.iter_mut().take(1).for_each(|place| *place = Some((timestamp, field)));
            }
        }
    }

    fn finish(&mut self, open: Open) -> Picture {
        let Open { mut picture, coverage, fields, .. } = open;
        let groups: u64 = coverage.iter().take(fields).map(|it| it.missing().groups).sum();
        let all = u64::from(self.format.width) * u64::from(self.format.height);
        let pixels = groups * (self.pgroup.across * self.pgroup.down) as u64;
        picture.missing_pixels = pixels.min(all);
        self.remember(picture.timestamps);
        picture
    }
}
