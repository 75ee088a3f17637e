//! The sections that are about the service as a whole: `[watch]`, `[sessions]` and `[serve]`.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::{Size, Span};

const fn mebibytes(count: u64) -> Size {
    Size(count << 20)
}

const fn milliseconds(count: u64) -> Span {
    Span(Duration::from_millis(count))
}

/// `[watch]`: what is watched, and with how much memory.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WatchSettings {
    /// The interfaces whose packets are read; none named means all.
    #[serde(deserialize_with = "interfaces")]
    pub interfaces: Vec<String>,
    /// Whether packets are read at all.
    pub packets: bool,
    /// Whether what happens to sockets is followed.
    pub events: bool,
    /// Whether the kernel is asked to tell of it; without, looks are compared.
    pub kernel: bool,
    /// Which packets are read, as tcpdump writes it.
    #[serde(deserialize_with = "filter")]
    pub filter: Option<String>,
    /// The network namespace whose packets are read; ours, where none is named. Sockets and events are those of all
    /// namespaces, whichever is named.
    pub netns: Option<String>,
    /// Whether packets for other machines are read, too.
    pub promiscuous: bool,
    /// How many workers share the packets; where none is set, one for each two processors, at most four.
    #[serde(deserialize_with = "workers")]
    pub workers: u16,
    /// Memory for flows, streams and sessions, of all workers together.
    #[serde(deserialize_with = "memory")]
    pub memory: Size,
    /// Memory that the kernel fills with packets while we work.
    #[serde(deserialize_with = "ring")]
    pub ring: Size,
    /// Memory that the kernel fills with events while we work.
    #[serde(deserialize_with = "ring")]
    pub event_ring: Size,
}

impl Default for WatchSettings {
    fn default() -> Self {
        WatchSettings {
            interfaces: Vec::new(),
            packets: true,
            events: true,
            kernel: true,
            filter: None,
            netns: None,
            promiscuous: false,
            workers: usual_workers(),
            memory: mebibytes(64),
            ring: mebibytes(8),
            event_ring: mebibytes(2),
        }
    }
}

/// `[serve]`: how the service runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServeSettings {
    /// The socket where commands ask; where none is set, the place of the system or of the user.
    #[serde(deserialize_with = "absolute")]
    pub socket: Option<PathBuf>,
    /// The group that may ask what was seen. To change what is kept takes root, or the user of the service.
    pub group: Option<String>,
    /// The user to become once everything is open; where none is set, the one who starts it stays.
    pub user: Option<String>,
    /// How often facts are judged.
    #[serde(deserialize_with = "often")]
    pub judge_every: Span,
    /// How often the whole machine is looked at, to compare with what was told.
    #[serde(deserialize_with = "often")]
    pub look_every: Span,
    /// Whether policy, baseline and these settings are read again when their files change, without being told to.
    pub reload: bool,
    /// Whether the process shuts itself off from what it does not need.
    pub confine: bool,
}

impl Default for ServeSettings {
    fn default() -> Self {
        ServeSettings {
            socket: None,
            group: None,
            user: None,
            judge_every: milliseconds(500),
            look_every: milliseconds(10_000),
            reload: true,
            confine: true,
        }
    }
}

/// `[sessions]`: who tells what was agreed for ports, beside policy and what is announced on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SessionSettings {
    /// Session descriptions.
    #[serde(deserialize_with = "absolutes")]
    pub sdp: Vec<PathBuf>,
    /// NMOS Query APIs, or nodes without a registry, that are followed while the service runs.
    #[serde(deserialize_with = "registries")]
    pub nmos: Vec<String>,
}

/// Registries that may be followed at once; each takes a few threads.
const MOST_REGISTRIES: usize = 16;

fn registries<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let addresses = Vec::<String>::deserialize(from)?;
    if addresses.len() > MOST_REGISTRIES {
        return Err(D::Error::custom(format_args!("more than {MOST_REGISTRIES} registries")));
    }
    match addresses.iter().find(|address| !crate::nmos::is_address(address)) {
        Some(address) => Err(D::Error::custom(format_args!(
            "{address:?} is no address of the form http://host[:port] or https://host[:port]"
        ))),
        None => Ok(addresses),
    }
}

fn absolutes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
    let paths = Vec::<PathBuf>::deserialize(from)?;
    match paths.iter().find(|path| !path.is_absolute()) {
        Some(path) => Err(D::Error::custom(format_args!("a path from the root, and not {}", path.display()))),
        None => Ok(paths),
    }
}

/// Two processors have other work, too: a second worker would only take turns with the first.
fn usual_workers() -> u16 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    u16::try_from((processors / 2).clamp(1, 4)).unwrap_or(1)
}

fn workers<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    match u16::deserialize(from)? {
        count @ 1..=64 => Ok(count),
        other => Err(D::Error::custom(format_args!("between 1 and 64 workers, and not {other}"))),
    }
}

fn memory<'de, D: Deserializer<'de>>(from: D) -> Result<Size, D::Error> {
    Size::between(from, mebibytes(4), mebibytes(1 << 20))
}

fn ring<'de, D: Deserializer<'de>>(from: D) -> Result<Size, D::Error> {
    Size::between(from, mebibytes(1), mebibytes(1 << 10))
}

fn often<'de, D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
    Span::between(from, milliseconds(50), milliseconds(3_600_000))
}

/// Names that the kernel could give to an interface (`dev_valid_name` in its sources).
fn interfaces<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let proper = |name: &String| {
        !name.is_empty() && name.len() < 16 && !name.contains(|it: char| it == '/' || it.is_whitespace())
    };
    match names.iter().find(|name| !proper(name)) {
        Some(name) => Err(D::Error::custom(format_args!("{name:?} is not the name of an interface"))),
        None => Ok(names),
    }
}

fn filter<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    if let Some(text) = &text {
        wire::filter::parse(text).map_err(|error| D::Error::custom(format_args!("not a filter: {error}")))?;
    }
    Ok(text)
}

fn absolute<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let path = Option::<PathBuf>::deserialize(from)?;
    match &path {
        Some(path) if !path.is_absolute() => {
            Err(D::Error::custom(format_args!("a path from the root, and not {}", path.display())))
        }
        _ => Ok(path),
    }
}
