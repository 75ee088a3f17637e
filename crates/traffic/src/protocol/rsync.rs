//! rsync, its daemon: both sides begin with a line of version (rsync daemon protocol).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How rsync is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "rsync",
        title: "rsync",
        reference: "rsync daemon protocol",
        services: &["rsync"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::text(Side::Either, Over::Stream, b"@RSYNCD:")],
    look,
};

/// The version of the first line.
fn version<'a>(said: &Said<'a>) -> Option<&'a [u8]> {
    let line = lines::lines(said.bytes()).next()?.strip_prefix(b"@RSYNCD: ")?;
    let version = lines::word(line);
    let plain = version.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    (plain && version.first().is_some_and(u8::is_ascii_digit)).then_some(version)
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (version(&talk.client), version(&talk.server));
    let open = |said: &Said<'_>| {
        said.bytes().starts_with(b"@RSYNCD:") && lines::lines(said.bytes()).next().is_none()
    };
    if !talk.ended && (open(&talk.server) || client.is_none() && open(&talk.client)) {
        return Look::More;
    }
    let Some(by) = By::of(client.is_some(), server.is_some()) else { return Look::No };
    let mut claim = talk.claim(by, 80, "a line @RSYNCD: with a version");
    if let Some(version) = server.or(client) {
        claim = claim.with("version", version);
    }
    match lines::lines(talk.client.bytes()).nth(1).filter(|line| !line.is_empty()) {
        Some(module) => Look::Yes(claim.with("module", module)),
        None => Look::Yes(claim),
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn versions_of_both_sides() {
        let said =
            confirmed("rsync", &tcp(b"@RSYNCD: 31.0\nfiles\n", b"@RSYNCD: 31.0 sha512 md5\n@RSYNCD: OK\n"));
        assert_eq!((said.detail("version"), said.detail("module")), (Some("31.0"), Some("files")));
        attempt("rsync", &tcp(b"@RSYNCD: 32\n", b""));
        nothing(&tcp(b"@RSYNCD: OK\n", b""));
        nothing(&tcp(b"@RSYNCD:31\n", b""));
    }
}
