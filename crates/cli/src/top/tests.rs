//! Screens as golden files, and what keys do.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use engine::board::{Board, Change, Current};
use engine::{OwnedFlow, TrafficView, View};
use model::{Timestamp, Utc};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use store::Sighting;

use super::app::Tab;
use super::*;
use crate::fixture;
use crate::sanitise;

mod redraw;

/// Five seconds after the fixtures were taken.
const BEGIN_NS: i64 = 1_795_484_585_000_000_000;

fn at(second: i64) -> Timestamp<Utc> {
    Timestamp::from_ns(BEGIN_NS + second * 1_000_000_000)
}

fn manner(filter: &str) -> Manner {
    Manner {
        ink: Ink { colours: true },
        select: Default::default(),
        filter: filter.to_owned(),
        notice: String::from("no packets: not allowed"),
    }
}

fn current(machine: View, traffic: Option<TrafficView>) -> Current {
    Current {
        since: at(0),
        traffic: traffic.map(Arc::new),
        interfaces: vec![String::from("eth0")],
        witness: Some(model::Witness::Kernel),
        events: model::EventCounts { seen: 12, ..model::EventCounts::default() },
        ..Board::new(Arc::new(machine)).current()
    }
}

fn feed(current: Current, changes: Vec<Change>, flows: Option<Vec<Arc<OwnedFlow>>>) -> Feed {
    let addresses = Some(vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()]);
    Feed { current, changes, missed: 0, flows, addresses }
}

fn sighting(view: &View, index: usize, second: i64) -> Change {
    let finding = view.findings[index].clone();
    let about = engine::about::on_machine(&view.snapshot, &finding);
    Change::Found(Arc::new(Sighting { at: at(second), about, finding }))
}

/// The small machine and its traffic, looked at for five seconds.
fn app() -> App {
    let all = || current(fixture::view(), Some(fixture::traffic::view()));
    let mut app = App::new(manner(""), all(), at(0));
    let view = fixture::view();
    let old = (1..view.findings.len()).map(|index| sighting(&view, index, 0));
    let changes = old.chain([Change::Looked, sighting(&view, 0, 3)]).collect();
    app.feed(feed(all(), changes, Some(vec![Arc::new(fixture::traffic::flow())])));
    app.tick(at(0));
    app.tick(at(5));
    app
}

fn terminal(width: u16, height: u16) -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(width, height)).unwrap()
}

/// What the screen shows, one line per line, without blanks at their ends.
fn shown(terminal: &Terminal<TestBackend>) -> String {
    let buffer = terminal.backend().buffer();
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let (mut line, mut hidden) = (String::new(), 0);
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            // The cell after a wide character belongs to it.
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            hidden = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

fn screen(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = terminal(width, height);
    terminal.draw(|frame| app.draw(frame)).unwrap();
    shown(&terminal)
}

fn keys(app: &mut App, keys: &str) {
    for c in keys.chars() {
        assert_eq!(app.handle(Input::Char(c)), Answer::On, "{c}");
    }
}

/// Compares with the file of this name; PORTREEVE_BLESS=1 writes it.
fn golden(name: &str, screen: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/top").join(format!("{name}.txt"));
    if std::env::var_os("PORTREEVE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, screen).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(screen, expected, "{name} differs; PORTREEVE_BLESS=1 takes it over\n{screen}");
}

#[test]
fn every_tab_looks_as_it_was_drawn() {
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        let mut app = app();
        for tab in Tab::ALL {
            let name = format!("{}-{width}x{height}", tab.name().to_lowercase());
            golden(&name, &screen(&mut app, width, height));
            app.handle(Input::Tab);
        }
        assert_eq!(app.tab, Tab::Ports);
        keys(&mut app, "/420");
        golden(&format!("filter-{width}x{height}"), &screen(&mut app, width, height));
        app.handle(Input::Enter);
        app.handle(Input::Enter);
        golden(&format!("details-{width}x{height}"), &screen(&mut app, width, height));
        app.handle(Input::Escape);
        keys(&mut app, "f?");
        app.tick(at(9));
        golden(&format!("help-{width}x{height}"), &screen(&mut app, width, height));
        keys(&mut app, "x");
        golden(&format!("frozen-{width}x{height}"), &screen(&mut app, width, height));
    }
}

/// The first word of each row that is shown.
fn first_words(app: &mut App, tab: &str) -> Vec<String> {
    keys(app, tab);
    let screen = screen(app, 200, 60);
    let rows = screen.lines().skip(4).take_while(|line| !line.is_empty());
    rows.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn rows_are_sorted_and_turned_round() {
    let mut app = app();
    let ports = first_words(&mut app, "1");
    assert_eq!(ports.first().map(String::as_str), Some("22/tcp"));
    keys(&mut app, "sr");
    let mut turned = first_words(&mut app, "1");
    assert_eq!(turned.first().map(String::as_str), Some("all/packet"));
    turned.reverse();
    assert_eq!(turned, ports);
    let titles = screen(&mut app, 200, 60);
    assert!(titles.contains("PORT▼") && titles.contains("sorted by port, reversed"), "{titles}");
    // The rate stands last but one, and the most comes first.
    keys(&mut app, "3");
    let flows = screen(&mut app, 200, 60);
    assert!(flows.contains("service"), "{flows}");
    for _ in 0..40 {
        if screen(&mut app, 200, 60).contains("BYTES▼") {
            return;
        }
        keys(&mut app, "s");
    }
    panic!("bytes are not sorted by");
}

#[test]
fn filters_are_words_and_those_of_list() {
    let mut app = app();
    let mut rows = |filter: &str| -> Vec<String> {
        keys(&mut app, "/");
        app.handle(Input::Erase);
        keys(&mut app, filter);
        app.handle(Input::Enter);
        first_words(&mut app, "1")
    };
    assert_eq!(rows("scope=loopback"), ["420/tcp"]);
    assert_eq!(rows("NGINX"), ["443/tcp", "443/tcp", "443/tcp"]);
    assert_eq!(rows("redis port=1-7000"), ["6379/tcp"]);
    assert_eq!(rows("program=redis* verdict=ok"), ["No"]);
    app.handle(Input::Escape);
    assert_eq!(app.stand().text, "");
    keys(&mut app, "3/protocol=tls");
    app.handle(Input::Enter);
    assert_eq!(app.order.len(), 1);
    keys(&mut app, "/");
    app.handle(Input::Erase);
    keys(&mut app, "colour=red");
    app.handle(Input::Enter);
    let complaint = app.complaint.clone().unwrap();
    assert!(complaint.contains("no column 'colour'") && complaint.contains("protocol"), "{complaint}");
    app.handle(Input::Escape);
    assert_eq!(app.stand().text, "protocol=tls");
    // Each tab has its own; that of the ports is empty.
    assert!(first_words(&mut app, "1").len() > 10);
    let begun = App::new(manner("scope=loopback"), current(fixture::view(), None), at(0));
    let mut begun = begun;
    assert_eq!(first_words(&mut begun, "1"), ["420/tcp"]);
    assert!(Filter::of_machine(&Default::default(), "scope=everywhere").is_err());
}

#[test]
fn frozen_is_frozen_and_data_goes_on_behind() {
    let mut app = app();
    keys(&mut app, "f");
    let frozen = screen(&mut app, 120, 40);
    let nothing = View::judged(
        Arc::new(model::Snapshot { sockets: Vec::new(), ..fixture::snapshot() }),
        registry::Paper::builtin(),
        Vec::new(),
        Vec::new(),
    );
    app.feed(feed(current(nothing, None), vec![Change::Looked], None));
    app.tick(at(30));
    let later = screen(&mut app, 120, 40);
    let without_clock = |text: &str| text.replace("01:03:05Z\n", "").replace("01:03:35Z\n", "");
    let rest = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rest(&frozen), rest(&later), "{}", without_clock(&later));
    assert!(frozen.contains("FROZEN"), "{frozen}");
    keys(&mut app, "f");
    let now = screen(&mut app, 120, 40);
    assert!(!now.contains("FROZEN") && !now.contains("22/tcp") && now.contains("8080/tcp"), "{now}");
}

#[test]
fn the_cursor_stays_with_its_row() {
    let mut app = app();
    keys(&mut app, "1");
    screen(&mut app, 120, 40);
    keys(&mut app, "jjjjj");
    let here = |app: &App| app.sheet.cell(app.order[app.stand().cursor], 0).text;
    let before = here(&app);
    let mut snapshot = fixture::snapshot();
    // One more at the top.
    snapshot.sockets.insert(0, fixture::socket(model::Kind::Tcp, "0.0.0.0:7", &[1]));
    let more = View::judged(Arc::new(snapshot), registry::Paper::builtin(), Vec::new(), Vec::new());
    app.feed(feed(current(more, None), vec![Change::Looked], None));
    screen(&mut app, 120, 40);
    assert_eq!((here(&app), app.stand().cursor), (before, 6));
    // At the top one stays at the top.
    app.handle(Input::Home);
    let again = current(fixture::view(), None);
    app.feed(feed(again, vec![Change::Looked], None));
    screen(&mut app, 120, 40);
    assert_eq!((here(&app).as_str(), app.stand().cursor), ("22/tcp", 0));
    app.handle(Input::End);
    app.handle(Input::PageUp);
    app.handle(Input::PageDown);
    assert_eq!(app.stand().cursor, app.order.len() - 1);
}

#[test]
fn every_row_of_every_tab_has_details() {
    let mut app = app();
    for tab in Tab::ALL {
        screen(&mut app, 100, 30);
        for _ in 0..app.order.len() {
            app.handle(Input::Enter);
            let pane = screen(&mut app, 100, 30);
            assert!(app.pane.is_some() && !pane.contains("not there any more"), "{}: {pane}", tab.name());
            app.handle(Input::End);
            screen(&mut app, 100, 30);
            app.handle(Input::Left);
            app.handle(Input::Down);
        }
        app.handle(Input::Tab);
    }
    // What is on the wire stands on the page of a port, and so does what the registry says.
    keys(&mut app, "1/420/tcp");
    app.handle(Input::Enter);
    app.handle(Input::Enter);
    let pane = screen(&mut app, 100, 200);
    for expected in ["smpte", "RFC 4253", "x\\x1b[2J[900]", "silent-port-in-use"] {
        assert!(pane.contains(expected), "{expected}\n{pane}");
    }
}

#[test]
fn findings_are_new_for_a_minute_and_then_over() {
    let mut app = app();
    keys(&mut app, "4");
    let text = screen(&mut app, 120, 40);
    assert!(text.contains("4 Findings 11 +1"), "{text}");
    assert_eq!(text.matches(" new").count(), 1, "{text}");
    app.tick(at(64));
    let text = screen(&mut app, 120, 40);
    assert!(!text.contains("+1") && !text.contains(" new"), "{text}");
    let view = fixture::view();
    let Change::Found(found) = sighting(&view, 0, 3) else { panic!() };
    let over = Change::Over(Arc::clone(&found));
    let calm = View::judged(Arc::new(fixture::snapshot()), view.paper.clone(), Vec::new(), Vec::new());
    app.feed(feed(current(calm, None), vec![over], None));
    let text = screen(&mut app, 120, 40);
    assert!(text.contains("exe-deleted") && text.contains(" over"), "{text}");
}

#[test]
fn rates_are_differences_and_end() {
    let mut app = App::new(manner(""), current(fixture::view(), Some(fixture::traffic::view())), at(0));
    app.feed(feed(current(fixture::view(), Some(fixture::traffic::view())), vec![Change::Looked], None));
    app.tick(at(0));
    let mut more = fixture::traffic::view();
    more.traffic.services[1].tally.server_bytes += 5_000_000;
    more.traffic.services[1].tally.server_packets += 5000;
    more.traffic.volume.frames += 5000;
    app.feed(feed(current(fixture::view(), Some(more)), vec![Change::Traffic], None));
    app.tick(at(2));
    let text = screen(&mut app, 160, 40);
    // The server is an address of this machine, and its socket waits on each of them.
    let line = text.lines().find(|line| line.contains("443/tcp") && line.contains("[::]")).unwrap();
    assert!(line.contains("2.5 MB/s") && line.contains("tls"), "{text}");
    let other = text.lines().find(|line| line.contains("22/tcp")).unwrap();
    assert!(!other.contains("MB/s"), "{text}");
    assert!(text.contains("2500 packets/s"), "{text}");
    app.tick(at(3));
    app.tick(at(4));
    let text = screen(&mut app, 160, 40);
    assert!(!text.contains("MB/s") && text.contains("0 packets/s"), "{text}");
}

/// Traffic with a session, its two legs, a session of which nothing came, and a stream that nobody agreed upon.
fn media() -> TrafficView {
    use model::media::reception::ReceptionFacts;
    use model::media::shaping::{ShapingFacts, TypeFacts};
    use model::media::{SenderType, Session, SessionSource, Stream, StreamLeg};

    let session = |name: &str| Session {
        name: name.to_owned(),
        identity: format!("- {name} IN IP4 192.0.2.1"),
        source: SessionSource::File(String::from("camera.sdp")),
        formats: Vec::new(),
        legs: Vec::new(),
        reference: None,
        media_clock: None,
        first: None,
        last: None,
        ended: None,
    };
    let mut shaping = ShapingFacts {
        units: 50,
        satisfied: Some(SenderType::Narrow),
        types: vec![TypeFacts {
            sender_type: SenderType::Narrow,
            burst_limit: Some(4),
            buffer_limit: Some(8),
            kept: 50,
            bursts: 0,
            overflows: 0,
            underflows: 0,
            first_violation: None,
        }],
        ..ShapingFacts::default()
    };
    shaping.burst.add(9);
    shaping.gapped_buffer.add(7);
    shaping.rtp_offset_ticks.add(-3);
    let leg = |to: &str, lost: u64, shaping: Option<ShapingFacts>| StreamLeg {
        source: "192.0.2.1:5004".parse().unwrap(),
        destination: to.parse().unwrap(),
        vlan: None,
        ttl: 64,
        dscp: 34,
        reception: ReceptionFacts {
            packets: 1000,
            lost,
            rate_bps: 2_170_000_000,
            ..ReceptionFacts::default()
        },
        shaping,
        timing: None,
    };
    let stream = |ssrc, session, legs| Stream {
        ssrc,
        payload_type: 96,
        frame: 1,
        format: None,
        assumed: Vec::new(),
        session,
        legs,
        hitless: None,
        video: None,
        compressed: None,
        audio: None,
        ancillary: None,
        metadata: None,
        text: None,
        faults: Vec::new(),
    };
    let mut view = fixture::traffic::view();
    view.traffic.media.sessions = vec![session("Camera \u{202e}1"), session("Silent")];
    let legs = vec![leg("239.1.1.1:5004", 0, Some(shaping)), leg("239.2.1.1:5004", 3, None)];
    view.traffic.media.streams =
        vec![stream(7, Some(0), legs), stream(8, None, vec![leg("239.9.9.9:5004", 0, None)])];
    view
}

#[test]
fn streams_are_shown_by_leg_and_silent_sessions_too() {
    let mut app = App::new(manner(""), current(fixture::view(), Some(media())), at(0));
    app.tick(at(0));
    keys(&mut app, "5");
    for (width, height) in [(80, 24), (160, 40)] {
        golden(&format!("media-{width}x{height}"), &screen(&mut app, width, height));
    }
    for expected in
        ["Camera \\u{202e}1", "2.17 Gbit/s", "7/8", "9/4", "second leg", "nothing came", "-3 ticks"]
    {
        let text = screen(&mut app, 200, 40);
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    for row in 0..4 {
        app.handle(Input::Enter);
        let pane = screen(&mut app, 100, 40);
        assert!(!pane.contains("not there any more"), "{row}: {pane}");
        app.handle(Input::Escape);
        app.handle(Input::Down);
    }
}

#[test]
fn the_page_about_it_shows_what_is_shown() {
    let page = include_str!("../../../../docs/top.md");
    let drawn = screen(&mut app(), 80, 24);
    assert!(page.contains(drawn.trim_end()), "docs/top.md shows another screen than this:\n{drawn}");
}

#[test]
fn nothing_but_what_was_sanitised_reaches_the_screen() {
    let mut snapshot = fixture::snapshot();
    let names = [
        "\u{1b}]0;owned\u{7}\u{1b}[2J",
        "ssh\u{202e}dhss\u{2066}",
        "日本語の名前のとても長いもの",
        "👩‍👩‍👧‍👦👍🏽 family",
        "e\u{301}\u{301}\u{301}\u{200b}x",
    ];
    for (index, name) in names.iter().chain([&"long ".repeat(5000).as_str()]).enumerate() {
        let pid = 2000 + u32::try_from(index).unwrap();
        let mut process = fixture::process(pid, &format!("/opt/{name}"), (0, name));
        process.unit =
            model::Seen::Value(model::Unit { name: (*name).to_owned(), scope: model::UnitScope::System });
        snapshot.processes.push(Arc::new(process));
        let port = 2000 + index;
        snapshot.sockets.push(fixture::socket(model::Kind::Tcp, &format!("0.0.0.0:{port}"), &[pid]));
    }
    snapshot.machine.hostname = names.concat();
    let view =
        || View::judged(Arc::new(snapshot.clone()), registry::Paper::builtin(), Vec::new(), Vec::new());
    for (width, height) in [(80, 24), (200, 50), (41, 10)] {
        let mut app = App::new(manner(""), current(view(), Some(fixture::traffic::view())), at(0));
        let mut terminal = terminal(width, height);
        for tab in Tab::ALL {
            for _ in 0..24 {
                app.handle(Input::Down);
                for input in [Input::Enter, Input::End, Input::Escape] {
                    // Never so far back that it would end.
                    if input != Input::Escape || app.pane.is_some() {
                        app.handle(input);
                    }
                    terminal.draw(|frame| app.draw(frame)).unwrap();
                    let buffer = terminal.backend().buffer();
                    for cell in &buffer.content {
                        assert!(!cell.symbol().chars().any(sanitise::is_unsafe), "{:?}", cell.symbol());
                    }
                }
            }
            keys(&mut app, "/\u{202e}x\u{1b}");
            terminal.draw(|frame| app.draw(frame)).unwrap();
            assert!(!shown(&terminal).chars().any(|c| c != '\n' && sanitise::is_unsafe(c)), "{}", tab.name());
            app.handle(Input::Escape);
            app.handle(Input::Tab);
        }
    }
}

#[test]
fn every_size_is_drawn_and_a_small_one_says_so() {
    let mut app = app();
    for (width, height) in [(1, 1), (5, 2), (39, 24), (80, 9)] {
        let text = screen(&mut app, width, height);
        if width >= 20 {
            assert!(text.contains("too small") && text.contains("40×10"), "{text}");
        }
    }
    for width in (40..200).step_by(7) {
        for height in [10, 11, 16, 50] {
            for tab in ["1", "2", "3", "4", "5"] {
                keys(&mut app, tab);
                let text = screen(&mut app, width, height);
                let keys = text.lines().last().unwrap();
                assert!(keys.starts_with("q quit"), "{text}");
            }
        }
    }
}

#[test]
fn there_are_sixteen_colours_or_none() {
    for colours in [true, false] {
        let mut app = app();
        app.manner.ink = Ink { colours };
        let mut terminal = terminal(120, 40);
        let mut seen = 0;
        for _ in Tab::ALL {
            terminal.draw(|frame| app.draw(frame)).unwrap();
            let buffer = terminal.backend().buffer();
            for cell in &buffer.content {
                assert_eq!(cell.bg, Color::Reset);
                assert!(!matches!(cell.fg, Color::Rgb(..) | Color::Indexed(_)));
                seen += usize::from(cell.fg != Color::Reset);
            }
            // The row with the cursor is seen without colours, too.
            let reversed = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(Modifier::REVERSED);
            assert!(buffer.content.iter().filter(reversed).count() > 0);
            app.handle(Input::Tab);
        }
        assert_eq!(seen > 0, colours);
    }
}

#[test]
fn keys_lead_back_and_at_last_out() {
    let mut app = app();
    assert_eq!(app.handle(Input::Char('q')), Answer::Quit);
    assert_eq!(app.handle(Input::Suspend), Answer::Suspend);
    keys(&mut app, "/x");
    assert_eq!(app.handle(Input::Char('q')), Answer::On);
    app.handle(Input::Enter);
    app.handle(Input::Enter);
    assert!(app.pane.is_none(), "nothing is there to be opened");
    assert_eq!(app.handle(Input::Escape), Answer::On, "the filter goes first");
    keys(&mut app, "?");
    assert_eq!(app.handle(Input::Escape), Answer::On);
    app.handle(Input::Enter);
    assert_eq!(app.handle(Input::Escape), Answer::On);
    assert_eq!(app.handle(Input::Escape), Answer::Quit);
    keys(&mut app, "/");
    assert_eq!(app.handle(Input::Interrupt), Answer::Quit);
}

/// Five thousand doors and fifty thousand flows.
fn crowd() -> App {
    let mut snapshot = fixture::snapshot();
    for port in 10_000..15_000 {
        snapshot.sockets.push(fixture::socket(model::Kind::Tcp, &format!("0.0.0.0:{port}"), &[812]));
    }
    let view =
        || View::judged(Arc::new(snapshot.clone()), registry::Paper::builtin(), Vec::new(), Vec::new());
    let flow = fixture::traffic::flow();
    let flows = (0..50_000_u32)
        .map(|number| {
            let mut flow = flow.clone();
            flow.flow.client = std::net::SocketAddr::from((std::net::Ipv4Addr::from(number), 50_000));
            Arc::new(flow)
        })
        .collect();
    let all = || current(view(), Some(fixture::traffic::view()));
    let mut app = App::new(manner(""), all(), at(0));
    app.feed(feed(all(), vec![Change::Looked], Some(flows)));
    app
}

#[test]
fn a_crowd_is_drawn_as_quickly_as_a_few() {
    let (mut few, mut many) = (app(), crowd());
    let mut terminal = terminal(120, 40);
    for tab in ["1", "3"] {
        let mut time = |app: &mut App| {
            keys(app, tab);
            terminal.draw(|frame| app.draw(frame)).unwrap();
            let mut once = |app: &mut App| {
                let begun = Instant::now();
                app.handle(Input::Down);
                terminal.draw(|frame| app.draw(frame)).unwrap();
                begun.elapsed()
            };
            (0..200).map(|_| once(app)).min().unwrap()
        };
        let (small, large) = (time(&mut few), time(&mut many));
        eprintln!("tab {tab}: {small:?} with a few rows, {large:?} with a crowd");
        // What is drawn is one screen in either case; only the screen of the crowd is full.
        assert!(large < small * 40, "{tab}: {small:?}, {large:?}");
    }
    assert_eq!(many.order.len(), 50_003);
}
