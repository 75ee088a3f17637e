//! Two states of IANA's registry into one: the newer says what is there, the older what else is known of it.

use std::collections::{BTreeMap, HashSet};

use ::registry::table::{Draft, Origin};
use model::{Status, Transport};
use serde_json::Value;

/// The number of the newer package among the table's parts.
pub(crate) const NEWER: u8 = 0;
/// The number of the older package among the table's parts.
pub(crate) const OLDER: u8 = 1;

/// The rows, and a sentence that says what became of whom.
pub(crate) struct Merged {
    pub(crate) rows: Vec<Draft>,
    pub(crate) account: String,
}

type Key = (u16, Transport);

/// Merges the newer package's text with the older one's.
pub(crate) fn merge(newer: &str, older: &str) -> Result<Merged, String> {
    let newer = newer_rows(newer)?;
    let older = older_rows(older)?;
    let ports_now: HashSet<u16> = newer.keys().map(|key| key.0).collect();

    // Older rows of single ports by port and transport; a row for no transport stands for each that the newer has.
    let mut singles: BTreeMap<Key, Vec<&Draft>> = BTreeMap::new();
    let mut rows = Vec::new();
    let (mut gone, mut cut) = (0usize, 0usize);
    for draft in &older {
        match (draft.ports, draft.transport) {
            (None, _) => rows.push(draft.clone()),
            (Some((first, last)), Some(transport)) if first == last => {
                singles.entry((first, transport)).or_default().push(draft);
            }
            (Some((first, last)), None) if first == last && ports_now.contains(&first) => {
                for transport in Transport::ALL {
                    if newer.contains_key(&(first, transport)) {
                        singles.entry((first, transport)).or_default().push(draft);
                    }
                }
            }
            (Some(ports), _) if draft.name.is_empty() => {
                // A free or reserved range is what is left of it.
                let before = rows.len();
                rows.extend(
                    without(ports, &ports_now)
                        .into_iter()
                        .map(|ports| Draft { ports: Some(ports), ..draft.clone() }),
                );
                cut += usize::from(rows.len() != before + 1);
            }
            (Some(_), _) => rows.push(draft.clone()),
        }
    }

    let (mut both, mut renamed, mut only_new) = (0usize, 0usize, 0usize);
    for (key, now) in &newer {
        let before = singles.remove(key).unwrap_or_default();
        let is_now = |old: &&Draft| old.name.eq_ignore_ascii_case(&now.name);
        let same = before.iter().position(is_now);
        match same {
            Some(_) => both += 1,
            None if before.is_empty() => only_new += 1,
            None => renamed += 1,
        }
        if same.is_none() {
            rows.push(now.clone());
        }
        for (nth, old) in before.iter().enumerate() {
            if Some(nth) == same {
                // In the older one's place: the first of several names is the one to use.
                rows.push(Draft {
                    details: old.details.clone(),
                    origin: Origin { row: Some(NEWER), details: Some(OLDER) },
                    ..now.clone()
                });
                continue;
            }
            // The newer package has one name for each port, so a further name of the older state may still stand.
            // It does not where the port is no longer assigned, or the service was only given another name.
            let may_stand = !now.name.is_empty()
                && !old.name.is_empty()
                && !is_now(old)
                && (same.is_some() || old.description != now.description);
            if may_stand {
                rows.push(Draft { ports: Some((key.0, key.0)), transport: Some(key.1), ..(*old).clone() });
            } else {
                gone += 1;
            }
        }
    }
    gone += singles.values().map(Vec::len).sum::<usize>();
    rows.push(dynamic());
    let account = format!(
        "{} rows: {both} in both states, {only_new} only in the newer, {renamed} with another name than before, \
         {gone} of the older no longer there, {cut} ranges of the older cut",
        rows.len()
    );
    Ok(Merged { rows, account })
}

/// The row that follows from a rule: no registry lists it.
fn dynamic() -> Draft {
    Draft {
        ports: Some((49_152, 65_535)),
        status: Some(Status::Dynamic),
        description: String::from("Dynamic and private ports: never assigned"),
        details: ["", "", "", "", "[RFC6335]", "", ""].map(String::from),
        origin: Origin { row: None, details: None },
        ..Draft::default()
    }
}

/// What is left of a range without these ports.
fn without((first, last): (u16, u16), taken: &HashSet<u16>) -> Vec<(u16, u16)> {
    let mut left: Vec<(u16, u16)> = Vec::new();
    for port in (first..=last).filter(|port| !taken.contains(port)) {
        match left.last_mut() {
            Some((_, end)) if *end + 1 == port => *end = port,
            _ => left.push((port, port)),
        }
    }
    left
}

/// `{"420/tcp": ["smpte", "SMPTE"], …}`
fn newer_rows(text: &str) -> Result<BTreeMap<Key, Draft>, String> {
    let wrong = |what: &str| format!("newer package: {what}");
    let json: Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let mut rows = BTreeMap::new();
    for (place, value) in json.as_object().ok_or_else(|| wrong("not an object"))? {
        let (port, transport) = place.split_once('/').ok_or_else(|| wrong(place))?;
        let port: u16 = port.parse().map_err(|_| wrong(place))?;
        let transport = Transport::from_name(transport).ok_or_else(|| wrong(place))?;
        let texts: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let [name, description] = texts.as_slice() else { return Err(wrong(place)) };
        let draft = Draft {
            name: name.trim().to_owned(),
            ports: Some((port, port)),
            transport: Some(transport),
            description: description.trim().to_owned(),
            origin: Origin { row: Some(NEWER), details: None },
            ..Draft::default()
        };
        rows.insert((port, transport), draft);
    }
    Ok(rows)
}

/// `[{"ServiceName": …, "PortNumber": "6000-6063", …}, …]`
fn older_rows(text: &str) -> Result<Vec<Draft>, String> {
    let wrong = |what: &str| format!("older package: {what}");
    let json: Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let mut rows = Vec::new();
    for record in json.as_array().ok_or_else(|| wrong("not a list"))? {
        let field = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or("").trim().to_owned();
        let number = field("PortNumber");
        let ports = match number.split_once('-') {
            _ if number.is_empty() => None,
            Some((first, last)) => Some((first.to_owned(), last.to_owned())),
            None => Some((number.clone(), number.clone())),
        };
        let port = |text: &str| text.parse::<u16>().map_err(|_| wrong(&number));
        let ports = match ports {
            Some((first, last)) => Some((port(&first)?, port(&last)?)),
            None => None,
        };
        let transport = match field("TransportProtocol").as_str() {
            "" => None,
            name => Some(Transport::from_name(name).ok_or_else(|| wrong(name))?),
        };
        let mut notes = field("AssignmentNotes");
        let code = field("ServiceCode");
        if !code.is_empty() {
            let gap = if notes.is_empty() { "" } else { "\n" };
            notes = format!("{notes}{gap}Service code: {code}");
        }
        rows.push(Draft {
            name: field("ServiceName"),
            ports,
            transport,
            status: None,
            description: field("Description"),
            details: [
                field("Assignee"),
                field("Contact"),
                field("RegistrationDate"),
                field("ModificationDate"),
                field("Reference"),
                field("KnownUnauthorizedUses"),
                notes,
            ],
            origin: Origin { row: Some(OLDER), details: Some(OLDER) },
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = r#"{"1/tcp": ["a", "A"], "2/tcp": ["", "Reserved"], "3/tcp": ["new", "New"],
        "4/tcp": ["ipps", "IPP over TLS"], "7/udp": ["inside", "Inside"]}"#;
    const OLD: &str = r#"[
        {"ServiceName": "a", "PortNumber": "1", "TransportProtocol": "tcp", "Description": "old A", "Assignee": "[X]"},
        {"ServiceName": "gone", "PortNumber": "2", "TransportProtocol": "tcp", "Description": "G"},
        {"ServiceName": "old", "PortNumber": "3", "TransportProtocol": "tcp", "Description": "New", "Assignee": "[Y]"},
        {"ServiceName": "ipp", "PortNumber": "4", "TransportProtocol": "tcp", "Description": "IPP"},
        {"PortNumber": "5-9", "Description": "Unassigned"},
        {"ServiceName": "vanished", "PortNumber": "11", "TransportProtocol": "udp", "Description": "V"},
        {"ServiceName": "arp", "Description": "no port"}]"#;

    #[test]
    fn the_newer_says_what_is_there_and_the_older_what_is_known_of_it() {
        let rows = merge(NEW, OLD).unwrap().rows;
        let of = |name: &str| rows.iter().find(|row| row.name == name);
        let a = of("a").unwrap();
        assert_eq!((a.description.as_str(), a.details[0].as_str()), ("A", "[X]"));
        assert_eq!(a.origin, Origin { row: Some(NEWER), details: Some(OLDER) });
        assert!(of("gone").is_none() && of("vanished").is_none() && of("old").is_none());
        assert_eq!(of("new").unwrap().details[0], "", "another name: no details from the older row");
        assert!(of("ipp").is_some() && of("ipps").is_some(), "a second name for a port may still stand");
        assert_eq!(of("arp").unwrap().ports, None);
        let free: Vec<_> =
            rows.iter().filter(|row| row.description == "Unassigned").filter_map(|row| row.ports).collect();
        assert_eq!(free, [(5, 6), (8, 9)]);
        assert!(rows.iter().any(|row| row.status == Some(Status::Dynamic)));
    }

    #[test]
    fn what_is_not_the_package_is_refused() {
        for text in ["", "[]", "{\"1\": [\"a\", \"b\"]}", "{\"1/x\": [\"a\", \"b\"]}", "{\"1/tcp\": [\"a\"]}"]
        {
            assert!(merge(text, "[]").is_err(), "{text}");
        }
        assert!(merge("{}", "[{\"PortNumber\": \"x\"}]").is_err());
    }
}
