//! Two clocks of ptp4l in namespaces, seen from the wire between them (IEEE 1588, ST 2059-2).

#![expect(clippy::print_stderr, reason = "a test says what it skips")]

use std::path::PathBuf;
use std::process::Command;

use model::media::ptp::{DelayMechanism, PtpProfile, PtpSender};
use portreeve_media::ptp::{Arrival, EVENT_PORT, GENERAL_PORT, Observer};
use wire::capture::{Reader, Step};
use wire::packet::{Decoded, decode};

/// A master here, a slave behind a pair of interfaces, and a capture of what passes. Neither touches the machine's clock.
const SCRIPT: &str = r#"
set -e
folder=$1
started=
trap 'kill $started 2>/dev/null || true' EXIT
unshare -n sleep 60 >/dev/null 2>&1 &
peer=$!
started=$peer
while [ "$(readlink /proc/$peer/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add near type veth peer name far netns $peer
ip address add 10.98.0.1/24 dev near
ip link set near up
nsenter -t $peer -n sh -c 'ip address add 10.98.0.2/24 dev far; ip link set far up'
clock="--domainNumber=127 --logAnnounceInterval=-3 --logSyncInterval=-4 --logMinDelayReqInterval=-4 --free_running=1 -S -q"
ptp4l -i near $clock --uds_address=$folder/near >/dev/null 2>&1 &
started="$started $!"
nsenter -t $peer -n ptp4l -i far $clock -s --uds_address=$folder/far >/dev/null 2>&1 &
started="$started $!"
timeout 40 tcpdump -i near -U -Z root -c 250 -w $folder/seen.pcap --time-stamp-precision=nano 'udp port 319 or udp port 320'
"#;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether namespaces can be made and the programs are there.
fn possible() -> bool {
    let works =
        |words: &[&str]| Command::new("unshare").args(words).output().is_ok_and(|it| it.status.success());
    if !works(&["-n", "true"]) {
        eprintln!("SKIPPED: two clocks need root, for namespaces");
        return false;
    }
    let all = "command -v ptp4l && command -v tcpdump && command -v ip && command -v nsenter";
    let there = Command::new("sh").args(["-c", all]).output().is_ok_and(|it| it.status.success());
    if !there {
        eprintln!("SKIPPED: ptp4l, tcpdump, ip and nsenter are not all installed");
    }
    there
}

#[test]
fn what_passes_between_two_clocks_is_measured() {
    if !possible() {
        return;
    }
    let folder = Folder(std::env::temp_dir().join(format!("portreeve-clocks-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let output =
        Command::new("unshare").args(["-n", "sh", "-c", SCRIPT, "sh"]).arg(&folder.0).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let bytes = std::fs::read(folder.0.join("seen.pcap")).unwrap();
    let (mut reader, mut observer) = (Reader::new(), Observer::default());
    let mut rest = bytes.as_slice();
    let mut number = 0;
    loop {
        let used = match reader.read(rest, true).unwrap() {
            Step::Frame { frame, consumed } => {
                number += 1;
                if let Ok(Decoded::Packet(packet)) = decode(&frame) {
                    assert!([EVENT_PORT, GENERAL_PORT].contains(&packet.destination_port));
                    observer.handle(
                        packet.payload,
                        &Arrival {
                            source: PtpSender::Ip(packet.source.to_ip()),
                            time: frame.time,
                            frame: number,
                            event_port: Some(packet.destination_port == EVENT_PORT),
                        },
                    );
                }
                consumed
            }
            Step::Skipped { consumed } | Step::Damaged { consumed, .. } => consumed,
            Step::NeedMore { .. } | Step::End => break,
        };
        rest = rest.get(used..).unwrap();
    }

    let facts = observer.facts();
    assert_eq!((facts.messages, facts.malformed, facts.domains.len()), (250, 0, 1), "{facts:#?}");
    let domain = facts.domains.first().unwrap();
    assert_eq!((domain.number, domain.delay), (127, DelayMechanism::EndToEnd));
    assert_eq!(domain.profile, PtpProfile::St2059);
    let master = domain.ports.first().unwrap();
    assert_eq!(master.sender, PtpSender::Ip([10, 98, 0, 1].into()));
    assert_eq!((domain.master, domain.best), (Some(master.identity), Some(master.identity)));
    assert_eq!((master.syncs.log_interval, master.announces.log_interval), (Some(-4), Some(-3)));
    assert_eq!((master.sequence_gaps, master.follow_ups_missing), (0, 0));
    // Both clocks and the capture are of one machine: what is measured is what its scheduler adds.
    let (path, ahead) = (domain.path_delay_ns.mean().unwrap(), domain.capture_ahead_ns.mean().unwrap());
    assert!(path.abs() < 2_000_000 && ahead.abs() < 2_000_000, "path {path} ns, ahead {ahead} ns");
    assert!(domain.path_delay_ns.count > 20);
    // A ptp4l that stamps in software keeps the system's time, and says that this is not TAI.
    let rung: Vec<_> = facts.faults.iter().map(|it| it.rule.name).collect();
    assert!(rung.contains(&"ptp-timescale") && facts.tai.is_none(), "{rung:?}");
    eprintln!("path {path} ns, capture ahead {ahead} ns, rules broken: {rung:?}");
}
