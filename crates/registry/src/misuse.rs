//! History of misuse per port, with counts and sources. A number proves nothing.

use core::fmt;
use std::collections::HashMap;

use model::Transport;

use crate::table::seven;

/// The history, made by `cargo xtask registry` from `data/port_misuse.tsv`: a header line with the two counts, then
/// records of 14 bytes in order of port, then the texts, one to a line.
const TABLE: &str = include_str!("../data/misuse.table");

/// Bytes of one record: `port 3, transport 1, role 1, family 3, source 3, endpoints 3`; texts by where they begin.
const RECORD: usize = 14;
/// The transport byte of a record that names none.
const ANY: u32 = 4;

/// What a port was to a family of malware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Known command-and-control endpoints used it.
    CommandEndpoint,
    /// Reports say that its command channel used it although the protocol belongs elsewhere.
    CommandNonstandard,
    /// The same, on mobile devices.
    CommandNonstandardMobile,
    /// A shell was bound to it.
    BoundShell,
    /// It was attacked by guessing passwords.
    BruteTarget,
    /// A firewall was opened for it.
    FirewallOpen,
    /// It was looked for by scanning.
    ScanTarget,
    /// A report mentions it in another role.
    Mention,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Role; 8] = [
        Role::CommandEndpoint,
        Role::CommandNonstandard,
        Role::CommandNonstandardMobile,
        Role::BoundShell,
        Role::BruteTarget,
        Role::FirewallOpen,
        Role::ScanTarget,
        Role::Mention,
    ];

    /// The word that the collected facts use.
    pub fn code(self) -> &'static str {
        match self {
            Role::CommandEndpoint => "c2-endpoint",
            Role::CommandNonstandard => "c2-nonstandard",
            Role::CommandNonstandardMobile => "c2-nonstandard(mobile)",
            Role::BoundShell => "bindshell",
            Role::BruteTarget => "brute-target",
            Role::FirewallOpen => "firewall-open",
            Role::ScanTarget => "scan-target",
            Role::Mention => "mention",
        }
    }

    /// From the word that the collected facts use.
    pub fn from_code(code: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.code() == code)
    }

    /// What was done with the port, for a sentence without a count.
    fn words(self) -> &'static str {
        match self {
            Role::CommandEndpoint => "known command-and-control endpoints used this port",
            Role::CommandNonstandard => {
                "its command channel was reported on this port, which belongs to another protocol"
            }
            Role::CommandNonstandardMobile => {
                "its command channel on mobile devices was reported on this port"
            }
            Role::BoundShell => "a shell bound to this port was reported",
            Role::BruteTarget => "it was reported to guess passwords on this port",
            Role::FirewallOpen => "it was reported to open this port in a firewall",
            Role::ScanTarget => "it was reported to scan for this port",
            Role::Mention => "a report mentions this port",
        }
    }
}

/// What every use of this history says.
pub const CAVEAT: &str = "the number alone proves nothing";

/// One line of a port's history of misuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misuse {
    /// The family, as the source names it.
    pub family: &'static str,
    /// What the port was to it.
    pub role: Role,
    /// Number of known endpoints, where the source counts.
    pub endpoints: Option<u32>,
    /// Where this was read.
    pub source: &'static str,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Misuse { family, source, .. } = self;
        match (self.role, self.endpoints) {
            (Role::CommandEndpoint, Some(1)) => write!(
                f,
                "1 known command-and-control endpoint ({family}, {source}) used this port; {CAVEAT}"
            ),
            (Role::CommandEndpoint, Some(count)) => write!(
                f,
                "{count} known command-and-control endpoints ({family}, {source}) used this port; {CAVEAT}"
            ),
            (role, Some(count)) => {
                write!(f, "{} ({family}, {source}, {count} endpoints); {CAVEAT}", role.words())
            }
            (role, None) => write!(f, "{} ({family}, {source}); {CAVEAT}", role.words()),
        }
    }
}

/// The history of a port, most endpoints first. Entries that name no transport count for all.
pub fn misuse(transport: Transport, port: u16) -> impl Iterator<Item = Misuse> {
    let records = records();
    let at = |nth: usize| seven::port(records, nth * RECORD);
    let (mut low, mut high) = (0, records.len() / RECORD);
    while low < high {
        let middle = low + (high - low) / 2;
        if at(middle).is_some_and(|found| found < port) { low = middle + 1 } else { high = middle }
    }
    let of_port = records.get(low * RECORD..).unwrap_or(&[]).chunks_exact(RECORD);
    of_port
        .take_while(move |record| seven::port(record, 0) == Some(port))
        .filter(move |record| {
            let only = seven::read::<1>(record, 3);
            only == Some(ANY) || only == Some(transport as u32)
        })
        .filter_map(read)
}

fn records() -> &'static [u8] {
    let cut = || {
        let (header, body) = TABLE.split_once('\n')?;
        let count: usize = header.split(' ').next_back()?.parse().ok()?;
        body.as_bytes().get(..count.checked_mul(RECORD)?)
    };
    cut().unwrap_or(&[])
}

/// The text that begins at `at` after the records.
fn text(at: usize) -> Option<&'static str> {
    let (_, body) = TABLE.split_once('\n')?;
    body.get(records().len().checked_add(at)?..)?.lines().next()
}

fn read(record: &[u8]) -> Option<Misuse> {
    let number = |at: usize| seven::read::<3>(record, at);
    let endpoints = number(11)?;
    Some(Misuse {
        family: text(number(5)? as usize)?,
        role: *Role::ALL.get(seven::read::<1>(record, 4)? as usize)?,
        endpoints: (endpoints > 0).then_some(endpoints),
        source: text(number(8)? as usize)?,
    })
}

/// Makes the compact history from the collected facts: `port, transport, family, role, endpoints, source` by tabs.
pub fn make_misuse(facts: &str) -> Result<String, String> {
    let mut lines: Vec<(u16, u32, u32, Role, &str, &str)> = Vec::new();
    let mut texts: Vec<&str> = Vec::new();
    for (nth, line) in facts.lines().enumerate().skip(1) {
        let wrong = || format!("line {}: not a line of the history of misuse", nth + 1);
        let fields: Vec<&str> = line.split('\t').collect();
        let [port, transport, family, role, endpoints, source] = fields.as_slice() else {
            return Err(wrong());
        };
        let transport = match *transport {
            "" => ANY,
            name => Transport::from_name(name).ok_or_else(wrong)? as u32,
        };
        let endpoints: u32 = if endpoints.is_empty() { 0 } else { endpoints.parse().map_err(|_| wrong())? };
        let role = Role::from_code(role).ok_or_else(wrong)?;
        lines.push((
            port.parse().map_err(|_| wrong())?,
            u32::MAX - endpoints,
            transport,
            role,
            family,
            source,
        ));
        texts.extend([*family, *source]);
    }
    lines.sort_unstable();
    texts.sort_unstable();
    texts.dedup();
    let mut places: HashMap<&str, u32> = HashMap::new();
    let mut end = 0u32;
    for text in &texts {
        places.insert(text, end);
        end =
            u32::try_from(text.len() + 1).ok().and_then(|length| end.checked_add(length)).unwrap_or(u32::MAX);
    }
    let place = |text: &str| places.get(text).copied().unwrap_or(0);
    let mut out = format!("portreeve misuse table 1, texts {}, records {}\n", texts.len(), lines.len());
    for (port, endpoints, transport, role, family, source) in &lines {
        let endpoints = u32::MAX - endpoints;
        if !seven::fits(endpoints as usize, 3) || !seven::fits(end as usize, 3) {
            return Err(String::from("more than the compact form can hold"));
        }
        seven::put(&mut out, u32::from(*port), 3);
        seven::put(&mut out, *transport, 1);
        seven::put(&mut out, *role as u32, 1);
        seven::put(&mut out, place(family), 3);
        seven::put(&mut out, place(source), 3);
        seven::put(&mut out, endpoints, 3);
    }
    texts.iter().for_each(|text| {
        out.push_str(text);
        out.push('\n');
    });
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &str = include_str!("../data/port_misuse.tsv");

    #[test]
    fn the_committed_table_is_made_from_the_committed_facts() {
        assert!(make_misuse(FACTS).unwrap() == TABLE, "run `cargo xtask registry`");
    }

    #[test]
    fn every_fact_is_found_and_nothing_else() {
        let mut found = 0;
        for line in FACTS.lines().skip(1) {
            let fields: Vec<&str> = line.split('\t').collect();
            let port: u16 = fields[0].parse().unwrap();
            let transport = Transport::from_name(fields[1]).unwrap_or(Transport::Sctp);
            let wanted = Misuse {
                family: fields[2],
                role: Role::from_code(fields[3]).unwrap(),
                endpoints: fields[4].parse().ok(),
                source: fields[5],
            };
            assert!(misuse(transport, port).any(|entry| entry == wanted), "{line}");
            found += 1;
        }
        assert_eq!(records().len(), found * RECORD);
    }

    #[test]
    fn port_420_has_a_history_that_proves_nothing() {
        let history: Vec<Misuse> = misuse(Transport::Tcp, 420).collect();
        assert!(history.windows(2).all(|pair| pair[0].endpoints >= pair[1].endpoints));
        let total: u32 = history.iter().filter_map(|entry| entry.endpoints).sum();
        assert_eq!(total, 93);
        assert!(history.iter().any(|entry| entry.family == "tofsee"));
        for entry in history {
            assert!(entry.to_string().ends_with(CAVEAT), "{entry}");
        }
    }

    #[test]
    fn no_wording_says_that_a_number_proves_malware() {
        for role in Role::ALL {
            for endpoints in [None, Some(1), Some(31)] {
                let words = Misuse { family: "x", role, endpoints, source: "y" }.to_string();
                assert!(words.ends_with(CAVEAT));
                assert!(!words.contains("infected") && !words.contains("is malware"), "{words}");
            }
        }
    }

    #[test]
    fn a_transport_sees_its_own_lines_and_those_for_all() {
        assert!(misuse(Transport::Udp, 3).all(|entry| entry.family != "cd00r"));
        assert!(misuse(Transport::Tcp, 3).any(|entry| entry.family == "cd00r"));
        assert!(misuse(Transport::Udp, 3).any(|entry| entry.family == "nitol"));
    }
}
