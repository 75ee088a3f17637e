//! A browser, driven over WebDriver (W3C WebDriver §6) by the driver that Debian has for Chromium.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harbour::BASE;
use crate::stage::{Planter, Stage};

/// Where the driver listens, in the namespace of the browser.
const DRIVER: u16 = 9515;
/// How long something may take that has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(120);
/// What stands for an element in WebDriver (§12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys that have no letter (W3C WebDriver §17.4.2).
pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";

/// A browser with one window. It ends when this is dropped.
pub struct Browser {
    session: String,
    /// The way to the driver: one connection, or pages would be full of them.
    way: RefCell<TcpStream>,
    /// Addresses that were asked for, of what was read from the log so far.
    asked: RefCell<Vec<String>>,
    _driver: Planter,
}

impl Browser {
    /// Begins on that machine, from where on the calling thread speaks to the network, too.
    pub fn begin(stage: &Stage) -> Browser {
        enter(stage);
        let port = format!("--port={DRIVER}");
        // Names of files are not in ASCII, whatever the caller's language.
        let driver = stage.serve(&["env", "LC_ALL=C.UTF-8", "chromedriver", &port], "started successfully");
        let profile = format!("--user-data-dir={}", stage.home.0.join("profile").display());
        let options = json!({
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-extensions", "--hide-scrollbars", "--force-device-scale-factor=1",
                "--window-size=1280,900", "--lang=en-GB", profile,
            ],
        });
        let always = json!({
            "browserName": "chrome",
            "unhandledPromptBehavior": "ignore",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "timeouts": { "script": 60_000, "pageLoad": 60_000 },
        });
        let way = RefCell::new(connect(([127, 0, 0, 1], DRIVER).into()));
        let begun = call(
            &mut way.borrow_mut(),
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": always } }),
        );
        let session = begun.unwrap_or_else(|why| panic!("{why}"))["sessionId"].as_str().unwrap().to_owned();
        let browser = Browser { session, way, asked: Default::default(), _driver: driver };
        // Local time of wherever the tests run tells nobody anything.
        browser.devtools("Emulation.setTimezoneOverride", &json!({ "timezoneId": "UTC" }));
        browser
    }

    fn try_call(&self, path: &str, body: &Value) -> Result<Value, String> {
        call(&mut self.way.borrow_mut(), "POST", &format!("/session/{}/{path}", self.session), body)
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        self.try_call(path, body).unwrap_or_else(|why| panic!("{path} {body}: {why}"))
    }

    /// A command of Chromium's own protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.call("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Opens a page of the service.
    pub fn open(&self, path: &str) {
        self.call("url", &json!({ "url": format!("{BASE}{path}") }));
    }

    /// What a script gives, which has `it` as what is passed; a promise is waited for.
    pub fn try_script(&self, script: &str, it: &Value) -> Result<Value, String> {
        let script = format!("return (async (it) => {{ {script} }})(arguments[0])");
        self.try_call("execute/sync", &json!({ "script": script, "args": [it] }))
    }

    pub fn script(&self, script: &str, it: &Value) -> Value {
        self.try_script(script, it).unwrap_or_else(|why| panic!("{script:.200}: {why}"))
    }

    /// What an expression is worth on the page.
    pub fn value(&self, expression: &str) -> Value {
        self.script(&format!("return {expression}"), &Value::Null)
    }

    pub fn text(&self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_default().to_owned()
    }

    /// The path of the page.
    pub fn path(&self) -> String {
        self.text("location.pathname")
    }

    /// Waits until an expression holds on whatever page is there; how long it took.
    pub fn until(&self, expression: &str) -> Duration {
        let begun = Instant::now();
        // Waits on the page for a while, so that nobody asks again and again; a page may go away meanwhile.
        let script = format!(
            "for (const end = performance.now() + 500; performance.now() < end;) {{
                if ({expression}) return true;
                await new Promise((go) => setTimeout(go, 10));
            }}
            return false"
        );
        while self.try_script(&script, &Value::Null) != Ok(Value::Bool(true)) {
            if begun.elapsed() > PATIENCE {
                let page = self.text("document.body.innerText");
                panic!("never: {expression}\n{}\n{page}", self.path());
            }
        }
        begun.elapsed()
    }

    /// Presses keys, one after the other, as fingers do.
    pub fn press(&self, keys: &str) {
        let press = |key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key }));
        let all: Vec<Value> = keys.chars().flat_map(press).collect();
        self.call("actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": all }] }));
    }

    /// Chooses a file in a field.
    pub fn choose(&self, css: &str, file: &str) {
        let found = self.call("element", &json!({ "using": "css selector", "value": css }));
        let id = found[ELEMENT].as_str().unwrap();
        self.call(&format!("element/{id}/value"), &json!({ "text": file }));
    }

    /// A window as wide as a telephone, or as wide as it was.
    pub fn phone(&self, on: bool) {
        if on {
            let size = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
            self.devtools("Emulation.setDeviceMetricsOverride", &size);
        } else {
            self.devtools("Emulation.clearDeviceMetricsOverride", &json!({}));
        }
    }

    /// What the system says of colours.
    pub fn dark(&self, on: bool) {
        let value = if on { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        self.call("se/log", &json!({ "type": kind })).as_array().cloned().unwrap_or_default()
    }

    /// What the console was told since the last time; nothing, where all is well.
    pub fn complaints(&self) -> Vec<String> {
        let all = self.log("browser");
        // Of the browser's own first window nobody here has written a word.
        let ours =
            all.iter().filter(|line| !line["message"].as_str().unwrap_or_default().starts_with("chrome:"));
        ours.map(|line| format!("{}: {}", line["level"], line["message"])).collect()
    }

    /// Every address that pages asked for, since the browser began.
    pub fn requests(&self) -> Vec<String> {
        let mut asked = self.asked.borrow_mut();
        for line in self.log("performance") {
            let event: Value = serde_json::from_str(line["message"].as_str().unwrap()).unwrap();
            if event["message"]["method"] == "Network.requestWillBeSent" {
                asked.push(event["message"]["params"]["request"]["url"].as_str().unwrap().to_owned());
            }
        }
        asked.clone()
    }

    /// Nothing was asked of anybody but the service.
    pub fn stayed_here(&self) {
        let requests = self.requests();
        let own = requests.iter().filter(|url| url.starts_with(&format!("{BASE}/"))).count();
        // The window that a browser begins with is made of its own files.
        let inside = [&format!("{BASE}/"), "data:", "blob:", "about:", "chrome:"];
        let away: Vec<&String> =
            requests.iter().filter(|url| !inside.iter().any(|it| url.starts_with(*it))).collect();
        assert!(away.is_empty(), "asked of others: {away:?}");
        assert!(own > 10, "the log tells of {own} requests only");
        eprintln!("{own} requests, none to anybody else");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = call(self.way.get_mut(), "DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}

/// Puts the calling thread onto the network of a machine.
pub fn enter(stage: &Stage) {
    use std::os::fd::AsFd as _;
    let door = std::fs::File::open(format!("/proc/{}/ns/net", stage.pid())).unwrap();
    let kind = rustix::thread::LinkNameSpaceType::Network;
    rustix::thread::move_into_link_name_space(door.as_fd(), Some(kind)).unwrap();
}

/// One request of WebDriver, and its value or what went wrong.
fn call(way: &mut TcpStream, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, text) = ask(way, method, path, &[], body.as_bytes());
    let mut answer: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    let value = answer["value"].take();
    if status == 200 { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
}

/// A connection on the network that the thread is on.
pub fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(180))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// One request of HTTP: the status and the body.
pub fn ask(
    stream: &mut TcpStream,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, String) {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", stream.peer_addr().unwrap());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    let mut piece = vec![0; 1 << 16];
    // Until all of it is there: nobody hangs up.
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if length.is_some_and(|length| body.len() >= length) {
                break;
            }
        }
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&piece[..read]),
            // A machine that was frozen for a moment interrupts who waits with a limit (signal(7)).
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
