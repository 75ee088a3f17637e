//! Syslog, the journal and mail, received by rsyslogd, journald, and a mailer's stand-in with Python's reader of mail.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use portreeve_engine::alerting::Alerting;

use crate::stage::{Folder, Running, machine, python, settings, sighting, tell, wait_until};

/// Two ports that are free now.
fn ports() -> (u16, u16, u16) {
    let tcp = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (udp, tcp(), tcp())
}

#[test]
fn rsyslogd_reads_what_we_say_by_every_way() {
    const TEST: &str = "rsyslogd_reads_what_we_say_by_every_way";
    let program = ["/usr/sbin/rsyslogd", "/sbin/rsyslogd"].into_iter().find(|it| Path::new(it).exists());
    let Some(program) = program else {
        eprintln!("SKIPPED: {TEST}: rsyslogd is not installed");
        return;
    };
    let folder = Folder::new();
    let (udp, tcp, tls) = ports();
    let (ca, cert, key) = (folder.path("ca.pem"), folder.path("ca.pem"), folder.path("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=logs"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &key, "-out", &cert])
        .output();
    let driver = Path::new("/usr/lib").read_dir().is_ok_and(|folders| {
        let names =
            |it: std::io::Result<fs::DirEntry>| it.ok().map(|it| it.path().join("rsyslog/lmnsd_gtls.so"));
        folders.filter_map(names).any(|it| it.exists())
    });
    let secure = driver && made.is_ok_and(|made| made.status.success());
    if !secure {
        eprintln!("SKIPPED: {TEST}: TLS: rsyslog-gnutls or openssl is not installed");
    }
    let out = folder.path("out");
    let local = folder.path("log");
    let (mut global, mut input) = (String::new(), String::new());
    if secure {
        global = format!(
            "global(DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{ca}\" \
             DefaultNetstreamDriverCertFile=\"{cert}\" DefaultNetstreamDriverKeyFile=\"{key}\")\n"
        );
        input = format!(
            "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{tls}\" StreamDriver.Name=\"gtls\" \
             StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"anon\" ruleset=\"out\" name=\"tls\")\n"
        );
    }
    let configuration = format!(
        "{global}module(load=\"imudp\")\nmodule(load=\"imtcp\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         template(name=\"all\" type=\"list\") {{ constant(value=\"{{\") \
         property(outname=\"by\" name=\"inputname\" format=\"jsonf\") constant(value=\",\") \
         property(outname=\"data\" name=\"structured-data\" format=\"jsonf\") constant(value=\",\") \
         property(outname=\"app\" name=\"app-name\" format=\"jsonf\") constant(value=\",\") \
         property(outname=\"id\" name=\"msgid\" format=\"jsonf\") constant(value=\",\") \
         property(outname=\"host\" name=\"hostname\" format=\"jsonf\") constant(value=\",\") \
         property(outname=\"pri\" name=\"pri\" format=\"jsonf\") constant(value=\",\") \
         property(outname=\"version\" name=\"protocol-version\" format=\"jsonf\") constant(value=\",\") \
         property(outname=\"time\" name=\"timereported\" dateFormat=\"rfc3339\" format=\"jsonf\") constant(value=\",\") \
         property(outname=\"text\" name=\"msg\" format=\"jsonf\") constant(value=\"}}\\n\") }}\n\
         ruleset(name=\"out\") {{ action(type=\"omfile\" file=\"{out}\" template=\"all\") }}\n\
         input(type=\"imudp\" address=\"127.0.0.1\" port=\"{udp}\" ruleset=\"out\" name=\"udp\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{tcp}\" ruleset=\"out\" name=\"tcp\")\n{input}\
         input(type=\"imuxsock\" socket=\"{local}\" ruleset=\"out\")\n"
    );
    let file = folder.write("rsyslog.conf", &configuration, 0o600);
    let pid = folder.path("pid");
    let running = Running::start(Command::new(program).args(["-n", "-C", "-f", &file, "-i", &pid]));
    let up = wait_until(|| {
        TcpStream::connect(("127.0.0.1", if secure { tls } else { tcp })).is_ok()
            && Path::new(&local).exists()
    });
    assert!(running.is_some() && up, "rsyslogd does not listen:\n{configuration}");
    let mut text = String::new();
    let mut add = |name: &str, more: &str| {
        text += &format!("[[alert]]\nname = \"{name}\"\nkind = \"syslog\"\nfacility = \"local0\"\n{more}\n");
    };
    add("udp", &format!("server = \"127.0.0.1:{udp}\""));
    add("tcp", &format!("server = \"127.0.0.1:{tcp}\"\ntransport = \"tcp\""));
    add("local", &format!("socket = \"{local}\""));
    if secure {
        add("tls", &format!("server = \"127.0.0.1:{tls}\"\ntransport = \"tls\"\nca-file = \"{ca}\""));
    }
    let alerting = Alerting::begin(&settings(&text), &machine()).unwrap();
    alerting.tell(&sighting("tcp 0.0.0.0:420 /usr/bin/nc"));
    alerting.tell(&sighting("tcp 0.0.0.0:421 /usr/bin/nc"));
    let ways = alerting.counts().len();
    let counts = alerting.finish(Duration::from_secs(20));
    assert!(counts.iter().all(|it| it.sent == 2), "{counts:?}");
    assert!(wait_until(|| folder.read("out").lines().count() >= ways * 2), "{}", folder.read("out"));
    let got: Vec<serde_json::Value> =
        folder.read("out").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for by in ["udp", "tcp", "tls"].into_iter().take(if secure { 3 } else { 2 }) {
        let of: Vec<_> = got.iter().filter(|it| it["by"] == by).collect();
        assert_eq!(of.len(), 2, "{by}: {got:?}");
        let first = of[0];
        assert_eq!((&first["app"], &first["id"]), (&"portreeve".into(), &"silent-port-in-use".into()));
        assert_eq!((&first["pri"], &first["version"]), (&"130".into(), &"1".into()));
        assert_eq!(
            (&first["host"], &first["time"]),
            (&"reeve.example".into(), &"2026-11-27T02:03:04.005006Z".into())
        );
        let data = first["data"].as_str().unwrap();
        assert!(data.contains("about=\"tcp 0.0.0.0:420 /usr/bin/nc\"") && data.ends_with("\"]"), "{data}");
        let text = first["text"].as_str().unwrap();
        assert!(text.trim_start().starts_with("[silent-port-in-use] alert: port 420/tcp"), "{text}");
        assert!(text.contains("\\x1b[2J\\u{202e}é\\nBcc"), "{text}");
    }
    let of_local: Vec<_> = got.iter().filter(|it| it["by"] == "imuxsock").collect();
    assert_eq!((of_local.len(), &of_local[0]["app"]), (2, &"portreeve".into()), "{got:?}");
}

#[test]
fn journald_keeps_every_field() {
    const TEST: &str = "journald_keeps_every_field";
    let program = ["/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald"];
    let program = program.into_iter().find(|it| Path::new(it).exists());
    let (Some(program), true) = (program, Command::new("journalctl").arg("--version").output().is_ok())
    else {
        eprintln!("SKIPPED: {TEST}: systemd-journald is not installed");
        return;
    };
    // A journal of its own, in a mount namespace that goes with it.
    let folder = Folder::new();
    let script = format!(
        "set -e; [ $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs ] || mount -t cgroup2 none /sys/fs/cgroup; \
         mkdir {0}/run; mount -t tmpfs none {0}/run; mount --rbind {0}/run /run; \
         mkdir -p /run/systemd/journal /run/log/journal; \
         setpriv --pdeathsig KILL {program} >/dev/null 2>&1 & echo started; \
         read line <{0}/pipe; kill $!; echo done",
        folder.0.display()
    );
    assert!(Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap().success());
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    let Some(mut running) = Running::start(&mut command) else { return };
    if !matches!(running.said.next(), Some(Ok(line)) if line == "started") {
        eprintln!("SKIPPED: {TEST}: no mount namespace (needs root)");
        return;
    }
    // The socket lies in the other namespace: it is reached through the process there.
    let inside = format!("/proc/{}/root/run/systemd/journal/socket", running.id());
    assert!(wait_until(|| Path::new(&inside).exists()), "journald did not start");
    let text = format!("[[alert]]\nname = \"j\"\nkind = \"journal\"\nsocket = \"{inside}\"\n");
    let alerting = Alerting::begin(&settings(&text), &machine()).unwrap();
    alerting.tell(&sighting("tcp 0.0.0.0:420 /usr/bin/nc"));
    // Longer than a datagram may be.
    let mut long = sighting("tcp 0.0.0.0:421 /usr/bin/nc");
    long.finding.evidence[0].fact = "x".repeat(400_000);
    alerting.tell(&long);
    let counts = alerting.finish(Duration::from_secs(20));
    assert_eq!((counts[0].sent, counts[0].last_error.as_deref()), (2, None));
    let kept = wait_until(|| {
        let inside = format!("/proc/{}/root/run/log/journal", running.id());
        let shown = Command::new("journalctl")
            .args(["-D", &inside, "-o", "json", "--no-pager", "--all", "-t", "portreeve"])
            .output()
            .unwrap();
        fs::write(folder.0.join("seen"), &shown.stdout).unwrap();
        folder.read("seen").lines().count() == 2
    });
    fs::write(folder.0.join("pipe"), "end\n").unwrap();
    assert!(kept, "{}", folder.read("seen"));
    let entries: Vec<serde_json::Value> =
        folder.read("seen").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = &entries[0];
    assert_eq!((&first["PRIORITY"], &first["PORTREEVE_CODE"]), (&"2".into(), &"silent-port-in-use".into()));
    assert_eq!(first["PORTREEVE_ABOUT"], "tcp 0.0.0.0:420 /usr/bin/nc");
    assert!(entries[1].to_string().len() > 400_000);
    assert_eq!(running.line(), "done");
}

/// Reads a letter as Python's own reader of mail does.
const READER: &str = r#"
import email, email.policy, json, sys
print(0)
letter = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(json.dumps({"names": letter.keys(), "subject": letter["Subject"], "to": letter["To"],
    "defects": [str(it) for it in letter.defects], "body": letter.get_content()}))
"#;

#[test]
fn a_letter_is_read_as_it_was_meant() {
    let folder = Folder::new();
    let letter = folder.path("letter");
    let script = format!("#!/bin/sh\necho \"$*\" >{}\nexec cat >{letter}\n", folder.path("arguments"));
    let mailer = folder.write("sendmail", &script, 0o700);
    let text = format!(
        "[[alert]]\nname = \"m\"\nkind = \"mail\"\nto = [\"root\", \"ops@example.com\"]\nsendmail = \"{mailer}\"\n\
         group-for = \"1h\"\n"
    );
    // It waits for more of its cause, and the end waits for nothing.
    let counts = tell(&text);
    assert_eq!((counts.sent, counts.last_error), (1, None));
    assert_eq!(folder.read("arguments"), "-t -oi\n");
    let Some((mut reader, _)) = python("a_letter_is_read_as_it_was_meant", READER, &[&letter]) else {
        return;
    };
    let got: serde_json::Value = serde_json::from_str(&reader.line()).unwrap();
    assert_eq!((&got["to"], &got["defects"]), (&"root, ops@example.com".into(), &serde_json::json!([])));
    let subject = got["subject"].as_str().unwrap();
    assert!(
        subject.starts_with("alert on reeve.example: port 420/tcp has a listener: say \"]\\ \\x1b"),
        "{subject}"
    );
    assert!(!got["names"].to_string().contains("Bcc"));
    let body = got["body"].as_str().unwrap();
    assert!(body.contains("Evidence    420 is assigned to smpte [IANA registry]\n"), "{body}");
    assert!(body.contains("\\nBcc: x@example.com"), "{body}");
}
