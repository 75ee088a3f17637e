//! The benchmark of the wire: `portreeve read` beside tshark, tcpdump and ndpiReader, on the same files, in one run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

use super::captures::{self, Sizes};
use super::measure::{Cost, children_cpu_ms};
use super::{median_of, portreeve};
use crate::Outcome;
use crate::say::{installed, run as run_command, say, skip};

const WHOLE: Sizes =
    Sizes { mixed_packets: 2_000_000, mixed_flows: 200_000, stream_packets: 200_000, probes: 2_000_000 };

/// Builds the product, makes the captures, and prints the figures.
pub fn run(arguments: &[String]) -> Outcome {
    let rounds: usize = match arguments {
        [] => 5,
        [flag, count] if flag == "--rounds" => count.parse().map_err(|_| "--rounds N")?,
        _ => return Err("usage: cargo xtask bench-wire [--rounds N]".into()),
    };
    let build = ["build", "--release", "--package", "portreeve"];
    run_command(Command::new(env!("CARGO")).args(build).current_dir(crate::root()))?;
    let portreeve = portreeve()?;
    let folder = crate::root().join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files: [(&str, &str, PathBuf); 3] = [
        ("mixed", "sessions of the corpus, each copy between machines of its own", folder.join("mixed.pcap")),
        ("rtp", "four streams of RTP, packets of 1,280 bytes", folder.join("rtp.pcap")),
        ("scan", "SYNs of one source without an answer", folder.join("scan.pcap")),
    ];
    for (name, what, path) in &files {
        let packets = match *name {
            "mixed" => captures::mixed(path, &crate::root().join("corpus/wire"), WHOLE)?,
            "rtp" => captures::streams(path, WHOLE)?,
            _ => captures::scan(path, WHOLE)?,
        };
        compare(name, what, path, packets, entries(path, &portreeve, rounds), rounds)?;
        let _ = std::fs::remove_file(path);
    }
    say(
        "Left out: files lie in the page cache; what is written goes nowhere. tshark and ndpiReader know more \
         protocols in depth than a name, and tcpdump recognises nothing: it is the floor of reading a file.",
    );
    Ok(())
}

/// One command of the comparison; how often it runs.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) command: Vec<String>,
    pub(super) rounds: usize,
}

fn entries(path: &Path, portreeve: &Path, rounds: usize) -> Vec<Entry> {
    let file = path.display().to_string();
    let ours = |workers: &str| {
        let mut command = vec![portreeve.display().to_string()];
        command.extend(["read", &file, "--no-progress", "--workers", workers].map(str::to_owned));
        command
    };
    let theirs = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    vec![
        Entry { name: "portreeve, one worker", command: ours("1"), rounds },
        Entry { name: "portreeve, two workers", command: ours("2"), rounds },
        Entry {
            name: "ndpiReader",
            command: theirs(&["ndpiReader", "-q", "-i", &file]),
            rounds: rounds.min(3),
        },
        Entry {
            name: "tcpdump -w /dev/null",
            command: theirs(&["tcpdump", "-r", &file, "-w", "/dev/null"]),
            rounds,
        },
        // It takes minutes.
        Entry {
            name: "tshark -q -z conv",
            command: theirs(&["tshark", "-n", "-q", "-r", &file, "-z", "conv,tcp", "-z", "conv,udp"]),
            rounds: 1,
        },
    ]
}

/// Runs all of them in turn on one file, and prints what each cost.
pub(super) fn compare(
    name: &str,
    what: &str,
    path: &Path,
    packets: u64,
    mut entries: Vec<Entry>,
    rounds: usize,
) -> Outcome {
    entries.retain(|entry| {
        let there = entry.command.first().is_some_and(|program| program.contains('/') || installed(program));
        if !there {
            skip(entry.name, "it is not installed");
        }
        there
    });
    let size = std::fs::metadata(path).map_or(0, |about| about.len());
    let mut costs: Vec<Vec<Cost>> = entries.iter().map(|_| Vec::new()).collect();
    // The file is read once, so that none has to wait for the disk.
    let _ = std::fs::read(path);
    for round in 0..rounds {
        for (entry, costs) in entries.iter().zip(&mut costs) {
            if round < entry.rounds {
                costs.push(measured(&entry.command)?);
            }
        }
    }
    say(&format!("\n{name}: {packets} packets, {} MB: {what} ({rounds} rounds, medians)", size / 1_000_000));
    say("                           CPU s   wall s   peak MiB   packets/s of CPU   CPU ratio   wall ratio");
    let base = costs.first().map(|costs| median_of(costs)).unwrap_or_default();
    for (entry, costs) in entries.iter().zip(&costs) {
        let cost = median_of(costs);
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let (rate, peak) = (packets as f64 / cost.cpu_ms * 1e3, cost.peak_kib as f64 / 1024.0);
        say(&format!(
            "{:<23} {:>8.2} {:>8.2}   {peak:>8.0}   {rate:>16.0}   {:>9.2}   {:>10.2}",
            entry.name,
            cost.cpu_ms / 1e3,
            cost.wall_ms / 1e3,
            cost.cpu_ms / base.cpu_ms,
            cost.wall_ms / base.wall_ms,
        ));
    }
    Ok(())
}

/// Runs a command through ourselves, so that its memory is not mixed with that of others.
fn measured(command: &[String]) -> Result<Cost, String> {
    let ourselves = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(ourselves)
        .arg("bench-one")
        .args(command)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(cpu_ms)), Some(Ok(wall_ms)), Some(Ok(peak))) =
        (numbers.next(), numbers.next(), numbers.next())
    else {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}", command.join(" "), said.trim()));
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "KiB of a process")]
    let peak_kib = peak as u64;
    Ok(Cost { cpu_ms, wall_ms, peak_kib, count: 0 })
}

/// Runs one command and says what it cost: CPU ms, wall ms, peak KiB.
pub fn run_one(arguments: &[String]) -> Outcome {
    let (program, rest) = arguments.split_first().ok_or("bench-one: which command?")?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    let wall_ms = start.elapsed().as_secs_f64() * 1e3;
    // A reading with a part left out is a reading all the same.
    if !status.success() && status.code() != Some(2) {
        return Err(format!("{program}: {status}"));
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    say(&format!("{} {wall_ms} {}", children_cpu_ms()?, usage.max_rss()));
    Ok(())
}
