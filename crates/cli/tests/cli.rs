//! The binary as people run it: it finds sockets that the test opens, refuses what is wrong, and keeps its exit status.
#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod support;

use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use support::{Home, err, out, status};

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn the_list_has_a_listener_of_ours_with_its_holder() {
    let home = Home::new("list");
    let (_listener, port) = listener();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp_port = udp.local_addr().unwrap().port();
    let output = home.run(&["list", "--json"]);
    assert!([0, 2].contains(&status(&output)), "{}", err(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["summary"]["exit_status"], status(&output));
    let sockets = document["sockets"].as_array().unwrap();
    for (kind, port) in [("tcp", port), ("udp", udp_port)] {
        let ours = sockets.iter().find(|socket| socket["kind"] == kind && socket["port"] == port).unwrap();
        assert_eq!(ours["scope"], "loopback");
        assert_eq!(ours["addr"], "127.0.0.1");
        assert_eq!(ours["state"], "listening");
        let holders = ours["holders"].as_array().unwrap();
        assert!(holders.iter().any(|holder| holder["pid"] == std::process::id()), "{ours}");
        let processes = document["processes"].as_array().unwrap();
        let process = processes.iter().find(|process| process["pid"] == std::process::id()).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert_eq!(process["exe"]["path"], exe.to_str().unwrap());
    }
}

#[test]
fn filters_and_switches_reach_the_machine() {
    let home = Home::new("filter");
    let (_listener, port) = listener();
    let count = |words: &[&str]| {
        let mut all = vec!["list", "--json"];
        all.extend_from_slice(words);
        let document: Value = serde_json::from_slice(&home.run(&all).stdout).unwrap();
        document["sockets"].as_array().unwrap().len()
    };
    let port = format!("port={port}");
    let pid = format!("pid={}", std::process::id());
    assert_eq!(count(&["-tl4", &port, &pid, "scope=loopback"]), 1);
    assert_eq!(count(&["-u", &port]), 0);
    assert_eq!(count(&[&port, "scope!=loopback"]), 0);
    assert_eq!(count(&["-6", &port, &pid]), 0);
}

#[test]
fn a_port_has_a_page_used_or_not() {
    let home = Home::new("page");
    let (_listener, port) = listener();
    let page = out(&home.run(&[&port.to_string()]));
    assert!(page.contains(&format!("[{}]", std::process::id())), "{page}");
    assert!(page.contains("127.0.0.1") && page.contains("On paper") && page.contains("Verdict"), "{page}");

    let unused = out(&home.run(&["port", "420/sctp"]));
    assert!(unused.contains("420/sctp") && unused.contains("Nothing listens"), "{unused}");
    let json: Value = serde_json::from_slice(&home.run(&["420", "--json"]).stdout).unwrap();
    assert_eq!(json["ports"][0]["port"], 420);
    assert_eq!(json["ports"][0]["transports"][0]["assignments"][0]["name"], "smpte");
    let ssh = out(&home.run(&["ssh"]));
    assert!(ssh.contains("Port 22"), "{ssh}");
}

#[test]
fn a_wrong_command_line_is_64_and_says_what_is_right() {
    let home = Home::new("usage");
    for (words, hint) in [
        (&["70000"][..], "65535"),
        (&["--json", "check"], "check"),
        (&["list", "colour=red"], "scope"),
        (&["list", "--colour"], "--color"),
        (&["no-such-service"], "registry search"),
        (&["explain", "exe-deletd"], "exe-deleted"),
        (&["check", "--fail-on", "panic"], "warning"),
    ] {
        let output = home.run(words);
        assert_eq!(status(&output), 64, "{words:?} {}", err(&output));
        assert!(err(&output).contains(hint), "{words:?} {}", err(&output));
        assert!(output.stdout.is_empty(), "{words:?}");
    }
}

#[test]
fn a_broken_registry_is_refused_and_changes_nothing() {
    let home = Home::new("registry");
    let broken = home.file("broken.csv", "Service Name,Port Number\nhttp,ninety\n");
    let output = home.run(&["registry", "import", broken.to_str().unwrap()]);
    assert_eq!(status(&output), 2);
    assert!(
        err(&output).contains("line ") && err(&output).contains("nothing was changed"),
        "{}",
        err(&output)
    );
    assert!(!home.0.join("data/portreeve").exists());
    let found = home.run(&["registry", "search", "smpte"]);
    assert_eq!(status(&found), 0);
    assert!(out(&found).contains("420/tcp"), "{}", out(&found));
    assert_eq!(status(&home.run(&["registry", "search", "no such words anywhere"])), 1);
}

#[test]
fn an_imported_registry_counts_until_it_is_reset() {
    let home = Home::new("import");
    let csv = home.file(
        "ports.csv",
        "Service Name,Port Number,Transport Protocol,Description,Assignee,Contact,Registration Date,Modification Date,\
         Reference,Service Code,Unauthorized Use Reported,Assignment Notes\n\
         lighthouse,420,tcp,Harbour lights,[Reeve],[Reeve],2026-01-01,,,,,\n",
    );
    let output = home.run(&["registry", "import", csv.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    let shown = out(&home.run(&["registry", "show", "420/tcp"]));
    assert!(shown.contains("lighthouse") && !shown.contains("smpte"), "{shown}");
    assert_eq!(status(&home.run(&["registry", "reset"])), 0);
    assert!(out(&home.run(&["registry", "show", "420/tcp"])).contains("smpte"));
}

#[test]
fn a_damaged_table_is_told_and_the_built_in_one_is_used() {
    let home = Home::new("damaged");
    let folder = home.0.join("data/portreeve");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("registry.table"), "junk").unwrap();
    let output = home.run(&["list", "--json", "port=1"]);
    assert_eq!(status(&output), 2);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["registry"]["imported"], false);
    let gaps = document["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["area"] == "configuration"), "{gaps:?}");
}

#[test]
fn a_baseline_tells_the_difference_only() {
    let home = Home::new("baseline");
    let file = home.0.join("baseline.toml");
    let file = file.to_str().unwrap();
    let (_first, _) = listener();
    let learned = home.run(&["baseline", "learn", "--output", file]);
    assert!([0, 2].contains(&status(&learned)), "{}", err(&learned));
    assert_eq!(
        status(&home.run(&["baseline", "learn", "--output", file])),
        2,
        "a baseline is not overwritten"
    );

    let (second, port) = listener();
    let difference = || -> Vec<Value> {
        let output = home.run(&["baseline", "diff", "--baseline", file, "--json"]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        document["changes"].as_array().unwrap().clone()
    };
    // Other tests open and close listeners of the same program at the same time; only ours is looked for.
    let ours = |changes: &[Value]| {
        let door = format!("tcp {port} ");
        changes.iter().any(|change| change["after"].as_str().is_some_and(|after| after.contains(&door)))
    };
    let seen = difference();
    if !seen.is_empty() && !ours(&seen) {
        eprintln!("SKIPPED: ephemeral ports are one entry in this baseline");
        return;
    }
    drop(second);
    assert!(!ours(&difference()));
}

#[test]
fn a_wrong_policy_stops_a_check_with_its_place() {
    let home = Home::new("policy");
    let policy = home.file("policy.toml", "[[allow]]\nport = \"many\"\n");
    let output = home.run(&["check", "--policy", policy.to_str().unwrap()]);
    assert_eq!(status(&output), 2);
    assert!(err(&output).contains("policy.toml:"), "{}", err(&output));
    let output = home.run(&["policy", "check", policy.to_str().unwrap()]);
    assert_eq!(status(&output), 2);
}

#[test]
fn check_writes_sarif_and_its_status_is_in_it() {
    let home = Home::new("sarif");
    let output = home.run(&["check", "--sarif", "--no-baseline"]);
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"][0]["invocations"][0]["exitCode"], status(&output));
    let never = home.run(&["check", "--fail-on", "never", "--no-baseline"]);
    assert!([0, 2].contains(&status(&never)));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let home = Home::new("pipe");
    let mut child = home
        .command()
        .args(["registry", "search", "e"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 16];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(err(&output), "");
}

#[test]
fn watching_writes_one_document_per_line() {
    let home = Home::new("watch");
    let mut child = home
        .command()
        .args(["list", "port=1", "--json", "--watch", "0.05"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    for _ in 0..3 {
        let document: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(document["schema_version"], 1);
    }
    drop(lines);
    // The next document finds nobody, and that is a good end.
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_binary_explains_itself() {
    let home = Home::new("about");
    let schema: Value = serde_json::from_slice(&home.run(&["schema"]).stdout).unwrap();
    assert!(schema["properties"]["sockets"].is_object());
    assert!(out(&home.run(&["completions", "bash"])).contains("_portreeve"));
    assert!(out(&home.run(&["man"])).starts_with(".ie"));
    assert!(out(&home.run(&["explain", "silent-port-in-use"])).contains("silent-port-in-use"));
    let pages = home.0.join("man");
    assert_eq!(status(&home.run(&["man", pages.to_str().unwrap()])), 0);
    assert!(pages.join("portreeve-check.1").is_file());
    for words in [&["--help"][..], &["list", "--help"], &["baseline", "learn", "--help"]] {
        let help = home.run(words);
        assert_eq!(status(&help), 0);
        assert!(out(&help).contains("Example"), "{words:?}");
    }
}

#[test]
fn names_from_others_cannot_speak_to_the_terminal() {
    let home = Home::new("escape");
    let python =
        ["/usr/bin/python3", "/usr/local/bin/python3"].into_iter().find(|path| Path::new(path).exists());
    let Some(python) = python else {
        eprintln!("SKIPPED: no python3 to run under another name");
        return;
    };
    let evil = home.0.join("x\u{1b}]0;owned\u{7}\u{202e}y");
    let program = "import socket,sys\ns=socket.socket();s.bind(('127.0.0.1',0));s.listen()\n\
                   print(s.getsockname()[1],flush=True)\nsys.stdin.read()";
    std::fs::copy(python, &evil).unwrap();
    let child = Command::new(&evil)
        .args(["-c", program])
        .env("PYTHONHOME", "/usr")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED: a copy of python3 does not start here");
        return;
    };
    let mut line = String::new();
    let mut reader = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
    if let Ok(port) = line.trim().parse::<u16>() {
        for words in [vec![format!("{port}")], vec![String::from("list"), format!("port={port}")]] {
            let output = home.command().args(&words).output().unwrap();
            let text = out(&output);
            assert!(text.contains("\\x1b]0;owned\\x07\\u{202e}y"), "{text}");
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\u{7}'));
        }
    } else {
        eprintln!("SKIPPED: a copy of python3 does not run here");
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn descriptions_are_linted_from_files_of_any_letters_and_from_standard_input() {
    use std::io::Write;
    let home = Home::new("lint");
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=K\u{e4}mera\r\nt=0 0\r\na=charset:ISO-8859-1\r\nm=audio 5004 RTP/AVP 0\r\n\
                c=IN IP4 192.0.2.9\r\n";
    // Every letter in one octet.
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let path = home.0.join("latin.sdp");
    std::fs::write(&path, &latin).unwrap();
    let missing = home.0.join("missing.sdp");
    let words = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let lint = ["media", "sdp", "lint", "--edition", "rfc", "--fail-on", "note"];
    let run = home.run(&[&lint[..], &[&words(&path)]].concat());
    assert_eq!((run.status.code(), run.stderr.as_slice()), (Some(0), &b""[..]), "{run:?}");
    let latin_text = String::from_utf8_lossy(&latin).replace("0 0\r\n", "0 0 \r\n");
    let spaced = home.file("spaced.sdp", &latin_text);
    let run = home.run(&[&lint[..], &["--csv", &words(&spaced)]].concat());
    let lines = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(lines.starts_with("file,line,code,severity,clause,text,next_step\r\n"), "{lines}");
    assert!(lines.contains(",4,line-space,warning,RFC 8866 §9,"), "{lines}");
    // One that is not there does not hide the other, and is not passed over.
    let run = home.run(&[&lint[..], &[&words(&missing), &words(&path)]].concat());
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stdout).contains("nothing to complain"), "{run:?}");
    assert!(String::from_utf8_lossy(&run.stderr).contains("missing.sdp"), "{run:?}");
    let mut child = home
        .command()
        .args([&lint[..], &["-"]].concat())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&latin[..20]).unwrap();
    let run = child.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(String::from_utf8_lossy(&run.stdout).contains("line-missing"));
    // Nothing can be sent to port 0.
    let run = home.run(&["media", "send", "audio", "--to", "192.0.2.9:0", "--duration", "1"]);
    assert_eq!(run.status.code(), Some(64), "{run:?}");
}

#[test]
fn a_look_at_clocks_says_where_it_could_not_look() {
    let home = Home::new("clocks");
    // The header of a capture, and the beginning of a record that never came.
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
    bytes.extend_from_slice(&[1, 0, 0, 0, 0, 0]);
    let path = home.0.join("cut.pcap");
    std::fs::write(&path, bytes).unwrap();
    for look in ["ls", "probe", "ptp"] {
        let run = home.run(&["media", look, path.to_str().unwrap()]);
        assert_eq!(run.status.code(), Some(2), "{look}: {run:?}");
        assert!(String::from_utf8_lossy(&run.stdout).contains("Not seen:"), "{look}: {run:?}");
    }
}
