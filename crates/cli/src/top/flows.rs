//! The tab of flows: services with their rates, then the flows that ended last.

use std::sync::Arc;

use engine::owners::Owner;
use engine::{OwnedFlow, TrafficView};
use model::{Recognised, Service, Tally, Timestamp, Transport, Utc};

use super::known::Known;
use super::rates::{Rate, Rates};
use super::sheet::{Field, Key, Sheet, Thing, by_number, by_words, identity, number, words};
use crate::sanitise;
use crate::style::Paint;
use crate::text;
use crate::text::table::{Cell, Column};

const FIELDS: [Field; 12] = [
    words("TIME", 8, 68),
    Field { column: Column { title: "PORT", right: true, least: 9, rank: 255 }, most_first: false },
    words("PROTOCOL", 8, 90),
    words("CLIENT", 9, 80),
    words("SERVER", 9, 85),
    number("RATE", 10, 86),
    number("PACKETS/S", 5, 40),
    number("BYTES", 8, 62),
    number("PACKETS", 7, 30),
    words("STATE", 8, 78),
    words("HOLDER", 8, 75),
    words("SNI", 8, 20),
];

/// Services, the fastest first, and flows, the newest first.
pub(super) struct Flows {
    traffic: Option<Arc<TrafficView>>,
    rates: Arc<Rates>,
    /// Indices of services.
    services: Vec<usize>,
    flows: Arc<Vec<Arc<OwnedFlow>>>,
}

/// One row.
enum One<'a> {
    Service(&'a Service),
    Flow(&'a Arc<OwnedFlow>),
}

impl Flows {
    pub(super) fn new(known: &Known) -> Flows {
        let traffic = known.current.traffic.clone();
        let all = traffic.as_ref().map(|it| it.traffic.services.as_slice()).unwrap_or_default();
        let mut services: Vec<usize> = (0..all.len()).collect();
        services.sort_by_cached_key(|at| {
            let service = all.get(*at);
            std::cmp::Reverse(service.map(|it| (known.rates.of(it).bytes, it.last.map(Timestamp::as_ns))))
        });
        Flows { traffic, rates: Arc::clone(&known.rates), services, flows: Arc::clone(&known.flows) }
    }

    fn one(&self, row: usize) -> Option<One<'_>> {
        match self.services.get(row) {
            Some(at) => self.traffic.as_ref()?.traffic.services.get(*at).map(One::Service),
            None => self.flows.get(row.checked_sub(self.services.len())?).map(One::Flow),
        }
    }
}

impl One<'_> {
    fn last(&self) -> Option<Timestamp<Utc>> {
        match self {
            One::Service(it) => it.last,
            One::Flow(it) => it.flow.last,
        }
    }

    fn port(&self) -> (u16, Transport) {
        match self {
            One::Service(it) => (it.server.port(), it.transport),
            One::Flow(it) => (it.flow.server.port(), it.flow.transport),
        }
    }

    fn recognised(&self) -> &Recognised {
        match self {
            One::Service(it) => &it.recognised,
            One::Flow(it) => &it.flow.recognised,
        }
    }

    fn tally(&self) -> &Tally {
        match self {
            One::Service(it) => &it.tally,
            One::Flow(it) => &it.flow.tally,
        }
    }

    fn rate(&self, rates: &Rates) -> Rate {
        match self {
            One::Service(it) => rates.of(it),
            One::Flow(_) => Rate::default(),
        }
    }
}

/// A number of packets in a second; nothing where there are none.
pub(super) fn per_second(packets: u64) -> Cell {
    Cell::plain(if packets == 0 { String::new() } else { packets.to_string() })
}

/// An amount in a second; nothing where there is none.
pub(super) fn bytes_per_second(count: u64) -> Cell {
    Cell::plain(if count == 0 { String::new() } else { format!("{}/s", text::bytes(count)) })
}

fn holders(owner: Option<&Arc<Owner>>) -> String {
    let all = owner.map(|owner| owner.holders.as_slice()).unwrap_or_default();
    let names: Vec<String> =
        all.iter().take(3).map(|it| format!("{}[{}]", sanitise::line(it.program()), it.pid)).collect();
    names.join(",")
}

/// The time of day.
pub(super) fn time_of_day(time: Timestamp<Utc>) -> String {
    text::clock(time).get(..8).unwrap_or_default().to_owned()
}

impl Sheet for Flows {
    fn fields(&self) -> &'static [Field] {
        &FIELDS
    }

    fn len(&self) -> usize {
        self.services.len() + self.flows.len()
    }

    fn id(&self, row: usize) -> u64 {
        match self.one(row) {
            Some(One::Service(it)) => {
                identity((it.server, it.transport, it.recognised.protocol.map(|it| it.name)))
            }
            Some(One::Flow(it)) => {
                identity((it.flow.client, it.flow.server, it.flow.transport, it.flow.first))
            }
            None => 0,
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let Some(one) = self.one(row) else { return Cell::plain("") };
        match column {
            0 => Cell::painted(one.last().map(time_of_day).unwrap_or_default(), Paint::Dim),
            1 => {
                let (port, transport) = one.port();
                Cell::painted(format!("{port}/{}", transport.name()), Paint::Bold)
            }
            2 => Cell::plain(text::recognised(one.recognised())),
            3 => Cell::plain(match one {
                One::Service(it) if it.clients == 1 => {
                    it.some_clients.first().map(ToString::to_string).unwrap_or_default()
                }
                One::Service(it) => format!("{} clients", it.clients),
                One::Flow(it) => it.flow.client.to_string(),
            }),
            4 => Cell::plain(match one {
                One::Service(it) => it.server.ip().to_string(),
                One::Flow(it) => it.flow.server.ip().to_string(),
            }),
            5 => bytes_per_second(one.rate(&self.rates).bytes),
            6 => per_second(one.rate(&self.rates).packets),
            7 => Cell::plain(text::bytes(one.tally().bytes())),
            8 => Cell::plain(one.tally().packets().to_string()),
            9 => match one {
                One::Service(_) => Cell::painted("service", Paint::Cyan),
                One::Flow(it) => Cell::plain(it.flow.state.name().replace('_', " ")),
            },
            10 => match one {
                One::Service(_) => Cell::plain(""),
                One::Flow(it) => {
                    let (client, server) = (holders(it.client.as_ref()), holders(it.server.as_ref()));
                    Cell::plain(match (client.is_empty(), server.is_empty()) {
                        (false, false) => format!("{client} → {server}"),
                        (false, true) => format!("{client} →"),
                        (true, false) => format!("→ {server}"),
                        (true, true) => String::new(),
                    })
                }
            },
            _ => Cell::plain(sanitise::line(one.recognised().detail("sni").unwrap_or_default())),
        }
    }

    fn key(&self, row: usize, column: usize) -> Key {
        let Some(one) = self.one(row) else { return Key::Nothing };
        match column {
            0 => one.last().map_or(Key::Nothing, |last| by_number(last.as_ns())),
            1 => by_number(one.port().0),
            5 => by_number(one.rate(&self.rates).bytes),
            6 => by_number(one.rate(&self.rates).packets),
            7 => by_number(one.tally().bytes()),
            8 => by_number(one.tally().packets()),
            column => by_words(self.cell(row, column)),
        }
    }

    fn thing(&self, row: usize) -> Option<Thing> {
        Some(match self.one(row)? {
            One::Service(it) => {
                Thing::Service(it.server, it.transport, it.recognised.protocol.map_or("", |it| it.name))
            }
            One::Flow(it) => Thing::Flow(Arc::clone(it)),
        })
    }

    fn nothing(&self) -> &'static str {
        "No packet was seen."
    }
}
