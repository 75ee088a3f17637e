//! Receivers that hang, refuse, or never read: nobody waits for them.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use portreeve_engine::alerting::{Alerting, trial};

use crate::stage::{Folder, machine, settings, sighting, wait_until};

#[test]
fn ways_that_are_dead_slow_neither_us_nor_the_others() {
    let folder = Folder::new();
    // Connections come to be, and nobody ever reads them.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = hanging.local_addr().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let eve = folder.path("eve.json");
    let text = [
        format!("name = \"hook\"\nkind = \"webhook\"\nurl = \"http://{to}/\"\ngroup-for = \"0s\""),
        format!("name = \"tls\"\nkind = \"syslog\"\ntransport = \"tls\"\nserver = \"{to}\"\ninsecure = true"),
        format!("name = \"tcp\"\nkind = \"syslog\"\ntransport = \"tcp\"\nserver = \"{closed}\""),
        "name = \"slow\"\nkind = \"command\"\ncommand = [\"/bin/sleep\", \"600\"]\nlimit = \"1s\"\ngroup-for = \"0s\"".into(),
        "name = \"full\"\nkind = \"eve\"\npath = \"/dev/full\"".into(),
        format!("name = \"good\"\nkind = \"eve\"\npath = \"{eve}\""),
    ];
    let text: String = text.iter().map(|entry| format!("[[alert]]\n{entry}\n")).collect();
    let alerting = Alerting::begin(&settings(&text), &machine()).unwrap();
    const MANY: u64 = 5000;
    let begun = Instant::now();
    for number in 0..MANY {
        alerting.tell(&sighting(&format!("tcp 0.0.0.0:420 /opt/{number}")));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // The way that works has done its work while the others hang.
    let done = wait_until(|| {
        let good = alerting.counts().pop().unwrap();
        good.sent + good.dropped == MANY && good.waiting == 0
    });
    assert!(done, "{:?}", alerting.counts());
    let begun = Instant::now();
    let counts = alerting.finish(Duration::from_secs(2));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let good = counts.last().unwrap();
    assert_eq!((good.failed, good.sent + good.dropped), (0, MANY));
    let lines = fs::read_to_string(&eve).unwrap().lines().count();
    assert_eq!(u64::try_from(lines).unwrap(), good.sent);
    for dead in counts.iter().take(counts.len() - 1) {
        assert_eq!(dead.sent, 0, "{dead:?}");
        // What was lost is known, whether there was no room, no time, or a limit.
        assert!(dead.dropped + dead.failed + dead.waiting > 0, "{dead:?}");
    }
    let refused = counts.iter().find(|it| it.name == "tcp").unwrap();
    assert!(refused.last_error.as_ref().unwrap().contains("(TCP)"), "{refused:?}");
}

#[test]
fn a_trial_says_of_each_way_what_came_of_it() {
    let folder = Folder::new();
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let eve = folder.path("eve.json");
    let text = format!(
        "[[alert]]\nname = \"eve\"\nkind = \"eve\"\npath = \"{eve}\"\n\
         [[alert]]\nname = \"udp\"\nkind = \"syslog\"\nserver = \"{closed}\"\n\
         [[alert]]\nname = \"gone\"\nkind = \"journal\"\nsocket = \"/nowhere/socket\"\n\
         [[alert]]\nname = \"fails\"\nkind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"echo why >&2; exit 3\"]\n\
         [[alert]]\nname = \"works\"\nkind = \"command\"\ncommand = [\"/usr/bin/tee\", \"{0}/document\"]\n",
        folder.0.display()
    );
    let outcomes = trial(&settings(&text), &machine(), Duration::from_secs(30));
    let why: Vec<String> = outcomes
        .iter()
        .map(|it| it.as_ref().map_or_else(|it| it.why.clone(), |it| it.words().into()))
        .collect();
    assert_eq!(
        outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, false, false, true],
        "{why:?}"
    );
    assert!(why[1].contains("nobody listens") && why[2].contains("/nowhere/socket"), "{why:?}");
    assert_eq!(why[3], "/bin/sh ended with status 3: why");
    assert!(fs::read_to_string(&eve).unwrap().contains("this is a test"));
    let document: serde_json::Value = serde_json::from_str(&folder.read("document")).unwrap();
    assert_eq!(document["test"], true);
}

#[test]
fn what_is_known_stays_quiet_and_what_is_over_is_told() {
    let folder = Folder::new();
    let text = format!("[[alert]]\nname = \"e\"\nkind = \"eve\"\npath = \"{}\"\n", folder.path("eve.json"));
    let alerting = Alerting::begin(&settings(&text), &machine()).unwrap();
    let (old, new) = (sighting("tcp 0.0.0.0:420 /old"), sighting("tcp 0.0.0.0:420 /new"));
    alerting.known(&old);
    for _ in 0..10 {
        alerting.tell(&old);
        alerting.tell(&new);
    }
    alerting.resolved(&old);
    alerting.resolved(&new);
    alerting.tell(&old);
    let counts = alerting.finish(Duration::from_secs(20)).remove(0);
    assert_eq!((counts.sent, counts.dropped, counts.waiting), (4, 0, 0));
    let lines: Vec<serde_json::Value> =
        folder.read("eve.json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines
        .iter()
        .map(|it| (it["portreeve"]["state"].as_str().unwrap(), it["portreeve"]["about"].as_str().unwrap()))
        .collect();
    let (old, new) = ("tcp 0.0.0.0:420 /old", "tcp 0.0.0.0:420 /new");
    assert_eq!(told, [("found", new), ("over", old), ("over", new), ("found", old)]);
}
