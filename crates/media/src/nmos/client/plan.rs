//! What a client has still to do and when, which hosts are down, and how its API wants to be asked.

use std::collections::BTreeMap;

use model::{Timestamp, Utc};

use super::super::url::Url;
use super::super::{Faults, Id, Kind, Side, reading};

/// The longest wait between two attempts.
const MOST_WAIT_NS: i64 = 60_000_000_000;

/// Hosts that are remembered as down.
const MOST_DOWN: usize = 4096;

/// Resources that are asked for on one page.
const PAGE: u32 = 200;

/// How long to wait before this attempt: 1 s, 2 s, 4 s, up to a minute.
pub(super) fn wait_ns(attempt: u32) -> i64 {
    1_000_000_000_i64.checked_shl(attempt.saturating_sub(1).min(6)).unwrap_or(MOST_WAIT_NS).min(MOST_WAIT_NS)
}

/// What a status means here, and what would help.
pub(super) fn refusal(status: u16) -> String {
    let meaning = match status {
        401 | 403 => {
            ": it wants to know who asks (BCP-003-02), which cannot be told here; ask an API that is open"
        }
        404 | 410 => ": there is nothing at this address; give that of a Query API or of a node",
        500.. => ": it is there, and does not work at present",
        _ => "",
    };
    format!("status {status}{meaning}")
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Task {
    /// Which versions there are.
    Versions,
    /// A page of a list.
    Page { kind: Kind, query: Option<String>, pages: u32, reading: u64 },
    /// A subscription.
    Subscribe(Kind),
    /// Its messages.
    Listen(Kind, Url),
    /// What is in force at an end.
    Active(Side, Id, Url),
    /// A sender's transport file.
    File(Id, Url),
    /// What waits for a host.
    Unpark(String),
}

impl Task {
    /// The end that it asks about, where it is about one.
    pub(super) fn end(&self) -> Option<(Side, Id)> {
        match self {
            Task::Active(side, id, _) => Some((*side, *id)),
            Task::File(id, _) => Some((Side::Sender, *id)),
            _ => None,
        }
    }
}

/// What to do, by time.
#[derive(Debug, Default)]
pub(super) struct Plan {
    tasks: BTreeMap<(i64, u64), (u32, Task)>,
    next: u64,
    /// Since when hosts are down: until when not to ask, and how often they did not answer.
    down: BTreeMap<String, (i64, u32)>,
}

impl Plan {
    pub(super) fn push(&mut self, at_ns: i64, attempt: u32, task: Task) {
        self.next += 1;
        self.tasks.insert((at_ns, self.next), (attempt, task));
    }

    /// What is due. Where the clock was set back, nothing waits longer than the longest wait.
    pub(super) fn pop(&mut self, now: Timestamp<Utc>) -> Option<(u32, Task)> {
        let entry = self.tasks.first_entry()?;
        let wait = entry.key().0.saturating_sub(now.as_ns());
        (wait <= 0 || wait > MOST_WAIT_NS).then(|| entry.remove())
    }

    pub(super) fn first(&self) -> Option<Timestamp<Utc>> {
        self.tasks.first_key_value().map(|((at_ns, _), _)| Timestamp::from_ns(*at_ns))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Forgets the pages of a list that is begun anew.
    pub(super) fn drop_list(&mut self, kind: Kind) {
        self.tasks.retain(|_, (_, task)| !matches!(task, Task::Page { kind: of, .. } if *of == kind));
    }

    /// A host did not answer; gives until when it is not asked.
    pub(super) fn went_down(&mut self, authority: &str, now: Timestamp<Utc>) -> Timestamp<Utc> {
        if self.down.len() >= MOST_DOWN && !self.down.contains_key(authority) {
            self.down.clear();
        }
        let (until, times) = self.down.entry(authority.to_owned()).or_default();
        // Requests that were under way together count as one.
        if *until <= now.as_ns() {
            *times += 1;
            *until = now.as_ns().saturating_add(wait_ns(*times));
        }
        Timestamp::from_ns(*until)
    }

    pub(super) fn is_up(&mut self, authority: &str) {
        self.down.remove(authority);
    }

    /// Until when a host is not asked.
    pub(super) fn is_down(&self, authority: &str, now: Timestamp<Utc>) -> Option<Timestamp<Utc>> {
        let (until, _) = self.down.get(authority)?;
        (*until > now.as_ns()).then(|| Timestamp::from_ns(*until))
    }
}

/// Which API it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A registry's.
    Query,
    /// A node's own, where there is no registry.
    Node,
}

/// The versions that are known, newest first.
const VERSIONS: [&str; 4] = ["v1.3", "v1.2", "v1.1", "v1.0"];

/// An API, and how it wants to be asked.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) role: Role,
    /// An index into the versions; `None` while it is not known.
    version: Option<usize>,
    /// Whether it takes parameters of paging.
    pub(super) paging: bool,
    /// Whether it also gives resources of older versions.
    pub(super) downgrade: bool,
}

impl Api {
    /// What an address says of an API, and the address without that.
    pub(super) fn of(url: &Url) -> (Url, Api) {
        let path = url.path().trim_end_matches('/');
        let (base, rest) = path.split_once("/x-nmos").unwrap_or((path, ""));
        let mut parts = rest.trim_matches('/').split('/');
        let role = if parts.next() == Some("node") { Role::Node } else { Role::Query };
        let version = parts.next().and_then(|part| VERSIONS.iter().position(|version| *version == part));
        let mut api = Api { role, version: None, paging: false, downgrade: false };
        if let Some(version) = version {
            api.choose(version);
        }
        (url.with_path(if base.is_empty() { "/" } else { base }), api)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.version.is_some()
    }

    fn choose(&mut self, version: usize) {
        self.version = Some(version);
        // Version 1.0 has neither, and takes unknown parameters for filters.
        let newer = self.role == Role::Query && version + 1 < VERSIONS.len();
        (self.paging, self.downgrade) = (newer, newer);
    }

    /// Reads the list of versions; whether one of them is known.
    pub(super) fn settle(&mut self, body: &[u8]) -> bool {
        let document = reading::document(body, &mut Faults::default());
        let listed = document.as_ref().and_then(|document| document.as_array()).map(Vec::as_slice);
        let listed = listed.unwrap_or_default();
        let has = |version: &str| {
            listed.iter().any(|it| it.as_str().is_some_and(|it| it.trim_matches('/') == version))
        };
        let version = VERSIONS.iter().position(|version| has(version));
        version.into_iter().for_each(|version| self.choose(version));
        version.is_some()
    }

    /// Takes the newest version, where none was told.
    pub(super) fn guess(&mut self) {
        self.choose(0);
    }

    /// Tries the node's API after the registry's, once.
    pub(super) fn other_role(&mut self) -> bool {
        let was = self.role;
        self.role = if was == Role::Query { Role::Node } else { Role::Query };
        was == Role::Query
    }

    /// After a refusal: asks with less, or an older version. Says whether there is something left to try.
    pub(super) fn simplify(&mut self, status: u16) -> bool {
        let version = self.version.unwrap_or(0);
        if status != 404 && self.downgrade {
            self.downgrade = false;
        } else if status != 404 && self.paging {
            self.paging = false;
        } else if status == 404 && version + 1 < VERSIONS.len() {
            self.choose(version + 1);
        } else {
            return false;
        }
        true
    }

    /// The same for a subscription.
    pub(super) fn simplify_subscription(&mut self) -> bool {
        std::mem::take(&mut self.downgrade)
    }

    fn name(&self) -> &'static str {
        match self.role {
            Role::Query => "query",
            Role::Node => "node",
        }
    }

    pub(super) fn list_of_versions(&self, base: &Url) -> Url {
        base.below(&format!("x-nmos/{}/", self.name()))
    }

    pub(super) fn at(&self, base: &Url, what: &str) -> Url {
        let version = self.version.and_then(|version| VERSIONS.get(version)).unwrap_or(&VERSIONS[0]);
        base.below(&format!("x-nmos/{}/{version}/{what}", self.name()))
    }

    pub(super) fn list(&self, base: &Url, kind: Kind) -> Url {
        let name = if self.role == Role::Node && kind == Kind::Node { "self" } else { kind.path() };
        self.at(base, name)
    }

    /// The query of the first page: the oldest first, so that what changes meanwhile comes at the end.
    pub(super) fn first_query(&self) -> String {
        self.query_since("0:0")
    }

    pub(super) fn query_since(&self, since: &str) -> String {
        let paging =
            self.paging.then(|| format!("paging.order=update&paging.since={since}&paging.limit={PAGE}"));
        let downgrade = self.downgrade.then(|| "query.downgrade=v1.0".to_owned());
        paging.into_iter().chain(downgrade).collect::<Vec<_>>().join("&")
    }
}
