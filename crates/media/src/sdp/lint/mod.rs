//! Which rules a session description breaks: coded, edition by edition (RFC 8866, RFC 7273, ST 2110).
//!
//! Reading is tolerant and linting is strict. What a text demands with "shall" is an error, what it advises a warning,
//! what some readers stumble over a note.

mod codes;
mod connections;
mod data;
mod form;
mod formats;
mod groups;
mod medium;
mod sound;
mod time;
mod video;

pub use codes::Lint;
use medium::Medium;

use super::document::{Document, parse};

/// Complaints of one document that are told.
pub const MAX_COMPLAINTS: usize = 1_000;

/// How much a complaint matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Some readers stumble over it.
    Note,
    /// It is against advice, or against the habit of the field.
    Warning,
    /// It is against a rule.
    Error,
}

impl Severity {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Which texts a document is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Edition {
    /// ST 2110 in the edition that each medium names with `SSN`; the first where it names none.
    #[default]
    Named,
    /// RFC 8866 and the RFCs of attributes only, for documents that have nothing to do with ST 2110.
    Rfc,
    /// The first editions of ST 2110: 2017 to 2019.
    First,
    /// The editions of 2021 and 2022.
    Second,
    /// The editions of 2023 and later.
    Third,
}

impl Edition {
    /// Every one.
    pub const ALL: &'static [Edition] =
        &[Edition::Named, Edition::Rfc, Edition::First, Edition::Second, Edition::Third];

    /// The word people choose it with.
    pub const fn word(self) -> &'static str {
        match self {
            Edition::Named => "named",
            Edition::Rfc => "rfc",
            Edition::First => "2017",
            Edition::Second => "2022",
            Edition::Third => "2023",
        }
    }

    /// From the word people choose it with.
    pub fn from_word(word: &str) -> Option<Edition> {
        Edition::ALL.iter().copied().find(|edition| edition.word() == word)
    }

    /// The edition that a year of `SSN` belongs to.
    fn of_year(year: u16) -> Edition {
        match year {
            ..2020 => Edition::First,
            2020..2023 => Edition::Second,
            _ => Edition::Third,
        }
    }

    fn at_least(self, other: Edition) -> bool {
        let place = |edition: Edition| Edition::ALL.iter().position(|it| *it == edition);
        place(self) >= place(other)
    }
}

/// A rule that a document breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Which.
    pub code: Lint,
    /// How much it matters here.
    pub severity: Severity,
    /// The clause that has the rule.
    pub clause: &'static str,
    /// The line, from 1; 0 for the document as a whole.
    pub line: usize,
    /// What is wrong, with its particulars. Parts of it come from the document.
    pub text: String,
    /// What to do about it.
    pub next: &'static str,
}

/// What a document breaks, in the order of its lines.
pub fn lint(bytes: &[u8], edition: Edition) -> Vec<Complaint> {
    let (document, _) = parse(bytes);
    let mut report = Report { document: &document, edition, complaints: Vec::new() };
    form::judge(&mut report, bytes);
    let media: Vec<Medium<'_>> = document.media.iter().map(|section| Medium::of(section, edition)).collect();
    connections::judge(&mut report, &media);
    formats::judge(&mut report, &media);
    groups::judge(&mut report, &media);
    if edition != Edition::Rfc {
        time::judge(&mut report, &media);
        for medium in &media {
            video::judge(&mut report, medium);
            sound::judge(&mut report, medium);
            data::judge(&mut report, medium);
        }
    }
    report.complaints.sort_by_key(|complaint| complaint.line);
    report.complaints
}

/// Complaints, as they are found.
struct Report<'a> {
    document: &'a Document,
    edition: Edition,
    complaints: Vec<Complaint>,
}

impl Report<'_> {
    fn tell(&mut self, code: Lint, line: usize, detail: impl AsRef<str>) {
        self.tell_of(code, code.severity(), code.clause(), line, detail);
    }

    /// With another severity than usual.
    fn tell_as(&mut self, code: Lint, severity: Severity, line: usize, detail: impl AsRef<str>) {
        self.tell_of(code, severity, code.clause(), line, detail);
    }

    /// Of a rule that several clauses have.
    fn tell_by(&mut self, code: Lint, clause: &'static str, line: usize, detail: impl AsRef<str>) {
        self.tell_of(code, code.severity(), clause, line, detail);
    }

    fn tell_of(
        &mut self,
        code: Lint,
        severity: Severity,
        clause: &'static str,
        line: usize,
        detail: impl AsRef<str>,
    ) {
        if self.complaints.len() >= MAX_COMPLAINTS {
            return;
        }
        let text = match detail.as_ref() {
            "" => code.text().to_owned(),
            detail => format!("{}: {}", code.text(), cut(detail)),
        };
        self.complaints.push(Complaint { code, severity, clause, line, text, next: code.next() });
    }
}

/// A decimal number as RFC 8866 §9 writes it: with digits on both sides of its point.
fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

/// What strangers wrote, short enough to be read.
fn cut(text: &str) -> &str {
    text.char_indices().nth(160).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
