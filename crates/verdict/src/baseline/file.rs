//! The baseline as a TOML file that people can review and keep beside their policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::Transport;
use toml::de::DeTable;

use super::{Baseline, Door, Holders, Row};
use crate::Fault;
use crate::document::{Document, MAX_ENTRIES, quote};
use crate::policy::scope;

const TOP: &str = "version, learned, [[listener]]";
const KEYS: &str =
    "port, transport, scope, address, namespace, published, user, exe, unit, container, image, package";

pub(super) fn parse(name: &str, text: &str) -> Result<Baseline, Fault> {
    let (document, table) = Document::open(name, text)?;
    let mut baseline = Baseline::default();
    let mut version = false;
    for (at, field) in document.fields(&table) {
        match field.key {
            "version" => {
                version = field.value.get_ref().as_integer().is_some_and(|number| number.as_str() == "1");
                if !version {
                    return Err(field.fault("has to be 1: this program reads no other"));
                }
            }
            "learned" => baseline.learned = field.text()?,
            "listener" => {
                for (span, table) in document.tables(field.key, field.value)? {
                    if baseline.rows.len() >= MAX_ENTRIES {
                        return Err(document.fault(span.start, format!("more than {MAX_ENTRIES} listeners")));
                    }
                    let (door, holders) = listener(&document, span.start, table)?;
                    let row = Row { holders, comment: String::new(), name: Some(document.entry_name(&span)) };
                    if baseline.rows.insert(door, row).is_some() {
                        return Err(document.fault(span.start, "this listener stands in the file twice"));
                    }
                }
            }
            other => return Err(document.unknown_key(at, other, TOP)),
        }
    }
    if !version {
        return Err(document.fault(0, "not a baseline: `version = 1` is missing"));
    }
    Ok(baseline)
}

fn listener(document: &Document<'_>, start: usize, table: &DeTable<'_>) -> Result<(Door, Holders), Fault> {
    let mut port = None;
    let mut transport = None;
    let mut door_scope = None;
    let mut address = None;
    let mut namespace = "host".to_owned();
    let mut published = false;
    let mut holders = Holders::default();
    for (at, field) in document.fields(table) {
        let set = || Ok::<_, Fault>(field.texts()?.into_iter().collect::<BTreeSet<String>>());
        match field.key {
            "port" => match field.ports()?.as_slice() {
                [range] if range.start() == range.end() => port = Some(*range.start()),
                _ => return Err(field.fault("takes one port here")),
            },
            "transport" => transport = Some(field.word("tcp, udp, sctp, dccp", Transport::from_name)?),
            "scope" => door_scope = Some(field.word("loopback, link, interface, group, any", scope)?),
            "address" => address = Some(field.word("an address", |text| text.parse().ok())?),
            "namespace" => namespace = field.text()?,
            "published" => match field.value.get_ref().as_bool() {
                Some(value) => published = value,
                None => return Err(field.fault("takes true or false")),
            },
            "user" => holders.user = set()?,
            "exe" => holders.exe = set()?,
            "unit" => holders.unit = set()?,
            "container" => holders.container = set()?,
            "image" => holders.image = set()?,
            "package" => holders.package = set()?,
            other => return Err(document.unknown_key(at, other, KEYS)),
        }
    }
    let (Some(port), Some(transport), Some(scope)) = (port, transport, door_scope) else {
        return Err(document.fault(start, "[[listener]] needs `port`, `transport` and `scope`"));
    };
    Ok((Door { transport, port, scope, address, namespace, published }, holders))
}

pub(super) fn render(baseline: &Baseline) -> String {
    let mut text =
        String::from("# Listeners that were accepted on this machine. Review it, keep it, compare with:\n");
    text.push_str("#   portreeve baseline diff\n\nversion = 1\n");
    if !baseline.learned.is_empty() {
        let _ = writeln!(text, "learned = {}", quote(&baseline.learned));
    }
    for (door, row) in &baseline.rows {
        text.push_str("\n[[listener]]\n");
        let _ = write!(text, "port = {}", door.port);
        if !row.comment.is_empty() {
            let _ = write!(text, " # {}", row.comment.replace(|c: char| c.is_control(), " "));
        }
        let _ = writeln!(text, "\ntransport = {}", quote(door.transport.name()));
        let _ = writeln!(text, "scope = {}", quote(door.scope.name()));
        if let Some(address) = door.address {
            let _ = writeln!(text, "address = {}", quote(&address.to_string()));
        }
        let _ = writeln!(text, "namespace = {}", quote(&door.namespace));
        if door.published {
            text.push_str("published = true\n");
        }
        sets(&mut text, &row.holders);
    }
    text
}

fn sets(text: &mut String, holders: &Holders) {
    let sets: BTreeMap<&str, &BTreeSet<String>> = BTreeMap::from([
        ("user", &holders.user),
        ("exe", &holders.exe),
        ("unit", &holders.unit),
        ("container", &holders.container),
        ("image", &holders.image),
        ("package", &holders.package),
    ]);
    for (key, set) in sets {
        let values: Vec<String> = set.iter().map(|value| quote(value)).collect();
        match values.as_slice() {
            [] => {}
            [one] => {
                let _ = writeln!(text, "{key} = {one}");
            }
            many => {
                let _ = writeln!(text, "{key} = [{}]", many.join(", "));
            }
        }
    }
}
