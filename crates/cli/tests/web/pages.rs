//! Every page that can be reached, in light, in dark and on a telephone: without a fault, without a complaint, in its place.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use crate::driver::Browser;
use crate::{axe, picture};

/// What pages are alike: those whose address differs only in numbers and ids.
fn kind_of(path: &str) -> String {
    let is_id = |part: &str| {
        part.bytes().any(|byte| byte.is_ascii_digit())
            || matches!(part, "tcp" | "udp" | "sctp" | "dccp")
            || part.len() >= 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let parts: Vec<&str> = path.split('/').map(|part| if is_id(part) { "*" } else { part }).collect();
    parts.join("/")
}

/// The name of a page's picture.
fn name_of(kind: &str) -> String {
    match kind.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
        [""] => String::from("overview"),
        [place] => place.to_owned(),
        [place, ..] => place.trim_end_matches('s').to_owned(),
        [] => String::new(),
    }
}

/// What is in no menu, or has a better example than the first that is met.
const EXAMPLES: [&str; 3] = ["/", "/ports/tcp/420", "/login"];

/// One page of each kind, beginning with the first and following every link.
pub fn found(browser: &Browser) -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> =
        EXAMPLES.iter().map(|path| (kind_of(path), (*path).to_owned())).collect();
    let mut left: VecDeque<String> = EXAMPLES.iter().map(|path| (*path).to_owned()).collect();
    while let Some(path) = left.pop_front() {
        browser.open(&path);
        let links = browser.value("[...document.querySelectorAll('a[href^=\"/\"]')].map((it) => new URL(it.getAttribute('href'), location).pathname)");
        let links: BTreeSet<&str> = links.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for link in links {
            // What is for programs is no page.
            if link.starts_with("/api/") || link == "/metrics" || pages.contains_key(&kind_of(link)) {
                continue;
            }
            pages.insert(kind_of(link), link.to_owned());
            left.push_back(link.to_owned());
        }
    }
    pages
}

/// What is wrong with the page as it is shown.
fn faults(browser: &Browser) -> Vec<String> {
    let mut faults = axe::faults(browser);
    faults.extend(browser.complaints());
    let wide = browser.value("[document.documentElement.scrollWidth, document.documentElement.clientWidth]");
    if wide[0].as_u64() > wide[1].as_u64() {
        faults.push(format!("it is {} wide where there are {}", wide[0], wide[1]));
    }
    let heading =
        browser.value("[...document.querySelectorAll('h1')].filter((it) => it.textContent.trim()).length");
    if heading != 1 {
        faults.push(format!("{heading} headings of the first order"));
    }
    faults
}

/// Whether all that is drawn by script is there.
fn drawn(browser: &Browser) {
    browser.until("document.readyState === 'complete' && !document.querySelector('[data-map][hidden], [data-again]') && !(document.getElementById('reference')?.textContent.trim() === '')");
}

/// Visits every page in every look.
pub fn every_page_is_in_order(browser: &Browser) {
    let pages = found(browser);
    let mut wrong = Vec::new();
    for (look, dark, phone) in [("", false, false), ("-dark", true, false), ("-phone", false, true)] {
        browser.dark(dark);
        browser.phone(phone);
        for (kind, path) in &pages {
            browser.open(path);
            drawn(browser);
            wrong.extend(faults(browser).into_iter().map(|fault| format!("{path}{look}: {fault}")));
            let name = name_of(kind);
            if look.is_empty() || matches!(name.as_str(), "overview" | "port" | "stream") {
                picture::take(browser, &format!("{name}{look}"));
            }
        }
    }
    browser.dark(false);
    browser.phone(false);
    eprintln!("in light, in dark and on a telephone: {:?}", pages.values());
    assert!(wrong.is_empty(), "{wrong:#?}");
    for kind in [
        "/",
        "/ports",
        "/ports/*/*",
        "/holders",
        "/flows",
        "/streams",
        "/streams/*",
        "/sessions",
        "/findings",
        "/findings/*",
        "/decoys",
        "/captures",
        "/captures/*",
        "/reference",
        "/login",
    ] {
        assert!(pages.contains_key(kind), "{kind} was not found among {pages:#?}");
    }
}
