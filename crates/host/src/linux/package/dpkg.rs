//! Owners from the database of dpkg: one pass over the file lists for all paths, and no further than needed.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};

use model::Manager;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use wire::dpkg::{self, Wanted};

use super::{Base, Owned, digest::Recorded};
use crate::linux::process::tree::{Tree, names, reason};

const INFO: &str = "var/lib/dpkg/info";
/// Packages of an image without dpkg itself: one file for each.
const STATUS_PARTS: &str = "var/lib/dpkg/status.d";
const FILES_MAX: usize = 1 << 20;
const LIST_MAX: usize = 64 << 20;
const STATUS_MAX: usize = 256 << 20;
/// Most lists are far smaller.
const SPACE_STEP: usize = 256 << 10;

/// One name that a list may have for a path that is asked.
#[derive(Debug)]
struct Rule {
    path: usize,
    name: String,
    /// Only this package's entry counts: it diverted the others away.
    only: Option<String>,
    /// This package's entry does not count: its file lies elsewhere.
    except: Option<String>,
}

/// Fills in the owners of paths that have none yet.
pub(crate) fn owners(tree: &Tree, paths: &[&str], found: &mut [Option<Owned>]) -> Base {
    let folder = match tree.folder(INFO) {
        Ok(folder) => folder,
        Err(Errno::NOENT | Errno::NOTDIR) => return parts(tree, paths, found),
        Err(errno) => return Base::Failed(reason(errno)),
    };
    let files = match lists(&folder) {
        Ok(files) => files,
        Err(errno) => return Base::Failed(reason(errno)),
    };
    let diverted = tree.read("var/lib/dpkg/diversions", LIST_MAX).unwrap_or_default();
    let (diversions, _) = dpkg::diversions(&diverted);
    let open: Vec<usize> =
        (0..paths.len()).filter(|at| found.get(*at).is_some_and(Option::is_none)).collect();
    let rules: Vec<Rule> = open
        .iter()
        .filter_map(|at| Some((*at, *paths.get(*at)?)))
        .flat_map(|(at, path)| rules_of(at, path, &diversions))
        .collect();
    let mut wanted = Wanted::default();
    for (number, rule) in rules.iter().enumerate() {
        wanted.add(&rule.name, number);
    }

    let mut missing: Vec<usize> = open;
    let mut hits: Vec<(usize, usize, &str)> = Vec::new();
    let mut space = Vec::new();
    for file in likely_first(&files, paths) {
        if missing.is_empty() {
            break;
        }
        let Some((package, _)) = dpkg::package_of_list(file) else { continue };
        let Ok(list) = read_name(&folder, file, &mut space) else { continue };
        wanted.search(list, |number| {
            let Some(rule) = rules.get(number) else { return };
            let allowed = rule.only.as_deref().is_none_or(|only| only == package)
                && rule.except.as_deref() != Some(package);
            if allowed && missing.contains(&rule.path) {
                missing.retain(|path| *path != rule.path);
                hits.push((rule.path, number, file));
            }
        });
    }
    if hits.is_empty() {
        return Base::Read;
    }
    let status = match tree.read("var/lib/dpkg/status", STATUS_MAX) {
        Ok(status) => status,
        Err(errno) => return Base::Failed(reason(errno)),
    };
    let mut sums: HashMap<&str, Vec<u8>> = HashMap::new();
    for (path, number, file) in hits {
        let (Some((package, arch)), Some(rule)) = (dpkg::package_of_list(file), rules.get(number)) else {
            continue;
        };
        // The status file has the last word on what is installed.
        let Some(version) = dpkg::version(&status, package, arch) else { continue };
        let stem = file.strip_suffix(".list").unwrap_or(file);
        let sums = sums.entry(file).or_insert_with(|| {
            read_name(&folder, &format!("{stem}.md5sums"), &mut space).map(<[u8]>::to_vec).unwrap_or_default()
        });
        let recorded = dpkg::md5(sums, &rule.name).map_or(Recorded::None, Recorded::Md5);
        if let Some(slot) = found.get_mut(path) {
            *slot = Some(Owned {
                manager: Manager::Dpkg,
                name: package.to_owned(),
                version: version.to_owned(),
                recorded,
            });
        }
    }
    Base::Read
}

fn rules_of(path: usize, name: &str, diversions: &[dpkg::Diversion<'_>]) -> Vec<Rule> {
    let both = |name: &str| [Some(name.to_owned()), dpkg::alias(name)].into_iter().flatten();
    let rule = |name, only: Option<&str>, except: Option<&str>| Rule {
        path,
        name,
        only: only.map(str::to_owned),
        except: except.map(str::to_owned),
    };
    let is = |there: &str| there == name || dpkg::alias(name).as_deref() == Some(there);
    if let Some(moved) = diversions.iter().find(|diversion| is(diversion.to)) {
        // Lists go on to have the old name; the file under the new one belongs to whoever was diverted.
        return both(moved.from).map(|name| rule(name, None, Some(moved.by))).collect();
    }
    match diversions.iter().find(|diversion| is(diversion.from)) {
        Some(moved) => both(name).map(|name| rule(name, Some(moved.by), None)).collect(),
        None => both(name).map(|name| rule(name, None, None)).collect(),
    }
}

/// The list files, those first whose package is called like one of the programs.
fn likely_first<'f>(files: &'f str, paths: &[&str]) -> impl Iterator<Item = &'f str> {
    let stems: Vec<&str> = paths
        .iter()
        .filter_map(|path| path.rsplit('/').next())
        .map(|name| name.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or(name))
        .filter(|stem| stem.len() >= 3)
        .collect();
    let likely = move |file: &str| stems.iter().any(|stem| file.starts_with(stem));
    let (first, rest): (Vec<_>, Vec<_>) = files.lines().partition(|file| likely(file));
    first.into_iter().chain(rest)
}

/// The names of the file lists, one in each line: most files of the folder are others.
fn lists(folder: &OwnedFd) -> Result<String, Errno> {
    let mut space = Vec::with_capacity(SPACE_STEP / 2);
    let mut entries = rustix::fs::RawDir::new(folder, space.spare_capacity_mut());
    let mut out = String::new();
    let mut count = 0;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name.ends_with(b".list")
            && !name.contains(&b'\n')
            && let Ok(name) = std::str::from_utf8(name)
        {
            out.push_str(name);
            out.push('\n');
        }
        count += 1;
        if count == FILES_MAX {
            break;
        }
    }
    Ok(out)
}

/// Reads a file into space that is kept and only grows: there are many of them.
fn read_name<'s>(folder: &OwnedFd, name: &str, space: &'s mut Vec<u8>) -> Result<&'s [u8], Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let mut filled = 0;
    loop {
        if space.len() - filled < SPACE_STEP / 2 {
            space.resize(space.len() + SPACE_STEP, 0);
        }
        let Some(free) = space.get_mut(filled..) else { return Err(Errno::INVAL) };
        let room = free.len();
        match rustix::io::read(file.as_fd(), free) {
            Ok(count) => {
                filled += count;
                // A file that does not fill the space has ended.
                if count < room {
                    return Ok(space.get(..filled).unwrap_or_default());
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        if filled > LIST_MAX {
            return Err(Errno::FBIG);
        }
    }
}

/// An image made of packages without dpkg: the digests are the file lists.
fn parts(tree: &Tree, paths: &[&str], found: &mut [Option<Owned>]) -> Base {
    let folder = match tree.folder(STATUS_PARTS) {
        Ok(folder) => folder,
        Err(Errno::NOENT | Errno::NOTDIR) => return Base::NotHere,
        Err(errno) => return Base::Failed(reason(errno)),
    };
    let Ok(files) = names(&folder, FILES_MAX) else { return Base::NotHere };
    let (mut space, mut stanza_space) = (Vec::new(), Vec::new());
    for file in &files {
        let Some(stem) = file.strip_suffix(".md5sums") else { continue };
        let Ok(sums) = read_name(&folder, file, &mut space) else { continue };
        for (path, slot) in paths.iter().zip(found.iter_mut()).filter(|(_, slot)| slot.is_none()) {
            let alias = dpkg::alias(path);
            let md5 = dpkg::md5(sums, path).or_else(|| dpkg::md5(sums, alias.as_deref()?));
            let Some(md5) = md5 else { continue };
            let Ok(stanza) = read_name(&folder, stem, &mut stanza_space) else { continue };
            let field = |key: &str| {
                let text = std::str::from_utf8(stanza).ok()?;
                text.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned())
            };
            let (Some(name), Some(version)) = (field("Package:"), field("Version:")) else { continue };
            *slot = Some(Owned { manager: Manager::Dpkg, name, version, recorded: Recorded::Md5(md5) });
        }
    }
    Base::Read
}
