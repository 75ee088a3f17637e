//! The benchmark of events: listeners that live about 0.2 ms, seen by us and by `ss` that is asked again and again, while
//! the load of the other benchmark stands; and what being seen costs whoever makes them.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use super::load::Load;
use super::measure::{children_cpu_ms, process_cpu_ms};
use super::{FIRST_PORT, PROCESSES, SOCKETS};
use crate::Outcome;
use crate::say::{installed, read_text, run as run_command, say, skip};

/// Listeners of each kind.
const LISTENERS: u32 = 10_000;
/// How long each is left alone. What it takes to wake up again comes on top.
const HOLD: Duration = Duration::from_micros(100);
/// How often `ss` is asked, where it is done with the last answer by then.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// How long nothing happens, to see what that costs us.
const IDLE: Duration = Duration::from_secs(10);

/// Builds the watcher, makes the load in a network namespace of its own, and prints the figures.
pub fn run(arguments: &[String]) -> Outcome {
    if !rustix::process::geteuid().is_root() || !installed("unshare") || !installed("ss") {
        skip("bench-events", "needs root, unshare (util-linux) and ss (iproute2)");
        return Ok(());
    }
    if arguments.first().map(String::as_str) != Some("--inside") {
        let build = ["build", "--release", "--package", "portreeve-host", "--example", "events"];
        run_command(Command::new(env!("CARGO")).args(build).current_dir(crate::root()))?;
        let ourselves = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut inside = Command::new("unshare");
        inside.args(["--net", "--"]).arg(ourselves).args(["bench-events", "--inside"]).args(arguments);
        return run_command(&mut inside);
    }
    let rounds: usize = match arguments.get(1..).unwrap_or_default() {
        [] => 9,
        [flag, count] if flag == "--rounds" => count.parse().map_err(|_| "--rounds N")?,
        _ => return Err("usage: cargo xtask bench-events [--rounds N]".into()),
    };
    run_command(Command::new("ip").args(["link", "set", "lo", "up"]))?;
    let load = Load::start(PROCESSES, SOCKETS, FIRST_PORT, 0)?;
    seen()?;
    cost(rounds)?;
    drop(load);
    Ok(())
}

/// What the benchmark starts: makes listeners one after the other, and says how much CPU time each took, in ns.
pub fn run_churn(arguments: &[String]) -> Outcome {
    let [kind, count, hold_us] = arguments else { return Err("bench-churn tcp|udp COUNT HOLD_US".into()) };
    let count: u32 = count.parse().map_err(|_| "COUNT")?;
    let hold = Duration::from_micros(hold_us.parse().map_err(|_| "HOLD_US")?);
    let before = own_cpu()?;
    for _ in 0..count {
        let place = (Ipv4Addr::LOCALHOST, 0);
        // Both end where the next begins.
        if kind == "tcp" {
            let _listener = TcpListener::bind(place).map_err(|error| error.to_string())?;
            pause(hold);
        } else {
            let _socket = UdpSocket::bind(place).map_err(|error| error.to_string())?;
            pause(hold);
        }
    }
    let each = (own_cpu()? - before) / count.max(1);
    say(&each.as_nanos().to_string());
    Ok(())
}

fn pause(hold: Duration) {
    if !hold.is_zero() {
        std::thread::sleep(hold);
    }
}

fn own_cpu() -> Result<Duration, String> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).map_err(|error| error.to_string())?;
    let times = [usage.user_time(), usage.system_time()];
    let whole = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs())
            + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    Ok(times.into_iter().map(whole).sum())
}

/// Makes listeners of one kind in a process of its own; gives its number, and ns of CPU time for each.
fn churn(kind: &str, hold: Duration) -> Result<(u32, f64), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let child = Command::new(program)
        .args(["bench-churn", kind, &LISTENERS.to_string(), &hold.as_micros().to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let pid = child.id();
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().parse().map_err(|_| "the churner failed")?;
    Ok((pid, text))
}

/// Our watcher, running.
struct Watcher {
    child: Child,
    output: BufReader<ChildStdout>,
}

/// What the watcher says at its end.
#[derive(Debug, Default)]
struct Counted {
    /// Kind, whole lives, their median in ns.
    kinds: Vec<(String, usize, u64)>,
    lost: u64,
}

impl Watcher {
    fn start() -> Result<Watcher, String> {
        let ourselves = std::env::current_exe().map_err(|error| error.to_string())?;
        let name = ourselves.file_name().and_then(|name| name.to_str()).ok_or("we have no name")?;
        let mut child = Command::new(program(&ourselves)?)
            .args(["--count", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        while line != "ready\n" {
            line.clear();
            if output.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                return Err("the watcher ended".into());
            }
        }
        Ok(Watcher { child, output })
    }

    fn cpu_ms(&self) -> Result<f64, String> {
        process_cpu_ms(self.child.id())
    }

    fn end(mut self) -> Result<Counted, String> {
        drop(self.child.stdin.take());
        let mut text = String::new();
        self.output.read_to_string(&mut text).map_err(|error| error.to_string())?;
        self.child.wait().map_err(|error| error.to_string())?;
        let mut counted = Counted::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["lost", count] => counted.lost = count.parse().unwrap_or(u64::MAX),
                [kind, whole, median] => counted.kinds.push((
                    (*kind).to_owned(),
                    whole.parse().unwrap_or(0),
                    median.parse().unwrap_or(0),
                )),
                _ => {}
            }
        }
        Ok(counted)
    }
}

/// The watcher lies beside the release binary.
fn program(ourselves: &Path) -> Result<PathBuf, String> {
    let target = ourselves.parent().and_then(Path::parent).ok_or("we lie nowhere")?;
    let binary = target.join("release/examples/events");
    if binary.is_file() { Ok(binary) } else { Err(format!("{} was not built", binary.display())) }
}

/// Who sees listeners that live about 0.2 ms.
fn seen() -> Outcome {
    let watcher = Watcher::start()?;
    let idle_before = watcher.cpu_ms()?;
    std::thread::sleep(IDLE);
    let idle_ms = watcher.cpu_ms()? - idle_before;
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let before = watcher.cpu_ms()?;
    let children_before = children_cpu_ms()?;
    let (asked, churned) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&stop));
        let churned = churn("tcp", HOLD).and_then(|tcp| Ok([tcp, churn("udp", HOLD)?]));
        stop.store(true, Ordering::Relaxed);
        (asking.join().unwrap_or_else(|_| Err("ss".into())), churned)
    });
    let wall = began.elapsed();
    let busy_ms = watcher.cpu_ms()? - before;
    let (mut asked, churned) = (asked?, churned?);
    // Of all that ended since, what the churners had themselves is not that of ss.
    let by_churners: f64 = churned.iter().map(|(_, each)| each * f64::from(LISTENERS) / 1e6).sum();
    asked.cpu_ms = children_cpu_ms()? - children_before - by_churners;
    let counted = watcher.end()?;
    say(&format!(
        "\n{LISTENERS} TCP and {LISTENERS} UDP listeners, one after the other, while 20,000 listeners stand ({:.1} s)",
        wall.as_secs_f64()
    ));
    say("                                   lived (median)   portreeve        ss");
    for ((kind, whole, median), (pid, _)) in counted.kinds.iter().zip(churned) {
        let by_ss = asked.seen.iter().filter(|(of, holder, _)| of == kind && *holder == pid).count();
        say(&format!(
            "{kind}, with pid, executable and port   {:>8.3} ms   {whole:>9}   {by_ss:>7}",
            f64::from(u32::try_from(*median).unwrap_or(u32::MAX)) / 1e6
        ));
    }
    say(&format!("lost and counted                                {:>12}", counted.lost));
    say(&format!("answers                                                     {:>7}", asked.answers));
    say(&format!("CPU ms                                          {busy_ms:>12.0}   {:>7.0}", asked.cpu_ms));
    say(&format!(
        "CPU while nothing happens, of one core          {:>11.2}%",
        idle_ms / IDLE.as_secs_f64() / 10.0
    ));
    let complete = counted.kinds.iter().all(|(_, whole, _)| *whole == LISTENERS as usize);
    if complete && counted.kinds.len() == 2 { Ok(()) } else { Err("not every listener was seen".into()) }
}

/// What `ss` showed.
#[derive(Debug, Default)]
struct Asked {
    /// Kind, process and port of each listener of a churner, once.
    seen: HashSet<(String, u32, String)>,
    answers: usize,
    cpu_ms: f64,
}

/// Asks `ss` again and again.
fn ask(stop: &AtomicBool) -> Result<Asked, String> {
    let mut asked = Asked::default();
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let mut command = Command::new("ss");
        let text = read_text(command.arg("-tulpnH"))?;
        asked.answers += 1;
        for line in text.lines().filter(|line| line.contains("\"xtask\"")) {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let pid = line.split("pid=").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
            let port = words.get(4).and_then(|place| place.rsplit(':').next());
            if let (Some(kind), Some(pid), Some(port)) = (words.first(), pid, port) {
                asked.seen.insert(((*kind).to_owned(), pid, port.to_owned()));
            }
        }
        std::thread::sleep(ASK_EVERY.saturating_sub(began.elapsed()));
    }
    Ok(asked)
}

/// What it costs whoever makes listeners that we see them: rounds with and without us, in turn.
fn cost(rounds: usize) -> Outcome {
    let mut figures: [[Vec<f64>; 2]; 2] = Default::default();
    for round in 0..=rounds {
        for watched in [false, true] {
            let watcher = if watched { Some(Watcher::start()?) } else { None };
            for (kind, of_kind) in ["tcp", "udp"].into_iter().zip(&mut figures) {
                let (_, each) = churn(kind, Duration::ZERO)?;
                // The first round warms everything.
                if let Some(list) = of_kind.get_mut(usize::from(watched)).filter(|_| round > 0) {
                    list.push(each);
                }
            }
            if let Some(watcher) = watcher {
                watcher.end()?;
            }
        }
    }
    say(&format!("\nCPU time of whoever makes them, for each ({rounds} rounds in turn, medians), in µs"));
    say("                              without us   with us    added");
    for (name, lists) in ["socket, bind, listen, close", "socket, bind, close (UDP)"].iter().zip(&mut figures)
    {
        let [without, with] = lists.each_mut().map(|list| {
            list.sort_by(f64::total_cmp);
            list.get(list.len() / 2).copied().unwrap_or(f64::NAN) / 1e3
        });
        say(&format!("{name:<28} {without:>10.2} {with:>10.2} {:>8.2}", with - without));
    }
    Ok(())
}
