//! The words in which one row says what it is. Everything here is sanitised.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use engine::{Row, Verdict, View};
use model::{Code, Container, Family, Forward, Kind, Process, Scope, Socket, Status, Transport};
use registry::{Paper, Usage, program};

use crate::sanitise;
use crate::selection::forward_scope;

/// The port of a socket, with its kind: `420/tcp`, `icmp/raw`, `all/packet`.
pub(crate) fn port(socket: &Socket) -> String {
    let number = socket.local.port();
    match socket.kind {
        Kind::Raw => match ip_protocol(number) {
            Some(name) => format!("{name}/raw"),
            None => format!("{number}/raw"),
        },
        Kind::Packet => match ether_type(number) {
            Some(name) => format!("{name}/packet"),
            None => format!("0x{number:04x}/packet"),
        },
        kind => format!("{number}/{}", kind.name()),
    }
}

/// The published ports of a forward.
pub(crate) fn forward_port(forward: &Forward) -> String {
    let transport = forward.transport.name();
    if forward.first == forward.last {
        format!("{}/{transport}", forward.first)
    } else {
        format!("{}-{}/{transport}", forward.first, forward.last)
    }
}

fn ip_protocol(number: u16) -> Option<&'static str> {
    match number {
        1 => Some("icmp"),
        2 => Some("igmp"),
        6 => Some("tcp"),
        17 => Some("udp"),
        41 => Some("ipv6"),
        47 => Some("gre"),
        50 => Some("esp"),
        51 => Some("ah"),
        58 => Some("icmpv6"),
        89 => Some("ospf"),
        103 => Some("pim"),
        112 => Some("vrrp"),
        132 => Some("sctp"),
        255 => Some("any"),
        _ => None,
    }
}

fn ether_type(number: u16) -> Option<&'static str> {
    match number {
        // ETH_P_ALL of Linux; the others are IEEE 802 numbers.
        0x0003 => Some("all"),
        0x0800 => Some("ipv4"),
        0x0806 => Some("arp"),
        0x86dd => Some("ipv6"),
        0x88cc => Some("lldp"),
        0x888e => Some("eapol"),
        0x88f7 => Some("ptp"),
        _ => None,
    }
}

/// The local address as people know it: `*` for every address of both families.
pub(crate) fn address(socket: &Socket) -> String {
    let interface = match &socket.interface {
        Some(interface) => match &interface.name {
            Some(name) => sanitise::line(name).into_owned(),
            None => format!("if{}", interface.index),
        },
        None => String::new(),
    };
    let ip = socket.local.ip();
    let addr = match socket.family {
        Family::Link => String::new(),
        Family::Dual if ip.is_unspecified() => String::from("*"),
        _ if ip.is_ipv6() => format!("[{ip}]"),
        _ => ip.to_string(),
    };
    match (addr.is_empty(), interface.is_empty()) {
        (_, true) => addr,
        (true, false) => interface,
        (false, false) => format!("{addr}%{interface}"),
    }
}

/// What the port is for: the name that the number alone gives, marked as such; its standing; what is seen instead.
pub(crate) fn service(paper: &Paper, transport: Option<Transport>, port: u16) -> String {
    let Some(transport) = transport else { return String::new() };
    let standing = paper.standing(transport, port);
    let name = standing.assignment.map(|assignment| assignment.name).filter(|name| !name.is_empty());
    let mut out = match (standing.status, name) {
        (Status::Assigned, Some(name)) => format!("{}?", sanitise::line(name)),
        (status, _) => status.name().to_owned(),
    };
    if matches!(standing.usage, Usage::Silent(_)) {
        out.push_str(" silent");
    }
    if let Some(seen) = program::commonly_seen(transport, port)
        && !name.is_some_and(|name| same_name(name, seen))
    {
        let _ = write!(out, ", seen: {seen}?");
    }
    out
}

/// The session that explains a socket, and how we know of it; then how many more do.
pub(crate) fn session(view: &View, row: &Row) -> String {
    let Some((_, session, count)) = view.session_of(row) else { return String::new() };
    let more = if count > 1 { format!(" +{}", count - 1) } else { String::new() };
    format!("'{}' ({}){more}", sanitise::line(&session.name), session.source.word())
}

/// `zabbix-agent` and `zabbix agent` are one name.
fn same_name(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> Vec<char> {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    plain(one) == plain(other)
}

/// Every holder, grouped by program: `nginx[812,813]`.
pub(crate) fn holders(view: &View, socket: &Socket) -> String {
    let mut out = String::new();
    let mut programs: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for holder in &socket.holders {
        let name = view.snapshot.process(holder.pid).map_or("?", |process| called(process));
        programs.entry(name).or_default().push(holder.pid);
    }
    for (name, mut pids) in programs {
        pids.dedup();
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(&with_pids(name, &pids));
    }
    if let Some(reason) = socket.holders_missing {
        if out.is_empty() {
            let _ = write!(out, "? {}", reason.words());
        } else {
            out.push_str(" and perhaps more");
        }
    }
    out
}

/// The name by which people know what a process runs.
pub(crate) fn called(process: &Process) -> &str {
    program::called(process.program(), &process.comm)
}

/// A program with its processes: at most three numbers, then how many more.
pub(crate) fn with_pids(name: &str, pids: &[u32]) -> String {
    let mut out = format!("{}[", sanitise::line(name));
    for (index, pid) in pids.iter().take(if pids.len() > 3 { 2 } else { 3 }).enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{pid}");
    }
    if pids.len() > 3 {
        let _ = write!(out, ",+{}", pids.len() - 2);
    }
    out.push(']');
    out
}

fn each<'a>(view: &'a View, socket: &'a Socket) -> impl Iterator<Item = &'a Process> {
    socket.holders.iter().filter_map(|holder| view.snapshot.process(holder.pid)).map(|process| &**process)
}

fn join(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    words.sort_unstable();
    words.dedup();
    words.join(", ")
}

/// The users of the holders, else the number of who made the socket.
pub(crate) fn users(view: &View, socket: &Socket) -> String {
    if socket.holders.is_empty() {
        return socket.uid.map(|uid| format!("uid {uid}")).unwrap_or_default();
    }
    join(each(view, socket).filter_map(|process| process.user.value()).map(user))
}

pub(crate) fn user(user: &model::User) -> String {
    match &user.name {
        Some(name) => sanitise::line(name).into_owned(),
        None => user.uid.to_string(),
    }
}

/// The container, else the unit; for a socket of systemd's the service behind it.
pub(crate) fn unit(view: &View, socket: &Socket) -> String {
    if let Some(activation) = &socket.activation {
        return format!("→ {}", sanitise::line(&activation.service));
    }
    join(each(view, socket).filter_map(|process| match (process.container.value(), process.unit.value()) {
        (Some(it), _) => Some(container(it)),
        (None, Some(unit)) => {
            let name = unit.name.strip_suffix(".service").unwrap_or(&unit.name);
            Some(sanitise::line(name).into_owned())
        }
        (None, None) => None,
    }))
}

/// A container by runtime and name, else by the start of its identifier.
pub(crate) fn container(container: &Container) -> String {
    let short: String = container.id.chars().take(12).collect();
    let name = container.name.value().unwrap_or(&short);
    format!("{}:{}", container.runtime.name(), sanitise::line(name))
}

/// The namespace, unless it is our own.
pub(crate) fn namespace(view: &View, inode: u32) -> String {
    match view.snapshot.namespace(inode) {
        Some(namespace) if namespace.own => String::new(),
        Some(namespace) => sanitise::line(&namespace.name).into_owned(),
        None if inode == 0 => String::new(),
        None => inode.to_string(),
    }
}

/// Where a forward sends packets.
pub(crate) fn forward_to(forward: &Forward) -> String {
    let port = forward.to_port.map(|port| format!(":{port}")).unwrap_or_default();
    match forward.to_addr {
        Some(addr) if addr.is_ipv6() => format!("→ [{addr}]{port}"),
        Some(addr) => format!("→ {addr}{port}"),
        None => format!("→ this machine{port}"),
    }
}

/// The published address of a forward.
pub(crate) fn forward_address(forward: &Forward) -> String {
    match forward.addr {
        Some(addr) if addr.is_ipv6() => format!("[{addr}]"),
        Some(addr) => addr.to_string(),
        None => String::from("*"),
    }
}

/// The scope of a row.
pub(crate) fn scope(view: &View, row: &Row) -> Scope {
    view.socket(row)
        .map(|socket| socket.scope)
        .or_else(|| view.forward(row).map(forward_scope))
        .unwrap_or(Scope::Any)
}

/// The codes of a row, gravest first, each once.
pub(crate) fn codes(view: &View, row: &Row) -> Vec<Code> {
    let mut codes: Vec<Code> = Vec::new();
    for finding in view.findings_of(row).iter().filter_map(|index| view.findings.get(*index as usize)) {
        if !codes.contains(&finding.code) {
            codes.push(finding.code);
        }
    }
    codes
}

/// The verdict with the gravest code: `warning silent-port-in-use +1`.
pub(crate) fn verdict(verdict: Verdict, codes: &[Code]) -> String {
    match (verdict, codes) {
        (Verdict::Found(_), [code]) => format!("{} {}", verdict.name(), code.name()),
        (Verdict::Found(_), [code, more @ ..]) => {
            format!("{} {} +{}", verdict.name(), code.name(), more.len())
        }
        (Verdict::Unseen, _) => String::from("unseen"),
        (verdict, _) => verdict.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn addresses_say_which_family_and_interface() {
        let mut socket = fixture::socket(Kind::Tcp, "[::]:1", &[]);
        assert_eq!(address(&socket), "[::]");
        socket.family = Family::Dual;
        assert_eq!(address(&socket), "*");
        socket.interface = Some(Box::new(model::Interface { index: 3, name: Some(String::from("eth0")) }));
        assert_eq!(address(&socket), "*%eth0");
        socket.family = Family::Link;
        assert_eq!(address(&socket), "eth0");
    }

    #[test]
    fn many_processes_are_counted() {
        assert_eq!(with_pids("nginx", &[1, 2, 3]), "nginx[1,2,3]");
        assert_eq!(with_pids("nginx", &[1, 2, 3, 4, 5]), "nginx[1,2,+3]");
        assert_eq!(with_pids("\u{1b}x", &[1]), "\\x1bx[1]");
    }

    #[test]
    fn sockets_without_ports_have_names() {
        let mut socket = fixture::socket(Kind::Raw, "0.0.0.0:58", &[]);
        assert_eq!(port(&socket), "icmpv6/raw");
        socket.kind = Kind::Packet;
        assert_eq!(port(&socket), "0x003a/packet");
    }
}
