//! Makes a table from rows: settles which row counts for each port, shares equal texts, orders the names.

use core::fmt;
use std::collections::{BTreeSet, HashMap};

use model::{Status, Transport};

use super::layout::digest;
use super::{MAGIC, NO_PART, NO_ROW, row, seven};
use crate::usage;

/// A row on its way into a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// Service name; empty for reserved and unassigned rows.
    pub name: String,
    /// First and last port; `None` where the service has no port.
    pub ports: Option<(u16, u16)>,
    /// `None` where the row is for no particular transport.
    pub transport: Option<Transport>,
    /// Standing on paper.
    pub status: Option<Status>,
    /// What the registry says it is.
    pub description: String,
    /// Assignee, contact, registered, modified, reference, unauthorised use, notes.
    pub details: [String; 7],
    /// Which parts gave it.
    pub origin: Origin,
}

/// Which part of the source gave a row, and which its details: numbers into the list of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The part that has the row, its name and its description; `None` for a row that follows from a rule.
    pub row: Option<u8>,
    /// The part that has its other fields.
    pub details: Option<u8>,
}

impl Default for Origin {
    fn default() -> Origin {
        Origin { row: Some(0), details: Some(0) }
    }
}

/// What a table is made from.
#[derive(Debug, Clone, Default)]
pub struct Recipe {
    /// What the registry is called.
    pub title: String,
    /// State of the newest part.
    pub date: String,
    /// Whether the user imported it.
    pub imported: bool,
    /// Name, version, date, SHA-256 and gift of each part; at most seven.
    pub parts: Vec<[String; 5]>,
    /// The rows, in the registry's order.
    pub rows: Vec<Draft>,
}

/// Why no table can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MakeFault {
    /// More rows, parts or text than a table holds.
    TooLarge,
    /// Ranges that lie over each other so often that the index would not be bounded.
    TooManyOverlaps,
}

impl fmt::Display for MakeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MakeFault::TooLarge => "more rows or text than a table holds",
            MakeFault::TooManyOverlaps => "too many ranges of ports lie over each other",
        })
    }
}

impl core::error::Error for MakeFault {}

/// The most entries that the index may have: the registry needs a hundredth of it.
const MAX_LIST: usize = 1 << 20;
/// First port that is never assigned (RFC 6335 §6).
const FIRST_DYNAMIC: u16 = 49_152;

/// Blocks of texts, each once.
struct Pool {
    text: String,
    known: HashMap<Vec<String>, u32>,
}

impl Pool {
    fn put<'a>(&mut self, texts: impl Iterator<Item = &'a String>) -> Result<u32, MakeFault> {
        let texts: Vec<String> = texts.cloned().collect();
        if texts.iter().all(String::is_empty) {
            return Ok(0);
        }
        if let Some(at) = self.known.get(&texts) {
            return Ok(*at);
        }
        let at = number(self.text.len())?;
        let mut before = "";
        for text in &texts {
            let length = number(text.len())?;
            if length >= row::SAME {
                return Err(MakeFault::TooLarge);
            }
            let same = !text.is_empty() && text == before;
            seven::put(&mut self.text, if same { row::SAME } else { length }, 3);
            before = text;
        }
        let mut before = "";
        for text in &texts {
            if text != before {
                self.text.push_str(text);
            }
            before = text;
        }
        if !seven::fits(self.text.len(), 4) {
            return Err(MakeFault::TooLarge);
        }
        self.known.insert(texts, at);
        Ok(at)
    }
}

fn number(value: usize) -> Result<u32, MakeFault> {
    u32::try_from(value).map_err(|_| MakeFault::TooLarge)
}

/// One line of the header: what separates fields and lines there cannot be in a field.
fn line(out: &mut String, fields: &[&str]) {
    let clean = |field: &&str| field.replace(|c: char| c.is_control(), " ");
    out.push_str(&fields.iter().map(clean).collect::<Vec<_>>().join("\t"));
    out.push('\n');
}

/// Makes the table.
pub fn make(mut recipe: Recipe) -> Result<String, MakeFault> {
    if recipe.parts.len() >= usize::from(NO_PART) || recipe.rows.len() >= NO_ROW as usize {
        return Err(MakeFault::TooLarge);
    }
    let transport = |row: &Draft| row.transport.map_or(4, |transport| transport as u8);
    // Stable: rows of one port keep the registry's order.
    recipe.rows.sort_by_key(|row| (row.ports.is_none(), row.ports.map(|ports| ports.0), transport(row)));

    let mut pool = Pool { text: String::from("\0\0\0"), known: HashMap::new() };
    let mut rows = String::new();
    for draft in &recipe.rows {
        let status = status_of(draft);
        let part = |part: Option<u8>| part.filter(|part| *part < NO_PART).unwrap_or(NO_PART);
        seven::put(&mut rows, pool.put([&draft.name, &draft.description].into_iter())?, 4);
        seven::put(&mut rows, pool.put(draft.details.iter())?, 4);
        let (first, last) = draft.ports.unwrap_or((0, 0));
        seven::put(&mut rows, u32::from(first), 3);
        seven::put(&mut rows, u32::from(last), 3);
        seven::put(&mut rows, u32::from(row::kind(draft.ports.is_some(), draft.transport, status)), 1);
        seven::put(&mut rows, u32::from(part(draft.origin.row) << 3 | part(draft.origin.details)), 1);
        let usage = usage::decide(status, draft.transport, draft.ports, &draft.name);
        seven::put(&mut rows, u32::from(usage), 2);
    }

    let (names, slots) = name_order(&recipe.rows)?;
    let mut index = Index::default();
    let mut counts = [0usize; 4];
    for (transport, count) in Transport::ALL.into_iter().zip(&mut counts) {
        *count = index.add(&recipe.rows, transport)?;
    }

    let mut body = rows;
    for section in [&names, &slots, &index.sections, &index.list, &pool.text] {
        body.push_str(section);
    }
    let mut out = String::new();
    let count = |value: usize| value.to_string();
    line(&mut out, &[MAGIC]);
    line(&mut out, &["title", &recipe.title]);
    let versions: Vec<String> = recipe
        .parts
        .iter()
        .map(|[name, version, ..]| format!("{name} {version}").trim().to_owned())
        .collect();
    line(&mut out, &["versions", &versions.join(", ")]);
    line(&mut out, &["date", &recipe.date]);
    line(&mut out, &["imported", if recipe.imported { "yes" } else { "no" }]);
    for part in &recipe.parts {
        let [name, version, date, sha256, gave] = part;
        line(&mut out, &["part", name, version, date, sha256, gave]);
    }
    line(&mut out, &["rows", &count(recipe.rows.len())]);
    line(&mut out, &["names", &count(names.len() / super::ENTRY)]);
    line(&mut out, &["slots", &count(slots.len() / super::ENTRY)]);
    for (transport, segments) in Transport::ALL.into_iter().zip(counts) {
        line(&mut out, &[&format!("segments-{}", transport.name()), &count(segments)]);
    }
    line(&mut out, &["list", &count(index.entries)]);
    line(&mut out, &["pool", &count(pool.text.len())]);
    line(&mut out, &["sha256", &digest(body.as_bytes())]);
    out.push('\n');
    out.push_str(&body);
    Ok(out)
}

/// The status of a row: stated, else read from what it says. RFC 6335 §6 keeps two ranges from being assigned.
fn status_of(draft: &Draft) -> Status {
    match draft.ports {
        Some((first, _)) if first >= FIRST_DYNAMIC => Status::Dynamic,
        Some((0, 0)) => Status::Reserved,
        _ => draft.status.unwrap_or_else(|| stated(&draft.name, &draft.description)),
    }
}

/// The status that the registry's words give: it has no field for it.
fn stated(name: &str, description: &str) -> Status {
    if !name.is_empty() {
        return Status::Assigned;
    }
    let words = description.to_ascii_lowercase();
    // De-assigned ports are held back from the next who asks (RFC 6335 §8.2).
    let held =
        ["reserved", "de-registered", "de-commissioned", "decom", "decomissioned", "removed", "deprecated"];
    if words.contains("unassigned") {
        Status::Unassigned
    } else if held.iter().any(|word| words.starts_with(word)) || words == "iana reserved" {
        Status::Reserved
    } else if words.is_empty() || words.starts_with("possibly used") {
        Status::Unassigned
    } else {
        // "any private mail system" and the like: given to a use, without a name.
        Status::Assigned
    }
}

/// The named rows in order of name, and the hash table that leads to the first row of each name.
fn name_order(rows: &[Draft]) -> Result<(String, String), MakeFault> {
    let mut named: Vec<(String, u32)> = Vec::new();
    for (index, draft) in rows.iter().enumerate() {
        if !draft.name.is_empty() {
            named.push((draft.name.to_ascii_lowercase(), number(index)?));
        }
    }
    named.sort_unstable();
    let mut names = String::new();
    let mut firsts: Vec<(&str, usize)> = Vec::new();
    for (place, (name, index)) in named.iter().enumerate() {
        seven::put(&mut names, *index, 3);
        if firsts.last().is_none_or(|last| last.0 != name) {
            firsts.push((name, place + 1));
        }
    }
    let mut table = vec![0usize; (2 * firsts.len()).next_power_of_two()];
    let mask = table.len() - 1;
    for (name, place) in firsts {
        let mut at = super::hash(name) & mask;
        while table.get(at).is_some_and(|taken| *taken != 0) {
            at = (at + 1) & mask;
        }
        if let Some(slot) = table.get_mut(at) {
            *slot = place;
        }
    }
    let mut slots = String::new();
    for place in table {
        seven::put(&mut slots, number(place)?, 3);
    }
    Ok((names, slots))
}

/// The segments of all transports while they are made.
#[derive(Default)]
struct Index {
    sections: String,
    list: String,
    entries: usize,
}

/// What makes one row count before another on the same port; the smallest counts first.
type Rank = (u16, bool, bool, u8, bool, usize);

fn rank(index: usize, draft: &Draft, transport: Transport, (first, last): (u16, u16)) -> Rank {
    let status = match status_of(draft) {
        Status::Assigned | Status::Dynamic => 0,
        Status::Reserved => 1,
        Status::Unassigned => 2,
    };
    let [.., notes] = &draft.details;
    // Several names for one port: the registry marks the duplicates, and Debian knows which one people use.
    let unusual = !usage::netbase_names(transport, first, &draft.name);
    (last - first, draft.transport.is_none(), unusual, status, notes.contains("duplicate of"), index)
}

impl Index {
    /// Adds the jump and the segments of one transport, and says how many segments.
    fn add(&mut self, rows: &[Draft], transport: Transport) -> Result<usize, MakeFault> {
        let mut events: Vec<(u32, bool, Rank)> = Vec::new();
        for (index, draft) in rows.iter().enumerate() {
            let Some(ports) = draft.ports.filter(|ports| ports.0 <= ports.1) else { continue };
            if draft.transport.is_none_or(|only| only == transport) {
                let rank = rank(index, draft, transport, ports);
                events.push((u32::from(ports.0), true, rank));
                events.push((u32::from(ports.1) + 1, false, rank));
            }
        }
        events.sort_unstable();
        let mut bounds: BTreeSet<u32> = events.iter().map(|event| event.0).collect();
        bounds.extend((0..=0xff).map(|page| page << 8));
        bounds.insert(1);
        bounds.remove(&0x1_0000);

        let mut active: BTreeSet<Rank> = BTreeSet::new();
        let mut events = events.into_iter().peekable();
        let mut segments: Vec<(u32, u32, u32, u32)> = Vec::new();
        for start in bounds {
            while let Some((_, enters, rank)) = events.next_if(|event| event.0 <= start) {
                if enters {
                    active.insert(rank);
                } else {
                    active.remove(&rank);
                }
            }
            let status = match active.first() {
                _ if start == 0 => Status::Reserved,
                _ if start >= u32::from(FIRST_DYNAMIC) => Status::Dynamic,
                Some(first) => rows.get(first.5).map_or(Status::Unassigned, status_of),
                None => Status::Unassigned,
            };
            let mut covering = active.iter();
            let row = covering.next().map_or(Ok(NO_ROW), |rank| number(rank.5))?;
            let bits = u32::from(row::kind(false, None, status) & 3);
            segments.push((start, bits, row, number(self.entries)?));
            for rank in covering {
                seven::put(&mut self.list, number(rank.5)?, 3);
                self.entries += 1;
            }
            if self.entries > MAX_LIST {
                return Err(MakeFault::TooManyOverlaps);
            }
        }
        for page in 0..=256u32 {
            let first = segments.partition_point(|segment| segment.0 < page << 8);
            seven::put(&mut self.sections, number(first)?, 3);
        }
        segments.iter().for_each(|segment| seven::put(&mut self.sections, segment.0 & 0xff, 2));
        segments.push((0x1_0000, 0, NO_ROW, number(self.entries)?));
        for (_, status, row, more) in &segments {
            seven::put(&mut self.sections, *status, 1);
            seven::put(&mut self.sections, *row, 3);
            seven::put(&mut self.sections, *more, 3);
        }
        Ok(segments.len() - 1)
    }
}
