//! Decoys for people: what is covered and what is not, one line for each touch, and what it came to.

use std::fmt::Write as _;

use engine::decoys::{DecoyCounts, DecoyState};
use host::decoy::{PortSet, words};
use model::{DecoyTouch, Finding, Subject, Transport};

use super::Form;
use super::findings::write_one;
use super::list::plural;
use crate::sanitise;
use crate::style::Paint;

/// What is covered and what is not, and why.
pub(crate) fn decoy_coverage(state: &DecoyState) -> String {
    let coverage = &state.coverage;
    let mut out = String::from("empty ports that are covered: ");
    let free = |all: &PortSet, held: &PortSet| words(&all.without(held).ranges());
    let _ = write!(
        out,
        "TCP {}; UDP {}; by {}; level {}",
        free(&coverage.tcp, &coverage.held_tcp),
        free(&coverage.udp, &coverage.held_udp),
        match coverage.way {
            host::decoy::Way::Kernel => "a kernel program",
            host::decoy::Way::Plain => "plain sockets",
        },
        match state.level.fact() {
            model::DecoyLevel::Greet(protocol) => format!("greet={}", protocol.name),
            level => level.name().to_owned(),
        },
    );
    for (transport, held) in [("TCP", &coverage.held_tcp), ("UDP", &coverage.held_udp)] {
        if !held.is_empty() {
            let _ = write!(out, "\nleft to who has them: {transport} {}", words(&held.ranges()));
        }
    }
    if !coverage.ephemeral.is_empty() {
        let _ = write!(
            out,
            "\nnever covered: {}, which the kernel gives to anybody (keep ports from that by net.ipv4.ip_local_reserved_ports)",
            words(&coverage.ephemeral.ranges())
        );
    }
    for gap in &coverage.gaps {
        let _ = write!(out, "\nnot seen: {} ({})", gap.what, gap.reason.words());
    }
    out.push_str("\nCtrl-C ends it and shows the summary");
    out
}

/// Writes one touch in one line.
pub(crate) fn decoy_touch_line(out: &mut String, touch: &DecoyTouch, form: Form) {
    let what = match (touch.transport, touch.connected) {
        (_, true) => "connection",
        (Transport::Udp, _) => "datagram",
        _ => "knock",
    };
    let port = form.style.paint(Paint::Bold, format!("{}/{}", touch.local.port(), touch.transport.name()));
    let _ = write!(out, "{} {port} {what} from {} to {}", touch.at.rfc3339(), touch.peer, touch.local.ip());
    if touch.received_bytes > 0 {
        let _ = write!(out, ", {} bytes", touch.received_bytes);
    }
    if let Some(said) = &touch.recognised {
        match said.protocol {
            Some(protocol) => {
                let _ = write!(out, ", {}", protocol.title);
                for detail in said.details.iter().take(3) {
                    let _ = write!(out, "; {} {}", detail.name, sanitise::line(&detail.value));
                }
            }
            None => {
                let _ = write!(out, ", {}", said.appearance.name());
            }
        }
    }
    out.push('\n');
}

/// Writes the findings in full, and what became of who came.
pub(crate) fn decoy_summary(out: &mut String, findings: &[Finding], counts: &DecoyCounts, form: Form) {
    for finding in findings {
        let about: Vec<String> = finding
            .subjects
            .iter()
            .filter_map(|subject| match subject {
                Subject::Visitor(source) => Some(source.to_string()),
                _ => None,
            })
            .collect();
        write_one(out, finding, &about, form);
        out.push('\n');
    }
    let number = |count: u64, one, many| plural(usize::try_from(count).unwrap_or(usize::MAX), one, many);
    let _ = writeln!(
        out,
        "{} of {}; {} told, {} only counted; {} let through to who has the port.",
        number(counts.touches, "touch", "touches"),
        number(counts.sources + counts.forgotten, "source", "sources"),
        counts.told,
        counts.touches.saturating_sub(counts.told),
        number(counts.passed, "packet", "packets"),
    );
    for (count, what) in [
        (counts.lost, "packets came that there was no room to tell of"),
        (counts.turned_away, "connections were turned away: as many were open as may be"),
        (counts.forgotten, "sources made room for others"),
        (counts.excluded, "packets came from sources that are excluded"),
    ] {
        if count > 0 {
            let _ = writeln!(out, "{count} {what}.");
        }
    }
}
