//! Digests of running files, compared with those that package databases record.

use std::os::fd::{AsFd, OwnedFd};

use model::{Integrity, Reason};
use rustix::io::Errno;
use sha2::Digest;

use crate::linux::process::tree::reason;

/// Larger files are not compared.
pub(crate) const FILE_MAX: u64 = 256 << 20;

/// The digest that a database records for a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Recorded {
    /// None.
    #[default]
    None,
    /// MD5 (RFC 1321): dpkg, old rpm.
    Md5([u8; 16]),
    /// SHA-1 (FIPS 180-4): apk.
    Sha1([u8; 20]),
    /// SHA-256 (FIPS 180-4): rpm.
    Sha256([u8; 32]),
    /// SHA-512 (FIPS 180-4): rpm.
    Sha512(Box<[u8; 64]>),
    /// An algorithm that we do not have.
    Unknown,
}

/// Whether the content of a file has the recorded digest.
pub(crate) fn compare(file: &OwnedFd, size: u64, recorded: &Recorded) -> Integrity {
    let verdict = |same: Result<bool, Reason>| match same {
        Ok(true) => Integrity::Intact,
        Ok(false) => Integrity::Modified,
        Err(why) => Integrity::NotCompared(why),
    };
    if size > FILE_MAX && *recorded != Recorded::None {
        return Integrity::NotCompared(Reason::LimitReached);
    }
    match recorded {
        Recorded::None => Integrity::NotRecorded,
        Recorded::Md5(wanted) => verdict(digest::<md5::Md5>(file).map(|found| found == *wanted)),
        Recorded::Sha1(wanted) => verdict(digest::<sha1::Sha1>(file).map(|found| found == *wanted)),
        Recorded::Sha256(wanted) => verdict(digest::<sha2::Sha256>(file).map(|found| found == *wanted)),
        Recorded::Sha512(wanted) => verdict(digest::<sha2::Sha512>(file).map(|found| found == **wanted)),
        Recorded::Unknown => Integrity::NotCompared(Reason::NotSupported),
    }
}

/// SHA-256 of a file.
pub(crate) fn sha256(file: &OwnedFd, size: u64) -> Result<[u8; 32], Reason> {
    if size > FILE_MAX {
        return Err(Reason::LimitReached);
    }
    digest::<sha2::Sha256>(file).map(Into::into)
}

fn digest<D: Digest>(file: &OwnedFd) -> Result<sha2::digest::Output<D>, Reason> {
    let mut hash = D::new();
    let mut space = vec![0u8; 128 << 10];
    let mut at = 0u64;
    loop {
        match rustix::io::pread(file.as_fd(), space.as_mut_slice(), at) {
            Ok(0) => return Ok(hash.finalize()),
            Ok(count) => {
                hash.update(space.get(..count).unwrap_or_default());
                at += count as u64;
                // It grows while we read.
                if at > FILE_MAX {
                    return Err(Reason::LimitReached);
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(reason(errno)),
        }
    }
}
