//! The documents of AMWA's examples, and a client against a registry that is played.

use std::path::PathBuf;

use model::media::{Essence, ReferenceClock, Sources};
use serde_json::{Value, json};

use super::*;

fn at(ns: i64) -> Timestamp<model::Utc> {
    Timestamp::from_ns(ns)
}

/// An example of AMWA's; `None`, said loudly, where they are not beside the checkout.
fn example(path: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/nmos"));
    match std::fs::read(folder.join(path)) {
        Ok(bytes) => Some(bytes),
        Err(_) => {
            eprintln!("SKIPPED: {path} is not beside the checkout");
            None
        }
    }
}

#[test]
fn every_example_of_a_list_is_read_without_fault() {
    for kind in Kind::ALL {
        let Some(body) = example(&format!("is-04/examples/queryapi-{}-get-200.json", kind.path())) else {
            return;
        };
        let (all, faults) = resource::parse_page(kind, &body);
        let listed: Vec<Value> = serde_json::from_slice(&body).unwrap();
        assert_eq!((all.len(), faults), (listed.len(), vec![]), "{kind:?}");
        for end in (0..body.len()).step_by(7) {
            let (part, faults) = resource::parse_page(kind, &body[..end]);
            assert!(part.len() <= all.len() && !faults.is_empty());
        }
    }
}

#[test]
fn every_example_of_active_parameters_is_read() {
    let names = [
        (Side::Sender, "sender-active-get", 2),
        (Side::Sender, "sender-active-get-uninit", 1),
        (Side::Receiver, "receiver-active-get-200", 1),
        (Side::Receiver, "receiver-active-get-200-uninit", 1),
        (Side::Receiver, "receiver-stage-success-redundant-streams", 2),
    ];
    for (side, name, legs) in names {
        let Some(body) = example(&format!("is-05/examples/{name}.json")) else { return };
        let (active, faults) = connection::parse_active(side, &body);
        let active = active.unwrap();
        assert_eq!((active.enabled, active.legs.len(), faults), (true, legs, vec![]), "{name}");
        let leg = active.legs[0].endpoint();
        match name {
            "sender-active-get" => {
                let leg = leg.unwrap();
                assert_eq!(leg.destination, "172.29.82.95:5000".parse().unwrap());
                assert_eq!(leg.rtcp, Some("172.29.82.24:5008".parse().unwrap()));
                assert_eq!(leg.sources, Sources::Only(vec!["172.29.82.23".parse().unwrap()]));
            }
            // The leg is switched off.
            "sender-active-get-uninit" => assert_eq!(leg, None),
            "receiver-active-get-200" => {
                assert_eq!(leg.unwrap().destination, "232.250.98.80:5010".parse().unwrap());
                assert!(active.file.unwrap().text.starts_with(b"v=0\r\n"));
            }
            // No group: its own address.
            "receiver-active-get-200-uninit" => {
                assert_eq!(leg.unwrap().destination, "172.23.19.35:5004".parse().unwrap());
            }
            _ => assert_eq!(active.legs[1].automatic, ["fec1D_destination_port", "fec2D_destination_port"]),
        }
    }
}

/// A facility as its registry tells it: one node, one device, one source and flow, some senders and a receiver.
struct Facility {
    senders: usize,
    newest: &'static str,
    takes_parameters: bool,
    subscriptions: bool,
    broken_pages: u32,
    /// A node without a registry.
    alone: bool,
    /// The node's host answers nothing.
    node_is_gone: bool,
    asked: Vec<String>,
}

fn id(kind: u8, number: usize) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

impl Facility {
    fn new(senders: usize) -> Facility {
        Facility {
            senders,
            newest: "v1.3",
            takes_parameters: true,
            subscriptions: true,
            broken_pages: 0,
            alone: false,
            node_is_gone: false,
            asked: Vec::new(),
        }
    }

    fn list(&self, kind: Kind) -> Vec<Value> {
        let core = |number: u8, index: usize, label: &str| {
            json!({"id": id(number, index), "version": format!("100:{index}"), "label": label,
                "description": "", "tags": {}})
        };
        let with = |mut core: Value, more: Value| {
            core.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            core
        };
        match kind {
            Kind::Node => vec![with(
                core(1, 0, "node"),
                json!({"href": "http://192.0.2.9/", "clocks": [{"name": "clk0", "ref_type": "ptp",
                    "traceable": false, "version": "IEEE1588-2008", "gmid": "08-00-11-ff-fe-21-e1-b0", "locked": true}]}),
            )],
            Kind::Device => vec![with(
                core(2, 0, "device"),
                json!({"node_id": id(1, 0), "type": "urn:x-nmos:device:generic", "controls": [
                    {"href": "http://192.0.2.9/x-nmos/connection/v1.0/", "type": "urn:x-nmos:control:sr-ctrl/v1.0"},
                    {"href": "http://192.0.2.9/x-nmos/connection/v1.1/", "type": "urn:x-nmos:control:sr-ctrl/v1.1"}]}),
            )],
            Kind::Source => vec![with(
                core(3, 0, "source"),
                json!({"format": "urn:x-nmos:format:video", "device_id": id(2, 0), "clock_name": "clk0",
                    "grain_rate": {"numerator": 25}, "parents": [], "caps": {}}),
            )],
            Kind::Flow => vec![with(
                core(4, 0, "flow"),
                json!({"format": "urn:x-nmos:format:video", "source_id": id(3, 0), "device_id": id(2, 0),
                    "media_type": "video/raw", "frame_width": 1920, "frame_height": 1080,
                    "interlace_mode": "interlaced_tff", "colorspace": "BT709", "parents": [], "components": [
                        {"name": "Y", "width": 1920, "height": 1080, "bit_depth": 10},
                        {"name": "Cb", "width": 960, "height": 1080, "bit_depth": 10},
                        {"name": "Cr", "width": 960, "height": 1080, "bit_depth": 10}]}),
            )],
            Kind::Sender => (0..self.senders)
                .map(|index| {
                    with(
                        core(5, index, &format!("camera {index}")),
                        json!({"flow_id": id(4, 0), "device_id": id(2, 0), "transport": "urn:x-nmos:transport:rtp.mcast",
                            "manifest_href": null, "interface_bindings": [], "caps": {},
                            "subscription": {"receiver_id": null, "active": true}}),
                    )
                })
                .collect(),
            Kind::Receiver => vec![with(
                core(6, 0, "viewer"),
                json!({"format": "urn:x-nmos:format:video", "device_id": id(2, 0), "caps": {},
                    "transport": "urn:x-nmos:transport:rtp", "interface_bindings": [],
                    "subscription": {"sender_id": id(5, 0), "active": true}}),
            )],
        }
    }

    /// Answers as a registry and a node would.
    fn answer(&mut self, url: &str, body: Option<&str>) -> (u16, Vec<(String, String)>, String) {
        self.asked.push(url.to_owned());
        let plain = |status: u16, body: String| (status, Vec::new(), body);
        let nothing = || plain(404, json!({"code": 404, "error": "none", "debug": null}).to_string());
        let path =
            url.split_once("//").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts[..] {
            ["x-nmos", "connection", "v1.1", "single", side, end, what] => self.end(side, end, what),
            ["x-nmos", "node"] if self.alone => plain(200, json!(["v1.2/", "v1.3/"]).to_string()),
            ["x-nmos", "node", "v1.3", "self"] if self.alone => {
                plain(200, self.list(Kind::Node)[0].to_string())
            }
            ["x-nmos", "node", "v1.3", list] if self.alone => match Kind::from_path(list) {
                Some(kind) if query.is_empty() => plain(200, Value::Array(self.list(kind)).to_string()),
                _ => nothing(),
            },
            ["x-nmos", "query", ..] if self.alone => nothing(),
            ["x-nmos", "query", version, "subscriptions"] if version == self.newest => {
                if !self.subscriptions {
                    return plain(501, "{}".into());
                }
                let asked: Value = serde_json::from_str(body.unwrap()).unwrap();
                let topic = asked["resource_path"].as_str().unwrap();
                plain(201, json!({"ws_href": format!("ws://192.0.2.8{topic}"), "id": id(9, 0)}).to_string())
            }
            ["x-nmos", "query", version, list] if version == self.newest => {
                let Some(kind) = Kind::from_path(list) else { return nothing() };
                if self.broken_pages > 0 {
                    self.broken_pages -= 1;
                    return plain(503, "busy".into());
                }
                if !query.is_empty() && !self.takes_parameters {
                    return plain(501, "{}".into());
                }
                self.page(kind, query)
            }
            _ => nothing(),
        }
    }

    fn end(&self, side: &str, end: &str, what: &str) -> (u16, Vec<(String, String)>, String) {
        let number = usize::from_str_radix(end.rsplit('-').next().unwrap(), 16).unwrap();
        let group = format!("239.1.{}.{}", number / 256, number % 256);
        let leg = match (side, what) {
            ("senders", "active") => json!({"source_ip": "192.0.2.9", "destination_ip": group}),
            ("receivers", "active") => {
                json!({"source_ip": null, "multicast_ip": group, "interface_ip": "192.0.2.10"})
            }
            // Only the first has a file.
            ("senders", "transportfile") if number == 0 => {
                let text =
                    "v=0\r\nm=video 5004 RTP/AVP 112\r\nc=IN IP4 239.1.0.0/32\r\na=rtpmap:112 raw/90000\r\n";
                return (200, Vec::new(), text.into());
            }
            _ => return (404, Vec::new(), "{}".into()),
        };
        let body =
            json!({"master_enable": true, "transport_params": [leg], "sender_id": null, "receiver_id": null});
        (200, Vec::new(), body.to_string())
    }

    fn page(&self, kind: Kind, query: &str) -> (u16, Vec<(String, String)>, String) {
        let all = self.list(kind);
        if query.is_empty() {
            return (200, Vec::new(), Value::Array(all).to_string());
        }
        let value = |name: &str| query.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
        let limit: usize = value("paging.limit").unwrap().parse().unwrap();
        let limit = limit.min(100);
        let since = parse_time(value("paging.since").unwrap()).unwrap().as_ns();
        let time = |it: &Value| parse_time(it["version"].as_str().unwrap()).unwrap().as_ns();
        // The first resource has the time 100:0, so that it is after 0:0.
        let page: Vec<&Value> = all.iter().filter(|it| time(it) > since).take(limit).collect();
        let until = page.last().map_or(since, |it| time(it));
        let text = |ns: i64| format!("{}:{}", ns / 1_000_000_000, ns % 1_000_000_000);
        let next = format!("paging.order=update&paging.since={}&paging.limit={limit}", text(until));
        let headers = [
            ("Link", format!("<http://inside.invalid/{}?{next}>; rel=\"next\"", kind.path())),
            ("X-Paging-Limit", limit.to_string()),
            ("X-Paging-Since", text(since)),
            ("X-Paging-Until", text(until)),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        (200, headers, serde_json::to_string(&page).unwrap())
    }
}

/// Carries out what a client wants until it wants nothing, and gives the WebSockets that it opened.
fn play(
    client: &mut Client,
    facility: &mut Facility,
    now: &mut Timestamp<model::Utc>,
) -> Vec<(Ticket, String)> {
    let mut open = Vec::new();
    for _ in 0..100_000 {
        let Some(request) = client.poll(*now) else {
            match client.wake() {
                // Half a minute is how often it asks anew; up to then it is still at it.
                Some(wake) if wake.since_ns(*now) < 20_000_000_000 => *now = wake,
                _ => return open,
            }
            continue;
        };
        let (url, body) = match &request.ask {
            Ask::Read { url, .. } => (url, None),
            Ask::Post { url, body, .. } => (url, Some(body.as_str())),
            Ask::Listen { url, .. } => {
                open.push((request.ticket, url.clone()));
                client.handle(request.ticket, Answer::Opened, *now);
                continue;
            }
        };
        let (status, headers, body) = facility.answer(url, body);
        if facility.node_is_gone && url.contains("/connection/") {
            client.handle(request.ticket, Answer::Failed("no answer"), *now);
            continue;
        }
        client.handle(
            request.ticket,
            Answer::Response { status, headers: &headers, body: body.as_bytes() },
            *now,
        );
    }
    panic!("it never comes to rest");
}

#[test]
fn everything_is_read_once_page_by_page() {
    let (mut facility, mut now) = (Facility::new(450), at(0));
    let mut client = Client::new("http://registry:8235/", Mode::Once).unwrap();
    play(&mut client, &mut facility, &mut now);
    assert!(client.is_whole() && client.is_done());
    assert_eq!(client.troubles().1, 0, "{:?}", client.troubles().0.collect::<Vec<_>>());
    assert_eq!(client.registry().count(Kind::Sender), 450);
    // What the registry calls itself is not asked.
    assert!(facility.asked.iter().all(|url| !url.contains("inside")));
    let sessions = client.registry().sessions();
    assert_eq!(sessions.len(), 451);
    let camera = sessions.iter().find(|it| it.name == "camera 258").unwrap();
    assert_eq!(camera.legs[0].destination, "239.1.1.2:5004".parse().unwrap());
    assert_eq!(camera.legs[0].sources, Sources::Only(vec!["192.0.2.9".parse().unwrap()]));
    let Essence::Video(video) = &camera.formats[0].essence else { panic!("{:?}", camera.formats) };
    assert_eq!((video.width, video.frame_rate.to_string().as_str()), (1920, "25"));
    assert_eq!(camera.formats[0].payload_type, PAYLOAD_TYPE_NOT_SAID);
    let grandmaster = Some([8, 0, 0x11, 0xff, 0xfe, 0x21, 0xe1, 0xb0]);
    let reference = ReferenceClock::Ptp { version: "IEEE1588-2008".into(), grandmaster, domain: None };
    assert_eq!(camera.reference, Some(reference));
    // A transport file tells the payload type, and the time to live.
    let first = sessions.iter().find(|it| it.name == "camera 0").unwrap();
    assert_eq!((first.formats[0].payload_type, first.legs[0].ttl), (112, Some(32)));
    assert_eq!(first.formats[0].essence, camera.formats[0].essence);
    let viewer = sessions.iter().find(|it| it.name == "viewer").unwrap();
    assert_eq!(viewer.legs[0].destination, "239.1.0.0:5004".parse().unwrap());
    assert_eq!(viewer.formats, camera.formats);
}

#[test]
fn an_older_registry_is_read_too() {
    for (newest, takes_parameters) in [("v1.2", true), ("v1.1", false), ("v1.0", false)] {
        let mut facility = Facility { newest, takes_parameters, ..Facility::new(7) };
        let mut client = Client::new("http://registry", Mode::Once).unwrap();
        play(&mut client, &mut facility, &mut at(0));
        assert!(client.is_whole(), "{newest}: {:?}", facility.asked);
        assert_eq!(client.registry().sessions().len(), 8);
    }
}

#[test]
fn a_registry_that_is_busy_is_asked_later() {
    let (mut facility, mut now) = (Facility { broken_pages: 9, ..Facility::new(3) }, at(0));
    let mut client = Client::new("http://registry", Mode::Follow).unwrap();
    play(&mut client, &mut facility, &mut now);
    assert!(client.is_whole() && now > at(0));
    assert_eq!(client.registry().sessions().len(), 4);
    // Nobody answers at all.
    let mut client = Client::new("http://registry", Mode::Once).unwrap();
    let mut now = at(0);
    let mut requests = 0;
    while !client.is_done() {
        match client.poll(now) {
            Some(request) => {
                requests += 1;
                client.handle(request.ticket, Answer::Failed("no route"), now);
            }
            None => now = client.wake().unwrap(),
        }
    }
    assert_eq!((requests, client.is_whole(), client.troubles().1), (3, false, 3));
}

type Headers = Vec<(String, String)>;

/// Answers every request of a client for lists with `answer`, and refuses others, until it has nothing to do at once.
fn answered(client: &mut Client, now: Timestamp<model::Utc>, answer: &dyn Fn(&str) -> (Headers, String)) {
    for _ in 0..200 {
        let Some(request) = client.poll(now) else { return };
        let (Ask::Read { url, .. } | Ask::Post { url, .. } | Ask::Listen { url, .. }) = &request.ask;
        let is_list = matches!(request.ask, Ask::Read { .. }) && url.contains("/query/v1.");
        let (headers, body) = if is_list { answer(url) } else { (Vec::new(), "[]".into()) };
        let status = if is_list { 200 } else { 400 };
        client.handle(
            request.ticket,
            Answer::Response { status, headers: &headers, body: body.as_bytes() },
            now,
        );
    }
    panic!("it goes on for ever");
}

#[test]
fn what_breaks_off_is_not_whole_and_takes_nothing_away() {
    let page = |url: &str| match url.contains("/senders") {
        true => json!([{"id": id(5, 1), "version": "1:0", "label": "camera", "description": "", "tags": {},
            "device_id": id(2, 0), "transport": "urn:x-nmos:transport:rtp", "interface_bindings": [],
            "manifest_href": null, "subscription": {"receiver_id": null, "active": true}}])
        .to_string(),
        false => "[]".to_owned(),
    };
    let mut client = Client::new("http://registry/x-nmos/query/v1.3", Mode::Follow).unwrap();
    answered(&mut client, at(0), &|url| (Vec::new(), page(url)));
    assert_eq!((client.is_whole(), client.registry().count(Kind::Sender)), (true, 1));
    let broken = ["<html>", "[{\"id\"", "", "{\"code\": 5", "[1, 2"];
    for (minute, broken) in (1_i64..).zip(broken) {
        let troubles = client.troubles().1;
        let now = at(minute * 60_000_000_000);
        answered(&mut client, now, &|_| (Vec::new(), broken.into()));
        assert_eq!(client.registry().count(Kind::Sender), 1, "{broken}");
        assert!(client.troubles().1 > troubles, "{broken}");
        let mut once = Client::new("http://registry/x-nmos/query/v1.3", Mode::Once).unwrap();
        answered(&mut once, at(0), &|_| (Vec::new(), broken.into()));
        assert!(once.is_done() && !once.is_whole(), "{broken}");
    }
    // And where the list is there again, it is believed.
    answered(&mut client, at(600_000_000_000), &|_| (Vec::new(), "[]".into()));
    assert_eq!(client.registry().count(Kind::Sender), 0);
}

#[test]
fn what_automatic_parameters_became_stands_in_the_file() {
    let sender = Id::parse(&id(5, 1)).unwrap();
    let mut registry = Registry::new("http://registry");
    let list = json!([{"id": id(5, 1), "version": "1:0", "label": "camera", "description": "", "tags": {},
        "device_id": id(2, 0), "transport": "urn:x-nmos:transport:rtp", "interface_bindings": [],
        "manifest_href": null, "subscription": {"receiver_id": null, "active": true}}]);
    registry.handle_page(Kind::Sender, list.to_string().as_bytes(), at(0));
    registry.handle_transport_file(
        sender,
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=a\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\nc=IN IP4 239.1.1.1/32\r\n\
          a=rtpmap:97 L24/48000/2\r\n",
    );
    let mut destination = |ip: &str| {
        let active = json!({"master_enable": true, "transport_params": [{"destination_ip": ip,
            "destination_port": 5004, "source_ip": "192.0.2.1", "rtp_enabled": true}]});
        let (active, _) = connection::parse_active(Side::Sender, active.to_string().as_bytes());
        registry.handle_active(Side::Sender, sender, active, at(1));
        registry.sessions()[0].legs[0].destination.to_string()
    };
    assert_eq!(destination("239.1.1.9"), "239.1.1.9:5004");
    assert_eq!(destination("auto"), "239.1.1.1:5004");
}

#[test]
fn pages_that_lead_back_are_not_the_whole() {
    let link =
        ("Link".to_owned(), "<http://r/x-nmos/query/v1.3/senders?paging.since=1:0>; rel=\"next\"".to_owned());
    let limit = ("X-Paging-Limit".to_owned(), "1".to_owned());
    let mut client = Client::new("http://registry/x-nmos/query/v1.3", Mode::Once).unwrap();
    answered(&mut client, at(0), &|url| match url.contains("/senders") {
        true => (vec![link.clone(), limit.clone()], json!([{"id": id(5, 1), "version": "1:0"}]).to_string()),
        false => (Vec::new(), "[]".to_owned()),
    });
    assert!(client.is_done() && !client.is_whole());
    let (troubles, _) = client.troubles();
    assert!(troubles.into_iter().any(|trouble| trouble.what.contains("lead back")));
}

#[test]
fn a_node_alone_is_asked_itself() {
    let mut facility = Facility { alone: true, ..Facility::new(5) };
    let mut client = Client::new("http://node", Mode::Once).unwrap();
    play(&mut client, &mut facility, &mut at(0));
    assert!(client.is_whole() && client.is_done(), "{:?}", facility.asked);
    assert_eq!(client.registry().sessions().len(), 6);
    let mut client = Client::new("http://node/x-nmos/node/v1.3/", Mode::Once).unwrap();
    play(&mut client, &mut facility, &mut at(0));
    assert_eq!(client.registry().sessions().len(), 6);
}

#[test]
fn a_host_that_is_gone_is_not_waited_for() {
    let mut facility = Facility { node_is_gone: true, ..Facility::new(500) };
    let mut client = Client::new("http://registry", Mode::Once).unwrap();
    play(&mut client, &mut facility, &mut at(0));
    let asked =
        |facility: &Facility| facility.asked.iter().filter(|url| url.contains("/connection/")).count();
    assert!(client.is_done() && client.is_whole());
    assert!(asked(&facility) <= 8, "{}", asked(&facility));
    // What cannot be asked is said, and counted.
    assert!(client.troubles().1 >= 1000, "{}", client.troubles().1);
    // Who follows asks again, later and later, until it is back.
    facility.asked.clear();
    let mut client = Client::new("http://registry", Mode::Follow).unwrap();
    let mut now = at(0);
    play(&mut client, &mut facility, &mut now);
    assert!(asked(&facility) < 100, "{}", asked(&facility));
    facility.node_is_gone = false;
    while client.wake().is_some_and(|wake| wake.since_ns(now) < 120_000_000_000) {
        now = client.wake().unwrap();
        play(&mut client, &mut facility, &mut now);
    }
    assert_eq!(client.registry().sessions().len(), 501);
}

#[test]
fn changes_come_by_grains_and_what_is_gone_has_ended() {
    let (mut facility, mut now) = (Facility::new(3), at(0));
    let mut client = Client::new("http://registry", Mode::Follow).unwrap();
    let open = play(&mut client, &mut facility, &mut now);
    assert_eq!(open.len(), 6);
    assert_eq!(client.registry().sessions().len(), 4);
    let senders = open.iter().find(|(_, url)| url == "ws://192.0.2.8/senders").unwrap().0;
    let grain = |data: Value| {
        json!({"grain_type": "event", "grain": {"type": "urn:x-nmos:format:data.event", "topic": "/senders/",
            "data": data}})
        .to_string()
    };
    let mut new = facility.list(Kind::Sender)[2].clone();
    new["id"] = json!(id(5, 77));
    new["label"] = json!("new");
    let message = grain(json!([{"path": id(5, 77), "post": new}, {"path": id(5, 1), "pre": {}}]));
    now = at(5);
    client.handle(senders, Answer::Message(message.as_bytes()), now);
    play(&mut client, &mut facility, &mut now);
    let sessions = client.registry().sessions();
    let named = |name: &str| sessions.iter().find(|it| it.name == name).unwrap();
    assert_eq!((sessions.len(), named("new").ended, named("camera 1").ended), (5, None, Some(at(5))));
    assert_eq!(named("new").legs[0].destination, "239.1.0.77:5004".parse().unwrap());
    // An older page does not undo a newer grain, and garbage changes nothing.
    let revision = client.registry().revision();
    let mut old = new.clone();
    old["version"] = json!("1:0");
    old["label"] = json!("old");
    let message = grain(json!([{"path": id(5, 77), "post": old}]));
    client.handle(senders, Answer::Message(message.as_bytes()), now);
    client.handle(senders, Answer::Message(b"{\"grain\":{\"topic\":\"/senders/\",\"data\":[7]}}"), now);
    assert_eq!(client.registry().revision(), revision);
    // The subscription ends: it is asked for again, and the list is read again.
    facility.asked.clear();
    client.handle(senders, Answer::Failed("closed"), now);
    let open = play(&mut client, &mut facility, &mut now);
    assert_eq!(open.len(), 1);
    assert!(facility.asked.iter().any(|url| url.ends_with("/subscriptions")));
    let sessions = client.registry().sessions();
    let ended = sessions.iter().filter(|it| it.ended.is_some()).count();
    assert_eq!((sessions.len(), ended), (5, 1), "camera 1 is back, the new one is not in the list");
}

#[test]
fn without_subscriptions_lists_are_read_again() {
    let (mut facility, mut now) = (Facility { subscriptions: false, ..Facility::new(2) }, at(0));
    let mut client = Client::new("http://registry", Mode::Follow).unwrap();
    assert!(play(&mut client, &mut facility, &mut now).is_empty());
    assert_eq!(client.registry().sessions().len(), 3);
    facility.senders = 1;
    now = client.wake().unwrap();
    play(&mut client, &mut facility, &mut now);
    let ended: Vec<_> = client.registry().sessions().into_iter().filter(|it| it.ended.is_some()).collect();
    assert_eq!(ended.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["camera 1"]);
}

#[test]
fn what_is_wrong_costs_only_itself() {
    let body = json!([
        {"id": id(5, 1), "label": 7, "flow_id": "x", "interface_bindings": [1, "eth0"], "subscription": []},
        {"label": "no id"},
        [],
        {"id": "not", "label": ""},
        {"id": id(5, 2), "version": "1:2", "label": "good"},
    ]);
    let (all, faults) = resource::parse_page(Kind::Sender, body.to_string().as_bytes());
    let ids: Vec<String> = all.iter().map(|it| it.core().id.to_string()).collect();
    assert_eq!(ids, [id(5, 1), id(5, 2)]);
    let places: Vec<&str> = faults.iter().map(|fault| fault.at.as_str()).collect();
    let expected =
        ["/0/label", "/0/subscription", "/0/flow_id", "/0/interface_bindings/0", "/1", "/2", "/3/id"];
    assert_eq!(places, expected);
    let Resource::Sender(sender) = &all[0] else { panic!() };
    assert_eq!(sender.interfaces, ["eth0"]);
}

#[test]
fn addresses_and_times_are_read_exactly() {
    for bad in
        ["", "http://", "ftp://a/", "http://user@a/", "http://a b/", "http://a/\r\nX: y", "//a", "http:a"]
    {
        assert_eq!(Url::parse(bad), None, "{bad}");
    }
    let url = Url::parse("HTTP://Host:80?a=b#c").unwrap();
    assert_eq!(url.to_string(), "http://host:80/?a=b");
    assert_eq!(url.below("/x/").to_string(), "http://host:80/x/");
    assert_eq!(parse_time("1441716353:6839634").map(Timestamp::as_ns), Some(1_441_716_353_006_839_634));
    for bad in ["", ":", "1:", ":1", "1:1000000000", "+1:0", "99999999999999999999:0", "1:0:0"] {
        assert_eq!(parse_time(bad), None, "{bad}");
    }
    assert_eq!(Id::parse("3350d113-1593-4271-a7f5-f4974415bb8"), None);
    assert_eq!(Id::parse("3350d113-1593-4271-a7f5-f4974415bb8e-"), None);
}

#[test]
fn random_documents_break_nothing() {
    let mut state = 7_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let whole = Facility::new(4).page(Kind::Sender, "").2;
    for _ in 0..600 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..next() % 6 {
            let place = usize::try_from(next()).unwrap() % bytes.len();
            bytes[place] = u8::try_from(next() % 256).unwrap();
        }
        bytes.truncate(usize::try_from(next()).unwrap() % (bytes.len() + 1));
        bytes.insert(0, u8::try_from(next() % 256).unwrap());
        check(&bytes);
    }
}
