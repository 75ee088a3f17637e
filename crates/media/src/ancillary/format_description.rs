//! Which part of the picture matters, and where its bars are (ST 2016-1, ST 2016-3).
//!
//! The texts of SMPTE were not read; the places of the bits are those on which public notes agree.

/// Active format description with bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FormatDescription {
    /// The code, 0–15.
    pub code: u8,
    /// Whether the coded frame is 16:9, else 4:3.
    pub wide: bool,
    /// Bars, where some are said.
    pub bars: Option<Bars>,
}

/// Bars that hold no picture: at the top and bottom in lines, at left and right in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bars {
    /// The last line of the bar above, and the first of the bar below.
    Horizontal {
        /// Above.
        top: u16,
        /// Below.
        bottom: u16,
    },
    /// The last pixel of the left bar, and the first of the right one.
    Vertical {
        /// Left.
        left: u16,
        /// Right.
        right: u16,
    },
    /// Flags that contradict each other.
    Unclear(u8),
}

/// Words of user data.
pub const WORDS: usize = 8;

/// Reads the eight values.
pub fn parse(values: &[u8]) -> Option<FormatDescription> {
    let [first, _, _, flags, a, b, c, d] = *values.first_chunk::<WORDS>()?;
    let (one, two) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let bars = match flags >> 4 {
        0 => None,
        0b1000 => Some(Bars::Horizontal { top: one, bottom: 0 }),
        0b0100 => Some(Bars::Horizontal { top: 0, bottom: one }),
        0b1100 => Some(Bars::Horizontal { top: one, bottom: two }),
        0b0010 => Some(Bars::Vertical { left: one, right: 0 }),
        0b0001 => Some(Bars::Vertical { left: 0, right: one }),
        0b0011 => Some(Bars::Vertical { left: one, right: two }),
        other => Some(Bars::Unclear(other)),
    };
    Some(FormatDescription { code: (first >> 3) & 0xf, wide: first & 4 != 0, bars })
}

/// The eight values of a description without bars, or with both bars of one direction.
pub fn write(description: &FormatDescription) -> [u8; WORDS] {
    let first = ((description.code & 0xf) << 3) | (u8::from(description.wide) << 2);
    let (flags, one, two) = match description.bars {
        None => (0, 0, 0),
        Some(Bars::Horizontal { top, bottom }) => (0xc0, top, bottom),
        Some(Bars::Vertical { left, right }) => (0x30, left, right),
        Some(Bars::Unclear(flags)) => (flags << 4, 0, 0),
    };
    let ([a, b], [c, d]) = (one.to_be_bytes(), two.to_be_bytes());
    [first, 0, 0, flags, a, b, c, d]
}

/// What a code means.
pub const fn meaning(code: u8) -> &'static str {
    match code {
        2 => "16:9 at the top of the frame",
        3 => "14:9 at the top of the frame",
        4 => "wider than 16:9, centred",
        8 => "the whole frame",
        9 => "4:3, centred",
        10 => "16:9, centred, whole picture protected",
        11 => "14:9, centred",
        13 => "4:3, made for 14:9",
        14 => "16:9, made for 14:9",
        15 => "16:9, made for 4:3",
        0 => "not known",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_read_as_they_are_written() {
        let bars = [
            None,
            Some(Bars::Horizontal { top: 70, bottom: 1011 }),
            Some(Bars::Vertical { left: 240, right: 1680 }),
        ];
        for code in 0..16 {
            for wide in [false, true] {
                for bars in bars {
                    let description = FormatDescription { code, wide, bars };
                    assert_eq!(parse(&write(&description)), Some(description));
                }
            }
        }
        assert_eq!(parse(&[0x44, 0, 0, 0x90, 0, 0, 0, 0]).unwrap().bars, Some(Bars::Unclear(9)));
        assert_eq!(parse(&[0; 7]), None);
    }
}
