//! What could not be read as it claims: damaged-traffic, unread-link.

use std::collections::BTreeMap;

use model::{Code, Confidence, Severity, Subject, WireFault};

use super::words;
use crate::docket::{Cause, Docket};
use crate::judge::say;
use crate::traffic::Watch;

pub(crate) fn judge<'a>(watch: &Watch<'a>, docket: &mut Docket<'a>) {
    let mut layers: BTreeMap<&str, Vec<&WireFault>> = BTreeMap::new();
    for fault in &watch.traffic.faults {
        layers.entry(fault.layer).or_default().push(fault);
    }
    for (layer, faults) in layers {
        damaged(watch, layer, &faults, docket);
    }
    if watch.traffic.unread_links.iter().any(|(_, frames)| *frames > 0) {
        unread(watch, docket);
    }
    if watch.traffic.volume.encrypted > 0 {
        encrypted(watch, docket);
    }
}

/// One finding per layer, with every reason as its evidence.
fn damaged<'a>(watch: &Watch<'a>, layer: &str, faults: &[&WireFault], docket: &mut Docket<'a>) {
    let code = Code::DamagedTraffic;
    let weight = (code.default_severity(), Confidence::High);
    docket.raise(code, weight, Cause::Text(layer.to_owned()), Subject::Capture, || {
        let total = faults.iter().map(|fault| fault.count).fold(0, u64::saturating_add);
        let file = faults.iter().any(|fault| fault.frame == 0);
        let title = if file {
            format!("The capture is damaged: {} in {layer}", words::count(total, "fault"))
        } else {
            format!("{} in {layer}: bytes that are not what they claim", words::count(total, "fault"))
        };
        let facts = faults
            .iter()
            .map(|fault| {
                let place = match fault.frame {
                    0 => format!("at byte {} of the file", fault.at),
                    _ => format!("first at byte {} of the frame", fault.at),
                };
                let fact =
                    format!("{layer}: {}: {}, {place}.", fault.what, words::count(fault.count, "time"));
                let source =
                    if fault.frame == 0 { "the capture file".to_owned() } else { words::frame(fault.frame) };
                (fact, source)
            })
            .collect();
        let step = if file {
            "capture again, or copy the file again; what stands before the fault was read".to_owned()
        } else {
            format!("{}; a broken sender, a broken capture, or somebody who tries parsers", watch.keep(None))
        };
        say(title, "", facts, step)
    });
}

fn unread<'a>(watch: &Watch<'a>, docket: &mut Docket<'a>) {
    let links = &watch.traffic.unread_links;
    let frames = links.iter().map(|(_, frames)| *frames).fold(0, u64::saturating_add);
    let code = Code::UnreadLink;
    docket.raise(code, (missed(watch, frames), Confidence::High), Cause::Number(0), Subject::Capture, || {
        let types: Vec<String> = links.iter().map(|(link, _)| named(*link)).collect();
        let title =
            format!("{} of link type {} were not read", words::count(frames, "frame"), types.join(", "));
        let facts = links
            .iter()
            .map(|(link, frames)| {
                let frames = words::count(*frames, "frame");
                let fact = format!("Link type {}: {frames} that we do not read.", named(*link));
                (fact, "the capture file; the list of link-layer header types of tcpdump.org".to_owned())
            })
            .collect();
        say(
            title,
            "",
            facts,
            "capture on an interface of a link type that is read: Ethernet, raw IP, Linux cooked",
        )
    });
}

/// Where a few frames of many were not read, little was missed.
fn missed(watch: &Watch<'_>, frames: u64) -> Severity {
    if frames >= watch.traffic.volume.frames / 100 { Severity::Warning } else { Severity::Note }
}

fn encrypted<'a>(watch: &Watch<'a>, docket: &mut Docket<'a>) {
    let frames = watch.traffic.volume.encrypted;
    let weight = (missed(watch, frames), Confidence::High);
    docket.raise(Code::UnreadLink, weight, Cause::Number(1), Subject::Capture, || {
        let frames = words::count(frames, "frame");
        let title = format!("{frames} encrypted on the link, so that nobody can read what they carry");
        let fact = format!("{frames} of MACsec or of 802.11 with its data protected.");
        let source = "the capture file; IEEE 802.1AE §9.5, IEEE 802.11 §9.2.4.1".to_owned();
        let step = "capture where the link's encryption has ended: on the host itself, or behind the switch or access point";
        say(title, "", Vec::from([(fact, source)]), step)
    });
}

/// A link type by its number, and what that is called where a person might meet it (the list of tcpdump.org).
fn named(link: u16) -> String {
    let name = match link {
        3 | 202 => "AX.25",
        8 => "SLIP",
        123 => "ATM",
        206 => "Frame Relay",
        139..=142 => "SS7",
        143 | 273 => "DOCSIS",
        147..=162 => "for private use",
        165 => "BACnet MS/TP",
        177 | 203 => "LAPD",
        187 | 201 | 251 | 254..=256 | 272 => "Bluetooth",
        186 | 189 | 220 | 249 | 266 | 288 => "USB",
        195 | 215 | 230 | 283 => "IEEE 802.15.4",
        197 => "Endace ERF",
        210 => "FlexRay",
        212 => "LIN",
        224 | 225 => "Fibre Channel",
        227 => "CAN",
        240 | 241 => "netANALYZER",
        242 | 247 => "InfiniBand",
        243 => "MPEG-2 transport stream",
        252 => "exported by Wireshark without the layers below",
        253 => "netlink",
        261 | 262 => "Z-Wave",
        _ => return link.to_string(),
    };
    format!("{link} ({name})")
}
