//! Account names and home folders, read again only when the file has changed.

use std::collections::HashMap;

use super::tree::{Stamp, Tree};

/// Most bytes of /etc/passwd that are read.
const LIMIT: usize = 16 << 20;

/// The accounts of the machine.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    stamp: Option<Stamp>,
    by_uid: HashMap<u32, (String, String)>,
}

impl Accounts {
    /// Reads the file again if it has changed.
    pub(crate) fn refresh(&mut self, tree: &Tree) {
        let stamp = tree.stat("etc/passwd").ok().map(|stat| Stamp::of(&stat));
        if stamp == self.stamp && stamp.is_some() {
            return;
        }
        self.stamp = stamp;
        self.by_uid.clear();
        let text = tree.read("etc/passwd", LIMIT).unwrap_or_default();
        for account in wire::passwd::accounts(&text) {
            // The first account with a number is the one that the C library names.
            self.by_uid
                .entry(account.uid)
                .or_insert_with(|| (account.name.to_owned(), account.home.to_owned()));
        }
    }

    /// The name of an account.
    pub(crate) fn name(&self, uid: u32) -> Option<&str> {
        self.by_uid.get(&uid).map(|(name, _)| name.as_str())
    }

    /// The home folder of an account.
    pub(crate) fn home(&self, uid: u32) -> Option<&str> {
        self.by_uid.get(&uid).map(|(_, home)| home.as_str()).filter(|home| home.starts_with('/'))
    }
}
