//! Where the sections of a table lie, from its header.

use sha2::{Digest, Sha256};

use super::{ENTRY, JUMP, KEY, MAGIC, ROW, SEGMENT};
use crate::fault::Fault;

/// Where the sections of a table lie, and how many entries each has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Layout {
    pub(crate) body_at: usize,
    pub(crate) rows: usize,
    pub(crate) names_at: usize,
    pub(crate) names: usize,
    pub(crate) slots_at: usize,
    pub(crate) slots: usize,
    pub(crate) jump_at: [usize; 4],
    pub(crate) keys_at: [usize; 4],
    pub(crate) segments_at: [usize; 4],
    pub(crate) segments: [usize; 4],
    pub(crate) list_at: usize,
    pub(crate) list: usize,
    pub(crate) pool_at: usize,
    pub(crate) pool: usize,
}

/// The value of a line of the header.
pub(crate) fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'))
}

/// The lines of text at the start of a table, without the empty line that ends them.
pub(crate) fn header(text: &str) -> Result<&str, Fault> {
    let (header, _) = text.split_once("\n\n").ok_or(Fault { at: 0, what: "the header has no end" })?;
    if header.lines().next() != Some(MAGIC) {
        return Err(Fault { at: 0, what: "not a registry table of version 1" });
    }
    Ok(header)
}

/// The SHA-256 of a table's body, in hexadecimal.
pub(crate) fn digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Layout {
    /// Reads the header. The sections then fill the text exactly.
    pub(crate) fn of(text: &str) -> Result<Layout, Fault> {
        let header = header(text)?;
        let number = |name: &'static str| -> Result<usize, Fault> {
            let value = field(header, name).and_then(|value| value.parse::<u32>().ok());
            let value =
                value.ok_or(Fault { at: 0, what: "a count in the header is missing or no number" })?;
            usize::try_from(value).map_err(|_| Fault { at: 0, what: "a count in the header is too large" })
        };
        let mut layout = Layout {
            body_at: header.len() + 2,
            rows: number("rows")?,
            names: number("names")?,
            slots: number("slots")?,
            segments: [
                number("segments-tcp")?,
                number("segments-udp")?,
                number("segments-sctp")?,
                number("segments-dccp")?,
            ],
            list: number("list")?,
            pool: number("pool")?,
            ..Layout::default()
        };
        let mut at = layout.body_at;
        let mut section = |entries: usize, size: usize| -> usize {
            let start = at;
            at = at.saturating_add(entries.saturating_mul(size));
            start
        };
        section(layout.rows, ROW);
        layout.names_at = section(layout.names, ENTRY);
        layout.slots_at = section(layout.slots, ENTRY);
        for transport in 0..4 {
            let segments = layout.segments.get(transport).copied().unwrap_or(0);
            let jump_at = section(JUMP, ENTRY);
            let keys_at = section(segments, KEY);
            // One more than counted: the sentinel says where the last segment's further rows end.
            let segments_at = section(segments.saturating_add(1), SEGMENT);
            let starts = [
                (&mut layout.jump_at, jump_at),
                (&mut layout.keys_at, keys_at),
                (&mut layout.segments_at, segments_at),
            ];
            for (places, start) in starts {
                if let Some(place) = places.get_mut(transport) {
                    *place = start;
                }
            }
        }
        layout.list_at = section(layout.list, ENTRY);
        layout.pool_at = section(layout.pool, 1);
        if at != text.len() {
            return Err(Fault { at: text.len(), what: "the sections do not fill the table" });
        }
        Ok(layout)
    }
}
