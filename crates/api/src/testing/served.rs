//! What is served is what the OpenAPI document says, page by page, and knows whether it changed.

use engine::live::Audience as _;

use super::*;
use crate::openapi;
use crate::routes::OPERATIONS;

fn path_of(path: &str, id: &str) -> String {
    let leg = leg_of(0);
    let path = path
        .replace("{transport}", "tcp")
        .replace("{port}", "420")
        .replace("{stream}", &leg)
        .replace("{leg}", &leg);
    format!("/api/v1{}", path.replace("{plot}", "intervals.svg").replace("{id}", id))
}

/// A schema of the document that refers to the others.
fn schema(document: &serde_json::Value, name: &str) -> jsonschema::Validator {
    let mut whole = document.clone();
    whole["$ref"] = format!("#/components/schemas/{name}").into();
    jsonschema::validator_for(&whole).unwrap()
}

fn fits(document: &serde_json::Value, name: &str, reply: &Reply) {
    let json = reply.json();
    let faults: Vec<String> = schema(document, name)
        .iter_errors(&json)
        .map(|it| format!("{it} at {}", it.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?} in {}", reply.body);
}

#[test]
fn every_operation_answers_as_the_document_says() {
    let place = Place::new("sshd", |_| {});
    let document = openapi::document();
    let id = place.read("/api/v1/findings").json()["items"][0]["id"].as_str().unwrap().to_owned();
    let mut asked = 0;
    for operation in OPERATIONS
        .iter()
        .filter(|it| it.method == "get" && it.gives != "text/event-stream" && it.path != "/captures/{id}")
        .filter(|it| it.gives != "image/png")
    {
        let mut path = path_of(operation.path, &id);
        if operation.path == "/registry" {
            path.push_str("?text=smpte");
        }
        let reply = place.read(&path);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        if !operation.gives.contains('/') {
            fits(&document, operation.gives, &reply);
        }
        if reply.header("cache-control") == Some("no-store") {
            continue;
        }
        let tag = reply.header("etag").unwrap().to_owned();
        let (host, token) = (place.host(), format!("Bearer {}", place.tokens["read"]));
        let again = place.ask(
            "GET",
            &path,
            &[("Host", &host), ("Authorization", &token), ("If-None-Match", &tag)],
            b"",
        );
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
        asked += 1;
    }
    assert!(asked > 18);
    let served = place.read("/api/v1/openapi.json").json();
    assert_eq!(served, document, "the document that is served");
    let validated = place.with(
        "read",
        "POST",
        "/api/v1/policy/validate",
        r#"{"text":"[[allow]]\nport = 420\nreason = \"x\"\n"}"#,
    );
    fits(&document, "Checked", &validated);
    assert_eq!(validated.json()["valid"], true);
    let refused =
        place.with("read", "POST", "/api/v1/policy/validate", r#"{"text":"[[allow]]\nprot = 420\n"}"#).json();
    assert_eq!((refused["valid"].as_bool(), refused["line"].as_u64()), (Some(false), Some(2)));
    let wanted = serde_json::json!({"finding": id, "reason": "ours"}).to_string();
    let entry = place.with("ack", "POST", "/api/v1/policy/entry", &wanted);
    fits(&document, "Entry", &entry);
    assert!(entry.json()["text"].as_str().unwrap().contains("port = 420"));
}

#[test]
fn a_proposed_policy_is_judged_and_kept_and_changes_nothing() {
    let place = Place::new("sshd", |_| {});
    let document = openapi::document();
    let codes = |preview: &serde_json::Value, which: &str| -> Vec<String> {
        let list = preview[which].as_array().unwrap().iter();
        list.map(|it| format!("{} {}", it["code"].as_str().unwrap(), it["about"].as_str().unwrap())).collect()
    };
    let deny = serde_json::json!({"text": "[[deny]]\nport = 22\nreason = \"never\"\n"}).to_string();
    let checked = place.with("read", "POST", "/api/v1/policy/validate", &deny);
    fits(&document, "Checked", &checked);
    let preview = &checked.json()["preview"];
    assert_eq!(codes(preview, "comes").len(), 1, "{preview}");
    assert!(codes(preview, "comes")[0].contains(":22"), "{preview}");
    let allow = "[[allow]]\nport = [22, 420]\nreason = \"ours\"\n";
    let checked = place
        .with("read", "POST", "/api/v1/policy/validate", &serde_json::json!({"text": allow}).to_string())
        .json();
    let goes = codes(&checked["preview"], "goes");
    assert!(!goes.is_empty() && goes.iter().all(|it| it.contains(":420") || it.contains(":22")), "{checked}");
    let before = place.read("/api/v1/findings").body;
    let motion = serde_json::json!({"text": allow, "reason": "we need it"}).to_string();
    assert_eq!(place.with("read", "POST", "/api/v1/policy/propose", &motion).status, 403);
    let kept = place.with("ack", "POST", "/api/v1/policy/propose", &motion);
    fits(&document, "Waiting", &kept);
    assert_eq!((kept.json()["by"].as_str(), kept.json()["text"].as_str()), (Some("token ack"), Some(allow)));
    assert_eq!(place.read("/api/v1/policy").json()["proposals"][0]["reason"], "we need it");
    assert_eq!(place.read("/api/v1/findings").body, before, "it does not count");
    for wrong in [
        serde_json::json!({"text": "[[allow]]\nprot = 1\n", "reason": "x"}),
        serde_json::json!({"text": allow, "reason": "  "}),
        serde_json::json!({"text": allow, "reason": "x", "replaces": "/etc/shadow"}),
    ] {
        assert_eq!(
            place.with("ack", "POST", "/api/v1/policy/propose", &wrong.to_string()).status,
            400,
            "{wrong}"
        );
    }
    let form = |text: &str| format!("csrf=&replaces=&reason=&action=check&text={text}");
    let (host, token) = (place.host(), format!("Bearer {}", place.tokens["read"]));
    let headers = [
        ("Host", host.as_str()),
        ("Authorization", token.as_str()),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let page = place.ask("POST", "/policy", &headers, form("%5B%5Ballow%5D%5D%0D%0Aprot+%3D+1").as_bytes());
    assert!(
        page.status == 200 && page.body.contains("Line 2") && page.body.contains("2 | prot = 1"),
        "{page:?}"
    );
}

#[test]
fn what_is_asked_wrongly_is_told_so() {
    let place = Place::new("sshd", |_| {});
    let document = openapi::document();
    for (path, status) in [
        ("/api/v1/ports?limit=0", 400),
        ("/api/v1/ports?limit=x", 400),
        ("/api/v1/ports?colour=red", 400),
        ("/api/v1/ports?transport=icmp", 400),
        ("/api/v1/ports?use=never", 400),
        ("/api/v1/ports?cursor=9", 400),
        ("/api/v1/ports/tcp/65536", 404),
        ("/api/v1/ports/tcp/-1", 404),
        ("/api/v1/ports/icmp/1", 404),
        ("/api/v1/findings/ffffffffffffffff", 404),
        ("/api/v1/findings?severity=grave", 400),
        ("/api/v1/flows?colour=x", 400),
        ("/api/v1/holders?port=1", 400),
        ("/api/v1/streams/99", 404),
        ("/api/v1/streams/99/picture.png", 404),
        ("/api/v1/streams/LEG/picture.png", 404),
        ("/api/v1/streams/99/levels", 404),
        ("/api/v1/streams/99/levels/events", 404),
        ("/api/v1/streams/0/legs/0/x.svg", 404),
        ("/api/v1/streams/LEG/legs/0/intervals.svg", 404),
        ("/api/v1/streams/LEG/legs/LEG/x.svg", 404),
        ("/api/v1/history?kinds=socket,x", 400),
        ("/api/v1/history?cursor=9", 400),
        ("/api/v1/registry", 400),
        ("/api/v1/captures/x", 404),
        ("/api/v1/events?kinds=x", 400),
        ("/api/v1/nothing", 404),
    ] {
        let path = path.replace("LEG", &leg_of(0));
        let reply = place.read(&path);
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (status, Some("application/problem+json")),
            "{path}"
        );
        fits(&document, "Problem", &reply);
        assert!(reply.json()["detail"].as_str().is_some_and(|it| it.len() > 10), "{path}");
    }
    assert_eq!(place.with("read", "DELETE", "/api/v1/ports", "").status, 405);
    let large = "x".repeat(300_000);
    assert_eq!(
        place.with("ack", "POST", "/api/v1/policy/validate", &format!("{{\"text\":\"{large}\"}}")).status,
        413
    );
    for body in ["", "{", "[]", "{\"text\":1}", "{\"text\":\"\",\"more\":1}"] {
        let status = place.with("ack", "POST", "/api/v1/policy/validate", body).status;
        assert!((400..500).contains(&status), "{body}: {status}");
        let status = place.with("ack", "POST", "/api/v1/policy/propose", body).status;
        assert!((400..500).contains(&status), "{body}: {status}");
    }
}

#[test]
fn ports_come_page_by_page_and_every_one_once() {
    let place = Place::new("sshd", |_| {});
    let mut cursor = String::new();
    let mut ports = Vec::new();
    loop {
        let page =
            place.read(&format!("/api/v1/ports?transport=tcp&from=1&to=2500&limit=1000{cursor}")).json();
        assert_eq!(page["total"], 2500);
        ports.extend(page["items"].as_array().unwrap().iter().map(|it| it["port"].as_u64().unwrap()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ports, (1..=2500).collect::<Vec<u64>>());
    let used = place.read("/api/v1/ports?use=listening").json();
    assert_eq!(used["total"], 2);
    let silent = &place.read("/api/v1/ports/tcp/420").json();
    assert_eq!(
        (
            silent["status"].as_str(),
            silent["usage"].as_str(),
            silent["use"].as_str(),
            silent["verdict"].as_str()
        ),
        (Some("assigned"), Some("silent"), Some("listening"), Some("warning"))
    );
    assert_eq!(silent["sockets"][0]["holders"][0]["program"], "sshd");
    assert_eq!(silent["findings"][0]["code"], "silent-port-in-use");
    assert_eq!(silent["services"][0]["port"], 420);
}

#[test]
fn history_tells_of_everything_and_leaves_out_what_was_not_asked_for() {
    let place = Place::new("sshd", |_| {});
    let kinds = |query: &str| -> Vec<String> {
        let page = place.read(&format!("/api/v1/history?{query}")).json();
        let items = page["items"].as_array().unwrap().clone();
        items.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    };
    let mut all = kinds("limit=6");
    all.sort();
    assert_eq!(all, ["finding", "gap", "session", "socket", "stream", "touch"]);
    assert_eq!(kinds("kinds=gap,touch&limit=3"), ["gap", "touch", "gap"]);
    let page = place.read("/api/v1/history?limit=5").json();
    let next = page["next"].as_str().unwrap();
    assert_eq!(kinds(&format!("limit=100&cursor={next}")).len(), 7);
    let decoys = place.read("/api/v1/decoys").json();
    assert_eq!(
        (decoys["decoys"][0]["touches"].as_u64(), decoys["touches"][0]["level"].as_str()),
        (Some(3), Some("greet"))
    );
    assert_eq!(decoys["touches"].as_array().unwrap().len(), 2);
}

#[test]
fn changes_are_heard_and_taken_up_where_they_broke_off() {
    let place = Place::new("sshd", |_| {});
    let sighting = |words: &str| {
        Change::Found(Arc::new(Sighting {
            at: Timestamp::from_ns(1),
            about: words.to_owned(),
            finding: finding(0, words),
        }))
    };
    let mut heard = place.listen("kinds=found,over,looked");
    assert!(heard.find(|line| line.starts_with("id: ")).is_some(), "where it begins");
    place.board.change(sighting("first"));
    place.board.change(Change::Flow(Arc::new(flow(420, "not asked for"))));
    place.board.change(sighting("second"));
    let id = heard.find_map(|line| line.strip_prefix("id: ").map(str::to_owned)).unwrap();
    assert!(heard.next().unwrap().contains("found"));
    let data = heard.next().unwrap();
    assert!(data.starts_with("data: {") && data.contains("first"), "{data}");
    drop(heard);
    let mut resumed = place.listen_with("kinds=found,over,looked", &format!("Last-Event-ID: {id}\r\n"));
    let data = resumed.find(|line| line.starts_with("data: ")).unwrap();
    assert!(data.contains("second") && !data.contains("not asked"), "{data}");
    let mut stranger = place.listen_with("", "Last-Event-ID: 1234-5\r\n");
    assert!(stranger.find(|line| line == "event: missed").is_some());
}

#[test]
fn a_stream_is_found_under_the_same_address_whatever_comes_and_goes() {
    let place = Place::new("sshd", |_| {});
    place.judge_traffic("sshd", 3);
    let id = place.read("/api/v1/streams").json()["items"][2]["id"].as_str().unwrap().to_owned();
    assert_eq!(id, leg_of(2));
    let path = format!("/api/v1/streams/{id}");
    let ssrc = place.read(&path).json()["ssrc"].clone();
    // The others end, and another leg of it is seen, which came first where somebody else watched.
    let [mut last, other] = [2, 9].map(stream);
    let mut leg = other.legs[0].clone();
    leg.source = "192.0.2.10:5004".parse().unwrap();
    last.legs.insert(0, leg);
    let media = Media { streams: vec![last], ..Media::default() };
    let traffic = model::Traffic { media, ..model::Traffic::default() };
    let view = TrafficView::judged(traffic, Paper::builtin(), Vec::new(), Vec::new());
    engine::board::Writer(Arc::clone(&place.board)).traffic(&Arc::new(view));
    let found = place.read(&path).json();
    assert_eq!((&found["ssrc"], found["legs"].as_array().unwrap().len()), (&ssrc, 2));
    assert_eq!(found["legs"][1]["id"], id);
    for path in [
        format!("/streams/{id}"),
        format!("/streams/{}", found["id"].as_str().unwrap()),
        format!("{path}/legs/{id}/intervals.svg"),
    ] {
        assert_eq!(place.read(&path).status, 200, "{path}");
    }
    assert_eq!(place.read(&format!("/streams/{}", leg_of(0))).status, 404, "it has ended");
}

#[test]
fn ports_of_clients_are_told_where_they_are_asked_for() {
    let place = Place::new("sshd", |_| {});
    let mut view = view("sshd", &[420, 22]);
    let snapshot = Arc::get_mut(&mut view.snapshot).unwrap();
    let with = |port, peer: Option<&str>, state| Socket {
        peer: peer.map(|peer| peer.parse().unwrap()),
        state,
        ..socket(port, 900)
    };
    snapshot.sockets.extend([
        with(40_841, Some("192.0.2.1:443"), State::Established),
        with(40_842, None, State::Bound),
        with(80, Some("192.0.2.7:50000"), State::Closing),
        with(81, Some("192.0.2.7:50000"), State::Established),
        with(40_843, None, State::Listening),
        with(0, None, State::Unbound),
    ]);
    let view = engine::View::judged(Arc::clone(&view.snapshot), Paper::builtin(), Vec::new(), Vec::new());
    engine::board::Writer(Arc::clone(&place.board)).looked(&Arc::new(view));
    let ports = |query: &str| -> Vec<(u64, String, usize)> {
        let list = place.read(&format!("/api/v1/ports?transport=tcp&use={query}")).json();
        let port = |it: &serde_json::Value| {
            let holders = it["holders"].as_array().unwrap().len();
            (it["port"].as_u64().unwrap(), it["use"].as_str().unwrap().to_owned(), holders)
        };
        list["items"].as_array().unwrap().iter().map(port).collect()
    };
    let all = |words: &[(u64, &str, usize)]| -> Vec<(u64, String, usize)> {
        words.iter().map(|(port, using, holders)| (*port, (*using).to_owned(), *holders)).collect()
    };
    let open = [(22, "listening", 1), (81, "bound", 1), (420, "listening", 1), (40_843, "listening", 1)];
    assert_eq!((ports("any"), ports("open")), (all(&open), all(&open)));
    assert_eq!(ports("passing"), all(&[(80, "passing", 0), (40_841, "passing", 0), (40_842, "passing", 0)]));
    let page = place.read("/ports").body;
    assert!(page.contains("/ports/tcp/40843\"") && !page.contains("/ports/tcp/40841\""), "{page}");
    assert_eq!(place.read("/api/v1/ports/tcp/40841").json()["sockets"].as_array().unwrap().len(), 1);
}

#[test]
fn who_may_not_listen_any_more_hears_no_more_however_much_there_is_to_tell() {
    let place = Place::new("sshd", |_| {});
    let mut heard = place.listen("kinds=looked");
    assert!(heard.find(|line| line.starts_with("id: ")).is_some(), "where it begins");
    let mut tokens = Tokens::open(&place.folder.path().join("tokens.json")).unwrap();
    assert!(tokens.revoke("read").unwrap());
    let ended = std::thread::spawn(move || heard.for_each(drop));
    while !ended.is_finished() {
        place.board.change(Change::Looked);
        std::thread::yield_now();
    }
    ended.join().unwrap();
}

#[test]
fn what_changed_is_told_without_those_who_come_and_go() {
    let place = Place::new("sshd", |_| {});
    let event = |happened, kind, port: u16| {
        Change::Socket(Arc::new(model::SocketEvent {
            at: Timestamp::from_ns(1),
            happened,
            witness: model::Witness::Kernel,
            kind,
            family: Family::V4,
            local: ([0, 0, 0, 0], port).into(),
            interface: None,
            netns: 1,
            cookie: 0,
            uid: None,
            holder: Seen::Absent,
            tid: None,
            cgroup: None,
            lived_ns: None,
        }))
    };
    let mut heard = place.listen("kinds=socket&passing=false");
    let mut all = place.listen("kinds=socket");
    assert!(heard.find(|line| line.starts_with("id: ")).is_some(), "where it begins");
    assert!(all.find(|line| line.starts_with("id: ")).is_some(), "where it begins");
    place.board.change(event(model::Happened::Listening, Kind::Tcp, 421));
    for port in 33_000..33_600 {
        place.board.change(event(model::Happened::AutoBound, Kind::Udp, port));
        place.board.change(event(model::Happened::Closed, Kind::Udp, port));
    }
    place.board.change(event(model::Happened::Listening, Kind::Tcp, 420));
    let data: Vec<String> = heard.filter(|line| line.starts_with("data: ")).take(2).collect();
    assert!(data[0].contains("0.0.0.0:421/tcp") && data[1].contains("0.0.0.0:420/tcp"), "{data:?}");
    let passing = all.filter(|line| line.starts_with("data: ")).take(1202);
    assert_eq!(passing.filter(|line| line.contains("\"passing\":true")).count(), 1200);
    let page = place.read("/").body;
    let (new, old) =
        (page.find("listening 0.0.0.0:420/tcp").unwrap(), page.find("listening 0.0.0.0:421/tcp").unwrap());
    assert!(new < old && !page.contains("0.0.0.0:33"), "{page}");
}

#[test]
fn a_capture_is_read_and_its_report_tells_of_it() {
    let place = Place::new("sshd", |settings| settings.capture_mib = 1);
    let document = openapi::document();
    assert_eq!(place.with("ack", "POST", "/api/v1/captures?name=x", "").status, 400);
    let large = vec![0; 1024 * 1024 + 1];
    let (host, token) = (place.host(), format!("Bearer {}", place.tokens["ack"]));
    let headers = [
        ("Host", host.as_str()),
        ("Authorization", token.as_str()),
        ("Content-Type", "application/octet-stream"),
    ];
    assert_eq!(place.ask("POST", "/api/v1/captures", &headers, &large).status, 413);
    let hand_in = |bytes: &[u8]| {
        let handed = place.ask("POST", "/api/v1/captures?name=%3Cb%3Ex.pcap", &headers, bytes);
        assert_eq!(handed.status, 202, "{handed:?}");
        fits(&document, "Capture", &handed);
        let path = handed.header("location").unwrap().to_owned();
        // Whoever waits asks again; each answer takes its time.
        let done =
            (0..100_000).map(|_| place.read(&path)).find(|it| it.json()["state"] != "reading").unwrap();
        fits(&document, "Capture", &done);
        done.json()
    };
    let failed = hand_in(b"no capture at all");
    assert_eq!(failed["state"], "failed", "{failed}");
    // One UDP datagram from port 5000 to port 420, in a pcap of raw IP (LINKTYPE_RAW).
    let mut pcap =
        vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0];
    let packet = [
        0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x13, 0x88, 0x01, 0xa4, 0, 12,
        0, 0, 1, 2, 3, 4,
    ];
    pcap.extend([1, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 32, 0, 0, 0]);
    pcap.extend(packet);
    let done = hand_in(&pcap);
    assert_eq!((done["state"].as_str(), done["frames"].as_u64()), (Some("done"), Some(1)), "{done}");
    let page = place.read(&format!("/captures/{}", done["id"].as_str().unwrap()));
    assert!(page.status == 200 && page.body.contains("&lt;b&gt;x.pcap"), "{page:?}");
}

#[test]
fn metrics_have_the_form_and_bounded_labels() {
    let place = Place::new("sshd", |_| {});
    place.judge_traffic("sshd", 200);
    let reply = place.read("/metrics");
    assert!(reply.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(reply.body.ends_with("# EOF\n"));
    assert!(reply.body.contains("portreeve_listeners{verdict=\"warning\"} 1\n"), "{}", reply.body);
    assert!(reply.body.contains("portreeve_streams 200\n"));
    assert!(reply.body.contains(
        "portreeve_findings{code=\"silent-port-in-use\",severity=\"warning\",standing=\"open\"} 1\n"
    ));
    assert!(reply.body.lines().count() < 200, "200 streams do not make 200 lines");
}

#[test]
fn it_ends_when_told_and_the_address_is_free_again() {
    let place = Place::new("sshd", |_| {});
    let address = place.server.address();
    let taken = Server::begin(
        ApiSettings { listen: address, tokens: place.folder.path().join("t"), ..ApiSettings::default() },
        Arc::clone(&place.board),
        Arc::new(crate::Nobody),
    );
    assert!(taken.err().unwrap().to_string().contains("taken already"));
    place.server.end();
    let again = Server::begin(
        ApiSettings { listen: address, tokens: place.folder.path().join("t"), ..ApiSettings::default() },
        place.board,
        Arc::new(crate::Nobody),
    )
    .unwrap();
    again.end();
}
