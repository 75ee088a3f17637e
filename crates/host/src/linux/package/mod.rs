//! Which package owns an executable, and whether the file is as the package delivered it.
//!
//! All paths of one look are asked together, so that each database is walked once.

pub(crate) mod apk;
pub(crate) mod cache;
pub(crate) mod digest;
pub(crate) mod dpkg;
pub(crate) mod rpm;

use model::{Area, Gap, Manager, Reason, Seen};

use super::process::tree::{Stamp, Tree};
use digest::Recorded;

/// What a database says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    /// Which database.
    pub(crate) manager: Manager,
    /// Package name.
    pub(crate) name: String,
    /// Package version.
    pub(crate) version: String,
    /// The digest that it records.
    pub(crate) recorded: Recorded,
}

/// Files and folders whose change means that packages have changed.
const WITNESSES: [&str; 13] = [
    "var/lib/dpkg/status",
    "var/lib/dpkg/info",
    "var/lib/dpkg/diversions",
    "var/lib/dpkg/status.d",
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/share/rpm/rpmdb.sqlite",
    "var/lib/rpm/rpmdb.sqlite-wal",
    "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages.db",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
];

/// What the databases looked like when they were last read.
pub(crate) type Witness = [Option<Stamp>; WITNESSES.len()];

/// What the databases look like now.
pub(crate) fn witness(tree: &Tree) -> Witness {
    WITNESSES.map(|path| tree.stat(path).ok().map(|stat| Stamp::of(&stat)))
}

/// The owners of paths in a tree, in the order asked.
pub(crate) fn owners(tree: &Tree, paths: &[&str], gaps: &mut Vec<Gap>) -> Vec<Seen<Owned>> {
    let mut found: Vec<Option<Owned>> = vec![None; paths.len()];
    let mut looked = false;
    let mut failed: Option<Reason> = None;
    let bases: [(&str, Look); 3] = [("dpkg", dpkg::owners), ("rpm", rpm::owners), ("apk", apk::owners)];
    for (name, base) in bases {
        if found.iter().all(Option::is_some) {
            break;
        }
        match base(tree, paths, &mut found) {
            Base::Read => looked = true,
            Base::NotHere => {}
            Base::Failed(reason) => {
                failed = Some(reason);
                gaps.push(Gap {
                    area: Area::Packages,
                    reason,
                    what: format!("the {name} database"),
                    count: None,
                });
            }
        }
    }
    found
        .into_iter()
        .map(|owned| match (owned, failed) {
            (Some(owned), _) => Seen::Value(owned),
            (None, Some(reason)) => Seen::Hidden(reason),
            (None, None) if looked => Seen::Absent,
            // No database that we can read: nobody can say that no package owns it.
            (None, None) => Seen::Hidden(Reason::NotSupported),
        })
        .collect()
}

/// Looks for the owners of paths in one database, and fills in those that have none yet.
type Look = fn(&Tree, &[&str], &mut [Option<Owned>]) -> Base;

/// How looking into one database went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// It was read.
    Read,
    /// This tree has none.
    NotHere,
    /// It is there and could not be read.
    Failed(Reason),
}

#[cfg(test)]
mod tests;
