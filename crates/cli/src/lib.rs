//! The face of Portreeve: arguments, text, JSON, CSV and SARIF. The binary is a thin shell around [`run`].

mod args;
mod capability;
mod command;
mod csv;
mod doctor;
mod document;
mod eve;
mod figure;
mod files;
#[cfg(test)]
mod fixture;
mod look;
mod mcp;
mod memory;
mod output;
mod pages;
mod report;
pub mod sanitise;
mod sarif;
mod selection;
mod settings;
mod style;
mod target;
mod text;
mod top;
mod whole;

use std::ffi::OsString;
use std::process::ExitCode;

#[doc(hidden)]
pub use whole::check as check_capture;

/// Does what a command line says. 0: all accounted for, 1: findings, 2: could not look, 64: wrong command line.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(command::run(words))
}
