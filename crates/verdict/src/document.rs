//! Reading our TOML files: positions, bounds, and words for what is allowed. Shared by policy and baseline.

use core::ops::{Range, RangeInclusive};

use model::time::days_from_civil;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Fault;

/// No file of ours is larger; a bound for what is held in memory. As many entries as there may be have room in it.
pub(crate) const MAX_BYTES: usize = 16 << 20;
/// No file of ours has more entries.
pub(crate) const MAX_ENTRIES: usize = 65_536;
/// No list in an entry is longer.
pub(crate) const MAX_LIST: usize = 1_024;
/// No text in an entry is longer.
pub(crate) const MAX_TEXT: usize = 4_096;

/// A file that is being read.
pub(crate) struct Document<'a> {
    name: &'a str,
    text: &'a str,
    /// Byte offset of the start of each line.
    lines: Vec<usize>,
}

/// A value and the key it stands under.
pub(crate) struct Field<'d, 'a> {
    pub(crate) document: &'d Document<'a>,
    pub(crate) key: &'d str,
    pub(crate) value: &'d Spanned<DeValue<'a>>,
}

impl<'a> Document<'a> {
    pub(crate) fn open(name: &'a str, text: &'a str) -> Result<(Document<'a>, DeTable<'a>), Fault> {
        let document = Document { name, text, lines: line_starts(text) };
        if text.len() > MAX_BYTES {
            return Err(document.fault(0, format!("the file is larger than {MAX_BYTES} bytes")));
        }
        match DeTable::parse(text) {
            Ok(table) => Ok((document, table.into_inner())),
            Err(error) => {
                let at = error.span().map_or(text.len(), |span| span.start);
                Err(document.fault(at, format!("not TOML: {}", error.message())))
            }
        }
    }

    pub(crate) fn fault(&self, at: usize, reason: impl Into<String>) -> Fault {
        let line = self.line(at);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column =
            self.text.get(start..at.min(self.text.len())).map_or(1, |before| before.chars().count() + 1);
        Fault { file: self.name.to_owned(), line, column, reason: reason.into() }
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at).max(1)
    }

    /// The name by which people find an entry: `policy.toml:12`.
    pub(crate) fn entry_name(&self, span: &Range<usize>) -> String {
        format!("{}:{}", self.name, self.line(span.start))
    }

    /// The tables of `[[key]]`.
    pub(crate) fn tables<'d>(
        &self,
        key: &str,
        value: &'d Spanned<DeValue<'a>>,
    ) -> Result<Vec<(Range<usize>, &'d DeTable<'a>)>, Fault> {
        let wrong = |at: usize| self.fault(at, format!("`{key}` is a list of tables: write [[{key}]]"));
        let list = value.get_ref().as_array().ok_or_else(|| wrong(value.span().start))?;
        list.iter()
            .map(|item| {
                let table = item.get_ref().as_table().ok_or_else(|| wrong(item.span().start))?;
                Ok((item.span(), table))
            })
            .collect()
    }

    /// The fields of a table, in the order of the file.
    pub(crate) fn fields<'d>(&'d self, table: &'d DeTable<'a>) -> Vec<(usize, Field<'d, 'a>)> {
        let mut fields: Vec<(usize, Field<'d, 'a>)> = table
            .iter()
            .map(|(key, value)| (key.span().start, Field { document: self, key: key.get_ref(), value }))
            .collect();
        fields.sort_by_key(|(at, _)| *at);
        fields
    }

    pub(crate) fn unknown_key(&self, at: usize, key: &str, allowed: &str) -> Fault {
        self.fault(at, format!("`{}` is not a key here; allowed: {allowed}", shorten(key)))
    }
}

impl<'a> Field<'_, 'a> {
    pub(crate) fn fault(&self, reason: impl core::fmt::Display) -> Fault {
        self.document.fault(self.value.span().start, format!("`{}` {reason}", self.key))
    }

    pub(crate) fn text(&self) -> Result<String, Fault> {
        self.text_of(self.value)
    }

    fn text_of(&self, value: &Spanned<DeValue<'a>>) -> Result<String, Fault> {
        let at = value.span().start;
        let text = value.get_ref().as_str().ok_or_else(|| {
            let found = value.get_ref().type_str();
            self.document.fault(at, format!("`{}` takes text in quotes, not {found}", self.key))
        })?;
        if text.is_empty() || text.len() > MAX_TEXT {
            return Err(self
                .document
                .fault(at, format!("`{}` takes 1 to {MAX_TEXT} bytes of text", self.key)));
        }
        Ok(text.to_owned())
    }

    /// One value, or a list of them.
    fn each<T>(&self, read: impl Fn(&Spanned<DeValue<'a>>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        match self.value.get_ref().as_array() {
            None => Ok(vec![read(self.value)?]),
            Some(list) if list.is_empty() || list.len() > MAX_LIST => {
                Err(self.fault(format_args!("takes 1 to {MAX_LIST} values")))
            }
            Some(list) => list.iter().map(read).collect(),
        }
    }

    pub(crate) fn texts(&self) -> Result<Vec<String>, Fault> {
        self.each(|value| self.text_of(value))
    }

    /// Words of a closed set.
    pub(crate) fn words<T>(&self, allowed: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Fault> {
        self.each(|value| {
            let word = self.text_of(value)?;
            read(&word).ok_or_else(|| {
                let reason = format!("`{}` cannot be \"{}\"; allowed: {allowed}", self.key, shorten(&word));
                self.document.fault(value.span().start, reason)
            })
        })
    }

    /// One word of a closed set.
    pub(crate) fn word<T>(&self, allowed: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let word = self.text()?;
        read(&word)
            .ok_or_else(|| self.fault(format_args!("cannot be \"{}\"; allowed: {allowed}", shorten(&word))))
    }

    /// Ports: a number, `"8000-8010"`, or a list of both.
    pub(crate) fn ports(&self) -> Result<Vec<RangeInclusive<u16>>, Fault> {
        self.each(|value| {
            let range = match value.get_ref() {
                DeValue::Integer(number) => {
                    number.as_str().replace('_', "").parse().ok().map(|port: u16| port..=port)
                }
                DeValue::String(text) => port_range(text),
                _ => None,
            };
            range.filter(|range| *range.start() > 0).ok_or_else(|| {
                let reason = format!(
                    "`{}` takes a number from 1 to 65535, a range \"8000-8010\", or a list",
                    self.key
                );
                self.document.fault(value.span().start, reason)
            })
        })
    }

    /// A day, as `"2027-03-01"` or as TOML's own date: days since 1970-01-01.
    pub(crate) fn day(&self) -> Result<i64, Fault> {
        let written = match self.value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(date) => date.to_string(),
            _ => String::new(),
        };
        parse_day(&written).ok_or_else(|| self.fault("takes a day that exists, as \"2027-03-01\""))
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    core::iter::once(0)
        .chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1))
        .collect()
}

fn port_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(first..=last)
}

/// A port in plain digits: `parse` alone would take a plus sign.
pub(crate) fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn parse_day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let (year, month, day) = (number(year)?, u32::from(number(month)?), u32::from(number(day)?));
    let days = days_from_civil(i64::from(year), month, day);
    // A day that does not exist comes back as another one.
    (model::time::civil_from_days(days) == (i64::from(year), month, day)).then_some(days)
}

/// The start of a text from a file, for a message.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Text as TOML writes it in quotes.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if u32::from(c) < 0x20 || u32::from(c) == 0x7f => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_ports_are_read_strictly() {
        assert_eq!(parse_day("1970-01-02"), Some(1));
        for wrong in ["2026-02-30", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01-", "2026-01-+1", ""] {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
        assert_eq!(port_range("8000-8010"), Some(8000..=8010));
        for wrong in ["8010-8000", "+80", "80-", "-80", "70000", ""] {
            assert_eq!(port_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn quoted_text_reads_back() {
        let text = "a\"b\\c\nd\te\u{1}\u{7f}ü\r";
        let file = format!("x = {}", quote(text));
        let table = DeTable::parse(&file).unwrap();
        assert_eq!(table.get_ref().iter().next().unwrap().1.get_ref().as_str(), Some(text));
    }

    #[test]
    fn positions_count_characters() {
        let text = "# ü\nk = \"ü\" x";
        let fault = Document::open("f", text).map(|_| ()).unwrap_err();
        assert_eq!((fault.line, fault.file.as_str()), (2, "f"));
        assert!(fault.column >= 8, "{fault}");
    }
}
