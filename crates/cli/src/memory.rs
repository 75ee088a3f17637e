//! What this machine remembers: who is asked for it, and what is done with the answer.

use std::cell::RefCell;
use std::path::Path;

use engine::control::{Client, ControlError};
use engine::serving::{Reply, Request};
use model::Transport;
use store::{Answer, Limits, Moment, PortHistory, Query, Refusal, RefusalKind, Store};
use verdict::Used;

use crate::files::Places;

/// Who answers.
pub(crate) enum Memory {
    /// The file, opened by us.
    File(Box<Store>),
    /// The service that runs, which has the file open.
    Service(RefCell<Client>),
}

impl Memory {
    /// Finds the history: in the folder that was named, else by the service that runs, else in the usual folder.
    pub(crate) fn find(places: &Places, named: Option<&Path>) -> Result<Memory, Refusal> {
        if named.is_none() {
            match Client::find() {
                Ok(client) => return Ok(Memory::Service(RefCell::new(client))),
                Err(ControlError::NotRunning(_)) => {}
                Err(error) => return Err(Refusal { kind: RefusalKind::Failed, text: error.to_string() }),
            }
        }
        let usual = places.history_home();
        let Some(folder) = named.or(usual.as_deref()) else {
            let text =
                String::from("there is no home folder to look for a history in; name one: --history FOLDER");
            return Err(Refusal { kind: RefusalKind::Absent, text });
        };
        let store = Store::existing(folder, Limits::default())?;
        Ok(Memory::File(Box::new(store)))
    }

    /// Asks.
    pub(crate) fn ask(&self, query: &Query) -> Result<Answer, Refusal> {
        match self {
            Memory::File(store) => store.answer(query),
            Memory::Service(client) => {
                let request = Request::History { query: query.clone() };
                match client.borrow_mut().ask::<Request, Reply>(&request) {
                    Ok(Reply::History { answer }) => Ok(answer),
                    Ok(_) => Err(unexpected()),
                    Err(error) => Err(Refusal { kind: RefusalKind::Failed, text: error.to_string() }),
                }
            }
        }
    }

    /// What is remembered of one port; `records` of its latest records.
    pub(crate) fn port(
        &self,
        transport: Option<Transport>,
        port: u16,
        records: u32,
    ) -> Result<PortHistory, Refusal> {
        let transport = transport.map(|transport| transport.name().to_owned());
        match self.ask(&Query::Port { transport, port, records, now: now() })? {
            Answer::Port(history) => Ok(history),
            _ => Err(unexpected()),
        }
    }

    /// Which port numbers were used.
    pub(crate) fn used(&self) -> Result<Used, Refusal> {
        match self.ask(&Query::Usage { ports: Vec::new() })? {
            Answer::Usage(usage) => Ok(engine::serving::used(&usage)),
            _ => Err(unexpected()),
        }
    }
}

/// An answer to another question.
pub(crate) fn unexpected() -> Refusal {
    let text = String::from("the answer is to another question: the service is of another version");
    Refusal { kind: RefusalKind::Failed, text }
}

/// The system's time.
pub(crate) fn now() -> Moment {
    Moment(host::now())
}
