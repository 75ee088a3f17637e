//! The store: one writer, readers beside it, and how it is opened again after a failure.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use model::{Timestamp, Utc};
use redb::{Database, ReadableDatabase};

use crate::append;
use crate::batch::Batch;
use crate::desk::{Desk, Reading};
use crate::fault::StoreError;
use crate::limits::Limits;
use crate::place;
use crate::schema::{PLAN, Plan};
use crate::trim;

/// What a trim took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trimmed {
    /// Rows that were too old.
    pub aged: u64,
    /// Rows that there was no room for.
    pub crowded: u64,
    /// Findings that were not seen for long and are resolved now.
    pub resolved: u64,
    /// Acknowledgements that expired: their findings are open again.
    pub expired: u64,
}

/// The history of a machine.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    limits: Limits,
    plan: Plan,
    /// `None` while it could not be opened again after a failure.
    database: RwLock<Option<Database>>,
    /// What namespaces were called at the last look, by inode number.
    namespaces: Mutex<HashMap<u32, String>>,
}

impl Store {
    /// Opens the history in a folder, or this file, and makes one where none is.
    pub fn open(place: &Path, limits: Limits) -> Result<Store, StoreError> {
        let path = place::file_in(place);
        if !path.exists() {
            place::create(&path, PLAN)?;
        }
        Store::existing(place, limits)
    }

    /// Opens the history in a folder, or this file; none is an error.
    pub fn existing(place: &Path, limits: Limits) -> Result<Store, StoreError> {
        let path = place::file_in(place);
        let database = place::open(&path, PLAN)?;
        Ok(Store::around(path, limits, PLAN, database))
    }

    pub(crate) fn around(path: PathBuf, limits: Limits, plan: Plan, database: Database) -> Store {
        Store {
            path,
            limits,
            plan,
            database: RwLock::new(Some(database)),
            namespaces: Mutex::new(HashMap::new()),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much is kept.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Writes a batch: when this returns, all of it is on the disk.
    pub fn append(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(|desk| append::batch(desk, batch, &mut namespaces))
    }

    /// Takes away what is too old or too much, and tells what became of findings. `now` moves the history's own clock.
    pub fn trim(&self, now: Timestamp<Utc>) -> Result<Trimmed, StoreError> {
        self.write(|desk| trim::trim(desk, &self.limits, now))
    }

    /// Opens the file again after a failure: what was written by the last commit is there.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // The old one has to let go of the file before another can have it.
        drop(database.take());
        *database = Some(place::open(&self.path, self.plan)?);
        Ok(())
    }

    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| StoreError::Closed { path: self.path.clone() })?;
        place::guarded(&self.path, || {
            let transaction = database.begin_write().map_err(|error| StoreError::of(&self.path, error))?;
            let mut desk = Desk::open(&self.path, &transaction)?;
            let done = work(&mut desk)?;
            desk.close()?;
            transaction.commit().map_err(|error| StoreError::of(&self.path, error))?;
            Ok(done)
        })
    }

    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Reading<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| StoreError::Closed { path: self.path.clone() })?;
        place::guarded(&self.path, || {
            let transaction = database.begin_read().map_err(|error| StoreError::of(&self.path, error))?;
            work(&Reading::open(&self.path, transaction)?)
        })
    }
}
