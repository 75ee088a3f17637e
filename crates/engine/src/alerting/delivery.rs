//! From a notice to its way: the form is made, and handed to what sends it.

use std::path::Path;
use std::time::Duration;

use host::client::{Http, Limits, Response, Trust};
use host::deliver::{Again, Append, Failure, Journal, Route, Run, Syslog, run, secret};

use super::form::{Context, eve, journal, json, mail, otlp, syslog};
use super::notice::{Machine, Notice, State};
use super::retry::retry_after;
use super::settings::{AlertSettings, Way};
use crate::sanitise;

/// A datagram of this length is taken by every receiver (RFC 5426 §3.2).
const MOST_DATAGRAM: usize = 2048;

/// A message in a stream, or on this machine.
const MOST_MESSAGE: usize = 8192;

/// Of an answer no more is read.
const MOST_ANSWER: usize = 64 << 10;

/// Of what a program says no more is kept.
const MOST_OUTPUT: usize = 4096;

/// How long a mailer may take.
const MAIL_LIMIT: Duration = Duration::from_secs(30);

/// What is known when it went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The other side says that it has it.
    Confirmed(&'static str),
    /// It was handed over; nobody says more.
    HandedOver(&'static str),
}

impl Receipt {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Receipt::Confirmed(words) | Receipt::HandedOver(words) => words,
        }
    }
}

/// A way that can be used.
pub struct Delivery {
    machine: Machine,
    page: Option<String>,
    link: Link,
}

enum Link {
    Syslog { link: Syslog, local: bool, datagrams: bool, facility: u8 },
    Journal(Journal),
    Web { http: Box<Http>, way: Way },
    Mail { to: Vec<String>, from: Option<String>, sendmail: [String; 3] },
    Command { command: Vec<String>, limit: Duration },
    Eve(Append),
}

impl Delivery {
    /// For these settings. Nothing is opened yet: what is not there now may be later.
    pub fn new(settings: &AlertSettings, machine: Machine) -> Delivery {
        let link = match &settings.way {
            Way::Syslog { route, facility } => Link::Syslog {
                local: matches!(route, Route::Local(_)),
                datagrams: matches!(route, Route::Udp(_)),
                link: Syslog::new(route.clone()),
                facility: *facility,
            },
            Way::Journal { socket } => Link::Journal(Journal::new(socket.as_deref())),
            way @ (Way::Webhook { trust, .. } | Way::Otlp { trust, .. }) => {
                Link::Web { http: Box::new(web(trust)), way: way.clone() }
            }
            Way::Mail { to, from, sendmail } => Link::Mail {
                to: to.clone(),
                from: from.clone(),
                // The receivers stand in the letter, and a dot on a line ends nothing.
                sendmail: [&*sendmail.to_string_lossy(), "-t", "-oi"].map(String::from),
            },
            Way::Command { command, limit } => Link::Command { command: command.clone(), limit: *limit },
            Way::Eve { path } => Link::Eve(Append::new(path.clone())),
        };
        Delivery { machine, page: settings.page.clone(), link }
    }

    /// Delivers it once. `name` stays the same when it is tried again.
    pub fn deliver(&mut self, notice: &Notice, name: &str) -> Result<Receipt, Failure> {
        let context = Context { machine: &self.machine, page: self.page.as_deref() };
        match &mut self.link {
            Link::Syslog { link, local, datagrams, facility } => {
                let messages = match (*local, *datagrams) {
                    (true, _) => syslog::local(notice, &context, *facility, MOST_MESSAGE),
                    (_, true) => syslog::messages(notice, &context, *facility, MOST_DATAGRAM),
                    _ => syslog::messages(notice, &context, *facility, MOST_MESSAGE),
                };
                messages.iter().try_for_each(|message| link.send(message))?;
                Ok(Receipt::HandedOver(match (*local, *datagrams) {
                    (true, _) => "the logger of this machine took it",
                    (_, true) => "sent; nobody confirms a datagram",
                    _ => "sent over a connection that stands; syslog confirms no message",
                }))
            }
            Link::Journal(link) => {
                let entries = journal::entries(notice, &context);
                entries.iter().try_for_each(|entry| link.send(entry))?;
                Ok(Receipt::HandedOver("the journal took it"))
            }
            Link::Web { http, way } => post(http, way, notice, &context, name),
            Link::Mail { to, from, sendmail } => {
                let letter = mail::letter(notice, &context, to, from.as_deref(), name);
                let ended = run(&Run {
                    command: sendmail,
                    input: &letter,
                    environment: &[],
                    limit: MAIL_LIMIT,
                    most_output: MOST_OUTPUT,
                })?;
                judged(program(sendmail), ended.status, &ended.said)?;
                Ok(Receipt::HandedOver("the mailer took it; whether it arrives, its queue knows"))
            }
            Link::Command { command, limit } => {
                let document = json::document(notice, &context, name);
                let environment = variables(notice);
                let ended = run(&Run {
                    command,
                    input: document.as_bytes(),
                    environment: &environment,
                    limit: *limit,
                    most_output: MOST_OUTPUT,
                })?;
                judged(program(command), ended.status, &ended.said)?;
                Ok(Receipt::Confirmed("the program ended with status 0"))
            }
            Link::Eve(file) => {
                file.write(&eve::lines(notice, &context))?;
                Ok(Receipt::Confirmed("written"))
            }
        }
    }

    /// After a while: whether it turned out that nobody was there.
    pub fn regret(&self) -> Option<Failure> {
        match &self.link {
            Link::Syslog { link, .. } if link.is_refused() => Some(Failure::later(
                "the machine says that nobody listens there; start the server, or correct the port",
            )),
            _ => None,
        }
    }
}

/// The program of a command line.
fn program(command: &[String]) -> &str {
    command.first().map(String::as_str).unwrap_or_default()
}

fn web(trust: &Trust) -> Http {
    let limits = Limits { connect: Duration::from_secs(5), whole: Duration::from_secs(15), redirects: 0 };
    Http::with_trust(limits, trust.clone())
}

fn post(
    http: &Http,
    way: &Way,
    notice: &Notice,
    context: &Context<'_>,
    name: &str,
) -> Result<Receipt, Failure> {
    let now = host::now();
    let (url, body, secret_file, token_file, logs) = match way {
        Way::Webhook { url, secret_file, token_file, .. } => {
            (url, json::document(notice, context, name), secret_file.as_deref(), token_file.as_deref(), false)
        }
        Way::Otlp { url, token_file, .. } => {
            (url, otlp::request(notice, context, now).to_string(), None, token_file.as_deref(), true)
        }
        _ => return Err(Failure::never("not a way of the web")),
    };
    let time = now.as_seconds().to_string();
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    if !logs {
        headers.push(("Portreeve-Delivery", name.to_owned()));
        headers.push(("Portreeve-Timestamp", time));
    }
    // Read each time: whoever changes a secret need not tell us.
    if let Some(file) = secret_file {
        let signature = json::signature(&kept(file)?, now.as_seconds(), body.as_bytes());
        headers.push(("Portreeve-Signature", signature));
    }
    if let Some(file) = token_file {
        let token =
            String::from_utf8(kept(file)?).ok().filter(|it| it.bytes().all(|it| it.is_ascii_graphic()));
        let token =
            token.ok_or_else(|| Failure::later(format!("{}: a token is visible ASCII", file.display())))?;
        headers.push(("Authorization", format!("Bearer {token}")));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = http.send(url, &headers, body.as_bytes(), MOST_ANSWER)?;
    answered(&answer, now.as_seconds())?;
    match logs.then(|| otlp::refused(&answer.body)).flatten() {
        Some(why) => Err(Failure::never(sanitise::line(&why).into_owned())),
        None => Ok(Receipt::Confirmed("the server took it")),
    }
}

fn kept(file: &Path) -> Result<Vec<u8>, Failure> {
    secret(file).map_err(Failure::later)
}

/// What a status means (RFC 9110 §15): of those that refuse, only some are worth another attempt.
fn answered(answer: &Response, now_seconds: i64) -> Result<(), Failure> {
    let asked = || {
        let header = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        header.and_then(|(_, value)| retry_after(value, now_seconds))
    };
    let status = answer.status;
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(Failure::never(format!(
            "status {status}: it leads elsewhere, which is not followed; correct the address"
        ))),
        401 | 403 => Err(Failure::never(format!(
            "status {status}: it does not believe who we are; look at the token or the key"
        ))),
        408 | 429 | 500..=599 => Err(Failure {
            why: format!("status {status}: the server cannot take it now"),
            again: Again::Later(asked()),
        }),
        _ => Err(Failure::never(format!(
            "status {status}: the server refuses it; look at the address and its log"
        ))),
    }
}

/// What the end of a program means.
fn judged(program: &str, status: Option<i32>, said: &[u8]) -> Result<(), Failure> {
    let said = String::from_utf8_lossy(said);
    let said = sanitise::line(said.trim_end()).into_owned();
    let said = if said.is_empty() { said } else { format!(": {said}") };
    match status {
        Some(0) => Ok(()),
        Some(status) => Err(Failure::later(format!("{program} ended with status {status}{said}"))),
        None => Err(Failure::later(format!("{program} was ended by a signal{said}"))),
    }
}

/// The few variables that a command has, without bytes that an environment cannot hold.
fn variables(notice: &Notice) -> Vec<(&'static str, String)> {
    let (code, state, title, about) = match notice {
        Notice::Findings { told, .. } => told.first().map(|told| {
            let finding = &told.sighting.finding;
            (finding.code.name(), told.state, finding.title.as_str(), told.sighting.about.as_str())
        }),
        Notice::HeldBack { .. } => None,
    }
    .map_or(("", "held-back", "", ""), |(code, state, title, about): (_, State, _, _)| {
        (code, state.name(), title, about)
    });
    let clean = |text: &str| sanitise::line(text).into_owned();
    vec![
        ("PORTREEVE_CODE", code.to_owned()),
        ("PORTREEVE_STATE", state.to_owned()),
        ("PORTREEVE_SEVERITY", notice.severity().name().to_owned()),
        ("PORTREEVE_TITLE", clean(title)),
        ("PORTREEVE_ABOUT", clean(about)),
        ("PORTREEVE_COUNT", notice.count().to_string()),
    ]
}
