//! A socket that joined a group is explained by the description of its session, and rings without it.

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
