//! On a live Linux machine: what hides from one way of looking, and what nobody holds.

#![cfg(target_os = "linux")]

mod stage;
mod unheld;
