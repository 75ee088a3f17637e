//! A socket that joined a group is explained by the description of its session, and rings without it.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;

use crate::stage::{KERNEL_PROGRAMS, Stage, possible};
use crate::support::out;

const DESCRIPTION: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Camera 1\r\nt=0 0\r\n\
    m=audio 5004 RTP/AVP 97\r\nc=IN IP4 239.9.9.9/32\r\na=rtpmap:97 L24/48000/2\r\na=ptime:1\r\n";

fn socket(document: &Value) -> Value {
    let sockets = document["sockets"].as_array().unwrap();
    sockets.iter().find(|socket| socket["port"] == 5004).unwrap().clone()
}

fn rings(document: &Value) -> bool {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().any(|finding| finding["code"] == "group-without-session")
}

#[test]
fn a_joined_group_is_explained_by_its_description() {
    if !possible("joined groups", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("agreed");
    let path = stage.home.0.join("camera1.sdp");
    std::fs::write(&path, DESCRIPTION).unwrap();
    let sdp = path.to_str().unwrap();
    let _player = stage.plant(
        r#"
s = udp(5004, "0.0.0.0")
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.9.9.9") + socket.inet_aton("127.0.0.1"))
ready()
"#,
    );
    let without = stage.document(&["list", "--own-netns"]);
    assert!(rings(&without), "{}", without["findings"]);
    assert_eq!(socket(&without)["verdict"], "note");
    assert_eq!(socket(&without)["session"], Value::Null);

    let with = stage.document(&["list", "--own-netns", "--sdp", sdp]);
    assert!(!rings(&with), "{}", with["findings"]);
    assert_eq!(with["sessions"][0]["name"], "Camera 1");
    assert_eq!(socket(&with)["session"], 0);

    let text = out(&stage.run(&["list", "--own-netns", "--wide", "--sdp", sdp]));
    assert!(text.contains("'Camera 1' (sdp)"), "{text}");
    let page = out(&stage.run(&["5004", "--own-netns", "--sdp", sdp]));
    for expected in ["Sessions", "239.9.9.9:5004", "(joined the group)", "from anybody"] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
    let status = stage.run(&["check", "--own-netns", "--fail-on", "note", "port=5004", "--sdp", sdp]);
    assert!(!out(&status).contains("group-without-session"), "{}", out(&status));
}

/// Waits for a line that fits; the lines before it are given, too.
fn until(lines: &Receiver<String>, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        match lines.recv_timeout(Duration::from_secs(40)) {
            Ok(line) => {
                heard.push(line);
                if heard.last().is_some_and(|line| fits(line)) {
                    return heard;
                }
            }
            Err(_) => panic!("it was not said: {heard:?}"),
        }
    }
}

fn lines_of(from: impl Read + Send + 'static) -> Receiver<String> {
    let (to, lines) = mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| to.send(line))
    });
    lines
}

#[test]
fn a_registry_is_followed_while_it_is_away_while_it_tells_and_while_a_sender_moves() {
    if !possible("a registry that is followed", &["tcpdump"]) {
        return;
    }
    let stage = Stage::new("agreed-registry");
    stage.sh("ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo");
    let words = ["watch", "-i", "lo", "--json", "--no-sockets", "--nmos", "http://127.0.0.1:8235"];
    let mut all = vec![env!("CARGO_BIN_EXE_portreeve")];
    all.extend_from_slice(&words);
    let mut command = stage.home.at_home(stage.command(&all));
    let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (told, said) = (lines_of(watch.stdout.take().unwrap()), lines_of(watch.stderr.take().unwrap()));
    until(&said, |line| line.contains("http://127.0.0.1:8235 does not tell what is agreed"));

    let mut registry = stage.plant(include_str!("registry.py"));
    until(&said, |line| line.contains("do so again"));
    let us = env!("CARGO_BIN_EXE_portreeve");
    let send = ["media", "send", "audio", "--to", "239.1.1.2:5004", "-i", "lo", "--modest", "--no-progress"];
    let mut sender = stage.command(&[[us].as_slice(), &send, &["--duration", "60"]].concat());
    let mut sender = sender.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Only while it was explained can it be found to be no more.
    stage.sh("timeout 20 tcpdump -i lo -c 200 -w /dev/null udp port 5004 2>/dev/null");
    registry.say("move 239.1.1.3");
    let rings = |line: &str| line.contains("stream-without-session");
    let heard = until(&told, rings);
    // It came when the sender had moved away, and said so: a session is known.
    assert!(heard.last().unwrap().contains("\"severity\":\"warning\""), "{heard:?}");
    sender.kill().unwrap();
    sender.wait().unwrap();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &watch.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let summary = until(&told, |line| line.contains("\"summary\"")).pop().unwrap();
    watch.wait().unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let session = &summary["traffic"]["sessions"][0];
    assert_eq!(session["known_by"], "nmos", "{session}");
    assert_eq!(session["name"], "Camera 1 sound");
    assert_eq!(session["legs"][0]["address"], "239.1.1.3");
}
