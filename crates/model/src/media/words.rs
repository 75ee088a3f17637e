//! Formats and sources of sessions in the words that people read.

use core::fmt;

use super::format::{AudioFormat, CompressedFormat, Essence, Scan, VideoFormat};
use super::session::SessionSource;

impl Scan {
    /// One letter for it, as in `1080i50`.
    pub const fn letter(self) -> &'static str {
        match self {
            Scan::Progressive => "p",
            Scan::Interlaced => "i",
            Scan::Segmented => "psf",
        }
    }
}

impl fmt::Display for VideoFormat {
    /// `1920x1080p50 YCbCr-4:2:2 10-bit BT709`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}x{}{}{} {} {}-bit {}",
            self.width,
            self.height,
            self.scan.letter(),
            self.frame_rate,
            self.sampling.token(),
            self.depth.token(),
            self.colorimetry.token()
        )
    }
}

impl fmt::Display for CompressedFormat {
    /// `JPEG XS 1920x1080p50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JPEG XS")?;
        if let (Some(width), Some(height)) = (self.width, self.height) {
            write!(f, " {width}x{height}{}", self.scan.letter())?;
            if let Some(rate) = self.frame_rate {
                write!(f, "{rate}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for AudioFormat {
    /// `L24 48 kHz 8 ch 1 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.am824 { "AM824" } else { "L" };
        f.write_str(name)?;
        if !self.am824 {
            write!(f, "{}", self.bits)?;
        }
        let (whole, rest) = (self.sample_rate / 1000, self.sample_rate % 1000);
        write!(f, " {whole}")?;
        if rest > 0 {
            write!(f, ".{}", rest / 100)?;
        }
        write!(f, " kHz {} ch", self.channels)?;
        match self.packet_time_ns {
            Some(time) if time.is_multiple_of(1_000_000) => write!(f, " {} ms", time / 1_000_000),
            Some(time) => write!(f, " {} µs", time / 1000),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Essence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Essence::Video(format) => format.fmt(f),
            Essence::RawVideo(_) => f.write_str("uncompressed video"),
            Essence::Compressed(format) => format.fmt(f),
            Essence::Audio(format) => format.fmt(f),
            Essence::Ancillary(format) => {
                f.write_str("ancillary data")?;
                match format.frame_rate {
                    Some(rate) => write!(f, " at {rate}"),
                    None => Ok(()),
                }
            }
            Essence::FastMetadata(_) => f.write_str("fast metadata"),
            Essence::TimedText => f.write_str("timed text"),
            Essence::Sdi => f.write_str("SDI (ST 2022-6)"),
            Essence::TransportStream => f.write_str("MPEG transport stream"),
            Essence::Other(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for SessionSource {
    /// `camera.sdp`, `SAP from 192.0.2.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionSource::File(name) | SessionSource::Policy(name) => f.write_str(name),
            SessionSource::Sap(origin) => write!(f, "SAP from {origin}"),
            SessionSource::Rtsp(server) => write!(f, "RTSP with {server}"),
            SessionSource::Nmos { api, id } => write!(f, "NMOS {id} at {api}"),
        }
    }
}
