//! Instructions with labels instead of distances, and how they become a program.

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

    /// The instructions, with an extra jump wherever a comparison cannot reach its target in 255 steps; `None` where
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
        // Grows until nothing is too far: a line that became longer never becomes shorter again.
        let mut far = alloc::vec![[false; 2]; self.lines.len()];
        loop {
            let begins = self.begins(&reached, &far);
            let mut grew = false;
            let mut made = Vec::new();
            for (at, line) in self.lines.iter().enumerate().filter(|(at, _)| reached.get(*at) == Some(&true))
            {
                let here = begins.get(at).copied().unwrap_or(0);
                let there = |label: &Label| begins.get(self.target(*label)).copied().unwrap_or(0);
                match line {
                    Line::Plain(instruction) => made.push(*instruction),
                    Line::Go(to) => {
                        let k = there(to).saturating_sub(here.saturating_add(1));
                        made.push(Instruction { code: code::JA, jt: 0, jf: 0, k });
                    }
                    Line::Branch { code, k, yes, no } => {
                        let Some([far_yes, far_no]) = far.get_mut(at) else { continue };
                        let extra = u8::from(*far_yes);
                        let targets = [there(yes), there(no)];
                        let mut skip = |target: u32, instead: u8, far: &mut bool| {
                            let steps = target.saturating_sub(here.saturating_add(1));
                            match u8::try_from(steps) {
                                Ok(steps) if !*far => steps,
                                _ => {
                                    grew |= !*far;
                                    *far = true;
                                    instead
                                }
                            }
                        };
                        let [yes, no] = targets;
                        let jt = skip(yes, 0, far_yes);
                        let jf = skip(no, extra, far_no);
                        made.push(Instruction { code: *code, jt, jf, k: *k });
                        for (is_far, target) in [(*far_yes, yes), (*far_no, no)] {
                            if is_far {
                                let here = u32::try_from(made.len()).unwrap_or(u32::MAX);
                                let k = target.saturating_sub(here.saturating_add(1));
                                made.push(Instruction { code: code::JA, jt: 0, jf: 0, k });
                            }
                        }
                    }
                }
            }
            if !grew {
                return (made.len() <= most).then_some(made);
            }
        }
    }

    /// The index of the first instruction of each line.
    fn begins(&self, reached: &[bool], far: &[[bool; 2]]) -> Vec<u32> {
        let mut begins = Vec::with_capacity(self.lines.len());
        let mut at = 0_u32;
        for (reached, far) in reached.iter().zip(far) {
            begins.push(at);
            if *reached {
                at = far.iter().fold(at.saturating_add(1), |at, far| at.saturating_add(u32::from(*far)));
            }
        }
        begins
    }
}
