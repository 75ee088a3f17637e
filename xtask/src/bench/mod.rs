//! The benchmark: `portreeve list --json` beside `ss -tulpnH` (and `lsof`, where it is installed), in one run, on the
//! same load, as whole commands and inside a process that keeps running.

mod captures;
mod events;
mod load;
mod measure;
mod media;
mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::say::{installed, run as run_command, say, skip};
use load::Load;
use measure::{Cost, running, sockets_in, whole};

pub use events::{run as run_events, run_churn};
pub use load::run as run_load;
pub use media::run as run_media;
pub use wire::{run as run_wire, run_one};

const PROCESSES: u32 = 200;
const SOCKETS: u32 = 100;
const FIRST_PORT: u32 = 10_000;
const FILE_PROCESSES: u32 = 500;
const FILES: u32 = 1_000;

/// Builds the product, makes the load in a network namespace of its own, and prints the figures.
pub fn run(arguments: &[String]) -> Outcome {
    if !rustix::process::geteuid().is_root() || !installed("unshare") || !installed("ss") {
        skip("bench", "needs root, unshare (util-linux) and ss (iproute2)");
        return Ok(());
    }
    if arguments.first().map(String::as_str) != Some("--inside") {
        let build = ["build", "--release", "--package", "portreeve"];
        run_command(Command::new(env!("CARGO")).args(build).current_dir(crate::root()))?;
        let ourselves = std::env::current_exe().map_err(|error| error.to_string())?;
        // Its own namespace: the ports are free there, and nobody's listeners disturb the count.
        let mut inside = Command::new("unshare");
        inside.args(["--net", "--"]).arg(ourselves).args(["bench", "--inside"]).args(arguments);
        return run_command(&mut inside);
    }
    let rounds: usize = match arguments.get(1..).unwrap_or_default() {
        [] => 7,
        [flag, count] if flag == "--rounds" => count.parse().map_err(|_| "--rounds N")?,
        _ => return Err("usage: cargo xtask bench [--rounds N]".into()),
    };
    run_command(Command::new("ip").args(["link", "set", "lo", "up"]))?;
    let portreeve = portreeve()?;
    let sockets = Load::start(PROCESSES, SOCKETS, FIRST_PORT, 0)?;
    compare("20,000 listeners over 200 processes", &portreeve, rounds)?;
    let files = Load::start(FILE_PROCESSES, 0, FIRST_PORT, FILES)?;
    compare("the same, and 500 processes with 1,000 open files each", &portreeve, rounds)?;
    drop((sockets, files));
    say("Left out: the kernel's own work for the load; what a terminal or pipe reader does with the output.");
    Ok(())
}

/// The release binary: beside our own, which lies in the folder of another profile.
fn portreeve() -> Result<PathBuf, String> {
    let ourselves = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = ourselves.parent().and_then(Path::parent).ok_or("we lie nowhere")?;
    let binary = target.join("release/portreeve");
    if binary.is_file() { Ok(binary) } else { Err(format!("{} was not built", binary.display())) }
}

/// Runs everything in turn, round after round, so that a slow moment of the machine meets all alike.
fn compare(what: &str, portreeve: &Path, rounds: usize) -> Outcome {
    const LOOK: [&str; 3] = ["list", "--json", "--no-pager"];
    let lines = |output: &[u8]| output.iter().filter(|byte| **byte == b'\n').count();
    let (mut ss, mut cold, mut lsof) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let ss_cost = whole(Command::new("ss").arg("-tulpnH"), lines)?;
        let cold_cost = whole(Command::new(portreeve).args(LOOK), sockets_in)?;
        // The first round warms the caches of both.
        if round > 0 {
            ss.push(ss_cost);
            cold.push(cold_cost);
        }
        if round == 1 && installed("lsof") {
            lsof.push(whole(Command::new("lsof").args(["-nP", "-i"]), lines)?);
        }
    }
    // Long enough that the whole look, which comes every ten seconds, has its share.
    let warm = vec![running(portreeve, &["list", "--json", "--no-pager", "--watch", "0.5"], 40)?];
    say(&format!(
        "\n{what} ({rounds} rounds, medians; --watch: mean of 40 answers; ratios to ss: more is better)"
    ));
    say("                             CPU ms   wall ms   peak MiB   rows   CPU ratio   wall ratio");
    let base = median_of(&ss);
    let rows = [
        ("ss -tulpnH", &ss),
        ("lsof -nP -i (one run)", &lsof),
        ("portreeve, cold command", &cold),
        ("portreeve, in --watch", &warm),
    ];
    for (name, costs) in rows.into_iter().filter(|(_, costs)| !costs.is_empty()) {
        let cost = median_of(costs);
        say(&format!(
            "{name:<26} {:>8.1}  {:>8.1}   {:>8.1} {:>6}   {:>9.1}   {:>10.1}",
            cost.cpu_ms,
            cost.wall_ms,
            f64::from(u32::try_from(cost.peak_kib).unwrap_or(u32::MAX)) / 1024.0,
            cost.count,
            base.cpu_ms / cost.cpu_ms,
            base.wall_ms / cost.wall_ms,
        )
        .replace("NaN", "  -"));
    }
    for (name, costs) in [("cold", &cold), ("--watch", &warm)] {
        let least = costs.iter().map(|cost| cost.count).min().unwrap_or(0);
        if least < base.count {
            return Err(format!("portreeve ({name}) shows {least} sockets, ss shows {}", base.count));
        }
    }
    Ok(())
}

/// Each figure's own median.
fn median_of(costs: &[Cost]) -> Cost {
    let float = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<f64> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or(0.0)
    };
    Cost {
        cpu_ms: float(|cost| cost.cpu_ms),
        wall_ms: float(|cost| cost.wall_ms),
        peak_kib: costs.iter().map(|cost| cost.peak_kib).max().unwrap_or(0),
        count: costs.iter().map(|cost| cost.count).min().unwrap_or(0),
    }
}
