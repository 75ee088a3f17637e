//! Opens capture files: plain, gzip (RFC 1952) or Zstandard (RFC 8878), or standard input; and tells how far we are.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A capture that can be read, from its first byte on.
pub struct CaptureFile {
    /// What it is called.
    pub name: String,
    /// Its bytes, decompressed.
    pub bytes: Box<dyn Read + Send>,
    /// Its size as it is stored; `None` where it has no end that we know.
    pub stored_bytes: Option<u64>,
    /// How much of what is stored has been read.
    pub read_bytes: Arc<AtomicU64>,
}

/// How a file is compressed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    fn of(first: &[u8]) -> Packing {
        match first {
            [0x1f, 0x8b, 8, ..] => Packing::Gzip,
            // A frame, or a frame that readers skip (RFC 8878 §3.1.1 and §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
            _ => Packing::None,
        }
    }
}

/// Opens a file.
pub fn open(path: &Path) -> io::Result<CaptureFile> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, and a capture is a file"));
    }
    let stored = about.is_file().then_some(about.len());
    CaptureFile::of(path.display().to_string(), stored, file)
}

/// Standard input.
pub fn standard_input() -> io::Result<CaptureFile> {
    CaptureFile::of(String::from("standard input"), None, io::stdin())
}

impl CaptureFile {
    /// From bytes as they are stored, compressed or not.
    pub fn of(
        name: String,
        stored_bytes: Option<u64>,
        stored: impl Read + Send + 'static,
    ) -> io::Result<CaptureFile> {
        let read_bytes = Arc::new(AtomicU64::new(0));
        let mut stored = Counted { stored, read: Arc::clone(&read_bytes) };
        let mut first = Vec::with_capacity(4);
        stored.by_ref().take(4).read_to_end(&mut first)?;
        let packing = Packing::of(&first);
        let whole = io::Cursor::new(first).chain(stored);
        let bytes: Box<dyn Read + Send> = match packing {
            Packing::None => Box::new(whole),
            // A file that grew by appending has several members.
            Packing::Gzip => Box::new(Unpacked::new(flate2::bufread::MultiGzDecoder::new(
                BufReader::with_capacity(BLOCK, whole),
            ))),
            Packing::Zstd => Box::new(Unpacked::new(Frames {
                stored: Some(BufReader::with_capacity(BLOCK, whole)),
                frame: None,
            })),
        };
        Ok(CaptureFile { name, bytes, stored_bytes, read_bytes })
    }
}

const BLOCK: usize = 256 * 1024;

/// Counts what is read of a file.
struct Counted<R> {
    stored: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.stored.read(into)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// What a file unpacks to: a capture, and not again something packed.
struct Unpacked<R> {
    bytes: R,
    begun: bool,
}

impl<R> Unpacked<R> {
    fn new(bytes: R) -> Unpacked<R> {
        Unpacked { bytes, begun: false }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        if !self.begun && count > 0 {
            self.begun = true;
            if Packing::of(into.get(..count).unwrap_or_default()) != Packing::None {
                let what = "it is packed twice; unpack it once";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        Ok(count)
    }
}

/// Zstandard frames one behind the other, as one stream of bytes.
struct Frames<R: Read> {
    stored: Option<BufReader<R>>,
    frame: Option<ruzstd::decoding::StreamingDecoder<BufReader<R>, ruzstd::decoding::FrameDecoder>>,
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(into)?;
                if count > 0 {
                    return Ok(count);
                }
                self.stored = self.frame.take().map(ruzstd::decoding::StreamingDecoder::into_inner);
            }
            let Some(mut stored) = self.stored.take() else { return Ok(0) };
            if io::BufRead::fill_buf(&mut stored)?.is_empty() {
                return Ok(0);
            }
            if skip_frame(&mut stored)? {
                self.stored = Some(stored);
                continue;
            }
            let frame = ruzstd::decoding::StreamingDecoder::new(stored)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            self.frame = Some(frame);
        }
    }
}

/// Passes over a frame that readers skip (RFC 8878 §3.1.2), if one begins here.
fn skip_frame(stored: &mut impl io::BufRead) -> io::Result<bool> {
    let [0x50..=0x5f, ..] = stored.fill_buf()? else { return Ok(false) };
    let mut head = [0; 8];
    stored.read_exact(&mut head)?;
    let [.., a, b, c, d] = head;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    io::copy(&mut stored.take(length), &mut io::sink())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn all(stored: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut file = CaptureFile::of(String::from("t"), None, io::Cursor::new(stored))?;
        let mut bytes = Vec::new();
        file.bytes.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn however_it_is_packed_the_bytes_are_the_same() {
        let plain: Vec<u8> = (0..200_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        let (first, second) = plain.split_at(123_457);
        assert_eq!(all(plain.clone()).unwrap(), plain);
        assert_eq!(all(gzip(&plain)).unwrap(), plain);
        assert_eq!(all([gzip(first), gzip(second)].concat()).unwrap(), plain);
        assert_eq!(all(zstd(&plain)).unwrap(), plain);
        let skipped = [&[0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        assert_eq!(all([zstd(first), skipped.clone(), zstd(second), skipped].concat()).unwrap(), plain);
        for short in [&b""[..], &[0x1f], &[0x28, 0xb5, 0x2f]] {
            assert_eq!(all(short.to_vec()).unwrap(), short);
        }
    }

    #[test]
    fn damaged_packing_is_an_error_and_not_an_end() {
        let plain = vec![7; 50_000];
        for packed in [gzip(&plain), zstd(&plain)] {
            for cut in [5, packed.len() / 2, packed.len() - 1] {
                assert!(all(packed[..cut].to_vec()).is_err(), "{cut} of {}", packed.len());
            }
        }
    }

    #[test]
    fn what_is_packed_twice_is_told() {
        let twice = [gzip(&gzip(b"capture")), zstd(&gzip(b"capture")), gzip(&zstd(b"capture"))];
        for stored in twice {
            assert!(all(stored).unwrap_err().to_string().contains("packed twice"));
        }
    }

    #[test]
    fn what_was_read_is_counted_as_it_is_stored() {
        let packed = gzip(&vec![7; 500_000]);
        let stored = packed.len() as u64;
        let mut file = CaptureFile::of(String::from("t"), Some(stored), io::Cursor::new(packed)).unwrap();
        io::copy(&mut file.bytes, &mut io::sink()).unwrap();
        assert_eq!(file.read_bytes.load(Ordering::Relaxed), stored);
    }
}
