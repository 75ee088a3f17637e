//! Faults of a page for those who do not see it or have no mouse, as axe-core finds them.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::driver::Browser;

/// Fetched by `cargo xtask test --install`; it is nobody's to commit.
static AXE: LazyLock<Option<String>> = LazyLock::new(|| {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/strangers/venv/lib");
    let pythons = std::fs::read_dir(lib).into_iter().flatten().flatten();
    let script = pythons
        .map(|python| python.path().join("site-packages/axe_playwright_python/axe.min.js"))
        .find_map(|path| std::fs::read_to_string(path).ok());
    if script.is_none() {
        eprintln!("SKIPPED: axe-core needs `cargo xtask test --install`, which fetches it");
    }
    script
});

/// The serious and critical faults of the page that is shown.
pub fn faults(browser: &Browser) -> Vec<String> {
    let Some(axe) = AXE.as_deref() else { return Vec::new() };
    if browser.value("typeof axe") == "undefined" {
        browser.script(&format!("{axe}; window.axe = axe"), &Value::Null);
    }
    let found = browser.script(
        "const found = await axe.run(document, { resultTypes: ['violations'] });
         return found.violations.map((fault) => ({
            id: fault.id, impact: fault.impact,
            nodes: fault.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message || '')),
         }))",
        &json!(null),
    );
    let all = found.as_array().unwrap();
    let serious = all.iter().filter(|fault| fault["impact"] == "serious" || fault["impact"] == "critical");
    serious.map(ToString::to_string).collect()
}
