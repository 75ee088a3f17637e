//! SQLite files, read only: just enough to find rows by number and by one indexed text (SQLite file format 3).
//!
//! Pages come from the caller, one at a time, so that a large database costs only the pages that are looked at. A
//! write-ahead log that was not yet copied back is read over them. Section numbers are those of "Database File Format".

use alloc::{collections::BTreeMap, vec, vec::Vec};

use crate::Fault;
use crate::cursor::{array, be16};

/// Where the bytes of the file come from.
pub trait Source {
    /// Fills `into` from `at` on; `false` where the file ends before.
    fn read(&mut self, at: u64, into: &mut [u8]) -> bool;

    /// How long the file is: no row can be longer.
    fn length(&self) -> u64;
}

impl Source for &[u8] {
    fn read(&mut self, at: u64, into: &mut [u8]) -> bool {
        let from =
            usize::try_from(at).ok().and_then(|at| self.get(at..)).and_then(|rest| rest.get(..into.len()));
        from.is_some_and(|from| {
            into.copy_from_slice(from);
            true
        })
    }

    fn length(&self) -> u64 {
        self.len() as u64
    }
}

/// Deeper trees than this do not exist: a page holds at least two children.
const DEPTH_MAX: usize = 40;
/// Most bytes of one row.
const ROW_MAX: usize = 64 << 20;
/// Most bytes of one key: file names are shorter.
const KEY_MAX: usize = 64 << 10;
/// Most rows that one lookup gives.
const HITS_MAX: usize = 4096;

const fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "sqlite", at, what }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

fn wide(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// An open database.
#[derive(Debug)]
pub struct Database<S> {
    source: S,
    page_bytes: usize,
    /// Bytes of a page that are of use: the rest is reserved (§1.3.4).
    usable: usize,
    /// Pages in the log, which hide those of the file.
    log: BTreeMap<u32, Vec<u8>>,
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number, which is of no use here.
    Real,
    /// Text or bytes: rpm stores its keys as either.
    Bytes(&'a [u8]),
}

impl<S: Source> Database<S> {
    /// Opens a database, with its write-ahead log where there is one.
    pub fn open(mut source: S, log: Option<&[u8]>) -> Result<Database<S>, Fault> {
        let mut head = [0u8; 100];
        if !source.read(0, &mut head) {
            return Err(fault(0, "no header (§1.3)"));
        }
        if !head.starts_with(b"SQLite format 3\0") {
            return Err(fault(0, "not a database (§1.3.1)"));
        }
        let page_bytes = match be16(&head, 16) {
            Some(1) => 65_536,
            Some(bytes) if bytes.is_power_of_two() && bytes >= 512 => usize::from(bytes),
            _ => return Err(fault(16, "page size is no power of two from 512 to 65536 (§1.3.2)")),
        };
        let reserved = head.get(20).copied().map_or(0, usize::from);
        let usable = page_bytes.saturating_sub(reserved);
        if usable < 480 {
            return Err(fault(20, "too much of a page is reserved (§1.3.4)"));
        }
        if be32(&head, 56) != Some(1) && be32(&head, 56) != Some(0) {
            return Err(fault(56, "text is not UTF-8 (§1.3.13)"));
        }
        let log = log.map(|log| read_log(log, page_bytes)).unwrap_or_default();
        Ok(Database { source, page_bytes, usable, log })
    }

    fn page(&mut self, number: u32) -> Result<Vec<u8>, Fault> {
        if let Some(page) = self.log.get(&number) {
            return Ok(page.clone());
        }
        let index = number.checked_sub(1).ok_or(fault(0, "page number 0"))?;
        let mut page = vec![0; self.page_bytes];
        if !self.source.read(u64::from(index) * self.page_bytes as u64, &mut page) {
            return Err(fault(wide(number), "page is beyond the end"));
        }
        Ok(page)
    }

    /// The root page of a table or index, by its name (§2.6).
    pub fn root(&mut self, name: &str) -> Result<Option<u32>, Fault> {
        let mut out = None;
        self.scan(1, |row| {
            let columns = columns(row)?;
            if columns.get(1) == Some(&Value::Bytes(name.as_bytes()))
                && let Some(Value::Integer(root)) = columns.get(3)
            {
                out = u32::try_from(*root).ok();
            }
            Ok(out.is_none())
        })?;
        Ok(out)
    }

    /// The root page and statement of the first index on a table whose statement names this column first.
    pub fn index_of(&mut self, table: &str, column: &str) -> Result<Option<u32>, Fault> {
        let mut out = None;
        self.scan(1, |row| {
            let columns = columns(row)?;
            if let (
                Some(Value::Bytes(b"index")),
                Some(Value::Bytes(of)),
                Some(Value::Integer(root)),
                Some(Value::Bytes(sql)),
            ) = (columns.first(), columns.get(2), columns.get(3), columns.get(4))
                && *of == table.as_bytes()
                && first_column(sql) == Some(column)
            {
                out = u32::try_from(*root).ok();
            }
            Ok(out.is_none())
        })?;
        Ok(out)
    }

    /// The row with this number in a table (§2.3).
    pub fn row(&mut self, root: u32, number: i64) -> Result<Option<Vec<u8>>, Fault> {
        let mut at = root;
        for _ in 0..DEPTH_MAX {
            let page = Page::new(at, self.page(at)?)?;
            match page.kind {
                0x0d => {
                    let Some(cell) = page.table_leaf(number)? else { return Ok(None) };
                    return self.payload(&page, cell, true).map(Some);
                }
                0x05 => at = page.table_child(number)?,
                _ => return Err(fault(wide(at), "not a table page (§1.6)")),
            }
        }
        Err(fault(wide(at), "the tree is deeper than it can be"))
    }

    /// The rows whose first indexed column is `key` (§2.4): their numbers, in order.
    pub fn find(&mut self, index: u32, key: &[u8]) -> Result<Vec<i64>, Fault> {
        let mut out = Vec::new();
        self.find_below(index, key, 0, &mut out)?;
        Ok(out)
    }

    fn find_below(&mut self, at: u32, key: &[u8], depth: usize, out: &mut Vec<i64>) -> Result<(), Fault> {
        if depth >= DEPTH_MAX {
            return Err(fault(wide(at), "the tree is deeper than it can be"));
        }
        let page = Page::new(at, self.page(at)?)?;
        let interior = match page.kind {
            0x0a => false,
            0x02 => true,
            _ => return Err(fault(wide(at), "not an index page (§1.6)")),
        };
        // Keys are in order: the first cell that is not below the key is found by halving.
        let (mut low, mut high) = (0, page.cells);
        while low < high {
            let middle = low.midpoint(high);
            if self.index_cell(&page, middle, interior)?.0.as_slice() < key {
                low = middle + 1
            } else {
                high = middle
            }
        }
        for cell in low..=page.cells {
            if out.len() >= HITS_MAX {
                return Ok(());
            }
            if interior {
                let child = if cell == page.cells { page.right } else { page.child(cell)? };
                self.find_below(child, key, depth + 1, out)?;
            }
            if cell == page.cells {
                return Ok(());
            }
            let (found, number) = self.index_cell(&page, cell, interior)?;
            if found != key {
                return Ok(());
            }
            out.push(number);
        }
        Ok(())
    }

    /// Key and row number of a cell of an index.
    fn index_cell(&mut self, page: &Page, cell: usize, interior: bool) -> Result<(Vec<u8>, i64), Fault> {
        let start = page.cell(cell)? + if interior { 4 } else { 0 };
        let payload = self.payload(page, start, false)?;
        let columns = columns(&payload)?;
        match (columns.first(), columns.last()) {
            (Some(Value::Bytes(key)), Some(Value::Integer(number))) => Ok((key.to_vec(), *number)),
            // NULL and numbers come before every text.
            (Some(_), Some(Value::Integer(number))) => Ok((Vec::new(), *number)),
            _ => Err(fault(wide(page.number), "an index entry without a row number")),
        }
    }

    /// Visits the rows of a small table until `visit` says to stop.
    fn scan(&mut self, root: u32, mut visit: impl FnMut(&[u8]) -> Result<bool, Fault>) -> Result<(), Fault> {
        let mut todo = vec![(root, 0)];
        let mut pages = 0;
        while let Some((at, depth)) = todo.pop() {
            pages += 1;
            if depth >= DEPTH_MAX || pages > 4096 {
                return Err(fault(wide(at), "the tree is larger than it can be"));
            }
            let page = Page::new(at, self.page(at)?)?;
            match page.kind {
                0x0d => {
                    for cell in 0..page.cells {
                        let start = page.cell(cell)?;
                        let payload = self.payload(&page, start, true)?;
                        if !visit(&payload)? {
                            return Ok(());
                        }
                    }
                }
                0x05 => {
                    todo.push((page.right, depth + 1));
                    for cell in (0..page.cells).rev() {
                        todo.push((page.child(cell)?, depth + 1));
                    }
                }
                _ => return Err(fault(wide(at), "not a table page (§1.6)")),
            }
        }
        Ok(())
    }

    /// The content of a cell, with what overflows into other pages (§1.6, §1.7).
    fn payload(&mut self, page: &Page, start: usize, table: bool) -> Result<Vec<u8>, Fault> {
        let broken = fault(wide(page.number), "a cell is cut off");
        let (length, at) = varint(&page.bytes, start).ok_or(broken)?;
        let at = if table { varint(&page.bytes, at).ok_or(broken)?.1 } else { at };
        let in_log = self.log.len() * self.page_bytes;
        let whole = usize::try_from(self.source.length()).unwrap_or(usize::MAX).saturating_add(in_log);
        let bound = whole.min(if table { ROW_MAX } else { KEY_MAX });
        let length = usize::try_from(length).ok().filter(|length| *length <= bound);
        let length = length.ok_or(fault(wide(page.number), "a row is longer than we read"))?;
        let usable = self.usable;
        let most = if table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if length <= most {
            return page.bytes.get(at..at + length).map(<[u8]>::to_vec).ok_or(broken);
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let here = least + (length - least) % (usable - 4);
        let here = if here <= most { here } else { least };
        let mut out = page.bytes.get(at..at + here).ok_or(broken)?.to_vec();
        let mut next = be32(&page.bytes, at + here).ok_or(broken)?;
        // Each page must add something, so that a chain in a circle ends with the length.
        while out.len() < length {
            let more = self.page(next)?;
            let take = (length - out.len()).min(usable - 4);
            out.extend_from_slice(
                more.get(4..4 + take).ok_or(fault(wide(next), "an overflow page is cut off"))?,
            );
            next = be32(&more, 0).unwrap_or(0);
        }
        Ok(out)
    }
}

/// One page of a tree.
struct Page {
    number: u32,
    bytes: Vec<u8>,
    kind: u8,
    cells: usize,
    /// Where the list of cells begins.
    list: usize,
    /// The last child, on interior pages.
    right: u32,
}

impl Page {
    fn new(number: u32, bytes: Vec<u8>) -> Result<Page, Fault> {
        let start = if number == 1 { 100 } else { 0 };
        let broken = fault(wide(number), "a page without header");
        let kind = *bytes.get(start).ok_or(broken)?;
        let cells = usize::from(be16(&bytes, start + 3).ok_or(broken)?);
        let interior = matches!(kind, 0x02 | 0x05);
        let right = if interior { be32(&bytes, start + 8).ok_or(broken)? } else { 0 };
        let list = start + if interior { 12 } else { 8 };
        if list + cells * 2 > bytes.len() {
            return Err(fault(wide(number), "more cells than a page can hold"));
        }
        Ok(Page { number, bytes, kind, cells, list, right })
    }

    fn cell(&self, index: usize) -> Result<usize, Fault> {
        be16(&self.bytes, self.list + index * 2)
            .map(usize::from)
            .ok_or(fault(wide(self.number), "no such cell"))
    }

    fn child(&self, index: usize) -> Result<u32, Fault> {
        be32(&self.bytes, self.cell(index)?).ok_or(fault(wide(self.number), "a child is cut off"))
    }

    fn key(&self, index: usize, skip: usize) -> Result<i64, Fault> {
        let broken = fault(wide(self.number), "a key is cut off");
        let mut at = self.cell(index)? + skip;
        if skip == 0 {
            at = varint(&self.bytes, at).ok_or(broken)?.1;
        }
        Ok(varint(&self.bytes, at).ok_or(broken)?.0)
    }

    fn table_leaf(&self, number: i64) -> Result<Option<usize>, Fault> {
        let (mut low, mut high) = (0, self.cells);
        while low < high {
            let middle = low.midpoint(high);
            match self.key(middle, 0)?.cmp(&number) {
                core::cmp::Ordering::Equal => return self.cell(middle).map(Some),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    fn table_child(&self, number: i64) -> Result<u32, Fault> {
        let (mut low, mut high) = (0, self.cells);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle, 4)? < number { low = middle + 1 } else { high = middle }
        }
        if low == self.cells { Ok(self.right) } else { self.child(low) }
    }
}

/// A number of one to nine bytes, and where the next begins (§1.6).
fn varint(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let mut value = 0u64;
    for index in 0..9 {
        let byte = u64::from(*bytes.get(at + index)?);
        if index == 8 {
            value = value << 8 | byte;
        } else {
            value = value << 7 | (byte & 0x7f);
            if byte & 0x80 != 0 {
                continue;
            }
        }
        return Some((value.cast_signed(), at + index + 1));
    }
    None
}

/// The values of a row (§2.1).
pub fn columns(row: &[u8]) -> Result<Vec<Value<'_>>, Fault> {
    let broken = fault(0, "a row is cut off");
    let (head, mut at) = varint(row, 0).ok_or(broken)?;
    let head = usize::try_from(head).map_err(|_| broken)?;
    if head > row.len() {
        return Err(broken);
    }
    let mut data = head;
    let mut out = Vec::new();
    while at < head {
        let (serial, next) = varint(row, at).ok_or(broken)?;
        at = next;
        let length = match serial {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(serial).map_err(|_| broken)?,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((serial - 12) / 2).map_err(|_| broken)?,
            _ => return Err(fault(at, "a reserved serial type")),
        };
        let bytes = data.checked_add(length).and_then(|end| row.get(data..end)).ok_or(broken)?;
        data += length;
        out.push(match serial {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            7 => Value::Real,
            1..=6 => {
                let first = bytes.first().map_or(0, |byte| i64::from(byte.cast_signed()));
                Value::Integer(bytes.iter().skip(1).fold(first, |sum, byte| sum << 8 | i64::from(*byte)))
            }
            _ => Value::Bytes(bytes),
        });
    }
    Ok(out)
}

/// The first column that `CREATE INDEX … ON table(column …)` names, without quotes.
fn first_column(sql: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(sql).ok()?;
    let (_, list) = text.split_once('(')?;
    let quote = |c: char| matches!(c, '\'' | '"' | '`' | '[' | ']' | ' ');
    list.split([',', ')']).next()?.trim().split(' ').next().map(|column| column.trim_matches(quote))
}

/// The pages of a write-ahead log up to its last commit (§4).
fn read_log(log: &[u8], page_bytes: usize) -> BTreeMap<u32, Vec<u8>> {
    let mut committed = BTreeMap::new();
    let Some(head) = log.get(..32) else { return committed };
    let little = match be32(head, 0) {
        Some(0x377f_0682) => true,
        Some(0x377f_0683) => false,
        _ => return committed,
    };
    let mut sum = checksum((0, 0), head.get(..24).unwrap_or_default(), little);
    if be32(head, 8).map(wide) != Some(page_bytes)
        || (be32(head, 24), be32(head, 28)) != (Some(sum.0), Some(sum.1))
    {
        return committed;
    }
    let salt = head.get(16..24);
    let mut waiting: Vec<(u32, &[u8])> = Vec::new();
    for frame in log.get(32..).unwrap_or_default().chunks_exact(24 + page_bytes) {
        let (Some(info), Some(page)) = (frame.get(..24), frame.get(24..)) else { break };
        // A frame of an earlier round, or one that was not written to its end, is where the log ends.
        sum = checksum(sum, info.get(..8).unwrap_or_default(), little);
        sum = checksum(sum, page, little);
        if info.get(8..16) != salt || (be32(info, 16), be32(info, 20)) != (Some(sum.0), Some(sum.1)) {
            break;
        }
        waiting.push((be32(info, 0).unwrap_or(0), page));
        if be32(info, 4) != Some(0) {
            committed.extend(waiting.drain(..).map(|(number, page)| (number, page.to_vec())));
        }
    }
    committed
}

/// The log's running checksum (§4.2).
fn checksum(start: (u32, u32), bytes: &[u8], little: bool) -> (u32, u32) {
    bytes.chunks_exact(8).fold(start, |(a, b), pair| {
        let word = |at| {
            let bytes = array::<4>(pair, at).unwrap_or_default();
            if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
        };
        let a = a.wrapping_add(word(0)).wrapping_add(b);
        let b = b.wrapping_add(word(4)).wrapping_add(a);
        (a, b)
    })
}

impl<S> Database<S> {
    /// Bytes of one page.
    pub fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    /// How many pages the log hides.
    pub fn pages_in_log(&self) -> usize {
        self.log.len()
    }
}

#[cfg(test)]
mod tests;
