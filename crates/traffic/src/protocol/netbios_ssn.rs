//! NetBIOS sessions: a request with two names, and the answer to it (RFC 1002 §4.3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use super::netbios_dgm::name;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How NetBIOS Session Service is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "netbios-ssn",
        title: "NetBIOS Session Service",
        reference: "RFC 1002",
        services: &["netbios-ssn"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[Class::Is(0x81), Class::Is(0), Class::Is(0), Class::In(0x44, 0xff), Class::Is(0x20)],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::In(0x82, 0x84), Class::Is(0), Class::Is(0), Class::In(0, 6)],
        ),
    ],
    look,
};

/// Who asks, and for whom.
fn request(bytes: &[u8]) -> Option<(String, String)> {
    let ([0x81, 0, high, low], rest) = bytes.split_first_chunk::<4>()? else { return None };
    let body = rest.get(..usize::from(u16::from_be_bytes([*high, *low])))?;
    let (to, after) = name(body)?;
    let (from, after) = name(after)?;
    after.is_empty().then_some((from, to))
}

/// Whether what follows the acceptance is a message of SMB 1 or later.
fn is_smb(bytes: &[u8]) -> bool {
    matches!(bytes, [0x82, 0, 0, 0, 0, 0..=1, _, _, 0xff | 0xfe, b'S', b'M', b'B', ..])
}

fn look(talk: &Talk<'_>) -> Look {
    let asked = request(talk.client.bytes());
    let answer = match talk.server.bytes() {
        [0x82, 0, 0, 0, ..] => Some("accepted"),
        [0x83, 0, 0, 1, 0x80..=0x83 | 0x8f, ..] => Some("refused"),
        [0x84, 0, 0, 6, ..] => Some("elsewhere"),
        _ => None,
    };
    let Some((from, to)) = asked else {
        let begun =
            matches!(talk.client.bytes(), [0x81] | [0x81, 0] | [0x81, 0, 0] | [0x81, 0, 0, 0x44..=0xff, ..]);
        // Four bytes alone say little.
        return match answer {
            Some(_) if talk.client.is_empty() && talk.ended && talk.server.bytes().len() <= 10 => {
                Look::Yes(talk.claim(By::Server, 12, "the answer to a request for a session"))
            }
            // Then a message of SMB follows.
            Some(answer) if talk.client.is_empty() && is_smb(talk.server.bytes()) => Look::Yes(
                talk.claim(By::Server, 72, "a session is accepted, and SMB spoken in it")
                    .with("outcome", answer.as_bytes()),
            ),
            _ if begun && !talk.ended && talk.client.bytes().len() < 260 => Look::More,
            _ => Look::No,
        };
    };
    let by = if answer.is_some() { By::Both } else { By::Client };
    let claim = talk.claim(by, 200, "a request for a session with two names");
    let claim = claim.with("from", from.as_bytes()).with("to", to.as_bytes());
    Look::Yes(match answer {
        Some(answer) => claim.with("outcome", answer.as_bytes()),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    #[test]
    fn requests_and_answers() {
        let ask = b"\x81\x00\x00\x44\x20FHEPFCELEHFCEPFFFACACACACACACABN\x00\x20FHEPFCELFDFEEBFEEJEPEOCACACACAAA\x00";
        let said = confirmed("netbios-ssn", &tcp(ask, &[0x82, 0, 0, 0]));
        assert_eq!((said.detail("from"), said.detail("outcome")), (Some("WORKSTATION"), Some("accepted")));
        attempt("netbios-ssn", &tcp(ask, b""));
        partial("netbios-ssn", &tcp(b"", &[0x83, 0, 0, 1, 0x82]));
        confirmed("netbios-ssn", &tcp(b"", b"\x82\0\0\0\0\0\0\x40\xfeSMB"));
        nothing(&tcp(b"", b"\x82\0\0\0\0\0\0\x40\xfeSMA"));
        nothing(&tcp(&ask[..70], b""));
        nothing(&tcp(b"", &[0x83, 0, 0, 1, 7]));
    }
}
