//! A copy of the installed toolchain, into which the standard library is built for other targets.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Stop, apt};
use crate::say::{read_text, run, say};

/// The copy and what belongs to it. All of it lies in `target/cross`.
pub struct Toolchain {
    home: PathBuf,
    root: PathBuf,
    source: PathBuf,
    commit: String,
}

impl Toolchain {
    /// Copies the toolchain and fetches the library's source, or takes what an earlier run left.
    pub fn prepare(home: &Path) -> Result<Toolchain, Stop> {
        let about = read_text(Command::new("rustc").arg("-vV"))?;
        let field = |name: &str| about.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("unknown");
        let (release, commit) = (field("release: ").to_owned(), field("commit-hash: ").to_owned());
        let sysroot = read_text(Command::new("rustc").args(["--print", "sysroot"]))?;
        let sysroot = Path::new(sysroot.trim());

        fs::create_dir_all(home).map_err(|error| format!("{}: {error}", home.display()))?;
        let root = home.join(format!("toolchain-{release}"));
        let source = apt::library_source(home, &release)?;
        if !root.join("complete").is_file() {
            copy(sysroot, &root)?;
            let place = root.join("lib/rustlib/src/rust");
            let link = |from: &Path, to: &Path| {
                std::os::unix::fs::symlink(from, to).map_err(|error| format!("{}: {error}", to.display()))
            };
            fs::remove_dir_all(&place).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(format!("{}: {error}", place.display())),
            })?;
            fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
            link(&source.join("library"), &place.join("library"))?;
            fs::write(root.join("complete"), &commit)
                .map_err(|error| format!("{}: {error}", root.display()))?;
        }
        Ok(Toolchain { home: home.to_path_buf(), root, source, commit })
    }

    /// The folder for everything that a check leaves behind.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of a target's libraries in the copy.
    pub fn libraries(&self, target: &str) -> PathBuf {
        self.root.join("lib/rustlib").join(target).join("lib")
    }

    /// Where cargo puts what it builds for a target with a profile.
    pub fn built(&self, target: &str, profile: &str) -> PathBuf {
        let folder = if profile == "dev" { "debug" } else { profile };
        self.home.join("build").join(target).join(folder)
    }

    /// The copy's cargo, in the workspace, for one target.
    pub fn cargo(&self, command: &str, target: &str) -> Command {
        let mut cargo = self.bare("cargo");
        cargo
            .args([command, "--locked", "--target", target])
            .current_dir(crate::root())
            .env("CARGO_TARGET_DIR", self.home.join("build"))
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_TEST_DEBUG", "0");
        cargo
    }

    /// A program of the copy, without what the outer cargo put into the environment.
    fn bare(&self, program: &str) -> Command {
        let bin = self.root.join("bin");
        let mut command = Command::new(bin.join(program));
        let paths = env::var_os("PATH").unwrap_or_default();
        let joined = env::join_paths(std::iter::once(bin.clone()).chain(env::split_paths(&paths)));
        command.env("PATH", joined.unwrap_or(paths)).env("RUSTC", bin.join("rustc"));
        // The outer cargo points the loader at the original's libraries; the copy would then be the original.
        for name in ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "CARGO", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            command.env_remove(name);
        }
        command
    }

    /// Builds the standard library for a target and installs it, unless an earlier run did.
    pub fn install_library(&self, target: &str) -> Result<(), Stop> {
        let libraries = self.libraries(target);
        let stamp = libraries.join("built-from");
        // What is packed is optimised across all crates, for which the library must keep its bitcode, and runs for long;
        // the others are only ever tested with, and how fast they run matters less than how soon they are there.
        let packed = target.ends_with("-musl");
        let (level, flags) = if packed { ("3", "-Cembed-bitcode=yes") } else { ("1", "") };
        let built_from = format!("{} -O{level} {flags}", self.commit);
        if fs::read_to_string(&stamp).is_ok_and(|text| text == built_from) {
            return Ok(());
        }
        say(&format!("cross: building the standard library for {target}"));
        let place = self.home.join("std");
        let io = |error: std::io::Error| format!("{}: {error}", place.display());
        fs::create_dir_all(place.join("src")).map_err(io)?;
        // Its own workspace: cargo must not take it for a member of ours.
        fs::write(
            place.join("Cargo.toml"),
            "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\n[workspace]\n",
        )
        .map_err(io)?;
        fs::write(place.join("src/lib.rs"), "").map_err(io)?;
        // Crates that were built with other flags have other names, and would be taken along.
        let made = place.join("target").join(target);
        if made.is_dir() {
            fs::remove_dir_all(&made).map_err(io)?;
        }
        run(self
            .bare("cargo")
            .args(["build", "--quiet", "--release", "--target", target])
            .arg("-Zbuild-std=std,panic_unwind,panic_abort,proc_macro,test")
            .current_dir(&place)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", place.join("target"))
            .env("RUSTFLAGS", flags)
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level))?;
        // What was built against another library cannot be linked with this one.
        for old in [&libraries, &self.home.join("build").join(target)] {
            if old.is_dir() {
                fs::remove_dir_all(old).map_err(io)?;
            }
        }
        fs::create_dir_all(&libraries).map_err(io)?;
        let made = made.join("release/deps");
        for entry in fs::read_dir(&made).map_err(io)?.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".rlib") && !name.starts_with("libempty-") {
                fs::copy(entry.path(), libraries.join(&name)).map_err(io)?;
            }
        }
        if target.ends_with("-windows-gnu") {
            for object in ["rsbegin", "rsend"] {
                run(self
                    .bare("rustc")
                    .args([
                        "--target",
                        target,
                        "--edition",
                        "2024",
                        "--cap-lints",
                        "allow",
                        "--emit=obj",
                        "-o",
                    ])
                    .arg(libraries.join(format!("{object}.o")))
                    .arg(self.source.join(format!("library/rtstartup/{object}.rs")))
                    .env("RUSTC_BOOTSTRAP", "1"))?;
            }
        }
        fs::write(&stamp, &built_from).map_err(io)?;
        Ok(())
    }
}

/// Copies what the compiler needs; hard links where the file system lets us.
fn copy(sysroot: &Path, root: &Path) -> Result<(), Stop> {
    if root.exists() {
        fs::remove_dir_all(root).map_err(|error| format!("{}: {error}", root.display()))?;
    }
    fs::create_dir_all(root).map_err(|error| format!("{}: {error}", root.display()))?;
    for folder in ["bin", "lib"] {
        let (from, to) = (sysroot.join(folder), root.join(folder));
        let linked = Command::new("cp").arg("-al").arg(&from).arg(&to).output();
        if linked.is_ok_and(|output| output.status.success()) {
            continue;
        }
        if to.exists() {
            fs::remove_dir_all(&to).map_err(|error| format!("{}: {error}", to.display()))?;
        }
        run(Command::new("cp").arg("-a").arg(&from).arg(&to))?;
    }
    Ok(())
}
