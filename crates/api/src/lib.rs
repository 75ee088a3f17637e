//! What is known, for strangers: an HTTP API, web pages and metrics, all read from one [`Board`].
//!
//! Nothing here knows more than the board and the [`Keeper`] tell; nothing here decides who may see it but [`gate`].
//!
//! [`Board`]: engine::board::Board

pub mod access;
mod assets;
mod atlas;
mod caller;
mod captures;
pub mod document;
mod feed;
mod gate;
mod keeper;
mod metrics;
#[cfg(test)]
mod openapi;
mod policy;
mod problem;
mod routes;
mod server;
mod settings;
mod shared;
mod taking;
#[cfg(test)]
mod testing;
mod tls;
mod web;

pub use keeper::{
    Decision, DecoyStanding, Keeper, KeptFinding, Nobody, PolicyText, Proposal, Proposed, Query, Refusal,
    Span, Standing,
};
pub use server::Server;
pub use settings::{ApiError, ApiSettings};
