//! What people set for decoys: the section `[decoy]`.

use std::time::Duration;

use host::decoy::{DecoyRequest, PortSet, Prefix, Ways};
use model::DecoyLevel;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use wire::port_list;

use super::greeting::{self, Greeting};

/// `[decoy]`: which empty ports tell who comes, and how they behave. Without ports there is no decoy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DecoySettings {
    /// The ports, as in `"420,1-1023"`.
    #[serde(deserialize_with = "ports")]
    pub ports: PortSet,
    /// Ports that are left out.
    #[serde(deserialize_with = "ports")]
    pub exclude: PortSet,
    /// Sources that find the machine as it is without a decoy: addresses and prefixes.
    #[serde(deserialize_with = "prefixes")]
    pub exclude_sources: Vec<Prefix>,
    /// Whether ports of TCP are covered.
    pub tcp: bool,
    /// Whether ports of UDP are covered.
    pub udp: bool,
    /// Whether IPv4 is covered.
    pub v4: bool,
    /// Whether IPv6 is covered.
    pub v6: bool,
    /// How whoever comes is treated: `"observe"`, `"accept"`, or `"greet=ssh"`.
    #[serde(deserialize_with = "level")]
    pub level: Level,
    /// The network namespace; ours, where none is named.
    pub netns: Option<String>,
    /// By which ways: `"any"`, `"kernel"`, or `"plain"`.
    #[serde(deserialize_with = "ways")]
    pub ways: Ways,
    /// How many bytes of one visit are kept.
    #[serde(deserialize_with = "first_bytes")]
    pub first_bytes: usize,
    /// How many seconds a connection may last.
    #[serde(deserialize_with = "seconds")]
    pub seconds: u16,
    /// How many connections there may be at once.
    #[serde(deserialize_with = "connections")]
    pub connections: usize,
    /// How many of them may be of one source.
    #[serde(deserialize_with = "connections")]
    pub connections_per_source: usize,
    /// How many touches of one source are told in a minute; more are only counted.
    #[serde(deserialize_with = "per_minute")]
    pub told_per_minute: u32,
    /// How many sources are kept apart at once.
    #[serde(deserialize_with = "sources")]
    pub sources: usize,
}

impl Default for DecoySettings {
    fn default() -> Self {
        DecoySettings {
            ports: PortSet::default(),
            exclude: PortSet::default(),
            exclude_sources: Vec::new(),
            tcp: true,
            udp: true,
            v4: true,
            v6: true,
            level: Level::Observe,
            netns: None,
            ways: Ways::Any,
            first_bytes: 4096,
            seconds: 10,
            connections: 256,
            connections_per_source: 16,
            told_per_minute: 60,
            sources: 4096,
        }
    }
}

impl DecoySettings {
    /// What the host is asked for.
    pub fn request(&self) -> DecoyRequest {
        let ports = self.ports.without(&self.exclude);
        let of = |wanted: bool| if wanted { ports.clone() } else { PortSet::default() };
        DecoyRequest {
            tcp: of(self.tcp),
            udp: of(self.udp),
            v4: self.v4,
            v6: self.v6,
            answer: self.level != Level::Observe,
            excluded: self.exclude_sources.clone(),
            netns: self.netns.clone(),
            ways: self.ways,
        }
    }

    /// How long a connection may last.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }
}

/// How whoever comes is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is answered: the machine behaves as without a decoy.
    Observe,
    /// Connections are accepted, and their first bytes are kept.
    Accept,
    /// As accepted, and greeted.
    Greet(&'static Greeting),
}

impl Level {
    /// From its text: `observe`, `accept`, `greet=ssh`.
    pub fn parse(text: &str) -> Result<Level, String> {
        match text.split_once('=') {
            None if text == "observe" => Ok(Level::Observe),
            None if text == "accept" => Ok(Level::Accept),
            Some(("greet", name)) => greeting::named(name).map(Level::Greet).ok_or_else(|| {
                format!("{name:?} is no protocol that a decoy greets in; there are: {}", greeting::names())
            }),
            _ => {
                Err(format!("{text:?}: expected observe, accept, or greet=PROTOCOL ({})", greeting::names()))
            }
        }
    }

    /// The same as a fact.
    pub fn fact(self) -> DecoyLevel {
        match self {
            Level::Observe => DecoyLevel::Observe,
            Level::Accept => DecoyLevel::Accept,
            Level::Greet(greeting) => greeting.protocol().map_or(DecoyLevel::Accept, DecoyLevel::Greet),
        }
    }
}

/// Ports and ranges as the kernel writes them; every one from 1 on.
pub fn parse_ports(text: &str) -> Result<PortSet, String> {
    let (ranges, faults) = port_list::parse(text.as_bytes());
    match faults.first() {
        Some(fault) => Err(format!("{text:?}: {}, as in 420,1-1023", fault.what)),
        None if ranges.iter().any(|range| *range.start() == 0) => {
            Err(format!("{text:?}: port 0 is none that anybody can come to"))
        }
        None => Ok(PortSet::of(&ranges)),
    }
}

fn ports<'de, D: Deserializer<'de>>(from: D) -> Result<PortSet, D::Error> {
    parse_ports(&String::deserialize(from)?).map_err(D::Error::custom)
}

fn prefixes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Prefix>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
}

fn level<'de, D: Deserializer<'de>>(from: D) -> Result<Level, D::Error> {
    Level::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

fn ways<'de, D: Deserializer<'de>>(from: D) -> Result<Ways, D::Error> {
    match String::deserialize(from)?.as_str() {
        "any" => Ok(Ways::Any),
        "kernel" => Ok(Ways::Kernel),
        "plain" => Ok(Ways::Plain),
        other => Err(D::Error::custom(format_args!("{other:?}: expected any, kernel or plain"))),
    }
}

/// A number within bounds.
fn between<'de, D: Deserializer<'de>>(from: D, least: u32, most: u32) -> Result<u32, D::Error> {
    let number = u32::deserialize(from)?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(D::Error::custom(format_args!("a number from {least} to {most}, and not {number}")))
}

fn first_bytes<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    between(from, 16, 65_536).map(|number| number as usize)
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    between(from, 1, 300).map(|number| u16::try_from(number).unwrap_or(300))
}

fn connections<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    between(from, 1, 4096).map(|number| number as usize)
}

fn per_minute<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    between(from, 1, 1_000_000)
}

fn sources<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    between(from, 16, 65_536).map(|number| number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DecoySettings, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn what_is_set_is_had_and_the_rest_has_its_default() {
        assert_eq!(read("").unwrap(), DecoySettings::default());
        let set = read(
            "ports = '420,1-1023'\nexclude = '22,80'\nexclude-sources = ['10.0.0.0/8', '::1']\nlevel = 'greet=ssh'\nv6 = false",
        )
        .unwrap();
        let request = set.request();
        assert_eq!(request.tcp.ranges(), [1..=21, 23..=79, 81..=1023]);
        assert_eq!((request.udp.clone(), request.v6, request.answer), (request.tcp, false, true));
        assert_eq!(set.exclude_sources.len(), 2);
        assert_eq!(set.level.fact().name(), "greet");
    }

    #[test]
    fn what_is_wrong_is_refused_with_a_word() {
        for (text, word) in [
            ("ports = '1-'", "neither a port"),
            ("ports = '0-5'", "port 0"),
            ("level = 'attack'", "expected observe"),
            ("level = 'greet=smb'", "ssh"),
            ("exclude-sources = ['10.0.0.1/8']", "network's own address"),
            ("seconds = 0", "from 1 to 300"),
            ("connections = 5000", "from 1 to 4096"),
            ("first-bytes = 1", "from 16"),
            ("colour = 1", "unknown field"),
            ("ways = 'both'", "expected any"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
