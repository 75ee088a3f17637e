//! Session descriptions of others are read and judged, and others read ours: the corpus, ffprobe, GStreamer.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "in a test a panic is how it fails, and it says what it skips"
)]

use std::fs;
use std::path::{Path, PathBuf};

use model::media::{Essence, SessionSource};
use portreeve_media::sdp::lint::Severity;
use portreeve_media::sdp::{self, Edition};

fn corpus() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/sdp");
    if place.is_dir() {
        return Some(place);
    }
    eprintln!("SKIPPED: there is no corpus of session descriptions beside the checkout");
    None
}

fn files(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.to_string_lossy().ends_with(".sdp") || path.to_string_lossy().ends_with(".sdp.in") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn everything_of_the_corpus_is_read() {
    let Some(place) = corpus() else { return };
    let files = files(&place);
    assert!(files.len() > 40, "{} files", files.len());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        sdp::check(&bytes);
        let (document, faults) = sdp::parse(&bytes);
        let name = file.to_string_lossy();
        assert!(faults.iter().all(|fault| fault.what == "an empty line"), "{name}: {faults:?}");
        let text = String::from_utf8(bytes).unwrap();
        let said = text.lines().filter(|line| !line.trim().is_empty()).count();
        let read: usize =
            document.media.iter().chain([&document.session]).map(|section| section.lines.len()).sum();
        assert_eq!(said, read, "{name}");
        let (sessions, faults) = sdp::sessions(&document, &SessionSource::File(name.to_string()));
        // Templates have holes where addresses will be.
        let media = text.lines().filter(|line| line.starts_with("m=")).count();
        let copies = text.lines().filter(|line| line.starts_with("a=group:DUP")).count();
        if name.contains("nmos-testing-templates") || text.contains("c=IN IP4 0.0.0.0") {
            assert!(sessions.is_empty() && faults.len() >= media, "{name}: {faults:?}");
            continue;
        }
        assert_eq!(faults, [], "{name}");
        assert_eq!(sessions.len(), media - copies, "{name}");
        for session in &sessions {
            assert!(!session.formats.is_empty() && !session.name.is_empty(), "{name}: {session:?}");
            assert!(session.formats.iter().all(|it| it.essence != Essence::Other("raw".into())), "{name}");
        }
    }
}

#[test]
fn verdicts_agree_with_the_fixtures() {
    let Some(place) = corpus() else { return };
    for (folder, valid) in [("valid", true), ("invalid", false)] {
        let files = files(&place.join("sdpoker-fixtures").join(folder));
        assert!(files.len() > 5);
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let errors: Vec<_> = sdp::lint(&bytes, Edition::Named)
                .into_iter()
                .filter(|complaint| complaint.severity == Severity::Error)
                .map(|complaint| format!("{}: {} {}", complaint.line, complaint.code.name(), complaint.text))
                .collect();
            assert_eq!(errors.is_empty(), valid, "{}: {errors:#?}", file.display());
        }
    }
}
#[test]
fn every_rule_is_documented_as_it_is() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sdp.md");
    let text = fs::read_to_string(page).unwrap();
    let found: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 4).collect();
    let wanted: Vec<String> = sdp::Lint::ALL
        .iter()
        .map(|lint| {
            let words = [lint.severity().word(), lint.clause(), lint.text(), lint.next()];
            format!("| `{}` | {} |", lint.name(), words.map(|word| word.replace('|', "\\|")).join(" | "))
        })
        .collect();
    assert_eq!(found, wanted, "the table of docs/sdp.md should be:\n{}", wanted.join("\n"));
}
