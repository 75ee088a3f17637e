//! XMPP: both sides open a stream of XML in the namespace of streams (RFC 6120 §4.2).

use std::sync::LazyLock;

use memchr::memmem::Finder;
use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How XMPP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "xmpp",
        title: "XMPP",
        reference: "RFC 6120",
        services: &["xmpp-client", "xmpp-server"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::text(Side::Either, Over::Stream, b"<?xml"),
        Sign::text(Side::Either, Over::Stream, b"<stream:"),
    ],
    look,
};

/// The opening tag of the stream; it may take this many bytes.
const MOST_TAG: usize = 2048;

static STREAM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"<stream:stream"));
static NAMESPACE: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(b"http://etherx.jabber.org/streams"));

/// What the opening tag says; `None` where there is none, the error says whether it may still come.
fn opening<'a>(said: &Said<'a>) -> Result<&'a [u8], bool> {
    let bytes = said.bytes();
    let begin = bytes.get(..bytes.len().min(MOST_TAG)).unwrap_or_default();
    let open = begin.len() < MOST_TAG && !begin.is_empty();
    let at = STREAM.find(begin).ok_or(open)?;
    let before = begin.get(..at).unwrap_or_default().trim_ascii();
    // Nothing but the declaration of XML comes before.
    let declaration = before.starts_with(b"<?xml") && before.ends_with(b"?>");
    if !before.is_empty() && !declaration {
        return Err(false);
    }
    let tag = begin.get(at..).unwrap_or_default();
    let end = memchr::memchr(b'>', tag).ok_or(open)?;
    let tag = tag.get(..end).unwrap_or_default();
    NAMESPACE.find(tag).map(|_| tag).ok_or(false)
}

/// The value of an attribute.
fn attribute<'a>(tag: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let at = memchr::memmem::find(tag, name.as_bytes())?;
    let (quote, rest) = tag.get(at + name.len()..)?.split_first()?;
    let end = memchr::memchr(*quote, rest)?;
    matches!(quote, b'"' | b'\'').then(|| rest.get(..end))?
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (opening(&talk.client), opening(&talk.server));
    let Some(by) = By::of(client.is_ok(), server.is_ok()) else {
        let open = client == Err(true) || server == Err(true);
        return if open && !talk.ended { Look::More } else { Look::No };
    };
    let mut claim = talk.claim(by, 200, "a stream of XML in the namespace of XMPP");
    if claim.is_enough(talk) {
        return Look::Yes(claim);
    }
    for tag in client.iter().chain(&server) {
        for (text, name) in [(" to=", "host"), (" from=", "from"), (" xmlns=", "role")] {
            if let Some(value) =
                attribute(tag, text).filter(|_| !claim.details.iter().any(|detail| detail.name == name))
            {
                claim = claim.with(name, value);
            }
        }
    }
    if memchr::memmem::find(talk.client.bytes(), b"<starttls").is_some() {
        claim = claim.with("starttls", b"asked");
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    const ASK: &[u8] = b"<?xml version='1.0'?><stream:stream to='a.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

    #[test]
    fn streams_of_both_sides() {
        let answer = b"<?xml version='1.0'?><stream:stream from='a.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1'>";
        let said = confirmed("xmpp", &tcp(ASK, answer));
        assert_eq!((said.detail("host"), said.detail("role")), (Some("a.example"), Some("jabber:client")));
        attempt("xmpp", &tcp(ASK, b""));
        nothing(&tcp(b"<?xml version='1.0'?><note>http://etherx.jabber.org/streams</note>", b""));
        nothing(&tcp(b"<?xml version='1.0'?><stream:stream xmlns:stream='urn:x'>", b""));
    }
}
