//! `portreeve media`: sessions and streams, looked at, measured, shown and made.

mod live;
mod look;
mod receive;
mod report;
mod sdp;
mod send;
pub(super) mod sessions;

use super::Status;
use crate::args::MediaCommand;

pub(super) fn run(command: &MediaCommand) -> Status {
    match command {
        MediaCommand::Ls(args) => look::run(args, look::Face::List),
        MediaCommand::Probe(args) => look::run(args, look::Face::Probe),
        MediaCommand::Report(args) => report::run(args),
        MediaCommand::Ptp(args) => look::run(args, look::Face::Ptp),
        MediaCommand::Sdp(command) => sdp::run(command),
        MediaCommand::Send(command) => send::run(command),
        MediaCommand::Receive(args) => receive::run(args),
    }
}
