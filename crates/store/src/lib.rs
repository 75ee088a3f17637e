//! History: what was seen on this machine, when first and when last, and what people decided about it.
//!
//! One file, kept by the crate `redb`: copy-on-write B-trees in which a transaction is whole or not there, so that a
//! process that is killed, a machine that loses power and a disk that is full leave the last commit behind and never
//! half of one. It is not SQLite, for two reasons. SQLite's library is C, and no default build of ours needs a C
//! compiler; and its rewrite in Rust is a beta that its makers do not call safe for data. What we ask of a database is
//! little: ordered keys, one writer, readers beside it.
//!
//! One process has the file open. Within it readers run beside the writer, each on the state of the last commit when it
//! began. Who else wants to know asks that process ([`Query`], [`Answer`]), or opens the file when nobody has it.
//!
//! - Every page has a checksum, and all of them are compared when the file is opened: a damaged file is an error, never
//!   an empty history. [`rebuild`] moves it aside, and only who asks for it gets that.
//! - Rows have types of their own (`row`), written compactly; the version of their form stands in the file (`schema`).
//! - Order is the order in which things were told, by a number. Times are as they were told: a clock may be wrong.
//! - Age is counted by a clock of the history's own (`age`), which a jump of the machine's clock moves by a day at most.
//! - What is kept is bounded by age, by size and by number ([`Limits`]); what is left out is counted.

mod age;
mod answer;
mod append;
mod asking;
mod batch;
mod desk;
mod fault;
mod identity;
mod limits;
mod moment;
mod place;
mod query;
mod row;
mod schema;
mod store;
mod trim;

pub use answer::{
    Acknowledged, Answer, DoorHistory, Fact, FindingRecord, FindingState, Findings, FlowHistory, GapRecord,
    HolderHistory, HolderName, PortHistory, PortSpoken, PortUse, Record, Records, Refusal, RefusalKind,
    SessionRecord, SocketRecord, Span, Spoken, Statistics, StreamRecord, TableSize, TouchRecord, Usage,
    Watched, What,
};
pub use batch::{Batch, Resolution, Sighting};
pub use fault::StoreError;
pub use identity::{finding_id, leg_id};
pub use limits::Limits;
pub use moment::Moment;
pub use place::{FILE, file_in, rebuild};
pub use query::{FindingFilter, Query, RecordFilter};
pub use store::{Store, Trimmed};

// The tests inside and those outside write down the same things.
#[cfg(test)]
extern crate self as portreeve_store;
#[cfg(test)]
mod tests;
