//! Owners from the database of apk.

use model::{Manager, Reason};
use rustix::io::Errno;

use super::{Base, Owned, digest::Recorded};
use crate::linux::process::tree::{Tree, reason};

/// Most bytes of the database.
const LIMIT: usize = 256 << 20;

/// Fills in the owners of paths that have none yet.
pub(crate) fn owners(tree: &Tree, paths: &[&str], found: &mut [Option<Owned>]) -> Base {
    let text = match tree.read("lib/apk/db/installed", LIMIT) {
        Err(Errno::NOENT | Errno::NOTDIR) => tree.read("usr/lib/apk/db/installed", LIMIT),
        other => other,
    };
    let text = match text {
        Ok(text) => text,
        Err(Errno::NOENT | Errno::NOTDIR) => return Base::NotHere,
        Err(errno) => return Base::Failed(reason(errno)),
    };
    let names: Vec<_> = paths.iter().map(|path| (*path, wire::dpkg::alias(path))).collect();
    let mut any = false;
    for file in wire::apk::files(&text) {
        any = true;
        for ((path, alias), slot) in names.iter().zip(found.iter_mut()) {
            if slot.is_none() && (file.is_at(path) || alias.as_deref().is_some_and(|alias| file.is_at(alias)))
            {
                *slot = Some(Owned {
                    manager: Manager::Apk,
                    name: file.package.to_owned(),
                    version: file.version.to_owned(),
                    recorded: file.sha1.map_or(Recorded::None, Recorded::Sha1),
                });
            }
        }
    }
    if any || text.is_empty() { Base::Read } else { Base::Failed(Reason::Damaged) }
}
