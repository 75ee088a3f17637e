//! What the binary tells of itself: findings, schemas, completions, manual pages.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory;
use model::Code;
use serde_json::json;

use super::{Status, Stop, write_json};
use crate::args::{Cli, OutputArgs, SchemaName};
use crate::style::Paint;
use crate::{csv, files, output, pages, sanitise};

pub(super) fn explain(name: Option<&str>, args: &OutputArgs) -> Status {
    if let Some(name) = name {
        let code = pages::code(name).map_err(|near| {
            let near =
                if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) };
            let name = sanitise::line(name);
            Stop::Usage(format!("there is no finding code '{name}'{near} (all of them: portreeve explain)"))
        })?;
        if args.json {
            write_json(serde_json::to_vec(&entry(code, true))?, output::is_terminal())?;
        } else {
            output::present(pages::text(code), args)?;
        }
        return Ok(0);
    }
    if args.json {
        let all: Vec<_> = Code::ALL.iter().map(|code| entry(*code, false)).collect();
        write_json(
            serde_json::to_vec(&json!({ "schema_version": 1, "codes": all }))?,
            output::is_terminal(),
        )?;
        return Ok(0);
    }
    let mut out = String::new();
    if args.csv {
        csv::table(
            &mut out,
            ["code", "severity", "summary"],
            Code::ALL.iter().map(|code| {
                [code.name().to_owned(), code.default_severity().name().to_owned(), code.summary().to_owned()]
            }),
        );
    } else {
        let form = output::form(args);
        for code in Code::ALL {
            let severity = code.default_severity();
            let word = form.style.paint(Paint::severity(severity), format!("{:7}", severity.name()));
            let _ = writeln!(out, "{word}  {:22}  {}", code.name(), code.summary());
        }
        if form.headings {
            out.push_str("\nThe page of one: portreeve explain CODE\n");
        }
    }
    output::present(&out, args)?;
    Ok(0)
}

fn entry(code: Code, page: bool) -> serde_json::Value {
    let mut entry = json!({
        "code": code.name(),
        "severity": code.default_severity().name(),
        "summary": code.summary(),
    });
    if let (true, Some(object)) = (page, entry.as_object_mut()) {
        object.insert(String::from("page"), json!(pages::text(code)));
    }
    entry
}

pub(super) fn schema(name: SchemaName) -> Status {
    output::write(match name {
        SchemaName::Portreeve => include_bytes!("../../../../docs/schema/portreeve-v1.schema.json"),
        SchemaName::Changes => include_bytes!("../../../../docs/schema/changes-v1.schema.json"),
        SchemaName::Assignments => include_bytes!("../../../../docs/schema/assignments-v1.schema.json"),
        SchemaName::Doctor => include_bytes!("../../../../docs/schema/doctor-v1.schema.json"),
        SchemaName::History => include_bytes!("../../../../docs/schema/history-v1.schema.json"),
        SchemaName::Findings => include_bytes!("../../../../docs/schema/findings-v1.schema.json"),
        SchemaName::Media => include_bytes!("../../../../docs/schema/media-v1.schema.json"),
        SchemaName::Sending => include_bytes!("../../../../docs/schema/sending-v1.schema.json"),
        SchemaName::Receiving => include_bytes!("../../../../docs/schema/receiving-v1.schema.json"),
        SchemaName::Complaints => include_bytes!("../../../../docs/schema/complaints-v1.schema.json"),
        SchemaName::Census => include_bytes!("../../../../docs/schema/census-v1.schema.json"),
        SchemaName::Decoy => include_bytes!("../../../../docs/schema/decoy-v1.schema.json"),
        SchemaName::Alert => include_bytes!("../../../../docs/schema/alert-v1.schema.json"),
        SchemaName::Traffic => include_bytes!("../../../../docs/schema/traffic-v1.schema.json"),
    })?;
    Ok(0)
}

pub(super) fn completions(shell: clap_complete::Shell) -> Status {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "portreeve", &mut out);
    output::write(&out)?;
    Ok(0)
}

/// The commands without `help`, which has no page of its own.
fn documented() -> clap::Command {
    fn without_help(command: clap::Command) -> clap::Command {
        command.disable_help_subcommand(true).mut_subcommands(without_help)
    }
    let mut command = without_help(Cli::command());
    command.build();
    command
}

pub(super) fn man(dir: Option<&Path>) -> Status {
    let command = documented();
    let Some(dir) = dir else {
        output::write(&page(command, "portreeve")?)?;
        return Ok(0);
    };
    let mut pages = Vec::new();
    collect(&command, "portreeve", &mut pages)?;
    for (name, page) in &pages {
        files::write_atomically(&dir.join(format!("{name}.1")), page).map_err(Stop::Failed)?;
    }
    output::complain(&format!("{} pages written to {}", pages.len(), dir.display()));
    Ok(0)
}

fn collect(command: &clap::Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), Stop> {
    pages.push((name.to_owned(), page(command.clone(), name)?));
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        collect(sub, &format!("{name}-{}", sub.get_name()), pages)?;
    }
    Ok(())
}

fn page(command: clap::Command, name: &str) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::new();
    let extra = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let subcommands = command.has_subcommands();
    let man = clap_mangen::Man::new(command.name(name.to_owned()))
        .section("1")
        .manual("Portreeve")
        .date(date())
        .source(concat!("portreeve ", env!("CARGO_PKG_VERSION")));
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if subcommands {
        man.render_subcommands_section(&mut out)?;
    }
    out.extend_from_slice(sections(&extra).as_bytes());
    Ok(without_doubled_breaks(&out))
}

/// The date in a page's foot: the one that a package is made for, else that of no day.
fn date() -> String {
    let said = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|said| said.parse::<i64>().ok());
    said.map_or_else(String::new, |seconds| {
        let (year, month, day) = model::time::civil_from_days(seconds.div_euclid(86_400));
        format!("{year:04}-{month:02}-{day:02}")
    })
}

/// A line need not be ended before or after a blank one.
fn without_doubled_breaks(page: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(page.len());
    let mut lines = page.split_inclusive(|byte| *byte == b'\n').peekable();
    let is_blank = |line: &[u8]| line == b"\n" || line.starts_with(b".sp");
    let mut blank = false;
    while let Some(line) = lines.next() {
        let is_break = line == b".br\n";
        let doubled = blank || lines.peek().is_some_and(|next| is_blank(next));
        blank = is_blank(line) || is_break && blank;
        if !(is_break && doubled) {
            out.extend_from_slice(line);
        }
    }
    out
}

/// The text below the options as sections of a manual page, line by line as it stands.
fn sections(text: &str) -> String {
    let mut out = String::new();
    let mut open = false;
    for line in text.lines() {
        let heading = line.strip_suffix(':').filter(|title| !title.is_empty() && !title.contains([' ', '.']));
        let heading = heading.or_else(|| (line == "Exit status:").then_some("Exit status"));
        let title = match heading {
            Some(title) => Some(title),
            None if !open && !line.is_empty() => Some("Notes"),
            None => None,
        };
        if let Some(title) = title {
            let close = if open { ".fi\n" } else { "" };
            let _ = write!(out, "{close}.SH {:?}\n.nf\n", title.to_uppercase());
            open = true;
            if heading.is_some() {
                continue;
            }
        }
        if open {
            // A point or an apostrophe at the start of a line would be a request.
            let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
            let _ = writeln!(out, "{guard}{}", line.replace('\\', "\\e").replace('-', "\\-"));
        }
    }
    if open {
        out.push_str(".fi\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let command = documented();
        let mut pages = Vec::new();
        collect(&command, "portreeve", &mut pages).unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for expected in
            ["portreeve", "portreeve-port", "portreeve-baseline-learn", "portreeve-registry-import"]
        {
            assert!(names.contains(&expected), "{names:?}");
        }
        for (name, page) in &pages {
            let text = String::from_utf8(page.clone()).unwrap();
            assert!(text.contains(".TH") && text.contains(".SH NAME") && text.contains("SYNOPSIS"), "{name}");
            assert!(!text.contains("help(1)") && !text.contains("EXTRA"), "{name}");
        }
        let first = String::from_utf8(pages[0].1.clone()).unwrap();
        for section in ["EXAMPLES", "EXIT STATUS", "FILES"] {
            assert!(first.contains(&format!(".SH \"{section}\"\n.nf\n")), "{section}\n{first}");
        }
    }

    #[test]
    fn text_in_a_manual_page_stays_text() {
        let page = sections("Examples:\n  a -b\n.SH X\n\nFiles:\n  'c'\\d\n");
        assert_eq!(
            page,
            ".SH \"EXAMPLES\"\n.nf\n  a \\-b\n\\&.SH X\n\n.fi\n.SH \"FILES\"\n.nf\n  'c'\\ed\n.fi\n"
        );
        assert!(sections("Filters are such.\nKeys: a b").starts_with(".SH \"NOTES\"\n.nf\nFilters"));
    }
}
