//! Sockets, holders, flows, services and sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use model::Process;
use serde::{Deserialize, Serialize};

use super::ports::transport;
use super::{Asked, Window, json};
use crate::atlas::Atlas;
use crate::caller::Caller;
use crate::document::{Flow, One, Service, Session, Socket, Status};
use crate::problem::Problem;
use crate::shared::Shared;

pub(crate) async fn status(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response<Body> {
    json(&headers, &One::of(Status::of(&shared.board.current(), shared.board.last_change(), &caller)))
}

/// Which of what has ports.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) transport: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) program: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: Option<usize>,
}

impl Wanted {
    fn window(&self) -> Result<Window, Problem> {
        Window::of(self.cursor.as_deref(), self.limit)
    }

    /// Refuses filters that the list has no use for.
    fn only(&self, state: bool, protocol: bool, program: bool) -> Result<(), Problem> {
        let given = [
            ("state", self.state.is_some(), state),
            ("protocol", self.protocol.is_some(), protocol),
            ("program", self.program.is_some(), program),
        ];
        match given.iter().find(|(_, given, known)| *given && !*known) {
            Some((name, ..)) => Err(Problem::wrong(format!("This list cannot be filtered by `{name}`."))),
            None => Ok(()),
        }
    }
}

pub(crate) async fn sockets(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    wanted.only(true, false, true)?;
    let only = transport(wanted.transport.as_deref())?;
    let view = shared.board.current().machine;
    let holds = |socket: &model::Socket, name: &str| {
        let mut processes = socket.holders.iter().filter_map(|holder| view.snapshot.process(holder.pid));
        processes.any(|process| process.program() == name)
    };
    let passes = |(_, socket): &(usize, &model::Socket)| {
        only.is_none_or(|only| socket.kind.transport() == Some(only))
            && wanted.port.is_none_or(|port| socket.port() == Some(port))
            && wanted.state.as_deref().is_none_or(|state| socket.state.name() == state)
            && wanted.program.as_deref().is_none_or(|name| holds(socket, name))
    };
    let all = view.snapshot.sockets.iter().enumerate().filter(passes);
    Ok(json(&headers, &wanted.window()?.page(all, |(index, _)| Socket::of(&view, index))))
}

/// A program with the ports that it holds.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Holder {
    /// The process.
    pub(crate) pid: u32,
    /// What it runs: the file name of its executable.
    pub(crate) program: String,
    /// The path of its executable; null where it could not be seen.
    pub(crate) exe: Option<String>,
    /// Its user's number.
    pub(crate) uid: Option<u32>,
    /// Its user's name.
    pub(crate) user: Option<String>,
    /// Its systemd unit.
    pub(crate) unit: Option<String>,
    /// The name of its container.
    pub(crate) container: Option<String>,
    /// Its package.
    pub(crate) package: Option<String>,
    /// Where it waits for peers: address and port, with the kind of socket.
    pub(crate) listens: Vec<String>,
    /// How many other sockets it has.
    pub(crate) others: usize,
    /// The gravest of what was judged of its listeners.
    pub(crate) verdict: Option<&'static str>,
}

/// Every process that holds sockets, by program.
pub(crate) fn all_holders(atlas: &Atlas) -> Vec<Holder> {
    let view = &atlas.machine;
    let mut of: BTreeMap<u32, (Vec<String>, usize, Option<engine::Verdict>)> = BTreeMap::new();
    for (index, socket) in view.snapshot.sockets.iter().enumerate() {
        for holder in &socket.holders {
            let (listens, others, verdict) = of.entry(holder.pid).or_default();
            if socket.is_listener() {
                let place = format!("{}/{}", socket.local, socket.kind.name());
                if !listens.contains(&place) && listens.len() < 100 {
                    listens.push(place);
                }
                *verdict = (*verdict).max(view.row_of_socket(index).map(|row| row.verdict));
            } else {
                *others += 1;
            }
        }
    }
    let mut holders: Vec<Holder> = of
        .into_iter()
        .map(|(pid, (listens, others, verdict))| {
            let process = view.snapshot.process(pid).map(|process| &**process);
            holder(pid, process, listens, others, verdict)
        })
        .collect();
    holders.sort_by(|one, other| {
        (one.listens.is_empty(), &one.program, one.pid).cmp(&(
            other.listens.is_empty(),
            &other.program,
            other.pid,
        ))
    });
    holders
}

fn holder(
    pid: u32,
    process: Option<&Process>,
    listens: Vec<String>,
    others: usize,
    verdict: Option<engine::Verdict>,
) -> Holder {
    let container = process.and_then(|it| it.container.value());
    Holder {
        pid,
        program: process.map_or_else(|| String::from("?"), |it| it.program().to_owned()),
        exe: process.and_then(|it| it.exe.value()).map(|exe| exe.path.clone()),
        uid: process.and_then(|it| it.user.value()).map(|user| user.uid),
        user: process.and_then(|it| it.user.value()?.name.clone()),
        unit: process.and_then(|it| it.unit.value()).map(|unit| unit.name.clone()),
        container: container.map(|it| it.name.value().unwrap_or(&it.id).clone()),
        package: process.and_then(|it| it.package.value()).map(|it| format!("{} {}", it.name, it.version)),
        listens,
        others,
        verdict: verdict.map(engine::Verdict::name),
    }
}

pub(crate) async fn holders(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    wanted.only(false, false, true)?;
    if wanted.port.is_some() || wanted.transport.is_some() {
        return Err(Problem::wrong("Holders of one port are in /api/v1/ports/TRANSPORT/NUMBER."));
    }
    let all = all_holders(&shared.atlas());
    let passes = |holder: &Holder| wanted.program.as_deref().is_none_or(|name| holder.program == name);
    Ok(json(&headers, &wanted.window()?.page(all.into_iter().filter(passes), Some)))
}

/// The most flows that the board keeps.
const MOST_FLOWS: usize = 50_000;

pub(crate) async fn flows(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    wanted.only(true, true, true)?;
    let only = transport(wanted.transport.as_deref())?;
    let passes = |owned: &Arc<engine::OwnedFlow>| {
        let flow = &owned.flow;
        let holds = |name: &str| {
            let owners = owned.client.iter().chain(&owned.server);
            owners.flat_map(|owner| &owner.holders).any(|process| process.program() == name)
        };
        only.is_none_or(|only| flow.transport == only)
            && wanted.port.is_none_or(|port| flow.server.port() == port || flow.client.port() == port)
            && wanted.state.as_deref().is_none_or(|state| flow.state.name() == state)
            && wanted
                .protocol
                .as_deref()
                .is_none_or(|name| flow.recognised.protocol.is_some_and(|it| it.name == name))
            && wanted.program.as_deref().is_none_or(holds)
    };
    let all = shared.board.flows(MOST_FLOWS);
    Ok(json(
        &headers,
        &wanted.window()?.page(all.iter().filter(|flow| passes(flow)), |flow| Some(Flow::of(flow))),
    ))
}

pub(crate) async fn services(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    wanted.only(false, true, false)?;
    let only = transport(wanted.transport.as_deref())?;
    let view = shared.board.current().traffic;
    let services = view.iter().flat_map(|view| view.traffic.services.iter().enumerate());
    let passes = |(_, service): &(usize, &model::Service)| {
        only.is_none_or(|only| service.transport == only)
            && wanted.port.is_none_or(|port| service.server.port() == port)
            && wanted
                .protocol
                .as_deref()
                .is_none_or(|name| service.recognised.protocol.is_some_and(|it| it.name == name))
    };
    let page =
        wanted.window()?.page(services.filter(passes), |(index, _)| Service::of(view.as_deref()?, index));
    Ok(json(&headers, &page))
}

/// Which page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Which {
    cursor: Option<String>,
    limit: Option<usize>,
}

impl Which {
    pub(crate) fn window(&self) -> Result<Window, Problem> {
        Window::of(self.cursor.as_deref(), self.limit)
    }
}

/// Everything that was agreed, told by people or heard on the wire.
pub(crate) fn all_sessions(atlas: &Atlas) -> Vec<Session> {
    let heard = atlas.traffic.iter().flat_map(|view| &view.traffic.media.sessions);
    let mut told: Vec<&model::media::Session> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for session in atlas.machine.agreed.sessions.iter().chain(heard) {
        if known.insert((&session.source, &session.identity)) {
            told.push(session);
        }
    }
    told.into_iter().map(Session::of).collect()
}

pub(crate) async fn sessions(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Which>,
) -> Result<Response<Body>, Problem> {
    let window = wanted.window()?;
    Ok(json(&headers, &window.page(all_sessions(&shared.atlas()).into_iter(), Some)))
}
