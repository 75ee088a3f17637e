//! What strangers wrote reaches a terminal as something to read, never as something to obey; JSON keeps it as it was.

use serde_json::Value;

use crate::files::{ETHERNET, PCAP, file};
use crate::packets::Wire;
use crate::support::{Home, err, out, status};
use crate::{array, document, word};

/// It rings, moves the cursor, sets the title of the window, and turns the line around.
const EVIL: &str = "x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}y";

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

fn capture() -> Vec<u8> {
    let mut wire = Wire::default();
    let evil = EVIL.as_bytes();
    wire.http((2, 50_000), (1, 420), evil, evil);
    let banner = [b"SSH-2.0-Evil ", evil, b"\r\n"].concat();
    wire.talk((2, 50_001), (1, 421), &[(false, &banner), (true, b"SSH-2.0-made\r\n")]);
    wire.talk((2, 50_002), (1, 423), &[(true, &client_hello(evil))]);
    let greeting = [b"220 ", evil, b" ESMTP ready\r\n"].concat();
    wire.talk(
        (2, 50_003),
        (1, 424),
        &[(false, &greeting), (true, b"EHLO client\r\n"), (false, b"250 hello\r\n")],
    );
    file(PCAP, ETHERNET, &wire.packets)
}

fn harmless(text: &str, about: &str) {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\r' || c == '\u{202e}';
    assert!(!text.contains(obeyed), "{about}: {text:?}");
}

#[test]
fn no_word_of_a_stranger_is_obeyed() {
    let home = Home::new("hostile");
    // The file's name is a stranger's word, too.
    let path = home.0.join(format!("{EVIL}.pcap"));
    std::fs::write(&path, capture()).unwrap();
    let evidence = home.0.join("e.pcapng");
    for words in [
        &["--color", "never"][..],
        &["--flows", "--wide"],
        &["--port", "420", "--port", "421", "--port", "423", "--port", "424"],
        &["--port", "420-424", "--flows"],
        &["--csv"],
        &["--write", word(&evidence)],
    ] {
        let output = home.run(&[&["read", word(&path)], words].concat());
        assert_eq!(status(&output), 0, "{words:?}: {}", err(&output));
        let text = out(&output);
        harmless(&text.replace("\r\n", "\n"), &format!("{words:?}"));
        harmless(&err(&output), &format!("{words:?}"));
        assert!(text.contains("http") && text.contains("ssh"), "{words:?}: {text}");
    }
    let page = out(&home.run(&["read", word(&path), "--port", "420"]));
    assert!(page.contains("x\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u{202e}y"), "{page}");
    let gone = home.0.join(format!("{EVIL}.gone"));
    let output = home.run(&["read", word(&gone)]);
    assert_eq!(status(&output), 2);
    harmless(&err(&output), "a missing file");

    let document = document(&home, &[word(&path), "--flows"]);
    assert_eq!(document["sources"][0], word(&path));
    let detail = |port: u16, name: &str| -> Option<Value> {
        let service = array(&document, "services").iter().find(|service| service["port"] == port)?;
        let details = service["recognised"]["details"].as_array()?;
        Some(details.iter().find(|detail| detail["name"] == name)?["value"].clone())
    };
    for (port, name) in [(420, "host"), (420, "server"), (423, "sni")] {
        assert_eq!(detail(port, name), Some(Value::from(EVIL)), "{port} {name}: {}", document["services"]);
    }
    // As events, each stays in its line.
    let events = out(&home.run(&["read", word(&path), "--eve"]));
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let http = events.iter().find(|event| event["event_type"] == "http").unwrap();
    assert_eq!(http["http"]["hostname"], EVIL);
    let tls = events.iter().find(|event| event["event_type"] == "tls").unwrap();
    assert_eq!(tls["tls"]["sni"], EVIL);
}

#[test]
fn what_people_wrote_into_a_capture_is_told_in_their_words_and_harmless() {
    let home = Home::new("comments");
    let mut bytes = Vec::new();
    let mut writer = wire::capture::Writer::new("a person", &mut bytes);
    let interface = writer.interface(None, wire::LinkType::ETHERNET, 0, &mut bytes);
    let frame = wire::Frame {
        time: Some(model::Timestamp::from_ns(1_700_000_000_000_000_000)),
        link: wire::LinkType::ETHERNET,
        interface,
        wire_bytes: 4,
        bytes: b"abcd",
    };
    for number in 0..30 {
        let comment = format!("{EVIL}\nline two of {number}");
        writer.frame(interface, &frame, (number > 3).then_some(comment.as_str()), &mut bytes);
    }
    let path = home.0.join("told.pcapng");
    std::fs::write(&path, bytes).unwrap();
    let text = out(&home.run(&["read", "--color", "never", word(&path)]));
    harmless(&text, "comments");
    assert!(text.contains("packet 5: \u{201c}x\\x1b]0;owned"), "{text}");
    assert!(text.contains(" / line two of 4\u{201d}") && text.contains("and 6 more"), "{text}");
    assert!(text.lines().all(|line| !line.starts_with("line two")), "{text}");
    let told = document(&home, &[word(&path)]);
    let comments = array(&told, "comments");
    assert_eq!((comments.len(), &told["comments_left_out"]), (26, &Value::from(0)));
    assert_eq!((&comments[0]["about"], &comments[0]["number"]), (&Value::from("packet"), &Value::from(5)));
    assert_eq!(comments[0]["text"], format!("{EVIL}\nline two of 4"));
}
