//! What came against what was agreed: stream-without-session, session-without-stream, group-without-session,
//! source-not-agreed, format-not-agreed, several-senders.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use model::media::{Session, SessionSource, Stream, StreamLeg};
use model::{Code, Confidence, Severity, Subject};

use super::words;
use crate::docket::{Cause, Docket};
use crate::judge::{SURE, say, usual};
use crate::traffic::{Consent, Watch};

/// A session that nobody heard of for so long may have had no time to be sent.
const PATIENCE_NS: i64 = 10_000_000_000;

pub(super) fn judge_stream<'a>(watch: &Watch<'a>, index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    let media = &watch.traffic.media;
    let subject = Subject::Stream(index);
    match stream.session.and_then(|at| media.sessions.get(at)) {
        Some(session) => {
            wrong_source(session, stream, &subject, docket);
            wrong_format(watch, session, stream, &subject, docket);
            goes_on(session, index, stream, &subject, docket);
        }
        None => {
            // Where nothing was agreed at all, nothing says that this was not.
            let known = !media.sessions.is_empty();
            let severity = if known { usual(Code::StreamWithoutSession) } else { Severity::Note };
            let cause = Cause::Number(index);
            docket.raise(Code::StreamWithoutSession, (severity, SURE), cause, subject.clone(), || {
                let mut facts = words::stream(media, stream);
                let sessions = match media.sessions.len() {
                    0 => "No session is known: no description was given, and none was announced here."
                        .to_owned(),
                    known => format!("None of the {known} sessions that are known has this destination."),
                };
                facts.push((sessions, "the sessions known here".to_owned()));
                let step = "give its description with --sdp or --nmos, or find out who sends it and why";
                say("No session agrees to the stream to ", "", facts, step)
            });
        }
    }
    several(watch, index, stream, docket);
    several_sources(watch, index, stream, docket);
}

/// A stream whose session is over: it was withdrawn, torn down, or not announced for long.
fn goes_on<'a>(
    session: &Session,
    index: usize,
    stream: &'a Stream,
    subject: &Subject,
    docket: &mut Docket<'a>,
) {
    let last = stream.legs.iter().filter_map(|leg| leg.reception.last).max();
    let Some((ended, last)) = session.ended.zip(last) else { return };
    let grace_ns = match session.source {
        // A session outlives its connection for its time-out, 60 s where nothing is said (RFC 2326 §12.37).
        SessionSource::Rtsp(_) => 90_000_000_000,
        _ => PATIENCE_NS,
    };
    let beyond_ns = last.since_ns(ended);
    if beyond_ns <= grace_ns {
        return;
    }
    let weight = (usual(Code::StreamWithoutSession), Confidence::Medium);
    docket.raise(Code::StreamWithoutSession, weight, Cause::Number(index), subject.clone(), || {
        let over = format!(
            "The session '{}' is over, and packets came for {} s after that.",
            session.name,
            beyond_ns / 1_000_000_000
        );
        let mut facts = vec![(over, words::source(session))];
        facts.extend(stream.legs.iter().map(|leg| (words::leg(leg), words::first_frame(stream))));
        say(
            format!("After the end of the session '{}' still comes the stream to ", session.name),
            "",
            facts,
            "stop the sender, or have its session announced again",
        )
    });
}

fn wrong_source<'a>(session: &Session, stream: &'a Stream, subject: &Subject, docket: &mut Docket<'a>) {
    for leg in &stream.legs {
        let Some(agreed) = session.leg_to(leg.destination).and_then(|at| session.legs.get(at)) else {
            continue;
        };
        if agreed.sources.allows(leg.source.ip()) {
            continue;
        }
        let cause = Cause::Text(format!("{} {}", leg.destination, leg.source.ip()));
        docket.raise(
            Code::SourceNotAgreed,
            (usual(Code::SourceNotAgreed), SURE),
            cause,
            subject.clone(),
            || {
                let facts = vec![
                    (words::leg(leg), words::first_frame(stream)),
                    (
                        format!(
                            "The session '{}' allows {} (RFC 4570 §3).",
                            session.name,
                            allowed(&agreed.sources)
                        ),
                        words::source(session),
                    ),
                ];
                say(
                    format!("{} is no source that '{}' allows: ", leg.source.ip(), session.name),
                    "",
                    facts,
                    format!(
                        "find out what sends from {}, and stop it or correct the description",
                        leg.source.ip()
                    ),
                )
            },
        );
    }
}

fn allowed(sources: &model::media::Sources) -> String {
    let list = |list: &[IpAddr]| {
        let shown: Vec<String> = list.iter().take(4).map(ToString::to_string).collect();
        shown.join(", ")
    };
    match sources {
        model::media::Sources::Any => "any source".to_owned(),
        model::media::Sources::Only(only) => format!("only {}", list(only)),
        model::media::Sources::AllBut(but) => format!("all but {}", list(but)),
    }
}

fn wrong_format<'a>(
    watch: &Watch<'a>,
    session: &Session,
    stream: &'a Stream,
    subject: &Subject,
    docket: &mut Docket<'a>,
) {
    if session.formats.is_empty() || session.format(stream.payload_type).is_some() {
        return;
    }
    let cause = Cause::Text(format!("{subject:?} payload type"));
    docket.raise(Code::FormatNotAgreed, (usual(Code::FormatNotAgreed), SURE), cause, subject.clone(), || {
        let agreed: Vec<String> = session.formats.iter().map(|it| it.payload_type.to_string()).collect();
        let mut facts = words::stream(&watch.traffic.media, stream);
        facts.push((
            format!("The session '{}' agrees to payload type {}.", session.name, agreed.join(", ")),
            words::source(session),
        ));
        say(
            format!("Payload type {} was not agreed for the stream to ", stream.payload_type),
            "",
            facts,
            "take the description from the sender anew, or set the sender to what was agreed",
        )
    });
}

/// Others that send to the same group and port at the same time. Told once, by the stream that began first.
fn several<'a>(watch: &Watch<'a>, index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    let media = &watch.traffic.media;
    for leg in stream.legs.iter().filter(|leg| leg.destination.ip().is_multicast()) {
        let mut others = BTreeSet::new();
        let mut facts = Vec::new();
        for (other_index, other) in media.streams.iter().enumerate() {
            for other_leg in &other.legs {
                let same = other_leg.destination == leg.destination && other_leg.vlan == leg.vlan;
                if !same || other_leg.source.ip() == leg.source.ip() || !overlap(leg, other_leg) {
                    continue;
                }
                if other_index < index {
                    return;
                }
                others.insert(other_leg.source.ip());
                facts.push((words::leg(other_leg), words::first_frame(other)));
            }
        }
        if others.is_empty() {
            continue;
        }
        facts.insert(0, (words::leg(leg), words::first_frame(stream)));
        let cause = Cause::Text(leg.destination.to_string());
        let subject = Subject::Stream(index);
        docket.raise(Code::SeveralSenders, (usual(Code::SeveralSenders), SURE), cause, subject, || {
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            say(
                format!(
                    "{} {} to {} at the same time as the sender of ",
                    others.join(", "),
                    if others.len() == 1 { "sends" } else { "send" },
                    leg.destination
                ),
                "",
                facts,
                "find both senders by address, and stop or move one",
            )
        });
    }
}

/// Legs of other streams with the same payload type between the same endpoints at the same time: another SSRC alone
/// tells them apart.
pub(super) fn beside<'w>(
    watch: &Watch<'w>,
    index: usize,
    stream: &'w Stream,
    leg: &'w StreamLeg,
) -> impl Iterator<Item = &'w StreamLeg> + use<'w> {
    let others = watch.traffic.media.streams.iter().enumerate();
    let others = others.filter(move |(at, other)| *at != index && other.payload_type == stream.payload_type);
    others.flat_map(|(_, other)| &other.legs).filter(move |other| {
        (other.source, other.destination, other.vlan) == (leg.source, leg.destination, leg.vlan)
            && overlap(leg, other)
    })
}

/// Several sources of one sender, where a receiver expects one. Told once, by the stream that began first.
fn several_sources<'a>(watch: &Watch<'a>, index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    for leg in &stream.legs {
        let others: Vec<_> = beside(watch, index, stream, leg).collect();
        let is_later = |other: &&StreamLeg| other.reception.first < leg.reception.first;
        if others.is_empty() || others.iter().any(is_later) {
            continue;
        }
        let cause = Cause::Text(format!("{} {}", leg.source, leg.destination));
        let subject = Subject::Stream(index);
        docket.raise(Code::SeveralSenders, (Severity::Warning, SURE), cause, subject, || {
            let mut facts = vec![(words::leg(leg), words::first_frame(stream))];
            facts.extend(others.iter().map(|other| {
                let came = other.reception.packets;
                (format!("Another source sends the same way: {came} packets."), words::leg(other))
            }));
            say(
                format!(
                    "{} sources (SSRC) at once, where a receiver expects one: the stream to ",
                    others.len() + 1
                ),
                "",
                facts,
                "see whether the sender mixes two streams on one port, or changes its SSRC again and again",
            )
        });
    }
}

pub(super) fn overlap(one: &StreamLeg, other: &StreamLeg) -> bool {
    let (one, other) = (&one.reception, &other.reception);
    match ((one.first, one.last), (other.first, other.last)) {
        ((Some(first), Some(last)), (Some(other_first), Some(other_last))) => {
            first <= other_last && other_first <= last
        }
        _ => true,
    }
}

/// Where streams went.
pub(super) fn destinations(watch: &Watch<'_>) -> BTreeSet<SocketAddr> {
    let legs = watch.traffic.media.streams.iter().flat_map(|stream| &stream.legs);
    legs.map(|leg| leg.destination).collect()
}

pub(super) fn judge_session<'a>(
    watch: &Watch<'a>,
    came: &BTreeSet<SocketAddr>,
    index: usize,
    session: &'a Session,
    docket: &mut Docket<'a>,
) {
    if session.ended.is_some() || session.legs.is_empty() {
        return;
    }
    // Who was told of it just now has not had the time to send.
    let (Some(first), Some(last)) = (watch.traffic.first, watch.traffic.last) else { return };
    let known = session.first.unwrap_or(first).max(first);
    if watch.facts.live && last.since_ns(known) < PATIENCE_NS {
        return;
    }
    let silent: Vec<_> = session.legs.iter().filter(|leg| !came.contains(&leg.destination)).collect();
    if silent.is_empty() {
        return;
    }
    let some_came = silent.len() < session.legs.len();
    let severity = if some_came { Severity::Warning } else { usual(Code::SessionWithoutStream) };
    let confidence = if watch.incomplete { Confidence::Low } else { Confidence::Medium };
    let subject = Subject::Session(index);
    docket.raise(Code::SessionWithoutStream, (severity, confidence), Cause::Number(index), subject, || {
        let mut facts: Vec<_> = silent
            .iter()
            .map(|leg| (format!("Not one packet came to {}.", leg.destination), "the capture".to_owned()))
            .collect();
        let what = session.formats.first().map(|format| format!(", {}", format.essence)).unwrap_or_default();
        facts.push((format!("The session '{}'{what} is current.", session.name), words::source(session)));
        let (before, step) = if some_came {
            ("One leg is silent of ", "follow the silent leg from its sender, switch by switch")
        } else {
            ("Nothing came of ", "look on the sender's link; multicast comes only to who joined its group")
        };
        say(before, "", facts, step)
    });
}

/// Groups that the network itself lives by: link-local ones, and those of discovery and clocks.
pub(in crate::rules) fn is_of_the_network(group: IpAddr) -> bool {
    match group {
        IpAddr::V4(group) => {
            let [a, b, c, _] = group.octets();
            // 224.0.0.0/24 local, 224.0.1.0/24 control (PTP, NTP), SAP, SSDP (RFC 5771 §4 and §5).
            (a, b) == (224, 0) && c <= 1
                || group.octets() == [224, 2, 127, 254]
                // Relative to the local scope: SSDP, SLP, MADCAP, SAP (RFC 2365 §9).
                || group.octets().starts_with(&[239, 255, 255])
        }
        // Scopes 1 and 2 do not leave the link; groups of any scope that are assigned for ever (RFC 4291 §2.7).
        IpAddr::V6(group) => {
            let [first, rest @ ..] = group.segments();
            let is_assigned = first & 0xf0 == 0 && rest.iter().take(6).all(|word| *word == 0);
            matches!(first & 0xf, 1 | 2) || is_assigned
        }
    }
}

/// Groups that somebody joined, and no session names.
pub(super) fn judge_groups<'a>(watch: &Watch<'a>, consent: &mut Consent<'_>, docket: &mut Docket<'a>) {
    let media = &watch.traffic.media;
    let mut joined: BTreeMap<IpAddr, Vec<(String, String)>> = BTreeMap::new();
    for membership in media.memberships.memberships.iter().filter(|it| !it.left) {
        let fact = format!("{} joined {}.", membership.member, membership.group);
        joined.entry(membership.group).or_default().push((fact, "IGMP or MLD on the wire".to_owned()));
    }
    for own in &media.joined {
        let name = own.interface_name.clone().unwrap_or_else(|| own.interface.to_string());
        let by = match &own.socket {
            Some(socket) => match socket.port {
                Some(port) => format!("A socket on UDP port {port}"),
                None => "A socket without a port".to_owned(),
            },
            None => "This machine".to_owned(),
        };
        let fact = format!("{by} joined {} on {name}.", own.group);
        joined.entry(own.group).or_default().push((fact, "the memberships of this machine".to_owned()));
    }
    let legs = media.sessions.iter().flat_map(|session| &session.legs);
    let named: BTreeSet<IpAddr> = legs.map(|leg| leg.destination.ip()).collect();
    for (group, facts) in joined {
        if named.contains(&group) || is_of_the_network(group) {
            continue;
        }
        let subject = Subject::Group(group);
        consent.consider(None, &[group], (subject.clone(), None), docket);
        let severity = usual(Code::GroupWithoutSession);
        let cause = Cause::Text(group.to_string());
        docket.raise(Code::GroupWithoutSession, (severity, Confidence::Medium), cause, subject, || {
            let mut facts = facts;
            facts.truncate(8);
            say(
                "No session names the group ",
                ", and somebody joined it",
                facts,
                "find who joined it, and give its description with --sdp or --nmos, or leave the group",
            )
        });
    }
}
