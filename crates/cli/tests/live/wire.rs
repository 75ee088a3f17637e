//! The wire, watched: flows with their holders, findings as they happen, every frame counted, and no right kept that is
//! not needed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::document::array;
use crate::stage::{PYTHON, Planter, Stage, possible};
use crate::support::{err, out, status};

/// Answers every request of HTTP on this socket.
const HTTP: &str = r#"
def http(s):
    def serve():
        while True:
            peer, _ = s.accept()
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nServer: planted\r\nContent-Length: 2\r\n\r\nok")
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
"#;

/// Asks once, and ends.
const ASK: &str = "import socket,sys\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n\
                   s.sendall(b'GET / HTTP/1.1\\r\\nHost: planted\\r\\n\\r\\n')\nwhile s.recv(4096): pass";

/// Two namespaces with a cable between them: 10.9.0.1 on `va`, 10.9.0.2 on `vb`.
fn cable(name: &str) -> (Stage, Stage) {
    let (one, two) = (Stage::new(name), Stage::new(&format!("{name}-peer")));
    one.sh(&format!(
        "ip link add va type veth peer name vb netns {}; ip addr add 10.9.0.1/24 dev va; ip link set va up",
        two.pid()
    ));
    two.sh("ip addr add 10.9.0.2/24 dev vb; ip link set vb up");
    (one, two)
}

/// A watch that has begun.
struct Watch {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    complaints: BufReader<ChildStderr>,
}

impl Watch {
    /// Begins in a namespace, and waits until it says that it has.
    fn begin(stage: &Stage, words: &[&str]) -> Watch {
        // Sockets are the machine's: those of tests beside this one would be told, too.
        let mut all = vec![env!("CARGO_BIN_EXE_portreeve"), "watch", "--no-sockets"];
        all.extend_from_slice(words);
        let mut command = stage.home.at_home(stage.command(&all));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut complaints = BufReader::new(child.stderr.take().unwrap());
        if words.contains(&"--json") {
            let line = lines.next().unwrap().unwrap();
            let begin: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&begin["schema_version"], &begin["event"]), (&1.into(), &"begin".into()), "{line}");
        } else {
            let mut said = String::new();
            complaints.read_line(&mut said).unwrap();
            assert!(said.starts_with("portreeve: watching "), "{said}");
        }
        Watch { child, lines, complaints }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// The next line that fits.
    fn until(&mut self, fits: impl Fn(&str) -> bool) -> String {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            if fits(&line) {
                return line;
            }
        }
        panic!("it ended without the line")
    }

    /// The next event that fits.
    fn event(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let line = self.until(|line| fits(&serde_json::from_str(line).unwrap()));
        serde_json::from_str(&line).unwrap()
    }

    /// Ends it as Ctrl-C does, and gives what it said from then on, its complaints, and its exit status.
    fn end(mut self) -> (Vec<String>, String, i32) {
        self.signal("INT");
        let rest: Vec<String> = self.lines.by_ref().map(Result::unwrap).collect();
        let mut complaints = String::new();
        self.complaints.read_to_string(&mut complaints).unwrap();
        (rest, complaints, self.child.wait().unwrap().code().unwrap())
    }

    /// Ends a watch in JSON: the events from then on, and the document of its summary.
    fn summary(self) -> (Vec<Value>, Value) {
        let (lines, complaints, status) = self.end();
        assert_eq!(complaints, "");
        let mut events: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = events.pop().unwrap();
        assert_eq!(summary["event"], "summary", "{summary}");
        assert_eq!(summary["traffic"]["exit_status"], status);
        (events, summary["traffic"].clone())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(stage: &Stage, address: &str, port: u16) -> u32 {
    let mut child =
        stage.command(&[PYTHON, "-c", ASK, address, &port.to_string()]).stdin(Stdio::null()).spawn().unwrap();
    let pid = child.id();
    assert!(child.wait().unwrap().success());
    pid
}

fn http_on_420(stage: &Stage) -> Planter {
    stage.plant(&format!("{HTTP}\ns = tcp(420, '0.0.0.0'); http(s); ready()"))
}

fn is_finding(event: &Value) -> bool {
    event["event"] == "finding" && event["finding"]["code"] == "protocol-mismatch"
}

#[test]
fn a_wrong_protocol_is_told_as_it_happens_with_who_serves_it() {
    if !possible("a live watch", &[]) {
        return;
    }
    let (one, two) = cable("live");
    // The same port in the other namespace is somebody else's.
    let _other = http_on_420(&two);
    let server = http_on_420(&one);
    let mut watch = Watch::begin(&one, &["--json", "-i", "va"]);
    ask(&two, "10.9.0.1", 420);
    let asked = Instant::now();
    let finding = watch.event(is_finding);
    let took = asked.elapsed();
    // About half a second; a machine that is busy with other tests gets more.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(
        finding["finding"]["title"].as_str().unwrap().contains("10.9.0.1:420/tcp speaks HTTP"),
        "{finding}"
    );

    let (events, traffic) = watch.summary();
    let flows: Vec<&Value> = events.iter().filter(|event| event["event"] == "flow").collect();
    assert_eq!(flows.len(), 1, "{events:?}");
    let flow = &flows[0]["flow"];
    assert_eq!((&flow["server"]["port"], &flow["state"]), (&420.into(), &"closed".into()), "{flow}");
    assert_eq!(flow["recognised"]["protocol"], "http");
    let owner = &flow["server"]["owner"];
    assert!(["exact", "gone", "wildcard"].iter().any(|quality| owner["quality"] == *quality), "{owner}");
    let holders: Vec<&Value> = array(owner, "holders").iter().map(|holder| &holder["pid"]).collect();
    assert_eq!(holders, [&Value::from(server.pid())], "{owner}");
    assert!(array(owner, "holders")[0]["program"].as_str().unwrap().contains("python"), "{owner}");

    assert_eq!(array(&traffic, "sources"), ["va"]);
    assert_eq!((&traffic["volume"]["flows"], &traffic["exit_status"]), (&1.into(), &0.into()));
    let codes: Vec<&Value> = array(&traffic, "findings").iter().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&"protocol-mismatch".into()), "{codes:?}");
}

#[test]
fn the_ends_of_a_flow_are_named_with_how_well_they_fit() {
    if !possible("the holders of flows", &[]) {
        return;
    }
    let stage = Stage::new("owners");
    let server = stage.plant(
        "s = tcp(420, '0.0.0.0'); tell(); peer, _ = s.accept(); peer.recv(4096)\n\
         peer.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n'); peer.recv(4096); peer.close(); wait()",
    );
    let bound = stage.plant(&format!("{HTTP}\nfor port in (421, 422, 423): http(tcp(port))\nready()"));
    let mut watch = Watch::begin(&stage, &["--json", "-i", "lo"]);
    // One that stays connected over some looks is named by both ends.
    let mut client = stage.plant(
        "s = socket.create_connection(('127.0.0.1', 420)); s.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n'); s.recv(4096); tell()\n\
         sys.stdin.readline(); s.close(); wait()",
    );
    watch.event(is_finding);
    for port in [422, 423] {
        // Each is told half a second after the one before, at the earliest.
        ask(&stage, "127.0.0.1", port);
        let title = format!("127.0.0.1:{port}/tcp speaks");
        watch
            .event(|event| is_finding(event) && event["finding"]["title"].as_str().unwrap().contains(&title));
    }
    // Others come and go between two looks.
    for _ in 0..3 {
        ask(&stage, "127.0.0.1", 421);
    }
    client.say("close");
    let (events, _) = watch.summary();
    let flows: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "flow").map(|event| &event["flow"]).collect();
    let to = |port: u16| flows.iter().filter(move |flow| flow["server"]["port"] == port);
    let long = to(420).next().unwrap();
    for (end, planter) in [("client", &client), ("server", &server)] {
        let owner = &long[end]["owner"];
        assert!(owner["quality"] == "exact" || owner["quality"] == "gone", "{end}: {owner}");
        assert_eq!(array(owner, "holders")[0]["pid"], planter.pid(), "{end}: {owner}");
    }
    assert_eq!(to(421).count(), 3);
    for flow in to(421) {
        let server = &flow["server"]["owner"];
        assert!(
            ["exact", "gone", "listener"].iter().any(|quality| server["quality"] == *quality),
            "{server}"
        );
        assert_eq!(array(server, "holders")[0]["pid"], bound.pid(), "{server}");
        // Who asked may be gone before anybody looked: that is said, and nobody else is named.
        let asked = &flow["client"]["owner"];
        let unseen = asked["quality"] == "none" && array(asked, "holders").is_empty();
        assert!(unseen || asked["quality"] == "exact" || asked["quality"] == "gone", "{asked}");
    }
}

#[test]
fn people_see_lines_and_the_summary_when_they_end_it() {
    if !possible("a watch for people", &[]) {
        return;
    }
    let stage = Stage::new("lines");
    let server = http_on_420(&stage);
    let mut watch = Watch::begin(&stage, &["-i", "lo"]);
    ask(&stage, "127.0.0.1", 420);
    let line = watch.until(|line| line.starts_with("warning "));
    assert!(line.contains("protocol-mismatch: 127.0.0.1:420/tcp speaks HTTP"), "{line}");
    let (lines, _, status) = watch.end();
    assert_eq!(status, 0);
    let text = lines.join("\n");
    let flow = lines.iter().find(|line| line.contains("→ 127.0.0.1:420")).unwrap();
    assert!(flow.contains("http") && flow.contains(&format!("[{}]", server.pid())), "{flow}");
    for words in ["420/tcp", "smpte? silent", "1 service", "lo: "] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    // A finding may also be what it fails by, and a time may end it.
    let mut watch = Watch::begin(
        &stage,
        &["-i", "lo", "--only", "findings", "--fail-on", "warning", "--filter", "port 420", "--port", "420"],
    );
    ask(&stage, "127.0.0.1", 420);
    watch.until(|line| line.contains("protocol-mismatch"));
    let (lines, _, status) = watch.end();
    assert_eq!(status, 1);
    assert!(!lines.iter().any(|line| line.contains("→")), "{lines:?}");
    let ended = stage.run(&["watch", "-i", "lo", "--duration", "0.1"]);
    assert_eq!(crate::support::status(&ended), 0, "{}", err(&ended));
    assert!(out(&ended).contains("Nobody spoke"), "{}", out(&ended));
}

#[test]
fn events_and_evidence_of_a_watch() {
    if !possible("the evidence of a watch", &[]) {
        return;
    }
    let stage = Stage::new("spool");
    let _server = http_on_420(&stage);
    let written = stage.home.0.join("evidence.pcapng");
    let mut watch = Watch::begin(&stage, &["--json", "-i", "lo", "--write", written.to_str().unwrap()]);
    ask(&stage, "127.0.0.1", 420);
    watch.event(is_finding);
    let (lines, complaints, status) = watch.end();
    assert_eq!(status, 0);
    assert!(complaints.contains("packets written to"), "{complaints}");
    assert!(lines.iter().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let read = stage.run(&["read", "--json", written.to_str().unwrap()]);
    let document: Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(array(&document, "services")[0]["recognised"]["protocol"], "http");
    let refused = stage.run(&["watch", "-i", "lo", "--write", "/no/such/folder/e.pcapng"]);
    assert_eq!(crate::support::status(&refused), 2);
    assert!(err(&refused).contains("cannot write /no/such/folder"), "{}", err(&refused));
}

/// Sends so many datagrams over the cable, and rests for so many seconds after every 32.
fn flood(stage: &Stage, frames: u64, rest: &str) {
    let program = "import socket,sys,time\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n\
                   s.connect(('10.9.0.2',9999))\nfor sent in range(int(sys.argv[1])):\n s.send(b'x'*900)\n \
                   if sent % 32 == 0: time.sleep(float(sys.argv[2]))";
    let output = stage
        .command(&[PYTHON, "-c", program, &frames.to_string(), rest])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", err(&output));
}

#[test]
fn at_a_moderate_load_nothing_is_dropped_where_tcpdump_drops_nothing() {
    if !possible("a watch beside tcpdump", &["tcpdump"]) {
        return;
    }
    const FRAMES: u64 = 20_000;
    let (one, two) = cable("beside");
    let _sink = two.plant("s = udp(9999, '0.0.0.0'); ready()");
    let file = two.home.0.join("beside.pcap");
    let filter = "udp dst port 9999";
    let mut tcpdump = two
        .command(&["tcpdump", "-i", "vb", "-Z", "root", "-w", file.to_str().unwrap(), filter])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(tcpdump.stderr.take().unwrap()).lines();
    while !said.next().unwrap().unwrap().contains("listening on") {}
    let watch = Watch::begin(&two, &["--json", "-i", "vb", "--filter", filter]);
    flood(&one, FRAMES, "0.001");
    let (_, traffic) = watch.summary();
    Command::new("kill").args(["-INT", &tcpdump.id().to_string()]).status().unwrap();
    let said: Vec<String> = said.map(Result::unwrap).collect();
    tcpdump.wait().unwrap();
    // What it had not read when it was told to end, it has received all the same.
    if !said.iter().any(|line| line.starts_with("0 packets dropped by kernel")) {
        eprintln!("SKIPPED: tcpdump itself dropped packets: {said:?}");
        return;
    }
    assert!(said.iter().any(|line| *line == format!("{FRAMES} packets received by filter")), "{said:?}");
    assert_eq!((&traffic["volume"]["frames"], &traffic["volume"]["dropped"]), (&FRAMES.into(), &0.into()));
}

#[test]
fn under_overload_what_was_dropped_is_counted_exactly() {
    if !possible("a watch under overload", &[]) {
        return;
    }
    const FRAMES: u64 = 30_000;
    let (one, two) = cable("overload");
    let _sink = two.plant("s = udp(9999, '0.0.0.0'); ready()");
    let watch = Watch::begin(&two, &["--json", "-i", "vb", "--ring", "1M", "--filter", "udp dst port 9999"]);
    watch.signal("STOP");
    flood(&one, FRAMES, "0");
    watch.signal("CONT");
    let (_, traffic) = watch.summary();
    let count = |name: &str| traffic["volume"][name].as_u64().unwrap();
    assert!(count("dropped") > FRAMES / 2, "{}", traffic["volume"]);
    assert!(count("frames") > 100, "{}", traffic["volume"]);
    assert_eq!(count("frames") + count("dropped"), FRAMES, "{}", traffic["volume"]);
    let gap = array(&traffic, "gaps").iter().any(|gap| gap["what"].as_str().unwrap().contains("dropped"));
    assert!(gap, "{}", traffic["gaps"]);
    assert_eq!(traffic["exit_status"], 2, "what was not seen makes the look partial");
}

#[test]
fn datagrams_that_a_sender_hands_over_together_are_seen_one_by_one() {
    if !possible("a watch of a sender that hands over many datagrams at once", &[]) {
        return;
    }
    let (one, two) = cable("coalesced");
    one.sh("ip -6 addr add fd00::1/64 dev va nodad");
    two.sh("ip -6 addr add fd00::2/64 dev vb nodad");
    for (stage, interface) in [(&one, "va"), (&two, "vb")] {
        for (family, host) in [("AF_INET", "10.9.0.2"), ("AF_INET6", "fd00::2")] {
            let watch = Watch::begin(stage, &["--json", "-i", interface, "--filter", "udp dst port 9999"]);
            // SOL_UDP, UDP_SEGMENT: 1000 octets a datagram (udp(7)).
            let program = format!(
                "import socket\ns=socket.socket(socket.{family},socket.SOCK_DGRAM)\n\
                 s.setsockopt(17,103,1000)\nfor _ in range(30): s.sendto(b'x'*39500,('{host}',9999))"
            );
            let output = one.command(&[PYTHON, "-c", &program]).stdin(Stdio::null()).output().unwrap();
            assert!(output.status.success(), "{}", err(&output));
            let (_, traffic) = watch.summary();
            let headers = if family == "AF_INET" { 14 + 20 + 8 } else { 14 + 40 + 8 };
            let volume = &traffic["volume"];
            assert_eq!(volume["frames"], 30 * 40, "{interface} {family}: {volume}");
            assert_eq!(volume["wire_bytes"], 30 * (39_500 + 40 * headers), "{interface} {family}: {volume}");
        }
    }
}

#[test]
fn several_workers_see_each_frame_once() {
    const FRAMES: u64 = 5_000;
    const FLOWS: u32 = 40;
    if !possible("several workers see each frame once", &["ip", "python3"]) {
        return;
    }
    let (one, two) = cable("workers");
    let _sink = two.plant("s = udp(9999, '0.0.0.0'); ready()");
    let _server = http_on_420(&two);
    let filter = "udp dst port 9999 or tcp port 420";
    let words = ["-i", "vb", "--json", "--no-holders", "--workers", "3", "--filter", filter];
    let watch = Watch::begin(&two, &words);
    for _ in 0..FLOWS {
        ask(&one, "10.9.0.2", 420);
    }
    flood(&one, FRAMES, "0");
    let (events, traffic) = watch.summary();
    let services = array(&traffic, "services");
    let http = services.iter().find(|service| service["recognised"]["protocol"] == "http").unwrap();
    assert_eq!(http["flows"], FLOWS, "{http}");
    let flood = traffic["volume"]["frames"].as_u64().unwrap()
        - http["tally"]["client_packets"].as_u64().unwrap()
        - http["tally"]["server_packets"].as_u64().unwrap();
    assert_eq!(flood + traffic["volume"]["dropped"].as_u64().unwrap(), FRAMES, "{}", traffic["volume"]);
    let flows =
        events.iter().filter(|event| event["event"] == "flow" && event["flow"]["server"]["port"] == 420);
    assert!(flows.count() <= FLOWS as usize);
}

#[test]
fn several_workers_write_one_file_of_evidence() {
    const FLOWS: u32 = 12;
    if !possible("the evidence of several workers", &[]) {
        return;
    }
    let (one, two) = cable("shares");
    let _server = http_on_420(&two);
    let written = two.home.0.join("evidence.pcapng");
    let filter = "tcp port 420 or udp port 9999";
    let place = written.to_str().unwrap();
    let words =
        ["-i", "vb", "--json", "--no-holders", "--workers", "3", "--filter", filter, "--write", place];
    let mut watch = Watch::begin(&two, &words);
    let _sink = two.plant("s = udp(9999, '0.0.0.0'); ready()");
    // Frames of other flows between those that are found, so that numbers are not what a worker counts by itself.
    for _ in 0..FLOWS {
        flood(&one, 50, "0");
        ask(&one, "10.9.0.2", 420);
    }
    watch.event(is_finding);
    let (lines, complaints, status) = watch.end();
    assert_eq!(status, 0);
    assert!(complaints.contains("packets written to"), "{complaints}");
    let summary: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    let live = array(&summary["traffic"], "services").iter().find(|it| it["port"] == 420).unwrap().clone();
    assert_eq!(live["flows"], FLOWS, "{live}");
    let read = two.run(&["read", "--json", place]);
    let document: Value = serde_json::from_slice(&read.stdout).unwrap();
    let services = array(&document, "services");
    let kept = services.iter().find(|it| it["port"] == 420).unwrap();
    // All that was seen of the place, no frame twice, and none of another worker's in its stead.
    assert_eq!((&kept["flows"], &kept["tally"]), (&live["flows"], &live["tally"]), "{kept}");
    assert_eq!(kept["recognised"]["protocol"], "http");
    assert!(array(&document, "faults").is_empty());
    // A number that is another frame's would have brought that one in.
    assert_eq!(services.len(), 1, "{services:?}");
    let bytes = std::fs::read(&written).unwrap();
    let said = b"protocol-mismatch: 10.9.0.2:420/tcp speaks HTTP";
    assert_eq!(bytes.windows(said.len()).filter(|part| part == said).count(), 1);
}

/// A set of capabilities, of every thread.
fn capabilities(pid: u32, name: &str) -> Vec<u64> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads
        .map(|thread| {
            let about = std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
            let line = about.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap()
        })
        .collect()
}

#[test]
fn rights_that_only_the_opening_needs_are_given_up() {
    if !possible("the rights of a watch", &[]) {
        return;
    }
    const NET_RAW: u64 = 1 << 13;
    const NET_ADMIN: u64 = 1 << 12;
    let stage = Stage::new("rights");
    let _server = http_on_420(&stage);
    for (words, may_look) in [(&["--json"][..], true), (&["--json", "--no-holders"], false)] {
        let mut watch = Watch::begin(&stage, words);
        let pid = watch.child.id();
        for name in ["CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"] {
            for set in capabilities(pid, name) {
                assert_eq!(set & (NET_RAW | NET_ADMIN), 0, "{words:?} {name} {set:x}");
                // What looking needs is five capabilities, and without looking it is none.
                assert!(set.count_ones() <= if may_look { 5 } else { 0 }, "{words:?} {name} {set:x}");
            }
        }
        assert!(capabilities(pid, "NoNewPrivs").iter().all(|value| *value == 1), "{words:?}");
        // It still sees.
        ask(&stage, "127.0.0.1", 420);
        watch.event(is_finding);
        let (events, _) = watch.summary();
        let flow = events.iter().find(|event| event["event"] == "flow").unwrap();
        assert_eq!(flow["flow"]["server"]["owner"].is_object(), may_look, "{flow}");
    }
}

#[test]
fn without_rights_it_says_what_is_missing_and_what_would_help() {
    if !possible("a watch without rights", &[]) {
        return;
    }
    let stage = Stage::new("norights");
    let binary = stage.home.0.join("portreeve");
    std::fs::copy(env!("CARGO_BIN_EXE_portreeve"), &binary).unwrap();
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    let words = [&nobody[..], &[binary.to_str().unwrap(), "watch", "-i", "lo"]].concat();
    let output = stage.command(&words).env("HOME", "/nonexistent").stdin(Stdio::null()).output().unwrap();
    assert_eq!((status(&output), out(&output)), (2, String::new()));
    for words in ["CAP_NET_RAW", "root", "portreeve read -"] {
        assert!(err(&output).contains(words), "{words}: {}", err(&output));
    }
    let unknown = stage.run(&["watch", "-i", "l0"]);
    assert_eq!(status(&unknown), 2);
    assert!(err(&unknown).contains("\"l0\"") && err(&unknown).contains("lo"), "{}", err(&unknown));
}

#[test]
fn another_namespace_is_watched_by_its_name() {
    if !possible("a watch of a named namespace", &[]) {
        return;
    }
    struct Named(String);
    impl Drop for Named {
        fn drop(&mut self) {
            let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
        }
    }
    let stage = Stage::new("byname");
    let named = Named(format!("portreeve-watch-{}", std::process::id()));
    stage.sh(&format!("ip netns add {0}; ip -n {0} link set lo up", named.0));
    let inside = ["ip", "netns", "exec", &named.0, PYTHON];
    let server = stage.plant_with(&inside, &format!("{HTTP}\ns = tcp(420, '127.0.0.1'); http(s); ready()"));
    // The same address and port where we run.
    let _ours = http_on_420(&stage);
    let mut watch = Watch::begin(&stage, &["--json", "--netns", &named.0, "-i", "lo"]);
    ask(&stage, "127.0.0.1", 420);
    let client = [&inside[..], &["-c", ASK, "127.0.0.1", "420"]].concat();
    assert!(stage.command(&client).stdin(Stdio::null()).status().unwrap().success());
    watch.event(is_finding);
    let (events, traffic) = watch.summary();
    assert_eq!(traffic["volume"]["flows"], 1, "what is said elsewhere is not on this wire");
    let flow = events.iter().find(|event| event["event"] == "flow").unwrap();
    assert_eq!(array(&flow["flow"]["server"]["owner"], "holders")[0]["pid"], server.pid(), "{flow}");
    let unknown = stage.run(&["watch", "--netns", "portreeve-wotch"]);
    assert_eq!(status(&unknown), 2);
    assert!(err(&unknown).contains("portreeve-wotch"), "{}", err(&unknown));
}
