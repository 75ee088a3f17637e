//! Static Linux: the binary is built without a shared library, run, and must find a listener of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Stop, listener, need, toolchain::Toolchain};
use crate::say::{installed, read_text, run};

const TARGET: &str = "x86_64-unknown-linux-musl";

/// LLVM's unwinder is built against another C library with checked printing; this is the one call it makes of it.
const FPRINTF_CHK: &str = "#include <stdarg.h>
#include <stdio.h>
int __fprintf_chk(FILE *file, int level, const char *format, ...) {
    (void)level;
    va_list rest;
    va_start(rest, format);
    int written = vfprintf(file, format, rest);
    va_end(rest);
    return written;
}
";

pub fn check(toolchain: &Toolchain) -> Result<(), Stop> {
    let binary = build(toolchain, "dev")?;
    listener::starts(Command::new(&binary).arg("--version"))?;
    listener::found_by(Command::new(&binary).args(["list", "--json"]))
}

/// Builds the static binary with a profile of cargo, and gives its path.
pub fn build(toolchain: &Toolchain, profile: &str) -> Result<PathBuf, Stop> {
    let musl = Path::new("/usr/lib/x86_64-linux-musl");
    need(&musl.join("crt1.o"), "musl-tools")?;
    let unwinder = unwinder().ok_or_else(|| {
        Stop::Lacking("libunwind.a of LLVM is not there (apt-get install libunwind-14-dev)".to_owned())
    })?;
    if !installed("musl-gcc") || !installed("ar") {
        return Err(Stop::Lacking(
            "musl-gcc or ar is not installed (apt-get install musl-tools binutils)".to_owned(),
        ));
    }
    toolchain.install_library(TARGET)?;
    self_contained(toolchain, musl, &unwinder)?;

    run(toolchain.cargo("build", TARGET).args(["--package", "portreeve", "--profile", profile]))?;
    let binary = toolchain.built(TARGET, profile).join("portreeve");
    let bytes = fs::read(&binary).map_err(|error| format!("{}: {error}", binary.display()))?;
    if has_interpreter(&bytes) {
        return Err(Stop::Failed(format!("{} is not static: it names a loader", binary.display())));
    }
    Ok(binary)
}

/// The start files, the C library and the unwinder, where the linker looks for them.
fn self_contained(toolchain: &Toolchain, musl: &Path, unwinder: &Path) -> Result<(), Stop> {
    let place = toolchain.libraries(TARGET).join("self-contained");
    if place.join("complete").is_file() {
        return Ok(());
    }
    let io = |error: std::io::Error| format!("{}: {error}", place.display());
    fs::create_dir_all(&place).map_err(io)?;
    for file in ["crt1.o", "Scrt1.o", "rcrt1.o", "crti.o", "crtn.o", "libc.a"] {
        fs::copy(musl.join(file), place.join(file)).map_err(io)?;
    }
    for file in ["crtbegin.o", "crtbeginS.o", "crtend.o", "crtendS.o"] {
        let found = read_text(Command::new("gcc").arg(format!("-print-file-name={file}")))?;
        fs::copy(found.trim(), place.join(file)).map_err(io)?;
    }
    let library = place.join("libunwind.a");
    fs::copy(unwinder, &library).map_err(io)?;
    let (source, object) = (place.join("fprintf_chk.c"), place.join("fprintf_chk.o"));
    fs::write(&source, FPRINTF_CHK).map_err(io)?;
    run(Command::new("musl-gcc")
        .args(["-O2", "-fPIC", "-U_FORTIFY_SOURCE", "-c", "-o"])
        .arg(&object)
        .arg(&source))?;
    run(Command::new("ar").arg("r").arg(&library).arg(&object))?;
    fs::write(place.join("complete"), "").map_err(io)?;
    Ok(())
}

/// LLVM's static unwinder, of whichever version is installed.
fn unwinder() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib")
        .ok()?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm-"))
        .map(|entry| entry.path().join("lib/libunwind.a"))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop()
}

/// Whether a 64-bit little-endian ELF file has a PT_INTERP header (System V ABI, chapter 5).
pub fn has_interpreter(elf: &[u8]) -> bool {
    let number = |at: usize, bytes: usize| -> usize {
        let field = elf.get(at..at.saturating_add(bytes)).unwrap_or_default();
        field.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).any(|index| number(table.saturating_add(index * size), 4) == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_has_an_interpreter() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(has_interpreter(&own));
        assert!(!has_interpreter(b"\x7fELF"));
    }
}
