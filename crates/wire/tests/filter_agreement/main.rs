//! Our filters let pass what those of tcpdump let pass: frame by frame, on every link type, for several hundred expressions.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is how it fails")]
#![expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
#![expect(clippy::print_stderr, reason = "a test that compares nothing says so")]

mod expressions;
mod frames;

use std::path::Path;
use std::process::Command;

use portreeve_wire::LinkType;
use portreeve_wire::filter::{Expression, FilterError, Transport, compile, parse_with};

use expressions::{AGREED, DIFFERENT, LISTS};

/// The services of the list, as Debian names them.
fn service(name: &str, transport: Transport) -> Option<u16> {
    match (name, transport) {
        ("http", Transport::Tcp) => Some(80),
        ("ftp", Transport::Tcp) => Some(21),
        ("ftp-data", Transport::Tcp) => Some(20),
        ("ssh", Transport::Tcp) => Some(22),
        ("domain", Transport::Tcp | Transport::Udp) => Some(53),
        ("tftp", Transport::Udp) => Some(69),
        _ => None,
    }
}

fn understood(text: &str) -> Result<Expression, FilterError> {
    parse_with(text, &service)
}

/// Which frames tcpdump lets pass, or what it says.
fn by_tcpdump(file: &Path, expression: &str) -> Result<Vec<usize>, String> {
    let output =
        Command::new("tcpdump").arg("-r").arg(file).args(["-w", "-", "--", expression]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(frames::indexes(&output.stdout));
    }
    // That nothing can pass is an answer.
    if said.contains("expression rejects all packets") { Ok(Vec::new()) } else { Err(said) }
}

fn by_us(link: u16, frames: &[frames::Frame], expression: &str) -> Result<Vec<usize>, FilterError> {
    let program = compile(&understood(expression)?, LinkType(link))?;
    let passes = |frame: &frames::Frame| program.matches(&frame.bytes, frame.wire_bytes);
    Ok(frames.iter().enumerate().filter(|(_, frame)| passes(frame)).map(|(index, _)| index).collect())
}

fn tcpdump_is_there() -> bool {
    let there = Command::new("tcpdump").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("SKIPPED: tcpdump is not installed, and nothing else says what a filter means");
    }
    there
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("portreeve-filter-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn tcpdump_lets_the_same_frames_pass() {
    if !tcpdump_is_there() {
        return;
    }
    let folder = folder("agreement");
    let mut faults = Vec::new();
    let (mut compared, mut passed, mut refused) = (0, 0, 0);
    let expressions: Vec<&str> = AGREED.lines().filter(|line| !line.is_empty()).collect();
    assert!(expressions.len() >= 150);
    for (link, name) in frames::LINKS {
        let frames = frames::all(link);
        let file = folder.join(format!("{link}.pcap"));
        std::fs::write(&file, frames::file(link, &frames)).unwrap();
        for expression in &expressions {
            match (by_tcpdump(&file, expression), by_us(link, &frames, expression)) {
                (Ok(theirs), Ok(ours)) => {
                    compared += frames.len();
                    passed += ours.len();
                    if theirs == ours {
                        continue;
                    }
                    let only = |some: &[usize], other: &[usize]| -> Vec<usize> {
                        some.iter().copied().filter(|one| other.binary_search(one).is_err()).collect()
                    };
                    let (only_theirs, mut only_ours) = (only(&theirs, &ours), only(&ours, &theirs));
                    if LISTS.contains(expression) {
                        only_ours.retain(|one| frames[*one].bytes.len() == frames[*one].wire_bytes as usize);
                    }
                    if !only_theirs.is_empty() || !only_ours.is_empty() {
                        let bytes =
                            only_theirs.iter().chain(&only_ours).map(|one| &frames[*one].bytes).next();
                        faults.push(format!(
                            "{name}: {expression}: only tcpdump {}, only we {}: {bytes:02x?}",
                            only_theirs.len(),
                            only_ours.len(),
                        ));
                    }
                }
                (Err(_), Err(_)) => refused += 1,
                (Err(said), Ok(_)) => faults.push(format!("{name}: {expression}: refused with {said}")),
                (Ok(_), Err(error)) => faults.push(format!("{name}: {expression}: we refuse: {error}")),
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    eprintln!("{compared} answers agree, {passed} of them yes; {refused} times both refused");
    assert!(passed > 100_000 && refused > 500);
}

#[test]
fn where_we_differ_from_tcpdump_is_known() {
    if !tcpdump_is_there() {
        return;
    }
    let folder = folder("differences");
    let frames = frames::all(1);
    let file = folder.join("1.pcap");
    std::fs::write(&file, frames::file(1, &frames)).unwrap();
    for (expression, reason) in DIFFERENT {
        let (theirs, ours) = (by_tcpdump(&file, expression), by_us(1, &frames, expression));
        assert_ne!(
            theirs.is_ok(),
            ours.is_ok(),
            "{expression} ({reason}): no difference any more, or another one"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
