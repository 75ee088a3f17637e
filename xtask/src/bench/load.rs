//! The load of the benchmark: processes that hold listeners, and processes that hold plain files.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::Outcome;
use crate::say::say;

/// Processes that stay as they are until this is dropped.
pub struct Load {
    children: Vec<Child>,
}

impl Load {
    /// Starts `processes` of them with `sockets` listeners each, on loopback ports from `first_port` on, and
    /// `files` open plain files each.
    pub fn start(processes: u32, sockets: u32, first_port: u32, files: u32) -> Result<Load, String> {
        let program = std::env::current_exe().map_err(|e| format!("cannot find ourselves: {e}"))?;
        let mut children = Vec::new();
        for index in 0..processes {
            let port = first_port + index * sockets;
            // Without the environment that cargo gives: services have none of it.
            let child = Command::new(&program)
                .env_clear()
                .args(["bench-load", &sockets.to_string(), &port.to_string(), &files.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .map_err(|e| format!("cannot start a process of the load: {e}"))?;
            children.push(child);
        }
        let mut load = Load { children };
        for child in &mut load.children {
            let output = child.stdout.take().ok_or("a process of the load has no output")?;
            let mut line = String::new();
            let _ = BufReader::new(output).read_line(&mut line);
            if line != "ready\n" {
                return Err("a process of the load could not open everything: is the port range free?".into());
            }
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
        }
        for child in &mut self.children {
            let _ = child.wait();
        }
    }
}

/// What one process of the load does: opens everything, says so, and waits until its input ends.
pub fn run(arguments: &[String]) -> Outcome {
    let numbers: Vec<u32> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    let [sockets, first_port, files] = numbers[..] else {
        return Err("bench-load SOCKETS FIRST_PORT FILES".into());
    };
    let most = rustix::process::Rlimit { current: Some(u64::from(files) + 4096), maximum: None };
    let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { maximum: limits.maximum, ..most };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised)
        .map_err(|e| format!("descriptors: {e}"))?;
    let mut listeners = Vec::new();
    for port in first_port..first_port + sockets {
        let port = u16::try_from(port).map_err(|_| "too many sockets for the ports there are")?;
        listeners.push(TcpListener::bind(("127.0.0.1", port)).map_err(|e| format!("port {port}: {e}"))?);
    }
    let mut opened = Vec::new();
    for _ in 0..files {
        opened.push(std::fs::File::open("/etc/passwd").map_err(|e| format!("a file: {e}"))?);
    }
    say("ready");
    let mut nothing = [0; 1];
    let _ = std::io::stdin().read(&mut nothing);
    Ok(())
}
