//! The table of sockets and forwards, and what it amounts to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use engine::{Row, View};
use model::{Code, Finding, Reason, Severity, State, Subject};

use super::table::{self, Cell, Column};
use super::{Form, cells};
use crate::sanitise;
use crate::style::Paint;

const COLUMNS: [Column; 10] = [
    Column { title: "PORT", right: true, least: 9, rank: 255 },
    Column { title: "SCOPE", right: false, least: 9, rank: 90 },
    Column { title: "ADDRESS", right: false, least: 9, rank: 20 },
    Column { title: "STATE", right: false, least: 5, rank: 40 },
    Column { title: "FOR", right: false, least: 10, rank: 75 },
    Column { title: "SESSION", right: false, least: 10, rank: 85 },
    Column { title: "HOLDER", right: false, least: 14, rank: 80 },
    Column { title: "USER", right: false, least: 5, rank: 30 },
    Column { title: "UNIT", right: false, least: 8, rank: 50 },
    Column { title: "NETNS", right: false, least: 5, rank: 70 },
];
const VERDICT: Column = Column { title: "VERDICT", right: false, least: 8, rank: 255 };

/// One line of the table: rows that differ in nothing but address and descriptor share it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    port: String,
    scope: &'static str,
    state: String,
    session: String,
    holder: String,
    user: String,
    unit: String,
    namespace: String,
    verdict: String,
}

struct Line {
    cells: [Cell; 11],
    addresses: Vec<(String, usize)>,
}

/// Writes the rows, the findings about them, and the summary.
pub(crate) fn list(out: &mut String, view: &View, rows: &[&Row], form: Form) {
    if rows.is_empty() {
        if form.headings {
            let nothing = view.rows.is_empty() && !view.is_partial();
            out.push_str(if nothing { "Nothing listens here.\n" } else { "No socket matches.\n" });
        }
    } else {
        table_of(out, view, rows, form);
    }
    if form.headings {
        out.push('\n');
        let (about, accepted) = judged(view, rows);
        findings(out, &about, form);
        summary(out, view, rows, (&about, accepted), form);
    }
}

/// The findings about some rows, and how many of those that policy accepts are.
pub(crate) fn judged<'v>(view: &'v View, rows: &[&Row]) -> (Vec<&'v Finding>, usize) {
    if rows.len() == view.rows.len() {
        return (view.findings.iter().collect(), view.accepted.len());
    }
    let shown: HashSet<engine::Door> = rows.iter().map(|row| row.door).collect();
    let about = |subject: &Subject| view.row_of(subject).is_some_and(|row| shown.contains(&row.door));
    let findings = view.findings.iter().filter(|finding| finding.subjects.iter().any(about)).collect();
    let accepted = view.accepted.iter().filter(|it| it.finding.subjects.iter().any(about)).count();
    (findings, accepted)
}

fn table_of(out: &mut String, view: &View, rows: &[&Row], form: Form) {
    let mut order: Vec<(u16, &Row)> = rows.iter().map(|row| (sort_port(view, row), *row)).collect();
    // Sockets without ports come last; equal ports stay in the snapshot's order of kind and address.
    order.sort_by_key(|(port, row)| {
        (view.socket(row).is_some_and(|socket| socket.port().is_none()), *port, row.door)
    });
    let mut lines: Vec<Line> = Vec::new();
    let mut at: HashMap<Key, usize> = HashMap::new();
    for (_, row) in order {
        let (key, address, service) = describe(view, row);
        if let Some(line) = at.get(&key).and_then(|at| lines.get_mut(*at)) {
            match line.addresses.iter_mut().find(|(known, _)| *known == address) {
                Some((_, count)) => *count += 1,
                None => line.addresses.push((address, 1)),
            }
            continue;
        }
        let missing = key.holder.starts_with('?');
        lines.push(Line {
            cells: [
                Cell::painted(&key.port, Paint::Bold),
                Cell::plain(key.scope),
                Cell::plain(""),
                Cell::plain(&key.state),
                Cell::plain(service),
                Cell::plain(&key.session),
                Cell::painted(&key.holder, if missing { Paint::Dim } else { Paint::Plain }),
                Cell::plain(&key.user),
                Cell::plain(&key.unit),
                Cell::plain(&key.namespace),
                Cell::painted(&key.verdict, Paint::of(row.verdict)),
            ],
            addresses: vec![(address, 1)],
        });
        at.insert(key, lines.len() - 1);
    }
    let rows: Vec<[Cell; 11]> = lines
        .into_iter()
        .map(|mut line| {
            if let Some(cell) = line.cells.get_mut(2) {
                cell.text = addresses(&line.addresses);
            }
            line.cells
        })
        .collect();
    let [a, b, c, d, e, f, g, h, i, j] = COLUMNS;
    table::render(out, &[a, b, c, d, e, f, g, h, i, j, VERDICT], &rows, form);
}

fn addresses(addresses: &[(String, usize)]) -> String {
    let mut out = String::new();
    for (address, count) in addresses {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(address);
        if *count > 1 {
            let _ = write!(out, " ×{count}");
        }
    }
    out
}

fn sort_port(view: &View, row: &Row) -> u16 {
    view.socket(row)
        .map(|socket| socket.local.port())
        .or_else(|| view.forward(row).map(|forward| forward.first))
        .unwrap_or_default()
}

fn describe(view: &View, row: &Row) -> (Key, String, String) {
    let scope = cells::scope(view, row).name();
    let verdict = cells::verdict(row.verdict, &cells::codes(view, row));
    if let Some(socket) = view.socket(row) {
        let mut state = match socket.state {
            State::Listening => String::new(),
            state => state.name().to_owned(),
        };
        if let Some(peer) = socket.peer {
            let _ = write!(state, " {peer}");
        }
        let key = Key {
            port: cells::port(socket),
            scope,
            state,
            session: cells::session(view, row),
            holder: cells::holders(view, socket),
            user: cells::users(view, socket),
            unit: cells::unit(view, socket),
            namespace: cells::namespace(view, socket.netns),
            verdict,
        };
        let service = cells::service(&view.paper, socket.kind.transport(), socket.local.port());
        (key, cells::address(socket), service)
    } else if let Some(forward) = view.forward(row) {
        let key = Key {
            port: cells::forward_port(forward),
            scope,
            state: String::from("forward"),
            session: String::new(),
            holder: cells::forward_to(forward),
            user: String::new(),
            unit: forward.container.as_ref().map(cells::container).unwrap_or_default(),
            namespace: cells::namespace(view, forward.netns),
            verdict,
        };
        let service = cells::service(&view.paper, Some(forward.transport), forward.first);
        (key, cells::forward_address(forward), service)
    } else {
        let nothing = String::new;
        let key = Key {
            port: nothing(),
            scope,
            state: nothing(),
            session: nothing(),
            holder: nothing(),
            user: nothing(),
            unit: nothing(),
            namespace: nothing(),
            verdict,
        };
        (key, nothing(), nothing())
    }
}

/// At most so many findings follow the table; `check` has all of them.
const MOST_FINDINGS: usize = 12;

fn findings(out: &mut String, about: &[&Finding], form: Form) {
    let grave: Vec<_> = about.iter().filter(|finding| finding.severity >= Severity::Warning).collect();
    let mut said: Vec<(Code, &str)> = Vec::new();
    for finding in &grave {
        if said.contains(&(finding.code, finding.title.as_str())) {
            continue;
        }
        if said.len() == MOST_FINDINGS {
            break;
        }
        said.push((finding.code, finding.title.as_str()));
        let severity = finding.severity;
        let word = form.style.paint(Paint::severity(severity), format!("{:7}", severity.name()));
        let _ = writeln!(out, "{word} {}: {}", finding.code.name(), sanitise::line(&finding.title));
    }
    if grave.len() > MOST_FINDINGS {
        let _ = writeln!(out, "… and more of the {} warnings and alerts: portreeve check", grave.len());
    }
    if !grave.is_empty() {
        out.push('\n');
    }
}

/// Writes what the look amounts to, and where it could not look.
pub(super) fn summary(
    out: &mut String,
    view: &View,
    rows: &[&Row],
    (findings, accepted): (&[&Finding], usize),
    form: Form,
) {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let listeners =
        rows.iter().filter(|row| view.socket(row).is_some_and(model::Socket::is_listener)).count();
    let forwards = rows.iter().filter(|row| view.forward(row).is_some()).count();
    let mut parts = vec![plural(listeners, "listener", "listeners")];
    let others = rows.len() - listeners - forwards;
    if others > 0 {
        parts.push(plural(others, "other socket", "other sockets"));
    }
    if forwards > 0 {
        parts.push(plural(forwards, "forward", "forwards"));
    }
    if rows.len() < view.rows.len() {
        parts.push(format!("of {} rows", view.rows.len()));
    }
    let judged =
        judged_words([of(Severity::Alert), of(Severity::Warning), of(Severity::Note), accepted], form);
    let _ = writeln!(out, "{}; {judged}.", parts.join(", "));
    gaps(out, view, form);
}

/// How many alerts, warnings, notes and accepted findings there are.
pub(super) fn judged_words([alerts, warnings, notes, accepted]: [usize; 4], form: Form) -> String {
    let mut judged = Vec::new();
    for (count, one, many, paint) in [
        (alerts, "alert", "alerts", Paint::Red),
        (warnings, "warning", "warnings", Paint::Yellow),
        (notes, "note", "notes", Paint::Cyan),
        (accepted, "accepted", "accepted", Paint::Dim),
    ] {
        if count > 0 {
            judged.push(form.style.paint(paint, plural(count, one, many)).to_string());
        }
    }
    if judged.is_empty() {
        judged.push(form.style.paint(Paint::Green, "nothing found").to_string());
    }
    judged.join(", ")
}

/// `1 listener`, `2 listeners`.
pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Writes where we could not look, why, and what would help; each help once.
pub(crate) fn gaps(out: &mut String, view: &View, form: Form) {
    let mut lines: BTreeMap<(Reason, &str), Vec<String>> = BTreeMap::new();
    let mut unknown: BTreeMap<Reason, usize> = BTreeMap::new();
    for socket in &view.snapshot.sockets {
        if let Some(reason) = socket.holders_missing {
            *unknown.entry(reason).or_default() += 1;
        }
    }
    // The look itself says how many sockets it found no holder for, where it could count them.
    let told = |reason: Reason| {
        view.snapshot.gaps.iter().any(|gap| gap.area == model::Area::Holders && gap.reason == reason)
    };
    unknown.retain(|reason, _| !told(*reason));
    for (reason, count) in unknown {
        let what = plural(count, "socket's holders", "sockets' holders");
        lines.entry((reason, reason.help())).or_default().push(what);
    }
    write_gaps(out, &view.snapshot.gaps, lines, form);
}

/// Writes gaps, with none but themselves.
pub(super) fn gap_lines(out: &mut String, gaps: &[model::Gap], form: Form) {
    write_gaps(out, gaps, BTreeMap::new(), form);
}

fn write_gaps<'g>(
    out: &mut String,
    gaps: &'g [model::Gap],
    more: BTreeMap<(Reason, &'g str), Vec<String>>,
    form: Form,
) {
    let mut lines: BTreeMap<(Reason, &str), Vec<String>> = BTreeMap::new();
    for gap in gaps.iter().filter(|gap| gap.count != Some(0)) {
        let what = sanitise::line(&gap.what).into_owned();
        lines.entry((gap.reason, gap.help())).or_default().push(what);
    }
    for (key, what) in more {
        lines.entry(key).or_default().extend(what);
    }
    for ((reason, help), what) in lines {
        let title = form.style.paint(Paint::Yellow, "Not seen:");
        let _ = writeln!(out, "{title} {} ({}).", what.join("; "), reason.words());
        let _ = writeln!(out, "  To see more: {help}.");
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::fixture;
    use crate::style::Style;

    fn text(width: Option<usize>) -> String {
        let view = fixture::view();
        let rows: Vec<&Row> = view.rows.iter().collect();
        let mut out = String::new();
        list(&mut out, &view, &rows, Form { width, style: Style::PLAIN, headings: true });
        out
    }

    #[test]
    fn every_row_is_there_and_equal_rows_share_a_line() {
        let text = text(None);
        assert_eq!(
            text.matches("443/tcp").count()
                - text.matches("9443/tcp").count()
                - text.matches("8443/tcp").count(),
            1,
            "{text}"
        );
        assert!(text.contains("0.0.0.0 ×2 [::]"), "{text}");
        for expected in [
            "nginx[812,813]",
            "? not allowed to look",
            "→ cockpit.service",
            "→ 172.17.0.2:80",
            "docker:web",
            "all/packet",
            "bound",
            "blue",
            "alert exe-deleted +1",
            "accepted",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.contains("Not seen: 1 process of another user (not allowed"), "{text}");
    }

    #[test]
    fn the_table_fits_any_terminal() {
        for width in [60, 80, 100, 132, 200] {
            let text = text(Some(width));
            let table: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
            assert!(table.iter().all(|line| line.width() <= width), "{width}\n{text}");
            assert!(table.iter().any(|line| line.contains("31337/tcp")), "{text}");
        }
    }
}
