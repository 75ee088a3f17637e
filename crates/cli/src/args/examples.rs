//! Every command line that help and pages show is one that is understood.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use registry::Paper;

use super::Cli;
use crate::{selection, target};

/// A command line as somebody would type it, and where it stands.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    place: String,
    words: Vec<String>,
    /// In the middle of a sentence a command may be named without all that it needs.
    named: bool,
}

/// What the shell would make of a line: the words of each program in it. What stands behind `>`, `<` and `#` is no word
/// for a program.
fn programs(line: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let (mut word, mut quoted, mut within, mut dropped) = (String::new(), None, false, false);
    let mut letters = line.chars().chain([' ']).peekable();
    while let Some(letter) = letters.next() {
        match (quoted, letter) {
            (Some(quote), _) if letter == quote => quoted = None,
            (Some(_), _) => word.push(letter),
            (None, '\'' | '"') => (quoted, within) = (Some(letter), true),
            (None, '#') if !within => break,
            (None, ' ' | '|' | ';' | '>' | '<' | '&') => {
                let whole = std::mem::take(&mut word);
                if std::mem::take(&mut within) && !std::mem::take(&mut dropped) {
                    all.last_mut().unwrap().push(whole);
                }
                match letter {
                    '|' | ';' | '&' => all.push(Vec::new()),
                    '>' | '<' => {
                        dropped = true;
                        while letters.next_if(|next| matches!(next, '>' | ' ')).is_some() {}
                    }
                    _ => {}
                }
            }
            (None, _) => {
                word.push(letter);
                within = true;
            }
        }
    }
    all
}

/// The words of every `portreeve` in a line, without what is said about it: that stands behind the last wide gap.
fn of_ours(line: &str) -> Vec<Vec<String>> {
    let line = line.trim().trim_start_matches("$ ");
    let command = match line.rsplit_once("  ") {
        Some((command, about)) if !about.starts_with('-') => command,
        _ => line,
    };
    let mut found = Vec::new();
    for words in programs(command) {
        let is_before = |word: &&String| *word == "sudo" || word.contains('=');
        let words: Vec<String> = words.iter().skip_while(is_before).filter(|w| *w != "…").cloned().collect();
        if words.first().is_some_and(|program| program == "portreeve") {
            found.push(words);
        }
    }
    found
}

fn in_help(command: &clap::Command, path: &str, shown: &mut Vec<Shown>) {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    for words in help.lines().filter(|line| line.starts_with("  ")).flat_map(of_ours) {
        shown.push(Shown { place: format!("{path} --help"), words, named: false });
    }
    for inner in command.get_subcommands() {
        in_help(inner, &format!("{path} {}", inner.get_name()), shown);
    }
}

fn in_page(page: &str, text: &str, shown: &mut Vec<Shown>) {
    let mut add = |number: usize, line: &str, named: bool| {
        for words in of_ours(line) {
            shown.push(Shown { place: format!("{page}:{}", number + 1), words, named });
        }
    };
    let mut block: Option<Vec<(usize, String)>> = None;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            let lines = match block.take() {
                Some(lines) => lines,
                None => {
                    block = Some(Vec::new());
                    continue;
                }
            };
            // Where what was typed is marked, the rest is what was answered.
            let marked = lines.iter().any(|(_, line)| line.starts_with("$ "));
            for (number, line) in lines.iter().filter(|(_, line)| !marked || line.starts_with("$ ")) {
                add(*number, line, false);
            }
        } else if let Some(lines) = &mut block {
            match lines.last_mut() {
                Some((_, open)) if open.ends_with('\\') => {
                    open.pop();
                    open.push_str(line.trim_start());
                }
                _ => lines.push((number, line.to_owned())),
            }
        } else {
            for span in line.split('`').skip(1).step_by(2) {
                add(number, span, true);
            }
        }
    }
    assert!(block.is_none(), "{page}: a block without an end");
}

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// What is wrong with a command line.
fn fault(shown: &Shown, paper: &Paper) -> Option<String> {
    let told = match Cli::try_parse_from(&shown.words) {
        // A word that is no command would be a service.
        Ok(Cli { command: None, list }) => {
            let (targets, _) = selection::split(&list.what);
            let written_large = |word: &str| word.bytes().all(|letter| letter.is_ascii_uppercase());
            targets
                .iter()
                .find_map(|word| target::parse(word, paper).err().filter(|_| !written_large(word)))?
        }
        Ok(_) => return None,
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return None,
            ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                if shown.named =>
            {
                return None;
            }
            _ => error.to_string(),
        },
    };
    let first = told.lines().next().unwrap_or_default();
    Some(format!("{}: {}: {first}", shown.place, shown.words.join(" ")))
}

#[test]
fn every_example_is_understood() {
    let mut shown = Vec::new();
    in_help(&Cli::command(), "portreeve", &mut shown);
    let in_help = shown.len();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = vec![root.join("README.md"), root.join("CHANGELOG.md"), root.join("THREAT_MODEL.md")];
    pages(&root.join("docs"), &mut found);
    for page in &found {
        let name = page.strip_prefix(&root).unwrap().display().to_string();
        in_page(&name, &fs::read_to_string(page).unwrap(), &mut shown);
    }
    assert!(in_help > 60 && shown.len() - in_help > 100, "{in_help} and {}: read too little", shown.len());
    let paper = Paper::builtin();
    let faults: Vec<String> = shown.iter().filter_map(|shown| fault(shown, &paper)).collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), shown.len(), faults.join("\n"));
}

#[test]
fn a_line_is_read_as_the_shell_reads_it() {
    let read = |line: &str| of_ours(line).into_iter().map(|words| words.join("_")).collect::<Vec<_>>();
    assert_eq!(read("$ sudo portreeve"), ["portreeve"]);
    assert_eq!(read("  portreeve read a.pcap     what is said"), ["portreeve_read_a.pcap"]);
    assert_eq!(read("portreeve watch     --filter 'udp > 3'"), ["portreeve_watch_--filter_udp > 3"]);
    assert_eq!(read("ssh a tcpdump | X=1 portreeve read - > b # c"), ["portreeve_read_-"]);
    assert_eq!(read("portreeve check && portreeve list >> b -4"), ["portreeve_check", "portreeve_list_-4"]);
    assert_eq!(read("portreeve: no"), [""; 0]);

    let mut shown = Vec::new();
    let page =
        "Type `portreeve media`:\n```\n$ portreeve top \\\n   --bad\nportreeve said\n```\n`portreeve gone`";
    in_page("a.md", page, &mut shown);
    let places: Vec<&str> = shown.iter().map(|shown| shown.place.as_str()).collect();
    assert_eq!(places, ["a.md:1", "a.md:3", "a.md:7"]);
    let paper = Paper::builtin();
    let faults: Vec<String> = shown.iter().filter_map(|shown| fault(shown, &paper)).collect();
    let begins = ["a.md:3: portreeve top --bad: ", "a.md:7: portreeve gone: "];
    assert!(faults.iter().zip(begins).all(|(fault, begin)| fault.starts_with(begin)), "{faults:?}");
    assert_eq!(faults.len(), begins.len());
}
