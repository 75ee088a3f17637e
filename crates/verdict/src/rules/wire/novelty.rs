//! What was not there before: service-new.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{Code, Confidence, Severity, Subject};

use super::home::{is_group, is_private};
use super::words;
use crate::docket::{Cause, Docket, Draft, evidence};
use crate::traffic::{CHANCE_PORTS, Consent, Watch};

/// Why a service is new. A known server with another port is news of that server; servers that nobody saw before are
/// one piece of news together, because a day of browsing meets thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    Port(IpAddr),
    PrivateServer(IpAddr),
    PublicServers,
}

pub(crate) fn judge<'a>(watch: &Watch<'a>, consent: &mut Consent<'_>, docket: &mut Docket<'a>) {
    let Some(earlier) = watch.facts.earlier.filter(|earlier| !earlier.is_empty()) else { return };
    // Gathered first: how many there are belongs into the words.
    let mut news: BTreeMap<News, Vec<usize>> = BTreeMap::new();
    for (index, service) in watch.traffic.services.iter().enumerate() {
        let (server, port) = (service.server.ip(), service.server.port());
        // A port that a system may have chosen by itself, or that was agreed for once, is nobody's news.
        let agreed = service.recognised.agreed_on().is_some();
        let of_interest = service.answered && port < CHANCE_PORTS && !is_group(server) && !agreed;
        if !of_interest || earlier.knows(server, service.transport, port) {
            continue;
        }
        let kind = match (earlier.knows_server(server), is_private(server)) {
            (true, _) => News::Port(server),
            (false, true) => News::PrivateServer(server),
            (false, false) => News::PublicServers,
        };
        news.entry(kind).or_default().push(index);
    }
    for (kind, services) in news {
        for index in &services {
            let Some(service) = watch.traffic.services.get(*index) else { continue };
            let (server, port) = (service.server.ip(), service.server.port());
            let subject = Subject::Service(*index);
            consent.consider(
                Some((service.transport, port..=port)),
                &[server],
                (subject.clone(), None),
                docket,
            );
            // A new port of a server that one owns is a change that somebody made.
            let severity = match kind {
                News::Port(server) if is_private(server) => Severity::Warning,
                _ => Severity::Note,
            };
            let confidence = if service.direction == model::Direction::FirstSeen {
                Confidence::Low
            } else {
                Confidence::Medium
            };
            let cause = match kind {
                News::Port(server) => Cause::Text(format!("port {server}")),
                News::PrivateServer(server) => Cause::Text(format!("server {server}")),
                News::PublicServers => Cause::Text("servers".to_owned()),
            };
            docket.raise(Code::ServiceNew, (severity, confidence), cause, subject, || {
                let after = match kind {
                    News::Port(_) => " answers on a port where this server was not seen before",
                    News::PrivateServer(_) => " answers, and this server was not seen before",
                    News::PublicServers => " answers, of a network that is not ours and from where nobody was seen before",
                };
                let mut facts: Vec<_> = services
                    .iter()
                    .take(8)
                    .filter_map(|index| watch.traffic.services.get(*index))
                    .map(words::amount)
                    .collect();
                facts.push(evidence("Not among the services that were seen earlier.", "earlier services"));
                Draft {
                    before: String::new(),
                    after: after.to_owned(),
                    evidence: facts,
                    next_step: format!(
                        "{}; on {server}: portreeve {port}; once it is right, remember it with the earlier services",
                        watch.keep(Some(port))
                    ),
                    many: None,
                    named: None,
                }
            });
        }
    }
}
