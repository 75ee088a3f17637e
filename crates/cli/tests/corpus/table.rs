//! The table of what is said of each capture.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::Home;

/// What is said of one service of one capture.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The file's name without its ending: `ssh-420`.
    pub capture: String,
    /// `tcp` or `udp`.
    pub transport: String,
    /// The server's port.
    pub port: u16,
    /// The protocol's name, or `-`.
    pub protocol: String,
    /// How sure that is.
    pub certainty: String,
    /// What the client alone tried, or `-`.
    pub attempt: String,
    /// Codes of the findings about it, or `-`.
    pub findings: String,
    /// The rule that decided, or `-`.
    pub rule: String,
}

const HEADING: &str = "capture\ttransport\tport\tprotocol\tcertainty\tattempt\tfindings\trule\n";

/// The top of the tree.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares with the committed file; with PORTREEVE_BLESS set, writes it instead.
pub fn compare(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("PORTREEVE_BLESS").is_some() {
        std::fs::write(&file, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let different = committed.lines().zip(text.lines()).find(|(before, now)| before != now);
    assert!(
        committed == text,
        "{path} is not what it would be made of now, first {different:?}; look at the change and run with PORTREEVE_BLESS=1"
    );
}

/// All captures, by name.
pub fn captures() -> Vec<PathBuf> {
    let mut captures: Vec<PathBuf> = std::fs::read_dir(root().join("corpus/wire"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "pcap"))
        .collect();
    captures.sort();
    assert!(captures.len() > 100, "the corpus is not here");
    captures
}

/// The name of a capture.
pub fn name(capture: &Path) -> String {
    capture.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// Whether the capture was made on the protocol's own port.
pub fn own_port(capture: &str) -> bool {
    !capture.ends_with("-420")
}

/// Reads a capture as people do.
pub fn listen(capture: &Path) -> Vec<Line> {
    let name = name(capture);
    let home = Home::new(&format!("corpus-{name}"));
    let output = home.run(&["read", "--json", capture.to_str().unwrap()]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["faults"].as_array().unwrap().is_empty(), "{name}: {}", document["faults"]);
    let findings = document["findings"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let services = document["services"].as_array().unwrap();
    let mut lines: Vec<Line> = services
        .iter()
        .enumerate()
        .map(|(index, service)| {
            let recognised = &service["recognised"];
            // What a finding is not about, it does not list.
            let about = |finding: &&Value| {
                finding["services"].as_array().is_some_and(|services| services.contains(&index.into()))
            };
            let mut codes: Vec<&str> =
                findings.iter().filter(about).map(|finding| finding["code"].as_str().unwrap()).collect();
            codes.sort_unstable();
            codes.dedup();
            Line {
                capture: name.clone(),
                transport: word(&service["transport"]),
                port: u16::try_from(service["port"].as_u64().unwrap()).unwrap(),
                protocol: word(&recognised["protocol"]),
                certainty: word(&recognised["certainty"]),
                attempt: word(&recognised["attempt"]),
                findings: if codes.is_empty() { "-".to_owned() } else { codes.join(",") },
                rule: word(&recognised["rule"]),
            }
        })
        .collect();
    lines.sort_by(|one, other| {
        (one.port, &one.transport, &one.protocol, &one.certainty).cmp(&(
            other.port,
            &other.transport,
            &other.protocol,
            &other.certainty,
        ))
    });
    lines
}

/// The table as a file.
pub fn write(lines: &[Line]) -> String {
    let mut text = HEADING.to_owned();
    for line in lines {
        let port = line.port.to_string();
        let cells = [
            &line.capture,
            &line.transport,
            &port,
            &line.protocol,
            &line.certainty,
            &line.attempt,
            &line.findings,
            &line.rule,
        ];
        text.push_str(&cells.map(String::as_str).join("\t"));
        text.push('\n');
    }
    text
}

/// The committed table.
pub fn committed() -> Vec<Line> {
    let text = std::fs::read_to_string(root().join("corpus/wire/EXPECT.tsv")).unwrap();
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [capture, transport, port, protocol, certainty, attempt, findings, rule] = cells[..] else {
                unreachable!("{line}")
            };
            Line {
                capture: capture.to_owned(),
                transport: transport.to_owned(),
                port: port.parse().unwrap(),
                protocol: protocol.to_owned(),
                certainty: certainty.to_owned(),
                attempt: attempt.to_owned(),
                findings: findings.to_owned(),
                rule: rule.to_owned(),
            }
        })
        .collect()
}
