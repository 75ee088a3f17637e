//! The page of one port: paper, the machine's own rules, history, holders, connections, verdict.

use std::fmt::Write as _;

use engine::{Row, TrafficView, View};
use model::{
    Capabilities, ExeState, Holder, Integrity, Process, Seen, Socket, State, Subject, Transport, UnitScope,
};

use super::findings::write_finding;
use super::paper::{field, heading, history, on_paper};
use super::{Form, cells, sessions};
use crate::capability;
use crate::sanitise;
use crate::style::Paint;

/// What is known of a port besides how the machine is now.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beyond<'a> {
    /// What this machine remembers of it, or why that could not be read.
    pub(crate) past: Option<&'a Result<store::PortHistory, String>>,
    /// What was on the wire.
    pub(crate) wire: Option<&'a TrafficView>,
}

/// Writes the page. `rows` are the rows on this port, connections included; `wire` is what was seen of packets, where
/// somebody looks at them.
pub(crate) fn page(
    out: &mut String,
    view: &View,
    (port, only): (u16, Option<Transport>),
    rows: &[&Row],
    beyond: Beyond<'_>,
    form: Form,
) {
    let title = match only {
        Some(transport) => format!("Port {port}/{}", transport.name()),
        None => format!("Port {port}"),
    };
    let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, title));
    on_paper(out, &view.paper, port, only, form);
    rules(out, view, port, form);
    history(out, port, only, form);

    heading(out, "Held now", form);
    let (connections, open): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| view.socket(row).is_some_and(|socket| socket.peer.is_some()));
    if open.is_empty() {
        let _ = writeln!(
            out,
            "  Nothing listens or is bound here{}.",
            if view.is_partial() { ", as far as we could look (see below)" } else { "" }
        );
    }
    let mut told: Vec<u32> = Vec::new();
    for row in &open {
        if let Some(socket) = view.socket(row) {
            write_socket(out, view, row, socket, &mut told, form);
        } else if let Some(forward) = view.forward(row) {
            let _ = writeln!(
                out,
                "  {} on {} {}",
                cells::forward_port(forward),
                cells::forward_address(forward),
                cells::forward_to(forward)
            );
            field(out, "rule", &forward.rule, form);
            if let Some(container) = &forward.container {
                field(out, "container", &container_words(container), form);
            }
        }
    }
    write_connections(out, view, &connections, form);
    if let Some(past) = beyond.past {
        super::history::past(out, past, form);
    }
    sessions::write(out, view, port, only, form);

    match beyond.wire {
        Some(wire) => super::traffic::wire_of_port(out, wire, port, only, form),
        None => {
            heading(out, "On the wire", form);
            let name = only.map(|transport| format!("/{}", transport.name())).unwrap_or_default();
            out.push_str("  A socket does not tell which protocol is really spoken; its packets do.\n");
            field(out, "live", &format!("portreeve watch --port {port}{name}"), form);
            field(out, "from a capture", &format!("portreeve read FILE --port {port}{name}"), form);
        }
    }

    verdict(out, view, rows, form);
    super::list::gaps(out, view, form);
}

fn rules(out: &mut String, view: &View, port: u16, form: Form) {
    heading(out, "Rules of this machine", form);
    for namespace in &view.snapshot.namespaces {
        let name =
            if namespace.own { String::from("here") } else { sanitise::line(&namespace.name).into_owned() };
        let text = match &namespace.rules {
            Seen::Value(rules) => {
                let privileged = if port == 0 {
                    String::from("0 asks the kernel for any free port")
                } else if port < rules.unprivileged_start {
                    format!("privileged: needs CAP_NET_BIND_SERVICE (below {})", rules.unprivileged_start)
                } else {
                    format!("not privileged (from {} on)", rules.unprivileged_start)
                };
                let (low, high) = (rules.ephemeral.start(), rules.ephemeral.end());
                let reserved = rules.reserved.iter().any(|range| range.contains(&port));
                let ephemeral = match (rules.ephemeral.contains(&port), reserved) {
                    (true, false) => format!("; ephemeral: the kernel gives it out itself ({low}-{high})"),
                    (true, true) => {
                        format!("; in the ephemeral range ({low}-{high}), and kept out of it by reservation")
                    }
                    (false, true) => String::from("; reserved by the administrator"),
                    (false, false) => format!("; not ephemeral ({low}-{high})"),
                };
                format!("{privileged}{ephemeral}")
            }
            Seen::Absent => String::from("no rules of its own"),
            Seen::Hidden(reason) => format!("not known: {}", reason.words()),
        };
        field(out, &name, &text, form);
    }
}

fn write_socket(out: &mut String, view: &View, row: &Row, socket: &Socket, told: &mut Vec<u32>, form: Form) {
    let state = match (socket.kind.transport(), socket.state) {
        (_, State::Bound) => "bound, not listening",
        (_, state) => state.name(),
    };
    let _ = writeln!(
        out,
        "  {} on {}, {state}, scope {}  {}",
        form.style.paint(Paint::Bold, cells::port(socket)),
        cells::address(socket),
        socket.scope.name(),
        form.style.paint(Paint::of(row.verdict), cells::verdict(row.verdict, &cells::codes(view, row)))
    );
    field(out, "netns", &cells::namespace(view, socket.netns), form);
    if let (Some(queued), Some(backlog)) = (socket.queued, socket.backlog) {
        field(out, "backlog", &format!("{queued} of {backlog} waiting"), form);
    }
    if let Some(activation) = &socket.activation {
        let program = activation.program.as_deref().map(|program| format!(", {program}")).unwrap_or_default();
        let text =
            format!("systemd holds it as {} for {}{program}", activation.socket_unit, activation.service);
        field(out, "activation", &text, form);
    }
    let hidden: Vec<&str> = socket.hidden_from.names().collect();
    if !hidden.is_empty() {
        field(out, "hidden from", &hidden.join(", "), form);
    }
    for holder in &socket.holders {
        match view.snapshot.process(holder.pid) {
            Some(process) if told.contains(&process.pid) => {
                holder_line(out, holder, process, form);
                out.push_str("    (described above)\n");
            }
            Some(process) => {
                told.push(process.pid);
                write_holder(out, holder, process, form);
            }
            None => {
                let _ = writeln!(out, "    process {}: nothing more is known", holder.pid);
            }
        }
    }
    if let Some(reason) = socket.holders_missing {
        let what = if socket.holders.is_empty() { "not known" } else { "there may be more" };
        field(out, "holder", &format!("{what}: {}; {}", reason.words(), reason.help()), form);
        if let (true, Some(uid)) = (socket.holders.is_empty(), socket.uid) {
            field(out, "made by", &format!("uid {uid}"), form);
        }
    }
}

fn seen<T>(out: &mut String, label: &str, value: &Seen<T>, form: Form, words: impl FnOnce(&T) -> String) {
    match value {
        Seen::Value(value) => field(out, label, &words(value), form),
        Seen::Absent => {}
        Seen::Hidden(reason) => field(out, label, &format!("not known: {}", reason.words()), form),
    }
}

fn holder_line(out: &mut String, holder: &Holder, process: &Process, form: Form) {
    let fd = holder.fd.map(|fd| format!(", descriptor {fd}")).unwrap_or_default();
    let tid = holder.tid.map(|tid| format!(", thread {tid}")).unwrap_or_default();
    let name =
        form.style.paint(Paint::Bold, format!("{}[{}]", sanitise::line(cells::called(process)), process.pid));
    let _ = writeln!(out, "    {name}{fd}{tid}, known from {}", holder.how.code());
}

/// Writes every fact about a process that holds a socket.
pub(crate) fn write_holder(out: &mut String, holder: &Holder, process: &Process, form: Form) {
    holder_line(out, holder, process, form);
    if process.comm != cells::called(process) {
        field(out, "calls itself", &process.comm, form);
    }
    seen(out, "started", &process.started, form, |started| started.rfc3339());
    seen(out, "executable", &process.exe, form, |exe| {
        let mut text = exe.path.clone();
        match exe.state {
            ExeState::Present => {}
            state => {
                let _ = write!(text, " ({})", state.name());
            }
        }
        if exe.world_writable {
            text.push_str(" (everybody can write there)");
        }
        if exe.temporary {
            text.push_str(" (a place for temporary files)");
        }
        text
    });
    if let Some(hash) = process.exe.value().and_then(|exe| exe.sha256) {
        field(out, "sha256", &capability::hex(&hash), form);
    }
    seen(out, "command line", &process.cmdline, form, |words| command_line(words));
    seen(out, "directory", &process.cwd, form, Clone::clone);
    seen(out, "user", &process.user, form, |user| format!("{} ({})", cells::user(user), user.uid));
    seen(out, "capabilities", &process.capabilities, form, |set: &Capabilities| {
        capability::words(set.effective)
    });
    if !process.parents.is_empty() {
        let chain: Vec<String> =
            process.parents.iter().map(|parent| format!("{}[{}]", parent.comm, parent.pid)).collect();
        field(out, "started by", &chain.join(" ← "), form);
    }
    seen(out, "unit", &process.unit, form, |unit| match unit.scope {
        UnitScope::System => unit.name.clone(),
        UnitScope::User(uid) => format!("{} (of user {uid})", unit.name),
    });
    seen(out, "container", &process.container, form, container_words);
    match &process.package {
        Seen::Value(package) => {
            let state = match package.integrity {
                Integrity::Intact => String::from("as delivered"),
                Integrity::Modified => String::from("MODIFIED since it was delivered"),
                Integrity::NotRecorded => String::from("the database records no digest"),
                Integrity::NotCompared(reason) => format!("not compared: {}", reason.words()),
            };
            let text = format!("{} {} ({}), {state}", package.name, package.version, package.manager.name());
            field(out, "package", &text, form);
        }
        Seen::Absent => field(out, "package", "none owns the executable", form),
        Seen::Hidden(reason) => field(out, "package", &format!("not known: {}", reason.words()), form),
    }
    if let Some(preload) = process.preload.value()
        && !preload.is_empty()
    {
        field(out, "preloaded", &preload.join(", "), form);
    }
    if process.hidden_from_proc {
        field(out, "hidden", "the kernel runs it, and /proc does not show it", form);
    }
}

/// A command line as long as people read one.
fn command_line(words: &[String]) -> String {
    const MOST: usize = 2000;
    let text = sanitise::arguments(words);
    let length = text.chars().count();
    if length <= MOST {
        return text;
    }
    let start: String = text.chars().take(MOST).collect();
    format!("{start}… and {} more characters (--json has all)", length - MOST)
}

fn container_words(container: &model::Container) -> String {
    let name = container.name.value().map(|name| format!(" {name}")).unwrap_or_default();
    let image = container.image.value().map(|image| format!(" from {image}")).unwrap_or_default();
    let pod = container.pod.as_ref().map(|pod| format!(", pod {pod}")).unwrap_or_default();
    format!("{}{name} ({}){image}{pod}", container.runtime.name(), container.id)
}

fn write_connections(out: &mut String, view: &View, rows: &[&Row], form: Form) {
    if rows.is_empty() {
        return;
    }
    heading(out, "Connections", form);
    const MOST: usize = 20;
    for socket in rows.iter().take(MOST).filter_map(|row| view.socket(row)) {
        let peer = socket.peer.map(|peer| peer.to_string()).unwrap_or_default();
        let _ = writeln!(
            out,
            "  {} {} ← {peer}  {}  {}",
            socket.kind.name(),
            socket.local,
            socket.state.name(),
            cells::holders(view, socket)
        );
    }
    if rows.len() > MOST {
        let _ = writeln!(out, "  … and {} more (--json has all)", rows.len() - MOST);
    }
}

fn verdict(out: &mut String, view: &View, rows: &[&Row], form: Form) {
    heading(out, "Verdict", form);
    let doors: Vec<_> = rows.iter().map(|row| row.door).collect();
    let about = |subject: &Subject| view.row_of(subject).is_some_and(|row| doors.contains(&row.door));
    let mut any = false;
    for finding in view.findings.iter().filter(|finding| finding.subjects.iter().any(about)) {
        any = true;
        write_finding(out, view, finding, &about, form);
    }
    for accepted in &view.accepted {
        if accepted.finding.subjects.iter().any(about) {
            any = true;
            let text = format!("{} by {}: {}", accepted.finding.code.name(), accepted.entry, accepted.reason);
            field(out, "accepted", &text, form);
        }
    }
    if !any {
        let text =
            if rows.is_empty() { "nobody is here, and there is nothing to judge" } else { "nothing found" };
        let _ = writeln!(out, "  {}", form.style.paint(Paint::Green, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::style::Style;

    fn text(port: u16) -> String {
        let view = fixture::view();
        let selection = crate::selection::ports_of(
            &[crate::target::Target { ports: port..=port, transport: None }],
            &Default::default(),
        );
        let rows: Vec<&Row> = view.rows.iter().filter(|row| selection.matches(&view, row)).collect();
        let mut out = String::new();
        page(
            &mut out,
            &view,
            (port, None),
            &rows,
            Beyond::default(),
            Form { width: Some(100), style: Style::PLAIN, headings: true },
        );
        out
    }

    #[test]
    fn a_held_port_has_every_fact_of_its_holders() {
        let text = text(420);
        for expected in [
            "Port 420",
            "420/tcp",
            "privileged: needs CAP_NET_BIND_SERVICE (below 1024)",
            "x\\x1b[2J[900], descriptor 3, known from bpf_iterator",
            "(deleted) (everybody can write there)",
            "abababab",
            "not known: not allowed to look",
            "net_bind_service",
            "systemd[1]",
            "next step",
            "portreeve watch --port 420",
            "portreeve read FILE --port 420",
            "silent-port-in-use",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_long_command_line_is_cut_and_says_so() {
        assert_eq!(command_line(&[String::from("sleep"), String::from("1")]), "sleep 1");
        let long = command_line(&[String::from("x"), "A".repeat(100_000)]);
        assert!(
            long.len() < 2100 && long.ends_with("… and 98002 more characters (--json has all)"),
            "{long}"
        );
    }

    #[test]
    fn an_unused_port_has_a_page_too() {
        let text = text(40000);
        for expected in
            ["40000/tcp", "ephemeral: the kernel gives it out itself", "Nothing listens", "nobody is here"]
        {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }
}
