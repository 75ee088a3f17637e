//! A host whose empty ports tell who comes, scanned by nmap: everything is seen, nobody is disturbed, nothing is left.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::document::array;
use crate::stage::{KERNEL_PROGRAMS, PYTHON, Planter, Stage, possible};
use crate::support::{err, out};

/// 50 listeners and 50 datagram sockets, each with a banner of its own, and a poll of all of them that never rests. Every
/// fifth of the listeners is opened anew all the time. It says what went wrong when it is asked.
const HOST: &str = r#"
import time

TCP = [5 + 20 * n for n in range(50)]
UDP = [9 + 20 * n for n in range(50)]
wrong, polls = [], 0
sockets = {}


def listen(port):
    s = tcp(port, "::" if port % 3 == 0 else "127.0.0.1" if port % 3 == 1 else "0.0.0.0")
    sockets[port] = s

    def serve():
        while True:
            try:
                peer, _ = s.accept()
            except OSError:
                return
            try:
                peer.sendall(b"tcp %d\n" % port)
                peer.close()
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()


def echo(port):
    s = udp(port, "0.0.0.0")

    def serve():
        while True:
            said, peer = s.recvfrom(2048)
            try:
                s.sendto(b"udp %d " % port + said, peer)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()


def ask_tcp(port):
    c = socket.create_connection(("127.0.0.1", port), 10)
    said = b""
    while not said.endswith(b"\n"):
        more = c.recv(64)
        if not more:
            break
        said += more
    c.close()
    return said == b"tcp %d\n" % port


def ask_udp(port):
    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    c.settimeout(10)
    c.sendto(b"hello", ("127.0.0.1", port))
    said = c.recv(64)
    c.close()
    return said == b"udp %d hello" % port


def poll():
    global polls
    while True:
        for port in TCP + LATE:
            try:
                if not ask_tcp(port):
                    wrong.append("tcp %d" % port)
            except OSError as e:
                wrong.append("tcp %d: %s" % (port, e))
        for port in UDP:
            try:
                if not ask_udp(port):
                    wrong.append("udp %d" % port)
            except OSError as e:
                wrong.append("udp %d: %s" % (port, e))
        polls += 1


LATE = []
for port in TCP:
    listen(port)
for port in UDP:
    echo(port)
threading.Thread(target=poll, daemon=True).start()
tell(tcp=TCP, udp=UDP)
late = 1007
while True:
    line = sys.stdin.readline().strip()
    if line == "open":
        # Opened while they scan.
        listen(late)
        LATE.append(late)
        late += 1
        continue
    if not line:
        os._exit(0)
    with open(line, "w") as report:
        json.dump({"wrong": wrong[:10], "polls": polls, "late": LATE}, report)
    os.rename(line, line + ".done")
"#;

/// Two namespaces with a cable between them: the host at 10.9.0.1, who scans at 10.9.0.2.
fn cable(name: &str) -> (Stage, Stage) {
    let (host, scanner) = (Stage::new(name), Stage::new(&format!("{name}-scanner")));
    host.sh(&format!(
        "ip link add da type veth peer name db netns {}; ip addr add 10.9.0.1/24 dev da; ip link set da up",
        scanner.pid()
    ));
    scanner.sh("ip addr add 10.9.0.2/24 dev db; ip link set db up");
    // Decoys cover all but what the kernel gives to anybody: here that is little.
    host.sh("sysctl -qw net.ipv4.ip_local_port_range='60000 60999'");
    host.sh("ping -c 1 -W 5 10.9.0.2 > /dev/null || true");
    (host, scanner)
}

/// A line as a document, which keeps the schema that `portreeve schema decoy` prints.
fn line(text: &str) -> Value {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = include_str!("../../../../docs/schema/decoy-v1.schema.json");
        jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
    });
    let line = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = SCHEMA.iter_errors(&line).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?} in {line}");
    line
}

/// A decoy at work.
struct Decoy {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    begin: Value,
}

impl Decoy {
    fn begin(stage: &Stage, words: &[&str]) -> Decoy {
        let mut all = vec![env!("CARGO_BIN_EXE_portreeve"), "decoy", "--json"];
        all.extend_from_slice(words);
        let mut child = stage.home.at_home(stage.command(&all)).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let begin = line(&lines.next().unwrap().unwrap());
        assert_eq!(begin["event"], "begin", "{begin}");
        Decoy { child, lines, begin }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// What it holds in memory, in KiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Ends it as Ctrl-C does: the findings that it told, and its summary.
    fn end(mut self) -> (Vec<Value>, Value) {
        self.signal("INT");
        let mut events: Vec<Value> = self.lines.by_ref().map(|text| line(&text.unwrap())).collect();
        let _ = self.child.wait();
        let summary = events.pop().unwrap();
        assert_eq!(summary["event"], "summary", "{summary}");
        events.retain(|event| event["event"] == "finding");
        (events, summary)
    }
}

impl Drop for Decoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ports of ranges as JSON has them.
fn ports(ranges: &Value) -> BTreeSet<u16> {
    let number = |range: &Value, at: usize| u16::try_from(range[at].as_u64().unwrap()).unwrap();
    ranges.as_array().unwrap().iter().flat_map(|range| number(range, 0)..=number(range, 1)).collect()
}

/// What the host says of its own listeners.
fn report(host: &Stage, planter: &mut Planter, name: &str) -> Value {
    let path = host.home.0.join(name);
    planter.say(path.to_str().unwrap());
    let done = host.home.0.join(format!("{name}.done"));
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match std::fs::read(&done) {
            Ok(bytes) => return serde_json::from_slice(&bytes).unwrap(),
            Err(_) if Instant::now() < end => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Scans, while listeners are opened; gives what nmap said and how long it took.
fn scan(host: &mut Planter, scanner: &Stage, words: &[&str]) -> (String, Duration) {
    let mut all = vec!["nmap", "-n", "-Pn", "--open", "-oG", "-"];
    all.extend_from_slice(words);
    all.push("10.9.0.1");
    let began = Instant::now();
    let mut child = scanner.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..5 {
        host.say("open");
    }
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    (said, began.elapsed())
}

/// What somebody who knocks hears: each port with `open`, `refused` or what else came.
fn heard(stage: &Stage, ports: &[u16]) -> String {
    let program = "import socket,sys\nfor p in sys.argv[1:]:\n  s=socket.socket(); s.settimeout(5)\n  try:\n    s.connect(('10.9.0.1',int(p))); print(p,'open')\n  except Exception as e: print(p,type(e).__name__)\n  s.close()\n";
    let numbers: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let mut all = vec![PYTHON, "-c", program];
    all.extend(numbers.iter().map(String::as_str));
    out(&stage.command(&all).output().unwrap())
}

#[test]
fn nmap_finds_decoys_and_every_knock_is_seen_and_nobody_is_disturbed() {
    if !possible("decoys under nmap", &["nmap", KERNEL_PROGRAMS]) {
        return;
    }
    let (host, scanner) = cable("decoy");
    let before = heard(&scanner, &[1, 420, 5, 9999]);
    let mut planter = host.plant(HOST);
    let mut figures = Vec::new();
    for (name, level, scan_words, transport) in [
        ("syn-all", "observe", &["-sS", "-p-", "--min-rate", "8000"][..], "tcp"),
        ("syn", "accept", &["-sS", "-p1-9999", "--min-rate", "4000"], "tcp"),
        ("connect", "accept", &["-sT", "-p1-2000", "--min-rate", "2000"], "tcp"),
        ("udp", "accept", &["-sU", "-p1-200", "--max-retries", "1", "--min-rate", "500"], "udp"),
    ] {
        let file = host.home.0.join(format!("{name}.pcapng"));
        let decoy =
            Decoy::begin(&host, &["--ports", "1-65535", "--level", level, "--write", file.to_str().unwrap()]);
        let coverage = &decoy.begin["coverage"];
        assert_eq!(coverage["way"], "kernel", "{coverage}");
        let covered = ports(&coverage[transport]);
        let memory = decoy.memory();
        let (said, took) = scan(&mut planter, &scanner, scan_words);
        let grown = decoy.memory().saturating_sub(memory);
        let (told, summary) = decoy.end();

        // Every empty port was seen, and no port of anybody.
        let visits = array(&summary, "visits");
        let ours: Vec<&Value> = visits.iter().filter(|visit| visit["source"] == "10.9.0.2").collect();
        assert_eq!(ours.len(), 1, "{summary}");
        let seen = ports(&ours[0][transport]["ranges"]);
        let range = scan_words.iter().find_map(|word| word.strip_prefix("-p")).unwrap();
        let (first, last) = range.split_once('-').unwrap();
        let asked = first.parse().unwrap_or(1)..=last.parse().unwrap_or(u16::MAX);
        // Those opened meanwhile were empty when it began, and somebody's later: they may be seen or not.
        let late = 1007..1100;
        let expected: Vec<u16> =
            covered.into_iter().filter(|port| asked.contains(port) && !late.contains(port)).collect();
        let missing: Vec<&u16> = expected.iter().filter(|port| !seen.contains(port)).collect();
        assert!(missing.is_empty(), "{name}: {} ports were not seen: {missing:?}", missing.len());
        let held = array(&planter.told, transport);
        assert!(!seen.iter().any(|port| held.contains(&Value::from(*port))), "{name}: {seen:?}");
        assert_eq!(summary["counts"]["packets_lost"], 0, "{name}");

        // One finding for the scan.
        let ours: Vec<&Value> = told.iter().filter(|event| event["source"] == "10.9.0.2").collect();
        assert_eq!(ours.len(), 1, "{name}: {told:?}");
        assert_eq!(ours[0]["finding"]["code"], "decoy-touched");
        let title = ours[0]["finding"]["title"].as_str().unwrap();
        assert!(title.contains("looked through"), "{title}");
        assert_eq!(
            array(&summary, "findings").iter().filter(|it| it["code"] == "decoy-touched").count(),
            visits.len()
        );

        // Nobody noticed.
        let report = report(&host, &mut planter, name);
        assert_eq!(report["wrong"], serde_json::json!([]), "{name}");
        // Memory stays.
        assert!(grown < 24 * 1024, "{name}: {grown} KiB more");
        // Without an answer there is nothing to be found but what is there.
        if level == "observe" {
            let open = said.matches("/open/tcp").count();
            assert!((33..=60).contains(&open), "{name}: {open} open\n{said}");
        }
        figures.push(format!(
            "{name}: {} empty ports seen, {} polls without a fault, {:.1} s, {grown} KiB more",
            seen.len(),
            report["polls"],
            took.as_secs_f64()
        ));
    }
    eprintln!("{}", figures.join("\n"));
    drop(planter);
    assert_eq!(heard(&scanner, &[1, 420, 5, 9999]), before);
}

#[test]
fn a_decoy_that_is_killed_leaves_the_machine_as_it_was() {
    if !possible("a decoy that is killed", &[KERNEL_PROGRAMS]) {
        return;
    }
    let (host, scanner) = cable("decoy-killed");
    let knocked = [1, 420, 9999];
    let before = heard(&scanner, &knocked);
    assert!(before.contains("420 ConnectionRefusedError"), "{before}");
    let sockets = || host.sh("ss -Htuan");
    let sockets_before = sockets();
    let mut decoy = Decoy::begin(&host, &["--ports", "1-9999", "--level", "greet=ssh"]);
    assert!(heard(&scanner, &knocked).contains("420 open"));
    decoy.signal("KILL");
    let _ = decoy.child.wait();
    assert_eq!(heard(&scanner, &knocked), before);
    assert_eq!(sockets(), sockets_before);
    // A server that asks for nothing special has the port at once.
    let server = "import socket\ns=socket.socket(); s.bind(('10.9.0.1',420)); s.listen(); print('had')";
    assert_eq!(out(&host.command(&[PYTHON, "-c", server]).output().unwrap()), "had\n");
}

#[test]
fn greetings_are_said_datagrams_are_not_answered_and_evidence_is_written() {
    if !possible("a decoy that greets", &[KERNEL_PROGRAMS]) {
        return;
    }
    let (host, scanner) = cable("decoy-greets");
    let file = host.home.0.join("visits.pcapng");
    let words =
        ["--ports", "1-1023", "--level", "greet=ssh", "--exclude", "80", "--exclude-source", "10.9.0.7"];
    let mut all = words.to_vec();
    all.extend(["--write", file.to_str().unwrap()]);
    let decoy = Decoy::begin(&host, &all);
    let client = r"
import socket
def ask(port, said, source='10.9.0.2'):
    s = socket.socket(); s.settimeout(5)
    try:
        s.bind((source, 0)); s.connect(('10.9.0.1', port)); s.sendall(said); s.shutdown(1)
        print(port, s.recv(100))
    except OSError as e:
        print(port, type(e).__name__)
ask(22, b'SSH-2.0-OpenSSH_9.2\r\n')
ask(420, b'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
ask(80, b'')
ask(420, b'', '10.9.0.7')
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(1)
u.sendto(b'\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01', ('10.9.0.1', 53))
try: print('udp', u.recv(100))
except OSError as e: print('udp', type(e).__name__)
";
    scanner.sh("ip addr add 10.9.0.7/24 dev db");
    let answer = scanner.command(&[PYTHON, "-c", client]).output().unwrap();
    let expected = "22 b'SSH-2.0-server\\r\\n'\n420 b'SSH-2.0-server\\r\\n'\n80 ConnectionRefusedError\n\
                    420 ConnectionRefusedError\nudp TimeoutError\n";
    assert_eq!(out(&answer), expected, "{}", err(&answer));
    let (told, summary) = decoy.end();
    let visit = &array(&summary, "visits")[0];
    assert_eq!(
        (visit["connections"].as_u64(), visit["udp"]["ports"].as_u64()),
        (Some(2), Some(1)),
        "{summary}"
    );
    for protocol in ["ssh", "http", "dns"] {
        assert!(array(visit, "protocols").contains(&Value::from(protocol)), "{protocol}: {visit}");
    }
    assert_eq!(told.last().unwrap()["finding"]["severity"], "alert", "SSH from within: {told:?}");
    assert_eq!(summary["counts"]["packets_excluded"], 1);
    // The evidence is a capture like any other.
    let read = host.home.run(&["read", file.to_str().unwrap(), "--json"]);
    let document: Value = serde_json::from_slice(&read.stdout).unwrap();
    let ports: Vec<u64> = array(&document, "services").iter().filter_map(|it| it["port"].as_u64()).collect();
    assert!(ports.contains(&22) && ports.contains(&420), "{document}");
}
