//! Every page reached by keys alone, and where one is can be seen.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::driver::{Browser, ENTER, TAB};

/// So many keys are enough to get anywhere on a page.
const MOST_KEYS: usize = 120;

/// Goes by Tab until what has the focus fits; what has it must be seen to have it.
pub fn tab_to(browser: &Browser, fits: &str) {
    let mut met = Vec::new();
    for _ in 0..MOST_KEYS {
        browser.press(TAB);
        let here = browser.script(
            &format!(
                "const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
                 const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
                 const there = box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
                 return {{ name: at.outerHTML.slice(0, 120), seen: at.matches(':focus-visible') && ring && there,
                           body: at === document.body, fits: !!({fits}) }}"
            ),
            &Value::Null,
        );
        // Beyond the last link is the browser itself.
        assert!(
            here["seen"] == true || here["body"] == true,
            "the focus is not seen: {here} on {}",
            browser.path()
        );
        if here["fits"] == true {
            return;
        }
        met.push(here["name"].to_string());
    }
    panic!("no key leads there: {fits}, on {}, past {met:#?}", browser.path());
}

/// Goes to a link by keys, and follows it.
pub fn follow(browser: &Browser, fits: &str, path: &str) {
    tab_to(browser, fits);
    browser.press(ENTER);
    browser.until(&format!("document.readyState === 'complete' && location.pathname.match({path})"));
}

/// The way around: what the menu leads to.
pub fn places(browser: &Browser) -> Vec<String> {
    let links = browser.value(
        "[...document.querySelectorAll('nav[aria-label=Main] a')].map((it) => it.getAttribute('href'))",
    );
    links.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Every page, from the first one on, by Tab and Enter.
pub fn every_place_is_reached(browser: &Browser) {
    browser.open("/");
    let places = places(browser);
    assert!(places.len() >= 9, "{places:?}");
    // The first key leads past the menu.
    tab_to(browser, "at.classList.contains('skip')");
    browser.press(ENTER);
    browser.until("document.activeElement.id === 'main'");
    let mut reached = BTreeSet::new();
    for place in &places {
        browser.open(if place == "/" { "/ports" } else { "/" });
        follow(
            browser,
            &format!("at.closest('nav') && at.getAttribute('href') === '{place}'"),
            &format!("/^{place}$/").replace("^/", "^\\/"),
        );
        assert_eq!(
            browser.text("document.querySelector('nav [aria-current=page]').getAttribute('href')"),
            *place
        );
        reached.insert(place.clone());
    }
    // And what the pages lead to.
    for (from, to) in [
        ("/ports", r"\/ports\/(tcp|udp)\/\d+"),
        ("/streams", r"\/streams\/\w+"),
        ("/findings", r"\/findings\/\w+"),
        ("/", r"\/findings\/\w+"),
    ] {
        browser.open(from);
        let fits = format!("at.closest('main') && at.getAttribute('href')?.match(/^{to}$/)");
        follow(browser, &fits, &format!("/^{to}$/"));
        reached.insert(browser.path());
    }
    // The map is moved, told and opened by keys.
    browser.open("/ports");
    browser.until("!document.querySelector('[data-map]').hidden");
    tab_to(browser, "at.id === 'map'");
    browser.press("\u{e015}\u{e014}");
    browser.until("document.getElementById('map-said').textContent.startsWith('Port 257')");
    browser.press("+");
    browser.press(ENTER);
    browser.until("location.pathname === '/ports/tcp/257'");
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
    eprintln!("reached by keys alone: {reached:?}");
}
