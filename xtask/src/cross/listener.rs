//! A listener of our own, and whether a program's JSON shows it.

use std::net::TcpListener;
use std::process::Command;

use super::Stop;
use crate::say::read;

/// Opens a listener on loopback and requires that what the command prints shows its port.
pub fn found_by(command: &mut Command) -> Result<(), Stop> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("loopback: {error}"))?;
    let port = listener.local_addr().map_err(|error| format!("loopback: {error}"))?.port();
    // Findings and gaps have exit codes of their own; the document must be there all the same.
    let output = command.output().map_err(|error| format!("{}: {error}", crate::say::name(command)))?;
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        format!("{}: {}: no JSON: {error}: {}", crate::say::name(command), output.status, complaint.trim())
    })?;
    if has_port(&document, port) {
        return Ok(());
    }
    Err(Stop::Failed(format!("{}: the listener on port {port} is missing", crate::say::name(command))))
}

/// Whether any object says `"port": port`.
fn has_port(value: &serde_json::Value, port: u16) -> bool {
    match value {
        serde_json::Value::Object(fields) => {
            fields.get("port").and_then(serde_json::Value::as_u64) == Some(u64::from(port))
                || fields.values().any(|value| has_port(value, port))
        }
        serde_json::Value::Array(values) => values.iter().any(|value| has_port(value, port)),
        _ => false,
    }
}

/// Fails unless the program says its version: the least that a binary can do.
pub fn starts(command: &mut Command) -> Result<(), Stop> {
    read(command).map(|_| ()).map_err(Stop::Failed)
}
