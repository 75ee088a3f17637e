//! On a live Linux machine: what hides from one way of looking, and what nobody holds.

#![cfg(target_os = "linux")]

mod hidden;
mod places;
mod stage;
mod unheld;
