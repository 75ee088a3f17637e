//! What a package has: the binary, what the binary says of itself, and what the repository has for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{About, gzip};
use crate::say::{read, read_text, run};

/// How a package manager is to treat a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Plain,
    /// People change it, and their change stays.
    Setting,
    Document,
    Licence,
}

/// A file of a package.
#[derive(Debug, Clone)]
pub struct File {
    pub mode: u32,
    pub role: Role,
    pub bytes: Vec<u8>,
}

/// Files by their path on the machine, without the leading slash; in order.
pub type Contents = BTreeMap<String, File>;

/// Whose habits a package follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    Debian,
    Rpm,
}

/// What was made once for all packages.
pub struct Pieces {
    binary: Vec<u8>,
    manual: BTreeMap<String, Vec<u8>>,
    completions: [(&'static str, Vec<u8>); 3],
    contrib: PathBuf,
}

impl Pieces {
    /// Asks the binary for its pages and completions. `contrib` is the folder with the service's files.
    pub fn gather(binary: &Path, contrib: &Path, work: &Path, time: u64) -> Result<Pieces, String> {
        let pages = work.join("man");
        if pages.exists() {
            fs::remove_dir_all(&pages).map_err(|error| format!("{}: {error}", pages.display()))?;
        }
        run(Command::new(binary).arg("man").arg(&pages).env("SOURCE_DATE_EPOCH", time.to_string()))?;
        let mut manual = BTreeMap::new();
        for entry in fs::read_dir(&pages).map_err(|error| format!("{}: {error}", pages.display()))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            manual.insert(name, take(&path)?);
        }
        if manual.len() < 10 {
            return Err(format!("{} wrote {} manual pages only", binary.display(), manual.len()));
        }
        let complete = |shell: &'static str| -> Result<(&'static str, Vec<u8>), String> {
            Ok((shell, read(Command::new(binary).args(["completions", shell]))?))
        };
        Ok(Pieces {
            binary: take(binary)?,
            manual,
            completions: [complete("bash")?, complete("zsh")?, complete("fish")?],
            contrib: contrib.to_path_buf(),
        })
    }

    /// The binary.
    pub fn binary(&self) -> &[u8] {
        &self.binary
    }

    /// The manual pages, by name.
    pub fn manual(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.manual
    }

    /// A file of the service, which another part of the project writes.
    pub fn service_file(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.contrib.join(name);
        take(&path).map_err(|why| format!("a package needs it, and it is not there: {why}"))
    }

    /// The files of a package.
    pub fn contents(&self, about: &About, habit: Habit) -> Result<Contents, String> {
        let mut contents = Contents::new();
        let mut add = |path: String, mode: u32, role: Role, bytes: Vec<u8>| {
            contents.insert(path, File { mode, role, bytes });
        };
        add("usr/bin/portreeve".to_owned(), 0o755, Role::Plain, self.binary.clone());
        for (name, page) in &self.manual {
            add(format!("usr/share/man/man1/{name}.gz"), 0o644, Role::Document, gzip(page)?);
        }
        for (shell, text) in &self.completions {
            let path = match (*shell, habit) {
                ("bash", _) => "usr/share/bash-completion/completions/portreeve",
                ("zsh", Habit::Debian) => "usr/share/zsh/vendor-completions/_portreeve",
                ("zsh", Habit::Rpm) => "usr/share/zsh/site-functions/_portreeve",
                _ => "usr/share/fish/vendor_completions.d/portreeve.fish",
            };
            add(path.to_owned(), 0o644, Role::Plain, text.clone());
        }
        for (name, path) in [
            ("systemd/portreeve.service", "usr/lib/systemd/system/portreeve.service"),
            ("systemd/portreeve.sysusers.conf", "usr/lib/sysusers.d/portreeve.conf"),
            ("systemd/portreeve.tmpfiles.conf", "usr/lib/tmpfiles.d/portreeve.conf"),
        ] {
            add(path.to_owned(), 0o644, Role::Plain, self.service_file(name)?);
        }
        // It may come to have keys and passwords in it; the rule for temporary files gives it to the service's group.
        let settings = self.service_file("portreeve.toml")?;
        add("etc/portreeve/portreeve.toml".to_owned(), 0o640, Role::Setting, settings);
        let root = crate::root();
        let documents = "usr/share/doc/portreeve";
        for name in ["README.md", "ARCHITECTURE.md", "THREAT_MODEL.md"] {
            add(format!("{documents}/{name}"), 0o644, Role::Document, take(&root.join(name))?);
        }
        for path in papers(&root.join("docs"))? {
            let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
            add(format!("{documents}/{name}"), 0o644, Role::Document, take(&path)?);
        }
        add(format!("{documents}/CHANGELOG.md"), 0o644, Role::Document, take(&root.join("CHANGELOG.md"))?);
        match habit {
            Habit::Debian => {
                add(format!("{documents}/changelog.gz"), 0o644, Role::Document, gzip(&changelog(about)?)?);
                add(format!("{documents}/copyright"), 0o644, Role::Licence, copyright()?);
            }
            Habit::Rpm => {
                for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
                    let path = format!("usr/share/licenses/portreeve/{name}");
                    add(path, 0o644, Role::Licence, take(&root.join(name))?);
                }
            }
        }
        Ok(contents)
    }
}

/// The pages and schemas for people, in order; what figures need more room than words stays out.
fn papers(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md" || extension == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The changes of the package in the form that Debian's tools read; those of the program stand in CHANGELOG.md.
fn changelog(about: &About) -> Result<Vec<u8>, String> {
    let mut date = Command::new("date");
    let date = read_text(date.env("LC_ALL", "C").args(["--utc", "-R", "-d", &format!("@{}", about.time)]))?;
    let (version, maintainer) = (&about.version, super::MAINTAINER);
    let text = format!(
        "portreeve ({version}) unstable; urgency=medium\n\n  * What changed stands in CHANGELOG.md.\n\n -- {maintainer}  {}\n",
        date.trim()
    );
    Ok(text.into_bytes())
}

/// The licence as Debian wants it: machine-readable, with the texts that are not on every Debian machine.
fn copyright() -> Result<Vec<u8>, String> {
    let mit =
        String::from_utf8(take(&crate::root().join("LICENSE-MIT"))?).map_err(|error| error.to_string())?;
    let mut text = String::from(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: portreeve\n\n\
         Files: *\nCopyright: the authors of Portreeve\nLicense: Expat or Apache-2.0\n\n\
         License: Apache-2.0\n The full text is in /usr/share/common-licenses/Apache-2.0.\n\n\
         License: Expat\n",
    );
    for line in mit.lines() {
        text.push_str(if line.trim().is_empty() { " ." } else { " " });
        text.push_str(line.trim_end());
        text.push('\n');
    }
    Ok(text.into_bytes())
}

fn take(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
