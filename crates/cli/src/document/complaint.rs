//! What descriptions break, in JSON.

use media::sdp::lint::Complaint;
use serde::Serialize;

use super::SCHEMA_VERSION;

/// Which rules descriptions break.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve complaints", deny_unknown_fields))]
pub(crate) struct ComplaintsDocument<'a> {
    /// The version of this form.
    schema_version: u32,
    /// Every complaint, file by file, in the order of lines.
    complaints: Vec<Shown<'a>>,
}

/// One complaint.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Shown<'a> {
    /// The file.
    file: &'a str,
    /// Which line, from 1; 0 for the document as a whole.
    line: usize,
    /// Its code (docs/sdp.md).
    code: &'static str,
    /// `note`, `warning` or `error`.
    severity: &'static str,
    /// The clause.
    clause: &'static str,
    /// What is wrong.
    text: &'a str,
    /// What to do.
    next_step: &'a str,
}

impl<'a> ComplaintsDocument<'a> {
    /// Of these files.
    pub(crate) fn of(files: &'a [(String, Vec<Complaint>)]) -> ComplaintsDocument<'a> {
        let of_file = |(file, list): &'a (String, Vec<Complaint>)| {
            list.iter().map(move |complaint| Shown {
                file,
                line: complaint.line,
                code: complaint.code.name(),
                severity: complaint.severity.word(),
                clause: complaint.clause,
                text: &complaint.text,
                next_step: complaint.next,
            })
        };
        let complaints = files.iter().flat_map(of_file).collect();
        ComplaintsDocument { schema_version: SCHEMA_VERSION, complaints }
    }
}
