//! `portreeve alert`: what is configured, and whether it arrives, from a file as people write it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod support;

use serde_json::Value;

use support::{Home, err, out, status};

#[test]
fn ways_are_listed_and_tried_and_what_fails_is_explained() {
    let home = Home::new("alert");
    let eve = home.0.join("eve.json");
    let text = format!(
        "[[alert]]\nname = \"file\"\nkind = \"eve\"\npath = \"{}\"\n\
         [[alert]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\nmin-severity = \"alert\"\n\
         repeat-every = \"1d\"\n",
        eve.display()
    );
    let config = home.file("new.toml", &text);
    let config = config.to_str().unwrap();

    let listed = home.run(&["alert", "list", "--config", config]);
    assert_eq!(status(&listed), 0, "{}", err(&listed));
    assert!(out(&listed).contains("alert and graver, grouped for 5s, again every 1d"), "{}", out(&listed));
    let listed: Value =
        serde_json::from_slice(&home.run(&["alert", "list", "--json", "--config", config]).stdout).unwrap();
    assert_eq!((&listed["schema_version"], &listed["alerts"][0]["kind"]), (&1.into(), &"eve".into()));

    let good = home.run(&["alert", "test", "file", "--config", config]);
    assert_eq!(status(&good), 0, "{}", err(&good));
    assert!(out(&good).contains("arrived: written"), "{}", out(&good));
    assert!(std::fs::read_to_string(&eve).unwrap().contains("\"state\":\"test\""));

    let both = home.run(&["alert", "test", "--config", config]);
    assert_eq!(status(&both), 2);
    assert!(out(&both).contains("FAILED"), "{}", out(&both));
    assert!(err(&both).contains("hook: look at the address"), "{}", err(&both));
    let both = home.run(&["alert", "test", "--json", "--config", config]);
    let document: Value = serde_json::from_slice(&both.stdout).unwrap();
    assert_eq!((&document["complete"], &document["alerts"][1]["result"]), (&false.into(), &"failed".into()));

    let unknown = home.run(&["alert", "test", "pager", "--config", config]);
    assert_eq!(status(&unknown), 64);
    assert!(err(&unknown).contains("there are: file, hook"), "{}", err(&unknown));

    std::fs::write(config, "[[alert]]\nname = \"a\"\nkind = \"mail\"\n").unwrap();
    let wrong = home.run(&["alert", "list", "--config", config]);
    assert_eq!(status(&wrong), 2);
    assert!(err(&wrong).contains("new.toml:1") && err(&wrong).contains("`to` is needed"), "{}", err(&wrong));
    std::fs::write(config, "").unwrap();
    let none = home.run(&["alert", "test", "--config", config]);
    assert!(status(&none) == 2 && err(&none).contains("docs/alerts.md"), "{}", err(&none));
}

#[test]
#[cfg(all(debug_assertions, target_arch = "x86_64"))]
fn a_processor_that_lacks_what_tls_needs_is_told_and_stops_nothing() {
    let home = Home::new("alert-tls");
    let text = "[[alert]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"https://127.0.0.1:9/\"\n";
    let config = home.file("new.toml", text);
    // With debug assertions the cryptography lets itself be told that an instruction is not there.
    let mut command = home.command();
    command.env("GRAVIOLA_CPU_DISABLE_aes", "1").args(["alert", "test", "--config"]).arg(config);
    let output = command.output().unwrap();
    assert_eq!(status(&output), 2, "{}", err(&output));
    assert!(out(&output).contains("FAILED: TLS needs a processor with AES"), "{}", out(&output));
}
