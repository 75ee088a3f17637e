//! Builds the kernel programs in bpf/ and compares the committed objects with their sources.
//!
//! `bpf/objects.txt` says which compiler made each object, out of which bytes. So a changed source without its object is
//! found on a machine without clang, too.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::say::{installed, read_text, run as run_command, say, skip};

const RECORD: &str = "objects.txt";
const HEADER: &str = "vmlinux.h";

/// Builds every object, or compares them with `--check`.
pub fn run(arguments: &[String]) -> Outcome {
    let folder = crate::root().join("bpf");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => build(&folder),
        ["--check"] => check(&folder),
        _ => Err("bpf: the only option is --check".to_owned()),
    }
}

fn build(folder: &Path) -> Outcome {
    let clang = clang()?.ok_or("bpf: clang and llvm-strip are needed (apt-get install clang llvm)")?;
    let mut record =
        format!("# Written by `cargo xtask bpf`: object, SHA-256 of its sources, SHA-256 of it.\n{clang}\n");
    for source in sources(folder)? {
        let object = source.with_extension("o");
        compile(folder, &source, &object)?;
        let _ = writeln!(record, "{}", line(folder, &source, &object)?);
        say(&format!("built {}", object.display()));
    }
    write(&folder.join(RECORD), record.as_bytes())
}

fn check(folder: &Path) -> Outcome {
    let record =
        String::from_utf8(read(&folder.join(RECORD))?).map_err(|error| format!("{RECORD}: {error}"))?;
    let sources = sources(folder)?;
    for source in &sources {
        let line = line(folder, source, &source.with_extension("o"))?;
        if !record.lines().any(|recorded| recorded == line) {
            return Err(format!("bpf: {} is newer than its object; run cargo xtask bpf", source.display()));
        }
    }
    let Some(clang) = clang()? else {
        skip("bpf: building the objects anew", "clang or llvm-strip is not installed");
        return Ok(());
    };
    let same_compiler = record.lines().any(|recorded| recorded == clang);
    let place = crate::root().join("target").join("bpf");
    fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    for source in &sources {
        let committed = source.with_extension("o");
        let fresh = place.join(committed.file_name().unwrap_or_default());
        compile(folder, source, &fresh)?;
        let (old, new) = (read(&committed)?, read(&fresh)?);
        if same_compiler && old != new {
            return Err(format!("bpf: {} is not what {clang} makes of its source", committed.display()));
        }
        // Another compiler chooses other instructions, but the same programs, maps and sections.
        let (old, new) = (shape(&old)?, shape(&new)?);
        if old != new {
            return Err(format!("bpf: {} has {old:?}; its source gives {new:?}", committed.display()));
        }
    }
    let how =
        if same_compiler { "byte for byte" } else { "by sections and symbols: another compiler made them" };
    say(&format!("bpf: {} objects agree with their sources, {how}", sources.len()));
    Ok(())
}

/// The compiler's version, as the record states it; `None` where there is none.
fn clang() -> Result<Option<String>, String> {
    if !installed("clang") || !installed("llvm-strip") {
        return Ok(None);
    }
    let about = read_text(Command::new("clang").arg("--version"))?;
    let words: Vec<&str> = about.lines().next().unwrap_or_default().split_whitespace().collect();
    let version = words.iter().skip_while(|word| **word != "version").nth(1).unwrap_or(&"unknown");
    let major = version.split('.').next().unwrap_or(version);
    Ok(Some(format!("compiler clang {major}")))
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".bpf.c"))
        .collect();
    found.sort();
    if found.is_empty() { Err(format!("{}: no sources", folder.display())) } else { Ok(found) }
}

fn compile(folder: &Path, source: &Path, object: &Path) -> Outcome {
    // Named relative to the folder, so that no path of this machine gets into the object.
    let name = Path::new("bpf").join(source.file_name().unwrap_or_default());
    run_command(
        Command::new("clang")
            .args(["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Werror"])
            .arg("-fdebug-compilation-dir=.")
            .arg("-c")
            .arg(&name)
            .arg("-o")
            .arg(object)
            .current_dir(folder.parent().unwrap_or(folder)),
    )?;
    run_command(Command::new("llvm-strip").arg("-g").arg(object))
}

/// One line of the record.
fn line(folder: &Path, source: &Path, object: &Path) -> Result<String, String> {
    let mut input = read(source)?;
    input.extend(read(&folder.join(HEADER))?);
    let name = object.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(format!("{name} {} {}", hash(&input), hash(&read(object)?)))
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The sections that are loaded and the symbols in them, which a loader finds by name.
fn shape(object: &[u8]) -> Result<Vec<String>, String> {
    let parsed = wire::elf::parse(object).map_err(|fault| fault.to_string())?;
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let symbols = parsed.symbols.iter().map(|symbol| text(symbol.name));
    let mut names: Vec<String> = parsed
        .sections
        .iter()
        .map(|section| text(section.name))
        .chain(symbols)
        // Labels of branches and the sections of tools differ from compiler to compiler.
        .filter(|name| !name.is_empty() && !name.starts_with("LBB") && !name.starts_with(".llvm"))
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Outcome {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_objects_are_those_of_their_sources() {
        check(&crate::root().join("bpf")).unwrap();
    }

    #[test]
    fn a_changed_source_is_found_without_a_compiler() {
        let folder = crate::root().join("bpf");
        let source = sources(&folder).unwrap().remove(0);
        let copy = std::env::temp_dir().join(format!("portreeve-bpf-{}", std::process::id()));
        fs::create_dir_all(&copy).unwrap();
        for file in fs::read_dir(&folder).unwrap().filter_map(Result::ok) {
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        let changed = copy.join(source.file_name().unwrap());
        let mut text = fs::read_to_string(&changed).unwrap();
        text.push_str("// changed\n");
        fs::write(&changed, text).unwrap();
        let complaint = check(&copy).unwrap_err();
        fs::remove_dir_all(&copy).unwrap();
        assert!(complaint.contains("newer than its object"), "{complaint}");
    }
}
