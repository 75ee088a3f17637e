//! The grammar of policy: what is read, and how each mistake is refused.

use super::*;

const WHOLE: &str = r#"# what may listen here
mode = "closed"

[[allow]]
port = [80, "8000-8010"]
transport = ["tcp", "udp"]
scope = "any"
address = ["192.0.2.0/24", "fd00::/8"]
namespace = "host"
user = ["www-data", "0"]
exe = "/usr/sbin/nginx"
unit = "nginx.service"
container = "web-*"
image = "example.org/**"
package = "nginx*"
code = ["exposed-service", "needless-privilege"]
severity = "note"
reason = "the site"
expires = 2027-03-01

[[deny]]
port = 23
reason = "no telnet"
severity = "alert"

[[expect]]
port = 22
reason = "the only way in"

[[allow]]
port = 22
reason = "and it may be there"
"#;

#[test]
fn every_key_is_read() {
    let policy = parse("policy.toml", WHOLE).unwrap();
    assert_eq!(policy.closed(), Some("policy.toml:2"));
    let names: Vec<(&str, Verb)> = policy.entries().iter().map(|e| (e.name.as_str(), e.verb)).collect();
    assert_eq!(
        names,
        [
            ("policy.toml:4", Verb::Allow),
            ("policy.toml:21", Verb::Deny),
            ("policy.toml:26", Verb::Expect),
            ("policy.toml:30", Verb::Allow)
        ]
    );
    let entry = &policy.entries()[0];
    assert_eq!(entry.ports, [80..=80, 8000..=8010]);
    assert_eq!(entry.codes, [Code::ExposedService, Code::NeedlessPrivilege]);
    assert_eq!(entry.severity, Some(Severity::Note));
    assert_eq!(entry.reason, "the site");
    let last = entry.expires.unwrap();
    assert!(entry.applies(last) && !entry.applies(last + 1));
    assert!(entry.accepts(Code::ExposedService) && !entry.accepts(Code::SilentPortInUse));
    assert!(entry.addresses[0].has("192.0.2.200".parse().unwrap()));
    assert!(entry.addresses[0].has("::ffff:192.0.2.1".parse().unwrap()));
    assert!(!entry.addresses[0].has("192.0.3.1".parse().unwrap()));
    assert!(
        entry.addresses[1].has("fd12::1".parse().unwrap())
            && !entry.addresses[1].has("fe80::1".parse().unwrap())
    );
    assert!(
        entry.describe().starts_with("port 80 or 8000-8010, transport tcp or udp"),
        "{}",
        entry.describe()
    );
}

#[test]
fn each_mistake_has_its_place_and_says_what_is_allowed() {
    let cases = [
        ("[[allow]]\nprot = 1\nreason = \"r\"", 2, 1, "`prot` is not a key here; allowed: port, transport"),
        ("[[permit]]\nport = 1", 1, 3, "allowed: mode, [[allow]], [[deny]], [[expect]]"),
        ("mode = \"shut\"", 1, 8, "allowed: open, closed"),
        ("mode = 1", 1, 8, "text in quotes"),
        ("[[allow]]\nport = 70000\nreason = \"r\"", 2, 8, "a number from 1 to 65535"),
        ("[[allow]]\nport = 0\nreason = \"r\"", 2, 8, "a number from 1 to 65535"),
        ("[[allow]]\nport = -1\nreason = \"r\"", 2, 8, "a number from 1 to 65535"),
        ("[[allow]]\nport = \"9-8\"\nreason = \"r\"", 2, 8, "a number from 1 to 65535"),
        ("[[allow]]\nport = 80.0\nreason = \"r\"", 2, 8, "a number from 1 to 65535"),
        ("[[allow]]\nport = []\nreason = \"r\"", 2, 8, "1 to 1024 values"),
        ("[[allow]]\nport = [1,\n  \"x\"]\nreason = \"r\"", 3, 3, "a number from 1 to 65535"),
        (
            "[[allow]]\ntransport = \"TCP\"\nreason = \"r\"",
            2,
            13,
            "allowed: tcp, udp, sctp, dccp, raw, packet",
        ),
        ("[[allow]]\nscope = \"lan\"\nreason = \"r\"", 2, 9, "allowed: loopback, link"),
        ("[[allow]]\naddress = \"10.0.0.0/33\"\nreason = \"r\"", 2, 11, "allowed: an address, or a network"),
        ("[[allow]]\naddress = \"localhost\"\nreason = \"r\"", 2, 11, "allowed: an address, or a network"),
        ("[[allow]]\nexe = \"\"\nreason = \"r\"", 2, 7, "1 to 4096 bytes"),
        ("[[allow]]\nuser = 0\nreason = \"r\"", 2, 8, "text in quotes"),
        ("[[allow]]\nport = 1\ncode = \"silent\"\nreason = \"r\"", 3, 8, "allowed: silent-port-in-use"),
        ("[[deny]]\nport = 1\ncode = \"silent-port-in-use\"\nreason = \"r\"", 3, 8, "belongs to [[allow]]"),
        ("[[allow]]\nport = 1\nseverity = \"high\"\nreason = \"r\"", 3, 12, "allowed: note, warning, alert"),
        ("[[allow]]\nport = 1\nreason = \"r\"\nexpires = \"2027-02-29\"", 4, 11, "a day that exists"),
        ("[[allow]]\nport = 1\nreason = \"r\"\nexpires = 2027-01-01T00:00:00Z", 4, 11, "a day that exists"),
        ("\n[[allow]]\nport = 1", 2, 1, "needs `reason`"),
        ("[[allow]]\nport = 1\nreason = \"\"", 3, 10, "1 to 4096 bytes"),
        ("[[allow]]\nreason = \"r\"", 1, 1, "names nothing"),
        ("[[deny]]\nreason = \"r\"", 1, 1, "names nothing"),
        ("[allow]\nport = 1", 1, 1, "write [[allow]]"),
        ("allow = 3", 1, 9, "write [[allow]]"),
        ("[[allow]]\nport = 1\nport = 2", 3, 1, "not TOML"),
        ("[[allow]\n", 1, 8, "not TOML"),
        ("ü = \"", 1, 1, "not TOML"),
    ];
    for (text, line, column, reason) in cases {
        let fault = parse("p.toml", text).unwrap_err();
        assert!(fault.reason.contains(reason), "{text:?}: {fault}");
        assert_eq!(fault.line, line, "{text:?}: {fault}");
        assert!(fault.column.abs_diff(column) <= 1, "{text:?}: {fault}");
        assert!(fault.to_string().starts_with(&format!("p.toml:{line}:")), "{fault}");
    }
}

#[test]
fn every_prefix_is_read_or_refused_with_a_place_in_it() {
    for end in 0..=WHOLE.len() {
        let prefix = WHOLE.get(..end).unwrap();
        if let Err(fault) = parse("p", prefix) {
            assert!(fault.line <= prefix.lines().count().max(1) + 1, "{end}: {fault}");
            assert!(fault.column >= 1 && !fault.reason.is_empty());
        }
    }
}

#[test]
fn a_seeded_random_run_never_panics_and_never_says_more_than_the_file() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % 65_521).unwrap()
    };
    let mut read = 0;
    for _ in 0..4000 {
        let mut bytes = WHOLE.as_bytes().to_vec();
        for _ in 0..=next() % 4 {
            let at = next() % bytes.len();
            match next() % 3 {
                0 => bytes[at] = b"\"[]=\n#-,09az\xc3"[next() % 13],
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\"[]=\n#-,09az\xc3"[next() % 13]),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(policy) = parse("p", &text) {
            read += 1;
            assert!(policy.entries().len() <= text.matches("[[").count());
            assert!(policy.entries().iter().all(|entry| !entry.reason.is_empty()));
        }
    }
    assert!(read > 100, "the run has to reach policies that are read: {read}");
}

#[test]
fn bounds_hold() {
    let deep = format!("x = {}", "[".repeat(100_000));
    assert!(parse("p", &deep).unwrap_err().reason.contains("not TOML"));
    let large = "#".repeat(crate::document::MAX_BYTES + 1);
    assert!(parse("p", &large).unwrap_err().reason.contains("larger"));
    let long = format!("[[allow]]\nport = [{}]\nreason = \"r\"", "1,".repeat(2000));
    assert!(parse("p", &long).unwrap_err().reason.contains("1024"));
}

#[test]
fn drop_ins_add_and_close() {
    let first = parse("policy.toml", "[[allow]]\nport = 1\nreason = \"a\"").unwrap();
    let second = parse("policy.d/10.toml", "mode = \"closed\"\n[[deny]]\nport = 2\nreason = \"b\"").unwrap();
    let third = parse("policy.d/20.toml", "mode = \"open\"").unwrap();
    let whole = Policy::merge(vec![first, second, third]);
    assert_eq!(whole.closed(), Some("policy.d/10.toml:1"));
    let names: Vec<&str> = whole.entries().iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["policy.toml:1", "policy.d/10.toml:2"]);
    assert!(Policy::merge(Vec::new()).is_empty());
}
