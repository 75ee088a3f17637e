//! What tshark and nDPI say of the captures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::table::{name, root};

/// What both say of one capture.
#[derive(Debug, Clone, Default)]
pub struct Opinion {
    /// Tshark's column "Protocol", each once.
    pub tshark: Vec<String>,
    /// What nDPI detected.
    pub ndpi: Vec<String>,
}

fn version(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = text.lines().find(|line| line.contains(|letter: char| letter.is_ascii_digit()))?;
    let mut words = first.split_whitespace().map(|word| word.trim_matches(|letter| "().".contains(letter)));
    let word = words
        .clone()
        .find(|word| word.contains('.') && word.starts_with(|letter: char| letter.is_ascii_digit()));
    Some(format!("{program} {}", word.or(words.next_back())?))
}

fn words(set: BTreeSet<String>) -> String {
    if set.is_empty() { "-".to_owned() } else { set.into_iter().collect::<Vec<_>>().join(",") }
}

fn tshark(capture: &Path) -> String {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(capture)
        .args(["-T", "fields", "-e", "_ws.col.Protocol"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    words(
        text.lines()
            .filter(|line| !matches!(*line, "" | "TCP" | "UDP" | "ICMP" | "ICMPv6" | "ARP"))
            .map(str::to_owned)
            .collect(),
    )
}

fn ndpi(capture: &Path) -> String {
    let output = Command::new("ndpiReader").arg("-i").arg(capture).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let detected = text.lines().skip_while(|line| !line.starts_with("Detected protocols")).skip(1);
    let names = detected
        .take_while(|line| line.starts_with('\t'))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !matches!(*name, "Unknown" | "ICMP" | "ICMPV6" | "IGMP"));
    words(names.map(str::to_owned).collect())
}

/// Asks both of all captures, if they are here in the versions that were asked before.
pub fn ask(captures: &[PathBuf]) -> Option<String> {
    let (Some(one), Some(other)) = (version("tshark", "--version"), version("ndpiReader", "-h")) else {
        skipped("tshark or ndpiReader is not installed");
        return None;
    };
    let heading = format!("capture\t{one}\t{other}\n");
    let committed = std::fs::read_to_string(root().join("corpus/wire/OTHERS.tsv")).unwrap_or_default();
    let bless = std::env::var_os("PORTREEVE_BLESS").is_some();
    if !bless && committed.lines().next() != Some(heading.trim_end()) {
        skipped(&format!("the versions here are {one} and {other}"));
        return None;
    }
    let mut text = heading;
    let rows = |captures: &[PathBuf]| -> String {
        let row = |capture: &PathBuf| format!("{}\t{}\t{}\n", name(capture), tshark(capture), ndpi(capture));
        captures.iter().map(row).collect()
    };
    let (first, second) = captures.split_at(captures.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| rows(second));
        text.push_str(&rows(first));
        text.push_str(&second.join().unwrap());
    });
    Some(text)
}

#[expect(clippy::print_stderr, reason = "a check that was left out is said aloud")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: second opinions on the corpus: {why}");
}

/// The committed opinions, by capture, and the names of the two with their versions.
pub fn committed() -> ([String; 2], BTreeMap<String, Opinion>) {
    let text = std::fs::read_to_string(root().join("corpus/wire/OTHERS.tsv")).unwrap();
    let mut rows = text.lines().map(|line| {
        let mut cells = line.split('\t').map(str::to_owned);
        (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap())
    });
    let (_, one, other) = rows.next().unwrap();
    let list = |cell: String| cell.split(',').filter(|name| *name != "-").map(str::to_owned).collect();
    (
        [one, other],
        rows.map(|(name, one, other)| (name, Opinion { tshark: list(one), ndpi: list(other) })).collect(),
    )
}
