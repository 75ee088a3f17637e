//! Makes and checks the files that are committed but not written by hand, and runs the checks that are more than a test.

mod bench;
mod bpf;
mod corpus;
mod cross;
mod dist;
mod fuzz;
mod licence;
mod registry;
mod registry_merge;
mod say;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use say::{say, warn};

/// What a task gives: done, or one sentence that says why not.
type Outcome = Result<(), String>;

const USAGE: &str = "\
usage: cargo xtask TASK

  bench [--rounds N]     figures beside ss and lsof, on a load of 20,000 listeners (needs root)
  bench-events [--rounds N]
                         who sees listeners that live 0.2 ms, and what that costs them (needs root)
  bench-media [--rounds N]
                         figures of measuring streams beside tshark, on captures that it makes (2 GB of disk)
  bench-wire [--rounds N]
                         figures beside tshark, tcpdump and ndpiReader, on captures that it makes (2 GB of disk)
  bpf [--check]          build bpf/*.bpf.o from their C sources, or compare
  corpus [--install] [SCENE …]
                         record the captures of corpus/wire with real daemons and clients (needs root)
  cross                  check the other systems: macOS, Windows (run under wine), static Linux (run)
  dist [--check] [--profile NAME] [--binary FILE] [--contrib DIR] [--out DIR]
                         make packages: static archive, .deb, .rpm; --check makes them twice and tries them
  fuzz [--seconds N] [TARGET …]
                         build every fuzz target and run each for N seconds (10)
  fuzz --list            list the files of fuzz/fuzz_targets in fuzz/Cargo.toml
  registry [--check]     make the tables of crates/registry/data, or compare
  test [--install] [--no-cross] [--no-fuzz] [--no-packages]
                         format, lints, tests and all the checks above; first install what they need
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let outcome = match task.as_str() {
        "bench" => bench::run(&rest),
        "bench-churn" => bench::run_churn(&rest),
        "bench-events" => bench::run_events(&rest),
        "bench-media" => bench::run_media(&rest),
        "bench-wire" => bench::run_wire(&rest),
        "bench-one" => bench::run_one(&rest),
        "bench-load" => bench::run_load(&rest),
        "bpf" => bpf::run(&rest),
        "corpus" => corpus::run(&rest),
        "cross" => cross::run(&rest),
        "dist" => dist::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "registry" => registry::run(&rest),
        "test" => test::run(&rest),
        "help" | "--help" | "-h" => {
            say(USAGE);
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            warn(&reason);
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
