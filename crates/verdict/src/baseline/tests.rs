//! The baseline's file and its selectors.

use super::*;

const WHOLE: &str = r#"version = 1
learned = "2026-11-24T02:00:00Z"

[[listener]]
port = 22 # registered: ssh
transport = "tcp"
scope = "any"
namespace = "host"
exe = ["/usr/sbin/sshd", "/odd \"path\"\\with\nlines"]
package = "openssh-server"
unit = "ssh.service"
user = "root"

[[listener]]
port = 53
transport = "udp"
scope = "loopback"
address = "127.0.0.53"
namespace = "host"

[[listener]]
port = 8080
transport = "tcp"
scope = "any"
namespace = "host"
published = true
container = "web"
image = "example.org/web:3"
"#;

#[test]
fn what_is_rendered_reads_back() {
    let baseline = parse("baseline.toml", WHOLE).unwrap();
    assert_eq!(baseline.len(), 3);
    let again = parse("other.toml", &baseline.render()).unwrap();
    assert_eq!(baseline, again);
    assert_eq!(baseline.learned(), "2026-11-24T02:00:00Z");
    let lines: Vec<String> = baseline.lines().collect();
    assert!(lines[0].starts_with("22/tcp any host: root"), "{lines:?}");
    assert_eq!(lines[1], "8080/tcp any published host: web example.org/web:3");
    assert_eq!(lines[2], "53/udp loopback 127.0.0.53 host: holder not known");
}

#[test]
fn each_mistake_is_refused() {
    let listener = "version = 1\n[[listener]]\nport = 1\ntransport = \"tcp\"\nscope = \"any\"\n";
    parse("b", listener).unwrap();
    let cases = [
        (String::new(), "`version = 1` is missing"),
        ("version = 2".to_owned(), "has to be 1"),
        (format!("{listener}pid = 812"), "`pid` is not a key here"),
        (format!("{listener}published = 1"), "true or false"),
        (format!("{listener}address = \"x\""), "allowed: an address"),
        (format!("{listener}{}", listener.replace("version = 1\n", "")), "twice"),
        (listener.replace("port = 1", "port = \"1-2\""), "one port"),
        (listener.replace("\"any\"", "\"all\""), "allowed: loopback"),
        (listener.replace("scope = \"any\"\n", ""), "needs `port`, `transport` and `scope`"),
        (format!("{listener}[other]"), "`other` is not a key here"),
    ];
    for (text, reason) in cases {
        let fault = parse("b", &text).unwrap_err();
        assert!(fault.reason.contains(reason), "{text}: {fault}");
    }
}

#[test]
fn every_prefix_and_a_seeded_random_run_read_back_or_are_refused() {
    for end in 0..=WHOLE.len() {
        if let Ok(baseline) = parse("b", WHOLE.get(..end).unwrap()) {
            assert_eq!(parse("b", &baseline.render()).unwrap(), baseline, "{end}");
        }
    }
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut read = 0;
    for _ in 0..3000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let mut bytes = WHOLE.as_bytes().to_vec();
        let at = usize::try_from(seed % 65_521).unwrap() % bytes.len();
        bytes[at] = b"\"[]=\n#\\,09az"[usize::try_from(seed >> 32).unwrap() % 12];
        if let Ok(baseline) = parse("b", &String::from_utf8_lossy(&bytes)) {
            read += 1;
            assert_eq!(parse("b", &baseline.render()).unwrap(), baseline);
        }
    }
    assert!(read > 100, "{read}");
}

#[test]
fn selectors_say_which_changes() {
    assert_eq!(Selector::parse("all"), Ok(Selector::ALL));
    let one = Selector { transport: Some(Transport::Tcp), first: 420, last: 420 };
    assert_eq!(Selector::parse("420/tcp"), Ok(one));
    assert_eq!(Selector::parse("8000-8010/udp").map(|s| (s.first, s.last)), Ok((8000, 8010)));
    for wrong in ["", "0", "tcp", "420/ip", "9-8", "70000", "+80", "1-2-3", "420/"] {
        let reason = Selector::parse(wrong).unwrap_err();
        assert!(reason.contains("420/tcp"), "{wrong}: {reason}");
    }
}
