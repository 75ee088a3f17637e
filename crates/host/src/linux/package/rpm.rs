//! Owners from the database of rpm.

use super::{Base, Owned};
use crate::linux::process::tree::Tree;

/// Fills in the owners of paths that have none yet.
pub(crate) fn owners(_tree: &Tree, _paths: &[&str], _found: &mut [Option<Owned>]) -> Base {
    Base::NotHere
}
