//! Questions and their answers, each from one commit; the same question on the same file has the same answer.

mod findings;
mod port;
mod records;

use std::fs;
use std::net::IpAddr;

use model::{Timestamp, Transport};

use crate::answer::{Answer, HolderName, PortUse, Refusal, Span, Statistics, TableSize, Usage, Watched};
use crate::append::day_key;
use crate::desk::{AFTER_ALL, DAYS, HOLDERS, PORTS, Reading, SERVERS, TABLES};
use crate::fault::StoreError;
use crate::identity;
use crate::moment::Moment;
use crate::query::Query;
use crate::row::{DayRow, HolderRow, PortRow, ServerRow, SpanRow};
use crate::store::Store;

/// More than this is not answered at once.
const MOST_ROWS: u32 = 100_000;

impl Store {
    /// Answers a question, or does what people decided.
    pub fn answer(&self, query: &Query) -> Result<Answer, Refusal> {
        match query {
            Query::Port { transport, port, records, now } => {
                let transport = transport.as_deref().map(named).transpose()?;
                let most = (*records).min(MOST_ROWS);
                Ok(Answer::Port(self.read(|reading| port::history(reading, transport, *port, most, *now))?))
            }
            Query::Records { filter } => {
                let transport = filter.transport.as_deref().map(named).transpose()?;
                let limit = filter.limit.min(MOST_ROWS);
                Ok(Answer::Records(self.read(|reading| records::page(reading, filter, transport, limit))?))
            }
            Query::Findings { filter, now } => findings::list(self, filter, *now),
            Query::Finding { id, now } => findings::show(self, id, *now),
            Query::Acknowledge { id, reason, by, until, now } => {
                findings::acknowledge(self, id, (reason, by, *until), *now)
            }
            Query::Reopen { id, now } => findings::reopen(self, id, *now),
            Query::Usage { ports } => Ok(Answer::Usage(self.read(|reading| usage(reading, ports))?)),
            Query::Spoken { since } => {
                Ok(Answer::Spoken(self.read(|reading| port::spoken(reading, since.as_ns()))?))
            }
            Query::Statistics => Ok(Answer::Statistics(self.statistics()?)),
        }
    }

    /// Names the servers that answered, wherever they are, and gives on how many days somebody watched since the first of
    /// them: on the days before, which a history of form 1 has too, servers were not written down.
    pub fn servers(&self, each: &mut dyn FnMut(IpAddr, Transport, u16)) -> Result<u32, StoreError> {
        self.read(|reading| {
            let mut began = None;
            reading.all(SERVERS, |key, row: ServerRow| {
                if let Some((server, transport, port)) = identity::server(key) {
                    each(server, transport, port);
                    began = Some(began.unwrap_or(row.span.first_ns).min(row.span.first_ns));
                }
                Ok(true)
            })?;
            let mut days = 0;
            if let Some(began) = began {
                let first = day_key(Timestamp::from_ns(began));
                reading.walk(DAYS, first.as_slice()..AFTER_ALL, false, |_, _: DayRow| {
                    days += 1;
                    Ok(true)
                })?;
            }
            Ok(days)
        })
    }

    fn statistics(&self) -> Result<Statistics, StoreError> {
        let file_bytes = fs::metadata(self.path()).map_or(0, |file| file.len());
        self.read(|reading| {
            let state = &reading.state;
            Ok(Statistics {
                file: self.path().display().to_string(),
                file_bytes,
                most_bytes: self.limits().most_bytes,
                watched: watched(reading)?,
                age_seconds: state.age_s,
                records_ever: state.next,
                aged_out: state.aged_out,
                crowded_out: state.crowded_out,
                tables: (TABLES.iter().zip(&state.sizes))
                    .map(|((name, _), size)| TableSize {
                        name: (*name).to_owned(),
                        rows: size.rows,
                        bytes: size.bytes,
                    })
                    .collect(),
            })
        })
    }
}

fn named(name: &str) -> Result<Transport, Refusal> {
    Transport::from_name(name)
        .ok_or_else(|| Refusal::asked(format!("'{name}' is no transport: tcp, udp, sctp or dccp")))
}

/// For how long somebody watched.
fn watched(reading: &Reading<'_>) -> Result<Watched, StoreError> {
    let mut days = 0;
    reading.all(DAYS, |_, _: DayRow| {
        days += 1;
        Ok(true)
    })?;
    let state = &reading.state;
    Ok(Watched {
        since: state.began_ns.map(Moment::from_ns),
        latest: state.latest_ns.map(Moment::from_ns),
        days,
    })
}

fn usage(reading: &Reading<'_>, ports: &[u16]) -> Result<Usage, StoreError> {
    let mut used = Vec::new();
    if ports.is_empty() {
        reading.all(PORTS, |key, row: PortRow| {
            used.extend(port_use(key, &row));
            Ok(true)
        })?;
    } else {
        for transport in Transport::ALL {
            for port in ports {
                let key = identity::of_port(transport, *port);
                let row: Option<PortRow> = reading.row(PORTS, &key)?;
                used.extend(row.and_then(|row| port_use(&key, &row)));
            }
        }
    }
    Ok(Usage { watched: watched(reading)?, ports: used })
}

fn port_use(key: &[u8], row: &PortRow) -> Option<PortUse> {
    let (number, port) = key.split_first()?;
    Some(PortUse {
        port: u16::from_be_bytes(*port.first_chunk::<2>()?),
        transport: identity::transport(*number)?.name().to_owned(),
        held: row.held.as_ref().map(span),
        served: row.served.as_ref().map(span),
        knocked: row.knocked.as_ref().map(span),
    })
}

fn span(row: &SpanRow) -> Span {
    Span { first: Moment::from_ns(row.first_ns), last: Moment::from_ns(row.last_ns), times: row.times }
}

fn holder(reading: &Reading<'_>, id: &[u8]) -> Result<Option<HolderName>, StoreError> {
    let row: Option<HolderRow> = reading.row(HOLDERS, id)?;
    Ok(row.map(|row| HolderName {
        program: row.program,
        exe: row.exe,
        exe_state: match row.exe_state {
            1 => "deleted",
            2 => "replaced",
            3 => "memfd",
            _ => "present",
        }
        .to_owned(),
        command_line: row.command_line,
        uid: row.uid,
        user: row.user,
        unit: row.unit,
        container: row.container,
        image: row.image,
        package: row.package,
    }))
}
