//! The database of apk: `lib/apk/db/installed` (apk-package(5), the installed database of apk-tools v2).
//!
//! Records are separated by an empty line. `P:` name, `V:` version, `F:` a folder, `R:` a file in it, `Z:` its digest:
//! `Q1` and the SHA-1 in base64.

/// One file of one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Package name.
    pub package: &'a str,
    /// Package version.
    pub version: &'a str,
    /// Its folder, without a slash at either end; empty for the root.
    pub folder: &'a [u8],
    /// Its name.
    pub name: &'a [u8],
    /// SHA-1 of its content, or of a link's target.
    pub sha1: Option<[u8; 20]>,
}

impl File<'_> {
    /// Whether this is the file at an absolute path.
    pub fn is_at(&self, path: &str) -> bool {
        let Some(rest) = path.as_bytes().strip_prefix(b"/") else { return false };
        let Some(name_at) = rest.len().checked_sub(self.name.len()) else { return false };
        if rest.get(name_at..) != Some(self.name) {
            return false;
        }
        match rest.get(..name_at) {
            Some([]) => self.folder.is_empty(),
            Some([folder @ .., b'/']) => folder == self.folder && !folder.is_empty(),
            _ => false,
        }
    }
}

/// Every file of the database.
pub fn files(text: &[u8]) -> Files<'_> {
    Files { rest: text, package: "", version: "", folder: &[] }
}

/// Walks the files of the database.
#[derive(Debug, Clone)]
pub struct Files<'a> {
    rest: &'a [u8],
    package: &'a str,
    version: &'a str,
    folder: &'a [u8],
}

impl<'a> Files<'a> {
    fn line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = self.rest.get(..end).unwrap_or_default();
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(line)
    }
}

impl<'a> Iterator for Files<'a> {
    type Item = File<'a>;

    fn next(&mut self) -> Option<File<'a>> {
        loop {
            let line = self.line()?;
            match line {
                [] => (self.package, self.version, self.folder) = ("", "", &[]),
                [b'P', b':', rest @ ..] => self.package = core::str::from_utf8(rest).unwrap_or(""),
                [b'V', b':', rest @ ..] => self.version = core::str::from_utf8(rest).unwrap_or(""),
                [b'F', b':', rest @ ..] => self.folder = rest,
                [b'R', b':', name @ ..] if !self.package.is_empty() && !name.is_empty() => {
                    let mut sha1 = None;
                    // Its digest follows, perhaps after its owner and mode (`a:`).
                    let mut ahead = self.clone();
                    while let Some(line) = ahead.line() {
                        match line {
                            [b'Z', b':', digest @ ..] => {
                                sha1 = digest.strip_prefix(b"Q1").and_then(base64);
                                *self = ahead;
                                break;
                            }
                            [b'a', b':', ..] => {}
                            _ => break,
                        }
                    }
                    let (package, version, folder) = (self.package, self.version, self.folder);
                    return Some(File { package, version, folder, name, sha1 });
                }
                _ => {}
            }
        }
    }
}

/// Base64 with the standard alphabet and padding (RFC 4648 §4), of exactly `N` bytes.
fn base64<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let body = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut out = [0; N];
    let mut slots = out.iter_mut();
    let (mut bits, mut count) = (0u32, 0);
    for letter in body {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            *slots.next()? = u8::try_from(bits >> count & 0xff).ok()?;
            bits &= (1 << count) - 1;
        }
    }
    (slots.next().is_none() && bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const DB: &[u8] = b"C:Q1abc=\nP:busybox\nV:1.37.0-r12\nA:x86_64\nF:bin\nR:busybox\na:0:0:755\n\
Z:Q1AAECAwQFBgcICQoLDA0ODxAREhM=\nR:sh\na:0:0:777\nZ:Q1pcfxz4ZJcTuNg5yBkAAAAAAAAAA\nF:\nR:init\n\nP:musl\nV:1.2.5\n\
F:lib\nR:ld-musl-x86_64.so.1\n\nF:lib\nR:orphan\n";

    #[test]
    fn files_with_package_folder_and_digest() {
        let all: Vec<_> = files(DB).collect();
        assert_eq!(all.len(), 4);
        assert!(
            all[0].is_at("/bin/busybox") && !all[0].is_at("/sbin/busybox") && !all[0].is_at("/xbin/busybox")
        );
        assert!(!all[0].is_at("bin/busybox") && !all[0].is_at("/busybox"));
        assert_eq!(all[0].sha1.unwrap()[..4], [0, 1, 2, 3]);
        assert_eq!(all[0].sha1.unwrap()[19], 0x13);
        assert_eq!((all[0].package, all[0].version), ("busybox", "1.37.0-r12"));
        assert!(all[2].is_at("/init") && all[2].sha1.is_none());
        assert_eq!((all[3].package, all[3].version, all[3].sha1), ("musl", "1.2.5", None));
    }

    #[test]
    fn a_record_without_a_name_owns_nothing() {
        assert!(files(DB).all(|file| file.name != b"orphan"));
    }

    #[test]
    fn digests_of_another_size_or_alphabet_are_none() {
        assert_eq!(base64::<3>(b"AAEC"), Some([0, 1, 2]));
        assert_eq!(base64::<2>(b"AAE="), Some([0, 1]));
        for bad in [&b"AAE"[..], b"AA==", b"A*EC", b"AAECAA==", b""] {
            assert_eq!(base64::<3>(bad), None);
        }
    }

    #[test]
    fn every_prefix_and_random_bytes_are_harmless() {
        let all: Vec<_> = files(DB).collect();
        for cut in 0..DB.len() {
            let some: Vec<_> = files(&DB[..cut]).collect();
            assert!(some.len() <= all.len());
            for (a, b) in some.iter().zip(&all).take(some.len().saturating_sub(1)) {
                assert_eq!(a, b);
            }
        }
        let mut seed = 3u32;
        for _ in 0..5_000 {
            let mut text = DB.to_vec();
            for _ in 0..6 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = usize::try_from(seed >> 8).unwrap() % text.len();
                text[at] = b"\nFRZPQ1="[usize::try_from(seed & 7).unwrap()];
            }
            assert!(files(&text).count() <= text.len() / 3);
        }
    }
}
