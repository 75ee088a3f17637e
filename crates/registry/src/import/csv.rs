//! IANA's CSV (RFC 4180): one header line, quoted fields over several lines.

use csv::{ReaderBuilder, StringRecord};

use super::{Draft, Fields, ImportFault, MAX_ROWS};

/// The columns by the names that IANA gives, or gave, them.
const COLUMNS: [&[&str]; 12] = [
    &["Service Name"],
    &["Port Number"],
    &["Transport Protocol"],
    &["Description"],
    &["Assignee"],
    &["Contact"],
    &["Registration Date"],
    &["Modification Date"],
    &["Reference"],
    &["Service Code"],
    &["Unauthorized Use Reported", "Known Unauthorized Uses"],
    &["Assignment Notes"],
];

/// How many of the columns must be there.
const NEEDED: usize = 4;

fn line_at(position: Option<&csv::Position>) -> usize {
    position.map_or(1, |position| usize::try_from(position.line()).unwrap_or(1)).max(1)
}

pub(super) fn parse(text: &str) -> Result<Vec<Draft>, ImportFault> {
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut places = [None; 12];
    let mut rows: Vec<Draft> = Vec::new();
    let mut first = true;
    let mut line = 1;
    loop {
        let more = reader.read_record(&mut record).map_err(|error| {
            let line = line_at(error.position()).max(line);
            match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    ImportFault::new(line, format!("{len} fields where the header has {expected_len}"))
                }
                _ => ImportFault::new(line, "not a line of CSV"),
            }
        })?;
        if !more {
            break;
        }
        line = line_at(record.position());
        if first {
            places = header(&record)?;
            first = false;
            continue;
        }
        if rows.len() >= MAX_ROWS {
            return Err(ImportFault::new(line, format!("more than {MAX_ROWS} rows")));
        }
        let mut texts =
            places.map(|place| place.and_then(|place| record.get(place)).unwrap_or("").to_owned());
        let mut next = texts.iter_mut().map(std::mem::take);
        let mut field = || next.next().unwrap_or_default();
        let fields = Fields {
            name: field(),
            number: field(),
            transport: field(),
            description: field(),
            assignee: field(),
            contact: field(),
            registered: field(),
            modified: field(),
            reference: field(),
            code: field(),
            unauthorised: field(),
            notes: field(),
        };
        rows.push(fields.row(line)?);
    }
    if first {
        return Err(ImportFault::new(1, "empty: neither IANA's CSV nor its XML"));
    }
    // The reader takes the end of the file for the end of an open quotation: a file that was cut off.
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        return Err(ImportFault::new(
            line,
            "the quotation in this row does not end; the file may be cut off",
        ));
    }
    Ok(rows)
}

fn header(record: &StringRecord) -> Result<[Option<usize>; 12], ImportFault> {
    let place = |names: &[&str]| {
        record.iter().position(|field| names.iter().any(|name| name.eq_ignore_ascii_case(field.trim())))
    };
    let places = COLUMNS.map(place);
    if let Some((names, _)) = COLUMNS.iter().zip(places).take(NEEDED).find(|(_, place)| place.is_none()) {
        let name = names.first().copied().unwrap_or_default();
        return Err(ImportFault::new(1, format!("neither IANA's CSV (no column {name:?}) nor its XML")));
    }
    Ok(places)
}
