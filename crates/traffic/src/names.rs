//! Which of the four protocols with the form of DNS a message is of: DNS, mDNS, LLMNR, or NetBIOS names.
//!
//! They share header, names and records; what tells them apart is how they use them. One place decides, so that no two
//! of their recognisers claim the same message.

use wire::cursor::be16;
use wire::dns::{self, Message, Name, Question, kind};
use wire::few::Few;

use crate::recognise::{By, Claim, Look};
use crate::talk::{Said, Talk};

/// A protocol with the form of DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// RFC 1035.
    Dns,
    /// RFC 6762.
    Multicast,
    /// RFC 4795.
    LinkLocal,
    /// RFC 1002 §4.2.
    NetBios,
}

/// The bit that asks for a direct answer, or says that others are no longer true (RFC 6762 §18).
const TOP: u16 = 0x8000;

fn is_class(class: u16) -> bool {
    // IN, CH, HS, NONE, ANY.
    matches!(class, 1 | 3 | 4 | 254 | 255)
}

fn is_netbios(message: &Message<'_>) -> bool {
    let names = message.questions.iter().map(|question| (question.name, question.kind, question.class));
    let records = message.records.iter().map(|record| (record.name, record.kind, record.class));
    let mut all = names.chain(records).peekable();
    // Queries, registrations, releases, refreshes (RFC 1002 §4.2.1.1).
    matches!(message.operation(), 0 | 5..=9)
        && all.peek().is_some()
        && all.all(|(name, kind, class)| {
            class == 1 && matches!(kind, kind::NB | kind::SRV | 1 | 2 | 10) && dns::is_netbios_name(name)
        })
}

/// Whether the last label of a name is this, in any case.
fn is_in(name: Name<'_>, domain: &[u8]) -> bool {
    name.labels().last().is_some_and(|label| label.eq_ignore_ascii_case(domain))
}

/// Whether the name of an address is asked for.
fn is_reverse(question: &Question<'_>) -> bool {
    question.kind == 12 && is_in(question.name, b"arpa") && question.name.labels().nth(1).is_some()
}

fn is_multicast(message: &Message<'_>) -> bool {
    let local = |name| is_in(name, b"local");
    let mut questions = message.questions.iter();
    let mut records = message.records.iter().filter(|record| record.kind != kind::OPT);
    let count = message.questions.len() + message.records.len();
    // RFC 6762 §18: no identity, a query or an authoritative answer, nothing else.
    message.id == 0
        && message.flags & !0x8600 == 0
        && count > 0
        && message.questions.iter().all(|question| is_class(question.class & !TOP))
        && message.records.iter().all(|record| record.kind == kind::OPT || is_class(record.class & !TOP))
        && (questions
            .any(|question| local(question.name) || question.class & TOP != 0 || is_reverse(question))
            || records.any(|record| local(record.name) || record.class & TOP != 0))
}

fn is_link_local(message: &Message<'_>) -> bool {
    let [answers, authorities, more] = message.counts;
    let single = |question: &Question<'_>| {
        let mut labels = question.name.labels();
        let one = labels.next().is_some_and(|label| !label.contains(&b'.')) && labels.next().is_none();
        question.class == 1 && one && matches!(question.kind, 1 | 28 | 255)
    };
    // Conflict is the only flag that is used; recursion is never asked for (RFC 4795 §2.1.1).
    let shape = match message.is_response() {
        true => message.flags & !0x8600 == 0 && answers > 0,
        false => message.flags & !0x0400 == 0 && answers == 0,
    };
    shape
        && authorities == 0
        && more == 0
        && message.questions.len() == 1
        && message.questions.iter().all(single)
}

/// Types that are registered, and those for private use (RFC 6895 §3.1).
fn is_kind(kind: u16) -> bool {
    dns::kind_name(kind).is_some() || kind >= 65_280
}

fn is_plain(message: &Message<'_>) -> bool {
    let [answers, authorities, more] = message.counts;
    let question = |question: &Question<'_>| is_kind(question.kind) && is_class(question.class);
    let asked = message.questions.len();
    let records = message.records.iter().all(|record| {
        let size = match record.kind {
            1 => matches!(record.data.len(), 0 | 4),
            28 => matches!(record.data.len(), 0 | 16),
            _ => true,
        };
        size && record.kind != 0
            && (record.kind == kind::OPT || is_class(record.class) && record.ttl <= 0x7fff_ffff)
    });
    // The reserved bit is zero (RFC 1035 §4.1.1), as far as it still is reserved.
    let counts = match (message.is_response(), message.operation()) {
        (false, 0) => {
            let zone_transfer = message.questions.first().is_some_and(|question| question.kind == 251);
            let flags = message.flags & !0x0130 == 0;
            flags && asked == 1 && answers == 0 && (authorities == 0 || zone_transfer) && more <= 2
        }
        // The notice of a changed zone (RFC 1996), and an update (RFC 2136).
        (false, 4) => message.flags & 0x820f == 0 && asked == 1 && answers <= 1 && more <= 2,
        (false, 5) => message.flags & 0x870f == 0 && asked == 1,
        // Errors may come without the question; what follows in a transfer of a zone, too.
        (true, 0) => asked == 1 || asked == 0 && (message.outcome() != 0 || answers > 0),
        (true, 4 | 5) => asked <= 1,
        _ => false,
    };
    counts
        && message.flags & 0x0040 == 0
        && message.outcome() <= 11
        && message.questions.iter().all(question)
        && records
}

/// Which protocol a message is of.
fn naming(message: &Message<'_>, whole: bool) -> Option<Naming> {
    if !message.rest.is_empty() {
        return None;
    }
    if whole && is_netbios(message) {
        Some(Naming::NetBios)
    } else if whole && is_multicast(message) {
        Some(Naming::Multicast)
    } else if whole && is_link_local(message) {
        Some(Naming::LinkLocal)
    } else {
        is_plain(message).then_some(Naming::Dns)
    }
}

/// Whether the header of a message leaves it open that [`naming`] says so: names are read only where it does.
fn may_be(bytes: &[u8], of: Naming) -> bool {
    let [id, flags, asked, answers, authorities, more] =
        [0, 2, 4, 6, 8, 10].map(|at| be16(bytes, at).unwrap_or_default());
    let responds = flags & 0x8000 != 0;
    match of {
        Naming::Dns => flags & 0x0040 == 0 && flags & 0x0f <= 11 && asked <= 1,
        Naming::Multicast => id == 0 && flags & !0x8600 == 0,
        Naming::LinkLocal => {
            let known = if responds { 0x8600 } else { 0x0400 };
            flags & !known == 0 && responds == (answers > 0) && authorities == 0 && more == 0 && asked == 1
        }
        // A name of 32 letters is seen before anything is read.
        Naming::NetBios => matches!(flags >> 11 & 0x0f, 0 | 5..=9) && bytes.get(12) == Some(&32),
    }
}

/// How many messages of a side are read.
const MOST_MESSAGES: usize = 16;

/// The messages of one side that are of this protocol, up to the first of another; the error, where it begins with
/// none, says whether more bytes would tell.
fn messages<'a>(said: &Said<'a>, of: Naming, stream: bool, ended: bool) -> Result<Few<Message<'a>>, bool> {
    let mut found = Few::default();
    if stream {
        let mut rest = said.bytes();
        let (mut message, mut whole) = framed(rest, ended)?;
        while naming(&message, whole) == Some(of) && found.len() < MOST_MESSAGES {
            found.push(message);
            // Behind each length follows the next: a server answers in the order that suits it (RFC 7766 §7).
            let length = rest.first_chunk::<2>().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
            rest = rest.get(2 + length..).unwrap_or_default();
            match framed(rest, true) {
                Ok(next) => (message, whole) = next,
                Err(_) => break,
            }
        }
    }
    for (piece, missing) in said.cut_pieces().take(if stream { 0 } else { MOST_MESSAGES }) {
        if !may_be(piece, of) {
            break;
        }
        let message = match missing {
            0 => dns::parse(piece),
            // Of one that was cut the questions say what it is, where there are some.
            _ => dns::parse_front(piece),
        };
        match message {
            Ok(message) if missing > 0 && message.questions.is_empty() => break,
            Ok(message) if naming(&message, true) == Some(of) => found.push(message),
            _ => break,
        }
    }
    if found.is_empty() { Err(false) } else { Ok(found) }
}

/// The first message of a stream, behind its length (RFC 1035 §4.2.2); the error says whether more bytes would tell.
fn framed(bytes: &[u8], ended: bool) -> Result<(Message<'_>, bool), bool> {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return Err(!ended) };
    let length = usize::from(u16::from_be_bytes(*length));
    // Streams carry nothing but plain messages, and those ask one question at most.
    let asked = rest.get(4..6).is_some_and(|asked| !matches!(asked, [0, 0 | 1]));
    if length < 12 || asked {
        return Err(false);
    }
    match rest.get(..length) {
        Some(message) => Ok((dns::parse(message).map_err(|_| false)?, true)),
        // Transfers of zones have long messages: as much of one as says what it is.
        None if ended => {
            let front = dns::parse_front(rest).map_err(|_| false)?;
            if front.is_response() && front.questions.len() == 1 { Ok((front, false)) } else { Err(false) }
        }
        None => Err(may_be_front(rest)),
    }
}

/// Whether a message that has not ended may be one: one question, or an answer.
fn may_be_front(bytes: &[u8]) -> bool {
    match (dns::parse_front(bytes), bytes.first_chunk::<6>()) {
        (Ok(front), _) => is_plain(&front),
        (Err(_), Some([_, _, flags, _, 0, asked])) => {
            // Where the question has not ended: no name is longer.
            bytes.len() < 12 + 260 && (*asked == 1 || *asked == 0 && flags & 0x80 != 0)
        }
        (Err(_), Some(_)) => false,
        (Err(_), None) => true,
    }
}

/// What to say of a talk for one of the four.
pub(crate) fn look(talk: &Talk<'_>, of: Naming, rules: [&'static str; 3]) -> Look {
    let stream = !talk.is_datagrams();
    let client = messages(&talk.client, of, stream, talk.ended);
    let server = messages(&talk.server, of, stream, talk.ended);
    if server == Err(true) && !talk.server.is_empty() {
        return Look::More;
    }
    let none = Few::default();
    let (asked, answered) = (client.as_ref().unwrap_or(&none), server.as_ref().unwrap_or(&none));
    let [both, by_server, by_client] = rules;
    // Multicast answers go to everybody, and have no identity to compare.
    let matching = of == Naming::Multicast
        || answered
            .iter()
            .any(|answer| answer.is_response() && asked.iter().any(|question| question.id == answer.id));
    // Who answers is no client: the other way round it is a server whose question was not seen.
    let asks = asked.first().is_some_and(|question| !question.is_response() || of == Naming::Multicast);
    let responds = answered.first().is_some_and(|answer| answer.is_response() || of == Naming::Multicast);
    let weak = |bits| if of == Naming::LinkLocal { 12 } else { bits };
    let (by, bits, rule) = match (asked.is_empty(), answered.is_empty()) {
        (false, false) if matching => (By::Both, weak(110), both),
        (true, false) if responds => (By::Server, weak(bits(answered)), by_server),
        (false, _) if asks => (By::Client, weak(bits(asked)), by_client),
        _ if client == Err(true) && !talk.client.is_empty() => return Look::More,
        _ => return Look::No,
    };
    let claim = talk.claim(by, bits, rule);
    if claim.is_enough(talk) {
        return Look::Yes(claim);
    }
    Look::Yes(details(claim, of, asked.first(), answered.first()))
}

/// A header alone, as some errors are, says little; a question or record adds what nothing else has there.
fn bits(messages: &Few<Message<'_>>) -> u8 {
    match messages.iter().any(|message| !message.questions.is_empty() || !message.records.is_empty()) {
        true => 64,
        false => 14,
    }
}

fn details(
    mut claim: Claim,
    of: Naming,
    asked: Option<&Message<'_>>,
    answered: Option<&Message<'_>>,
) -> Claim {
    let questions = asked.into_iter().chain(answered).flat_map(|message| message.questions.iter());
    let first = questions.map(|question| (question.name, question.kind)).next();
    let records = asked.into_iter().chain(answered).flat_map(|message| message.records.iter());
    if let Some((name, kind)) = first.or(records.map(|record| (record.name, record.kind)).next()) {
        let netbios = name.labels().next().filter(|_| of == Naming::NetBios).and_then(dns::netbios_name);
        match netbios {
            Some((name, suffix)) => {
                claim = claim.with("query", name.as_bytes()).showing("suffix", format_args!("{suffix:#04x}"));
            }
            None => {
                claim = claim.showing("query", name);
                claim = match dns::kind_name(kind) {
                    Some(known) => claim.with("type", known.as_bytes()),
                    None => claim.showing("type", kind),
                };
            }
        }
    }
    if let Some(options) = asked.and_then(Message::options) {
        claim = claim.showing("edns", options.class);
    }
    match answered.filter(|answer| answer.is_response()) {
        Some(answer) => {
            let outcome = match answer.outcome() {
                0 => "NOERROR",
                1 => "FORMERR",
                2 => "SERVFAIL",
                3 => "NXDOMAIN",
                4 => "NOTIMP",
                5 => "REFUSED",
                other => return claim.showing("outcome", other),
            };
            claim.with("outcome", outcome.as_bytes())
        }
        None => claim,
    }
}

/// Messages for the tests of the four.
#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A message of these flags that asks one question.
    pub(crate) fn question(id: u16, flags: u16, name: &[u8], kind: u16, class: u16) -> Vec<u8> {
        let numbers = [id, flags, 1, 0, 0, 0].map(u16::to_be_bytes).concat();
        [&numbers, name, &kind.to_be_bytes(), &class.to_be_bytes()].concat()
    }

    /// The same, answered with one address.
    pub(crate) fn answer(id: u16, flags: u16, name: &[u8], kind: u16, class: u16) -> Vec<u8> {
        let mut bytes = question(id, flags, name, kind, class);
        bytes[7] = 1;
        bytes.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
        bytes
    }

    #[test]
    fn one_message_is_of_one_protocol() {
        let netbios = b"\x20FHEPFCELFDFEEBFEEJEPEOCACACACAAA\x00";
        for (bytes, expected) in [
            (question(1, 0x0100, b"\x01a\x07example\x00", 1, 1), Some(Naming::Dns)),
            (question(1, 0, b"\x01a\x07example\x00", 1, 1), Some(Naming::Dns)),
            (question(1, 0, b"\x04host\x00", 28, 1), Some(Naming::LinkLocal)),
            (question(1, 0x0100, b"\x04host\x00", 28, 1), Some(Naming::Dns)),
            (answer(1, 0x8000, b"\x04host\x00", 1, 1), Some(Naming::LinkLocal)),
            (answer(1, 0x8180, b"\x04host\x00", 1, 1), Some(Naming::Dns)),
            (question(0, 0, b"\x04host\x05local\x00", 1, 1), Some(Naming::Multicast)),
            (question(0, 0, b"\x04host\x05lokal\x00", 1, 0x8001), Some(Naming::Multicast)),
            (question(0, 0, b"\x011\x07in-addr\x04arpa\x00", 12, 1), Some(Naming::Multicast)),
            (question(9, 0x0100, b"\x04host\x05local\x00", 1, 1), Some(Naming::Dns)),
            (question(7, 0x0110, netbios, 32, 1), Some(Naming::NetBios)),
            (question(7, 0x2910, netbios, 32, 1), Some(Naming::NetBios)),
            (question(1, 0x0140, b"\x01a\x00", 1, 1), None),
            (question(1, 0x0100, b"\x01a\x00", 9999, 1), None),
            (question(1, 0x0100, b"\x01a\x00", 1, 77), None),
            (question(1, 0x3900, b"\x01a\x00", 1, 1), None),
            (question(1, 0x0100, b"\x01a\x00", 1, 1).into_iter().chain([0]).collect(), None),
        ] {
            let message = dns::parse(&bytes).unwrap();
            assert_eq!(naming(&message, true), expected, "{message:?}");
        }
    }
}
