//! The terminal UI on a terminal: what comes is shown without a key, and the terminal is given back however it ends.

use std::process::Stdio;

use serde_json::Value;

use crate::stage::{Stage, possible};
use crate::support::err;

/// Runs a command on a terminal of its own, and reads what it draws.
const TERMINAL: &str = r#"
import fcntl, pty, select, signal, struct, subprocess, termios, time

class Terminal:
    def __init__(self, *argv):
        self.fd, self.side = pty.openpty()
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.before = termios.tcgetattr(self.side)
        self.drawn = b""

        def ours():
            die_with_parent()
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        env = {**os.environ, "TERM": "xterm-256color"}
        self.child = subprocess.Popen(argv, stdin=self.side, stdout=self.side, stderr=self.side, preexec_fn=ours, env=env)

    def until(self, what, seconds=30):
        """How long it took until this was drawn, which `drawn` begins with from now on; None where it was not.
        Blanks are not drawn on an empty screen: `what` is one word."""
        begin = time.monotonic()
        while what not in self.drawn:
            left = begin + seconds - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None
            try:
                self.drawn += os.read(self.fd, 65536)
            except OSError:
                return None
        self.drawn = self.drawn[self.drawn.index(what):]
        return time.monotonic() - begin

    def keys(self, keys):
        os.write(self.fd, keys)

    def is_raw(self):
        return termios.tcgetattr(self.side)[3] & (termios.ICANON | termios.ECHO) == 0

    def state(self):
        return open(f"/proc/{self.child.pid}/stat").read().rsplit(")", 1)[1].split()[0]

    def end(self):
        left = self.until(b"\x1b[?1049l", 10) is not None
        status = self.child.wait(10)
        return dict(left=left, status=status, restored=termios.tcgetattr(self.side) == self.before)

BEGUN, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
"#;

fn on_a_terminal(stage: &Stage, program: &str) -> Value {
    let binary = env!("CARGO_BIN_EXE_portreeve");
    let home = stage.home.0.display().to_string();
    let program = format!(
        "{TERMINAL}\nfor name in ('HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'):\n    os.environ[name] = {home:?}\nos.environ.pop('NO_COLOR', None)\nBINARY = {binary:?}\n{program}"
    );
    stage.plant(&program).told.clone()
}

#[test]
fn a_listener_appears_without_a_key_and_q_gives_the_terminal_back() {
    if !possible("top on a terminal", &[]) {
        return;
    }
    let stage = Stage::new("top");
    let told = on_a_terminal(
        &stage,
        r#"
t = Terminal(BINARY, "top", "ns=own")
empty = t.until(b"matches") is not None
raw = t.is_raw()
# What else runs here must not decide: the best of some times counts.
tries = []
while len(tries) < 6 and (not tries or tries[-1] is None or tries[-1] > 2):
    if tries:
        s.close()
        t.until(b"matches")
    s = tcp(420)
    tries.append(t.until(b"420/tcp"))
t.keys(b"\r")
page = t.until(b"paper") is not None
t.keys(b"q")
ready(empty=empty, raw=raw, tries=tries, took=tries[-1], page=page, **t.end())"#,
    );
    for name in ["empty", "raw", "page", "left", "restored"] {
        assert_eq!(told[name], true, "{name}: {told}");
    }
    assert_eq!(told["status"], 0, "{told}");
    assert!(told["took"].as_f64().is_some_and(|seconds| seconds < 2.0), "{told}");
}

#[test]
fn signals_give_the_terminal_back_too() {
    if !possible("top and signals", &[]) {
        return;
    }
    let stage = Stage::new("top-signals");
    let told = on_a_terminal(
        &stage,
        r#"
t = Terminal(BINARY, "top", "--no-packets", "ns=own")
t.until(b"matches")
t.child.send_signal(signal.SIGTSTP)
away = t.until(LEFT) is not None
for _ in range(500):
    if t.state() == "T":
        break
    time.sleep(0.01)
stopped = t.state() == "T" and termios.tcgetattr(t.side) == t.before
t.child.send_signal(signal.SIGCONT)
again = t.until(BEGUN) is not None and t.until(b"matches") is not None and t.is_raw()
t.child.send_signal(signal.SIGTERM)
ready(away=away, stopped=stopped, again=again, **t.end())"#,
    );
    for name in ["away", "stopped", "again", "left", "restored"] {
        assert_eq!(told[name], true, "{name}: {told}");
    }
    assert_eq!(told["status"], 0, "{told}");
}

#[test]
fn without_the_right_to_packets_sockets_are_shown_and_it_says_so() {
    if !possible("top without rights", &[]) {
        return;
    }
    let stage = Stage::new("top-rights");
    let told = on_a_terminal(
        &stage,
        r#"
s = tcp(18950)
t = Terminal("setpriv", "--bounding-set", "-net_raw", BINARY, "top", "ns=own")
# Everything is drawn anew, and that last.
t.until(b"18950/tcp")
t.keys(b"\x0c")
said = t.until(b"CAP_NET_RAW") is not None
t.keys(b"\x03")
ready(said=said, **t.end())"#,
    );
    for name in ["said", "left", "restored"] {
        assert_eq!(told[name], true, "{name}: {told}");
    }
    assert_eq!(told["status"], 0, "{told}");
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    if !possible("top without a terminal", &[]) {
        return;
    }
    let stage = Stage::new("top-pipe");
    let mut command = stage.home.at_home(stage.command(&[env!("CARGO_BIN_EXE_portreeve"), "top"]));
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", err(&output));
    assert!(err(&output).contains("portreeve list --watch"), "{}", err(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_terminal_that_goes_away_is_no_fault() {
    if !possible("top and a terminal that goes away", &[]) {
        return;
    }
    let stage = Stage::new("top-gone");
    let told = on_a_terminal(
        &stage,
        r#"
t = Terminal(BINARY, "top", "--no-packets", "ns=own")
t.until(b"matches")
os.close(t.fd)
ready(status=t.child.wait(10))"#,
    );
    assert!(told["status"] == 0 || told["status"] == 2, "{told}");
}
