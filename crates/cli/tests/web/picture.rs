//! Pictures of pages for docs/web, taken where PORTREEVE_BLESS says so.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::driver::Browser;

/// A picture may have so many bytes.
const MOST_BYTES: usize = 150 * 1024;

/// Takes one of what the window shows.
pub fn take(browser: &Browser, name: &str) {
    if std::env::var_os("PORTREEVE_BLESS").is_none() {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/web");
    let path = folder.join(format!("{name}.png"));
    let taken = browser.devtools("Page.captureScreenshot", &json!({ "format": "png" }));
    std::fs::write(&path, STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()).unwrap();
    // A page has few colours, and then half the bytes do.
    let packed =
        Command::new("pngquant").args(["--force", "--ext", ".png", "--skip-if-larger"]).arg(&path).status();
    if packed.is_err() {
        eprintln!("SKIPPED: smaller pictures need pngquant");
    }
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(usize::try_from(bytes).unwrap() < MOST_BYTES, "{name}: {bytes} bytes");
}
