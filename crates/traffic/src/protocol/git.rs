//! Git: lines with their length in front, the first a service (Git pack protocol).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::printable;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How Git is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "git",
        title: "Git",
        reference: "Git pack protocol",
        services: &["git"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::Is(b'0'),
                Class::In(b'0', b'f'),
                Class::In(b'0', b'f'),
                Class::In(b'0', b'f'),
                Class::Is(b'g'),
                Class::Is(b'i'),
                Class::Is(b't'),
                Class::Is(b'-'),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[
                Class::Is(b'0'),
                Class::Is(b'0'),
                Class::In(b'0', b'f'),
                Class::In(b'0', b'f'),
                Class::In(b'0', b'v'),
                Class::In(b'0', b'f'),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[
                Class::Is(b'0'),
                Class::Is(b'0'),
                Class::In(b'0', b'f'),
                Class::In(b'0', b'f'),
                Class::Is(b'E'),
                Class::Is(b'R'),
                Class::Is(b'R'),
                Class::Is(b' '),
            ],
        ),
    ],
    look,
};

/// The first line behind its length of four hexadecimal digits; `None` where it is none or not whole.
fn line(bytes: &[u8]) -> Option<&[u8]> {
    let (digits, _) = bytes.split_first_chunk::<4>()?;
    let mut length = 0;
    for digit in digits {
        length = length * 16 + usize::try_from(char::from(*digit).to_digit(16)?).ok()?;
    }
    bytes.get(4..length)
}

/// Service and host that a client asks for.
fn request(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = line(bytes)?.split(|byte| *byte == 0);
    let first = parts.next()?;
    let end = memchr::memchr(b' ', first)?;
    let (service, path) = first.split_at_checked(end)?;
    let known = [&b"git-upload-pack"[..], b"git-receive-pack", b"git-upload-archive"].contains(&service);
    let host = parts.find_map(|part| part.strip_prefix(b"host="));
    (known && path.starts_with(b" /")).then_some((service, host.unwrap_or_default()))
}

/// Whether a server names what it has, which version it speaks, or why not.
fn answers(bytes: &[u8]) -> bool {
    let Some(line) = line(bytes) else { return false };
    let object = |size: usize| {
        let name = line.get(..size).is_some_and(|name| name.iter().all(u8::is_ascii_hexdigit));
        name && line.get(size) == Some(&b' ') && line.contains(&0)
    };
    matches!(line, b"version 2\n" | b"version 1\n" | b"version 1" | b"version 2")
        || line.strip_prefix(b"ERR ").is_some_and(|why| printable(why.trim_ascii_end()))
        || object(40)
        || object(64)
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (request(talk.client.bytes()), answers(talk.server.bytes()));
    let Some(by) = By::of(client.is_some(), server) else {
        let open = talk.client.bytes().get(4..8) == Some(b"git-") && line(talk.client.bytes()).is_none();
        return if open && !talk.ended { Look::More } else { Look::No };
    };
    let claim = talk.claim(by, 96, "lines with their length in front, and a service of Git");
    Look::Yes(match client {
        Some((service, host)) => claim.with("service", service).with("host", host),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn a_request_and_what_the_server_has() {
        let ask = b"003agit-upload-pack /project.git\0host=a.example\0\0version=2\0";
        let ask = [format!("{:04x}", ask.len()).as_bytes(), &ask[4..]].concat();
        let said = confirmed("git", &tcp(&ask, b"000eversion 2\n"));
        assert_eq!(
            (said.detail("service"), said.detail("host")),
            (Some("git-upload-pack"), Some("a.example"))
        );
        let name = [b'a'; 40];
        let have = [b"0037", &name[..], b" HEAD\0caps\n"].concat();
        confirmed("git", &tcp(b"", &[format!("{:04x}", have.len()).as_bytes(), &have[4..]].concat()));
        attempt("git", &tcp(&ask, b""));
        nothing(&tcp(b"0020git-eat-pack /project.git\0host", b"000chello ab"));
    }
}
