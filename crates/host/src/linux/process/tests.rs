//! Live processes that the tests start themselves, and a made tree for what this machine does not have.

use super::clock::clock_ns;
use super::*;
use model::Integrity;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

const ALL: Depth = Depth { sha256: false, integrity: true };

/// A child that waits for its standard input to close, and ends with the test.
struct Waiting(Child);

impl Waiting {
    fn start(command: &mut Command) -> Waiting {
        let child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let waiting = Waiting(child);
        waiting.wait_for_exec();
        waiting
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// `spawn` returns once execve has happened; this only makes sure that the arguments are in place.
    fn wait_for_exec(&self) {
        for _ in 0..10_000 {
            let own = std::fs::read("/proc/self/cmdline").unwrap();
            let theirs = std::fs::read(format!("/proc/{}/cmdline", self.pid())).unwrap();
            if !theirs.is_empty() && theirs != own {
                return;
            }
            std::thread::yield_now();
        }
        panic!("the child does not start");
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is gone when the test ends.
struct Made(PathBuf);

impl Made {
    fn new(name: &str) -> Made {
        let path = std::env::temp_dir().join(format!("portreeve-process-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Made(path.canonicalize().unwrap())
    }

    fn file(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A copy of `cat`, which waits for its input.
    fn program(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::copy("/bin/cat", &path).unwrap();
        path
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn one(reader: &mut Reader, pid: u32) -> Arc<Process> {
    reader.read(&[pid], &ALL).pop().unwrap()
}

fn exe_of(pid: u32) -> model::Exe {
    one(&mut Reader::new(), pid).exe.value().unwrap().clone()
}

#[test]
fn this_process_is_known_to_itself() {
    let pid = std::process::id();
    let process = one(&mut Reader::new(), pid);
    let exe = process.exe.value().unwrap();
    assert_eq!(Path::new(&exe.path), std::env::current_exe().unwrap());
    assert_eq!(exe.state, ExeState::Present);
    assert_eq!(process.cmdline.value().unwrap()[..], std::env::args().collect::<Vec<_>>()[..]);
    assert_eq!(Path::new(process.cwd.value().unwrap()), std::env::current_dir().unwrap());
    assert_eq!(process.user.value().unwrap().uid, rustix::process::geteuid().as_raw());
    assert_eq!(
        process.parents[0].pid,
        rustix::process::getppid().unwrap().as_raw_nonzero().get().unsigned_abs()
    );
    assert!(!process.hidden_from_proc);
    let age = clock_ns(rustix::time::ClockId::Realtime) - process.started.value().unwrap().as_ns();
    assert!((0..3_600_000_000_000).contains(&age), "{age}");
}

#[test]
fn deleted_replaced_and_deceptively_named_executables() {
    let made = Made::new("exe");
    let plain = made.program("plain");
    let child = Waiting::start(&mut Command::new(&plain));
    let mut reader = Reader::new();
    assert_eq!(one(&mut reader, child.pid()).exe.value().unwrap().state, ExeState::Present);
    std::fs::remove_file(&plain).unwrap();
    // The same reader sees the change.
    let exe = one(&mut reader, child.pid()).exe.value().unwrap().clone();
    assert_eq!((exe.state, Path::new(&exe.path)), (ExeState::Deleted, plain.as_path()));
    made.program("plain");
    assert_eq!(exe_of(child.pid()).state, ExeState::Replaced);

    let named = made.program("odd (deleted)");
    let child = Waiting::start(&mut Command::new(&named));
    let exe = exe_of(child.pid());
    assert_eq!((exe.state, Path::new(&exe.path)), (ExeState::Present, named.as_path()));
    std::fs::remove_file(&named).unwrap();
    let exe = exe_of(child.pid());
    assert_eq!((exe.state, Path::new(&exe.path)), (ExeState::Deleted, named.as_path()));
}

#[test]
fn an_executable_without_a_file() {
    let file = rustix::fs::memfd_create("ghost", rustix::fs::MemfdFlags::empty()).unwrap();
    let content = std::fs::read("/bin/cat").unwrap();
    let mut left = content.as_slice();
    while !left.is_empty() {
        left = &left[rustix::io::write(&file, left).unwrap()..];
    }
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let child = Waiting::start(&mut Command::new(path));
    let process = one(&mut Reader::new(), child.pid());
    let exe = process.exe.value().unwrap();
    assert_eq!((exe.state, exe.path.as_str()), (ExeState::Memfd, "/memfd:ghost"));
    assert_eq!(process.package, Seen::Absent);
    assert!(!exe.temporary);
}

#[test]
fn places_where_everybody_can_write() {
    let made = Made::new("writable");
    let program = made.program("open");
    let child = Waiting::start(&mut Command::new(&program));
    let private = exe_of(child.pid());
    assert_eq!((private.temporary, private.world_writable), (made.0.starts_with("/tmp"), false));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(exe_of(child.pid()).world_writable);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&made.0, std::fs::Permissions::from_mode(0o1777)).unwrap();
    assert!(exe_of(child.pid()).world_writable);
}

#[test]
fn what_is_unchanged_is_not_read_again_and_what_changed_is() {
    let made = Made::new("again");
    let script = made.file("again.sh", "read x\nexec /bin/sh -c 'read y' second\n");
    let mut child = Waiting::start(Command::new("/bin/sh").arg(&script));
    let mut reader = Reader::new();
    let first = one(&mut reader, child.pid());
    // Young processes are read again; this one is declared old.
    reader.known.get_mut(&child.pid()).unwrap().settled = true;
    assert!(Arc::ptr_eq(&first, &one(&mut reader, child.pid())));
    let deeper = reader.read(&[child.pid()], &Depth { sha256: true, integrity: true }).pop().unwrap();
    assert!(deeper.exe.value().unwrap().sha256.is_some());
    reader.known.get_mut(&child.pid()).unwrap().settled = true;
    // The same file by another execve: only the arguments tell.
    std::io::Write::write_all(child.0.stdin.as_mut().unwrap(), b"go\n").unwrap();
    let second = (0..1_000_000)
        .map(|_| one(&mut reader, child.pid()))
        .find(|process| process.cmdline != first.cmdline)
        .expect("the change is seen");
    assert_eq!(second.cmdline.value().unwrap().last().unwrap(), "second");
    assert_eq!(second.started, first.started);
}

#[test]
fn preloads_are_told() {
    let made = Made::new("preload");
    let child = Waiting::start(
        Command::new(made.program("p")).env("LD_PRELOAD", "/nonexistent/a.so /nonexistent/b.so"),
    );
    let process = one(&mut Reader::new(), child.pid());
    let preload = process.preload.value().unwrap();
    assert!(
        preload.starts_with(&["/nonexistent/a.so".to_owned(), "/nonexistent/b.so".to_owned()]),
        "{preload:?}"
    );
}

#[test]
fn a_process_that_ended_keeps_its_row_and_a_zombie_says_so() {
    let mut child = Command::new("/bin/true").spawn().unwrap();
    let pid = child.id();
    let mut reader = Reader::new();
    let zombie =
        (0..1_000_000).map(|_| one(&mut reader, pid)).find(|process| process.exe.value().is_none()).unwrap();
    assert_eq!(zombie.exe, Seen::Hidden(Reason::Exited));
    assert_eq!(zombie.cmdline, Seen::Hidden(Reason::Exited));
    child.wait().unwrap();
    let rows = reader.read(&[pid, std::process::id(), pid], &ALL);
    assert_eq!(rows.len(), 2);
    assert!(rows.is_sorted_by_key(|process| process.pid));
    let row = rows.iter().find(|process| process.pid == pid).unwrap();
    assert_eq!((&row.exe, row.hidden_from_proc), (&Seen::Hidden(Reason::Exited), false));
}

#[test]
fn kernel_threads_have_no_executable_and_that_is_no_gap() {
    let Ok(stat) = std::fs::read("/proc/2/stat") else { return skip("no PID 2 here") };
    if !wire::proc_stat::parse(&stat).unwrap().is_kernel_thread() {
        return skip("PID 2 is no kernel thread here");
    }
    let mut reader = Reader::new();
    let process = one(&mut reader, 2);
    if rustix::process::geteuid().is_root() {
        assert_eq!((&process.exe, &process.package), (&Seen::Absent, &Seen::Absent));
        assert_eq!(reader.gaps(), []);
    }
    assert_eq!((&process.cmdline, &process.preload), (&Seen::Absent, &Seen::Absent));
}

#[test]
fn the_package_of_a_program_and_a_copy_that_has_none() {
    let Ok(owner) = Command::new("dpkg").args(["-S", "/bin/cat"]).output() else { return skip("no dpkg") };
    let made = Made::new("package");
    let mut child = Waiting::start(&mut Command::new("/bin/cat"));
    let process = one(&mut Reader::new(), child.pid());
    let package = process.package.value().unwrap();
    assert!(String::from_utf8_lossy(&owner.stdout).starts_with(&format!("{}:", package.name)), "{package:?}");
    assert_eq!((package.manager, package.integrity), (model::Manager::Dpkg, Integrity::Intact));
    let version =
        Command::new("dpkg-query").args(["-W", "-f", "${Version}", &package.name]).output().unwrap();
    assert_eq!(package.version.as_bytes(), version.stdout);
    child = Waiting::start(&mut Command::new(made.program("cat")));
    assert_eq!(one(&mut Reader::new(), child.pid()).package, Seen::Absent);
}

#[test]
fn digests_agree_with_the_coreutils() {
    let Ok(sum) = Command::new("sha256sum").arg("/bin/cat").output() else { return skip("no sha256sum") };
    let child = Waiting::start(&mut Command::new("/bin/cat"));
    let process =
        Reader::new().read(&[child.pid()], &Depth { sha256: true, integrity: false }).pop().unwrap();
    let hex: String =
        process.exe.value().unwrap().sha256.unwrap().iter().map(|b| format!("{b:02x}")).collect();
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(&hex));
}

#[test]
fn a_made_tree_of_containers_and_units() {
    const ID: &str = "4f1d2c3b4a5968778695a4b3c2d1e0f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
    let made = Made::new("tree");
    let stat = |pid: u32, comm: &str, parent: u32| {
        let rest = "0 0 0 0 4194560 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0 0".to_owned() + &" 0".repeat(28);
        format!("{pid} ({comm}) S {parent} {rest}\n")
    };
    for (pid, comm, parent, cgroup) in [
        (1, "systemd", 0, "0::/init.scope\n".to_owned()),
        (50, "dockerd", 1, "0::/system.slice/docker.service\n".to_owned()),
        (60, "nginx", 50, format!("0::/system.slice/docker-{ID}.scope\n")),
        (70, "loop", 70, "0::/user.slice/user-7.slice/user@7.service/app.slice/x.service\n".to_owned()),
        (80, "bad", 1, "nonsense\n".to_owned()),
    ] {
        made.file(&format!("proc/{pid}/stat"), stat(pid, comm, parent));
        made.file(&format!("proc/{pid}/status"), "Uid:\t7\t7\t7\t7\n");
        made.file(&format!("proc/{pid}/cgroup"), cgroup);
        made.file(&format!("proc/{pid}/cmdline"), format!("{comm}\0"));
        made.file(&format!("proc/{pid}/environ"), "");
        std::os::unix::fs::symlink(made.0.join("root"), made.0.join(format!("proc/{pid}/root"))).unwrap();
    }
    made.file("root/etc/passwd", "seven:x:7:7::/home/seven:\n");
    made.file("root/etc/ld.so.preload", "# /comment.so\n/lib/all.so\n");
    made.file(
        &format!("root/var/lib/docker/containers/{ID}/config.v2.json"),
        r#"{"Name":"/web","Config":{"Image":"nginx"}}"#,
    );
    let mut reader = Reader::with_roots(&made.0.join("proc"), &made.0.join("root"));
    let rows = reader.read(&[80, 70, 60, 1], &ALL);
    assert_eq!(rows.iter().map(|row| row.pid).collect::<Vec<_>>(), [1, 60, 70, 80]);
    let web = &rows[1];
    assert_eq!(web.parents.iter().map(|p| p.comm.as_str()).collect::<Vec<_>>(), ["dockerd", "systemd"]);
    let container = web.container.value().unwrap();
    assert_eq!((container.id.as_str(), container.name.value().unwrap().as_str()), (ID, "web"));
    assert_eq!(web.user.value().unwrap().name.as_deref(), Some("seven"));
    assert_eq!(web.preload.value().unwrap()[..], ["/lib/all.so"]);
    assert_eq!(rows[2].unit.value().unwrap(), &Unit { name: "x.service".into(), scope: UnitScope::User(7) });
    assert_eq!(rows[2].container, Seen::Absent);
    assert!(rows[2].parents.len() <= 1, "a process that is its own parent ends the chain");
    assert_eq!(
        (&rows[3].unit, &rows[3].container),
        (&Seen::Hidden(Reason::Damaged), &Seen::Hidden(Reason::Damaged))
    );
    assert!(reader.gaps().iter().any(|gap| gap.area == Area::Containers && gap.reason == Reason::Damaged));
}

#[test]
fn without_permission_facts_are_hidden_and_never_absent() {
    if !rustix::process::geteuid().is_root() {
        let process = one(&mut Reader::new(), 1);
        assert_eq!(process.exe, Seen::Hidden(Reason::NoPermission));
        assert_eq!(process.package, Seen::Hidden(Reason::NoPermission));
        assert_eq!(process.cwd, Seen::Hidden(Reason::NoPermission));
        assert_eq!(process.preload, Seen::Hidden(Reason::NoPermission));
        assert!(process.user.value().is_some() && process.cmdline.value().is_some());
        return;
    }
    // Root looks at it all: the same test runs again as nobody, from a copy that nobody may run.
    let made = Made::new("nobody");
    std::fs::set_permissions(&made.0, std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = made.0.join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let name = "linux::process::tests::without_permission_facts_are_hidden_and_never_absent";
    let run = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&copy)
        .args(["--exact", name])
        .current_dir("/")
        .output();
    let Ok(run) = run else { return skip("no setpriv") };
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn psutil_sees_the_same() {
    const SCRIPT: &str = "import psutil,json,sys\np=psutil.Process(int(sys.argv[1]))\n\
print(json.dumps([p.cmdline(),p.cwd(),p.username(),p.ppid(),p.exe(),p.create_time()]))";
    let made = Made::new("psutil");
    let child = Waiting::start(Command::new("/bin/cat").arg("-").current_dir(&made.0));
    let pid = child.pid().to_string();
    let Ok(run) = Command::new("/usr/bin/python3").args(["-c", SCRIPT, &pid]).output() else {
        return skip("no python3");
    };
    if !run.status.success() {
        return skip("no psutil");
    }
    let theirs: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let ours = one(&mut Reader::new(), child.pid());
    assert_eq!(serde_json::json!(ours.cmdline.value().unwrap()), theirs[0]);
    assert_eq!(serde_json::json!(ours.cwd.value().unwrap()), theirs[1]);
    assert_eq!(serde_json::json!(ours.user.value().unwrap().name), theirs[2]);
    assert_eq!(serde_json::json!(ours.parents[0].pid), theirs[3]);
    assert_eq!(serde_json::json!(ours.exe.value().unwrap().path), theirs[4]);
    let started = std::time::Duration::from_nanos(ours.started.value().unwrap().as_ns().unsigned_abs());
    assert!((started.as_secs_f64() - theirs[5].as_f64().unwrap()).abs() <= 2.0);
}

/// Figures for people: `cargo test --profile bench-dev -p portreeve-host -- --ignored --nocapture cost`.
#[test]
#[ignore = "prints figures; run it alone"]
fn cost_of_reading_many() {
    let made = Made::new("cost");
    let programs: Vec<PathBuf> = (0..4).map(|n| made.program(&format!("p{n}"))).collect();
    let children: Vec<Waiting> =
        (0..200).map(|n| Waiting::start(Command::new(&programs[n % 4]).arg("-"))).collect();
    let pids: Vec<u32> = children.iter().map(Waiting::pid).collect();
    let cpu = || clock_ns(rustix::time::ClockId::ProcessCPUTime) as f64 / 1e3;
    for depth in [Depth::default(), ALL] {
        let mut reader = Reader::new();
        let start = cpu();
        reader.read(&pids, &depth);
        let cold = cpu() - start;
        for entry in reader.known.values_mut() {
            entry.settled = true;
        }
        let start = cpu();
        for _ in 0..100 {
            reader.read(&pids, &depth);
        }
        let warm = (cpu() - start) / 100.0;
        eprintln!(
            "{depth:?}: cold {:.1} µs, warm {:.2} µs for each of {}",
            cold / 200.0,
            warm / 200.0,
            pids.len()
        );
    }
}

fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

#[test]
fn what_one_reader_learned_about_a_program_the_next_one_takes_from_disk() {
    let made = Made::new("cache");
    let program = made.program("cat");
    let child = Waiting::start(&mut Command::new(&program));
    let packaged = Waiting::start(&mut Command::new("/bin/cat"));
    let pids = [child.pid(), packaged.pid()];
    let read = || {
        let mut reader = Reader { cache: Cache::hasty(&made.0), ..Reader::new() };
        reader.read(&pids, &ALL).iter().map(|process| process.package.clone()).collect::<Vec<_>>()
    };
    let first = read();
    let kept = made.0.join("portreeve/executables");
    if first.contains(&Seen::Hidden(Reason::NotSupported)) {
        return eprintln!("SKIPPED: no package database");
    }
    assert_eq!(first[0], Seen::Absent);
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(text.contains(program.to_str().unwrap()), "{text}");
    assert_eq!(read(), first);
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), text);
    // What the file says is what is told: the databases were not asked.
    Cache::amend(&made.0, " none\n", " rpm intact made 1\n");
    assert_eq!(read()[0].value().map(|package| package.name.as_str()), Some("made"));
    // The program that runs is no longer the file at its path: only the databases can tell.
    std::fs::remove_file(&program).unwrap();
    assert_eq!(read()[0], Seen::Absent);
}
