//! `portreeve registry`: search, show, import, reset.

use std::fs;

use model::{Assignment, Transport};
use registry::{Paper, import};

use super::{Status, Stop, write_json};
use crate::args::{OutputArgs, RegistryCommand};
use crate::document::Assignments;
use crate::files::{self, Places};
use crate::{csv, look, output, target, text};

pub(super) fn run(command: RegistryCommand, places: &Places) -> Status {
    match command {
        RegistryCommand::Search { text, output } => {
            let paper = look::paper(places).map_err(Stop::Failed)?;
            let text = text.join(" ");
            let rows: Vec<Assignment<'_>> = paper.search(&text).collect();
            show(&paper, &rows, &output)?;
            // As grep: 1 says that there is none.
            Ok(u8::from(rows.is_empty()))
        }
        RegistryCommand::Show { port, output } if port.is_empty() => {
            let paper = look::paper(places).map_err(Stop::Failed)?;
            source(&paper, places, &output)
        }
        RegistryCommand::Show { port, output } => {
            let paper = look::paper(places).map_err(Stop::Failed)?;
            let mut rows = Vec::new();
            for word in &port {
                for target in target::parse(word, &paper).map_err(Stop::Usage)? {
                    let wanted =
                        |transport: &Transport| target.transport.is_none_or(|only| only == *transport);
                    for transport in Transport::ALL.into_iter().filter(wanted) {
                        rows.extend(paper.range(transport, target.ports.clone()));
                    }
                }
            }
            show(&paper, &rows, &output)?;
            Ok(u8::from(rows.is_empty()))
        }
        RegistryCommand::Import { file } => {
            let bytes = files::read_input(&file, files::TABLE_LIMIT).map_err(Stop::Failed)?;
            let refused =
                |reason: String| Stop::Failed(format!("{}: {reason}; nothing was changed", file.display()));
            let table = import::parse(&bytes).map_err(|fault| refused(fault.to_string()))?;
            // What cannot be read back must not be kept.
            let paper = Paper::from_table(table.clone()).map_err(|fault| refused(fault.to_string()))?;
            let path = home(places)?;
            files::write_atomically(&path, &table).map_err(Stop::Failed)?;
            let source = paper.source();
            let rows = text::plural(source.rows, "row", "rows");
            output::complain(&format!("{rows} imported into {}", path.display()));
            Ok(0)
        }
        RegistryCommand::Reset => {
            let path = home(places)?;
            match fs::remove_file(&path) {
                Ok(()) => output::complain(&format!(
                    "removed {}; the built-in registry counts again",
                    path.display()
                )),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    output::complain("nothing was imported; the built-in registry counts");
                }
                Err(error) => return Err(Stop::Failed(format!("{}: {error}", path.display()))),
            }
            if let Ok(Some((path, _))) = places.table() {
                output::complain(&format!(
                    "under sudo {} counts, which the user who called sudo imported",
                    path.display()
                ));
            }
            Ok(0)
        }
    }
}

fn home(places: &Places) -> Result<std::path::PathBuf, Stop> {
    places.table_home().ok_or_else(|| {
        Stop::Failed(String::from("there is no home folder to keep a registry in; set HOME or XDG_DATA_HOME"))
    })
}

fn show(paper: &Paper, rows: &[Assignment<'_>], args: &OutputArgs) -> Result<(), Stop> {
    if args.json {
        write_json(serde_json::to_vec(&Assignments::of(paper, rows))?, output::is_terminal())?;
        return Ok(());
    }
    let mut out = String::new();
    if args.csv {
        let headings = [
            "name",
            "first",
            "last",
            "transport",
            "status",
            "description",
            "assignee",
            "contact",
            "registered",
            "modified",
            "reference",
            "unauthorised",
            "notes",
        ];
        let number = |port: Option<u16>| port.map(|port| port.to_string()).unwrap_or_default();
        csv::table(
            &mut out,
            headings,
            rows.iter().map(|row| {
                [
                    row.name.to_owned(),
                    number(row.first),
                    number(row.last),
                    row.transport.map(Transport::name).unwrap_or_default().to_owned(),
                    row.status.name().to_owned(),
                    row.description.to_owned(),
                    row.assignee.to_owned(),
                    row.contact.to_owned(),
                    row.registered.to_owned(),
                    row.modified.to_owned(),
                    row.reference.to_owned(),
                    row.unauthorised.to_owned(),
                    row.notes.to_owned(),
                ]
            }),
        );
    } else if rows.is_empty() {
        output::complain("the registry has no such row");
    } else {
        text::assignments(&mut out, rows, output::form(args));
    }
    output::present(&out, args)?;
    Ok(())
}

fn source(paper: &Paper, places: &Places, args: &OutputArgs) -> Status {
    if args.json {
        write_json(serde_json::to_vec(&Assignments::of(paper, &[]))?, output::is_terminal())?;
        return Ok(0);
    }
    let mut out = String::new();
    let form = output::form(args);
    let source = paper.source();
    let kept = match (source.imported, places.table()) {
        (true, Ok(Some((path, _)))) => path.display().to_string(),
        (_, _) => String::from("built in"),
    };
    for (label, value) in [
        ("registry", source.title.to_owned()),
        ("state", source.date.to_owned()),
        ("rows", source.rows.to_string()),
        ("kept", kept),
        ("versions", source.versions.to_owned()),
        ("sha256", source.sha256.to_owned()),
    ] {
        text::field(&mut out, label, &value, form);
    }
    for part in source.parts() {
        let version = if part.version.is_empty() { String::new() } else { format!(" {}", part.version) };
        let date = if part.date.is_empty() { String::new() } else { format!(" ({})", part.date) };
        let text = format!("{}{version}{date}, sha256 {}: {}", part.name, part.sha256, part.gave);
        text::field(&mut out, "made from", &text, form);
    }
    output::present(&out, args)?;
    Ok(0)
}
