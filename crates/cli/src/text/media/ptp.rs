//! PTP as a listener sees it, for people.

use std::fmt::Write as _;

use engine::TrafficView;
use model::media::ptp::{PtpAnnounce, PtpCadence, PtpDomain, PtpPort};

use super::probe::{time, times};
use crate::sanitise;
use crate::style::Paint;
use crate::text::Form;
use crate::text::paper::field;

/// Writes a page for each clock domain.
pub(crate) fn media_ptp(out: &mut String, view: &TrafficView, form: Form) {
    let facts = &view.traffic.media.ptp;
    if facts.messages + facts.version1_messages == 0 {
        out.push_str("No PTP was seen.\n");
        return;
    }
    for domain in &facts.domains {
        page(out, domain, form);
    }
    for master in &facts.version1 {
        let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, "PTP version 1"));
        let uuid: Vec<String> = master.uuid.iter().map(|octet| format!("{octet:02x}")).collect();
        let [syncs, requests, ..] = master.counts;
        let text = format!(
            "{} port {}, subdomain {}, {syncs} sync, {requests} requests",
            uuid.join(":"),
            master.port,
            master.subdomain
        );
        field(out, "master", &sanitise::line(&text), form);
    }
    if let Some(tai) = &facts.tai {
        let path = if tai.path_delay_known { "path delay left out" } else { "path delay not known" };
        let text = format!(
            "TAI less {} by {} ({path}, {} samples within {})",
            time(tai.add_ns),
            tai.grandmaster,
            tai.samples,
            time(i64::try_from(tai.spread_ns).unwrap_or(i64::MAX))
        );
        field(out, "capture clock", &text, form);
    }
    for fault in &facts.faults {
        let detail = if fault.detail.is_empty() { String::new() } else { format!(" ({})", fault.detail) };
        let text = format!(
            "{}, {}×, first in frame {}: {}{detail} [{}]",
            fault.rule.name, fault.count, fault.first.frame, fault.rule.text, fault.rule.clause
        );
        field(out, "fault", &sanitise::line(&text), form);
    }
    let (all, old, bad) = (facts.messages, facts.version1_messages, facts.malformed);
    let _ = writeln!(out, "\n{all} messages, {old} of version 1, {bad} that could not be read.");
}

fn page(out: &mut String, domain: &PtpDomain, form: Form) {
    let title = format!("PTP domain {}, version {}.{}", domain.number, domain.version.0, domain.version.1);
    let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, title));
    let reasons = domain.profile_reasons.join(", ");
    let reasons = if reasons.is_empty() { reasons } else { format!(" ({reasons})") };
    field(out, "profile", &format!("{}{reasons}", domain.profile.name()), form);
    let identity = |port: Option<model::media::ptp::PortIdentity>| {
        port.map_or_else(|| String::from("none"), |port| port.to_string())
    };
    let mut text = identity(domain.master);
    match domain.best {
        None if domain.master.is_some() => {
            text.push_str("; nothing was announced that says who it should be")
        }
        best if best != domain.master => {
            let _ = write!(text, "; by what was announced it should be {}", identity(best));
        }
        _ => {}
    }
    if domain.changes_of_master > 0 {
        let _ = write!(text, "; changed {}×", domain.changes_of_master);
    }
    field(out, "master", &text, form);
    field(out, "delay", &format!("{}, {}", domain.delay.word(), times(&domain.path_delay_ns)), form);
    if !domain.capture_ahead_ns.is_empty() {
        let text = format!("{} ahead of the master", times(&domain.capture_ahead_ns));
        field(out, "capture clock", &text, form);
    }
    for port in &domain.ports {
        of_port(out, port, form);
    }
    for item in &domain.management {
        let text = format!("{} {}, {}×: {}", item.action, item.item, item.count, item.last);
        field(out, "management", &sanitise::line(&text), form);
    }
    out.push('\n');
}

fn of_port(out: &mut String, port: &PtpPort, form: Form) {
    field(out, "port", &format!("{} at {}", port.identity, port.sender), form);
    if let Some(announce) = &port.announce {
        field(out, "", &announced(announce), form);
    }
    for (name, cadence) in [("announce", &port.announces), ("sync", &port.syncs), ("request", &port.requests)]
    {
        if cadence.count > 0 {
            field(out, "", &format!("{name}: {}", intervals(cadence)), form);
        }
    }
    if port.syncs.count > 0 {
        let text = format!(
            "{} two-step, {} one-step, {} follow-ups missing, {} sequence gaps; sync to capture {}",
            port.two_step,
            port.one_step,
            port.follow_ups_missing,
            port.sequence_gaps,
            times(&port.sync_delay_ns)
        );
        field(out, "", &text, form);
    }
}

fn announced(announce: &PtpAnnounce) -> String {
    let traceable = if announce.is_traceable() { "traceable" } else { "not traceable" };
    format!(
        "grandmaster {}, priorities {} and {}, class {} ({}), accuracy 0x{:02x}, {} steps, {}, TAI-UTC {} s, {traceable}",
        announce.grandmaster,
        announce.priority1,
        announce.priority2,
        announce.class,
        announce.class_meaning(),
        announce.accuracy,
        announce.steps_removed,
        announce.source_name(),
        announce.utc_offset_s,
    )
}

fn intervals(cadence: &PtpCadence) -> String {
    let stated = cadence.log_interval.map(|log| format!(", stated 2^{log} s")).unwrap_or_default();
    format!("{}{stated}, measured {}", cadence.count, times(&cadence.interval_ns))
}
