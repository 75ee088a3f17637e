//! BitTorrent between peers: a length, its name, what is shared and by whom (BEP 3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How BitTorrent is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "bittorrent",
        title: "BitTorrent",
        reference: "BEP 3",
        services: &["bittorrent"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::text(Side::Either, Over::Stream, b"\x13BitTorr")],
    look,
};

const NAME: &[u8] = b"\x13BitTorrent protocol";

/// What is shared, and the name of the program.
fn greeting<'a>(said: &Said<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let rest = said.bytes().strip_prefix(NAME)?;
    Some((rest.get(8..28).unwrap_or_default(), rest.get(28..36).unwrap_or_default()))
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (greeting(&talk.client), greeting(&talk.server));
    let open = |said: &Said<'_>| !said.is_empty() && NAME.starts_with(said.bytes());
    if !talk.ended && (open(&talk.server) || client.is_none() && open(&talk.client)) {
        return Look::More;
    }
    let Some(by) = By::of(client.is_some(), server.is_some()) else { return Look::No };
    let mut claim = talk.claim(by, 160, "the greeting of a peer");
    if claim.particulars
        && let Some((shared, _)) = client.or(server).filter(|(shared, _)| shared.len() == 20)
    {
        let digits: String = shared.iter().map(|byte| format!("{byte:02x}")).collect();
        claim = claim.with("info_hash", digits.as_bytes());
    }
    for (_, program) in client.iter().chain(&server).filter(|(_, program)| program.len() == 8) {
        claim = claim.with("software", program);
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn greetings_of_both_sides() {
        let greeting =
            [b"\x13BitTorrent protocol".as_slice(), &[0; 8], &[0xab; 20], b"-TR4060-abcdefghijkl"].concat();
        let said = confirmed("bittorrent", &tcp(&greeting, &greeting));
        assert_eq!(said.detail("software"), Some("-TR4060-"));
        assert_eq!(said.detail("info_hash").map(str::len), Some(40));
        attempt("bittorrent", &tcp(&greeting, b""));
        nothing(&tcp(b"\x12BitTorrent protocol", b""));
    }
}
