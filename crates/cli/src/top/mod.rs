//! The terminal UI: a pure state machine that is told what came, and draws it; time is told to it, too.
//!
//! [`App::handle`] takes a key, [`App::feed`] what is new on the board, [`App::tick`] the time; [`App::draw`] writes one
//! screen. What talks to a terminal is [`screen`], and what waits for everything is the command.

mod app;
mod details;
mod draw;
mod filter;
mod findings;
mod flows;
mod help;
mod holders;
mod ink;
mod input;
mod known;
mod ports;
mod rates;
pub(crate) mod screen;
mod sheet;
mod streams;
#[cfg(test)]
mod tests;

pub(crate) use app::{Answer, App, Manner};
pub(crate) use filter::Filter;
pub(crate) use ink::Ink;
pub(crate) use input::Input;
pub(crate) use known::Feed;
