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
    stage.sh("ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo src 127.0.0.1");
    let _quay = stage.plant(include_str!("groups.py"));
    let output = stage.run(&["media", "probe", "-i", "lo", "--duration", "6", "--json", "--no-progress"]);
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(&output)));
    let sessions = document["sessions"].as_array().unwrap();
    let streams = document["streams"].as_array().unwrap();
    for (kind, format) in [("video", "160x120"), ("audio", "L16 48 kHz 2 ch")] {
        let of_kind = |stream: &&Value| {
            let session = stream["session"].as_u64().and_then(|at| sessions.get(usize::try_from(at).ok()?));
            session.is_some_and(|it| it["name"].as_str().is_some_and(|name| name.ends_with(kind)))
                && stream["format_known_by"] == "session"
                && stream["format"]["text"].as_str().is_some_and(|text| text.starts_with(format))
        };
        let Some(stream) = streams.iter().find(of_kind) else { panic!("{kind}: {sessions:?} {streams:?}") };
        let leg = &sessions[usize::try_from(stream["session"].as_u64().unwrap()).unwrap()]["legs"][0];
        assert_eq!((&leg["address"], &leg["sources"][0]), (&"239.77.1.1".into(), &"127.0.0.1".into()));
    }
    assert!(!document["findings"].to_string().contains("source-not-agreed"), "{}", document["findings"]);
}
