//! CPU, wall time and memory of whole commands, and of one that keeps running, as the kernel accounts them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// What one look cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// User and system time, in milliseconds.
    pub cpu_ms: f64,
    /// Wall time, in milliseconds.
    pub wall_ms: f64,
    /// The most memory it had, in KiB; 0 where it was not measured.
    pub peak_kib: u64,
    /// Lines or sockets that it gave.
    pub count: usize,
}

/// Runs a command to its end; `count` says what its output holds.
pub fn whole(command: &mut Command, count: impl Fn(&[u8]) -> usize) -> Result<Cost, String> {
    let before = children_cpu_ms()?;
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", crate::say::name(command)))?;
    let wall_ms = start.elapsed().as_secs_f64() * 1e3;
    Ok(Cost { cpu_ms: children_cpu_ms()? - before, wall_ms, peak_kib: 0, count: count(&output.stdout) })
}

/// User and system time of every child that we waited for, in milliseconds.
pub fn children_cpu_ms() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let (user, system) = (usage.user_time(), usage.system_time());
    let ms = |seconds: i64, microseconds: i64| {
        Duration::from_secs(seconds.unsigned_abs()).as_secs_f64() * 1e3
            + Duration::from_micros(microseconds.unsigned_abs()).as_secs_f64() * 1e3
    };
    Ok(ms(user.tv_sec(), user.tv_usec()) + ms(system.tv_sec(), system.tv_usec()))
}

/// The same command as it keeps running: what each of its answers after the first costs on average. One answer is
/// one line.
pub fn running(program: &Path, arguments: &[&str], answers: u32) -> Result<Cost, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let output = child.stdout.take().ok_or("no output")?;
    let cost = answers_of(&mut BufReader::with_capacity(1 << 20, output), child.id(), answers);
    let _ = child.kill();
    let _ = child.wait();
    cost
}

fn answers_of(lines: &mut impl BufRead, pid: u32, answers: u32) -> Result<Cost, String> {
    let mut line = Vec::new();
    let mut begun = None;
    let mut count = usize::MAX;
    for _ in 0..=answers {
        line.clear();
        lines.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        count = count.min(sockets_in(&line));
        // The first answer is the cold one.
        if begun.is_none() {
            begun = Some(process_cpu_ms(pid)?);
        }
    }
    let cpu_ms = (process_cpu_ms(pid)? - begun.unwrap_or(0.0)) / f64::from(answers);
    Ok(Cost { cpu_ms, wall_ms: f64::NAN, peak_kib: peak_kib(pid), count })
}

/// How many sockets a document of ours holds. Counted without a parser: reading 8 MB into a tree between two runs
/// would empty the processor's caches for the one that comes after.
pub fn sockets_in(document: &[u8]) -> usize {
    const BEGINNING: &[u8] = b"{\"kind\":";
    document
        .split(|byte| *byte == b'{')
        .filter(|part| part.starts_with(BEGINNING.get(1..).unwrap_or_default()))
        .count()
}

/// CPU time in milliseconds that a running process and its threads, ended ones too, have had; to the kernel's tick
/// of 10 ms (`USER_HZ`), so that only a difference over many answers says something.
pub fn process_cpu_ms(pid: u32) -> Result<f64, String> {
    const TICK_MS: f64 = 10.0;
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|error| error.to_string())?;
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_ascii_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() * TICK_MS)
}

/// The most memory that a running process had, in KiB.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}
