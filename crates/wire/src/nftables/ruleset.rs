//! What the kernel dumps, kept as far as address translation needs it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{BODY_BYTES, SUBSYSTEM, find, name, number, readable};
use crate::cursor::{array, be16};
use crate::netlink::Message;

/// Bytes of names, rules and elements that are kept at most.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Family, table, and chain or set.
pub type SetKey = (u8, Vec<u8>, Vec<u8>);

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its type: `nat`, `filter`; empty for one that is only jumped to.
    pub kind: Vec<u8>,
    /// The hook it is at (`NF_INET_*`); `None` for one that is only jumped to.
    pub hook: Option<u32>,
}

/// One element of a set or map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The key; `None` for the element that stands for all others.
    pub key: Option<Vec<u8>>,
    /// The last key of a range, where ranges are kept in one element.
    pub last: Option<Vec<u8>>,
    /// Whether it only ends the interval that the element before it began, and is not part of it.
    pub is_end: bool,
    /// What a map gives for it.
    pub data: Option<Vec<u8>>,
    /// The verdict that a verdict map gives for it, and the chain that it names.
    pub verdict: Option<(i32, Vec<u8>)>,
}

/// A set or map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Set {
    /// Whether its elements are intervals.
    pub interval: bool,
    /// Its elements, as dumped.
    pub elements: Vec<Element>,
}

impl Set {
    /// Whether an element is there twice. The kernel goes on where it was by counting elements, and a hash table that grows
    /// meanwhile has them in another order: for each that comes again another one is missed.
    fn is_torn(&self) -> bool {
        let mut keys: Vec<_> = self.elements.iter().map(|it| (&it.key, &it.last, it.is_end)).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| matches!(pair, [one, next] if one == next))
    }
}

/// Tables, chains, rules and sets.
#[derive(Debug, Clone, Default)]
pub struct Ruleset {
    /// Tables that are switched off.
    dormant: Vec<(u8, Vec<u8>)>,
    pub(super) chains: BTreeMap<SetKey, Chain>,
    /// The expressions of each rule, in order, by chain.
    pub(super) rules: BTreeMap<SetKey, Vec<Vec<u8>>>,
    pub(super) sets: BTreeMap<SetKey, Set>,
    tables: usize,
    generation: Option<u16>,
    changed: bool,
    kept_bytes: usize,
    dropped: u64,
    damaged: u64,
}

impl Ruleset {
    /// Takes one message of a dump; what is of no use is passed over, what is damaged is counted.
    pub fn take(&mut self, message: &Message<'_>) {
        if message.kind & 0xff00 != SUBSYSTEM {
            return;
        }
        self.kept_bytes = self.kept_bytes.saturating_add(message.payload.len());
        if self.kept_bytes > MAX_BYTES {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let (Some(family), Some(block)) = (message.payload.first(), message.payload.get(BODY_BYTES..)) else {
            self.damaged = self.damaged.saturating_add(1);
            return;
        };
        // nfgenmsg.res_id counts the changes of the rules: two values are two states.
        let generation = be16(message.payload, 2);
        self.changed |= self.generation.is_some() && self.generation != generation;
        self.generation = generation;
        let taken = match message.kind & 0xff {
            0 => self.table(*family, block),
            3 => self.chain(*family, block),
            6 => self.rule(*family, block),
            9 => self.set(*family, block),
            12 => self.elements(*family, block),
            _ => Some(()),
        };
        if taken.is_none() {
            self.damaged = self.damaged.saturating_add(1);
        }
    }

    fn table(&mut self, family: u8, block: &[u8]) -> Option<()> {
        let name = name(block, 1)?;
        self.tables = self.tables.saturating_add(1);
        // NFT_TABLE_F_DORMANT
        if number(block, 2).unwrap_or(0) & 1 != 0 {
            self.dormant.push((family, name.to_vec()));
        }
        Some(())
    }

    fn chain(&mut self, family: u8, block: &[u8]) -> Option<()> {
        let key = (family, name(block, 1)?.to_vec(), name(block, 3)?.to_vec());
        let hook = match find(block, 4) {
            Some(hook) => Some(number(hook, 1)?),
            None => None,
        };
        let kind = name(block, 7).unwrap_or_default().to_vec();
        self.chains.insert(key, Chain { kind, hook });
        Some(())
    }

    fn rule(&mut self, family: u8, block: &[u8]) -> Option<()> {
        let key = (family, name(block, 1)?.to_vec(), name(block, 2)?.to_vec());
        self.rules.entry(key).or_default().push(find(block, 4).unwrap_or_default().to_vec());
        Some(())
    }

    fn set(&mut self, family: u8, block: &[u8]) -> Option<()> {
        let key = (family, name(block, 1)?.to_vec(), name(block, 2)?.to_vec());
        // NFT_SET_INTERVAL
        self.sets.entry(key).or_default().interval = number(block, 3)? & 4 != 0;
        Some(())
    }

    fn elements(&mut self, family: u8, block: &[u8]) -> Option<()> {
        let key = (family, name(block, 1)?.to_vec(), name(block, 2)?.to_vec());
        let set = self.sets.entry(key).or_default();
        for element in readable(find(block, 3)?) {
            set.elements.push(element_of(element.payload)?);
        }
        Some(())
    }

    /// Whether there is any table.
    pub fn is_empty(&self) -> bool {
        self.tables == 0
    }

    /// Whether what was taken is no one state: the rules changed between the messages, or a set was put into another order.
    pub fn changed(&self) -> bool {
        self.changed || self.sets.values().any(Set::is_torn)
    }

    /// Says that a dump was begun anew, so that something may be here twice.
    pub fn spoil(&mut self) {
        self.changed = true;
    }

    /// How many messages were left out because of a bound, and how many were damaged.
    pub fn left_out(&self) -> (u64, u64) {
        (self.dropped, self.damaged)
    }

    /// The chains that translate addresses of arriving packets (prerouting) or of our own (output).
    pub fn bases(&self) -> impl Iterator<Item = (&SetKey, bool)> {
        self.chains.iter().filter_map(|(key, chain)| {
            let outgoing = match chain.hook {
                Some(0) => false,
                Some(3) => true,
                _ => return None,
            };
            let dormant = self.dormant.iter().any(|(family, name)| (*family, name) == (key.0, &key.1));
            (chain.kind == b"nat" && !dormant).then_some((key, outgoing))
        })
    }

    /// The tables that [`Ruleset::bases`] lie in: family and name.
    pub fn tables(&self) -> Vec<(u8, Vec<u8>)> {
        let mut tables: Vec<_> = self.bases().map(|(key, _)| (key.0, key.1.clone())).collect();
        tables.dedup();
        tables
    }

    /// The sets that rules look into and whose elements were not taken yet.
    pub fn wanted_sets(&self) -> Vec<SetKey> {
        let mut wanted = Vec::new();
        for ((family, table, _), rules) in &self.rules {
            for expression in rules.iter().flat_map(|rule| readable(rule)) {
                if name(expression.payload, 1) == Some(b"lookup")
                    && let Some(set) = find(expression.payload, 2).and_then(|data| name(data, 1))
                {
                    wanted.push((*family, table.clone(), set.to_vec()));
                }
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted.retain(|key| self.sets.get(key).is_none_or(|set| set.elements.is_empty()));
        wanted
    }
}

fn element_of(block: &[u8]) -> Option<Element> {
    let value = |kind| find(block, kind).and_then(|data| find(data, 1)).map(<[u8]>::to_vec);
    let flags = number(block, 3).unwrap_or(0);
    let verdict = find(block, 2).and_then(|data| find(data, 2)).and_then(verdict_of);
    let key = value(1);
    // Only NFT_SET_ELEM_CATCHALL has no key.
    if key.is_none() && flags & 2 == 0 {
        return None;
    }
    Some(Element { key, last: value(10), is_end: flags & 1 != 0, data: value(2), verdict })
}

/// A verdict: its code, and the chain of a jump.
pub(super) fn verdict_of(block: &[u8]) -> Option<(i32, Vec<u8>)> {
    let code = i32::from_be_bytes(array(find(block, 1)?, 0)?);
    Some((code, name(block, 2).unwrap_or_default().to_vec()))
}
