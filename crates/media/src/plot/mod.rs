//! Plots for reports and pages: plain data in, SVG or PNG out, from one and the same drawing.
//!
//! A plot says what it shows: units on each axis, a limit where there is one, and a sentence for those who do not see it.
//! Where points are too many they are joined so that the least and the most of them stay.

mod axis;
mod drawing;
mod glyphs;
pub mod histogram;
pub mod meters;
mod png;
pub mod series;
mod svg;

pub use axis::Unit;
pub use drawing::{Drawing, Theme};
pub use histogram::{Bin, Histogram};
pub use meters::{Meter, Meters};
pub use series::{Line, Point, Series};

/// A value that something should not pass, drawn as a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Where.
    pub value: f64,
    /// What it is called: `VRX_FULL narrow`.
    pub label: String,
}

/// Text of strangers as it may stand in a plot: without what cannot be seen or turns the line around, and not too long.
fn clean(text: &str) -> String {
    const MOST: usize = 120;
    let seen = |letter: &char| {
        !letter.is_control()
            && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut short: String = text.chars().filter(seen).take(MOST).collect();
    if text.chars().filter(seen).nth(MOST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
