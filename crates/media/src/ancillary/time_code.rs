//! Ancillary time code: hours, minutes, seconds, frames, user bits (ST 12-1, ST 12-2).
//!
//! The texts of SMPTE were not read; the places of the bits are those on which public notes agree.

use core::fmt;

use model::media::Ratio;

/// Which time code a packet carries (`DBB1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// Linear, for the frame.
    Linear,
    /// Vertical interval, first field.
    First,
    /// Vertical interval, second field.
    Second,
    /// Another value.
    Other(u8),
}

impl Origin {
    /// Its value in `DBB1`.
    pub const fn code(self) -> u8 {
        match self {
            Origin::Linear => 0,
            Origin::First => 1,
            Origin::Second => 2,
            Origin::Other(code) => code,
        }
    }

    /// One word for it: `LTC`, `VITC1`.
    pub fn name(self) -> String {
        match self {
            Origin::Linear => "LTC".into(),
            Origin::First => "VITC1".into(),
            Origin::Second => "VITC2".into(),
            Origin::Other(code) => format!("DBB1 {code:02X}"),
        }
    }
}

/// A label of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// Hours, 0–23.
    pub hours: u8,
    /// Minutes.
    pub minutes: u8,
    /// Seconds.
    pub seconds: u8,
    /// Frames.
    pub frames: u8,
    /// Whether labels are dropped so that the count keeps up with 30000/1001 frames a second.
    pub drop_frame: bool,
}

/// Seconds of a day.
const DAY_SECONDS: u64 = 86_400;

impl Label {
    /// The label of a frame that is counted from midnight; `base` is 24, 25 or 30.
    pub fn of(number: u64, base: u8, drop_frame: bool) -> Label {
        let base = u64::from(base.max(1));
        let drop_frame = drop_frame && base == 30;
        let per_day = DAY_SECONDS * base - if drop_frame { 2 * 9 * 6 * 24 } else { 0 };
        let mut number = number % per_day;
        if drop_frame {
            // In ten minutes 17,982 frames have 18,000 labels: two are left out in nine of the minutes.
            let (tens, rest) = (number / 17_982, number % 17_982);
            number += tens * 18 + if rest < 1800 { 0 } else { 2 * ((rest - 1800) / 1798 + 1) };
        }
        let part = |value: u64| u8::try_from(value).unwrap_or(0);
        Label {
            hours: part(number / (base * 3600)),
            minutes: part(number / (base * 60) % 60),
            seconds: part(number / base % 60),
            frames: part(number % base),
            drop_frame,
        }
    }

    /// The frame's number since midnight.
    pub fn number(self, base: u8) -> u64 {
        let minutes = u64::from(self.hours) * 60 + u64::from(self.minutes);
        let labels = (minutes * 60 + u64::from(self.seconds)) * u64::from(base) + u64::from(self.frames);
        if self.drop_frame { labels.saturating_sub(2 * (minutes - minutes / 10)) } else { labels }
    }

    /// How many frames a day has.
    pub fn per_day(base: u8, drop_frame: bool) -> u64 {
        DAY_SECONDS * u64::from(base) - if drop_frame { 2 * 9 * 6 * 24 } else { 0 }
    }

    /// Whether such a label exists: its numbers are in range, and it is none of those that are dropped.
    pub fn exists(self, base: Option<u8>) -> bool {
        let dropped =
            self.drop_frame && self.seconds == 0 && self.frames < 2 && !self.minutes.is_multiple_of(10);
        self.hours < 24
            && self.minutes < 60
            && self.seconds < 60
            && self.frames < base.unwrap_or(30)
            && !dropped
    }
}

impl fmt::Display for Label {
    /// `10:00:00:00`, and `10:00:00;00` where labels are dropped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.drop_frame { ';' } else { ':' };
        write!(f, "{:02}:{:02}:{:02}{mark}{:02}", self.hours, self.minutes, self.seconds, self.frames)
    }
}

/// Labels of a second at a frame rate: above 30, two frames share one.
pub fn base_of(rate: Ratio) -> Option<u8> {
    let frames = (rate.numerator() + rate.denominator() / 2) / rate.denominator();
    match frames {
        24 | 25 | 30 => u8::try_from(frames).ok(),
        48 | 50 | 60 => u8::try_from(frames / 2).ok(),
        _ => None,
    }
}

/// One time code packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeCode {
    /// Which time code.
    pub origin: Origin,
    /// The label.
    pub label: Label,
    /// Whether it counts colour frames.
    pub colour_frame: bool,
    /// The bits 27, 43, 58 and 59, in this order from the lowest: field mark and binary group flags; which is which
    /// depends on whether 25 or 30 labels make a second.
    pub flags: u8,
    /// The eight binary groups, the first in the lowest four bits.
    pub user_bits: u32,
    /// `DBB2`: line, validity and process.
    pub second_distributed: u8,
}

/// Words of user data.
pub const WORDS: usize = 16;

/// Reads the sixteen values; `None` where there are fewer, or a digit is no digit.
pub fn parse(values: &[u8]) -> Option<TimeCode> {
    let values: &[u8; WORDS] = values.first_chunk()?;
    let nibble = |at: usize| values.get(at).map_or(0, |value| value >> 4);
    let distributed = |from: usize| {
        (0..8)
            .fold(0_u8, |all, bit| all | (values.get(from + bit).map_or(0, |value| (value >> 3) & 1) << bit))
    };
    let number = |units: usize, tens: u8| -> Option<u8> {
        let units = nibble(units);
        (units < 10).then_some(tens * 10 + units)
    };
    let user_bits = (0..8).fold(0_u32, |all, group| all | (u32::from(nibble(group * 2 + 1)) << (group * 4)));
    Some(TimeCode {
        origin: match distributed(0) {
            0 => Origin::Linear,
            1 => Origin::First,
            2 => Origin::Second,
            other => Origin::Other(other),
        },
        label: Label {
            frames: number(0, nibble(2) & 3)?,
            seconds: number(4, nibble(6) & 7)?,
            minutes: number(8, nibble(10) & 7)?,
            hours: number(12, nibble(14) & 3)?,
            drop_frame: nibble(2) & 4 != 0,
        },
        colour_frame: nibble(2) & 8 != 0,
        flags: (nibble(6) >> 3) | (nibble(10) >> 3 << 1) | (nibble(14) >> 2 << 2),
        user_bits,
        second_distributed: distributed(8),
    })
}

/// The sixteen values of a time code.
pub fn write(code: &TimeCode) -> [u8; WORDS] {
    let label = code.label;
    let tens = |value: u8| value / 10;
    let flag = |bit: u8| (code.flags >> bit) & 1;
    let digits = [
        label.frames % 10,
        tens(label.frames) | (u8::from(label.drop_frame) << 2) | (u8::from(code.colour_frame) << 3),
        label.seconds % 10,
        tens(label.seconds) | (flag(0) << 3),
        label.minutes % 10,
        tens(label.minutes) | (flag(1) << 3),
        label.hours % 10,
        tens(label.hours) | (flag(2) << 2) | (flag(3) << 3),
    ];
    let mut values = [0; WORDS];
    let groups = (0..8).map(|group| ((code.user_bits >> (group * 4)) & 0xf).to_le_bytes()[0]);
    for (pair, (digit, group)) in values.chunks_exact_mut(2).zip(digits.into_iter().zip(groups)) {
        for (slot, value) in pair.iter_mut().zip([digit, group]) {
            *slot = (value & 0xf) << 4;
        }
    }
    let distributed = u16::from_le_bytes([code.origin.code(), code.second_distributed]);
    for (bit, value) in values.iter_mut().enumerate() {
        *value |= u8::from((distributed >> bit) & 1 == 1) << 3;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_frame_leaves_out_two_labels_in_nine_minutes_of_ten() {
        assert_eq!(Label::of(1799, 30, true).to_string(), "00:00:59;29");
        assert_eq!(Label::of(1800, 30, true).to_string(), "00:01:00;02");
        assert_eq!(Label::of(17_981, 30, true).to_string(), "00:09:59;29");
        assert_eq!(Label::of(17_982, 30, true).to_string(), "00:10:00;00");
        assert_eq!(Label::of(2_589_407, 30, true).to_string(), "23:59:59;29");
        assert_eq!(Label::of(2_589_408, 30, true).to_string(), "00:00:00;00");
        assert_eq!(Label::of(2_159_999, 25, true).to_string(), "23:59:59:24");
        for number in 0..2_589_408 {
            let label = Label::of(number, 30, true);
            assert!(label.exists(Some(30)), "{label}");
            assert_eq!(label.number(30), number);
        }
        let dropped = Label { hours: 1, minutes: 1, seconds: 0, frames: 1, drop_frame: true };
        assert!(!dropped.exists(Some(30)) && Label { minutes: 10, ..dropped }.exists(Some(30)));
    }

    #[test]
    fn codes_are_read_as_they_are_written() {
        for (flags, origin) in
            (0..16).zip([Origin::Linear, Origin::First, Origin::Second, Origin::Other(9)].iter().cycle())
        {
            let code = TimeCode {
                origin: *origin,
                label: Label { hours: 23, minutes: 59, seconds: 58, frames: 29, drop_frame: flags & 1 == 1 },
                colour_frame: flags & 2 != 0,
                flags,
                user_bits: 0x8765_4321,
                second_distributed: 0xa5,
            };
            assert_eq!(parse(&write(&code)), Some(code));
        }
        assert_eq!(parse(&[0; 15]), None);
        let mut wrong = [0; 16];
        wrong[0] = 0xa0;
        assert_eq!(parse(&wrong), None);
    }
}
