//! The facts of one process, read from its folder in /proc.

use std::os::fd::BorrowedFd;

use model::{Reason, Seen, User};
use rustix::io::Errno;

use super::accounts::Accounts;
use super::tree::{read_once, reason};

/// A fact that is a link: its working directory.
pub(super) fn link(dir: BorrowedFd<'_>, name: &str) -> Result<String, Errno> {
    let mut space = [0u8; 4096];
    let filled = rustix::fs::readlinkat_raw(dir, name, &mut space)?;
    Ok(String::from_utf8_lossy(space.get(..filled).unwrap_or_default()).into_owned())
}

/// Its arguments.
pub(super) fn cmdline(dir: BorrowedFd<'_>, ending: bool, buffer: &mut [u8]) -> Seen<Vec<String>> {
    match read_once(dir, "cmdline", buffer) {
        Ok([]) if ending => Seen::Hidden(Reason::Exited),
        Ok(text) => arguments(text).into(),
        Err(errno) => Seen::Hidden(reason(errno)),
    }
}

/// Takes the arguments apart. A process that writes a title over them leaves many NULs behind it: those are no
/// arguments, while a few may be empty arguments at the end.
pub(super) fn arguments(text: &[u8]) -> Option<Vec<String>> {
    const PADDING: usize = 16;
    let body_len = text.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    let padded = text.len() - body_len > PADDING;
    let body = if padded { text.get(..body_len)? } else { text.strip_suffix(b"\0").unwrap_or(text) };
    if text.is_empty() || body_len == 0 && padded {
        return None;
    }
    Some(body.split(|b| *b == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect())
}

/// Its effective user.
pub(super) fn user(uid: u32, accounts: &Accounts) -> User {
    User { uid, name: accounts.name(uid).map(str::to_owned) }
}

/// The libraries that `LD_PRELOAD` asked for when it was started.
pub(super) fn preload(dir: BorrowedFd<'_>, buffer: &mut [u8]) -> Seen<Vec<String>> {
    match read_once(dir, "environ", buffer) {
        Ok(text) => Seen::Value(preload_of(text)),
        Err(errno) => Seen::Hidden(reason(errno)),
    }
}

fn preload_of(environ: &[u8]) -> Vec<String> {
    const NAME: &[u8] = b"LD_PRELOAD=";
    // The dynamic linker takes the first of two (ld.so(8)).
    memchr::memmem::find_iter(environ, NAME)
        .find(|at| *at == 0 || at.checked_sub(1).and_then(|before| environ.get(before)) == Some(&0))
        .and_then(|at| environ.get(at + NAME.len()..))
        .map(|rest| libraries(rest.split(|b| *b == 0).next().unwrap_or_default()))
        .unwrap_or_default()
}

/// A list of libraries, separated by white space or colons (ld.so(8)).
pub(super) fn libraries(text: &[u8]) -> Vec<String> {
    text.split(|b| b.is_ascii_whitespace() || *b == b':')
        .filter(|part| !part.is_empty())
        .take(64)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_titles_and_empty_ones() {
        let args = |text: &[u8]| arguments(text);
        assert_eq!(args(b"sshd\0-D\0").unwrap(), ["sshd", "-D"]);
        assert_eq!(args(b"a\0\0").unwrap(), ["a", ""]);
        assert_eq!(args(b"a\0\0b").unwrap(), ["a", "", "b"]);
        let mut title = b"nginx: master process /usr/sbin/nginx".to_vec();
        title.resize(200, 0);
        assert_eq!(args(&title).unwrap(), ["nginx: master process /usr/sbin/nginx"]);
        assert_eq!(args(b""), None);
        assert_eq!(args(&[0; 100]), None);
        assert_eq!(args(b"\0").unwrap(), [""]);
    }

    #[test]
    fn preloads_are_whole_names_only() {
        assert_eq!(preload_of(b"A=1\0LD_PRELOAD=/a.so:/b.so c.so\0B=2\0"), ["/a.so", "/b.so", "c.so"]);
        assert_eq!(preload_of(b"XLD_PRELOAD=/a.so\0LD_PRELOAD=\0"), [""; 0]);
        assert_eq!(preload_of(b"XLD_PRELOAD=/a.so\0LD_PRELOAD=/b"), ["/b"]);
        assert_eq!(preload_of(b""), [""; 0]);
    }
}
