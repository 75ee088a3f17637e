//! Telnet: commands that offer and ask for options (RFC 854, RFC 855).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How Telnet is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "telnet",
        title: "Telnet",
        reference: "RFC 854",
        services: &["telnet", "rtelnet"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[Sign::classes(Side::Either, Over::Stream, &[Class::Is(255), Class::In(250, 254)])],
    look,
};

/// Options that are registered, and those that games made for themselves.
fn is_option(option: u8) -> bool {
    matches!(option, 0..=49 | 69 | 70 | 85 | 86 | 90 | 91 | 93 | 102 | 138..=140 | 200 | 201 | 255)
}

/// How many options a side speaks of before anything else.
fn options(said: &Said<'_>) -> usize {
    let mut rest = said.bytes();
    let mut count = 0;
    while count < 16 {
        match rest {
            [255, 251..=254, option, after @ ..] if is_option(*option) => rest = after,
            // More of an option, up to its end (RFC 855).
            [255, 250, option, after @ ..] if is_option(*option) => {
                let Some(end) =
                    memchr::memmem::find(after.get(..after.len().min(512)).unwrap_or_default(), &[255, 240])
                else {
                    break;
                };
                rest = after.get(end + 2..).unwrap_or_default();
            }
            _ => break,
        }
        count += 1;
    }
    count
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (options(&talk.client), options(&talk.server));
    let Some(by) = By::of(client > 0, server > 0) else {
        let begin = |said: &Said<'_>| matches!(said.bytes(), [255] | [255, 250..=254] | [255, 250, ..]);
        return if !talk.ended && (begin(&talk.client) || begin(&talk.server)) {
            Look::More
        } else {
            Look::No
        };
    };
    let most = if by == By::Client { client } else { server };
    let bits = match (by, most) {
        (By::Both, _) => 34,
        (_, 1) => 14,
        (_, 2) => 30,
        _ => 44,
    };
    Look::Yes(talk.claim(by, bits, "commands about options"))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    #[test]
    fn options_of_both_sides() {
        let server = [255, 253, 24, 255, 253, 32, 255, 251, 3, b'l', b'o'];
        confirmed("telnet", &tcp(&[255, 251, 24], &server));
        confirmed("telnet", &tcp(b"", &server));
        attempt("telnet", &tcp(&[255, 250, 24, 0, b'x', 255, 240, 255, 253, 1], b""));
        partial("telnet", &tcp(b"", &[255, 253, 1, b'l']));
        nothing(&tcp(b"", &[255, 253, 77, 255, 253, 1]));
        nothing(&tcp(b"", &[255, 216, 255, 224]));
    }
}
