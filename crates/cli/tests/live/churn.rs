//! A machine does not stand still while it is looked at: what comes and goes is not what hides.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::document::{Names, array, rows};
use crate::stage::{PYTHON, Stage, possible};

/// Listeners, connections and processes that live for a moment, and one listener that stays.
const RESTLESS: &str = r#"
def listeners():
    while True:
        held = [tcp(0) for _ in range(20)] + [udp(0) for _ in range(20)]
        peers = [socket.create_connection(s.getsockname()) for s in held[:5]]
        for s in held + peers:
            s.close()

def processes():
    while True:
        s = tcp(0)
        pid = os.fork()
        if not pid:
            os._exit(0)
        s.close()
        os.waitpid(pid, 0)

def handed_over():
    a, b = socket.socketpair()
    while True:
        s = tcp(0, "127.0.0.2")
        socket.send_fds(a, [b"."], [s.fileno()])
        s.close()
        for fd in socket.recv_fds(b, 1, 1)[1]:
            os.close(fd)

kept = tcp(18801)
for work in (listeners, processes, handed_over):
    fork(work)
ready()"#;

#[test]
fn what_comes_and_goes_is_not_called_hidden() {
    if !possible("a restless machine", &[]) {
        return;
    }
    let stage = Stage::new("churn");
    let planter = stage.plant_with(&["nice", "-n", "19", PYTHON], RESTLESS);
    let mut rows = 0;
    for words in [&["list", "--own-netns"][..], &["list", "--own-netns", "-a"]].into_iter().cycle().take(6) {
        let document = stage.document(words);
        let sockets = array(&document, "sockets");
        rows += sockets.len();
        let kept = sockets.iter().find(|socket| socket["port"] == 18801).unwrap();
        assert!(array(kept, "holders").iter().any(|holder| holder["pid"] == planter.pid()), "{kept}");
        let accused: Vec<String> = array(&document, "findings")
            .iter()
            .filter(|finding| finding["severity"] != "note")
            .flat_map(|finding| {
                array(finding, "sockets").iter().map(move |at| (finding, at.as_u64().unwrap()))
            })
            .map(|(finding, at)| (finding, &sockets[usize::try_from(at).unwrap()]))
            // These do travel in messages, and to say so is true; to say it of others is not.
            .filter(|(_, socket)| {
                (&socket["addr"], &socket["holders_missing"]) != (&"127.0.0.2".into(), &"in_flight".into())
            })
            .map(|(finding, socket)| format!("{} {socket}", finding["title"]))
            .collect();
        assert!(accused.is_empty(), "{accused:?}");
    }
    assert!(rows > 20, "{rows}: nothing came and went");
}

#[test]
fn watching_sees_each_change_at_once() {
    if !possible("watching", &[]) {
        return;
    }
    let stage = Stage::new("watching");
    let mut words = vec![env!("CARGO_BIN_EXE_portreeve")];
    words.extend(["list", "--own-netns", "--json", "--watch", "0.05"]);
    let mut watcher = stage.home.at_home(stage.command(&words)).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watcher.stdout.take().unwrap()).lines();
    // Looks at most this often before a change has to be seen: well before everything is asked anew in any case.
    let mut until = |expected: &[&str], names: &Names| {
        let mut last = Vec::new();
        for _ in 0..60 {
            let document: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            last = rows(&document, names);
            if last == expected {
                return;
            }
        }
        panic!("{expected:?} was not seen; the last look shows {last:?}");
    };
    let mut names = Names::default();
    names.name(stage.netns, "own");
    until(&[], &names);
    let mut slow =
        stage.plant("s = tcp(18901, listen=False); tell(); sys.stdin.readline(); s.listen(); wait()");
    names.planter("slow", &slow);
    until(&["tcp 127.0.0.1:18901 ipv4 loopback bound own [slow]"], &names);
    slow.say("listen");
    until(&["tcp 127.0.0.1:18901 ipv4 loopback listening own [slow]"], &names);
    let other = stage.plant("s = udp(18902); ready()");
    names.planter("other", &other);
    until(
        &[
            "tcp 127.0.0.1:18901 ipv4 loopback listening own [slow]",
            "udp 127.0.0.1:18902 ipv4 loopback listening own [other]",
        ],
        &names,
    );
    drop(slow);
    until(&["udp 127.0.0.1:18902 ipv4 loopback listening own [other]"], &names);
    drop(lines);
    // Nobody reads any more, and that is a good end.
    assert_eq!(watcher.wait().unwrap().code(), Some(0));
}
