//! What every test needs: a folder, findings, settings from text, and receivers in Python.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use model::{Code, Confidence, Evidence, Finding, Severity, Timestamp};
use portreeve_engine::alerting::{AlertSettings, Alerting, Counts, Machine};
use store::Sighting;

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portreeve-alerts-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn write(&self, name: &str, text: &str, mode: u32) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Settings as they stand in the file.
pub fn settings(text: &str) -> Vec<AlertSettings> {
    portreeve_engine::settings::parse([("portreeve.toml", text)]).unwrap().alert
}

pub fn machine() -> Machine {
    Machine { name: "reeve.example".into(), process: 42 }
}

/// What somebody might put into the name of a program.
pub const HOSTILE: &str = "say \"]\\ \u{1b}[2J\u{202e}é\nBcc: x@example.com";

pub fn sighting(about: &str) -> Sighting {
    let finding = Finding {
        code: Code::SilentPortInUse,
        severity: Severity::Alert,
        confidence: Confidence::High,
        subjects: Vec::new(),
        title: format!("port 420/tcp has a listener: {HOSTILE}"),
        evidence: vec![Evidence { fact: "420 is assigned to smpte".into(), source: "IANA registry".into() }],
        next_step: "portreeve 420".into(),
    };
    Sighting { at: Timestamp::from_ns(1_795_744_984_005_006_007), about: about.into(), finding }
}

/// Tells one finding, and gives how the first way did.
pub fn tell(text: &str) -> Counts {
    let alerting = Alerting::begin(&settings(text), &machine()).unwrap();
    alerting.tell(&sighting("tcp 0.0.0.0:420 /usr/bin/nc"));
    alerting.finish(Duration::from_secs(30)).remove(0)
}

/// Waits until it holds, for a while; whether it did.
pub fn wait_until(mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if holds() {
            return true;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    false
}

/// A program that runs until the test is over.
pub struct Running {
    child: Child,
    pub said: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub fn start(command: &mut Command) -> Option<Running> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Running { child, said })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn line(&mut self) -> String {
        self.said.next().unwrap().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a script of Python; `None`, loudly, where there is no Python. Its first line says its port.
pub fn python(test: &str, script: &str, arguments: &[&str]) -> Option<(Running, u16)> {
    let Some(mut running) =
        Running::start(Command::new("python3").args(["-u", "-c", script]).args(arguments))
    else {
        eprintln!("SKIPPED: {test}: python3 is not installed");
        return None;
    };
    let first = running.line();
    match first.parse() {
        Ok(port) => Some((running, port)),
        Err(_) => {
            eprintln!("SKIPPED: {test}: {first}");
            None
        }
    }
}
