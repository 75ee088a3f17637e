//! A mistake in the settings: its place in the file, and what was probably meant.

use verdict::Fault;

/// Where it is and what is wrong, from what the reader of TOML says.
pub(super) fn of(file: &str, text: &str, error: &toml::de::Error) -> Fault {
    let at = error.span().map_or(text.len(), |span| span.start);
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    Fault { file: file.to_owned(), line, column, reason: reason(error.message()) }
}

/// The place of what is wrong in all files together: of the key that the reason names (`[section] key = …`) in the last
/// file that has it.
pub(super) fn between(files: &[(&str, &str)], reason: &str) -> Fault {
    let key = reason.split_once("] ").and_then(|(_, rest)| rest.split(' ').next()).unwrap_or(reason);
    let has = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let place = files.iter().rev().find_map(|(file, text)| Some((*file, text.lines().position(has)? + 1)));
    let (file, line) = place.or_else(|| Some((files.last()?.0, 1))).unwrap_or(("settings", 1));
    Fault { file: file.to_owned(), line, column: 1, reason: reason.to_owned() }
}

/// In our words where it is a key that nobody knows, with the known key that is nearest.
fn reason(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field ") else { return message.to_owned() };
    // As serde words it: "unknown field `a`, expected one of `b`, `c`".
    let mut words = rest.split('`').skip(1).step_by(2);
    let written = words.next().unwrap_or_default();
    let known: Vec<&str> = words.collect();
    let near = known.iter().map(|key| (distance(written, key), *key)).min();
    let allowed = known.join(", ");
    match near {
        Some((steps, key)) if steps <= 1 + written.chars().count() / 4 => {
            format!("`{written}` is not a key here; did you mean `{key}`? Allowed: {allowed}")
        }
        _ => format!("`{written}` is not a key here; allowed: {allowed}"),
    }
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    // A dash or a line below is no mistake worth a step, and no key is longer than this.
    let letters = |word: &str| word.replace('_', "-").chars().take(64).collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut steps = (at(&row, j) + usize::from(letter != other))
                .min(at(&row, j + 1) + 1)
                .min(next.last().copied().unwrap_or(usize::MAX - 1) + 1);
            let earlier =
                |letters: &[char], at: usize| at.checked_sub(1).and_then(|at| letters.get(at).copied());
            if i > 0 && j > 0 && earlier(&a, i) == Some(*other) && earlier(&b, j) == Some(*letter) {
                steps = steps.min(at(&before, j - 1) + 1);
            }
            next.push(steps);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_far_apart_as_the_hand_slips() {
        for (a, b, steps) in [
            ("", "", 0),
            ("", "abc", 3),
            ("filter", "filter", 0),
            ("fitler", "filter", 1),
            ("flter", "filter", 1),
            ("judge_every", "judge-every", 0),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (steps, steps), "{a} {b}");
        }
    }
}
