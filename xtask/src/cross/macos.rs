//! macOS: the whole workspace is checked. Nothing can be run.

use super::{Stop, toolchain::Toolchain};
use crate::say::run;

const TARGET: &str = "aarch64-apple-darwin";

pub fn check(toolchain: &Toolchain) -> Result<(), Stop> {
    toolchain.install_library(TARGET)?;
    run(toolchain.cargo("check", TARGET).args(["--workspace", "--exclude", "xtask"]))?;
    run(toolchain.cargo("check", TARGET).args(["--package", "portreeve-host", "--tests"]))?;
    Ok(())
}
