//! A port: in one line of a list, and with all five answers.

use model::{Seen, Transport};
use serde::Serialize;

use super::machine::verdict_name;
use super::{Finding, Paper, Service, Session, Socket, Touch, moment, paper};
use crate::atlas::{Atlas, Port, Spot, Using};
use crate::keeper::Span;

/// A port in one line.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Summary {
    /// `tcp`, `udp`, `sctp` or `dccp`.
    pub(crate) transport: &'static str,
    /// Its number.
    pub(crate) port: u16,
    /// On paper: `assigned`, `unassigned`, `reserved` or `dynamic`.
    pub(crate) status: &'static str,
    /// Whether an assigned port is in ordinary use: `ordinary` or `silent`; null where it is not assigned.
    pub(crate) usage: Option<&'static str>,
    /// The registered name.
    pub(crate) registered: Option<String>,
    /// The name that is commonly seen there.
    pub(crate) commonly_seen: Option<&'static str>,
    /// The protocol that was recognised there on the wire.
    pub(crate) recognised: Option<&'static str>,
    /// How it is used now: `listening`, `published`, `bound`, `wire`, `touched`, `passing` (only sockets have it that
    /// come and go with one conversation) or `free`.
    #[serde(rename = "use")]
    pub(crate) using: &'static str,
    /// Sockets that wait there.
    listeners: usize,
    /// The programs that hold them; where nobody waits, those that have the port otherwise.
    pub(crate) holders: Vec<String>,
    /// From where the widest of them can be reached.
    pub(crate) scope: Option<&'static str>,
    /// Knocks where nobody spoke.
    pub(crate) touches: u64,
    /// `ok`, `accepted`, `unseen`, `note`, `warning` or `alert`; null where nobody is there to be judged.
    pub(crate) verdict: Option<&'static str>,
    /// When it was first used; null where nobody keeps that.
    first: Option<String>,
    /// When it was last used; null where nobody keeps that.
    last: Option<String>,
}

impl Summary {
    pub(crate) fn of(atlas: &Atlas, port: Port, span: Option<Span>) -> Summary {
        let (transport, number) = port;
        let standing = atlas.machine.paper.standing(transport, number);
        let free = Spot::default();
        let spot = atlas.spot(port).unwrap_or(&free);
        let sockets = &atlas.machine.snapshot.sockets;
        let socket = |at: &u32| sockets.get(usize::try_from(*at).ok()?);
        let held = if spot.listeners.is_empty() { &spot.others } else { &spot.listeners };
        let mut holders: Vec<String> = held
            .iter()
            .filter_map(socket)
            .flat_map(|socket| &socket.holders)
            .filter_map(|holder| atlas.machine.snapshot.process(holder.pid))
            .map(|process| process.program().to_owned())
            .collect();
        holders.sort_unstable();
        holders.dedup();
        let traffic = atlas.traffic.as_ref();
        let services = spot.services.iter().filter_map(|at| traffic?.traffic.services.get(*at));
        let touch = spot.touch.and_then(|at| traffic?.traffic.touches.get(at));
        Summary {
            transport: transport.name(),
            port: number,
            status: standing.status.name(),
            usage: paper::usage_name(standing.usage),
            registered: standing.assignment.and_then(|row| paper::words(row.name)),
            commonly_seen: engine::registry::program::commonly_seen(transport, number),
            recognised: services.filter_map(|service| service.recognised.protocol).map(|it| it.name).next(),
            using: spot.using().name(),
            listeners: spot.listeners.len(),
            holders,
            scope: spot
                .listeners
                .iter()
                .filter_map(socket)
                .map(|socket| socket.scope)
                .max()
                .map(model::Scope::name),
            touches: touch.map_or(0, |touch| touch.flows),
            verdict: verdict_name(spot.verdict),
            first: span.map(|span| moment(span.first)),
            last: span.map(|span| moment(span.last)),
        }
    }

    pub(crate) fn is_free(&self) -> bool {
        [Using::Free, Using::Passing].map(Using::name).contains(&self.using)
    }
}

/// What this machine's rules say of a port.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Rules {
    /// The namespace's name.
    pub(crate) namespace: String,
    /// Whether opening it needs privilege; null where the rules could not be read.
    pub(crate) privileged: Option<bool>,
    /// Whether the kernel gives it out itself; null where the rules could not be read.
    pub(crate) ephemeral: Option<bool>,
}

/// Everything about one port: the five answers.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Answers {
    /// In one line.
    #[serde(flatten)]
    pub(crate) summary: Summary,
    /// What it is for.
    pub(crate) paper: Paper,
    /// What this machine's rules say of it.
    pub(crate) rules: Vec<Rules>,
    /// Who holds it.
    pub(crate) sockets: Vec<Socket>,
    /// How many more sockets have it than are shown.
    pub(crate) more_sockets: usize,
    /// Packets to it are redirected, each rule in words.
    pub(crate) published: Vec<String>,
    /// What is on the wire.
    pub(crate) services: Vec<Service>,
    /// Who knocked where nobody spoke.
    pub(crate) touched: Option<Touch>,
    /// What was agreed.
    pub(crate) sessions: Vec<Session>,
    /// Whether that is right: what was found.
    pub(crate) findings: Vec<Finding>,
    /// What policy accepts about it, each in words.
    pub(crate) accepted: Vec<String>,
}

/// So many sockets and services of one port are told; very many connections are of interest to nobody.
const MOST: usize = 100;

impl Answers {
    pub(crate) fn of(atlas: &Atlas, port: Port, span: Option<Span>, findings: Vec<Finding>) -> Answers {
        let (transport, number) = port;
        let free = Spot::default();
        let spot = atlas.spot(port).unwrap_or(&free);
        let machine = &atlas.machine;
        let indices = spot.listeners.iter().chain(&spot.others).chain(&spot.passing);
        let sockets: Vec<usize> = indices.filter_map(|at| usize::try_from(*at).ok()).collect();
        let forwards =
            spot.forwards.iter().filter_map(|at| machine.snapshot.forwards.get(usize::try_from(*at).ok()?));
        let traffic = atlas.traffic.as_deref();
        let sessions =
            machine.agreed.sessions.iter().chain(traffic.iter().flat_map(|it| &it.traffic.media.sessions));
        let of_port = |session: &&model::media::Session| {
            transport == Transport::Udp && session.legs.iter().any(|leg| leg.destination.port() == number)
        };
        let mut told: Vec<Session> = Vec::new();
        for session in sessions.filter(of_port).take(MOST) {
            let session = Session::of(session);
            if !told
                .iter()
                .any(|other| other.name == session.name && other.source_words == session.source_words)
            {
                told.push(session);
            }
        }
        Answers {
            summary: Summary::of(atlas, port, span),
            paper: Paper::of(&machine.paper, transport, number),
            rules: rules(atlas, number),
            more_sockets: sockets.len().saturating_sub(MOST),
            sockets: sockets.iter().take(MOST).filter_map(|at| Socket::of(machine, *at)).collect(),
            published: forwards
                .map(|forward| {
                    let to = forward.to_addr.map(|to| to.to_string()).unwrap_or_default();
                    let port = forward.to_port.map(|port| format!(":{port}")).unwrap_or_default();
                    format!("to {to}{port} by {}", forward.rule)
                })
                .collect(),
            services: spot.services.iter().take(MOST).filter_map(|at| Service::of(traffic?, *at)).collect(),
            touched: spot.touch.and_then(|at| traffic?.traffic.touches.get(at)).map(Touch::of),
            sessions: told,
            findings,
            accepted: accepted(atlas, &sockets),
        }
    }
}

fn rules(atlas: &Atlas, port: u16) -> Vec<Rules> {
    let known =
        atlas.machine.snapshot.namespaces.iter().filter(|namespace| !matches!(namespace.rules, Seen::Absent));
    known
        .map(|namespace| {
            let rules = namespace.rules.value();
            Rules {
                namespace: if namespace.own { String::from("here") } else { namespace.name.clone() },
                privileged: rules.map(|rules| port < rules.unprivileged_start),
                ephemeral: rules.map(|rules| rules.gives_out(port)),
            }
        })
        .collect()
}

fn accepted(atlas: &Atlas, sockets: &[usize]) -> Vec<String> {
    let is_about = |subject: &model::Subject| match subject {
        model::Subject::Socket(index) => sockets.contains(index),
        _ => false,
    };
    let all = atlas.machine.accepted.iter().filter(|it| it.finding.subjects.iter().any(is_about));
    all.map(|it| format!("{} by {}: {}", it.finding.code.name(), it.entry, it.reason)).collect()
}
