//! Every code has a page, every page a code, and every page says the same things in the same order.

use std::collections::BTreeSet;
use std::path::PathBuf;

use model::Code;

const HEADINGS: [&str; 6] = [
    "## What was seen",
    "## Why it matters",
    "## Clause or source",
    "## How we might be wrong",
    "## What to do",
    "## Policy example",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/findings")
}

fn examples(text: &str) -> Vec<&str> {
    text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn codes_and_pages_are_the_same_set() {
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.name().to_owned()).collect();
    let pages: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
        .filter(|name| name != "README")
        .collect();
    assert_eq!(codes, pages);
}

#[test]
fn every_page_has_the_same_shape() {
    for code in Code::ALL {
        let text = std::fs::read_to_string(folder().join(format!("{}.md", code.name()))).unwrap();
        let name = code.name();
        assert!(text.starts_with(&format!("# {name}\n")), "{name}: title");
        let severity = format!("Default severity: **{}**", code.default_severity().name());
        assert!(text.contains(&severity), "{name}: {severity}");
        let found: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(found, HEADINGS, "{name}");
        for section in text.split("\n## ").skip(1) {
            let body = section.split_once('\n').map_or("", |(_, body)| body).trim();
            assert!(body.len() >= 30, "{name}: a section says nothing: {section}");
        }
    }
}

#[test]
fn every_example_is_a_policy() {
    let mut count = 0;
    for code in Code::ALL {
        let text = std::fs::read_to_string(folder().join(format!("{}.md", code.name()))).unwrap();
        for example in examples(&text) {
            let policy = portreeve_verdict::policy::parse(code.name(), example)
                .unwrap_or_else(|fault| panic!("{fault}"));
            assert!(!policy.entries().is_empty(), "{}", code.name());
            count += 1;
        }
    }
    assert!(count >= Code::ALL.len());
    let manual = std::fs::read_to_string(folder().join("../policy.md")).unwrap();
    let examples = examples(&manual);
    assert!(examples.len() >= 2);
    for example in examples {
        portreeve_verdict::policy::parse("docs/policy.md", example)
            .unwrap_or_else(|fault| panic!("{fault}\n{example}"));
    }
}

#[test]
fn the_manual_names_every_key() {
    let manual = std::fs::read_to_string(folder().join("../policy.md")).unwrap();
    let refused = portreeve_verdict::policy::parse("p", "[[allow]]\nnot_a_key = 1").unwrap_err();
    let keys = refused.reason.split("allowed: ").nth(1).unwrap().split(", ");
    for key in keys {
        assert!(manual.contains(&format!("`{key}`")), "docs/policy.md does not name `{key}`");
    }
}

#[test]
fn the_index_lists_every_code_with_its_words() {
    let index = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for code in Code::ALL {
        let name = code.name();
        let row =
            format!("| [{name}]({name}.md) | {} | {} |", code.default_severity().name(), code.summary());
        assert!(index.contains(&row), "docs/findings/README.md lacks: {row}");
    }
}
