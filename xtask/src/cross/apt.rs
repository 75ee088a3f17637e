//! The source of the standard library, of the compiler's own version, out of Debian's archive.
//!
//! A private apt configuration is used, so that the machine's own sources and lists stay as they are. The mirror is the
//! one that the machine itself uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Stop;
use crate::say::{installed, read, read_text, run, say};

/// The suite that serves sources of current compilers.
const SUITE: &str = "trixie-backports";

/// A package source of the machine: where, and which key signs it.
#[derive(Debug, PartialEq, Eq)]
struct Mirror {
    uri: String,
    signed_by: Option<String>,
}

/// Unpacks the library's source for `release` and gives the folder that contains `library/`.
pub fn library_source(home: &Path, release: &str) -> Result<PathBuf, Stop> {
    let unpacked = home.join("rust-src");
    let source = unpacked.join("usr/src").join(format!("rustc-{release}"));
    if source.join("library/std/Cargo.toml").is_file() {
        return Ok(source);
    }
    for tool in ["apt-get", "apt-cache", "dpkg-deb"] {
        if !installed(tool) {
            return Err(Stop::Lacking(format!(
                "{tool} is not installed; Debian's archive has the library's source"
            )));
        }
    }
    let mirror =
        mirror().ok_or_else(|| Stop::Lacking("apt knows no mirror of Debian's archive".to_owned()))?;
    let private = home.join("apt");
    for folder in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(private.join(folder))
            .map_err(|error| format!("{}: {error}", private.display()))?;
    }
    let key = mirror.signed_by.unwrap_or_else(|| "/usr/share/keyrings/debian-archive-keyring.gpg".to_owned());
    let list = private.join("sources.list");
    fs::write(&list, format!("deb [signed-by={key}] {} {SUITE} main\n", mirror.uri))
        .map_err(|error| format!("{}: {error}", list.display()))?;

    read(apt(&private, "apt-get").arg("update"))
        .map_err(|why| Stop::Lacking(format!("the list of {SUITE} could not be fetched: {why}")))?;
    let versions =
        read_text(apt(&private, "apt-cache").args(["madison", "rust-src"])).map_err(Stop::Lacking)?;
    let version = versions
        .lines()
        .filter_map(|line| line.split('|').nth(1).map(str::trim))
        .find(|version| version.strip_prefix(release).is_some_and(|rest| rest.starts_with('+')))
        .ok_or_else(|| Stop::Lacking(format!("{SUITE} serves no rust-src of version {release}")))?;
    say(&format!("cross: fetching rust-src {version}"));
    read(apt(&private, "apt-get").args(["download", &format!("rust-src={version}")]).current_dir(&private))
        .map_err(Stop::Lacking)?;
    let package = fs::read_dir(&private)
        .map_err(|error| format!("{}: {error}", private.display()))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .ok_or_else(|| "apt-get download left no package".to_owned())?;
    run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
    // The archive is 45 MB and not read again.
    fs::remove_file(&package).map_err(|error| format!("{}: {error}", package.display()))?;
    if source.join("library/std/Cargo.toml").is_file() {
        Ok(source)
    } else {
        Err(Stop::Failed(format!("rust-src {version} has no {}", source.display())))
    }
}

fn apt(private: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    for (option, value) in [
        ("Dir::Etc::sourcelist", private.join("sources.list")),
        ("Dir::Etc::sourceparts", PathBuf::from("/dev/null")),
        ("Dir::State::lists", private.join("lists")),
        ("Dir::Cache", private.join("cache")),
    ] {
        command.arg("-o").arg(format!("{option}={}", value.display()));
    }
    // As root, apt would otherwise become a user who may not read our folder.
    command.args(["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none", "-q"]);
    command
}

/// The first mirror of Debian's archive that the machine's own sources name.
fn mirror() -> Option<Mirror> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        let mut more: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        more.sort();
        files.extend(more);
    }
    files.iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        if file.extension().is_some_and(|extension| extension == "sources") {
            stanza(&text)
        } else {
            line(&text)
        }
    })
}

fn is_archive(uri: &str) -> bool {
    uri.trim_end_matches('/').ends_with("/debian")
}

/// A mirror from the format with one line per source (sources.list(5)).
fn line(text: &str) -> Option<Mirror> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let uri = rest.split_whitespace().next().filter(|uri| is_archive(uri))?;
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        Some(Mirror { uri: uri.to_owned(), signed_by: signed_by.map(str::to_owned) })
    })
}

/// A mirror from the format with one stanza per source (deb822).
fn stanza(text: &str) -> Option<Mirror> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let uri = field("URIs")?.split_whitespace().find(|uri| is_archive(uri))?.to_owned();
        // A key that stands in the stanza itself runs over several lines and begins with an empty one.
        let signed_by = field("Signed-By").filter(|key| key.starts_with('/'));
        field("Types")?.split_whitespace().any(|kind| kind == "deb").then_some(Mirror { uri, signed_by })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_of_sources_are_read() {
        let expect = |uri: &str, key: Option<&str>| {
            Some(Mirror { uri: uri.to_owned(), signed_by: key.map(str::to_owned) })
        };
        assert_eq!(
            stanza(
                "# a comment\nTypes: deb\nURIs: http://a.example/debian-security\nSuites: x\n\nTypes: deb deb-src\nURIs: http://b.example/debian\nSuites: x\nSigned-By: /k.gpg\n"
            ),
            expect("http://b.example/debian", Some("/k.gpg"))
        );
        assert_eq!(stanza("Types: deb-src\nURIs: http://b.example/debian\n"), None);
        assert_eq!(
            line(
                "# deb http://no.example/debian x main\ndeb [arch=amd64 signed-by=/k.gpg] http://c.example/debian/ x main\n"
            ),
            expect("http://c.example/debian/", Some("/k.gpg"))
        );
        assert_eq!(line("deb http://d.example/node x main"), None);
    }
}
