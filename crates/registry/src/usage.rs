//! Whether an assigned port is in ordinary use: Debian's list of services, then our program map.
//!
//! The decision is stored with each row as a small number, so that a lookup only reads it.

use std::collections::HashMap;
use std::sync::LazyLock;

use model::{Status, Transport};

use crate::program;
use crate::standing::Usage;

/// No use to speak of: the row is not assigned.
pub(crate) const NOT_ASSIGNED: u16 = 0;
/// Debian's list has the port or the service, for this transport.
pub(crate) const NETBASE: u16 = 1;
/// Neither list has it.
pub(crate) const SILENT: u16 = 2;
/// Debian's list has the service for another transport only.
pub(crate) const SILENT_HERE: u16 = 3;
/// Our list of what is commonly seen has the port, without a program of the map.
pub(crate) const SEEN: u16 = 4;
/// From here on: a program of our map serves it.
pub(crate) const PROGRAM: u16 = 16;

/// Lines of transport, port and names (`tcp 80 http www`); made by `cargo xtask registry` from Debian's list.
const NETBASE_LINES: &str = include_str!("../data/netbase.txt");

macro_rules! netbase {
    () => {
        "Debian netbase 6.4 (2022-10-18)"
    };
}

macro_rules! map {
    () => {
        "our program map (2026-11)"
    };
}

/// Debian's list, by port and by name.
struct Netbase {
    ports: HashMap<(Transport, u16), Vec<&'static str>>,
    /// Per name, one bit for each transport.
    names: HashMap<&'static str, u8>,
}

static NETBASE_LIST: LazyLock<Netbase> = LazyLock::new(|| {
    let mut list = Netbase { ports: HashMap::new(), names: HashMap::new() };
    for line in NETBASE_LINES.lines() {
        let mut words = line.split(' ');
        let transport = words.next().and_then(Transport::from_name);
        let port = words.next().and_then(|port| port.parse::<u16>().ok());
        let (Some(transport), Some(port)) = (transport, port) else { continue };
        let names: Vec<&'static str> = words.collect();
        for name in &names {
            *list.names.entry(name).or_default() |= 1 << transport as u8;
        }
        list.ports.entry((transport, port)).or_default().extend(names);
    }
    list
});

/// Whether Debian's list calls this port so.
pub(crate) fn netbase_names(transport: Transport, port: u16, name: &str) -> bool {
    NETBASE_LIST.ports.get(&(transport, port)).is_some_and(|names| names.contains(&name))
}

/// Decides for one row of the registry.
pub(crate) fn decide(
    status: Status,
    transport: Option<Transport>,
    ports: Option<(u16, u16)>,
    name: &str,
) -> u16 {
    if status != Status::Assigned {
        return NOT_ASSIGNED;
    }
    let transports = transport.map_or(Transport::ALL.to_vec(), |transport| vec![transport]);
    let single = ports.filter(|ports| ports.0 == ports.1).map(|ports| ports.0);
    let has = |transport: &Transport| {
        single.is_some_and(|port| NETBASE_LIST.ports.contains_key(&(*transport, port)))
    };
    let known = NETBASE_LIST.names.get(name).copied().unwrap_or(0);
    if transports.iter().any(|transport| has(transport) || known & (1 << *transport as u8) != 0) {
        return NETBASE;
    }
    let seen = |transport: &Transport| program::first_on(*transport, single?);
    if let Some(index) = transports.iter().find_map(seen) {
        return PROGRAM.saturating_add(index);
    }
    if let Some(port) = single
        && transports.iter().any(|transport| seen_on(*transport, port))
    {
        return SEEN;
    }
    if known != 0 {
        return SILENT_HERE;
    }
    program::first_serving(name).map_or(SILENT, |index| PROGRAM.saturating_add(index))
}

fn seen_on(transport: Transport, port: u16) -> bool {
    program::commonly_seen(transport, port).is_some() || program::sensitive(transport, port).is_some()
}

/// Whether a decision means ordinary use.
pub(crate) fn ordinary(code: u16) -> bool {
    code == NETBASE || code == SEEN || code >= PROGRAM
}

/// The decision for one port of a row that was found silent as a whole range.
pub(crate) fn within_range(transport: Transport, port: u16) -> Option<u16> {
    let program = program::first_on(transport, port).map(|index| PROGRAM.saturating_add(index));
    program.or_else(|| seen_on(transport, port).then_some(SEEN))
}

/// The decision in words; `registered` is the registry's date of registration.
pub(crate) fn words(code: u16, registered: &str) -> Usage {
    match code {
        NOT_ASSIGNED => Usage::NotAssigned,
        NETBASE => Usage::Ordinary(concat!("in ordinary use: listed in ", netbase!())),
        SEEN => Usage::Ordinary(concat!("in ordinary use: commonly seen here, says ", map!())),
        SILENT => Usage::Silent(silent(registered)),
        SILENT_HERE => Usage::Silent(concat!(
            "assigned, but ",
            netbase!(),
            " lists the service for other transports only, and no program of ",
            map!(),
            " is commonly seen here"
        )),
        program => Usage::Ordinary(
            program::reason(program.saturating_sub(PROGRAM)).unwrap_or(concat!("in ordinary use: ", map!())),
        ),
    }
}

macro_rules! silent_by_year {
    ($($year:literal)+) => {
        /// Why we believe that nobody uses it, with the year of assignment where the registry gives one.
        fn silent(registered: &str) -> &'static str {
            match registered.get(..4).and_then(|year| year.parse::<u16>().ok()) {
                $(Some($year) => concat!(
                    "assigned in ", $year, "; not in ", netbase!(), ", nor served by a program of ", map!()
                ),)+
                _ => concat!(
                    "assigned (no date given); not in ", netbase!(),
                    ", nor served by a program of ", map!()
                ),
            }
        }
    };
}

silent_by_year! {
    1990 1991 1992 1993 1994 1995 1996 1997 1998 1999
    2000 2001 2002 2003 2004 2005 2006 2007 2008 2009
    2010 2011 2012 2013 2014 2015 2016 2017 2018 2019
    2020 2021 2022 2023 2024 2025 2026 2027 2028 2029
    2030 2031 2032 2033 2034 2035 2036 2037 2038 2039
    2040 2041 2042 2043 2044 2045 2046 2047 2048 2049
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(transport: Transport, port: u16, name: &str) -> Usage {
        words(decide(Status::Assigned, Some(transport), Some((port, port)), name), "")
    }

    #[test]
    fn the_lists_decide() {
        assert!(
            matches!(of(Transport::Tcp, 22, "ssh"), Usage::Ordinary(reason) if reason.contains("netbase 6.4"))
        );
        assert!(
            matches!(of(Transport::Udp, 22, "ssh"), Usage::Silent(reason) if reason.contains("other transports"))
        );
        assert!(
            matches!(of(Transport::Tcp, 420, "smpte"), Usage::Silent(reason) if reason.contains("no date"))
        );
        assert!(
            matches!(of(Transport::Tcp, 3000, "hbci"), Usage::Ordinary(reason) if reason.contains("program map"))
        );
        assert_eq!(words(decide(Status::Reserved, None, None, "x"), ""), Usage::NotAssigned);
        assert!(
            matches!(words(SILENT, "2011-03-04"), Usage::Silent(reason) if reason.starts_with("assigned in 2011;"))
        );
    }

    #[test]
    fn the_wording_names_the_version_that_was_read() {
        let sources = include_str!("../data/SOURCES.toml");
        let (version, date) = netbase!().trim_start_matches("Debian netbase ").split_once(' ').unwrap();
        assert!(sources.contains(&format!("version = \"{version}\"")));
        assert!(sources.contains(&format!("date = \"{}\"", date.trim_matches(['(', ')']))));
    }

    #[test]
    fn every_line_of_the_list_is_read() {
        let ports: usize = NETBASE_LIST.ports.len();
        assert_eq!(ports, NETBASE_LINES.lines().count());
        assert!(ports > 250);
    }
}
