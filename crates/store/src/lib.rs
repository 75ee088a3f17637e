//! History: what was seen on this machine, when first and when last, and what people decided about it.

mod batch;

pub use batch::{Batch, Sighting};
