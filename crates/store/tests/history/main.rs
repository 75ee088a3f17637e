//! The history from outside: what is told is what is answered, whatever happens in between.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is how it fails")]

mod asked;
mod killed;
mod measured;
mod support;
