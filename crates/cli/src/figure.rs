//! The figure of `census`: the chairs of the well-known ports as a map, and bars by range; and the page around it.
//!
//! One file that needs nothing else. Every kind of chair has a colour that the colour-blind tell apart, a lightness of
//! its own for grey print, and, where somebody sits, a sign.

use std::fmt::Write as _;

use engine::View;
use engine::census::{Census, Chair, Range, Roll, Seat};

use crate::report::escaped;
use crate::text;

/// Chairs on one side of a map.
const SIDE: usize = 32;
/// From one chair to the next.
const STEP: usize = 12;
/// A chair is drawn in a square of twelve, and made so much smaller.
const CELL: usize = 12;
const SCALE: &str = ".92";
/// A slide of a talk.
const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
/// Where the heading ends; a page has one of its own.
const HEADING: usize = 78;
const MAPS_AT: usize = 116;
const MAP_COLUMNS: [usize; 2] = [64, 504];
/// The column of words beside the maps.
const WORDS_AT: usize = 916;
/// What of a line has room there.
const MOST_LETTERS: usize = 48;
const LEGEND_STEP: usize = 36;
/// Used ports that are named, with a line for how many more there are.
const MOST_NAMED: usize = 13;
const BARS_AT: usize = MAPS_AT + SIDE * STEP + 38;
const BAR_STEP: usize = 22;
const NAME_STEP: usize = 19;
const BAR_WIDTH: usize = 480;

const PAGE_STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#ccc}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#16181c;--line:#444}}\
@media print{:root{--ink:#000;--paper:#fff;--line:#999}figure,tr{break-inside:avoid}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:80rem;margin:2rem auto;padding:0 1rem}\
p,figcaption{max-width:52rem}\
h1{font-size:1.5rem}h2{font-size:1.15rem;border-top:1px solid var(--line);padding-top:1.2rem;margin-top:2rem}\
figure{margin:1rem 0}svg{max-width:100%;height:auto;background:#fff}figcaption{font-size:.9rem}\
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}\
td,th{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line);vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}";

/// Rows of the page's tables.
const MOST_ROWS: usize = 400;

/// Colour, and the sign that stands on it, in a square of twelve.
fn look(seat: Seat) -> (&'static str, &'static str) {
    match seat {
        Seat::Taken => ("#0072b2", ""),
        Seat::Squatted => {
            ("#d55e00", "<path d=\"M2.5 2.5 9.5 9.5M9.5 2.5 2.5 9.5\" stroke=\"#000\" stroke-width=\"2\"/>")
        }
        Seat::Unexplained => ("#e69f00", "<path d=\"M6 2 10.5 10H1.5Z\" fill=\"#000\"/>"),
        Seat::Unlisted => ("#cc79a7", "<path d=\"M6 1.5 10.5 6 6 10.5 1.5 6Z\" fill=\"#000\"/>"),
        Seat::Waiting => ("#a6d4f2", ""),
        Seat::Empty => (
            "#f5efd8",
            "<circle cx=\"6\" cy=\"6\" r=\"1.8\" fill=\"none\" stroke=\"#777\" stroke-width=\".8\"/>",
        ),
        Seat::Reserved => ("#dcdcdc", "<path d=\"M0 12 12 0\" stroke=\"#888\" stroke-width=\".8\"/>"),
        Seat::Unassigned => ("#ffffff", ""),
    }
}

/// Draws the figure.
pub(crate) fn census(view: &View, census: &Census<'_>) -> String {
    draw(view, census, true)
}

fn draw(view: &View, census: &Census<'_>, headed: bool) -> String {
    let mut out = String::with_capacity(400_000);
    let top = if headed { 0 } else { HEADING };
    let height = HEIGHT - top;
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 {top} {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"census-title census-words\" \
         font-family=\"system-ui,Helvetica,Arial,sans-serif\" font-size=\"13\" fill=\"#111\">"
    );
    let title = title(view, census);
    let _ = writeln!(out, "<title id=\"census-title\">{}</title>", escaped(&title));
    let _ = writeln!(out, "<desc id=\"census-words\">{}</desc>", escaped(&text::census_words(census)));
    out.push_str("<defs>");
    for seat in Seat::ALL {
        let (colour, sign) = look(seat);
        let edge = if seat == Seat::Unassigned { "#ccc" } else { "#666" };
        let _ = write!(
            out,
            "<g id=\"{}\"><g transform=\"scale({SCALE})\"><rect width=\"{CELL}\" height=\"{CELL}\" fill=\"{colour}\" stroke=\"{edge}\" \
             stroke-width=\".4\"/>{sign}</g></g>",
            seat.name()
        );
    }
    let _ = writeln!(
        out,
        "<g id=\"{PAST}\"><path transform=\"scale({SCALE})\" d=\"M6 12H12V6Z\" fill=\"#fff\" stroke=\"#111\" stroke-width=\".6\"/></g></defs>"
    );
    let _ = writeln!(out, "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>");
    if headed {
        heading(&mut out, 40, 26, &title);
        let _ = writeln!(
            out,
            "<text x=\"40\" y=\"66\" font-size=\"15\" fill=\"#444\">{}</text>",
            escaped(&when(view, census))
        );
    }
    for (roll, x) in census.rolls.iter().zip(MAP_COLUMNS) {
        map(&mut out, roll, x);
    }
    let below = legend(&mut out, census);
    named(&mut out, census, below + 22);
    bars(&mut out, census);
    let _ = writeln!(
        out,
        "<text x=\"40\" y=\"{}\" font-size=\"11\" fill=\"#444\">{}</text>",
        HEIGHT - 10,
        escaped(&source(view))
    );
    out.push_str("</svg>\n");
    out
}

fn heading(out: &mut String, y: usize, size: usize, text: &str) {
    let _ = writeln!(
        out,
        "<text x=\"40\" y=\"{y}\" font-size=\"{size}\" font-weight=\"600\">{}</text>",
        escaped(text)
    );
}

/// What is shown, of which machine, and of which time.
fn title(view: &View, census: &Census<'_>) -> String {
    let name = &view.snapshot.machine.hostname;
    let of = if name.is_empty() { String::new() } else { format!(" on {name}") };
    // The day of a moment: 2026-07-28.
    let day = |time: &str| time.get(..10).unwrap_or_default().to_owned();
    let until = day(&view.snapshot.taken.rfc3339());
    match census.since {
        None => format!("The 1,024 well-known ports{of}, {until}"),
        Some(since) => format!("The 1,024 well-known ports{of}, {} to {until}", day(&since.rfc3339())),
    }
}

fn when(view: &View, census: &Census<'_>) -> String {
    let taken = view.snapshot.taken.rfc3339();
    match census.since {
        None => format!("What listens at {taken}; one row of a map is {SIDE} ports"),
        Some(since) => {
            format!("What was used from {} to {taken}; one row of a map is {SIDE} ports", since.rfc3339())
        }
    }
}

/// Whose words these are.
fn source(view: &View) -> String {
    let paper = view.paper.source();
    format!(
        "Assignments: {}, {}. Use: this machine, as Portreeve {} saw it. Silent is an inference: no list of services and \
         no known program uses the port.",
        paper.title,
        paper.date,
        env!("CARGO_PKG_VERSION")
    )
}

fn map(out: &mut String, roll: &Roll<'_>, x: usize) {
    let transport = roll.transport.name().to_uppercase();
    let tally = roll.tally(Range::System);
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{}\" font-size=\"15\" font-weight=\"600\">{transport}: {} assigned, {} used, {} silent \
         and unused</text>",
        MAPS_AT - 14,
        tally.assigned,
        tally.used,
        tally.reclaimable
    );
    for (row, line) in roll.chairs.chunks(SIDE).enumerate() {
        let y = MAPS_AT + row * STEP;
        if row % 4 == 0 {
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" font-size=\"11\" text-anchor=\"end\" fill=\"#444\">{}</text>",
                x - 6,
                y + 10,
                row * SIDE
            );
        }
        for (column, chair) in line.iter().enumerate() {
            let (x, name) = (x + column * STEP, chair.seat().name());
            let place = format!("<use href=\"#{name}\" x=\"{x}\" y=\"{y}\"");
            let label = label(chair, roll);
            let _ = writeln!(out, "{place}><title>{}</title></use>", escaped(&label));
            if is_past(chair) {
                let _ = writeln!(out, "<use href=\"#{PAST}\" x=\"{x}\" y=\"{y}\"/>");
            }
        }
    }
}

/// What a pointer that rests on a chair is told.
fn label(chair: &Chair<'_>, roll: &Roll<'_>) -> String {
    let name = chair.assignment.map(|row| row.name).filter(|name| !name.is_empty());
    let mut label = format!("{}/{}", chair.port, roll.transport.name());
    if let Some(name) = name {
        let _ = write!(label, " {name}");
    }
    let _ = write!(label, ": {}", chair.seat().meaning());
    if chair.occupied.is_some() {
        let _ = write!(label, " ({})", text::census_who(chair));
    }
    label
}

/// The sign of a chair in which somebody sat in the time that is counted, and where nobody is now.
const PAST: &str = "past";

fn is_past(chair: &Chair<'_>) -> bool {
    chair.occupied.is_some_and(|occupied| !occupied.now)
}

/// Gives where it ends.
fn legend(out: &mut String, census: &Census<'_>) -> usize {
    let mut y = MAPS_AT;
    let mut entry = |sign: &str, meaning: &str, counts: &[String]| {
        let _ = writeln!(
            out,
            "{sign}<text x=\"{}\" y=\"{}\">{}</text><text x=\"{}\" y=\"{}\" font-size=\"12\" fill=\"#444\">{}</text>",
            WORDS_AT + 20,
            y + 10,
            escaped(meaning),
            WORDS_AT + 20,
            y + 25,
            counts.join(", ")
        );
        y += LEGEND_STEP;
    };
    let sign = |name: &str, y: usize| format!("<use href=\"#{name}\" x=\"{WORDS_AT}\" y=\"{y}\"/>");
    let counts = |count: &dyn Fn(&Roll<'_>) -> usize| -> Vec<String> {
        let of = |roll: &Roll<'_>| format!("{} {}", count(roll), roll.transport.name().to_uppercase());
        census.rolls.iter().map(of).collect()
    };
    for (nth, seat) in Seat::ALL.into_iter().enumerate() {
        let of = |roll: &Roll<'_>| roll.chairs.iter().filter(|chair| chair.seat() == seat).count();
        entry(&sign(seat.name(), MAPS_AT + nth * LEGEND_STEP), seat.meaning(), &counts(&of));
    }
    if census.since.is_some() {
        let at = MAPS_AT + Seat::ALL.len() * LEGEND_STEP;
        let signs = sign(Seat::Taken.name(), at) + &sign(PAST, at);
        let of = |roll: &Roll<'_>| roll.chairs.iter().filter(|chair| is_past(chair)).count();
        entry(&signs, "with a folded corner: used in that time, not now", &counts(&of));
    }
    y
}

/// The ports that one would ask about, by name.
fn named(out: &mut String, census: &Census<'_>, y: usize) {
    let line = |out: &mut String, y: usize, weight: u16, text: &str| {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{y}\" font-weight=\"{weight}\">{}</text>",
            if weight > 400 { WORDS_AT } else { WORDS_AT + 20 },
            escaped(text)
        );
    };
    let chairs = text::census_by_interest(census);
    line(
        out,
        y,
        600,
        if chairs.is_empty() { "Nobody sits anywhere" } else { "Used ports, the contested first" },
    );
    let room = MOST_NAMED.min(HEIGHT.saturating_sub(y + 44) / NAME_STEP);
    let shown = if chairs.len() > room { room.saturating_sub(1) } else { chairs.len() };
    for (nth, (transport, chair)) in chairs.iter().take(shown).enumerate() {
        let y = y + NAME_STEP * (nth + 1);
        let _ = writeln!(out, "<use href=\"#{}\" x=\"{WORDS_AT}\" y=\"{}\"/>", chair.seat().name(), y - 10);
        if is_past(chair) {
            let _ = writeln!(out, "<use href=\"#{PAST}\" x=\"{WORDS_AT}\" y=\"{}\"/>", y - 10);
        }
        let name = chair.assignment.map(|row| row.name).filter(|name| !name.is_empty());
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        let text = format!("{}/{}{name}: {}", chair.port, transport.name(), text::census_who(chair));
        let mut short: String = text.chars().take(MOST_LETTERS).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        line(out, y, 400, &short);
    }
    if shown < chairs.len() {
        line(out, y + NAME_STEP * (shown + 1), 400, &format!("and {} more", chairs.len() - shown));
    }
}

fn bars(out: &mut String, census: &Census<'_>) {
    heading(out, BARS_AT - 4, 16, "All 65,536 ports, by range");
    let lines = Range::ALL.into_iter().flat_map(|range| census.rolls.iter().map(move |roll| (range, roll)));
    for (nth, (range, roll)) in lines.enumerate() {
        let y = BARS_AT + 6 + BAR_STEP * nth;
        let tally = roll.tally(range);
        let ports = range.ports();
        let name = format!("{} {}-{}", roll.transport.name(), ports.start(), ports.end());
        let _ = writeln!(out, "<text x=\"164\" y=\"{}\" text-anchor=\"end\">{name}</text>", y + 12);
        let mut x = 170;
        for (seat, width) in widths(|seat| tally.seated(seat)) {
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"15\" fill=\"{}\" stroke=\"#666\" \
                 stroke-width=\".4\"><title>{}: {}</title></rect>",
                look(seat).0,
                escaped(seat.meaning()),
                tally.seated(seat)
            );
            x += width;
        }
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"#444\">{} used, {} assigned, {} silent</text>",
            170 + BAR_WIDTH + 8,
            y + 12,
            tally.used,
            tally.assigned,
            tally.silent
        );
    }
}

/// How wide each piece of a bar is. What is there at all can be seen, however little it is; the widest piece pays.
fn widths(count: impl Fn(Seat) -> u32) -> Vec<(Seat, usize)> {
    const LEAST: usize = 4;
    let number = |seat: Seat| usize::try_from(count(seat)).unwrap_or(usize::MAX);
    let total: usize = Seat::ALL.into_iter().map(number).sum();
    let mut widths: Vec<(Seat, usize)> = Seat::ALL
        .into_iter()
        .filter(|seat| number(*seat) > 0)
        .map(|seat| (seat, (number(seat) * BAR_WIDTH / total.max(1)).max(LEAST)))
        .collect();
    let used: usize = widths.iter().map(|(_, width)| width).sum();
    if let Some((_, widest)) = widths.iter_mut().max_by_key(|(_, width)| *width) {
        *widest = (*widest + BAR_WIDTH).saturating_sub(used);
    }
    widths
}

/// Writes the page: the figure, what it says in words, and the tables.
pub(crate) fn census_page(view: &View, taken: &Census<'_>) -> String {
    let title = escaped(&title(view, taken));
    let mut out = String::with_capacity(500_000);
    out.push_str("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    let _ =
        writeln!(out, "<title>{title}</title><style>{PAGE_STYLE}</style></head><body><main><h1>{title}</h1>");
    let _ = writeln!(out, "<p>{}.</p>", escaped(&when(view, taken)));
    let words = escaped(&text::census_words(taken));
    let _ = writeln!(out, "<figure>{}<figcaption>{words}</figcaption></figure>", draw(view, taken, false));
    counts(&mut out, taken);
    occupied(&mut out, taken);
    candidates(&mut out, taken);
    let _ = writeln!(out, "<p>{}</p></main></body></html>", escaped(&source(view)));
    out
}

fn counts(out: &mut String, census: &Census<'_>) {
    out.push_str(
        "<h2>Counts</h2><table><caption>Ports by range</caption><thead><tr><th scope=\"col\">Ports</th>",
    );
    for heading in [
        "Count",
        "Assigned",
        "Silent",
        "Used",
        "Squatted",
        "Unexplained",
        "Unlisted",
        "Never used",
        "Reclaimable",
    ] {
        let _ = write!(out, "<th scope=\"col\" class=\"n\">{heading}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for roll in &census.rolls {
        for range in Range::ALL {
            let tally = roll.tally(range);
            let _ = write!(out, "<tr><th scope=\"row\">{} {}</th>", roll.transport.name(), range.name());
            for count in [
                tally.ports,
                tally.assigned,
                tally.silent,
                tally.used,
                tally.squatted,
                tally.unexplained,
                tally.unlisted,
                tally.never_used,
                tally.reclaimable,
            ] {
                let _ = write!(out, "<td class=\"n\">{count}</td>");
            }
            out.push_str("</tr>\n");
        }
    }
    out.push_str("</tbody></table>\n");
}

fn occupied(out: &mut String, census: &Census<'_>) {
    let chairs = text::census_by_interest(census);
    out.push_str("<h2>Who sits where</h2>\n");
    let columns = ["Port", "Assigned to", "Used by", "Speaks", "Last seen", "Seat"];
    head(out, "Used ports, the contested first", &columns);
    for (transport, chair) in chairs.iter().take(MOST_ROWS) {
        let Some(occupied) = chair.occupied else { continue };
        let last = match (occupied.now, occupied.earlier) {
            (true, _) => String::from("now"),
            (false, Some(earlier)) => earlier.rfc3339(),
            (false, None) => String::new(),
        };
        row(
            out,
            &[
                &format!("{}/{}", chair.port, transport.name()),
                chair.assignment.map(|row| row.name).unwrap_or_default(),
                &text::census_holders(occupied),
                &occupied.spoken.join(", "),
                &last,
                chair.seat().meaning(),
            ],
        );
    }
    out.push_str("</tbody></table>\n");
    more(out, chairs.len());
}

fn candidates(out: &mut String, census: &Census<'_>) {
    out.push_str("<h2>Candidates for reclaiming</h2>\n");
    head(
        out,
        "Well-known ports, assigned and silent, not used here",
        &["Port", "Name", "Assignee", "Why silent"],
    );
    let mut count = 0;
    for roll in &census.rolls {
        for candidate in
            roll.candidates.iter().take_while(|candidate| Range::of(candidate.first) == Range::System)
        {
            count += 1;
            if count > MOST_ROWS {
                continue;
            }
            let ports = if candidate.first == candidate.last {
                format!("{}/{}", candidate.first, roll.transport.name())
            } else {
                format!("{}-{}/{}", candidate.first, candidate.last, roll.transport.name())
            };
            row(out, &[&ports, candidate.assignment.name, candidate.assignment.assignee, candidate.reason]);
        }
    }
    out.push_str("</tbody></table>\n");
    more(out, count);
}

fn head(out: &mut String, caption: &str, columns: &[&str]) {
    let _ = write!(out, "<table><caption>{caption}</caption><thead><tr>");
    for column in columns {
        let _ = write!(out, "<th scope=\"col\">{column}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
}

fn row(out: &mut String, cells: &[&str]) {
    out.push_str("<tr>");
    for cell in cells {
        let _ = write!(out, "<td>{}</td>", escaped(cell));
    }
    out.push_str("</tr>\n");
}

fn more(out: &mut String, count: usize) {
    if count > MOST_ROWS {
        let _ = writeln!(out, "<p>… and {} more: portreeve census --csv has all.</p>", count - MOST_ROWS);
    }
}

#[cfg(test)]
mod tests {
    use engine::census::{Attendance, Fit, Remembered};
    use model::{Timestamp, Transport};

    use super::*;
    use crate::fixture;

    #[test]
    fn a_bar_is_as_long_as_it_should_be_and_shows_the_little_things() {
        let few = |seat: Seat| match seat {
            Seat::Squatted => 1,
            Seat::Empty => 30_000,
            Seat::Unassigned => 18_127,
            _ => 0,
        };
        let bar = widths(few);
        assert_eq!(bar.iter().map(|(_, width)| width).sum::<usize>(), BAR_WIDTH);
        assert_eq!(bar.first(), Some(&(Seat::Squatted, 4)));
        assert!(widths(|_| 0).is_empty());
    }

    #[test]
    fn a_period_is_shown_as_one_with_what_was_spoken() {
        let view = engine::View::judged(
            std::sync::Arc::new(fixture::snapshot()),
            registry::Paper::builtin(),
            Vec::new(),
            Vec::new(),
        );
        let mut attendance = Attendance::of(&view);
        let (since, last) =
            (Timestamp::from_ns(1_790_000_000_000_000_000), Timestamp::from_ns(1_790_100_000_000_000_000));
        let remembered = Remembered {
            transport: Transport::Tcp,
            port: 421,
            last,
            holder: Some(String::from("camera")),
            fit: Fit::Fitting,
            spoken: Some(String::from("ssh")),
        };
        attendance.remember(&view.paper, since, [remembered]);
        let taken = Census::take(&view.paper, &attendance);
        let figure = census(&view, &taken);
        assert!(figure.contains(", 2026-09-21 to ") && figure.contains("used from 2026-09-21T"), "{figure}");
        assert!(figure.contains("used in that time, not now</text>"));
        assert!(figure.contains(">421/tcp ariel2: camera, speaks ssh (last"), "{figure}");
        let page = census_page(&view, &taken);
        let row = "<tr><td>421/tcp</td><td>ariel2</td><td>camera</td><td>ssh</td><td>2026-09-22T";
        assert!(page.contains(row), "{page}");
        // The heading stands once in a page, and the figure alone has one.
        let title = escaped(&title(&view, &taken));
        assert_eq!(page.matches(&format!(">{title}</text>")).count(), 0);
        assert_eq!(page.matches(&format!("<h1>{title}</h1>")).count(), 1);
        assert_eq!(figure.matches(&format!(">{title}</text>")).count(), 1);
        let mut lines = String::new();
        crate::csv::census(&mut lines, &view.paper, &attendance, true);
        assert!(lines.lines().next().unwrap().ends_with("now,last_seen,holders,spoken"), "{lines}");
        assert!(lines.lines().any(|line| line.starts_with("tcp,421,") && line.ends_with("Z,camera,ssh")));
    }

    #[test]
    fn the_figure_says_in_words_what_it_shows_and_strangers_write_no_markup() {
        let mut snapshot = fixture::snapshot();
        snapshot.machine.hostname = String::from("<img src=x>\u{202e}");
        for process in &mut snapshot.processes {
            let process = std::sync::Arc::make_mut(process);
            process.comm = String::from("\"><script>");
            process.exe = model::Seen::Absent;
        }
        let view = engine::View::judged(
            std::sync::Arc::new(snapshot),
            registry::Paper::builtin(),
            Vec::new(),
            Vec::new(),
        );
        let attendance = Attendance::of(&view);
        let taken = Census::take(&view.paper, &attendance);
        let page = census_page(&view, &taken);
        for foreign in ["<img", "<script", "\u{202e}", "http-equiv=\"refresh\"", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(
            page.contains("&lt;script&gt;") && page.contains("<desc id=\"census-words\">TCP: of the 1024")
        );
        let figure = census(&view, &taken);
        let chairs = figure.lines().filter(|line| line.starts_with("<use") && line.contains("<title>"));
        assert_eq!(chairs.count(), 2 * 1024);
        // The only address in it is the name of the form itself.
        assert_eq!(figure.matches("://").count(), 1);
        // Looks are told apart without colour: by a sign, or by how light they are (ITU-R BT.601).
        let light = |seat: Seat| {
            let number = u32::from_str_radix(look(seat).0.trim_start_matches('#'), 16).unwrap();
            (299 * (number >> 16) + 587 * (number >> 8 & 255) + 114 * (number & 255)) / 1000
        };
        for (nth, one) in Seat::ALL.into_iter().enumerate() {
            for other in Seat::ALL.into_iter().skip(nth + 1) {
                let apart = look(one).1 != look(other).1 || light(one).abs_diff(light(other)) > 25;
                assert!(apart, "{} and {}", one.name(), other.name());
            }
        }
    }
}
