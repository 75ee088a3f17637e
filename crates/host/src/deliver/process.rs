//! Another program that is run once: never through a shell, with a time limit, and with what it says bounded.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::Failure;

/// How often to look whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// What a program needs to find others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What to run.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// The program, with its whole path, and its arguments.
    pub command: &'a [String],
    /// What it reads.
    pub input: &'a [u8],
    /// Its environment; nothing of ours is in it but a `PATH`.
    pub environment: &'a [(&'a str, String)],
    /// After this time it is killed, with those that it started.
    pub limit: Duration,
    /// So much is kept of what it says; it may say more.
    pub most_output: usize,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// The beginning of what it said, on both ways.
    pub said: Vec<u8>,
}

/// Runs it, and waits until it has ended.
pub fn run(what: &Run<'_>) -> Result<Ended, Failure> {
    let (program, arguments) = what.command.split_first().ok_or_else(|| Failure::never("no program"))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .envs(what.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        command.current_dir("/").process_group(0);
    }
    let mut child = command.spawn().map_err(|error| {
        let why = format!("cannot run {program}: {error}");
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Failure::never(why),
            _ => Failure::later(why),
        }
    })?;
    let ended = attend(&mut child, what);
    if ended.is_err() {
        stop(&mut child);
        let _ = child.wait();
    }
    ended
}

fn attend(child: &mut Child, what: &Run<'_>) -> Result<Ended, Failure> {
    let end = Instant::now() + what.limit;
    let lost = || Failure::later("its pipes are gone");
    let mut input = child.stdin.take().ok_or_else(lost)?;
    let (out, err) = (child.stdout.take().ok_or_else(lost)?, child.stderr.take().ok_or_else(lost)?);
    let bytes = what.input.to_vec();
    // A program that does not read its input is no fault.
    start(move || drop(input.write_all(&bytes)))?;
    let (said, heard) = mpsc::sync_channel(2);
    let other = said.clone();
    let most = what.most_output;
    start(move || drop(said.send(listen(out, most))))?;
    start(move || drop(other.send(listen(err, most))))?;
    let mut all = Vec::new();
    let mut open = 2;
    while !has_ended(child).map_err(|error| Failure::later(error.to_string()))? {
        if Instant::now() >= end {
            let seconds = what.limit.as_secs_f32();
            return Err(Failure::later(format!("it did not end within {seconds} s, and was killed")));
        }
        match heard.recv_timeout(LOOK) {
            Ok(part) => {
                open -= 1;
                all.extend(part);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            // It closed what it says, and goes on.
            Err(mpsc::RecvTimeoutError::Disconnected) => thread::park_timeout(LOOK),
        }
    }
    // What it left behind would keep the pipes open.
    stop(child);
    let status = child.wait().map_err(|error| Failure::later(error.to_string()))?;
    while open > 0 {
        let left = end.saturating_duration_since(Instant::now()).max(LOOK);
        let Ok(part) = heard.recv_timeout(left) else { break };
        open -= 1;
        all.extend(part);
    }
    all.truncate(most);
    Ok(Ended { status: status.code(), said: all })
}

fn start(what: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let started = thread::Builder::new().name("deliver pipe".into()).spawn(what);
    started.map(drop).map_err(|error| Failure::later(format!("no thread: {error}")))
}

/// Reads to the end, and keeps the beginning.
fn listen(mut from: impl Read, most: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut room = [0; 4096];
    while let Ok(count) = from.read(&mut room) {
        if count == 0 {
            break;
        }
        let wanted = count.min(most.saturating_sub(kept.len()));
        kept.extend_from_slice(room.get(..wanted).unwrap_or_default());
    }
    kept
}

/// Whether it has ended. Its number stays its own until it is waited for.
#[cfg(target_os = "linux")]
fn has_ended(child: &Child) -> io::Result<bool> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let Some(pid) = pid(child) else { return Ok(true) };
    Ok(waitid(WaitId::Pid(pid), options)?.is_some())
}

#[cfg(not(target_os = "linux"))]
fn has_ended(child: &mut Child) -> io::Result<bool> {
    Ok(child.try_wait()?.is_some())
}

#[cfg(target_os = "linux")]
fn pid(child: &Child) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// Ends it and all of its group, as long as nobody has waited for it.
fn stop(child: &mut Child) {
    #[cfg(target_os = "linux")]
    if let Some(pid) = pid(child) {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        return;
    }
    let _ = child.kill();
}
