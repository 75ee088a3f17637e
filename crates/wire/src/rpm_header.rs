//! The header of an installed package, as the database of rpm stores it (rpm's header format, without magic).
//!
//! Two counts, then one 16-byte entry for each tag, then the data. All numbers are big-endian.

use crate::Fault;
use crate::cursor::array;

/// Tags that are of use here (rpmtag.h).
mod tag {
    pub(super) const NAME: u32 = 1000;
    pub(super) const VERSION: u32 = 1001;
    pub(super) const RELEASE: u32 = 1002;
    pub(super) const EPOCH: u32 = 1003;
    pub(super) const FILE_DIGESTS: u32 = 1035;
    pub(super) const DIR_INDEXES: u32 = 1116;
    pub(super) const BASE_NAMES: u32 = 1117;
    pub(super) const DIR_NAMES: u32 = 1118;
    pub(super) const FILE_DIGEST_ALGORITHM: u32 = 5011;
}

/// Types of data (rpmtag.h).
mod kind {
    pub(super) const INT32: u32 = 4;
    pub(super) const STRING: u32 = 6;
    pub(super) const STRING_ARRAY: u32 = 8;
    pub(super) const I18N_STRING: u32 = 9;
}

/// Most tags: rpm itself refuses more (`HEADER_TAGS_MAX`).
const ENTRIES_MAX: usize = 65_535;

/// A package header.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

/// One file of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Its folder, with a slash at both ends.
    pub folder: &'a [u8],
    /// Its name.
    pub name: &'a [u8],
    /// Its digest in hexadecimal; empty for folders and links.
    pub digest: &'a [u8],
}

const fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "rpm header", at, what }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

fn size(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// Reads a header.
pub fn parse(bytes: &[u8]) -> Result<Header<'_>, Fault> {
    let count = size(be32(bytes, 0).ok_or(fault(0, "no count of entries"))?);
    let length = size(be32(bytes, 4).ok_or(fault(4, "no length of data"))?);
    if count == 0 || count > ENTRIES_MAX {
        return Err(fault(0, "count of entries is out of bounds"));
    }
    let rest = bytes.get(8..).unwrap_or_default();
    let entries = rest.get(..count * 16).ok_or(fault(8, "entries are cut off"))?;
    let data = rest.get(count * 16..).and_then(|rest| rest.get(..length));
    Ok(Header { entries, data: data.ok_or(fault(8 + count * 16, "data is cut off"))? })
}

impl<'a> Header<'a> {
    /// Type, count and the data from its beginning on.
    fn entry(&self, tag: u32) -> Option<(u32, usize, &'a [u8])> {
        let entry = self.entries.chunks_exact(16).find(|entry| be32(entry, 0) == Some(tag))?;
        let data = self.data.get(size(be32(entry, 8)?)..)?;
        Some((be32(entry, 4)?, size(be32(entry, 12)?), data))
    }

    fn string(&self, tag: u32) -> Option<&'a str> {
        let (of, _, data) = self.entry(tag)?;
        if !matches!(of, kind::STRING | kind::I18N_STRING) {
            return None;
        }
        core::str::from_utf8(data.get(..memchr::memchr(0, data)?)?).ok()
    }

    fn number(&self, tag: u32, index: usize) -> Option<u32> {
        let (of, count, data) = self.entry(tag)?;
        (of == kind::INT32 && index < count).then(|| be32(data, index.checked_mul(4)?)).flatten()
    }

    fn text(&self, tag: u32, index: usize) -> Option<&'a [u8]> {
        let (of, count, data) = self.entry(tag)?;
        if of != kind::STRING_ARRAY || index >= count {
            return None;
        }
        let mut rest = data;
        for _ in 0..index {
            rest = rest.get(memchr::memchr(0, rest)? + 1..)?;
        }
        rest.get(..memchr::memchr(0, rest)?)
    }

    /// Package name.
    pub fn name(&self) -> Option<&'a str> {
        self.string(tag::NAME)
    }

    /// Version.
    pub fn version(&self) -> Option<&'a str> {
        self.string(tag::VERSION)
    }

    /// Release.
    pub fn release(&self) -> Option<&'a str> {
        self.string(tag::RELEASE)
    }

    /// Epoch, where it has one.
    pub fn epoch(&self) -> Option<u32> {
        self.number(tag::EPOCH, 0)
    }

    /// The number of the digests' algorithm (RFC 4880 §9.4); MD5 where the header is older than the choice.
    pub fn digest_algorithm(&self) -> u32 {
        self.number(tag::FILE_DIGEST_ALGORITHM, 0).unwrap_or(1)
    }

    /// How many files it has.
    pub fn file_count(&self) -> usize {
        self.entry(tag::BASE_NAMES).map_or(0, |(_, count, data)| count.min(data.len()))
    }

    /// The file with this number.
    pub fn file(&self, index: usize) -> Option<File<'a>> {
        let name = self.text(tag::BASE_NAMES, index)?;
        let folder = self.text(tag::DIR_NAMES, size(self.number(tag::DIR_INDEXES, index)?))?;
        let digest = self.text(tag::FILE_DIGESTS, index).unwrap_or_default();
        Some(File { folder, name, digest })
    }
}

impl File<'_> {
    /// Whether this is the file at an absolute path.
    pub fn is_at(&self, path: &str) -> bool {
        path.as_bytes().strip_suffix(self.name).is_some_and(|folder| folder == self.folder)
            && !self.name.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn header(tags: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let mut entries = Vec::new();
        let mut data = Vec::new();
        for (tag, of, count, value) in tags {
            for number in [*tag, *of, u32::try_from(data.len()).unwrap(), *count] {
                entries.extend_from_slice(&number.to_be_bytes());
            }
            data.extend_from_slice(value);
        }
        let mut out = u32::try_from(tags.len()).unwrap().to_be_bytes().to_vec();
        out.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
        out.extend(entries);
        out.extend(data);
        out
    }

    fn sample() -> Vec<u8> {
        header(&[
            (1000, 6, 1, b"openssh-server\0"),
            (1001, 6, 1, b"9.9p1\0"),
            (1002, 6, 1, b"3.fc42\0"),
            (1003, 4, 1, &[0, 0, 0, 2]),
            (1035, 8, 3, b"aa\0\0bb\0"),
            (1116, 4, 3, &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
            (1117, 8, 3, b"sshd_config\0sbin\0sshd\0"),
            (1118, 8, 2, b"/etc/ssh/\0/usr/sbin/\0"),
            (5011, 4, 1, &[0, 0, 0, 8]),
        ])
    }

    #[test]
    fn names_versions_and_files() {
        let bytes = sample();
        let header = parse(&bytes).unwrap();
        assert_eq!(
            (header.name(), header.version(), header.release()),
            (Some("openssh-server"), Some("9.9p1"), Some("3.fc42"))
        );
        assert_eq!((header.epoch(), header.digest_algorithm(), header.file_count()), (Some(2), 8, 3));
        let file = header.file(2).unwrap();
        assert!(file.is_at("/usr/sbin/sshd") && !file.is_at("/usr/sbin/xsshd") && !file.is_at("sshd"));
        assert_eq!((file.digest, header.file(1).unwrap().digest), (&b"bb"[..], &b""[..]));
        assert_eq!(header.file(3), None);
    }

    #[test]
    fn every_prefix_is_a_fault() {
        let bytes = sample();
        for cut in 0..bytes.len() {
            assert!(parse(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn counts_and_types_that_lie_give_nothing() {
        assert!(parse(&[0; 8]).is_err());
        assert!(parse(&[0xff; 64]).is_err());
        let wrong = header(&[
            (1000, 4, 1, b"abc\0"),
            (1117, 8, u32::MAX, b"a\0"),
            (1116, 4, u32::MAX, &[0; 4]),
            (1118, 6, 1, b"/\0"),
        ]);
        let header = parse(&wrong).unwrap();
        assert_eq!((header.name(), header.file(0), header.file_count()), (None, None, 8));
        assert_eq!(header.file(usize::MAX), None);
    }

    #[test]
    fn random_changes_are_harmless() {
        let sample = sample();
        let mut seed = 11u32;
        for _ in 0..20_000 {
            let mut bytes = sample.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = usize::try_from(seed >> 8).unwrap() % bytes.len();
                bytes[at] = u8::try_from(seed & 0xff).unwrap();
            }
            if let Ok(header) = parse(&bytes) {
                for index in 0..header.file_count().min(8) {
                    if let Some(file) = header.file(index) {
                        assert!(file.name.len() + file.folder.len() < bytes.len());
                    }
                }
            }
        }
    }
}
