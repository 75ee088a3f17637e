//! The rules of the wire, by what they look at. Each file says which codes it raises.

pub(crate) mod chair;
mod clear;
pub(crate) mod damage;
pub(crate) mod home;
mod mismatch;
pub(crate) mod novelty;
pub(crate) mod pattern;
pub(in crate::rules) mod words;

use crate::docket::Docket;
use crate::traffic::{Berthed, Watch};

/// Judges one service. What its bytes are comes first: an empty chair in which a protocol sits is that protocol's
/// finding, with the chair as evidence.
pub(crate) fn judge<'a>(
    watch: &Watch<'a>,
    berthed: &Berthed<'a>,
    homes: &mut home::Homes,
    docket: &mut Docket<'a>,
) {
    if !berthed.is_agreed() && !mismatch::judge(watch, berthed, homes, docket) {
        chair::judge(watch, berthed, homes, docket);
    }
    clear::judge(watch, berthed, docket);
}
