//! Nobody gets in unasked, and whoever is refused learns nothing.

use super::*;
use crate::routes::OPERATIONS;

const SECRET: &str = "quite-a-secret-name";

/// Every path that is answered to somebody, with the method.
fn everything() -> Vec<(&'static str, String)> {
    let fill = |path: &str| {
        path.replace("{transport}", "tcp")
            .replace("{port}", "420")
            .replace("{stream}", "0")
            .replace("{leg}", "0")
            .replace("{plot}", "intervals.svg")
            .replace("{id}", "0123456789abcdef")
    };
    let of_api = OPERATIONS
        .iter()
        .map(|it| (if it.method == "get" { "GET" } else { "POST" }, format!("/api/v1{}", fill(it.path))));
    let pages = [
        "/",
        "/ports",
        "/ports/tcp/420",
        "/holders",
        "/flows",
        "/streams",
        "/streams/0",
        "/sessions",
        "/findings",
        "/decoys",
        "/captures",
        "/reference",
        "/metrics",
        "/no/such/path",
        "/api/v1/no",
    ];
    of_api.chain(pages.map(|path| ("GET", path.to_owned()))).collect()
}

#[test]
fn without_a_token_everything_is_the_same_nothing() {
    let place = Place::new(SECRET, |_| {});
    let host = place.host();
    let right = &place.tokens["admin"];
    let last = if right.ends_with('0') { '1' } else { '0' };
    let wrong = format!("Bearer {}{last}", right.strip_suffix(|_: char| true).unwrap());
    let mut answers = std::collections::BTreeSet::new();
    for (method, path) in everything() {
        for authorization in [None, Some(wrong.as_str()), Some("Basic YTpi"), Some("Bearer "), Some("x")] {
            let mut headers = vec![("Host", host.as_str())];
            headers.extend(authorization.map(|it| ("Authorization", it)));
            let reply = place.ask(method, &path, &headers, b"{}");
            assert_eq!(reply.status, 401, "{method} {path} {authorization:?}");
            assert!(!reply.body.contains(SECRET) && !reply.head.contains(SECRET), "{path}");
            answers.insert(reply.body);
        }
    }
    assert_eq!(answers.len(), 1, "whether a path exists is told to nobody: {answers:?}");
}

#[test]
fn what_needs_more_than_the_token_allows_is_refused_and_changes_nothing() {
    let place = Place::new(SECRET, |_| {});
    let id = place.read("/api/v1/findings").json()["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/findings/{id}/acknowledge");
    let body = r#"{"reason":"ours","days":30}"#;
    assert_eq!(place.with("read", "POST", &path, body).status, 403);
    assert_eq!(place.with("read", "POST", "/api/v1/captures", "x").status, 403);
    assert_eq!(place.read(&format!("/api/v1/findings/{id}")).json()["standing"], "open");
    let done = place.with("ack", "POST", &path, body);
    assert_eq!((done.status, done.json()["standing"].as_str()), (200, Some("acknowledged")), "{done:?}");
    assert_eq!(done.json()["decision"]["by"], "token ack");
    let again = place.with("admin", "POST", &format!("/api/v1/findings/{id}/reopen"), "");
    assert_eq!((again.status, again.json()["standing"].as_str()), (200, Some("open")));
}

#[test]
fn a_name_of_somebody_else_that_points_at_us_is_refused() {
    let place = Place::new(SECRET, |settings| settings.hosts = vec![String::from("reeve.example")]);
    let token = format!("Bearer {}", place.tokens["admin"]);
    let port = place.server.address().port();
    let status = |host: &str| {
        place.ask("GET", "/api/v1/status", &[("Host", host), ("Authorization", &token)], b"").status
    };
    for host in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        String::from("reeve.example"),
        format!("REEVE.example:{port}"),
    ] {
        assert_eq!(status(&host), 200, "{host}");
    }
    for host in [
        format!("evil.example:{port}"),
        String::from("127.0.0.1"),
        String::from("localhost:1"),
        String::new(),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
    ] {
        assert_eq!(status(&host), 421, "{host}");
    }
    let host = place.host();
    let twice = place.ask(
        "GET",
        "/api/v1/status",
        &[("Host", &host), ("Host", &host), ("Authorization", &token)],
        b"",
    );
    assert!(twice.status == 421 || twice.status == 400, "{twice:?}");
}

#[test]
fn other_sites_cannot_use_who_somebody_is() {
    let place = Place::new(SECRET, |settings| settings.same_user = true);
    let host = place.host();
    let own = format!("http://{host}");
    let csrf = place.ask("GET", "/api/v1/status", &[("Host", &host)], b"").json()["csrf"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = place.ask("GET", "/api/v1/findings", &[("Host", &host)], b"").json()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/findings/{id}/acknowledge");
    let body = br#"{"reason":"ours"}"#;
    let json = ("Content-Type", "application/json");
    let post = |more: &[(&str, &str)], body: &[u8]| {
        let mut headers = vec![("Host", host.as_str())];
        headers.extend_from_slice(more);
        place.ask("POST", &path, &headers, body).status
    };
    assert_eq!(post(&[json], body), 403, "without the token of our pages");
    assert_eq!(post(&[json, ("X-Portreeve-Csrf", "0")], body), 403);
    assert_eq!(post(&[json, ("X-Portreeve-Csrf", &csrf), ("Origin", "https://evil.example")], body), 403);
    assert_eq!(post(&[json, ("X-Portreeve-Csrf", &csrf), ("Origin", "null")], body), 403);
    assert_eq!(post(&[json, ("X-Portreeve-Csrf", &csrf), ("Sec-Fetch-Site", "cross-site")], body), 403);
    assert_eq!(post(&[("Content-Type", "text/plain"), ("X-Portreeve-Csrf", &csrf)], body), 415);
    assert_ne!(
        post(&[("Content-Type", "application/x-www-form-urlencoded")], b"reason=x"),
        200,
        "a form of another site"
    );
    assert_eq!(
        post(&[json, ("X-Portreeve-Csrf", &csrf), ("Origin", &own), ("Sec-Fetch-Site", "same-origin")], body),
        200
    );
    // A page of ours, by its form.
    let form = |csrf: &str| {
        let body = format!("csrf={csrf}&reason=mine&days=7");
        let headers = [
            ("Host", host.as_str()),
            ("Origin", own.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        place.ask("POST", &format!("/findings/{id}/acknowledge"), &headers, body.as_bytes()).status
    };
    assert_eq!((form("0"), form(&csrf)), (403, 303));
    // Reading from other sites, and pages that are put into frames.
    let get = |path: &str, more: &[(&str, &str)]| {
        let mut headers = vec![("Host", host.as_str())];
        headers.extend_from_slice(more);
        place.ask("GET", path, &headers, b"").status
    };
    assert_eq!(get("/api/v1/status", &[("Origin", "https://evil.example")]), 403);
    assert_eq!(
        get("/api/v1/status", &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")]),
        403
    );
    assert_eq!(
        get(
            "/",
            &[
                ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "document")
            ]
        ),
        200,
        "a link"
    );
    assert_eq!(
        get(
            "/",
            &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]
        ),
        403
    );
    assert_eq!(get("/", &[("X-Forwarded-For", "192.0.2.1")]), 401, "a proxy speaks for others");
}

#[test]
fn a_login_lasts_until_it_ends_or_its_token_is_revoked() {
    let place = Place::new(SECRET, |_| {});
    let host = place.host();
    let login = |token: &str| {
        let body = format!("token={token}");
        place.ask(
            "POST",
            "/login",
            &[("Host", &host), ("Content-Type", "application/x-www-form-urlencoded")],
            body.as_bytes(),
        )
    };
    assert_eq!(login("ptr_00000000_x").status, 401);
    let cookie_of = |scope: &str| {
        let reply = login(&place.tokens[scope]);
        assert_eq!(reply.status, 303, "{reply:?}");
        let cookie = reply.header("set-cookie").unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    };
    let (read, ack) = (cookie_of("read"), cookie_of("ack"));
    let page = |cookie: &str| {
        place.ask("GET", "/", &[("Host", &host), ("Cookie", cookie), ("Accept", "text/html")], b"")
    };
    assert_eq!((page(&read).status, page(&ack).status), (200, 200));
    let csrf = place.ask("GET", "/api/v1/status", &[("Host", &host), ("Cookie", &ack)], b"").json()["csrf"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let leave = |csrf: &str| {
        place
            .ask(
                "POST",
                "/logout",
                &[("Host", &host), ("Cookie", &ack), form],
                format!("csrf={csrf}").as_bytes(),
            )
            .status
    };
    assert_eq!(leave("x"), 403);
    assert_eq!(page(&ack).status, 200);
    assert_eq!(leave(&csrf), 303);
    assert_eq!(page(&ack).status, 401);
    assert!(Tokens::open(&place.folder.path().join("tokens.json")).unwrap().revoke("read").unwrap());
    let gone = page(&read);
    assert_eq!(gone.status, 401);
    assert!(gone.body.contains("<form") && !gone.body.contains(SECRET), "the way in, and nothing else");
}

#[test]
fn who_asks_too_often_waits() {
    let place = Place::new(SECRET, |settings| settings.requests_per_second = 5);
    let statuses: Vec<u16> = (0..40).map(|_| place.read("/api/v1/status").status).collect();
    assert_eq!(statuses.first(), Some(&200));
    assert!(statuses.contains(&429));
    let host = place.host();
    let wrong: Vec<u16> = (0..10)
        .map(|_| place.ask("GET", "/", &[("Host", &host), ("Authorization", "Bearer ptr_0_0")], b"").status)
        .collect();
    assert!(wrong.contains(&429), "wrong tokens cost more: {wrong:?}");
}

#[test]
fn every_answer_tells_browsers_what_to_heed() {
    let place = Place::new(SECRET, |_| {});
    for path in ["/", "/api/v1/ports", "/metrics", "/assets/page.css", "/login", "/nothing"] {
        let reply = place.read(path);
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'")
                && policy.contains("frame-ancestors 'none'")
                && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert!(reply.header("cache-control").unwrap().contains("no-cache"));
    }
}
