//! Which pixel groups of a frame or field came: one bit for each.

/// The largest raster that is watched, in pixel groups: 8 MiB of bits.
const MOST_GROUPS: usize = 64 << 20;

/// Which pixel groups came.
#[derive(Debug, Clone)]
pub struct Coverage {
    words: Vec<u64>,
    words_of_row: usize,
    groups: usize,
    rows: usize,
    covered: usize,
    /// The words that may be other than zero, so that to empty it costs what was filled.
    touched: core::ops::Range<usize>,
}

/// What is missing of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missing {
    /// Rows of which nothing came.
    pub rows: u64,
    /// Rows of which a part came.
    pub partial_rows: u64,
    /// Pixel groups.
    pub groups: u64,
}

impl Coverage {
    /// Of a raster; `None` where it is too large.
    pub fn new(groups: usize, rows: usize) -> Option<Coverage> {
        let words_of_row = groups.div_ceil(64);
        (groups.checked_mul(rows)? <= MOST_GROUPS).then(|| Coverage {
            words: vec![0; words_of_row * rows],
            words_of_row,
            groups,
            rows,
            covered: 0,
            touched: 0..0,
        })
    }

    /// Forgets what came; the raster may be lower from now on.
    pub fn restart(&mut self, rows: usize) {
        self.words.get_mut(self.touched.clone()).unwrap_or_default().fill(0);
        self.rows = rows.min(self.words.len() / self.words_of_row.max(1));
        self.covered = 0;
        self.touched = 0..0;
    }

    /// Notes groups of a row; how many of them were there already. What lies outside is left out.
    #[inline]
    pub fn add(&mut self, row: usize, group: usize, count: usize) -> usize {
        let end = group.saturating_add(count).min(self.groups);
        if row >= self.rows || group >= end {
            return 0;
        }
        let begin_of_row = row * self.words_of_row;
        let (first, last) = (group / 64, (end - 1) / 64);
        let words = self.words.get_mut(begin_of_row + first..=begin_of_row + last).unwrap_or_default();
        let mut twice = 0;
        let mut add = |word: &mut u64, mask: u64| {
            twice += (*word & mask).count_ones();
            *word |= mask;
        };
        let (head, tail) = (u64::MAX << (group % 64), u64::MAX >> (63 - (end - 1) % 64));
        match words {
            [] => {}
            [only] => add(only, head & tail),
            [first, middle @ .., last] => {
                add(first, head);
                middle.iter_mut().for_each(|word| add(word, u64::MAX));
                add(last, tail);
            }
        }
        let (from, to) = (begin_of_row + first, begin_of_row + last + 1);
        self.touched = match self.touched.is_empty() {
            true => from..to,
            false => self.touched.start.min(from)..self.touched.end.max(to),
        };
        let twice = usize::try_from(twice).unwrap_or(usize::MAX);
        self.covered += end - group - twice;
        twice
    }

    /// Whether all of it came.
    pub fn is_complete(&self) -> bool {
        self.covered == self.groups * self.rows
    }

    /// How many groups came.
    pub fn covered(&self) -> usize {
        self.covered
    }

    /// The rows outside of which nothing came.
    pub fn touched_rows(&self) -> core::ops::Range<usize> {
        let words_of_row = self.words_of_row.max(1);
        self.touched.start / words_of_row..self.touched.end.div_ceil(words_of_row)
    }

    /// What is missing.
    pub fn missing(&self) -> Missing {
        let mut missing = Missing::default();
        if self.is_complete() {
            return missing;
        }
        // Of rows outside what was touched nothing came: they are not looked at.
        let words_of_row = self.words_of_row.max(1);
        let touched = self.touched_rows();
        let seen = touched.end.min(self.rows).saturating_sub(touched.start);
        for row in self.words.chunks(words_of_row).skip(touched.start).take(seen) {
            let here: usize = row.iter().map(|word| word.count_ones() as usize).sum();
            missing.rows += u64::from(here == 0);
            missing.partial_rows += u64::from(here > 0 && here < self.groups);
        }
        missing.rows += (self.rows - seen) as u64;
        missing.groups = (self.groups * self.rows - self.covered) as u64;
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_a_plain_table() {
        let mut seed = 3_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..200 {
            let (groups, rows) = (1 + random(200), 1 + random(5));
            let mut coverage = Coverage::new(groups, rows).unwrap();
            for _ in 0..2 {
                let mut plain = vec![vec![false; groups]; rows];
                for _ in 0..random(20) {
                    let (row, group, count) = (random(rows + 1), random(groups + 5), random(groups + 9));
                    let mut twice = 0;
                    for place in plain
                        .iter_mut()
                        .skip(row)
                        .take(1)
                        .flat_map(|it| it.iter_mut().skip(group).take(count))
                    {
                        twice += usize::from(std::mem::replace(place, true));
                    }
                    assert_eq!(coverage.add(row, group, count), twice);
                }
                let missing = plain.iter().flatten().filter(|it| !**it).count();
                assert_eq!(coverage.missing().groups, missing as u64);
                assert_eq!(coverage.is_complete(), missing == 0);
                assert_eq!(
                    coverage.missing().rows,
                    plain.iter().filter(|row| row.iter().all(|it| !it)).count() as u64
                );
                coverage.restart(rows);
            }
        }
        assert!(Coverage::new(32767, 32767).is_none());
    }
}
