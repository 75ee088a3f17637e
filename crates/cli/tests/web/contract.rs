//! The API held to its own document by a stranger: schemathesis asks what the document allows, and what it does not.

use std::path::PathBuf;

use serde_json::Value;

use crate::driver::{ask, connect, enter};
use crate::harbour::{BASE, Harbour, address};
use crate::stage::possible;

/// What an answer is held to.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,negative_data_rejection,ignored_auth";

#[test]
fn the_api_keeps_what_its_document_says() {
    if !possible("the API against its document", &[]) {
        return;
    }
    // Fetched by `cargo xtask test --install`; it is nobody's to commit.
    let place =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/strangers/venv/bin/schemathesis");
    if !place.exists() {
        eprintln!("SKIPPED: schemathesis needs `cargo xtask test --install`, which fetches it");
        return;
    }
    let mut harbour = Harbour::empty("contract");
    let _server = harbour.stage.plant(r#"s = tcp(420, "0.0.0.0"); ready()"#);
    // Who runs these tests is root, and would need no token.
    harbour.serve_with("same-user = false\n");
    let token = format!("Authorization: Bearer {}", harbour.token("admin"));
    enter(&harbour.stage);
    let (header, value) = token.split_once(": ").unwrap();
    let mut way = connect(address());
    let (status, _) = ask(&mut way, "GET", "/api/v1/openapi.json", &[], b"");
    assert_eq!(status, 401, "the document is for those who may ask");
    let (status, text) = ask(&mut way, "GET", "/api/v1/openapi.json", &[(header, value)], b"");
    assert_eq!(status, 200, "{text}");
    let mut document: Value = serde_json::from_str(&text).unwrap();
    // It never ends; tests of the crate read it.
    assert!(document["paths"].as_object_mut().unwrap().remove("/api/v1/events").is_some());
    let file = harbour.stage.home.file("openapi.json", &document.to_string()).display().to_string();
    let words = [
        place.to_str().unwrap(),
        "run",
        &file,
        "--url",
        BASE,
        "-H",
        &token,
        "--max-examples",
        "5",
        "--seed",
        "420",
        "--phases",
        "examples,coverage,fuzzing",
        "--checks",
        CHECKS,
        "--no-color",
    ];
    let mut command = harbour.stage.home.at_home(harbour.stage.command(&words));
    let output = command.current_dir(&harbour.stage.home.0).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    eprintln!("{}", said.lines().rev().take(8).collect::<Vec<_>>().join("\n"));
}
