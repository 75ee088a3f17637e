//! The one door through which the tasks talk, and the one way in which they start commands.

use std::process::Command;

/// Says what was done.
#[expect(clippy::print_stdout, reason = "this is the door")]
pub fn say(line: &str) {
    println!("{line}");
}

/// Says what went wrong, or was left out.
#[expect(clippy::print_stderr, reason = "this is the door")]
pub fn warn(line: &str) {
    eprintln!("{line}");
}

/// Says loudly that something was not checked, and why.
pub fn skip(what: &str, why: &str) {
    warn(&format!("SKIPPED: {what}: {why}"));
}

/// Runs a command with our own output, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{}: {error}", name(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", name(command))) }
}

/// Runs a command and gives what it wrote to stdout.
pub fn read(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", name(command)))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}: {}", name(command), output.status, complaint.trim()))
}

/// As [`read`], as text.
pub fn read_text(command: &mut Command) -> Result<String, String> {
    String::from_utf8(read(command)?).map_err(|error| format!("{}: {error}", name(command)))
}

/// The command as one would type it, for messages.
pub fn name(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// Whether a program of this name can be started.
pub fn installed(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
