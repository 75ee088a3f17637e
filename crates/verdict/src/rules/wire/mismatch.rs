//! What the bytes are against what the port is for: protocol-mismatch, protocol-attempt, foreign-bytes.

use model::{
    Appearance, Certainty, Code, Confidence, Direction, Protocol, Secrecy, Severity, Status, Tally,
    Transport, Wandering,
};

use registry::carried_over;

use super::home::{Homes, services};
use super::words;
use crate::docket::{Cause, Docket, Draft, Many, evidence};
use crate::rules::paper::{history, purpose, service};
use crate::traffic::{Berthed, Watch};

type Weight = (Severity, Confidence);

/// Says whether the plight of the port is told with what is told here.
pub(super) fn judge<'a>(
    watch: &Watch<'a>,
    berthed: &Berthed<'a>,
    homes: &mut Homes,
    docket: &mut Docket<'a>,
) -> bool {
    let said = &berthed.service.recognised;
    // A client may have tried something else than what the server speaks.
    if let Some(tried) = said.attempt.filter(|tried| Some(*tried) != said.protocol)
        && said.certainty == Certainty::Confirmed
        && !homes.at_home(tried, berthed)
    {
        attempt(watch, berthed, tried, docket);
    }
    let Some(protocol) = said.protocol else {
        return foreign(watch, berthed, homes, docket);
    };
    if homes.at_home(protocol, berthed) {
        return false;
    }
    match said.certainty {
        Certainty::Confirmed | Certainty::Partial => mismatch(watch, berthed, protocol, docket),
        Certainty::Attempt | Certainty::Unknown => {
            // On an empty chair the traffic itself is the finding, and what was tried a part of it.
            let chair = berthed.is_system() && !berthed.is_ordinary();
            if !chair {
                attempt(watch, berthed, protocol, docket);
            }
            false
        }
    }
}

/// How much it matters that a protocol is spoken where it is not at home; `None` where that is ordinary.
fn weigh(watch: &Watch<'_>, berthed: &Berthed<'_>, protocol: &Protocol) -> Option<Weight> {
    let (system, ordinary) = (berthed.is_system(), berthed.is_ordinary());
    let assigned = berthed.standing.status == Status::Assigned || ordinary;
    let tls = ["tls", "dtls"].contains(&protocol.name);
    let first_seen = berthed.service.direction == Direction::FirstSeen;
    let severity = match protocol.wandering {
        // A system port that is nobody's is the chair's finding: the protocol is told there.
        _ if system && !assigned => return None,
        Wandering::Never if system => Severity::Alert,
        // Where the answer was seen first, the port may be the client's.
        Wandering::Never if berthed.is_chance() && first_seen => Severity::Note,
        Wandering::Never => Severity::Warning,
        // Servers refuse plain HTTP on a port of TLS in plain HTTP.
        Wandering::Often if refuses_plain_http(berthed, protocol) => Severity::Note,
        // Most services are spoken under TLS on their own port, too.
        Wandering::Often if system && ordinary && tls => Severity::Note,
        Wandering::Often | Wandering::Seldom if system => Severity::Warning,
        // The system may have chosen the number, and nobody promises anything for it (RFC 6335 §8.1.2).
        Wandering::Often | Wandering::Seldom if berthed.is_chance() => return None,
        Wandering::Often if !assigned || berthed.is_group() => return None,
        // Media, games and file sharing agree on the ports of their datagrams as they go.
        Wandering::Often if berthed.transport == Transport::Udp && !ordinary => return None,
        Wandering::Often => Severity::Note,
        Wandering::Seldom if ordinary => Severity::Warning,
        Wandering::Seldom => Severity::Note,
    };
    let mut confidence = match berthed.service.direction {
        Direction::Opened | Direction::Spoken => Confidence::High,
        Direction::FirstSeen => Confidence::Medium,
    };
    if !system && !ordinary {
        confidence = confidence.min(Confidence::Medium);
    }
    if !system && protocol.wandering == Wandering::Often || berthed.is_chance() && first_seen {
        confidence = Confidence::Low;
    }
    if berthed.service.recognised.certainty == Certainty::Partial {
        let less = match severity {
            Severity::Alert => Severity::Warning,
            // That somebody answers on an empty chair is seen in full, whatever it is that he speaks.
            Severity::Warning if system && !ordinary && berthed.service.answered => Severity::Warning,
            Severity::Warning | Severity::Note => Severity::Note,
        };
        return Some((less, Confidence::Low));
    }
    if watch.incomplete && first_seen {
        confidence = Confidence::Low;
    }
    Some((severity, confidence))
}

/// Whether a server that is there for TLS said in HTTP that it does not take HTTP: `400 Bad Request`.
fn refuses_plain_http(berthed: &Berthed<'_>, protocol: &Protocol) -> bool {
    protocol.name == "http"
        && berthed.service.recognised.detail("status") == Some("400")
        && services(&berthed.standing, berthed.transport, berthed.port)
            .any(|name| carried_over(name).contains(&"tls"))
}

fn mismatch<'a>(
    watch: &Watch<'a>,
    berthed: &Berthed<'a>,
    protocol: &'static Protocol,
    docket: &mut Docket<'a>,
) -> bool {
    let Some(weight) = weigh(watch, berthed, protocol) else { return false };
    let code = Code::ProtocolMismatch;
    docket.raise(code, weight, cause(berthed, protocol.name, 0), berthed.subject(), || {
        let mut facts = vec![words::recognised(berthed.service, protocol)];
        facts.extend(words::paper(watch, berthed.transport, berthed.port, &berthed.standing));
        facts.push(words::amount(berthed.service));
        facts.push(words::home_of(protocol));
        if !berthed.is_ordinary() {
            facts.extend(history(berthed.transport, berthed.port));
        }
        Draft {
            before: String::new(),
            after: format!(" speaks {}; {}", protocol.title, words::promise(berthed)),
            evidence: facts,
            next_step: words::look_into(watch, berthed, code),
            many: Some(Many {
                label: label(berthed),
                after: match protocol.wandering {
                    Wandering::Often => " speak what these ports are not for: ",
                    Wandering::Seldom => " speak what has ports of its own: ",
                    Wandering::Never => " speak what has no business there: ",
                },
                holder: protocol.title.to_owned(),
            }),
            named: None,
        }
    });
    true
}

/// A client spoke a protocol where nobody speaks it.
fn attempt<'a>(watch: &Watch<'a>, berthed: &Berthed<'a>, tried: &'static Protocol, docket: &mut Docket<'a>) {
    let stays_home = tried.wandering == Wandering::Never;
    // One-sided talk on a number of nobody is media, discovery or a game, as far as anybody can tell.
    let promised = berthed.is_system() || berthed.is_ordinary();
    let agreed = berthed.transport == Transport::Udp && tried.wandering == Wandering::Often;
    if agreed && !berthed.is_system() {
        return;
    }
    if berthed.is_group() && !berthed.is_system() || !promised && (!stays_home || berthed.is_dynamic()) {
        return;
    }
    let spoken = berthed.service.recognised.protocol.filter(|spoken| *spoken != tried);
    let confidence = match (spoken, berthed.is_system()) {
        (Some(_), _) => Confidence::High,
        (None, true) => Confidence::Medium,
        (None, false) => Confidence::Low,
    };
    let weight = (Severity::Note, confidence);
    let code = Code::ProtocolAttempt;
    docket.raise(code, weight, cause(berthed, tried.name, 1), berthed.subject(), || {
        let answer = match spoken {
            Some(spoken) => format!(", where {} is spoken", spoken.title),
            None if berthed.service.answered => ", and not answered in it".to_owned(),
            None => ", without an answer".to_owned(),
        };
        let said = match spoken {
            Some(spoken) => {
                let fact = format!("A client spoke {}; the server speaks {}.", tried.title, spoken.title);
                evidence(fact, words::frames(&berthed.service.frames))
            }
            None => words::recognised(berthed.service, tried),
        };
        let mut facts = vec![said];
        facts.extend(words::paper(watch, berthed.transport, berthed.port, &berthed.standing));
        facts.push(words::amount(berthed.service));
        Draft {
            before: String::new(),
            after: format!(" was tried with {}{answer}; {}", tried.title, words::promise(berthed)),
            evidence: facts,
            next_step: format!(
                "{}; see which client it is: a scanner, a wrong setting, or somebody who looks for a way in",
                watch.keep(Some(berthed.port))
            ),
            many: Some(Many {
                label: label(berthed),
                after: " were tried with what these ports are not for: ",
                holder: tried.title.to_owned(),
            }),
            named: None,
        }
    });
}

/// A server of a port whose protocol we would know answers with bytes that we do not.
fn foreign<'a>(watch: &Watch<'a>, berthed: &Berthed<'a>, homes: &mut Homes, docket: &mut Docket<'a>) -> bool {
    let said = &berthed.service.recognised;
    let talks = berthed.service.answered
        && said.appearance != Appearance::Empty
        && !berthed.is_chance()
        && !berthed.is_group()
        && said_bytes(&berthed.service.tally, berthed) >= enough(berthed.transport);
    // Where most packets were cut, what their beginnings look like says nothing of what they are.
    let volume = &watch.traffic.volume;
    if !talks || !berthed.is_ordinary() || volume.cut > volume.frames / 2 {
        return false;
    }
    let expected = watch.facts.recognisable.iter().copied().filter(|known| homes.at_home(known, berthed));
    let expected: Vec<&'static Protocol> = expected.collect();
    let Some(first) = expected.first() else { return false };
    // In the middle of a connection, and in datagrams of an encrypted one, nothing can be recognised.
    let middle = match berthed.transport {
        Transport::Tcp => berthed.service.direction != Direction::Opened,
        _ => expected.iter().any(|known| known.secrecy == Secrecy::Encrypted),
    };
    // What is encrypted or packed looks so in the middle of a connection, whatever was said before.
    if middle && berthed.transport == Transport::Tcp && said.appearance == Appearance::Encrypted {
        return false;
    }
    let otherwise = watch.speaks_otherwise(berthed.service);
    let weight = match (berthed.is_system(), middle || otherwise || watch.incomplete) {
        (true, false) => (Severity::Warning, Confidence::Medium),
        (true, true) | (false, false) => (Severity::Note, Confidence::Low),
        (false, true) => return false,
    };
    let code = Code::ForeignBytes;
    docket.raise(code, weight, cause(berthed, said.appearance.name(), 2), berthed.subject(), || {
        let looks = looks(said.appearance);
        let fact = format!(
            "The server's bytes are not {}, nor of any protocol that we know; they {looks}.",
            first.title
        );
        let mut facts = vec![evidence(fact, words::frames(&berthed.service.frames))];
        facts.extend(words::paper(watch, berthed.transport, berthed.port, &berthed.standing));
        facts.push(words::amount(berthed.service));
        facts.push(evidence(
            "Well-known ports pass firewalls, and are used for other things because of that: T1571, Non-Standard Port.",
            "MITRE ATT&CK T1571",
        ));
        if middle {
            facts.push(evidence(
                "The opening was not seen, or is not needed: what was said before may explain the bytes.",
                "this judgement",
            ));
        }
        if otherwise {
            facts.push(evidence("Other flows of the same server and port are recognised.", "this judgement"));
        }
        if watch.incomplete {
            facts.push(evidence("Packets were cut short or lost in this capture.", "the capture"));
        }
        Draft {
            before: String::new(),
            after: format!(" answers with bytes that {looks}; {}", words::promise(berthed)),
            evidence: facts,
            next_step: words::look_into(watch, berthed, code),
            many: Some(Many {
                label: label(berthed),
                after: " answer with bytes that are of no protocol we know; they ",
                holder: looks.to_owned(),
            }),
            named: None,
        }
    });
    true
}

/// What bytes look like, after "they".
pub(super) fn looks(appearance: Appearance) -> &'static str {
    match appearance {
        Appearance::Empty => "are none",
        Appearance::Text => "look like text",
        Appearance::Binary => "look like structured binary data",
        Appearance::Encrypted => "look encrypted or compressed",
    }
}

/// Bytes of payload that the server sent, about: the tally counts whole packets.
fn said_bytes(tally: &Tally, berthed: &Berthed<'_>) -> u64 {
    let network = if berthed.service.server.is_ipv4() { 20 } else { 40 };
    let transport = if berthed.transport == Transport::Tcp { 32 } else { 8 };
    tally.server_bytes.saturating_sub(tally.server_packets.saturating_mul(network + transport))
}

/// Below this a greeting may have been lost, or an error said in a few words.
fn enough(transport: Transport) -> u64 {
    if transport == Transport::Tcp { 64 } else { 24 }
}

fn cause(berthed: &Berthed<'_>, word: &'static str, number: u8) -> Cause {
    Cause::Talk { transport: berthed.transport, port: berthed.port, kin: (word, number) }
}

fn label(berthed: &Berthed<'_>) -> String {
    match service(&berthed.standing) {
        Some(name) if berthed.is_ordinary() => name.to_owned(),
        Some(_) => purpose(&berthed.standing).to_owned(),
        None => berthed.standing.status.name().to_owned(),
    }
}
