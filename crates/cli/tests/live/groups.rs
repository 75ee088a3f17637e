//! Groups that a stranger agrees by RTSP are sessions, and explain what it sends there.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::stage::{PYTHON, Stage, possible};
use crate::support::err;

#[test]
fn groups_that_a_stranger_agrees_by_rtsp_are_sessions() {
    let has = ["-c", "import gi; gi.require_version('GstRtspServer', '1.0')"];
    let found = Command::new(PYTHON).args(has).stderr(Stdio::null()).status();
    if !found.is_ok_and(|found| found.success()) {
        eprintln!("SKIPPED: GStreamer's RTSP server (python3-gi, gir1.2-gst-rtsp-server-1.0) is not here");
        return;
    }
    if !possible("groups of RTSP", &[]) {
        return;
    }
    let stage = Stage::new("groups");
    stage.sh("ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo");
    let _quay = stage.plant(include_str!("groups.py"));
    let output = stage.run(&["media", "probe", "-i", "lo", "--duration", "6", "--json", "--no-progress"]);
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(&output)));
    let sessions = document["sessions"].as_array().unwrap();
    let streams = document["streams"].as_array().unwrap();
    for (kind, format) in [("video", "160x120"), ("audio", "L16 48 kHz 2 ch")] {
        let at = sessions.iter().position(|it| {
            it["known_by"] == "rtsp" && it["name"].as_str().is_some_and(|name| name.ends_with(kind))
        });
        let at = at.unwrap_or_else(|| panic!("{kind}: {sessions:?}"));
        let leg = &sessions[at]["legs"][0];
        assert_eq!(leg["address"], "239.77.1.1");
        assert_eq!(leg["sources"], serde_json::json!(["127.0.0.1"]));
        // What it sends there is what it said.
        let stream = streams.iter().find(|it| it["legs"][0]["destination_port"] == leg["port"]).unwrap();
        assert!(sessions[stream["session"].as_u64().unwrap() as usize]["known_by"] == "rtsp", "{stream}");
        assert!(stream["format"]["text"].as_str().unwrap().contains(format), "{}", stream["format"]);
        assert_eq!(stream["format_known_by"], "session");
    }
    assert!(!document["findings"].to_string().contains("stream-without-session"), "{}", document["findings"]);
}
