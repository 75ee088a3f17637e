//! A medium, taken apart once for every rule that looks at it.

use super::Edition;
use crate::sdp::document::{Line, Section};
use crate::sdp::fields::{MediaLine, number};
use crate::sdp::format::{Map, Parameters};

/// A medium, with what its attributes say.
pub(super) struct Medium<'a> {
    pub(super) section: &'a Section,
    /// Its line.
    pub(super) at: usize,
    /// What its line says, where it can be read.
    pub(super) line: Option<MediaLine>,
    /// Every `rtpmap` that can be read, with its line.
    pub(super) maps: Vec<(usize, Map)>,
    /// Every `fmtp` that can be read, with its line.
    pub(super) fmtps: Vec<(&'a Line, u8, Parameters<'a>)>,
    /// The edition it is held to.
    pub(super) edition: Edition,
}

/// A format of a medium: what the rules of an essence look at.
pub(super) struct Said<'m, 'a> {
    pub(super) map: &'m Map,
    pub(super) map_at: usize,
    /// The line of the parameters, or, where there are none, of the map.
    pub(super) at: usize,
    pub(super) parameters: Option<&'m Parameters<'a>>,
}

impl<'a> Medium<'a> {
    pub(super) fn of(section: &'a Section, edition: Edition) -> Medium<'a> {
        let line = section.first('m');
        let read_map = |(line, value): (&Line, &str)| Map::parse(value).map(|map| (line.at, map));
        let fmtps: Vec<(&Line, u8, Parameters<'a>)> = section
            .lines
            .iter()
            .filter_map(|line| {
                let (name, value) = line.attribute()?;
                let (payload_type, parameters) = Parameters::parse(value).filter(|_| name == "fmtp")?;
                Some((line, payload_type, parameters))
            })
            .collect();
        let named = fmtps
            .iter()
            .find_map(|(_, _, parameters)| year(parameters.value("SSN")?))
            .map_or(Edition::First, Edition::of_year);
        Medium {
            section,
            at: line.map_or(0, |line| line.at),
            line: line.and_then(|line| MediaLine::parse(&line.value)),
            maps: section.attributes("rtpmap").filter_map(read_map).collect(),
            fmtps,
            edition: if edition == Edition::Named { named } else { edition },
        }
    }

    /// Its formats with one of these encoding names, in any case.
    pub(super) fn said<'m>(&'m self, names: &'m [&str]) -> impl Iterator<Item = Said<'m, 'a>> {
        let of_name = |map: &Map| names.iter().any(|name| map.name.eq_ignore_ascii_case(name));
        self.maps.iter().filter(move |(_, map)| of_name(map)).map(|(map_at, map)| {
            let fmtp = self.fmtps.iter().find(|(_, of, _)| *of == map.payload_type);
            Said {
                map,
                map_at: *map_at,
                at: fmtp.map_or(*map_at, |(line, ..)| line.at),
                parameters: fmtp.map(|(_, _, parameters)| parameters),
            }
        })
    }

    /// Whether it is not in use.
    pub(super) fn is_off(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.port == 0)
    }
}

impl<'a> Said<'_, 'a> {
    /// The value of a parameter; empty for a flag.
    pub(super) fn value(&self, key: &str) -> Option<&'a str> {
        self.parameters?.value(key)
    }
}

/// The year of an `SSN`: `ST2110-20:2017`.
pub(super) fn year(name: &str) -> Option<u16> {
    number(name.rsplit_once(':')?.1)
}
