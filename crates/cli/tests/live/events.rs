//! What happens to sockets, told by `watch` as it happens, with who did it and what it means.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::{KERNEL_PROGRAMS, PYTHON, Stage, possible};

/// A watch of sockets that is under way.
struct Watch {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    begin: Value,
}

impl Watch {
    fn begin(stage: &Stage, words: &[&str]) -> Watch {
        let mut all = vec![env!("CARGO_BIN_EXE_portreeve"), "watch", "--no-packets", "--json"];
        all.extend_from_slice(words);
        let mut command = stage.home.at_home(stage.command(&all));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let begin = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        Watch { child, lines, begin }
    }

    /// The next line that fits; what came before it, too.
    fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.next().unwrap().unwrap();
            let value: Value = serde_json::from_str(&line).unwrap();
            if fits(&value) {
                return value;
            }
        }
    }

    /// The next event of a socket with this port of this namespace.
    fn socket(&mut self, stage: &Stage, port: u16, happened: &str) -> Value {
        let line = self.until(|line| {
            let socket = &line["socket"];
            socket["port"] == port && socket["netns"] == stage.netns && socket["happened"] == happened
        });
        line["socket"].clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_listener_on_a_silent_port_is_told_at_once_with_everything_known() {
    if !possible("a watch of sockets", &[]) {
        return;
    }
    let stage = Stage::new("events");
    let mut watch = Watch::begin(&stage, &["--port", "420"]);
    let planter = stage.plant("s = tcp(420)\nready()");
    let socket = watch.socket(&stage, 420, "listening");
    let found = watch.until(|line| line["event"] == "finding");
    assert_eq!(socket["registered"], "smpte", "{socket}");
    let holder = &socket["holder"];
    assert_eq!(holder["pid"], planter.pid(), "{holder}");
    assert!(holder["exe"]["path"].as_str().unwrap().contains("python"), "{holder}");
    assert!(!holder["cmdline"].as_array().unwrap().is_empty() && holder["user"]["uid"] == 0, "{holder}");
    assert_eq!(found["finding"]["code"], "silent-port-in-use", "{found}");
    assert!(found["about"].as_str().unwrap().starts_with("tcp 127.0.0.1:420 python"), "{found}");
    drop(planter);
    let closed = watch.socket(&stage, 420, "closed");
    assert!(closed["lived_ns"].as_u64().unwrap() > 0, "{closed}");
}

#[test]
fn a_listener_that_is_gone_with_its_process_is_told_with_both() {
    if !possible("a watch of short lives", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("short");
    let mut watch = Watch::begin(&stage, &["--port", "1023", "--port", "1022/udp"]);
    if watch.begin["socket_events"]["witness"] != "kernel" {
        eprintln!("SKIPPED: the kernel does not tell of sockets here: {}", watch.begin);
        return;
    }
    // It says nothing and is gone before anybody could look.
    let program = "import socket\ns=socket.socket()\ns.bind(('127.0.0.1',1023))\ns.listen()\ns.close()\n\
                   u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\nu.bind(('127.0.0.1',1022))";
    let begun = Instant::now();
    assert!(stage.command(&[PYTHON, "-c", program]).status().unwrap().success());
    for (port, happened) in [(1023, "listening"), (1023, "closed"), (1022, "bound"), (1022, "closed")] {
        let socket = watch.socket(&stage, port, happened);
        let holder = &socket["holder"];
        assert!(holder["exe"]["path"].as_str().unwrap().contains("python"), "{socket}");
        assert_eq!(holder["cmdline"][1], "-c", "{socket}");
        assert!(holder["pid"].as_u64().unwrap() > 0, "{socket}");
        if happened == "closed" {
            let lived = Duration::from_nanos(socket["lived_ns"].as_u64().unwrap());
            assert!(lived < begun.elapsed(), "{socket}");
        }
    }
}
