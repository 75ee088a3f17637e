//! Paper: what a port is for as the registry says, whether anybody uses it so, its history of misuse, and the
//! programs that ordinarily serve it.
//!
//! Everything here is a table that was made beforehand (`cargo xtask registry`): a lookup reads it where it lies.
//! No clock, file, socket or environment; an import takes the document's bytes and gives back a table.

mod fault;
pub mod import;
mod misuse;
mod paper;
pub mod program;
mod standing;

pub use fault::Fault;
pub use misuse::{Misuse, Role, misuse};
pub use paper::{Paper, Part, Source};
pub use standing::{Standing, Usage};
