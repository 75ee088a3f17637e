//! Checks of the systems other than the one we build on: macOS is checked, Windows is built and run under wine, static
//! Linux is built and run. What a machine has no pieces for is skipped loudly.

mod apt;
mod listener;
mod macos;
mod musl;
mod toolchain;
mod windows;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::Outcome;
use crate::say::{say, skip};
pub use musl::has_interpreter;
use toolchain::Toolchain;

/// Why a check did not pass.
pub enum Stop {
    /// A piece is not to be had on this machine: nothing was found out.
    Lacking(String),
    /// It was looked at, and it is wrong.
    Failed(String),
}

impl From<String> for Stop {
    fn from(reason: String) -> Stop {
        Stop::Failed(reason)
    }
}

type Check = fn(&Toolchain) -> Result<(), Stop>;

const CHECKS: [(&str, Check); 3] =
    [("macos", macos::check), ("windows", windows::check), ("musl", musl::check)];

/// Builds the static binary for Linux, and gives its path.
pub fn static_binary(profile: &str) -> Result<PathBuf, Stop> {
    let toolchain = Toolchain::prepare(&crate::root().join("target").join("cross"))?;
    musl::build(&toolchain, profile)
}

/// Performs every check, or those that are named.
pub fn run(arguments: &[String]) -> Outcome {
    if arguments == [windows::WITHIN] {
        let toolchain = Toolchain::prepare(&crate::root().join("target").join("cross"));
        return toolchain.and_then(|toolchain| windows::within(&toolchain)).map_err(|stop| match stop {
            Stop::Lacking(why) | Stop::Failed(why) => why,
        });
    }
    if let Some(unknown) = arguments.iter().find(|name| CHECKS.iter().all(|(known, _)| known != name)) {
        return Err(format!("cross: no check is named {unknown}; there are macos, windows and musl"));
    }
    let home = crate::root().join("target").join("cross");
    let toolchain = match Toolchain::prepare(&home) {
        Ok(toolchain) => toolchain,
        Err(Stop::Lacking(why)) => {
            skip("every check of other systems", &why);
            return Ok(());
        }
        Err(Stop::Failed(why)) => return Err(why),
    };
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        if !arguments.is_empty() && !arguments.iter().any(|wanted| wanted == name) {
            continue;
        }
        let begun = Instant::now();
        match check(&toolchain) {
            Ok(()) => say(&format!("cross {name}: ok, {} s", begun.elapsed().as_secs())),
            Err(Stop::Lacking(why)) => skip(&format!("cross {name}"), &why),
            Err(Stop::Failed(why)) => failed.push(format!("cross {name}: {why}")),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// Fails unless the file is there, and says what would bring it.
fn need(path: &Path, package: &str) -> Result<(), Stop> {
    if path.is_file() {
        return Ok(());
    }
    Err(Stop::Lacking(format!("{} is not there (apt-get install {package})", path.display())))
}
