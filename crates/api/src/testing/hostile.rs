//! What strangers call themselves is shown on every page, and does nothing there.

use super::*;

const EVIL: &str =
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&\u{202e}gpj\u{1b}[2J\u{200b}\u{7}";

fn is_safe(page: &str, path: &str) {
    assert!(!page.contains("<script>"), "{path}");
    assert!(!page.contains("onerror=alert(1)>") || page.contains("onerror=alert(1)&gt;"), "{path}");
    assert!(!page.contains("<img src=x"), "{path}");
    assert!(!page.chars().any(|c| c != '\n' && engine::sanitise::is_unsafe(c)), "{path}: controls or bidi");
    for script in page.split("<script").skip(1) {
        assert!(script.starts_with(" type=\"module\" src=\"/assets/"), "{path}: {script:.80}");
    }
    for word in [" style=\"", " onclick", " onload", "javascript:", "http://", "https://"] {
        let found = page.match_indices(word).find(|(at, _)| !page.get(..*at).unwrap().ends_with("xmlns=\""));
        assert!(found.is_none(), "{path}: {word}");
    }
    // Every attribute ends where it should: what follows a quote is a space, a bracket or a slash.
    let mut inside_tag = false;
    let mut quoted = false;
    let mut letters = page.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '<' if !quoted => inside_tag = true,
            '>' if !quoted => inside_tag = false,
            '"' if inside_tag => {
                quoted = !quoted;
                if !quoted {
                    assert!(matches!(letters.peek(), Some(' ' | '>' | '/')), "{path}: an attribute was left");
                }
            }
            '<' => panic!("{path}: markup in an attribute"),
            _ => {}
        }
    }
}

#[test]
fn hostile_names_are_shown_and_harmless_everywhere() {
    let place = Place::new(EVIL, |_| {});
    let id = place.read("/api/v1/findings").json()["items"][0]["id"].as_str().unwrap().to_owned();
    let reason = serde_json::json!({ "reason": EVIL }).to_string();
    assert_eq!(place.with("ack", "POST", &format!("/api/v1/findings/{id}/acknowledge"), &reason).status, 200);
    let finding = format!("/findings/{id}");
    let leg = leg_of(0);
    let stream = format!("/streams/{leg}");
    let pages = [
        "/",
        "/ports",
        "/ports?text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/ports/tcp/420",
        "/holders",
        "/flows",
        "/streams",
        stream.as_str(),
        "/sessions",
        "/findings",
        finding.as_str(),
        "/policy",
        "/history",
        "/history?port=420&since=%22%3E%3Cscript%3E",
        "/history?kind=socket&cursor=n9",
        "/decoys",
        "/captures",
        "/reference",
        "/ports/tcp/%3Cscript%3E",
        "/findings/%3Cscript%3E",
        "/streams/%22%3E",
    ];
    for path in pages {
        let reply = place.read(path);
        is_safe(&reply.body, path);
    }
    for path in [
        "/",
        "/ports",
        "/ports/tcp/420",
        "/holders",
        "/flows",
        "/streams",
        stream.as_str(),
        "/sessions",
        "/findings",
        finding.as_str(),
        "/policy",
        "/history",
        "/decoys",
    ] {
        let reply = place.read(path);
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.body.contains("&lt;img src=x"), "{path}: it is shown");
    }
    // Plots are pictures with names of strangers in them.
    let plot = place.read(&format!("/api/v1/streams/{leg}/legs/{leg}/intervals.svg"));
    assert_eq!((plot.status, plot.header("content-type")), (200, Some("image/svg+xml")));
    assert!(plot.header("content-security-policy").unwrap().contains("sandbox"));
    // In JSON they are as they are: whoever shows them makes them harmless.
    let json = place.read("/api/v1/holders").json();
    assert_eq!(json["items"][0]["program"], EVIL.rsplit('/').next().unwrap());
    let metrics = place.read("/metrics").body;
    assert!(!metrics.contains("script"), "no stranger names a metric");
}
