//! Clocks on the wire against each other and against what sessions say: clock-disagreement.

use std::collections::BTreeSet;

use model::media::ReferenceClock;
use model::media::ptp::{ClockIdentity, PtpDomain};
use model::{Code, Confidence, Severity, Subject};

use crate::docket::{Cause, Docket};
use crate::judge::{say, usual};
use crate::rules::wire::words::{count, frame};
use crate::traffic::Watch;

pub(super) fn judge<'a>(watch: &Watch<'a>, docket: &mut Docket<'a>) {
    for domain in &watch.traffic.media.ptp.domains {
        masters(domain, docket);
        sessions(watch, domain, docket);
    }
    rules(watch, docket);
}

fn grandmasters(domain: &PtpDomain) -> BTreeSet<ClockIdentity> {
    domain.ports.iter().filter_map(|port| port.announce.map(|announce| announce.grandmaster)).collect()
}

/// Several grandmasters in one domain.
fn masters<'a>(domain: &'a PtpDomain, docket: &mut Docket<'a>) {
    let all = grandmasters(domain);
    if all.len() < 2 {
        return;
    }
    let severity = usual(Code::ClockDisagreement);
    let cause = Cause::Text(format!("masters {}", domain.number));
    let subject = Subject::Clock(domain.number);
    docket.raise(Code::ClockDisagreement, (severity, Confidence::Medium), cause, subject, || {
        let announced = domain.ports.iter().filter_map(|port| Some((port, port.announce?)));
        let mut facts: Vec<_> = announced
            .map(|(port, announce)| {
                let fact = format!(
                    "{} at {} announces {} with priority {} and class {} ({}), {}.",
                    port.identity,
                    port.sender,
                    announce.grandmaster,
                    announce.priority1,
                    announce.class,
                    announce.class_meaning(),
                    count(port.announces.count, "time")
                );
                (fact, "PTP Announce messages".to_owned())
            })
            .collect();
        if let Some(best) = domain.best {
            let fact = format!("By what was announced, {best} should lead (IEEE 1588-2019 §9.3).");
            facts.push((fact, "PTP Announce messages".to_owned()));
        }
        let step = "see what lies between them, and why the lesser one does not fall silent";
        say(format!("{} grandmasters announce in ", all.len()), "", facts, step)
    });
}

/// A session names another grandmaster than the one of its domain.
fn sessions<'a>(watch: &Watch<'a>, domain: &'a PtpDomain, docket: &mut Docket<'a>) {
    let all = grandmasters(domain);
    if all.is_empty() {
        return;
    }
    for session in &watch.traffic.media.sessions {
        let Some(ReferenceClock::Ptp { grandmaster: Some(named), domain: of, .. }) = &session.reference
        else {
            continue;
        };
        let named = ClockIdentity(*named);
        if of.is_some_and(|of| of != domain.number) || all.contains(&named) {
            continue;
        }
        let severity = usual(Code::ClockDisagreement);
        let cause = Cause::Text(format!("session {}", domain.number));
        let subject = Subject::Clock(domain.number);
        docket.raise(Code::ClockDisagreement, (severity, Confidence::Medium), cause, subject, || {
            let here: Vec<String> = all.iter().map(ToString::to_string).collect();
            let facts = vec![
                (
                    format!("The session '{}' follows {named} (RFC 7273 §4).", session.name),
                    session.source.to_string(),
                ),
                (format!("Here announce {}.", here.join(", ")), "PTP Announce messages".to_owned()),
            ];
            say(
                "A session follows a grandmaster that is not the one of ",
                "",
                facts,
                "take the description from the sender anew, or look why the sender follows another clock",
            )
        });
    }
}

/// What the profile wants and is not kept.
fn rules<'a>(watch: &Watch<'a>, docket: &mut Docket<'a>) {
    let ptp = &watch.traffic.media.ptp;
    let Some(domain) = ptp.domains.first().filter(|_| !ptp.faults.is_empty()) else { return };
    let subject = Subject::Clock(domain.number);
    let cause = Cause::Text("rules".to_owned());
    let code = Code::ClockDisagreement;
    docket.raise(code, (Severity::Note, Confidence::Medium), cause, subject, || {
        let facts = ptp
            .faults
            .iter()
            .map(|fault| {
                let text = fault.rule.text.trim_end_matches('.');
                let fact = format!(
                    "{}: {text} ({}), {} ({}).",
                    fault.rule.name,
                    fault.detail,
                    count(fault.count, "time"),
                    fault.rule.clause
                );
                (fact, frame(fault.first.frame))
            })
            .collect();
        say(
            format!("The profile {} is not kept in ", domain.profile.name()),
            "",
            facts,
            "portreeve media ptp shows all of it; set what differs on the clock that sends it",
        )
    });
}
