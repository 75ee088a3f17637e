//! Settings as they are written, laid over each other, and refused.

use std::time::Duration;

use super::*;

const WHOLE: &str = r#"
[watch]
interfaces = ["eth0", "lo"]
packets = true
events = true
kernel = false
filter = "net 192.0.2.0/24 and not port 22"
netns = "blue"
promiscuous = true
workers = 3
memory = "128M"
ring = 33554432
event-ring = "4M"

[sessions]
sdp = ["/etc/portreeve/camera1.sdp"]
nmos = ["http://registry.example:8235"]

[serve]
socket = "/run/portreeve/control.sock"
group = "adm"
user = "portreeve"
judge-every = "250ms"
look-every = "1m"
reload = false
confine = false
"#;

fn one(text: &str) -> Result<Settings, Fault> {
    parse([("portreeve.toml", text)])
}

#[test]
fn every_key_is_read() {
    let settings = one(WHOLE).unwrap();
    let watch = &settings.watch;
    assert_eq!(watch.interfaces, ["eth0", "lo"]);
    assert_eq!(
        (watch.memory, watch.ring, watch.event_ring),
        (Size(128 << 20), Size(32 << 20), Size(4 << 20))
    );
    assert!(!watch.kernel && watch.promiscuous && watch.netns.as_deref() == Some("blue"));
    assert_eq!((settings.sessions.sdp.len(), settings.sessions.nmos.len()), (1, 1));
    assert_eq!(watch.workers, 3);
    let serve = &settings.serve;
    assert_eq!(serve.judge_every, Span(Duration::from_millis(250)));
    assert_eq!(serve.look_every, Span(Duration::from_secs(60)));
    assert_eq!((serve.group.as_deref(), serve.user.as_deref()), (Some("adm"), Some("portreeve")));
    assert!(!serve.reload && !serve.confine);
    // What nobody sets is as it is without a file, and a file with nothing in it sets nothing.
    assert_eq!(one("").unwrap(), Settings::default());
    assert_eq!(parse([]).unwrap(), Settings::default());
}

#[test]
fn later_files_lie_over_earlier_ones_key_by_key() {
    let over = "[watch]\nring = \"2M\"\ninterfaces = [\"eth1\"]\n";
    let settings = parse([("portreeve.toml", WHOLE), ("portreeve.d/10.toml", over)]).unwrap();
    assert_eq!((settings.watch.ring, settings.watch.memory), (Size(2 << 20), Size(128 << 20)));
    // A list of words is one value; only lists of sections add up.
    assert_eq!(settings.watch.interfaces, ["eth1"]);
    let mut below: Table = "[[alert]]\nname = \"a\"\n".parse().unwrap();
    lay_over(&mut below, "[[alert]]\nname = \"b\"\n".parse().unwrap());
    assert_eq!(below["alert"].as_array().unwrap().len(), 2);
}

#[test]
fn each_mistake_has_its_place_and_says_what_is_allowed() {
    for (text, line, column, reason) in [
        ("[watch]\nfitler = \"tcp\"", 2, 1, "`fitler` is not a key here; did you mean `filter`?"),
        ("[serve]\njudge_every = \"1s\"", 2, 1, "did you mean `judge-every`?"),
        ("[wacht]\n", 1, 2, "did you mean `watch`? Allowed: "),
        ("[zzz]\n", 1, 2, "`zzz` is not a key here; allowed: "),
        ("\n[watch]\nring = \"16\u{b5}\"", 3, 8, "16M"),
        ("[watch]\nring = \"1K\"", 2, 8, "a size from 1M to 1G, and not 1K"),
        ("[watch]\nring = -1", 2, 8, "a size"),
        ("[watch]\nmemory = \"9999999999999T\"", 2, 10, "a size"),
        ("[watch]\npackets = \"yes\"", 2, 11, "expected a boolean"),
        ("[watch]\ninterfaces = [\"eth 0\"]", 2, 14, "not the name of an interface"),
        ("[watch]\nfilter = \"prot 1\"", 2, 10, "not a filter"),
        ("[watch]\nworkers = 0", 2, 11, "between 1 and 64 workers, and not 0"),
        ("[serve]\njudge-every = \"1ms\"", 2, 15, "a time from 50ms to 1h, and not 1ms"),
        ("[serve]\njudge-every = 1", 2, 15, "a time with its unit"),
        ("[serve]\njudge-every = \"+1s\"", 2, 15, "a time with its unit"),
        ("[serve]\nsocket = \"control.sock\"", 2, 10, "a path from the root"),
        ("[sessions]\nnmos = [\"registry.example\"]", 2, 8, "no address of the form http://"),
        ("[sessions]\nsdp = [\"a.sdp\"]", 2, 7, "a path from the root"),
        ("[serve\n", 1, 7, ""),
        ("[history]\nkeep-day = 1", 2, 1, "did you mean `keep-days`?"),
        ("[history]\n\nkeep-days = 0", 3, 1, "it may be from 1 to 3650"),
        ("[decoy]\nlevel = \"attack\"", 2, 9, "expected observe"),
        ("watch = 3", 1, 9, "WatchSettings"),
    ] {
        let fault = one(text).unwrap_err();
        assert!(fault.reason.contains(reason), "{text:?}: {fault}");
        assert_eq!((fault.line, fault.column), (line, column), "{text:?}: {fault}");
        assert!(fault.to_string().starts_with("portreeve.toml:"), "{fault}");
    }
    let second = parse([("a.toml", WHOLE), ("b.toml", "\n\n[serve]\nusr = 1")]).unwrap_err();
    assert_eq!((second.file.as_str(), second.line), ("b.toml", 4));
    // Each of these is right, and both together are not.
    let (less, more) = ("[history]\nkeep-summaries-days = 100", "# more\n[history]\nkeep-days = 200");
    assert!(one(less).is_ok() && one("[history]\nkeep-days = 95").is_ok());
    let between = parse([("a.toml", less), ("b.toml", more)]).unwrap_err();
    assert_eq!((between.file.as_str(), between.line), ("a.toml", 2), "{between}");
}

#[test]
fn amounts_are_read_and_written_alike() {
    for (text, bytes) in
        [("0", 0), ("1", 1), ("1K", 1024), ("1536K", 3 << 19), ("2G", 2 << 30), ("1T", 1 << 40)]
    {
        assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
        assert_eq!(Size(bytes).to_string(), text);
    }
    for (text, ms) in
        [("0ms", 0), ("1500ms", 1500), ("2s", 2000), ("90s", 90_000), ("3m", 180_000), ("2d", 172_800_000)]
    {
        assert_eq!(Span::parse(text), Some(Span(Duration::from_millis(ms))), "{text}");
        assert_eq!(Span(Duration::from_millis(ms)).to_string(), text);
    }
    for wrong in ["", "K", "-1K", "1.5M", "1 M", "M1", "18446744073709551615K"] {
        assert_eq!(Size::parse(wrong), None, "{wrong}");
    }
    for wrong in ["", "5", "s", "1 s", "1w", "18446744073709551615d"] {
        assert_eq!(Span::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn every_prefix_and_a_seeded_random_run_are_read_or_refused_with_a_place() {
    for end in 0..=WHOLE.len() {
        if let Err(fault) = one(WHOLE.get(..end).unwrap()) {
            assert!(fault.line <= WHOLE.lines().count() && fault.column >= 1 && !fault.reason.is_empty());
        }
    }
    let mut seed = 0x2545_f491_u64;
    let mut next = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % 65_521).unwrap() % below
    };
    let mut read = 0;
    for _ in 0..2000 {
        let mut bytes = WHOLE.as_bytes().to_vec();
        let at = next(bytes.len());
        match next(3) {
            0 => bytes[at] = b"\"[]=\n#-,09MsT"[next(13)],
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, b"\"[]=\n#-,09MsT"[next(13)]),
        }
        read += usize::from(one(&String::from_utf8(bytes).unwrap()).is_ok());
    }
    assert!((100..1900).contains(&read), "{read}");
}

/// The example that people copy, as it is and with each default written out.
const EXAMPLE: &str = include_str!("../../../../contrib/portreeve.toml");

#[test]
fn the_example_sets_nothing_and_its_defaults_are_the_defaults() {
    assert_eq!(one(EXAMPLE).unwrap(), Settings::default());
    // A comment has a space behind its sign; a default has none.
    let is_default = |line: &&str| line.starts_with('#') && line.get(1..2).is_some_and(|next| next != " ");
    let written_out: String = EXAMPLE
        .lines()
        .map(|line| if is_default(&line) { line.trim_start_matches('#') } else { line })
        .fold(String::new(), |text, line| text + line + "\n");
    let all = one(&written_out).unwrap();
    let mut expected = Settings::default();
    // These have no default that could be written; that of workers is the machine's.
    expected.watch.workers = all.watch.workers;
    (expected.watch.filter, expected.watch.netns) = (all.watch.filter.clone(), all.watch.netns.clone());
    let serve = &all.serve;
    (expected.serve.socket, expected.serve.group, expected.serve.user) =
        (serve.socket.clone(), serve.group.clone(), serve.user.clone());
    assert!(all.watch.filter.is_some() && serve.user.is_some() && serve.group.is_some());
    assert_eq!((all.sessions.sdp.len(), all.sessions.nmos.len()), (0, 0));
    (expected.decoy.ports, expected.decoy.netns) = (all.decoy.ports.clone(), all.decoy.netns.clone());
    assert_eq!(all, expected);
    assert_eq!(EXAMPLE.lines().filter(is_default).count(), 42);
    let (_, alerts) = EXAMPLE.split_once("\n# Ways").unwrap();
    let alerts: String = alerts
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .fold(String::new(), |text, line| text + line + "\n");
    assert_eq!(one(&alerts).unwrap().alert.len(), 7, "each kind has its example");
}
