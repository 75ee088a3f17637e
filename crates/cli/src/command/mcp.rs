//! `portreeve mcp`: the read model for assistants, over standard input and output.

use std::io;
use std::path::PathBuf;

use super::{Status, Stop};
use crate::args::McpArgs;
use crate::files::Places;
use crate::mcp::{self, Desk};

pub(super) fn run(args: &McpArgs) -> Status {
    let named = if args.captures.is_empty() { vec![PathBuf::from(".")] } else { args.captures.clone() };
    let canonical = |folder: &PathBuf| {
        folder.canonicalize().map_err(|error| Stop::Failed(format!("{}: {error}", folder.display())))
    };
    let desk = Desk {
        places: Places::find(),
        judge: args.judge.clone(),
        captures: named.iter().map(canonical).collect::<Result<_, _>>()?,
        most_capture: args.most_capture,
    };
    mcp::serve(&mut io::stdin().lock(), &mut |line| crate::output::write_on(line), desk)?;
    Ok(0)
}
