//! The census in a namespace with three listeners: what is counted, and that the figure shows it.

use serde_json::Value;

use crate::stage::{Stage, possible};
use crate::support::{err, out, status};

const LISTENERS: &str = "
import socket
kept = []
for kind, port in ((socket.SOCK_STREAM, 420), (socket.SOCK_DGRAM, 4), (socket.SOCK_STREAM, 50123)):
    one = socket.socket(socket.AF_INET, kind)
    one.bind(('127.0.0.1', port))
    if kind == socket.SOCK_STREAM:
        one.listen()
    kept.append(one)
ready()
";

#[test]
fn a_machine_is_counted() {
    if !possible("the census", &[]) {
        return;
    }
    let stage = Stage::new("census");
    let _planted = stage.plant(LISTENERS);
    let output = stage.run(&["census", "--own-netns", "--json"]);
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(&output)));
    assert_eq!(document["exit_status"], status(&output));
    let used = |nth: usize| -> Vec<(u64, String)> {
        let ports = document["transports"][nth]["used"].as_array().unwrap().iter();
        ports.map(|it| (it["port"].as_u64().unwrap(), it["seat"].as_str().unwrap().to_owned())).collect()
    };
    assert_eq!(used(0), [(420, String::from("unexplained")), (50_123, String::from("taken"))]);
    assert_eq!(used(1), [(4, String::from("unlisted"))]);
    let first = &document["transports"][0];
    assert_eq!(first["well_known"][420], "unexplained");
    assert_eq!(first["used"][0]["registered"], "smpte");
    assert!(first["used"][0]["holders"][0].as_str().unwrap().starts_with("python3"), "{first}");

    let text = out(&stage.run(&["census", "--own-netns"]));
    assert!(text.contains("420/tcp") && text.contains("Candidates for reclaiming"), "{text}");
    let lines = out(&stage.run(&["census", "--own-netns", "--csv"]));
    assert!(lines.lines().any(|line| line.starts_with("udp,4,unassigned") && line.contains("unlisted")));
    let page = stage.home.0.join("census.html");
    let written = stage.run(&["census", "--own-netns", "--html", page.to_str().unwrap()]);
    assert!(written.stdout.is_empty(), "{}", out(&written));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("420/tcp smpte: used although its service is silent (python3"), "{page}");

    let none = stage.run(&["census", "--since", "30d"]);
    assert_eq!(status(&none), 2);
    assert!(err(&none).contains("there is no history") && none.stdout.is_empty(), "{}", err(&none));
    assert_eq!(status(&stage.run(&["census", "--since", "soon"])), 64);
}
