//! How soon pages of a large machine are there: 5,000 ports, 50,000 flows, 200 streams.

use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::driver::Browser;
use crate::harbour::address;
use crate::stage::{Stage, possible};

/// The server of `crates/api/examples`, where it was built; with the workspace's tests it is.
fn server() -> Option<PathBuf> {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_portreeve")).with_file_name("examples").join("harbour");
    if !built.exists() {
        eprintln!("SKIPPED: pages of a large machine need `cargo build -p portreeve-api --examples`");
        return None;
    }
    Some(built)
}

#[test]
fn pages_of_a_large_machine_are_there_soon() {
    if !possible("pages of a large machine", &["chromium", "chromedriver"]) {
        return;
    }
    let Some(server) = server() else { return };
    let stage = Stage::machine("large");
    let folder = stage.home.0.display().to_string();
    let line = format!(
        "{} 127.0.0.1:7420 {folder} full & while ! [ -s {folder}/admin ]; do :; done; echo begun; wait",
        server.display()
    );
    let _server = stage.serve(&["sh", "-c", &line], "begun");
    let browser = Browser::begin(&stage);
    let mut slow = Vec::new();
    let begun = Instant::now();
    while TcpStream::connect(address()).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the large machine is not there");
        std::thread::yield_now();
    }
    // The first page of a browser is the browser's time.
    browser.open("/login");
    for path in ["/", "/ports", "/ports/tcp/420", "/holders", "/flows", "/streams", "/findings"] {
        browser.open(path);
        browser.until("performance.getEntriesByName('first-contentful-paint').length");
        let paint =
            browser.value("Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime)");
        let served = browser.value("Math.round(performance.getEntriesByType('navigation')[0].responseEnd)");
        let loaded = browser.value("Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd)");
        eprintln!(
            "{path}: the first paint after {paint} ms (served after {served} ms, loaded after {loaded} ms)"
        );
        if paint.as_u64().unwrap() > 4000 {
            slow.push(path);
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}
