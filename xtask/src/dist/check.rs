//! The packages tried: read by the package managers themselves, installed into a copy of this system, and removed again.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::contents::{Habit, Pieces};
use super::{About, shown};
use crate::Outcome;
use crate::say::{installed, name, read_text, say, skip};

/// What a container is made of.
pub const CONTAINER: [&str; 3] =
    ["container/Containerfile", "container/compose.yaml", "container/portreeve.container"];

/// Installs, upgrades and removes in an overlay of this system that nobody else sees.
const TRIAL: &str = include_str!("trial.sh");
/// Boots such an overlay, and has the service run, read everything again, and be upgraded.
const BOOT: &str = include_str!("boot.sh");
/// Makes the container's image and runs it.
const RUN: &str = include_str!("container.sh");

/// Complaints of rpmlint that are no faults, and why.
const FINE: [(&str, &str); 10] = [
    ("no-signature", "whoever serves packages signs them"),
    ("statically-linked-binary", "the binary is meant to need nothing"),
    ("no-url-tag", "the project has no page of its own"),
    ("invalid-license", "they are SPDX names; each distribution has its own list of those it likes"),
    ("non-standard-dir-perm", "settings may have keys in them"),
    ("non-readable", "the same"),
    ("only-non-binary-in-usr-lib", "that is where systemd looks"),
    ("manpage-not-compressed", "Debian's rpmlint wants bzip2, which no other does"),
    ("no-manual-page-for-binary", "the same: it looks for one packed with bzip2"),
    ("unstripped-binary-or-object", "where strip is not installed"),
];

/// Every check of what was made, and of upgrading to the next; what is missing on this machine is skipped loudly.
pub fn all(
    about: &About,
    pieces: &Pieces,
    (made, next): (&[PathBuf], &[PathBuf]),
    contrib: &Path,
) -> Outcome {
    capabilities(pieces)?;
    manual(pieces)?;
    let of = |made: &[PathBuf], end: &str| {
        let found = made.iter().find(|path| path.extension().is_some_and(|extension| extension == end));
        found.cloned().ok_or_else(|| format!("no .{end} was made"))
    };
    let (deb, rpm) = (of(made, "deb")?, of(made, "rpm")?);
    let (next_deb, next_rpm) = (of(next, "deb")?, of(next, "rpm")?);
    if installed("dpkg-deb") {
        let listed = read_text(Command::new("dpkg-deb").arg("--contents").arg(&deb))?;
        let files = listed.lines().filter(|line| line.starts_with('-'));
        let names = files.filter_map(|line| line.split_whitespace().last()?.strip_prefix("./"));
        same(&deb, names, pieces.contents(about, Habit::Debian)?.keys())?;
        if let Some(line) = listed.lines().find(|line| line.split_whitespace().nth(1) != Some("root/root")) {
            return Err(format!("{}: not owned by root: {line}", shown(&deb)));
        }
        let version = read_text(Command::new("dpkg-deb").arg("--field").arg(&deb).arg("Version"))?;
        if version.trim() != about.version {
            return Err(format!("{}: its version is {}", shown(&deb), version.trim()));
        }
    } else {
        skip("reading the .deb", "dpkg-deb is not installed");
    }
    if installed("lintian") {
        let mut lintian = Command::new("lintian");
        let told = lintian.args(["--fail-on", "error", "--tag-display-limit", "0"]).arg(&deb).output();
        let told = told.map_err(|error| format!("{}: {error}", name(&lintian)))?;
        say(String::from_utf8_lossy(&told.stdout).trim_end());
        if !told.status.success() {
            return Err(format!("{}: lintian finds errors", shown(&deb)));
        }
    } else {
        skip("lintian", "it is not installed");
    }
    if installed("rpm") {
        let listed = read_text(
            Command::new("rpm").args(["-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]"]).arg(&rpm),
        )?;
        let files = listed.lines().filter(|line| line.starts_with('-'));
        let names = files.filter_map(|line| line.split_whitespace().last()?.strip_prefix('/'));
        same(&rpm, names, pieces.contents(about, Habit::Rpm)?.keys())?;
        read_text(Command::new("rpm").args(["-K", "--nosignature"]).arg(&rpm))?;
    } else {
        skip("reading the .rpm", "rpm is not installed");
    }
    rpmlint(&rpm)?;
    apart("trying the packages", TRIAL, &[&deb, &rpm, &next_deb, &next_rpm])?;
    if installed("systemd-nspawn") {
        apart("booting a system with the service", BOOT, &[&deb, &next_deb])?;
    } else {
        skip("booting a system with the service", "systemd-nspawn is not installed (systemd-container)");
    }
    if crate::cross::has_interpreter(pieces.binary()) {
        skip("running the container", "the binary is not static (dist --check --binary FILE takes another)");
    } else if installed("podman") && installed("runc") {
        apart("running the container", RUN, &[&of(made, "gz")?])?;
    } else {
        skip("running the container", "podman or runc is not installed");
    }
    service(contrib);
    Ok(())
}

/// Every manual page, as two strangers read it.
fn manual(pieces: &Pieces) -> Outcome {
    let readers: [(&str, &[&str]); 2] = [
        ("mandoc", &["-T", "lint", "-W", "warning"]),
        ("groff", &["-ww", "-z", "-man", "-T", "utf8", "-K", "utf8"]),
    ];
    for (reader, arguments) in readers {
        if !installed(reader) {
            skip("reading the manual pages", &format!("{reader} is not installed"));
            continue;
        }
        let mut complaints = String::new();
        for (name, page) in pieces.manual() {
            let told = with_input(Command::new(reader).args(arguments), page)?;
            complaints.extend(told.lines().map(|line| format!("\n{name}: {line}")));
        }
        if !complaints.is_empty() {
            return Err(format!("{reader} complains of manual pages:{complaints}"));
        }
    }
    say(&format!("dist: {} manual pages were read without a complaint", pieces.manual().len()));
    Ok(())
}

/// All that a program says of what it is given.
fn with_input(command: &mut Command, bytes: &[u8]) -> Result<String, String> {
    let name = name(command);
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(bytes).map_err(failed)?;
    }
    let told = child.wait_with_output().map_err(failed)?;
    Ok([told.stdout, told.stderr].iter().map(|text| String::from_utf8_lossy(text)).collect())
}

/// Every container description grants what the service's unit grants, and nothing else.
fn capabilities(pieces: &Pieces) -> Outcome {
    let text = |name: &str| -> Result<String, String> {
        String::from_utf8(pieces.service_file(name)?).map_err(|_| format!("{name}: not UTF-8"))
    };
    let unit = text("systemd/portreeve.service")?;
    let bounding = unit.lines().filter_map(|line| line.strip_prefix("CapabilityBoundingSet="));
    let granted: BTreeSet<String> = bounding.flat_map(str::split_whitespace).map(str::to_owned).collect();
    if granted.is_empty() {
        return Err("the unit names no CapabilityBoundingSet".to_owned());
    }
    for name in CONTAINER {
        let named: BTreeSet<String> = text(name)?
            .split(|c: char| !c.is_ascii_uppercase() && c != '_')
            .filter(|word| word.starts_with("CAP_"))
            .map(str::to_owned)
            .collect();
        if named != granted {
            let apart: Vec<&String> = named.symmetric_difference(&granted).collect();
            return Err(format!("{name} and the unit do not grant the same: {apart:?}"));
        }
    }
    Ok(())
}

fn same<'a>(
    package: &Path,
    found: impl Iterator<Item = &'a str>,
    expected: impl Iterator<Item = &'a String>,
) -> Outcome {
    let found: BTreeSet<&str> = found.collect();
    let expected: BTreeSet<&str> = expected.map(String::as_str).collect();
    let apart: Vec<_> = found.symmetric_difference(&expected).collect();
    if apart.is_empty() { Ok(()) } else { Err(format!("{}: not as it should be: {apart:?}", shown(package))) }
}

/// The package as rpmlint reads it: what it complains of is mended, or stands among what is fine.
fn rpmlint(rpm: &Path) -> Outcome {
    if !installed("rpmlint") {
        skip("rpmlint", "it is not installed");
        return Ok(());
    }
    let told = Command::new("rpmlint").arg(rpm).output().map_err(|error| format!("rpmlint: {error}"))?;
    let text = String::from_utf8_lossy(&told.stdout);
    let complaint = |line: &&str| line.contains(": W: ") || line.contains(": E: ");
    let fine = |line: &&str| FINE.iter().any(|(name, _)| line.split_whitespace().any(|word| word == *name));
    let complaints: Vec<&str> = text.lines().filter(complaint).filter(|line| !fine(line)).collect();
    if complaints.is_empty() {
        say("dist: rpmlint complains of nothing that is not meant so");
        return Ok(());
    }
    Err(format!("rpmlint complains:\n{}", complaints.join("\n")))
}

/// Runs a script with packages where its mounts and its network are nobody else's.
fn apart(what: &str, script: &str, packages: &[&PathBuf]) -> Outcome {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--uts", "--ipc", "sh", "-euc", script, "trial"]);
    for package in packages {
        command.arg(package.canonicalize().map_err(|error| format!("{}: {error}", package.display()))?);
    }
    let output = command.output().map_err(|error| format!("unshare: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    for line in said.lines() {
        match line.strip_prefix("SKIPPED ") {
            Some(why) => skip(what, why),
            None => say(&format!("dist: {line}")),
        }
    }
    match output.status.code() {
        Some(0) => Ok(()),
        // unshare itself is not let.
        Some(1) if complained.starts_with("unshare:") => {
            skip(what, complained.trim());
            Ok(())
        }
        _ => Err(format!("{what}: {}\n{}", output.status, complained.trim())),
    }
}

/// The unit, as systemd itself reads it.
fn service(contrib: &Path) {
    if !installed("systemd-analyze") {
        skip("the unit", "systemd-analyze is not installed");
        return;
    }
    let unit = contrib.join("systemd/portreeve.service");
    let told = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stderr).into_owned()).unwrap_or_default();
    // An older systemd says that it does not know the type; that the command is not installed is no matter of the unit.
    let ours = told.lines().filter(|line| line.contains("portreeve"));
    for line in ours.filter(|line| !line.contains("notify-reload") && !line.contains("is not executable")) {
        say(&format!("dist: systemd-analyze: {line}"));
    }
}
