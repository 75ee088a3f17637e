//! An RPM package, of the format that every rpm since 4.14 reads.

use std::collections::BTreeSet;

use rpm::{BuildConfig, CompressionWithLevel, Dependency, FileOptions, PackageBuilder, Timestamp};

use super::About;
use super::contents::{Contents, Role};

const POST: &str = r"
if command -v systemd-sysusers >/dev/null; then systemd-sysusers portreeve.conf || :; fi
if command -v systemd-tmpfiles >/dev/null; then systemd-tmpfiles --create portreeve.conf || :; fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi
";
const PREUN: &str = r#"
if [ "$1" = 0 ] && [ -d /run/systemd/system ]; then systemctl disable --now portreeve.service || :; fi
"#;
const POSTUN: &str = r#"
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" -ge 1 ]; then systemctl try-restart portreeve.service || :; fi
fi
"#;

/// Folders that are ours, and go with us.
const FOLDERS: [(&str, u16); 4] = [
    ("/etc/portreeve", 0o755),
    ("/etc/portreeve/portreeve.d", 0o750),
    ("/usr/share/doc/portreeve", 0o755),
    ("/usr/share/licenses/portreeve", 0o755),
];

/// The package.
pub fn package(about: &About, contents: &Contents) -> Result<Vec<u8>, String> {
    build(about, contents).map_err(|error| format!("rpm: {error}"))
}

fn build(about: &About, contents: &Contents) -> Result<Vec<u8>, rpm::Error> {
    let time = Timestamp::from(u32::try_from(about.time).unwrap_or(u32::MAX));
    let config = BuildConfig::v4().source_date(time).compression(CompressionWithLevel::Gzip(9));
    // Debian begins it small, and rpm large.
    let mut summary = super::SUMMARY.to_owned();
    if let Some(first) = summary.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut builder =
        PackageBuilder::new("portreeve", &about.version, "MIT OR Apache-2.0", about.architecture.1, &summary);
    builder
        .using_config(config)
        .release("1")
        .group("System/Monitoring")
        .add_changelog_entry(
            format!("{} - {}-1", super::MAINTAINER, about.version),
            "- What changed stands in CHANGELOG.md.",
            time,
        )
        .description(super::DESCRIPTION)
        .packager(super::MAINTAINER)
        .build_host("localhost")
        .post_install_script(POST)
        .pre_uninstall_script(PREUN)
        .post_uninstall_script(POSTUN)
        .requires(Dependency::any("/bin/sh"))
        .recommends(Dependency::any("systemd"));
    if let Some((major, minor)) = about.c_library {
        builder.requires(Dependency::any(format!("libc.so.6(GLIBC_{major}.{minor})(64bit)")));
    }
    for (folder, mode) in FOLDERS {
        builder.with_dir_entry(FileOptions::dir(folder).permissions(mode))?;
    }
    let mut made = BTreeSet::new();
    for (path, file) in contents {
        for (at, _) in path.match_indices('/') {
            let folder = format!("/{}", path.get(..at).unwrap_or_default());
            let ours = FOLDERS.iter().any(|(ours, _)| folder.starts_with(&format!("{ours}/")));
            if ours && made.insert(folder.clone()) {
                builder.with_dir_entry(FileOptions::dir(folder).permissions(0o755))?;
            }
        }
        let mode = u16::try_from(file.mode).unwrap_or(0o644);
        let options = FileOptions::new(format!("/{path}")).permissions(mode);
        let options = match file.role {
            Role::Plain => options,
            Role::Setting => options.config().noreplace(),
            Role::Document => options.doc(),
            Role::Licence => options.license(),
        };
        builder.with_file_contents(file.bytes.clone(), options)?;
    }
    let mut out = Vec::new();
    builder.build()?.write(&mut out)?;
    Ok(out)
}
