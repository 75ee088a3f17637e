//! A Debian package (deb(5)): an ar archive of a version, the control files and the data.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::contents::{Contents, File, Role};
use super::tar::{Kind, Tar};
use super::{About, gzip};

/// Scripts do as little as they can, may run twice, and do without systemd.
const POSTINST: &str = r#"#!/bin/sh
set -e
if [ "$1" = configure ]; then
    if command -v systemd-sysusers >/dev/null; then
        systemd-sysusers portreeve.conf
    fi
    if command -v systemd-tmpfiles >/dev/null; then
        systemd-tmpfiles --create portreeve.conf || true
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload || true
        # Not enabled: whether a machine is watched is for its administrator to say. One that runs is renewed.
        if [ -n "$2" ]; then
            systemctl try-restart portreeve.service || true
        fi
    fi
fi
"#;

const PRERM: &str = r#"#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now portreeve.service || true
fi
"#;

const POSTRM: &str = r#"#!/bin/sh
set -e
if [ "$1" = purge ]; then
    # What was kept and what was set. The user stays, so that its number is never another's.
    rm -rf /var/lib/portreeve /var/log/portreeve /etc/portreeve
    rm -f /etc/systemd/system/multi-user.target.wants/portreeve.service
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
"#;

/// The package.
pub fn package(about: &About, contents: &Contents) -> Result<Vec<u8>, String> {
    let mut ar = b"!<arch>\n".to_vec();
    member(&mut ar, "debian-binary", about.time, b"2.0\n");
    member(&mut ar, "control.tar.gz", about.time, &gzip(&control(about, contents)?)?);
    member(&mut ar, "data.tar.gz", about.time, &gzip(&data(about, contents)?)?);
    Ok(ar)
}

/// A member of an ar archive; each begins at an even place.
fn member(out: &mut Vec<u8>, name: &str, time: u64, bytes: &[u8]) {
    out.extend_from_slice(
        format!("{name:<16}{time:<12}0     0     100644  {:<10}`\n", bytes.len()).as_bytes(),
    );
    out.extend_from_slice(bytes);
    if bytes.len() % 2 == 1 {
        out.push(b'\n');
    }
}

fn control(about: &About, contents: &Contents) -> Result<Vec<u8>, String> {
    // In KiB, each file rounded up, as Debian's policy counts.
    let size: usize = contents.values().map(|file| file.bytes.len().div_ceil(1024)).sum();
    let depends = match about.c_library {
        Some((major, minor)) => format!("Depends: libc6 (>= {major}.{minor})\n"),
        None => String::new(),
    };
    let control = format!(
        "Package: portreeve\nVersion: {}\nArchitecture: {}\nMaintainer: {}\nInstalled-Size: {size}\n{depends}\
         Recommends: systemd\nSection: admin\nPriority: optional\nDescription: {}\n{}",
        about.version,
        about.architecture.0,
        super::MAINTAINER,
        super::SUMMARY,
        super::DESCRIPTION
            .lines()
            .map(|line| if line.is_empty() { " .\n".to_owned() } else { format!(" {line}\n") })
            .collect::<String>()
    );
    let settings: String = contents
        .iter()
        .filter(|(_, file)| file.role == Role::Setting)
        .map(|(path, _)| format!("/{path}\n"))
        .collect();
    let mut sums = String::new();
    for (path, file) in contents {
        let _ = writeln!(sums, "{}  {path}", super::digest::md5(&file.bytes));
    }
    let mut tar = Tar::new(about.time);
    tar.add("./", 0o755, Kind::Folder, b"")?;
    for (name, mode, text) in [
        ("./conffiles", 0o644, settings.as_str()),
        ("./control", 0o644, &control),
        ("./md5sums", 0o644, &sums),
        ("./postinst", 0o755, POSTINST),
        ("./postrm", 0o755, POSTRM),
        ("./prerm", 0o755, PRERM),
    ] {
        tar.add(name, mode, Kind::File, text.as_bytes())?;
    }
    Ok(tar.finish())
}

fn data(about: &About, contents: &Contents) -> Result<Vec<u8>, String> {
    let mut tar = Tar::new(about.time);
    tar.add("./", 0o755, Kind::Folder, b"")?;
    let mut made: BTreeSet<String> = BTreeSet::new();
    for (path, File { mode, bytes, .. }) in contents {
        for (at, _) in path.match_indices('/') {
            let folder = path.get(..=at).unwrap_or_default();
            if made.insert(folder.to_owned()) {
                tar.add(&format!("./{folder}"), 0o755, Kind::Folder, b"")?;
            }
        }
        tar.add(&format!("./{path}"), *mode, Kind::File, bytes)?;
    }
    Ok(tar.finish())
}
