//! Finds a program by executable, unit, service or port.

use std::collections::HashMap;
use std::sync::LazyLock;

use model::Transport;

use super::Program;
use super::map::MAP;
use crate::table::caseless;

/// Names in order, each with the program's place in the map.
type Order = Vec<(&'static str, u16)>;

static EXECUTABLES: LazyLock<Order> = LazyLock::new(|| order(|program| program.names));
static UNITS: LazyLock<Order> = LazyLock::new(|| order(|program| program.units));
static SERVICES: LazyLock<HashMap<&'static str, u16>> = LazyLock::new(|| {
    let mut services = HashMap::new();
    for (nth, entry) in (0u16..).zip(MAP) {
        for service in entry.program.services {
            services.entry(*service).or_insert(nth);
        }
    }
    services
});
static PORTS: LazyLock<HashMap<(Transport, u16), u16>> = LazyLock::new(|| {
    let mut ports = HashMap::new();
    for (nth, entry) in (0u16..).zip(MAP) {
        for port in entry.program.ports {
            ports.entry(*port).or_insert(nth);
        }
    }
    ports
});

fn order(texts: fn(&Program) -> &'static [&'static str]) -> Order {
    let numbered = (0u16..).zip(MAP);
    let mut order: Order = numbered
        .flat_map(|(nth, entry)| texts(&entry.program).iter().map(move |text| (*text, nth)))
        .collect();
    order.sort_by(|a, b| caseless(a.0, b.0).then(a.1.cmp(&b.1)));
    order
}

fn find(order: &Order, name: &str) -> Option<&'static Program> {
    let at = order.partition_point(|entry| caseless(entry.0, name).is_lt());
    let (found, nth) = order.get(at)?;
    if !found.eq_ignore_ascii_case(name) {
        return None;
    }
    MAP.get(usize::from(*nth)).map(|entry| &entry.program)
}

/// What distributions and administrators put behind a name without making it another program.
const SUFFIXES: [&str; 9] =
    [".exe", ".real", ".bin", ".old", ".orig", ".distrib", "-wrapped", "-unwrapped", ".AppImage"];

/// `name` without a version at its end: `python3.11`, `php-fpm8.2`, `ruby-3.2`.
fn without_version(name: &str) -> &str {
    let cut = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if cut.len() == name.len() { name } else { cut.trim_end_matches(['-', '_', 'v']) }
}

pub(super) fn by_executable(file_name: &str) -> Option<&'static Program> {
    let order = &EXECUTABLES;
    let mut name = file_name;
    if let Some(found) = find(order, name) {
        return Some(found);
    }
    while let Some(cut) = SUFFIXES.iter().find_map(|suffix| {
        let at = name.len().checked_sub(suffix.len())?;
        let (start, end) = name.split_at_checked(at)?;
        end.eq_ignore_ascii_case(suffix).then_some(start)
    }) {
        name = cut;
    }
    // Wrappers of some distributions are hidden files.
    name = name.strip_prefix('.').unwrap_or(name);
    find(order, name).or_else(|| find(order, without_version(name))).or_else(|| {
        // A version in the middle: `python3-config` is another program, but `php8.2-fpm` is php-fpm.
        let plain: String = name.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect();
        (name.len() < 64 && plain.contains('-')).then(|| find(order, &plain)).flatten()
    })
}

pub(super) fn by_unit(unit: &str) -> Option<&'static Program> {
    let name = match unit.rsplit_once('.') {
        Some((name, "service" | "socket" | "scope" | "slice" | "timer" | "path" | "target")) => name,
        _ => unit,
    };
    let template = name.split_once('@').map_or(name, |(template, _)| template);
    find(&UNITS, name)
        .or_else(|| find(&UNITS, template))
        .or_else(|| find(&UNITS, without_version(template)))
        .or_else(|| {
            let plain: String = template.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect();
            (template.len() < 64).then(|| find(&UNITS, &plain)).flatten()
        })
}

/// The first program commonly seen on a port, by its place in the map.
pub(crate) fn first_on(transport: Transport, port: u16) -> Option<u16> {
    PORTS.get(&(transport, port)).copied()
}

/// The first program that serves a service, by its place in the map.
pub(crate) fn first_serving(service: &str) -> Option<u16> {
    SERVICES.get(service).copied()
}

/// Why the program at this place makes a port one in ordinary use.
pub(crate) fn reason(nth: u16) -> Option<&'static str> {
    MAP.get(usize::from(nth)).map(|entry| entry.reason)
}
