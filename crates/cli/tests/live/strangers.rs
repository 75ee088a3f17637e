//! Agreement with strangers: what ss, lsof and psutil show of the same namespace is here with the same processes, and
//! what is here and not there has a reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::array;
use crate::stage::{PYTHON, Planter, Stage, possible};

/// A door as every one of them can name it: transport, address, port.
type Door = (String, String, u16);
/// The processes that hold sockets of each door.
type Doors = BTreeMap<Door, BTreeSet<u64>>;

/// About three hundred sockets of every common kind, in three processes; the rest are connections and sockets that
/// nobody waits at.
const MIXED: [&str; 3] = [
    r#"
held = [tcp(20000 + n, "127.0.0.1") for n in range(60)] + [tcp(20100 + n, "0.0.0.0") for n in range(40)]
held += [udp(20000 + n, "127.0.0.1") for n in range(40)] + [udp(20100 + n, "0.0.0.0") for n in range(20)]
peers = [socket.create_connection(("127.0.0.1", 20000 + n)) for n in range(10)]
worker = fork(lambda: None)
ready(worker=worker)"#,
    r#"
held = [tcp(21000 + n, "::1") for n in range(40)] + [tcp(21100 + n, "::", only6=True) for n in range(20)]
held += [tcp(21200 + n, "::", only6=False) for n in range(20)]
held += [udp(21000 + n, "::1") for n in range(20)] + [udp(21100 + n, "::", only6=False) for n in range(10)]
held += [tcp(21300, "0.0.0.0", reuse=True), udp(21301, "0.0.0.0", reuse=True), tcp(21302, "0.0.0.0", device="lo")]
ready()"#,
    r#"
held = [tcp(21300, "0.0.0.0", reuse=True), udp(21301, "0.0.0.0", reuse=True), udp(21303, "239.9.9.9")]
idle = [tcp(22000 + n, "127.0.0.1", listen=False) for n in range(10)]
lite = [udp(22100, "0.0.0.0", protocol=136)]
raw = [socket.socket(socket.AF_INET, socket.SOCK_RAW, 1), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)]
chat = udp(22200); chat.connect(("127.0.0.1", 9))
ready()"#,
];

fn plant(stage: &Stage) -> Vec<Planter> {
    let mut planters: Vec<Planter> = MIXED.iter().map(|program| stage.plant(program)).collect();
    planters.extend(daemons(stage));
    planters
}

/// Servers that are installed here, each ready to serve.
fn daemons(stage: &Stage) -> Vec<Planter> {
    let installed = |program: &str| {
        let found = std::path::Path::new(program).exists();
        if !found {
            eprintln!("SKIPPED: {program} is not installed");
        }
        found
    };
    let folder = stage.home.0.to_str().unwrap();
    let mut all = Vec::new();
    if installed("/usr/bin/redis-server") {
        let words = [
            "/usr/bin/redis-server",
            "--port",
            "6379",
            "--bind",
            "127.0.0.1",
            "::1",
            "--save",
            "",
            "--dir",
            folder,
        ];
        all.push(stage.serve(&words, "eady to accept connections"));
    }
    if installed("/usr/sbin/nginx") {
        let configuration = format!(
            "daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log stderr notice; events {{}}\n\
             http {{ access_log off; server {{ listen 80; listen [::]:80; listen 127.0.0.1:8088; }} }}"
        );
        let file = stage.home.file("nginx.conf", &configuration);
        let words = ["/usr/sbin/nginx", "-p", folder, "-c", file.to_str().unwrap()];
        // The second worker is the last thing that it starts.
        let mut workers = 0;
        all.push(stage.serve_until(&words, move |line| {
            workers += usize::from(line.contains("start worker process "));
            workers == 2
        }));
    }
    if installed("/usr/sbin/sshd") {
        let key = format!("{folder}/key");
        stage.sh(&format!("mkdir -p /run/sshd && ssh-keygen -q -t ed25519 -N '' -f {key}"));
        let words = [
            "/usr/sbin/sshd",
            "-D",
            "-e",
            "-f",
            "/dev/null",
            "-o",
            "ListenAddress=127.0.0.1:2222",
            "-h",
            &key,
            "-o",
            "PidFile=none",
        ];
        all.push(stage.serve(&words, "Server listening on"));
    }
    all
}

/// One address in one form, whoever writes it.
fn address(text: &str) -> String {
    let text = text.trim_matches(['[', ']']);
    let text = text.split('%').next().unwrap_or(text);
    if text == "*" { "::".to_owned() } else { text.parse::<std::net::IpAddr>().unwrap().to_string() }
}

fn door(transport: &str, text: &str, port: &str) -> Door {
    (transport.to_owned(), address(text), port.parse().unwrap())
}

/// What `ss -tulpnH` says.
fn by_ss(stage: &Stage) -> Doors {
    let mut doors = Doors::new();
    for line in stage.sh("ss -tulpnH").lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (ip, port) = fields[4].rsplit_once(':').unwrap();
        let pids = line.split("pid=").skip(1).map(|rest| {
            rest.split(|byte: char| !byte.is_ascii_digit()).next().unwrap().parse::<u64>().unwrap()
        });
        doors.entry(door(fields[0], ip, port)).or_default().extend(pids);
    }
    doors
}

/// What `lsof -nP -i` says of listeners; a field per line.
fn by_lsof(stage: &Stage) -> Doors {
    let mut doors = Doors::new();
    let (mut pid, mut transport, mut name, mut v6) = (0, String::new(), String::new(), false);
    for line in stage.sh("lsof -nP -i -F ptPnT || test $? = 1").lines() {
        let (field, value) = line.split_at(1);
        match field {
            "p" => pid = value.parse().unwrap(),
            "f" => name.clear(),
            "t" => v6 = value == "IPv6",
            "P" => transport = value.to_ascii_lowercase(),
            "n" => value.clone_into(&mut name),
            _ => {}
        }
        let waits = match transport.as_str() {
            "tcp" => line == "TST=LISTEN",
            "udp" => field == "n" && !name.contains("->"),
            _ => false,
        };
        if !waits {
            continue;
        }
        let (ip, port) = name.rsplit_once(':').unwrap();
        let ip = match (ip, v6) {
            ("*", true) => "::",
            ("*", false) => "0.0.0.0",
            (ip, _) => ip,
        };
        if port != "*" {
            doors.entry(door(&transport, ip, port)).or_default().insert(pid);
        }
    }
    doors
}

/// What psutil says; of several holders it names one.
fn by_psutil(stage: &Stage) -> Option<Doors> {
    let program = "import json, psutil, socket\n\
         for c in psutil.net_connections('inet'):\n\
        \x20   stream = c.type == socket.SOCK_STREAM\n\
        \x20   if c.status == 'LISTEN' or (not stream and not c.raddr):\n\
        \x20       print(json.dumps(['tcp' if stream else 'udp', c.laddr[0], c.laddr[1], c.pid]))";
    let output = stage.command(&[PYTHON, "-c", program]).output().unwrap();
    if !output.status.success() {
        eprintln!("SKIPPED: {PYTHON} has no psutil");
        return None;
    }
    let mut doors = Doors::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let port = value[2].to_string();
        let door = door(value[0].as_str().unwrap(), value[1].as_str().unwrap(), &port);
        doors.entry(door).or_default().extend(value[3].as_u64());
    }
    Some(doors)
}

/// Why others do not show a row; `None` where they should.
fn explained(socket: &Value) -> Option<&'static str> {
    match (socket["kind"].as_str().unwrap(), socket["state"].as_str().unwrap()) {
        ("raw" | "packet", _) => Some("raw or packet"),
        ("udplite" | "mptcp" | "sctp" | "dccp", _) => Some("another transport"),
        (_, "bound") => Some("bound, not listening"),
        _ => None,
    }
}

#[test]
fn strangers_show_nothing_that_is_missing_here() {
    if !possible("agreement with strangers", &["ss", "lsof", "nft"]) {
        return;
    }
    let stage = Stage::new("strangers");
    let second = Stage::new("strangers-second");
    let _elsewhere = second.plant("s = tcp(23000, '0.0.0.0'); ready()");
    let planters = plant(&stage);
    stage
        .sh("nft 'add table ip nat; add chain ip nat before { type nat hook prerouting priority dstnat; }; \
              add rule ip nat before tcp dport 8443 dnat to 10.0.0.2:443'");

    let filter = format!("ns={},{}", stage.netns, second.netns);
    let document = stage.document(&["list", &filter]);
    let mut ours = Doors::new();
    let mut extra: BTreeMap<&str, usize> = BTreeMap::new();
    for socket in array(&document, "sockets") {
        if socket["netns"] != stage.netns {
            *extra.entry("another namespace").or_default() += 1;
            continue;
        }
        if let Some(reason) = explained(socket) {
            *extra.entry(reason).or_default() += 1;
            continue;
        }
        let door = door(
            socket["kind"].as_str().unwrap(),
            socket["addr"].as_str().unwrap(),
            &socket["port"].to_string(),
        );
        let pids = array(socket, "holders").iter().map(|holder| holder["pid"].as_u64().unwrap());
        ours.entry(door).or_default().extend(pids);
    }
    for forward in array(&document, "forwards") {
        assert_eq!((&forward["first"], &forward["to_port"]), (&8443.into(), &443.into()));
        *extra.entry("published without a socket").or_default() += 1;
    }
    assert!(ours.len() >= 280, "{}", ours.len());
    assert_eq!(planters.iter().filter(|planter| planter.told["pid"].is_u64()).count(), 3);

    // ss sees the same doors with the same holders, and no more.
    assert_eq!(ours, by_ss(&stage), "ss");

    // lsof knows nothing of a group that nobody joined, and names the same holders.
    let by_lsof = by_lsof(&stage);
    assert!(by_lsof.len() >= 280, "{}", by_lsof.len());
    for (door, pids) in &by_lsof {
        assert_eq!(ours.get(door), Some(pids), "lsof {door:?}");
    }
    for (door, pids) in by_psutil(&stage).into_iter().flatten() {
        let known = ours.get(&door).unwrap_or_else(|| panic!("psutil {door:?}"));
        assert!(pids.is_subset(known) && !pids.is_empty(), "psutil {door:?} {pids:?} {known:?}");
    }

    // Every row that they do not have is of a kind that they do not show.
    let reasons: Vec<(&str, usize)> = extra.into_iter().collect();
    assert_eq!(
        reasons,
        [
            ("another namespace", 1),
            ("another transport", 1),
            ("bound, not listening", 10),
            ("published without a socket", 1),
            ("raw or packet", 2),
        ]
    );
}

#[test]
fn servers_that_people_run_raise_nothing_false() {
    if !possible("real servers", &[]) {
        return;
    }
    let stage = Stage::new("servers");
    let daemons = daemons(&stage);
    let document = stage.document(&["check", "--own-netns", "--no-baseline"]);
    let findings: Vec<String> = array(&document, "findings")
        .iter()
        .map(|finding| format!("{}: {}", finding["code"].as_str().unwrap(), finding["title"]))
        .filter(|finding| !finding.starts_with("needless-privilege"))
        .collect();
    // On loopback and on ports of their own: nobody expects a word.
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(document["summary"]["exit_status"], 0);
    for daemon in &daemons {
        let pid = daemon.pid();
        assert!(array(&document, "processes").iter().any(|process| process["pid"] == pid), "{pid}");
    }
}
