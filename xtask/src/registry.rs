//! `cargo xtask registry`: makes the tables in `crates/registry/data`, or compares them with what would be made.
//!
//! Sources are two packages of IANA's registry, fetched with `npm` by name and pinned version, Debian's list of
//! services, and the collected history of misuse. Each is checked against the SHA-256 that is pinned here.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ::registry::table::{Draft, Origin, Recipe, make};
use sha2::{Digest, Sha256};

use crate::registry_merge::{self, NEWER, OLDER};
use crate::say::{say, skip, warn};
use crate::{Outcome, root};

/// A source whose version and content are pinned.
struct Pin {
    name: &'static str,
    version: &'static str,
    date: &'static str,
    file: &'static str,
    sha256: &'static str,
    licence: &'static str,
    gave: &'static str,
}

/// In the order that the table numbers its parts.
const PACKAGES: [Pin; 2] = [
    Pin {
        name: "port-numbers",
        version: "8.0.35",
        date: "2026-07",
        file: "index.json",
        sha256: "8d3c933ae80aaf861ec7d6a3d5ef49470a1e02542d1d4b9f384d3910d503f91f",
        licence: "BSD-2-Clause; IANA's registries are CC0",
        gave: "which single ports are assigned, reserved or unassigned, with name and description",
    },
    Pin {
        name: "service-names-port-numbers",
        version: "2.0.0",
        date: "2015-07-30",
        file: "service-names-port-numbers.json",
        sha256: "d79ceee70c98d889c0f591adecbee2bcbe4bddb510196a2c4e1781f45875a7c7",
        licence: "IANA's registries are CC0",
        gave: "assignee, contact, dates, reference, unauthorised use and notes; ranges; services without a port",
    },
];

const NETBASE: Pin = Pin {
    name: "Debian netbase",
    version: "6.4",
    date: "2022-10-18",
    file: "/etc/services",
    sha256: "f6183055fd949f9c53d49ee620f85d0150123ea691d25ed1bba0c641b4ee2f48",
    licence: "facts only: transport, port, names",
    gave: "which ports and services are in ordinary use",
};

const MISUSE: Pin = Pin {
    name: "history of misuse",
    version: "maltrail@8adace15, ATT&CK v18.1, chkrootkit 0.57",
    date: "2026-11",
    file: "port_misuse.tsv",
    sha256: "",
    licence: "Maltrail MIT; ATT&CK identifiers, free with attribution to The MITRE Corporation; chkrootkit BSD-2-Clause",
    gave: "families and endpoint counts per port",
};

/// Runs the task.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err(String::from("usage: cargo xtask registry [--check]")),
    };
    let data = root().join("crates/registry/data");
    let mut different = Vec::new();
    let mut put = |name: &str, content: &str| -> Outcome {
        let path = data.join(name);
        let before = fs::read(&path).unwrap_or_default();
        if before == content.as_bytes() {
            say(&format!("same       {name} ({} bytes)", content.len()));
        } else if check {
            different.push(name.to_owned());
        } else {
            fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
            say(&format!("written    {name} ({} bytes)", content.len()));
        }
        Ok(())
    };

    let facts = read(&data.join(MISUSE.file))?;
    put("misuse.table", &::registry::make_misuse(&facts)?)?;
    let services = services()?;
    if let Some(services) = &services {
        put("netbase.txt", services)?;
    }
    put("SOURCES.toml", &sources(&sha256(facts.as_bytes())))?;
    // The table holds what the list of services decides, and the crate reads the committed list: one made in this
    // run counts from the next run on.
    match packages()? {
        Some([newer, older]) => {
            let merged = registry_merge::merge(&newer, &older)?;
            say(&merged.account);
            put("iana.table", &table(merged.rows)?)?;
        }
        None if check => {
            let offline = table(stored()).map_err(|reason| format!("the committed table: {reason}"))?;
            skip(
                "the rows",
                "npm is not available, so they were not compared with the packages; only their usage was",
            );
            put("iana.table", &offline)?;
        }
        None => {
            skip("the rows", "npm is not available, so they are kept; their usage is decided anew");
            put("iana.table", &table(stored())?)?;
        }
    }
    if different.is_empty() {
        return Ok(());
    }
    Err(format!(
        "not as committed: {}; run `cargo xtask registry` and look at the difference",
        different.join(", ")
    ))
}

/// The rows of the committed table.
fn stored() -> Vec<Draft> {
    let paper = ::registry::Paper::builtin();
    let drafts = paper.rows_with_provenance().map(|(row, provenance)| Draft {
        name: row.name.to_owned(),
        ports: row.first.zip(row.last),
        transport: row.transport,
        status: Some(row.status),
        description: row.description.to_owned(),
        details: [
            row.assignee,
            row.contact,
            row.registered,
            row.modified,
            row.reference,
            row.unauthorised,
            row.notes,
        ]
        .map(str::to_owned),
        origin: Origin { row: provenance.row, details: provenance.details },
    });
    drafts.collect()
}

fn table(rows: Vec<Draft>) -> Result<String, String> {
    let [newer, older] = &PACKAGES;
    let part = |pin: &Pin| [pin.name, pin.version, pin.date, pin.sha256, pin.gave].map(str::to_owned);
    let mut parts = vec![Vec::new(); 2];
    for (number, pin) in [(NEWER, newer), (OLDER, older)] {
        if let Some(slot) = parts.get_mut(usize::from(number)) {
            *slot = vec![part(pin)];
        }
    }
    let recipe = Recipe {
        title: String::from("IANA Service Name and Transport Protocol Port Number Registry"),
        date: newer.date.to_owned(),
        imported: false,
        parts: parts.concat(),
        rows,
    };
    make(recipe).map_err(|fault| fault.to_string())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that a source is the one that was pinned.
fn pinned(pin: &Pin, text: String) -> Result<String, String> {
    let found = sha256(text.as_bytes());
    if found == pin.sha256 {
        return Ok(text);
    }
    Err(format!("{} {}: SHA-256 is {found}, pinned is {}", pin.name, pin.version, pin.sha256))
}

/// Both packages, newer first; `None` where npm is not to be had.
fn packages() -> Result<Option<[String; 2]>, String> {
    let present = Command::new("npm").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !present.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let folder = Scratch::new()?;
    let names = PACKAGES.each_ref().map(|pin| format!("{}@{}", pin.name, pin.version));
    let output = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--no-package-lock"])
        .arg("--prefix")
        .arg(&folder.0)
        .args(&names)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if !output.status.success() {
        warn(&format!("npm install {}: {}", names.join(" "), String::from_utf8_lossy(&output.stderr).trim()));
        return Ok(None);
    }
    let text = |pin: &Pin| pinned(pin, read(&folder.0.join("node_modules").join(pin.name).join(pin.file))?);
    let [newer, older] = &PACKAGES;
    Ok(Some([text(newer)?, text(older)?]))
}

/// A folder that goes away with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, String> {
        let path = std::env::temp_dir().join(format!("portreeve-registry-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Debian's list in our form; `None` where this is not the Debian that has it.
fn services() -> Result<Option<String>, String> {
    let version = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "netbase"]).output();
    let installed = version.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    if installed.as_deref() != Some(NETBASE.version.as_bytes()) {
        skip(
            "Debian's list",
            &format!("netbase {} is not installed; the committed list is kept", NETBASE.version),
        );
        return Ok(None);
    }
    let text = read(Path::new(NETBASE.file))?;
    // The file belongs to the administrator, who may have changed it.
    let text = match pinned(&NETBASE, text) {
        Ok(text) => text,
        Err(reason) => {
            skip("Debian's list", &format!("{reason}; the committed list is kept"));
            return Ok(None);
        }
    };
    let mut lines: Vec<(String, u16, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or("");
        let mut words = line.split_whitespace();
        let (Some(name), Some(place)) = (words.next(), words.next()) else { continue };
        let Some((port, transport)) = place.split_once('/') else { continue };
        if model::Transport::from_name(transport).is_none() {
            continue; // AppleTalk's "ddp"
        }
        let port = port.parse().map_err(|_| format!("{}: {line}", NETBASE.file))?;
        let names = std::iter::once(name).chain(words);
        match lines.iter_mut().find(|entry| entry.0 == transport && entry.1 == port) {
            Some(entry) => entry.2.extend(names),
            None => lines.push((transport.to_owned(), port, names.collect())),
        }
    }
    lines.sort();
    let mut out = String::new();
    for (transport, port, names) in lines {
        let _ = writeln!(out, "{transport} {port} {}", names.join(" "));
    }
    Ok(Some(out))
}

/// The readable account of every source.
fn sources(misuse_sha256: &str) -> String {
    let mut out =
        String::from("# What the tables beside this file were made from. Made by `cargo xtask registry`.\n");
    let [newer, older] = &PACKAGES;
    let entries = [
        (newer, "iana.table", newer.sha256),
        (older, "iana.table", older.sha256),
        (&NETBASE, "netbase.txt", NETBASE.sha256),
        (&MISUSE, "misuse.table", misuse_sha256),
    ];
    for (pin, table, sha256) in entries {
        let _ = write!(
            out,
            "\n[[source]]\nname = \"{}\"\nversion = \"{}\"\ndate = \"{}\"\nfile = \"{}\"\nsha256 = \"{sha256}\"\n\
             licence = \"{}\"\ngave = \"{}\"\ntable = \"{table}\"\n",
            pin.name, pin.version, pin.date, pin.file, pin.licence, pin.gave
        );
    }
    out
}
