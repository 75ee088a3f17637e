//! What every form makes of findings, plain and hostile.

use std::sync::Arc;

use model::{Code, Confidence, Evidence, Finding, Severity, Timestamp};
use store::Sighting;

use super::*;
use crate::alerting::notice::{Notice, State, Told};

/// 2026-11-27T02:03:04.005006007Z.
const AT: i64 = 1_795_744_984_005_006_007;

fn machine() -> Machine {
    Machine { name: "reeve.example".into(), process: 42 }
}

fn told(title: &str, about: &str, fact: &str) -> Told {
    let finding = Finding {
        code: Code::SilentPortInUse,
        severity: Severity::Warning,
        confidence: Confidence::High,
        subjects: Vec::new(),
        title: title.into(),
        evidence: vec![Evidence { fact: fact.into(), source: "IANA registry".into() }],
        next_step: "portreeve 420".into(),
    };
    let sighting = Arc::new(Sighting { at: Timestamp::from_ns(AT), about: about.into(), finding });
    Told { sighting, state: State::Found, times: 1 }
}

fn plain() -> Notice {
    let told = told("port 420/tcp has a listener", "tcp 0.0.0.0:420 /usr/bin/nc", "420 is smpte");
    Notice::Findings { told: vec![told], more: 0 }
}

/// What somebody might put into the name of a program.
const HOSTILE: &str = "a\"b]c\\d\r\nBcc: x@y\r\n.\r\n\u{1b}[2J\u{202e}é=?utf-8?Q?x?= \0";

fn hostile() -> Notice {
    let told = told(HOSTILE, &format!("tcp [::]:420 {HOSTILE}"), &HOSTILE.repeat(300));
    Notice::Findings { told: vec![told.clone(), Told { state: State::Again, times: 3, ..told }], more: 7 }
}

fn held() -> Notice {
    let codes = vec![(Code::Scan, 40), (Code::Beacon, 2)];
    Notice::HeldBack { at: Timestamp::from_ns(AT), count: 42, codes }
}

fn with<T>(form: impl Fn(&Context<'_>) -> T) -> T {
    let machine = machine();
    form(&Context { machine: &machine, page: Some("https://wiki.example/{code}") })
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_message_of_syslog_is_as_the_standard_says() {
    let messages = with(|context| syslog::messages(&plain(), context, 3, 2048));
    let expected = format!(
        "<28>1 2026-11-27T02:03:04.005006Z reeve.example portreeve 42 silent-port-in-use \
         [portreeve@32473 code=\"silent-port-in-use\" severity=\"warning\" confidence=\"high\" state=\"found\" \
         about=\"tcp 0.0.0.0:420 /usr/bin/nc\" next=\"portreeve 420\" \
         page=\"https://wiki.example/silent-port-in-use\" evidence=\"420 is smpte [IANA registry\\]\"]\
         [origin software=\"portreeve\" swVersion=\"{}\"] \
         [silent-port-in-use] warning: port 420/tcp has a listener (tcp 0.0.0.0:420 /usr/bin/nc)",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(messages.iter().map(|it| string(it)).collect::<Vec<_>>(), [expected]);
    let local = with(|context| syslog::local(&plain(), context, 10, 2048));
    assert_eq!(
        string(&local[0]),
        "<84>Nov 27 02:03:04 portreeve[42]: [silent-port-in-use] warning: port 420/tcp has a listener \
         (tcp 0.0.0.0:420 /usr/bin/nc); next: portreeve 420"
    );
}

/// The values of one parameter, read as RFC 5424 §6.3 says; `None` where the data is not well formed.
fn parameters(data: &str) -> Option<Vec<(String, String)>> {
    let mut all = Vec::new();
    let mut rest = data;
    while let Some(inside) = rest.strip_prefix('[') {
        let (_, mut inside) = inside.split_once(' ')?;
        loop {
            let (name, value) = inside.split_once("=\"")?;
            let mut text = String::new();
            let mut letters = value.char_indices();
            let end = loop {
                match letters.next()? {
                    (_, '\\') => text.push(letters.next()?.1),
                    (at, '"') => break at,
                    (_, ']') => return None,
                    (_, letter) => text.push(letter),
                }
            };
            all.push((name.to_owned(), text));
            let after = value.get(end + 1..)?;
            match after.strip_prefix(' ') {
                Some(more) => inside = more,
                None => {
                    rest = after.strip_prefix(']')?;
                    break;
                }
            }
        }
    }
    rest.starts_with(' ').then_some(all)
}

#[test]
fn messages_of_syslog_stay_whole_whatever_a_finding_says() {
    for most in [480, 700, 2048, 8192] {
        for message in with(|context| syslog::messages(&hostile(), context, 23, most)) {
            let text = string(&message);
            assert!(!text.chars().any(crate::sanitise::is_unsafe), "{text:?}");
            let data = text.splitn(7, ' ').nth(6).unwrap();
            let found = parameters(data).unwrap_or_else(|| panic!("not well formed: {data}"));
            assert!(found.iter().any(|(name, value)| name == "code" && value == "silent-port-in-use"));
            assert!(message.len() <= most.max(1200), "{} for {most}", message.len());
        }
        for message in with(|context| syslog::local(&hostile(), context, 23, most)) {
            assert!(message.len() <= most);
            assert!(!string(&message).chars().any(crate::sanitise::is_unsafe));
        }
    }
    let text = string(&with(|context| syslog::messages(&held(), context, 3, 480))[0]);
    assert!(
        text.ends_with("42 more findings were held back, by the limit of this way: scan 40, beacon 2"),
        "{text}"
    );
}

/// The fields of an entry, read as journald reads them.
fn fields(mut entry: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    while !entry.is_empty() {
        let line = entry.iter().position(|byte| *byte == b'\n').unwrap();
        if let Some(equals) = entry[..line].iter().position(|byte| *byte == b'=') {
            all.push((string(&entry[..equals]), entry[equals + 1..line].to_vec()));
            entry = &entry[line + 1..];
        } else {
            let name = string(&entry[..line]);
            let (length, rest) = entry[line + 1..].split_first_chunk::<8>().unwrap();
            let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
            all.push((name, rest[..length].to_vec()));
            assert_eq!(rest[length], b'\n');
            entry = &rest[length + 1..];
        }
    }
    all
}

#[test]
fn entries_of_the_journal_keep_what_was_said_in_its_field() {
    let entries = with(|context| journal::entries(&hostile(), context));
    assert_eq!(entries.len(), 2);
    for entry in entries {
        let fields = fields(&entry);
        let all = |name: &str| {
            fields.iter().filter(|(it, _)| it == name).map(|(_, value)| string(value)).collect::<Vec<_>>()
        };
        assert_eq!(all("PORTREEVE_TITLE"), [HOSTILE]);
        assert_eq!(all("PRIORITY"), ["4"]);
        assert_eq!(all("PORTREEVE_EVIDENCE").len(), 1);
        assert!(!all("MESSAGE")[0].contains('\n'));
        assert!(fields.iter().all(|(name, _)| name.bytes().all(|it| it.is_ascii_uppercase() || it == b'_')));
    }
    assert_eq!(fields(&with(|context| journal::entries(&held(), context))[0]).len(), 5);
}

#[test]
fn no_text_at_all_gets_out_of_its_field() {
    const LETTERS: [&str; 20] = [
        "a",
        " ",
        "\"",
        "]",
        "\\",
        "[",
        "=",
        "\n",
        "\r\n",
        "\0",
        "\u{1b}[",
        "\u{202e}",
        "é",
        "日",
        "?=",
        "=?",
        ".",
        ",",
        "\u{feff}",
        "\u{10ffff}",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    for _ in 0..500 {
        let mut text = || (0..random(60)).map(|_| LETTERS[random(LETTERS.len())]).collect::<String>();
        let (title, about, fact) = (text(), text(), text());
        let notice = Notice::Findings { told: vec![told(&title, &about, &fact)], more: 0 };
        let message = string(&with(|context| syslog::messages(&notice, context, 3, 2048))[0]);
        let found = parameters(message.splitn(7, ' ').nth(6).unwrap()).unwrap();
        let value =
            |wanted: &str| found.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        assert_eq!(value("about"), Some(&*crate::sanitise::line(&about)), "{message}");
        assert_eq!(found.len(), 10, "{message}");
        let entry = fields(&with(|context| journal::entries(&notice, context))[0]);
        assert_eq!(entry.len(), 13);
        assert!(entry.contains(&("PORTREEVE_TITLE".into(), title.clone().into_bytes())));
        let letter = string(&with(|context| mail::letter(&notice, context, &["root".into()], None, "1")));
        let (head, _) = letter.split_once("\n\n").unwrap();
        assert_eq!(head.lines().filter(|line| !line.starts_with(' ')).count(), 9, "{head}");
        assert!(letter.lines().all(|line| line.len() <= 78 && line != "." && line.is_ascii()), "{letter}");
        assert_eq!(with(|context| eve::lines(&notice, context)).iter().filter(|it| **it == b'\n').count(), 1);
    }
}

#[test]
fn a_letter_has_the_headers_that_we_gave_it() {
    let to = ["root".to_owned(), "ops@example.com".to_owned()];
    for notice in [plain(), hostile(), held()] {
        let letter =
            string(&with(|context| mail::letter(&notice, context, &to, Some("reeve@example.com"), "1-2")));
        let (head, body) = letter.split_once("\n\n").unwrap();
        let names: Vec<&str> = head
            .lines()
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        let expected = "From To Subject Date Message-ID Auto-Submitted X-Portreeve-Severity MIME-Version \
                        Content-Type Content-Transfer-Encoding";
        assert_eq!(names.join(" "), expected);
        assert!(letter.bytes().all(|it| it == b'\n' || (b' '..=b'~').contains(&it)));
        assert!(letter.lines().all(|line| line.len() <= 78 && line != "."), "{letter}");
        assert!(head.contains("Date: Fri, 27 Nov 2026 02:03:04 +0000\n"), "{head}");
        assert!(!body.is_empty());
    }
    let letter = string(&with(|context| mail::letter(&plain(), context, &to, None, "1-2")));
    for part in [
        "Subject: warning on reeve.example: port 420/tcp has a listener\n",
        "To: root,\n ops@example.com\n",
        "Read more   https://wiki.example/silent-port-in-use\n",
        "Evidence    420 is smpte [IANA registry]\n",
        "Next step   portreeve 420\n",
    ] {
        assert!(letter.contains(part), "{part}: {letter}");
    }
}

fn of_webhook(notice: &Notice) -> serde_json::Value {
    serde_json::from_str(&with(|context| json::document(notice, context, "1-2"))).unwrap()
}

#[test]
fn the_document_has_everything_and_keeps_the_text_as_it_was() {
    let document = of_webhook(&hostile());
    let first = &document["findings"][0];
    assert_eq!((first["title"].as_str(), &document["left_out"]), (Some(HOSTILE), &serde_json::json!(7)));
    for key in [
        "state",
        "code",
        "severity",
        "confidence",
        "summary",
        "about",
        "next_step",
        "time",
        "explain",
        "page",
    ] {
        assert!(first[key].is_string(), "{key}");
    }
    assert_eq!((&document["host"], &document["test"]), (&"reeve.example".into(), &false.into()));
    assert_eq!(of_webhook(&Notice::test(Timestamp::from_ns(AT)))["test"], true);
    assert_eq!(of_webhook(&held())["held_back"]["codes"][0]["count"], 40);
}

#[test]
fn the_document_keeps_its_schema_and_that_is_the_committed_one() {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<json::Document<'static>>();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/alert-v1.schema.json");
    if std::env::var_os("PORTREEVE_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == text, "look at the change and run the tests once with PORTREEVE_BLESS=1");
    let validator = jsonschema::validator_for(&schema.to_value()).unwrap();
    for notice in [plain(), hostile(), held(), Notice::test(Timestamp::from_ns(AT))] {
        let mut document = of_webhook(&notice);
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        document["findings"] = "none".into();
        assert!(!validator.is_valid(&document));
    }
}

#[test]
fn a_signature_is_over_time_and_body() {
    // From: printf '1795744984.{}' | openssl dgst -sha256 -hmac key
    let expected = "v1=8e47efe8984abbce24347a9f59f2c54e8e7c6a0b6971c044b2512b92f0328cd4";
    assert_eq!(json::signature(b"key", 1_795_744_984, b"{}"), expected);
    assert_ne!(json::signature(b"key", 1_795_744_985, b"{}"), expected);
    assert_ne!(json::signature(b"other", 1_795_744_984, b"{}"), expected);
}

#[test]
fn events_of_eve_are_lines_with_the_place_where_there_is_one() {
    let lines = string(&with(|context| eve::lines(&hostile(), context)));
    assert_eq!(lines.lines().count(), 2);
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&event["dest_ip"], &event["dest_port"]), (&"::".into(), &420.into()));
        assert_eq!((&event["proto"], &event["event_type"]), (&"TCP".into(), &"alert".into()));
        assert_eq!(event["timestamp"], "2026-11-27T02:03:04.005006+0000");
    }
    let held = string(&with(|context| eve::lines(&held(), context)));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&held).unwrap()["portreeve"]["count"], 42);
}

#[test]
fn a_collector_that_refuses_a_part_is_understood() {
    for (answer, refused) in [
        ("{}", false),
        ("", false),
        ("{\"partialSuccess\":{}}", false),
        ("{\"partialSuccess\":{\"rejectedLogRecords\":\"0\"}}", false),
        ("{\"partialSuccess\":{\"rejectedLogRecords\":\"2\",\"errorMessage\":\"old\"}}", true),
        ("{\"partialSuccess\":{\"rejectedLogRecords\":2}}", true),
    ] {
        assert_eq!(otlp::refused(answer.as_bytes()).is_some(), refused, "{answer}");
    }
    let request = with(|context| otlp::request(&plain(), context, Timestamp::from_ns(AT + 1)));
    let record = &request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    assert_eq!(record["timeUnixNano"], AT.to_string());
    assert_eq!(record["severityNumber"], 13);
}

#[test]
fn a_page_for_people_obeys_nobody() {
    for notice in [plain(), hostile(), held()] {
        let page = with(|context| text::page(&notice, context));
        assert!(!page.chars().any(|it| it != '\n' && crate::sanitise::is_unsafe(it)), "{page}");
        let subject = with(|context| text::subject(&notice, context));
        assert!(!subject.chars().any(crate::sanitise::is_unsafe));
    }
    assert_eq!(shortened("abcdef", 6), "abcdef");
    assert_eq!(shortened("abcéf", 5), "ab…");
}
