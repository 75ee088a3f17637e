//! A registry and a node on loopback that answer with AMWA's examples, slowly, wrongly, at length, or not at all.

#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::result_large_err,
    reason = "in a test a panic is how it fails, and what is skipped is said"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use host::client::Limits;
use model::media::{Session, SessionSource};
use portreeve_engine::nmos::{Change, fetch_once, follow};
use serde_json::{Value, json};

fn example(path: &str) -> Option<Value> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/nmos"));
    match std::fs::read(folder.join(path)) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) => {
            eprintln!("SKIPPED: {path} is not beside the checkout");
            None
        }
    }
}

/// What the registry has, by the path's last word.
struct World {
    lists: Value,
    active: Value,
}

impl World {
    /// The examples, with devices whose connections are managed at `node`, and transport files of three bad kinds.
    fn new(node: &str) -> Option<World> {
        let mut lists = json!({});
        for list in ["nodes", "devices", "sources", "flows", "senders", "receivers"] {
            lists[list] = example(&format!("is-04/examples/queryapi-{list}-get-200.json"))?;
        }
        let mut devices = Vec::new();
        for (index, sender) in lists["senders"].as_array_mut().unwrap().iter_mut().enumerate() {
            sender["manifest_href"] =
                json!(format!("http://{node}/{}", ["garbage", "silent", "huge"][index % 3]));
            devices.push(json!({
                "id": sender["device_id"], "version": "2000000000:0", "label": "device", "node_id": null, "senders": [],
                "receivers": [], "controls": [{"type": "urn:x-nmos:control:sr-ctrl/v1.1",
                    "href": format!("http://{node}/x-nmos/connection/v1.1")}],
            }));
        }
        lists["devices"].as_array_mut().unwrap().extend(devices);
        Some(World { lists, active: example("is-05/examples/sender-active-get.json")? })
    }

    /// One page of one resource: the registry is set to the smallest of pages.
    fn page(&self, list: &str, since: &str) -> Option<(String, Value)> {
        let all = self.lists.get(list)?.as_array()?;
        let from: usize = since.split(':').next()?.parse().ok()?;
        let page: Vec<&Value> = all.iter().skip(from).take(1).collect();
        let until = from + page.len();
        let headers = format!(
            "Link: <http://elsewhere.invalid/?paging.since={until}:0&paging.limit=1>; rel=\"next\"\r\n\
             X-Paging-Limit: 1\r\nX-Paging-Since: {from}:0\r\nX-Paging-Until: {until}:0\r\n"
        );
        Some((headers, json!(page)))
    }

    fn answer(&self, stream: &mut TcpStream, websocket: &str) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let (mut request, mut length) = (String::new(), 0);
        reader.read_line(&mut request).ok()?;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 || line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let path = request.split(' ').nth(1)?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (status, headers, body) = match parts[..] {
            ["garbage"] => ("200 OK", String::new(), "\u{0}\u{1} not SDP".to_owned()),
            ["silent"] => {
                // Until the other side loses its patience.
                let _ = stream.read(&mut [0]);
                return None;
            }
            ["huge"] => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
                while stream.write_all(&[b'a'; 4096]).is_ok() {}
                return None;
            }
            ["x-nmos", "query"] => ("200 OK", String::new(), json!(["v1.2/", "v1.3/", "v9.0/"]).to_string()),
            ["x-nmos", "query", "v1.3", "subscriptions"] => {
                let asked: Value = serde_json::from_slice(&body).ok()?;
                let address = format!("ws://{websocket}{}", asked["resource_path"].as_str()?);
                ("201 Created", String::new(), json!({"ws_href": address, "id": null}).to_string())
            }
            ["x-nmos", "query", "v1.3", list] => {
                let since = query.split('&').find_map(|it| it.strip_prefix("paging.since="))?;
                let (headers, page) = self.page(list, since)?;
                ("200 OK", headers, page.to_string())
            }
            ["x-nmos", "connection", "v1.1", "single", "senders", _, "active"] => {
                ("200 OK", String::new(), self.active.to_string())
            }
            _ => ("404 Not Found", String::new(), "{}".to_owned()),
        };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .ok()
    }
}

/// Starts registry and node; what is sent goes to the subscribers of senders.
fn serve() -> Option<(String, Sender<Value>)> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let grains = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, websocket) =
        (listener.local_addr().unwrap().to_string(), grains.local_addr().unwrap().to_string());
    let world = std::sync::Arc::new(World::new(&address)?);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (world, websocket) = (world.clone(), websocket.clone());
            std::thread::spawn(move || world.answer(&mut stream, &websocket));
        }
    });
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || subscriptions(&grains, receiver));
    Some((address, sender))
}

fn subscriptions(listener: &TcpListener, messages: Receiver<Value>) {
    let mut messages = Some(messages);
    for stream in listener.incoming().map_while(Result::ok) {
        let mut senders = false;
        let callback = |request: &tungstenite::handshake::server::Request, response| {
            senders = request.uri().path() == "/senders";
            Ok(response)
        };
        let mut socket = tungstenite::accept_hdr(stream, callback).unwrap();
        let mut messages = senders.then(|| messages.take()).flatten();
        std::thread::spawn(move || {
            let _ = socket.send(tungstenite::Message::text("{\"grain\": \"garbage\"}"));
            while let Some(message) = messages.as_mut().and_then(|messages| messages.recv().ok()) {
                let _ = socket.send(tungstenite::Message::text(message.to_string()));
            }
            while socket.read().is_ok() {}
        });
    }
}

fn limits() -> Limits {
    Limits { whole: Duration::from_secs(3), ..Limits::default() }
}

fn is_a_camera(session: &Session) -> bool {
    session.legs.len() == 2
        && session.legs[0].destination == "172.29.82.95:5000".parse().unwrap()
        && matches!(&session.source, SessionSource::Nmos { api, .. } if api.starts_with("http://127.0.0.1"))
}

#[test]
fn a_registry_is_read_once() {
    let Some((address, _grains)) = serve() else { return };
    let fetched = fetch_once(&format!("http://{address}"), limits(), Duration::from_secs(60)).unwrap();
    assert!(fetched.whole, "{:?}", fetched.troubles);
    assert_eq!(fetched.sessions.len(), 3, "{:?}", fetched.troubles);
    assert!(fetched.sessions.iter().all(is_a_camera));
    // The file that is too long and the one that never comes are said, each once.
    let said = |what: &str| fetched.troubles.0.iter().filter(|it| it.what.contains(what)).count();
    assert_eq!((said("more than"), said("in time")), (1, 1), "{:?}", fetched.troubles);
}

#[test]
fn a_registry_is_followed() {
    let Some((address, grains)) = serve() else { return };
    let following = follow(&format!("http://{address}/x-nmos/query/v1.3/"), limits()).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let wait = |wanted: &mut dyn FnMut(&Change) -> bool| loop {
        let left = end.saturating_duration_since(Instant::now());
        match following.changes().recv_timeout(left) {
            Ok(change) if wanted(&change) => return,
            Ok(_) => {}
            Err(_) => panic!("it did not come"),
        }
    };
    let mut cameras = 0;
    let mut gone = None;
    wait(&mut |change| {
        if let Change::Session(session) = change {
            cameras += usize::from(is_a_camera(session));
            gone = Some(session.identity.clone());
        }
        cameras == 3
    });
    let gone = gone.unwrap();
    grains.send(json!({"grain": {"topic": "/senders/", "data": [{"path": gone, "pre": {}}]}})).unwrap();
    wait(&mut |change| matches!(change, Change::Session(it) if it.identity == gone && it.ended.is_some()));
    drop(following);
}

#[test]
fn nobody_there_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fetched = fetch_once(&format!("http://{address}"), limits(), Duration::from_secs(30)).unwrap();
    assert!(!fetched.whole && fetched.sessions.is_empty() && fetched.troubles.1 > 0);
    let fetched = fetch_once(&format!("https://{address}"), limits(), Duration::from_secs(30)).unwrap();
    assert!(!fetched.whole && fetched.troubles.1 > 0);
    assert_eq!(fetch_once("registry.example", limits(), Duration::from_secs(1)), None);
}
