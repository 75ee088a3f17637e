//! The face of Portreeve: arguments, text, JSON, CSV and SARIF. The binary is a thin shell around [`run`].

mod args;
mod capability;
#[cfg(test)]
mod fixture;
mod glob;
pub mod sanitise;
mod selection;
mod style;
mod target;
mod text;
