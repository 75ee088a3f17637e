//! What may be typed about serving assistants.

use std::path::PathBuf;

use clap::Args;

use super::JudgeArgs;

pub(super) const EXAMPLES: &str = "\
Examples:
  portreeve mcp                            as an assistant's client starts it
  portreeve mcp --captures /var/captures   with captures that may be read
  {\"mcpServers\": {\"portreeve\": {\"command\": \"portreeve\", \"args\": [\"mcp\"]}}}
                                           in the settings of a client

Nothing that it offers changes anything. It sees what the user who starts it may see.";

/// Arguments of `mcp`.
#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    /// A folder whose captures may be read (may be given several times); without it, the working directory
    #[arg(long, value_name = "DIR")]
    pub(crate) captures: Vec<PathBuf>,
    /// Most bytes that a capture to be read may have
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub(crate) most_capture: u64,
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
}
