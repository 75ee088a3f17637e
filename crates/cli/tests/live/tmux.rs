//! The terminal UI in a terminal that people use: tmux, with 80 columns and 24 lines, and keys as they type them.

use std::process::Output;
use std::time::{Duration, Instant};

use crate::stage::{PYTHON, Planter, Stage, possible};
use crate::support::out;

/// The name of a program that would clear a terminal that obeys it, ring, and turn its line around.
const HOSTILE: &str = "\u{1b}[2J\u{7}\u{202e}x";

/// A program of that name, with two listeners.
fn hostile(stage: &Stage) -> Planter {
    let program = stage.home.0.join(HOSTILE);
    std::fs::copy(std::fs::canonicalize(PYTHON).unwrap(), &program).unwrap();
    stage.plant_with(&[program.to_str().unwrap()], "kept = [tcp(420), tcp(8080)]\nready()\n")
}

/// A tmux server of the test's own, with one pane; it ends with the test.
struct Pane<'a> {
    stage: &'a Stage,
    socket: String,
}

impl Pane<'_> {
    fn tmux(&self, words: &[&str]) -> Output {
        let mut command = self.stage.command(&["tmux", "-S", &self.socket, "-f", "/dev/null"]);
        command.args(words).env("LC_ALL", "C.UTF-8").env_remove("TMUX");
        self.stage.home.at_home(command).output().unwrap()
    }

    /// A shell in the pane, as a person has it.
    fn open(stage: &Stage) -> Pane<'_> {
        let pane = Pane { stage, socket: stage.home.0.join("tmux").display().to_string() };
        let opened = pane.tmux(&["new-session", "-d", "-x", "80", "-y", "24", "PS1='ready> ' sh"]);
        assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
        pane
    }

    fn keys(&self, keys: &[&str]) {
        assert!(self.tmux(&[&["send-keys"], keys].concat()).status.success());
    }

    /// What the pane shows once it shows this; the test fails where that does not come.
    fn until(&self, what: &str, shows: impl Fn(&str) -> bool) -> String {
        let begin = Instant::now();
        loop {
            let screen = out(&self.tmux(&["capture-pane", "-p"]));
            if shows(&screen) {
                return screen;
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "{what} does not come:\n{screen}");
        }
    }

    fn shows(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// A number that tmux knows of the pane: whether the alternate screen is on, how it is set.
    fn is(&self, name: &str) -> String {
        out(&self.tmux(&["display-message", "-p", &format!("#{{{name}}}")])).trim().to_owned()
    }
}

impl Drop for Pane<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn a_person_finds_everything_in_80_by_24_and_gets_the_terminal_back() {
    if !possible("top in tmux", &["tmux"]) {
        return;
    }
    let stage = Stage::new("top-tmux");
    let _planted = hostile(&stage);
    let pane = Pane::open(&stage);
    pane.shows("ready>");
    pane.keys(&[&format!("{} top --no-packets ns=own", env!("CARGO_BIN_EXE_portreeve")), "Enter"]);
    let ports = pane.until("420/tcp", |screen| screen.contains("420/tcp") && screen.contains("8080/tcp"));
    assert_eq!(pane.is("alternate_on"), "1");
    // The name is told and not obeyed: the screen stands, and its title is tmux's own.
    assert!(ports.contains(r"\x1b[2J"), "{ports}");
    assert!(ports.lines().nth(2).is_some_and(|line| line.contains("1 Ports") && line.contains("5 Streams")));
    for line in ports.lines() {
        assert!(line.chars().count() <= 80 && !line.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{line:?}");
    }
    // Every tab by its number.
    pane.keys(&["2"]);
    pane.until("holders", |screen| screen.contains("PID") && screen.contains(r"\x1b[2J"));
    pane.keys(&["3"]);
    pane.shows("No packet was seen");
    pane.keys(&["4"]);
    pane.shows("silent-port-i");
    pane.keys(&["5"]);
    pane.shows("no session was agreed");
    // Sorted, and the other way round.
    let first = |screen: &str, port: &str, other: &str| {
        screen.find(port).is_some_and(|at| screen.find(other).is_some_and(|later| at < later))
    };
    pane.keys(&["1"]);
    pane.until("420 first", |screen| first(screen, "420/tcp", "8080/tcp"));
    pane.keys(&["s", "r"]);
    pane.until("8080 first", |screen| first(screen, "8080/tcp", "420/tcp") && screen.contains("PORT▼"));
    // A filter, and its end.
    pane.keys(&["/"]);
    pane.keys(&["-l", " port=420"]);
    pane.keys(&["Enter"]);
    pane.until("420 alone", |screen| screen.contains("420/tcp") && !screen.contains("8080/tcp"));
    // Details, and back.
    pane.keys(&["Enter"]);
    pane.shows("On paper");
    pane.keys(&["Escape"]);
    pane.until("rows again", |screen| screen.contains("420/tcp") && !screen.contains("On paper"));
    pane.keys(&["Space"]);
    pane.shows("FROZEN");
    pane.keys(&["Space"]);
    pane.until("going on", |screen| !screen.contains("FROZEN"));
    pane.keys(&["?"]);
    pane.shows("Shift-Tab");
    pane.keys(&["x"]);
    pane.until("no help", |screen| !screen.contains("Shift-Tab"));
    // The end: the screen of before, its cursor, and a shell that hears what is typed and ends its lines.
    pane.keys(&["q"]);
    pane.until("the shell", |screen| screen.trim_end().ends_with("ready>"));
    assert_eq!((pane.is("alternate_on"), pane.is("cursor_flag")), (String::from("0"), String::from("1")));
    pane.keys(&["echo typed; stty -a | grep -c ' icanon.* echo '; echo status $?", "Enter"]);
    let after = pane.shows("status 0");
    assert!(after.lines().any(|line| line == "typed"), "{after}");
}

#[test]
fn a_terminal_that_becomes_smaller_and_larger_is_drawn_for() {
    if !possible("top in tmux, resized", &["tmux"]) {
        return;
    }
    let stage = Stage::new("top-tmux-size");
    let _planted = hostile(&stage);
    let pane = Pane::open(&stage);
    pane.shows("ready>");
    pane.keys(&[&format!("{} top --no-packets ns=own", env!("CARGO_BIN_EXE_portreeve")), "Enter"]);
    pane.shows("8080/tcp");
    for (columns, lines) in [("40", "10"), ("20", "5"), ("120", "40")] {
        assert!(pane.tmux(&["resize-window", "-x", columns, "-y", lines]).status.success());
        let says = if columns == "20" { "too small" } else { "8080/tcp" };
        pane.until(says, |screen| screen.contains(says) && screen.lines().count() <= 40);
    }
    pane.keys(&["q"]);
    pane.until("the shell", |screen| screen.trim_end().ends_with("ready>"));
}
