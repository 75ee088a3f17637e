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

pub(super) fn findings(name: Option<&str>, args: &OutputArgs) -> Status {
    if let Some(name) = name {
        let code = pages::code(name).map_err(|near| {
            let near =
                if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) };
            let name = sanitise::line(name);
            Stop::Usage(format!("there is no finding code '{name}'{near} (all of them: portreeve findings)"))
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
    })?;
    Ok(0)
}

pub(super) fn completions(shell: clap_complete::Shell) -> Status {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "portreeve", &mut out);
    output::write(&out)?;
    Ok(0)
}

pub(super) fn man(dir: Option<&Path>) -> Status {
    let mut command = Cli::command();
    command.build();
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
    clap_mangen::Man::new(command.name(name.to_owned()))
        .section("1")
        .manual("Portreeve")
        .source(concat!("portreeve ", env!("CARGO_PKG_VERSION")))
        .render(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let mut command = Cli::command();
        command.build();
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
        }
    }
}
