//! SSH: both sides begin with an identification line (RFC 4253 §4.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::printable;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How SSH is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ssh",
        title: "SSH",
        reference: "RFC 4253",
        services: &["ssh", "sftp-ssh", "netconf-ssh"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Encrypted,
    },
    signs: &[Sign::text(Side::Either, Over::Stream, b"SSH-")],
    look,
};

/// The identification line may be 255 bytes long with its end.
const MOST_LINE: usize = 255;

/// The line after `SSH-`: version and software; `None` where it is not one, `Some(None)` where it goes on.
fn identification(bytes: &[u8]) -> Option<Option<&[u8]>> {
    let rest = bytes.strip_prefix(b"SSH-")?;
    let line = rest.get(..rest.len().min(MOST_LINE)).unwrap_or_default();
    match line.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = line.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let version = line.first().is_some_and(u8::is_ascii_digit) && line.contains(&b'-');
            version.then_some(Some(line))
        }
        None if rest.len() < MOST_LINE => Some(None),
        None => None,
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let server = identification(talk.server.bytes());
    let client = identification(talk.client.bytes());
    let (by, line, rule) = match (client, server) {
        (Some(Some(_)), Some(Some(line))) => (By::Both, line, "both sides begin with an identification line"),
        (_, Some(Some(line))) => (By::Server, line, "server banner SSH-"),
        (_, Some(None)) if !talk.ended => return Look::More,
        // The line was cut: the first letters say what it is all the same.
        (client, Some(None)) => {
            let by = if client.is_some() { By::Both } else { By::Server };
            return cut(talk, by, talk.server.bytes(), "server banner SSH-, cut short");
        }
        (Some(Some(line)), _) => (By::Client, line, "client begins with SSH-"),
        (Some(None), _) if !talk.ended => return Look::More,
        (Some(None), None) if talk.server.is_empty() => {
            return cut(talk, By::Client, talk.client.bytes(), "client begins with SSH-, cut short");
        }
        _ => return Look::No,
    };
    let mut parts = line.splitn(2, |byte| *byte == b'-');
    let version = parts.next().unwrap_or_default();
    let software = parts.next().unwrap_or_default();
    Look::Yes(talk.claim(by, 48, rule).with("version", version).with("software", software))
}

/// A line that does not end, because whoever captured it cut it.
fn cut(talk: &Talk<'_>, by: By, bytes: &[u8], rule: &'static str) -> Look {
    let line = bytes.get(4..).unwrap_or_default();
    let known = [&b"2.0-"[..], b"1.99-", b"1.5-"].into_iter().find(|version| line.starts_with(version));
    match known {
        Some(version) if printable(line) => {
            let (version, software) = line.split_at_checked(version.len()).unwrap_or_default();
            let claim =
                talk.claim(by, 40, rule).with("version", version.strip_suffix(b"-").unwrap_or(version));
            Look::Yes(claim.with("software", software))
        }
        _ => Look::No,
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn both_sides_one_side_and_neither() {
        let server = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
        let said = confirmed("ssh", &tcp(b"SSH-2.0-PuTTY_0.78\r\n", server));
        assert_eq!(said.detail("software"), Some("OpenSSH_9.2p1 Debian-2"));
        confirmed("ssh", &tcp(b"", server));
        attempt("ssh", &tcp(b"SSH-2.0-Go\r\n", b""));
        // What a snap length left of it.
        let said = confirmed("ssh", &tcp(b"SSH-2.0-Go\r\n", b"SSH-2.0-OpenSSH_9.2p1 Deb"));
        assert_eq!(
            (said.detail("version"), said.detail("software")),
            (Some("2.0"), Some("OpenSSH_9.2p1 Deb"))
        );
        attempt("ssh", &tcp(b"SSH-2.0-Putty", b""));
        nothing(&tcp(b"SSH-two", b""));
        nothing(&tcp(b"SSH-two\r\n", b""));
        nothing(&tcp(b"SSHELL\r\n", b""));
    }
}
