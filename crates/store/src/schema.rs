//! The version of the file's form, and the steps from an older one to ours.
//!
//! A newer form is refused: who does not know it would write what its maker cannot read. All steps are made in one
//! transaction, so that a file is of the old form or of the new one, whatever happens meanwhile.

use std::path::Path;

use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};

use crate::desk::{Desk, SERVERS, TABLES};
use crate::fault::StoreError;

/// The form of the file.
pub(crate) const SCHEMA: TableDefinition<'static, &'static str, u32> = TableDefinition::new("schema");
/// Its key.
pub(crate) const VERSION: &str = "version";

/// One step from a form to the next.
pub(crate) type Step = fn(&WriteTransaction) -> Result<(), String>;

/// The forms that we know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The oldest that we can begin with.
    pub(crate) oldest: u32,
    /// The step from it to the next, and so on to ours.
    pub(crate) steps: &'static [Step],
}

/// Ours: form 1 is the first that was ever given to anybody; form 2 knows servers.
pub(crate) const PLAN: Plan = Plan { oldest: 1, steps: &[with_servers] };

fn with_servers(transaction: &WriteTransaction) -> Result<(), String> {
    let table = TABLES.get(SERVERS).map(|(_, table)| transaction.open_table(*table));
    table.transpose().map(drop).map_err(|error| error.to_string())
}

impl Plan {
    /// The form that we read and write.
    pub(crate) fn current(self) -> u32 {
        self.oldest.saturating_add(u32::try_from(self.steps.len()).unwrap_or(u32::MAX))
    }

    /// Brings a file to our form; a file without any form is new.
    pub(crate) fn follow(self, path: &Path, database: &Database) -> Result<(), StoreError> {
        let fault = |error: redb::Error| StoreError::of(path, error);
        let transaction = database.begin_write().map_err(|error| fault(error.into()))?;
        let found = {
            let mut schema = transaction.open_table(SCHEMA).map_err(|error| fault(error.into()))?;
            let found =
                schema.get(VERSION).map_err(|error| fault(error.into()))?.map(|version| version.value());
            if found == Some(self.current()) {
                drop(schema);
                return transaction.abort().map_err(|error| fault(error.into()));
            }
            schema.insert(VERSION, self.current()).map_err(|error| fault(error.into()))?;
            found
        };
        match found {
            None => Desk::open(path, &transaction)?.close()?,
            Some(version) if version > self.current() => {
                return Err(StoreError::Newer {
                    path: path.to_path_buf(),
                    found: version,
                    known: self.current(),
                });
            }
            Some(version) => {
                let done =
                    version.checked_sub(self.oldest).and_then(|done| usize::try_from(done).ok()).ok_or_else(
                        || StoreError::damaged(path, format!("its form {version} was never in use")),
                    )?;
                for step in self.steps.iter().skip(done) {
                    step(&transaction).map_err(|what| StoreError::damaged(path, what))?;
                }
            }
        }
        transaction.commit().map_err(|error| fault(error.into()))
    }
}
