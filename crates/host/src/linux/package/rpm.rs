//! Owners from the database of rpm, where it is SQLite. Older forms (Berkeley DB, ndb) are told as not supported.

use std::os::fd::OwnedFd;

use model::{Manager, Reason};
use rustix::io::Errno;
use wire::Fault;
use wire::rpm_header::{self, File, Header};
use wire::sqlite::{Database, Source, Value, columns};

use super::{Base, Owned, digest::Recorded};
use crate::linux::process::tree::{Tree, reason};

/// Folders of the database: the ordinary one, and those of newer and of image-based systems.
const FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
/// Most bytes of a write-ahead log.
const LOG_MAX: usize = 64 << 20;

/// A file that is read where it is asked for.
struct Pages {
    file: OwnedFd,
    length: u64,
}

impl Source for Pages {
    fn read(&mut self, at: u64, into: &mut [u8]) -> bool {
        let mut filled = 0;
        while filled < into.len() {
            let Some(free) = into.get_mut(filled..) else { return false };
            match rustix::io::pread(&self.file, free, at + filled as u64) {
                Ok(0) => return false,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn length(&self) -> u64 {
        self.length
    }
}

/// Fills in the owners of paths that have none yet.
pub(crate) fn owners(tree: &Tree, paths: &[&str], found: &mut [Option<Owned>]) -> Base {
    let mut other_form = false;
    for folder in FOLDERS {
        match tree.open_file(&format!("{folder}/rpmdb.sqlite")) {
            Ok(file) => {
                let log = tree.read(&format!("{folder}/rpmdb.sqlite-wal"), LOG_MAX).ok();
                let length =
                    rustix::fs::fstat(&file).map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
                return match fill(Pages { file, length }, log.as_deref(), paths, found) {
                    Ok(()) => Base::Read,
                    Err(_) => Base::Failed(Reason::Damaged),
                };
            }
            Err(Errno::NOENT | Errno::NOTDIR) => {
                other_form |= ["Packages", "Packages.db"]
                    .iter()
                    .any(|name| tree.stat(&format!("{folder}/{name}")).is_ok_and(|stat| stat.st_size > 0));
            }
            Err(errno) => return Base::Failed(reason(errno)),
        }
    }
    if other_form { Base::Failed(Reason::NotSupported) } else { Base::NotHere }
}

fn fill(pages: Pages, log: Option<&[u8]>, paths: &[&str], found: &mut [Option<Owned>]) -> Result<(), Fault> {
    let mut database = Database::open(pages, log)?;
    let missing = Fault { layer: "rpm database", at: 0, what: "a table or index is missing" };
    let packages = database.root("Packages")?.ok_or(missing)?;
    let names = database.root("Basenames")?.ok_or(missing)?;
    let index = database.index_of("Basenames", "key")?.ok_or(missing)?;
    for (path, slot) in paths.iter().zip(found.iter_mut()).filter(|(_, slot)| slot.is_none()) {
        let alias = wire::dpkg::alias(path);
        let is_it =
            |file: &File<'_>| file.is_at(path) || alias.as_deref().is_some_and(|alias| file.is_at(alias));
        let name = path.rsplit('/').next().unwrap_or(path);
        for number in database.find(index, name.as_bytes())? {
            let Some(row) = database.row(names, number)? else { continue };
            let (package, file) = match *columns(&row)? {
                [_, Value::Integer(package), Value::Integer(file)] => (package, file),
                _ => continue,
            };
            let Some(row) = database.row(packages, package)? else { continue };
            let row = columns(&row)?;
            let Some(Value::Bytes(blob)) = row.get(1) else { continue };
            let header = rpm_header::parse(blob)?;
            let file = usize::try_from(file).ok().and_then(|file| header.file(file));
            if let Some(file) = file.filter(&is_it) {
                *slot = owned(&header, &file);
                break;
            }
        }
    }
    Ok(())
}

fn owned(header: &Header<'_>, file: &File<'_>) -> Option<Owned> {
    let epoch = header.epoch().map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let version = format!("{epoch}{}-{}", header.version()?, header.release()?);
    Some(Owned {
        manager: Manager::Rpm,
        name: header.name()?.to_owned(),
        version,
        recorded: recorded(header, file),
    })
}

fn recorded(header: &Header<'_>, file: &File<'_>) -> Recorded {
    use wire::dpkg::hex;
    if file.digest.is_empty() {
        return Recorded::None;
    }
    // Numbers of hash algorithms as in OpenPGP (RFC 4880 §9.4).
    let found = match header.digest_algorithm() {
        1 => hex(file.digest).map(Recorded::Md5),
        2 => hex(file.digest).map(Recorded::Sha1),
        8 => hex(file.digest).map(Recorded::Sha256),
        10 => hex(file.digest).map(|digest| Recorded::Sha512(Box::new(digest))),
        _ => None,
    };
    found.unwrap_or(Recorded::Unknown)
}
