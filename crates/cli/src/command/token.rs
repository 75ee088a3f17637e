//! `portreeve token`: who may ask the service's API.

use api::access::{Scope, Tokens};

use super::{Status, Stop, serve, write_json};
use crate::args::{ScopeName, TokenCommand, TokenPlace};
use crate::files::Places;
use crate::{output, sanitise, settings};

pub(super) fn run(command: &TokenCommand) -> Status {
    match command {
        TokenCommand::New { name, scope, place } => {
            let scope = match scope {
                ScopeName::Read => Scope::Read,
                ScopeName::Ack => Scope::Ack,
                ScopeName::Admin => Scope::Admin,
            };
            let (_, secret) = open(place)?.issue(name, scope).map_err(failed)?;
            output::complain("this is shown once; whoever has it may ask the API");
            output::write(format!("{secret}\n").as_bytes())?;
        }
        TokenCommand::List { place, json } => {
            let mut tokens = open(place)?;
            let all = tokens.list().map_err(failed)?;
            if *json {
                let all: Vec<_> = all
                    .iter()
                    .map(|it| serde_json::json!({ "id": it.id, "name": it.name, "scope": it.scope.name() }))
                    .collect();
                let document = serde_json::json!({ "schema_version": 1, "tokens": all });
                write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
                return Ok(0);
            }
            for token in all {
                let line =
                    format!("{}  {:5}  {}\n", token.id, token.scope.name(), sanitise::line(&token.name));
                output::write(line.as_bytes())?;
            }
        }
        TokenCommand::Revoke { name, place } => {
            if !open(place)?.revoke(name).map_err(failed)? {
                let name = sanitise::line(name);
                return Err(Stop::Usage(format!(
                    "there is no token {name} (portreeve token list shows them)"
                )));
            }
        }
    }
    Ok(0)
}

fn open(place: &TokenPlace) -> Result<Tokens, Stop> {
    let settings = settings::load(&Places::find(), place.config.as_deref()).map_err(Stop::Failed)?.settings;
    let api = serve::api_settings(&settings, &settings.history.folder).map_err(Stop::Failed)?;
    Tokens::open(&api.tokens).map_err(|error| Stop::Failed(format!("{}: {error}", api.tokens.display())))
}

fn failed(error: impl std::fmt::Display) -> Stop {
    Stop::Failed(error.to_string())
}
