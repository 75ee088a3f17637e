//! The dashboard and the alert rules ask for metrics that there are, and Prometheus understands them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use super::*;

fn contrib(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contrib").join(path)
}

/// Names of metrics in a text, as Prometheus reads names.
fn names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("portreeve_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_is_asked_for_is_there() {
    let place = Place::new("sshd", |_| {});
    let metrics = names(&place.read("/metrics").body);
    for file in ["grafana/portreeve.json", "prometheus/portreeve.rules.yml"] {
        let text = std::fs::read_to_string(contrib(file)).unwrap();
        let asked = names(&text);
        assert!(asked.len() > 5, "{file}");
        let missing: Vec<&String> = asked.iter().filter(|name| !metrics.contains(*name)).collect();
        assert!(missing.is_empty(), "{file} asks for {missing:?}");
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(contrib("grafana/portreeve.json")).unwrap()).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 10);
}

#[test]
fn prometheus_takes_the_rules() {
    let rules = contrib("prometheus/portreeve.rules.yml");
    match Command::new("promtool").args(["check", "rules"]).arg(rules).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("SKIPPED: promtool (Debian: prometheus): {error}"),
    }
}
