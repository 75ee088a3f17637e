//! The pages in Chromium, against the service on a small machine of its own: what a person does with them, by keyboard.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test stops where something is wrong, says what it left out, and makes bytes of numbers that it knows"
)]

mod axe;
mod contract;
mod deeds;
mod driver;
mod harbour;
mod hostile;
mod keyboard;
#[path = "../captures/packets.rs"]
mod packets;
mod pages;
mod picture;
mod speed;
#[path = "../live/stage.rs"]
#[expect(dead_code, reason = "what these tests do not need, those of the live machine do")]
mod stage;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "what these tests do not need, others do")]
mod support;

use std::time::Instant;

use driver::Browser;
use harbour::Harbour;
use stage::{KERNEL_PROGRAMS, possible};

/// What a browser and a scene need.
const TOOLS: [&str; 6] = [KERNEL_PROGRAMS, "chromium", "chromedriver", "openssl", "nginx", "redis-server"];

/// Does a part of a test, and says how long it took.
fn part<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    eprintln!("{what}: {} ms", begun.elapsed().as_millis());
    done
}

#[test]
fn a_person_finds_their_way_and_what_they_do_stays() {
    if !possible("the pages in a browser", &TOOLS) {
        return;
    }
    let mut harbour = part("the scene", || Harbour::new("harbour"));
    let browser = part("the browser", || Browser::begin(&harbour.stage));
    harbour.wait_for_streams(&browser);
    part("a new listener", || deeds::a_listener_appears(&mut harbour, &browser));
    part("by keyboard", || keyboard::every_place_is_reached(&browser));
    part("acknowledged", || deeds::a_finding_is_acknowledged(&mut harbour, &browser));
    part("a capture", || deeds::a_capture_is_dropped(&harbour, &browser));
    harbour.wait_for_streams(&browser);
    part("every page", || pages::every_page_is_in_order(&browser));
    browser.stayed_here();
}

#[test]
fn strangers_words_are_shown_on_the_pages_and_do_nothing() {
    if !possible("strangers' words in a browser", &TOOLS) {
        return;
    }
    hostile::words_are_shown_and_do_nothing();
}
