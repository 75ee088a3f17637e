//! The commands: from typed arguments to an exit status.

mod about;
mod alert;
mod baseline;
mod captures;
mod census;
mod check;
mod decoy;
mod doctor;
mod evidence;
mod findings;
mod history;
mod list;
mod mcp;
pub(super) mod media;
mod policy;
mod port;
mod read;
mod registry;
mod serve;
mod spool;
mod token;
mod top;
mod until;
mod watch;

use std::ffi::OsString;
use std::io;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::files::Places;
use crate::output;

/// The command line is wrong (`EX_USAGE` of sysexits.h).
const USAGE: u8 = 64;
/// We could not look.
const FAILED: u8 = 2;

/// Why a command ended before its time.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The command line is wrong.
    Usage(String),
    /// We could not do our work.
    Failed(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Failed(format!("cannot write the result: {error}"))
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Stop {
        Stop::Failed(format!("cannot write the result: {error}"))
    }
}

type Status = Result<u8, Stop>;

/// Does what the command line says, and gives the exit status.
pub(crate) fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let _ = error.print();
            return USAGE;
        }
        Err(shown) => {
            // Help and version: asked for, and written to standard output.
            let _ = shown.print();
            return 0;
        }
    };
    match dispatch(cli) {
        Ok(status) => status,
        Err(Stop::Usage(error)) => {
            output::complain(&error);
            USAGE
        }
        Err(Stop::Failed(error)) => {
            output::complain(&error);
            FAILED
        }
    }
}

fn dispatch(cli: Cli) -> Status {
    match cli.command {
        None => list::run(&cli.list),
        Some(Command::List(args)) => list::run(&args),
        Some(Command::Port(args)) => port::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Read(args)) => read::run(&args),
        Some(Command::Watch(args)) => watch::run(&args),
        Some(Command::Top(args)) => top::run(&args),
        Some(Command::Media(command)) => media::run(&command),
        Some(Command::Baseline(command)) => baseline::run(command, &Places::find()),
        Some(Command::Policy(command)) => policy::run(&command, &Places::find()),
        Some(Command::Registry(command)) => registry::run(command, &Places::find()),
        Some(Command::Explain { code, output }) => about::explain(code.as_deref(), &output),
        Some(Command::Census(args)) => census::run(&args),
        Some(Command::Findings(args)) => findings::run(&args),
        Some(Command::History(args)) => history::run(&args),
        Some(Command::Decoy(args)) => decoy::run(&args),
        Some(Command::Alert(command)) => alert::run(&command, &Places::find()),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Token(command)) => token::run(&command),
        Some(Command::Mcp(args)) => mcp::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Schema { document }) => about::schema(document),
        Some(Command::Completions { shell }) => about::completions(shell),
        Some(Command::Man { dir }) => about::man(dir.as_deref()),
    }
}

/// Writes JSON: in one line, or in many for a person at a terminal.
fn write_json(mut line: Vec<u8>, for_people: bool) -> io::Result<()> {
    if for_people {
        line = crate::document::pretty(&line);
    }
    line.push(b'\n');
    output::write(&line)
}
