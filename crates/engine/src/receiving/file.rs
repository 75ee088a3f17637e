//! What is made of packets: pictures, sound, ancillary data, codestreams, each into its file.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;

use media::Packet;
use media::ancillary::{self, kind};
use media::jpeg_xs::Depacketiser;
use media::picture::{Picture, PngDepth, png, raw};
use media::sound::{Planar, Sequence, Wav};
use media::video::Assembler;
use model::media::{AudioFormat, VideoFormat};

use super::Sink;

/// As a picture becomes a still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// The folder.
    pub folder: PathBuf,
    /// One of so many frames.
    pub every: u64,
}

/// Pictures: raw planes one after the other, or stills.
pub struct Pictures {
    assembler: Assembler,
    raw: Option<BufWriter<File>>,
    stills: Option<Still>,
    limit: Option<u64>,
    /// Whether a picture was seen: the first one seldom comes from its first packet on.
    begun: bool,
    frames: u64,
    with_gaps: u64,
    left_out: u64,
    written_stills: u64,
}

impl Pictures {
    /// Into a file, stills, or both; ends after so many frames.
    pub fn new(
        format: &VideoFormat,
        raw: Option<File>,
        stills: Option<Still>,
        limit: Option<u64>,
    ) -> io::Result<Pictures> {
        let assembler = Assembler::new(format)
            .ok_or_else(|| io::Error::other("ST 2110-20 has no such pictures, or they are too large"))?;
        Ok(Pictures {
            assembler,
            raw: raw.map(BufWriter::new),
            stills,
            limit,
            begun: false,
            frames: 0,
            with_gaps: 0,
            left_out: 0,
            written_stills: 0,
        })
    }

    fn write(&mut self, picture: &Picture) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) && picture.missing_pixels > 0 {
            self.left_out += 1;
            return Ok(());
        }
        if self.limit.is_some_and(|limit| self.frames >= limit) {
            return Ok(());
        }
        if let Some(file) = &mut self.raw {
            let (_, bytes) =
                raw(picture).ok_or_else(|| io::Error::other("no raw form is known of this format"))?;
            file.write_all(&bytes)?;
        }
        if let Some(still) = &self.stills
            && self.frames.is_multiple_of(still.every.max(1))
        {
            let path = still.folder.join(format!("frame-{:06}.png", self.frames));
            std::fs::write(&path, png(picture, PngDepth::Eight)).map_err(|error| {
                io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
            })?;
            self.written_stills += 1;
        }
        self.frames += 1;
        self.with_gaps += u64::from(picture.missing_pixels > 0);
        Ok(())
    }
}

impl Sink for Pictures {
    fn take(&mut self, packet: &Packet<'_>) -> io::Result<bool> {
        if let Some(picture) = self.assembler.handle(packet) {
            self.write(&picture)?;
        }
        Ok(self.limit.is_none_or(|limit| self.frames < limit))
    }

    fn end(&mut self) -> io::Result<Vec<(String, u64)>> {
        // What had no time to become whole is not a picture that anybody sent.
        while let Some(picture) = self.assembler.poll() {
            if picture.missing_pixels == 0 {
                self.write(&picture)?;
            } else {
                self.left_out += 1;
            }
        }
        if let Some(file) = &mut self.raw {
            file.flush()?;
        }
        Ok(vec![
            ("frames".to_owned(), self.frames),
            ("frames with gaps".to_owned(), self.with_gaps),
            ("frames cut at the begin or end, left out".to_owned(), self.left_out),
            ("stills".to_owned(), self.written_stills),
        ])
    }
}

/// Sound, as WAV.
pub struct Sound {
    sequence: Sequence,
    wav: Wav,
    file: BufWriter<File>,
    planar: Planar,
    block: Vec<u8>,
    samples: u64,
    limit: Option<u64>,
}

impl Sound {
    /// Into a file; ends after so many samples of each channel.
    pub fn new(format: &AudioFormat, file: File, limit: Option<u64>) -> io::Result<Sound> {
        let wav = Wav::new(format);
        let mut file = BufWriter::new(file);
        file.write_all(&wav.head(0))?;
        Ok(Sound {
            sequence: Sequence::new(format),
            wav,
            file,
            planar: Planar::new(format.channels),
            block: Vec::new(),
            samples: 0,
            limit,
        })
    }
}

impl Sink for Sound {
    fn take(&mut self, packet: &Packet<'_>) -> io::Result<bool> {
        self.planar.clear();
        self.block.clear();
        self.sequence.handle(packet, &mut self.planar);
        self.wav.block(&self.planar, &mut self.block);
        self.file.write_all(&self.block)?;
        self.samples += u64::try_from(self.planar.samples()).unwrap_or(0);
        Ok(self.limit.is_none_or(|limit| self.samples < limit))
    }

    fn end(&mut self) -> io::Result<Vec<(String, u64)>> {
        self.file.write_all(self.wav.tail(self.samples))?;
        // A pipe has no begin to go back to: its head says nothing of the length.
        if self.file.seek(SeekFrom::Start(0)).is_ok() {
            self.file.write_all(&self.wav.head(self.samples))?;
        }
        self.file.flush()?;
        Ok(vec![
            ("samples of each channel".to_owned(), self.samples),
            ("samples that stand for lost ones".to_owned(), self.sequence.filled()),
            ("times that the timestamps began anew".to_owned(), self.sequence.beginnings().saturating_sub(1)),
        ])
    }
}

/// Ancillary data, as text: a line for each packet.
pub struct Ancillary {
    file: BufWriter<File>,
    packets: u64,
    wrong: u64,
}

impl Ancillary {
    /// Into a file.
    pub fn new(file: File) -> Ancillary {
        Ancillary { file: BufWriter::new(file), packets: 0, wrong: 0 }
    }
}

impl Sink for Ancillary {
    fn take(&mut self, packet: &Packet<'_>) -> io::Result<bool> {
        let Ok(payload) = ancillary::parse(packet.rtp.payload) else {
            self.wrong += 1;
            return Ok(true);
        };
        let time = packet.time.map(model::Timestamp::rfc3339_ns).unwrap_or_default();
        for one in payload.packets() {
            let Ok(one) = one else {
                self.wrong += 1;
                break;
            };
            let (did, sdid) = one.kind();
            let name = kind::name(did, sdid).map_or("unknown", |(name, _)| name);
            let line = one.place.line;
            write!(
                self.file,
                "{time} rtp={} {} {line} {did:02x}/{sdid:02x} {name}:",
                packet.rtp.timestamp, payload.field
            )?;
            for word in one.words.iter() {
                write!(self.file, " {:02x}", word.value())?;
            }
            let sound = one.parity_holds() && one.checksum_holds();
            writeln!(self.file, "{}", if sound { "" } else { " (parity or checksum wrong)" })?;
            self.packets += 1;
            self.wrong += u64::from(!sound);
        }
        Ok(true)
    }

    fn end(&mut self) -> io::Result<Vec<(String, u64)>> {
        self.file.flush()?;
        Ok(vec![("ancillary packets".to_owned(), self.packets), ("wrong ones".to_owned(), self.wrong)])
    }
}

/// JPEG XS codestreams, one behind the other.
pub struct Codestreams {
    depacketiser: Depacketiser,
    file: BufWriter<File>,
    count: u64,
    limit: Option<u64>,
}

impl Codestreams {
    /// Into a file; ends after so many.
    pub fn new(file: File, limit: Option<u64>) -> Codestreams {
        Codestreams { depacketiser: Depacketiser::default(), file: BufWriter::new(file), count: 0, limit }
    }
}

impl Sink for Codestreams {
    fn take(&mut self, packet: &Packet<'_>) -> io::Result<bool> {
        if let Some(whole) = self.depacketiser.handle(packet) {
            self.file.write_all(whole.codestream())?;
            self.count += 1;
        }
        Ok(self.limit.is_none_or(|limit| self.count < limit))
    }

    fn end(&mut self) -> io::Result<Vec<(String, u64)>> {
        self.file.flush()?;
        let dropped = self.depacketiser.dropped();
        Ok(vec![
            ("codestreams".to_owned(), self.count),
            ("codestreams that were not whole".to_owned(), dropped),
        ])
    }
}
