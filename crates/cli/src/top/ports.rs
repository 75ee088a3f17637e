//! The tab of ports: one row per door of this machine.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use engine::{Door, Row, TrafficView, View};
use model::{Kind, Scope, Service, Socket, State, Transport};

use super::filter::Filter;
use super::known::Known;
use super::rates::{Rate, Rates};
use super::sheet::{Field, Key, Sheet, Thing, by_number, by_words, identity, number, words};
use crate::style::Paint;
use crate::text;
use crate::text::cells;
use crate::text::table::{Cell, Column};

const FIELDS: [Field; 14] = [
    Field { column: Column { title: "PORT", right: true, least: 9, rank: 255 }, most_first: false },
    words("SCOPE", 9, 70),
    words("ADDRESS", 9, 20),
    words("STATE", 5, 26),
    words("FOR", 10, 75),
    words("PROTOCOL", 8, 72),
    words("SESSION", 10, 45),
    words("HOLDER", 14, 80),
    words("USER", 5, 28),
    words("UNIT", 8, 50),
    words("NETNS", 5, 60),
    number("PACKETS/S", 5, 22),
    number("RATE", 8, 64),
    words("VERDICT", 8, 255),
];

/// The doors, and what was on the wire of each.
pub(super) struct Ports {
    view: Arc<View>,
    traffic: Option<Arc<TrafficView>>,
    rates: Arc<Rates>,
    addresses: Arc<HashSet<IpAddr>>,
    /// Indices into the rows of the view.
    doors: Vec<usize>,
    /// Services by transport and port.
    services: HashMap<(Transport, u16), Vec<usize>>,
    looked: bool,
}

impl Ports {
    pub(super) fn new(known: &Known, filter: &Filter) -> Ports {
        let view = Arc::clone(&known.current.machine);
        let traffic = known.current.traffic.clone();
        let mut services: HashMap<(Transport, u16), Vec<usize>> = HashMap::new();
        for (index, service) in traffic.iter().flat_map(|it| &it.traffic.services).enumerate() {
            services.entry((service.transport, service.server.port())).or_default().push(index);
        }
        let is_door = |row: &Row| view.socket(row).is_none_or(|socket| socket.peer.is_none());
        let mut doors: Vec<usize> = (0..view.rows.len())
            .filter(|at| view.rows.get(*at).is_some_and(|row| is_door(row) && filter.takes(&view, row)))
            .collect();
        // Sockets without ports come last; equal ports stay in the order of kind and address.
        doors.sort_by_key(|at| view.rows.get(*at).map(|row| (portless(&view, row), port_of(&view, row))));
        Ports {
            view,
            traffic,
            rates: Arc::clone(&known.rates),
            addresses: Arc::clone(&known.addresses),
            doors,
            services,
            looked: known.looked,
        }
    }

    fn row(&self, at: usize) -> Option<&Row> {
        self.view.rows.get(*self.doors.get(at)?)
    }

    /// What was seen of this door on the wire.
    fn seen(&self, row: &Row) -> impl Iterator<Item = &Service> {
        let socket = self.view.socket(row);
        let at = match (socket, self.view.forward(row)) {
            (Some(socket), _) => socket.kind.transport().map(|it| (it, socket.local.port())),
            (None, Some(forward)) => Some((forward.transport, forward.first)),
            (None, None) => None,
        };
        let list = at.and_then(|at| self.services.get(&at)).map(Vec::as_slice).unwrap_or_default();
        let services = list.iter().filter_map(|at| self.traffic.as_ref()?.traffic.services.get(*at));
        services.filter(move |service| self.is_here(service, socket))
    }

    /// Whether the server of a service is this socket and not one of another machine with the same port.
    fn is_here(&self, service: &Service, socket: Option<&Socket>) -> bool {
        let server = service.server.ip().to_canonical();
        let bound = socket.map(|socket| socket.local.ip().to_canonical());
        match bound.filter(|bound| !bound.is_unspecified()) {
            Some(bound) => bound == server,
            None => server.is_loopback() || server.is_multicast() || self.addresses.contains(&server),
        }
    }

    fn rate(&self, row: &Row) -> Rate {
        self.rates.of_all(self.seen(row))
    }

    fn protocol(&self, row: &Row) -> String {
        // What is known best, then what there is most of.
        let best = self.seen(row).max_by_key(|it| (it.recognised.certainty, it.tally.bytes()));
        best.map(|it| text::recognised(&it.recognised)).unwrap_or_default()
    }
}

fn portless(view: &View, row: &Row) -> bool {
    view.socket(row).is_some_and(|socket| socket.port().is_none())
}

fn port_of(view: &View, row: &Row) -> u16 {
    let socket = view.socket(row).map(|socket| socket.local.port());
    socket.or_else(|| view.forward(row).map(|forward| forward.first)).unwrap_or_default()
}

/// The transport of a door that has a port.
fn transport_of(view: &View, row: &Row) -> Option<Transport> {
    match (view.socket(row), view.forward(row)) {
        (Some(socket), _) => socket.port().and(socket.kind.transport()),
        (None, forward) => forward.map(|forward| forward.transport),
    }
}

/// What stays the same about a door.
pub(super) fn identity_of(view: &View, row: &Row) -> u64 {
    match (view.socket(row), view.forward(row)) {
        (Some(socket), _) => identity((socket.kind, socket.local, socket.netns, socket.inode)),
        (None, Some(forward)) => identity((forward.first, forward.last, &forward.rule, forward.netns)),
        (None, None) => 0,
    }
}

impl Sheet for Ports {
    fn fields(&self) -> &'static [Field] {
        &FIELDS
    }

    fn len(&self) -> usize {
        self.doors.len()
    }

    fn id(&self, row: usize) -> u64 {
        self.row(row).map_or(0, |row| identity_of(&self.view, row))
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let Some(row) = self.row(row) else { return Cell::plain("") };
        let view = &*self.view;
        let socket = view.socket(row);
        let forward = view.forward(row);
        let of = |of_socket: &dyn Fn(&Socket) -> String, of_forward: &dyn Fn(&model::Forward) -> String| {
            Cell::plain(match (socket, forward) {
                (Some(socket), _) => of_socket(socket),
                (None, Some(forward)) => of_forward(forward),
                (None, None) => String::new(),
            })
        };
        let nothing = |_: &model::Forward| String::new();
        match column {
            0 => Cell { paint: Paint::Bold, ..of(&cells::port, &cells::forward_port) },
            1 => {
                let scope = cells::scope(view, row);
                let paint = if scope == Scope::Any { Paint::Plain } else { Paint::Dim };
                Cell::painted(scope.name(), paint)
            }
            2 => of(&cells::address, &cells::forward_address),
            3 => match socket.map(|socket| socket.state) {
                Some(State::Listening) => Cell::plain(""),
                Some(state) => Cell::plain(state.name()),
                None => Cell::plain("forward"),
            },
            4 => of(&|it| cells::service(&view.paper, it.kind.transport(), it.local.port()), &|it| {
                cells::service(&view.paper, Some(it.transport), it.first)
            }),
            5 => Cell::plain(self.protocol(row)),
            6 => Cell::plain(cells::session(view, row)),
            7 => {
                let cell = of(&|it| cells::holders(view, it), &cells::forward_to);
                let paint = if cell.text.starts_with('?') { Paint::Dim } else { Paint::Plain };
                Cell { paint, ..cell }
            }
            8 => of(&|it| cells::users(view, it), &nothing),
            9 => of(&|it| cells::unit(view, it), &|it| {
                it.container.as_ref().map(cells::container).unwrap_or_default()
            }),
            10 => of(&|it| cells::namespace(view, it.netns), &|it| cells::namespace(view, it.netns)),
            11 => super::flows::per_second(self.rate(row).packets),
            12 => super::flows::bytes_per_second(self.rate(row).bytes),
            _ => {
                let codes = cells::codes(view, row);
                Cell::painted(cells::verdict(row.verdict, &codes), Paint::of(row.verdict))
            }
        }
    }

    fn key(&self, at: usize, column: usize) -> Key {
        let Some(row) = self.row(at) else { return Key::Nothing };
        match column {
            0 => {
                let kind = self.view.socket(row).map_or(Kind::Tcp, |socket| socket.kind);
                let place = Kind::ALL.iter().position(|it| *it == kind).unwrap_or_default();
                let place = i128::try_from(place).unwrap_or_default();
                let last = if portless(&self.view, row) { 1 << 32 } else { 0 };
                by_number(last + i128::from(port_of(&self.view, row)) * 64 + place)
            }
            11 => by_number(self.rate(row).packets),
            12 => by_number(self.rate(row).bytes),
            // The gravest first.
            13 => by_number(match row.verdict {
                engine::Verdict::Found(severity) => -10 - i128::from(severity as u8),
                engine::Verdict::Unseen => -2_i128,
                engine::Verdict::Accepted => -1,
                engine::Verdict::Ok => 0,
            }),
            column => by_words(self.cell(at, column)),
        }
    }

    fn thing(&self, row: usize) -> Option<Thing> {
        let row = self.row(row)?;
        Some(match transport_of(&self.view, row) {
            Some(transport) => Thing::Port(port_of(&self.view, row), transport),
            None => Thing::Door(identity_of(&self.view, row)),
        })
    }

    fn nothing(&self) -> &'static str {
        if self.looked { "Nothing listens here." } else { "Looking at the machine …" }
    }
}

/// The row of a door by what stays the same about it.
pub(super) fn find(view: &View, id: u64) -> Option<&Row> {
    view.rows.iter().find(|row| matches!(row.door, Door::Socket(_)) && identity_of(view, row) == id)
}
