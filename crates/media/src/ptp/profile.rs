//! Which profile of PTP a domain looks like, and where it departs from it.

use model::media::ptp::{DelayMechanism, PtpDomain, PtpPort, PtpProfile, PtpSender};
use model::media::{Occurrence, Spread, StreamRule};

use super::rules;
use crate::Tally;

/// Which profile, and why.
pub fn guess(domain: &PtpDomain, power: bool) -> (PtpProfile, Vec<&'static str>) {
    let ethernet = domain.ports.iter().any(|port| matches!(port.sender, PtpSender::Mac(_)));
    let announce = |log| domain.ports.iter().any(|port| port.announces.log_interval == Some(log));
    let sync = |log| domain.ports.iter().any(|port| port.syncs.log_interval == Some(log));
    let fast = sync(-3) || sync(-4);
    let choices = [
        (domain.sdo >> 8 == 1, PtpProfile::Ieee8021As, "messages are marked as those of IEEE 802.1AS"),
        (domain.metadata.is_some(), PtpProfile::St2059, "synchronisation metadata are sent"),
        (power, PtpProfile::Power, "extensions of the power profile are sent"),
        (!ethernet && domain.number == 127, PtpProfile::St2059, "its domain is 127"),
        (!ethernet && announce(-2) && fast, PtpProfile::St2059, "its intervals are the default ones of it"),
        ((24..64).contains(&domain.number), PtpProfile::Telecom, "its domain is one of 24 to 63"),
        (
            !ethernet && domain.number == 0 && fast,
            PtpProfile::Aes67,
            "domain 0 has a Sync interval of 2^-3 or 2^-4 s",
        ),
    ];
    let Some(profile) = choices.iter().find(|it| it.0).map(|it| it.1) else {
        return (PtpProfile::Default, vec!["nothing speaks for another one"]);
    };
    (profile, choices.iter().filter(|it| it.0 && it.1 == profile).map(|it| it.2).collect())
}

/// Notes where a domain departs from its profile.
pub fn judge(domain: &PtpDomain, at: Occurrence, tally: &mut Tally) {
    let masters = domain.ports.iter().filter(|port| port.announces.count + port.syncs.count > 0);
    match domain.profile {
        PtpProfile::St2059 => {
            if domain.number > 127 {
                tally.note(&rules::DOMAIN, at, || format!("domain {}", domain.number));
            }
            for port in masters {
                range(port.announces.log_interval, -3, 1, &rules::ANNOUNCE_INTERVAL, port, at, tally);
                range(port.syncs.log_interval, -7, -1, &rules::SYNC_INTERVAL, port, at, tally);
                if let Some(sync) = port.syncs.log_interval {
                    let most = sync.saturating_add(5);
                    range(port.request_log_interval, sync, most, &rules::REQUEST_INTERVAL, port, at, tally);
                }
                if port.announce.is_some_and(|announce| !announce.ptp_timescale) {
                    tally.note(&rules::TIMESCALE, at, || port.identity.to_string());
                }
            }
            for port in domain.ports.iter().filter(|port| matches!(port.sender, PtpSender::Mac(_))) {
                tally.note(&rules::TRANSPORT, at, || format!("{} over Ethernet", port.identity));
            }
            // They come every second; a few seconds without any are enough.
            let whole = |spread: Spread| i128::from(spread.mean().unwrap_or(0)) * i128::from(spread.count);
            let seen_ns = domain.ports.iter().map(|port| whole(port.syncs.interval_ns)).max().unwrap_or(0);
            if domain.metadata.is_none() && seen_ns > 5_000_000_000 {
                tally.note(&rules::METADATA, at, || format!("domain {}", domain.number));
            }
        }
        PtpProfile::Aes67 => {
            for port in masters {
                range(port.announces.log_interval, 0, 4, &rules::MEDIA_INTERVAL, port, at, tally);
                range(port.syncs.log_interval, -4, 1, &rules::MEDIA_INTERVAL, port, at, tally);
            }
        }
        PtpProfile::Power => {
            let peer = matches!(domain.delay, DelayMechanism::PeerToPeer | DelayMechanism::Unseen);
            let ethernet = domain.ports.iter().all(|port| matches!(port.sender, PtpSender::Mac(_)));
            if !peer || !ethernet {
                tally.note(&rules::POWER_TRANSPORT, at, || format!("domain {}", domain.number));
            }
        }
        PtpProfile::Default | PtpProfile::Ieee8021As | PtpProfile::Telecom => {}
    }
}

/// Notes an interval that lies outside its range.
fn range(
    log_interval: Option<i8>,
    least: i8,
    most: i8,
    rule: &'static StreamRule,
    port: &PtpPort,
    at: Occurrence,
    tally: &mut Tally,
) {
    if let Some(log) = log_interval.filter(|log| !(least..=most).contains(log)) {
        tally.note(rule, at, || format!("{}: 2^{log} s, not 2^{least} to 2^{most} s", port.identity));
    }
}

/// Notes intervals that are not the stated ones (IEEE 1588-2008 §7.7.2.1).
pub fn intervals(port: &PtpPort, at: Occurrence, tally: &mut Tally) {
    for (name, cadence) in [("Announce", port.announces), ("Sync", port.syncs)] {
        let Some(log) = cadence.log_interval.filter(|log| (-10..=10).contains(log)) else { continue };
        let stated_ns = if log < 0 { 1_000_000_000 >> -log } else { 1_000_000_000_i64 << log };
        let mean_ns = cadence.interval_ns.mean().unwrap_or(0);
        if cadence.interval_ns.count >= 10 && (mean_ns - stated_ns).saturating_mul(10).abs() > stated_ns * 3 {
            tally.note(&rules::INTERVAL, at, || {
                format!("{}: {name} every {mean_ns} ns, {stated_ns} ns stated", port.identity)
            });
        }
    }
}
