//! Captions of line 21: pairs of seven bits to rows of text (CTA-608).
//!
//! The text was not read; the codes are those on which public notes agree.

use super::screen::Screen;

/// How text comes to the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Written out of sight, and shown at once.
    PopOn,
    /// Rows move up.
    RollUp(usize),
    /// Written in sight.
    PaintOn,
    /// A service of text, which is not shown over the picture.
    Text,
}

/// One of the four caption channels.
#[derive(Debug, Clone)]
struct Channel {
    mode: Mode,
    shown: Screen,
    hidden: Screen,
}

impl Channel {
    fn new() -> Channel {
        Channel { mode: Mode::PopOn, shown: Screen::new(15, 32), hidden: Screen::new(15, 32) }
    }

    fn writes_to(&mut self) -> &mut Screen {
        if self.mode == Mode::PopOn { &mut self.hidden } else { &mut self.shown }
    }
}

/// Reads the pairs of one field: two channels.
#[derive(Debug, Clone, Default)]
pub struct Line21 {
    channels: [Option<Box<Channel>>; 2],
    current: usize,
    /// The control code that came last; the next one like it only makes sure.
    last_control: Option<[u8; 2]>,
    /// Whether pairs belong to the services of the programme (XDS) until further notice.
    extended: bool,
    /// Octets whose parity is wrong.
    pub parity_errors: u64,
}

/// Seven bits, where the parity is odd.
fn seven_bits(octet: u8) -> Option<u8> {
    (octet.count_ones() % 2 == 1).then_some(octet & 0x7f)
}

impl Line21 {
    /// Takes a pair; the channel (0 or 1) whose shown text may have changed.
    pub fn handle(&mut self, pair: [u8; 2]) -> Option<usize> {
        let [one, two] = pair.map(seven_bits);
        self.parity_errors += u64::from(one.is_none()) + u64::from(two.is_none());
        let (one, two) = (one.unwrap_or(0), two.unwrap_or(0x7f));
        match one {
            0 if two == 0 || two == 0x7f => None,
            0x01..=0x0f => {
                self.extended = one != 0x0f;
                None
            }
            0x10..=0x1f => {
                self.extended = false;
                self.control(one, two)
            }
            _ if self.extended => None,
            _ => {
                self.last_control = None;
                let current = self.current;
                let channel = self.channel(current)?;
                let shown = channel.mode != Mode::PopOn;
                for octet in [one, two].into_iter().filter(|octet| *octet >= 0x20) {
                    channel.writes_to().put(basic(octet));
                }
                shown.then_some(current)
            }
        }
    }

    /// The text that a channel shows now.
    pub fn text(&self, channel: usize) -> String {
        match self.channels.get(channel) {
            Some(Some(it)) if it.mode != Mode::Text => it.shown.text(),
            _ => String::new(),
        }
    }

    fn channel(&mut self, index: usize) -> Option<&mut Channel> {
        let slot = self.channels.get_mut(index)?;
        Some(slot.get_or_insert_with(|| Box::new(Channel::new())))
    }

    fn control(&mut self, one: u8, two: u8) -> Option<usize> {
        if self.last_control.take() == Some([one, two]) {
            return None;
        }
        self.last_control = Some([one, two]);
        self.current = usize::from(one & 8 != 0);
        let current = self.current;
        let channel = self.channel(current)?;
        let one = one & !8;
        match (one, two) {
            (0x14 | 0x15, 0x20..=0x2f) => miscellaneous(channel, two).then_some(current),
            (0x17, 0x21..=0x23) => {
                channel.writes_to().move_right(usize::from(two & 3));
                None
            }
            (0x11, 0x20..=0x2f) => {
                // A change of colour or slant takes the room of a blank.
                channel.writes_to().put(' ');
                (channel.mode != Mode::PopOn).then_some(current)
            }
            (0x11, 0x30..=0x3f) => {
                channel.writes_to().put(special(two));
                (channel.mode != Mode::PopOn).then_some(current)
            }
            (0x12 | 0x13, 0x20..=0x3f) => {
                // It replaces the plain letter before it.
                let screen = channel.writes_to();
                screen.back();
                screen.put(extended(one, two));
                (channel.mode != Mode::PopOn).then_some(current)
            }
            (0x10..=0x17, 0x40..=0x7f) => {
                let row = row_of(one, two);
                let indent = if two & 0x10 != 0 { usize::from((two >> 1) & 7) * 4 } else { 0 };
                if let Mode::RollUp(_) = channel.mode {
                    channel.shown.column(indent);
                } else {
                    channel.writes_to().go(row, indent);
                }
                None
            }
            _ => None,
        }
    }
}

/// The codes that say how text comes; whether what is shown changed.
fn miscellaneous(channel: &mut Channel, code: u8) -> bool {
    match code {
        0x20 => channel.mode = Mode::PopOn,
        0x21 => {
            channel.writes_to().back();
            return channel.mode != Mode::PopOn;
        }
        0x24 => {
            channel.writes_to().clear_to_end();
            return channel.mode != Mode::PopOn;
        }
        0x25..=0x27 => {
            if !matches!(channel.mode, Mode::RollUp(_)) {
                channel.shown.clear();
                channel.hidden.clear();
                channel.shown.go(14, 0);
            }
            channel.mode = Mode::RollUp(usize::from(code - 0x23));
        }
        0x29 => channel.mode = Mode::PaintOn,
        0x2a | 0x2b => channel.mode = Mode::Text,
        0x2c => {
            channel.shown.clear();
            return true;
        }
        0x2d => {
            if let Mode::RollUp(rows) = channel.mode {
                channel.shown.roll(rows);
                return true;
            }
        }
        0x2e => channel.hidden.clear(),
        0x2f => {
            channel.mode = Mode::PopOn;
            core::mem::swap(&mut channel.shown, &mut channel.hidden);
            return true;
        }
        _ => {}
    }
    false
}

/// The row, from 0, that a preamble names.
fn row_of(one: u8, two: u8) -> usize {
    let low = two & 0x20 != 0;
    match (one, low) {
        (0x11, false) => 0,
        (0x11, true) => 1,
        (0x12, false) => 2,
        (0x12, true) => 3,
        (0x15, false) => 4,
        (0x15, true) => 5,
        (0x16, false) => 6,
        (0x16, true) => 7,
        (0x17, false) => 8,
        (0x17, true) => 9,
        (0x10, _) => 10,
        (0x13, false) => 11,
        (0x13, true) => 12,
        (_, false) => 13,
        _ => 14,
    }
}

/// A plain character: ASCII but for ten.
fn basic(octet: u8) -> char {
    match octet {
        0x27 => '’',
        0x2a => 'á',
        0x5c => 'é',
        0x5e => 'í',
        0x5f => 'ó',
        0x60 => 'ú',
        0x7b => 'ç',
        0x7c => '÷',
        0x7d => 'Ñ',
        0x7e => 'ñ',
        0x7f => '█',
        octet => char::from(octet),
    }
}

fn nth(letters: &str, index: u8) -> char {
    letters.chars().nth(usize::from(index)).unwrap_or('?')
}

fn special(code: u8) -> char {
    nth("®°½¿™¢£♪à\u{a0}èâêîôû", code.wrapping_sub(0x30))
}

fn extended(one: u8, code: u8) -> char {
    let letters = if one == 0x12 {
        "ÁÉÓÚÜü‘¡*’—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»"
    } else {
        "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘"
    };
    nth(letters, code.wrapping_sub(0x20))
}

/// An octet with odd parity.
pub const fn with_parity(seven: u8) -> u8 {
    let seven = seven & 0x7f;
    if seven.count_ones().is_multiple_of(2) { seven | 0x80 } else { seven }
}

/// The pairs that put a text on the screen of CC1 at once (pop-on): up to four rows of 32 letters.
pub fn pop_on(text: &str) -> Vec<[u8; 2]> {
    let mut pairs = Vec::new();
    let mut control = |one: u8, two: u8| {
        // Each code is said twice.
        pairs.extend([[one, two]; 2]);
    };
    control(0x14, 0x20);
    control(0x14, 0x2e);
    let rows: Vec<&str> = text.lines().take(4).collect();
    let first = 4 - rows.len();
    let mut all = pairs;
    for (index, row) in rows.iter().enumerate() {
        let (one, two) = [(0x13, 0x40), (0x13, 0x60), (0x14, 0x40), (0x14, 0x60)]
            .get(first + index)
            .copied()
            .unwrap_or((0x14, 0x60));
        all.extend([[one, two]; 2]);
        let letters: Vec<u8> = row.chars().take(32).map(code_of).collect();
        all.extend(
            letters
                .chunks(2)
                .map(|pair| [pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]),
        );
    }
    all.extend([[0x14, 0x2f]; 2]);
    all.iter().map(|pair| pair.map(with_parity)).collect()
}

/// The code of a letter; a question mark where there is none.
fn code_of(letter: char) -> u8 {
    (0x20..0x7f).find(|code| basic(*code) == letter).unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_pops_on() {
        let mut line = Line21::default();
        let changed: Vec<usize> =
            pop_on("Grüße, Señor\ncafé").into_iter().filter_map(|it| line.handle(it)).collect();
        assert_eq!(changed, [0]);
        assert_eq!(line.text(0), "Gr??e, Señor\ncafé");
        assert_eq!((line.text(1), line.parity_errors), (String::new(), 0));
        line.handle([0x14, 0x2c].map(with_parity));
        assert_eq!(line.text(0), "");
    }

    #[test]
    fn rows_roll_and_letters_are_replaced() {
        let mut line = Line21::default();
        let mut say = |pairs: &[[u8; 2]]| {
            for pair in pairs {
                line.handle(pair.map(with_parity));
            }
        };
        say(&[[0x1c, 0x26], [0x1c, 0x26], [0x1c, 0x2d], *b"on", *b"e\0", [0x1c, 0x2d], *b"tu", [0x1a, 0x25]]);
        say(&[[0x19, 0x37], [0x01, 0x03], *b"XX", [0x0f, 0x1d], [0x1c, 0x2d], [0x1c, 0x2d], *b"en"]);
        assert_eq!(line.text(1), "one\ntü♪\nen");
        assert_eq!(line.text(0), "");
    }

    #[test]
    fn octets_of_even_parity_are_counted() {
        let mut line = Line21::default();
        line.handle([0x14 | 0x80, 0x20 | 0x80].map(|it: u8| it ^ 0x80));
        line.handle([with_parity(b'a') ^ 0x80, with_parity(b'b')]);
        assert!(line.parity_errors > 0);
    }
}
