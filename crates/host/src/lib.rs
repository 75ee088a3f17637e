//! The only crate that asks the operating system, and the only one with `unsafe`.
//!
//! [`Looker::snapshot`] gives every socket of the machine with its holders, and says where it could not look.

#[cfg(target_os = "linux")]
pub mod linux;
