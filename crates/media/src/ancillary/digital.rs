//! Digital captions: packets of service blocks to the text of windows (CTA-708).
//!
//! The text was not read; the codes are those on which public notes agree.

use super::screen::Screen;

/// The most octets of a packet.
const MOST_PACKET_BYTES: usize = 128;
/// Services that are followed; the standard ones are 1 to 6.
const MOST_SERVICES: usize = 8;
/// Windows of a service.
const WINDOWS: usize = 8;

/// One window of a service.
#[derive(Debug, Clone)]
struct Window {
    screen: Screen,
    visible: bool,
}

/// One service: its windows, and the one that is written to.
#[derive(Debug, Clone, Default)]
struct Service {
    number: u8,
    windows: [Option<Box<Window>>; WINDOWS],
    current: usize,
}

/// Puts packets together out of pairs, and follows their services.
#[derive(Debug, Clone, Default)]
pub struct Digital {
    packet: Vec<u8>,
    services: Vec<Service>,
    last_sequence: Option<u8>,
    /// Packets that were read whole.
    pub packets: u64,
    /// Packets whose number did not follow.
    pub gaps: u64,
}

impl Digital {
    /// Takes a pair; `changed` hears the number of each service whose shown text may have changed.
    pub fn handle(&mut self, starts: bool, pair: [u8; 2], mut changed: impl FnMut(u8)) {
        if starts {
            self.packet.clear();
        } else if self.packet.is_empty() {
            return;
        }
        if self.packet.len() < MOST_PACKET_BYTES {
            self.packet.extend_from_slice(&pair);
        }
        let Some(head) = self.packet.first() else { return };
        let length = match head & 0x3f {
            0 => MOST_PACKET_BYTES,
            code => usize::from(code) * 2,
        };
        if self.packet.len() < length {
            return;
        }
        let sequence = head >> 6;
        self.packets += 1;
        self.gaps += u64::from(self.last_sequence.is_some_and(|last| (last + 1) & 3 != sequence));
        self.last_sequence = Some(sequence);
        let packet = core::mem::take(&mut self.packet);
        self.blocks(packet.get(1..length).unwrap_or_default(), &mut changed);
        self.packet = packet;
        self.packet.clear();
    }

    /// The text that a service shows now, window after window.
    pub fn text(&self, number: u8) -> String {
        let Some(service) = self.services.iter().find(|it| it.number == number) else { return String::new() };
        let windows = service.windows.iter().flatten().filter(|window| window.visible);
        let texts: Vec<String> =
            windows.map(|window| window.screen.text()).filter(|text| !text.is_empty()).collect();
        texts.join("\n")
    }

    fn blocks(&mut self, mut bytes: &[u8], changed: &mut impl FnMut(u8)) {
        while let Some((head, rest)) = bytes.split_first() {
            let (mut number, length) = (head >> 5, usize::from(head & 0x1f));
            bytes = rest;
            if number == 7 && length > 0 {
                let Some((extended, rest)) = bytes.split_first() else { return };
                (number, bytes) = (extended & 0x3f, rest);
            }
            // Service 0 fills up.
            if number == 0 {
                return;
            }
            let Some((block, rest)) = bytes.split_at_checked(length) else { return };
            bytes = rest;
            let known = self.services.iter().position(|it| it.number == number);
            if known.is_none() && self.services.len() >= MOST_SERVICES {
                continue;
            }
            let at = known.unwrap_or_else(|| {
                self.services.push(Service { number, ..Service::default() });
                self.services.len() - 1
            });
            if self.services.get_mut(at).is_some_and(|service| service.read(block)) {
                changed(number);
            }
        }
    }
}

impl Service {
    fn screen(&mut self) -> Option<&mut Screen> {
        self.windows.get_mut(self.current)?.as_mut().map(|window| &mut window.screen)
    }

    fn put(&mut self, letter: char) -> bool {
        let visible = self.windows.get(self.current).and_then(|it| it.as_ref()).is_some_and(|it| it.visible);
        if let Some(screen) = self.screen() {
            screen.put(letter);
        }
        visible
    }

    /// Reads the codes of a block; whether what is shown may have changed.
    fn read(&mut self, mut block: &[u8]) -> bool {
        let mut changed = false;
        while let Some((code, rest)) = block.split_first() {
            let used = match *code {
                0x10 => extended_length(rest),
                code => parameters(code),
            };
            let Some((arguments, rest)) = rest.split_at_checked(used) else { return changed };
            block = rest;
            changed |= match *code {
                0x10 => arguments.first().is_some_and(|code| self.extended(*code)),
                0x20..=0x7e => self.put(char::from(*code)),
                0x7f => self.put('♪'),
                0xa0..=0xff => self.put(char::from(*code)),
                code => self.command(code, arguments),
            };
        }
        changed
    }

    fn extended(&mut self, code: u8) -> bool {
        let letter = match code {
            0x20 | 0x21 => ' ',
            0x25 => '…',
            0x2a => 'Š',
            0x2c => 'Œ',
            0x30 => '█',
            0x31 => '‘',
            0x32 => '’',
            0x33 => '“',
            0x34 => '”',
            0x35 => '•',
            0x39 => '™',
            0x3a => 'š',
            0x3c => 'œ',
            0x3d => '℠',
            0x3f => 'Ÿ',
            0x76 => '⅛',
            0x77 => '⅜',
            0x78 => '⅝',
            0x79 => '⅞',
            0x7a => '│',
            0x7b => '┐',
            0x7c => '└',
            0x7d => '─',
            0x7e => '┘',
            0x7f => '┌',
            0x20..=0x7f | 0xa0..=0xff => '_',
            _ => return false,
        };
        self.put(letter)
    }

    /// Does to the windows of a bitmap.
    fn each(&mut self, bitmap: u8, mut to: impl FnMut(&mut Option<Box<Window>>)) {
        for (index, window) in self.windows.iter_mut().enumerate() {
            if bitmap & (1 << index) != 0 {
                to(window);
            }
        }
    }

    fn command(&mut self, code: u8, arguments: &[u8]) -> bool {
        let first = arguments.first().copied().unwrap_or(0);
        match code {
            0x08 => self.screen().map(Screen::back).is_some(),
            0x0c => self
                .screen()
                .map(|screen| {
                    screen.clear();
                    screen.go(0, 0);
                })
                .is_some(),
            0x0d => self.screen().map(Screen::new_line).is_some(),
            0x0e => self
                .screen()
                .map(|screen| {
                    screen.column(0);
                    screen.clear_to_end();
                })
                .is_some(),
            0x80..=0x87 => {
                self.current = usize::from(code & 7);
                false
            }
            0x88 => {
                self.each(first, |window| {
                    if let Some(window) = window {
                        window.screen.clear();
                        window.screen.go(0, 0);
                    }
                });
                true
            }
            0x89..=0x8b => {
                self.each(first, |window| {
                    if let Some(window) = window {
                        window.visible = match code {
                            0x89 => true,
                            0x8a => false,
                            _ => !window.visible,
                        };
                    }
                });
                true
            }
            0x8c => {
                self.each(first, |window| *window = None);
                true
            }
            0x8f => {
                self.windows = Default::default();
                true
            }
            0x92 => {
                let column = arguments.get(1).copied().unwrap_or(0);
                if let Some(screen) = self.screen() {
                    screen.go(usize::from(first & 0xf), usize::from(column & 0x3f));
                }
                false
            }
            0x98..=0x9f => self.define(usize::from(code & 7), arguments),
            _ => false,
        }
    }

    fn define(&mut self, index: usize, arguments: &[u8]) -> bool {
        let &[flags, _, _, rows, columns, _] = arguments else { return false };
        let (rows, columns) = (usize::from(rows & 0xf) + 1, usize::from(columns & 0x3f) + 1);
        self.current = index;
        let visible = flags & 0x20 != 0;
        if let Some(slot) = self.windows.get_mut(index) {
            match slot {
                Some(window) if window.screen.is_of(rows, columns) => window.visible = visible,
                _ => *slot = Some(Box::new(Window { screen: Screen::new(rows, columns), visible })),
            }
        }
        visible
    }
}

/// How many octets follow a code.
const fn parameters(code: u8) -> usize {
    match code {
        0x11..=0x17 | 0x88..=0x8d => 1,
        0x18..=0x1f | 0x90 | 0x92 => 2,
        0x91 => 3,
        0x97 => 4,
        0x98..=0x9f => 6,
        _ => 0,
    }
}

/// How many octets an extended code takes, itself included.
fn extended_length(rest: &[u8]) -> usize {
    match rest.first() {
        None => 1,
        Some(0x08..=0x0f) => 2,
        Some(0x10..=0x17) => 3,
        Some(0x18..=0x1f) => 4,
        Some(0x80..=0x87) => 5,
        Some(0x88..=0x8f) => 6,
        Some(0x90..=0x9f) => 2 + usize::from(rest.get(1).copied().unwrap_or(0) & 0x3f),
        Some(_) => 1,
    }
}

/// A packet with one block for a service, as pairs; the first one starts it.
pub fn packet(sequence: u8, service: u8, block: &[u8]) -> Vec<[u8; 2]> {
    let block = block.get(..block.len().min(31)).unwrap_or_default();
    let mut bytes = vec![0, (service << 5) | u8::try_from(block.len()).unwrap_or(31)];
    bytes.extend_from_slice(block);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    let half = u8::try_from(bytes.len() / 2).unwrap_or(0);
    if let Some(head) = bytes.first_mut() {
        *head = (sequence << 6) | half;
    }
    bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(digital: &mut Digital, sequence: u8, service: u8, block: &[u8]) -> Vec<u8> {
        let mut heard = Vec::new();
        for (index, pair) in packet(sequence, service, block).into_iter().enumerate() {
            digital.handle(index == 0, pair, |number| heard.push(number));
        }
        heard
    }

    #[test]
    fn a_window_is_defined_written_and_shown() {
        let mut digital = Digital::default();
        let define = [0x98, 0x00, 0, 0, 1, 31, 0x11];
        assert_eq!(say(&mut digital, 0, 1, &define), Vec::<u8>::new());
        assert_eq!(say(&mut digital, 1, 1, b"Hello \x7f\r\xe9t\xe9 \x10\x25"), [1]);
        assert_eq!(digital.text(1), "");
        assert_eq!(say(&mut digital, 2, 1, &[0x89, 0x01]), [1]);
        assert_eq!(digital.text(1), "Hello ♪\nété …");
        assert_eq!(say(&mut digital, 0, 1, b"\rmore"), [1]);
        assert_eq!(digital.text(1), "été …\nmore");
        assert_eq!(say(&mut digital, 1, 1, &[0x8c, 0xff]), [1]);
        assert_eq!((digital.text(1), digital.packets, digital.gaps), (String::new(), 5, 1));
    }

    #[test]
    fn any_octets_are_survived() {
        let mut digital = Digital::default();
        let mut seed = 1_u64;
        for _ in 0..50_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [.., starts, one, two] = seed.to_be_bytes();
            let [_, one_, two_, ..] = seed.to_be_bytes();
            digital.handle(starts & 7 == 0, [one ^ one_, two ^ two_], |_| {});
        }
        assert!(digital.services.len() <= MOST_SERVICES && digital.packets > 0);
    }
}
