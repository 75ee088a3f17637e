//! The database of dpkg: file lists, digests, diversions and versions (deb(5), dpkg-divert(1)).

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::Fault;

/// Top folders that a merged /usr makes links to /usr.
const MERGED: [&str; 6] = ["/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"];

/// The other name of a path on a system with a merged /usr: `/bin/sh` and `/usr/bin/sh` are one file.
pub fn alias(path: &str) -> Option<String> {
    let merged = |path: &str| MERGED.iter().any(|top| path.starts_with(top));
    if merged(path) {
        return Some(alloc::format!("/usr{path}"));
    }
    path.strip_prefix("/usr").filter(|rest| merged(rest)).map(ToOwned::to_owned)
}

/// The package of a list file's name: `libc6:amd64.list` gives `libc6` and `amd64`.
pub fn package_of_list(file_name: &str) -> Option<(&str, Option<&str>)> {
    let stem = file_name.strip_suffix(".list").filter(|stem| !stem.is_empty() && !stem.contains('/'))?;
    Some(match stem.split_once(':') {
        Some((name, arch)) => (name, Some(arch)),
        None => (stem, None),
    })
}

/// Paths to look for in file lists, many at once.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Sorted, so that one line is found by bisection.
    paths: Vec<(Vec<u8>, usize)>,
    /// One bit for each (length, last four bytes) that a wanted path has, so that other lines cost little.
    filter: Vec<u64>,
}

const FILTER_BITS: usize = 1 << 12;

fn filter_slot(path: &[u8]) -> usize {
    let tail = path.last_chunk::<4>().copied().map_or(0, u32::from_le_bytes);
    let mixed = (tail ^ u32::try_from(path.len()).unwrap_or(0).rotate_left(20)).wrapping_mul(0x9e37_79b1);
    usize::try_from(mixed >> 20).unwrap_or(0) % FILTER_BITS
}

impl Wanted {
    /// Adds a path, which hits report as `number`.
    pub fn add(&mut self, path: &str, number: usize) {
        if self.filter.is_empty() {
            self.filter = alloc::vec![0; FILTER_BITS / 64];
        }
        let path = path.as_bytes().to_vec();
        let slot = filter_slot(&path);
        if let Some(word) = self.filter.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
        let at = self.paths.partition_point(|(known, _)| *known < path);
        self.paths.insert(at, (path, number));
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    fn hits(&self, line: &[u8], hit: &mut impl FnMut(usize)) {
        let slot = filter_slot(line);
        if self.filter.get(slot / 64).is_none_or(|word| word & (1 << (slot % 64)) == 0) {
            return;
        }
        let first = self.paths.partition_point(|(known, _)| known.as_slice() < line);
        for (_, number) in self.paths.iter().skip(first).take_while(|(known, _)| known == line) {
            hit(*number);
        }
    }

    /// Tells `hit` the number of every wanted path that the file list has.
    pub fn search(&self, list: &[u8], mut hit: impl FnMut(usize)) {
        // Few paths: a search for each is faster than a look at every line.
        if let [(tail, _), rest @ ..] = self.paths.as_slice()
            && rest.len() <= 1
        {
            // The two names that one path has below a merged /usr end alike: one search finds both.
            let alike = !tail.is_empty() && rest.iter().all(|(path, _)| path.ends_with(tail));
            for (path, number) in self.paths.iter().filter(|_| !alike) {
                if has_line(list, path) {
                    hit(*number);
                }
            }
            let ends: &[u8] = if alike { list } else { &[] };
            let finder = memchr::memmem::Finder::new(tail);
            let mut told = [false; 2];
            let mut from = 0;
            while let Some(at) = ends.get(from..).and_then(|rest| finder.find(rest)).map(|found| from + found)
            {
                // An end like /a/a may begin again inside itself.
                from = at + 1;
                for ((path, number), told) in self.paths.iter().zip(&mut told) {
                    let start = (at + tail.len()).checked_sub(path.len());
                    if !*told && start.is_some_and(|start| is_line(list, start, path)) {
                        *told = true;
                        hit(*number);
                    }
                }
            }
            return;
        }
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', list).chain([list.len()]) {
            self.hits(list.get(start..end).unwrap_or_default(), &mut hit);
            start = end + 1;
        }
    }
}

fn has_line(list: &[u8], path: &[u8]) -> bool {
    memchr::memmem::find_iter(list, path).any(|at| is_line(list, at, path))
}

/// Whether a line at `start` is all of `path`.
fn is_line(list: &[u8], start: usize, path: &[u8]) -> bool {
    let begins = start == 0 || start.checked_sub(1).and_then(|before| list.get(before)) == Some(&b'\n');
    let rest = list.get(start..).and_then(|rest| rest.strip_prefix(path));
    begins && matches!(rest, Some([] | [b'\n', ..]))
}

/// The MD5 that a package's `.md5sums` records for a path.
pub fn md5(md5sums: &[u8], path: &str) -> Option<[u8; 16]> {
    let relative = path.strip_prefix('/')?.as_bytes();
    memchr::memmem::find_iter(md5sums, relative).find_map(|at| {
        if !matches!(md5sums.get(at + relative.len()), None | Some(b'\n')) {
            return None;
        }
        // 32 digits and two spaces stand before it, at the start of a line.
        let start = at.checked_sub(34)?;
        let begins =
            start == 0 || start.checked_sub(1).and_then(|before| md5sums.get(before)) == Some(&b'\n');
        let line = md5sums.get(start..at).filter(|_| begins)?;
        let digits = line.strip_suffix(b"  ")?;
        hex(digits)
    })
}

/// Reads hexadecimal digits, two for each byte.
pub fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok())?;
            *byte = *byte << 4 | value;
        }
    }
    Some(out)
}

/// A file that is put aside so that another package's file can stand in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diversion<'a> {
    /// The path that packages ask for.
    pub from: &'a str,
    /// Where every other package's file goes.
    pub to: &'a str,
    /// The package whose file stays; `:` for a diversion that the administrator made.
    pub by: &'a str,
}

/// Reads the file of diversions: three lines each.
pub fn diversions(text: &[u8]) -> (Vec<Diversion<'_>>, Vec<Fault>) {
    let mut out = Vec::new();
    let fault = |at, what| Fault { layer: "dpkg diversions", at, what };
    let Ok(text) = core::str::from_utf8(text) else { return (out, alloc::vec![fault(1, "not UTF-8")]) };
    let mut lines = text.lines();
    let mut at = 1;
    while let Some(from) = lines.next() {
        let (Some(to), Some(by)) = (lines.next(), lines.next()) else {
            return (out, alloc::vec![fault(at, "a diversion has three lines")]);
        };
        out.push(Diversion { from, to, by });
        at += 3;
    }
    (out, Vec::new())
}

/// The version of an installed package, from the status file (deb-control(5) stanzas).
pub fn version<'a>(status: &'a [u8], package: &str, arch: Option<&str>) -> Option<&'a str> {
    let mut key = b"Package: ".to_vec();
    key.extend_from_slice(package.as_bytes());
    memchr::memmem::find_iter(status, &key).find_map(|at| {
        let begins = at == 0 || at.checked_sub(1).and_then(|before| status.get(before)) == Some(&b'\n');
        if !begins || !matches!(status.get(at + key.len()), None | Some(b'\n')) {
            return None;
        }
        let rest = status.get(at..)?;
        let stanza = rest.get(..memchr::memmem::find(rest, b"\n\n").unwrap_or(rest.len()))?;
        let field = |name: &[u8]| {
            stanza.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(name)).map(<[u8]>::trim_ascii)
        };
        // "Status: want flag state": a package that left its configuration behind is not installed.
        let state = field(b"Status:").and_then(|status| status.rsplit(|b| *b == b' ').next());
        if matches!(state, Some(b"not-installed" | b"config-files")) {
            return None;
        }
        if let Some(arch) = arch
            && field(b"Architecture:").is_some_and(|found| found != arch.as_bytes())
        {
            return None;
        }
        core::str::from_utf8(field(b"Version:")?).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[u8] =
        b"/.\n/bin\n/bin/dash\n/usr/share/doc/dash/bin/dash\n/usr/sbin/sshd-extra\n/usr/sbin/sshd";
    const SUMS: &[u8] = b"0123456789abcdef0123456789ABCDEF  usr/sbin/sshd\n00000000000000000000000000000000  x/usr/sbin/sshd2\n";
    const STATUS: &[u8] = b"Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2.41-1\n\n\
Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41-2\nDescription: x\n Package: no\n\n\
Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n";

    fn found(list: &[u8], paths: &[&str]) -> Vec<usize> {
        let mut wanted = Wanted::default();
        for (number, path) in paths.iter().enumerate() {
            wanted.add(path, number);
        }
        let mut hits = Vec::new();
        wanted.search(list, |number| hits.push(number));
        hits.sort_unstable();
        hits
    }

    #[test]
    fn whole_lines_only_with_few_paths_and_with_many() {
        assert_eq!(found(LIST, &["/bin/dash"]), [0]);
        assert_eq!(found(LIST, &["/usr/sbin/sshd", "/usr/sbin/ssh"]), [0]);
        assert_eq!(found(b"/a/a/a\n", &["/a/a/a", "/a/a"]), [0]);
        let many = ["/usr/sbin/sshd", "/bin/dash", "/bin/das", "/usr/bin/dash", "/sbin/sshd", "/bin/dash"];
        assert_eq!(found(LIST, &many), [0, 1, 5]);
        assert_eq!(found(b"", &many), [0usize; 0]);
        assert!(Wanted::default().is_empty());
    }

    #[test]
    fn both_ways_of_searching_agree_on_every_prefix() {
        assert_eq!(found(b"/a/a/a\n", &["/a/a/a", "/a/a"]), [0]);
        let many = ["/usr/sbin/sshd", "/bin/dash", "/bin", "/usr/sbin/sshd-extra", "/.", ""];
        for cut in 0..=LIST.len() {
            let text = &LIST[..cut];
            let together = found(text, &many);
            for (number, path) in many.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
                assert_eq!(found(text, &[path]) == [0], together.contains(&number), "{cut} {path}");
            }
        }
    }

    #[test]
    fn the_two_names_of_one_path_are_found_by_one_search() {
        let list: &[u8] = b"/bin/ab\n/usr/bin/a\n/usr/usr/bin/a\n/x/bin/a\n";
        assert_eq!(found(list, &["/bin/a", "/usr/bin/a"]), [1]);
        assert_eq!(found(b"/bin/a", &["/usr/bin/a", "/bin/a"]), [1]);
        assert_eq!(found(b"/usr/bin/a\n/bin/a\n", &["/usr/bin/a", "/bin/a"]), [0, 1]);
        assert_eq!(found(list, &["/bin/a", "/bin/ab"]), [1]);
        assert_eq!(found(list, &["/bin/a", "/bin/a"]), [0usize; 0]);
        for cut in 0..=list.len() {
            let text = &list[..cut];
            let each = [found(text, &["/bin/a"]).len(), found(text, &["/usr/bin/a"]).len()];
            assert_eq!(found(text, &["/bin/a", "/usr/bin/a"]).len(), each[0] + each[1], "{cut}");
        }
    }

    #[test]
    fn merged_usr_has_two_names() {
        assert_eq!(alias("/usr/bin/bash").as_deref(), Some("/bin/bash"));
        assert_eq!(alias("/lib/systemd/systemd").as_deref(), Some("/usr/lib/systemd/systemd"));
        assert_eq!(alias("/usr/share/x"), None);
        assert_eq!(alias("/opt/bin/x"), None);
        assert_eq!(alias("/usr/binary"), None);
    }

    #[test]
    fn digests_belong_to_the_exact_path() {
        assert_eq!(md5(SUMS, "/usr/sbin/sshd").unwrap()[..3], [0x01, 0x23, 0x45]);
        assert_eq!(md5(SUMS, "/usr/sbin/sshd2"), None);
        assert_eq!(md5(SUMS, "/sbin/sshd"), None);
        assert_eq!(md5(b"zz23456789abcdef0123456789abcdef  a\n", "/a"), None);
        for cut in 0..SUMS.len() {
            if let Some(digest) = md5(&SUMS[..cut], "/usr/sbin/sshd") {
                assert_eq!(digest[15], 0xef);
            }
        }
    }

    #[test]
    fn versions_by_architecture_and_only_of_what_is_installed() {
        assert_eq!(version(STATUS, "libc6", Some("amd64")), Some("2.41-2"));
        assert_eq!(version(STATUS, "libc6", None), Some("2.41-1"));
        assert_eq!(version(STATUS, "libc6", Some("arm64")), None);
        assert_eq!(version(STATUS, "gone", None), None);
        assert_eq!(version(STATUS, "lib", None), None);
        assert_eq!(version(STATUS, "no", None), None);
        for cut in 0..STATUS.len() {
            if let Some(version) = version(&STATUS[..cut], "libc6", Some("amd64")) {
                assert!("2.41-2".starts_with(version));
            }
        }
    }

    #[test]
    fn diversions_come_in_threes() {
        let (found, faults) = diversions(b"/bin/sh\n/bin/sh.distrib\ndash\n/bin/x\n/bin/x.real\n:\n");
        assert!(faults.is_empty());
        assert_eq!(found[0], Diversion { from: "/bin/sh", to: "/bin/sh.distrib", by: "dash" });
        assert_eq!((found.len(), found[1].by), (2, ":"));
        let (found, faults) = diversions(b"/a\n/b\nc\n/d\n");
        assert_eq!((found.len(), faults[0].at), (1, 4));
        assert_eq!(diversions(b"\xff").1.len(), 1);
    }

    #[test]
    fn list_names() {
        assert_eq!(package_of_list("libc6:amd64.list"), Some(("libc6", Some("amd64"))));
        assert_eq!(package_of_list("dash.list"), Some(("dash", None)));
        assert_eq!(package_of_list("dash.md5sums"), None);
        assert_eq!(package_of_list(".list"), None);
    }
}
