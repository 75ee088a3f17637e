//! Windows: `host`'s live test and the binary are built and run under wine.
//!
//! wine shows the machine's real ports. It says nothing about who holds an IPv6 socket, so nothing here asks.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Stop, listener, need, toolchain::Toolchain};
use crate::say::{installed, run, say};

const TARGET: &str = "x86_64-pc-windows-gnu";
const LINKER: &str = "x86_64-w64-mingw32-gcc";
const WINE: &str = "/usr/lib/wine/wine64";
/// The argument with which the task calls itself in a namespace of its own.
pub const WITHIN: &str = "windows-within";
/// Longer than this, and wine hangs.
const SECONDS: &str = "300";
const WINE_SERVER: &str = "/usr/lib/wine/wineserver64";

/// Rust's library asks bcryptprimitives.dll for random bytes; wine 8 has the same generator under an older name only.
const RANDOM_BYTES: &str = "#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG bytes);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T bytes) {
    while (bytes > 0) {
        ULONG part = bytes > 65536 ? 65536 : (ULONG)bytes;
        if (!SystemFunction036(buffer, part)) return FALSE;
        buffer += part;
        bytes -= part;
    }
    return TRUE;
}
";

pub fn check(toolchain: &Toolchain) -> Result<(), Stop> {
    need(Path::new(WINE), "wine wine64")?;
    if !installed(LINKER) {
        return Err(Stop::Lacking(format!(
            "{LINKER} is not installed (apt-get install gcc-mingw-w64-x86-64)"
        )));
    }
    toolchain.install_library(TARGET)?;
    let prefix = prefix(toolchain)?;
    run(cargo(toolchain, &prefix, "build").args(["--package", "portreeve"]))?;
    run(cargo(toolchain, &prefix, "test").args([
        "--package",
        "portreeve-host",
        "--test",
        "live",
        "--no-run",
    ]))?;

    // wine looks every socket of the machine up one by one: in a network namespace with few, that takes no time.
    let own = env::current_exe().map_err(|error| format!("our own program: {error}"))?;
    let inside = format!("ip link set lo up && exec timeout {SECONDS} \"$0\" cross {WITHIN}");
    let namespace = ["--map-root-user", "--net", "sh", "-c"];
    let enters = Command::new("unshare").args(namespace).arg("ip link set lo up").output();
    let outcome = if enters.is_ok_and(|output| output.status.success()) {
        run(Command::new("unshare").args(namespace).arg(inside).arg(&own))
    } else {
        run(Command::new("timeout").arg(SECONDS).arg(&own).args(["cross", WITHIN]))
    };
    // wine leaves servers of this prefix running; they are ours to end.
    let _ = Command::new(WINE_SERVER).arg("-k").env("WINEPREFIX", &prefix).status();
    Ok(outcome?)
}

/// The part that runs what was built.
pub fn within(toolchain: &Toolchain) -> Result<(), Stop> {
    let prefix = prefix(toolchain)?;
    run(cargo(toolchain, &prefix, "test").args([
        "--offline",
        "--package",
        "portreeve-host",
        "--test",
        "live",
    ]))?;
    let mut portreeve = wine(&prefix);
    portreeve.arg(toolchain.built(TARGET, "dev").join("portreeve.exe")).args(["list", "--json"]);
    listener::found_by(&mut portreeve)
}

fn cargo(toolchain: &Toolchain, prefix: &Path, command: &str) -> Command {
    let mut cargo = toolchain.cargo(command, TARGET);
    cargo
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", LINKER)
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", WINE)
        .env("WINEPREFIX", prefix)
        .env("WINEDEBUG", "-all");
    cargo
}

fn wine(prefix: &Path) -> Command {
    let mut command = Command::new(WINE);
    command.env("WINEPREFIX", prefix).env("WINEDEBUG", "-all");
    command
}

/// A prefix of our own, with the library that wine lacks.
fn prefix(toolchain: &Toolchain) -> Result<PathBuf, Stop> {
    let prefix = toolchain.home().join("wine");
    let system = prefix.join("drive_c/windows/system32");
    let io = |error: std::io::Error| format!("{}: {error}", prefix.display());
    if !system.join("kernel32.dll").is_file() {
        say("cross: making a wine prefix");
        fs::create_dir_all(&prefix).map_err(io)?;
        // Without a display, wine asks for nothing when these two are off.
        let boot =
            wine(&prefix).args(["wineboot", "--init"]).env("WINEDLLOVERRIDES", "mscoree,mshtml=").output();
        boot.map_err(|error| format!("{WINE}: {error}"))?;
        let _ = Command::new(WINE_SERVER).arg("-w").env("WINEPREFIX", &prefix).status();
    }
    if !system.is_dir() {
        return Err(Stop::Lacking("wine could not make a prefix here".to_owned()));
    }
    let library = system.join("bcryptprimitives.dll");
    if !library.is_file() {
        let source = toolchain.home().join("random_bytes.c");
        fs::write(&source, RANDOM_BYTES).map_err(io)?;
        run(Command::new(LINKER)
            .args(["-O2", "-shared", "-o"])
            .arg(&library)
            .arg(&source)
            .arg("-ladvapi32"))?;
    }
    Ok(prefix)
}
