//! The `portreeve` binary: the library's `run`, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    portreeve::run(std::env::args_os())
}
