//! The rules, by what they look at. Each file says which codes it raises; each code has a page in docs/findings/.

pub(crate) mod agreed;
pub(crate) mod drift;
pub(crate) mod exe;
pub(crate) mod media;
pub(crate) mod number;
pub(crate) mod paper;
pub(crate) mod privilege;
pub(crate) mod reach;
pub(crate) mod sniff;
pub(crate) mod unseen;
pub(crate) mod visit;
pub(crate) mod wire;
pub(crate) mod written;
