//! What people set for the service: the files `portreeve.toml` and `portreeve.d/*.toml`, read and checked.
//!
//! Each section is a structure of the module that it configures. A later file adds to an earlier one: of a section the
//! keys that it has, of a list of sections its entries.

mod fault;
mod quantity;
mod sections;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use toml::{Table, Value};
use verdict::Fault;

use crate::decoys::DecoySettings;
use crate::recording::HistorySettings;

pub use quantity::{Size, Span};
pub use sections::{ServeSettings, SessionSettings, WatchSettings};

/// Everything that can be set; what no file sets has its default.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The ways by which findings are told.
    #[serde(deserialize_with = "crate::alerting::entries")]
    pub alert: Vec<crate::alerting::AlertSettings>,
    /// What is watched, and with how much memory.
    pub watch: WatchSettings,
    /// Who tells what was agreed for ports.
    pub sessions: SessionSettings,
    /// How the service runs.
    pub serve: ServeSettings,
    /// How the history is kept.
    pub history: HistorySettings,
    /// Empty ports that tell who comes to them; none where no port is named.
    pub decoy: DecoySettings,
    /// How the API listens, as it is written: the API itself reads it.
    pub api: Table,
}

/// Reads settings from files, each with its name and text, the later ones over the earlier.
pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Settings, Fault> {
    let mut whole = Table::new();
    let files: Vec<(&str, &str)> = files.into_iter().collect();
    for (name, text) in &files {
        // By itself first: only there has a mistake a place.
        toml::from_str::<Settings>(text).map_err(|error| fault::of(name, text, &error))?;
        let table = text.parse::<Table>().map_err(|error| fault::of(name, text, &error))?;
        lay_over(&mut whole, table);
    }
    // Each is right by itself: what is wrong now is wrong between them.
    let settings = Settings::deserialize(whole).map_err(|error| fault::between(&files, error.message()))?;
    settings.history.check().map_err(|reason| fault::between(&files, &reason))?;
    Ok(settings)
}

fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(there)), Value::Table(more)) => lay_over(there, more),
            (Some(Value::Array(there)), Value::Array(more))
                if more.iter().all(Value::is_table) && !more.is_empty() =>
            {
                there.extend(more);
            }
            (_, value) => drop(below.insert(key, value)),
        }
    }
}
