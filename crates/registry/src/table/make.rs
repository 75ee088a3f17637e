//! Makes a table from rows: settles which row counts for each port, shares equal texts, orders the names.

use core::fmt;
use std::collections::{BTreeSet, HashMap};

use model::{Status, Transport};

use super::layout::digest;
use super::{MAGIC, NO_PART, row, seven};
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

/// Texts, each once.
struct Pool {
    text: String,
    known: HashMap<String, u32>,
}

impl Pool {
    fn put(&mut self, text: &str) -> Result<u32, MakeFault> {
        if text.is_empty() {
            return Ok(0);
        }
        if let Some(at) = self.known.get(text) {
            return Ok(*at);
        }
        if !seven::fits(text.len(), 3) || !seven::fits(self.text.len(), 4) {
            return Err(MakeFault::TooLarge);
        }
        let at = number(self.text.len())?;
        seven::put(&mut self.text, number(text.len())?, 3);
        self.text.push_str(text);
        self.known.insert(text.to_owned(), at);
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
    if recipe.parts.len() >= usize::from(NO_PART) || !seven::fits(recipe.rows.len(), 3) {
        return Err(MakeFault::TooLarge);
    }
    let transport = |row: &Draft| row.transport.map_or(4, |transport| transport as u8);
    // Stable: rows of one port keep the registry's order.
    recipe.rows.sort_by_key(|row| (row.ports.is_none(), row.ports.map(|ports| ports.0), transport(row)));

    let mut pool = Pool { text: String::from("\0\0\0"), known: HashMap::new() };
    let mut shared: HashMap<[u32; 7], u32> = HashMap::new();
    let (mut rows, mut details) = (String::new(), String::new());
    for draft in &recipe.rows {
        let mut texts = [0u32; 7];
        for (slot, text) in texts.iter_mut().zip(&draft.details) {
            *slot = pool.put(text)?;
        }
        let next = number(shared.len())?;
        let which = *shared.entry(texts).or_insert_with(|| {
            texts.iter().for_each(|text| seven::put(&mut details, *text, 4));
            next
        });
        let status = status_of(draft);
        let part = |part: Option<u8>| part.filter(|part| *part < NO_PART).unwrap_or(NO_PART);
        seven::put(&mut rows, pool.put(&draft.name)?, 4);
        seven::put(&mut rows, pool.put(&draft.description)?, 4);
        seven::put(&mut rows, which, 3);
        let (first, last) = draft.ports.unwrap_or((0, 0));
        seven::put(&mut rows, u32::from(first), 3);
        seven::put(&mut rows, u32::from(last), 3);
        seven::put(&mut rows, u32::from(row::kind(draft.ports.is_some(), draft.transport, status)), 1);
        seven::put(&mut rows, u32::from(part(draft.origin.row) << 3 | part(draft.origin.details)), 1);
        let usage = usage::decide(status, draft.transport, draft.ports, &draft.name);
        seven::put(&mut rows, u32::from(usage), 2);
    }
    if !seven::fits(shared.len(), 3) || !seven::fits(pool.text.len(), 4) {
        return Err(MakeFault::TooLarge);
    }

    let names = name_order(&recipe.rows)?;
    let mut index = Index::default();
    let mut counts = [0usize; 4];
    for (transport, count) in Transport::ALL.into_iter().zip(&mut counts) {
        *count = index.add(&recipe.rows, transport)?;
    }

    let mut body = rows;
    for section in [&details, &names, &index.sections, &index.list, &pool.text] {
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
    line(&mut out, &["details", &count(shared.len())]);
    line(&mut out, &["names", &count(names.len() / super::ENTRY)]);
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

fn name_order(rows: &[Draft]) -> Result<String, MakeFault> {
    let mut named: Vec<(String, u32)> = Vec::new();
    for (index, draft) in rows.iter().enumerate() {
        if !draft.name.is_empty() {
            named.push((draft.name.to_ascii_lowercase(), number(index)?));
        }
    }
    named.sort_unstable();
    let mut names = String::new();
    named.iter().for_each(|(_, index)| seven::put(&mut names, *index, 3));
    Ok(names)
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
        bounds.extend([0, 1, u32::from(FIRST_DYNAMIC)]);
        bounds.remove(&0x1_0000);

        let mut active: BTreeSet<Rank> = BTreeSet::new();
        let mut events = events.into_iter().peekable();
        let mut segments: Vec<(u32, u32, u32)> = Vec::new();
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
            segments.push((start, u32::from(row::kind(false, None, status) & 3), number(self.entries)?));
            for rank in &active {
                seven::put(&mut self.list, number(rank.5)?, 3);
            }
            self.entries += active.len();
            if self.entries > MAX_LIST {
                return Err(MakeFault::TooManyOverlaps);
            }
        }
        for page in 0..=256u32 {
            let holds = segments.partition_point(|segment| segment.0 <= page << 8).saturating_sub(1);
            seven::put(&mut self.sections, number(holds)?, 3);
        }
        segments.push((0xffff, 0, number(self.entries)?));
        for (start, status, list) in &segments {
            seven::put(&mut self.sections, *start, 3);
            seven::put(&mut self.sections, *status, 1);
            seven::put(&mut self.sections, *list, 3);
        }
        Ok(segments.len() - 1)
    }
}
