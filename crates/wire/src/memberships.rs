//! The text tables of multicast groups in /proc/net: `igmp`, `igmp6`, `mcfilter`, `mcfilter6` (Linux `net/ipv4/igmp.c`,
//! `net/ipv6/mcast.c`).

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

use crate::Fault;

/// Faults that are reported of one table.
const MAX_FAULTS: usize = 16;

/// A group that is joined on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The interface's number.
    pub interface: u32,
    /// The group.
    pub group: IpAddr,
    /// How many joined it there.
    pub users: u32,
}

/// A source that somebody included or excluded on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// The interface's number.
    pub interface: u32,
    /// The group.
    pub group: IpAddr,
    /// The source.
    pub source: IpAddr,
    /// How many want only it and its like.
    pub included: u32,
    /// How many want all but it and its like.
    pub excluded: u32,
}

struct Faults(Vec<Fault>);

impl Faults {
    fn note(&mut self, number: usize) {
        if self.0.len() < MAX_FAULTS {
            let what = "a line without the columns of its heading";
            self.0.push(Fault { layer: "proc net multicast", at: number, what });
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .zip(1_usize..)
        .map(|(line, number)| (number, line))
        .filter(|(_, line)| !line.trim().is_empty())
}

/// Reads `igmp`: a line for each interface, and one below it for each group.
pub fn parse_igmp(text: &str) -> (Vec<Group>, Vec<Fault>) {
    let (mut groups, mut faults) = (Vec::new(), Faults(Vec::new()));
    let mut interface = None;
    for (number, line) in lines(text).filter(|(number, _)| *number > 1) {
        let mut words = line.split_ascii_whitespace();
        if line.starts_with(|first: char| first.is_ascii_digit()) {
            interface = words.next().and_then(|word| word.parse().ok());
            if interface.is_none() {
                faults.note(number);
            }
            continue;
        }
        let group = words.next().and_then(v4_in_memory);
        let users = words.next().and_then(|word| word.parse().ok());
        match (interface, group, users) {
            (Some(interface), Some(group), Some(users)) => groups.push(Group { interface, group, users }),
            _ => faults.note(number),
        }
    }
    (groups, faults.0)
}

/// Reads `igmp6`: a line for each group on each interface.
pub fn parse_igmp6(text: &str) -> (Vec<Group>, Vec<Fault>) {
    let (mut groups, mut faults) = (Vec::new(), Faults(Vec::new()));
    for (number, line) in lines(text) {
        let mut words = line.split_ascii_whitespace();
        let interface = words.next().and_then(|word| word.parse().ok());
        // Between them stands the interface's name, which may hold anything but spaces.
        let group = words.nth(1).and_then(v6);
        let users = words.next().and_then(|word| word.parse().ok());
        match (interface, group, users) {
            (Some(interface), Some(group), Some(users)) => groups.push(Group { interface, group, users }),
            _ => faults.note(number),
        }
    }
    (groups, faults.0)
}

/// Reads `mcfilter` or `mcfilter6`: a line for each source of each group on each interface.
pub fn parse_filters(text: &str) -> (Vec<Filter>, Vec<Fault>) {
    let (mut filters, mut faults) = (Vec::new(), Faults(Vec::new()));
    for (number, line) in lines(text).filter(|(number, _)| *number > 1) {
        match filter(line) {
            Some(filter) => filters.push(filter),
            None => faults.note(number),
        }
    }
    (filters, faults.0)
}

fn filter(line: &str) -> Option<Filter> {
    let mut words = line.split_ascii_whitespace();
    let interface = words.next()?.parse().ok()?;
    let mut address = |skipped| words.nth(skipped).and_then(|word| v4_in_order(word).or_else(|| v6(word)));
    let (group, source) = (address(1)?, address(0)?);
    let (included, excluded) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Filter { interface, group, source, included, excluded })
}

/// `010000E0`: the address as a number of the machine's own order.
fn v4_in_memory(word: &str) -> Option<IpAddr> {
    let number = (word.len() == 8).then(|| u32::from_str_radix(word, 16).ok()).flatten()?;
    Some(IpAddr::from(number.to_ne_bytes()))
}

/// `0xe0000001`: the address as people write it.
fn v4_in_order(word: &str) -> Option<IpAddr> {
    let digits = word.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
    Some(IpAddr::from(u32::from_str_radix(digits, 16).ok()?.to_be_bytes()))
}

fn v6(word: &str) -> Option<IpAddr> {
    let number = (word.len() == 32).then(|| u128::from_str_radix(word, 16).ok()).flatten()?;
    Some(IpAddr::V6(Ipv6Addr::from(number)))
}

/// What holds for any text; for tests and the fuzzer.
pub fn check(text: &str) {
    let most = text.lines().count();
    let (groups, faults) = parse_igmp(text);
    assert!(groups.len() <= most && faults.len() <= MAX_FAULTS);
    assert!(parse_igmp6(text).0.len() <= most);
    assert!(parse_filters(text).0.len() <= most);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    const IGMP: &str = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
        1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\
        4\teth0      :     2      V3\n\t\t\t\t070707EF     3 0:00000000\t\t0\n\t\t\t\t010000E0     1 0:00000000\t\t0\n";
    const IGMP6: &str = "1    lo              ff020000000000000000000000000001     1 0000000C 0\n";
    const FILTER: &str =
        "Idx Device        MCA        SRC    INC    EXC\n  4   eth0 0xe8000001 0xc0000201      1      0\n";
    const FILTER6: &str = "Idx Device                Multicast Address                   Source Address    INC    EXC\n\
        \x20 4   eth0 ff3e0000000000000000000000000007 20010db8000000000000000000000001      0      2\n";

    #[test]
    fn tables_are_read_as_the_kernel_writes_them() {
        let (groups, faults) = parse_igmp(IGMP);
        let told: Vec<_> = groups.iter().map(|it| (it.interface, it.group, it.users)).collect();
        let expected = [(1, [224, 0, 0, 1], 1), (4, [239, 7, 7, 7], 3), (4, [224, 0, 0, 1], 1)];
        // The table is of a little-endian machine.
        if cfg!(target_endian = "little") {
            assert_eq!(told, expected.map(|(index, group, users)| (index, IpAddr::from(group), users)));
        }
        assert!(faults.is_empty());
        let (groups, faults) = parse_igmp6(IGMP6);
        assert_eq!((groups[0].interface, groups[0].users, faults.len()), (1, 1, 0));
        assert_eq!(groups[0].group, "ff02::1".parse::<IpAddr>().unwrap());
        let (filters, faults) = parse_filters(FILTER);
        let expected = Filter {
            interface: 4,
            group: [232, 0, 0, 1].into(),
            source: [192, 0, 2, 1].into(),
            included: 1,
            excluded: 0,
        };
        assert_eq!((filters.as_slice(), faults.len()), (&[expected][..], 0));
        let (filters, _) = parse_filters(FILTER6);
        assert_eq!((filters[0].source, filters[0].excluded), ("2001:db8::1".parse().unwrap(), 2));
    }

    #[test]
    fn what_breaks_off_or_is_none_is_a_fault_and_nothing_more() {
        for text in [IGMP, IGMP6, FILTER, FILTER6] {
            for end in 0..=text.len() {
                check(text.get(..end).unwrap());
            }
        }
        let (groups, faults) = parse_igmp("heading\n\t\t\t\t010000E0 1\nx\n");
        assert_eq!((groups.len(), faults.len()), (0, 2));
        assert_eq!(parse_igmp6(&"x\n".repeat(99)).1.len(), MAX_FAULTS);
        let mut state = 3_u32;
        let random: String = (0..4000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(b" \n\t0123456789abcdefx:"[usize::try_from(state >> 24).unwrap() % 21])
            })
            .collect();
        check(&random);
    }
}
