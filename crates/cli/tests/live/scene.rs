//! The planted scene: every kind of socket that people wonder about, each row with all its holders, its scope and its
//! verdict, and nothing false.

use serde_json::Value;

use crate::document::{Names, array, rows};
use crate::stage::{PYTHON, Planter, Stage, possible};
use crate::support::{err, out, status};

/// The planters of the scene, by the name that they have in the rows.
pub struct Scene {
    pub stage: Stage,
    pub second: Stage,
    pub planters: Vec<(&'static str, Planter)>,
}

impl Scene {
    pub fn plant(name: &str) -> Scene {
        let stage = Stage::new(name);
        let second = Stage::new(&format!("{name}-second"));
        let mut planters = vec![
            ("http", stage.plant(r#"answer(tcp(420), b"HTTP/1.1 200 OK\r\n\r\n"); ready()"#)),
            ("silent", stage.plant(r#"s = udp(420, "0.0.0.0"); ready()"#)),
            ("banner", stage.plant(r#"answer(tcp(8080, "0.0.0.0"), b"SSH-2.0-planted\r\n"); ready()"#)),
            ("parent", stage.plant(r#"s = tcp(18001, "0.0.0.0"); ready(child=fork(lambda: None))"#)),
            ("one", stage.plant(r#"s = tcp(18002, "0.0.0.0", reuse=True); ready()"#)),
            ("two", stage.plant(r#"s = tcp(18002, "0.0.0.0", reuse=True); ready()"#)),
            ("six", stage.plant(r#"s = tcp(9443, "::"); ready()"#)),
            ("bound", stage.plant(r#"s = tcp(7777, listen=False); ready()"#)),
            ("elsewhere", second.plant(r#"s = tcp(18003, "0.0.0.0"); ready()"#)),
            ("redis", stage.plant(r#"s = tcp(6379, "0.0.0.0"); ready()"#)),
            (
                "sniffer",
                stage.plant("s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); ready()"),
            ),
        ];
        let copy = stage.home.0.join("update-agent");
        std::fs::copy(std::fs::canonicalize(PYTHON).unwrap(), &copy).unwrap();
        let deleted = stage.plant_with(&[copy.to_str().unwrap()], r#"s = tcp(31337, "0.0.0.0"); ready()"#);
        std::fs::remove_file(&copy).unwrap();
        planters.push(("deleted", deleted));
        Scene { stage, second, planters }
    }

    pub fn names(&self) -> Names {
        let mut names = Names::default();
        names.name(self.stage.netns, "own").name(self.second.netns, "second");
        for (name, planter) in &self.planters {
            names.planter(name, planter);
        }
        names
    }

    /// A filter for the namespaces of the scene.
    pub fn filter(&self) -> String {
        format!("ns={},{}", self.stage.netns, self.second.netns)
    }
}

#[test]
fn every_row_of_the_scene_is_there_with_all_holders_and_nothing_false() {
    if !possible("the planted scene", &[]) {
        return;
    }
    let scene = Scene::plant("scene");
    let document = scene.stage.document(&["list", &scene.filter()]);
    let expected = [
        "packet -:3 link any listening own [sniffer] packet-socket:warning",
        "tcp 0.0.0.0:18001 ipv4 any listening own [child parent]",
        "tcp 0.0.0.0:18002 ipv4 any listening own [one]",
        "tcp 0.0.0.0:18002 ipv4 any listening own [two]",
        "tcp 0.0.0.0:18003 ipv4 any listening second [elsewhere]",
        "tcp 0.0.0.0:31337 ipv4 any listening own [deleted] exe-deleted:alert misuse-history:warning",
        "tcp 0.0.0.0:6379 ipv4 any listening own [redis] exposed-service:warning unexpected-holder:note",
        "tcp 0.0.0.0:8080 ipv4 any listening own [banner]",
        "tcp 127.0.0.1:420 ipv4 loopback listening own [http] silent-port-in-use:warning",
        "tcp 127.0.0.1:7777 ipv4 loopback bound own [bound]",
        "tcp :::9443 dual any listening own [six]",
        "udp 0.0.0.0:420 ipv4 any listening own [silent] silent-port-in-use:warning",
    ];
    assert_eq!(rows(&document, &scene.names()), expected);
    // From outside of both namespaces it is the same scene.
    let outside = scene.stage.home.run(&["list", &scene.filter(), "--json"]);
    let outside: Value = serde_json::from_slice(&outside.stdout).unwrap();
    assert_eq!(rows(&outside, &scene.names()), expected);

    // Each process is told once, with what it runs.
    let processes = array(&document, "processes");
    assert_eq!(processes.len(), 13);
    let exe = |name: &str| {
        let pid = scene.planters.iter().find(|(other, _)| *other == name).unwrap().1.pid();
        processes.iter().find(|process| process["pid"] == pid).unwrap()["exe"].clone()
    };
    assert_eq!(exe("http")["state"], "present");
    assert_eq!(exe("deleted")["state"], "deleted");
    let copy = scene.stage.home.0.join("update-agent");
    assert_eq!(exe("deleted")["path"], copy.to_str().unwrap());
    // Every finding rests on evidence and says what to do.
    for finding in array(&document, "findings") {
        assert!(!array(finding, "evidence").is_empty(), "{finding}");
        assert!(!finding["next_step"].as_str().unwrap().is_empty(), "{finding}");
    }
}

#[test]
fn the_scene_for_people() {
    if !possible("the planted scene for people", &[]) {
        return;
    }
    let scene = Scene::plant("people");
    let pid = |name: &str| scene.planters.iter().find(|(other, _)| *other == name).unwrap().1.pid();
    let list = scene.stage.run(&["list", "--own-netns", "--wide"]);
    assert_eq!(status(&list), 0, "everything in the namespace can be seen: {}", err(&list));
    let list = out(&list);
    let line = |port: &str| {
        let line = list.lines().find(|line| line.trim_start().starts_with(port));
        line.unwrap_or_else(|| panic!("{port} is missing:\n{list}")).to_owned()
    };
    for (port, words) in [
        ("420/tcp", &["loopback", "smpte?", "silent-port-in-use"][..]),
        ("420/udp", &["any", "smpte?", "silent-port-in-use"]),
        ("8080/tcp", &["any", "ok"]),
        ("7777/tcp", &["loopback", "ok"]),
        ("31337/tcp", &["update-agent", "alert", "exe-deleted"]),
        ("6379/tcp", &["redis", "exposed-service"]),
    ] {
        let line = line(port);
        assert!(words.iter().all(|word| line.contains(word)), "{words:?} {line}");
    }
    for name in ["parent", "sniffer", "one", "two", "six"] {
        assert!(list.contains(&format!("[{}", pid(name))), "{name}:\n{list}");
    }
    assert!(line("18001/tcp").contains(&scene.planters[3].1.number("child").to_string()), "{list}");

    let page = out(&scene.stage.run(&["420"]));
    for words in
        ["SMPTE", "0.0.0.0", "127.0.0.1", &format!("[{}]", pid("http")), &format!("[{}]", pid("silent"))]
    {
        assert!(page.contains(words), "{words}:\n{page}");
    }
    let page = out(&scene.stage.run(&["31337"]));
    assert!(page.contains("misuse") && page.contains("deleted"), "{page}");
}
