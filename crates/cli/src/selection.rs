//! Which rows are meant: switches in the manner of ss, and filters `key=value`.

use std::ops::RangeInclusive;

use engine::{Row, View, glob};
use host::Look;
use model::{Code, Family, Forward, Kind, Process, Scope, Seen, Socket, State};

use crate::args::{LookArgs, SelectArgs};
use crate::{sanitise, target};

/// Which rows are meant. The default is what a bare `portreeve` lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Empty for every kind.
    kinds: Vec<Kind>,
    v4: bool,
    v6: bool,
    listening: bool,
    connected: bool,
    /// The namespace that was named with -N.
    netns: Option<String>,
    look: LookArgs,
    filters: Vec<Filter>,
}

#[derive(Debug, Clone)]
struct Filter {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Numbers(NumberKey, Vec<RangeInclusive<u32>>),
    Words(WordKey, Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberKey {
    Port,
    Pid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WordKey {
    Transport,
    Scope,
    Family,
    State,
    User,
    Program,
    Exe,
    Unit,
    Container,
    Package,
    Namespace,
    Verdict,
    Code,
}

const WORD_KEYS: [(&str, WordKey); 14] = [
    ("transport", WordKey::Transport),
    ("scope", WordKey::Scope),
    ("family", WordKey::Family),
    ("state", WordKey::State),
    ("user", WordKey::User),
    ("program", WordKey::Program),
    ("exe", WordKey::Exe),
    ("unit", WordKey::Unit),
    ("container", WordKey::Container),
    ("package", WordKey::Package),
    ("ns", WordKey::Namespace),
    ("netns", WordKey::Namespace),
    ("verdict", WordKey::Verdict),
    ("code", WordKey::Code),
];

/// The word that means that there is no such thing.
const NONE: &str = "none";

impl Selection {
    /// From the switches and the words of a command line that are filters.
    pub(crate) fn resolve(args: &SelectArgs, filters: &[&str]) -> Result<Selection, String> {
        let mut kinds = Vec::new();
        for (on, these) in [
            (args.tcp, &[Kind::Tcp, Kind::Mptcp][..]),
            (args.udp, &[Kind::Udp, Kind::UdpLite]),
            (args.raw, &[Kind::Raw]),
            (args.packet, &[Kind::Packet]),
            (args.sctp, &[Kind::Sctp]),
            (args.dccp, &[Kind::Dccp]),
            (args.mptcp, &[Kind::Mptcp]),
        ] {
            if on {
                kinds.extend_from_slice(these);
            }
        }
        let mut filters: Vec<Filter> = filters.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
        if let Some(name) = &args.netns {
            filters
                .push(Filter { negated: false, test: Test::Words(WordKey::Namespace, vec![name.clone()]) });
        }
        let asks_for_connections = filters.iter().any(|filter| match &filter.test {
            Test::Words(WordKey::State, states) => {
                !filter.negated
                    && states.iter().any(|state| !["listening", "bound"].contains(&state.as_str()))
            }
            Test::Words(..) | Test::Numbers(..) => false,
        });
        Ok(Selection {
            kinds,
            v4: args.ipv4,
            v6: args.ipv6,
            listening: args.listening,
            connected: args.all || asks_for_connections,
            netns: args.netns.clone(),
            look: args.look.clone(),
            filters,
        })
    }

    /// What is wrong where the namespace that was named is none of those that were seen.
    pub(crate) fn missing_namespace(&self, view: &View) -> Option<String> {
        let name = self.netns.as_deref()?;
        let is_it = |text: &str| glob::matches(name, text);
        let namespaces = &view.snapshot.namespaces;
        if namespaces.iter().any(|namespace| namespace_matches(view, namespace.inode, &is_it)) {
            return None;
        }
        let there: Vec<&str> = namespaces.iter().take(20).map(|namespace| namespace.name.as_str()).collect();
        let (name, there) = (sanitise::line(name), there.join(", "));
        Some(format!("no network namespace '{name}' was seen; there are: {}", sanitise::line(&there)))
    }

    /// What the machine must be asked for it.
    pub(crate) fn look(&self) -> Look {
        Look { connected: self.connected, ..look(&self.look) }
    }

    /// Whether every row of a look is meant.
    pub(crate) fn is_everything(&self) -> bool {
        self.kinds.is_empty() && !self.v4 && !self.v6 && !self.listening && self.filters.is_empty()
    }

    /// Whether a row is meant.
    pub(crate) fn matches(&self, view: &View, row: &Row) -> bool {
        let switches = if let Some(socket) = view.socket(row) {
            (self.kinds.is_empty() || self.kinds.contains(&socket.kind))
                && self.takes_family(socket.family)
                && (!self.listening || socket.is_listener())
        } else if let Some(forward) = view.forward(row) {
            let kind = |kind: &Kind| kind.transport() == Some(forward.transport);
            let family = match forward.addr.or(forward.to_addr) {
                Some(addr) if addr.is_ipv6() => Family::V6,
                Some(_) => Family::V4,
                None => Family::Dual,
            };
            (self.kinds.is_empty() || self.kinds.iter().any(kind)) && self.takes_family(family)
        } else {
            false
        };
        switches && self.filters.iter().all(|filter| filter.test.matches(view, row) != filter.negated)
    }

    fn takes_family(&self, family: Family) -> bool {
        match (self.v4, self.v6) {
            (true, false) => matches!(family, Family::V4 | Family::Dual),
            (false, true) => matches!(family, Family::V6 | Family::Dual),
            (true, true) => family != Family::Link,
            (false, false) => true,
        }
    }
}

/// How to look, without connections.
pub(crate) fn look(args: &LookArgs) -> Look {
    Look {
        all_namespaces: !args.own_netns,
        forwards: !args.no_forwards,
        sha256: args.hash,
        probe: args.probe.clone(),
        ..Look::default()
    }
}

fn parse(text: &str) -> Result<Filter, String> {
    let shown = sanitise::line(text);
    let (key, values) = text.split_once('=').ok_or_else(|| format!("'{shown}' is no filter"))?;
    let (key, negated) = match key.strip_suffix('!') {
        Some(key) => (key, true),
        None => (key, false),
    };
    let values: Vec<&str> = values.split(',').map(str::trim).filter(|value| !value.is_empty()).collect();
    if values.is_empty() {
        return Err(format!(
            "'{shown}' has no value; for things that are not there write {}=none",
            sanitise::line(key)
        ));
    }
    let number = match key {
        "port" => Some(NumberKey::Port),
        "pid" => Some(NumberKey::Pid),
        _ => None,
    };
    if let Some(key) = number {
        let ranges = values
            .iter()
            .map(|value| {
                let (first, last) = value.split_once('-').unwrap_or((value, value));
                let range = first.parse().ok()?..=last.parse().ok()?;
                (range.start() <= range.end()).then_some(range)
            })
            .collect::<Option<_>>()
            .ok_or_else(|| format!("'{shown}' wants numbers or ranges, as in 22,8000-8010"))?;
        return Ok(Filter { negated, test: Test::Numbers(key, ranges) });
    }
    let Some((_, word)) = WORD_KEYS.iter().find(|(name, _)| *name == key) else {
        let keys: Vec<&str> = WORD_KEYS.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "there is no filter key '{}'; there are port, pid, {}",
            sanitise::line(key),
            keys.join(", ")
        ));
    };
    if let Some(allowed) = word.allowed() {
        for value in &values {
            if !allowed.iter().any(|word| glob::matches(value, word)) {
                let value = sanitise::line(value);
                return Err(format!("{key} is never '{value}'; it is one of {}", allowed.join(", ")));
            }
        }
    }
    Ok(Filter { negated, test: Test::Words(*word, values.into_iter().map(str::to_owned).collect()) })
}

impl WordKey {
    /// The closed set of words, where there is one: a misspelt word would silently match nothing.
    fn allowed(self) -> Option<Vec<&'static str>> {
        match self {
            WordKey::Transport => Some(Kind::ALL.iter().map(|kind| kind.name()).collect()),
            WordKey::Scope => Some(
                [Scope::Loopback, Scope::Link, Scope::Interface, Scope::Group, Scope::Any]
                    .iter()
                    .map(|scope| scope.name())
                    .collect(),
            ),
            WordKey::Family => Some(
                [Family::V4, Family::V6, Family::Dual, Family::Link]
                    .iter()
                    .map(|family| family.name())
                    .collect(),
            ),
            WordKey::State => Some(
                [
                    State::Listening,
                    State::Bound,
                    State::Established,
                    State::Opening,
                    State::Closing,
                    State::Unbound,
                ]
                .iter()
                .map(|state| state.name())
                .collect(),
            ),
            WordKey::Verdict => Some(vec!["ok", "accepted", "unseen", "note", "warning", "alert"]),
            WordKey::Code => Some(Code::ALL.iter().map(|code| code.name()).chain([NONE]).collect()),
            WordKey::User
            | WordKey::Program
            | WordKey::Exe
            | WordKey::Unit
            | WordKey::Container
            | WordKey::Package
            | WordKey::Namespace => None,
        }
    }
}

impl Test {
    fn matches(&self, view: &View, row: &Row) -> bool {
        match self {
            Test::Numbers(NumberKey::Port, ranges) => match (view.socket(row), view.forward(row)) {
                (Some(socket), _) => socket.port().is_some_and(|port| within(ranges, u32::from(port))),
                (None, Some(forward)) => ranges.iter().any(|range| {
                    *range.start() <= u32::from(forward.last) && u32::from(forward.first) <= *range.end()
                }),
                (None, None) => false,
            },
            Test::Numbers(NumberKey::Pid, ranges) => view
                .socket(row)
                .is_some_and(|socket| socket.holders.iter().any(|holder| within(ranges, holder.pid))),
            Test::Words(key, patterns) => {
                let any = |text: &str| patterns.iter().any(|pattern| glob::matches(pattern, text));
                match (view.socket(row), view.forward(row)) {
                    (Some(socket), _) => socket_matches(*key, view, row, socket, patterns, &any),
                    (None, Some(forward)) => forward_matches(*key, view, row, forward, patterns, &any),
                    (None, None) => false,
                }
            }
        }
    }
}

fn within(ranges: &[RangeInclusive<u32>], number: u32) -> bool {
    ranges.iter().any(|range| range.contains(&number))
}

fn wants_none(patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| pattern == NONE)
}

fn row_word(key: WordKey, view: &View, row: &Row, patterns: &[String], any: &dyn Fn(&str) -> bool) -> bool {
    match key {
        WordKey::Verdict => any(row.verdict.name()),
        WordKey::Code => {
            let findings = view.findings_of(row);
            (findings.is_empty() && wants_none(patterns))
                || findings
                    .iter()
                    .filter_map(|index| view.findings.get(*index as usize))
                    .any(|finding| any(finding.code.name()))
        }
        _ => false,
    }
}

fn namespace_matches(view: &View, inode: u32, any: &dyn Fn(&str) -> bool) -> bool {
    any(&inode.to_string())
        || view
            .snapshot
            .namespace(inode)
            .is_some_and(|namespace| any(&namespace.name) || (namespace.own && any("own")))
}

fn socket_matches(
    key: WordKey,
    view: &View,
    row: &Row,
    socket: &Socket,
    patterns: &[String],
    any: &dyn Fn(&str) -> bool,
) -> bool {
    let of_holder = |value: &dyn Fn(&Process) -> Field| {
        let processes = || socket.holders.iter().filter_map(|holder| view.snapshot.process(holder.pid));
        processes().any(|process| match value(process) {
            Field::Words(words) => words.iter().any(|word| any(word)),
            Field::Absent => wants_none(patterns),
            Field::Hidden => false,
        })
    };
    match key {
        WordKey::Transport => {
            any(socket.kind.name()) || socket.kind.transport().is_some_and(|transport| any(transport.name()))
        }
        WordKey::Scope => any(socket.scope.name()),
        WordKey::Family => any(socket.family.name()),
        WordKey::State => any(socket.state.name()),
        WordKey::Namespace => namespace_matches(view, socket.netns, any),
        WordKey::Verdict | WordKey::Code => row_word(key, view, row, patterns, any),
        WordKey::User => {
            of_holder(&|process| {
                field(&process.user, |user| user.name.iter().cloned().chain([user.uid.to_string()]).collect())
            }) || (socket.holders.is_empty() && socket.uid.is_some_and(|uid| any(&uid.to_string())))
        }
        WordKey::Program => of_holder(&|process| {
            Field::Words(vec![process.program().to_owned(), crate::text::cells::called(process).to_owned()])
        }),
        WordKey::Exe => of_holder(&|process| {
            field(&process.exe, |exe| vec![exe.path.clone(), exe.file_name().to_owned()])
        }),
        WordKey::Unit => {
            socket
                .activation
                .as_ref()
                .is_some_and(|activation| any(&activation.service) || any(&activation.socket_unit))
                || of_holder(&|process| field(&process.unit, |unit| unit_names(&unit.name)))
        }
        WordKey::Container => of_holder(&|process| field(&process.container, container_names)),
        WordKey::Package => {
            of_holder(&|process| field(&process.package, |package| vec![package.name.clone()]))
        }
    }
}

fn forward_matches(
    key: WordKey,
    view: &View,
    row: &Row,
    forward: &Forward,
    patterns: &[String],
    any: &dyn Fn(&str) -> bool,
) -> bool {
    match key {
        WordKey::Transport => any(forward.transport.name()),
        WordKey::Scope => any(forward_scope(forward).name()),
        WordKey::Namespace => namespace_matches(view, forward.netns, any),
        WordKey::Verdict | WordKey::Code => row_word(key, view, row, patterns, any),
        WordKey::Container => match &forward.container {
            Some(container) => container_names(container).iter().any(|name| any(name)),
            None => wants_none(patterns),
        },
        WordKey::User | WordKey::Program | WordKey::Exe | WordKey::Unit | WordKey::Package => {
            wants_none(patterns)
        }
        WordKey::Family | WordKey::State => false,
    }
}

/// The scope that a forward gives its port.
pub(crate) fn forward_scope(forward: &Forward) -> Scope {
    forward.addr.map_or(Scope::Any, |addr| Scope::of(addr, false, false))
}

enum Field {
    Words(Vec<String>),
    Absent,
    Hidden,
}

fn field<T>(seen: &Seen<T>, words: impl FnOnce(&T) -> Vec<String>) -> Field {
    match seen {
        Seen::Value(value) => Field::Words(words(value)),
        Seen::Absent => Field::Absent,
        Seen::Hidden(_) => Field::Hidden,
    }
}

fn unit_names(name: &str) -> Vec<String> {
    let bare = name.strip_suffix(".service").map(str::to_owned);
    bare.into_iter().chain([name.to_owned()]).collect()
}

fn container_names(container: &model::Container) -> Vec<String> {
    let mut names = vec![container.id.clone(), container.id.chars().take(12).collect()];
    names.extend(container.name.value().cloned());
    names.push(container.runtime.name().to_owned());
    names
}

/// Splits the words of a command line into targets and filters.
pub(crate) fn split(words: &[String]) -> (Vec<&str>, Vec<&str>) {
    words.iter().map(String::as_str).partition(|word| !word.contains('='))
}

/// Targets as one filter, for a list that is limited to them.
pub(crate) fn ports_of(targets: &[target::Target], look: &LookArgs) -> Selection {
    let ranges = targets
        .iter()
        .map(|target| u32::from(*target.ports.start())..=u32::from(*target.ports.end()))
        .collect();
    let mut filters = vec![Filter { negated: false, test: Test::Numbers(NumberKey::Port, ranges) }];
    let transports: Vec<String> = targets
        .iter()
        .filter_map(|target| target.transport)
        .map(|transport| transport.name().to_owned())
        .collect();
    if transports.len() == targets.len() {
        filters.push(Filter { negated: false, test: Test::Words(WordKey::Transport, transports) });
    }
    Selection { connected: true, filters, look: look.clone(), ..Selection::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn ports(filters: &[&str]) -> Vec<u16> {
        rows(&SelectArgs::default(), filters)
    }

    fn rows(args: &SelectArgs, filters: &[&str]) -> Vec<u16> {
        let view = fixture::view();
        let selection = Selection::resolve(args, filters).unwrap();
        let ports = |row: &Row| {
            view.socket(row).map_or_else(|| view.forward(row).unwrap().first, |socket| socket.local.port())
        };
        view.rows.iter().filter(|row| selection.matches(&view, row)).map(ports).collect()
    }

    #[test]
    fn filters_find_what_they_name() {
        assert_eq!(ports(&["port=420"]), [420, 420]);
        assert_eq!(ports(&["port=420", "transport=udp"]), [420]);
        assert_eq!(ports(&["user=www-data"]), [443, 443, 443]);
        assert_eq!(ports(&["exe=/app/*"]), [9443, 8443]);
        assert_eq!(ports(&["program=redis*", "scope=any"]), [6379]);
        assert_eq!(ports(&["container=web"]), [9443, 8443, 8080]);
        assert_eq!(ports(&["pid=812-813", "ns=own"]), [443, 443, 443]);
        assert_eq!(ports(&["ns=blue"]), [9000]);
        assert_eq!(ports(&["code=exe-*"]), [31337]);
        assert_eq!(ports(&["state=bound"]), [7777]);
        assert_eq!(ports(&["unit=ssh"]), [22, 7777]);
        let all = ports(&[]).len();
        assert_eq!(ports(&["scope!=any"]).len() + ports(&["scope=any"]).len(), all);
        assert_eq!(ports(&["verdict=ok", "verdict=alert"]), [0u16; 0]);
    }

    #[test]
    fn switches_are_those_of_ss() {
        let udp = SelectArgs { udp: true, ..SelectArgs::default() };
        assert!(rows(&udp, &[]).contains(&420));
        assert!(!rows(&udp, &[]).contains(&22));
        let listening = SelectArgs { listening: true, tcp: true, ..SelectArgs::default() };
        assert!(!rows(&listening, &[]).contains(&7777));
        let v6 = SelectArgs { ipv6: true, tcp: true, ..SelectArgs::default() };
        assert!(rows(&v6, &[]).contains(&9443) && !rows(&v6, &[]).contains(&6379));
        let named = |name: &str| SelectArgs { netns: Some(String::from(name)), ..SelectArgs::default() };
        assert_eq!(rows(&named("blue"), &[]), [9000]);
        let missing =
            |name: &str| Selection::resolve(&named(name), &[]).unwrap().missing_namespace(&fixture::view());
        assert_eq!(missing("blue"), None);
        assert_eq!(missing("own"), None);
        assert!(missing("bleu").is_some_and(|error| error.contains("'bleu'") && error.contains("blue")));
    }

    #[test]
    fn connections_are_asked_for_only_when_meant() {
        let look =
            |filters: &[&str]| Selection::resolve(&SelectArgs::default(), filters).unwrap().look().connected;
        assert!(!look(&[]) && !look(&["state=listening"]) && !look(&["state!=established"]));
        assert!(look(&["state=established"]));
    }

    #[test]
    fn a_wrong_filter_says_what_is_right() {
        for (text, hint) in [
            ("colour=red", "scope"),
            ("scope=anny", "loopback"),
            ("port=ssh", "8000-8010"),
            ("port=9-1", "8000-8010"),
            ("code=exe-deletd", "exe-deleted"),
            ("unit=", "unit=none"),
            ("verdict=fine", "accepted"),
        ] {
            let error = Selection::resolve(&SelectArgs::default(), &[text]).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
