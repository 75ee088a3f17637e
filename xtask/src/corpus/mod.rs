//! Records the corpus of the wire: real daemons and clients, each on its own port and on 420, in a namespace of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::say::{installed, read_text, run as run_command, say, skip};

/// The port that no protocol of the corpus has: whatever is recognised there was read from bytes.
const ODD_PORT: u16 = 420;
/// A recording that needs longer than this hangs.
const SECONDS: u32 = 60;
/// What every recording needs.
const TOOLS: [&str; 6] = ["unshare", "tcpdump", "ip", "ss", "timeout", "bash"];

/// Records all scenes, or those that are named. `--install` first installs what they need.
pub fn run(arguments: &[String]) -> Outcome {
    let folder = crate::root().join("corpus/wire");
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let scenes: Vec<Scene> = scenes(&folder.join("scenes"))?
        .into_iter()
        .filter(|scene| wanted.is_empty() || wanted.contains(&&scene.name))
        .collect();
    if scenes.is_empty() {
        return Err("corpus: no scene has that name; they are the files of corpus/wire/scenes".to_owned());
    }
    if arguments.iter().any(|argument| argument == "--install") {
        install(&scenes)?;
    }
    if !rustix::process::geteuid().is_root() {
        return Err("corpus: recording needs root".to_owned());
    }
    if let Some(missing) = TOOLS.into_iter().find(|tool| !installed(tool)) {
        return Err(format!("corpus: {missing} is not installed"));
    }
    let mut failed = Vec::new();
    for scene in &scenes {
        for port in scene.ports() {
            match scene.record(&folder, port) {
                Ok(frames) => say(&format!("{}-{port}.pcap: {frames} frames", scene.name)),
                Err(why) => failed.push(format!("{} on {port}: {why}", scene.name)),
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// One server with its clients: a shell script that says what it needs and has the functions `serve` and `call`.
struct Scene {
    name: String,
    script: PathBuf,
    packages: Vec<String>,
    /// Its own port.
    port: u16,
    /// `no` where it can run on its own port only.
    odd: bool,
    /// `lo`, or `link0`: one end of a link, for what speaks to groups or needs two machines.
    interface: String,
    /// Modules of Python that Debian does not have.
    python: Vec<String>,
}

fn scenes(folder: &Path) -> Result<Vec<Scene>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut scripts: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "sh"));
    scripts.sort();
    scripts.into_iter().map(Scene::read).collect()
}

impl Scene {
    fn read(script: PathBuf) -> Result<Scene, String> {
        let text = fs::read_to_string(&script).map_err(|error| format!("{}: {error}", script.display()))?;
        let variable = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        let port = variable("port").and_then(|port| port.parse().ok());
        let name = script.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let words = |name: &str| -> Vec<String> {
            variable(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        Ok(Scene {
            packages: words("packages"),
            python: words("python"),
            interface: variable("interface").unwrap_or_else(|| "lo".to_owned()),
            port: port.ok_or_else(|| format!("{}: it has no line port=NUMBER", script.display()))?,
            odd: variable("odd").as_deref() != Some("no"),
            name,
            script,
        })
    }

    fn ports(&self) -> Vec<u16> {
        if self.odd { vec![self.port, ODD_PORT] } else { vec![self.port] }
    }

    fn record(&self, folder: &Path, port: u16) -> Result<u64, String> {
        let capture = folder.join(format!("{}-{port}.pcap", self.name));
        let stage = std::env::temp_dir().join(format!("portreeve-corpus-{}-{port}", std::process::id()));
        fs::create_dir_all(&stage).map_err(|error| format!("{}: {error}", stage.display()))?;
        let recorded = stage.join("recorded.pcap");
        let script = stage.join("stage.sh");
        fs::write(&script, include_str!("stage.sh"))
            .map_err(|error| format!("{}: {error}", script.display()))?;
        // Everything that the scene starts ends with the first process of its PID namespace.
        let outcome = run_command(
            Command::new("timeout")
                .arg(SECONDS.to_string())
                .args(["unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--kill-child"])
                .args(["--mount-proc", "bash"])
                .arg(&script)
                .arg(&self.script)
                .arg(port.to_string())
                .arg(&recorded)
                .arg(&self.interface)
                .env("PATH", path())
                .env("HOME", &stage)
                .current_dir(&stage),
        );
        let frames = outcome.and_then(|()| {
            let bytes = fs::read(&recorded).map_err(|error| format!("nothing was recorded: {error}"))?;
            let frames = frames(&bytes)?;
            fs::write(&capture, bytes).map_err(|error| format!("{}: {error}", capture.display()))?;
            Ok(frames)
        });
        let _ = fs::remove_dir_all(&stage);
        frames
    }
}

/// Where Python and the modules live that scenes need and Debian does not have.
fn modules() -> PathBuf {
    crate::root().join("target/corpus")
}

/// Where programs are looked for: beside those modules first, then where Debian has them.
fn path() -> String {
    format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", modules().join("bin").display())
}

/// How many frames a recording has; none is a failure.
fn frames(bytes: &[u8]) -> Result<u64, String> {
    let mut reader = wire::capture::Reader::new();
    let mut at = 0;
    let mut frames = 0;
    loop {
        let step =
            reader.read(bytes.get(at..).unwrap_or_default(), true).map_err(|fault| fault.to_string())?;
        match step {
            wire::capture::Step::Frame { consumed, .. } => {
                frames += 1;
                at += consumed;
            }
            wire::capture::Step::Skipped { consumed } | wire::capture::Step::Damaged { consumed, .. } => {
                at += consumed;
            }
            wire::capture::Step::NeedMore { .. } | wire::capture::Step::End => break,
        }
    }
    if frames == 0 { Err("no frame was recorded".to_owned()) } else { Ok(frames) }
}

fn install(scenes: &[Scene]) -> Outcome {
    install_packages(scenes)?;
    let wanted: Vec<&String> = scenes.iter().flat_map(|scene| &scene.python).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let home = modules();
    if !home.join("bin/pip").exists() {
        run_command(
            Command::new("/usr/bin/python3").args(["-m", "venv", "--system-site-packages"]).arg(&home),
        )?;
    }
    run_command(Command::new(home.join("bin/pip")).args(["install", "--quiet"]).args(wanted))
}

fn install_packages(scenes: &[Scene]) -> Outcome {
    let mut packages: Vec<&str> =
        scenes.iter().flat_map(|scene| scene.packages.iter().map(String::as_str)).collect();
    packages.extend(["tcpdump", "iproute2", "util-linux", "tshark", "libndpi-bin", "python3-venv"]);
    packages.sort_unstable();
    packages.dedup();
    if !installed("apt-get") {
        skip("installing what the scenes need", &format!("there is no apt-get here: {}", packages.join(" ")));
        return Ok(());
    }
    // Servers are installed for their files: nothing of the machine's own is started.
    let missing: Vec<&str> = packages
        .into_iter()
        .filter(|package| {
            let asked = read_text(Command::new("dpkg-query").args(["-W", "-f=${Status}", package]));
            !asked.is_ok_and(|status| status == "install ok installed")
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("installing {}", missing.join(" ")));
    run_command(
        Command::new("apt-get")
            .args(["-qq", "install", "-y", "--no-install-recommends"])
            .args(missing)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Debian's own switch for "start no daemon".
            .env("RUNLEVEL", "1"),
    )
}
