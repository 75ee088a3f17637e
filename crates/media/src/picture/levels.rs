//! Which numbers mean black, white and no colour (ST 2110-20:2022 §7.3, ITU-R BT.2100-2 table 9).

use model::media::{Depth, Range, Sampling, VideoFormat};

use super::half;

/// The numbers of a format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    black: f32,
    white: f32,
    neutral: f32,
    /// From the lowest to the highest of a colour difference.
    swing: f32,
    lowest: u16,
    highest: u16,
    is_float: bool,
}

impl Levels {
    /// Those of a format.
    pub fn of(format: &VideoFormat) -> Levels {
        // X'Y'Z' has no narrow range (ST 428-1).
        let range = if format.sampling == Sampling::Xyz { Range::Full } else { format.range };
        Levels::with(format.depth, range)
    }

    fn with(depth: Depth, range: Range) -> Levels {
        let bits = depth.bits();
        let unit = 1_u16 << (bits - 8);
        let top = u16::MAX >> (16 - bits);
        let (unit_f, top_f) = (f32::from(unit), f32::from(top));
        let half_f = 128.0 * unit_f;
        if depth == Depth::SixteenFloat {
            return Levels {
                black: 0.0,
                white: 1.0,
                neutral: 0.0,
                swing: 1.0,
                lowest: 0,
                highest: u16::MAX,
                is_float: true,
            };
        }
        let (lowest, highest) = match range {
            Range::Full => (0, top),
            // What SDI reserves for synchronisation is left out.
            Range::Narrow | Range::FullProtect => (unit, top - unit),
        };
        match range {
            Range::Narrow => Levels {
                black: 16.0 * unit_f,
                white: 235.0 * unit_f,
                neutral: half_f,
                swing: 224.0 * unit_f,
                lowest,
                highest,
                is_float: false,
            },
            Range::FullProtect | Range::Full => Levels {
                black: 0.0,
                white: top_f,
                neutral: half_f,
                swing: top_f,
                lowest,
                highest,
                is_float: false,
            },
        }
    }

    /// The number for a part of white.
    pub fn tone(&self, value: f32) -> u16 {
        self.number(self.black + value * (self.white - self.black))
    }

    /// The number for a colour difference between -0.5 and 0.5.
    pub fn difference(&self, value: f32) -> u16 {
        self.number(self.neutral + value * self.swing)
    }

    /// The part of white that a number means.
    pub fn to_tone(&self, number: u16) -> f32 {
        (self.value(number) - self.black) / (self.white - self.black)
    }

    /// The colour difference that a number means.
    pub fn to_difference(&self, number: u16) -> f32 {
        (self.value(number) - self.neutral) / self.swing
    }

    /// Black.
    pub fn black(&self) -> u16 {
        self.tone(0.0)
    }

    /// White.
    pub fn white(&self) -> u16 {
        self.tone(1.0)
    }

    /// No colour.
    pub fn neutral(&self) -> u16 {
        self.difference(0.0)
    }

    /// The numbers that may be sent; for floating point, those of 0 and 1.
    pub fn legal(&self) -> (u16, u16) {
        if self.is_float { (self.black(), self.white()) } else { (self.lowest, self.highest) }
    }

    fn value(&self, number: u16) -> f32 {
        if self.is_float { half::to_f32(number) } else { f32::from(number) }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held between two numbers of 16 bits"
    )]
    fn number(&self, value: f32) -> u16 {
        if self.is_float {
            return half::from_f32(value);
        }
        value.round().clamp(f32::from(self.lowest), f32::from(self.highest)) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_numbers() {
        let ten = Levels::with(Depth::Ten, Range::Narrow);
        assert_eq!((ten.black(), ten.white(), ten.neutral(), ten.legal()), (64, 940, 512, (4, 1019)));
        assert_eq!((ten.tone(0.75), ten.tone(-1.0), ten.difference(0.5)), (721, 4, 960));
        let full = Levels::with(Depth::Twelve, Range::Full);
        assert_eq!((full.black(), full.white(), full.neutral()), (0, 4095, 2048));
        let float = Levels::with(Depth::SixteenFloat, Range::Narrow);
        assert_eq!((float.black(), float.white(), float.to_tone(0x3800)), (0, 0x3c00, 0.5));
    }
}
