//! Instructions with labels instead of distances, and how they become a program.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::program::{Instruction, code};

/// A place in the program that is jumped to, perhaps before it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(usize);

/// Something that is loaded into A, or that X is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// One, two or four bytes at a fixed offset.
    Bytes(u8, u32),
    /// The same, behind an IPv4 header that begins at `header`.
    Behind { bytes: u8, header: u32, at: u32 },
    /// The length of the frame on the wire.
    Length,
}

/// What the registers are known to hold, so that nothing is loaded twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    a: Option<Load>,
    /// Where the IPv4 header begins whose length X holds.
    x: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
enum Line {
    Plain(Instruction),
    Branch { code: u16, k: u32, yes: Label, no: Label },
    Go(Label),
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    line: usize,
    /// What is known when one arrives; `None` as long as nobody does.
    known: Option<Known>,
}

/// Lines in the order in which they are written; all labels lie ahead of what jumps to them.
#[derive(Debug)]
pub(super) struct Assembler {
    lines: Vec<Line>,
    places: Vec<Place>,
    /// What is known here; `None` where nobody comes by.
    known: Option<Known>,
}

impl Assembler {
    pub(super) fn new() -> Self {
        Assembler { lines: Vec::new(), places: Vec::new(), known: Some(Known::default()) }
    }

    pub(super) fn label(&mut self) -> Label {
        self.places.push(Place::default());
        Label(self.places.len().saturating_sub(1))
    }

    /// How many lines there are; what was refused for its length need not be written out first.
    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }

    fn arrive(&mut self, label: Label, known: Known) {
        if let Some(place) = self.places.get_mut(label.0) {
            place.known = Some(place.known.map_or(known, |before| Known {
                a: before.a.filter(|load| known.a == Some(*load)),
                x: before.x.filter(|header| known.x == Some(*header)),
            }));
        }
    }

    /// Says that `label` is here. What came before must have ended in a jump.
    pub(super) fn place(&mut self, label: Label) {
        let line = self.lines.len();
        if let Some(place) = self.places.get_mut(label.0) {
            place.line = line;
            self.known = place.known;
        }
    }

    fn plain(&mut self, code: u16, k: u32) {
        self.lines.push(Line::Plain(Instruction { code, jt: 0, jf: 0, k }));
    }

    /// An instruction that changes A.
    pub(super) fn change(&mut self, code: u16, k: u32) {
        if let Some(known) = &mut self.known {
            known.a = None;
            self.plain(code, k);
        }
    }

    /// An instruction that changes X.
    pub(super) fn change_x(&mut self, code: u16, k: u32) {
        if let Some(known) = &mut self.known {
            known.x = None;
            self.plain(code, k);
        }
    }

    /// An instruction that changes neither.
    pub(super) fn keep(&mut self, code: u16, k: u32) {
        if self.known.is_some() {
            self.plain(code, k);
        }
    }

    /// Sets X to the length of the IPv4 header at `header`.
    pub(super) fn header_length(&mut self, header: u32) {
        if let Some(known) = &mut self.known
            && known.x != Some(header)
        {
            known.x = Some(header);
            self.plain(code::LDX_MSH, header);
        }
    }

    /// Loads A.
    pub(super) fn load(&mut self, load: Load) {
        let Some(known) = self.known else { return };
        if known.a == Some(load) {
            return;
        }
        match load {
            Load::Bytes(bytes, at) => self.plain(
                match bytes {
                    1 => code::LD_B,
                    2 => code::LD_H,
                    _ => code::LD_W,
                },
                at,
            ),
            Load::Behind { bytes, header, at } => {
                self.header_length(header);
                self.behind_x(bytes, header.saturating_add(at));
            }
            Load::Length => self.plain(code::LD_LEN, 0),
        }
        if let Some(known) = &mut self.known {
            known.a = Some(load);
        }
    }

    /// Loads A from the offset in X and `at`.
    pub(super) fn behind_x(&mut self, bytes: u8, at: u32) {
        let code = match bytes {
            1 => code::LD_B_IND,
            2 => code::LD_H_IND,
            _ => code::LD_W_IND,
        };
        self.change(code, at);
    }

    /// Jumps by a comparison of A.
    pub(super) fn branch(&mut self, code: u16, k: u32, yes: Label, no: Label) {
        let Some(known) = self.known.take() else { return };
        self.arrive(yes, known);
        self.arrive(no, known);
        self.lines.push(Line::Branch { code, k, yes, no });
    }

    pub(super) fn go(&mut self, to: Label) {
        let Some(known) = self.known.take() else { return };
        self.arrive(to, known);
        self.lines.push(Line::Go(to));
    }

    /// Ends here with `result`.
    pub(super) fn give(&mut self, result: u32) {
        if self.known.take().is_some() {
            self.plain(code::RET, result);
        }
    }

    /// The line where one ends up who goes to `label`; what is there may only send one further.
    fn target(&self, label: Label) -> usize {
        let mut line = self.places.get(label.0).map_or(0, |place| place.line);
        while let Some(Line::Go(next)) = self.lines.get(line) {
            line = self.places.get(next.0).map_or(0, |place| place.line);
        }
        line
    }

    /// Where the lines go to, all of them: the next line, or up to two others.
    fn next(&self, at: usize, line: &Line) -> [Option<usize>; 2] {
        match line {
            Line::Plain(Instruction { code: code::RET, .. }) => [None; 2],
            Line::Plain(_) => [Some(at.saturating_add(1)), None],
            Line::Branch { yes, no, .. } => [Some(self.target(*yes)), Some(self.target(*no))],
            Line::Go(to) => [Some(self.target(*to)), None],
        }
    }

    /// The instructions, with an island, a jump of its own, wherever a comparison cannot reach its target in 255 steps; `None` where
    /// they are more than `most`.
    pub(super) fn finish(&self, most: usize) -> Option<Vec<Instruction>> {
        let mut reached = alloc::vec![false; self.lines.len()];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for (at, line) in self.lines.iter().enumerate() {
            if reached.get(at) == Some(&true) {
                for next in self.next(at, line).into_iter().flatten() {
                    if let Some(reached) = reached.get_mut(next) {
                        *reached = true;
                    }
                }
            }
        }
        // Who is only sent to what comes next anyway needs no line.
        let mut next = self.lines.len();
        for (at, line) in self.lines.iter().enumerate().rev() {
            let Some(reached) = reached.get_mut(at).filter(|reached| **reached) else { continue };
            match line {
                Line::Go(to) if self.target(*to) == next => *reached = false,
                _ => next = at,
            }
        }
        if reached.iter().filter(|reached| **reached).count() > most {
            return None;
        }
        // From the end: all targets lie ahead, and so they have their places before anybody jumps to them. A place is
        // the number of instructions from there to the end.
        let mut made = Backward { instructions: Vec::new(), islands: BTreeMap::new() };
        let mut places = alloc::vec![0_usize; self.lines.len()];
        for (at, line) in self.lines.iter().enumerate().rev() {
            if reached.get(at) != Some(&true) {
                continue;
            }
            let place = |label: Label| places.get(self.target(label)).copied().unwrap_or(0);
            match *line {
                Line::Plain(instruction) => made.instructions.push(instruction),
                Line::Go(to) => made.go(place(to)),
                Line::Branch { code, k, yes, no } => {
                    // The island of the other may come between.
                    let no = made.reachable(place(no), NEAR - 1);
                    let yes = made.reachable(place(yes), NEAR);
                    let [jt, jf] =
                        [yes, no].map(|place| u8::try_from(made.distance(place)).unwrap_or(u8::MAX));
                    made.instructions.push(Instruction { code, jt, jf, k });
                }
            }
            if let Some(place) = places.get_mut(at) {
                *place = made.instructions.len();
            }
        }
        made.instructions.reverse();
        (made.instructions.len() <= most).then_some(made.instructions)
    }
}

/// How far a comparison can jump.
const NEAR: usize = 255;

/// Instructions, the last one first.
struct Backward {
    instructions: Vec<Instruction>,
    /// Where a jump to a place lies that is too far from here, by that place.
    islands: BTreeMap<usize, usize>,
}

impl Backward {
    /// How many instructions lie between the next one written and a place.
    fn distance(&self, place: usize) -> usize {
        self.instructions.len().saturating_sub(place)
    }

    fn go(&mut self, place: usize) {
        let k = u32::try_from(self.distance(place)).unwrap_or(u32::MAX);
        self.instructions.push(Instruction { code: code::JA, jt: 0, jf: 0, k });
    }

    /// The place itself, or a jump to it that is near enough.
    fn reachable(&mut self, place: usize, near: usize) -> usize {
        if self.distance(place) <= near {
            return place;
        }
        if let Some(island) = self.islands.get(&place).filter(|island| self.distance(**island) <= near) {
            return *island;
        }
        self.go(place);
        self.islands.insert(place, self.instructions.len());
        self.instructions.len()
    }
}
