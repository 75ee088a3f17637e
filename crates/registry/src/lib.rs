//! Paper: what a port is for as the registry says, whether anybody uses it so, its history of misuse, and the
//! programs that ordinarily serve it.
//!
//! Everything here is a table that was made beforehand (`cargo xtask registry`): a lookup reads it where it lies.
//! No clock, file, socket or environment; an import takes the document's bytes and gives back a table.

mod carrier;
mod fault;
pub mod import;
mod misuse;
mod paper;
pub mod program;
mod source;
mod standing;
pub mod table;
mod usage;

pub use carrier::{carried_over, carriers};
pub use fault::Fault;
pub use misuse::{CAVEAT, Misuse, Role, make_misuse, misuse};
pub use paper::Paper;
pub use source::{Part, Source};
pub use standing::{Provenance, Standing, Usage};
