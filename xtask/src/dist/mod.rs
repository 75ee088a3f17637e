//! Packages: an archive with the static binary, a .deb, an .rpm, and their sums. The same sources give the same bytes.

mod check;
mod contents;
mod deb;
mod digest;
mod rpm;
mod tar;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::cross::{self, Stop};
use crate::say::{read_text, run as run_command, say};
use contents::{Contents, Habit, Pieces};
use tar::{Kind, Tar};

const MAINTAINER: &str = "The authors of Portreeve <authors@portreeve.invalid>";
const SUMMARY: &str = "tells who holds which port, what it is for, and whether that is right";
const DESCRIPTION: &str = "\
Portreeve answers for every port of a machine: what it is for (the registry),
who holds it (every process, in every network namespace), what is on the wire
(read from bytes, never from the number), whether it was agreed, and whether
that is right, with evidence and the next step.

The service is not enabled by installing this: it reads packets and looks at
every process, and whether that is wanted is for the administrator to say
(systemctl enable --now portreeve).";

/// What all packages have in common.
#[derive(Clone)]
pub struct About {
    version: String,
    /// The names of the processor: Debian's and rpm's.
    architecture: (&'static str, &'static str),
    /// Of every file, in seconds since 1970.
    time: u64,
    /// The version of the GNU C library that the binary needs; `None` for a static one.
    c_library: Option<(u32, u32)>,
}

/// What was asked for.
struct Wanted {
    check: bool,
    profile: String,
    binary: Option<PathBuf>,
    contrib: PathBuf,
    out: PathBuf,
}

impl Wanted {
    fn of(arguments: &[String]) -> Result<Wanted, String> {
        let root = crate::root();
        let mut wanted = Wanted {
            check: false,
            profile: "release".to_owned(),
            binary: None,
            contrib: root.join("contrib"),
            out: root.join("target/dist"),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("dist: {argument} needs a value"));
            match argument.as_str() {
                "--check" => wanted.check = true,
                "--profile" => wanted.profile = value()?.clone(),
                "--binary" => wanted.binary = Some(PathBuf::from(value()?)),
                "--contrib" => wanted.contrib = PathBuf::from(value()?),
                "--out" => wanted.out = PathBuf::from(value()?),
                other => return Err(format!("dist: no option is named {other}")),
            }
        }
        Ok(wanted)
    }
}

/// Makes the packages; with `--check` twice, and tries them.
pub fn run(arguments: &[String]) -> Outcome {
    let wanted = Wanted::of(arguments)?;
    let work = wanted.out.join("work");
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    let binary = binary(&wanted)?;
    let time = time()?;
    let pieces = Pieces::gather(&binary, &wanted.contrib, &work, time)?;
    let about = about(pieces.binary(), time)?;
    let made = make(&about, &pieces)?;
    if wanted.check {
        let again = Pieces::gather(&binary, &wanted.contrib, &work, time)?;
        for (one, other) in made.iter().zip(make(&about, &again)?) {
            if *one != other {
                return Err(format!("{} is not the same when it is made again", one.name));
            }
        }
        say(&format!("dist: {} files are the same when they are made again", made.len()));
    }
    let paths = write(&wanted.out, &made)?;
    for (Made { bytes, .. }, path) in made.iter().zip(&paths) {
        say(&format!("dist: {} ({} bytes)", path.display(), bytes.len()));
    }
    let checked = if wanted.check {
        next(&wanted, &binary, &work, &about)
            .and_then(|next| check::all(&about, &pieces, (&paths, &next), &wanted.contrib))
    } else {
        Ok(())
    };
    fs::remove_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    checked
}

/// Writes what was made, and the sums of it.
fn write(folder: &Path, made: &[Made]) -> Result<Vec<PathBuf>, String> {
    let mut sums = String::new();
    let mut paths = Vec::new();
    for Made { name, bytes } in made {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        sums.push_str(&format!("{}  {name}\n", digest::sha256(bytes)));
        paths.push(path);
    }
    let path = folder.join("SHA256SUMS");
    fs::write(&path, sums).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(paths)
}

/// Packages of a next version to upgrade to: of the same binary, with another example of settings.
fn next(wanted: &Wanted, binary: &Path, work: &Path, about: &About) -> Result<Vec<PathBuf>, String> {
    let contrib = work.join("contrib");
    run_command(Command::new("cp").arg("-r").arg(&wanted.contrib).arg(&contrib))?;
    let settings = contrib.join("portreeve.toml");
    let mut text =
        fs::read_to_string(&settings).map_err(|error| format!("{}: {error}", settings.display()))?;
    text.push_str("# What is new in the next version.\n");
    fs::write(&settings, text).map_err(|error| format!("{}: {error}", settings.display()))?;
    let about = About { version: format!("{}.1", about.version), ..about.clone() };
    write(work, &make(&about, &Pieces::gather(binary, &contrib, work, about.time)?)?)
}

/// The binary that is packed: the one that is named, else a static one that is built.
fn binary(wanted: &Wanted) -> Result<PathBuf, String> {
    if !wanted.check {
        return match &wanted.binary {
            Some(binary) => Ok(binary.clone()),
            None => static_binary(&wanted.profile),
        };
    }
    // What is checked is the packing: whatever was built already will do.
    let built = match &wanted.binary {
        Some(binary) => binary.clone(),
        None => {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            let build = ["build", "--quiet", "--locked", "--package", "portreeve"];
            run_command(cargo.args(build).current_dir(crate::root()))?;
            crate::target().join("debug/portreeve")
        }
    };
    if !crate::say::installed("strip") {
        return Ok(built);
    }
    // What a debugger reads of it is ten times the rest.
    let stripped = wanted.out.join("portreeve");
    run_command(Command::new("strip").arg("-o").arg(&stripped).arg(&built))?;
    Ok(stripped)
}

fn static_binary(profile: &str) -> Result<PathBuf, String> {
    cross::static_binary(profile).map_err(|stop| match stop {
        Stop::Lacking(why) => {
            format!("a static binary cannot be built here: {why} (or name one: --binary FILE)")
        }
        Stop::Failed(why) => why,
    })
}

fn about(binary: &[u8], time: u64) -> Result<About, String> {
    Ok(About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        architecture: architecture(binary)?,
        time,
        c_library: if cross::has_interpreter(binary) { c_library(binary) } else { None },
    })
}

/// The processor of an ELF file (System V ABI, chapter 4).
fn architecture(binary: &[u8]) -> Result<(&'static str, &'static str), String> {
    let machine = binary.get(18..20).filter(|_| binary.starts_with(b"\x7fELF"));
    match machine {
        Some([62, 0]) => Ok(("amd64", "x86_64")),
        Some([183, 0]) => Ok(("arm64", "aarch64")),
        _ => Err("the binary is not an ELF file for x86-64 or arm64".to_owned()),
    }
}

/// The newest version of the GNU C library among those that a binary names.
fn c_library(binary: &[u8]) -> Option<(u32, u32)> {
    const NAME: &[u8] = b"GLIBC_";
    let named = binary.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    let versions = named.filter_map(|(at, _)| {
        let rest = binary.get(at + NAME.len()..)?;
        let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
        let text = std::str::from_utf8(rest.get(..end)?).ok()?;
        let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??))
    });
    versions.max()
}

/// The time of every file: what the environment says, else that of the last change of the sources.
fn time() -> Result<u64, String> {
    let said = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(said) => said,
        Err(_) => {
            read_text(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(crate::root()))
                .map_err(|why| format!("SOURCE_DATE_EPOCH is not set, and git does not know: {why}"))?
        }
    };
    said.trim().parse().map_err(|_| format!("SOURCE_DATE_EPOCH is no number of seconds: {said}"))
}

/// A file that was made.
#[derive(PartialEq, Eq)]
struct Made {
    name: String,
    bytes: Vec<u8>,
}

fn make(about: &About, pieces: &Pieces) -> Result<Vec<Made>, String> {
    let (debian, other) = about.architecture;
    let version = &about.version;
    let rpm = pieces.contents(about, Habit::Rpm)?;
    Ok(vec![
        Made { name: format!("portreeve-{version}-1.{other}.rpm"), bytes: rpm::package(about, &rpm)? },
        Made {
            name: format!("portreeve-{version}-linux-{other}.tar.gz"),
            bytes: archive(about, pieces, &rpm)?,
        },
        Made {
            name: format!("portreeve_{version}_{debian}.deb"),
            bytes: deb::package(about, &pieces.contents(about, Habit::Debian)?)?,
        },
    ])
}

/// An archive to be unpacked over `/` or `/usr/local`, with what a container is made of beside it.
fn archive(about: &About, pieces: &Pieces, contents: &Contents) -> Result<Vec<u8>, String> {
    let base = format!("portreeve-{}", about.version);
    let mut tar = Tar::new(about.time);
    for (path, file) in contents {
        tar.add(&format!("{base}/{path}"), file.mode, Kind::File, &file.bytes)?;
    }
    for name in check::CONTAINER {
        tar.add(&format!("{base}/{name}"), 0o644, Kind::File, &pieces.service_file(name)?)?;
    }
    gzip(&tar.finish())
}

/// Packs bytes. No name and no time is kept.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut packer = flate2::GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).and_then(|()| packer.finish()).map_err(|error| format!("gzip: {error}"))
}

/// Where a path stands, for messages.
fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_says_what_it_needs() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(architecture(&own).is_ok());
        assert!(architecture(b"MZ").is_err());
        assert_eq!(c_library(b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_PRIVATE\0GLIBC_2.17\0"), Some((2, 34)));
        assert_eq!(c_library(b"nothing"), None);
    }

    #[test]
    fn what_is_packed_can_be_unpacked_and_is_the_same_twice() {
        let bytes = vec![7_u8; 10_000];
        let packed = gzip(&bytes).unwrap();
        assert_eq!(packed, gzip(&bytes).unwrap());
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut unpacked)
            .unwrap();
        assert_eq!(unpacked, bytes);
    }
}
