//! Which channels belong together, and what they are called (`channel-order` of ST 2110-30).

/// What the channels of a group are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `M`: one channel.
    Mono,
    /// `DM`: two times one channel.
    DualMono,
    /// `ST`: left and right.
    Stereo,
    /// `LtRt`: left and right with surround folded in.
    Matrix,
    /// `51`.
    Surround51,
    /// `71`.
    Surround71,
    /// `222`.
    Surround222,
    /// `SGRP`: four channels of an SDI group.
    SdiGroup,
    /// `AES3`: a signal of two subframes.
    Aes3,
    /// `U01` to `U64`, or not said.
    Undefined,
}

/// Channels that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they are.
    pub kind: Kind,
    /// Their symbol.
    pub symbol: String,
    /// The first, from 0.
    pub first: u16,
    /// What each is called.
    pub names: Vec<String>,
}

const SURROUND_51: &[&str] = &["L", "R", "C", "LFE", "Ls", "Rs"];
const SURROUND_71: &[&str] = &["L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs"];
/// In the order of SMPTE ST 2036-2.
const SURROUND_222: &[&str] = &[
    "FL", "FR", "FC", "LFE1", "BL", "BR", "FLc", "FRc", "BC", "LFE2", "SiL", "SiR", "TpFL", "TpFR", "TpFC",
    "TpC", "TpBL", "TpBR", "TpSiL", "TpSiR", "TpBC", "BtFC", "BtFL", "BtFR",
];

fn kind(symbol: &str) -> Option<(Kind, &'static [&'static str])> {
    Some(match symbol {
        "M" => (Kind::Mono, &["M"]),
        "DM" => (Kind::DualMono, &["M1", "M2"]),
        "ST" => (Kind::Stereo, &["L", "R"]),
        "LtRt" => (Kind::Matrix, &["Lt", "Rt"]),
        "51" => (Kind::Surround51, SURROUND_51),
        "71" => (Kind::Surround71, SURROUND_71),
        "222" => (Kind::Surround222, SURROUND_222),
        "SGRP" => (Kind::SdiGroup, &["1", "2", "3", "4"]),
        "AES3" => (Kind::Aes3, &["1", "2"]),
        _ => return None,
    })
}

fn undefined(symbol: &str) -> Option<u16> {
    let digits = symbol.strip_prefix('U').filter(|digits| digits.len() == 2)?;
    digits.parse().ok().filter(|channels| (1..=64).contains(channels))
}

/// The groups that a description names, and whether it named them all, no more, and nothing unknown.
///
/// Channels that it does not name are taken in pairs.
pub fn groups(order: &str, channels: u16) -> (Vec<Group>, bool) {
    let (mut groups, mut first, mut stated) = (Vec::new(), 0_u16, !order.is_empty());
    for symbol in order.split(',').map(str::trim).filter(|symbol| !symbol.is_empty()) {
        let (kind, names) = match (kind(symbol), undefined(symbol)) {
            (Some((kind, names)), _) => (kind, names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()),
            (None, Some(count)) => {
                (Kind::Undefined, (1..=count).map(|number| format!("U{number}")).collect())
            }
            (None, None) => {
                stated = false;
                break;
            }
        };
        let after = u16::try_from(names.len()).ok().and_then(|count| first.checked_add(count));
        let Some(after) = after.filter(|after| *after <= channels) else {
            stated = false;
            break;
        };
        groups.push(Group { kind, symbol: symbol.to_owned(), first, names });
        first = after;
    }
    stated &= first == channels;
    while first < channels {
        let after = first.saturating_add(2).min(channels);
        let names = (first..after).map(|channel| (u32::from(channel) + 1).to_string()).collect();
        groups.push(Group { kind: Kind::Undefined, symbol: String::new(), first, names });
        first = after;
    }
    (groups, stated)
}

/// What each channel is called.
pub fn names(order: &str, channels: u16) -> Vec<String> {
    groups(order, channels).0.into_iter().flat_map(|group| group.names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_follow_each_other() {
        let (all, stated) = groups("51,ST,U02", 10);
        assert!(stated);
        let seen: Vec<_> = all.iter().map(|group| (group.symbol.as_str(), group.first)).collect();
        assert_eq!(seen, [("51", 0), ("ST", 6), ("U02", 8)]);
        assert_eq!(names("51,ST,U02", 10)[3..8], ["LFE", "Ls", "Rs", "L", "R"]);
        assert_eq!((names("222", 24).len(), names("71", 8)[7].as_str()), (24, "Rrs"));
    }

    #[test]
    fn what_is_not_named_is_taken_in_pairs() {
        for (order, channels, stated) in [
            ("", 3, false),
            ("ST", 3, false),
            ("51", 4, false),
            ("ST,XX", 2, false),
            ("U65", 65, false),
            ("U00", 0, false),
            ("ST,", 2, true),
        ] {
            let (all, is_stated) = groups(order, channels);
            assert_eq!(is_stated, stated, "{order}");
            let names: usize = all.iter().map(|group| group.names.len()).sum();
            assert_eq!(names, usize::from(channels), "{order}");
        }
        assert_eq!(names("ST", 3), ["L", "R", "3"]);
    }
}
