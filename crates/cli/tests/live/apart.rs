//! Processes and sockets that live apart: in namespaces that no process is in, with names, of processes, and with
//! files of their own.

use serde_json::Value;

use crate::document::{Names, array, rows};
use crate::stage::{KERNEL_PROGRAMS, PYTHON, Stage, possible};
use crate::support::{err, status};

/// The only child of a process.
fn child_of(pid: u64) -> u64 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.trim().parse().unwrap()
}

#[test]
fn a_namespace_without_a_process_is_known_by_its_socket() {
    if !possible("a namespace without a process", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("orphan");
    let planter = stage.plant(
        r#"
home = os.open("/proc/self/ns/net", os.O_RDONLY)
assert libc.unshare(0x40000000) == 0  # CLONE_NEWNET
left = os.stat("/proc/self/ns/net").st_ino
s = tcp(18701, "0.0.0.0")
assert libc.setns(home, 0x40000000) == 0
ready(left=left)"#,
    );
    let mut names = Names::default();
    names.name(stage.netns, "own").planter("leaver", &planter);
    let document = stage.document(&["list", &format!("pid={}", planter.pid())]);
    assert_eq!(rows(&document, &names), ["tcp 0.0.0.0:18701 ipv4 any listening left [leaver]"]);
    // Nor is it mixed up with the namespace that its holder is in now.
    let document = stage.document(&["list", "--own-netns"]);
    assert!(rows(&document, &names).is_empty());
}

#[test]
fn a_namespace_has_the_name_that_people_gave_it() {
    if !possible("a named namespace", &[KERNEL_PROGRAMS]) {
        return;
    }
    struct Named(String);
    impl Drop for Named {
        fn drop(&mut self) {
            let _ = std::process::Command::new("ip").args(["netns", "del", &self.0]).status();
        }
    }
    let stage = Stage::new("named");
    let named = Named(format!("portreeve-{}", std::process::id()));
    stage.sh(&format!("ip netns add {}", named.0));
    let planter =
        stage.plant_with(&["ip", "netns", "exec", &named.0, PYTHON], "s = tcp(18702, '0.0.0.0'); ready()");
    let document = stage.document(&["list", &format!("ns={}", named.0)]);
    let sockets = array(&document, "sockets");
    assert_eq!(sockets.len(), 1, "{sockets:?}");
    assert_eq!(sockets[0]["port"], 18702);
    assert_eq!(sockets[0]["holders"][0]["pid"], planter.pid());
    let known = array(&document, "namespaces");
    let namespace = known.iter().find(|namespace| namespace["inode"] == sockets[0]["netns"]).unwrap();
    assert_eq!(namespace["name"], named.0);
    assert_eq!(namespace["own"], false);
    assert_eq!(namespace["entered"], true);
}

#[test]
fn a_process_of_another_pid_namespace_has_the_number_that_it_has_here() {
    if !possible("another PID namespace", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("pids");
    let planter = stage.plant_with(
        &["unshare", "-pf", "--kill-child", "--mount-proc", PYTHON],
        "s = tcp(18703, '0.0.0.0'); ready()",
    );
    assert_eq!(planter.number("pid"), 1);
    let document = stage.document(&["list", "--own-netns"]);
    let mut names = Names::default();
    names.name(stage.netns, "own").name(child_of(planter.pid()), "inner");
    assert_eq!(rows(&document, &names), ["tcp 0.0.0.0:18703 ipv4 any listening own [inner]"]);
    assert_eq!(document["processes"][0]["exe"]["state"], "present");
}

#[test]
fn from_inside_a_pid_namespace_the_holders_outside_are_elsewhere() {
    if !possible("a look from inside a PID namespace", &[KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("inside");
    let _outside = stage.plant("s = tcp(18704, '0.0.0.0'); ready()");
    let words = ["unshare", "-pf", "--kill-child", "--mount-proc", env!("CARGO_BIN_EXE_portreeve")];
    let words = [&words[..], &["list", "--own-netns", "--json"]].concat();
    let output = stage.home.at_home(stage.command(&words)).output().unwrap();
    assert_eq!(status(&output), 2, "{}", err(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut names = Names::default();
    names.name(stage.netns, "own");
    assert_eq!(
        rows(&document, &names),
        ["tcp 0.0.0.0:18704 ipv4 any listening own [(other_pid_namespace)] holder-unknown:note"]
    );
}

#[test]
fn a_file_that_its_package_did_not_deliver() {
    if !possible("a modified package file", &["dpkg", KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("modified");
    let changed = stage.home.0.join("changed");
    let python = std::fs::canonicalize(PYTHON).unwrap();
    let python = python.to_str().unwrap();
    if !std::process::Command::new("dpkg").args(["-S", python]).output().unwrap().status.success() {
        eprintln!("SKIPPED: no package owns {python}");
        return;
    }
    // To this process alone, a changed file is where the package put its own.
    let planter = stage.plant_with(
        &[
            "unshare",
            "-m",
            "sh",
            "-ec",
            &format!(
                "cp {python} {0}; echo changed >> {0}; mount --bind {0} {python}; exec {python} \"$@\"",
                changed.to_str().unwrap()
            ),
            "sh",
        ],
        "s = tcp(18705, '0.0.0.0'); ready()",
    );
    let honest = stage.plant("s = tcp(18706, '0.0.0.0'); ready()");
    let document = stage.document(&["list", "--own-netns"]);
    let mut names = Names::default();
    names.name(stage.netns, "own").planter("changed", &planter).planter("honest", &honest);
    assert_eq!(
        rows(&document, &names),
        [
            "tcp 0.0.0.0:18705 ipv4 any listening own [changed] package-file-modified:alert",
            "tcp 0.0.0.0:18706 ipv4 any listening own [honest]",
        ]
    );
}

#[test]
fn a_library_that_was_put_in_from_outside() {
    if !possible("a preloaded library", &["gcc", KERNEL_PROGRAMS]) {
        return;
    }
    let stage = Stage::new("preload");
    let source = stage.home.file("empty.c", "int portreeve_was_here;\n");
    let library = stage.home.0.join("empty.so");
    let (source, library) = (source.to_str().unwrap(), library.to_str().unwrap());
    stage.sh(&format!("gcc -shared -fPIC -o {library} {source}"));
    let planter =
        stage.plant_with(&["env", &format!("LD_PRELOAD={library}"), PYTHON], "s = tcp(18707); ready()");
    let document = stage.document(&["list", "--own-netns"]);
    let mut names = Names::default();
    names.name(stage.netns, "own").planter("carrier", &planter);
    assert_eq!(
        rows(&document, &names),
        ["tcp 127.0.0.1:18707 ipv4 loopback listening own [carrier] preloaded-library:alert"]
    );
}
