//! What people come to the pages for: to see who came, to say that it is known, to have a capture read.

use std::time::{Duration, Instant};

use crate::driver::{Browser, ENTER, TAB, ask, connect};
use crate::harbour::{Harbour, address};
use crate::keyboard::{follow, tab_to};
use crate::packets;

/// So soon somebody who looks sees who came.
const SOON: Duration = Duration::from_secs(2);

/// A listener on an empty chair is seen without a reload.
pub fn a_listener_appears(harbour: &mut Harbour, browser: &Browser) {
    // What else runs here must not decide: the best of some times counts.
    let mut tries = Vec::new();
    for _ in 0..5 {
        browser.open("/ports");
        browser.until("document.getElementById('live').classList.contains('is-on')");
        browser.until("!document.querySelector('#ports-list a[href=\"/ports/tcp/420\"]')");
        browser.script("window.sameDocument = true", &serde_json::Value::Null);
        let begun = Instant::now();
        harbour.planters.push(harbour.stage.plant(r#"s = tcp(420, "0.0.0.0"); ready()"#));
        browser.until("document.querySelector('#ports-list a[href=\"/ports/tcp/420\"]')");
        tries.push(begun.elapsed());
        assert_eq!(browser.value("window.sameDocument"), true, "the page was loaded anew");
        if tries.last().is_some_and(|took| *took < SOON) {
            break;
        }
        harbour.planters.pop();
    }
    eprintln!("a new listener on 420 was on the page after {tries:?}");
    assert!(tries.last().is_some_and(|took| *took < SOON), "{tries:?}");
}

/// A finding is acknowledged by keys, with a reason and an end, and stays so over a restart.
pub fn a_finding_is_acknowledged(harbour: &mut Harbour, browser: &Browser) {
    const REASON: &str = "ours, for the test";
    browser.open("/findings?standing=open");
    follow(browser, "at.closest('article') && at.textContent.startsWith('420/tcp')", r"/^\/findings\/\w+$/");
    let finding = browser.path();
    // Without a reason nothing is decided.
    tab_to(browser, "at.textContent.trim() === 'Acknowledge'");
    browser.press(ENTER);
    assert_eq!(browser.value("document.getElementById('reason').matches(':invalid')"), true);
    assert_eq!(browser.text("document.querySelector('.tag').textContent"), "open");
    browser.open(&finding);
    tab_to(browser, "at.id === 'reason'");
    browser.press(REASON);
    browser.press(TAB);
    // A quarter of a year: the third choice.
    browser.press("in 90");
    assert_eq!(browser.text("document.getElementById('days').value"), "90");
    browser.press(TAB);
    browser.press(ENTER);
    let decided = format!(
        "document.querySelector('blockquote')?.textContent.includes('{REASON}') && document.querySelector('blockquote').textContent.includes('until')"
    );
    browser.until(&decided);
    assert_eq!(browser.text("document.querySelector('.tag').textContent"), "acknowledged");
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");

    harbour.end_service();
    harbour.serve();
    // The page that was open would tell that the service went away.
    browser.open(&finding);
    browser.until(&decided);
    assert_eq!(browser.text("document.querySelector('.tag').textContent"), "acknowledged");
    let until = browser.text("document.querySelector('blockquote').querySelectorAll('time')[1].dateTime");
    let days = browser.value("Math.round((new Date(document.querySelector('blockquote').querySelectorAll('time')[1].dateTime) - Date.now()) / 86400000)");
    assert_eq!(days, 90, "{until}");
    drop(browser.complaints());
}

/// A capture is dropped on the page, and its report is there.
pub fn a_capture_is_dropped(harbour: &Harbour, browser: &Browser) {
    let file = harbour.stage.home.0.join("harbour.pcapng");
    std::fs::write(&file, crate::hostile::written(&packets::scene(), None)).unwrap();
    browser.open("/captures");
    browser.choose("#file", file.to_str().unwrap());
    // As a hand drops it: the same file, and nothing is clicked.
    browser.script(
        "const data = new DataTransfer();
         data.items.add(document.getElementById('file').files[0]);
         const drop = document.getElementById('drop');
         drop.dispatchEvent(new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true }));
         if (!drop.classList.contains('is-over')) throw new Error('it does not show where to drop');
         drop.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));",
        &serde_json::Value::Null,
    );
    browser.until("location.pathname.startsWith('/captures/') && document.getElementById('r-services')");
    let report = browser.text("document.querySelector('main').innerText");
    for words in ["harbour.pcapng", "10.0.0.1:420", "ssh", "shop.example", "Scans"] {
        assert!(report.contains(words), "{words}:\n{report}");
    }
    // The same by keys: the field, then the button.
    browser.open("/captures");
    browser.choose("#file", file.to_str().unwrap());
    tab_to(browser, "at.textContent.trim() === 'Read it'");
    browser.press(ENTER);
    browser.until("location.pathname.startsWith('/captures/') && document.getElementById('r-services')");
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
    let (status, body) = ask(&mut connect(address()), "GET", "/api/v1/captures", &[], b"");
    assert!(status == 200 && body.matches("harbour.pcapng").count() == 2, "{status} {body}");
}
