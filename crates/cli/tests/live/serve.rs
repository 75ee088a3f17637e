//! The service on a live machine: what it sees is remembered over a kill, told, and asked for; policy changes under load.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::{KERNEL_PROGRAMS, PYTHON, Stage, possible};
use crate::support::{err, out};

/// A service that runs in a namespace of its own, with all that it keeps in the test's home.
struct Service<'a> {
    stage: &'a Stage,
    child: Child,
}

fn place(stage: &Stage, name: &str) -> PathBuf {
    stage.home.0.join(name)
}

impl Service<'_> {
    /// Starts one, and waits until it watches.
    fn begin<'a>(stage: &'a Stage, more: &str) -> Service<'a> {
        let config = place(stage, "portreeve.toml");
        let [history, eve] = ["history", "eve.json"].map(|name| place(stage, name));
        let text = format!(
            "[history]\nfolder = {history:?}\n[api]\nlisten = \"127.0.0.1:0\"\n\
             [[alert]]\nname = \"file\"\nkind = \"eve\"\npath = {eve:?}\n{more}"
        );
        fs::write(&config, text).unwrap();
        fs::create_dir_all(place(stage, "run")).unwrap();
        let binary = env!("CARGO_BIN_EXE_portreeve");
        let policy = place(stage, "policy.toml");
        let words =
            [binary, "serve", "--config", config.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
        let mut command = stage.home.at_home(stage.command(&words));
        command.env("RUNTIME_DIRECTORY", place(stage, "run")).env_remove("NOTIFY_SOCKET");
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        loop {
            let Some(line) = lines.next() else { panic!("it ended early: {said:#?}") };
            let line = line.unwrap();
            if line.starts_with("portreeve: watching ") {
                break;
            }
            said.push(line);
        }
        std::thread::spawn(move || lines.for_each(drop));
        Service { stage, child }
    }

    /// A command that asks it.
    fn ask(&self, words: &[&str]) -> Output {
        let mut all = vec![env!("CARGO_BIN_EXE_portreeve")];
        all.extend_from_slice(words);
        let mut command = self.stage.home.at_home(self.stage.command(&all));
        command.env("RUNTIME_DIRECTORY", place(self.stage, "run")).output().unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        let mut all = words.to_vec();
        all.push("--json");
        let output = self.ask(&all);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {}", err(&output)))
    }

    /// Asks until it answers so; what was answered last where it never does.
    fn until(&self, words: &[&str], fits: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let value = self.json(words);
            if fits(&value) {
                return value;
            }
            assert!(begun.elapsed() < Duration::from_secs(90), "{words:?}: {value:#}");
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it as a service manager does.
    fn end(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
    }

    fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A listener that is gone at once, with its process.
fn short_life(stage: &Stage, port: u16) {
    let program = format!("import socket\ns=socket.socket()\ns.bind(('127.0.0.1',{port}))\ns.listen()");
    assert!(stage.command(&[PYTHON, "-c", &program]).status().unwrap().success());
}

/// The findings about this port, whatever became of them.
fn about<'a>(findings: &'a Value, port: u16, code: &str) -> Vec<&'a Value> {
    let place = format!("tcp 127.0.0.1:{port} ");
    let all = findings["findings"].as_array().unwrap().iter();
    all.filter(|it| it["code"] == code && it["about"].as_str().unwrap().starts_with(&place)).collect()
}

#[test]
fn what_came_and_went_is_remembered_over_a_kill_told_and_answered() {
    if !possible("the service", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("serve");
    fs::write(place(&stage, "policy.toml"), "").unwrap();
    let decoy = "[decoy]\nports = \"425\"\nlevel = \"accept\"\n";
    let service = Service::begin(&stage, decoy);
    short_life(&stage, 421);
    let all = &["findings", "--state", "open"];
    let found = service.until(all, |it| !about(it, 421, "silent-port-in-use").is_empty());
    let id = about(&found, 421, "silent-port-in-use")[0]["id"].as_str().unwrap().to_owned();
    // Who comes to an empty port is a finding, too.
    let knock =
        "import socket\nc=socket.create_connection(('127.0.0.1',425))\nc.send(b'GET / HTTP/1.0\\r\\n\\r\\n')";
    assert!(stage.command(&[PYTHON, "-c", knock]).status().unwrap().success());
    service.until(all, |it| {
        it["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["code"] == "decoy-touched" && it["about"] == "127.0.0.1")
    });
    let acknowledged = service.ask(&["findings", "ack", &id, "--reason", "planted by a test"]);
    assert!(acknowledged.status.success(), "{}", err(&acknowledged));
    let status = service.json(&["serve", "--status"]);
    assert_eq!(status["service"]["witness"], "kernel", "{status}");
    assert_eq!(status["service"]["lost"], 0, "{status}");
    let told = fs::read_to_string(place(&stage, "eve.json")).unwrap();
    assert!(told.contains("silent-port-in-use") && told.contains("421"), "{told}");
    // Nobody asked it to end, and what it told as known is there again.
    drop(service);
    let service = Service::begin(&stage, decoy);
    let after = service.json(&["findings", "--state", "acknowledged"]);
    assert_eq!(about(&after, 421, "silent-port-in-use")[0]["acknowledged"]["reason"], "planted by a test");
    let port = service.json(&["port", "421"]);
    let history = &port["ports"][0]["history"];
    assert!(history.to_string().contains("python"), "{history}");
    let history = out(&service.ask(&["history", "421"]));
    assert!(history.contains("listening") && history.contains("closed"), "{history}");
    service.end();
    assert!(!place(&stage, "run").join("control.sock").exists());
}

#[test]
fn under_churn_policy_is_read_again_nothing_is_lost_uncounted_and_memory_stays() {
    if !possible("the service under load", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("churn");
    let policy = place(&stage, "policy.toml");
    fs::write(&policy, "").unwrap();
    let service = Service::begin(&stage, "");
    // A thousand listeners a second or so, each with three events; it ends with the test.
    let program = "import socket, time\nfor round in range(1 << 30):\n  for port in range(20000, 20200):\n    \
                   s=socket.socket()\n    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n    \
                   s.bind(('127.0.0.1', port))\n    s.listen()\n    s.close()\n    time.sleep(0.001)\n  print(round + 1, flush=True)";
    let mut churn = stage.command(&[PYTHON, "-c", program]).stdout(Stdio::piped()).spawn().unwrap();
    let mut rounds = BufReader::new(churn.stdout.take().unwrap()).lines();
    let mut after =
        |count: usize| rounds.by_ref().take(count).last().unwrap().unwrap().parse::<u64>().unwrap();
    after(10);
    let early = service.memory_kib();
    for (number, text) in
        ["", "nonsense = [", "[[allow]]\nport = 423\nreason = \"a test\"\n"].iter().enumerate()
    {
        fs::write(&policy, text).unwrap();
        service.signal("HUP");
        after(3);
        let status = service.until(&["serve", "--status"], |it| {
            it["service"]["troubles"].as_array().is_some_and(|it| it.is_empty() == (number != 1))
        });
        assert_eq!(status["service"]["witness"], "kernel");
    }
    // Who asks for it waits until it counts, and hears what does not.
    let wrong = [("nonsense = [", Some(2)), ("[[allow]]\nport = 423\nreason = \"a test\"\n", Some(0))];
    for (text, expected) in wrong {
        fs::write(&policy, text).unwrap();
        let output = service.ask(&["serve", "--reload"]);
        assert_eq!(output.status.code(), expected, "{}", err(&output));
        assert_eq!(
            err(&output).contains("what was read before still counts"),
            expected == Some(2),
            "{}",
            err(&output)
        );
        assert_eq!(
            service.json(&["serve", "--status"])["service"]["troubles"].as_array().unwrap().is_empty(),
            expected == Some(0)
        );
    }
    // What policy accepts from now on is no finding.
    short_life(&stage, 423);
    short_life(&stage, 424);
    let found = service.until(&["findings"], |it| !about(it, 424, "silent-port-in-use").is_empty());
    assert!(about(&found, 423, "silent-port-in-use").is_empty(), "{found:#}");
    let rounds = after(40);
    churn.kill().unwrap();
    churn.wait().unwrap();
    let late = service.memory_kib();
    // Bound, listening and closed for each of two hundred listeners in each round: seen, or counted as lost.
    let least = rounds * 200 * 3;
    let status = service.until(&["serve", "--status"], |it| {
        let number = |name: &str| it["service"][name].as_u64().unwrap_or_default();
        number("events") + number("lost") >= least
    });
    eprintln!("memory {early} KiB, then {late} KiB after {rounds} rounds; {}", status["service"]);
    assert!(late < early + 48 * 1024, "memory grows: {early} KiB, then {late} KiB");
    service.end();
}

/// 64 clients of a server on 420 that speaks SSH, one after the other.
const CLIENTS: &str = "
import socket
for _ in range(64):
    c = socket.create_connection(('127.0.0.1', 420))
    c.recv(64)
    c.sendall(b'SSH-2.0-client\\r\\n')
    c.close()
";

#[test]
fn packets_of_another_namespace_are_shared_by_workers_and_none_of_ours_is_read() {
    if !possible("the service with another namespace and two workers", &[KERNEL_PROGRAMS]) {
        return;
    }
    let (stage, other) = (Stage::new("serve-netns"), Stage::new("serve-other"));
    fs::write(place(&stage, "policy.toml"), "").unwrap();
    let service = Service::begin(&stage, &format!("[watch]\nworkers = 2\nnetns = \"{}\"\n", other.pid()));
    let _there = other.plant("s = tcp(420); answer(s, b'SSH-2.0-server\\r\\n'); ready()");
    // The same here, where no packet is read.
    let _here = stage.plant("s = tcp(422); answer(s, b'SSH-2.0-server\\r\\n'); ready()");
    assert!(other.command(&[PYTHON, "-c", CLIENTS]).status().unwrap().success());
    assert!(stage.command(&[PYTHON, "-c", &CLIENTS.replace("420", "422")]).status().unwrap().success());
    // Each flow is told once, whichever worker it fell to.
    let told = service.until(&["history", "420"], |it| it["port"]["flows"][0]["seen"]["times"] == 64);
    assert_eq!(told["port"]["flows"][0]["protocol"], "ssh", "{told:#}");
    let here = service.json(&["history", "422"]);
    assert_eq!(here["port"]["flows"], serde_json::json!([]), "no packet of this namespace is read");
    assert!(!here["port"]["doors"].as_array().unwrap().is_empty(), "its sockets are looked at all the same");
    // What both workers saw is judged as one.
    let all = |found: &Value| found["findings"].as_array().unwrap().clone();
    let is_mismatch = |it: &Value| it["code"] == "protocol-mismatch" && it["about"] == "tcp 127.0.0.1:420";
    let found = service.until(&["findings"], |it| all(it).iter().any(is_mismatch));
    let mismatch = all(&found).into_iter().find(is_mismatch).unwrap();
    assert!(mismatch["evidence"].to_string().contains(" of 1 client (127.0.0.1)"), "{mismatch:#}");
    service.end();
}
