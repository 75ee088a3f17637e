//! Names that a person may have meant: those that are one or two slips of the finger away.

/// The most names that are told.
const MOST: usize = 12;

/// Of `names`, those near to `asked`; where none is, all of them as far as a line has room.
pub fn near(asked: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<(usize, String)> = names.into_iter().map(|name| (slips(asked, &name), name)).collect();
    names.sort();
    names.dedup();
    let close = names.iter().filter(|(slips, _)| *slips <= 2).count();
    names.truncate(if close > 0 { close.min(3) } else { MOST });
    names.into_iter().map(|(_, name)| name).collect()
}

/// How many letters have to be changed, added, left out or swapped with their neighbour; case is no slip.
fn slips(one: &str, other: &str) -> usize {
    let fold = |text: &str| text.chars().take(64).flat_map(char::to_lowercase).collect::<Vec<char>>();
    let (one, other) = (fold(one), fold(other));
    // The rows of the table before the last, the last, and this: distance of each beginning of `other`.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut left = None;
    for (row, letter) in one.iter().enumerate() {
        let mut this = vec![row + 1];
        let mut above = None;
        for (column, against) in other.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let changed = cell(&last, column) + usize::from(letter != against);
            let mut least = changed.min(cell(&last, column + 1) + 1).min(cell(&this, column) + 1);
            if column > 0 && left == Some(against) && above == Some(letter) {
                least = least.min(cell(&before, column - 1) + 1);
            }
            this.push(least);
            above = Some(against);
        }
        before = std::mem::replace(&mut last, this);
        left = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (one, other, count) in [
            ("eth0", "eth0", 0),
            ("eth0", "ETH0", 0),
            ("eth0", "eth1", 1),
            ("eht0", "eth0", 1),
            ("eth", "eth0", 1),
            ("", "lo", 2),
            ("wlan0", "enp3s0", 5),
        ] {
            assert_eq!((slips(one, other), slips(other, one)), (count, count), "{one} {other}");
        }
    }

    #[test]
    fn near_names_come_before_all_names() {
        let names = || ["lo", "eth0", "eth1", "docker0"].map(str::to_owned);
        assert_eq!(near("eth2", names()), ["eth0", "eth1"]);
        assert_eq!(near("wlp0s20f3", names()).len(), 4);
        assert!(near("eth0", []).is_empty());
    }
}
