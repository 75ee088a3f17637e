//! ST 2110-21 as a program of another hand computes it, by exact fractions in what tshark reads.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What the other program says of each frame or field; `None` where two of them would be read at once.
pub fn units(path: &Path, port: u16, rate: &str, scan: &str, height: u16, model: &str) -> Option<Vec<Value>> {
    let decode = format!("udp.port=={port},rtp");
    let fields = ["frame.time_epoch", "rtp.seq", "rtp.timestamp", "rtp.marker", "rtp.payload"];
    let mut tshark = Command::new("tshark");
    tshark.args(["-r", path.to_str().unwrap(), "-d", &decode, "-Y", "rtp", "-T", "fields"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    let mut tshark = tshark.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let program = include_str!("../media/pacing.py");
    let output = Command::new("/usr/bin/python3")
        .args(["-c", program, rate, scan, &height.to_string(), model])
        .stdin(tshark.stdout.take().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // A frame that began more than half a frame late: its reads would be the next one's.
    if said.contains("schedules do not overlap") {
        tshark.wait().unwrap();
        return None;
    }
    assert!(tshark.wait().unwrap().success() && output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}
