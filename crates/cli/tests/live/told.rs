//! Servers that tell what is agreed: `list`, the page of a port and `check` ask them, and believe them as they believe a file.

use std::process::Stdio;

use serde_json::Value;

use crate::stage::{KERNEL_PROGRAMS, PYTHON, Planter, Stage, possible};
use crate::support::{err, out, status};

const RTSP: &str = "rtsp://127.0.0.1:8554";
const NMOS: &str = "http://127.0.0.1:8235";

/// Somebody who joined a group, and waits for its packets.
fn listener(stage: &Stage, group: &str) -> Planter {
    stage.plant(&format!(
        "s = udp(5004, '0.0.0.0')\n\
         member = socket.inet_aton('{group}') + socket.inet_aton('127.0.0.1')\n\
         s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)\n\
         ready()"
    ))
}

/// With these words the session is known in all three, and without them the group has none.
fn explains(stage: &Stage, words: &[&str], name: &str, known_by: &str, group: &str) {
    let rings = |document: &Value| {
        let findings = document["findings"].as_array().unwrap();
        findings.iter().any(|finding| finding["code"] == "group-without-session")
    };
    assert!(rings(&stage.document(&["list", "--own-netns"])));

    let list = stage.document(&[&["list", "--own-netns"], words].concat());
    assert!(!rings(&list), "{}", list["findings"]);
    let session = &list["sessions"][0];
    assert_eq!((&session["name"], &session["known_by"]), (&name.into(), &known_by.into()), "{session}");
    assert_eq!((&session["legs"][0]["address"], &session["legs"][0]["port"]), (&group.into(), &5004.into()));
    assert_eq!(session["formats"][0]["text"], "L24 48 kHz 2 ch 1 ms");
    let sockets = list["sockets"].as_array().unwrap();
    let socket = sockets.iter().find(|socket| socket["port"] == 5004).unwrap();
    assert_eq!((&socket["session"], &socket["verdict"]), (&0.into(), &"ok".into()), "{socket}");
    let text = out(&stage.run(&[&["list", "--own-netns", "--wide"], words].concat()));
    assert!(text.contains(&format!("'{name}' ({known_by})")), "{text}");

    let page = out(&stage.run(&[&["5004", "--own-netns"], words].concat()));
    for expected in [name, &format!("{group}:5004"), "(joined the group)"] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }

    let check = ["check", "--own-netns", "--no-baseline", "--fail-on", "note", "port=5004"];
    assert_eq!(status(&stage.run(&check)), 1);
    let told = stage.run(&[&check, words].concat());
    assert_eq!(status(&told), 0, "{}{}", out(&told), err(&told));
}

#[test]
fn an_rtsp_server_is_asked() {
    if !possible("an RTSP server that is asked", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("told-rtsp");
    let _server = stage.plant(include_str!("rtsp.py"));
    let _listener = listener(&stage, "239.9.9.9");
    // Where it is, where it was, and where one has to say who one is.
    for url in ["camera", "moved"].map(|path| format!("{RTSP}/{path}")) {
        explains(&stage, &["--rtsp", &url], "Camera 1: audio", "rtsp", "239.9.9.9");
    }
    let secret = "rtsp://operator:secret@127.0.0.1:8554/locked";
    explains(&stage, &["--rtsp", secret], "Camera 1: audio", "rtsp", "239.9.9.9");
    let told = stage.document(&["list", "--own-netns", "--rtsp", secret]);
    assert!(!told["sessions"].to_string().contains("secret"), "{}", told["sessions"]);

    // What was not told is said, without a password, and nothing is judged as if it had been.
    for (url, said, expected) in [
        ("rtsp://127.0.0.1:8554/none", "refuses with status 404", 2),
        ("rtsp://127.0.0.1:8554/locked", "asks for a name and a password", 2),
        ("rtsp://operator:wrong@127.0.0.1:8554/locked", "does not accept this name and password", 2),
        ("rtsp://127.0.0.1:8555/camera", "127.0.0.1:8555", 2),
        ("http://127.0.0.1:8554/camera", "not an address of the form rtsp://", 64),
    ] {
        for words in [&["list"][..], &["5004"], &["check", "--no-baseline"]] {
            let told = stage.run(&[words, &["--own-netns", "--rtsp", url]].concat());
            assert_eq!(status(&told), expected, "{words:?} {url}: {}", out(&told));
            assert!(err(&told).contains(said) && !err(&told).contains("wrong"), "{}", err(&told));
            assert_eq!(out(&told), "", "{words:?} {url}");
        }
    }
}

#[test]
fn an_nmos_registry_is_asked() {
    if !possible("an NMOS registry that is asked", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("told-nmos");
    let mut registry = stage.plant(include_str!("registry.py"));
    let _listener = listener(&stage, "239.1.1.2");
    explains(&stage, &["--nmos", NMOS], "Camera 1 sound", "nmos", "239.1.1.2");
    // A registry that has nothing explains nothing.
    registry.say("remove");
    let told = stage.document(&["list", "--own-netns", "--nmos", NMOS]);
    assert_eq!(told["sessions"], serde_json::json!([]), "{told}");
    drop(registry);
    for words in [&["list"][..], &["5004"], &["check", "--no-baseline"]] {
        let told = stage.run(&[words, &["--own-netns", "--nmos", NMOS]].concat());
        assert_eq!(status(&told), 2, "{words:?}: {}{}", out(&told), err(&told));
        assert!(err(&told).contains("127.0.0.1:8235"), "{}", err(&told));
    }
}

/// GStreamer's server, with a stream that it makes for whoever asks.
const GSTREAMER: &str = r#"
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("8554")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch("( audiotestsrc is-live=true samplesperbuffer=480 ! audio/x-raw,rate=48000,channels=2 ! audioconvert"
                   " ! rtpL24pay name=pay0 pt=96 min-ptime=1000000 max-ptime=1000000 )")
server.get_mount_points().add_factory("/sound", factory)
server.attach(None)
threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
ready()
"#;

/// Whether GStreamer's RTSP server is here.
fn serves_rtsp() -> bool {
    let asked =
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer";
    let told = std::process::Command::new(PYTHON).args(["-c", asked]).stderr(Stdio::null()).status();
    let is_here = told.is_ok_and(|told| told.success());
    if !is_here {
        eprintln!("SKIPPED: GStreamer's RTSP server needs gir1.2-gst-rtsp-server-1.0 and python3-gi");
    }
    is_here
}

#[test]
fn what_gstreamer_serves_is_asked_and_overheard() {
    if !possible("GStreamer's RTSP server", &["gst-launch-1.0", "tcpdump"]) || !serves_rtsp() {
        return;
    }
    let stage = Stage::new("told-gstreamer");
    let server = stage.plant(GSTREAMER);
    let url = format!("{RTSP}/sound");
    // Before somebody sets it up it goes nowhere, and what it is is known.
    let list = stage.document(&["list", "--own-netns", "--rtsp", &url]);
    let session = &list["sessions"][0];
    assert_eq!(
        (&session["known_by"], &session["legs"]),
        (&"rtsp".into(), &serde_json::json!([])),
        "{session}"
    );
    assert_eq!(session["formats"][0]["text"], "L24 48 kHz 2 ch");
    assert_eq!(status(&stage.run(&["check", "--own-netns", "--no-baseline", "--rtsp", &url])), 0);
    let door = &list["sockets"][0];
    assert_eq!((&door["port"], &door["holders"][0]["pid"]), (&8554.into(), &server.pid().into()));

    // A player sets it up; what both say is overheard, and so the stream on two dynamic ports is explained.
    let pcap = stage.home.0.join("heard.pcap");
    let dump = ["tcpdump", "-i", "lo", "-n", "-U", "--immediate-mode", "-w", pcap.to_str().unwrap()];
    let dump = stage.serve(&dump, "listening on");
    let location = format!("location={url}");
    let player =
        ["gst-launch-1.0", "-q", "rtspsrc", &location, "protocols=udp", "!", "identity", "eos-after=300"];
    let player =
        stage.command(&[&["timeout", "30"], &player[..], &["!", "fakesink"]].concat()).output().unwrap();
    drop(dump);
    let probe = stage.run(&["media", "probe", "--json", pcap.to_str().unwrap()]);
    let document: Value = serde_json::from_slice(&probe.stdout).unwrap();
    let streams = document["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 1, "{document}");
    assert_eq!((&streams[0]["session"], &streams[0]["format_known_by"]), (&0.into(), &"session".into()));
    assert_eq!(document["sessions"][0]["known_by"], "rtsp");
    let heard = streams[0]["legs"][0]["reception"]["packets"].as_u64().unwrap();
    // How it takes its leave is GStreamer's affair: it does not bear to be frozen for a moment.
    assert!(heard >= 100, "{heard}: {}", err(&player));
    let codes: Vec<&Value> =
        document["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    for wrong in ["stream-without-session", "source-not-agreed"] {
        assert!(!codes.iter().any(|code| *code == wrong), "{codes:?}");
    }
}
