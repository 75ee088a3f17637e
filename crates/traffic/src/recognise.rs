//! From what two sides said to one recognised protocol: who decides, and how sure that is.
//!
//! The server's bytes decide. A client alone is an attempt; where the server answers in another protocol, that one is
//! what the port speaks. Of several claims the one that rests on most bits wins.

use std::fmt::Display;

use model::{Appearance, Certainty, Certificate, Detail, Protocol, Recognised};

use crate::protocol::{self, Recogniser};
use crate::sign;
use crate::talk::Talk;

/// Rules that rest on fewer bits than this are called partial.
const SURE_BITS: u8 = 16;
/// A server's rule that rests on this many bits needs no other opinion.
const SETTLED_BITS: u8 = 48;

/// What a recogniser makes of a talk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// It is something else.
    No,
    /// It may be; more bytes will tell.
    More,
    /// It is.
    Yes(Claim),
}

/// Whose bytes a claim rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// The client's alone.
    Client,
    /// The server's, whatever the client said.
    Server,
    /// One side's, in a protocol whose sender needs no answer: a media stream, a log. Nobody is the server there.
    Sender,
    /// Both sides speak it.
    Both,
}

impl By {
    /// Whose bytes a claim rests on, from which sides speak the protocol.
    pub fn of(client: bool, server: bool) -> Option<By> {
        match (client, server) {
            (true, true) => Some(By::Both),
            (false, true) => Some(By::Server),
            (true, false) => Some(By::Client),
            (false, false) => None,
        }
    }
}

/// The claim that a talk is of a certain protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose bytes say so.
    pub by: By,
    /// On how many bits it rests: those that would be otherwise in other protocols. Text of n fixed letters has 8n.
    pub bits: u8,
    /// The rule in a few words: `server banner SSH-`.
    pub rule: &'static str,
    /// Whether particulars are wanted.
    pub particulars: bool,
    /// Particulars.
    pub details: Vec<Detail>,
    /// The server's certificate.
    pub certificate: Option<Box<Certificate>>,
    /// Whether more bytes would tell more: the certificate is still to come, the server has not answered.
    pub more: bool,
}

impl Claim {
    /// Whether particulars are not worth reading: nobody wants them, or it is not the last word, and the talk is looked
    /// at again.
    pub fn is_enough(&self, talk: &Talk<'_>) -> bool {
        !self.particulars || self.more && !talk.ended
    }

    /// Adds a particular where particulars are wanted, cut to 256 characters; bytes that are no text are shown as `\x`
    /// escapes.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &[u8]) -> Claim {
        if !self.particulars {
            return self;
        }
        let value = value.get(..value.len().min(1024)).unwrap_or_default();
        let text = match std::str::from_utf8(value) {
            Ok(text) if text.len() <= MOST_CHARACTERS => String::from(text),
            _ => shown(value),
        };
        if self.details.is_empty() {
            // What has one particular mostly has a few.
            self.details.reserve(6);
        }
        self.details.push(Detail { name, value: text });
        self
    }

    /// The same of what is made text only where particulars are wanted.
    #[must_use]
    pub fn showing(self, name: &'static str, value: impl Display) -> Claim {
        if self.particulars { self.with(name, value.to_string().as_bytes()) } else { self }
    }

    /// Says that more bytes would tell more.
    #[must_use]
    pub fn and_more(mut self) -> Claim {
        self.more = true;
        self
    }
}

/// A particular has at most this many characters.
const MOST_CHARACTERS: usize = 256;

/// Text as it is, other bytes as escapes, cut.
fn shown(value: &[u8]) -> String {
    let mut text = String::new();
    for chunk in value.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    if let Some((end, _)) = text.char_indices().nth(MOST_CHARACTERS) {
        text.truncate(end);
    }
    text
}

/// What all recognisers together make of a talk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// The protocol and its claim.
    pub found: Option<(&'static Protocol, Claim)>,
    /// What the client alone spoke, where the server speaks something else.
    pub attempt: Option<&'static Protocol>,
    /// Whether more bytes may change or complete it.
    pub more: bool,
}

impl Opinion {
    /// The same as a fact, with what the bytes look like.
    pub fn settle(self, talk: &Talk<'_>) -> Recognised {
        let Some((protocol, claim)) = self.found else {
            return Recognised { attempt: self.attempt, ..Recognised::nothing(appearance(talk)) };
        };
        let appearance = if is_text(talk) { Appearance::Text } else { Appearance::Binary };
        let by_client = claim.by == By::Client || (claim.by == By::Sender && talk.server.is_empty());
        let speaker = if by_client { &talk.client } else { &talk.server };
        let certainty = match claim.by {
            _ if claim.bits < SURE_BITS || !speaker.from_start => Certainty::Partial,
            By::Client => Certainty::Attempt,
            By::Server | By::Sender | By::Both => Certainty::Confirmed,
        };
        Recognised {
            protocol: Some(protocol),
            certainty,
            rule: claim.rule,
            attempt: self.attempt,
            appearance,
            details: claim.details,
            certificate: claim.certificate.map(|certificate| *certificate),
        }
    }
}

/// Asks every recogniser whose sign one of the sides shows.
pub fn recognise(talk: &Talk<'_>) -> Opinion {
    let mut server: Option<(&'static Recogniser, Claim)> = None;
    let mut client: Option<(&'static Recogniser, Claim)> = None;
    let mut more = false;
    for recogniser in sign::candidates(talk).each().filter_map(|index| protocol::ALL.get(index).copied()) {
        match (recogniser.look)(talk) {
            Look::No => {}
            Look::More => more = true,
            Look::Yes(claim) => {
                let best = if claim.by == By::Client { &mut client } else { &mut server };
                if best.as_ref().is_none_or(|(_, before)| claim.bits > before.bits) {
                    *best = Some((recogniser, claim));
                }
            }
        }
    }
    // What a server may have said is not worth more than what a client surely said.
    if let (Some((_, weak)), Some((_, sure))) = (&server, &client)
        && weak.bits < SURE_BITS
        && sure.bits >= SURE_BITS
    {
        server = None;
    }
    let attempt = match (&server, &client) {
        (Some((spoken, claim)), Some((tried, _)))
            if claim.by == By::Server && spoken.protocol != tried.protocol =>
        {
            Some(&tried.protocol)
        }
        _ => None,
    };
    let found = server.or(client);
    // A client's word is not the last: the server may still speak. What is sure is not kept waiting by what may be.
    let awaits = found.as_ref().is_some_and(|(_, claim)| claim.more || claim.by == By::Client);
    let settled =
        found.as_ref().is_some_and(|(_, claim)| claim.by != By::Client && claim.bits >= SETTLED_BITS);
    Opinion {
        found: found.map(|(recogniser, claim)| (&recogniser.protocol, claim)),
        attempt,
        more: (more && !settled || awaits) && !talk.ended,
    }
}

/// What bytes look like that nobody recognises: by the share of printable bytes, then by their entropy.
pub fn appearance(talk: &Talk<'_>) -> Appearance {
    const MOST: usize = 4096;
    let mut counts = [0_u32; 256];
    let mut left = MOST;
    for piece in talk.client.pieces().chain(talk.server.pieces()) {
        let piece = piece.get(..left).unwrap_or(piece);
        left -= piece.len();
        for byte in piece {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
    }
    let total = u32::try_from(MOST - left).unwrap_or(u32::MAX);
    if total == 0 {
        return Appearance::Empty;
    }
    let of = |range: std::ops::RangeInclusive<usize>| -> u32 {
        counts.get(range).unwrap_or_default().iter().sum::<u32>()
    };
    let text = of(0x20..=0x7e) + of(9..=10) + of(13..=13);
    if text * 20 >= total * 19 {
        return Appearance::Text;
    }
    // Of n random bytes the number of different ones is known; structure repeats itself.
    if total < 32 {
        return Appearance::Binary;
    }
    let entropy: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / f64::from(total);
            -share * share.log2()
        })
        .sum();
    // The entropy that is measured of n random bytes lies below the true 8 bits: by about 127.5 / (n ln 2), and by
    // log2(256 / n) while n is small (Miller and Madow).
    let expected = f64::from(total.min(256)).log2();
    let slack = if total < 512 { 0.30 } else { 0.20 };
    let bias = if total < 256 { 0.15 * expected } else { 184.0 / f64::from(total) };
    if entropy >= expected - bias - slack { Appearance::Encrypted } else { Appearance::Binary }
}

/// Whether the first bytes are words. A protocol that is known needs no guess whether it is encrypted.
fn is_text(talk: &Talk<'_>) -> bool {
    const ENOUGH: usize = 64;
    let (mut text, mut left) = (0_u8, ENOUGH);
    for piece in talk.client.pieces().chain(talk.server.pieces()) {
        let piece = piece.get(..left).unwrap_or(piece);
        // In a byte, so that many are counted at once.
        text += piece
            .iter()
            .map(|byte| u8::from(matches!(byte, 0x20..=0x7e | b'\t' | b'\n' | b'\r')))
            .fold(0, u8::wrapping_add);
        left -= piece.len();
        if left == 0 {
            break;
        }
    }
    usize::from(text) * 20 >= (ENOUGH - left) * 19
}

/// What must hold of any two sides; used by the fuzz target and the seeded test.
#[doc(hidden)]
pub fn check(bytes: &[u8]) {
    use crate::talk::Said;
    use model::Transport;

    let Some(([kind, split], rest)) = bytes.split_first_chunk() else { return };
    let (client, server) = rest.split_at_checked(usize::from(*split)).unwrap_or((rest, &[]));
    let ends = |side: &[u8]| [u32::try_from(side.len()).unwrap_or(0)];
    let (client_ends, server_ends) = (ends(client), ends(server));
    let datagrams = kind & 1 == 1;
    // Some were longer than what was captured of them.
    let missing = [if kind & 8 == 0 { 0 } else { u32::from(*kind) }];
    let side = |bytes, ends| match (datagrams, <[u8]>::is_empty(bytes)) {
        (true, false) => Said::datagrams(bytes, ends).cut(&missing),
        _ => Said::stream(bytes, kind & 2 == 0),
    };
    let talk = Talk {
        transport: if datagrams { Transport::Udp } else { Transport::Tcp },
        client: side(client, &client_ends),
        server: side(server, &server_ends),
        ended: kind & 4 == 0,
        particulars: true,
    };
    let opinion = recognise(&talk);
    assert_eq!(opinion, recognise(&talk), "the same bytes say the same");
    let name = |opinion: &Opinion| {
        let claim = opinion.found.as_ref();
        let named =
            claim.map(|(protocol, claim)| (protocol.name, claim.by, claim.bits, claim.rule, claim.more));
        (named, opinion.attempt.map(|protocol| protocol.name), opinion.more)
    };
    let brief = recognise(&Talk { particulars: false, ..talk });
    assert_eq!(name(&opinion), name(&brief), "particulars decide nothing");
    let told = brief.found.is_some_and(|(_, claim)| !claim.details.is_empty() || claim.certificate.is_some());
    assert!(!told, "nobody wanted particulars");
    assert!(!(talk.ended && opinion.more), "nothing more will come");
    if let Some((_, claim)) = &opinion.found {
        let one_way = claim.by == By::Sender;
        assert!(one_way || claim.by == By::Server || !client.is_empty(), "the client said nothing");
        assert!(one_way || claim.by == By::Client || !server.is_empty(), "the server said nothing");
        assert!(!claim.rule.is_empty() && claim.bits > 0);
        assert!(claim.details.len() <= 32 && claim.details.iter().all(|detail| detail.value.len() <= 2048));
    }
    let one_way = opinion.found.as_ref().is_some_and(|(_, claim)| claim.by == By::Sender);
    let settled = opinion.settle(&talk);
    assert!(settled.certainty != Certainty::Confirmed || one_way || !server.is_empty());
    assert_eq!(settled.protocol.is_none(), settled.certainty == Certainty::Unknown);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::talk::Said;
    use model::Transport;

    fn tcp<'a>(client: &'a [u8], server: &'a [u8]) -> Talk<'a> {
        Talk {
            transport: Transport::Tcp,
            client: Said::stream(client, true),
            server: Said::stream(server, true),
            ended: true,
            particulars: true,
        }
    }

    #[test]
    fn the_server_decides_and_a_client_alone_is_an_attempt() {
        let both = tcp(b"SSH-2.0-OpenSSH_9.2\r\n", b"SSH-2.0-dropbear_2022.83\r\n");
        let said = recognise(&both).settle(&both);
        assert_eq!((said.protocol.unwrap().name, said.certainty), ("ssh", Certainty::Confirmed));
        let alone = tcp(b"SSH-2.0-OpenSSH_9.2\r\n", b"");
        assert_eq!(recognise(&alone).settle(&alone).certainty, Certainty::Attempt);
        let joined = Talk { client: Said::stream(b"SSH-2.0-x\r\n", false), ..alone };
        assert_eq!(recognise(&joined).settle(&joined).certainty, Certainty::Partial);
    }

    #[test]
    fn a_weak_rule_for_the_server_does_not_outweigh_a_sure_client() {
        let weak = tcp(b"", b"220 mx.example ready\r\n");
        assert_eq!(recognise(&weak).settle(&weak).certainty, Certainty::Partial);
        let both = tcp(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"220 mx.example ready\r\n");
        let said = recognise(&both).settle(&both);
        assert_eq!((said.protocol.unwrap().name, said.certainty), ("http", Certainty::Attempt));
    }

    #[test]
    fn bytes_that_decide_nothing_are_classed() {
        let mut random = Vec::new();
        let mut state = 1;
        while random.len() < 600 {
            random.extend_from_slice(&step(&mut state).to_le_bytes());
        }
        let structured: Vec<u8> = (0..150_u8).flat_map(|number| [number, 0, 0, 0]).collect();
        for (bytes, expected) in [
            (&b""[..], Appearance::Empty),
            (b"zzyzx some words of a program\n", Appearance::Text),
            (&structured, Appearance::Binary),
            (&random, Appearance::Encrypted),
        ] {
            assert_eq!(appearance(&tcp(bytes, b"")), expected);
        }
    }

    #[test]
    fn damaged_talks_keep_the_rules() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..20_000 {
            let [kind, split, ..] = step(&mut state).to_le_bytes();
            let mut bytes = vec![kind, split % 60];
            for _ in 0..6 {
                bytes.extend_from_slice(&step(&mut state).to_le_bytes());
            }
            if round % 3 == 0 {
                bytes.splice(2..6, *b"SSH-");
            }
            check(&bytes);
        }
    }

    /// Talks of two kinds, in which one side or both say noise of these bytes.
    fn noise(rounds: u32, mut byte: impl FnMut(&mut u64) -> u8) -> Vec<String> {
        let mut state = 0x0123_4567_89ab_cdef_u64;
        let mut false_claims = Vec::new();
        for round in 0..rounds {
            let mut sides = [Vec::new(), Vec::new()];
            for side in &mut sides {
                let length = step(&mut state) % 64;
                side.extend((0..length).map(|_| byte(&mut state)));
            }
            let [client, server] = &sides;
            let ends = |side: &[u8]| [u32::try_from(side.len()).unwrap()];
            let (client_ends, server_ends) = (ends(client), ends(server));
            let talk = match round % 2 {
                0 => tcp(client, server),
                _ => Talk {
                    transport: Transport::Udp,
                    client: Said::datagrams(client, &client_ends),
                    server: Said::datagrams(server, &server_ends),
                    ended: true,
                    particulars: true,
                },
            };
            let said = recognise(&talk).settle(&talk);
            // A weak rule says itself that it may be wrong.
            if matches!(said.certainty, Certainty::Attempt | Certainty::Confirmed) && false_claims.len() < 9 {
                false_claims.push(format!(
                    "{}: {} | {}",
                    said.rule,
                    client.escape_ascii(),
                    server.escape_ascii()
                ));
            }
        }
        false_claims
    }

    #[test]
    fn noise_is_nothing() {
        let any = noise(200_000, |state| step(state).to_le_bytes()[7]);
        assert_eq!(any, Vec::<String>::new());
        // Small numbers and zeros, as binary formats are full of.
        let small = noise(100_000, |state| {
            let [one, two, ..] = step(state).to_le_bytes();
            if one < 150 { 0 } else { two & 0x0f }
        });
        assert_eq!(small, Vec::<String>::new());
    }

    #[test]
    fn words_are_nothing() {
        let words: Vec<&[u8]> =
            b"200 220 + OK hello user get / a.b : - the END 1 ( { } <x> no \r\n \n NICK key"
                .split(|byte| *byte == b' ')
                .collect();
        let mut word: &[u8] = b"";
        let text = noise(100_000, |state| {
            if word.is_empty() {
                word = words[(step(state) >> 32) as usize % words.len()];
                return b' ';
            }
            let (first, rest) = word.split_first().unwrap();
            word = rest;
            *first
        });
        assert_eq!(text, Vec::<String>::new());
    }

    fn step(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        state.wrapping_mul(0x5851_f42d_4c95_7f2d)
    }
}
