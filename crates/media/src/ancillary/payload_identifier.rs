//! What an SDI interface says that it carries: four octets (ST 352).
//!
//! The text of SMPTE was not read; the codes are those on which public notes agree.

use model::media::Ratio;

/// The payload identifier of an SDI interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadIdentifier(pub [u8; 4]);

impl PayloadIdentifier {
    /// Which interface, by its first octet.
    pub const fn interface(self) -> &'static str {
        match self.0[0] {
            0x81 => "SD, 270 Mbit/s",
            0x82 => "SD, 360 Mbit/s",
            0x83 => "SD, 540 Mbit/s",
            0x84 => "720 lines, 1.5 Gbit/s",
            0x85 => "1080 lines, 1.5 Gbit/s",
            0x87 => "1080 lines, two links of 1.5 Gbit/s",
            0x88 => "720 lines, 3 Gbit/s level A",
            0x89 => "1080 lines, 3 Gbit/s level A",
            0x8a => "1080 lines, 3 Gbit/s level B, two links",
            0x8b => "720 lines, twice, 3 Gbit/s level B",
            0x8c => "1080 lines, twice, 3 Gbit/s level B",
            0xc0 => "2160 lines, 6 Gbit/s",
            0xc1 => "1080 lines, 6 Gbit/s",
            0xce => "2160 lines, 12 Gbit/s",
            0xcf => "1080 lines, 12 Gbit/s",
            _ => "another interface",
        }
    }

    /// Whether the interface is progressive.
    pub const fn progressive_transport(self) -> bool {
        self.0[1] & 0x80 != 0
    }

    /// Whether the picture is progressive.
    pub const fn progressive_picture(self) -> bool {
        self.0[1] & 0x40 != 0
    }

    /// Frames a second.
    pub const fn frame_rate(self) -> Option<Ratio> {
        match self.0[1] & 0xf {
            2 => Ratio::new(24_000, 1001),
            3 => Ratio::new(24, 1),
            4 => Ratio::new(48_000, 1001),
            5 => Ratio::new(25, 1),
            6 => Ratio::new(30_000, 1001),
            7 => Ratio::new(30, 1),
            8 => Ratio::new(48, 1),
            9 => Ratio::new(50, 1),
            10 => Ratio::new(60_000, 1001),
            11 => Ratio::new(60, 1),
            12 => Ratio::new(96, 1),
            13 => Ratio::new(100, 1),
            14 => Ratio::new(120, 1),
            15 => Ratio::new(120_000, 1001),
            _ => None,
        }
    }

    /// How it is sampled.
    pub const fn sampling(self) -> &'static str {
        match self.0[2] & 0xf {
            0 => "YCbCr-4:2:2",
            1 => "YCbCr-4:4:4",
            2 => "RGB",
            3 => "YCbCr-4:2:0",
            4 => "YCbCr-4:2:2 and key",
            5 => "YCbCr-4:4:4 and key",
            6 => "RGB and key",
            10 => "XYZ",
            _ => "another sampling",
        }
    }

    /// Bits of a sample.
    pub const fn bits(self) -> Option<u8> {
        match self.0[3] & 3 {
            0 | 1 => Some(10),
            2 => Some(12),
            _ => None,
        }
    }

    /// In one line.
    pub fn text(self) -> String {
        let rate = self.frame_rate().map_or_else(|| "?".into(), |rate| rate.to_string());
        let scan = match (self.progressive_transport(), self.progressive_picture()) {
            (_, true) if self.progressive_transport() => "progressive",
            (false, true) => "segmented",
            _ => "interlaced",
        };
        format!("{}, {scan}, {rate} frames a second, {}", self.interface(), self.sampling())
    }
}

/// Reads the four values.
pub fn parse(values: &[u8]) -> Option<PayloadIdentifier> {
    values.first_chunk::<4>().copied().map(PayloadIdentifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_put_into_words() {
        let identifier = parse(&[0x89, 0xca, 0x00, 0x01]).unwrap();
        assert_eq!(
            identifier.text(),
            "1080 lines, 3 Gbit/s level A, progressive, 60000/1001 frames a second, YCbCr-4:2:2"
        );
        assert_eq!(identifier.bits(), Some(10));
        assert!(parse(&[0x85, 0x45, 0, 1]).unwrap().text().contains("segmented, 25"));
        assert!(parse(&[0x85, 0x05, 0, 1]).unwrap().text().contains("interlaced"));
        assert_eq!(parse(&[1, 2, 3]), None);
    }
}
