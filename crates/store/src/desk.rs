//! The tables of the file, and how a row is put, read and taken away while its size is counted.
//!
//! Keys and values are bytes: keys so that their order is the order that is asked for, values as `row` has them.

use std::path::Path;

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::StoreError;
use crate::row::{Size, State};

/// A table of bytes.
pub(crate) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// What happened: by number.
pub(crate) const LOG: usize = 0;
/// The same by transport, port and number: an index.
pub(crate) const BY_PORT: usize = 1;
/// Doors: by kind, port, namespace, address.
pub(crate) const DOORS: usize = 2;
/// Who held doors: by the hash of what tells them apart.
pub(crate) const HOLDERS: usize = 3;
/// Which of them held which door: by door and holder.
pub(crate) const HELD: usize = 4;
/// Port numbers: by transport and port.
pub(crate) const PORTS: usize = 5;
/// Flows: by hour, transport, port and protocol.
pub(crate) const FLOWS: usize = 6;
/// Findings: by the hash of code and subject.
pub(crate) const FINDINGS: usize = 7;
/// Sessions.
pub(crate) const SESSIONS: usize = 8;
/// Streams.
pub(crate) const STREAMS: usize = 9;
/// Gaps.
pub(crate) const GAPS: usize = 10;
/// Days on which something was told.
pub(crate) const DAYS: usize = 11;
/// Servers that answered: by address, transport and port.
pub(crate) const SERVERS: usize = 12;

/// The tables and their names in the file.
pub(crate) const TABLES: [(&str, Definition); 13] = [
    ("log", TableDefinition::new("log")),
    ("by_port", TableDefinition::new("by_port")),
    ("doors", TableDefinition::new("doors")),
    ("holders", TableDefinition::new("holders")),
    ("held", TableDefinition::new("held")),
    ("ports", TableDefinition::new("ports")),
    ("flows", TableDefinition::new("flows")),
    ("findings", TableDefinition::new("findings")),
    ("sessions", TableDefinition::new("sessions")),
    ("streams", TableDefinition::new("streams")),
    ("gaps", TableDefinition::new("gaps")),
    ("days", TableDefinition::new("days")),
    ("servers", TableDefinition::new("servers")),
];

/// What there is one of.
pub(crate) const META: Definition = TableDefinition::new("meta");
/// Its key.
pub(crate) const STATE: &[u8] = b"state";

/// What a row takes beside its key and value.
const ROW_OVERHEAD: usize = 8;

/// A row as bytes.
pub(crate) fn encode<R: Serialize>(row: &R) -> Result<Vec<u8>, String> {
    postcard::to_allocvec(row).map_err(|error| error.to_string())
}

/// Bytes as a row.
pub(crate) fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, String> {
    match postcard::take_from_bytes::<R>(bytes) {
        Ok((row, [])) => Ok(row),
        Ok(_) => Err(String::from("a row has bytes left over")),
        Err(error) => Err(format!("a row cannot be read: {error}")),
    }
}

fn cost(key: &[u8], value: &[u8]) -> u64 {
    u64::try_from(key.len() + value.len() + ROW_OVERHEAD).unwrap_or(u64::MAX)
}

/// All tables in one write transaction.
pub(crate) struct Desk<'t> {
    path: &'t Path,
    tables: Vec<Table<'t, &'static [u8], &'static [u8]>>,
    meta: Table<'t, &'static [u8], &'static [u8]>,
    pub(crate) state: State,
}

impl<'t> Desk<'t> {
    /// Opens the tables, which makes those that are not there.
    pub(crate) fn open(path: &'t Path, transaction: &'t WriteTransaction) -> Result<Desk<'t>, StoreError> {
        let fault = |error: redb::TableError| StoreError::of(path, error);
        let meta = transaction.open_table(META).map_err(fault)?;
        let mut state: State = match meta.get(STATE).map_err(|error| StoreError::of(path, error))? {
            Some(bytes) => decode(bytes.value()).map_err(|what| StoreError::damaged(path, what))?,
            None => State::default(),
        };
        state.sizes.resize(TABLES.len(), Size::default());
        let tables = TABLES
            .iter()
            .map(|(_, definition)| transaction.open_table(*definition).map_err(fault))
            .collect::<Result<_, _>>()?;
        Ok(Desk { path, tables, meta, state })
    }

    /// Writes what there is one of. The transaction is whole only with it.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        let bytes = encode(&self.state).map_err(|what| StoreError::damaged(self.path, what))?;
        self.meta.insert(STATE, bytes.as_slice()).map_err(|error| StoreError::of(self.path, error))?;
        Ok(())
    }

    fn table(&mut self, table: usize) -> Result<&mut Table<'t, &'static [u8], &'static [u8]>, StoreError> {
        let path = self.path;
        self.tables.get_mut(table).ok_or_else(|| StoreError::damaged(path, "there is no such table"))
    }

    /// The row with this key.
    pub(crate) fn row<R: DeserializeOwned>(
        &mut self,
        table: usize,
        key: &[u8],
    ) -> Result<Option<R>, StoreError> {
        let path = self.path;
        let found = self.table(table)?.get(key).map_err(|error| StoreError::of(path, error))?;
        found.map(|bytes| decode(bytes.value()).map_err(|what| StoreError::damaged(path, what))).transpose()
    }

    /// Writes a row, in the place of one with the same key.
    pub(crate) fn put<R: Serialize>(&mut self, table: usize, key: &[u8], row: &R) -> Result<(), StoreError> {
        let bytes = encode(row).map_err(|what| StoreError::damaged(self.path, what))?;
        self.put_bytes(table, key, &bytes)
    }

    /// Writes bytes.
    pub(crate) fn put_bytes(&mut self, table: usize, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path;
        let replaced = self
            .table(table)?
            .insert(key, bytes)
            .map_err(|error| StoreError::of(path, error))?
            .map(|old| cost(key, old.value()));
        if let Some(size) = self.state.sizes.get_mut(table) {
            size.rows += u64::from(replaced.is_none());
            size.bytes = size.bytes.saturating_sub(replaced.unwrap_or(0)).saturating_add(cost(key, bytes));
        }
        Ok(())
    }

    /// Takes a row away, if it is there.
    pub(crate) fn remove(&mut self, table: usize, key: &[u8]) -> Result<(), StoreError> {
        let path = self.path;
        let removed = self
            .table(table)?
            .remove(key)
            .map_err(|error| StoreError::of(path, error))?
            .map(|old| cost(key, old.value()));
        if let (Some(removed), Some(size)) = (removed, self.state.sizes.get_mut(table)) {
            size.rows = size.rows.saturating_sub(1);
            size.bytes = size.bytes.saturating_sub(removed);
        }
        Ok(())
    }

    /// Reads rows in the order of their keys, until `each` has seen enough.
    pub(crate) fn walk<R: DeserializeOwned>(
        &mut self,
        table: usize,
        mut each: impl FnMut(&[u8], R) -> bool,
    ) -> Result<(), StoreError> {
        let path = self.path;
        let fault = |error: redb::StorageError| StoreError::of(path, error);
        for entry in self.table(table)?.iter().map_err(fault)? {
            let (key, value) = entry.map_err(fault)?;
            let row = decode(value.value()).map_err(|what| StoreError::damaged(path, what))?;
            if !each(key.value(), row) {
                break;
            }
        }
        Ok(())
    }

    /// Rows and bytes of a table.
    pub(crate) fn size(&self, table: usize) -> Size {
        self.state.sizes.get(table).copied().unwrap_or_default()
    }

    /// Bytes of all tables.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.sizes.iter().map(|size| size.bytes).sum()
    }
}

/// All tables as one commit left them.
pub(crate) struct Reading<'p> {
    path: &'p Path,
    transaction: ReadTransaction,
    pub(crate) state: State,
}

/// Whether to go on with the next row.
pub(crate) type GoOn = bool;

impl<'p> Reading<'p> {
    /// Reads what there is one of.
    pub(crate) fn open(path: &'p Path, transaction: ReadTransaction) -> Result<Reading<'p>, StoreError> {
        let meta = transaction.open_table(META).map_err(|error| StoreError::of(path, error))?;
        let mut state: State = match meta.get(STATE).map_err(|error| StoreError::of(path, error))? {
            Some(bytes) => decode(bytes.value()).map_err(|what| StoreError::damaged(path, what))?,
            None => State::default(),
        };
        state.sizes.resize(TABLES.len(), Size::default());
        Ok(Reading { path, transaction, state })
    }

    fn table(&self, table: usize) -> Result<redb::ReadOnlyTable<&'static [u8], &'static [u8]>, StoreError> {
        let (_, definition) =
            TABLES.get(table).ok_or_else(|| StoreError::damaged(self.path, "there is no such table"))?;
        self.transaction.open_table(*definition).map_err(|error| StoreError::of(self.path, error))
    }

    /// The row with this key.
    pub(crate) fn row<R: DeserializeOwned>(&self, table: usize, key: &[u8]) -> Result<Option<R>, StoreError> {
        let found = self.table(table)?.get(key).map_err(|error| StoreError::of(self.path, error))?;
        found
            .map(|bytes| decode(bytes.value()).map_err(|what| StoreError::damaged(self.path, what)))
            .transpose()
    }

    /// Reads rows whose keys begin so, in the order of their keys or against it.
    pub(crate) fn walk<R: DeserializeOwned>(
        &self,
        table: usize,
        keys: std::ops::Range<&[u8]>,
        backwards: bool,
        mut each: impl FnMut(&[u8], R) -> Result<GoOn, StoreError>,
    ) -> Result<(), StoreError> {
        let fault = |error: redb::StorageError| StoreError::of(self.path, error);
        let table = self.table(table)?;
        let mut rows = table.range::<&[u8]>(keys).map_err(fault)?;
        loop {
            let next = if backwards { rows.next_back() } else { rows.next() };
            let Some(entry) = next else { return Ok(()) };
            let (key, value) = entry.map_err(fault)?;
            let row = decode(value.value()).map_err(|what| StoreError::damaged(self.path, what))?;
            if !each(key.value(), row)? {
                return Ok(());
            }
        }
    }

    /// Reads keys in a range, the last first.
    pub(crate) fn keys(
        &self,
        table: usize,
        keys: std::ops::Range<&[u8]>,
        mut each: impl FnMut(&[u8]) -> Result<GoOn, StoreError>,
    ) -> Result<(), StoreError> {
        let fault = |error: redb::StorageError| StoreError::of(self.path, error);
        let table = self.table(table)?;
        let mut rows = table.range::<&[u8]>(keys).map_err(fault)?;
        while let Some(entry) = rows.next_back() {
            let (key, _) = entry.map_err(fault)?;
            if !each(key.value())? {
                break;
            }
        }
        Ok(())
    }

    /// Reads every row.
    pub(crate) fn all<R: DeserializeOwned>(
        &self,
        table: usize,
        each: impl FnMut(&[u8], R) -> Result<GoOn, StoreError>,
    ) -> Result<(), StoreError> {
        self.walk(table, &[]..AFTER_ALL, false, each)
    }
}

/// Behind every key there is.
pub(crate) const AFTER_ALL: &[u8] = &[0xff; 80];
