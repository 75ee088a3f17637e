//! Subversion: lists in brackets, the server first (Subversion svn protocol).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How Subversion is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "svn",
        title: "Subversion",
        reference: "Subversion svn protocol",
        services: &["svn"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b"( succes"),
        Sign::text(Side::Client, Over::Stream, b"( 2 ( "),
    ],
    look,
};

/// The words of what is said so far; a string counts its bytes before its colon.
fn words(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let begin = bytes.get(..bytes.len().min(2048)).unwrap_or_default();
    begin.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

fn is_number(word: Option<&[u8]>) -> bool {
    word.is_some_and(|word| !word.is_empty() && word.len() < 4 && word.iter().all(u8::is_ascii_digit))
}

/// `( success ( min max ( mechanisms ) ( capability ...`
fn greets(bytes: &[u8]) -> bool {
    let mut words = words(bytes);
    words.next() == Some(b"(")
        && words.next() == Some(b"success")
        && words.next() == Some(b"(")
        && is_number(words.next())
        && is_number(words.next())
        && words.next() == Some(b"(")
        && words.any(|word| [&b"edit-pipeline"[..], b"svndiff1", b"ANONYMOUS"].contains(&word))
}

/// `( version ( capability ... ) 15:svn://host/path ...`
fn answers(bytes: &[u8]) -> Option<&[u8]> {
    let mut words = words(bytes);
    let begins = words.next() == Some(b"(") && is_number(words.next()) && words.next() == Some(b"(");
    let url = words.find(|word| memchr::memmem::find(word, b":svn").is_some())?;
    let colon = memchr::memchr(b':', url)?;
    let (length, url) = url.split_at_checked(colon)?;
    (begins && is_number(Some(length))).then(|| url.get(1..))?
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (answers(talk.client.bytes()), greets(talk.server.bytes()));
    let Some(by) = By::of(client.is_some(), server) else {
        let open = talk.server.bytes().starts_with(b"( success ( ") && talk.server.bytes().len() < 64;
        return if open && !talk.ended { Look::More } else { Look::No };
    };
    let claim = talk.claim(by, 120, "lists of capabilities of Subversion");
    Look::Yes(match client {
        Some(url) => claim.with("url", url),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn greeting_and_answer() {
        let server = b"( success ( 2 2 ( ) ( edit-pipeline svndiff1 accepts-svndiff2 absent-entries ) ) ) ";
        let client = b"( 2 ( edit-pipeline svndiff1 ) 19:svn://a.example/pro 10:SVN/1.14.5 ( ) ) ";
        let said = confirmed("svn", &tcp(client, server));
        assert_eq!(said.detail("url"), Some("svn://a.example/pro"));
        confirmed("svn", &tcp(b"", server));
        attempt("svn", &tcp(client, b""));
        nothing(&tcp(b"( 2 ( a b ) )", b"( success ( yes no ( edit-pipeline ) ) )"));
    }
}
