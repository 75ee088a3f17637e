//! A network namespace of the test's own, processes planted in it, and the binary run inside it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use serde_json::Value;

use crate::support::{Home, err};

const PRELUDE: &str = include_str!("prelude.py");
pub const PYTHON: &str = "/usr/bin/python3";

/// As a tool that a test needs: that the kernel takes our programs.
pub const KERNEL_PROGRAMS: &str = "kernel programs (BPF)";

/// Whether the kernel takes our programs, by the binary's own word.
fn takes_programs() -> bool {
    let look = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args(["list", "--json", "--own-netns", "port=1"])
        .output();
    let ways = look.ok().and_then(|look| serde_json::from_slice::<Value>(&look.stdout).ok());
    ways.is_some_and(|document| {
        document["ways"].as_array().is_some_and(|ways| ways.contains(&Value::from("bpf_iterator")))
    })
}

/// Whether this test can be done here; says loudly what is missing.
pub fn possible(test: &str, tools: &[&str]) -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let works = |tool: &&str| {
        if *tool == KERNEL_PROGRAMS {
            return takes_programs();
        }
        let found = Command::new("sh").args(["-c", "command -v \"$0\"", tool]).output();
        found.is_ok_and(|found| found.status.success())
    };
    let needed = ["unshare", "nsenter", "setpriv", "ip", PYTHON];
    let missing: Vec<&&str> = needed.iter().chain(tools).filter(|tool| !works(tool)).collect();
    if root && missing.is_empty() && Command::new("unshare").args(["-n", "true"]).status().unwrap().success()
    {
        return true;
    }
    eprintln!("SKIPPED: {test} needs root, namespaces and {missing:?}");
    false
}

/// A process that was planted, and what it told when it was ready. It ends when this is dropped.
pub struct Planter {
    child: Child,
    input: ChildStdin,
    pub told: Value,
}

impl Planter {
    /// Starts the command, and waits for the first line that it tells and `recognise` takes.
    fn start(mut command: Command, mut recognise: impl FnMut(&str) -> Option<Value>) -> Planter {
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = String::new();
        let told = loop {
            let Some(line) = lines.next() else { panic!("what was planted ended early: {heard}") };
            let line = line.unwrap();
            if let Some(told) = recognise(&line) {
                break told;
            }
            heard.push_str(&line);
            heard.push('\n');
        };
        // Somebody has to read on, or a talkative server stops at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Planter { child, input, told }
    }

    /// The process that was started.
    pub fn pid(&self) -> u64 {
        u64::from(self.child.id())
    }

    /// Says a line to a planter that waits for one.
    pub fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// A number that it told.
    pub fn number(&self, name: &str) -> u64 {
        self.told[name].as_u64().unwrap()
    }
}

impl Drop for Planter {
    fn drop(&mut self) {
        // With its workers: they do not die with it.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first child of a process, as we number it.
pub fn child_of(pid: u64) -> u64 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().next().unwrap_or_else(|| panic!("{pid} has no child")).parse().unwrap()
}

/// A command that dies with the thread that starts it.
fn mortal(words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).args(words);
    command
}

/// A network namespace.
pub struct Stage {
    keeper: Planter,
    /// How `nsenter` gets in.
    door: Vec<String>,
    pub home: Home,
    pub netns: u64,
}

impl Stage {
    /// A new namespace whose loopback is up.
    pub fn new(name: &str) -> Stage {
        let words = ["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec cat"];
        let keeper = Planter::start(mortal(&words), |line| (line == "up").then_some(Value::Null));
        let door = vec![format!("--net=/proc/{}/ns/net", keeper.pid())];
        Stage::kept(name, keeper, door)
    }

    /// A small machine: with a network, processes and a name of its own. Whoever looks there sees nobody from outside.
    pub fn machine(name: &str) -> Stage {
        let begin = format!("hostname {name} && ip link set lo up && echo up && exec cat");
        let words = ["unshare", "-n", "-u", "-p", "-f", "--mount-proc", "--kill-child", "sh", "-c", &begin];
        let keeper = Planter::start(mortal(&words), |line| (line == "up").then_some(Value::Null));
        let door = ["-t", &child_of(keeper.pid()).to_string(), "-n", "-u", "-p", "-m"].map(str::to_owned);
        Stage::kept(name, keeper, door.to_vec())
    }

    fn kept(name: &str, keeper: Planter, door: Vec<String>) -> Stage {
        let link = std::fs::read_link(format!("/proc/{}/ns/net", keeper.pid())).unwrap();
        let netns = link.to_str().unwrap().trim_matches(|byte: char| !byte.is_ascii_digit());
        Stage { netns: netns.parse().unwrap(), keeper, door, home: Home::new(name) }
    }

    /// A process that is inside.
    pub fn pid(&self) -> u64 {
        self.keeper.pid()
    }

    /// A command inside.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut all = vec!["nsenter"];
        all.extend(self.door.iter().map(String::as_str));
        all.push("--");
        all.extend_from_slice(words);
        mortal(&all)
    }

    /// Runs a shell line inside; it has to succeed.
    pub fn sh(&self, line: &str) -> String {
        let output = self.command(&["sh", "-ec", line]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", err(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Plants a process that does this and then waits. The program says `ready(…)` at its end.
    pub fn plant(&self, program: &str) -> Planter {
        self.plant_with(&[PYTHON], program)
    }

    /// The same with another command before `-c PROGRAM`.
    pub fn plant_with(&self, python: &[&str], program: &str) -> Planter {
        let program = format!("{PRELUDE}{program}");
        let mut command = self.command(python);
        command.args(["-c", &program]).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("LD_PRELOAD");
        if !python.contains(&PYTHON) {
            // A copy has to find its library.
            command.env("PYTHONHOME", "/usr");
        }
        Planter::start(command, |line| serde_json::from_str(line).ok())
    }

    /// Starts a server that tells in such a line that it is ready, on its output or its error output.
    pub fn serve(&self, words: &[&str], ready: &str) -> Planter {
        self.serve_until(words, |line| line.contains(ready))
    }

    /// The same where more than one line has to be heard.
    pub fn serve_until(&self, words: &[&str], mut ready: impl FnMut(&str) -> bool) -> Planter {
        let mut all = vec!["sh", "-c", "exec \"$0\" \"$@\" 2>&1"];
        all.extend_from_slice(words);
        Planter::start(self.command(&all), |line| ready(line).then_some(Value::Null))
    }

    /// What the binary does inside.
    pub fn run(&self, words: &[&str]) -> Output {
        let mut all = vec![env!("CARGO_BIN_EXE_portreeve")];
        all.extend_from_slice(words);
        self.home.at_home(self.command(&all)).output().unwrap()
    }

    /// The document of a list or check inside.
    pub fn document(&self, words: &[&str]) -> Value {
        let mut all = words.to_vec();
        all.push("--json");
        let output = self.run(&all);
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {}", err(&output)));
        assert_eq!(document["summary"]["exit_status"], output.status.code().unwrap());
        document
    }
}
