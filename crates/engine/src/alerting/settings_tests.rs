//! Entries as people write them, right and wrong.

use super::*;

fn read(text: &str) -> Result<Vec<AlertSettings>, String> {
    crate::settings::parse([("portreeve.toml", text)]).map(|it| it.alert).map_err(|fault| fault.to_string())
}

fn one(text: &str) -> AlertSettings {
    read(&format!("[[alert]]\nname = \"x\"\n{text}\n")).unwrap().remove(0)
}

#[test]
fn every_kind_has_defaults() {
    for (text, target) in [
        ("kind = \"syslog\"", "/dev/log"),
        ("kind = \"syslog\"\nserver = \"logs\"", "udp logs"),
        (
            "kind = \"syslog\"\nserver = \"[::1]:601\"\ntransport = \"tcp\"\nfacility = \"local3\"",
            "tcp [::1]:601",
        ),
        ("kind = \"syslog\"\nserver = \"logs\"\ntransport = \"tls\"\nca-file = \"/etc/ca.pem\"", "tls logs"),
        ("kind = \"journal\"", "systemd-journald"),
        (
            "kind = \"webhook\"\nurl = \"https://hooks.example/a?b=c\"\nsecret-file = \"/etc/key\"",
            "https://hooks.example/a?b=c",
        ),
        ("kind = \"mail\"\nto = [\"root\", \"ops@example.com\"]", "root, ops@example.com"),
        ("kind = \"command\"\ncommand = [\"/bin/page\", \"a b\"]", "/bin/page a b"),
        ("kind = \"eve\"\npath = \"/var/log/eve.json\"", "/var/log/eve.json"),
        ("kind = \"otlp\"\nurl = \"http://collector:4318/\"", "http://collector:4318/v1/logs"),
        ("kind = \"otlp\"\nurl = \"http://collector/other\"", "http://collector/other"),
    ] {
        let entry = one(text);
        assert_eq!(entry.way.target(), target);
        let (least, resolved) = (entry.rules.least, entry.rules.resolved);
        assert_eq!(entry.way.is_record(), least == Severity::Note && resolved, "{text}");
        assert_eq!(entry.rules.group_for.is_zero(), entry.way.is_record());
        assert!(!entry.way.advice().is_empty());
    }
}

#[test]
fn a_way_says_what_it_needs() {
    let hook = one(
        "kind = \"webhook\"\nurl = \"https://x\"\nsecret-file = \"/s\"\ntoken-file = \"/t\"\nca-file = \"/a\"\n\
         certificate = \"/c\"\nkey = \"/k\"",
    );
    assert_eq!(hook.way.files_read(), ["/s", "/t", "/a", "/c", "/k"].map(Path::new));
    assert_eq!((hook.way.program(), hook.way.file_written()), (None, None));
    assert_eq!(one("kind = \"mail\"\nto = [\"root\"]").way.program(), Some(Path::new("/usr/sbin/sendmail")));
    assert_eq!(one("kind = \"eve\"\npath = \"/e\"").way.file_written(), Some(Path::new("/e")));
}

#[test]
fn rules_are_as_they_were_set() {
    let entry = one(
        "kind = \"mail\"\nto = [\"root\"]\nmin-severity = \"alert\"\ncodes = [\"silent-*\"]\nexcept = [\"scan\"]\n\
         group-for = \"1m\"\nrepeat-every = \"1d\"\nresolved = true\nmost-per-minute = 3\npage = \"https://w/{code}\"",
    );
    let expected = Rules {
        least: Severity::Alert,
        codes: vec!["silent-*".into()],
        except: vec!["scan".into()],
        group_for: Duration::from_secs(60),
        repeat_every: Some(DAY),
        resolved: true,
        most_per_minute: 3,
    };
    assert_eq!((entry.rules, entry.page.as_deref()), (expected, Some("https://w/{code}")));
}

#[test]
fn what_is_wrong_is_said() {
    for (text, part) in [
        ("kind = \"pigeon\"", "unknown variant"),
        ("kind = \"webhook\"", "`url` is needed"),
        ("kind = \"webhook\"\nurl = \"ftp://x\"", "begins with http"),
        ("kind = \"webhook\"\nurl = \"https://u:p@x/\"", "no name and password"),
        ("kind = \"webhook\"\nurl = \"https://x\"\nsecret-file = \"key\"", "from the root"),
        ("kind = \"webhook\"\nurl = \"https://x\"\nsecret = \"key\"", "not a key here"),
        ("kind = \"webhook\"\nurl = \"https://x\"\ncertificate = \"/c\"", "go together"),
        ("kind = \"webhook\"\nurl = \"https://x\"\ninsecure = true\nca-file = \"/c\"", "believes everybody"),
        ("kind = \"webhook\"\nurl = \"https://x\"\nto = [\"a\"]", "`to` is not a key of kind"),
        ("kind = \"mail\"", "`to` is needed"),
        ("kind = \"mail\"\nto = [\"a@b\\nBcc: c@d\"]", "no address"),
        ("kind = \"mail\"\nto = [\"a,b@c\"]", "no address"),
        ("kind = \"mail\"\nto = [\"-oQ/tmp\"]", "no address"),
        ("kind = \"command\"\ncommand = [\"page\"]", "whole path"),
        ("kind = \"command\"\ncommand = \"/bin/page\"", "invalid type"),
        ("kind = \"command\"\ncommand = [\"/bin/page\"]\nlimit = \"1d\"", "from 100ms to 5m"),
        ("kind = \"eve\"", "`path` is needed"),
        ("kind = \"eve\"\npath = \"/x\"\ngroup-for = \"1s\"", "for people"),
        ("kind = \"syslog\"\nfacility = \"kern\"", "no facility"),
        ("kind = \"syslog\"\ntransport = \"tcp\"", "`server` is needed"),
        ("kind = \"syslog\"\nserver = \"a b\"", "no server"),
        ("kind = \"syslog\"\nserver = \"logs:x\"", "no server"),
        ("kind = \"syslog\"\nserver = \"logs\"\ntransport = \"local\"", "does not go with"),
        ("kind = \"syslog\"\nserver = \"logs\"\nca-file = \"/c\"", "`ca-file` is not a key"),
        ("kind = \"journal\"\ncodes = [\"nothing-*\"]", "no code of a finding"),
        ("kind = \"journal\"\nrepeat-every = \"1s\"", "at least 1m"),
        ("kind = \"journal\"\npage = \"javascript:1\"", "an address"),
    ] {
        let error = read(&format!("[[alert]]\nname = \"x\"\n{text}\n")).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
    let named = |name: &str| read(&format!("[[alert]]\nname = \"{name}\"\nkind = \"journal\"\n"));
    assert!(named("a b").is_err() && named("").is_err() && named("a-B_9.c").is_ok());
    let twice = "[[alert]]\nname = \"x\"\nkind = \"journal\"\n".repeat(2);
    assert!(read(&twice).unwrap_err().contains("two alerts have the name"));
}
