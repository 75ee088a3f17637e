//! What was typed to see less: words that a row must have somewhere, and `KEY=VALUE` as in `portreeve list`.

use engine::{Row, View};

use super::sheet::Sheet;
use crate::args::SelectArgs;
use crate::selection::Selection;
use engine::glob;

/// What a row must have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    words: Vec<String>,
    pairs: Vec<String>,
    /// The same for rows of a machine.
    selection: Option<Selection>,
}

impl Filter {
    /// For rows of a machine, where `KEY=VALUE` is what it is for `list`.
    pub(crate) fn of_machine(select: &SelectArgs, text: &str) -> Result<Filter, String> {
        let (pairs, words): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().partition(|word| word.contains('='));
        let selection = Selection::resolve(select, &pairs)?;
        let selection = Some(selection).filter(|it| !it.is_everything());
        Ok(Filter { words: lower(&words), pairs: Vec::new(), selection })
    }

    /// For other rows, where KEY is the title of a column.
    pub(super) fn of_columns(text: &str, titles: &[&str]) -> Result<Filter, String> {
        let (pairs, words): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().partition(|word| word.contains('='));
        for pair in &pairs {
            let key = parts(pair).0;
            if !titles.iter().any(|title| title.eq_ignore_ascii_case(key)) {
                let there: Vec<String> =
                    titles.iter().filter(|it| !it.is_empty()).map(|it| it.to_lowercase()).collect();
                let key = crate::sanitise::line(key);
                return Err(format!("there is no column '{key}'; there are {}", there.join(", ")));
            }
        }
        let pairs = pairs.iter().map(|it| (*it).to_owned()).collect();
        Ok(Filter { words: lower(&words), pairs, selection: None })
    }

    /// Whether a row of a machine is meant.
    pub(super) fn takes(&self, view: &View, row: &Row) -> bool {
        self.selection.as_ref().is_none_or(|selection| selection.matches(view, row))
    }

    /// Whether rows of a machine are chosen by more than words.
    pub(super) fn chooses(&self) -> bool {
        self.selection.is_some()
    }

    /// Whether a line of a sheet has what was typed.
    pub(super) fn matches(&self, sheet: &dyn Sheet, row: usize) -> bool {
        if self.words.is_empty() && self.pairs.is_empty() {
            return true;
        }
        let cells: Vec<String> =
            (0..sheet.fields().len()).map(|column| sheet.cell(row, column).text).collect();
        let low: Vec<String> = cells.iter().map(|cell| cell.to_lowercase()).collect();
        let has = |word: &String| low.iter().any(|cell| cell.contains(word.as_str()));
        let pair = |pair: &String| {
            let (key, negated, values) = parts(pair);
            let titles = sheet.fields().iter().map(|field| field.column.title);
            let cell = titles.zip(&cells).find(|(title, _)| title.eq_ignore_ascii_case(key));
            let cell = cell.map(|(_, cell)| cell.as_str()).unwrap_or_default();
            // The first word is enough: 420 for 420/tcp, ssh for ssh (attempt).
            let first = cell.split(['/', ' ']).next().unwrap_or_default();
            let is = |value: &str| glob::matches(value, cell) || glob::matches(value, first);
            values.split(',').any(is) != negated
        };
        self.words.iter().all(has) && self.pairs.iter().all(pair)
    }
}

fn parts(pair: &str) -> (&str, bool, &str) {
    let (key, values) = pair.split_once('=').unwrap_or((pair, ""));
    match key.strip_suffix('!') {
        Some(key) => (key, true, values),
        None => (key, false, values),
    }
}

fn lower(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_lowercase()).collect()
}
