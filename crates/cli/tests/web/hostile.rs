//! What strangers call themselves, end to end: processes, units, names in TLS, banners, sessions, comments of captures.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Value, json};
use wire::capture::Writer;
use wire::{Frame, LinkType};

use crate::driver::Browser;
use crate::harbour::Harbour;
use crate::packets::Wire;
use crate::{pages, part};

/// Markup that would leave text, attributes and scripts; a title for the window; a word that reads backwards.
const EVIL: &str = "\"'><img src=x onerror=alert(1) id=planted><script id=planted>alert(1)</script>\u{1b}]0;owned\u{7}\u{202e}gpj";
/// What of it a process may have in its name of fifteen bytes.
const SHORT: &str = "<b id=planted>\u{7}";

/// Packets as a capture, each with the same comment.
pub fn written(wire: &Wire, comment: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new("test", &mut bytes);
    let interface = writer.interface(None, LinkType::IPV4, 65_535, &mut bytes);
    for (at_us, packet) in &wire.packets {
        let frame = Frame {
            time: Some(model::Timestamp::from_ns(i64::try_from(*at_us).unwrap() * 1000)),
            link: LinkType::IPV4,
            interface: 0,
            wire_bytes: u32::try_from(packet.len()).unwrap(),
            bytes: packet,
        };
        writer.frame(interface, &frame, comment, &mut bytes);
    }
    bytes
}

/// A first message of TLS for this name (RFC 8446 §4.1.2, RFC 6066 §3).
fn client_hello(name: &[u8]) -> Vec<u8> {
    let two = |length: usize| (length as u16).to_be_bytes();
    let entry = [&[0][..], &two(name.len()), name].concat();
    let list = [&two(entry.len())[..], &entry].concat();
    let extensions = [&[0, 0][..], &two(list.len()), &list].concat();
    let body =
        [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &two(extensions.len()), &extensions].concat();
    let message = [&[1, 0][..], &two(body.len()), &body].concat();
    [&[22, 3, 1][..], &two(message.len()), &message].concat()
}

/// What a file may be called, or a control group: no slash, and then the markup closes nothing; it is markup all the same.
fn without_slash() -> String {
    EVIL.replace('/', "")
}

/// An announcement (RFC 2974 §3) of a session with this name, whose channels are called so, too.
fn announcement(name: &str) -> Vec<u8> {
    let sdp = format!(
        "v=0\r\no=- 7 1 IN IP4 10.9.0.2\r\ns={name}\r\ni={name}\r\nt=0 0\r\nm=audio 5006 RTP/AVP 97\r\n\
         i={name}\r\nc=IN IP4 239.1.1.9/8\r\na=rtpmap:97 L24/48000/2\r\n\
         a=fmtp:97 channel-order=SMPTE2110.({name})\r\na=ptime:1\r\n"
    );
    [&[0x20, 0, 0, 7, 10, 9, 0, 2][..], b"application/sdp\0", sdp.as_bytes()].concat()
}

fn capture() -> Vec<u8> {
    let mut wire = Wire::default();
    let evil = EVIL.as_bytes();
    wire.http((2, 50_000), (1, 420), evil, evil);
    let banner = [b"SSH-2.0-Evil ", evil, b"\r\n"].concat();
    wire.talk((2, 50_001), (1, 421), &[(false, &banner), (true, b"SSH-2.0-made\r\n")]);
    wire.talk((2, 50_002), (1, 423), &[(true, &client_hello(evil))]);
    wire.udp((2, 9875), (9, 9875), &announcement(EVIL));
    written(&wire, Some(EVIL))
}

/// A neighbour that says it in TLS, in HTTP, in SSH and in an announcement.
fn neighbour() -> String {
    let [hello, session] =
        [client_hello(EVIL.as_bytes()), announcement(EVIL)].map(|bytes| format!("bytes({bytes:?})"));
    format!(
        "import struct, time

def say(port, words):
    s = socket.create_connection(('10.9.0.1', port))
    if words:
        s.sendall(words)
    s.settimeout(2)
    try:
        s.recv(4096)
    except OSError:
        pass
    s.close()

evil = bytes({evil:?})
say(423, {hello})
say(424, b'GET / HTTP/1.1\\r\\nHost: ' + evil + b'\\r\\nUser-Agent: ' + evil + b'\\r\\n\\r\\n')
say(425, evil)
say(8022, b'SSH-2.0-made\\r\\n')
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('10.9.0.2'))
for _ in range(3):
    s.sendto({session}, ('239.255.255.255', 9875))

def sound():
    at = 0
    while True:
        for _ in range(10):
            head = struct.pack('>BBHII', 0x80, 97, at & 0xffff, at * 48 & 0xffffffff, 9)
            s.sendto(head + bytes([0x20, 0, 0]) * 96, ('239.1.1.9', 5006))
            at += 1
        time.sleep(0.01)

threading.Thread(target=sound, daemon=True).start()
ready()",
        evil = EVIL.as_bytes()
    )
}

/// Servers whose process, command line and words are strange.
fn servers(harbour: &Harbour) -> Vec<crate::stage::Planter> {
    let stage = &harbour.stage;
    let program = stage.home.0.join(without_slash());
    std::fs::copy(std::fs::canonicalize(crate::stage::PYTHON).unwrap(), &program).unwrap();
    packaged(stage, &program);
    let set_name = format!("libc.prctl(15, bytes({:?}))", SHORT.as_bytes());
    let work = format!(
        "{set_name}

def hear(s, text):
    def serve():
        while True:
            peer, _ = s.accept()
            peer.recv(4096)
            peer.sendall(text)
            peer.close()

    threading.Thread(target=serve, daemon=True).start()

evil = bytes({evil:?})
hear(tcp(423, '0.0.0.0'), b'\\x15\\x03\\x03\\0\\x02\\x02\\x28')
hear(tcp(424, '0.0.0.0'), b'HTTP/1.1 200 OK\\r\\nServer: ' + evil + b'\\r\\nContent-Length: 0\\r\\n\\r\\n')
answer(tcp(8022, '0.0.0.0'), b'SSH-2.0-Evil ' + evil + b'\\r\\n')
s = udp(420, '0.0.0.0')
ready()",
        evil = EVIL.as_bytes()
    );
    let mut servers = Vec::new();
    for (group, port) in groups() {
        let work = format!(
            "group = bytes({:?})
os.makedirs(group, exist_ok=True)
open(group + b'/cgroup.procs', 'w').write('0')
s = tcp({port}, '0.0.0.0')
ready()",
            group.as_bytes()
        );
        servers.push(stage.plant(&work));
    }
    // The last, for what comes last is what is announced.
    servers.push(stage.plant_with(&[program.to_str().unwrap()], &work));
    servers
}

/// A package database of the stage's own: the program is of a package, whose name and version are strange.
fn packaged(stage: &crate::stage::Stage, program: &Path) {
    let (name, database) = (format!("package-{}", without_slash()), stage.home.0.join("dpkg"));
    std::fs::create_dir_all(database.join("info")).unwrap();
    std::fs::write(database.join(format!("info/{name}.list")), format!("{}\n", program.display())).unwrap();
    let status = format!("Package: {name}\nStatus: install ok installed\nVersion: 1-{EVIL}\n\n");
    std::fs::write(database.join("status"), status).unwrap();
    stage.sh(&format!("mount --bind '{}' /var/lib/dpkg", database.display()));
}

/// Control groups as a service manager and a container runtime make them, and who listens in each.
fn groups() -> Vec<(String, u16)> {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let unified = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let Some(root) =
        unified.filter(|fields| fields[2] == "cgroup2").map(|fields| fields[1].to_owned()).next()
    else {
        eprintln!("SKIPPED: names of units and containers need cgroup v2");
        return Vec::new();
    };
    let name = without_slash();
    vec![
        (format!("{root}/portreeve-test.slice/unit-{name}.service"), 428),
        (format!("{root}/portreeve-test.slice/lxc.payload.container-{name}"), 429),
    ]
}

/// Takes the control groups away again, when those in them have ended.
fn ungroup() {
    for (group, _) in groups() {
        let group = Path::new(&group);
        // The kernel takes a moment to let go of a process that was killed.
        while std::fs::remove_dir(group).is_err_and(|error| error.kind() == ErrorKind::ResourceBusy) {
            std::thread::yield_now();
        }
        let _ = std::fs::remove_dir(group.parent().unwrap());
    }
}

/// What must not be on a page, and what was made of it.
const PLANTED: &str = "({
    planted: document.querySelectorAll('#planted, img[src=x], main b, main script').length,
    ran: !!window.ran,
    hidden: [...document.documentElement.textContent].filter((it) => /[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]/.test(it)).length
        + [...document.querySelectorAll('*')].flatMap((it) => [...it.attributes]).filter((it) => /[\\u0000-\\u0008\\u001b\\u202a-\\u202e]/.test(it.value)).length,
    shown: document.documentElement.textContent.includes('<img src=x onerror=alert(1) id=planted>'),
    seen: document.documentElement.textContent.includes('\\\\x1b]0;owned\\\\x07\\\\u{202e}gpj'),
    names: ['unit-', 'container-', 'package-'].filter((it) => document.documentElement.textContent.includes(`${it}\"'><img src=x onerror=alert(1) id=planted>`)),
    title: document.title,
})";

fn harmless(browser: &Browser, path: &str, wrong: &mut Vec<String>) -> Value {
    let page = browser.value(PLANTED);
    if page["planted"] != 0
        || page["ran"] != false
        || page["hidden"] != 0
        || page["title"].as_str().unwrap().contains("owned\u{7}")
    {
        wrong.push(format!("{path}: {page}"));
    }
    let complaints = browser.complaints();
    if !complaints.is_empty() {
        wrong.push(format!("{path}: {complaints:?}"));
    }
    page
}

pub fn words_are_shown_and_do_nothing() {
    let mut harbour = part("the scene", || Harbour::empty("strangers"));
    harbour.serve();
    let browser = part("the browser", || Browser::begin(&harbour.stage));
    // Whatever would be called is seen to have been called, on every page before its own scripts.
    let watch = "for (const name of ['alert', 'confirm', 'prompt', 'eval']) window[name] = () => { window.ran = true; };";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": watch }));
    // A page that is open hears of it as it comes.
    browser.open("/");
    browser.until("document.getElementById('live').classList.contains('is-on')");
    let servers = servers(&harbour);
    let mut wrong = Vec::new();
    browser.until("document.getElementById('live-words').textContent.includes('planted')");
    harmless(&browser, "what is told as it comes", &mut wrong);
    let speaker = harbour.neighbour.plant(&neighbour());
    browser.open("/flows");
    browser.until("document.querySelector('main').textContent.includes('sni: ') && document.querySelector('main').textContent.includes('Evil')");
    browser.open("/sessions");
    browser.until("document.querySelector('main').textContent.includes('owned')");

    // A stream of that session: its page, and what its channels are called as they are heard.
    browser.open("/streams");
    browser.until("document.querySelector('main').textContent.includes('owned')");
    browser.script("document.querySelector('main tbody a').click()", &Value::Null);
    browser.until("document.querySelector('h1').textContent.includes('owned') && document.querySelector('#levels meter')");
    harmless(&browser, "the levels of a stream", &mut wrong);

    let file = harbour.stage.home.0.join(format!("{}.pcapng", without_slash()));
    std::fs::write(&file, capture()).unwrap();
    browser.open("/captures");
    browser.choose("#file", file.to_str().unwrap());
    browser.script("document.querySelector('#drop button').click()", &Value::Null);
    browser.until("location.pathname.startsWith('/captures/') && document.getElementById('r-services')");

    // The decision and its reason are a person's words, and no safer.
    browser.open("/findings?standing=open");
    browser.script("document.querySelector('article.finding a').click()", &Value::Null);
    browser.until("document.getElementById('reason')");
    browser.script(
        "document.getElementById('reason').value = it; document.querySelector('form.decide button').click()",
        &json!(EVIL),
    );
    browser.until("document.querySelector('blockquote')");
    let decided = browser.path();

    let mut shown = Vec::new();
    let mut names = BTreeSet::new();
    let mut all: Vec<String> = pages::found(&browser).into_values().collect();
    for port in [
        "/ports/tcp/423",
        "/ports/tcp/424",
        "/ports/tcp/428",
        "/ports/tcp/429",
        "/ports/tcp/8022",
        "/ports/udp/420",
        "/ports/udp/5006",
    ] {
        all.push(port.to_owned());
    }
    all.push(decided);
    all.push(String::from("/ports?text=%22%3E%3Cimg%20src=x%20id=planted%3E%1b%E2%80%AE"));
    for path in &all {
        browser.open(path);
        let page = harmless(&browser, path, &mut wrong);
        names.extend(
            page["names"].as_array().unwrap().iter().map(|it| format!("{} on {path}", it.as_str().unwrap())),
        );
        if page["shown"] == true && page["seen"] == true {
            shown.push(
                path.split('/').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned(),
            );
        }
    }
    drop((servers, speaker));
    ungroup();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (name, port) in [("package-", 423), ("unit-", 428), ("container-", 429)] {
        if name != "package-" && groups().is_empty() {
            continue;
        }
        for path in [String::from("/holders"), format!("/ports/tcp/{port}")] {
            assert!(names.contains(&format!("{name} on {path}")), "{name} is not on {path}: {names:?}");
        }
    }
    for place in ["", "ports", "holders", "flows", "streams", "sessions", "findings", "captures"] {
        assert!(shown.iter().any(|it| it == place), "{place:?} does not show it: {shown:?}");
    }
    browser.stayed_here();
    eprintln!("shown, and harmless, on {} pages of {}", shown.len(), all.len());
}
