//! What every source file must be, and what must not stand in one.

use std::path::Path;
use std::sync::LazyLock;

use regex_lite::Regex;

use crate::{none, sources, text};

/// A file may be this long before somebody has to say why.
const MOST_LINES: usize = 600;

/// Longer files, each with its reason.
const LONGER: &[(&str, &str)] = &[
    ("bpf/vmlinux.h", "the kernel's types, as far as the programs read them: a list, not code"),
    ("crates/host/src/linux/process/mod.rs", "to be taken apart: facts of a process come from eight places"),
];

/// Crates that take bytes, time and policy as arguments.
const PURE: [&str; 6] = ["model", "registry", "wire", "media", "traffic", "verdict"];

fn is_in(path: &Path, folder: &str) -> bool {
    path.starts_with(folder)
}

/// The lines of a file that are code of the product: not comments, and nothing from its own tests on.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| {
            !line.trim_start().starts_with("#[cfg(test)]") && !line.starts_with("mod tests")
        })
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
}

#[test]
fn every_file_says_what_it_is_for() {
    let faults = sources().into_iter().filter_map(|(path, text)| {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let said = match path.extension()?.to_str()? {
            "rs" => first.strip_prefix("//! "),
            _ => first.strip_prefix("// ").or_else(|| first.strip_prefix("/* ")),
        };
        let enough = said.is_some_and(|said| said.split_whitespace().count() >= 3);
        (!enough).then(|| format!("{}: begins with {first:?}", path.display()))
    });
    none("the first line of a file says what the file is for", faults.collect());
}

#[test]
fn files_stay_short_or_say_why_not() {
    let mut faults = Vec::new();
    let sources = sources();
    for (path, text) in &sources {
        let lines = text.lines().count();
        let listed = LONGER.iter().any(|(longer, _)| path == Path::new(longer));
        if lines > MOST_LINES && !listed {
            faults.push(format!("{}: {lines} lines", path.display()));
        }
    }
    for (longer, reason) in LONGER {
        assert!(!reason.is_empty());
        if !sources.iter().any(|(path, _)| path == Path::new(longer)) {
            faults.push(format!("{longer} is listed as long and does not exist"));
        }
    }
    none("no file over 600 lines without a reason", faults);
}

#[test]
fn only_host_is_unsafe() {
    let word = Regex::new(r"\bunsafe\s*(\{|fn|impl|extern|trait|\()|expect\(unsafe_code").unwrap();
    let mut faults = Vec::new();
    for (path, text) in
        sources().iter().filter(|(path, _)| !is_in(path, "crates/host") && !is_in(path, "xtask"))
    {
        for (index, line) in text.lines().enumerate() {
            if word.is_match(line.split("//").next().unwrap_or_default()) {
                faults.push(format!("{}:{}", path.display(), index + 1));
            }
        }
    }
    none("nobody but host has unsafe code", faults);
}

#[test]
fn pure_crates_make_no_calls() {
    let call = Regex::new(concat!(
        r"\bstd::(fs|time|env|thread|process|io|os)\b|\b(SystemTime|Instant)::now|\bprintln!|",
        // Addresses are plain data; what opens a socket is not.
        r"\b(TcpListener|TcpStream|UdpSocket|ToSocketAddrs)\b"
    ))
    .unwrap();
    let mut faults = Vec::new();
    for (path, text) in &sources() {
        let pure = PURE.iter().any(|name| is_in(path, &format!("crates/{name}/src")));
        let is_test = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
        if !pure || is_test {
            continue;
        }
        for (number, line) in code(text) {
            if call.is_match(line) {
                faults.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    none("pure crates take bytes, time and policy as arguments", faults);
}

#[test]
fn names_say_what_a_thing_does() {
    let forbidden = ["get", "manager", "managers", "helper", "helpers", "util", "utils", "common"];
    let is_forbidden = |name: &str| name.split('_').any(|word| forbidden.contains(&word));
    let function = Regex::new(r"\bfn\s+([a-z0-9_]+)").unwrap();
    let mut faults = Vec::new();
    for (path, text) in &sources() {
        for part in path.iter() {
            let name = part.to_string_lossy();
            if is_forbidden(name.split('.').next().unwrap_or_default()) {
                faults.push(format!("{}: the name of a file or folder", path.display()));
            }
        }
        if path.extension().is_some_and(|extension| extension != "rs") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if function
                .captures_iter(code)
                .any(|found| found.get(1).is_some_and(|name| is_forbidden(name.as_str())))
            {
                faults.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    none(
        "verbs are parse, handle, poll, judge, render, snapshot; no get, manager, helper, util, common",
        faults,
    );
}

#[test]
fn nothing_sleeps_but_what_waits_for_people() {
    // Records of events gather for a while, and looks are taken at a pace: time passing is what these wait for. Plain
    // sockets of every system are asked in turn, because no one call waits for many of them everywhere.
    let allowed =
        ["crates/cli/src/", "xtask/src/", "crates/host/src/events.rs", "crates/host/src/decoy/plain.rs"];
    let mut faults = Vec::new();
    for (path, text) in &sources() {
        if allowed.iter().any(|place| is_in(path, place)) || is_in(path, "xtask/tests/house") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            if line.contains("thread::sleep(") {
                faults.push(format!("{}:{}", path.display(), index + 1));
            }
        }
    }
    none("wait for the event, not for time to pass", faults);
}

/// What a citation must not look like, and how it is written instead.
static WRONG_CITATIONS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b(RFC|rfc|Rfc)-?[0-9]|\b(rfc|Rfc) [0-9]", "an RFC is cited as `RFC 3550`"),
        (r"\bRFC [0-9]+[,:]? ?([Ss]ec|[Cc]hapter)", "a clause of an RFC is cited as `RFC 3550 §5.1`"),
        (r"§ [0-9]|§§", "a clause is cited as `§5.1`, without a space"),
        (r"\bST ?[0-9]{4}(-[0-9]+)? §|\bST[0-9]{4}", "a clause of SMPTE is cited as `ST 2110-21:2022 §7.2`"),
        (r"\bIEEE[ -]?(Std )?1588(-[0-9]+)?,? ([Cc]lause|[Ss]ec)|\bIEEE 1588 §", "as `IEEE 1588-2019 §13.3`"),
    ]
    .map(|(pattern, form)| (Regex::new(pattern).unwrap(), form))
    .into()
});

/// What is wrong with the citations in a line of a comment; `None` where nothing is.
fn citation_fault(line: &str) -> Option<&'static str> {
    // Nearly every line cites nothing.
    if !["RFC", "rfc", "Rfc", "§", "ST", "IEEE"].iter().any(|sign| line.contains(sign)) {
        return None;
    }
    WRONG_CITATIONS.iter().find(|(wrong, _)| wrong.is_match(line)).map(|(_, form)| *form)
}

#[test]
fn citations_have_one_form() {
    let mut faults = Vec::new();
    for (path, text) in sources().iter().filter(|(path, _)| !is_in(path, "xtask/tests/house")) {
        for (index, line) in text.lines().enumerate() {
            // IANA's own files are quoted as they are, in backticks.
            let comment = line.split_once("//").map(|(_, comment)| comment).unwrap_or_default();
            let plain: String = comment.split('`').step_by(2).collect();
            if let Some(fault) = citation_fault(&plain) {
                faults.push(format!("{}:{}: {fault}", path.display(), index + 1));
            }
        }
    }
    for page in ["ARCHITECTURE.md", "THREAT_MODEL.md", "CONTRIBUTING.md"] {
        for (index, line) in text(page.as_ref()).unwrap_or_default().lines().enumerate() {
            if let Some(fault) = citation_fault(&line.split('`').step_by(2).collect::<String>()) {
                faults.push(format!("{page}:{}: {fault}", index + 1));
            }
        }
    }
    none("a citation can be found by searching for its one form", faults);
}

#[test]
fn the_rule_for_citations_can_ring() {
    for good in
        ["RFC 3550 §5.1", "ST 2110-21:2022 §7.2", "IEEE 1588-2019 §13.3", "IS-04 v1.3", "see RFC 6335 (IANA)"]
    {
        assert_eq!(citation_fault(good), None, "{good}");
    }
    for bad in [
        "RFC3550",
        "rfc 3550",
        "RFC 3550, section 5",
        "RFC 3550 § 5.1",
        "ST 2110-21 §7.2",
        "ST2110",
        "IEEE 1588 §13",
    ] {
        assert!(citation_fault(bad).is_some(), "{bad}");
    }
}

#[test]
fn decoys_call_nobody() {
    let calls =
        Regex::new(r"\b(connect|connect_timeout|send|send_to|send_vectored|sendmsg|sendmmsg|sendto)\s*\(")
            .unwrap();
    let of_decoys = |path: &Path| {
        ["crates/host/src/decoy", "crates/host/src/linux/decoy", "crates/engine/src/decoys"]
            .iter()
            .any(|folder| is_in(path, folder) || path == Path::new(&format!("{folder}.rs")))
    };
    let (mut faults, mut seen) = (Vec::new(), 0);
    for (path, text) in sources().iter().filter(|(path, _)| of_decoys(path) && !path.ends_with("tests.rs")) {
        seen += 1;
        for (line, code) in code(text).filter(|(_, code)| calls.is_match(code)) {
            faults.push(format!("{}:{line}: {}", path.display(), code.trim()));
        }
    }
    assert!(seen > 10, "decoys are somewhere else now");
    none("decoys begin no connection, and answer no datagram", faults);
}
