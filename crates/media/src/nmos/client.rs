//! A client of the Query, Node and Connection APIs without I/O: it yields requests, and takes answers (IS-04 v1.3).
//!
//! Of addresses that an API names, only `http` and `ws` ones are asked for; the one who carries the requests out decides
//! about `https`. Of a page's `Link` only the query is followed, so that a list stays at the API that was named.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{Timestamp, Utc};

use super::grain::Subscription;
use super::paging::{Next, Paging};
use super::registry::{Registry, kind_of};
use super::resource::Resource;
use super::url::Url;
use super::{Id, Kind, Side, connection};

mod check;
mod plan;

pub(super) use check::check;
use plan::{Api, Plan, Role, Task, refusal};

/// Requests that are on their way at once, without those that wait for messages.
const MOST_UNDER_WAY: usize = 8;

/// Pages of one list that are followed.
const MOST_PAGES: u32 = 20_000;

/// Troubles that are kept; the rest is counted.
const MOST_TROUBLES: usize = 64;

/// Attempts at what an end should tell, until it changes.
const END_ATTEMPTS: u32 = 4;

/// Attempts at what the API itself should tell, where it is asked once.
const ONCE_ATTEMPTS: u32 = 3;

const SECOND_NS: i64 = 1_000_000_000;

/// How often a list is read again where there is no subscription.
const INTERVAL_NS: i64 = 30 * SECOND_NS;

/// Bounds of what is read of an answer.
const PAGE_BYTES: usize = 32 << 20;
const SMALL_BYTES: usize = 256 << 10;

/// How long to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything once.
    Once,
    /// Everything, and then every change.
    Follow,
}

/// Ties an answer to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Something that the client wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// To be given back with the answer.
    pub ticket: Ticket,
    /// What.
    pub ask: Ask,
}

/// What the client wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// `GET`; redirects may be followed.
    Read {
        /// Where.
        url: String,
        /// More is not read.
        most_bytes: usize,
    },
    /// `POST` of a JSON body.
    Post {
        /// Where.
        url: String,
        /// The body.
        body: String,
        /// More is not read.
        most_bytes: usize,
    },
    /// Open a WebSocket, and answer with [`Answer::Opened`], each message, and [`Answer::Failed`] at its end.
    Listen {
        /// Where.
        url: String,
        /// A longer message ends it.
        most_bytes: usize,
    },
}

/// What came of a request.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// An answer of HTTP, whatever its status.
    Response {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: &'a [(String, String)],
        /// Its body, whole.
        body: &'a [u8],
    },
    /// The WebSocket is open.
    Opened,
    /// A message of it.
    Message(&'a [u8]),
    /// There was no answer, or none that could be read; or the WebSocket ended.
    Failed(&'a str),
}

/// Something that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Where.
    pub url: String,
    /// What.
    pub what: String,
}

/// The client. `poll` until it gives nothing, carry out what it gives, `handle` each answer, and `poll` again then or at
/// the time that [`Client::wake`] gives.
#[derive(Debug)]
pub struct Client {
    base: Url,
    mode: Mode,
    api: Api,
    registry: Registry,
    plan: Plan,
    under_way: BTreeMap<Ticket, UnderWay>,
    next_ticket: u64,
    /// Kinds that are read again and again, because their subscription is refused.
    polled: BTreeSet<Kind>,
    /// Kinds whose list was read to its end at least once.
    whole: BTreeSet<Kind>,
    troubles: VecDeque<Trouble>,
    trouble_count: u64,
    /// Why the API itself does not tell what it has, where it does not.
    silence: Option<String>,
    /// Ends on hosts that do not answer, by host: asked for together when it is time to try again.
    parked: BTreeMap<String, BTreeSet<(Side, Id)>>,
    /// Which reading of each list is the present one; pages of an earlier one lead no further.
    readings: BTreeMap<Kind, u64>,
}

/// Headers of an answer, with their names.
type Headers = [(String, String)];

/// A task on its way.
#[derive(Debug, Clone)]
struct UnderWay {
    task: Task,
    attempt: u32,
    url: Url,
}

impl Client {
    /// For the API at this address: a host, `http://registry:8235`, or a base with its version,
    /// `http://registry/x-nmos/query/v1.2`. `None` where it is no address of HTTP.
    pub fn new(address: &str, mode: Mode) -> Option<Client> {
        let url = Url::parse(address).filter(Url::is_http)?;
        let (base, api) = Api::of(&url);
        let mut client = Client {
            registry: Registry::new(base.to_string().trim_end_matches('/')),
            base,
            mode,
            api,
            plan: Plan::default(),
            under_way: BTreeMap::new(),
            next_ticket: 0,
            polled: BTreeSet::new(),
            whole: BTreeSet::new(),
            troubles: VecDeque::new(),
            trouble_count: 0,
            silence: None,
            parked: BTreeMap::new(),
            readings: BTreeMap::new(),
        };
        if client.api.is_settled() {
            client.begin();
        } else {
            client.plan.push(0, 0, Task::Versions);
        }
        Some(client)
    }

    /// What was learned so far.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What did not work, the latest last, and how often something did not.
    pub fn troubles(&self) -> (impl Iterator<Item = &Trouble>, u64) {
        (self.troubles.iter(), self.trouble_count)
    }

    /// Why the API itself does not tell what it has, where it does not at present. It is asked again, later and later.
    pub fn silence(&self) -> Option<&str> {
        self.silence.as_deref()
    }

    /// Whether every list was read to its end at least once.
    pub fn is_whole(&self) -> bool {
        self.whole.len() == Kind::ALL.len()
    }

    /// Whether there is nothing more to do; never, where changes are followed.
    pub fn is_done(&self) -> bool {
        self.mode == Mode::Once && self.under_way.is_empty() && self.plan.is_empty() && !self.wants_ends()
    }

    fn wants_ends(&self) -> bool {
        self.whole.contains(&Kind::Device) && self.registry.stale().next().is_some()
    }

    /// When to poll again, where nothing is answered before; `None` where only an answer helps.
    pub fn wake(&self) -> Option<Timestamp<Utc>> {
        (self.busy() < MOST_UNDER_WAY).then(|| self.plan.first()).flatten()
    }

    fn busy(&self) -> usize {
        self.under_way.values().filter(|it| !matches!(it.task, Task::Listen(..))).count()
    }

    /// What to do next; `None` where there is nothing to do now.
    pub fn poll(&mut self, now: Timestamp<Utc>) -> Option<Request> {
        if self.busy() >= MOST_UNDER_WAY {
            return None;
        }
        loop {
            let Some((attempt, task)) = self.plan.pop(now) else {
                if !self.plan_ends(now) {
                    return None;
                }
                continue;
            };
            if let Task::Unpark(host) = &task {
                for (side, id) in self.parked.remove(host).unwrap_or_default() {
                    self.registry.ask_again(side, id);
                }
                continue;
            }
            let Some((url, ask)) = self.ask(&task) else { continue };
            // A host that does not answer is not waited for again and again.
            if let (Some(end), Some(until)) = (task.end(), self.plan.is_down(url.authority(), now)) {
                self.park(end, &url, until);
                continue;
            }
            let ticket = Ticket(self.next_ticket);
            self.next_ticket += 1;
            self.under_way.insert(ticket, UnderWay { task, attempt, url });
            return Some(Request { ticket, ask });
        }
    }

    /// Takes an answer. An answer to a request that was none is ignored.
    pub fn handle(&mut self, ticket: Ticket, answer: Answer<'_>, now: Timestamp<Utc>) {
        let Some(under_way) = self.under_way.get(&ticket).cloned() else { return };
        let UnderWay { task, attempt, url } = under_way;
        if let Task::Listen(kind, _) = task {
            match answer {
                Answer::Opened => {
                    if let Some(it) = self.under_way.get_mut(&ticket) {
                        it.attempt = 0;
                    }
                    // What changed before it was open is read now; what changes meanwhile comes by it.
                    self.polled.remove(&kind);
                    return self.begin_list(kind, now.as_ns());
                }
                Answer::Message(body) => {
                    let faults = self.registry.handle_grain(body, now);
                    return self.note_faults(&url, &faults);
                }
                _ => {}
            }
        }
        self.under_way.remove(&ticket);
        match answer {
            Answer::Response { status: 200..=299, headers, body } => {
                self.plan.is_up(url.authority());
                self.succeed(task, &url, headers, body, now);
            }
            Answer::Response { status, .. } => {
                self.plan.is_up(url.authority());
                self.refuse(task, attempt, &url, status, now);
            }
            Answer::Failed(why) => {
                self.note(&url, why);
                match task.end() {
                    Some(end) => {
                        let until = self.plan.went_down(url.authority(), now);
                        self.park(end, &url, until);
                    }
                    None => self.again(task, attempt, now),
                }
            }
            // They answer no request of this kind.
            Answer::Opened | Answer::Message(_) => {}
        }
    }

    /// An end whose host is down waits with the others of that host; where all is asked once, it is given up.
    fn park(&mut self, end: (Side, Id), url: &Url, until: Timestamp<Utc>) {
        if self.mode == Mode::Once {
            return self.note(url, "not told: its host does not answer");
        }
        let host = self.parked.entry(url.authority().to_owned()).or_default();
        if host.is_empty() {
            self.plan.push(until.as_ns(), 0, Task::Unpark(url.authority().to_owned()));
        }
        host.insert(end);
    }

    /// Begins with what the API has.
    fn begin(&mut self) {
        for kind in Kind::ALL {
            if self.mode == Mode::Follow && self.api.role == Role::Query {
                self.plan.push(0, 0, Task::Subscribe(kind));
            } else {
                self.polled.insert(kind);
                self.begin_list(kind, 0);
            }
        }
    }

    fn begin_list(&mut self, kind: Kind, at_ns: i64) {
        self.plan.drop_list(kind);
        let reading = self.readings.entry(kind).or_default();
        *reading += 1;
        let task = Task::Page { kind, query: None, pages: 0, reading: *reading };
        self.plan.push(at_ns, 0, task);
    }

    /// The address and the request of a task; `None` where it is none any more.
    fn ask(&self, task: &Task) -> Option<(Url, Ask)> {
        let read = |url: Url, most_bytes| {
            let ask = Ask::Read { url: url.to_string(), most_bytes };
            (url, ask)
        };
        Some(match task {
            Task::Versions => read(self.api.list_of_versions(&self.base), SMALL_BYTES),
            Task::Page { kind, query, .. } => {
                let query = query.clone().unwrap_or_else(|| self.api.first_query());
                read(self.api.list(&self.base, *kind).with_query(&query), PAGE_BYTES)
            }
            Task::Subscribe(kind) => {
                let url = self.api.at(&self.base, "subscriptions");
                let body = Subscription::request(*kind, self.api.downgrade);
                let ask = Ask::Post { url: url.to_string(), body, most_bytes: SMALL_BYTES };
                (url, ask)
            }
            Task::Listen(_, url) => {
                let ask = Ask::Listen { url: url.to_string(), most_bytes: PAGE_BYTES };
                (url.clone(), ask)
            }
            Task::Active(_, _, url) | Task::File(_, url) => {
                let (side, id) = task.end()?;
                // It may be gone meanwhile.
                self.registry.resource(kind_of(side), id)?;
                read(url.clone(), SMALL_BYTES)
            }
            Task::Unpark(_) => return None,
        })
    }

    fn succeed(&mut self, task: Task, url: &Url, headers: &Headers, body: &[u8], now: Timestamp<Utc>) {
        if task.end().is_none() {
            self.silence = None;
        }
        match task {
            Task::Versions => {
                if !self.api.settle(body) {
                    self.note(url, "no version of the API that is known");
                    self.api.guess();
                }
                self.begin();
            }
            Task::Page { kind, query, pages, reading } => {
                let is_present = self.readings.get(&kind) == Some(&reading);
                if pages == 0 && is_present {
                    self.registry.begin(kind);
                }
                let (count, faults) = self.registry.handle_page(kind, body, now);
                self.note_faults(url, &faults);
                if !is_present {
                    return;
                }
                // What is not on a page that breaks off may be there all the same.
                if faults.iter().any(super::Fault::breaks_off) {
                    return self.break_list(kind, now);
                }
                match self.next_page(query, (count, pages), headers) {
                    Next::Page(next) => {
                        let task = Task::Page { kind, query: Some(next), pages: pages + 1, reading };
                        self.plan.push(now.as_ns(), 0, task);
                    }
                    Next::End => self.end_list(kind, now),
                    Next::Astray => {
                        self.note(url, "its pages lead back, or go on for ever");
                        self.break_list(kind, now);
                    }
                }
            }
            Task::Subscribe(kind) => {
                let address = Subscription::parse(body).and_then(|it| Url::parse(&it.websocket));
                match address.filter(Url::is_websocket) {
                    Some(address) => self.plan.push(now.as_ns(), 0, Task::Listen(kind, address)),
                    None => {
                        self.note(url, "a subscription without a WebSocket");
                        self.poll_kind(kind, now);
                    }
                }
            }
            Task::Active(side, id, _) => {
                let (active, faults) = connection::parse_active(side, body);
                self.note_faults(url, &faults);
                self.registry.handle_active(side, id, active, now);
            }
            Task::File(sender, _) => self.registry.handle_transport_file(sender, body),
            Task::Listen(..) | Task::Unpark(_) => {}
        }
    }

    /// Which page comes after this one.
    fn next_page(&self, query: Option<String>, (count, pages): (usize, u32), headers: &Headers) -> Next {
        let here = query.unwrap_or_else(|| self.api.first_query());
        let next = Paging::parse(headers).after(count, &here, |until| self.api.query_since(until));
        match next {
            _ if !self.api.paging => Next::End,
            Next::Page(_) if pages >= MOST_PAGES => Next::Astray,
            next => next,
        }
    }

    /// A list that could not be read to its end: nothing is known to be gone by it.
    fn break_list(&mut self, kind: Kind, now: Timestamp<Utc>) {
        if self.mode == Mode::Follow {
            self.begin_list(kind, now.as_ns().saturating_add(INTERVAL_NS));
        }
    }

    fn end_list(&mut self, kind: Kind, now: Timestamp<Utc>) {
        self.registry.finish(kind, now);
        self.whole.insert(kind);
        if self.mode == Mode::Follow && self.polled.contains(&kind) {
            self.begin_list(kind, now.as_ns().saturating_add(INTERVAL_NS));
        }
    }

    fn poll_kind(&mut self, kind: Kind, now: Timestamp<Utc>) {
        self.polled.insert(kind);
        self.begin_list(kind, now.as_ns());
    }

    fn refuse(&mut self, task: Task, attempt: u32, url: &Url, status: u16, now: Timestamp<Utc>) {
        let busy = matches!(status, 408 | 425 | 429 | 500 | 502..=504);
        // Several requests are refused for the same reason: asked differently meanwhile, they are asked again.
        let outdated = self.ask(&task).is_some_and(|(now_asked, _)| now_asked != *url);
        match task {
            Task::Page { kind, pages: 0, .. } if outdated => self.begin_list(kind, now.as_ns()),
            Task::Subscribe(kind) if outdated => self.plan.push(now.as_ns(), 0, Task::Subscribe(kind)),
            Task::Versions if !busy => {
                if self.api.other_role() {
                    self.plan.push(now.as_ns(), 0, Task::Versions);
                } else {
                    self.api.guess();
                    self.begin();
                }
            }
            // Parameters that it does not know (IS-04 v1.3: 501), or another version.
            Task::Page { kind, pages: 0, .. } if !busy && self.api.simplify(status) => {
                self.begin_list(kind, now.as_ns());
            }
            Task::Page { kind, .. } if !busy => {
                self.note(url, &refusal(status));
                if self.mode == Mode::Follow {
                    self.begin_list(kind, now.as_ns().saturating_add(INTERVAL_NS));
                }
            }
            Task::Subscribe(kind) if !busy => {
                // 404: an older version; else parameters that it does not know.
                let simpler =
                    if status == 404 { self.api.simplify(404) } else { self.api.simplify_subscription() };
                if simpler {
                    self.plan.push(now.as_ns(), 0, Task::Subscribe(kind));
                } else {
                    self.note(url, &format!("no subscription: {}", refusal(status)));
                    self.poll_kind(kind, now);
                }
            }
            // There is none: it is off, or it never was set (IS-05 v1.1, `transportfile`).
            Task::File(sender, _) if matches!(status, 404 | 410) => {
                self.registry.handle_transport_file(sender, b"");
            }
            Task::Active(side, id, _) if status == 404 => self.registry.handle_active(side, id, None, now),
            Task::Active(..) | Task::File(..) if !busy => self.note(url, &refusal(status)),
            task => {
                self.note(url, &refusal(status));
                self.again(task, attempt, now);
            }
        }
    }

    /// Tries again, later and later.
    fn again(&mut self, task: Task, attempt: u32, now: Timestamp<Utc>) {
        let attempt = attempt + 1;
        // Whether the API is there, the next subscription shows: a WebSocket may end by itself.
        if task.end().is_none() && !matches!(task, Task::Listen(..)) {
            self.silence = self.troubles.back().map(|trouble| trouble.what.clone());
        }
        let most = match (&task, self.mode) {
            (Task::Active(..) | Task::File(..), Mode::Follow) => END_ATTEMPTS,
            (Task::Active(..) | Task::File(..), Mode::Once) => 1,
            (_, Mode::Once) => ONCE_ATTEMPTS,
            (_, Mode::Follow) => u32::MAX,
        };
        if attempt >= most {
            return;
        }
        let later = now.as_ns().saturating_add(plan::wait_ns(attempt));
        match task {
            // The subscription may be gone with it. Where it never opens, the list is read again and again.
            Task::Listen(kind, _) => {
                if attempt >= ONCE_ATTEMPTS && self.polled.insert(kind) {
                    self.begin_list(kind, now.as_ns());
                }
                self.plan.push(later, attempt, Task::Subscribe(kind));
            }
            task => self.plan.push(later, attempt, task),
        }
    }

    /// Asks for what is in force at ends of which that is not known; says whether there is something to do.
    fn plan_ends(&mut self, now: Timestamp<Utc>) -> bool {
        // First the lists: the address of an end's parameters is on its device.
        if !self.whole.contains(&Kind::Device) {
            return false;
        }
        let room = MOST_UNDER_WAY.saturating_sub(self.busy());
        let ends: Vec<(Side, Id)> = self.registry.stale().take(room).collect();
        let mut planned = false;
        for (side, id) in ends {
            self.registry.asked(side, id);
            let control = self.registry.device_of(side, id).and_then(connection_api);
            let base = control.map(|api| api.below(&format!("single/{}/{id}", side.path())));
            if let Some(url) = &base {
                self.plan.push(now.as_ns(), 0, Task::Active(side, id, url.below("active")));
                planned = true;
            }
            if side == Side::Sender {
                let manifest = match self.registry.resource(kind_of(side), id) {
                    Some(Resource::Sender(sender)) => sender.manifest.as_deref().and_then(Url::parse),
                    _ => None,
                };
                let file = manifest.filter(Url::is_http).or(base.map(|url| url.below("transportfile")));
                if let Some(url) = file {
                    self.plan.push(now.as_ns(), 0, Task::File(id, url));
                    planned = true;
                }
            }
        }
        planned || self.registry.stale().next().is_some()
    }

    fn note(&mut self, url: &Url, what: &str) {
        self.trouble_count += 1;
        if self.troubles.len() >= MOST_TROUBLES {
            self.troubles.pop_front();
        }
        self.troubles.push_back(Trouble { url: url.to_string(), what: what.to_owned() });
    }

    fn note_faults(&mut self, url: &Url, faults: &[super::Fault]) {
        for fault in faults {
            self.note(url, &fault.to_string());
        }
    }
}

/// Where a device's connections are managed, newest version first (IS-05 v1.1, "Discovery").
fn connection_api(device: &super::Device) -> Option<Url> {
    let controls = device.controls.iter().filter_map(|control| {
        let version = control.kind.strip_prefix("urn:x-nmos:control:sr-ctrl/v1.")?.parse::<u32>().ok()?;
        Some((version, Url::parse(&control.href).filter(Url::is_http)?))
    });
    controls.max_by_key(|(version, _)| *version).map(|(_, url)| url)
}
