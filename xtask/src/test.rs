//! Everything that is checked before a change is taken, in one command: what CI runs, and what a person runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::Outcome;
use crate::say::{installed, name, run as run_command, say, skip};

/// What tests and checks need of Debian, in the order of what is missed most.
const PACKAGES: &[&str] = &[
    // Agreement with strangers.
    "iproute2",
    "lsof",
    "procps",
    "python3-psutil",
    "netcat-openbsd",
    "nmap",
    "tcpdump",
    "tshark",
    // Scenes: forwards, packages, strangers' listeners.
    "nftables",
    "iptables",
    "rpm",
    "redis-server",
    "nginx",
    "openssh-server",
    "util-linux",
    // A terminal as people have it.
    "tmux",
    // Media: who sends, receives, serves and shows it.
    "ffmpeg",
    "gstreamer1.0-tools",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gir1.2-gst-rtsp-server-1.0",
    "python3-gi",
    "python3-pil",
    // Receivers of alerts.
    "openssl",
    "rsyslog",
    "rsyslog-gnutls",
    "systemd",
    // Packages and their pages.
    "binutils",
    "lintian",
    "rpmlint",
    "mandoc",
    "groff",
    "systemd-container",
    "podman",
    "runc",
    // Pages and metrics.
    "chromium",
    "chromium-driver",
    "prometheus",
    "python3-venv",
    "pngquant",
    // Kernel programs and fuzzing.
    "clang",
    "llvm",
    "g++",
    // Other systems.
    "wine",
    "wine64",
    "gcc-mingw-w64-x86-64",
    "musl-tools",
    "libunwind-14-dev",
];

/// What judges API and the server for assistants, in the versions that were tried: schemathesis, and the official client of MCP.
const JUDGES: &[&str] = &["schemathesis==4.32.5", "mcp==2.3.0"];
/// Has axe-core 4.12.1 in it, which judges pages; what it needs besides to drive a browser of its own is not wanted.
const AXE: &str = "axe-playwright-python==0.1.8";

/// How long each fuzz target runs here; a night is for longer.
const FUZZ_SECONDS: &str = "4";

/// How much of the output is shown where tests ended without a summary.
const LAST_LINES: usize = 100;

/// Runs every check; `--install` first installs what they need.
pub fn run(arguments: &[String]) -> Outcome {
    let known = ["--install", "--no-cross", "--no-fuzz", "--no-packages"];
    if let Some(unknown) = arguments.iter().find(|argument| !known.contains(&argument.as_str())) {
        return Err(format!("test: no option is named {unknown}; there are {}", known.join(", ")));
    }
    let asked = |option: &str| arguments.iter().any(|argument| argument == option);
    if asked("--install") {
        install();
        strangers();
    }
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Nobody edits between two steps: what a second build would reuse only takes room.
        cargo.args(arguments).current_dir(crate::root()).env("CARGO_INCREMENTAL", "0");
        cargo
    };
    let mut failed = Vec::new();
    let mut step = |what: &str, outcome: &mut dyn FnMut() -> Outcome| {
        say(&format!("== {what}"));
        let begun = Instant::now();
        let result = outcome();
        say(&format!(
            "== {what}: {}, {} s",
            if result.is_ok() { "ok" } else { "FAILED" },
            begun.elapsed().as_secs()
        ));
        if let Err(why) = result {
            // Told here, and again when all the rest has been told.
            say(&why);
            failed.push(format!("{what}: {why}"));
        }
    };
    let with = |arguments: &[&str]| run_command(&mut cargo(arguments));
    step("format", &mut || {
        with(&["fmt", "--all", "--check"])?;
        // cargo does not see the modules that a macro declares.
        run_command(
            Command::new("rustfmt")
                .args(["--edition", "2024", "--check"])
                .args(protocols()?)
                .current_dir(crate::root()),
        )
    });
    step("lints", &mut || {
        with(&["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"])
    });
    step("tests", &mut || {
        // What a passing test says is shown: that is where it says what it skipped.
        tests(cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--", "--show-output"]))
    });
    step("licences and sources", &mut crate::licence::check);
    // Through cargo: the tests have put another build into the place of the program that runs.
    step("registry tables", &mut || with(&["xtask", "registry", "--check"]));
    step("kernel programs", &mut || with(&["xtask", "bpf", "--check"]));
    if !asked("--no-packages") {
        // With the binary that the tests have built: no second build is worth its time here.
        let built = crate::target().join("debug/portreeve");
        let check = ["--check".to_owned(), "--binary".to_owned(), built.display().to_string()];
        step("packages", &mut || crate::dist::run(&check));
    }
    if !asked("--no-fuzz") {
        step("fuzzing", &mut || with(&["xtask", "fuzz", "--seconds", FUZZ_SECONDS]));
    }
    if !asked("--no-cross") {
        step("other systems", &mut || with(&["xtask", "cross"]));
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// The files of the protocols, which the list in their `mod.rs` declares.
fn protocols() -> Result<Vec<PathBuf>, String> {
    let mut folders = vec![crate::root().join("crates/traffic/src/protocol")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Runs the tests, and says at the end what cargo said of each crate: how many passed, and what was skipped.
fn tests(mut command: Command) -> Outcome {
    let output = command.stderr(std::process::Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{}: {error}", name(&command)))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let results: Vec<&str> = text.lines().filter(|line| line.starts_with("test result: ")).collect();
    let count = |word: &str| -> u64 {
        let numbers = results.iter().flat_map(|line| line.split([';', '.'])).filter_map(|part| {
            let mut words = part.split_whitespace().rev();
            (words.next() == Some(word)).then(|| words.next()?.parse::<u64>().ok()).flatten()
        });
        numbers.sum()
    };
    for line in &results {
        say(line);
    }
    let mut skipped: Vec<&str> = text.lines().filter(|line| line.starts_with("SKIPPED")).collect();
    skipped.sort_unstable();
    skipped.dedup();
    for line in skipped {
        say(line);
    }
    say(&format!(
        "tests: {} passed, {} failed, {} ignored",
        count("passed"),
        count("failed"),
        count("ignored")
    ));
    if !output.status.success() {
        return Err(format!("{}: {}\n{}", name(&command), output.status, failures(&text)));
    }
    if count("passed") == 0 { Err("no test ran".to_owned()) } else { Ok(()) }
}

/// What the tests that failed have said: it is told last, where a person looks first.
fn failures(text: &str) -> String {
    let mut told = String::new();
    for part in text.split("\nfailures:\n").skip(1) {
        // Each crate has two such parts: what was said, and the names again.
        if let Some((said, _)) = part.split_once("\n\ntest result: ").or(Some((part, ""))) {
            told.push_str(said.trim_end());
            told.push('\n');
        }
    }
    if told.is_empty() {
        // Whoever was ended by a signal had no time for a summary.
        let lines: Vec<&str> = text.lines().collect();
        told = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default().join("\n");
    }
    told
}

/// Installs what is missing, where we may; says what could not be had and goes on, for what needs it is then skipped.
fn install() {
    if !installed("apt-get") {
        skip("installing what tests need", "there is no apt-get here");
        return;
    }
    if !is_root() {
        skip("installing what tests need", &format!("not root; run: apt-get install {}", PACKAGES.join(" ")));
        return;
    }
    let missing: Vec<&str> = PACKAGES.iter().copied().filter(|package| !has_package(package)).collect();
    if missing.is_empty() {
        return;
    }
    say(&format!("installing {}", missing.join(" ")));
    let apt = |arguments: &[&str]| {
        run_command(
            Command::new("apt-get").args(["-qq"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    if let Err(why) = apt(&["update"]) {
        skip("apt-get update", &why);
    }
    let all: Vec<&str> =
        ["install", "-y", "--no-install-recommends"].into_iter().chain(missing.clone()).collect();
    if apt(&all).is_ok() {
        return;
    }
    // One package that is not to be had must not keep the others away.
    for package in missing {
        if let Err(why) = apt(&["install", "-y", "--no-install-recommends", package]) {
            skip(package, &why);
        }
    }
}

/// Fetches what judges and comes from no package of Debian, into target/: it is run here, and nobody's to commit.
fn strangers() {
    let venv = crate::root().join("target/strangers/venv");
    if !venv.join("bin/pip").exists()
        && let Err(why) = run_command(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&venv))
    {
        skip("what judges pages, API and the server for assistants", &why);
        return;
    }
    // What is there in this version already is not asked for again.
    let fetch = |words: &[&str]| {
        let quiet = ["install", "--quiet", "--disable-pip-version-check"];
        run_command(Command::new(venv.join("bin/pip")).args(quiet).args(words))
    };
    if let Err(why) = fetch(JUDGES) {
        skip("what holds the API to its document, and the official client of MCP", &why);
    }
    if let Err(why) = fetch(&["--no-deps", AXE]) {
        skip("axe-core, which looks for faults of pages", &why);
    }
}

fn has_package(package: &str) -> bool {
    let asked = Command::new("dpkg-query").args(["-W", "-f=${Status}", package]).output();
    asked.is_ok_and(|output| output.stdout == b"install ok installed")
}

fn is_root() -> bool {
    crate::say::read_text(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}
